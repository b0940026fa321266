"""The rules of rooms: who comes in, who talks, who may know of a room, and what becomes of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import Recorder, enter, make_chat, no_alarm_is_left

from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.rooms import rules
from pychat.core.rooms.room import Room
from pychat.core.rooms.slow_mode import Pace
from pychat.core.rooms.state import RoomState
from pychat.core.session import Session
from pychat.model import queries, replies, verbs
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.events import Joined, Left, Message, Tagged
from pychat.model.limits import Limits
from pychat.model.modes import parse
from pychat.model.replies import Failure, Gap, Members, Ok
from pychat.model.verbs import Hello, Invite, Join, Leave, LeaveAll, Say, SetModes
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]


def mode(letters: str, *arguments: str, room: str | None = None) -> SetModes:
    """The verb of `/mode +b bob`."""
    return SetModes(tuple(parse(letters, arguments)), room)


def people(*nicknames: str, limits: Limits | None = None, clock: Clock = SYSTEM_CLOCK) -> tuple[Chat, list[Recorder]]:
    """A chat in whose room "ops" they all are; the first one made it."""
    chat = make_chat(limits=limits, clock=clock)
    members = [enter(chat, nickname, "ops") for nickname in nicknames]
    for member in members:
        member.take()
    return chat, members


def code(items: list[Any]) -> str | None:
    """That of the last item, if it is a refusal."""
    return items[-1].code if items and isinstance(items[-1], Failure) else None


# Slow mode


def test_in_a_slow_room_a_member_talks_now_and_then() -> None:
    """Who is too early is told how long to wait, and does not have to wait longer for having tried."""
    clock = FakeClock()
    _, (ann, bob, carl) = people("ann", "bob", "carl", clock=clock)
    ann.do(mode("+W", "10"))

    assert code(bob.do(Say("x"))) is None
    clock.advance(6.5)
    refused = bob.do(Say("y"))[-1]
    assert (refused.code, refused.text) == (
        "slow_mode",
        "room 'ops' is in slow mode: one message every 10 s; you can talk again in 4 s",
    )
    assert code(carl.do(Say("x"))) is None
    clock.advance(3.5)
    assert code(bob.do(verbs.SayAll(["y", "z"]))) == "slow_mode"
    assert [event.text for event in ann.take() if isinstance(event, Message)] == ["x", "x", "y"]


def test_a_slow_room_is_not_slow_for_those_with_a_role() -> None:
    """Operators, voices and server operators; and nobody is slow when it is over."""
    _, (ann, bob, carl, dave) = people("ann", "bob", "carl", "dave")
    ann.do(mode("+Wv", "3600", "bob"))
    carl.person.modes = "o"

    for member in (ann, bob, carl):
        assert code(member.do(Say("x"), Say("y"))) is None
    assert code(dave.do(Say("x"), Say("y"))) == "slow_mode"
    ann.do(mode("-W"))
    assert not dave.rooms["ops"].state.may_silence
    assert code(dave.do(Say("z"))) is None


def test_who_comes_back_has_not_become_faster() -> None:
    """Neither by another nickname nor by leaving the room."""
    clock = FakeClock()
    _, (ann, bob) = people("ann", "bob", clock=clock)
    ann.do(mode("+W", "10"))
    bob.do(Say("x"), verbs.SetNickname("robert"), Leave(), Join("ops"))

    assert code(bob.do(Say("y"))) == "slow_mode"


def test_what_is_no_slow_mode_is_refused() -> None:
    """From one second to six hours."""
    chat, (ann,) = people("ann")

    for wrong in ("0", "21601", "x", "-1", "1.5", "9" * 30):
        assert code(ann.do(mode("+W", wrong))) == "bad_mode_argument"
    assert code(ann.do(mode("+W"))) == "bad_mode_argument"
    ann.do(mode("+W", "007"))
    assert ann.do(queries.GetModes())[-1][2:4] == ("nW", ("7",))
    assert chat.room("ops").state.slow == 7


def test_who_has_talked_is_forgotten_when_it_does_not_matter_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of very many, the first."""
    pace = Pace()
    for number in range(100):
        assert pace.take(number, 10, float(number)) == 0.0
    assert len(pace._times) == 10
    monkeypatch.setattr("pychat.core.rooms.slow_mode._MOST", 5)
    assert pace.take(100, 1000, 100.0) == 0.0
    assert sorted(pace._times) == [96, 97, 98, 99, 100]


