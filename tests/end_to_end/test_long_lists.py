"""Answers that are longer than what may wait for one member: whoever asks gets all of it, in each language."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest
from chat_clients import DEADLINE, Clients, Peer

from pychat import ChatServer, Handler, Limits, Session
from pychat.handlers import Broadcast
from pychat.transport import send_queue as sender_module

MEMBERS = 400
AWAY = "あ" * 60
QUEUE = 8192
END = "the-end"


ENDS: queue.SimpleQueue[tuple[str | None, str]] = queue.SimpleQueue()


class Ends(Handler):
    """Notes who is cut off, and why."""

    def on_disconnect(self, session: Session, reason: str) -> None:
        """Note it."""
        if reason.startswith("too slow"):
            ENDS.put((session.nickname, reason))


@pytest.fixture(scope="module")
def crowded() -> Iterator[ChatServer]:
    """A server with many members in a room, all away, and as many rooms with topics; hardly anything may wait."""
    limits = Limits(send_queue_bytes=QUEUE, rooms_per_session=500)
    with ChatServer(port=0, handlers=[Broadcast(), Ends()], limits=limits) as running:
        for number in range(MEMBERS):
            session = running.session(f"member{number}")
            session.set_away(AWAY)
        for number in range(MEMBERS):
            session.join(f"room{number}")
            session.set_topic(AWAY)
        yield running.start()


def lines_until_end(peer: Peer) -> list[str]:
    """Read everything up to the answer to the last request."""
    return [line.rstrip("\r") for line in peer.read_until(END)]


HELLO = '{"type":"hello","nick":"ann"}\n'
JSON = HELLO + '{"type":"who","ref":1}\n{"type":"rooms","ref":2}\n{"type":"ping","token":"the-end"}\n'
IRC = "NICK bob\r\nUSER a 0 * :a\r\nJOIN #lobby\r\nNAMES #lobby\r\nWHO #lobby\r\nLIST\r\nPING the-end\r\n"
LABELS = "CAP REQ :batch labeled-response\r\nNICK carl\r\nUSER a 0 * :a\r\nCAP END\r\n@label=x LIST\r\nPING the-end\r\n"
TEXT = "dora\n/who lobby\n/list\n/whois the-end\n"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        pytest.param(JSON, {'"nick":"member': 2 * MEMBERS, '"topic":"あ': MEMBERS}, id="JSON"),
        pytest.param(IRC, {" 366 ": 2, " 352 ": MEMBERS + 1, " 322 ": MEMBERS + 1}, id="IRC"),
        pytest.param(LABELS, {" 322 ": MEMBERS + 1}, id="IRC with labels"),
        pytest.param(TEXT, {"(away: あ": MEMBERS + 20, "; topic: あ": MEMBERS}, id="text"),
    ],
)
def test_who_reads_gets_all_of_a_long_list(
    crowded: ChatServer, said: str, found: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by a line that takes little at once."""
    monkeypatch.setattr(sender_module, "_READS_SECONDS", DEADLINE)  # so long this test may read nothing
    with Clients() as clients:
        peer = clients.raw(crowded, receive_buffer=4096)
        peer.send(said)
        got = "\n".join(lines_until_end(peer))

    assert {part: got.count(part) for part in found} == found


def test_who_does_not_read_is_cut_off(crowded: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody keeps a long list in the server's memory by not taking it."""
    monkeypatch.setattr(sender_module, "_READS_SECONDS", 0.05)
    with Clients() as clients:
        peer = clients.raw(crowded, receive_buffer=4096)
        peer.send(JSON.replace("ann", "eve"))

        assert ENDS.get(timeout=DEADLINE) == ("eve", f"too slow: more than {QUEUE} bytes were waiting")
