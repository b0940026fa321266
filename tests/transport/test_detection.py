"""How a connection finds out what its peer speaks: first bytes, silence, deadlines; on real sockets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat_clients import Clients

from pychat import ChatServer, Limits

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


def test_a_peer_that_ends_before_it_says_anything_gets_nothing(server: MakeServer, clients: Clients) -> None:
    """No prompt, no goodbye: it is a port scanner."""
    peer = clients.raw(server())

    peer.end_sending()

    assert peer.read_rest() == b""
