"""How a connection finds out what its peer speaks: first bytes, silence, deadlines; on real sockets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients

from pychat import ChatServer, Limits
from pychat.transport import greeting

MakeServer = Callable[..., ChatServer]


def test_json_in_any_chunks(server: MakeServer, clients: Clients) -> None:
    """The first byte decides; the rest may come one by one."""
    ann = clients.new_json(server())

    for byte in b'{"type":"hello","nick":"ann"}\n':
        ann.send(bytes([byte]))

    assert ann.next("welcome")["nick"] == "ann"


def test_json_after_the_prompt(server: MakeServer, clients: Clients) -> None:
    """A program that thinks for a moment is asked with `NICK` as well; its first line may begin with that."""
    ann = clients.new_json(server())
    assert ann.read_exactly(4) == b"NICK"

    ann.ask("hello", nick="ann")

    assert ann.next("welcome")["nick"] == "ann"


@pytest.mark.parametrize("answer", [b"ann\n", b"ann\r\n", b"  ann \n", b"\xff\xfd\x18ann\r\n"])
def test_an_answer_with_a_newline_is_plain_text(server: MakeServer, clients: Clients, answer: bytes) -> None:
    """`nc` and telnet: from then on a line is a message."""
    running = server()
    bob, ann = clients.text(running, "bob"), clients.raw(running)
    assert ann.read_exactly(4) == b"NICK"

    ann.send(answer)
    assert bob.read_line() == "--> ann joined lobby"
    ann.send("one\ntw")
    ann.send("o\n")

    assert [bob.read_line(), bob.read_line()] == ["ann: one", "ann: two"]


def test_an_answer_without_a_newline_is_the_classic_client(server: MakeServer, clients: Clients) -> None:
    """From then on what one `recv` returns is a message."""
    running = server()
    bob, ann = clients.text(running, "bob"), clients.raw(running)
    assert ann.read_exactly(4) == b"NICK"

    ann.send("ann")
    assert bob.read_line() == "--> ann joined lobby"
    ann.send("one")

    assert bob.read_line() == "ann: one"


HINT = b"NICKNAME wanted: type one and press Enter\r\n"


def test_a_person_who_goes_on_looking_at_the_prompt_is_told_what_to_type(server: MakeServer, clients: Clients) -> None:
    """The four bytes become a line, which nothing is glued to."""
    ann = clients.raw(server())

    assert ann.read_exactly(len(HINT)) == HINT
    ann.send("ann\n")

    assert ann.read_line() == "-- welcome to pychat, ann; /help lists the commands"


@pytest.mark.parametrize("messages", [["zoe: one", "zoe: two"], ["zoe: one\n", "zoe: two\n"]])
def test_a_classic_client_that_missed_the_prompt_comes_in_with_its_first_message(
    server: MakeServer, clients: Clients, messages: list[str]
) -> None:
    """One that asked for the nickname after it had connected reads prompt and hint at once, and shows them."""
    running = server()
    bob, zoe = clients.text(running, "bob"), clients.raw(running)
    assert zoe.read_exactly(len(HINT)) == HINT

    zoe.send(messages[0])
    assert [bob.read_line(), bob.read_line()] == ["--> zoe joined lobby", "zoe: one"]
    zoe.send(messages[1])

    assert bob.read_line() == "zoe: two"


@pytest.mark.parametrize("prompted", [b"NICK", HINT])
def test_other_languages_are_known_behind_the_hint(server: MakeServer, clients: Clients, prompted: bytes) -> None:
    """They hear one line that is nothing to them."""
    running = server()
    ann, bob = clients.new_json(running), clients.raw(running)
    assert ann.read_exactly(len(prompted)) == prompted
    assert bob.read_exactly(len(prompted)) == prompted

    ann.ask("hello", nick="ann")
    bob.send("NICK bob\r\nUSER bob 0 * :Bob\r\n")

    assert ann.next("welcome")["nick"] == "ann"
    assert bob.read_exactly(len(HINT) - len(prompted)) == HINT[len(prompted) :]
    assert bob.read_line().startswith(":irc.pychat 001 bob ")


def test_a_telnet_that_sends_each_key_is_not_taken_for_the_classic_client(server: MakeServer, clients: Clients) -> None:
    """Single characters and pauses are somebody who types; the newline makes it a line."""
    running = server(limits=Limits(detection_seconds=30.0))
    bob, ann = clients.text(running, "bob"), clients.raw(running)
    assert ann.read_exactly(4) == b"NICK"

    ann.send("a")
    other = clients.raw(running)  # whose prompt comes after 0.3 s: longer than the silence that makes a classic client
    assert other.read_exactly(4) == b"NICK"
    ann.send("nn\n")

    assert bob.read_line() == "--> ann joined lobby"


def test_a_peer_that_stays_unclear_is_text_when_the_time_is_over(server: MakeServer, clients: Clients) -> None:
    """One deadline for all of it, from the first byte on; what was sent so far is the begin of a line."""
    running = server(limits=Limits(detection_seconds=0.1))
    bob, ann = clients.text(running, "bob"), clients.raw(running)

    ann.send("a")
    other = clients.raw(running)
    assert other.read_exactly(4) == b"NICK"
    ann.send("nn\nhello\n")

    assert [bob.read_line(), bob.read_line()] == ["--> ann joined lobby", "ann: hello"]


def test_4096_bytes_without_a_newline_are_text(server: MakeServer, clients: Clients) -> None:
    """Nobody keeps the server guessing."""
    ann = clients.raw(server())

    ann.send("x" * 4100 + "\nann\n")

    assert ann.read_line() == "! line too long: at most 4096 bytes"
    assert ann.read_line() == "-- welcome to pychat, ann; /help lists the commands"


def test_a_peer_that_ends_before_it_says_anything_gets_nothing(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No prompt, no goodbye: it is a port scanner."""
    monkeypatch.setattr(greeting, "PROMPT_SECONDS", DEADLINE)  # it is not asked because the machine is slow
    peer = clients.raw(server())

    peer.end_sending()

    assert peer.socket.recv(100) == b""
