"""Who is here, who was, how many, and who watches whom."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import USERHOST, Recorder, enter, make_chat, member, no_alarm_is_left

from pychat import Chat, Limits
from pychat.core import price, scan
from pychat.core.people import actions as meeting
from pychat.model import queries, verbs
from pychat.model.modes import ModeChange
from pychat.model.replies import Counts, Failure, Motd, PastPeople, People, Profile, Watched, Welcome
from pychat.model.verbs import Hello, Join, Leave, SetAway, SetNickname, Watch

__all__ = ["no_alarm_is_left"]


def names(items: list[Any]) -> list[str]:
    """The nicknames in the only item, an answer about people."""
    (answer,) = items
    assert isinstance(answer, People)
    return [person.nickname for person in answer.people]


def set_modes(person: Recorder, letters: str) -> None:
    """Let somebody have user modes."""
    person.do(verbs.SetUserModes(tuple(ModeChange(True, letter) for letter in letters)))


def make_operator(person: Recorder) -> None:
    """Let somebody be a server operator without a password."""
    with person.chat.order.lock:
        person.person.modes = "o"
        person.chat.census.index_modes(person)


def leave_all(person: Recorder) -> Recorder:
    """Let somebody be in no room."""
    person.do(*[Leave(room) for room in person.room_names])
    return person


# The message of the day


def test_everybody_is_told_the_message_of_the_day_once() -> None:
    """Behind the welcome, ahead of the rooms; in clean lines. Whoever asks is told again."""
    chat = Chat(motd=["be nice", "to \x1b all"])
    ann = Recorder(chat)
    chat.open(ann)

    items = ann.do(Hello("ann", ("lobby", "ops")))

    lines = ("be nice", "to \N{REPLACEMENT CHARACTER} all")
    assert isinstance(items[0], Welcome)
    assert items[1] == Motd(None, lines)
    assert [item for item in items if isinstance(item, Motd)] == items[1:2]
    assert ann.do(queries.GetMotd(ref=1)) == [Motd(1, lines)]


def test_a_message_of_the_day_that_is_no_list_of_lines_is_refused() -> None:
    """A string would be lines of one letter."""
    with pytest.raises(TypeError, match=r"^motd must be a list of lines: \['hi'\], not 'hi'$"):
        Chat(motd="hi")


def test_one_may_come_into_no_room_at_all() -> None:
    """`rooms=()` is not None: IRC joins by itself."""
    chat = make_chat()
    ann = Recorder(chat)
    chat.open(ann)

    ann.do(Hello("ann", ()))

    assert (ann.rooms, ann.current) == ({}, None)


# Profiles


def test_whois_tells_what_may_be_known() -> None:
    """The rooms that both are in, with the roles there; user@host, real name, user modes, since when."""
    chat = make_chat()
    bob = enter(chat, "bob", "den", "lobby", "secret", realname="Bob B.")
    ann = enter(chat, "ann", "lobby", "den")
    set_modes(bob, "B")

    (profile,) = ann.do(queries.WhoIs("BOB", ref=1))

    assert isinstance(profile, Profile)
    assert (profile.ref, profile.nickname, profile.rooms, profile.roles) == (1, "bob", ("den", "lobby"), ("o", ""))
    assert (profile.userhost, profile.realname, profile.modes) == (USERHOST, "Bob B.", "B")
    assert profile.since == bob.since


def test_people_are_found_in_the_order_of_their_nicknames() -> None:
    """Those who are not there are left out; also the invisible, whose very nickname was given."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob", "ops")
    enter(chat, "carl")
    set_modes(bob, "i")
    ann.take()

    assert names(ann.do(queries.FindPeople(("carl", "eve", "BOB")))) == ["carl", "bob"]


@pytest.mark.parametrize(
    ("mask", "found"),
    [
        ("*", ["ann", "bob", "carl"]),
        ("BO?", ["bob"]),
        ("carl!*@*", ["carl"]),
        ("~ca*@*", ["carl"]),
        ("*@irc.pychat", ["ann", "bob", "carl"]),
        ("*smith", ["carl"]),
        ("Carl Smith", ["carl"]),
        ("bob", ["bob"]),
        ("bo", []),
    ],
)
def test_people_whom_a_mask_describes(mask: str, found: list[str]) -> None:
    """Nickname, user@host or real name (modern.ircdocs.horse, "WHO message"); without wildcards the very one."""
    chat = make_chat()
    ann = enter(chat, "ann")
    enter(chat, "bob")
    enter(chat, "carl", username="carl", realname="Carl Smith")
    ann.take()

    assert names(ann.do(queries.ListPeople(mask))) == found


