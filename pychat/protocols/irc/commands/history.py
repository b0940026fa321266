"""CHATHISTORY: read past messages (IRCv3 draft/chathistory)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from pychat.model.errors import ChatError
from pychat.model.queries import ListHistory, Moment, Position, ReadHistory
from pychat.model.verbs import Verb
from pychat.protocols.irc.asked import Asked, parse_msgid
from pychat.protocols.irc.capabilities import EVENT_PLAYBACK
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import fail
from pychat.protocols.irc.commands.params import room_of
from pychat.protocols.irc.grammar import ParsedLine
from pychat.protocols.irc.replies.history import NO_HISTORY

_END: Final = 2**63 - 1
"""An id after all events."""
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z", re.ASCII
)  # IRCv3 server-time, "Format": YYYY-MM-DDThh:mm:ss.sssZ


class _Wrong(ChatError):
    """A parameter is invalid."""

    def __init__(self, code: str, about: str, text: str) -> None:
        super().__init__(code, about, text)
        self.code, self.about, self.text = code, about, text


class _Request(NamedTuple):
    """The common parts of the subcommands."""

    room: str
    points: tuple[str, ...]
    """The parameters between the target and the limit."""
    read: Callable[..., ReadHistory]
    """`ReadHistory` without its bounds."""


def chathistory(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle CHATHISTORY: subcommand, target, one or two points in its history, limit."""
    subcommand = command.params[0].upper() if command.params else "*"
    try:
        if subcommand == "TARGETS":
            return [_targets(client, command)]
        if subcommand not in _SUBCOMMANDS:
            raise _Wrong("INVALID_PARAMS", "", "Unknown subcommand")
        bounds, points = _SUBCOMMANDS[subcommand]
        return [bounds(_request(client, command, points))]
    except _Wrong as wrong:
        about = [wrong.about] if wrong.about else []
        if wrong.code == "INVALID_MSGREFTYPE" and subcommand in _SUBCOMMANDS:
            about.insert(0, command.params[1])  # this error names the target first
        return [fail("CHATHISTORY", wrong.code, subcommand, *about, wrong.text)]


def _request(client: Client, command: ParsedLine, points: int) -> _Request:
    _, target, *between, limit = _counted(command, 3 + points)
    room = room_of(target)
    if room is None:
        # Private messages are not stored.
        raise _Wrong("INVALID_TARGET", target, "There is no history of private messages")
    read = partial(
        ReadHistory,
        room,
        limit=_limit(client, limit),
        ref=Asked("CHATHISTORY", command.params),
        messages_only=EVENT_PLAYBACK not in client.capabilities,
        without=NO_HISTORY,
    )
    return _Request(room, tuple(between), read)


def _before(request: _Request) -> ReadHistory:
    return request.read(before=_position(request.points[0]))


def _after(request: _Request) -> ReadHistory:
    return request.read(after=_position(request.points[0]))


def _latest(request: _Request) -> ReadHistory:
    point = request.points[0]
    return request.read() if point == "*" else request.read(between=(_END, _position(point)))


def _around(request: _Request) -> ReadHistory:
    return request.read(around=_position(request.points[0]))


def _between(request: _Request) -> ReadHistory:
    return request.read(between=(_position(request.points[0]), _position(request.points[1])))


_SUBCOMMANDS: Final[dict[str, tuple[Callable[[_Request], ReadHistory], int]]] = {
    "AFTER": (_after, 1),
    "AROUND": (_around, 1),
    "BEFORE": (_before, 1),
    "BETWEEN": (_between, 2),
    "LATEST": (_latest, 1),
}
"""The reader of each subcommand, and how many points it takes."""


def _targets(client: Client, command: ParsedLine) -> ListHistory:
    """Return the request for the channels whose last message is between two times, in either order."""
    _, *points, limit = _counted(command, 4)
    first, second = (_position(point) for point in points)
    if not isinstance(first, Moment) or not isinstance(second, Moment):
        raise _Wrong("INVALID_PARAMS", points[0], "Two timestamps are needed")
    return ListHistory((first, second), _limit(client, limit), Asked("CHATHISTORY", command.params))


def _counted(command: ParsedLine, number: int) -> tuple[str, ...]:
    if len(command.params) != number:
        raise _Wrong(
            "INVALID_PARAMS", "", "Missing parameters" if len(command.params) < number else "Too many parameters"
        )
    return command.params


def _limit(client: Client, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not text.strip("0"):
        raise _Wrong("INVALID_PARAMS", text, "The limit must be a number of at least 1")
    most = client.limits.history_page
    return most if len(text) > 9 else min(int(text), most)


def _position(text: str) -> Position:
    kind, _, value = text.partition("=")
    position = _READERS[kind](value) if kind in _READERS else None
    if position is None:
        code = "INVALID_PARAMS" if kind in _READERS else "INVALID_MSGREFTYPE"
        raise _Wrong(code, text, "A position must be msgid=... or timestamp=YYYY-MM-DDThh:mm:ss.sssZ")
    return position


def _parse_time(text: str) -> Moment | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        seconds = int(datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp())
    except ValueError:  # a thirteenth month
        return None
    # Parsed as one number, so that it equals the number that was written (server-time has milliseconds).
    return Moment(float(f"{seconds}.{match[2] or 0}") if seconds >= 0 else 0.0)


_READERS: Final[dict[str, Callable[[str], Position | None]]] = {"msgid": parse_msgid, "timestamp": _parse_time}
"""The kinds of points (`MSGREFTYPES`)."""
