"""The examples do what they say: each as a library with clients on real sockets, and as the program that it is."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType

import pytest
from chat_clients import DEADLINE, Peer

from pychat import ChatServer, Disconnected, Joined, Message, Notice, Refused
from pychat.model.verbs import Command
from pychat.testing import ChatHarness, MakeChat

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def load(name: str) -> ModuleType:
    """Import an example."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES[0].with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def text_peer(port: int, nickname: str) -> Iterator[Peer]:
    """Come in, in plain text."""
    with closing(Peer(("127.0.0.1", port))) as peer:
        peer.send(f"{nickname}\n")
        yield peer


def test_minimal_lets_people_talk(chat_server: MakeChat) -> None:
    """In the smallest server the other member hears what is said."""
    chat = chat_server(load("minimal").make_server(0))
    ann, bob = chat.join("ann"), chat.join("bob")

    ann.say("hello")

    heard = bob.next(Message)
    assert (heard.room, heard.sender, heard.text) == ("lobby", "ann", "hello")


def test_no_shouting_refuses_capitals(chat_server: MakeChat) -> None:
    """A shout is refused with the handler's reason and code, and the other member hears only what came after it."""
    chat = chat_server(load("no_shouting").make_server(0))
    ann, bob = chat.join("ann"), chat.join("bob")

    with pytest.raises(Refused, match=r"^no shouting, please$") as caught:
        ann.say("HELLO")
    ann.say("hello \N{EM DASH} you")

    assert caught.value.code == "shouting"
    assert [message.text for message in bob.received(Message)] == ["hello - you"]


def test_dice_are_rolled_for_all_to_see(chat_server: MakeChat) -> None:
    """The result of a roll is a notice to the room, after the message that asked for it."""
    chat = chat_server(load("dice").make_server(0))
    ann, bob = chat.join("ann"), chat.join("bob")

    ann.say("!roll 2d6")

    assert bob.next(Message).text == "!roll 2d6"
    answered = bob.next(Notice)
    assert answered.room == "lobby"
    match = re.fullmatch(r"ann rolled ([1-6]) \+ ([1-6]) = ([0-9]+)", answered.text)
    assert match
    assert int(match[1]) + int(match[2]) == int(match[3])


def test_dice_say_what_they_take(chat_server: MakeChat) -> None:
    """What are no dice is refused, and who asks by name gets the error as the answer."""
    ann = chat_server(load("dice").make_server(0)).join("ann")

    with pytest.raises(Refused, match=r"^'7' are no dice; use 1d6, or up to 99d99$"):
        ann.ask(Command("roll", ("7",)))
    with pytest.raises(Refused, match=r"^choose between what\?$"):
        ann.ask(Command("choose"))


def test_dice_choose_one(chat_server: MakeChat) -> None:
    """`!choose` takes any number of words and gives back one of them."""
    ann = chat_server(load("dice").make_server(0)).join("ann")

    ann.ask(Command("choose", ("tea", "coffee")))

    assert ann.next(Notice).text in ("tea", "coffee")


def test_dice_bot_rolls_inside_a_server(chat_server: MakeChat) -> None:
    """Its answers are notices of a bot, and it greets who comes in."""
    server = ChatServer(port=0)
    server.add_bot(load("dice_bot").make_bot())
    ann = chat_server(server).join("ann")

    greeted = ann.next(Message)
    ann.say("!roll 2d6")

    answered = ann.next(Message)
    assert (greeted.to, greeted.text) == ("ann", "I have rolled 0 dice today; !roll 2d6")
    assert (answered.room, answered.sender, answered.notice, answered.by_bot) == ("lobby", "dice", True, True)
    assert re.fullmatch("ann rolled ([2-9]|1[0-2])", answered.text)


def test_dice_of_the_bot_are_commands_of_a_server_too(chat_server: MakeChat) -> None:
    """The group needs no bot."""
    server = ChatServer(port=0)
    server.add_commands(load("dice_bot").Dice())
    ann = chat_server(server).join("ann")

    with pytest.raises(Refused, match=r"^'7' are no dice; use 1d6, or up to 99d99$"):
        ann.ask(Command("roll", ("7",)))
    ann.say("!roll 1d1")

    assert ann.next(Notice).text == "ann rolled 1"


