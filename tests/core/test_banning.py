"""Bans and mutes with an end and a reason."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import Recorder, enter
from remote import come, no_alarm_is_left, open_chat

from pychat.core.chat import Chat
from pychat.model.durations import MOST_SECONDS, moment, parse_duration, take_duration, write_duration
from pychat.model.errors import BadDuration
from pychat.model.events import Kicked, ModesChanged, Notice
from pychat.model.modes import ModeChange, parse
from pychat.model.queries import ListMasks
from pychat.model.replies import Failure, Masks, Members, Ok
from pychat.model.verbs import Ban, Hello, Join, Leave, Say, SetModes, SetNickname, Unban
from pychat.testing import FakeClock
from pychat.testing.waiting import wait_until

__all__ = ["no_alarm_is_left"]


def people(*nicknames: str, **limits: Any) -> tuple[Chat, FakeClock, list[Recorder]]:
    """A chat in whose room "ops" they all are; the first one made it."""
    clock = FakeClock()
    chat = open_chat(clock=clock, **limits)
    members = [enter(chat, nickname, "ops") for nickname in nicknames]
    for member in members:
        member.take()
    return chat, clock, members


def failures(items: list[Any]) -> list[tuple[str, str]]:
    """Codes and texts of what was refused."""
    return [(item.code, item.text) for item in items if isinstance(item, Failure)]


def changes(items: list[Any]) -> list[tuple[str, tuple[ModeChange, ...]]]:
    """Who changed which modes."""
    return [(item.nickname, item.changes) for item in items if isinstance(item, ModesChanged)]


def pass_time(clock: FakeClock, seconds: float) -> None:
    """As soon as the alarm waits."""
    clock.wait_for_waiters()
    clock.advance(seconds)


UNTIL = "2001-09-09 01:56:40 UTC"
"""Ten minutes after the clock began."""


def test_who_is_banned_is_told_until_when_and_why() -> None:
    """At once, when it wants to talk, and when it wants to come in."""
    _, _, (ann, bob) = people("ann", "bob")

    items = ann.do(Ban("bob", seconds=600, reason="too \nloud", ref=1))

    assert changes(items) == [("ann", (ModeChange(True, "b", "bob!*@*"),))]
    assert items[-1] == Ok(1, items[0].id)
    told = f"you are banned from room 'ops' until {UNTIL} (too  loud)"
    assert [item.text for item in bob.take() if isinstance(item, Notice)] == [told]
    assert failures(bob.do(Say("x"))) == [("cannot_speak", f"you may not talk in room 'ops' until {UNTIL} (too  loud)")]
    bob.do(Leave())
    assert failures(bob.do(Join("ops"))) == [("banned", told)]


def test_a_member_who_is_muted_is_told_until_when() -> None:
    """And may come in."""
    _, _, (ann, bob) = people("ann", "bob")

    ann.do(Ban("bob", seconds=600, mute=True))

    assert [item.text for item in bob.take() if isinstance(item, Notice)] == [
        f"you are muted in room 'ops' until {UNTIL}"
    ]
    bob.do(Leave())
    assert isinstance(bob.do(Join("ops"))[0], Members)
    assert failures(bob.do(Say("x"))) == [("cannot_speak", f"you may not talk in room 'ops' until {UNTIL}")]


def test_a_ban_ends_by_itself_and_everybody_sees_it() -> None:
    """The server removes it; it counts no more from that moment on, whether or not it was removed."""
    chat, clock, (ann, bob) = people("ann", "bob")
    ann.do(Ban("bob", seconds=600), Ban("eve", seconds=700))
    bob.take()

    pass_time(clock, 600)
    heard = bob.do(Say("x"))  # perhaps the end of the ban, too
    assert failures(heard) == []
    wait_until(lambda: any(changes([*heard, *bob.items])), "the end of the ban")

    assert changes([*heard, *bob.take()]) == [("irc.pychat", (ModeChange(False, "b", "bob!*@*"),))]
    assert [entry.mask for entry in chat.room("ops").state.lists["b"]] == ["eve!*@*"]
    pass_time(clock, 100)
    wait_until(lambda: not chat.room("ops").state.may_silence, "the end of the other ban")


def test_a_ban_lasts_as_long_as_it_was_meant_wherever_the_clock_is_set() -> None:
    """Neither a clock that is ahead for a moment ends it, nor does one that was ahead when it was made prolong it."""
    chat, clock, (ann, bob) = people("ann", "bob")
    right = clock.time()
    ann.do(Ban("bob", seconds=600))
    clock.set_time(right + 86_400)
    assert failures(bob.do(Say("x"))) != []
    ann.do(Ban("bob", seconds=600))
    clock.set_time(right)

    pass_time(clock, 600)
    wait_until(lambda: not chat.room("ops").state.may_silence, "the end of the ban")

    assert failures(bob.do(Say("x"))) == []


def test_the_end_of_a_ban_is_told_by_the_clock_as_it_is_now() -> None:
    """One that was made while the clock was wrong ends when it was meant to, and so it is said."""
    _, clock, (ann, bob) = people("ann", "bob")
    right = clock.time()
    clock.set_time(right + 86_400)
    ann.do(Ban("bob", seconds=600, mute=True))
    ann.do(Ban("eve", seconds=600))
    clock.set_time(right)

    (answer,) = [item for item in ann.do(ListMasks("b")) if isinstance(item, Masks)]

    assert [entry.until for entry in answer.masks] == [right + 600, right + 600]
    assert failures(bob.do(Say("x")))[-1][-1] == f"you may not talk in room 'ops' until {moment(right + 600)}"


def test_a_long_ban_is_looked_after_again_and_again() -> None:
    """No alarm waits longer than an hour, and one that is removed leaves none that does."""
    chat, clock, (ann,) = people("ann")
    ann.do(Ban("bob", seconds=86_400))

    for _ in range(23):
        pass_time(clock, 3600)
    assert [entry.mask for entry in chat.room("ops").state.lists["b"]] == ["bob!*@*"]
    ann.do(Unban("bob"))
    clock.advance(3600)
    wait_until(lambda: chat.alarms._thread is None, "the alarm")


def test_a_second_ban_takes_the_place_of_the_first() -> None:
    """With its time and its reason; nobody is told of a new mode, because there is none."""
    chat, _, (ann,) = people("ann")

    items = ann.do(Ban("bob", seconds=60), Ban("BOB", reason="for ever", ref=2))

    assert len(changes(items)) == 1
    (entry,) = chat.room("ops").state.lists["b"]
    assert (entry.until, entry.reason) == (None, "for ever")


def told(items: list[Any]) -> list[str]:
    """What the server said to one of them."""
    return [item.text for item in items if isinstance(item, Notice)]


def test_an_operator_reads_whom_a_ban_catches() -> None:
    """Only the nickname, if others share the address; else all who come from there; in front of the answer."""
    chat, _, (ann,) = people("ann")
    bob, carl = come(chat, "bob", "192.0.2.1", rooms=("ops",)), come(chat, "carl", "192.0.2.2", rooms=("ops",))
    come(chat, "dave", "192.0.2.2", rooms=("ops",)), come(chat, "eve", "192.0.2.2"), come(chat, "fred", "192.0.2.1")
    carl.log_in("Carl")
    bob.log_in("Bob")

    items = ann.do(Ban("carl", mute=True, ref=1))
    assert isinstance(items[-1], Ok)
    assert told(items) == [
        (
            "the mute covers the nickname carl only, because 2 others share the address: a new nickname does not "
            f"evade it, but a new connection with another nickname does; *!*@{carl.host} covers the whole address, "
            "and a:Carl covers the account"
        )
    ]
    assert told(ann.do(Ban("bob"))) == [
        (
            "the ban covers the address of bob, and everybody else who connects from there (1 other shares it now); "
            "a:Bob covers the account only"
        ),
        "bob is still in ops and cannot talk: /kick bob removes them",
    ]
    assert told(ann.do(Ban("gina"))) == ["nobody here is called gina: the ban covers that nickname only"]
    assert told(ann.do(Ban("*!*@*.example"), Ban("a:carl"), SetModes(tuple(parse("+b", ["hugo"]))))) == []
    assert told(ann.do(Ban("*!*@192.0.2.*"), Ban("*@2001:db8::1"), Ban("*!*@6d*.ip"))) == [
        "*!*@192.0.2.* matches nobody, because addresses are hidden; name somebody who is here",
        "*!*@2001:db8::1 matches nobody, because addresses are hidden; name somebody who is here",
    ]


def test_an_operator_reads_that_somebody_shares_the_own_address() -> None:
    """Whoever bans from the same machine does not ban it; programs of the server have no address at all."""
    chat, _, (bot,) = people("bot")
    ann = come(chat, "ann", rooms=("tea",))
    come(chat, "bob", rooms=("tea",))
    bot.do(Join("tea"))

    assert told(ann.do(Ban("bob"), Ban("bot"))) == [
        (
            "the ban covers the nickname bob only, because you share the address: a new nickname does not evade it, "
            f"but a new connection with another nickname does; *!*@{ann.host} covers the whole address"
        ),
        "bob is still in tea and cannot talk: /kick bob removes them",
        "bot is still in tea and cannot talk: /kick bot removes them",
    ]


def test_an_operator_reads_that_somebody_talks_all_the_same() -> None:
    """Bans and mutes silence nobody who has a role; a mute of somebody else needs no word about that."""
    _, _, (ann, bob, carl) = people("ann", "bob", "carl")
    ann.do(SetModes(tuple(parse("+v", ["bob"]))))

    still = "bob is still in ops and can still talk, because of a role: /kick bob removes them"
    assert told(ann.do(Ban("bob", mute=True))) == [still]
    assert told(ann.do(Ban("bob"))) == [still]
    assert told(ann.do(Ban("carl", mute=True))) == []
    assert failures(bob.do(Say("x", "ops"))) == []
    assert failures(carl.do(Say("x", "ops"))) != []


def test_a_ban_with_a_kick_removes_the_person() -> None:
    """Who is not there is banned all the same."""
    chat, _, (ann, bob) = people("ann", "bob")

    items = ann.do(Ban("bob", reason="spam", kick=True), Ban("eve", kick=True))

    assert failures(items) == []
    assert [item.nickname for item in items if isinstance(item, Kicked)] == ["bob"]
    assert failures(bob.do(Join("ops")))[0][0] == "banned"
    assert chat.find("bob") is bob


def test_a_ban_of_a_person_follows_the_token_to_another_address() -> None:
    """The mask is for the address, and for the person it was made for besides."""
    chat, _, (ann,) = people("ann", resume_seconds=60)
    bob = come(chat, "bob", "192.0.2.1", rooms=("ops",))
    bob.resumable = True
    ann.do(Ban("bob", mute=True))
    chat.close(bob, "connection closed", lost=True)

    again = come(chat, "bob", "192.0.2.77", token=bob.token)
    answers = again.do(Say("x", "ops"))

    assert (again.nickname, again.identity) == ("bob", bob.identity)
    assert failures(answers)[-1] == ("cannot_speak", "you may not talk in room 'ops'")


def test_what_is_banned_for_a_nickname() -> None:
    """The address, by the cloak that stands for it, if nobody else in the room has it; else only the nickname."""
    chat, _, (ann,) = people("ann")
    bob, carl = come(chat, "bob", "192.0.2.1", rooms=("ops",)), come(chat, "carl", "192.0.2.2", rooms=("ops",))
    dave = come(chat, "dave", "192.0.2.2", rooms=("ops",))

    ann.do(Ban("bob"), Ban("carl", mute=True), Ban("nobody"))

    masks = [entry.mask for entry in chat.room("ops").state.lists["b"]]
    assert masks == [f"*!*@{bob.host}", "m:carl!*@*", "nobody!*@*"]
    assert [item.text for item in ann.take() if isinstance(item, Notice)] == []
    bob.do(SetNickname("robert"))
    assert failures(bob.do(Say("x"))) == [("cannot_speak", "you may not talk in room 'ops'")]
    assert failures(dave.do(Say("x"))) == []
    assert carl.host == dave.host


def test_an_account_is_banned() -> None:
    """Whatever its nickname is; a guest with that nickname is not."""
    _, _, (ann, bob, eve) = people("ann", "bob", "eve")
    eve.log_in("bob")

    ann.do(Ban("a:BOB", mute=True))

    assert failures(bob.do(Say("x"))) == []
    assert failures(eve.do(Say("x"))) == [("cannot_speak", "you may not talk in room 'ops'")]
    assert ann.do(Unban("a:bob", mute=True, ref=1))[-1] == Ok(1, ann.chat.log.last_id() - 1)  # the audit is behind it
    assert failures(eve.do(Say("x"))) == []


def refused(person: Recorder) -> bool:
    """Whether a person may not talk in the room any more."""
    return [code for code, _ in failures(person.do(Say("x", "ops")))] == ["cannot_speak"]


@pytest.mark.parametrize("verb", [Ban("eve", mute=True), SetModes(tuple(parse("+b", ["m:eve"])), "ops")])
def test_a_mute_of_a_nickname_follows_the_person(verb: Any) -> None:
    """Where the host is shared; outside of the room, to another nickname, and over a lost connection."""
    chat, _, (ann, _, eve) = people("ann", "bob", "eve")
    eve.resumable = True
    ann.do(verb)

    eve.do(Leave(), SetNickname("eve2"), Join("ops"))
    assert refused(eve)
    chat.close(eve, "lost", lost=True)
    again = Recorder(chat)
    chat.open(again)
    again.do(Hello("eve3", ("ops",), token=eve.token))
    assert again.identity == eve.identity
    assert refused(again)

    assert failures(ann.do(Unban(again.nickname or "", mute=True))) == []
    assert not refused(again)


def test_a_ban_of_a_nickname_follows_nobody_else() -> None:
    """Neither whoever else has had it before, nor one whom the rest of the mask does not describe."""
    chat, _, (ann, bob, eve) = people("ann", "bob", "eve")
    bob.do(Leave(), SetNickname("mallory"), SetNickname("bob"), Join("ops"))

    ann.do(Ban("mallory"), Ban("eve!*@elsewhere"))

    assert not refused(bob)
    assert not refused(eve)
    assert [entry.follows for entry in chat.room("ops").state.lists["b"]] == [(), ()]


def test_a_mute_of_an_account_follows_over_a_logout() -> None:
    """Whoever was logged in to it in the room."""
    _, _, (ann, eve) = people("ann", "eve")
    eve.log_in("mallory")
    ann.do(Ban("a:mallory", mute=True))

    eve.log_in(None)

    assert refused(eve)


def test_unban_finds_what_is_for_a_person() -> None:
    """All bans if no mask was named; mutes stay where bans are meant."""
    chat, _, (ann, bob) = people("ann", "bob")
    ann.do(SetModes(tuple(parse("+bbb", ["b*!*@*", "*!~user@*", "m:bob"]))))

    items = ann.do(Unban("bob"))

    assert changes(items) == [("ann", (ModeChange(False, "b", "b*!*@*"), ModeChange(False, "b", "*!~user@*")))]
    assert [entry.mask for entry in chat.room("ops").state.lists["b"]] == ["m:bob!*@*"]
    assert failures(ann.do(Unban("bob"))) == [("not_banned", "'bob' is not banned in room 'ops'")]
    assert failures(ann.do(Unban("eve", mute=True))) == [("not_banned", "'eve' is not muted in room 'ops'")]
    assert bob.take() != []


def test_bans_that_are_refused() -> None:
    """Nothing is changed by them."""
    chat, _, (ann, bob) = people("ann", "bob", max_masks=1)
    ann.do(Ban("eve"))

    assert [code for code, _ in failures(bob.do(Ban("ann"), Unban("eve")))] == ["not_room_operator"] * 2
    assert failures(ann.do(Ban("x", seconds=MOST_SECONDS + 1))) == [
        ("limit_exceeded", "how long: at most 315360000 seconds")
    ]
    assert [code for code, _ in failures(ann.do(Ban("x"), Ban("a b"), Ban("x", "nowhere"), Ban("")))] == [
        "list_full",
        "bad_mode_argument",
        "no_such_room",
        "bad_mode_argument",
    ]
    assert [entry.mask for entry in chat.room("ops").state.lists["b"]] == ["eve!*@*"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("10min", 600), ("1d12h", 129_600), ("2w", 1_209_600), ("0s", None)]
    + [(text, None) for text in ("10", "m", "", "1x", "-1s", "1 m", "9" * 39 + "s")],
)
def test_durations(text: str, seconds: int | None) -> None:
    """What people write; anything else is a word like any."""
    assert parse_duration(text) == seconds


@given(st.text().filter(lambda text: not text.strip()[:1].isdigit()))
def test_what_is_no_duration_is_left_as_it_is(text: str) -> None:
    """It is the reason."""
    assert take_duration(text) == (None, text)


@pytest.mark.parametrize("text", ["10x spam", "10 spam", "5minutes", "0s", "1h30 too loud", "²"])
def test_a_mistyped_duration_is_no_reason(text: str) -> None:
    """Else there would be a ban for ever that nobody meant."""
    with pytest.raises(BadDuration, match=r"is not a duration; use 90s, 10m, 2h, 1d12h or 1w; a reason must not begin"):
        take_duration(text)


@given(st.integers(1, MOST_SECONDS))
def test_durations_are_written_as_they_are_read(seconds: int) -> None:
    """So what is told can be typed."""
    assert parse_duration(write_duration(seconds)) == seconds
    assert take_duration(f"{write_duration(seconds)} too  loud") == (seconds, "too  loud")


@pytest.mark.parametrize("seconds", [-1, -1e19, 1e19, math.inf, math.nan])
def test_only_a_duration_is_taken_as_one(seconds: Any) -> None:
    """A program may compute it, and make a mistake."""
    chat, _, (ann, _) = people("ann", "bob")

    (answer,) = ann.do(Ban("bob", seconds=seconds))

    assert answer.code == "limit_exceeded"
    assert list(chat.room("ops").state.lists["b"]) == []
