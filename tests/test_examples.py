"""The examples do what they say: each as a library with clients on real sockets, and as the program that it is."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import pytest

from pychat import ChatServer

DEADLINE = 10.0
"""Seconds after which a test fails that would wait for ever."""

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


class Peer:
    """A JSON client; it has joined when it is made."""

    def __init__(self, server: ChatServer, nickname: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), DEADLINE)
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self.ask(type="hello", nick=nickname)
        self.next("members")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request and return its answer; what comes before it is dropped."""
        self._socket.sendall(json.dumps(request | {"ref": 1}).encode() + b"\n")
        while (item := self.next()).get("ref") != 1:
            pass
        return item

    def say(self, text: str) -> dict[str, Any]:
        """Say something in the current room, and return the answer."""
        return self.ask(type="say", text=text)

    def next(self, *kinds: str) -> dict[str, Any]:
        """Return the next item, of one of these types if they are given."""
        for line in self._lines:
            item: dict[str, Any] = json.loads(line)
            if not kinds or item["type"] in kinds:
                return item
        raise AssertionError("the server has closed the connection")

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


def load(name: str) -> ModuleType:
    """Import an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES[0].with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def text_peer(port: int, nickname: str) -> Iterator[TextIO]:
    """Come in, in plain text, and yield what is heard."""
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as peer, peer.makefile(encoding="utf-8") as lines:
        peer.sendall(f"{nickname}\n".encode())
        yield lines


@contextmanager
def two_peers(server: ChatServer) -> Iterator[tuple[Peer, Peer]]:
    """Start the server and let two members join."""
    with server.start():
        ann, bob = Peer(server, "ann"), Peer(server, "bob")
        try:
            yield ann, bob
        finally:
            ann.close()
            bob.close()


def test_minimal_lets_people_talk() -> None:
    """In the smallest server the other member hears what is said."""
    with two_peers(load("minimal").make_server(0)) as (ann, bob):
        ann.say("hello")

        heard = bob.next("message")

    assert (heard["room"], heard["nick"], heard["text"]) == ("lobby", "ann", "hello")


def test_no_shouting_refuses_capitals() -> None:
    """A shout is refused with the handler's reason and code, and the other member hears only what came after it."""
    with two_peers(load("no_shouting").make_server(0)) as (ann, bob):
        refused = ann.say("HELLO")
        ann.say("hello \N{EM DASH} you")

        heard = bob.next("message")

    assert (refused["code"], refused["text"], refused["room"]) == ("shouting", "no shouting, please", "lobby")
    assert heard["text"] == "hello - you"


def test_dice_are_rolled_for_all_to_see() -> None:
    """The result of a roll is a notice to the room, after the message that asked for it."""
    with two_peers(load("dice").make_server(0)) as (ann, bob):
        ann.say("!roll 2d6")

        asked, answered = bob.next("message"), bob.next("notice")

    assert (asked["text"], answered["room"]) == ("!roll 2d6", "lobby")
    match = re.fullmatch(r"ann rolled ([1-6]) \+ ([1-6]) = ([0-9]+)", answered["text"])
    assert match
    assert int(match[1]) + int(match[2]) == int(match[3])


def test_dice_say_what_they_take() -> None:
    """What are no dice is refused, and who asks by name gets the error as the answer."""
    with two_peers(load("dice").make_server(0)) as (ann, _):
        refused = ann.ask(type="command", name="roll", args=["7"])
        nothing = ann.ask(type="command", name="choose")

    assert (refused["code"], refused["text"]) == ("refused", "'7' are no dice; use 1d6, or up to 99d99")
    assert nothing["text"] == "choose between what?"


def test_dice_choose_one() -> None:
    """`!choose` takes any number of words and gives back one of them."""
    with two_peers(load("dice").make_server(0)) as (ann, bob):
        ann.ask(type="command", name="choose", args=["tea", "coffee"])

        assert bob.next("notice")["text"] in ("tea", "coffee")


def test_proximity_hears_only_those_nearby() -> None:
    """Who is far away does not hear, neither at once nor in the history; a direct message comes all the same."""
    with two_peers(load("proximity").make_server(0)) as (ann, bob):
        ann.say("near")
        said = [bob.next("message")["text"]]
        bob.ask(type="command", name="go", args=["100", "100"])
        ann.say("far")
        ann.ask(type="direct", to="bob", text="where are you?")
        said += [bob.next("message")["text"]]
        bob.ask(type="command", name="go", args=["0", "1"])
        ann.say("near again")
        said += [bob.next("message")["text"]]
        history = bob.ask(type="history")["events"]

    assert said == ["near", "where are you?", "near again"]
    assert [event["text"] for event in history if event["type"] == "message"] == ["near", "near again"]


