"""The deadline of a test for waiting, and waiting for conditions without an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

DEADLINE: Final = 10.0
"""Seconds after which waiting in a test fails: a limit, not a delay."""

_LOOK_SECONDS: Final = 0.001


def wait_until(holds: Callable[[], object], what: str, timeout: float = DEADLINE) -> None:
    """
    Wait until `holds()` is true, for conditions without an event. It is called every millisecond.

    Args:
        what: A description of the condition, for the error.

    Raises:
        AssertionError: If it was not true within `timeout` seconds.
    """
    __tracebackhide__ = True
    deadline = time.monotonic() + timeout
    gate = threading.Event()
    while not holds():
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        gate.wait(_LOOK_SECONDS)
