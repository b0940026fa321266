"""Write a record for the hostile measurement: many messages, and many other events."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pychat.handlers import Broadcast
from pychat.server import ChatServer
from pychat.stores import SqliteLog

_WORDS: Final = (
    *(f"w{number}" for number in range(200)),
    "the",
    "a",
    "an",
    "note",
    "tea",
    "at",
    "nothing",
    "to",
    "two",
)


def write_record(path: Path, rooms: Sequence[str], messages: int, others: int, seed: int) -> None:
    """
    Create the file, with `messages` messages in the rooms, followed by `others` other events.

    To find the last message of a room, the server must pass all other events, each of which is in every room.
    """
    chance = random.Random(seed)
    with ChatServer(port=0, handlers=[Broadcast()], log=SqliteLog(path, sync="normal")) as server:
        ann = server.session("ann")
        for room in rooms:
            server.room(room)
            ann.join(room)
        for number in range(messages):
            ann.say(" ".join(chance.choices(_WORDS, k=8)), rooms[number % len(rooms)])
        for number in range(others):
            ann.set_away(f"for the {number}. time")
