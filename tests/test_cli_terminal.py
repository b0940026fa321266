"""`pychat connect` at a terminal: a pseudo-terminal, with a person who types and reads."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, wait_until
from chat_programs import PYCHAT, Programs, pychat

__all__ = ["pychat"]  # the fixture

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x1b\][^\x07]*\x07")
ENTER = "\r"
CTRL_C = "\x03"
CTRL_D = "\x04"
ARROW_UP = "\x1b[A"


class Terminal:
    """A program on a pseudo-terminal of 80 columns."""

    def __init__(self, *arguments: str, environment: dict[str, str], directory: Path, kind: str = "xterm") -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [*PYCHAT, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": kind, "PROMPT_TOOLKIT_NO_CPR": "1"},
            cwd=directory,
            start_new_session=True,
        )
        os.close(slave)
        self._text = ""

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def read_until(self, last: str) -> str:
        """Return what is printed next, without control sequences, up to and with this text."""
        deadline = time.monotonic() + DEADLINE
        while last not in self._text:
            assert self._read_more(deadline), f"{last!r} did not come, but {self._text!r}"
        text, _, self._text = self._text.partition(last)
        return text + last

    def wait(self) -> int:
        """Read to the end; return the exit code."""
        while self._read_more(time.monotonic() + DEADLINE):
            pass
        return self.process.wait(DEADLINE)

    def _read_more(self, deadline: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._master, 65_536)
        except OSError:  # the program has ended
            return False
        self._text += _CONTROL.sub("", data.decode(errors="replace"))
        return bool(data)

    def end(self) -> None:
        """Make sure that it ends."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)
        os.close(self._master)


class Terminals:
    """Starts `pychat connect` on terminals; ends them."""

    def __init__(self, programs: Programs, stack: ExitStack) -> None:
        self._programs, self._stack = programs, stack

    def __call__(self, port: int, *arguments: str, kind: str = "xterm") -> Terminal:
        terminal = Terminal(
            "connect",
            "--port",
            str(port),
            *arguments,
            environment=self._programs.environment,
            directory=self._programs.directory,
            kind=kind,
        )
        self._stack.callback(terminal.end)
        return terminal


@pytest.fixture
def terminals(pychat: Programs) -> Iterator[Terminals]:
    """What starts `pychat connect` on terminals."""
    with ExitStack() as stack:
        yield Terminals(pychat, stack)


