"""
The announcement that a thread is about to wait.

A server serves its connections on one thread, the loop (`transport/threads/loop.py`), and a handler may block
nevertheless: whatever may block calls `before_wait` first. On the loop, that passes the loop on to another thread; the
calling thread then serves only the connection whose verb it performs, and may take its time. On any other thread it
does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class _Thread(threading.local):
    step_aside: Callable[[], None] | None = None


_thread = _Thread()


def before_wait() -> None:
    """Announce that the calling thread may block now. Call this without a lock that another session needs."""
    step_aside = _thread.step_aside
    if step_aside is not None:
        step_aside()


def on_wait(step_aside: Callable[[], None] | None) -> None:
    """Let `before_wait` call this function on the calling thread; None: let it do nothing."""
    _thread.step_aside = step_aside


def is_on_loop() -> bool:
    """Return whether others wait for the calling thread, because it runs the loop."""
    return _thread.step_aside is not None
