"""
Events in a chat, as immutable values.

An event is created by the chat when it gets its position in the log (`core/log/log.py`), and is then shared by the
members who receive it, the history of its rooms, and the threads that encode it. So it must not be changed; make a copy
with `event._replace(text=...)`. Events are named tuples because every message of a busy room becomes one: no immutable
object is created faster in Python.

Common fields: `id` is the event's position in the log, one sequence for the whole server that keeps growing across
restarts, 0 before it has a position; `time` is POSIX seconds, UTC. An event in one room has `room`; an event about a
person in all of their rooms at once is a single event with `rooms`.

Fields of the author, where an event has them: `userhost` is the user@host that IRC shows, `account` the account that
the person was logged in to, `bot` whether it is a bot (user mode `B`).
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from pychat.model.modes import ModeChange
from pychat.model.names import fold


class Message(NamedTuple):
    """A message in a room, or to one person (then `room` is None and `to` is their nickname)."""

    id: int
    time: float
    room: str | None
    sender: str
    text: str
    """Clean text (`model/text.py`): NFC, may contain newlines, no other control characters."""
    action: bool = False
    """True for `/me waves`, shown as "ann waves"."""
    to: str | None = None
    audience: frozenset[int] | None = None
    """The identities of the only sessions that may see it (`Session.identity`); None for everybody in the room."""
    notice: bool = False
    """True if no program must answer it (RFC 2812 section 3.3.2)."""
    userhost: str = ""
    formatted: str | None = None
    """The text for IRC with formatting or as CTCP, if that differs from `text`; only IRC members get it."""
    tags: str = ""
    """IRCv3 message tags as they were sent, for members who understand them: "+draft/reply=1;bot"."""
    role: str = ""
    """Only members with this role or a higher one get it: "operator" or "voice"; empty for all."""
    account: str | None = None
    """The account that the sender was logged in to."""

    @property
    def room_key(self) -> str | None:
        """The folded name of the room, so "VIP" and "vip" are one room; None for a direct message."""
        return None if self.room is None else fold(self.room)

    @property
    def by_bot(self) -> bool:
        """True if the sender is a bot: the tag of IRCv3's bot mode, which the core adds to messages of bots."""
        return "bot" in self.tags.split(";")


class Joined(NamedTuple):
    """A member joined a room."""

    id: int
    time: float
    room: str
    nickname: str
    userhost: str = ""
    away: str | None = None
    """The new member's away text, if away."""
    account: str | None = None
    """The account that the new member is logged in to."""
    realname: str = ""
    bot: bool = False


class Left(NamedTuple):
    """A member left one room and is still connected."""

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
    """The nickname of the removed member."""
    by: str
    """The nickname of the kicker."""
    reason: str = ""
    userhost: str = ""
    """The user@host of the kicker."""
    account: str | None = None
    bot: bool = False


class Disconnected(NamedTuple):
    """A member has left all rooms at once by disconnecting."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    reason: str = ""
    userhost: str = ""
    account: str | None = None
    bot: bool = False
    own_words: bool = False
    """True if the reason is the person's own text, not the server's."""


class Renamed(NamedTuple):
    """A member has a new nickname, everywhere."""

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
    """The user@host or the real name of a member, as IRC shows them, has changed."""

    id: int
    time: float
    rooms: tuple[str, ...]
    nickname: str
    userhost: str
    """The old user@host."""
    new_userhost: str
    """The new user@host; the same if only the real name changed."""
    realname: str | None = None
    """The new real name; None if it did not change."""
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
    """The topic of a room has changed; it was removed if it is empty."""

    id: int
    time: float
    room: str
    nickname: str
    topic: str
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class ModesChanged(NamedTuple):
    """The rules of a room, or the roles of its members, have changed."""

    id: int
    time: float
    room: str
    nickname: str
    """The nickname of the author of the change."""
    changes: tuple[ModeChange, ...]
    userhost: str = ""
    account: str | None = None
    bot: bool = False


class Invited(NamedTuple):
    """A member invited somebody into a room. That person gets the event, too."""

    id: int
    time: float
    room: str
    nickname: str
    """The nickname of the inviter."""
    invited: str
    """The nickname of the invited person."""
    userhost: str = ""
    """The user@host of the inviter."""
    account: str | None = None
    bot: bool = False


class Tagged(NamedTuple):
    """
    IRCv3 tags without a message, such as typing notifications and reactions. Never stored; only IRC members get it.

    Sent to a room, or to one person (then `room` is None and `to` is their nickname).
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
    """A notice of the server: to a room, or privately to one session (`room` is None, `id` is 0)."""

    id: int
    time: float
    room: str | None
    text: str


RoomEvent: TypeAlias = Message | Joined | Left | Kicked | TopicChanged | ModesChanged | Invited | Tagged | Notice
"""Events with a `room`."""

PersonEvent: TypeAlias = Disconnected | Renamed | AwayChanged | ProfileChanged | AccountChanged
"""Events with `rooms`: every room that the person was in at that moment."""

Event: TypeAlias = RoomEvent | PersonEvent

# Properties of event types that more than one module needs are defined here, once.

SAID: Final = (Message, Tagged)
"""
Events that a person sends. They have the fields `sender`, `userhost` and `account`, as they are at the event's position
in the order.
"""
WITH_TEXT: Final = (Message, Notice)
"""Events that are refused if they cannot be stored. All others have happened by then, and are still delivered."""
NEVER_STORED: Final = (Tagged,)
"""Events that are gone once they are delivered: no log has them, and nobody catches up on them."""
