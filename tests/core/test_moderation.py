"""Kicks, invitations and changes of modes: who may, who hears of it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import Recorder, enter, make_chat

from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.events import Invited, Kicked, Message, ModesChanged
from pychat.model.limits import Limits
from pychat.model.modes import ModeChange, parse
from pychat.model.replies import Failure, Invitations, Inviting, Members, Modes, Ok, PersonAway
from pychat.model.verbs import Invite, Join, Kick, Leave, Say, SetModes


def mode(letters: str, *arguments: str, room: str | None = None, ref: Any = None) -> SetModes:
    """The verb of `/mode +b bob`."""
    return SetModes(tuple(parse(letters, arguments)), room, ref)


def people(*nicknames: str, limits: Limits | None = None) -> tuple[Chat, list[Recorder]]:
    """A chat in whose room "ops" they all are; the first one made it."""
    chat = make_chat(limits=limits)
    members = [enter(chat, nickname, "ops") for nickname in nicknames]
    for member in members:
        member.take()
    return chat, members


def refusals(items: list[Any]) -> list[tuple[str, str | None, tuple[str, ...]]]:
    """The codes of what was refused, with what they are about."""
    return [(item.code, item.room, item.subject) for item in items if isinstance(item, Failure)]


# Kicks


def test_a_kick_is_heard_by_all_and_by_the_one_who_is_out() -> None:
    """Once each; who was kicked hears nothing of the room any more, and may come again (RFC 2812 section 3.2.8)."""
    chat, (ann, bob, carl) = people("ann", "bob", "carl")

    items = ann.do(Kick("BOB", reason="no \nshouting", ref=1), Say("x"))
    ann.do(Say("y"))

    kicked, ok = items
    assert isinstance(kicked, Kicked)
    assert (kicked.room, kicked.nickname, kicked.by, kicked.reason) == ("ops", "bob", "ann", "no  shouting")
    assert kicked.userhost == ann.userhost
    assert ok == Ok(1)
    assert bob.take() == [kicked]
    assert [type(event) for event in carl.take()] == [Kicked, Message, Message]
    assert (bob.rooms, bob.current) == ({}, None)
    assert refusals(bob.do(Say("x", "ops"))) == [("not_a_member", "ops", ())]
    assert isinstance(bob.do(Join("ops"))[0], Members)
    assert chat.room("ops").members == (ann, carl, bob)


def test_hooks_of_a_kick() -> None:
    """`on_kick` with who did it and who is out, and not `on_leave`, which tells of those who went by themselves."""
    heard: list[tuple[str, ...]] = []

    class Writes(Handler):
        def on_kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
            heard.append((session.nickname or "", room.name, member.nickname or "", reason))

        def on_leave(self, session: Session, room: Room, reason: str) -> None:
            heard.append(("leave",))

    chat = make_chat(Writes())
    ann = enter(chat, "ann", "ops")
    enter(chat, "bob", "ops")

    ann.do(Kick("bob", reason="out"))

    assert heard == [("ann", "ops", "bob", "out")]


def test_kicks_that_are_refused() -> None:
    """403, 442, 482, 401 and 441 in IRC."""
    chat, (ann, bob) = people("ann", "bob")
    carl = enter(chat, "carl")

    assert refusals(ann.do(Kick("bob", "nowhere"))) == [("no_such_room", "nowhere", ())]
    assert refusals(carl.do(Kick("bob", "ops"))) == [("not_a_member", "ops", ())]
    assert refusals(bob.do(Kick("ann"))) == [("not_room_operator", "ops", ())]
    assert refusals(ann.do(Kick("eve"))) == [("no_such_nickname", None, ("eve",))]
    assert refusals(ann.do(Kick("Carl"))) == [("user_not_in_room", "ops", ("carl",))]
    assert refusals(ann.do(Kick("bob", reason="x" * 391))) == [("limit_exceeded", None, ())]
    assert chat.room("ops").members == (ann, bob)


def test_a_server_operator_kicks_from_outside() -> None:
    """Everybody in the room hears who did it."""
    chat, (_, bob) = people("ann", "bob")
    carl = enter(chat, "carl")
    carl.person.modes = "o"

    carl.do(Kick("ann", "ops"))

    assert [(type(event), event.by) for event in bob.take()] == [(Kicked, "carl")]
    assert chat.room("ops").state.roles == {}


def test_who_kicks_itself_out_of_an_empty_room() -> None:
    """It is like leaving: the room starts anew."""
    chat, (ann,) = people("ann")
    ann.do(mode("+m"))

    items = ann.do(Kick("ann"))

    assert [type(item) for item in items] == [Kicked, Ok]
    assert chat.room("ops").state.flags == {"n"}


def test_what_somebody_said_before_the_kick_is_heard_before_it() -> None:
    """And what it says at the same time is refused: membership is checked where the message takes its place."""
    reached: list[str] = []

    class KicksBack(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            if message.text == "second":
                reached.append(message.text)
                chat.membership.kick(ann, chat.room("ops"), bob, "enough")
            return message

    chat = make_chat(first=[KicksBack()])
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    ann.take()

    items = bob.do(Say("first"), Say("second", ref=2))

    assert reached == ["second"]
    assert [type(event) for event in ann.take()] == [Message, Kicked]
    assert refusals(items) == [("not_a_member", "ops", ())]


# Invitations


def test_an_invitation_lets_somebody_in_once() -> None:
    """The room and the invited hear of it, and the one who invites is answered (RFC 2812 section 3.2.7)."""
    chat, (ann, bob) = people("ann", "bob")
    carl = enter(chat, "carl")
    ann.do(mode("+i"))
    bob.take()

    invited, answer = ann.do(Invite("CARL", ref=1))

    assert isinstance(invited, Invited)
    assert (invited.room, invited.nickname, invited.invited, invited.userhost) == ("ops", "ann", "carl", ann.userhost)
    assert answer == Inviting(1, "ops", "carl")
    assert bob.take() == [invited]
    assert carl.take() == [invited]
    assert carl.do(queries.ListInvitations(ref=2)) == [Invitations(2, ("ops",))]
    assert isinstance(carl.do(Join("ops"))[0], Members)
    assert carl.do(queries.ListInvitations()) == [Invitations(None, ())]
    assert refusals(carl.do(Leave("ops"), Join("ops"))) == [("invite_only", "ops", ())]


def test_an_invitation_stays_with_the_person() -> None:
    """A stranger who takes the nickname is not invited."""
    chat, (ann,) = people("ann")
    bob, carl = enter(chat, "bob"), enter(chat, "carl")
    ann.do(mode("+i"), Invite("bob"))

    bob.do(verbs.SetNickname("bobby"))
    carl.do(verbs.SetNickname("bob"))

    assert refusals(carl.do(Join("ops"))) == [("invite_only", "ops", ())]
    assert isinstance(bob.do(Join("ops"))[-1], Members)


def test_who_invites_somebody_away_is_told() -> None:
    """301 in IRC."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    bob.do(verbs.SetAway("lunch"))

    items = ann.do(Invite("bob", ref=1))

    assert items[1:] == [Inviting(1, "ops", "bob"), PersonAway(None, "bob", "lunch")]


