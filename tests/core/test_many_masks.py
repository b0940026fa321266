"""Many masks: neither their number nor who they describe may cost others memory, the disk or the order lock."""

from __future__ import annotations

import tracemalloc

import pytest
from recorder import Recorder, enter, make_chat

from pychat.core.chat import Chat
from pychat.model import masks
from pychat.model.hostmask import Hostmask
from pychat.model.limits import Limits
from pychat.model.masks import MaskList
from pychat.model.modes import MaskEntry, parse
from pychat.model.verbs import (
    Ban,
    Direct,
    Invite,
    Join,
    Say,
    SayAll,
    SetIgnored,
    SetModes,
    SetNickname,
    SetTopic,
    Tag,
    Unban,
    Verb,
)

_MASKS = 100


class Matched:
    """What was matched against a mask, and whether that was under the order lock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, chat: Chat) -> None:
        self.all = self.locked = 0
        describes = masks._Shape.describes

        def counted(shape: masks._Shape, hostmask: Hostmask) -> bool:
            self.all += 1
            self.locked += chat.order.lock.locked()
            return describes(shape, hostmask)

        monkeypatch.setattr(masks._Shape, "describes", counted)


def crowd(chat: Chat) -> list[Recorder]:
    """Members who ignore many people, but not bob."""
    people = [enter(chat, f"member{number}", "ops") for number in range(5)]
    for person in people:
        person.do(SetIgnored(tuple(f"x{number}*y!*@*" for number in range(_MASKS))))
    return people


@pytest.mark.parametrize(
    "verb",
    [
        Say("x"),
        SayAll(["x", "y"]),
        Tag("+typing=active", "ops"),
        Direct("x", "member1"),
        Invite("member1", "den"),
        SetTopic("x"),
    ],
    ids=lambda verb: type(verb).__name__,
)
def test_ignore_lists_are_matched_without_the_order_lock(monkeypatch: pytest.MonkeyPatch, verb: Verb) -> None:
    """Whoever speaks with a new nickname is compared with the masks of all who hear it, while others go on."""
    chat = make_chat()
    crowd(chat)
    bob = enter(chat, "bob", "den", "ops")
    matched = Matched(monkeypatch, chat)

    bob.do(verb, verb)

    lists = {SetTopic: 0, Direct: 1, Invite: 1}.get(type(verb), 5)
    assert (matched.all, matched.locked) == (lists * _MASKS, 0)


@pytest.mark.parametrize("verb", [Ban("*x*y*!*@*", mute=True), Unban("member1")], ids=lambda verb: type(verb).__name__)
def test_members_are_compared_with_a_ban_without_the_order_lock(monkeypatch: pytest.MonkeyPatch, verb: Verb) -> None:
    """However many they are."""
    chat = make_chat()
    ann = enter(chat, "ann", "ops")
    crowd(chat)
    ann.do(SetModes(tuple(parse("+bb", ["m*b*1!*@*", "x?*!*@*"]))))
    matched = Matched(monkeypatch, chat)

    ann.do(verb)

    assert matched.all > 0
    assert matched.locked == 0


def test_what_has_no_wildcards_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ban of a nickname, a host, an account: nearly all bans."""
    chat = make_chat(limits=Limits(max_masks=1000))
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    for number in range(20):
        ann.do(SetModes(tuple(parse("+bbbb", [f"m:n{number}", f"*@h{number}", f"a:a{number}", f"n!u@h{number}"]))))
    matched = Matched(monkeypatch, chat)

    bob.do(Say("x"), Join("ops"))

    assert matched.all == 0


def test_what_is_not_matched_yet_is_paid_for_by_the_one_who_causes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a new nickname, or a change of one's list; not by the one who speaks."""
    chat = make_chat()
    (member, *_) = crowd(chat)
    bob = enter(chat, "bob", "ops")
    member.owes = 0.0
    member.do(SetIgnored((), ("x0*y",)))
    assert member.owes == (_MASKS - 1) / 20

    bob.do(Say("x"))
    bob.owes = 0.0
    bob.do(SetNickname("robert"))
    assert bob.owes > 0.0
    matched = Matched(monkeypatch, chat)
    monkeypatch.setattr("pychat.core.price.time.thread_time", lambda: 0.0)  # whatever the machine needs for it
    bob.owes = 0.0
    bob.do(Say("x"))
    assert (matched.all, bob.owes) == (0, 0.0)


def test_masks_of_many_rooms_cost_their_text_and_little_more() -> None:
    """Nothing is compiled for them."""
    lists = 100
    tracemalloc.start()
    try:
        kept = [
            MaskList(MaskEntry(f"x{room}*{number}y*!*@*", "ann", 1.0, "~ann@host") for number in range(_MASKS))
            for room in range(lists)
        ]
        for one in kept:
            assert one.find(Hostmask("ann", "host", "ann!~ann@host"), 0.0) is None
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert size < lists * _MASKS * 1024
