"""
What a session asks for, as immutable values.

A protocol turns bytes into verbs, `Chat.perform` checks and performs them, whatever the protocol was. `ref` is the
asker's own mark: the reply carries it (`model/replies.py`). Where a `room` is optional, None means the session's
current room: the one it joined last. What only asks to know something is in `model/queries.py`, what has to do with
accounts in `model/account_verbs.py`.
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
    """Come in: claim a nickname and join rooms."""

    nickname: str
    rooms: tuple[str, ...] | None = None
    """None: the default room, or those of the session whose place the token takes."""
    replay: bool = False
    """Whether the `History` handler shall replay the last messages of a room on join."""
    token: str | None = None
    """From an earlier `Welcome`: take that session's nickname and identity back."""
    after: int | None = None
    """The last event id seen: resume behind it instead of a replay."""
    ref: Ref = None
    username: str = ""
    """What IRC shows before the host; empty: a default."""
    realname: str = ""
    """What IRC shows of a person in WHOIS; empty: the nickname."""
    password: str | None = None
    """The server's, if it wants one."""
    bot: bool = False
    """Whether it is a program that answers people: it gets the user mode `B`."""
    account: str | None = None
    """Log in to this account first; with `account_password`."""
    account_password: str = ""
    keys: Mapping[str, str] = MappingProxyType({})
    """What the mode `k` of rooms asks for, by the name of the room."""
    regain: bool = False
    """Take the nickname from whoever has it: it is of the account, by default of that which it belongs to."""
    visit: bool = False
    """Whether it is a program that comes for a moment, and nobody is told that it comes and goes."""
    create: bool = True
    """Whether rooms that are not there are made."""
    most_replayed: int | None = None
    """No more messages are replayed than this, in each room."""

    def __repr__(self) -> str:
        return without_secrets(self)


class Say(NamedTuple):
    """Say something in a room."""

    text: str
    room: str | None = None
    action: bool = False
    ref: Ref = None
    notice: bool = False
    """See `Message.notice`, as for the next three."""
    formatted: str | None = None
    tags: str = ""
    role: str = ""


class SayAll(NamedTuple):
    """
    Say several texts in a room, one message each; no answers but refusals.

    What a busy language makes of the lines of one chunk. It is performed at once where no handler has to see the
    messages one by one, else like as many `Say`.
    """

    texts: list[str]
    room: str | None = None
    ref: Ref = None


class Direct(NamedTuple):
    """Say something to one person; `to` None: to whoever wrote to this session last, whatever they are called now."""

    text: str
    to: str | None = None
    action: bool = False
    ref: Ref = None
    notice: bool = False
    """See `Message.notice`, as for the next two."""
    formatted: str | None = None
    tags: str = ""
    reply_to: int | None = None
    """The id of something that happened when the one who is meant was called `to`: nobody else who is now is meant."""


class Tag(NamedTuple):
    """Send tags without a message (see `Tagged`): into a room, or to one person. Exactly one of the two is given."""

    tags: str
    room: str | None = None
    to: str | None = None
    role: str = ""
    ref: Ref = None


class Join(NamedTuple):
    """Come into a room; it becomes the current one."""

    room: str
    ref: Ref = None
    key: str | None = None
    """What the room's mode `k` asks for."""
    create: bool = True
    """Whether the room is made if it is not there."""


class Leave(NamedTuple):
    """Go out of a room."""

    room: str | None = None
    reason: str = ""
    ref: Ref = None


class LeaveAll(NamedTuple):
    """Go out of all rooms."""

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


class SetAway(NamedTuple):
    """Be away, with a text for those who write to me; None: be back."""

    text: str | None = None
    ref: Ref = None


class Watch(NamedTuple):
    """
    Tell me when these people come and go; answered by `Watched` about those of `add`, and then whenever it changes.

    First `clear` forgets all that were watched before, then `remove` some of them.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    clear: bool = False
    ref: Ref = None
    changes: bool = False
    """From now on also when they go away, log in, or change their host or real name."""


# Order in a room


class Kick(NamedTuple):
    """Remove somebody from a room."""

    nickname: str
    room: str | None = None
    reason: str = ""
    ref: Ref = None


class Invite(NamedTuple):
    """Invite somebody into a room, also one that only the invited may join."""

    nickname: str
    room: str | None = None
    ref: Ref = None


class SetModes(NamedTuple):
    """
    Change rules of a room or roles of its members (`model/modes.py`).

    The changes are made one by one: those that cannot be made are refused each with a failure, the others are made.
    """

    changes: tuple[ModeChange, ...]
    room: str | None = None
    ref: Ref = None


# Being somebody on the server


class SetUserModes(NamedTuple):
    """
    Change what one is; answered by `UserModes`.

    `i` invisible to strangers, `w` wants wallops, `B` is a bot; `o` server operator, which can only be removed.
    """

    changes: tuple[ModeChange, ...]
    ref: Ref = None


class SetRealname(NamedTuple):
    """Have another real name."""

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
    """Say something to all who want to hear from server operators; for these."""

    text: str
    ref: Ref = None


class Announce(NamedTuple):
    """Say something in the server's name to everybody, in whatever room they are; for server operators."""

    text: str
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


class Answer(NamedTuple):
    """The language knows the answer itself: let the items reach the session behind all that comes before."""

    items: tuple[Reply, ...]
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
    """The sentence that tells that there was no answer to a verb for so long."""
    text = f"no answer from the server for {seconds:g} s"
    if isinstance(verb, Query | Ping | Help | ListIgnored | ListServerBans):
        return text
    return f"{text}; it may or may not have been {'said' if isinstance(verb, Say | Direct) else 'done'}"
