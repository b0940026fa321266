"""The parts of the terminal client that need no terminal: completion, rooms, notices, status, history."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model import events as e
from pychat.model.replies import MemberInfo, Members
from pychat.terminal.completion import Completions, Known, complete
from pychat.terminal.history_file import KEPT_ENTRIES, HistoryFile, history_path
from pychat.terminal.join_leave_digest import HELD_SECONDS, ComingsAndGoings
from pychat.terminal.local_commands import TABLE
from pychat.terminal.rooms import KEPT_ITEMS, Room, Rooms
from pychat.terminal.status import Link, choices_line, status_line
from pychat.terminal.view import Line
from pychat.terminal.wrapping import wrap

_NAMES = [command.name for command in TABLE.commands.values()]
KNOWN = Known(TABLE.commands, ["lobby", "ops", "operators"], ["bob", "Bobo", "ärger"], "tea at four", "ann")


def members(room: str, *nicknames: str, topic: str = "") -> Members:
    """What one hears on joining."""
    return Members(None, room, topic, tuple(map(MemberInfo, nicknames)), joined=True)


def said(room: str, sender: str, text: str = "x") -> e.Message:
    """A message."""
    return e.Message(1, 0.0, room, sender, text)


# Completion


@pytest.mark.parametrize(
    ("before", "typed", "texts"),
    [
        ("/jo", 3, ["/join "]),
        ("/JO", 3, ["/join "]),
        ("/un", 3, ["/unignore ", "/unban ", "/unmute "]),
        ("/tel", 4, ["/tell "]),
        ("/zzz", 4, []),
        ("/join op", 2, ["ops ", "operators "]),
        ("/join #op", 3, ["#ops ", "#operators "]),
        ("/part ", 0, ["lobby ", "ops ", "operators "]),
        ("/invite bob op", 2, ["ops ", "operators "]),
        ("/join ops bo", 2, ["bob ", "Bobo "]),
        ("/msg bo", 2, ["bob ", "Bobo "]),
        ("bo", 2, ["bob: ", "Bobo: "]),
        ("BOB", 3, ["bob: ", "Bobo: "]),
        ("hello bo", 2, ["bob ", "Bobo "]),
        ("hello\nbo", 2, ["bob ", "Bobo "]),
        ("ÄR", 2, ["ärger: "]),
        ("", 0, ["bob: ", "Bobo: ", "ärger: "]),
        ("/nosuch lo", 2, []),
        ("/query bo", 2, []),
        ("@bo", 3, ["@bob ", "@Bobo "]),
        ("hello @bo", 3, ["@bob ", "@Bobo "]),
        ("/topic ", 0, ["tea at four"]),
        ("/nick ", 0, ["ann"]),
        ("/help ig", 2, ["ignore "]),
        ("/", 1, [f"/{name} " for name in dict.fromkeys([*_NAMES, *TABLE.commands])]),
    ],
)
def test_what_is_proposed(before: str, typed: int, texts: list[str]) -> None:
    """Commands at the beginning, rooms where a command takes one, nicknames everywhere else."""
    assert complete(before, KNOWN) == Completions(typed, texts)


@given(st.text())
def test_any_text_can_be_completed(before: str) -> None:
    """It only ever replaces what stands at the end."""
    assert complete(before, KNOWN).typed <= len(before)


# Rooms


def test_what_is_proposed_has_nothing_that_cannot_be_seen() -> None:
    """It goes into the line to type in, and a hostile server may call people as it likes."""
    known = Known(TABLE.commands, ["ops\x9b2J"], ["bob\u202e\x1b[2J\u200b"])

    assert complete("b", known).texts == ["bob\ufffd\ufffd[2J: "]
    assert complete("/join o", known).texts == ["ops\ufffd2J "]


def test_who_spoke_last_is_last() -> None:
    """Others stay where they are; who leaves is gone, who is renamed keeps the place."""
    rooms = Rooms()
    room = rooms.enter(members("lobby", "ann", "bob", "carl"))

    room.speaks("ann")
    rooms.note(e.Renamed(1, 0.0, (), "bob", "bobby"))
    rooms.note(e.Joined(1, 0.0, "lobby", "dora"))
    rooms.note(e.Left(1, 0.0, "lobby", "carl"))

    assert [*room.nicknames.values()] == ["bobby", "ann", "dora"]


def test_coming_back_keeps_who_spoke() -> None:
    """Who is not there any more is forgotten."""
    rooms = Rooms()
    room = rooms.enter(members("lobby", "ann", "bob", "carl"))
    room.speaks("ann")
    room.speaks("BOB")

    assert rooms.enter(members("LOBBY", "dora", "bob", "ann")) is room
    assert [*room.nicknames.values()] == ["dora", "ann", "bob"]


def test_who_is_gone_is_in_no_room() -> None:
    """The server does not tell in which rooms somebody was."""
    rooms = Rooms()
    one, two = rooms.enter(members("one", "ann", "bob")), rooms.enter(members("two", "bob"))

    assert rooms.of("BOB") == [one, two]
    rooms.note(e.Disconnected(1, 0.0, (), "bob"))

    assert rooms.of("bob") == []


def test_rooms_are_numbered_as_they_were_joined() -> None:
    """A room that is left gives its number to the next one."""
    rooms = Rooms()
    for name in ("one", "two", "three"):
        rooms.enter(members(name))

    rooms.leave("one")

    assert [room.name for room in rooms] == ["two", "three"]
    assert rooms.number(1) is rooms.find("two")
    assert rooms.number(3) is None
    assert rooms.number(0) is None
    assert rooms.last() is rooms.find("three")


def test_what_is_kept_of_a_room_is_bounded() -> None:
    """The number of unread messages is right all the same."""
    room = Room("lobby")
    for number in range(KEPT_ITEMS + 3):
        room.keep(said("lobby", "bob", str(number)), unread=True)

    assert room.unread == KEPT_ITEMS + 3
    kept, dropped = room.catch_up()
    assert dropped == 3
    assert [event.text for event in kept if isinstance(event, e.Message)] == [str(n) for n in range(3, KEPT_ITEMS + 3)]
    assert (room.unread, room.catch_up()) == (0, ([], 0))


def test_the_next_active_room_is_one_with_a_mention() -> None:
    """Then the others in their order, never the one that is shown."""
    rooms = Rooms()
    one, two, three = (rooms.enter(members(name)) for name in ("one", "two", "three"))
    rooms.current = three
    assert rooms.next_active() is None

    one.keep(said("one", "bob"), unread=True)
    two.keep(said("two", "bob", "ann?"), unread=True, mentions=True)
    assert rooms.next_active() is two
    two.catch_up()
    assert rooms.next_active() is one


# Those who come and go


def test_comings_are_held_back_for_three_seconds() -> None:
    """From the first of them on."""
    held = ComingsAndGoings()
    assert held.due is None

    held.add(e.Joined(1, 0.0, "lobby", "bob"), 10.0)
    held.add(e.Left(2, 0.0, "lobby", "carl"), 12.0)

    assert held.due == 10.0 + HELD_SECONDS
    assert held.concern("BOB")
    assert held.take() == ([e.Joined(1, 0.0, "lobby", "bob")], [e.Left(2, 0.0, "lobby", "carl")])
    assert held.due is None
    assert not held.concern("bob")


def test_who_is_back_at_once_was_never_away() -> None:
    """And who only looks in was never there."""
    held = ComingsAndGoings()

    held.add(e.Disconnected(1, 0.0, (), "bob"), 0.0)
    held.add(e.Joined(2, 0.0, "lobby", "Bob"), 1.0)
    held.add(e.Joined(3, 0.0, "lobby", "carl"), 1.0)
    held.add(e.Left(4, 0.0, "lobby", "carl"), 1.0)

    assert held.due is None
    assert held.take() == ([], [])


# The status


def status(rooms: Rooms, link: Link) -> str:
    """The text of the line."""
    return "".join(text for _, text in status_line("ann", rooms, link)).strip()


def test_the_status_tells_where_one_is() -> None:
    """What matters most comes first."""
    rooms = Rooms()
    assert status(rooms, Link("pychat")) == "ann in no room | pychat: connected"
    lobby = rooms.enter(members("lobby", "ann"))
    rooms.current = rooms.enter(members("ops", "ann", "bob", topic="tea\nat four"))
    lobby.keep(said("lobby", "bob"), unread=True)
    rooms.enter(members("dev")).keep(said("dev", "bob"), unread=True, mentions=True)

    assert status(rooms, Link("pychat")) == (
        "ann in ops, 2 members | 1:lobby(1) 2:ops 3:dev(1!) | pychat: connected | tea at four"
    )


@pytest.mark.parametrize(
    ("link", "text"),
    [
        (Link("pychat", 3.2), "pychat: reconnecting in 4 s | ann in no room"),  # it must be seen in a narrow window
        (Link("pychat", 0.0), "pychat: reconnecting | ann in no room"),
        (Link("pychat", None, 3), "ann in no room | pychat: sending 3"),
    ],
)
def test_the_status_tells_what_the_connection_does(link: Link, text: str) -> None:
    """It counts whole seconds, and never says 0."""
    assert status(Rooms(), link) == text


def test_choices_are_shown_without_what_follows_them() -> None:
    """The chosen one is marked."""
    assert choices_line(["bob: ", "Bobo: "], 1) == [
        ("status", " "),
        ("status", "bob"),
        ("status", " "),
        ("question", "Bobo"),
    ]


# The history


def test_each_server_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Below the directory of XDG; no host leads out of it."""
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    directory = tmp_path / "pychat" / "history"

    assert history_path("chat.example", 55555, environment) == directory / "chat.example-55555"
    assert history_path("../x/y", 1, environment) == directory / "..%2Fx%2Fy-1"
    assert history_path("h", 1, {"HOME": "/home/ann"}) == Path("/home/ann/.local/state/pychat/history/h-1")