def test_the_invisible_are_told_to_those_who_share_a_room_or_know_the_nickname() -> None:
    """And to server operators (modern.ircdocs.horse, "Invisible User Mode")."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "lobby", "den"), enter(chat, "bob", "ops")
    set_modes(bob, "i")

    assert names(ann.do(queries.ListPeople("b*"))) == []
    assert names(ann.do(queries.ListPeople(room="ops"))) == []
    assert names(ann.do(queries.ListPeople("Bob"))) == ["bob"]
    assert names(ann.do(queries.ListPeople(USERHOST))) == ["ann"]
    make_operator(ann)
    assert names(ann.do(queries.ListPeople("b*"))) == ["bob"]
    with chat.order.lock:
        ann.person.modes = ""
        chat.census.index_modes(ann)
    bob.do(Join("den"))
    ann.take()
    assert names(ann.do(queries.ListPeople("b*"))) == ["bob"]
    assert names(bob.do(queries.ListPeople("bob"))) == ["bob"]


def test_people_in_a_room() -> None:
    """With their role in that room; a secret room is none for those outside."""
    chat = make_chat()
    bob, ann = enter(chat, "bob", "ops"), enter(chat, "ann", "ops")
    carl = enter(chat, "carl")

    (answer,) = carl.do(queries.ListPeople(room="OPS", ref=1))
    assert (answer.ref, answer.room) == (1, "ops")
    assert [(person.nickname, person.rooms, person.roles) for person in answer.people] == [
        ("bob", ("ops",), ("o",)),
        ("ann", ("ops",), ("",)),
    ]
    assert names(carl.do(queries.ListPeople("a*", "ops"))) == ["ann"]
    bob.do(verbs.SetModes((ModeChange(True, "s"),), "ops"))
    ann.take()
    assert carl.do(queries.ListPeople(room="OPS")) == [People(None, (), "OPS")]
    assert carl.do(queries.ListPeople(room="none")) == [People(None, (), "none")]
    assert names(ann.do(queries.ListPeople(room="ops"))) == ["bob", "ann"]
    make_operator(carl)
    assert names(carl.do(queries.ListPeople(room="ops"))) == ["bob", "ann"]


def test_people_who_are_server_operators() -> None:
    """Of all, or of a room."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob", "ops")
    ann.take()
    make_operator(bob)

    assert names(ann.do(queries.ListPeople(operators=True))) == ["bob"]
    assert names(ann.do(queries.ListPeople(room="lobby", operators=True))) == []


def test_an_answer_has_so_many_people_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A send queue is bounded, and who asks for everybody shall not be cut off."""
    monkeypatch.setattr(meeting, "MOST_PEOPLE", 2)
    chat = make_chat()
    ann, _, _ = enter(chat, "ann"), enter(chat, "bob"), enter(chat, "carl")
    ann.take()

    assert names(ann.do(queries.ListPeople())) == ["ann", "bob"]
    assert names(ann.do(queries.ListPeople(room="lobby"))) == ["ann", "bob"]
    assert names(ann.do(queries.FindPeople(("ann", "bob", "carl")))) == ["ann", "bob"]


def test_an_answer_says_that_there_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Because it is full, or because it took too long; 416 in IRC."""
    chat = make_chat()
    ann, _, _ = enter(chat, "ann"), enter(chat, "bob"), enter(chat, "carl")
    ann.take()
    assert [item.more for item in ann.do(queries.ListPeople(), queries.FindPeople(("ann",)))] == [False, False]

    monkeypatch.setattr(meeting, "MOST_PEOPLE", 2)
    assert [item.more for item in ann.do(queries.ListPeople(), queries.FindPeople(("ann",) * 3))] == [True, True]
    monkeypatch.setattr(meeting, "MOST_PEOPLE", 3)
    assert [item.more for item in ann.do(queries.ListPeople(), queries.FindPeople(("ann",) * 3))] == [False, False]
    monkeypatch.setattr(scan, "_SLICE", 2)
    monkeypatch.setattr(price, "MOST_SECONDS", -1.0)
    (people,) = ann.do(queries.ListPeople())
    assert (names([people]), people.more) == (["ann", "bob"], True)
    for name in ("one", "two"):
        chat.room(name)
    (rooms,) = ann.do(queries.ListRooms())
    assert ([room.name for room in rooms.rooms], rooms.more) == (["lobby", "one"], True)


