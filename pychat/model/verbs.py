"""
Verbs: the requests of a session, as immutable values.

A protocol turns bytes into verbs; `Chat.perform` checks and performs them, whatever the protocol is. `ref` is the
sender's own mark, which the reply carries (`model/replies.py`). Where `room` is optional, None means the session's
current room: the one it joined last. Queries are in `model/queries.py`, verbs about accounts in
`model/account_verbs.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pychat.model.account_verbs import AccountVerb, without_secrets
from pychat.model.ignored import ListIgnored, SetIgnored
from pychat.model.moderation_verbs import ModerationVerb
from pychat.model.modes import ModeChange
from pychat.model.queries import Query, Ref
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan

if TYPE_CHECKING:
    from pychat.model.replies import Reply


class Hello(NamedTuple):
    """Say hello: claim a nickname and join rooms."""

    nickname: str
    rooms: tuple[str, ...] | None = None
    """None for the default room, or for those of the session that the token resumes."""
    replay: bool = False
    """True if the `History` handler is to replay the last messages of a room on join."""
    token: str | None = None
    """The token of an earlier `Welcome`, to take back that session's nickname and identity."""
    after: int | None = None
    """The last event id seen: continue after it, instead of a replay."""
    ref: Ref = None
    username: str = ""
    """The part before the host in IRC; empty for a default."""
    realname: str = ""
    """The real name in WHOIS; empty for the nickname."""
    password: str | None = None
    """The server's password, if it has one."""
    bot: bool = False
    """True for a program that answers people; it gets the user mode `B`."""
    account: str | None = None
    """The account to log in to first, with `account_password`."""
    account_password: str = ""
    keys: Mapping[str, str] = MappingProxyType({})
    """The keys of rooms with mode `k`, by room name."""
    regain: bool = False
    """True to take the nickname from its holder. It must belong to the account; the default account is its owner."""
    visit: bool = False
    """True for a program that connects for a moment; its joins and leaves are not announced."""
    create: bool = True
    """True to create rooms that do not exist."""
    most_replayed: int | None = None
    """The maximum number of messages to replay in each room."""

    def __repr__(self) -> str:
        return without_secrets(self)


class Say(NamedTuple):
    """Send a message to a room."""

    text: str
    room: str | None = None
    action: bool = False
    ref: Ref = None
    notice: bool = False
    """See `Message.notice`, and its other fields for the next three."""
    formatted: str | None = None
    tags: str = ""
    role: str = ""


class SayAll(NamedTuple):
    """
    Send several texts to a room, one message each; only refusals are answered.

    A busy protocol creates it from the lines of one chunk. It is performed at once if no handler must see each message,
    else like as many `Say`.
    """

    texts: list[str]
    room: str | None = None
    ref: Ref = None


class Direct(NamedTuple):
    """Send a message to one person. `to` None means the last person who wrote to this session, under any nickname."""

    text: str
    to: str | None = None
    action: bool = False
    ref: Ref = None
    notice: bool = False
    """See `Message.notice`, and its other fields for the next two."""
    formatted: str | None = None
    tags: str = ""
    reply_to: int | None = None
    """The id of an event from when the recipient was called `to`; a later holder of that name does not get it."""


class Tag(NamedTuple):
    """Send tags without a message (see `Tagged`), to a room or to one person: exactly one of the two is given."""

    tags: str
    room: str | None = None
    to: str | None = None
    role: str = ""
    ref: Ref = None


class Join(NamedTuple):
    """Join a room; it becomes the current one."""

    room: str
    ref: Ref = None
    key: str | None = None
    """The key, if the room has mode `k`."""
    create: bool = True
    """True to create the room if it does not exist."""


class Leave(NamedTuple):
    """Leave a room."""

    room: str | None = None
    reason: str = ""
    ref: Ref = None


class LeaveAll(NamedTuple):
    """Leave all rooms."""

    reason: str = ""
    ref: Ref = None


class SetNickname(NamedTuple):
    """Change the nickname."""

    nickname: str
    ref: Ref = None


class SetTopic(NamedTuple):
    """Set the topic of a room; an empty one removes it."""

    topic: str
    room: str | None = None
    ref: Ref = None


class SetAway(NamedTuple):
    """Set an away text for people who write to the session, or return with None."""

    text: str | None = None
    ref: Ref = None


