"""One order for everybody: many senders, joins and losses in the middle, and what comes back is a piece of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chat_clients import DEADLINE, Clients, JsonPeer, Peer, full_chain, wait_until

from pychat import ChatServer, Handler, Limits, Message, Room, Session
from pychat.handlers import Broadcast, History

MakeServer = Callable[..., ChatServer]

ALL = Limits(history_events=1_000_000, history_chars=100_000_000)
"""However much is said until a test has heard enough, all of it is kept."""


def record(server: ChatServer, room: str = "lobby") -> list[Any]:
    """All events of a room, in their order."""
    return server.chat.log.read_before(room, None, ALL.history_events).events


def spoken(server: ChatServer, room: str = "lobby") -> list[tuple[str, str]]:
    """All messages of a room, in their order, as pairs of nickname and text."""
    return [(event.sender, event.text) for event in record(server, room) if isinstance(event, Message)]


def in_threads(*functions: Callable[[], None]) -> None:
    """Run functions at the same time; fail if one fails."""
    failures: list[BaseException] = []

    def run(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * DEADLINE)
    assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]


def heard(peer: Peer, last: str) -> list[tuple[str, str]]:
    """The messages that a text member hears, up to the one with this text."""
    pairs = [line.split(": ", 1) for line in peer.read_until(last) if not line.startswith("-")]
    return [(nick, text) for nick, text in pairs]


def heard_as_json(peer: JsonPeer, last: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The messages that a JSON member hears, up to the one with this text, and the answers to its own."""
    items = peer.until("message", text=last)
    return [item for item in items if item["type"] == "message"], [item for item in items if item["type"] == "ok"]


def test_20_senders_at_once_and_everybody_hears_the_same_order(server: MakeServer, clients: Clients) -> None:
    """Text and JSON, 100 messages each: every member hears the room's order, without its own messages."""
    running = server(handlers=full_chain(), limits=Limits(history_events=5000))
    texts = [clients.text(running, f"text{number}") for number in range(10)]
    jsons = [clients.json(running, f"json{number}") for number in range(10)]
    listener = clients.text(running, "listener")
    everybody: dict[str, Peer] = {f"text{n}": peer for n, peer in enumerate(texts)}
    everybody |= {f"json{n}": peer for n, peer in enumerate(jsons)}
    results: dict[str, list[tuple[str, str]]] = {}
    acks: dict[str, list[tuple[str, str]]] = {}
    ready = threading.Barrier(21)

    def talk(nickname: str, peer: Peer) -> None:
        ready.wait(DEADLINE)
        for number in range(100):
            if isinstance(peer, JsonPeer):
                peer.ask("say", text=f"m{number}", ref=f"m{number}")
            else:
                peer.send(f"m{number}\n")

    def listen(nickname: str, peer: Peer) -> None:
        if isinstance(peer, JsonPeer):
            messages, oks = heard_as_json(peer, "the end")
            results[nickname] = [(message["nick"], message["text"]) for message in messages]
            acks[nickname] = [(ok["ref"], ok["id"]) for ok in oks]
            ids = [message["id"] for message in messages]
            assert ids == sorted(ids)
        else:
            results[nickname] = heard(peer, "the end")

    def end() -> None:
        ready.wait(DEADLINE)
        wait_until(lambda: len(spoken(running)) == 2000, "everything is said")
        listener.send("the end\n")

    in_threads(
        *[lambda n=n, p=p: talk(n, p) for n, p in everybody.items()],
        *[lambda n=n, p=p: listen(n, p) for n, p in everybody.items()],
        end,
    )

    order = spoken(running)
    assert len(order) == 2001
    for nickname in everybody:
        assert [text for sender, text in order if sender == nickname] == [f"m{number}" for number in range(100)]
        assert results[nickname] == [pair for pair in order if pair[0] != nickname]
    ids = {(event.sender, event.text): f"{event.id:016x}" for event in record(running) if isinstance(event, Message)}
    for nickname, answers in acks.items():
        assert answers == [(f"m{number}", ids[nickname, f"m{number}"]) for number in range(100)]


