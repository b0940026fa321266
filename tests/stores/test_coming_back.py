"""Coming back to a room that goes on: everything once, in the room's order."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from chat_clients import DEADLINE
from chat_networks import MakeClient, join

from pychat import Message
from pychat.client import Reconnected, backoff
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.replies import Gap
from pychat.stores import SqliteLog
from pychat.testing import MakeChat

__all__ = ["join"]  # the fixture

WRITERS = 10
CUTS = 100


def test_a_client_that_is_cut_off_100_times_misses_nothing(
    chat_server: MakeChat, join: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While ten others write, with little in memory, so that it is brought up to the present from the file."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.01)
    chat = chat_server(log=SqliteLog(tmp_path / "chat.db", events=20), handlers=[JoinLeaveNotices(), Broadcast()])
    network = chat.network()
    ann = join(network.port, "ann", reconnect=True)
    room = chat.room("lobby")
    done = threading.Event()
    heard: list[Message] = []

    def write(name: str) -> None:
        while not done.wait(0.005):  # more would only make a slow machine slower
            room.publish(Message(0, 0.0, "lobby", name, "hello"))

    def listen(kind: type[Message | Reconnected], text: str = "") -> None:
        for item in ann.events(DEADLINE):
            assert not isinstance(item, Gap)
            if isinstance(item, Message):
                heard.append(item)
            if isinstance(item, kind) and (not text or heard[-1].text == text):
                return
        raise AssertionError(f"no {kind.__name__}")

    writers = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for _ in range(CUTS):
        listen(Message)
        network.cut()
        listen(Reconnected)
    done.set()
    for writer in writers:
        writer.join(DEADLINE)
    room.publish(Message(0, 0.0, "lobby", "w0", "the end"))
    listen(Message, "the end")

    events = chat.server.chat.log.read_after(("lobby",), heard[0].id - 1).events
    assert [message.id for message in heard] == [event.id for event in events if isinstance(event, Message)]
