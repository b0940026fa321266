"""Threat "queues without a bound": what peers cause is counted until it is done, and only who caused it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

import pytest
from chat_clients import DEADLINE, Clients, Peer, wait_until

from pychat import ChatServer, Message
from pychat.core.delivery import Batch
from pychat.core.rooms.room import Room
from pychat.protocols.base import Item
from pychat.protocols.text.protocol import TextDialect

MakeServer = Callable[..., ChatServer]

STOP = "stop here"


class Stuck:
    """A server whose writer stands still, in the middle of a message, until it is let go."""

    def __init__(self, server: MakeServer, clients: Clients) -> None:
        stuck, free = threading.Event(), threading.Lock()
        free.acquire()

        class Stops(TextDialect):
            def encode(self, items: Sequence[Item]) -> bytes:
                if any(isinstance(item, Message) and item.text == STOP for item in items):
                    stuck.set()
                    assert free.acquire(timeout=DEADLINE)
                return super().encode(items)

        self.server = server(threads="each")  # what others say goes on
        self.server.service.dialects = {language: Stops() for language in self.server.service.dialects}
        self.ann, self.bob = clients.text(self.server, "ann"), clients.text(self.server, "bob")
        self.bob.send(f"{STOP}\n")
        assert stuck.wait(DEADLINE)
        self._free = free

    def let_go(self) -> None:
        """Let the writer go on."""
        if self._free.locked():
            self._free.release()

    def wait_until_somebody_waits(self) -> None:
        """Until a reader of the server is held back."""
        wait_until(lambda: bool(self.server.service.write_queue._waiting), "somebody waits")

    @property
    def queued(self) -> int:
        """How many jobs wait for the writer."""
        return len(self.server.service.write_queue.jobs)


@pytest.fixture
def stuck(server: MakeServer, clients: Clients) -> Iterator[Stuck]:
    """Return one; it is let go at the end."""
    made = Stuck(server, clients)
    yield made
    made.let_go()


def send_in_the_background(peer: Peer, text: str) -> threading.Thread:
    """Send what the server may be slow to take; a test may end before it has taken all."""

    def send() -> None:
        with suppress(OSError):
            peer.send(text)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def test_whoever_asks_without_end_waits_for_the_answers(stuck: Stuck) -> None:
    """Without flood control: some 64 KiB of answers are queued, of however many questions, and none is lost."""
    sending = send_in_the_background(stuck.ann, "/help\n" * 20_000 + "/quit\n")
    stuck.wait_until_somebody_waits()

    assert stuck.queued < 1000

    stuck.let_go()
    heard = stuck.ann.read_until("-- goodbye")
    sending.join(DEADLINE)
    assert sum("talk:" in line for line in heard) == 20_000


def test_whoever_pastes_the_shortest_lines_waits_until_they_are_sent(stuck: Stuck) -> None:
    """A message of one letter takes a hundred times as much memory as its line."""
    sending = send_in_the_background(stuck.ann, "a\n" * 200_000 + "the end\n")
    stuck.wait_until_somebody_waits()

    said = sum(len(job.events) for job in list(stuck.server.service.write_queue.jobs) if isinstance(job, Batch))
    assert 512 <= said < 5000

    stuck.let_go()
    assert len(stuck.bob.read_until("the end")) == 200_001
    sending.join(DEADLINE)


def test_nobody_waits_for_what_somebody_else_has_caused(stuck: Stuck) -> None:
    """While one is held back, others say something, and so does the program itself."""
    send_in_the_background(stuck.ann, "a\n" * 200_000)
    stuck.wait_until_somebody_waits()
    carl = stuck.server.session("carl")

    for number in range(50):
        carl.say(str(number))
    stuck.bob.send("hello\n")

    while carl.next(Message, DEADLINE).sender != "bob":
        pass
    stuck.let_go()


def test_what_was_counted_is_settled(stuck: Stuck) -> None:
    """In the end nothing is on its way for anybody, also if who caused it is gone."""
    sending = send_in_the_background(stuck.ann, "a\n" * 50_000 + "/help\n" * 20 + "/quit\n")
    stuck.wait_until_somebody_waits()
    session = stuck.server.chat.find("ann")
    assert session is not None

    stuck.let_go()

    stuck.bob.read_until("ann left")
    sending.join(DEADLINE)
    wait_until(lambda: (session.pending, stuck.server.service.write_queue._pending) == (0, 0), "everything is settled")


def test_whoever_pastes_waits_for_readers_and_whoever_says_little_does_not(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes: only that the member goes on reading counts, and the writer tells that."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    lagging: set[Room] = {running.chat.default_room}
    monkeypatch.setattr("pychat.transport.send_queue.SendQueues.lagging_rooms", lambda sender: frozenset(lagging))
    bob.send("it begins\n")
    ann.read_until("it begins")

    sending = send_in_the_background(ann, "x" * 63 + "\n" + f"{'x' * 63}\n" * 10_000 + "the end\n")
    wait_until(lambda: bool(running.service.write_queue._waiting), "ann waits")
    bob.send("just a word\n")
    assert "bob: just a word" in ann.read_until("just a word")
    assert running.service.write_queue._waiting

    lagging.clear()
    bob.send("go on\n")
    assert bob.read_until("the end")[-1] == "ann: the end"
    sending.join(DEADLINE)


def test_a_session_that_ends_waits_no_more(stuck: Stuck) -> None:
    """Its connection is gone: nobody holds a thread for it."""
    send_in_the_background(stuck.ann, "a\n" * 200_000)
    stuck.wait_until_somebody_waits()
    session = stuck.server.chat.find("ann")
    assert session is not None

    session.disconnect("enough")
    stuck.let_go()

    stuck.bob.read_until("ann left (enough)")
    wait_until(lambda: stuck.server.connections == 1, "the connection is closed")


def test_threads_that_share_a_session_of_the_program_all_go_on(stuck: Stuck) -> None:
    """Its verbs may be called from any thread, so several of them may wait for what it has caused."""
    carl = stuck.server.session("carl")

    def talk() -> None:
        for _ in range(3):  # what the first message of each thread has caused may be counted behind all of them
            carl.say("x" * 4000)

    threads = [threading.Thread(target=talk, daemon=True) for _ in range(60)]
    for thread in threads:
        thread.start()
    stuck.wait_until_somebody_waits()

    stuck.let_go()

    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