def test_replay_and_live_together_are_one_piece_of_the_order(server: MakeServer, clients: Clients) -> None:
    """Who joins while others write hears the last messages, then the next ones: nothing twice, nothing missing."""
    running = server(handlers=full_chain(), limits=ALL)
    writers = [clients.text(running, f"writer{number}") for number in range(3)]
    done = threading.Event()

    def write(peer: Peer) -> None:
        while not done.is_set():
            peer.send("".join(f"m{number}\n" for number in range(20)) + "/who\n")
            peer.read_until("-- in ")

    def join(number: int) -> None:
        peer = clients.new_json(running)
        peer.ask("hello", nick=f"json{number}", replay=True)
        replay = peer.next("replay")["events"]
        live: list[dict[str, Any]] = []
        while len(live) < 100:
            item = peer.read()
            if item["type"] == "message":
                live.append(item)
        got = [event["id"] for event in [*replay, *live]]
        order = [f"{event.id:016x}" for event in record(running) if isinstance(event, Message)]
        begin = order.index(got[0])
        assert got == order[begin : begin + len(got)]
        assert len(replay) == 20
        peer.close()

    def join_often() -> None:
        try:
            wait_until(lambda: len(spoken(running)) > 100, "something to replay")
            for number in range(20):
                join(number)
        finally:
            done.set()

    in_threads(*[lambda p=p: write(p) for p in writers], join_often)


def test_a_slow_join_hook_loses_nothing_of_what_is_said_meanwhile(server: MakeServer, clients: Clients) -> None:
    """The room goes on while the hooks of a join run; the new member hears it when they have returned."""
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "bob":
                inside.set()
                go_on.wait(DEADLINE)

    running = server(handlers=[Slow(), Broadcast()])
    ann = clients.text(running, "ann")
    bob = clients.raw(running)
    bob.send("bob\n")
    assert inside.wait(DEADLINE)

    ann.send("one\ntwo\n/who\n")
    ann.read_until("-- in lobby: ann, bob")
    go_on.set()
    assert bob.read_until("two")[-2:] == ["ann: one", "ann: two"]
    ann.send("three\n")

    assert bob.read_line() == "ann: three"


