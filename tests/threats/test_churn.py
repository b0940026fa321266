"""
200 clients connect, talk and vanish in every rude way there is: nothing of them is left.

`PYCHAT_CHURN_SECONDS=60` lets them do it again and again for so long (CONTRIBUTING.md).
"""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, Peer, full_chain, pychat_threads, wait_until
from irc_peer import IrcPeer

from pychat import ChatServer

MakeServer = Callable[..., ChatServer]

CLIENTS = 200
TOGETHER = 8
"""Threads that play clients."""
SECONDS = float(os.environ.get("PYCHAT_CHURN_SECONDS", "0"))


# How they come in, each with a message when they are in


def in_text(server: ChatServer, name: str) -> Peer:
    """With a message."""
    peer = Peer(server)
    peer.send(f"{name}\nhello from {name}\n/who\n")
    peer.read_until("-- in lobby")
    return peer


def in_json(server: ChatServer, name: str) -> Peer:
    """With a message."""
    peer = JsonPeer(server)
    peer.ask("hello", nick=name)
    peer.answer("say", text=f"hello from {name}")
    return peer


def in_irc(server: ChatServer, name: str) -> Peer:
    """With a message."""
    peer = IrcPeer(server)
    peer.register(name)
    peer.ask("JOIN #lobby", f"PRIVMSG #lobby :hello from {name}")
    return peer


# How they go


def close(peer: Peer) -> None:
    """As one should, but without a word."""
    peer.close()


def reset(peer: Peer) -> None:
    """With a reset, while there is something unread."""
    peer.send("/who\n")
    peer.reset()


def reset_within_a_line(peer: Peer) -> None:
    """In the middle of a word, and of a character."""
    peer.send("delete ever\xf0\x9f")
    peer.reset()


def ask_and_not_listen(peer: Peer) -> None:
    """With a thousand questions, whose answers nobody reads."""
    with suppress(OSError):
        peer.send("/who\n" * 1000)
    peer.close()


def send_garbage(peer: Peer) -> None:
    """With what is no language."""
    with suppress(OSError):
        peer.send(bytes(range(256)) * 16)
    peer.reset()


def end_and_stay(peer: Peer) -> None:
    """With nothing more to say; the server ends it."""
    peer.end_sending()
    peer.read_rest()
    peer.close()


COMING = (in_text, in_json, in_irc)
GOING = (close, reset, reset_within_a_line, ask_and_not_listen, send_garbage, end_and_stay)


def come_and_go(server: ChatServer, prefix: str, numbers: range, failures: list[BaseException]) -> None:
    """Let the clients with these numbers come and go, one after the other."""
    try:
        for number in numbers:
            peer = COMING[number % len(COMING)](server, f"{prefix}{number}")
            GOING[number // len(COMING) % len(GOING)](peer)
    except BaseException as error:
        failures.append(error)


def descriptors() -> int:
    """How many this process has, server and clients together."""
    return len([*Path("/proc/self/fd").iterdir()])


def churn(server: ChatServer, prefix: str) -> None:
    """Let all of them come and go, some at the same time; their names begin with the prefix."""
    failures: list[BaseException] = []
    parts = [range(first, CLIENTS, TOGETHER) for first in range(TOGETHER)]
    threads = [threading.Thread(target=come_and_go, args=(server, prefix, part, failures)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4 * DEADLINE)
    assert failures == []


def test_churn_leaves_nothing(server: MakeServer, clients: Clients) -> None:
    """No thread, no descriptor, no member; and who stayed has heard everybody, and can still talk."""
    running = server(handlers=full_chain())
    witness, other = clients.text(running, "witness"), clients.text(running, "other")
    before = descriptors(), len(pychat_threads())
    until = time.monotonic() + SECONDS

    for turn in count():
        prefix = f"c{turn}x"  # new names, as those of JSON clients are kept a while for their tokens
        churn(running, prefix)
        other.send("it is over\n/who\n")
        other.read_until("-- in lobby")  # who does not read is cut off
        heard = witness.read_until("other: it is over")
        assert {line for line in heard if ": hello from c" in line} == {
            f"{prefix}{number}: hello from {prefix}{number}" for number in range(CLIENTS)
        }
        wait_until(lambda: running.connections == 2, "all of them are gone")
        wait_until(lambda: descriptors() <= before[0], "no descriptor is left of them")
        wait_until(lambda: len(pychat_threads()) <= before[1], "no thread is left of them")
        assert [session.nickname for session in running.chat.sessions()] == ["witness", "other"]
        if time.monotonic() >= until:
            break

    other.send("still here?\n")
    witness.read_until("other: still here?")


@pytest.mark.parametrize("come", [in_text, in_json, in_irc])
def test_a_session_needs_no_garbage_collector(server: MakeServer, come: Callable[[ChatServer, str], Peer]) -> None:
    """Its memory is free when its connection is closed: many who come and go do not wait for the next collection."""
    running = server(handlers=full_chain())
    gc.collect()
    gc.disable()
    try:
        peer = come(running, "ann")
        (session,) = map(weakref.ref, running.chat.sessions())
        peer.close()
        wait_until(lambda: session() is None, "nothing refers to the session")
    finally:
        gc.enable()