# Who comes in


def test_who_makes_a_room_is_its_operator() -> None:
    """It is in the list of members; the second one is not, and nobody is in a pinned room."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "ops", "lobby"), enter(chat, "bob", "lobby")

    (members,) = bob.do(Join("ops"))
    assert [(one.nickname, one.roles) for one in members.members] == [("ann", "o"), ("bob", "")]
    members = ann.do(Join("lobby"))[-1]
    assert [one.roles for one in members.members] == ["", ""]


def test_a_room_without_roles_shares_what_it_says_of_members() -> None:
    """A join into a room of thousands makes no object for each of them."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "lobby"), enter(chat, "bob", "lobby")

    (members,) = bob.do(Join("lobby"))

    assert members.members[0] is ann.info
    assert members.members[1] is bob.info


@pytest.mark.parametrize(
    ("modes", "refusal"),
    [
        (("+b", "bob"), ("banned", "you are banned from room 'ops'")),
        (("+i",), ("invite_only", "room 'ops' is invite-only")),
        (("+k", "secret"), ("bad_key", "room 'ops' requires a key; it is missing or wrong")),
        (("+l", "1"), ("room_full", "room 'ops' is full")),
    ],
)
def test_rules_that_keep_somebody_out(modes: tuple[str, ...], refusal: tuple[str, str]) -> None:
    """474, 473, 475 and 471 in IRC (RFC 2812 section 3.2.1); members and server operators are not kept out."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode(*modes))

    assert bob.do(Join("OPS", ref=1)) == [Failure(1, *refusal, "ops")]
    assert isinstance(ann.do(Join("ops"))[0], Members)
    bob.person.modes = "o"
    assert isinstance(bob.do(Join("ops"))[0], Members)


@pytest.mark.parametrize(
    ("modes", "let_in"),
    [(("+b", "bob"), True), (("+i",), True), (("+l", "2"), True), (("+k", "secret"), False)],
)
def test_an_invitation_of_an_operator_lets_in(modes: tuple[str, ...], let_in: bool) -> None:
    """Once, past everything but the key; who is banned is in, and does not talk."""
    chat, (ann, _) = people("ann", "eve")
    bob = enter(chat, "bob")
    ann.do(mode(*modes), Invite("bob", "ops"))
    bob.take()

    assert isinstance(bob.do(Join("ops"))[-1], Members) is let_in
    bob.do(Leave("ops"))
    assert isinstance(bob.do(Join("ops"))[-1], Failure)


@pytest.mark.parametrize("modes", [("+b", "bob"), ("+l", "2")])
def test_an_invitation_of_a_member_lets_nobody_past_bans_and_the_limit(modes: tuple[str, ...]) -> None:
    """Nor does it take away what an operator's invitation allows."""
    chat, (ann, eve) = people("ann", "eve")
    bob = enter(chat, "bob")
    ann.do(mode(*modes))

    eve.do(Invite("bob", "ops"))
    bob.take()
    assert isinstance(bob.do(Join("ops"))[-1], Failure)

    ann.do(Invite("bob", "ops"))
    eve.do(Invite("bob", "ops"))
    bob.take()
    assert isinstance(bob.do(Join("ops"))[-1], Members)


def test_no_handler_is_asked_about_one_who_may_not_come_in() -> None:
    """`before_join` is for who may."""
    asked: list[str | None] = []

    class Asks(Handler):
        def before_join(self, session: Session, room: Room) -> None:
            asked.append(session.nickname)

    chat = make_chat(Asks())
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob")
    ann.do(mode("+i"))
    asked.clear()

    assert code(bob.do(Join("ops"))) == "invite_only"
    assert asked == []


def test_a_rule_that_comes_while_handlers_think_about_a_join_holds() -> None:
    """The rules are asked again where the membership changes."""

    class LocksTheDoor(Handler):
        def before_join(self, session: Session, room: Room) -> None:
            if session.nickname == "bob" and room.name == "ops":
                ann.do(mode("+i", room="ops"))

    chat = make_chat(LocksTheDoor())
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob")

    assert code(bob.do(Join("ops"))) == "invite_only"
    assert bob not in chat.room("ops").members


