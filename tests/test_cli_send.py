"""`pychat send`, as a process: what it says, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from chat_clients import Clients
from chat_programs import Programs, pychat

__all__ = ["pychat"]  # the fixture


def test_its_words_are_one_message(pychat: Programs, clients: Clients) -> None:
    """It comes, says it, and goes when it was accepted; it prints nothing."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "all", "tests  pass")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert bob.read_until("<--") == ["--> ci joined lobby", "ci: all tests  pass", "<-- ci left (quit)"]


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_all_lines_of_the_input_are_one_message(pychat: Programs, clients: Clients, arguments: list[str]) -> None:
    """Under one id; also with a text in another encoding."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])

    result = pychat.run(
        "send", "--nick", "ci", "--room", "ops", "--port", str(port), *arguments, input="one\n\n  two\n", PYTHONUTF8="1"
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
    assert result.stderr.endswith("Error: there is nothing to say: the text is empty\n")


def test_no_server_is_exit_code_3(pychat: Programs) -> None:
    """It names the host and the port."""
    result = pychat.run("send", "--port", "1", "hi")

    assert result.returncode == 3
    assert result.stderr == (
        "Error: cannot connect to 127.0.0.1 port 1: Connection refused; is the server running, and is this its "
        "address? Start one with: pychat serve --port 1\n"
    )


def test_a_nickname_in_use_is_exit_code_4(pychat: Programs, clients: Clients) -> None:
    """Who has chosen one gets this one or none."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "ci")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "hi")

    assert (result.returncode, result.stderr) == (4, "Error: nickname 'ci' is in use; take another\n")


def test_a_room_that_lets_nobody_in_is_exit_code_4(pychat: Programs, clients: Clients) -> None:
    """And the text is said nowhere else."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    bob.answer("mode", modes="+i", room="ops")

    result = pychat.run("send", "--nick", "ci", "--room", "ops", "--port", str(port), "hi")

    assert (result.returncode, result.stderr) == (4, "Error: room 'ops' is only for those who are invited\n")


def test_a_text_that_is_refused_is_exit_code_4(pychat: Programs) -> None:
    """With the server's reason."""
    _, port = pychat.serve("--text-bytes", "100")

    result = pychat.run("send", "--nick", "ci", "--port", str(port), "x" * 101)

    assert (result.returncode, result.stderr) == (4, "Error: message: at most 100 bytes\n")


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
