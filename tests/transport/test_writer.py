"""The write path, seen from sockets: who gets what, in which language and order, whatever travels together."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import pytest
from chat_clients import DEADLINE, Clients, wait_until

from pychat import ChatServer, Limits, Message
from pychat.core.delivery import Private
from pychat.model.replies import Ok
from pychat.model.verbs import Join, Leave, Say, Verb
from pychat.protocols.base import Item
from pychat.protocols.text.protocol import TextDialect
from pychat.transport.link import Link, WireSession

MakeServer = Callable[..., ChatServer]


def test_each_member_gets_its_own_language(server: MakeServer, clients: Clients) -> None:
    """One message as text, as ASCII, as JSON; the sender gets only its acknowledgement."""
    running = server()
    text, json = clients.text(running, "text"), clients.json(running, "json")
    classic = clients.raw(running)
    assert classic.read_exactly(4) == b"NICK"
    classic.send("classic")
    json.until("joined", nick="classic")
    text.read_until("classic joined")
    classic.read_until("you are in")

    json.ask("say", text="grüße", ref="r")

    answer = json.read()
    assert (answer["type"], answer["ref"]) == ("ok", "r")
    assert text.read_line() == "json: grüße"
    assert classic.read_line() == r"json: gr\xfc\xdfe"
    text.send("two\nthree\n")
    assert [json.read()["text"], json.read()["text"]] == ["two", "three"]
    assert [classic.read_line(), classic.read_line()] == ["text: two", "text: three"]
    json.ask("say", text="end")
    assert text.read_line() == "json: end"


def test_a_member_of_several_rooms_hears_them_in_one_order(server: MakeServer, clients: Clients) -> None:
    """What came together in both rooms is told in the order in which it was said."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    for peer in (ann, bob):
        peer.send("/join ops\n/who\n")
        peer.read_until("-- in ops")
    ann.read_until("bob joined ops")
    session = running.chat.find("ann")
    assert session is not None

    said: list[Verb] = [Say(str(number), ("lobby", "ops")[number % 2]) for number in range(50)]
    running.chat.perform(session, said)

    heard = [bob.read_line() for _ in range(50)]
    assert heard == [("ann: ", "[ops] ann: ")[number % 2] + str(number) for number in range(50)]


def test_a_change_of_membership_splits_what_is_heard_at_its_place(server: MakeServer, clients: Clients) -> None:
    """In one chunk: heard up to the leave, not after it, and again from the join on."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")
    gate = threading.Event()

    def at_once() -> None:
        """Everything that the writer sees in one pass, or in as few as it likes."""
        speaker, listener = running.chat.find("ann"), running.chat.find("bob")
        assert speaker is not None
        assert listener is not None
        running.chat.perform(speaker, [Say("one")])
        running.chat.perform(listener, [Leave()])
        running.chat.perform(speaker, [Say("two")])
        running.chat.perform(listener, [Join("lobby")])
        running.chat.perform(speaker, [Say("three")])
        gate.set()

    threading.Thread(target=at_once).start()
    assert gate.wait(DEADLINE)

    assert [bob.read_line() for _ in range(4)] == [
        "ann: one",
        "<-- bob left lobby",
        "-- you are in lobby: ann, bob",
        "ann: three",
    ]


def test_an_item_that_a_language_cannot_write_costs_only_itself(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """The writer goes on: one writer serves everybody, so nothing may end it."""

    class Fails(TextDialect):
        def encode(self, items: Sequence[Item]) -> bytes:
            if any(isinstance(item, Message) and item.text == "crash" for item in items):
                raise ValueError("oh")
            return super().encode(items)

    running = server()
    running.service.dialects = {language: Fails() for language in running.service.dialects}
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")

    ann.send("crash\n")
    ann.send("/who\n")
    ann.read_until("-- in lobby")
    ann.send("hello\n")

    assert bob.read_line() == "ann: hello"
    assert "ValueError: oh" in caplog.text


def test_whoever_writes_waits_while_too_much_is_pending(server: MakeServer, clients: Clients) -> None:
    """With a bound of 1 KiB, 1 MiB still arrives, all of it, and nobody hangs."""
    running = server(limits=Limits(pending_bytes=1024))
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.extend(bob.read_until("the end")))
    reader.start()

    ann.send("".join(f"{number:04} {'x' * 1000}\n" for number in range(1000)) + "the end\n")
    reader.join(DEADLINE)

    assert [line[5:9] for line in heard[:-1]] == [f"{number:04}" for number in range(1000)]


def test_verbs_that_cause_nothing_do_not_stop_a_reader(server: MakeServer, clients: Clients) -> None:
    """Ten thousand pongs are input without output: who counts them must not wait for a writer that has nothing."""
    running = server(limits=Limits(pending_bytes=1024))
    ann = clients.json(running, "ann")

    ann.send('{"type":"pong"}\n' * 10_000)

    assert ann.answer("ping", token="t")["token"] == "t"


def test_a_session_that_is_kicked_is_told_why_and_so_are_the_others(server: MakeServer, clients: Clients) -> None:
    """From any thread, without waiting."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")
    session = running.chat.find("bob")
    assert isinstance(session, WireSession)

    session.disconnect("be nice")
    session.disconnect("once is enough")

    assert bob.read_line() == "-- goodbye: be nice"
    assert bob.read_rest() == b""
    assert ann.read_line() == "<-- bob left (be nice)"
    wait_until(lambda: running.connections == 1, "the connection is closed")


def test_time_goes_on_while_the_queue_never_runs_dry(server: MakeServer, clients: Clients) -> None:
    """Who talks without end, however many they are, does not keep the writer from its timers and from slow members."""
    running = server(limits=Limits(registration_seconds=0.1))
    near, far = socket.socketpair()
    over = threading.Event()

    class Endless(TextDialect):
        """Whatever is written causes the next thing to write, as much as a pass takes."""

        def encode(self, items: Sequence[Item]) -> bytes:
            if not over.is_set():
                running.service.write_queue.submit(Private(session, (Ok(None),)))
            return bytes(200_000)

    link = Link(near, Endless(), 0.0)
    link.dead = True
    session = WireSession(running.chat, running.service.write_queue, link, "127.0.0.1")
    silent = clients.raw(running)
    try:
        running.service.write_queue.submit(Private(session, (Ok(None),)))

        # Its own reader, busy as all are, may or may not come to ask for the nickname first.
        assert silent.read_rest().removeprefix(b"NICK") == b"-- goodbye: no nickname within 0.1 seconds\n"
    finally:
        over.set()
        near.close()
        far.close()
