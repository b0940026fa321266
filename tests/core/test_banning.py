"""Bans and mutes with an end and a reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import Recorder, enter
from remote import come, no_alarm_is_left, open_chat

from pychat.core.chat import Chat
from pychat.core.durations import MOST_SECONDS, BadDuration, parse_duration, take_duration, write_duration
from pychat.core.events import ModesChanged, Notice
from pychat.core.moderation_verbs import Ban, Unban
from pychat.core.modes import ModeChange, parse
from pychat.core.replies import Failure, Members, Ok
from pychat.core.verbs import Join, Leave, Say, SetModes, SetNickname
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
    assert failures(bob.do(Say("x"))) == []
    wait_until(lambda: any(changes(bob.items)), "the end of the ban")

    assert changes(bob.take()) == [("irc.pychat", (ModeChange(False, "b", "bob!*@*"),))]
    assert [entry.mask for entry in chat.room("ops").rules.lists["b"]] == ["eve!*@*"]
    pass_time(clock, 100)
    wait_until(lambda: not chat.room("ops").rules.hushes, "the end of the other ban")


def test_a_long_ban_is_looked_after_again_and_again() -> None:
    """No alarm waits longer than an hour, and one that is removed leaves none that does."""
    chat, clock, (ann,) = people("ann")
    ann.do(Ban("bob", seconds=86_400))

    for _ in range(23):
        pass_time(clock, 3600)
    assert [entry.mask for entry in chat.room("ops").rules.lists["b"]] == ["bob!*@*"]
    ann.do(Unban("bob"))
    clock.advance(3600)
    wait_until(lambda: chat.alarms._thread is None, "the alarm")


def test_a_second_ban_takes_the_place_of_the_first() -> None:
    """With its time and its reason; nobody is told of a new mode, because there is none."""
    chat, _, (ann,) = people("ann")

    items = ann.do(Ban("bob", seconds=60), Ban("BOB", reason="for ever", ref=2))

    assert len(changes(items)) == 1
    (entry,) = chat.room("ops").rules.lists["b"]
    assert (entry.until, entry.reason) == (None, "for ever")


def test_what_is_banned_for_a_nickname() -> None:
    """The address, by the cloak that stands for it, if nobody else in the room has it; else only the nickname."""
    chat, _, (ann,) = people("ann")
    bob, carl = come(chat, "bob", "192.0.2.1", rooms=("ops",)), come(chat, "carl", "192.0.2.2", rooms=("ops",))
    dave = come(chat, "dave", "192.0.2.2", rooms=("ops",))

    ann.do(Ban("bob"), Ban("carl", mute=True), Ban("nobody"))

    masks = [entry.mask for entry in chat.room("ops").rules.lists["b"]]
    assert masks == [f"*!*@{bob.host}", "m:carl!*@*", "nobody!*@*"]
    bob.do(SetNickname("robert"))
    assert failures(bob.do(Say("x"))) == [("cannot_speak", "you may not talk in room 'ops'")]
    assert failures(dave.do(Say("x"))) == []
    assert carl.host == dave.host


def test_an_account_is_banned() -> None:
    """Whatever its nickname is; a guest with that nickname is not."""
    _, _, (ann, bob, eve) = people("ann", "bob", "eve")
    eve.account = "bob"

    ann.do(Ban("a:BOB", mute=True))

    assert failures(bob.do(Say("x"))) == []
    assert failures(eve.do(Say("x"))) == [("cannot_speak", "you may not talk in room 'ops'")]
    assert ann.do(Unban("a:bob", mute=True, ref=1))[-1] == Ok(1, ann.chat.log.last_id() - 1)  # the audit is behind it
    assert failures(eve.do(Say("x"))) == []


def test_unban_finds_what_is_for_a_person() -> None:
    """All bans if no mask was named; mutes stay where bans are meant."""
    chat, _, (ann, bob) = people("ann", "bob")
    ann.do(SetModes(tuple(parse("+bbb", ["b*!*@*", "*!~user@*", "m:bob"]))))

    items = ann.do(Unban("bob"))

    assert changes(items) == [("ann", (ModeChange(False, "b", "b*!*@*"), ModeChange(False, "b", "*!~user@*")))]
    assert [entry.mask for entry in chat.room("ops").rules.lists["b"]] == ["m:bob!*@*"]
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
    assert [entry.mask for entry in chat.room("ops").rules.lists["b"]] == ["eve!*@*"]


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
    with pytest.raises(BadDuration, match=r"is no duration; use 90s, 10m, 2h, 1d12h or 1w, and no digit before"):
        take_duration(text)


@given(st.integers(1, MOST_SECONDS))
def test_durations_are_written_as_they_are_read(seconds: int) -> None:
    """So what is told can be typed."""
    assert parse_duration(write_duration(seconds)) == seconds
    assert take_duration(f"{write_duration(seconds)} too  loud") == (seconds, "too  loud")
