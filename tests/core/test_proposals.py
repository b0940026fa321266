"""Proposals: their form in JSON, and that a refused one changes nothing."""

from __future__ import annotations

import json
import math
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import Recorder, enter, make_chat, no_alarm_is_left
from replica import dump

from pychat.core.accounts.changes import (
    Claim,
    EndOfLogins,
    Entry,
    Grace,
    NewAccount,
    NewLogin,
    NewNickname,
    NewToken,
    TakingBack,
)
from pychat.core.moderation.changes import BanLift, NewBan, NewInvitation, NewModes, NewServerBan, ServerBanLift
from pychat.core.outcome import Author, Outdated
from pychat.core.people.changes import (
    NewAway,
    NewIgnored,
    NewRealname,
    NewUserModes,
    NewWatched,
    NicknameRelease,
    ReservationEnd,
    ReservationExpiry,
)
from pychat.core.proposals import APPLY, VERSION, Proposal, decode, encode
from pychat.core.rooms.changes import (
    AccountForgotten,
    Arrival,
    Departure,
    Disconnection,
    EmptyRoomExpiry,
    MaskExpiry,
    NewTopic,
    PinnedRoom,
    Removal,
    RoomRemoval,
)
from pychat.model.errors import NotHere, Refused, RemoteProtocolError
from pychat.model.modes import ALL, ModeChange
from pychat.model.tokens import digest_of

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
    """A room with an operator, a member and a stranger, a ban from the server, and somebody who is lost."""

    def __init__(self) -> None:
        self.chat = make_chat()
        self.people = [enter(self.chat, "ann", "ops"), enter(self.chat, "bob", "ops"), enter(self.chat, "eve", "den")]
        ann = self.people[0]
        self.rooms = [self.chat.room(key) for key in ("ops", "den")]
        self.chat.propose(NewModes("ops", by(ann), (ModeChange(True, "b", "x!*@*"),), (), 3))
        self.chat.propose(NewServerBan(by(ann), "ann", "192.0.2.1", None, "", "banned somebody"))
        lost = enter(self.chat, "lost", "den")
        lost.resumable = True
        self.chat.close(lost, "lost", lost=True)
        self.chat.propose(ReservationExpiry(digest_of(lost.token or "")))
        (self.lost,) = self.chat.state.people.parked

    def state(self) -> dict[str, object]:
        """Everything that proposals change."""
        return dump(self.chat.state, {room.key: room for room in self.rooms})


def by(session: Recorder) -> Author:
    """Return a session as an author."""
    return Author(session.identity, session.nickname or "")


