"""What holds between the parts of the shared state of people, whatever they do."""

from __future__ import annotations

from pychat.core.chat import Chat
from pychat.core.people.state import Parked, PeopleState
from pychat.model.names import fold, skeleton


def check_people(chat: Chat) -> None:
    """Check that nicknames, tokens, subscriptions and sessions agree."""
    people = chat.state.people
    assert set(chat.nicknames.by_identity) == set(people.named)
    for identity, person in people.named.items():
        session = chat.nicknames.by_identity[identity]
        assert (session.person, session.identity, person.identity) == (person, identity, identity)
        assert session.rooms is person.rooms
        assert people.find(person.nickname or "") is person
        assert person in people.directory.find(person.hostmask.userhost)
        assert {fold(nickname) for nickname in person.watched.values()} == set(person.watched)
        assert person.has_left or {key for key, room in person.rooms.items() if person in room} == set(person.rooms)
    _check_nicknames(people)
    _check_tokens(people)
    watching = {(key, identity) for key, watchers in people.watchers.items() for identity in watchers}
    assert watching == {(key, identity) for identity, person in people.named.items() for key in person.watched}
    assert all(people.watchers.values())
    for room in chat.table.used():
        assert all(room.key in people.named[identity].rooms for identity in room.state.members)


def _check_nicknames(people: PeopleState) -> None:
    for key, holder in people.holders.items():
        assert fold(holder.nickname or "") == key
        assert key in people.skeletons.get(skeleton(holder.nickname or ""))
        assert holder in (people.parked.values() if isinstance(holder, Parked) else people.named.values())
    assert len(people.holders) == len(people.named) + len(people.parked)
    assert sum(len(keys) for _, keys in people.skeletons.items()) == len(people.holders)


def _check_tokens(people: PeopleState) -> None:
    for digest, person in people.tokens.items():
        assert people.named[person.identity] is person
        assert digest in (person.token_digest, person.earlier_digest)
    for person in people.named.values():
        assert person.token_digest is None or people.tokens[person.token_digest] is person
    assert set(people.replaced.values()) <= set(people.parked)
    assert {parked.earlier for parked in people.parked.values()} - {None} == set(people.replaced)
