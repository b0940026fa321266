"""Replies about accounts: IRCv3 sasl-3.2, "Numerics used by this extension"; draft/account-registration."""

from __future__ import annotations

import base64
from typing import Final

from pychat.model.queries import Ref
from pychat.model.replies import LoggedIn, LoggedOut, SaslChallenge
from pychat.protocols.irc.asked import Asked, as_middle
from pychat.protocols.irc.commands.accounts import CHUNK_BYTES
from pychat.protocols.irc.replies.context import Context, Renderer, source


def _logged_in(item: LoggedIn, context: Context) -> list[str]:
    """Return RPL_LOGGEDIN (900), and for AUTHENTICATE RPL_SASLSUCCESS (903)."""
    account = as_middle(item.account)
    whom = _whom(item, context)
    lines = [context.numeric("900", whom, account, text=f"You are now logged in as {item.account}")]
    match _command(item.ref):
        case "AUTHENTICATE":
            lines.append(context.numeric("903", text="SASL authentication successful"))
        case "REGISTER":
            lines.append(f":{context.server} REGISTER SUCCESS {account} :The account is yours")
    return lines


def _logged_out(item: LoggedOut, context: Context) -> list[str]:
    """Return RPL_LOGGEDOUT (901)."""
    return [context.numeric("901", _whom(item, context), text="You are now logged out")]


def _whom(item: LoggedIn | LoggedOut, context: Context) -> str:
    """Return the whole mask of the client, which may have no nickname yet."""
    return "*!*@*" if item.nickname is None else source(item.nickname, item.userhost, context)


def _command(ref: Ref) -> str:
    return ref.command if isinstance(ref, Asked) else ""


def _challenge(item: SaslChallenge, context: Context) -> list[str]:
    """Return the message in parts; if the last part fills its line, an empty one follows."""
    text = base64.b64encode(item.message).decode()
    parts = [text[at : at + CHUNK_BYTES] for at in range(0, len(text), CHUNK_BYTES)]
    if not parts or len(parts[-1]) == CHUNK_BYTES:
        parts.append("+")
    return [f":{context.server} AUTHENTICATE {part}" for part in parts]


RENDERERS: Final[dict[type, Renderer]] = {
    LoggedIn: _logged_in,
    LoggedOut: _logged_out,
    SaslChallenge: _challenge,
}