@pytest.mark.parametrize(
    ("verb", "looked_at"),
    [
        (queries.ListPeople(), 50),
        (queries.ListPeople("x*"), 50),
        (queries.ListPeople("bob7"), 1),
        (queries.ListPeople("BOB7!" + USERHOST), 1),
        (queries.ListPeople("nobody"), 0),
        (queries.ListPeople("İ" * 40), 0),
        (queries.ListPeople("Bob Smith"), 2),
        (queries.ListPeople(operators=True), 0),
        (queries.ListPeople(room="den"), 2),
        (queries.FindPeople(("ann", "nobody")), 2),
        (queries.ListRooms(), 3),
        (queries.ListRooms(filter=queries.RoomFilter(("x*", "y*"), ("z",))), 9),
        (queries.ListRooms(filter=queries.RoomFilter(("DEN", "nowhere"))), 2),
        (queries.ListInvitations(), 3),
    ],
    ids=str,
)
def test_a_question_costs_what_it_looks_at(verb: Any, looked_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is looked at that a table has."""
    monkeypatch.setattr("pychat.core.price.time.thread_time", lambda: 0.0)  # whatever the machine needs for it
    chat = make_chat()
    ann = enter(chat, "ann", "lobby")
    for number in range(49):
        more = {"realname": "Bob Smith"} if number in (3, 7) else {}
        enter(chat, f"bob{number}", "lobby", *(["den"] if number in (3, 7) else []), **more)
    chat.room("attic")
    ann.take()
    ann.owes = 0.0

    ann.do(verb)

    assert ann.owes * 500 == pytest.approx(looked_at)


def test_the_directory_forgets_who_is_gone() -> None:
    """And what somebody was called before."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob", realname="Robert")
    ann.take()
    assert names(ann.do(queries.ListPeople("robert"))) == ["bob"]

    bob.do(verbs.SetRealname("Bobby"))
    ann.take()
    assert names(ann.do(queries.ListPeople("robert"))) == []
    assert names(ann.do(queries.ListPeople("bobby"))) == ["bob"]
    chat.close(bob, "gone")
    ann.take()
    assert names(ann.do(queries.ListPeople("bobby"))) == []
    chat.close(ann, "gone")
    assert not chat.state.people.directory._people


# Who was here


def was(asker: Recorder, nickname: str, most: int | None = None) -> list[str]:
    """The real names of those who had a nickname."""
    (answer,) = asker.do(queries.WhoWas(nickname, most))
    assert isinstance(answer, PastPeople)
    return [person.realname for person in answer.people]


def test_who_was_here_is_answered_in_bounds() -> None:
    """All that is known of one nickname could be more than a send queue takes."""
    chat = make_chat()
    ann = enter(chat, "ann")
    for number in range(150):
        enter(chat, "bob", realname=str(number)).do(verbs.Quit())
    ann.take()

    assert was(ann, "bob") == was(ann, "bob", 120) == [str(number) for number in range(149, 49, -1)]


def test_who_was_here() -> None:
    """Who left, was renamed, or lost the connection; the last one first, also if it was here for a moment only."""
    chat = make_chat()
    ann = enter(chat, "ann")
    enter(chat, "bob", realname="first").do(verbs.Quit())
    enter(chat, "Bob", realname="second").do(SetNickname("bobby"))
    lost = enter(chat, "BOB", realname="third")
    chat.close(lost, "gone", lost=True)
    ann.take()

    assert was(ann, "bob") == ["third", "second", "first"]
    assert was(ann, "bob", 2) == ["third", "second"]
    assert was(ann, "bob", 0) == was(ann, "bob", -1) == ["third", "second", "first"]
    assert was(ann, "bobby") == was(ann, "eve") == []
    (answer,) = ann.do(queries.WhoWas("bob", 1, ref=1))
    assert (answer.ref, answer.people[0].nickname, answer.people[0].userhost) == (1, "BOB", USERHOST)
    assert lost.since <= answer.people[0].time