def test_a_key_opens() -> None:
    """Exactly this key."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode("+k", "secret"))

    assert code(bob.do(Join("ops", key="Secret"))) == "bad_key"
    assert code(bob.do(Join("ops", key="\ud800"))) == "bad_key"
    assert isinstance(bob.do(Join("ops", key="secret"))[0], Members)


def test_exceptions_from_bans_and_invitations() -> None:
    """Lists `e` and `I` (modern.ircdocs.horse); an exception from mutes does not open a room to the banned."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode("+be", "*", "m:bob"))
    assert code(bob.do(Join("ops"))) == "banned"

    ann.do(mode("+ei", "b?b"))
    assert code(bob.do(Join("ops"))) == "invite_only"

    ann.do(mode("+I", "bob"))
    assert isinstance(bob.do(Join("ops"))[0], Members)


def test_a_ban_by_host_holds_for_another_nickname() -> None:
    """The mask is compared with nickname!user@host."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode("+b", "*@" + bob.userhost.partition("@")[2].upper()))

    bob.do(verbs.SetNickname("bobby"))

    assert code(bob.do(Join("ops"))) == "banned"


# Who talks


def test_a_room_asks_about_each_message_only_if_a_rule_may_be_against_it() -> None:
    """`may_silence` is what one message costs nearly every room."""
    state = RoomState(0.0)
    assert not state.may_silence
    for letter in "mC":
        rules.set_flag(state, letter, True)
        assert state.may_silence
        rules.set_flag(state, letter, False)
    for letter in "inst":
        rules.set_flag(state, letter, True)
    assert not state.may_silence


@pytest.mark.parametrize(
    ("modes", "text"),
    [
        (("+m",), "room 'ops' is moderated: only operators and members with voice can talk"),
        (("+b", "bob"), "you may not talk in room 'ops'"),
        (("+b", "m:bob"), "you may not talk in room 'ops'"),
    ],
)
def test_rules_that_silence_members(modes: tuple[str, ...], text: str) -> None:
    """404 in IRC; neither operators nor those with voice; and it ends with the rule."""
    _, (ann, bob) = people("ann", "bob")
    ann.do(mode(*modes))
    bob.take()

    assert bob.do(Say("x", ref=1)) == [Failure(1, "cannot_speak", text, "ops")]
    assert code(bob.do(verbs.Tag("+typing=active", "ops"))) == "cannot_speak"
    assert ann.take() == []
    assert code(ann.do(Say("x"))) is None
    ann.do(mode("+v", "bob"))
    assert code(bob.do(Say("x"))) is None
    ann.do(mode("-v", "bob"), mode("-" + modes[0][1], *modes[1:]))
    assert code(bob.do(Say("x"))) is None


def test_an_exception_from_mutes() -> None:
    """With `m:` or without; and a ban is lifted only by one without."""
    _, (ann, bob) = people("ann", "bob")
    for exception in ("m:bob", "bob"):
        ann.do(mode("+be", "m:*", exception))
        assert code(bob.do(Say("x"))) is None
        ann.do(mode("-be", "m:*", exception))
    ann.do(mode("+be", "*", "m:bob"))
    assert code(bob.do(Say("x"))) == "cannot_speak"


def test_a_mute_does_not_keep_anybody_out() -> None:
    """Who is muted may come in and listen."""
    chat, (ann,) = people("ann")
    ann.do(mode("+b", "m:*"))

    bob = enter(chat, "bob", "ops")

    assert list(bob.rooms) == ["ops"]
    assert code(bob.do(Say("x"))) == "cannot_speak"


def test_no_ctcp_but_actions() -> None:
    """Mode C, for operators, too."""
    _, (ann, bob) = people("ann", "bob")
    ann.do(mode("+C"))
    bob.take()

    assert code(bob.do(Say("CTCP VERSION", formatted="\x01VERSION\x01"))) == "cannot_speak"
    assert code(ann.do(Say("CTCP VERSION", formatted="\x01VERSION\x01"))) == "cannot_speak"
    bob.do(Say("waves", action=True, formatted="\x01ACTION \x02waves\x02\x01"), Say("x", formatted="\x02x\x02"))
    assert [event.text for event in ann.take()] == ["waves", "x"]


def test_who_is_outside_talks_only_if_the_room_takes_it() -> None:
    """Mode n, which rooms have; the answer does not tell whether there is such a room."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    assert bob.do(Say("x", "ops", ref=1))[0].code == "not_a_member"

    ann.do(mode("-n"))
    ok, _ = bob.do(Say("from outside", "ops", ref=1), verbs.Tag("+typing=active", "ops", ref=2))
    message, tagged = ann.take()
    assert (ok.id, message.sender, message.text, message.room) == (message.id, "bob", "from outside", "ops")
    assert (type(tagged), tagged.sender) == (Tagged, "bob")

    ann.do(mode("+m"))
    assert code(bob.do(Say("x", "ops"))) == "cannot_speak"
    ann.do(mode("-m+s"))
    assert code(bob.do(Say("x", "ops"))) == "not_a_member"


