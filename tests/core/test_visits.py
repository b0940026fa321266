"""Programs that come for a moment (`Hello.visit`): nobody is told of that, and nothing else is different for them."""

from __future__ import annotations

from typing import Any

from recorder import enter, make_chat, no_alarm_is_left

from pychat.model.events import Disconnected, Joined, Kicked, Message
from pychat.model.modes import parse
from pychat.model.queries import ListMembers
from pychat.model.replies import Failure, Members
from pychat.model.verbs import Join, Kick, Leave, Say, SetModes

__all__ = ["no_alarm_is_left"]


def named(items: list[Any]) -> list[tuple[str, bool]]:
    """Those whom the one list of members names, and whether they visit."""
    (members,) = [item for item in items if isinstance(item, Members)]
    return [(member.nickname, member.visits) for member in members.members]


def test_nobody_is_told_that_it_comes_and_goes() -> None:
    """What it says is heard, and nothing else, whatever way it goes."""
    chat = make_chat()
    ann = enter(chat, "ann", "ops")

    visitor = enter(chat, "ci", "ops", visit=True)
    visitor.do(Say("disk full"), Leave("ops"), Join("ops"))
    chat.close(visitor, "quit")

    assert [type(item) for item in ann.take()] == [Message]


def test_it_hears_of_its_own_coming() -> None:
    """As of a coming that no handler announces: without an id."""
    chat = make_chat()
    visitor = enter(chat, "ci", visit=True)

    (members,) = [item for item in visitor.do(Join("ops")) if isinstance(item, Members)]

    assert isinstance(members.arrival, Joined)
    assert members.arrival.id == 0


def test_whoever_asks_is_told_that_it_is_there() -> None:
    """But not who comes: the client could not know when it is gone, and would show it for ever."""
    chat = make_chat()
    enter(chat, "ci", "ops", visit=True)
    ann = enter(chat, "ann")

    assert named(ann.do(Join("ops"))) == [("ann", False)]
    assert named(ann.do(ListMembers("ops"))) == [("ci", True), ("ann", False)]


def test_it_can_be_removed_and_banned_like_anybody() -> None:
    """All are told of a removal, and it does not come in again."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    visitor = enter(chat, "ci", "ops", visit=True)

    ann.do(SetModes(tuple(parse("+b", ["ci!*@*"]))), Kick("ci"))

    assert [type(item) for item in bob.take()][-1] is Kicked
    assert [item.code for item in visitor.do(Join("ops")) if isinstance(item, Failure)] == ["banned"]


def test_it_does_not_become_operator_of_a_room_that_it_makes() -> None:
    """The first one who does not visit does: an operator of whom nobody was told would be a trap."""
    chat = make_chat()
    visitor = enter(chat, "ci", "ops", visit=True)
    ann = enter(chat, "ann", "ops")
    bob = enter(chat, "bob", "ops")

    room = chat.find_room("ops")
    assert room is not None
    assert [room.state.roles.get(one.identity) for one in (visitor, ann, bob)] == [None, "o", None]


def test_an_operator_who_may_come_back_is_awaited_beside_a_visitor() -> None:
    """Whoever comes meanwhile does not become operator in the place of the lost one."""
    chat = make_chat()
    ann = enter(chat, "ann", "ops")
    ann.resumable = True
    enter(chat, "ci", "ops", visit=True)
    chat.close(ann, "connection closed", lost=True)

    bob = enter(chat, "bob", "ops")

    room = chat.find_room("ops")
    assert room is not None
    assert room.state.roles.get(bob.identity) is None


def test_others_are_told_as_before() -> None:
    """Of a person beside it."""
    chat = make_chat()
    visitor = enter(chat, "ci", "ops", visit=True)

    chat.close(enter(chat, "ann", "ops"), "quit")

    assert [type(item) for item in visitor.take()] == [Joined, Disconnected]


def test_a_room_that_is_not_there_can_be_refused() -> None:
    """With a join, and with a hello; then there is still none."""
    chat = make_chat()
    ann = enter(chat, "ann")

    (failure,) = ann.do(Join("ops", create=False))
    bob = enter(chat, "bob", "ops", create=False)

    assert (failure.code, failure.text) == ("no_such_room", "there is no room 'ops'")
    assert bob.rooms == {}
    assert [room.name for room in chat.table.used()] == ["lobby"]
    enter(chat, "carl", "ops")
    assert named(ann.do(Join("OPS", create=False)))[0] == ("carl", False)
