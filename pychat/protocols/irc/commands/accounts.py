"""
Accounts: AUTHENTICATE (IRCv3 sasl-3.2), REGISTER and VERIFY (draft/account-registration), and NickServ.

There is no service called NickServ, and nobody can take that nickname; but people write to it on other networks, so
messages to it are interpreted as its commands.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Final

from pychat.model import verbs
from pychat.model.errors import Refused
from pychat.model.names import fold
from pychat.model.replies import Words
from pychat.model.verbs import Verb
from pychat.protocols.irc.asked import Asked, Line, Numeric
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import fail, refuse
from pychat.protocols.irc.grammar import ParsedLine
from pychat.protocols.text.passphrases import login, passwords, unquoted

CHUNK_BYTES: Final = 400
"""Limit of base64 in one line; a full line is followed by another (sasl-3.1, "The AUTHENTICATE Command")."""
_MECHANISM: Final = re.compile("[A-Z][A-Z0-9_-]{1,19}", re.ASCII)
"""RFC 4422 section 3.1."""
_MOST_BYTES: Final = 10 * CHUNK_BYTES
"""Limit of base64 in one message: more than any password needs."""
_MESSAGES: Final = {verbs.PLAIN: 1, verbs.SCRAM: 3}
"""How many messages a client sends with each mechanism."""
_NO_MESSAGE: Final = b"\xff"
"""A message that is invalid in every mechanism: it stands for invalid base64 and ends the exchange."""
SERVICE: Final = "NickServ"
_ADDRESS: Final = re.compile(r"[^@]+@[^@]+\.[^@]+")
"""An e-mail address."""


def authenticate(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle AUTHENTICATE: the name of a mechanism, then parts of messages in base64; `*` aborts."""
    word = command.params[0]
    ref = Asked("AUTHENTICATE")
    if word == "*":
        _forget(client)
        return [verbs.Authenticate(None, None, ref)]
    if word.upper() in client.dialect.mechanisms or not client.sasl_messages or _begins_anew(client, word):
        return _begin(client, word)
    if len(word) > CHUNK_BYTES:
        _forget(client)
        return [refuse("905", "SASL message too long", code="sasl_failed")]  # ERR_SASLTOOLONG
    if len(client.sasl_parts) + len(word) > _MOST_BYTES:  # 905 is for a single parameter only (sasl-3.1, "Numerics")
        _forget(client)
        return [refuse("904", "SASL authentication failed", code="sasl_failed")]
    if word != "+":
        client.sasl_parts += word
    if len(word) == CHUNK_BYTES:
        return []
    mechanism, parts = client.sasl, client.sasl_parts
    client.sasl, client.sasl_parts = None, ""
    client.sasl_messages -= 1
    return [verbs.Authenticate(mechanism, _decode(parts), ref)]


def _begins_anew(client: Client, word: str) -> bool:
    """Return whether this is a mechanism and not a later SCRAM message: those are longer, or a single character."""
    return client.sasl is None and not client.sasl_parts and _MECHANISM.fullmatch(word.upper()) is not None


def _begin(client: Client, word: str) -> Sequence[Verb]:
    """Begin an exchange, which may replace an unfinished one."""
    mechanism = word.upper()
    if mechanism not in client.dialect.mechanisms:
        _forget(client)
        return [verbs.Authenticate(mechanism[:CHUNK_BYTES], b"", Asked("AUTHENTICATE"))]  # which refuses it
    client.sasl, client.sasl_parts, client.sasl_messages = mechanism, "", _MESSAGES[mechanism]
    return [verbs.Answer((Words(Line("AUTHENTICATE", ("+",))),))]


def abort(client: Client) -> list[Verb]:
    """
    Abort an exchange whose first message is incomplete when the client completes registration: 906.

    "If the client completes registration while the SASL authentication is still in progress, the server SHOULD abort
    it, sending a 906 numeric, and then register the client without authentication" (sasl-3.1).
    """
    if client.sasl is None:
        return []
    _forget(client)
    return [verbs.Authenticate(None, None, Asked("AUTHENTICATE"))]


def _forget(client: Client) -> None:
    client.sasl, client.sasl_parts, client.sasl_messages = None, "", 0


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _NO_MESSAGE


def register(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """
    Handle REGISTER account email password: the account `*` is the nickname; the address is not used, so it is not
    stored.
    """
    account, _, *words = command.params
    password = " ".join(words)  # people type blanks in it without a colon before it
    if account == "*" and client.nickname is None and not client.wanted:
        return [fail("REGISTER", "NEED_NICK", "*", "Choose a nickname first")]
    name = account if account != "*" else (client.nickname or client.wanted)
    return [verbs.Register(password, name, Asked("REGISTER", (name,)))]


def verify(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle VERIFY, which no account needs."""
    return [fail("VERIFY", "INVALID_CODE", command.params[0], "There is nothing to verify")]


# NickServ


def is_service(target: str) -> bool:
    """Return whether a message is addressed to the service, which does not exist."""
    return target.lower() in ("nickserv", "ns")


def nickserv(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle NICKSERV like a message to it."""
    return service(client, " ".join(command.params))


def service(client: Client, text: str) -> Sequence[Verb]:
    """Return the verbs for a message to NickServ."""
    word, _, rest = text.strip().partition(" ")
    read = _SERVICES.get(word.upper())
    try:
        verb = None if read is None else read(client, rest.strip())
    except Refused as error:
        return [verbs.Answer((_notice(str(error)),))]
    return [verb] if verb is not None else [_EXPLANATION]


_REF: Final = Asked("NICKSERV")


def _register(client: Client, text: str) -> Verb | None:
    """Read a password; an address may follow, as on other networks."""
    words = text.split()
    if len(words) == 2 and _ADDRESS.fullmatch(words[1]):
        text = words[0]
    return verbs.Register(unquoted(text), None, _REF) if text else None


def _identify(client: Client, text: str) -> Verb | None:
    return login(text, _REF) if text else None


def _regain(client: Client, text: str) -> Verb | None:
    nickname, _, password = text.partition(" ")
    return verbs.Regain(nickname, unquoted(password.strip()) or None, _REF) if nickname else None


def _password(client: Client, text: str) -> Verb | None:
    words = passwords(text)
    return verbs.ChangePassword(words[-2], words[-1], _REF) if len(words) in (2, 3) else None


def _drop(client: Client, text: str) -> Verb | None:
    """Read a password; the nickname may precede it, as on other networks."""
    first, _, rest = text.partition(" ")
    if rest and (fold(first) == fold(client.nickname or "") or len(text.split()) == 2) and unquoted(text) == text:
        text = rest.strip()
    return verbs.DropAccount(unquoted(text), _REF) if text else None


_SERVICES: Final[dict[str, Callable[[Client, str], Verb | None]]] = {
    "REGISTER": _register,
    "IDENTIFY": _identify,
    "LOGIN": _identify,
    "LOGOUT": lambda client, text: verbs.LogOut(_REF),
    "REGAIN": _regain,
    "GHOST": _regain,
    "RECOVER": _regain,
    "PASSWD": _password,
    "DROP": _drop,
}
_USAGE: Final = (
    "REGISTER password: register your nickname as an account",
    "IDENTIFY [account] password: log in; SASL is better, because it logs you in before you join",
    "LOGOUT: log out",
    "REGAIN nickname [password]: take your nickname back",
    "PASSWD old new: change your password",
    "DROP password: delete your account",
)


def _notice(text: str) -> Words:
    return Words(Numeric("NOTICE", (f"{SERVICE}: {text}",)))


_EXPLANATION: Final = verbs.Answer(tuple(map(_notice, _USAGE)))
