"""What other chat servers have got wrong, and this one shall not. docs/security.md, "Threats", names all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from chat_clients import Clients, pychat_threads, wait_until
from irc_peer import irc

from pychat import ChatServer, Limits
from pychat.transport.link import WireSession

MakeServer = Callable[..., ChatServer]

LINE = "x" * 3000


def crowd_out(server: ChatServer, clients: Clients, limits: Limits) -> tuple[Any, Any, Any]:
    """Let ann talk until something waits for slow, who does not read; return ann, bob, and slow."""
    ann, bob = clients.text(server, "ann"), clients.text(server, "bob")
    slow = clients.text(server, "slow", receive_buffer=4096)
    bob.read_until("slow joined")
    session = server.chat.find("slow")
    assert isinstance(session, WireSession)
    number = 0
    while not session.link.queue:
        assert number < 10_000, limits
        ann.send(f"{number} {LINE}\n")
        assert bob.read_until(f"ann: {number} ")
        number += 1
    return ann, bob, slow


def test_nobody_waits_for_a_member_that_is_full(server: MakeServer, clients: Clients) -> None:
    """ssh-chat: whoever spoke waited up to five seconds for each of them. Here others are heard meanwhile."""
    limits = Limits(stall_seconds=3600.0, send_queue_bytes=10_000_000, pending_bytes=10_000_000)
    running = server(limits=limits)
    ann, bob, _ = crowd_out(running, clients, limits)

    for number in range(50):
        ann.send(f"quick {number}\n")
        assert bob.read_line() == f"ann: quick {number}"
        bob.send(f"yes {number}\n")
        ann.read_until(f"bob: yes {number}")

    assert len(running.chat.sessions()) == 3, "slow is still there: nobody had to wait for its end"


def test_what_is_dropped_is_not_dropped_in_silence(server: MakeServer, clients: Clients) -> None:
    """channels: more than a hundred messages were left out, and nobody was told. Here what is heard has no hole."""
    limits = Limits(send_queue_bytes=100_000, stall_seconds=3600.0)
    running = server(limits=limits)
    ann, bob, slow = crowd_out(running, clients, limits)

    number, told = 0, list[str]()
    while running.chat.find("slow") is not None:
        ann.send(f"more {number} {LINE}\n")
        told += bob.read_until(f"ann: more {number} ")
        number += 1
    bob.send("/who\n")
    told += bob.read_until("-- in lobby")

    *whole, _ = slow.read_rest().decode().split("\n")  # the last one may be cut off
    heard = [line.split(" ") for line in whole if line.startswith("ann: ")]
    numbers = [int(words[1]) for words in heard if words[1] != "more"]
    more = [int(words[2]) for words in heard if words[1] == "more"]
    assert numbers == list(range(len(numbers)))
    assert more == list(range(len(more)))
    assert len(more) < number
    assert "<-- slow left (too slow: more than 100000 bytes were waiting)" in told


def test_options_are_read_and_not_changed() -> None:
    """python-socketio: a dict of options that two servers shared was changed by the first."""
    operators, motd, proxies = {"root": "sesame"}, ["Be kind."], ["127.0.0.2"]
    with ChatServer(port=0, operators=operators, motd=motd, proxies=proxies) as server:
        assert (operators, motd, proxies) == ({"root": "sesame"}, ["Be kind."], ["127.0.0.2"])
        operators["eve"] = "apple"
        motd.append("Or not.")
        assert not server.chat.operators.check("eve", "apple")
        assert server.chat.motd == ("Be kind.",)


@pytest.mark.parametrize("word", ["DUMP", "DEBUG", "REHASH", "DIE", "RESTART", "SQUIT", "CONNECT", "TRACE"])
def test_nobody_prints_the_state_of_the_server(
    server: MakeServer, clients: Clients, capfd: pytest.CaptureFixture[str], word: str
) -> None:
    """A server for IRC in Python (jaraco/irc): DUMP, from anybody, printed everything on its standard output."""
    running = server()
    bob = clients.json(running, "bob")
    ann = irc(clients, running, "ann", "#lobby")

    assert [line.command for line in ann.ask(word)] == ["421"]
    assert bob.answer(word.lower())["code"] == "unknown_type"

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("threads", "cost"), [("few", 0), ("each", 1)])
def test_a_connection_costs_no_thread_or_one(
    server: MakeServer, clients: Clients, threads: Literal["few", "each"], cost: int
) -> None:
    """Websockets (sync): three for each connection, and a pool for each broadcast."""
    running = server(threads=threads)
    before = len(pychat_threads())
    peers = [clients.text(running, f"c{number}") for number in range(30)]

    peers[0].send("hello\n")
    for peer in peers[1:]:
        peer.read_until("c0: hello")

    # One more rests, for the first one that blocks.
    wait_until(lambda: before <= len(pychat_threads()) - 30 * cost <= before + 1, f"{cost} for each")