ROOMS = st.sampled_from(["ops", "den", "nowhere"])
PEOPLE = st.integers(0, 3)
"""Places in `World.people`, and one of nobody."""
AUTHORS = st.builds(Author, PEOPLE, st.just("somebody"))
MASKS = st.sampled_from(["x!*@*", "y!*@*", "m:z!*@*", "bob!*@*", "a:ann"])
MODES = st.builds(
    ModeChange, st.booleans(), st.sampled_from(ALL + "?"), st.none() | MASKS | st.sampled_from(["bob", "5"])
)
SEVERAL_MODES = st.lists(MODES, max_size=3).map(tuple)
MEMBERS = st.lists(st.tuples(st.just("bob"), PEOPLE), max_size=1).map(tuple)
MOST, SECONDS = st.integers(0, 5), st.none() | st.floats(1, 1e6)
TARGETS = st.sampled_from(["192.0.2.1", "192.0.2.2", "a:eve"])
NOTHING, YES_OR_NO = st.just(""), st.booleans()
NICKNAMES = st.sampled_from(["ann", "bob", "new", "Bob", "lost"])
ACCOUNTS = st.none() | st.sampled_from(["ann", "eve"])
CLAIMS = st.builds(
    *(
        Claim,
        NICKNAMES,
        ACCOUNTS,
        YES_OR_NO,
        st.sampled_from([0.0, 60.0]),
        st.integers(0, 1),
        st.sampled_from([1, 1, 2]),
    )
)
TOKENS = st.none() | st.sampled_from(["lost", "two"])
SEVERAL_MASKS = st.lists(st.sampled_from(["x!*@*", "a:ann", "bob!*@*"]), max_size=3).map(tuple)
SEVERAL_NAMES = st.lists(NICKNAMES, max_size=3).map(tuple)
LIKELY: st.SearchStrategy[Proposal] = st.one_of(
    st.builds(NewTopic, ROOMS, PEOPLE, st.sampled_from(["", "tea"])),
    st.builds(
        *(Arrival, ROOMS, NOTHING, st.just(0.0), PEOPLE, st.none(), YES_OR_NO, YES_OR_NO, YES_OR_NO),
        st.just("irc.pychat"),
    ),
    st.builds(Departure, ROOMS, PEOPLE, NOTHING, YES_OR_NO, YES_OR_NO),
    st.builds(Removal, ROOMS, PEOPLE, PEOPLE, st.just("bob"), NOTHING, YES_OR_NO, YES_OR_NO),
    st.builds(MaskExpiry, ROOMS, st.just("irc.pychat")),
    st.builds(EmptyRoomExpiry, ROOMS),
    st.builds(AccountForgotten, ROOMS, st.just("ann")),
    st.builds(NewAway, PEOPLE, st.none() | st.just("lunch")),
    st.builds(NewRealname, PEOPLE, st.sampled_from(["Ann", "x"])),
    st.builds(NewUserModes, PEOPLE, SEVERAL_MODES, st.just("here")),
    st.builds(NewInvitation, ROOMS, AUTHORS, PEOPLE, st.just("eve")),
    st.builds(NewModes, ROOMS, AUTHORS, SEVERAL_MODES, MEMBERS, MOST),
    st.builds(NewBan, ROOMS, AUTHORS, MASKS, st.none() | PEOPLE, st.just(()), SECONDS, NOTHING, MOST),
    st.builds(BanLift, ROOMS, AUTHORS, st.lists(MASKS, max_size=2).map(tuple), st.just("x"), YES_OR_NO),
    st.builds(NewServerBan, AUTHORS, st.just("ann"), TARGETS, SECONDS, NOTHING, st.just("banned")),
    st.builds(ServerBanLift, AUTHORS, TARGETS, st.none() | st.just("ended")),
    st.builds(
        *(Entry, st.integers(7, 8), CLAIMS, st.just("~new@here"), NOTHING, NOTHING, YES_OR_NO, ACCOUNTS, TOKENS),
        st.sampled_from(["one", "two"]),
    ),
    st.builds(NewToken, PEOPLE, st.none() | st.just("three"), TOKENS, st.none()),
    st.builds(NewNickname, PEOPLE, CLAIMS),
    st.builds(Grace, PEOPLE, st.floats(0, 60)),
    st.builds(TakingBack, PEOPLE, NICKNAMES, st.just("ann"), st.sampled_from(["guest", "bob"]), st.integers(0, 1)),
    st.builds(NewLogin, PEOPLE, ACCOUNTS, st.integers(0, 2), YES_OR_NO, st.just("irc.pychat")),
    st.builds(EndOfLogins, st.just("ann"), st.none() | PEOPLE, st.just("irc.pychat")),
    st.builds(NewAccount, st.just("bob")),
    st.builds(Disconnection, PEOPLE, st.sampled_from([0.0, 30.0]), YES_OR_NO),
    st.builds(NicknameRelease, PEOPLE, st.sampled_from([0.0, 30.0]), st.just(("ops",)), YES_OR_NO, NOTHING),
    st.builds(ReservationEnd, st.lists(st.sampled_from(["lost", "x"]), max_size=2).map(tuple), st.none() | PEOPLE),
    st.builds(ReservationExpiry, st.just("lost")),
    st.builds(NewIgnored, PEOPLE, SEVERAL_MASKS, SEVERAL_MASKS, st.integers(0, 2)),
    st.builds(NewWatched, PEOPLE, YES_OR_NO, SEVERAL_NAMES, SEVERAL_NAMES, YES_OR_NO, st.integers(0, 2)),
    st.builds(PinnedRoom, ROOMS, NOTHING, st.just(0.0)),
    st.builds(RoomRemoval, ROOMS),
)
"""Proposals that are often allowed, with places instead of identities."""


UNHEARD = (Disconnection, Entry, Grace, NewAccount, NewWatched, EndOfLogins, NicknameRelease, RoomRemoval)
"""Those that may change something without any effect outside of the state."""


def with_identities(world: World, proposal: Any) -> Proposal:
    """Return the proposal with the identities of the people at these places."""
    if isinstance(proposal, Entry):
        return proposal._replace(resumes=world.lost if proposal.resumes == "lost" else proposal.resumes)
    identities = [*[person.identity for person in world.people], 0]
    found: dict[str, object] = {
        name: identities[getattr(proposal, name)]
        for name in ("by", "person")
        if getattr(proposal, name, None) is not None
    }
    if hasattr(proposal, "author"):
        found["author"] = proposal.author._replace(identity=identities[proposal.author.identity])
    if hasattr(proposal, "members"):
        found["members"] = tuple([(nickname, identities[place]) for nickname, place in proposal.members])
    if isinstance(proposal, ReservationEnd):
        found["digests"] = tuple([world.lost if digest == "lost" else digest for digest in proposal.digests])
    if isinstance(proposal, ReservationExpiry):
        found["digest"] = world.lost
    changed: Proposal = proposal._replace(**found)
    return changed


@given(st.lists(LIKELY, min_size=4, max_size=8))
def test_a_refused_proposal_changes_nothing(proposals: list[Proposal]) -> None:
    """Whoever proposes it, about whatever; one without any effect does not either."""
    world = World()
    for proposal in proposals:
        before, newest = world.state(), world.chat.log.last_id()
        try:
            outcome = world.chat.propose(with_identities(world, proposal))
        except (Refused, Outdated):
            assert (world.state(), world.chat.log.last_id()) == (before, newest)
        else:
            if not outcome.effects and not isinstance(proposal, UNHEARD):
                assert world.state() == before


def test_somebody_who_is_gone_proposes_nothing() -> None:
    """The session may have ended since its verb began."""
    world = World()
    ann = world.people[0]
    world.chat.close(ann, "gone")

    with pytest.raises(NotHere):
        world.chat.propose(NewTopic("ops", ann.identity, "tea"))

    assert world.chat.state.room("ops").state.topic == ""
