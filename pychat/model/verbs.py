"""
Verbs: the requests of a session, as immutable values.

A protocol turns bytes into verbs; `Chat.perform` checks and performs them, whatever the protocol is. `ref` is the
sender's own mark, which the reply carries (`model/replies.py`). Where `room` is optional, None means the session's
current room: the one it joined last. Queries are in `model/queries.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pychat.model.codes import Code, OtherCode
from pychat.model.modes import ModeChange
from pychat.model.queries import Query, Ref
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan

if TYPE_CHECKING:
    from pychat.model.replies import Reply


PLAIN: Final = "PLAIN"
SCRAM: Final = "SCRAM-SHA-256"
"""Mechanisms of SASL."""
_SECRETS: Final = frozenset({"password", "new_password", "account_password", "message", "token", "keys"})
_MAYBE_SECRET: Final = "account"
"""Secret, too, if `LogIn.typed` is set: it may be the beginning of the password."""


def without_secrets(verb: Any) -> str:
    """Return the representation of a verb for logs and tracebacks."""
    secrets = {*_SECRETS, _MAYBE_SECRET} if getattr(verb, "typed", False) else _SECRETS
    shown = [f"{name}={'***' if name in secrets and value else repr(value)}" for name, value in verb._asdict().items()]
    return f"{type(verb).__name__}({', '.join(shown)})"


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


class SetIgnored(NamedTuple):
    """
    Ignore these people, or stop ignoring them; answered by `Ignored`.

    They are nicknames, masks, or `a:` with the name of an account. Removing somebody who is not ignored is not an
    error.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    ref: Ref = None


class ListIgnored(NamedTuple):
    """Ask whom the session ignores; answered by `Ignored`."""

    ref: Ref = None


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


class Ban(NamedTuple):
    """
    Ban or mute somebody in a room.

    `target` is a nickname (if that person is here, the address is banned, unless others share it), a mask, or `a:` with
    the name of an account.
    """

    target: str
    room: str | None = None
    seconds: int | None = None
    """The duration; None for a permanent ban."""
    reason: str = ""
    mute: bool = False
    """True to only mute: they may join but not speak."""
    ref: Ref = None
    kick: bool = False
    """True to remove the person from the room, too."""


class Unban(NamedTuple):
    """End the bans, or the mutes, of this mask, or else all that match the person with this nickname."""

    target: str
    room: str | None = None
    mute: bool = False
    ref: Ref = None


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


class Register(NamedTuple):
    """Create an account and log in to it. Default: one with the session's own nickname."""

    password: str
    account: str | None = None
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class LogIn(NamedTuple):
    """Log in to an account. Default: the one of the session's own nickname."""

    password: str
    account: str | None = None
    ref: Ref = None
    typed: bool = False
    """
    True if the account and the password were typed with a blank between them. If there is no such account, both
    together are the password for the session's own nickname.
    """

    @property
    def typed_password(self) -> str:
        """The account and the password together."""
        return f"{self.account} {self.password}"

    def __repr__(self) -> str:
        return without_secrets(self)


class Authenticate(NamedTuple):
    """Log in by a SASL message (`core/accounts/sasl.py`); answered by `SaslChallenge` while the exchange continues."""

    mechanism: str | None
    """The mechanism to begin; None to continue the current exchange."""
    message: bytes | None
    """None to abort the exchange."""
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class LogOut(NamedTuple):
    """Become a guest again."""

    ref: Ref = None


class ChangePassword(NamedTuple):
    """Change the password of the session's account."""

    password: str
    """The current password."""
    new_password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class DropAccount(NamedTuple):
    """Delete the session's account; its nickname becomes free."""

    password: str
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


class Regain(NamedTuple):
    """Take a nickname of the session's account from its holder; with a password, log in first."""

    nickname: str
    password: str | None = None
    ref: Ref = None

    def __repr__(self) -> str:
        return without_secrets(self)


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

    code: Code | OtherCode
    text: str
    ref: Ref = None


class Abort(NamedTuple):
    """Input after which the protocol cannot continue: the session is told why and ended."""

    code: Code | OtherCode
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
    | Register
    | LogIn
    | Authenticate
    | LogOut
    | ChangePassword
    | DropAccount
    | Regain
    | Ban
    | Unban
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
    return f"{text}; the {'message' if isinstance(verb, Say | Direct) else 'request'} may or may not have been accepted"
