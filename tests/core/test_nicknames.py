"""The registry of nicknames: unique, no look-alikes, kept a while for one who lost the connection."""

from __future__ import annotations

import pytest

from pychat import Chat
from pychat.core.local_session import LocalSession
from pychat.core.people.nicknames import Nicknames, Parked
from pychat.core.session import Session
from pychat.model.errors import NicknameInUse
from pychat.model.tokens import new_token
from pychat.testing import FakeClock

CHAT = Chat()


def claim(names: Nicknames, nickname: str, token: str | None = None) -> Session:
    """Let a new session have this nickname."""
    session = LocalSession(CHAT)
    names.claim(session, nickname)
    if token is not None:
        names.give_token(session, token)
    return session


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
    names = Nicknames()
    claim(names, taken)

    with pytest.raises(NicknameInUse) as caught:
        claim(names, wanted)

    assert str(caught.value) == f"nickname {wanted!r} is in use; choose another"
    assert caught.value.code == "nickname_in_use"


def test_ascii_names_that_look_alike_are_different_people() -> None:
    """A `bill` does not keep out a `bi11`."""
    names = Nicknames()

    assert claim(names, "bill") is not claim(names, "bi11")


def test_another_nickname_frees_the_one_before() -> None:
    """Also when it differs in case only, or looks like it."""
    names = Nicknames()
    session = claim(names, "ann")

    names.claim(session, "Ann")
    assert session.nickname == "Ann"
    names.claim(session, "bob")

    assert names.find("ann") is None
    assert claim(names, "ann") is names.find("ANN")
    assert names.sessions() == [session, names.find("ann")]


def test_one_may_take_a_look_alike_of_ones_own_nickname() -> None:
    """Only others would be fooled."""
    names = Nicknames()
    session = claim(names, "аес")

    names.claim(session, "aec")

    assert names.find("aec") is session
    with pytest.raises(NicknameInUse):
        claim(names, "аес")


def test_a_lost_nickname_is_kept_for_30_seconds(clock: FakeClock) -> None:
    """Nobody takes it meanwhile, nobody has it either; then it is free."""
    names = Nicknames(clock)
    session = claim(names, "ann", "secret")
    session.person.away, session.person.realname, session.person.modes = "lunch", "Ann", "i"

    names.release(session, 30.0)

    assert names.find("ann") is None
    assert names.sessions() == []
    assert names.holder_of("secret") == Parked("ann", session.identity, (), "lunch", "Ann", "i", 1030.0)
    clock.advance(29.9)
    with pytest.raises(NicknameInUse):
        claim(names, "ANN")
    clock.advance(0.2)
    assert names.holder_of("secret") is None
    assert claim(names, "ANN")


def test_what_is_kept_is_taken_once(clock: FakeClock) -> None:
    """The token is worth nothing after that."""
    names = Nicknames(clock)
    names.release(claim(names, "ann", "secret"), 30.0)

    names.unpark("secret")
    again = claim(names, "ann", "another")

    assert names.holder_of("secret") is None
    assert names.holder_of("another") is again
    names.unpark("secret")
    assert names.find("ann") is again


def test_a_new_token_replaces_the_old_one() -> None:
    """One session, one token."""
    names = Nicknames()
    session = claim(names, "ann", "old")

    names.give_token(session, "new")

    assert names.holder_of("old") is None
    assert names.holder_of("new") is session


def test_who_says_goodbye_keeps_nothing(clock: FakeClock) -> None:
    """Nothing is kept without a time for it, or without a token."""
    names = Nicknames(clock)
    names.release(claim(names, "ann", "secret"), 0.0)
    names.release(claim(names, "bob"), 30.0)
    names.release(LocalSession(CHAT), 30.0)

    assert names.holder_of("secret") is None
    assert claim(names, "ann")
    assert claim(names, "bob")


def test_tokens_cannot_be_guessed() -> None:
    """128 random bits, in characters that need no quotes anywhere."""
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(len(token) == 22 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
