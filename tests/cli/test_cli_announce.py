"""`pychat announce`, as a process: who hears it, who is told of it, and how it ends."""

from __future__ import annotations

import pytest
from chat_clients import DEADLINE, Clients
from chat_programs import PYCHAT, Programs, pychat
from irc_peer import IrcPeer
from terminal_screen import ENTER, Terminals, terminals

__all__ = ["pychat", "terminals"]  # the fixtures

PASSWORD = "sesame"
HOW = "give it with --oper-password-file FILE or in PYCHAT_OPER_PASSWORD"


@pytest.fixture
def port(pychat: Programs) -> int:
    """Of a server that has the operator root."""
    (pychat.directory / "operators").write_text(f"root:{PASSWORD}\n")
    (pychat.directory / "operators").chmod(0o600)
    return pychat.serve("--oper-file", "operators")[1]


def test_everybody_hears_it_and_nothing_else(pychat: Programs, clients: Clients, port: int) -> None:
    """In whatever room they are; nobody is told that it comes, becomes an operator, and goes."""
    bob = clients.text(("127.0.0.1", port), "bob")
    ops = clients.json(("127.0.0.1", port), "dan", rooms=["ops"])
    irc = clients.add(IrcPeer(("127.0.0.1", port)))
    irc.register("eve")

    done = pychat.run(
        "announce", "--port", str(port), "--oper", "root", "restart", "at noon", PYCHAT_OPER_PASSWORD=PASSWORD
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    bob.send("/who\n")
    assert bob.read_until("-- in ")[:-1] == ["-- restart at noon"]
    assert ops.next("notice")["text"] == "restart at noon"
    assert irc.next("NOTICE").params == ("eve", "restart at noon")


def test_it_needs_no_room(pychat: Programs, clients: Clients, port: int) -> None:
    """Also if the room where everybody comes in is closed."""
    root = clients.json(("127.0.0.1", port), "root-1")
    root.answer("oper", name="root", password=PASSWORD)
    assert root.answer("mode", modes="+i", room="lobby")["type"] == "ok"

    done = pychat.run("announce", "--port", str(port), "--oper", "root", "hi", PYCHAT_OPER_PASSWORD=PASSWORD)

    assert (done.returncode, done.stderr) == (0, "")
    assert root.next("notice")["text"] == "hi"


def test_password_and_text_from_elsewhere(pychat: Programs, clients: Clients, port: int) -> None:
    """The one from a file, the other from the input; several lines are one text."""
    bob = clients.json(("127.0.0.1", port), "bob")
    (pychat.directory / "secret").write_text(f"{PASSWORD}\n")
    arguments = ["announce", "--port", str(port), "--oper", "root", "--oper-password-file", "secret"]

    done = pychat.run(*arguments, "-", input="one\ntwo\n")

    assert (done.returncode, done.stderr) == (0, "")
    assert bob.next("notice")["text"] == "one two"


@pytest.mark.parametrize(
    ("password", "text", "problem"),
    [
        (None, "hi", f"the operator 'root' requires a password; {HOW}"),
        ("guess", "hi", "wrong operator name or password"),
        (PASSWORD, "x" * 391, "message: at most 390 characters"),
        (
            PASSWORD,
            "/oper root sesame",
            "the text begins with a slash and was not sent: commands do not work here; type // to send a slash",
        ),
    ],
)
def test_what_is_refused_is_exit_code_4(
    pychat: Programs, clients: Clients, port: int, password: str | None, text: str, problem: str
) -> None:
    """And nobody hears anything."""
    bob = clients.text(("127.0.0.1", port), "bob")
    environment = {} if password is None else {"PYCHAT_OPER_PASSWORD": password}

    done = pychat.run("announce", "--port", str(port), "--oper", "root", text, **environment)

    assert (done.returncode, done.stdout, done.stderr) == (4, "", f"Error: {problem}\n")
    clients.text(("127.0.0.1", port), "ann")
    assert bob.read_until("-->") == ["--> ann joined lobby"]


def test_no_operator_is_named(pychat: Programs) -> None:
    """Exit code 2, before anybody is asked for anything."""
    done = pychat.run("announce", "--port", "1", "hi")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "Error: name a server operator with --oper; the server has them in its --oper-file"
    )


def test_no_server_is_exit_code_3(pychat: Programs) -> None:
    """As for all that connect."""
    done = pychat.run("announce", "--port", "1", "--oper", "root", "hi", PYCHAT_OPER_PASSWORD=PASSWORD)

    assert done.returncode == 3


def test_an_announcement_that_nobody_acknowledges_is_exit_code_6(pychat: Programs) -> None:
    """The server was killed before its answer."""
    (pychat.directory / "mine.py").write_text(
        "import os, signal\n"
        "from pychat import Handler\n"
        "class Die(Handler):\n"
        "    def before_verb(self, session, verb):\n"
        "        if type(verb).__name__ == 'Announce':\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    server = pychat("serve", "--port", "0", "--handler", "mine:Die", PYCHAT_SERVE_OPER=f"root:{PASSWORD}")

    done = pychat.run(
        "announce", "--port", str(server.read_port()), "--oper", "root", "hi", PYCHAT_OPER_PASSWORD=PASSWORD
    )

    assert (done.returncode, done.stderr) == (
        6,
        "Error: the server closed the connection; it may or may not have been accepted\n",
    )


def test_a_person_is_asked(terminals: Terminals, clients: Clients, port: int) -> None:
    """A mistyped password is asked for again, and nobody sees it."""
    bob = clients.json(("127.0.0.1", port), "bob")
    screen = terminals.start(*PYCHAT, "announce", "--port", str(port), "--oper", "root", "hi")
    screen.see_line("Password of the operator root:")
    screen.type(f"guess{ENTER}")
    screen.see("wrong operator name or password; try again")
    screen.see_line("Password of the operator root:")
    screen.type(f"{PASSWORD}{ENTER}")

    assert bob.next("notice")["text"] == "hi"
    assert screen.process.wait(DEADLINE) == 0
    assert PASSWORD.encode() not in screen.written
