"""Proposals: their form in JSON, and that a refused one changes nothing."""

from __future__ import annotations

import json
import math
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import Recorder, enter, make_chat, no_alarm_is_left

from pychat.core.moderation.changes import BanLift, NewBan, NewInvitation, NewModes, NewServerBan, ServerBanLift
from pychat.core.outcome import Author
from pychat.core.people.changes import NewAway, NewRealname, NewUserModes
from pychat.core.proposals import APPLY, VERSION, Proposal, decode, encode
from pychat.core.rooms.changes import (
    AccountForgotten,
    Arrival,
    Departure,
    EmptyRoomExpiry,
    MaskExpiry,
    NewTopic,
    Removal,
)
from pychat.core.rooms.snapshot import snapshot_of
from pychat.model.errors import NotHere, Refused, RemoteProtocolError
from pychat.model.modes import ALL, ModeChange

__all__ = ["no_alarm_is_left"]

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(),
    float: st.floats(-1e15, 1e15),
    str: st.text(),
    bool: st.booleans(),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return all values of the type of a field."""
    if kind in SCALARS:
        return SCALARS[kind]
    if get_origin(kind) is tuple:
        kinds = get_args(kind)
        if kinds[-1] is ...:
            return st.lists(values(kinds[0]), max_size=3).map(tuple)
        return st.tuples(*map(values, kinds))
    if hasattr(kind, "_fields"):
        hints = get_type_hints(kind)
        return st.builds(kind, **{name: values(hints[name]) for name in kind._fields})
    return st.one_of(*map(values, get_args(kind)))


PROPOSALS: st.SearchStrategy[Proposal] = st.one_of(*map(values, APPLY))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(PROPOSALS)
def test_every_proposal_survives_json(proposal: Proposal) -> None:
    """What one server proposes, another one can apply."""
    assert decode(json.loads(json.dumps(encode(proposal)))) == proposal


@given(PROPOSALS, st.integers(min_value=0), ANY_JSON)
def test_a_wrong_field_is_refused_or_is_right(proposal: Proposal, at: int, instead: object) -> None:
    """Only values of its type reach the state."""
    data: Any = json.loads(json.dumps(encode(proposal)))
    data["fields"][at % len(proposal)] = instead

    try:
        found = decode(data)
    except RemoteProtocolError:
        return
    assert json.loads(json.dumps(encode(found)))["fields"][at % len(proposal)] == instead


@given(ANY_JSON)
def test_anything_else_is_refused(data: object) -> None:
    """An object of any other form."""
    with pytest.raises(RemoteProtocolError):
        decode(data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": VERSION + 1}, "version 2; this server knows 1"),
        ({"version": True}, "not a proposal"),
        ({"type": "Nonsense"}, "unknown type"),
        ({"type": ["NewTopic"]}, "unknown type"),
        ({"fields": ["lobby", 1]}, "wrong NewTopic"),
        ({"fields": ["lobby", "1", "tea"]}, "wrong NewTopic.by"),
        ({"type": "NewServerBan", "fields": [[1, ""], "", "", 10**400, "", ""]}, "wrong NewServerBan.seconds"),
        ({"type": "NewServerBan", "fields": [[1, ""], "", "", math.inf, "", ""]}, "wrong NewServerBan.seconds"),
        ({"type": "NewServerBan", "fields": [[1, ""], "", "", math.nan, "", ""]}, "wrong NewServerBan.seconds"),
    ],
)
def test_the_error_names_what_is_wrong(change: dict[str, object], words: str) -> None:
    """For whoever runs servers of different versions."""
    with pytest.raises(RemoteProtocolError, match=words):
        decode({**encode(NewTopic("lobby", 1, "tea")), **change})


class World:
    """A room with an operator, a member and a stranger, and a ban from the server."""

    def __init__(self) -> None:
        self.chat = make_chat()
        self.people = [enter(self.chat, "ann", "ops"), enter(self.chat, "bob", "ops"), enter(self.chat, "eve", "den")]
        ann = self.people[0]
        self.rooms = [self.chat.state.room(key) for key in ("ops", "den")]
        self.chat.propose(NewModes("ops", by(ann), (ModeChange(True, "b", "x!*@*"),), (), 3))
        self.chat.propose(NewServerBan(by(ann), "ann", "192.0.2.1", None, "", "banned somebody"))

    def state(self) -> tuple[object, ...]:
        """Everything that proposals change, as it would be stored."""
        rooms = self.rooms
        return (
            [snapshot_of(room, 0.0) for room in rooms],
            [tuple(masks) for room in rooms for masks in room.state.lists.values()],
            dict(self.chat.state.server_bans.bans),
            self.chat.state.server_bans.version,
            [(one.nickname, one.account, one.away, one.realname, one.modes, list(one.rooms)) for one in self.people],
            [dict(room.state.members) for room in rooms],
        )


def by(session: Recorder) -> Author:
    """Return a session as an author."""
    return Author(session.identity, session.nickname or "")


def likely(world: World) -> st.SearchStrategy[Proposal]:
    """Return proposals that are often allowed."""
    rooms = st.sampled_from(["ops", "den", "nowhere"])
    identities = st.sampled_from([person.identity for person in world.people] + [0])
    authors = st.builds(Author, identities, st.just("somebody"))
    masks = st.sampled_from(["x!*@*", "y!*@*", "m:z!*@*", "bob!*@*", "a:ann"])
    modes = st.builds(
        ModeChange, st.booleans(), st.sampled_from(ALL + "?"), st.none() | masks | st.sampled_from(["bob", "5"])
    )
    members = st.lists(st.tuples(st.just("bob"), identities), max_size=1).map(tuple)
    most, seconds = st.integers(0, 5), st.none() | st.floats(1, 1e6)
    targets = st.sampled_from(["192.0.2.1", "192.0.2.2", "a:eve"])
    return st.one_of(
        st.builds(NewTopic, rooms, identities, st.text(max_size=5)),
        st.builds(Arrival, rooms, identities, st.none(), *[st.booleans()] * 3, st.just("irc.pychat")),
        st.builds(Departure, rooms, identities, st.just(""), st.booleans(), st.booleans()),
        st.builds(Removal, rooms, identities, identities, st.just("bob"), st.just(""), st.booleans(), st.booleans()),
        st.builds(MaskExpiry, rooms, st.just("irc.pychat")),
        st.builds(EmptyRoomExpiry, rooms),
        st.builds(AccountForgotten, rooms, st.just("ann")),
        st.builds(NewAway, identities, st.none() | st.just("lunch")),
        st.builds(NewRealname, identities, st.sampled_from(["Ann", "x"])),
        st.builds(NewUserModes, identities, st.lists(modes, max_size=2).map(tuple), st.just("here")),
        st.builds(NewInvitation, rooms, authors, identities, st.just("eve")),
        st.builds(NewModes, rooms, authors, st.lists(modes, max_size=3).map(tuple), members, most),
        st.builds(NewBan, rooms, authors, masks, st.none() | identities, st.just(()), seconds, st.just(""), most),
        st.builds(BanLift, rooms, authors, st.lists(masks, max_size=2).map(tuple), st.just("x"), st.booleans()),
        st.builds(NewServerBan, authors, st.just("ann"), targets, seconds, st.just(""), st.just("banned")),
        st.builds(ServerBanLift, authors, targets, st.none() | st.just("ended")),
    )


@given(st.data())
def test_a_refused_proposal_changes_nothing(data: st.DataObject) -> None:
    """Whoever proposes it, about whatever; one that is accepted is stored as it is."""
    world = World()
    for _ in range(8):
        proposal = data.draw(likely(world))
        before, newest = world.state(), world.chat.log.last_id()
        try:
            outcome = world.chat.propose(proposal)
        except Refused:
            assert (world.state(), world.chat.log.last_id()) == (before, newest)
        else:
            if not outcome.effects:
                assert world.state() == before


def test_somebody_who_is_gone_proposes_nothing() -> None:
    """The session may have ended since its verb began."""
    world = World()
    ann = world.people[0]
    world.chat.close(ann, "gone")

    with pytest.raises(NotHere):
        world.chat.propose(NewTopic("ops", ann.identity, "tea"))

    assert world.chat.state.room("ops").topic == ""