def test_entries_come_back_in_their_order(tmp_path: Path) -> None:
    """Also such as have several lines; the file is for nobody else."""
    path = tmp_path / "a" / "b" / "history"
    entries = ["one", "two\nlines", 'quotes " and \\', "日本", "\udc80"]

    for entry in entries:
        HistoryFile(path).add(entry)

    assert HistoryFile(path).read() == entries
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """From the first new entry on."""
    path = tmp_path / "history"
    path.write_text('"old"\n')
    path.chmod(0o644)

    HistoryFile(path).add("new")

    assert HistoryFile(path).read() == ["old", "new"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_stays_short(tmp_path: Path) -> None:
    """When it has twice as many entries as are used, the older half goes."""
    path = tmp_path / "history"
    path.write_text("".join(f'"{number}"\n' for number in range(2 * KEPT_ENTRIES + 1)))

    assert HistoryFile(path).read()[0] == str(KEPT_ENTRIES + 1)
    assert path.read_text().count("\n") == KEPT_ENTRIES
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_no_entry_is_left_out(tmp_path: Path) -> None:
    """A line that was cut off, bytes of something else."""
    path = tmp_path / "history"
    path.write_bytes(b'"one"\n"cut\n\xff\xfe\n{}\n' + b"[" * 100_000 + b'\n"two"\n')

    assert HistoryFile(path).read() == ["one", "two"]


def test_a_disk_that_cannot_be_used_costs_only_the_history(tmp_path: Path) -> None:
    """Nothing is raised."""
    blocked = tmp_path / "file"
    blocked.touch()

    HistoryFile(blocked / "below").add("one")

    assert HistoryFile(blocked / "below").read() == []


# On narrow screens


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        (80, "alexandria in lobby, 2 members | 1:lobby 2:ops(1!) 3:dev | pychat: connected"),
        (70, "alexandria in lobby, 2 members | 2:ops(1!) | pychat: connected"),
        (50, "alexandria in lobby, 2 members | 2:ops(1!)"),
        (40, "2:ops(1!) | lobby, 2 members"),
        (20, "2:ops(1!) | lobby"),
        (15, "2:ops(1!)"),
    ],
)
def test_a_narrow_status_leaves_out_what_matters_less(columns: int, status: str) -> None:
    """Nothing is cut off, and what is unread is there to the end."""
    rooms = Rooms()
    rooms.current = rooms.enter(members("lobby", "alexandria", "bob"))
    ops, _ = rooms.enter(members("ops", "bob")), rooms.enter(members("dev", "bob"))
    ops.keep(said("ops", "bob"), unread=True, mentions=True)

    line = status_line("alexandria", rooms, Link("pychat"), columns)

    assert "".join(text for _, text in line).strip() == status


def test_trouble_stands_first_on_a_narrow_screen() -> None:
    """Before everything else."""
    rooms = Rooms()
    rooms.current = rooms.enter(members("lobby", "alexandria", "bob"))

    line = status_line("alexandria", rooms, Link("pychat", 3.0), 40)

    assert "".join(text for _, text in line).strip() == "reconnecting in 3 s | lobby, 2 members"


# Wrapping


def test_long_lines_are_broken_between_words() -> None:
    """They go on under the text."""
    line: Line = [("time", "[15:04] "), ("", "ann"), ("", ": one two three four five six seven eight nine")]

    rows = ["".join(text for _, text in row) for row in wrap(line, 32)]

    assert all(len(row.rstrip()) <= 32 for row in rows)
    assert all(row.startswith(" " * 8) for row in rows[1:])
    assert " ".join(row.strip() for row in rows) == "[15:04] ann: one two three four five six seven eight nine"


@pytest.mark.parametrize("text", ["see https://example.org/a/very/long/link/that/is/here please do", "x" * 99, "short"])
def test_links_are_left_whole(text: str) -> None:
    """The terminal breaks them, and still knows them as one."""
    assert wrap([("", text)], 40) == [[("", text)]]