def test_proximity_world_is_round() -> None:
    """Who goes too far comes back on the other side, and is told where that is."""
    with two_peers(load("proximity").make_server(0)) as (ann, bob):
        ann.say("!go -1 1001")

        asked, told = bob.next("message", "notice")["text"], ann.next("message", "notice")["text"]

    assert (asked, told) == ("!go -1 1001", "you are at 999,1")


def test_quiz_speaks_from_its_own_thread() -> None:
    """The quiz asks in its room, ignores wrong answers, and names who knew."""
    quiz = load("game_server").Quiz(0)
    with two_peers(quiz.server) as (ann, bob):
        thread = threading.Thread(target=quiz.play, args=(DEADLINE,))
        thread.start()
        question = re.fullmatch(r"what is ([0-9]+) x ([0-9]+)\?", ann.next("notice")["text"])
        assert question
        right = int(question[1]) * int(question[2])
        ann.say(f"!answer {right + 1}")
        ann.say(f"!answer {right}")

        thread.join(DEADLINE)
        said = [bob.next("notice", "message")["text"] for _ in range(4)]

    assert said == [question[0], f"!answer {right + 1}", f"!answer {right}", f"{right} is right, ann!"]


def test_quiz_gives_up() -> None:
    """When nobody answers in time the quiz says what was right."""
    quiz = load("game_server").Quiz(0)
    with two_peers(quiz.server) as (_, bob):
        quiz.play(0)

        question, answer = bob.next("notice")["text"], bob.next("notice")["text"]

    one, other = map(int, re.findall("[0-9]+", question))
    assert answer == f"nobody knew: {one * other}"


def test_alerts_appear_in_the_room() -> None:
    """A warning is said in the room, cut to a size that fits; the chat's own records and what is below are not."""
    example = load("alerts")
    server = example.make_server(0)
    logger, own = logging.getLogger("test-alerts"), logging.getLogger("pychat.test-alerts")
    handler = example.RoomHandler(server.room("alerts"))
    with two_peers(server) as (ann, _):
        for source in (logger, own):
            source.addHandler(handler)
            source.setLevel(logging.DEBUG)
        try:
            logger.info("nothing special")
            own.error("the writer failed")
            logger.warning("%d left", 3)
            logger.error("line\n" * 100)
        finally:
            logger.removeHandler(handler)
            own.removeHandler(handler)

        first, second = ann.next("notice"), ann.next("notice")

    assert (first["room"], first["text"]) == ("alerts", "3 left")
    assert second["text"] == "\n".join(["line"] * 20)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_a_program(path: Path) -> None:
    """Each example is under 60 lines, starts as its docstring says, lets somebody in and ends quietly at Ctrl-C."""
    assert len(path.read_text("utf-8").splitlines()) < 60
    root = path.parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, f"examples/{path.name}", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=root, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            match = re.fullmatch(r"nc 127\.0\.0\.1 ([0-9]+)\n", process.stdout.readline())
            assert match
            with text_peer(int(match[1]), "ann") as lines:
                assert lines.readline().startswith("-- welcome to ")
                with text_peer(int(match[1]), "bob"):  # so that the thread which the signal interrupts is done with ann
                    while not lines.readline().startswith("--> bob joined "):
                        pass
                    process.send_signal(signal.SIGINT)
                    assert lines.read().endswith("-- goodbye: the server is shutting down\n")
            _, errors = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


def test_alerts_program_says_what_is_typed() -> None:
    """The program of the alerts logs each line of its input, and the room sees it."""
    path = EXAMPLES[0].with_name("alerts.py")
    environment = {**os.environ, "PYTHONPATH": str(path.parent.parent)}
    pipe = subprocess.PIPE
    command = [sys.executable, str(path), "0"]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdin is not None
            port = int(process.stdout.readline().split()[-1])
            with text_peer(port, "ann") as lines:
                while "you are in alerts" not in lines.readline():
                    pass
                process.stdin.write("out of tea\n")
                process.stdin.flush()
                while (line := lines.readline()) != "-- out of tea\n":
                    assert line.startswith("-->"), line
            process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 0
