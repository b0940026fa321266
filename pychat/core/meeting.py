"""Who is here, and who was: what the verbs do that ask for people."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Final

from pychat.core import queries
from pychat.core.errors import NoSuchNickname
from pychat.core.masks import fits
from pychat.core.names import fold
from pychat.core.replies import Motd, PastPeople, People, Profile
from pychat.core.room import Room
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

MOST_PEOPLE: Final = 500
"""People in one answer: more would be over what a send queue takes."""
MOST_PAST: Final = 100
"""Entries in one answer about who was here."""


def who_is(chat: Chat, session: Session, verb: queries.WhoIs) -> None:
    person = chat.find(verb.nickname)
    if person is None:
        raise NoSuchNickname(verb.nickname)
    chat.send(session, _profile(person, _shared(session, person), verb.ref))


def list_people(chat: Chat, session: Session, verb: queries.ListPeople) -> None:
    """At most `MOST_PEOPLE`. Of those in a room that was asked for, the profile has only that room."""
    room = None if verb.room is None else _open_room(chat, session, verb.room)
    people: Iterable[Session]
    if verb.room is not None:
        people = (person for person in (() if room is None else room.members) if _fits(verb.mask, person))
    elif "*" in verb.mask or "?" in verb.mask:
        people = (person for person in chat.sessions() if _fits(verb.mask, person))
    else:
        people = _exactly(chat, verb.mask)
    found = (
        person
        for person in people
        if (not verb.operators or "o" in person.modes) and _may_see(session, person, verb.mask)
    )
    profiles = tuple(
        _profile(person, _shared(session, person) if room is None else (room,)) for person in islice(found, MOST_PEOPLE)
    )
    chat.send(session, People(verb.ref, profiles, verb.room if room is None else room.name))


def find_people(chat: Chat, session: Session, verb: queries.FindPeople) -> None:
    found = [chat.find(nickname) for nickname in verb.nicknames[:MOST_PEOPLE]]
    profiles = [_profile(person, _shared(session, person)) for person in found if person is not None]
    chat.send(session, People(verb.ref, tuple(profiles)))


def who_was(chat: Chat, session: Session, verb: queries.WhoWas) -> None:
    most = min(verb.most, MOST_PAST) if verb.most is not None and verb.most > 0 else MOST_PAST
    with chat.order.lock:
        people = chat.past.find(verb.nickname, most)
    chat.send(session, PastPeople(verb.ref, tuple(people)))


def count_people(chat: Chat, session: Session, verb: queries.CountPeople) -> None:
    chat.send(session, chat.counts(verb.ref))


def get_motd(chat: Chat, session: Session, verb: queries.GetMotd) -> None:
    chat.send(session, Motd(verb.ref, chat.motd))


def _profile(person: Session, rooms: tuple[Room, ...], ref: queries.Ref = None) -> Profile:
    return Profile(
        ref,
        person.nickname or "",
        tuple(room.name for room in rooms),
        person.away,
        max(0.0, person.chat.clock.monotonic() - person.spoke),
        person.userhost,
        person.realname,
        person.modes,
        person.since,
        tuple(room.rules.roles.get(person.identity, "") for room in rooms),
        person.secure,
        person.account,
    )


def _shared(session: Session, person: Session) -> tuple[Room, ...]:
    return tuple(room for key, room in person.rooms.copy().items() if key in session.rooms)


def _open_room(chat: Chat, session: Session, name: str) -> Room | None:
    """Return a room that one may look into: who asks cannot tell a secret one from one that is not there."""
    room = chat.find_room(name)
    if room is None or not room.rules.secret or session in room.occupants or "o" in session.modes:
        return room
    return None


def _may_see(session: Session, person: Session, mask: str) -> bool:
    """Whether one may be told of somebody without having given the very nickname."""
    if "i" not in person.modes or person is session or "o" in session.modes:
        return True
    return bool(_shared(session, person)) or fold(person.nickname or "") == fold(mask)


def _fits(mask: str, person: Session) -> bool:
    if mask == "*":
        return True
    nickname = person.nickname or ""
    texts = (nickname, f"{nickname}!{person.userhost}", person.userhost, person.host, person.realname)
    return any(fits(mask, text) for text in texts)


def _exactly(chat: Chat, mask: str) -> list[Session]:
    """Who has this nickname, or else who has this very host or real name."""
    person = chat.find(mask)
    return [person] if person is not None else [other for other in chat.sessions() if _fits(mask, other)]
