"""Where it goes what is heard: onto the screen, to a room that is not shown, or nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import get_args

import pytest

from pychat.client import Dropped, Heard, Reconnected, Reconnecting
from pychat.model import events as e
from pychat.model import replies as r
from pychat.model.clock import Clock
from pychat.model.limits import Limits
from pychat.model.modes import ModeChange
from pychat.terminal import incoming
from pychat.terminal.incoming import Hearing
from pychat.terminal.join_leave_digest import HELD_SECONDS
from pychat.terminal.rooms import KEPT_ITEMS
from pychat.terminal.rooms_view import Stage
from pychat.terminal.view import Line


class StillClock(Clock):
    """A clock that stands still until it is moved."""

    now = 1_700_000_000.0

    def __init__(self) -> None:
        self.monotonic = self.time = lambda: self.now


class Recorder:
    """A screen that is a list of lines, without their times."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line = self.question = ""
        self.away: list[str] = []

    def show(self, lines: Iterable[Line]) -> None:
        """Add lines."""
        self.lines += ["".join(text for style, text in line if style != "time") for line in lines]

    def ring(self) -> None:
        """Nothing to be heard."""

    def clear(self) -> None:
        """Forget the lines."""

    def give_back(self, text: str) -> None:
        """Put it into the line, or away."""
        if self.line:
            self.away.append(text)
        else:
            self.line = text

    def take_back(self, text: str) -> bool:
        """Empty the line if it is this."""
        if self.line == text:
            self.line = ""
            return True
        return False

    def change_line(self, text: str) -> str:
        """Change what is in the line."""
        before, self.line = self.line, text
        return before

    def put_away(self, text: str) -> None:
        """One arrow up brings it."""
        self.away += [text] * bool(text)

    def ask_secret(self, question: str, use: Callable[[str], None]) -> None:
        """Nobody answers."""

    def confirm(self, question: str) -> None:
        """Nobody answers."""
        self.question = question

    def leave(self, exit_code: int, reason: str = "") -> None:
        """Nobody is there."""


