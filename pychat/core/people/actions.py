"""The verbs that query people: present and past ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pychat.core.scan import Scan
from pychat.core.session import Session
from pychat.model import queries
from pychat.model.errors import NoSuchNickname
from pychat.model.masks import has_wildcards, matcher
from pychat.model.names import fold
from pychat.model.replies import Motd, PastPeople, People, Profile

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.rooms.room import Room

MOST_PEOPLE: Final = 500
"""The maximum number of people in one reply; a longer one would exceed a send queue."""
MOST_PAST: Final = 100
"""The maximum number of entries in one WHOWAS reply."""


def who_is(chat: Chat, session: Session, verb: queries.WhoIs) -> None:
    person = chat.find(verb.nickname)
    if person is None:
        raise NoSuchNickname(verb.nickname)
    chat.send(session, _profile(session, person, _shared(session, person), verb.ref))


def list_people(chat: Chat, session: Session, verb: queries.ListPeople) -> None:
    """Reply with at most `MOST_PEOPLE` profiles. If a room is given, each profile lists only that room."""
    room = None if verb.room is None else _open_room(chat, session, verb.room)
    scan = Scan(session, _candidates(chat, verb) if verb.room is None else () if room is None else room.members)
    describes, key = _matcher(verb.mask), fold(verb.mask)
    profiles: list[Profile] = []
    more = False
    for person in scan:
        if (verb.operators and "o" not in person.modes) or not describes(person):
            continue
        if not _may_see(session, person, key):
            continue
        if len(profiles) >= MOST_PEOPLE:
            more = True
            break
        profiles.append(_profile(session, person, _shared(session, person) if room is None else (room,)))
    name = verb.room if room is None else room.name
    chat.send(session, People(verb.ref, tuple(profiles), name, more or scan.more))


def find_people(chat: Chat, session: Session, verb: queries.FindPeople) -> None:
    found = map(chat.find, Scan(session, verb.nicknames[:MOST_PEOPLE]))
    profiles = [_profile(session, person, _shared(session, person)) for person in found if person is not None]
    chat.send(session, People(verb.ref, tuple(profiles), more=len(verb.nicknames) > MOST_PEOPLE))


def who_was(chat: Chat, session: Session, verb: queries.WhoWas) -> None:
    most = min(verb.most, MOST_PAST) if verb.most is not None and verb.most > 0 else MOST_PAST
    chat.send(session, PastPeople(verb.ref, tuple(chat.past.find(verb.nickname, most))))


def count_people(chat: Chat, session: Session, verb: queries.CountPeople) -> None:
    chat.send(session, chat.counts(verb.ref))


def get_motd(chat: Chat, session: Session, verb: queries.GetMotd) -> None:
    chat.send(session, Motd(verb.ref, chat.motd))


def _profile(session: Session, person: Session, rooms: tuple[Room, ...], ref: queries.Ref = None) -> Profile:
    """Return what a session may know of a person, with `rooms` as the person's rooms."""
    return Profile(
        ref,
        person.nickname or "",
        tuple(room.name for room in rooms),
        person.away,
        max(0.0, person.chat.clock.monotonic() - person.last_message_time),
        person.userhost,
        person.realname,
        person.modes,
        person.since,
        tuple(room.state.roles.get(person.identity, "") for room in rooms),
        person.secure,
        person.account,
        person.address if "o" in session.modes else "",
    )


def _shared(session: Session, person: Session) -> tuple[Room, ...]:
    return tuple(room for key, room in person.rooms.copy().items() if key in session.rooms)


def _open_room(chat: Chat, session: Session, name: str) -> Room | None:
    """Return a room that the session may list. A hidden secret room looks like one that does not exist."""
    room = chat.find_room(name)
    if room is None or not room.state.secret or session in room or "o" in session.modes:
        return room
    return None


def _may_see(session: Session, person: Session, key: str) -> bool:
    """Return whether a session may find a person without giving the exact nickname. `key` is the folded mask."""
    if "i" not in person.modes or person is session or "o" in session.modes:
        return True
    return bool(_shared(session, person)) or person.hostmask.nickname == key


def _matcher(mask: str) -> Callable[[Session], bool]:
    """Return a predicate that tells whether a person matches a mask."""
    if mask == "*":
        return lambda person: True
    match = matcher(mask)
    return lambda person: any(map(match, person.hostmask.texts))


def _candidates(chat: Chat, verb: queries.ListPeople) -> Sequence[Session]:
    """Return the people who may match the mask: all if it has wildcards, else those that the indexes contain."""
    if verb.operators:
        with chat.order.lock:
            return sorted(chat.census.having["o"], key=_arrival)
    if has_wildcards(verb.mask):
        return chat.sessions()
    text = fold(verb.mask)
    with chat.order.lock:
        person = chat.nicknames.find(text.partition("!")[0])
        if person is not None and text in person.hostmask.texts:
            return (person,)
        people = chat.nicknames.of(chat.state.people.directory.find(text))
    return sorted(people, key=_arrival)


def _arrival(session: Session) -> tuple[float, int]:
    return session.since, session.identity
