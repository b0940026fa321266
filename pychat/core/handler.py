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
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from pychat.model.arguments import items
from pychat.model.errors import InternalFailure, Refused
from pychat.model.events import Joined, Kicked, Left, Message
from pychat.model.functions import check_plain, check_ran, title_of

if TYPE_CHECKING:
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session
    from pychat.model.verbs import Command, Verb

logger = logging.getLogger("pychat")

V = TypeVar("V")


class Handler:
    """Override the hooks you need; the others cost nothing."""

    waits: ClassVar[bool] = True
    """
    True if a hook of this handler may block, on a database, a file or a lock. Before such a hook runs, everything that
    its session said earlier is sent. A handler that only computes sets this to False, so that messages that arrive
    together stay together.
    """

    def before_connect(self, session: Session) -> None:
        """Admit or refuse a peer that has sent its first bytes. Its protocol is known; it has no nickname yet."""

    def on_connect(self, session: Session) -> None:
        """React to a new session. `on_disconnect` will be its last hook."""

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


_HOOKS: dict[str, Callable[..., Any]] = {name: hook for name, hook in vars(Handler).items() if inspect.isfunction(hook)}


_SPELT: dict[str, str] = {name.replace("_", ""): name for name in _HOOKS}


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
        if name not in _HOOKS:
            _check_is_no_hook(kind, name)
            continue
        hook = getattr(handler, name)
        if getattr(hook, "__func__", None) is _HOOKS[name]:  # not overridden; looking at all of them takes 1 ms
            continue
        check_plain(hook, "hooks", f"{kind.__name__}.{name}")
        expected = list(inspect.signature(_HOOKS[name]).parameters)[1:]
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
        close = next(iter(difflib.get_close_matches(name, _HOOKS, n=1)), None)
    hint = "" if close is None else f"; did you mean {close}?"
    raise TypeError(f"{kind.__name__}.{name} is not a hook{hint} (hooks: {', '.join(_HOOKS)})")


class Chains:
    """
    The methods of the handlers that override each hook, in order. Immutable: the chat replaces it as a whole.

    Attributes are named after the hooks: `chains.before_message` is a tuple of bound methods.
    """

    before_connect: tuple[Callable[[Session], None], ...]
    on_connect: tuple[Callable[[Session], None], ...]
    before_verb: tuple[Callable[[Session, Verb], None], ...]
    before_nick: tuple[Callable[[Session, str], str], ...]
    on_nick: tuple[Callable[[Session, str | None, str], None], ...]
    before_join: tuple[Callable[[Session, Room], None], ...]
    announces: tuple[Callable[[Session, Room, type[Joined | Left | Kicked]], bool], ...]
    on_join: tuple[Callable[[Session, Room], None], ...]
    before_message: tuple[Callable[[Session, Message], Message], ...]
    on_message: tuple[Callable[[Session, Message], None], ...]
    before_topic: tuple[Callable[[Session, Room, str], str], ...]
    on_topic: tuple[Callable[[Session, Room, str], None], ...]
    on_command: tuple[Callable[[Session, Command], bool], ...]
    on_help: tuple[Callable[[Session], list[str]], ...]
    on_leave: tuple[Callable[[Session, Room, str], None], ...]
    on_kick: tuple[Callable[[Session, Room, Session, str], None], ...]
    on_disconnect: tuple[Callable[[Session, str], None], ...]

    def __init__(self, handlers: Iterable[object] = ()) -> None:
        """
        Check the handlers, and collect their hooks.

        Raises:
            TypeError: See `check_handler`.
            ValueError: If a handler occurs twice: each of its hooks would be called twice.
        """
        if isinstance(handlers, Handler):
            raise TypeError(f"handlers must be a list: [{type(handlers).__name__}()], not a {type(handlers).__name__}")
        self.handlers = tuple([check_handler(handler) for handler in items("handlers", handlers, "[Broadcast()]")])
        for at, handler in enumerate(self.handlers):
            if any(handler is other for other in self.handlers[:at]):
                raise ValueError(f"this {type(handler).__name__} is one of the handlers already")
        waits = set()
        for name, default in _HOOKS.items():
            users = [handler for handler in self.handlers if getattr(type(handler), name) is not default]
            setattr(self, name, tuple(getattr(handler, name) for handler in users))
            if any(handler.waits for handler in users):
                waits.add(name)
        self.message_waits = not waits.isdisjoint(("before_message", "on_message"))
        self.verb_waits = "before_verb" in waits
        prefixes = [getattr(hook, "prefix", None) for hook in self.on_message]
        self.prefixes = tuple(prefix for prefix in prefixes if prefix is not None)
        """The prefixes of messages that a handler inspects."""
        self.told_unheard = False
        """True if the log has reported a message that no handler published."""
        self.may_publish = len(self.prefixes) < len(self.on_message)
        """True if messages can reach anybody: a handler sees all of them, as `Broadcast` does."""
        publishers = [hook for hook in self.on_message if getattr(hook, "only_publishes", False)]
        self.publishes_all = (
            not self.before_verb
            and not self.before_message
            and len(publishers) == 1
            and len(self.prefixes) + 1 == len(self.on_message)
        )
        """True if messages without these prefixes are just published, by one handler."""

    def add(self, handler: Handler, before: Handler | None) -> Chains:
        """
        Return the chains with another handler, at the end or before an existing one.

        Raises:
            TypeError: If it is not a handler, or one of its hooks cannot be called.
            ValueError: If it was added already, or `before` was not.
        """
        at = len(self.handlers) if before is None else self._place_of(before)
        return Chains([*self.handlers[:at], handler, *self.handlers[at:]])

    def remove(self, handler: Handler) -> Chains:
        """
        Return the chains without a handler.

        Raises:
            ValueError: If it is not one of the handlers.
        """
        at = self._place_of(handler)
        return Chains([*self.handlers[:at], *self.handlers[at + 1 :]])

    def _place_of(self, handler: Handler) -> int:
        for at, other in enumerate(self.handlers):
            if other is handler:
                return at
        raise ValueError(f"this {type(handler).__name__} is none of the handlers")


