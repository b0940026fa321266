"""How long a test waits for what must come, and how it waits for what nobody announces."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

DEADLINE: Final = 10.0
"""Seconds after which whatever a test waits for is taken for lost: a limit, not a delay."""

_LOOK_SECONDS: Final = 0.001


def wait_until(holds: Callable[[], object], what: str, timeout: float = DEADLINE) -> None:
    """
    Wait until `holds()` is true, for what nobody announces. It is called every millisecond.

    Args:
        what: What is waited for, for the error.

    Raises:
        AssertionError: It was not true within `timeout` seconds.
    """
    __tracebackhide__ = True
    deadline = time.monotonic() + timeout
    gate = threading.Event()
    while not holds():
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        gate.wait(_LOOK_SECONDS)
