"""
What happened in a chat, as immutable values.

An event is made by the chat when it takes its place in the log (`core/history/log.py`), and then it is shared: by the
members who receive it, by the history of its rooms, by the threads that encode it. So nobody may change one; take a
copy with `event._replace(text=...)`. Events are named tuples because every message of a busy room becomes one: nothing
immutable is made faster in Python.

Fields that all events have: `id` is the event's position in the log, one sequence for the whole server that keeps
growing over restarts, 0 while it has no place yet; `time` is POSIX seconds, UTC. What concerns one room names it in
`room`; what concerns a person in all their rooms at once is a single event with `rooms`.

Fields of the one who did it, as far as an event has them: `userhost` is the user@host that IRC shows, `account` the
account that the person was logged in to, `bot` whether it is a bot (user mode `B`).
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from pychat.model.modes import ModeChange
from pychat.model.names import fold


class Message(NamedTuple):
    """Somebody said something: in a room, or to one person (then `room` is None and `to` is their nickname)."""

    id: int
    time: float
    room: str | None
    sender: str
    text: str
    """Clean text (`model/text.py`): NFC, may contain newlines, no other control characters."""
    action: bool = False
    """True for `/me waves`: to be shown as "ann waves"."""
    to: str | None = None
    audience: frozenset[int] | None = None
    """Identities of the only sessions that may see it (`Session.identity`); None: everybody in the room."""
    notice: bool = False
    """True for what no program shall answer (RFC 2812 section 3.3.2)."""
    userhost: str = ""
    formatted: str | None = None
    """The text as IRC has it, with formatting or as CTCP, if that differs from `text`; only IRC members get it."""
    tags: str = ""
    """Message tags of IRCv3 as they were sent, for members who understand them: "+draft/reply=1;bot"."""
    role: str = ""
    """Only for those in the room with this role or a higher one: "operator" or "voice"; empty: for all."""
    account: str | None = None
    """The account that the sender was logged in to."""

    @property
    def room_key(self) -> str | None:
        """The name of the room as names are compared: "VIP" and "vip" are one room. None: it is for one person."""
        return None if self.room is None else fold(self.room)

    @property
    def by_bot(self) -> bool:
        """Whether the sender is a bot: the tag of IRCv3's bot mode, which core gives to what bots say."""
        return "bot" in self.tags.split(";")


class Joined(NamedTuple):
    """A member came into a room."""

    id: int
    time: float
    room: str
    nickname: str
    userhost: str = ""
    away: str | None = None
    """Why the new member is away, if so."""
    account: str | None = None
    """The account that the new member is logged in to."""
    realname: str = ""
    bot: bool = False


class Left(NamedTuple):
    """A member went out of one room and is still connected."""

    id: int
    time: float
    room: str
    nickname: str
    reason: str = ""
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class Kicked(NamedTuple):
    """A member was removed from a room by another."""

    id: int
    time: float
    room: str
    nickname: str
    """Of the one who was removed."""
    by: str
    """Of the one who did it."""
    reason: str = ""
    userhost: str = ""
    """Of the one who did it."""
    account: str | None = None
    bot: bool = False


class Disconnected(NamedTuple):
    """A member is gone from all rooms at once."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    reason: str = ""
    userhost: str = ""
    account: str | None = None
    bot: bool = False
    own_words: bool = False
    """Whether the reason is what the person said, and not what the server knows."""


class Renamed(NamedTuple):
    """A member goes by another nickname now, everywhere."""

    id: int
    time: float
    rooms: tuple[str, ...]
    old: str
    new: str
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class AwayChanged(NamedTuple):
    """A member is away (`text` says why) or back (`text` is None)."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    text: str | None
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class ProfileChanged(NamedTuple):
    """What IRC shows of a member beside the nickname is another: user@host, or the real name."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    userhost: str
    """As it was before."""
    new_userhost: str
    """Now; the same if only the real name changed."""
    realname: str | None = None
    """Now; None if it did not change."""
    account: str | None = None
    bot: bool = False


class AccountChanged(NamedTuple):
    """A member has logged in to an account, or out (`account` is None)."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    account: str | None
    userhost: str = ""
    bot: bool = False


class TopicChanged(NamedTuple):
    """A room has another topic; an empty one was removed."""

    id: int
    time: float
    room: str
    nickname: str
    topic: str
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class ModesChanged(NamedTuple):
    """The rules of a room, or the roles of its members, are others."""

    id: int
    time: float
    room: str
    nickname: str
    """Of the one who changed them."""
    changes: tuple[ModeChange, ...]
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class Invited(NamedTuple):
    """A member invited somebody into a room. That person hears it, too."""

    id: int
    time: float
    room: str
    nickname: str
    """Of the one who invites."""
    invited: str
    """Nickname of the one who is invited."""
    userhost: str = ""
    """Of the one who invites."""
    account: str | None = None
    bot: bool = False


class Tagged(NamedTuple):
    """
    Tags of IRCv3 without a message: somebody is typing, likes what was said. Never kept; only IRC members get it.

    To a room, or to one person (then `room` is None and `to` is their nickname).
    """

    id: int
    time: float
    room: str | None
    sender: str
    tags: str
    to: str | None = None
    userhost: str = ""
    role: str = ""
    """See `Message.role`."""
    account: str | None = None
    """See `Message.account`."""


class Notice(NamedTuple):
    """The server itself speaks: to a room, or privately to one session (`room` is None, `id` is 0)."""

    id: int
    time: float
    room: str | None
    text: str


RoomEvent: TypeAlias = Message | Joined | Left | Kicked | TopicChanged | ModesChanged | Invited | Tagged | Notice
"""Events with a `room`."""

PersonEvent: TypeAlias = Disconnected | Renamed | AwayChanged | ProfileChanged | AccountChanged
"""Events with `rooms`: every room that the person was in at that moment."""

Event: TypeAlias = RoomEvent | PersonEvent

# What more than one module asks of a kind of event is answered here, once.

SAID: Final = (Message, Tagged)
"""
What a person says. It has the fields `sender`, `userhost` and `account`, which are those of the sender at its place in
the order.
"""
WITH_TEXT: Final = (Message, Notice)
"""What is refused if it cannot be stored. All other events have happened by then, and are told to who is there."""
