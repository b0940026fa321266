"""
The hooks of a handler, declared and documented once, and the chains that the chat runs.

A handler is one pluggable behaviour. Its hooks run on the thread of the session that caused them, in the order in which
the handlers were added, without a lock: the verbs of one session come one at a time, those of different sessions
concurrently. A hook may block; only its own session waits.

There are two kinds. `before_*` hooks return the value they were given, changed or not, or refuse the verb by raising
`Refused`. `on_*` hooks react to an accepted change and cannot undo it: a `Refused` from them is only reported. Any
other exception, even `SystemExit`, is logged with its traceback; the person who sent the verb is told "internal error",
and nobody else notices. `announces` is neither: it only answers a question.
"""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pychat.model.events import Joined, Kicked, Left, Message
from pychat.model.functions import check_plain
from pychat.model.verbs import Verb

if TYPE_CHECKING:
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session
    from pychat.model.verbs import Command

logger = logging.getLogger("pychat")

V = TypeVar("V")


class Handler:
    """Override the hooks you need; the others cost nothing."""

    waits: bool = True
    """
    True if a hook of this handler may block, on a database, a file or a lock. Before such a hook runs, everything that
    its session said earlier is sent, and the hook gets a thread for itself. A handler that only computes sets this to
    False: then its hooks run on the thread that serves everybody, and messages that arrive together stay together. If
    such a hook takes over 20 ms, the chat sets this to True, and says so in the log.
    """

    def before_connect(self, session: Session) -> None:
        """Admit or refuse a peer that has sent its first bytes. Its protocol is known; it has no nickname yet."""

    def on_connect(self, session: Session) -> None:
        """React to a new session. `on_disconnect` will be its last hook."""

    def delay(self, session: Session, verb: Verb) -> float:
        """
        Return for how many seconds a verb is put off; 0 for not at all. May refuse it.

        Called once for each verb, before the other hooks. The session's later verbs, and its input, wait as well.
        """
        return 0.0

    def before_verb(self, session: Session, verb: Verb) -> None:
        """Inspect every verb of every kind, even those that are then refused as invalid. May refuse or block."""

    def before_nick(self, session: Session, nickname: str) -> str:
        """
        Check a valid nickname before it is claimed; return it or another one, or refuse.

        `session.nickname` is still the old one, None at first. The chat checks the syntax and uniqueness of nicknames.
        """
        return nickname

    def on_nick(self, session: Session, old: str | None, new: str) -> None:
        """React to the session's new nickname; `old` is None the first time."""

    def before_join(self, session: Session, room: Room) -> None:
        """Admit or refuse a session before it joins a room."""

    def announces(self, session: Session, room: Room, kind: type[Joined | Left | Kicked]) -> bool:
        """
        Return whether the room's members are told that the session joins, leaves or is kicked out.

        Called right before that happens; one handler that returns True is enough. The event gets its position together
        with the change, so that nobody appears in a member list without a visible join. The change may still be refused
        after this call.
        """
        return False

    def on_join(self, session: Session, room: Room) -> None:
        """
        React to a new member, after the others have been told.

        Events of the room reach the member when all these hooks have returned.
        """

    def before_message(self, session: Session, message: Message) -> Message:
        """Check a message to a room, or to one person (`message.room` is None). May change or refuse it."""
        return message

    def on_message(self, session: Session, message: Message) -> None:
        """React to an accepted message. `Broadcast` publishes it here; its `id` is 0 until then."""

    def before_topic(self, session: Session, room: Room, topic: str) -> str:
        """Check a topic before it is set. May change or refuse it; an empty topic removes the old one."""
        return topic

    def on_topic(self, session: Session, room: Room, topic: str) -> None:
        """React to the room's new topic."""

    def on_command(self, session: Session, command: Command) -> bool:
        """Handle a command by name, which is not published in a room. Return True if this handler has handled it."""
        return False

    def on_help(self, session: Session) -> list[str]:
        """Return a help line for each command that this handler adds."""
        return []

    def on_leave(self, session: Session, room: Room, reason: str) -> None:
        """
        React to the end of a membership.

        Also called for each room of a session that disconnects (`session.closed` is then True). Not called for a member
        who was kicked out of the room: see `on_kick`.
        """

    def on_kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
        """
        React to the removal of a member by the session; `on_leave` is not called for it.

        Runs on the thread of the session that kicks: do not touch `member.memo`.
        """

    def on_disconnect(self, session: Session, reason: str) -> None:
        """React to the end of a session; `session.rooms` still lists its rooms, and its nickname is not free yet."""


H = TypeVar("H", bound=Callable[..., None])


def only_publishes(on_message: H) -> H:
    """
    Mark an `on_message` that does nothing but `chat.publish(message)`.

    The chat may then publish many messages at once, without calling it for each.
    """
    on_message.only_publishes = True  # type: ignore[attr-defined]
    return on_message


def only_for_prefix(prefix: str) -> Callable[[H], H]:
    """Mark an `on_message` that ignores messages without this prefix, which must not be empty."""

    def mark(on_message: H) -> H:
        on_message.prefix = prefix  # type: ignore[attr-defined]
        return on_message

    return mark


HOOKS: dict[str, Callable[..., Any]] = {name: hook for name, hook in vars(Handler).items() if inspect.isfunction(hook)}


_SPELT: dict[str, str] = {name.replace("_", ""): name for name in HOOKS}


def check_handler(handler: object) -> Handler:
    """
    Return the handler if the chat can use it.

    Raises:
        TypeError: If it is not a `Handler`, or has an unknown hook, or one that has other parameters or is `async`.
    """
    if not isinstance(handler, Handler):
        raise TypeError(f"{handler!r} is not a handler: derive its class from pychat.Handler and pass an instance")
    kind = type(handler)
    for name in dir(kind):
        if name not in HOOKS:
            _check_is_no_hook(kind, name)
            continue
        hook = getattr(handler, name)
        if getattr(hook, "__func__", None) is HOOKS[name]:  # not overridden; looking at all of them takes 1 ms
            continue
        check_plain(hook, "hooks", f"{kind.__name__}.{name}")
        expected = list(inspect.signature(HOOKS[name]).parameters)[1:]
        try:
            inspect.signature(hook).bind(*expected)
        except TypeError:
            raise TypeError(f"{kind.__name__}.{name} must take ({', '.join(['self', *expected])})") from None
    return handler


def _check_is_no_hook(kind: type, name: str) -> None:
    """
    Check that the name of a handler's attribute is not a misspelt hook.

    Raises:
        TypeError: If it begins like a hook, or differs from one only in case and underscores.
    """
    close = _SPELT.get(name.replace("_", "").lower())
    if close is None and not name.startswith(("before_", "on_")):
        return
    if close is None:
        close = next(iter(difflib.get_close_matches(name, HOOKS, n=1)), None)
    hint = "" if close is None else f"; did you mean {close}?"
    raise TypeError(f"{kind.__name__}.{name} is not a hook{hint} (hooks: {', '.join(HOOKS)})")