class Ears:
    """A person called ann who hears."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.screen = Recorder()
        self.stage = Stage(self.screen, "ann", self.clock)
        self.rooms: tuple[str, ...] = ("lobby", "ops")
        self.nickname = "ann"
        self.hearing = Hearing(self.stage, self.clock, lambda: self.rooms, lambda: self.nickname)

    def hear(self, *heard: Heard) -> list[str]:
        """Hear something; return the lines that it makes."""
        self.screen.lines.clear()
        for one in heard:
            self.hearing.hear(one)
        return [*self.screen.lines]

    def wait(self, seconds: float) -> list[str]:
        """Let time go by; return the lines that were due."""
        self.screen.lines.clear()
        self.clock.now += seconds
        self.stage.show_due()
        return [*self.screen.lines]


@pytest.fixture
def ears() -> Ears:
    """Ann, in the rooms lobby and ops; ops is on the screen."""
    ears = Ears()
    ears.hear(members("lobby", "ann", "bob"), members("ops", "ann", "bob"))
    return ears


def members(room: str, *nicknames: str) -> r.Members:
    """What one hears on joining."""
    return r.Members(None, room, "", tuple(map(r.MemberInfo, nicknames)), joined=True)


def said(room: str | None, text: str, sender: str = "bob") -> e.Message:
    """A message."""
    return e.Message(1, 1_700_000_000.0, room, sender, text, to="ann" if room is None else None)


AT = 1_700_000_000.0


def test_what_happens_in_the_room_on_the_screen_is_shown(ears: Ears) -> None:
    """As it comes."""
    lines = ears.hear(
        said("ops", "hello"),
        e.TopicChanged(2, AT, "ops", "bob", "tea"),
        e.Notice(3, AT, "ops", "a notice"),
        r.Gap("ops", 1),
    )

    assert lines == [
        "bob: hello",
        "-- bob set the topic of ops: tea",
        "-- a notice",
        "-- some messages of ops are missing",
    ]


def test_what_happens_elsewhere_is_kept_for_later(ears: Ears) -> None:
    """Only messages are counted; who comes and goes there is not told at all."""
    lobby = ears.stage.rooms.find("lobby")
    assert lobby

    heard = (said("lobby", "hello"), e.Notice(3, AT, "lobby", "a notice"), e.Joined(4, AT, "lobby", "carl"))
    assert ears.hear(*heard) == []
    assert (lobby.unread, lobby.mentions) == (1, 0)
    assert "carl" in lobby.nicknames
    ears.stage.go_to(lobby)

    assert ears.screen.lines == ["-- lobby: 1 unread message", "bob: hello", "-- a notice"]


def test_what_was_too_much_to_keep_is_told(ears: Ears) -> None:
    """The history has it."""
    lobby = ears.stage.rooms.find("lobby")
    assert lobby
    ears.hear(*[said("lobby", str(number)) for number in range(KEPT_ITEMS + 2)])

    ears.stage.go_to(lobby)

    assert ears.screen.lines[:3] == [
        f"-- lobby: {KEPT_ITEMS + 2} unread messages",
        "-- the oldest 2 are not shown: see /history",
        "bob: 2",
    ]


def test_who_means_us_rings(ears: Ears) -> None:
    """By name or alone; not what programs answer, and not our own words from another time."""
    ears.hear(said("ops", "hello"), said("ops", "I am ann", sender="ann"), said("ops", "ann!")._replace(notice=True))
    assert not ears.hearing.rings

    ears.hear(said("lobby", "where is Ann?"))
    assert ears.hearing.rings
    ears.hearing.rings = False
    ears.hear(said(None, "psst"))
    assert ears.hearing.rings
    assert ears.hearing.correspondent == "bob"


def test_who_wrote_last_is_somebody_else(ears: Ears) -> None:
    """What one writes oneself is shown where it was said, and does not change to whom a reply goes."""
    mine = said(None, "what?", sender="ann")._replace(to="carl")

    assert ears.hear(said(None, "psst"), mine) == ["[bob -> ann] psst", "[ann -> carl] what?"]

    assert ears.hearing.correspondent == "bob"


def test_a_room_may_be_heard_before_its_members_are_known(ears: Ears) -> None:
    """The answer to a join and what is said there come by different ways."""
    page = r.Replay("new", (said("new", "long ago"),))
    assert ears.hear(page, said("new", "hello"), e.Joined(2, AT, "new", "dora")) == []

    lines = ears.hear(members("new", "ann", "bob"))

    assert lines == ["-- you are in new: ann, bob", "-- last message of new", "bob: long ago", "bob: hello"]
    assert "dora" in (ears.stage.rooms.current.nicknames if ears.stage.rooms.current else ())


def test_comings_are_told_when_they_are_due(ears: Ears) -> None:
    """At the latest after three seconds, or before who came says something."""
    assert ears.hear(e.Joined(2, AT, "ops", "carl"), e.Joined(3, AT, "ops", "dora")) == []
    assert ears.wait(HELD_SECONDS - 0.1) == []
    assert ears.wait(0.2) == ["--> 2 people joined: carl, dora"]

    ears.hear(e.Disconnected(4, AT, (), "dora", "tea"))
    assert ears.hear(said("ops", "bye")) == ["bob: bye"]
    assert ears.wait(HELD_SECONDS) == ["<-- dora left (tea)"]


def test_who_is_gone_from_elsewhere_is_not_told(ears: Ears) -> None:
    """The server does not tell in which rooms somebody was; the client knows."""
    ears.hear(e.Left(2, AT, "ops", "bob"))
    ears.wait(HELD_SECONDS)

    ears.hear(e.Disconnected(3, AT, (), "bob"))

    assert ears.wait(HELD_SECONDS) == []


def test_news_of_people_are_for_those_who_see_them(ears: Ears) -> None:
    """A new nickname, being away."""
    ears.hear(e.Joined(2, AT, "lobby", "carl"))

    assert ears.hear(e.Renamed(3, AT, (), "carl", "carlo"), e.AwayChanged(4, AT, (), "carlo", "tea")) == []
    assert ears.hear(e.Renamed(5, AT, (), "bob", "bobby")) == ["-- bob is now bobby"]
    assert ears.hear(e.AwayChanged(6, AT, (), "bobby", "tea")) == ["-- bobby is away: tea"]
    assert ears.hear(e.Renamed(7, AT, (), "ann", "anna")) == ["-- ann is now anna"]
    assert ears.stage.me == "anna"


def test_an_invitation_into_an_unknown_room_is_shown(ears: Ears) -> None:
    """It is why one would go there."""
    assert ears.hear(e.Invited(2, AT, "den", "bob", "ann")) == ["-- bob invited ann to den (/join den)"]
    assert ears.hear(e.Invited(3, AT, "lobby", "bob", "carl")) == []
    assert ears.hear(e.Invited(4, AT, "ops", "bob", "carl")) == ["-- bob invited carl to ops (/join ops)"]


def test_who_is_ignored_is_counted_all_the_same(ears: Ears) -> None:
    """Nothing of them is shown, but the list of members is right."""
    ears.stage.ignored["bob"] = "bob"
    page = r.HistoryPage(None, "ops", (said("ops", "one"), said("ops", "two", sender="carl")), more=False)

    lines = ears.hear(
        said("ops", "ann?"),
        said(None, "psst"),
        e.AwayChanged(1, AT, (), "bob", "tea"),
        e.Invited(2, AT, "den", "bob", "ann"),
        e.Left(3, AT, "ops", "bob"),
        page,
    )

    assert lines == ["-- last message of ops", "carl: two", "-- end of the history"]
    assert not ears.hearing.rings
    assert ears.wait(HELD_SECONDS) == []
    assert [room.name for room in ears.stage.rooms.of("bob")] == ["lobby"]


def test_what_was_missed_comes_after_how_much_it_was(ears: Ears) -> None:
    """Without a bell; members, greetings and our own way back are known already."""
    lines = ears.hear(
        Reconnecting(1, 0.5, "it broke"),
        Reconnecting(2, 1.0, "nobody there"),
        r.Lines(None, ("the message of the day",)),
        members("lobby", "ann", "bob"),
        members("ops", "ann", "bob"),
        e.Disconnected(2, AT, (), "ann", "connection closed"),
        said("ops", "ann?"),
        said("lobby", "hello"),
        e.Joined(5, AT, "ops", "ann"),
        Reconnected(2),
    )

    assert lines == ["-- it broke; reconnecting", "-- reconnected, 2 missed messages", "bob: ann?"]
    assert not ears.hearing.rings
    assert [room.unread for room in ears.stage.rooms] == [1, 0]
    assert ears.wait(HELD_SECONDS) == []


def test_who_left_meanwhile_is_told(ears: Ears) -> None:
    """Though the server says first who is there now."""
    ears.hear(
        Reconnecting(1, 0.5, "it broke"),
        members("ops", "ann", "dora"),
        e.Disconnected(2, AT, (), "bob", "tea"),
        e.Joined(3, AT, "ops", "dora"),
        Reconnected(0),
    )

    assert ears.wait(HELD_SECONDS) == ["--> dora joined ops", "<-- bob left (tea)"]
    assert [*(ears.stage.rooms.current.nicknames if ears.stage.rooms.current else ())] == ["ann", "dora"]


@pytest.mark.parametrize(("missed", "text"), [(0, "-- reconnected"), (1, "-- reconnected, 1 missed message")])
def test_the_number_of_missed_messages(ears: Ears, missed: int, text: str) -> None:
    """In words."""
    assert ears.hear(Reconnecting(1, 0.5, "it broke"), Reconnected(missed))[1:] == [text]


def test_a_connection_that_is_lost_again_loses_nothing(ears: Ears) -> None:
    """What had come by then is shown."""
    lines = ears.hear(
        Reconnecting(1, 0.5, "it broke"),
        said("ops", "one"),
        Reconnecting(1, 0.5, "again"),
        said("ops", "two"),
        Reconnected(2),
    )

    assert lines == [
        "-- it broke; reconnecting",
        "bob: one",
        "-- again; reconnecting",
        "-- reconnected, 2 missed messages",
        "bob: two",
    ]


def test_a_room_one_cannot_come_back_to_is_left(ears: Ears) -> None:
    """The reason is shown, and another room."""
    ears.rooms = ("lobby",)

    lines = ears.hear(
        Reconnecting(1, 0.5, "it broke"),
        members("lobby", "ann"),
        r.Failure(None, "banned", "you are banned from room 'ops'", "ops"),
        Reconnected(0),
    )

    assert lines[1:] == ["-- reconnected", "! you are banned from room 'ops'", "-- lobby: nothing new"]
    assert ears.stage.rooms.find("ops") is None


def test_a_nickname_that_changed_meanwhile_is_ours(ears: Ears) -> None:
    """The server has the last word on what we are called."""
    ears.nickname = "anna"

    lines = ears.hear(Reconnecting(1, 0.5, "it broke"), members("ops", "anna"), Reconnected(0))

    assert lines[1:] == ["-- reconnected", "-- you are now anna"]
    assert ears.stage.me == "anna"
    assert ears.hear(Reconnecting(1, 0.5, "it broke"), Reconnected(0))[1:] == ["-- reconnected"]


def test_being_away_is_not_told_again_when_one_comes_back(ears: Ears) -> None:
    """The client has said it again to a server that may have forgotten it."""
    away = e.AwayChanged(4, AT, (), "ann", "lunch")

    assert ears.hear(Reconnecting(1, 0.5, "it broke"), away, Reconnected(0))[1:] == ["-- reconnected"]


def test_the_next_try_is_known(ears: Ears) -> None:
    """For the status."""
    ears.hear(Reconnecting(3, 4.5, "nobody there"))
    assert ears.hearing.retry_at == ears.clock.now + 4.5

    ears.hear(Reconnected(0))
    assert ears.hearing.retry_at is None


def test_what_was_dropped_is_told(ears: Ears) -> None:
    """The terminal was too slow."""
    assert ears.hear(Dropped(7)) == ["-- 7 lines came too fast and are not shown"]


def test_some_things_go_without_saying(ears: Ears) -> None:
    """The reason of a goodbye is told with the loss of the connection."""
    nothing: list[Heard] = [
        r.Bye("the server is shutting down"),
        e.ProfileChanged(1, AT, (), "bob", "", "x@y"),
        e.Tagged(1, AT, "ops", "bob", "+typing=active"),
        r.Ok(None),
    ]
    assert ears.hear(*nothing) == []
    assert ears.hear(r.Welcome(None, "pychat", "ann", "", Limits())) == [
        "-- welcome to pychat, ann; /help lists the commands"
    ]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (e.Kicked(2, AT, "ops", "eve", "ann", "quick"), "<-- eve was removed from ops by ann (quick)"),
        (e.Renamed(2, AT, (), "eve", "bobby"), "-- eve is now bobby"),
        (e.TopicChanged(2, AT, "ops", "eve", "tea"), "-- eve set the topic of ops: tea"),
        (e.Invited(2, AT, "ops", "carl", "eve"), "-- carl invited eve to ops (/join ops)"),
        (e.AwayChanged(2, AT, (), "eve", "tea"), "-- eve is away: tea"),
    ],
)
def test_who_came_is_told_before_what_happens_to_them(ears: Ears, event: e.Event, line: str) -> None:
    """A join that is held back would say afterwards that somebody is there who is not."""
    assert ears.hear(e.Joined(1, AT, "ops", "eve"), event) == ["--> eve joined ops", line]


@pytest.mark.parametrize("argument", ["eve", "m:eve!*@*", "EVE!*@*"])
def test_who_came_is_told_before_a_mode_about_them(ears: Ears, argument: str) -> None:
    """Bans and mutes are masks that begin with the nickname."""
    change = e.ModesChanged(2, AT, "ops", "carl", (ModeChange(True, "o" if argument == "eve" else "b", argument),))

    assert ears.hear(e.Joined(1, AT, "ops", "eve"), change)[0] == "--> eve joined ops"


def test_the_last_lines_of_a_room_are_shown_again(ears: Ears) -> None:
    """Dimmed, before what is new: all rooms share the scrollback of the terminal."""
    ears.hear(e.Message(5, AT, "ops", "bob", "said before"))
    lobby, ops = ears.stage.rooms.find("lobby"), ears.stage.rooms.find("ops")
    assert lobby is not None
    assert ops is not None
    ears.stage.go_to(lobby)
    ears.hear(e.Message(6, AT, "ops", "bob", "said meanwhile"))
    ears.screen.lines.clear()

    ears.stage.go_to(ops)

    assert ears.screen.lines[-3:] == ["-- ops: 1 unread message", "bob: said before", "bob: said meanwhile"]


def test_a_list_of_rooms_marks_ours(ears: Ears) -> None:
    """With the number that their key has."""
    answer = r.Rooms(None, (r.RoomInfo("ops", 2, "tea"), r.RoomInfo("dev", 3, "")))

    ears.screen.lines.clear()
    ears.hearing.hear_answer(answer)

    assert ears.screen.lines == ["-- ops (your room 2): 2 members; topic: tea", "-- dev: 3 members"]


def test_a_message_to_oneself_is_shown_once(ears: Ears) -> None:
    """It comes as what one hears, and as what one says."""
    message = e.Message(7, AT, None, "ann", "buy milk", to="ann")

    assert ears.hear(message, message._replace(to="ANN")) == ["[ann -> ann] buy milk"]


def test_it_is_known_where_every_event_of_a_room_is_shown() -> None:
    """By itself it would be shown in whatever room is on the screen."""
    assert set(get_args(e.RoomEvent)) <= set(incoming._HEARD)
