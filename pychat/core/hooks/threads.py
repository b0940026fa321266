"""
Where the hooks of a handler run: a hook that may block is announced, so that it does not hold up the loop.

The loop of a server serves everybody. Before a hook of a handler with `waits`, it goes on on another thread
(`core/waiting.py`). A hook of a program that does not say so is timed while it runs on the loop; if it takes too long,
its handler waits from then on.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pychat.core.waiting import before_wait, is_on_loop
from pychat.model.functions import title_of

if TYPE_CHECKING:
    from pychat.core.handler import Handler

T = TypeVar("T")

logger = logging.getLogger("pychat")

_MOST_SECONDS: Final = 0.02
"""How long a hook may take that says it does not wait."""


def placed(handler: Handler, hook: Callable[..., T]) -> Callable[..., T]:
    """Return a hook that runs where it may: as it is, if it is one of pychat's own that does not wait."""
    if handler.waits:
        return _announced(hook)
    return hook if type(handler).__module__.startswith("pychat.handlers.") else _timed(handler, hook)


def _announced(hook: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(hook)
    def run(*args: Any) -> T:
        before_wait()
        return hook(*args)

    return run


def _timed(handler: Handler, hook: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(hook)
    def run(session: Any, *args: Any) -> T:
        if not is_on_loop():
            return hook(session, *args)
        began = time.perf_counter()
        try:
            return hook(session, *args)
        finally:
            taken = time.perf_counter() - began
            if taken > _MOST_SECONDS and is_on_loop() and not handler.waits:
                logger.warning(
                    "%s took %.0f ms; it runs on threads from now on: set waits = True", title_of(hook), taken * 1000
                )
                session.chat.let_wait(handler)

    return run
