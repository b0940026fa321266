"""Attempts: so many in a time, then waiting."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from contextlib import suppress

import pytest
from chat_clients import DEADLINE

from pychat.core import attempts as module
from pychat.core.attempts import Attempts, address_key
from pychat.model.errors import Busy, Stopped, TooManyAttempts
from pychat.testing import FakeClock


def fail(attempts: Attempts, *keys: Hashable) -> None:
    """Let an attempt fail."""
    attempts.begin(*keys)
    attempts.end(*keys, failed=True)


def failures(attempts: Attempts, key: Hashable) -> int:
    """How many are remembered for a key."""
    return len(attempts._failed.of(key, attempts._clock.monotonic()))


class Attempt(threading.Thread):
    """Begins an attempt on a thread of its own, and waits there if it has to."""

    def __init__(self, attempts: Attempts, *keys: Hashable) -> None:
        super().__init__()
        self._attempts, self._keys = attempts, keys
        self.refused: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self._attempts.begin(*self._keys)
        except (TooManyAttempts, Busy) as error:
            self.refused = error

    def wait(self) -> None:
        """Return when it has begun or was refused."""
        self.join(DEADLINE)
        assert not self.is_alive()

    def is_waiting(self) -> bool:
        """Return when it waits for another one."""
        while self.is_alive():
            with self._attempts._lock:
                if any(waiting.number for waiting in self._attempts._waiting.values()):
                    return True
            self.join(0.001)
        return False


def test_after_so_many_one_has_to_wait() -> None:
    """Until the oldest is over; others have attempts of their own."""
    clock = FakeClock()
    attempts = Attempts(2, 60.0, clock)
    fail(attempts, "a")
    clock.advance(20)
    fail(attempts, "a")

    with pytest.raises(TooManyAttempts, match=r"^too many attempts; try again in 40 s$"):
        attempts.begin("a")
    fail(attempts, "b")
    clock.advance(40)
    fail(attempts, "a")


def test_a_good_one_does_not_count() -> None:
    """Who logs in again and again is never kept waiting."""
    attempts = Attempts(1, 60.0, FakeClock())
    for _ in range(5):
        attempts.begin("a")
        attempts.end("a", failed=False)


def test_what_counts_however_it_ends() -> None:
    """To register, say."""
    attempts = Attempts(2, 60.0, FakeClock())
    attempts.count("a")
    attempts.count("a")
    attempts.count(None)

    with pytest.raises(TooManyAttempts):
        attempts.count("a")


def test_many_at_once_are_no_more_than_allowed() -> None:
    """The sixth waits for one of the five: if they fail, it is refused without having been tried."""
    attempts = Attempts(5, 60.0, FakeClock())
    for _ in range(5):
        attempts.begin("a", None)

    late = Attempt(attempts, "a", "ann")
    assert late.is_waiting()
    for _ in range(5):
        attempts.end("a", None, failed=True)

    late.wait()
    assert isinstance(late.refused, TooManyAttempts)
    assert failures(attempts, "a") == 5
    assert not attempts._going_on


def test_many_good_ones_at_once_wait_for_each_other() -> None:
    """A good one makes room for the next."""
    attempts = Attempts(2, 60.0, FakeClock())
    attempts.begin("a")
    attempts.begin("a")

    late = Attempt(attempts, "a")
    assert late.is_waiting()
    attempts.end("a", failed=False)

    late.wait()
    assert late.refused is None
    attempts.end("a", failed=True)
    attempts.end("a", failed=False)
    assert failures(attempts, "a") == 1
    assert not attempts._waiting


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for those who take too long, nor at the end of the server."""
    attempts = Attempts(1, 60.0, FakeClock())
    attempts.begin("a")
    late = Attempt(attempts, "a")
    assert late.is_waiting()

    attempts.stop()
    late.wait()
    assert isinstance(late.refused, Stopped)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    attempts = Attempts(1, 60.0, FakeClock())
    attempts.begin("a")
    with pytest.raises(Busy):
        attempts.begin("a")


def test_zero_allows_none() -> None:
    """Not even the first one."""
    attempts = Attempts(0, 60.0, FakeClock())

    with pytest.raises(TooManyAttempts, match=r"in 60 s$"):
        attempts.begin("a")


@pytest.mark.parametrize("before", [1, 4])
def test_ten_thousand_other_names_do_not_make_a_count_forgotten(before: int) -> None:
    """However often the victim was tried already; and what is remembered is bounded."""
    attempts = Attempts(5, 60.0, FakeClock())
    for _ in range(before):
        fail(attempts, ("account", "victim"))
    for number in range(3 * module._MOST_KEYS):
        with suppress(TooManyAttempts):  # one of them may share the place of the victim
            attempts.count(("account", f"other{number}"))

    assert failures(attempts, ("account", "victim")) >= before
    for _ in range(5 - failures(attempts, ("account", "victim"))):
        fail(attempts, ("account", "victim"))
    with pytest.raises(TooManyAttempts):
        attempts.begin(("account", "victim"))
    assert len(attempts._failed._own) <= module._MOST_KEYS
    assert len(attempts._failed._shared) <= module._BUCKETS


def test_a_name_that_was_not_tried_may_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the table is full: those who were tried once take nobody's five attempts."""
    attempts = Attempts(5, 60.0, FakeClock())
    for number in range(2 * module._MOST_KEYS):
        attempts.count(f"other{number}")

    assert max(failures(attempts, f"new{number}") for number in range(1000)) == 1


def test_what_is_over_goes_first() -> None:
    """Nothing of it is kept, and nothing of it goes to where names share a place."""
    clock = FakeClock()
    attempts = Attempts(5, 60.0, clock)
    for number in range(module._MOST_KEYS):
        attempts.count(number)
    clock.advance(60)

    attempts.count("late")

    assert list(attempts._failed._own) == ["late"]
    assert not attempts._failed._shared


def test_what_is_shared_is_over_as_well() -> None:
    """A minute after an attack nothing is left of it."""
    clock = FakeClock()
    attempts = Attempts(5, 60.0, clock)
    for number in range(module._MOST_KEYS + 10):
        attempts.count(number)
    assert attempts._failed._shared
    clock.advance(60)

    attempts.count("late")

    assert not attempts._failed._shared


@pytest.mark.parametrize("address", ["", "127.0.0.1", "127.8.8.8", "::1", "unix", "::ffff:127.0.0.1"])
def test_who_is_on_this_machine_is_exempt(address: str) -> None:
    """As for the limits of connections."""
    assert address_key(address) is None


def test_one_network_of_ipv6_is_one_address() -> None:
    """A /64; an IPv4 address is itself, however it is written."""
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff%eth0") != address_key("2001:db8:0:1::1")
    assert address_key("192.0.2.1") == address_key("::ffff:192.0.2.1") != address_key("192.0.2.2")