def test_invitations_that_are_refused() -> None:
    """403, 442, 482, 401 and 443 in IRC; every member may invite where everybody may come in."""
    chat, (ann, bob) = people("ann", "bob")
    carl = enter(chat, "carl")

    assert refusals(ann.do(Invite("carl", "nowhere"))) == [("no_such_room", "nowhere", ())]
    assert refusals(carl.do(Invite("carl", "ops"))) == [("not_a_member", "ops", ())]
    assert refusals(ann.do(Invite("eve"))) == [("no_such_nickname", None, ("eve",))]
    assert refusals(ann.do(Invite("Bob"))) == [("already_in_room", "ops", ("bob",))]
    assert refusals(bob.do(Invite("carl"))) == []
    ann.do(mode("+i"))
    assert refusals(bob.do(Invite("carl"))) == [("not_room_operator", "ops", ())]
    assert [type(event) for event in carl.take()] == [Invited]


# Modes


def test_changes_are_one_event_for_all() -> None:
    """With the modes that have really changed, nicknames as they are written, masks complete."""
    _, (ann, bob) = people("ann", "bob")

    event, ok = ann.do(mode("+mb-n+ov", "eve", "BOB", "bob", ref=1))

    assert isinstance(event, ModesChanged)
    assert (event.room, event.nickname, event.userhost) == ("ops", "ann", ann.userhost)
    assert event.changes == (
        ModeChange(True, "m"),
        ModeChange(True, "b", "eve!*@*"),
        ModeChange(False, "n"),
        ModeChange(True, "o", "bob"),
        ModeChange(True, "v", "bob"),
    )
    assert ok == Ok(1, event.id)
    assert bob.take() == [event]


