"""Render account and server-ban items as text: see `render.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pychat.model.durations import moment
from pychat.model.replies import Ignored, LoggedIn, LoggedOut
from pychat.model.server_ban import ServerBan, ServerBanList
from pychat.model.text import because
from pychat.protocols.text.wording import Style, note, with_local_times


def _logged_in(item: LoggedIn, style: Style) -> list[str]:
    if item.registered:
        return note(f"the account {item.account} is yours now; you are logged in")
    return note(f"you are logged in as {item.account}")


def _logged_out(item: LoggedOut, style: Style) -> list[str]:
    return note("you are logged out")


def _ignored(item: Ignored, style: Style) -> list[str]:
    if item.added:
        return note(f"you now ignore {', '.join(item.added)}")
    if item.removed:
        return note(f"you no longer ignore {', '.join(item.removed)}")
    return note(f"ignored: {', '.join(item.masks) or 'nobody'}")


def _server_bans(item: ServerBanList, style: Style) -> list[str]:
    return [line for ban in item.bans for line in _server_ban(ban, style)] or note("nobody is banned from the server")


def _server_ban(ban: ServerBan, style: Style) -> list[str]:
    until = "" if ban.until is None else f" until {moment(ban.until)}"
    return note(
        f"banned from the server: {ban.target}{with_local_times(until, style)} (by {ban.by}){because(ban.reason)}"
    )


RENDERERS: Final[dict[type, Callable[[Any, Style], list[str]]]] = {
    LoggedIn: _logged_in,
    LoggedOut: _logged_out,
    ServerBanList: _server_bans,
    Ignored: _ignored,
}