def test_it_asks_for_a_nickname_until_one_is_accepted(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The reason is shown, and another one can be tried."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port)

    ann.read_until("Your nickname:")
    ann.type("a b" + ENTER)
    ann.read_until("! nickname 'a b': spaces are not allowed; use 1 to 32 letters, digits or -_[]{}|^\\`")
    ann.read_until("Your nickname:")
    ann.type("ann" + ENTER)

    ann.read_until("-- welcome to pychat, ann; /help lists the commands")
    ann.read_until("-- you are in lobby: bob, ann")
    ann.read_until("ann:")


def test_a_nickname_of_the_command_line_that_is_taken_is_asked_again(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """Nobody has to type the whole command again. Ctrl-D gives up, with the exit code of a refusal."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "bob")

    ann.read_until("! nickname 'bob' is in use; take another")
    ann.read_until("Your nickname:")
    ann.type(CTRL_D)

    assert ann.wait() == 4


def test_a_line_is_said_and_commands_work(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """As in every line language; what is refused is told."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")

    ann.type("hello" + ENTER)
    ann.type("//slash" + ENTER)
    ann.type("/me waves" + ENTER)
    ann.type("/whoo" + ENTER)
    ann.read_until("! unknown command /whoo; did you mean /who? /help lists the commands")
    ann.type("/msg zed psst" + ENTER)
    ann.read_until("! nobody here is called 'zed'")
    ann.type("/help whois" + ENTER)
    ann.read_until("-- /whois NICK  Show who somebody is: rooms, away, how long silent.")
    ann.type("/help" + ENTER)
    ann.read_until("-- //text")
    ann.read_until("-- !help  List the commands.")
    ann.type("/join ops" + ENTER)
    ann.read_until("-- you are in ops: @ann")
    ann.read_until("[ops] ann:")
    ann.type("/quit so long" + ENTER)

    assert ann.wait() == 0
    assert bob.read_until("<--") == [
        "--> ann joined lobby",
        "ann: hello",
        "ann: /slash",
        "* ann waves",
        "<-- ann left (so long)",
    ]


def test_a_password_stays_neither_on_the_screen_nor_in_the_history(pychat: Programs, terminals: Terminals) -> None:
    """The line with it vanishes when it is accepted, and the key that brings lines back does not find it."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")
    ann.type("hello" + ENTER)
    ann.read_until("ann: hello")
    ann.type("/oper root sesame")
    ann.read_until("sesame")

    ann.type(ENTER)
    assert "sesame" not in ann.read_until("! wrong name or password")
    ann.type(ARROW_UP)

    assert "sesame" not in ann.read_until("hello")


def test_what_was_said_before_is_shown(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """A person sees the last messages of the room."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    bob.answer("say", text="nobody is here")

    ann = terminals(port, "--nick", "ann")

    ann.read_until("-- last message of lobby, ")
    ann.read_until("] bob: nobody is here")


def test_a_typed_line_survives_what_comes_in(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The line is drawn again below, and can be finished."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann")
    ann.read_until("ann:")
    bob.read_until("--> ann joined")

    ann.type("half a li")
    ann.read_until("half a li")
    for number in range(3):
        bob.send(f"disturbing {number}\n")
        ann.read_until(f"bob: disturbing {number}")
        ann.read_until("ann: half a li")
    ann.type("ne" + ENTER)

    assert bob.read_line() == "ann: half a line"


def test_the_screen_is_as_it_should_be(pychat: Programs, clients: Clients, tmp_path: Path) -> None:
    """The same, as a real terminal shows it: each thing once, the typed line last."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", os.devnull]
    command = [*PYCHAT, "connect", "--nick", "ann", "--port", str(port)]

    def run(*arguments: str) -> str:
        result = subprocess.run([*tmux, *arguments], env=pychat.environment, capture_output=True, text=True, check=True)
        return result.stdout

    def screen() -> list[str]:
        return [line for line in run("capture-pane", "-p").splitlines() if line]

    run("new-session", "-d", "-x", "80", "-y", "24", *command)
    try:
        bob.read_until("--> ann joined")
        wait_until(lambda: screen()[-1:] == ["ann:"], "the line to type in")
        run("send-keys", "half a li")
        wait_until(lambda: screen()[-1:] == ["ann: half a li"], "the typed text")
        bob.send("one\ntwo\n")
        expected = [
            "-- welcome to pychat, ann; /help lists the commands",
            "-- you are in lobby: bob, ann",
            "bob: one",
            "bob: two",
            "ann: half a li",
        ]
        # The line is taken away and drawn again for each output, so a single look may come in between.
        wait_until(lambda: screen() == expected, "the messages above the line")
    finally:
        run("kill-server")


def test_control_characters_do_not_reach_the_terminal(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Also from a server that does not clean what its members say."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")
    bob = clients.json(("127.0.0.1", port), "bob")

    bob.ask("say", text="a\x1b]0;title\x07b\x9bc")

    ann.read_until("bob: a\ufffd]0;title\ufffdb\ufffdc")


def test_ctrl_c_clears_the_line_and_twice_leaves(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Nothing of the cleared line is said; the exit code is that of an interrupted program."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")
    ann.read_until("ann:")

    ann.type("never said" + CTRL_C)
    ann.type(ENTER + CTRL_C)

    assert ann.wait() == 130
    assert bob.read_until("<--") == ["--> ann joined lobby", "<-- ann left (quit)"]


@pytest.mark.parametrize("sends_signal", [True, False])
def test_ctrl_d_leaves_and_a_signal_interrupts(
    pychat: Programs, clients: Clients, terminals: Terminals, sends_signal: bool
) -> None:
    """The end of input is the end, with exit code 0; SIGINT from elsewhere is 130."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")
    ann.read_until("ann:")

    if sends_signal:
        ann.process.send_signal(signal.SIGINT)
    else:
        ann.type(CTRL_D)

    assert ann.wait() == (130 if sends_signal else 0)
    assert bob.read_until("<--")[-1] == "<-- ann left (quit)"


def test_a_paste_is_one_message(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """A terminal says where a paste begins and ends; its lines are not sent one by one."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")

    ann.type("\x1b[200~one\rtwo\rthree\x1b[201~" + ENTER)

    assert bob.next("message")["text"] == "one\ntwo\nthree"


def test_a_line_stays_while_there_is_no_connection(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """It is said when Enter is pressed again, after the client is back."""
    server, port = pychat.serve()
    ann = terminals(port, "--nick", "ann")
    ann.read_until("you are in lobby")
    ann.read_until("ann:")
    server.signal(signal.SIGKILL)
    ann.read_until("-- the server closed the connection; trying to come back")

    ann.type("important" + ENTER)
    ann.read_until("not connected; the line stays here until you are back")
    pychat.serve(port=port)
    ann.read_until("-- back again")
    bob = clients.text(("127.0.0.1", port), "bob")
    ann.type(ENTER)

    assert bob.read_line() == "ann: important"


def test_without_reconnect_a_loss_is_the_end(pychat: Programs, terminals: Terminals) -> None:
    """The line is given back to the shell, with the reason."""
    server, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--no-reconnect")
    ann.read_until("you are in lobby")
    ann.read_until("ann:")

    server.signal(signal.SIGTERM)

    ann.read_until("Error: the server said goodbye: the server is shutting down")
    assert ann.wait() == 5


def test_nobody_there_is_told_before_anything_is_drawn(terminals: Terminals) -> None:
    """With exit code 3."""
    ann = terminals(1, "--nick", "ann")

    ann.read_until("Error: cannot connect to 127.0.0.1 port 1: Connection refused; is the server running")
    assert ann.wait() == 3


def test_a_dumb_terminal_is_served_line_by_line(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """It cannot move its cursor, so there is no line that stays at the bottom, but one can talk and hear."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann", kind="dumb")
    ann.read_until("you are in lobby: bob, ann")

    ann.type("hello\n")
    bob.read_until("ann: hello")
    bob.send("hi\n")

    ann.read_until("bob: hi")


def test_an_escape_sequence_among_the_keys_does_no_harm(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """A paste without brackets may have one that looks like an event of the mouse."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann")
    ann.read_until("ann:")

    ann.type("red\x1b[31m line" + ENTER)

    assert bob.read_until("line")[-1] == "ann: red line"
