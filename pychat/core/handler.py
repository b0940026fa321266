"""
The hooks of a handler, declared and documented once, and the chains that the chat runs.

A handler is one pluggable behaviour. Its hooks run on the thread of the session that caused them, in the order in
which the handlers were added, with no lock held: one session's verbs come one at a time, those of different sessions
at the same time. A hook may take its time; only its own session waits.

There are two kinds. `before_*` hooks return the value they were given, changed or not, or refuse the verb by raising
`Refused`; `on_*` hooks act on what already holds and cannot undo it: what they raise as `Refused` is only told. Any
other exception, `SystemExit` too, is logged with its traceback, the person who sent the verb is told "internal error",
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
    Whether a hook of this handler may wait: for a database, a file, a lock. Before such a hook runs, everything that
    its session said earlier is sent out. A handler that only computes sets it to False, so that messages which come
    together stay together.
    """

    def before_connect(self, session: Session) -> None:
        """A peer has sent its first bytes and its language is known; it has no nickname yet. May refuse."""

    def on_connect(self, session: Session) -> None:
        """The session is open. `on_disconnect` will be its last hook."""

    def before_verb(self, session: Session, verb: Verb) -> None:
        """Before every verb of every kind, even those that are refused as invalid. May refuse or wait."""

    def before_nick(self, session: Session, nickname: str) -> str:
        """
        Before a valid nickname is claimed; may return another one, or refuse.

        `session.nickname` is still the old one, None at first. Rules of names and uniqueness are checked by the chat.
        """
        return nickname

    def on_nick(self, session: Session, old: str | None, new: str) -> None:
        """The nickname is the session's own; `old` is None the first time."""

    def before_join(self, session: Session, room: Room) -> None:
        """Before a session comes into a room. May refuse."""

    def announces(self, session: Session, room: Room, kind: type[Joined | Left | Kicked]) -> bool:
        """
        Whether those in the room shall be told that the session joins, leaves, or is kicked out.

        Asked right before that happens; one handler that says yes is enough. The event takes its place together with
        the change, so that nobody is in a list of members whose arrival was not heard. Nobody has refused it yet: it
        may not happen after all.
        """
        return False

    def on_join(self, session: Session, room: Room) -> None:
        """
        The session is a member, and the others have been told.

        What the room says meanwhile reaches it when all these hooks have returned.
        """

    def before_message(self, session: Session, message: Message) -> Message:
        """Before a message to a room, or to one person (`message.room` is None). May change or refuse it."""
        return message

    def on_message(self, session: Session, message: Message) -> None:
        """The message is accepted. `Broadcast` publishes it here; its `id` is 0 until then."""

    def before_topic(self, session: Session, room: Room, topic: str) -> str:
        """Before a topic is set. May change or refuse it; an empty topic removes the old one."""
        return topic

    def on_topic(self, session: Session, room: Room, topic: str) -> None:
        """The room has this topic now."""

    def on_command(self, session: Session, command: Command) -> bool:
        """A command by name, not said in a room. The first handler that returns True has dealt with it."""
        return False

    def on_help(self, session: Session) -> list[str]:
        """The session asks which commands there are: return a line for each that this handler adds."""
        return []

    def on_leave(self, session: Session, room: Room, reason: str) -> None:
        """
        The session is no member of the room any more.

        Also called for each room of a session that disconnects (then `session.closed` is True). Not called for one
        who was kicked out of the room: that is `on_kick`.
        """

    def on_kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
        """
        The session has removed a member from the room; `on_leave` is not called for that.

        Runs on the thread of the one who kicks: do not touch `member.memo`.
        """

    def on_disconnect(self, session: Session, reason: str) -> None:
        """The session is gone; `session.rooms` still tells where it was, and its nickname is not yet free."""


H = TypeVar("H", bound=Callable[..., None])


def only_publishes(on_message: H) -> H:
    """
    Mark an `on_message` that does nothing but `chat.publish(message)`.

    Then the chat may publish many messages at once, without calling it for each.
    """
    on_message.only_publishes = True  # type: ignore[attr-defined]
    return on_message


