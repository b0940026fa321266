"""Sockets that do not take everything: queued in order, bounded, cut off; on socket pairs, without a server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from chat_clients import DEADLINE

from pychat import Limits
from pychat.protocols.text.protocol import TextDialect
from pychat.testing import FaultySocket
from pychat.transport import send_queue as module
from pychat.transport.link import Link
from pychat.transport.poller import WRITE, Poller
from pychat.transport.send_queue import SendQueues
from pychat.transport.subscribers import Subscribers

CHUNK = bytes(range(256)) * 64


class Bench:
    """A sender, and links to peers that read when the test says so."""

    def __init__(self, limits: Limits) -> None:
        self._wakes = socket.socketpair()
        self._poller = Poller(self._wakes[0])
        self.sender = SendQueues(limits, self._poller)
        self._sockets = list(self._wakes)

    def link(self) -> tuple[Link, socket.socket]:
        """A link with small buffers, and its peer."""
        near, far = socket.socketpair()
        self._sockets += [near, far]
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        far.settimeout(DEADLINE)
        return Link(near, TextDialect(), 0.0), far

    def fill(self, link: Link) -> int:
        """Send until something has to wait; return how many chunks that were."""
        count = 0
        while not link.queue:
            self.sender.send(link, CHUNK)
            count += 1
        return count

    def wait(self, seconds: float | None) -> None:
        """Send to sockets that are writable again."""
        for link, events in self._poller.wait(seconds):
            assert events == WRITE
            self.sender.send_queued(link)

    def close(self) -> None:
        self._poller.close()
        for sock in self._sockets:
            sock.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """With the default limits."""
    made = Bench(Limits())
    yield made
    made.close()


def read(peer: socket.socket, size: int) -> bytes:
    """Read exactly so many bytes."""
    data = b""
    while len(data) < size:
        data += peer.recv(size - len(data))
    return data


def test_what_a_socket_does_not_take_waits_and_goes_out_in_order(bench: Bench) -> None:
    """Whatever was cut where: the peer reads what was sent."""
    link, peer = bench.link()
    count = bench.fill(link)
    for number in range(5):
        bench.sender.send(link, b"%d" % number * 100)
    assert bench.sender.behind

    got: list[bytes] = []
    size = count * len(CHUNK) + 500
    reader = threading.Thread(target=lambda: got.append(read(peer, size)))
    reader.start()
    while bench.sender.behind:
        bench.wait(DEADLINE)
    reader.join(DEADLINE)

    assert got[0] == CHUNK * count + b"".join(b"%d" % number * 100 for number in range(5))
    assert (link.queue, link.queued_bytes, link.close_reason) == (None, 0, None)


def test_short_writes_are_made_up_for(bench: Bench) -> None:
    """A socket may take as little as it likes."""
    near, far = socket.socketpair()
    wire = FaultySocket(near)
    link = Link(wire, TextDialect(), 0.0)  # type: ignore[arg-type]  # it does what the writer wants of a socket
    wire.trickle(70)
    with near, far:
        far.settimeout(DEADLINE)

        for number in range(5):
            bench.sender.send(link, b"%d" % number * 100)
        assert bench.sender.behind
        while bench.sender.behind:
            bench.wait(DEADLINE)

        assert read(far, 500) == b"".join(b"%d" % number * 100 for number in range(5))
    assert link.queue is None


def test_over_the_bound_the_member_is_cut_off() -> None:
    """With a reason, at once, and its queue is given up."""
    bench = Bench(Limits(send_queue_bytes=50_000))
    link, peer = bench.link()
    other, other_peer = bench.link()
    try:
        bench.fill(link)
        while not link.dead:
            bench.sender.send(link, CHUNK)
        bench.sender.send(link, CHUNK)
        bench.sender.send(other, b"hello")

        assert link.close_reason == "too slow: more than 50000 bytes were waiting"
        assert (link.queue, link.queued_bytes, bench.sender.behind) == (None, 0, False)
        assert link.socket.recv(1) == b""  # its reader wakes
        assert read(other_peer, 5) == b"hello"
    finally:
        bench.close()
        peer.close()


def test_who_takes_nothing_is_cut_off_and_who_takes_little_is_not(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten seconds without a byte; one byte in between, and they begin anew."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    stalled, _ = bench.link()
    slow, slow_peer = bench.link()
    bench.fill(stalled)
    bench.fill(slow)

    clock.now += 9.0
    while slow.progress < clock.now:
        slow_peer.recv(4096)
        bench.wait(0.0)
    bench.sender.cut_off_stalled()
    assert not stalled.dead
    clock.now += 1.5
    bench.sender.cut_off_stalled()

    assert stalled.close_reason == "too slow: nothing was read for 10 seconds"
    assert not slow.dead


def test_members_who_read_16_kib_a_second_are_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However seldom they do it in that second; those who read less, or nothing, hold up nobody."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    peers: dict[str, socket.socket] = {}
    for name in ("reads", "reads little", "reads nothing"):
        link, peers[name] = bench.link()
        link.rooms = (Subscribers(name),)  # type: ignore[arg-type]  # nothing more is asked of it
        while link.queued_bytes <= Limits().send_queue_bytes // 2:
            bench.sender.send(link, CHUNK)

    assert len(bench.sender.lagging_rooms()) == 3, "at first, each of them may be one who reads"
    for _ in range(3):
        for name, size in (("reads", 20_000), ("reads little", 10_000)):
            while size > 0:
                size -= len(peers[name].recv(size))
                bench.wait(0.0)
        clock.now += 1.0

        assert [str(room) for room in bench.sender.lagging_rooms()] == ["reads"]


def test_a_peer_that_is_gone_is_cut_off(bench: Bench) -> None:
    """The first send after that tells; the reason that was there before stays."""
    link, peer = bench.link()
    judged, judged_peer = bench.link()
    judged.close_reason = "kicked"
    peer.close()
    judged_peer.close()

    bench.sender.send(link, b"x")
    bench.sender.send(judged, b"x")

    assert (link.dead, link.close_reason) == (True, "connection reset")
    assert (judged.dead, judged.close_reason) == (True, "kicked")


def test_who_waits_for_a_queue_is_told_when_it_is_empty_or_given_up(bench: Bench) -> None:
    """Both ends are an end."""
    link, _ = bench.link()
    bench.fill(link)
    event = threading.Event()
    link.drained.append(event)

    bench.sender.give_up(link)

    assert event.is_set()
    assert link.finished
    assert link.drained == []


def test_who_reads_little_without_making_room_is_not_cut_off(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system calls a socket writable only when a good part of its buffer is free; a slow reader needs longer."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    unread = 4000
    monkeypatch.setattr(module, "_unread", lambda sock: unread)
    link, _ = bench.link()
    bench.fill(link)

    for _ in range(5):
        clock.now += 9.0
        unread -= 100
        bench.sender.cut_off_stalled()
    assert not link.dead
    clock.now += 10.0
    bench.sender.cut_off_stalled()

    assert link.close_reason == "too slow: nothing was read for 10 seconds"