def test_what_happens_in_two_rooms_is_heard_once_while_joining_the_second(server: MakeServer, clients: Clients) -> None:
    """Bob, in both rooms, takes another nickname while ann comes into the second: she hears of it once."""
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "ann" and room.name == "ops":
                inside.set()
                go_on.wait(DEADLINE)

    running = server(handlers=[Slow(), Broadcast()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    bob.send("/join ops\n/who\n")
    bob.read_until("-- in ops")
    ann.send("/join ops\n")
    assert inside.wait(DEADLINE)

    bob.send("/nick robert\n")
    assert bob.read_line() == "-- bob is now robert"
    go_on.set()
    bob.send("done\n")

    assert ann.read_until("done") == ["-- you are in ops: @bob, ann", "-- bob is now robert", "[ops] robert: done"]


# Resuming


def resume(clients: Clients, server: ChatServer, welcome: dict[str, Any], after: str) -> JsonPeer:
    """Come back with the token of an earlier session, behind an event."""
    peer = clients.new_json(server)
    peer.ask("hello", nick="somebody", resume={"token": welcome["token"], "after": after})
    return peer


def test_resume_after_a_cut_gives_everything_that_was_missed_and_nothing_twice(
    server: MakeServer, clients: Clients
) -> None:
    """The connection is lost in the middle of a conversation; with token and last id it goes on where it was."""
    running = server(handlers=full_chain())
    bob = clients.text(running, "bob")
    ann = clients.new_json(running)
    ann.ask("hello", nick="ann", rooms=["lobby", "ops"])
    welcome = ann.next("welcome")
    ann.answer("who")
    bob.read_until("ann joined")
    bob.send("one\n")
    seen = ann.next("message")
    ann.reset()
    assert bob.read_line() == "<-- ann left (connection closed)"
    bob.send("two\nthree\n/who\n")
    bob.read_until("-- in lobby: bob")

    back = resume(clients, running, welcome, seen["id"])
    again = back.next("welcome")
    assert (again["nick"], again["token"] == welcome["token"]) == ("ann", False)
    assert bob.read_line() == "--> ann joined lobby"
    back.ask("who", ref="in")
    items = back.until("members", ref="in")
    bob.send("four\n")
    items += back.until("message", text="four")

    events = [item for item in items if item["type"] not in ("members", "message")]
    assert [(event["type"], event["nick"]) for event in events] == [
        ("disconnected", "ann"),
        ("joined", "ann"),
        ("joined", "ann"),
    ]
    assert {event["room"] for event in events[1:]} == {"lobby", "ops"}
    missed = [event for event in record(running) if f"{event.id:016x}" > seen["id"] and isinstance(event, Message)]
    assert [event.text for event in missed] == ["two", "three", "four"]
    assert [item["text"] for item in items if item["type"] == "message"] == ["two", "three", "four"]


def test_resume_while_others_write_is_one_piece_of_the_order(server: MakeServer, clients: Clients) -> None:
    """Cut and come back again and again under load: all pieces together are the room's order."""
    running = server(handlers=full_chain(), limits=replace(ALL, history_page=30))
    writers = [clients.text(running, f"writer{number}") for number in range(3)]
    done = threading.Event()
    ann = clients.new_json(running)
    ann.ask("hello", nick="ann")
    welcome = ann.next("welcome")
    ann.answer("who")

    def write(peer: Peer) -> None:
        while not done.is_set():
            peer.send("".join(f"m{number}\n" for number in range(20)) + "/who\n")
            peer.read_until("-- in ")

    def cut_and_come_back() -> None:
        nonlocal ann, welcome
        try:
            got: list[str] = []
            for _ in range(15):
                enough = len(got) + 50
                while len(got) < enough:
                    item = ann.read()
                    if item["type"] == "message":
                        got.append(item["id"])
                ann.reset()
                ann = resume(clients, running, welcome, got[-1])
                items = ann.until("welcome")
                assert [item["type"] for item in items] == ["welcome"]
                welcome = items[0]
            order = [f"{event.id:016x}" for event in record(running) if isinstance(event, Message)]
            begin = order.index(got[0])
            assert got == order[begin : begin + len(got)]
        finally:
            done.set()

    in_threads(*[lambda p=p: write(p) for p in writers], cut_and_come_back)


def test_resume_of_megabytes_does_not_cut_the_client_off(server: MakeServer, clients: Clients) -> None:
    """1,000 messages of 4,000 bytes were missed: far more than a send queue, so they come as they are taken."""
    running = server(handlers=[Broadcast()], limits=Limits(history_chars=10_000_000))
    ann = clients.new_json(running, receive_buffer=8192)
    ann.ask("hello", nick="ann")
    welcome = ann.next("welcome")
    ann.answer("who")
    bot = running.session("bot")
    first = bot.say("first")
    ann.close()
    wait_until(lambda: running.connections == 0, "ann is gone")
    for number in range(990):
        bot.say(f"{number:03} {'x' * 3996}")

    back = JsonPeer(running, receive_buffer=8192)
    try:
        back.ask("hello", nick="ann", resume={"token": welcome["token"], "after": f"{first:016x}"})
        got = [back.next("message")["text"][:3] for _ in range(990)]
    finally:
        back.close()

    assert got == [f"{number:03}" for number in range(990)]


def test_a_page_of_history_of_megabytes_does_not_cut_the_client_off(server: MakeServer, clients: Clients) -> None:
    """Who asks for 500 messages of 4,000 bytes gets as many as fit, and is told that there is more."""
    running = server(handlers=[Broadcast(), History()], limits=Limits(history_chars=10_000_000))
    bot = running.session("bot")
    for number in range(500):
        bot.say(f"{number:03} {'x' * 3996}")
    ann = clients.json(running, "ann")

    numbers: list[int] = []
    before: dict[str, str] = {}
    while True:
        page = ann.answer("history", **before)
        numbers = [int(event["text"][:3]) for event in page["events"]] + numbers
        if not page["more"]:
            break
        before = {"before": page["events"][0]["id"]}

    assert numbers == list(range(500))


def test_a_gap_is_announced_when_what_was_missed_is_not_kept_any_more(server: MakeServer, clients: Clients) -> None:
    """With a memory of ten events, who missed 30 learns that some are missing, and gets the rest."""
    running = server(handlers=[Broadcast()], limits=Limits(history_events=10))
    bot = running.session("bot")
    first = bot.say("first")
    ann = clients.new_json(running)
    for number in range(30):
        bot.say(f"m{number}")

    ann.ask("hello", nick="ann", resume={"after": f"{first:016x}"})

    items = ann.until("message", text="m29")
    assert [item["type"] for item in items] == ["welcome", "members", "gap", *["message"] * 10]
    assert items[2] == {"type": "gap", "room": "lobby", "after": f"{first:016x}"}


def test_a_gap_that_opens_while_a_member_catches_up_is_announced(server: MakeServer, clients: Clients) -> None:
    """The record is so short, and the hooks of the join so slow, that it is not kept long enough: that is told."""
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "ann":
                inside.set()
                go_on.wait(DEADLINE)

    running = server(handlers=[Slow(), Broadcast()], limits=Limits(history_events=10))
    bot = running.session("bot")
    ann = clients.new_json(running)
    ann.ask("hello", nick="ann")
    assert inside.wait(DEADLINE)
    for number in range(30):
        bot.say(f"m{number}")
    go_on.set()

    items = ann.until("message", text="m29")
    assert [item["type"] for item in items] == ["welcome", "members", "gap", *["message"] * 10]


def test_an_id_of_another_server_run_gives_a_gap(server: MakeServer, clients: Clients) -> None:
    """Ids of an earlier epoch are known as such."""
    running = server()
    ann = clients.new_json(running)

    ann.ask("hello", nick="ann", resume={"after": f"{1:016x}"})

    assert [item["type"] for item in ann.until("gap")] == ["welcome", "members", "gap"]


def test_a_token_takes_the_nickname_back_from_its_own_ghost(server: MakeServer, clients: Clients) -> None:
    """The old connection, which nobody told that it is dead, is closed first; others see one leave and one join."""
    running = server()
    bob = clients.text(running, "bob")
    ghost = clients.new_json(running)
    ghost.ask("hello", nick="ann")
    welcome = ghost.next("welcome")
    ghost.answer("who")
    bob.read_until("ann joined")

    back = resume(clients, running, welcome, welcome_id(running))
    assert back.next("welcome")["nick"] == "ann"
    back.answer("who")

    assert ghost.next("bye") == {"type": "bye", "reason": "connected again from elsewhere"}
    bob.send("/who\n")
    assert bob.read_until("-- in lobby") == [
        "<-- ann left (connected again from elsewhere)",
        "--> ann joined lobby",
        "-- in lobby: bob, ann",
    ]


def welcome_id(server: ChatServer) -> str:
    """The newest id."""
    return f"{server.chat.log.last_id():016x}"


def test_a_lost_nickname_is_kept_for_its_token_and_for_nobody_else(server: MakeServer, clients: Clients) -> None:
    """For a while nobody can take the nickname of one who was cut off; who said goodbye keeps nothing."""
    running = server()
    bob = clients.text(running, "bob")
    ann = clients.new_json(running)
    ann.ask("hello", nick="ann")
    welcome = ann.next("welcome")
    ann.answer("who")
    bob.read_until("ann joined")
    ann.reset()
    bob.read_until("ann left")

    thief = clients.new_json(running)
    refused = thief.answer("hello", nick="Ann")
    seconds = refused["retry_after"]
    assert 0 < seconds <= running.chat.limits.resume_seconds
    assert refused == {
        "type": "error",
        "ref": "asked",
        "code": "nickname_in_use",
        "text": f"nickname 'Ann' is reserved for {seconds} s for somebody who lost the connection; "
        "try again then, or choose another",
        "subject": ["Ann"],
        "retry_after": seconds,
    }

    back = resume(clients, running, welcome, welcome_id(running))
    assert back.next("welcome")["nick"] == "ann"
    back.ask("quit")
    bob.read_until("ann left")
    wait_until(lambda: running.chat.find("ann") is None, "the nickname is free")
    assert thief.answer("hello", nick="Ann")["nick"] == "Ann"


def test_a_token_is_good_for_one_use(server: MakeServer, clients: Clients) -> None:
    """Tokens rotate: an old one takes nothing, its holder comes in like everybody else."""
    running = server()
    bob = clients.text(running, "bob")
    ann = clients.new_json(running)
    ann.ask("hello", nick="ann")
    old = ann.next("welcome")
    ann.reset()
    bob.read_until("ann left")
    back = resume(clients, running, old, welcome_id(running))
    assert back.next("welcome")["nick"] == "ann"
    back.answer("who")  # so it has its new one

    late = resume(clients, running, old, welcome_id(running))

    assert late.next("welcome")["nick"] == "somebody"