def call(hook: Callable[..., V], *args: Any) -> V:
    """Call a hook that may refuse; re-raise `Refused`, and turn any other error into `InternalFailure`."""
    try:
        result = hook(*args)
        if result is not None:
            check_ran(result, hook)
    except (Refused, KeyboardInterrupt):
        raise
    except BaseException:
        raise log_failure(hook) from None
    return result


def run_before(hooks: Sequence[Callable[..., None]], *args: Any) -> None:
    """Run `before_*` hooks that return nothing; re-raise `Refused`."""
    for hook in hooks:
        call(hook, *args)


def change_before(hooks: Sequence[Callable[..., V]], *args: Any, value: V) -> V:
    """Run `before_*` hooks that return their last argument, changed or not; re-raise `Refused`."""
    for hook in hooks:
        try:
            changed = hook(*args, value)
            if type(changed) is not type(value):
                raise TypeError(f"the hook returned {changed!r}, not the {type(value).__name__} that it was given")
            value = changed
        except (Refused, KeyboardInterrupt):
            raise
        except BaseException:
            raise log_failure(hook) from None
    return value


def run_on(hooks: Sequence[Callable[..., object]], *args: Any) -> None:
    """
    Run all `on_*` hooks, even if one fails.

    Raises:
        Refused: If one of them refused or failed (`InternalFailure`); the others ran.
    """
    failure: Refused | None = None
    for hook in hooks:
        try:
            result = hook(*args)
            if result is not None:
                check_ran(result, hook)
        except Refused as refusal:
            failure = refusal
        except KeyboardInterrupt:
            raise
        except BaseException:
            failure = log_failure(hook)
    if failure is not None:
        raise failure


def one_says_yes(hooks: Sequence[Callable[..., bool]], *args: Any) -> bool:
    """Call hooks until one returns True; a failure is logged and counts as False."""
    for hook in hooks:
        try:
            if hook(*args):
                return True
        except KeyboardInterrupt:
            raise
        except BaseException:
            log_failure(hook)
    return False


def internal_error(hook: Callable[..., object], problem: str) -> InternalFailure:
    """Log what is wrong with the result of a hook, and return the error that the peer is told."""
    logger.error("handler hook %s %s", title_of(hook), problem)
    return InternalFailure()


def log_failure(hook: Callable[..., object]) -> InternalFailure:
    """Log the current exception with its traceback, and return the error that the peer is told."""
    logger.exception("handler hook %s failed", getattr(hook, "__qualname__", hook))
    return InternalFailure()
