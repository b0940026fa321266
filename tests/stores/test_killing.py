"""What was acknowledged survives the end of the process, and a disk that is full: with real processes."""

from __future__ import annotations

from pathlib import Path

from chat_clients import DEADLINE, JsonPeer
from killing import kill_once, serving

from pychat.model.events import Message
from pychat.stores import SqliteLog


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """Three times on the same file, in the middle of 20 writers: all is there, once, in the order all heard."""
    for messages in (1, 50, 400):
        assert kill_once(tmp_path / "chat.db", writers=20, messages=messages) >= messages


def test_a_disk_that_is_full_and_then_is_not(tmp_path: Path) -> None:
    """The server lives, tells who writes, lets everybody read, and goes on by itself; nothing is lost."""
    acknowledged: list[str] = []
    with serving(tmp_path / "chat.db", "300000") as server:
        ann = JsonPeer(("127.0.0.1", server.port))
        ann.ask("hello", nick="ann")
        answer = ann.answer("say", text="first")
        while answer["type"] == "ok":
            text = f"{len(acknowledged)} " + "x" * 3000
            answer = ann.answer("say", text=text)
            if answer["type"] == "ok":
                acknowledged.append(text)
        assert answer["code"] == "not_stored"
        assert answer["text"] in (
            "your message cannot be stored: the disk reports an error",
            "your message cannot be stored: no space left on the disk",
        )
        assert ann.answer("say", text="refused")["type"] == "error"
        events = ann.answer("history", limit=1)["events"]
        assert events[-1]["text"] == acknowledged[-1]

        server.stdin.write("there is room again\n")
        server.stdin.flush()
        while answer["type"] != "ok":
            answer = ann.answer("say", text="last")
        ann.close()
    log = SqliteLog(tmp_path / "chat.db")
    stored = [event.text for event in log.read_after(("lobby",), 0).events if isinstance(event, Message)]
    log.close(DEADLINE)
    assert stored == ["first", *acknowledged, "last"]
