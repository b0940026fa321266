"""`pychat send`, as a process: what it says, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from chat_clients import Clients
from chat_programs import CALLED, Programs, pychat

from pychat.cli.client.send import TooLong, messages_of
from pychat.model.limits import Limits

__all__ = ["pychat"]  # the fixture


def test_its_words_are_one_message(pychat: Programs, clients: Clients) -> None:
    """It comes, says it, and goes when it was accepted, without a word of that; it prints nothing."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "all", "tests  pass")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    clients.text(("127.0.0.1", port), "ann")
    assert bob.read_until("-->") == ["ci: all tests  pass", "--> ann joined lobby"]


@pytest.mark.parametrize(("arguments", "mark"), [([], ""), (["-"], "\ufeff")])
def test_all_lines_of_the_input_are_one_message(
    pychat: Programs, clients: Clients, arguments: list[str], mark: str
) -> None:
    """Under one id; also with a text in another encoding. A byte order mark before it is no part of it."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])

    result = pychat.run(
        *("send", "--nick", "ci", "--room", "ops", "--port", str(port), *arguments),
        input=f"{mark}one\n\n  two\n",
        PYTHONUTF8="1",
    )

    assert (result.returncode, result.stderr) == (0, "")
    message = bob.next("message")
    assert (message["room"], message["text"]) == ("ops", "one\n\n  two")


def test_a_text_may_look_like_an_option(pychat: Programs, clients: Clients) -> None:
    """Behind two hyphens, as with all programs."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")

    assert pychat.run("send", "--nick", "ci", "--port", str(port), "--", "--help", "/me").returncode == 0

    assert bob.next("message")["text"] == "--help /me"


def test_without_a_nickname_it_has_that_of_the_user(pychat: Programs, clients: Clients) -> None:
    """If that is in use, by the same user at a terminal, it has one like it."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "Ann-Lee")

    assert pychat.run("send", "--port", str(port), "hi", LOGNAME="Ann Lee").returncode == 0
    assert bob.next("message")["nick"] == "Ann-Lee-2"
    assert pychat.run("send", "--port", str(port), "hi", LOGNAME="-7").returncode == 0
    assert bob.next("message")["nick"] == "guest"


def test_nothing_to_say_is_exit_code_2(pychat: Programs) -> None:
    """Nobody has to be asked for that."""
    result = pychat.run("send", "--port", "1", input=" \n")

    assert result.returncode == 2
    assert result.stderr.endswith("Error: there is nothing to send: the text is empty\n")


def test_no_server_is_exit_code_3(pychat: Programs) -> None:
    """It names the host and the port."""
    result = pychat.run("send", "--port", "1", "hi")

    assert result.returncode == 3
    assert result.stderr == (
        "Error: cannot connect to 127.0.0.1 port 1: Connection refused; is the server running, and is this its "
        f"address? Start one with: {CALLED} serve --port 1\n"
    )


def test_a_nickname_in_use_is_exit_code_4(pychat: Programs, clients: Clients) -> None:
    """Who has chosen one gets this one or none."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "ci")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "hi")

    assert (result.returncode, result.stderr) == (4, "Error: nickname 'ci' is in use; choose another\n")


def test_a_room_that_lets_nobody_in_is_exit_code_4(pychat: Programs, clients: Clients) -> None:
    """And the text is said nowhere else."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    bob.answer("mode", modes="+i", room="ops")

    result = pychat.run("send", "--nick", "ci", "--room", "ops", "--port", str(port), "hi")

    assert (result.returncode, result.stderr) == (4, "Error: room 'ops' is invite-only\n")


def test_a_text_that_is_refused_is_exit_code_4(pychat: Programs) -> None:
    """With the limit, and what to do."""
    _, port = pychat.serve("--text-bytes", "100")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "x" * 101)

    assert result.returncode == 4
    assert result.stderr == (
        "Error: the text has 101 bytes, and a message has at most 100 bytes; "
        "add --tail to send the last lines, or --split to send all of it in several messages\n"
    )


def test_a_text_that_nobody_acknowledges_is_exit_code_6(pychat: Programs) -> None:
    """The server was killed before its answer."""
    (pychat.directory / "mine.py").write_text(
        "import os, signal\n"
        "from pychat import Handler\n"
        "class Die(Handler):\n"
        "    def on_message(self, session, message):\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    _, port = pychat.serve("--handler", "mine:Die")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "hi")

    assert (result.returncode, result.stderr) == (
        6,
        "Error: the server closed the connection; it may or may not have been accepted\n",
    )


@pytest.mark.parametrize("arguments", [["--help"], ["send", "--port", "1", "hi"], ["tail", "--port", "1"]])
def test_it_imports_no_terminal(pychat: Programs, arguments: list[str]) -> None:
    """prompt_toolkit takes longer than everything else together."""
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps([m for m in sys.modules if m.startswith('prompt_toolkit')])))\n"
        "from pychat.cli import main\n"
        "main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=pychat.environment, check=False
    )

    assert result.returncode in (0, 3)
    assert json.loads(result.stdout.splitlines()[-1]) == []


# A room that is not there, or has a key


def test_a_room_that_is_not_there_is_refused(pychat: Programs, clients: Clients) -> None:
    """A mistyped name would be a room of its own, in which nobody hears the text; exit code 4."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])

    result = pychat.run("send", "--nick", "ci", "--room", "opps", "--port", str(port), "disk full")

    assert (result.returncode, result.stderr) == (4, "Error: there is no room 'opps'; to create it, add --create\n")
    assert "opps" not in [room["room"] for room in bob.answer("rooms")["rooms"]]


