"""A record with a past for the hostile measurement: much that was said, and much that is no message."""

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
    Make the file, in which so many messages were said in the rooms, and then something else happened so often.

    Whoever asks for the last message of a room has to go past all the others. Each of the others is in every room.
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