class Watch(NamedTuple):
    """
    Monitor nicknames; answered by `Watched` for those of `add`, and then at each change.

    First `clear` drops all earlier ones, then `remove` drops some.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    clear: bool = False
    ref: Ref = None
    changes: bool = False
    """True to be told also when these people go away, log in, or change their host or real name."""


# Moderation of a room


class Kick(NamedTuple):
    """Remove somebody from a room."""

    nickname: str
    room: str | None = None
    reason: str = ""
    ref: Ref = None


class Invite(NamedTuple):
    """Invite somebody into a room, even if it is invite-only."""

    nickname: str
    room: str | None = None
    ref: Ref = None


class SetModes(NamedTuple):
    """
    Change rules of a room or roles of its members (`model/modes.py`).

    The changes are made one by one: each that cannot be made is refused with a failure, the others are made.
    """

    changes: tuple[ModeChange, ...]
    room: str | None = None
    ref: Ref = None


# User modes and server operators


class SetUserModes(NamedTuple):
    """
    Change the session's user modes; answered by `UserModes`.

    `i` invisible to strangers, `w` gets wallops, `B` is a bot; `o` server operator, which can only be removed.
    """

    changes: tuple[ModeChange, ...]
    ref: Ref = None


class SetRealname(NamedTuple):
    """Change the real name."""

    realname: str
    ref: Ref = None


class BecomeOperator(NamedTuple):
    """Become a server operator, who may do everything everywhere; answered by `UserModes`."""

    name: str
    password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class Kill(NamedTuple):
    """Disconnect somebody; for server operators."""

    nickname: str
    reason: str = ""
    ref: Ref = None


class SendWallops(NamedTuple):
    """Send a message to everybody with the user mode `w`; for server operators."""

    text: str
    ref: Ref = None


class Announce(NamedTuple):
    """Send a notice of the server to everybody, in whatever room they are; for server operators."""

    text: str
    ref: Ref = None


class Command(NamedTuple):
    """Run a command of a handler by name, like `!name args` in a message, without publishing it."""

    name: str
    args: tuple[str, ...] = ()
    room: str | None = None
    ref: Ref = None


class Help(NamedTuple):
    """Ask for the commands. `text` is the protocol's own help; the commands of handlers are added."""

    text: str
    ref: Ref = None
    about: str = ""
    """The topic that the text explains; empty for an overview, to which handlers add."""


class Ping(NamedTuple):
    """Ask whether the server is there; answered by `PongReply` with the same token."""

    token: str = ""
    ref: Ref = None


class Pong(NamedTuple):
    """Answer the server's own `PingRequest`."""

    ref: Ref = None


class Answer(NamedTuple):
    """Return items that the protocol knows itself, in order, after everything that comes before."""

    items: tuple[Reply, ...]
    ref: Ref = None


class Quit(NamedTuple):
    """Leave the server."""

    reason: str = ""
    ref: Ref = None


class Invalid(NamedTuple):
    """Input that is not a verb. It is refused with this code and text, after the handlers saw it: it counts, too."""

    code: str
    text: str
    ref: Ref = None


class Abort(NamedTuple):
    """Input after which the protocol cannot continue: the session is told why and ended."""

    code: str
    text: str
    ref: Ref = None


Verb: TypeAlias = (
    Hello
    | Say
    | SayAll
    | Direct
    | Tag
    | Join
    | Leave
    | LeaveAll
    | SetNickname
    | SetTopic
    | SetAway
    | Watch
    | Kick
    | Invite
    | SetModes
    | SetUserModes
    | SetRealname
    | BecomeOperator
    | Kill
    | SendWallops
    | Announce
    | Command
    | Help
    | Ping
    | Pong
    | Answer
    | Quit
    | Invalid
    | Abort
    | AccountVerb
    | ModerationVerb
    | SetIgnored
    | ListIgnored
    | AddServerBan
    | RemoveServerBan
    | ListServerBans
    | Query
)


def no_answer(verb: Verb, seconds: float) -> str:
    """Return the error text for a verb that had no reply for so long."""
    text = f"no answer from the server for {seconds:g} s"
    if isinstance(verb, Query | Ping | Help | ListIgnored | ListServerBans):
        return text
    return f"{text}; it may or may not have been {'said' if isinstance(verb, Say | Direct) else 'done'}"