def test_what_changes_nothing_is_no_event() -> None:
    """+o for an operator, a ban that is there, the same key."""
    _, (ann, bob) = people("ann", "bob")
    ann.do(mode("+bkl", "eve", "secret", "5"))
    bob.take()

    items = ann.do(mode("+onb-m+k-v", "ann", "EVE!*@*", "secret", "bob", ref=1), mode("+l-be", "05", "x", "y", ref=2))

    assert items == [Ok(1), Ok(2)]
    assert bob.take() == []


def test_refused_changes_do_not_stop_the_others() -> None:
    """Each is refused with what is wrong with it; there is no `Ok` then, so nobody takes it for all done."""
    chat, (ann, _) = people("ann", "bob")
    enter(chat, "carl")

    event, *failures = ann.do(mode("+Zmovbkl", "carl", "eve", "a b", "", "0", ref=1))

    assert event.changes == (ModeChange(True, "m"),)
    assert refusals(failures) == [
        ("unknown_mode", "ops", ("Z",)),
        ("user_not_in_room", "ops", ("carl",)),
        ("no_such_nickname", None, ("eve",)),
        ("bad_mode_argument", "ops", ("b", "a b")),
        ("bad_mode_argument", "ops", ("k", "")),
        ("bad_mode_argument", "ops", ("l", "0")),
    ]
    assert {failure.ref for failure in failures} == {1}
    assert failures[5].text == "mode +l: a limit must be a number from 1 to 999999"


@pytest.mark.parametrize(
    ("letters", "argument"),
    [
        ("+k", "a b"),
        ("+k", "a,b"),
        ("+k", ":a"),
        ("+k", "x" * 33),
        ("+k", "schlüssel"),
        ("+k", "a\n"),
        ("+l", "-1"),
        ("+l", "1000000"),
        ("+l", "1\n"),
        ("+l", "٣"),
        ("+l", "1" * 5000),
        ("+b", "x" * 200),
        ("+I", "m:bob"),
        ("+o", ""),
    ],
)
def test_arguments_that_are_refused(letters: str, argument: str) -> None:
    """696 in IRC, with the letter and the argument; missing ones are as wrong."""
    chat, (ann,) = people("ann")

    for change in (mode(letters, argument), mode(letters)):
        assert [code for code, _, _ in refusals(ann.do(change))] == ["bad_mode_argument"]
    assert chat.room("ops").state.letters == "n"


def test_a_key_is_removed_by_one_who_does_not_know_it() -> None:
    """And nobody is told what it was."""
    chat, (ann,) = people("ann")
    ann.do(mode("+k", "secret"))

    event, _ = ann.do(mode("-k", "wrong"))

    assert event.changes == (ModeChange(False, "k", "*"),)
    assert chat.room("ops").state.join_key is None


