"""A welcome that was lost costs nothing: the token before is good until the client shows that it has the new one."""

from __future__ import annotations

from remote import Remote, come, no_alarm_is_left, open_chat

from pychat import Chat
from pychat.core.people.changes import ReservationExpiry
from pychat.model.replies import Failure
from pychat.model.tokens import new_token
from pychat.model.verbs import Hello, Join
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]


def lost(chat: Chat, *, token: str | None = None) -> Remote:
    """Somebody whose connection ends before anything more is said; by a token, or as bob, the operator of ops."""
    bob = come(chat)
    bob.resumable = True
    chat.perform(bob, [Hello("bob", ("ops",) if token is None else None, token=token)])
    return bob


def refused(session: Remote) -> list[str]:
    """Codes of what was refused."""
    return [item.code for item in session.items if isinstance(item, Failure)]


def test_the_token_before_is_good_when_the_welcome_was_lost() -> None:
    """Again and again, whether the connection with the lost welcome has ended or not; with nickname, rooms and role."""
    chat = open_chat(resume_seconds=30)
    bob = lost(chat)
    identity = bob.identity
    for ends in (True, False, True):
        chat.close(bob, "connection closed", lost=True)
        first = bob.token
        bob = lost(chat, token=first)  # of whose welcome nothing arrived
        if ends:
            chat.close(bob, "connection closed", lost=True)
        again = lost(chat, token=first)

        assert (again.nickname, again.identity, list(again.rooms)) == ("bob", identity, ["ops"])
        assert chat.room("ops").state.roles == {identity: "o"}
        assert bob.closed
        bob = again
    assert [session.nickname for session in chat.sessions()] == ["bob"]


def test_a_token_of_ones_own_is_good_when_the_first_welcome_was_lost() -> None:
    """Whether the connection has ended or not: the same `hello` again is answered as the first one was."""
    chat = open_chat(resume_seconds=30)
    own = new_token()
    bob = lost(chat, token=own)
    chat.perform(bob, [Join("ops")])
    identity = bob.identity
    chat.close(bob, "connection closed", lost=True)

    for _ in range(3):
        bob = lost(chat, token=own)

        assert (bob.nickname, bob.identity, list(bob.rooms)) == ("bob", identity, ["lobby", "ops"])
        assert bob.token != own
        assert chat.room("ops").state.roles == {identity: "o"}
    assert [session.nickname for session in chat.sessions()] == ["bob"]


def test_a_token_of_ones_own_is_for_the_first_welcome() -> None:
    """As every token before, it is worth nothing when the client has shown that it has the new one."""
    clock = FakeClock()
    chat = open_chat(clock=clock, resume_seconds=30)
    own = new_token()
    bob = lost(chat, token=own)
    clock.advance(1)
    bob.last_input_time = clock.monotonic()

    assert refused(lost(chat, token=own)) == ["nickname_in_use"]
    chat.close(bob, "connection closed", lost=True)
    assert refused(lost(chat, token=own)) == ["nickname_in_use"]
    assert lost(chat, token=bob.token).identity == bob.identity


def test_a_token_that_could_be_guessed_is_none() -> None:
    """It counts for nothing, so nobody else finds it."""
    chat = open_chat(resume_seconds=30)
    short = new_token()[:-1]
    chat.close(lost(chat, token=short), "connection closed", lost=True)

    assert refused(lost(chat, token=short)) == ["nickname_in_use"]
    assert not chat.state.people.replaced


def test_the_token_before_is_worth_nothing_when_the_new_one_is_known() -> None:
    """Whatever the client says shows that it has read its welcome. The new one is good."""
    clock = FakeClock()
    chat = open_chat(clock=clock, resume_seconds=30)
    bob = lost(chat)
    first = bob.token
    chat.close(bob, "connection closed", lost=True)
    again = lost(chat, token=first)
    clock.advance(1)
    again.last_input_time = clock.monotonic()

    assert refused(lost(chat, token=first)) == ["nickname_in_use"]
    chat.close(again, "connection closed", lost=True)
    assert refused(lost(chat, token=first)) == ["nickname_in_use"]
    assert lost(chat, token=again.token).identity == bob.identity


def test_of_two_tokens_both_end_with_what_is_kept() -> None:
    """One that was used leaves nothing for the other, and what is kept too long is gone for both."""
    clock = FakeClock()
    chat = open_chat(clock=clock, resume_seconds=30)
    bob = lost(chat)
    chat.close(bob, "connection closed", lost=True)
    second = lost(chat, token=bob.token)
    chat.close(second, "connection closed", lost=True)
    third = lost(chat, token=second.token)
    assert refused(lost(chat, token=bob.token)) == ["nickname_in_use"]
    chat.close(third, "connection closed", lost=True)

    clock.advance(31)

    assert chat.nicknames.holder_of(third.token or "") is None
    assert chat.nicknames.holder_of(second.token or "") is None
    for digest in tuple(chat.state.people.parked):
        chat.propose(ReservationExpiry(digest))
    assert not chat.state.people.replaced
