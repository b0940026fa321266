"""
SASL: logging in by messages of a mechanism (RFC 4422): PLAIN (RFC 4616) and SCRAM-SHA-256 (RFC 7677).

The exchange belongs to the session and is the same in every protocol, which only carries the messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.core.accounts.actions import become
from pychat.core.accounts.authentication import ask_accounts, check_password, require_account
from pychat.core.accounts.base import checked_keys, checked_name
from pychat.core.accounts.logins import Proof
from pychat.core.accounts.scram import BadScram, Challenge, ScramKeys, proves, read_first
from pychat.core.session import Session
from pychat.model import verbs
from pychat.model.errors import SaslAborted, SaslFailed, UnknownMechanism
from pychat.model.queries import Ref
from pychat.model.replies import SaslChallenge
from pychat.model.verbs import PLAIN, SCRAM

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_EXCHANGE_SECONDS: Final = 10.0
"""The maximum time of an exchange, by the chat's clock."""


class _Scram:
    """The state of a SCRAM exchange."""

    def __init__(
        self, ref: Ref, account: str, keys: ScramKeys, challenge: Challenge, moment: int, until: float
    ) -> None:
        """
        Args:
            moment: `Logins.moment` from before the keys were looked up.
            until: The deadline of the exchange.
        """
        self.ref = ref
        self.account, self.keys, self.challenge = account, keys, challenge
        self.moment, self.until = moment, until
        self.proof: Proof | None = None
        """Set when the client has proved itself and must still acknowledge the server's proof."""


def mechanisms(chat: Chat) -> tuple[str, ...]:
    """Return the mechanisms that the server's accounts support."""
    return (PLAIN,) if checked_keys(chat.accounts, chat.accounts.scram("*")) is None else (PLAIN, SCRAM)


def authenticate(chat: Chat, session: Session, verb: verbs.Authenticate) -> None:
    """Handle one message of the client. Any error ends the exchange."""
    state, session.sasl = session.sasl, None
    if verb.message is None:
        raise SaslAborted
    if verb.mechanism is None:
        if not isinstance(state, _Scram):
            raise SaslFailed("no authentication is in progress")
        _go_on(chat, session, verb, state)
    elif verb.mechanism == PLAIN:
        _plain(chat, session, verb)
    elif verb.mechanism in (offered := ask_accounts(session, lambda: mechanisms(chat))):
        _begin(chat, session, verb)
    else:
        raise UnknownMechanism(offered)


def _plain(chat: Chat, session: Session, verb: verbs.Authenticate) -> None:
    """Check authzid NUL authcid NUL password (RFC 4616). Acting as another account is not supported."""
    assert verb.message is not None
    try:
        authzid, name, password = verb.message.decode().split("\0")
    except ValueError:  # includes UnicodeDecodeError
        raise SaslFailed("not a valid PLAIN message") from None
    if authzid not in ("", name) or not name:
        raise SaslFailed("logging in on behalf of another account is not supported")
    become(chat, session, check_password(session, name, password), verb.ref)


def _begin(chat: Chat, session: Session, verb: verbs.Authenticate) -> None:
    assert verb.message is not None
    try:
        first = read_first(verb.message)
    except BadScram as error:
        raise SaslFailed(str(error)) from None
    if first.authzid not in ("", first.name):
        raise SaslFailed("logging in on behalf of another account is not supported")
    moment = chat.logins.moment
    keys = ask_accounts(session, lambda: checked_keys(chat.accounts, chat.accounts.scram(first.name)))
    if keys is None:
        raise UnknownMechanism((PLAIN,))
    challenge = Challenge(first, keys)
    until = chat.clock.monotonic() + _EXCHANGE_SECONDS
    session.sasl = _Scram(verb.ref, first.name, keys, challenge, moment, until)
    chat.send(session, SaslChallenge(verb.ref, challenge.message.encode()))


def _go_on(chat: Chat, session: Session, verb: verbs.Authenticate, state: _Scram) -> None:
    """Check the client's proof and answer with the server's; then an empty message gets the result."""
    assert verb.message is not None
    if chat.clock.monotonic() >= state.until:
        raise SaslFailed(f"the authentication took more than {_EXCHANGE_SECONDS:.0f} s; start again")
    if state.proof is not None:
        if verb.message:
            raise SaslFailed("unexpected message")
        become(chat, session, state.proof, verb.ref)
        return
    try:
        proof = state.challenge.proof(verb.message)
    except BadScram as error:
        raise SaslFailed(str(error)) from None

    def check() -> str | None:
        accounts = chat.accounts
        return checked_name(accounts, "shown", accounts.shown(state.account)) if proves(proof, state.keys) else None

    state.proof = require_account(session, state.account, check, state.moment)
    session.sasl = state
    chat.send(session, SaslChallenge(verb.ref, state.challenge.answer(proof).encode()))
