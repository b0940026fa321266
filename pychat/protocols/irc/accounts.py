"""
Accounts: AUTHENTICATE (IRCv3 sasl-3.2), REGISTER and VERIFY (draft/account-registration), and NickServ.

There is no service called NickServ, and nobody else can have that nickname; but people write to it on every other
network, so what they say there does what they mean.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Final

from pychat.core.account_verbs import Authenticate, ChangePassword, DropAccount, LogIn, LogOut, Regain, Register
from pychat.core.replies import Words
from pychat.core.sasl import PLAIN, SCRAM
from pychat.core.verbs import (
    Answer,
    Verb,
)
from pychat.protocols.irc.client import Client
from pychat.protocols.irc.message import Command
from pychat.protocols.irc.refusals import fail, refuse
from pychat.protocols.irc.words import Asked, Line, Numeric

CHUNK_BYTES: Final = 400
"""Of base64 in one line; one that is full is followed by another (sasl-3.1, "The AUTHENTICATE Command")."""
_MECHANISM: Final = re.compile("[A-Z][A-Z0-9_-]{1,19}", re.ASCII)
"""RFC 4422 section 3.1."""
_MOST_BYTES: Final = 10 * CHUNK_BYTES
"""Of base64 in one message: more than any password needs."""
_MESSAGES: Final = {PLAIN: 1, SCRAM: 3}
"""How many a client sends, for each mechanism."""
_NO_MESSAGE: Final = b"\xff"
"""What no mechanism has: it ends the exchange, as what is no base64 shall."""
SERVICE: Final = "NickServ"


def authenticate(client: Client, command: Command) -> Sequence[Verb]:
    """AUTHENTICATE: the name of a mechanism, then parts of messages in base64; `*` ends it without result."""
    word = command.params[0]
    ref = Asked("AUTHENTICATE")
    if word == "*":
        _forget(client)
        return [Authenticate(None, None, ref)]
    if word.upper() in client.dialect.mechanisms or not client.sasl_messages or _begins_anew(client, word):
        return _begin(client, word)
    if len(word) > CHUNK_BYTES or len(client.sasl_parts) + len(word) > _MOST_BYTES:
        _forget(client)
        return [refuse("905", "SASL message too long", code="sasl_failed")]  # ERR_SASLTOOLONG
    if word != "+":
        client.sasl_parts += word
    if len(word) == CHUNK_BYTES:
        return []
    mechanism, parts = client.sasl, client.sasl_parts
    client.sasl, client.sasl_parts = None, ""
    client.sasl_messages -= 1
    return [Authenticate(mechanism, _decode(parts), ref)]


def _begins_anew(client: Client, word: str) -> bool:
    """Whether this is a mechanism and no message of SCRAM, behind its first: those are longer, or one character."""
    return client.sasl is None and not client.sasl_parts and _MECHANISM.fullmatch(word.upper()) is not None


def _begin(client: Client, word: str) -> Sequence[Verb]:
    """The first line of an exchange; the client may give up another one for it."""
    mechanism = word.upper()
    if mechanism not in client.dialect.mechanisms:
        _forget(client)
        return [Authenticate(mechanism[:CHUNK_BYTES], b"", Asked("AUTHENTICATE"))]  # which is refused
    client.sasl, client.sasl_parts, client.sasl_messages = mechanism, "", _MESSAGES[mechanism]
    return [Answer((Words(Line("AUTHENTICATE", ("+",))),))]


def abort(client: Client) -> list[Verb]:
    """
    End an exchange whose first message is not complete: 906 for who comes in meanwhile.

    "If the client completes registration while the SASL authentication is still in progress, the server SHOULD abort
    it, sending a 906 numeric, and then register the client without authentication" (sasl-3.1).
    """
    if client.sasl is None:
        return []
    _forget(client)
    return [Authenticate(None, None, Asked("AUTHENTICATE"))]


def _forget(client: Client) -> None:
    client.sasl, client.sasl_parts, client.sasl_messages = None, "", 0


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _NO_MESSAGE


def register(client: Client, command: Command) -> Sequence[Verb]:
    """REGISTER account email password: the account `*` is the nickname; no address is wanted, so it is not kept."""
    account, _, password = command.params[:3]
    if account == "*" and client.nickname is None and not client.wanted:
        return [fail("REGISTER", "NEED_NICK", "*", "Choose a nickname first")]
    name = account if account != "*" else (client.nickname or client.wanted)
    return [Register(password, name, Asked("REGISTER", (name,)))]


def verify(client: Client, command: Command) -> Sequence[Verb]:
    """VERIFY: accounts need none."""
    return [fail("VERIFY", "INVALID_CODE", command.params[0], "There is nothing to verify")]


# NickServ


def is_service(target: str) -> bool:
    """Whether a message is for the service that there is not."""
    return target.lower() in ("nickserv", "ns")


def nickserv(client: Client, command: Command) -> Sequence[Verb]:
    """NICKSERV: the same as a message to it."""
    return service(" ".join(command.params))


def service(text: str) -> Sequence[Verb]:
    """Return what somebody means who writes this to NickServ."""
    word, *words = text.split() or ["HELP"]
    read = _SERVICES.get(word.upper())
    verb = None if read is None else read(words)
    return [verb] if verb is not None else [_explain()]


_REF: Final = Asked("NICKSERV")


def _register(words: list[str]) -> Verb | None:
    """A password; an address may follow, as elsewhere."""
    return Register(words[0], None, _REF) if len(words) in (1, 2) else None


def _identify(words: list[str]) -> Verb | None:
    if len(words) == 2:
        return LogIn(words[1], words[0], _REF)
    return LogIn(words[0], None, _REF) if len(words) == 1 else None


def _regain(words: list[str]) -> Verb | None:
    return Regain(words[0], words[1] if len(words) == 2 else None, _REF) if len(words) in (1, 2) else None


def _password(words: list[str]) -> Verb | None:
    return ChangePassword(words[-2], words[-1], _REF) if len(words) in (2, 3) else None


_SERVICES: Final[dict[str, Callable[[list[str]], Verb | None]]] = {
    "REGISTER": _register,
    "IDENTIFY": _identify,
    "LOGIN": _identify,
    "LOGOUT": lambda words: LogOut(_REF),
    "REGAIN": _regain,
    "GHOST": _regain,
    "RECOVER": _regain,
    "PASSWD": _password,
    "DROP": lambda words: DropAccount(words[-1], _REF) if words else None,
}
_USAGE: Final = (
    "REGISTER password: make an account of your nickname",
    "IDENTIFY [account] password: log in; better by SASL, before you join",
    "LOGOUT: be a guest again",
    "REGAIN nickname [password]: take your nickname back",
    "PASSWD old new: another password",
    "DROP password: delete your account",
)


def _explain() -> Verb:
    return Answer(tuple(Words(Numeric("NOTICE", (f"{SERVICE}: {line}",))) for line in _USAGE))