def test_a_room_can_be_made(pychat: Programs, clients: Clients) -> None:
    """With an option that says so."""
    _, port = pychat.serve()

    result = pychat.run("send", "--nick", "ci", "--room", "opps", "--create", "--port", str(port), "hi")

    assert (result.returncode, result.stderr) == (0, "")


def test_keys_of_rooms_are_in_a_file(pychat: Programs, clients: Clients) -> None:
    """A line with the name and the key for each; without it, the server's reason."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    bob.answer("mode", modes="+k", args=["a:b"], room="ops")
    (pychat.directory / "keys").write_text("# ours\n\nother:x\nOps:a:b\n")
    arguments = ["send", "--room", "ops", "--port", str(port)]

    without = pychat.run(*arguments, "--nick", "ci", "hi")
    done = pychat.run(*arguments, "--nick", "ci2", "--room-key-file", "keys", "hi")

    assert without.returncode == 4
    assert (done.returncode, done.stderr) == (0, "")
    assert bob.next("message")["text"] == "hi"


def test_a_file_of_keys_that_is_wrong_is_exit_code_2(pychat: Programs) -> None:
    """With the line, and nothing of what is in it."""
    (pychat.directory / "keys").write_text("ops:secret\nsecret\n")

    result = pychat.run("send", "--room-key-file", "keys", "hi")

    assert result.returncode == 2
    assert result.stderr.endswith("Error: file of room keys 'keys', line 2: write it as room:key\n")


def test_a_text_with_too_many_lines_says_how_many_there_were(pychat: Programs) -> None:
    """And what to do: the end is what matters of most output."""
    _, port = pychat.serve()

    result = pychat.run("send", "--nick", "ci", "--port", str(port), input="line\n" * 60)

    assert (result.returncode, result.stderr) == (
        4,
        (
            "Error: the text has 60 lines, and a message has at most 50 lines; "
            "add --tail to send the last lines, or --split to send all of it in several messages\n"
        ),
    )


SMALL = Limits(text_lines=2, text_bytes=8)


@pytest.mark.parametrize(
    ("text", "split", "tail"),
    [
        ("a\nb", ["a\nb"], ["a\nb"]),
        ("a\nb\nc", ["a\nb", "c"], ["b\nc"]),
        ("one\ntwo2\nthree", ["one\ntwo2", "three"], ["three"]),
        ("12345678\n9", ["12345678", "9"], ["9"]),
        ("1234567890", ["12345678", "90"], ["90"]),
        ("äöüéñ", ["äöüé", "ñ"], ["ñ"]),
        ("a\n\n\n\nb", ["a\n", "b"], ["\nb"]),
    ],
)
def test_a_text_that_is_too_long_for_one_message(text: str, split: list[str], tail: list[str]) -> None:
    """Whole lines stay together where they fit; a line that does not is cut between characters."""
    assert messages_of(text, SMALL, TooLong.SPLIT) == split
    assert messages_of(text, SMALL, TooLong.TAIL) == tail


@pytest.mark.parametrize(
    ("option", "texts"),
    [("--split", ["1\n2", "3\n4", "5"]), ("--tail", ["4\n5"])],
)
def test_a_text_that_is_too_long_is_said_all_the_same(
    pychat: Programs, clients: Clients, option: str, texts: list[str]
) -> None:
    """In several messages, or its end alone."""
    _, port = pychat.serve("--text-lines", "2")
    bob = clients.json(("127.0.0.1", port), "bob")

    result = pychat.run("send", option, "--nick", "ci", "--port", str(port), input="1\n2\n3\n4\n5\n")

    assert (result.returncode, result.stderr) == (0, "")
    assert [bob.next("message")["text"] for _ in texts] == texts


def test_the_two_ways_to_say_a_long_text_exclude_each_other(pychat: Programs) -> None:
    """Nobody can want both."""
    result = pychat.run("send", "--split", "--tail", "hi")

    assert result.returncode == 2
    assert result.stderr.endswith("Error: --split and --tail cannot be combined\n")
