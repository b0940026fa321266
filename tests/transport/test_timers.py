"""One timer per link, to the second, by a clock that the test moves."""

from __future__ import annotations

import math
import socket
from collections.abc import Iterator

import pytest

from pychat.protocols.text.protocol import TextDialect
from pychat.testing import FakeClock
from pychat.transport.link import Link
from pychat.transport.timers import Timers


class Clock(FakeClock):
    """The time of the timers, from 1000 on, and what they called."""

    def __init__(self) -> None:
        super().__init__()
        self.called: list[Link] = []

    def pass_(self, timers: Timers, seconds: float) -> list[Link]:
        """Let time pass; return whose alarms were called."""
        self.advance(seconds)
        self.called.clear()
        timers.run()
        return list(self.called)


@pytest.fixture
def clock() -> Clock:
    """The clock that the timers look at."""
    return Clock()


@pytest.fixture
def links() -> Iterator[list[Link]]:
    """Three links with sockets that are not connected."""
    sockets = [socket.socket() for _ in range(3)]
    yield [Link(sock, TextDialect(), 0.0) for sock in sockets]
    for sock in sockets:
        sock.close()


def test_an_alarm_is_called_once_when_it_is_due(clock: Clock, links: list[Link]) -> None:
    """Up to a second late, never early."""
    timers = Timers(clock)
    assert timers.timeout() is None
    timers.set(links[0], 1001.5, clock.called.append)

    assert timers.timeout() == 2.0
    assert clock.pass_(timers, 1.4) == []
    assert clock.pass_(timers, 1.0) == [links[0]]
    assert clock.pass_(timers, 100.0) == []
    assert timers.timeout() is None


def test_a_new_time_replaces_the_old_one(clock: Clock, links: list[Link]) -> None:
    """A link has one timer."""
    timers = Timers(clock)
    timers.set(links[0], 1001.0, clock.called.append)
    timers.set(links[0], 1010.0, clock.called.append)

    assert clock.pass_(timers, 5.0) == []
    assert clock.pass_(timers, 6.0) == [links[0]]


def test_a_cancelled_alarm_is_not_called(clock: Clock, links: list[Link]) -> None:
    """Cancelling twice, or what was never set, is nothing."""
    timers = Timers(clock)
    timers.set(links[0], 1001.0, clock.called.append)
    timers.set(links[1], 1001.0, clock.called.append)
    timers.cancel(links[0])
    timers.cancel(links[0])
    timers.cancel(links[2])

    assert clock.pass_(timers, 5.0) == [links[1]]


def test_alarms_of_several_seconds_are_called_in_their_order(clock: Clock, links: list[Link]) -> None:
    """When the writer was late, it makes up for it."""
    timers = Timers(clock)
    for link, when in zip(links, (1030.0, 1010.0, 1020.0), strict=True):
        timers.set(link, when, clock.called.append)

    assert clock.pass_(timers, 100.0) == [links[1], links[2], links[0]]


def test_an_alarm_may_set_itself_again(clock: Clock, links: list[Link]) -> None:
    """A ping every minute."""
    timers = Timers(clock)

    def again(link: Link) -> None:
        clock.called.append(link)
        timers.set(link, clock.monotonic() + 60.0, again)

    timers.set(links[0], 1001.0, again)

    assert clock.pass_(timers, 5.0) == [links[0]]
    assert clock.pass_(timers, 50.0) == []
    assert clock.pass_(timers, 11.0) == [links[0]]


def test_an_alarm_may_cancel_another_that_is_due(clock: Clock, links: list[Link]) -> None:
    """Then that one is not called, although it was the same second."""
    timers = Timers(clock)

    def cancel_others(link: Link) -> None:
        clock.called.append(link)
        for other in links:
            timers.cancel(other)

    for link in links:
        timers.set(link, 1001.0, cancel_others)

    assert len(clock.pass_(timers, 5.0)) == 1
    assert timers.timeout() is None


def test_an_alarm_that_fails_costs_only_itself(clock: Clock, links: list[Link]) -> None:
    """The others are called when the writer goes on."""
    timers = Timers(clock)

    def fail(link: Link) -> None:
        raise ValueError("oh")

    timers.set(links[0], 1001.0, fail)
    timers.set(links[1], 1001.0, clock.called.append)
    clock.advance(5.0)

    with pytest.raises(ValueError, match="oh"):
        timers.run()
    timers.cancel(links[0])
    assert clock.pass_(timers, 0.0) == [links[1]]


def test_no_time_at_all(clock: Clock, links: list[Link]) -> None:
    """A limit that is infinite sets nothing; one of years does not break the selector."""
    timers = Timers(clock)
    timers.set(links[0], math.inf, clock.called.append)
    assert timers.timeout() is None

    timers.set(links[0], 1e10, clock.called.append)
    assert timers.timeout() == 3600.0