def test_only_the_last_ones_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is bounded."""
    monkeypatch.setattr("pychat.core.people.state.MOST_PAST", 3)
    chat = make_chat()
    ann = enter(chat, "ann")

    ann.do(*[SetNickname(nickname) for nickname in ("b", "c", "d", "e", "f")])

    assert [len(was(ann, nickname)) for nickname in ("ann", "b", "c", "d", "e")] == [0, 0, 1, 1, 1]


# How many


def test_counts() -> None:
    """People, those of them who are invisible or operators, strangers, rooms, and the most there ever were."""
    chat = make_chat()
    stranger = Recorder(chat)
    chat.open(stranger)
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob")
    set_modes(bob, "i")
    make_operator(ann)
    ann.take()

    assert ann.do(queries.CountPeople(ref=1)) == [Counts(1, 2, 1, 1, 1, 2, 2)]
    bob.do(SetNickname("rob"), verbs.Quit())
    chat.close(stranger, "gone")
    ann.do(Leave("ops"))
    assert ann.do(queries.CountPeople()) == [Counts(None, 1, 0, 1, 0, 1, 2)]


def test_a_refused_nickname_is_still_a_stranger() -> None:
    """And one who goes without a nickname was never one of the people."""
    chat = make_chat()
    enter(chat, "ann")
    session = Recorder(chat)
    chat.open(session)
    session.do(Hello("ann"))

    assert chat.counts()[1:] == (1, 0, 0, 1, 1, 1)
    session.do(verbs.Quit())
    assert chat.counts()[1:] == (1, 0, 0, 0, 1, 1)


# Watching (IRCv3 monitor)


def test_who_watches_is_told_who_comes_goes_and_is_renamed() -> None:
    """First how it is, then each change; the case of a nickname makes no difference."""
    chat = make_chat()
    ann = leave_all(enter(chat, "ann"))

    assert ann.do(Watch(("Bob", "carl", "ann"), ref=1)) == [Watched(1, (member("ann"),), ("Bob", "carl"))]
    bob = enter(chat, "bob")
    assert ann.take() == [Watched(None, (member("bob"),))]
    bob.do(SetNickname("BOB"))
    assert ann.take() == []
    bob.do(SetNickname("carl"))
    assert ann.take() == [Watched(None, (), ("BOB",)), Watched(None, (member("carl"),))]
    bob.do(verbs.Quit())
    assert ann.take() == [Watched(None, (), ("carl",))]


def test_what_is_watched_can_be_asked_for_and_changed() -> None:
    """`clear` comes first, then `remove`, then `add`."""
    chat = make_chat()
    ann = leave_all(enter(chat, "ann"))
    enter(chat, "bob").do(SetAway("lunch"))

    ann.do(Watch(("bob", "carl", "dora")))
    assert ann.do(queries.ListWatched(ref=1)) == [Watched(1, (member("bob", "lunch"),), ("carl", "dora"))]
    assert ann.do(Watch(("eve",), ("CARL", "nobody"), ref=2)) == [Watched(2, (), ("eve",))]
    assert ann.do(queries.ListWatched()) == [Watched(None, (member("bob", "lunch"),), ("dora", "eve"))]
    assert ann.do(Watch(("carl",), clear=True)) == [Watched(None, (), ("carl",))]
    assert ann.do(queries.ListWatched()) == [Watched(None, (), ("carl",))]
    ann.do(Watch(clear=True))
    enter(chat, "carl")
    assert ann.take() == []


def test_nobody_watches_too_many() -> None:
    """Those that are too many are named; the others are watched (IRCv3 monitor, "ERR_MONLISTFULL")."""
    chat = make_chat(limits=Limits(watched_nicknames=2))
    ann = leave_all(enter(chat, "ann"))

    news, failure = ann.do(Watch(("b", "c", "B", "d", "e"), ref=1))

    assert news == Watched(None, (), ("B", "c"))
    assert failure == Failure(
        1, "too_many_watched", "nicknames that you monitor: at most 2 nicknames", None, ("d", "e")
    )
    assert ann.do(Watch(("c",), ("b",)), Watch(("d",))) == [Watched(None, (), ("c",)), Watched(None, (), ("d",))]


def test_what_is_no_nickname_is_not_kept() -> None:
    """Nobody will ever have it."""
    ann = leave_all(enter(make_chat(), "ann"))

    assert ann.do(Watch(("a b", "x" * 500))) == [Watched(None, (), ("a b", "x" * 500))]
    assert ann.do(queries.ListWatched()) == [Watched(None)]


def test_who_is_gone_watches_nobody() -> None:
    """Nothing is kept of it, and nothing is sent to it."""
    chat = make_chat()
    ann = enter(chat, "ann")
    ann.do(Watch(("bob",)), verbs.Quit())

    enter(chat, "bob")

    assert ann.take() == []
    assert chat.state.people.watchers == {}


def test_a_nickname_that_is_kept_for_its_owner_counts_as_gone() -> None:
    """Until the owner is back."""
    chat = make_chat()
    ann = leave_all(enter(chat, "ann"))
    ann.do(Watch(("bob",)))
    bob = enter(chat, "bob", "ops")
    bob.resumable = True
    ann.take()

    chat.close(bob, "lost", lost=True)
    assert ann.take() == [Watched(None, (), ("bob",))]
    again = Recorder(chat)
    chat.open(again)
    again.do(Hello("whoever", token=bob.token))
    assert ann.take() == [Watched(None, (member("bob"),))]


def test_who_comes_back_is_who_it_was() -> None:
    """Real name and user modes, but for the operator: that takes the password again."""
    chat = make_chat()
    bob = enter(chat, "bob", "ops", realname="Bob B.")
    set_modes(bob, "Biw")
    with chat.order.lock:
        bob.person.modes = "Biow"
        chat.census.index_modes(bob)
    bob.resumable = True
    chat.close(bob, "lost", lost=True)

    again = Recorder(chat)
    chat.open(again)
    again.do(Hello("whoever", token=bob.token))

    assert (again.nickname, again.realname, again.modes, list(again.rooms)) == ("bob", "Bob B.", "Biw", ["ops"])
    assert chat.counts()[1:4] == (1, 1, 0)
