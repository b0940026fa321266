"""
The hooks of all handlers, by name, and the functions that run them.

Whoever runs a hook does so through one of these functions, because a hook may raise anything.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pychat.core.handler import HOOKS, Handler, check_handler
from pychat.core.hooks.threads import placed
from pychat.model.arguments import items
from pychat.model.errors import InternalFailure, Refused
from pychat.model.events import Joined, Kicked, Left, Message
from pychat.model.functions import check_ran, title_of
from pychat.model.verbs import Answer, Command, Direct, Ping, Pong, Say, SayAll, Tag, Verb

if TYPE_CHECKING:
    from pychat.core.rooms.room import Room
    from pychat.core.session import Session

logger = logging.getLogger("pychat")

V = TypeVar("V")


class Chains:
    """
    The methods of the handlers that override each hook, in order. Immutable: the chat replaces it as a whole.

    Attributes are named after the hooks: `chains.before_message` is a tuple of bound methods.
    """

    before_connect: tuple[Callable[[Session], None], ...]
    on_connect: tuple[Callable[[Session], None], ...]
    delay: tuple[Callable[[Session, Verb], float], ...]
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
        for name, default in HOOKS.items():
            users = [handler for handler in self.handlers if getattr(type(handler), name) is not default]
            setattr(self, name, tuple(placed(handler, getattr(handler, name)) for handler in users))
            if any(handler.waits for handler in users):
                waits.add(name)
        self.message_waits = not waits.isdisjoint(("before_message", "on_message"))
        self.verb_waits = not waits.isdisjoint(("delay", "before_verb"))
        prefixes = [getattr(hook, "prefix", None) for hook in self.on_message]
        self.prefixes = tuple(prefix for prefix in prefixes if prefix is not None)
        """The prefixes of messages that a handler inspects."""
        self.told_unheard = False
        """True if the log has reported a message that no handler published."""
        self.may_publish = len(self.prefixes) < len(self.on_message)
        """True if messages can reach anybody: a handler sees all of them, as `Broadcast` does."""
        publishers = [hook for hook in self.on_message if getattr(hook, "only_publishes", False)]
        self.publishes_all = (
            not self.delay
            and not self.before_verb
            and not self.before_message
            and len(publishers) == 1
            and len(self.prefixes) + 1 == len(self.on_message)
        )
        """True if messages without these prefixes are just published, by one handler."""

    def may_wait(self, verb: Verb) -> bool:
        """Return whether performing a verb may block its thread."""
        if self.verb_waits:
            return True
        if isinstance(verb, Say | Direct):
            return self.message_waits or verb.text.startswith(self.prefixes)
        if isinstance(verb, SayAll):
            return self.message_waits or any(text.startswith(self.prefixes) for text in verb.texts)
        return not isinstance(verb, Tag | Ping | Pong | Answer)

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


def longest_delay(hooks: Sequence[Callable[..., float]], *args: Any) -> float:
    """Call `delay` hooks, and return the longest delay; re-raise `Refused`."""
    longest = 0.0
    for hook in hooks:
        seconds = call(hook, *args)
        if not isinstance(seconds, (int, float)) or seconds != seconds:
            raise internal_error(hook, f"returned {seconds!r}, not a number of seconds")
        longest = max(longest, seconds)
    return longest


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
