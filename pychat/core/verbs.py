"""
What a session asks for, as immutable values.

A protocol turns bytes into verbs, `Chat.perform` checks and performs them, whatever the protocol was. `ref` is the
asker's own mark: the reply carries it (`core/replies.py`). Where a `room` is optional, None means the session's
current room: the one it joined last.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

Ref: TypeAlias = str | int | None


class Hello(NamedTuple):
    """Come in: claim a nickname and join rooms (no rooms: the default one)."""

    nickname: str
    rooms: tuple[str, ...] = ()
    replay: bool = False
    """Whether the `History` handler shall replay the last messages of a room on join."""
    token: str | None = None
    """From an earlier `Welcome`: take that session's nickname and identity back."""
    after: int | None = None
    """The last event id seen: resume behind it instead of a replay."""
    ref: Ref = None


class Say(NamedTuple):
    """Say something in a room."""

    text: str
    room: str | None = None
    action: bool = False
    ref: Ref = None


class Direct(NamedTuple):
    """Say something to one person; `to` None: to whoever wrote to this session last."""

    text: str
    to: str | None = None
    action: bool = False
    ref: Ref = None


class Join(NamedTuple):
    """Come into a room; it becomes the current one."""

    room: str
    ref: Ref = None


class Leave(NamedTuple):
    """Go out of a room."""

    room: str | None = None
    reason: str = ""
    ref: Ref = None


class SetNickname(NamedTuple):
    """Go by another nickname."""

    nickname: str
    ref: Ref = None


class SetTopic(NamedTuple):
    """Give a room a topic; an empty one removes it."""

    topic: str
    room: str | None = None
    ref: Ref = None


class GetTopic(NamedTuple):
    """Ask for a room's topic; answered by `Topic`."""

    room: str | None = None
    ref: Ref = None


class SetAway(NamedTuple):
    """Be away, with a text for those who write to me; None: be back."""

    text: str | None = None
    ref: Ref = None


class ListMembers(NamedTuple):
    """Who is in a room of mine? Answered by `Members`."""

    room: str | None = None
    ref: Ref = None


class ListRooms(NamedTuple):
    """Which rooms are there? Answered by `Rooms`."""

    ref: Ref = None


class WhoIs(NamedTuple):
    """Who is this? Answered by `Profile`."""

    nickname: str
    ref: Ref = None


class ReadHistory(NamedTuple):
    """
    What was said in a room of mine? Answered by `HistoryPage`.

    `after` gives the first events behind that id, else the last events (those before `before`, if it is given).
    """

    room: str | None = None
    before: int | None = None
    after: int | None = None
    limit: int | None = None
    ref: Ref = None


class Command(NamedTuple):
    """Run a command of a handler by name, what `!name args` does in a message, without saying it."""

    name: str
    args: tuple[str, ...] = ()
    room: str | None = None
    ref: Ref = None


class Help(NamedTuple):
    """Which commands are there? `text` is what the protocol has to say of its own; handlers' commands are added."""

    text: str
    ref: Ref = None
    about: str = ""
    """What the text explains, if it is not everything: then nothing is added."""


class Ping(NamedTuple):
    """Are you there? Answered by `PongReply` with the same token."""

    token: str = ""
    ref: Ref = None


class Pong(NamedTuple):
    """I am here: the answer to the server's own `PingRequest`."""

    ref: Ref = None


class Quit(NamedTuple):
    """Goodbye."""

    reason: str = ""
    ref: Ref = None


class Invalid(NamedTuple):
    """What came was no verb. It is refused with this code and text, after the handlers saw it: garbage counts too."""

    code: str
    text: str
    ref: Ref = None


class Abort(NamedTuple):
    """What came cannot be followed any further: the session is told why and ended."""

    code: str
    text: str
    ref: Ref = None


Verb: TypeAlias = (
    Hello
    | Say
    | Direct
    | Join
    | Leave
    | SetNickname
    | SetTopic
    | GetTopic
    | SetAway
    | ListMembers
    | ListRooms
    | WhoIs
    | ReadHistory
    | Command
    | Help
    | Ping
    | Pong
    | Quit
    | Invalid
    | Abort
)
