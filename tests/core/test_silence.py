"""Who may not talk in a room says nothing there in any other way either."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import Recorder, enter, make_chat
from remote import make_accounts, no_alarm_is_left, open_chat

from pychat.core.chat import Chat
from pychat.core.verb_table import VERBS, Who
from pychat.handlers import Commands
from pychat.handlers.function_commands import Context
from pychat.model import queries, verbs
from pychat.model.events import AwayChanged, Disconnected, Invited, Joined, Left, ProfileChanged
from pychat.model.modes import parse
from pychat.model.replies import Failure
from pychat.model.verbs import (
    Command,
    Invite,
    Join,
    Leave,
    LeaveAll,
    Quit,
    Register,
    Say,
    SayAll,
    SetAway,
    SetModes,
    SetNickname,
    SetRealname,
    SetTopic,
    Tag,
    Verb,
)

__all__ = ["no_alarm_is_left"]


def mode(letters: str, *arguments: str) -> SetModes:
    """The verb of `/mode +b bob`."""
    return SetModes(tuple(parse(letters, arguments)))


def code(items: list[Any]) -> str | None:
    """That of the last item, if it is a refusal."""
    return items[-1].code if items and isinstance(items[-1], Failure) else None


RULES = {"muted": mode("+b", "m:bob!*@*"), "banned": mode("+b", "bob!*@*"), "moderated": mode("+m")}

WAYS: dict[str, tuple[Verb, ...]] = {
    "message": (Say("BUY"), Say("BUY", "ops")),
    "action": (Say("BUY", action=True),),
    "notice": (Say("BUY", notice=True),),
    "formatted": (Say("x", formatted="BUY"),),
    "tags of a message": (Say("x", tags="+BUY"),),
    "to operators": (Say("BUY", "ops", role="operator"),),
    "many messages": (SayAll(["BUY", "BUY"]),),
    "tags": (Tag("+BUY", "ops"),),
    "tags to operators": (Tag("+BUY", "ops", role="operator"),),
    "topic": (SetTopic("BUY"),),
    "leaving": (Leave(None, "BUY"),),
    "leaving all": (LeaveAll("BUY"),),
    "quitting": (Quit("BUY"),),
    "away": (SetAway("BUY"), SetAway("BUY more"), SetAway(None)),
    "coming while away": (SetAway("BUY"), Leave(), Join("ops")),
    "real name": (SetRealname("BUY"),),
    "coming with a real name": (SetRealname("BUY"), Leave(), Join("ops")),
    "nickname": (SetNickname("BUY"),),
    "invitation": (Invite("BUYER"),),
    "command": (Command("echo", ("BUY",), "ops"), Command("echo", ("BUY",))),
    "kick": (verbs.Kick("carl", None, "BUY"),),
    "ban": (verbs.Ban("BUY", reason="BUY"),),
    "modes": (mode("+k", "BUY"), mode("+b", "BUY")),
}
"""Whatever a person can write."""


def echo(ctx: Context, *words: str) -> None:
    """Say the same."""
    ctx.reply(" ".join(words))


def room_with_bob() -> tuple[Chat, Recorder, Recorder, Recorder]:
    """A chat; ann, who is an operator of the room, carl, another member, and bob."""
    commands = Commands()
    commands.add("echo", echo)
    chat = make_chat(commands)
    ann, carl = enter(chat, "ann", "ops"), enter(chat, "carl", "ops")
    bob = enter(chat, "bob", "den", "ops")
    enter(chat, "BUYER")
    ann.take(), carl.take()
    return chat, ann, carl, bob


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_heard_of_one_who_may_not_talk(rule: str, way: str) -> None:
    """By none of the members, neither now nor in the record of the room."""
    chat, ann, carl, bob = room_with_bob()
    ann.do(RULES[rule])
    carl.take()

    bob.do(*WAYS[way])

    assert "BUY" not in repr([*ann.take(), *carl.take()])
    assert "BUY" not in repr(chat.log.read_before("ops", None, 1000).events)


@pytest.mark.parametrize("way", [way for way in WAYS if way not in ("kick", "ban", "modes")])
def test_the_same_is_heard_of_one_who_may(way: str) -> None:
    """So the test before this one tests something."""
    _, ann, carl, bob = room_with_bob()
    ann.do(mode("+mb", "m:bob"), mode("+v", "bob"))
    carl.take()

    bob.do(*WAYS[way])

    assert "BUY" in repr([*ann.take(), *carl.take()])


def test_every_verb_with_a_text_is_a_way_or_reaches_no_room() -> None:
    """Whoever adds a verb decides whether rooms hear what is in it."""
    asked = {verb for verb, rule in VERBS.items() if rule.who is Who.REGISTERED}
    silent = {
        # Only one person, or nobody, hears what is in them; or it names what there is.
        verbs.Direct, verbs.Join, verbs.Watch, verbs.SetUserModes, verbs.BecomeOperator,
        verbs.SetIgnored, verbs.ListIgnored, verbs.Unban,
        verbs.ChangePassword, verbs.DropAccount, verbs.Regain,
        *[verb for verb in asked if verb.__module__ == queries.__name__],
    }  # fmt: skip
    ways = {type(verb) for way in WAYS.values() for verb in way}

    assert asked - silent <= ways


def test_rooms_where_one_may_talk_hear_it() -> None:
    """And a member of both hears it once."""
    chat, ann, carl, bob = room_with_bob()
    dave = enter(chat, "dave", "den", "ops")
    eve = enter(chat, "eve", "den")
    ann.do(mode("+m"))
    for person in (ann, carl, dave, eve, bob):
        person.take()

    bob.do(SetAway("lunch"), SetRealname("Robert"))

    def heard(person: Recorder) -> list[Any]:
        return [
            (event.rooms, getattr(event, "text", None) or getattr(event, "realname", None))
            for event in person.take()
            if isinstance(event, AwayChanged | ProfileChanged)
        ]

    assert heard(eve) == heard(dave) == [(("den",), "lunch"), (("den",), "Robert")]
    assert heard(carl) == heard(ann) == [(("ops",), "away")]


def test_who_may_not_talk_keeps_the_nickname() -> None:
    """437 in IRC; outside of that room it may be changed, and to one of the own account at any time."""
    accounts = make_accounts()
    chat = open_chat(accounts)
    ann = enter(chat, "ann", "ops")
    bob = enter(chat, "bob")
    bob.do(Register("correct-horse", "robert"), Join("ops"))
    ann.do(RULES["muted"])

    bob.take()

    (failure,) = bob.do(SetNickname("bobby"))
    assert (failure.code, failure.room) == ("cannot_speak", "ops")
    assert failure.text == "you may not talk in room 'ops', so you cannot change your nickname; leave the room first"
    bob.do(SetNickname("robert"))
    assert bob.nickname == "robert"
    bob.do(Leave("ops"), SetNickname("bobby"))
    assert bob.nickname == "bobby"


def test_an_invitation_is_told_to_the_one_who_is_invited() -> None:
    """Also where the room may not hear of it."""
    chat, ann, carl, bob = room_with_bob()
    ann.do(mode("+m"))
    dave = enter(chat, "dave")

    bob.do(Invite("dave", "ops"))

    assert [event.room for event in dave.take() if isinstance(event, Invited)] == ["ops"]
    assert not any(isinstance(event, Invited) for event in carl.take())


def test_an_operator_by_account_is_heard_on_the_way_in() -> None:
    """Before the roles of the account are given."""
    _, ann, _, bob = room_with_bob()
    bob.log_in("bob")
    ann.do(mode("+mv", "bob"))
    bob.do(SetAway("lunch"), Leave("ops"))
    ann.take()

    bob.do(Join("ops"))

    assert [event.away for event in ann.take() if isinstance(event, Joined)] == ["lunch"]


def test_masks_are_not_matched_under_the_order_lock_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms are asked before."""
    chat, ann, _, bob = room_with_bob()
    ann.do(mode("+b", "x*y!*@*"))
    locked: list[bool] = []
    monkeypatch.setattr("pychat.model.masks._Shape.describes", lambda *_: locked.append(chat.order.lock.locked()))

    bob.do(SetAway("lunch"), SetRealname("Robert"), Invite("BUYER"), SetNickname("robert"), Leave(), Join("ops"))

    assert locked
    assert not any(locked)


