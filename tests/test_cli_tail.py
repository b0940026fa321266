"""`pychat tail`, as a process: what it prints of a room, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from typing import Any

from chat_clients import DEADLINE, Clients, JsonPeer
from chat_programs import PYCHAT, Program, Programs, pychat

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
    tail = follow(pychat, port, "-n", "0", *arguments)
    bob.until("joined", nick="eye")
    bob.answer("say", text="begin")
    tail.stdout.read_until("begin")
    return tail


def read_objects(program: Program, count: int) -> list[dict[str, Any]]:
    """The next lines of its output."""
    return [json.loads(program.stdout.read_line()) for _ in range(count)]


# What it prints


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
    _, port = pychat.serve("--room", "hall")
    bob = clients.json(("127.0.0.1", port), "bob")
    tail = pychat("tail", "--port", str(port), "--lines", "0", "--json", LOGNAME="ann")
    assert bob.next("joined")["nick"] == "ann-tail"

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
    server, port = pychat.serve()
    bob = talk(clients, port)
    tail = follow_from_now(pychat, port, bob, "--json")

    server.signal(signal.SIGKILL)
    assert tail.read_object("reconnecting")["attempt"] == 1
    pychat.serve(port=port)

    assert tail.read_object("reconnected") == {"type": "reconnected", "missed": 0}
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    bob.answer("say", text="after")
    assert tail.read_object("message")["text"] == "after"


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
    _, port = pychat.serve()
    bob = talk(clients, port)
    arguments = ["tail", "--nick", "eye", "--port", str(port), "--room", "ops"]
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *PYCHAT, *arguments]

    with subprocess.Popen(command, stderr=subprocess.PIPE, env=pychat.environment, cwd=pychat.directory) as tail:
        try:
            bob.until("joined", nick="eye")
            os.kill(tail.pid, signal.SIGINT)
            assert tail.stderr
            assert (tail.wait(DEADLINE), tail.stderr.read()) == (130, b"")
        finally:
            tail.kill()


def test_an_id_that_cannot_be_one_is_exit_code_2(pychat: Programs) -> None:
    """It says what an id looks like."""
    result = pychat.run("tail", "--since", "0x1")

    assert result.returncode == 2
    assert result.stderr.endswith("Invalid value for '--since': '0x1' is no event id: up to 16 digits 0-9 a-f\n")