def only_for_prefix(prefix: str) -> Callable[[H], H]:
    """Mark an `on_message` that does nothing with messages which do not begin with this prefix; not empty."""

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
        TypeError: It is no `Handler`, has a misspelt hook, or a hook with other parameters, or that is `async`.
    """
    if not isinstance(handler, Handler):
        raise TypeError(f"{handler!r} is no handler: derive its class from pychat.Handler and pass an instance")
    kind = type(handler)
    for name in dir(kind):
        if name not in _HOOKS:
            _check_is_no_hook(kind, name)
            continue
        check_plain(getattr(handler, name), "hooks", f"{kind.__name__}.{name}")
        expected = list(inspect.signature(_HOOKS[name]).parameters)[1:]
        try:
            inspect.signature(getattr(handler, name)).bind(*expected)
        except TypeError:
            raise TypeError(f"{kind.__name__}.{name} must take ({', '.join(['self', *expected])})") from None
    return handler


def _check_is_no_hook(kind: type, name: str) -> None:
    """
    Return if a name of a handler is not meant as that of a hook.

    Raises:
        TypeError: It begins like one, or differs from one only in case and underscores.
    """
    close = _SPELT.get(name.replace("_", "").lower())
    if close is None and not name.startswith(("before_", "on_")):
        return
    if close is None:
        close = next(iter(difflib.get_close_matches(name, _HOOKS, n=1)), None)
    hint = "" if close is None else f"; did you mean {close}?"
    raise TypeError(f"{kind.__name__}.{name} is no hook{hint} (hooks: {', '.join(_HOOKS)})")


class Chains:
    """
    For each hook the methods of those handlers that override it, in order. Immutable: the chat replaces the whole.

    Attributes are named like the hooks: `chains.before_message` is a tuple of bound methods.
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
        Raises:
            TypeError: See `check_handler`.
            ValueError: A handler is among them twice: each of its hooks would be called twice.
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
        """Messages that begin with one of these are looked at by a handler."""
        self.told_unheard = False
        """Whether the log has been told of a message that none of them published."""
        self.may_publish = len(self.prefixes) < len(self.on_message)
        """Whether messages may reach anybody: a handler looks at all of them, as `Broadcast` does."""
        publishers = [hook for hook in self.on_message if getattr(hook, "only_publishes", False)]
        self.publishes_all = (
            not self.before_verb
            and not self.before_message
            and len(publishers) == 1
            and len(self.prefixes) + 1 == len(self.on_message)
        )
        """Whether other messages are just published, by one handler."""

    def add(self, handler: Handler, before: Handler | None) -> Chains:
        """
        Return the chains with one more, at the end or before another one.

        Raises:
            TypeError: It is no handler, or one of its hooks cannot be called.
            ValueError: It is one of the handlers already, or `before` is none of them.
        """
        at = len(self.handlers) if before is None else self._place_of(before)
        return Chains([*self.handlers[:at], handler, *self.handlers[at:]])

    def remove(self, handler: Handler) -> Chains:
        """
        Return the chains without one.

        Raises:
            ValueError: It is none of the handlers.
        """
        at = self._place_of(handler)
        return Chains([*self.handlers[:at], *self.handlers[at + 1 :]])

    def _place_of(self, handler: Handler) -> int:
        for at, other in enumerate(self.handlers):
            if other is handler:
                return at
        raise ValueError(f"this {type(handler).__name__} is none of the handlers")


def call(hook: Callable[..., V], *args: Any) -> V:
    """Call a hook that may refuse; lets `Refused` through, and turns anything else into `InternalFailure`."""
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
    """Run `before_*` hooks that return nothing; lets `Refused` through."""
    for hook in hooks:
        call(hook, *args)


def change_before(hooks: Sequence[Callable[..., V]], *args: Any, value: V) -> V:
    """Run `before_*` hooks that return their last argument, changed or not; lets `Refused` through."""
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
        Refused: One of them did not like it, or failed (`InternalFailure`); the others ran.
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
    """Ask hooks until one says yes; one that fails is logged, and has said no."""
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
    """Log what is wrong with what a hook returned, and return what the peer may know of it."""
    logger.error("handler hook %s %s", title_of(hook), problem)
    return InternalFailure()


def log_failure(hook: Callable[..., object]) -> InternalFailure:
    """Log the exception that is being handled, with its traceback, and return what the peer may know of it."""
    logger.exception("handler hook %s failed", getattr(hook, "__qualname__", hook))
    return InternalFailure()