@pytest.mark.parametrize("rule", [mode("+b", "m:bob!*@*"), mode("+b", "bob!*@*"), mode("+m")])
def test_the_topic_is_for_those_who_may_talk(rule: SetModes) -> None:
    """Neither for who is muted or banned, nor for a member without voice in a moderated room; voice helps."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    ann.do(rule)

    assert code(bob.do(SetTopic("buy here"))) == "cannot_speak"
    ann.do(mode("+v", "bob"))
    assert code(bob.do(SetTopic("tea at four"))) is None

    assert ann.current is not None
    assert ann.current.topic == "tea at four"


@pytest.mark.parametrize("going", [Leave(None, "buy here"), LeaveAll("buy here"), Quit("buy here")])
def test_who_may_not_talk_goes_without_a_word(going: Verb) -> None:
    """Else one could come back and go again; with voice the reason is told."""
    chat = make_chat()
    ann, bob, carl = (enter(chat, nickname, "ops") for nickname in ("ann", "bob", "carl"))
    ann.do(mode("+m"), mode("+v", "carl"))

    bob.do(going)
    carl.do(going)

    gone = [event.reason for event in ann.take() if isinstance(event, Left | Disconnected)]
    assert gone == ["quit" if isinstance(going, Quit) else "", "buy here"]
