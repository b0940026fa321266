"""Ignoring people: what does not reach whom."""

from __future__ import annotations

from typing import Any

from recorder import Recorder, enter, make_chat, no_alarm_is_left

from pychat.core.chat import Chat
from pychat.model.events import Invited, Message, ModesChanged, Renamed
from pychat.model.limits import Limits
from pychat.model.modes import parse
from pychat.model.queries import ReadHistory
from pychat.model.replies import Failure, Ignored, Ok
from pychat.model.verbs import (
    Direct,
    Hello,
    Invite,
    Join,
    Leave,
    ListIgnored,
    Say,
    SayAll,
    SetIgnored,
    SetModes,
    SetNickname,
)

__all__ = ["no_alarm_is_left"]


def people(*nicknames: str, limits: Limits | None = None) -> tuple[Chat, list[Recorder]]:
    """A chat in whose room "ops" they all are."""
    chat = make_chat(limits=limits)
    members = [enter(chat, nickname, "ops") for nickname in nicknames]
    for member in members:
        member.take()
    return chat, members


def texts(items: list[Any]) -> list[str]:
    """What was said."""
    return [item.text for item in items if isinstance(item, Message)]


def test_what_an_ignored_person_says_reaches_all_others() -> None:
    """Alone and many at once; the one who is ignored is answered as ever, and notices nothing."""
    _, (ann, bob, carl) = people("ann", "bob", "carl")
    ann.do(SetIgnored(("BOB",)))

    items = bob.do(Say("one", ref=1), SayAll(["two", "three"]), Direct("psst", "ann", ref=2))
    heard = carl.do(Say("four"))

    assert [type(item) for item in items] == [Ok, Ok]
    assert texts(ann.take()) == ["four"]
    assert texts(heard) == ["one", "two", "three"]
    assert ann.correspondent is None


def test_what_they_do_is_seen() -> None:
    """Only what they say is not, and their invitations: else one would not know who is in the room."""
    chat, (ann, bob) = people("ann", "bob")
    ann.do(SetIgnored(("*!*@*",)))
    enter(chat, "zoe")
    ann.take()

    bob.do(Leave(), Join("den"), Invite("ann", "den"), SetNickname("robert"), Join("ops"))
    ann.do(SetModes(tuple(parse("+v", ["robert"]))))

    items = ann.take()
    assert not any(isinstance(item, Invited) for item in items)
    bob.do(SetNickname("bob"))
    assert [type(item) for item in ann.take()] == [Renamed]
    assert items == [] or not texts(items)


def test_one_hears_oneself_and_the_server() -> None:
    """Whatever the masks are."""
    chat, (ann, bob) = people("ann", "bob")
    ann.echoes = True
    ann.do(SetIgnored(("*",)))

    assert texts(ann.do(Direct("note to self", "ann"))) != []
    chat.room("ops").announce("tea is ready")
    assert [item.text for item in ann.take()] == ["tea is ready"]
    bob.do(SetModes(tuple(parse("+m", []))))
    assert not any(isinstance(item, ModesChanged) for item in bob.take())


def test_an_account_is_ignored() -> None:
    """By whatever nickname."""
    _, (ann, bob) = people("ann", "bob")
    bob.log_in("Robert")
    ann.do(SetIgnored(("a:robert",)))

    bob.do(Say("x"), SetNickname("bert"), Say("y"))

    assert texts(ann.take()) == []


def test_the_list_is_answered_and_changed() -> None:
    """Masks have all their parts; what is there already, or is not there, changes nothing."""
    _, (ann, bob) = people("ann", "bob")

    userhost = ann.userhost
    assert ann.do(ListIgnored(1)) == [Ignored(1, (), (), (), userhost)]
    assert ann.do(SetIgnored(("bob", "*@host"), (), 2)) == [
        Ignored(2, ("bob!*@*", "*!*@host"), ("bob!*@*", "*!*@host"), (), userhost)
    ]
    assert ann.do(SetIgnored(("BOB",), ("eve",), 3)) == [Ignored(3, ("bob!*@*", "*!*@host"), (), (), userhost)]
    assert ann.do(SetIgnored((), ("Bob", "*@host"), 4)) == [Ignored(4, (), (), ("bob!*@*", "*!*@host"), userhost)]
    assert ann.ignored is None
    bob.do(Say("x"))
    assert texts(ann.take()) == ["x"]


def test_a_list_has_a_limit() -> None:
    """What fits is ignored, the rest refused."""
    _, (ann,) = people("ann", limits=Limits(ignored_masks=1))

    (failure,) = ann.do(SetIgnored(("bob", "eve")))

    assert (failure.code, failure.subject) == ("too_many_ignored", ("eve!*@*",))
    assert ann.do(ListIgnored())[-1].masks == ("bob!*@*",)
    assert [item.code for item in ann.do(SetIgnored(("a b",)), SetIgnored(("m:x",))) if isinstance(item, Failure)] == [
        "bad_mode_argument"
    ] * 2


def test_what_was_ignored_is_not_told_later() -> None:
    """Neither in the history nor to one who comes back; what is said after that is heard."""
    _, (ann, bob) = people("ann", "bob")
    ann.do(SetIgnored(("bob",)))
    bob.do(Say("x"))
    ann.do(Say("y"))

    page = ann.do(ReadHistory())[-1]
    assert texts(list(page.events)) == ["y"]
    ann.do(SetIgnored((), ("bob",)))
    assert texts(list(ann.do(ReadHistory())[-1].events)) == ["x", "y"]


def test_who_comes_back_ignores_the_same_people() -> None:
    """The list is kept with the nickname."""
    chat, (ann, bob) = people("ann", "bob")
    ann.resumable = True
    ann.do(SetIgnored(("bob",)))
    token = ann.token
    chat.close(ann, "lost", lost=True)
    after = chat.log.last_id()
    bob.do(Say("missed"))

    again = Recorder(chat)
    chat.open(again)
    items = again.do(Hello("ann", token=token, after=after))

    assert texts(items) == []
    bob.do(Say("x"))
    assert texts(again.take()) == []
    assert again.identity == ann.identity


def test_rooms_where_nobody_ignores_anybody_know_it() -> None:
    """A room has only those who are in it and ignore somebody."""
    chat, (ann, _) = people("ann", "bob")
    room = chat.room("ops")
    assert not room.ignoring

    ann.do(SetIgnored(("eve",)), Join("den"))
    assert room.ignoring == {ann}
    den = chat.find_room("den")
    assert den is not None
    assert den.ignoring == {ann}
    ann.do(Leave("den"))
    assert not den.ignoring
    ann.do(SetIgnored((), ("eve",)))
    assert not room.ignoring
    ann.do(SetIgnored(("eve",)))
    chat.close(ann, "gone")
    assert not room.ignoring