def test_nobody_talks_into_a_room_that_everybody_has_left() -> None:
    """It is no room any more, whatever its rules were."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode("-n"), Leave("ops"))

    assert code(bob.do(Say("x", "ops"))) == "not_a_member"


def test_server_operators_talk_past_all_rules_but_must_be_there() -> None:
    """As on other servers."""
    chat, (ann, bob) = people("ann", "bob")
    carl = enter(chat, "carl")
    bob.person.modes = carl.person.modes = "o"
    ann.do(mode("+mb", "*"))

    assert code(bob.do(Say("x"))) is None
    assert code(carl.do(Say("x", "ops"))) == "not_a_member"


def test_leaving_all_rooms() -> None:
    """`JOIN 0` of RFC 2812 section 3.2.1; each room hears of it."""
    chat, (ann, bob) = people("ann", "bob")
    ann.do(Join("lobby"))

    items = ann.do(LeaveAll("tired", ref=1), LeaveAll(ref=2))

    assert [(item.room, item.reason) for item in items[:2]] == [("ops", "tired"), ("lobby", "tired")]
    assert items[2:] == [Ok(1), Ok(2)]
    assert (ann.rooms, ann.current) == ({}, None)
    assert [type(event) for event in bob.take()] == [Left]
    assert chat.room("ops").members == (bob,)


# Who may know of a room


def test_a_secret_room_is_in_no_list_for_strangers() -> None:
    """Mode s: nothing tells whether there is such a room; members and server operators see it."""
    chat, (ann,) = people("ann")
    bob, carl = enter(chat, "bob"), enter(chat, "carl")
    carl.person.modes = "o"
    ann.do(mode("+s"))
    bob.take()

    def rooms(session: Recorder) -> list[str]:
        return [room.name for room in session.do(queries.ListRooms())[-1].rooms]

    for name in ("ops", "nowhere"):
        text = f"you are not in room {name!r}; join it first"
        assert bob.do(queries.ListMembers(name)) == [Failure(None, "not_a_member", text, name)]
        changes = verbs.SetTopic("x", name), verbs.Leave(name), mode("+m", room=name)
        for refused in (queries.GetTopic(name), queries.GetModes(name), queries.ListMasks("b", name), *changes):
            assert bob.do(refused) == [Failure(None, "no_such_room", f"there is no room {name!r}", name)]
    assert (rooms(ann), rooms(bob), rooms(carl)) == (["lobby", "ops"], ["lobby"], ["lobby", "ops"])
    (members,) = ann.do(queries.ListMembers())
    assert members.secret


def test_strangers_see_members_and_topic_of_other_rooms() -> None:
    """NAMES and TOPIC of a room that one is not in, but for members who are invisible (user mode i)."""
    chat, (ann, carl) = people("ann", "carl")
    bob = enter(chat, "bob")
    carl.person.modes = "i"
    ann.do(verbs.SetTopic("tea"))

    members, topic = bob.do(queries.ListMembers("ops"), queries.GetTopic("OPS"))

    assert [one.nickname for one in members.members] == ["ann"]
    assert (members.topic, members.topic_by, members.joined, members.secret) == ("tea", "ann", False, False)
    assert (topic.topic, topic.by, topic.time) == ("tea", "ann", members.topic_time)
    assert len(carl.do(queries.ListMembers("ops"))[-1].members) == 2


def test_conditions_of_a_list_of_rooms(clock: FakeClock) -> None:
    """ELIST of IRC: masks, not masks, members, ages (modern.ircdocs.horse, "LIST message")."""
    chat = make_chat(clock=clock)
    clock.advance(1000)
    ann, bob = enter(chat, "ann", "tea", "team"), enter(chat, "bob", "tea")
    ann.do(verbs.SetTopic("x", "team"))
    clock.advance(100)

    def rooms(**conditions: Any) -> list[str]:
        asked = queries.ListRooms(filter=queries.RoomFilter(**conditions))
        return [room.name for room in bob.do(asked)[-1].rooms]

    assert rooms() == ["lobby", "tea", "team"]
    assert rooms(masks=("TEA*", "x")) == ["tea", "team"]
    assert rooms(masks=("t*",), not_masks=("*m",)) == ["tea"]
    assert rooms(more_than=1) == ["tea"]
    assert rooms(more_than=0, less_than=2) == ["team"]
    assert rooms(created_before=500) == ["lobby"]
    assert rooms(created_since=500) == ["tea", "team"]
    assert rooms(topic_before=50) == ["team"]
    assert rooms(topic_since=50) == []
    assert rooms(topic_since=200) == ["team"]
    items = bob.do(queries.ListRooms(filter=queries.RoomFilter(masks=("x",) * 21)))
    assert items == [Failure(None, "limit_exceeded", "masks in one request: at most 20 masks")]


# Topics


def test_topics_that_only_operators_set() -> None:
    """Mode t (482 in IRC); who set the topic and when is told, and with the topic it is gone."""
    chat, (ann, bob) = people("ann", "bob")

    assert bob.do(verbs.SetTopic("one", ref=1))[-1].id is not None
    ann.do(mode("+t"))
    assert code(bob.do(verbs.SetTopic("two"))) == "not_room_operator"
    assert chat.room("ops").topic == "one"
    (event, _) = ann.do(verbs.SetTopic("three", ref=1))[-2:]
    assert ann.do(queries.GetTopic()) == [replies.Topic(None, "ops", "three", "ann", event.time, ann.userhost)]
    ann.do(verbs.SetTopic(""))
    assert ann.do(queries.GetTopic()) == [replies.Topic(None, "ops", "")]


# What becomes of the rules


def test_an_empty_room_starts_anew() -> None:
    """The next one makes the room: an operator, without the old modes; an open room keeps its topic and record."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(verbs.SetTopic("tea"), Say("hello"), mode("+mtbl", "bob", "1"), Leave("ops"))

    (members,) = bob.do(Join("ops"))

    assert (members.topic, members.topic_by, members.members[0].roles) == ("tea", "ann", "o")
    assert bob.do(queries.GetModes("ops"))[-1].letters == "n"
    assert [event.text for event in chat.room("ops").history() if isinstance(event, Message)] == ["hello"]
    ann.do(Join("ops"))
    assert chat.room("ops").state.roles == {bob.identity: "o"}


