"""The registry of nicknames: unique, no look-alikes, kept a while for one who lost the connection."""

from __future__ import annotations

from itertools import count

import pytest
from replica import Replica

from pychat.core.outcome import Position
from pychat.core.people import rules
from pychat.core.people.changes import NicknameRelease, apply_nickname_release
from pychat.core.people.state import Parked, Person
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import NicknameInUse
from pychat.model.tokens import new_token
from pychat.testing import FakeClock


class Names:
    """People with nicknames, and their tokens."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.state, self.clock = Replica().state, clock
        self.people = self.state.people
        self.identities = count(1)

    def claim(self, person: Person, nickname: str) -> None:
        """Give a person this nickname, if it is free."""
        self.people.require_free(nickname, person, self.clock.monotonic())
        rules.drop_expired(self.people, self.clock.monotonic())
        take = rules.enter if person.nickname is None else rules.rename
        take(self.people, person, nickname, 0.0, 0)

    def release(self, person: Person, seconds: float) -> None:
        """Let a person end."""
        apply_nickname_release(self.state, NicknameRelease(person.identity, seconds, (), True, ""), self.position())

    def position(self) -> Position:
        return Position(self.clock.time(), self.clock.monotonic(), 0, lambda: 0.0)

    def find(self, nickname: str) -> Person | None:
        return self.people.find(nickname)

    def everybody(self) -> list[Person]:
        return [holder for holder in self.people.holders.values() if isinstance(holder, Person)]

    def holder_of(self, token: str) -> Person | Parked | None:
        return self.people.holder_of(token, self.clock.monotonic())


def claim(names: Names, nickname: str, token: str | None = None) -> Person:
    """Let somebody new have this nickname."""
    person = Person(next(names.identities))
    names.claim(person, nickname)
    if token is not None:
        rules.give_token(names.people, person, token)
    return person


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [
        ("ann", "ann"),
        ("ann", "ANN"),
        ("straße", "STRASSE"),
        ("аес", "aec"),
        ("aec", "аес"),
        ("ec", "ес"),
        ("bill", "bіll"),
    ],
)
def test_the_same_name_and_look_alikes_are_taken(taken: str, wanted: str) -> None:
    """After case folding, and after the skeleton if one of the two is not ASCII."""
    names = Names()
    claim(names, taken)

    with pytest.raises(NicknameInUse) as caught:
        claim(names, wanted)

    assert str(caught.value) == f"nickname {wanted!r} is in use; choose another"
    assert caught.value.code == "nickname_in_use"


def test_ascii_names_that_look_alike_are_different_people() -> None:
    """A `bill` does not keep out a `bi11`."""
    names = Names()

    assert claim(names, "bill") is not claim(names, "bi11")


def test_another_nickname_frees_the_one_before() -> None:
    """Also when it differs in case only, or looks like it."""
    names = Names()
    person = claim(names, "ann")

    names.claim(person, "Ann")
    assert person.nickname == "Ann"
    names.claim(person, "bob")

    assert names.find("ann") is None
    assert claim(names, "ann") is names.find("ANN")
    assert names.everybody() == [person, names.find("ann")]


def test_one_may_take_a_look_alike_of_ones_own_nickname() -> None:
    """Only others would be fooled."""
    names = Names()
    person = claim(names, "аес")

    names.claim(person, "aec")

    assert names.find("aec") is person
    with pytest.raises(NicknameInUse):
        claim(names, "аес")


def test_a_lost_nickname_is_kept_for_30_seconds(clock: FakeClock) -> None:
    """Nobody takes it meanwhile, nobody has it either; then it is free."""
    names = Names(clock)
    person = claim(names, "ann", "secret")
    person.away, person.realname, person.modes = "lunch", "Ann", "i"

    names.release(person, 30.0)

    assert names.find("ann") is None
    assert names.everybody() == []
    assert names.holder_of("secret") == Parked("ann", person.identity, (), "lunch", "Ann", "i", 1030.0)
    clock.advance(29.9)
    with pytest.raises(NicknameInUse):
        claim(names, "ANN")
    clock.advance(0.2)
    assert names.holder_of("secret") is None
    assert claim(names, "ANN")


def test_what_is_kept_is_taken_once(clock: FakeClock) -> None:
    """The token is worth nothing after that."""
    names = Names(clock)
    names.release(claim(names, "ann", "secret"), 30.0)

    rules.drop_parked(names.people, "secret")
    again = claim(names, "ann", "another")

    assert names.holder_of("secret") is None
    assert names.holder_of("another") is again
    rules.drop_parked(names.people, "secret")
    assert names.find("ann") is again


def test_a_new_token_replaces_the_old_one() -> None:
    """One person, one token."""
    names = Names()
    person = claim(names, "ann", "old")

    rules.give_token(names.people, person, "new")

    assert names.holder_of("old") is None
    assert names.holder_of("new") is person


def test_who_says_goodbye_keeps_nothing(clock: FakeClock) -> None:
    """Nothing is kept without a time for it, or without a token."""
    names = Names(clock)
    names.release(claim(names, "ann", "secret"), 0.0)
    names.release(claim(names, "bob"), 30.0)
    names.release(Person(7), 30.0)

    assert names.holder_of("secret") is None
    assert claim(names, "ann")
    assert claim(names, "bob")


def test_tokens_cannot_be_guessed() -> None:
    """128 random bits, in characters that need no quotes anywhere."""
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) == 22 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
