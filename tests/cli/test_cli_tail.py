"""`pychat tail`, as a process: what it prints of a room, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, free_port, wait_until
from chat_programs import PYCHAT, Program, Programs, pychat

from pychat.cli.client.tail import Tail
from pychat.cli.client.timestamps import Stamped
from pychat.client import Reconnected
from pychat.model.events import Message
from pychat.model.queries import ReadHistory
from pychat.model.replies import HistoryPage
from pychat.testing import Network

__all__ = ["pychat"]  # the fixture


def talk(clients: Clients, port: int, *texts: str) -> JsonPeer:
    """Let bob say something in a room."""
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    for text in texts:
        assert bob.answer("say", text=text)["type"] == "ok"
    return bob


def follow(pychat: Programs, port: int, *arguments: str) -> Program:
    """Start it in the room."""
    return pychat("tail", "--nick", "eye", "--port", str(port), "--room", "ops", *arguments)


def follow_from_now(pychat: Programs, port: int, bob: JsonPeer, *arguments: str) -> Program:
    """Start it in the room, and return it when it prints what happens there."""
    bob.answer("say", text="begin")
    tail = follow(pychat, port, "-n", "1", *arguments)
    tail.stdout.read_until("begin")
    return tail


def wait_for(bob: JsonPeer, nickname: str, room: str = "ops", *, there: bool = True) -> None:
    """Wait until somebody of whom nobody is told is in the room, or is not."""

    def holds() -> bool:
        return there == (nickname in [one["nick"] for one in bob.answer("who", room=room)["members"]])

    wait_until(holds, f"{nickname} is {'there' if there else 'gone'}")


def read_objects(program: Program, count: int) -> list[dict[str, Any]]:
    """The next lines of its output."""
    return [json.loads(program.stdout.read_line()) for _ in range(count)]


class Cut:
    """A client of a server that looks at one event for one question, and shows every fifth one."""

    rooms = ("ops",)
    nickname = "eye"

    def ask(self, question: ReadHistory) -> HistoryPage:
        """Answer."""
        backwards = question.after is None
        at = question.before if backwards else question.after
        assert at is None or isinstance(at, int)
        looked_at = (20 if at is None else at - 1) if backwards else (at or 0) + 1
        shown = (Message(looked_at, 0.0, "ops", "bob", f"text {looked_at}"),) if looked_at % 5 == 0 else ()
        return HistoryPage(None, "ops", shown, looked_at not in (1, 20) or at is None, next=looked_at)


# What it prints


def test_only_what_is_printed_counts(pychat: Programs, clients: Clients) -> None:
    """Who logs in and out is told to nobody who reads text."""
    _, port = pychat.serve()
    bob = talk(clients, port, "hello")
    bob.answer("register", password="correct horse")
    bob.answer("logout")

    follow(pychat, port, "-n", "1").stdout.read_until("hello")


def test_history_then_what_happens(pychat: Programs, clients: Clients) -> None:
    """Each line with its time, once; the day before the first one; its own coming is not told."""
    _, port = pychat.serve("--no-flood-control")
    bob = talk(clients, port, "one", "two")
    tail = follow(pychat, port, "-n", "2")
    lines = [tail.stdout.read_line() for _ in range(3)]
    bob.answer("say", text="three\nfour")

    lines += [tail.stdout.read_line() for _ in range(2)]

    assert re.fullmatch(r"-- \d{4}-\d\d-\d\d", lines[0])
    assert all(re.match(r"\[\d\d:\d\d\] ", line) for line in lines[1:])
    assert [line[8:] for line in lines[1:]] == ["bob: one", "bob: two", "bob: three", "bob: four"]


def test_it_follows_the_room_where_everybody_comes_in(pychat: Programs, clients: Clients) -> None:
    """Under a nickname that says what it is."""
    _, port = pychat.serve("--room", "hall", "--no-flood-control")
    bob = clients.json(("127.0.0.1", port), "bob")
    bob.answer("say", text="begin")
    tail = pychat("tail", "--port", str(port), "--lines", "1", "--json", LOGNAME="ann")
    assert tail.read_object("message")["text"] == "begin"
    wait_for(bob, "ann-tail", "hall")

    bob.ask("say", text="hi")

    assert tail.read_object("message")["room"] == "hall"


def test_json_has_ids_with_which_it_goes_on(pychat: Programs, clients: Clients) -> None:
    """A program that was stopped begins behind the last event that it has seen."""
    _, port = pychat.serve("--no-flood-control", "--history-page", "2")
    talk(clients, port, *"abcdefg")
    first = follow(pychat, port, "--json", "-n", "5")
    items = read_objects(first, 5)
    first.signal(signal.SIGINT)
    assert first.wait() == 130

    second = follow(pychat, port, "--json", "--since", items[1]["id"])

    assert [item["text"] for item in items] == list("cdefg")
    again = read_objects(second, 3)
    assert again == items[2:]


def test_hostile_text_is_clean(pychat: Programs, clients: Clients) -> None:
    """Nothing that a terminal would obey gets through."""
    _, port = pychat.serve()
    bob = talk(clients, port)
    tail = follow_from_now(pychat, port, bob)

    bob.answer("say", text="a\x1b]0;title\x07b")

    assert tail.stdout.read_until("bob: ")[-1].endswith("bob: a\ufffd]0;title\ufffdb")


def test_a_private_message_is_printed(pychat: Programs, clients: Clients) -> None:
    """It is in no history, so it is never old."""
    _, port = pychat.serve()
    bob = talk(clients, port)
    tail = follow_from_now(pychat, port, bob)

    bob.answer("direct", to="eye", text="psst")

    assert tail.stdout.read_until("psst")[-1][8:] == "[bob -> eye] psst"


def test_it_comes_back_with_what_was_missed(pychat: Programs, clients: Clients) -> None:
    """A server that is killed and started again is found."""
    server, port = pychat.serve(port=free_port())
    bob = talk(clients, port)
    tail = follow_from_now(pychat, port, bob, "--json")

    server.kill()
    assert tail.read_object("reconnecting")["attempt"] == 1
    pychat.serve(port=port)

    assert tail.read_object("reconnected") == {"type": "reconnected", "missed": 0}
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    bob.answer("say", text="after")
    assert tail.read_object("message")["text"] == "after"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            [],
            [
                "-- the server closed the connection; reconnecting",
                "-- some messages of ops are missing",
                "-- reconnected",
            ],
        ),
        (["-q"], ["-- some messages of ops are missing"]),
    ],
)
def test_what_it_says_itself_is_no_data(
    pychat: Programs, clients: Clients, arguments: list[str], told: list[str]
) -> None:
    """It goes to stderr; one that is to be quiet tells only that something is missing."""
    server, port = pychat.serve(port=free_port())
    bob = talk(clients, port)
    tail = follow_from_now(pychat, port, bob, *arguments)

    server.kill()
    pychat.serve(port=port)
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    wait_for(bob, "eye")
    bob.answer("say", text="after")
    shown = [line[8:] for line in tail.stdout.read_until("after")]
    lines = tail.stderr.read_until(told[-1])  # it may come behind what was said while it caught up
    tail.signal(signal.SIGINT)

    assert tail.wait() == 130
    said = [line.partition("] ")[2] for line in [*lines, *tail.stderr.read_rest()] if line.startswith("[")]
    # What is said while it catches up may have been missed, or not.
    assert [line.removesuffix("; 1 message was missed meanwhile") for line in said] == told
    assert shown[-1] == "bob: after"
    assert not any(line.startswith("-- ") for line in shown)


def test_the_day_is_told_where_messages_are_printed() -> None:
    """Though stderr had it already: a log of stdout has nothing of that."""
    stamped = Stamped("ops")
    message = Message(1, datetime(2126, 11, 22, 12, 5).timestamp(), "ops", "bob", "hello")

    assert len(stamped.show(Reconnected(0))) == 2  # the day, and that we are back
    assert stamped.show(message) == ["-- 2126-11-22", "[12:05] bob: hello"]
    assert stamped.show(message) == ["[12:05] bob: hello"]
    assert [line[8:] for line in stamped.show(Reconnected(0))[1:]] == ["-- reconnected"]
    assert stamped.show(message) == ["[12:05] bob: hello"]


# How it ends


def test_who_is_put_out_of_the_room_has_nothing_to_follow(pychat: Programs, clients: Clients) -> None:
    """Exit code 4; to wait for ever would look like silence in the room."""
    _, port = pychat.serve()
    bob = talk(clients, port)
    tail = follow_from_now(pychat, port, bob)

    assert bob.answer("kick", nick="eye", room="ops")["type"] == "ok"

    assert tail.wait() == 4
    assert tail.stdout.read_rest()[-1][8:] == "<-- eye was removed from ops by bob"
    assert tail.stderr.read_rest() == ["Error: you are not in room 'ops' any more"]


def test_who_does_not_get_into_the_room_again_has_nothing_to_follow(pychat: Programs, clients: Clients) -> None:
    """Exit code 4, too, with what the server says."""
    _, port = pychat.serve("--no-flood-control")
    bob = talk(clients, port)
    with closing(Network("127.0.0.1", port)) as network:
        tail = follow_from_now(pychat, network.port, bob)
        network.down()
        wait_for(bob, "eye", there=False)
        assert bob.answer("ban", target="eye!*@*", room="ops")["type"] == "ok"
        network.resume()

        assert tail.wait() == 4
    assert tail.stderr.read_rest()[-1] == "Error: you are banned from room 'ops'"
    assert tail.stdout.read_rest() == []


def test_a_reader_that_is_gone_ends_it_in_silence(pychat: Programs, clients: Clients) -> None:
    """Also when nothing happens in the room: it looks."""
    _, port = pychat.serve()
    talk(clients, port, "one")
    command = [*PYCHAT, "tail", "--nick", "eye", "--port", str(port), "--room", "ops"]

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=pychat.environment, cwd=pychat.directory
    ) as tail:
        try:
            assert tail.stdout
            assert tail.stderr
            tail.stdout.read(1)
            tail.stdout.close()
            assert tail.wait(DEADLINE) == 141
            assert tail.stderr.read() == b""
        finally:
            tail.kill()


def test_a_closed_output_is_no_traceback(pychat: Programs, clients: Clients) -> None:
    """It follows and prints nowhere, until it is interrupted."""
    _, port = pychat.serve("--no-flood-control")
    bob = talk(clients, port)
    arguments = ["tail", "--nick", "eye", "--port", str(port), "--room", "ops"]
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *PYCHAT, *arguments]

    with subprocess.Popen(command, stderr=subprocess.PIPE, env=pychat.environment, cwd=pychat.directory) as tail:
        try:
            wait_for(bob, "eye")
            os.kill(tail.pid, signal.SIGINT)
            assert tail.stderr
            assert (tail.wait(DEADLINE), tail.stderr.read()) == (130, b"")
        finally:
            tail.kill()


def test_an_id_that_cannot_be_one_is_exit_code_2(pychat: Programs) -> None:
    """It says what an id looks like."""
    result = pychat.run("tail", "--since", "0x1")

    assert result.returncode == 2
    assert result.stderr.endswith("Invalid value for '--since': '0x1' is not an event id: up to 16 digits 0-9 a-f\n")


def test_pages_without_events_are_no_end() -> None:
    """It goes on from where the server has stopped, in both directions, and comes to an end."""
    tail = Tail(Cut(), as_json=True)  # type: ignore[arg-type]  # all that it asks of a client

    assert [event.id for event in tail._last(2)] == [15, 20]
    assert [event.id for event in tail._last(100)] == [5, 10, 15, 20]
    assert [event.id for event in tail._behind(7)] == [10, 15, 20]


# A room in which nobody is


def test_it_tells_that_nobody_else_is_in_the_room(pychat: Programs, clients: Clients) -> None:
    """On stderr, because the name may be mistyped, and it would wait there for ever; and goes on."""
    _, port = pychat.serve("--no-flood-control")
    bob = talk(clients, port)

    tail = pychat("tail", "--nick", "eye", "--port", str(port), "--room", "opps")

    assert tail.stderr.read_line() == "nobody else is in room 'opps'"
    bob.answer("join", room="opps")
    bob.answer("say", room="opps", text="here")
    assert tail.stdout.read_until("here")[-1].endswith("bob: here")


def test_messages_are_counted_and_not_who_came_between(pychat: Programs, clients: Clients) -> None:
    """`--all` counts, and prints, the rest, too."""
    _, port = pychat.serve()
    talk(clients, port, "one", "two")
    clients.json(("127.0.0.1", port), "carl", rooms=["ops"])

    tail = follow(pychat, port, "-n", "2", "--json")
    everything = follow(pychat, port, "-n", "2", "--json", "--all", "--nick", "ear")

    assert [item["text"] for item in read_objects(tail, 2)] == ["one", "two"]
    assert [item["type"] for item in read_objects(everything, 2)] == ["message", "joined"]