def test_only_operators_change_modes() -> None:
    """One refusal for the whole; server operators may, also from outside."""
    chat, (ann, bob) = people("ann", "bob")
    carl = enter(chat, "carl")
    ann.do(mode("+v", "bob"))
    bob.take()

    assert refusals(bob.do(mode("+mt-v", "bob"))) == [("not_room_operator", "ops", ())]
    assert refusals(carl.do(mode("+m", room="ops"))) == [("not_a_member", "ops", ())]
    carl.person.modes = "o"
    assert carl.do(mode("+o", "bob", room="ops", ref=1)) == [Ok(1, chat.log.last_id() - 1)]  # the audit is behind it
    assert refusals(bob.do(mode("+m"))) == []


def test_operators_of_a_pinned_room_are_made_by_server_operators() -> None:
    """The lobby belongs to the server."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    assert refusals(ann.do(mode("+o", "ann"))) == [("not_room_operator", "lobby", ())]
    bob.person.modes = "o"

    bob.do(mode("+o", "ann"))

    assert refusals(ann.do(mode("+t"))) == []


def test_an_operator_may_cease_to_be_one() -> None:
    """What stands behind it in the same command is still done: who may was asked before."""
    chat, (ann,) = people("ann")

    ann.do(mode("-o+m", "ann"))

    assert chat.room("ops").state.roles == {}
    assert refusals(ann.do(mode("-m"))) == [("not_room_operator", "ops", ())]


def test_lists_have_an_end() -> None:
    """478 in IRC; all of a room have one together."""
    _, (ann,) = people("ann", limits=Limits(max_masks=2))

    items = ann.do(mode("+bbbe", "a", "b", "c", "d"))

    assert refusals(items) == [("list_full", "ops", ("c!*@*", "b")), ("list_full", "ops", ("d!*@*", "e"))]
    assert items[-1].text == "the lists of room 'ops' are full: at most 2 masks in total"
    (answer,) = ann.do(queries.ListMasks("b", ref=1))
    assert (answer.ref, answer.room, answer.mode) == (1, "ops", "b")
    assert [(entry.mask, entry.by, entry.time > 0) for entry in answer.masks] == [
        ("a!*@*", "ann", True),
        ("b!*@*", "ann", True),
    ]


def test_too_many_changes_at_once() -> None:
    """Whoever makes the verb: nothing is changed."""
    chat, (ann,) = people("ann")

    items = ann.do(SetModes((ModeChange(True, "m"),) * 21))

    assert items == [Failure(None, "limit_exceeded", "modes at once: at most 20 with an argument, 20 without", "ops")]
    assert chat.room("ops").state.flags == {"n"}


def test_which_modes_a_room_has() -> None:
    """324 and 329 in IRC; strangers do not see the key."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode("+tCkl", "secret", "5"))
    created = chat.room("ops").state.created

    assert ann.do(queries.GetModes(ref=1)) == [Modes(1, "ops", "Cntkl", ("secret", "5"), created)]
    assert bob.do(queries.GetModes("OPS")) == [Modes(None, "ops", "Cntkl", ("*", "5"), created)]
    bob.person.modes = "o"
    assert bob.do(queries.GetModes("ops"))[0].arguments == ("secret", "5")


def test_who_may_read_lists_of_masks() -> None:
    """Bans: everybody who may know of the room; exceptions: operators."""
    chat, (ann, bob) = people("ann", "bob")
    carl = enter(chat, "carl")

    for asker in (ann, bob, carl):
        assert refusals(asker.do(queries.ListMasks("b", "ops"))) == []
    for letter in "eI":
        assert refusals(ann.do(queries.ListMasks(letter, "ops"))) == []
        assert refusals(bob.do(queries.ListMasks(letter, "ops"))) == [("not_room_operator", "ops", ())]
        assert refusals(carl.do(queries.ListMasks(letter, "ops"))) == [("not_a_member", "ops", ())]
    assert refusals(ann.do(queries.ListMasks("be"))) == [("unknown_mode", "ops", ("be",))]


def test_server_verbs_are_for_server_operators() -> None:
    """`authorize` refuses them to others."""
    _, (ann,) = people("ann")

    for verb in (verbs.Kill("ann"), verbs.SendWallops("x")):
        assert refusals(ann.do(verb)) == [("not_server_operator", None, ())]