def test_dice_bot_visits_a_server(chat: ChatHarness) -> None:
    """The program that is given an address is a client, and ends quietly at Ctrl-C."""
    path = EXAMPLES[0].with_name("dice_bot.py")
    environment = {**os.environ, "PYTHONPATH": str(path.parent.parent)}
    ann, bob = chat.join("ann"), chat.join("bob")
    ann.next(Joined)
    command = [sys.executable, str(path), f"{chat.host}:{chat.port}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert ann.next(Joined, DEADLINE).nickname == "dice"
            bob.say("!roll 1d1")
            while (said := ann.next(Message)).sender != "dice":
                pass
            process.send_signal(signal.SIGINT)
            gone = ann.next(Disconnected)
            _, errors = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()

    assert (said.text, gone.nickname) == ("bob rolled 1", "dice")
    assert (process.returncode, errors) == (0, "")


def test_reminders_come_when_they_are_due(chat_server: MakeChat) -> None:
    """To the one who asked, on the thread that also answers how many are pending."""
    ann = chat_server(load("reminder").make_server(0, seconds=0.01)).join("ann")

    ann.say("!remind 0.01 the tea is   ready")
    reminded = ann.next(Message)
    ann.say("!pending")
    pending = ann.next(Message)
    ann.say("!remind 86401")
    refused = ann.next(Message)

    assert (reminded.to, reminded.text) == ("ann", "ann, the tea is   ready")
    assert (pending.text, refused.text) == ("0 to come", "at most a day ahead")


def test_proximity_hears_only_those_nearby(chat_server: MakeChat) -> None:
    """Who is far away does not hear, neither at once nor in the history; a direct message comes all the same."""
    chat = chat_server(load("proximity").make_server(0))
    ann, bob = chat.join("ann"), chat.join("bob")

    ann.say("near")
    bob.ask(Command("go", ("100", "100")))
    ann.say("far")
    ann.direct("bob", "where are you?")
    bob.ask(Command("go", ("0", "1")))
    ann.say("near again")

    assert [message.text for message in bob.received(Message)] == ["near", "where are you?", "near again"]
    assert [event.text for event in bob.history() if isinstance(event, Message)] == ["near", "near again"]


def test_proximity_world_is_round(chat_server: MakeChat) -> None:
    """Who goes too far comes back on the other side, and is told where that is."""
    chat = chat_server(load("proximity").make_server(0))
    ann, bob = chat.join("ann"), chat.join("bob")

    ann.say("!go -1 1001")

    assert (bob.next(Message).text, ann.next(Notice).text) == ("!go -1 1001", "you are at 999,1")


def test_quiz_speaks_from_its_own_thread(chat_server: MakeChat) -> None:
    """The quiz asks in its room, ignores wrong answers, and names who knew."""
    quiz = load("game_server").Quiz(0)
    chat = chat_server(quiz.server)
    ann, bob = chat.join("ann"), chat.join("bob")

    with ThreadPoolExecutor(1) as pool:
        playing = pool.submit(quiz.play, DEADLINE)
        question = ann.next(Notice).text
        one, other = map(int, re.findall("[0-9]+", question))
        ann.say(f"!answer {one * other + 1}")
        ann.say(f"!answer {one * other}")
        playing.result(DEADLINE)

    said = [event.text for event in bob.received() if isinstance(event, Message | Notice)]
    assert question == f"what is {one} x {other}?"
    assert said == [
        question,
        f"!answer {one * other + 1}",
        f"!answer {one * other}",
        f"{one * other} is right, ann!",
    ]


def test_quiz_gives_up(chat_server: MakeChat) -> None:
    """When nobody answers in time the quiz says what was right."""
    quiz = load("game_server").Quiz(0)
    bob = chat_server(quiz.server).join("bob")

    quiz.play(0)

    question, answer = [notice.text for notice in bob.received(Notice)]
    one, other = map(int, re.findall("[0-9]+", question))
    assert answer == f"nobody knew: {one * other}"


def test_alerts_appear_in_the_room(chat_server: MakeChat) -> None:
    """A warning is said in the room, cut to a size that fits; the chat's own records and what is below are not."""
    example = load("alerts")
    chat = chat_server(example.make_server(0))
    ann = chat.join("ann")
    logger, own = logging.getLogger("test-alerts"), logging.getLogger("pychat.test-alerts")
    handler = example.RoomHandler(chat.room("alerts"))
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

    first, second = ann.received(Notice)
    assert (first.room, first.text) == ("alerts", "3 left")
    assert second.text == "\n".join(["line"] * 20)
    chat.errors.clear()


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
            with text_peer(int(match[1]), "ann") as ann:
                assert ann.read_line().startswith("-- welcome to ")
                ann.read_until("-- you are in ")  # else bob might be in the room before ann
                with text_peer(int(match[1]), "bob"):  # so that the thread which the signal interrupts is done with ann
                    ann.read_until("--> bob joined ")
                    process.send_signal(signal.SIGINT)
                    assert ann.read_rest().endswith(b"-- goodbye: the server is shutting down\n")
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
            with text_peer(port, "ann") as ann:
                ann.read_until("you are in alerts")
                process.stdin.write("out of tea\n")
                process.stdin.flush()
                while (line := ann.read_line()) != "-- out of tea":
                    assert line.startswith("-->"), line
            process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 0