@pytest.mark.parametrize("modes", [("+k", "secret"), ("+i",), ("+s",)])
def test_nobody_reads_later_what_was_private(modes: tuple[str, ...]) -> None:
    """A room that was closed to strangers is forgotten with its last member, even that there was one."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode(*modes), verbs.SetTopic("our plan"), Say("psst"), Leave("ops", "the plan failed"))

    (members,) = bob.do(Join("ops"))

    assert (members.topic, members.topic_by, members.topic_time) == ("", "", 0.0)
    assert [type(event) for event in bob.do(queries.ReadHistory("ops"))[-1].events] == [Joined]
    assert chat.room("ops").history() == []


def test_a_pinned_room_keeps_its_rules() -> None:
    """It is there when nobody is."""
    chat = make_chat()
    ann = enter(chat, "ann")
    ann.person.modes = "o"
    ann.do(mode("+t"), Leave("lobby"), Join("lobby"))

    assert chat.default_room.state.flags == {"n", "t"}
    assert chat.default_room.state.roles == {}


def test_roles_go_with_the_member() -> None:
    """Who leaves and comes back is a member like others; another nickname changes nothing."""
    _, (ann, bob) = people("ann", "bob")
    ann.do(mode("+v", "bob"), verbs.SetNickname("anna"))
    assert code(ann.do(mode("+o", "bob"))) is None

    bob.do(Leave("ops"), Join("ops"))

    assert [one.roles for one in bob.do(queries.ListMembers())[-1].members] == ["o", ""]


def lose(chat: Chat, session: Recorder) -> str:
    """The connection is lost; return the token."""
    session.resumable = True
    token = session.token
    assert token is not None
    chat.close(session, "connection lost", lost=True)
    return token


def test_a_member_that_lost_the_connection_comes_back_as_it_was() -> None:
    """With its roles, past the key, the limit and mode i; but a ban that came meanwhile holds."""
    chat, (ann, bob, carl) = people("ann", "bob", "carl")
    ann.do(mode("+v", "bob"), mode("+ikl", "secret", "1"))
    tokens = [lose(chat, bob), lose(chat, carl)]
    ann.do(mode("+b", "carl"))

    bob, carl = Recorder(chat), Recorder(chat)
    for session, nickname, token in zip((bob, carl), ("bob", "carl"), tokens, strict=True):
        chat.open(session)
        session.do(Hello(nickname, ("ops",), token=token))

    assert [one.roles for one in ann.do(queries.ListMembers())[-1].members] == ["o", "v"]
    assert "ops" not in carl.rooms


def test_nobody_is_expected_for_ever() -> None:
    """What is kept for one who does not come back in time is dropped, so rooms that live long do not grow."""
    state = RoomState(0.0)
    rules.set_role(state, 1, "o", True)
    rules.depart(state, 1, 5.0, keep_seconds=1000)
    assert state.expects(1, 1004.0)
    assert not state.expects(1, 1005.0)

    rules.depart(state, 2, 1005.0)

    assert (state.roles, state.expected) == ({}, {})


def test_a_closed_room_whose_only_member_lost_the_connection_is_forgotten_too() -> None:
    """When it is not back in time, it is told that something is missing."""
    chat, (ann,) = people("ann", limits=Limits(resume_seconds=0.0))
    ok = ann.do(mode("+i"), Say("x", ref=1))[-1]
    lose(chat, ann)
    again = Recorder(chat)
    chat.open(again)

    items = again.do(Hello("ann", ("ops",), after=ok.id - 1))

    assert [item for item in items if isinstance(item, Gap)] != []
    assert [item for item in items if isinstance(item, Message)] == []


def test_only_so_many_are_invited_at_once() -> None:
    """The oldest invitation is forgotten."""
    state = RoomState(0.0)
    for identity in range(101):
        rules.invite(state, identity)
    rules.invite(state, 1)
    rules.invite(state, 200)

    assert len(state.invited) == 100
    assert [identity for identity in (0, 1, 2, 3, 200) if identity in state.invited] == [1, 3, 200]


def test_roles_are_written_the_highest_first() -> None:
    """Whatever came first; what is so already is no change."""
    state = RoomState(0.0)
    assert rules.set_role(state, 1, "v", True)
    assert rules.set_role(state, 1, "o", True)
    assert not rules.set_role(state, 1, "o", True)
    assert state.roles == {1: "ov"}
    assert rules.set_role(state, 1, "o", False)
    assert rules.set_role(state, 1, "v", False)
    assert state.roles == {}


def test_roles_are_not_kept_longer_than_that(clock: FakeClock) -> None:
    """Who came back in time, but into another room, has no role left when it comes into this one later."""
    chat, (ann, bob) = people("ann", "bob", clock=clock)
    ann.do(mode("+o", "bob"))
    token = lose(chat, bob)
    again = Recorder(chat)
    chat.open(again)
    again.do(Hello("bob", ("lobby",), token=token))
    clock.advance(chat.limits.resume_seconds)

    again.do(Join("ops"))

    assert [one.roles for one in ann.do(queries.ListMembers("ops"))[-1].members] == ["o", ""]


def test_a_private_room_that_the_program_takes_over_is_forgotten_too() -> None:
    """Not even who was in it last is told to those who come into it later."""
    chat, (ann,) = people("ann")
    bob = enter(chat, "bob")
    ann.do(mode("+s"), verbs.Quit("our secret"))
    chat.room("ops")

    bob.do(Join("ops"))

    assert [type(event) for event in bob.do(queries.ReadHistory("ops"))[-1].events] == [Joined]
    assert chat.room("ops").state.roles == {}
