"""Alarms: functions that are called later."""

from __future__ import annotations

import logging
import threading

import pytest

from pychat.core.scheduler import Alarms
from pychat.testing import FakeClock
from pychat.testing.waiting import wait_until


def test_functions_are_called_when_it_is_time() -> None:
    """In the order of their times, whatever order they were given in; the thread is gone when there are none."""
    clock, called = FakeClock(), list[str]()
    alarms = Alarms(clock)
    alarms.after(20, lambda: called.append("b"))
    alarms.after(10, lambda: called.append("a"))

    clock.wait_for_waiters()
    clock.advance(10)
    wait_until(lambda: called == ["a"], "the alarm")
    clock.wait_for_waiters()
    clock.advance(10)
    wait_until(lambda: called == ["a", "b"], "the alarm")
    wait_until(lambda: alarms._thread is None, "the alarm")
    alarms.after(0, lambda: called.append("c"))
    wait_until(lambda: called == ["a", "b", "c"], "the alarm")


def test_one_that_fails_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged."""
    alarms, done = Alarms(FakeClock()), threading.Event()
    with caplog.at_level(logging.ERROR):
        alarms.after(0, lambda: 1 / 0)
        alarms.after(0, done.set)
        assert done.wait(10)

    assert "ZeroDivisionError" in caplog.text


def test_after_the_end_nothing_is_called() -> None:
    """And no thread is left."""
    clock, called = FakeClock(), list[str]()
    alarms = Alarms(clock)
    alarms.after(1, lambda: called.append("a"))
    thread = alarms._thread

    alarms.stop()
    alarms.after(0, lambda: called.append("b"))
    clock.advance(5)

    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()
    assert called == []
