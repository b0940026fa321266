"""Another copy of the shared state, which applies what was proposed elsewhere, and the state as plain data."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from pychat.core import sequencer
from pychat.core.outcome import Outcome, Position
from pychat.core.people.directory import Directory
from pychat.core.people.index import Index
from pychat.core.people.state import Person
from pychat.core.proposals import APPLY, Proposal, decode, encode
from pychat.core.rooms.state import RoomRecord
from pychat.core.state import State
from pychat.model.masks import MaskList


class Applied(NamedTuple):
    """A proposal that was applied, and its position."""

    proposal: Proposal
    time: float
    monotonic: float
    newest: int
    stamp: float


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Applied]]:
    """Record every proposal of any chat that is applied and not refused."""
    stream: list[Applied] = []

    def recording(apply: Any) -> Any:
        def record(state: State, proposal: Proposal, position: Position) -> Outcome:
            outcome: Outcome = apply(state, proposal, position)
            at = position.time(), position.monotonic(), position.newest
            stream.append(Applied(proposal, *at, position._stamp or 0.0))
            return outcome

        return record

    with monkeypatch.context() as patch:
        patch.setattr(sequencer, "APPLY", {kind: recording(apply) for kind, apply in APPLY.items()})
        yield stream


class PlainRooms:
    """Rooms without a server: there is no limit here, because refused joins are not part of the stream."""

    def __init__(self) -> None:
        self.by_key: dict[str, RoomRecord] = {}

    def known(self, key: str) -> RoomRecord | None:
        return self.by_key.get(key)

    def use_locked(self, room: RoomRecord, identity: int | None = None) -> None:
        pass

    def remove_locked(self, room: RoomRecord) -> None:
        del self.by_key[room.key]


class Replica:
    """A copy that begins empty."""

    def __init__(self) -> None:
        self.rooms = PlainRooms()
        self.state = State(self.rooms)

    def apply(self, applied: Applied) -> None:
        """Apply a proposal as it comes from another server."""
        proposal: Any = decode(json.loads(json.dumps(encode(applied.proposal))))
        if hasattr(proposal, "created") and proposal.room not in self.rooms.by_key:
            self.rooms.by_key[proposal.room] = RoomRecord(proposal.name, proposal.created)
        position = Position(applied.time, applied.monotonic, applied.newest, lambda: applied.stamp)
        APPLY[type(proposal)](self.state, proposal, position)


def dump(state: State, rooms: dict[str, Any]) -> dict[str, Any]:
    """Return the whole state as plain data, with these rooms."""
    shared = {name: plain(getattr(state, name)) for name in State.__slots__ if name != "rooms"}
    named = {identity: of_slots(person) for identity, person in state.people.named.items()}
    found = {key: of_slots(room, RoomRecord) for key, room in sorted(rooms.items())}
    return {**shared, "persons": named, "rooms": found}


def of_slots(value: Any, kind: Any = None) -> dict[str, Any]:
    """Return the attributes of an object."""
    return {name: plain(getattr(value, name)) for name in (kind or type(value)).__slots__}


def plain(value: Any) -> Any:
    """Return plain data that is equal for equal state; people and rooms are named by identity and key."""
    match value:
        case Person():
            return "person", value.identity
        case RoomRecord():
            return "room", value.key
        case MaskList():
            return "masks", [plain(entry) for entry in value]
        case Index():
            return {key: sorted(repr(plain(each)) for each in values) for key, values in value.items()}
        case Directory():
            return plain(value._people)
        case dict():
            return [(plain(key), plain(each)) for key, each in value.items()]
        case set() | frozenset():
            return sorted(map(repr, value))
        case tuple() if hasattr(value, "_fields"):
            return type(value).__name__, *map(plain, value)
        case tuple() | list() | deque():
            return list(map(plain, value))
        case _ if hasattr(value, "__slots__") and type(value).__module__.startswith("pychat.core"):
            return of_slots(value)
        case _:
            return value
