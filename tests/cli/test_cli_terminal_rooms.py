"""`pychat connect` at a terminal: several rooms, who comes and goes, who is meant and who is ignored."""

from __future__ import annotations

import signal

from chat_clients import Clients
from chat_programs import Programs, pychat
from terminal_screen import ALT, ARROW_UP, ENTER, TAB, Terminals, terminals

__all__ = ["pychat", "terminals"]  # fixtures


def test_a_mention_is_marked_and_rings_the_bell(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Once for what comes together; not if the nickname is only a part of a word."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    bob.send("the channel, planned\n")
    ann.see("bob: the channel, planned")
    assert ann.screen.bells == 0
    bob.send("hi ANN!\n")
    ann.see("bob: hi ANN!")
    ann.wait_for(lambda: ann.screen.bells, "the bell")

    assert ann.screen.bells == 1
    assert ann.styles("ANN") == {"bold", "reverse"}
    assert ann.styles("hi ") == set()


def test_a_private_message_rings_the_bell(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """It is meant for nobody else."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    bob.send("/msg ann psst\n")

    ann.see("[bob -> ann] psst")
    ann.wait_for(lambda: ann.screen.bells == 1, "the bell")


def test_a_crowd_takes_one_line(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Who comes within three seconds is told together; who looks in for a moment is not mentioned."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    names = ["bob", "carl", "dora", "eve", "fred"]
    ann.process.send_signal(signal.SIGSTOP)  # all of them are there when it looks, however long that takes
    for name in names:
        clients.text(("127.0.0.1", port), name)
    zed = clients.text(("127.0.0.1", port), "zed")
    zed.send("/quit\n")
    zed.read_rest()
    ann.process.send_signal(signal.SIGCONT)
    row = ann.see("--> 5 people joined: ")

    assert sorted(row.removeprefix("--> 5 people joined: ").split(", ")) == names
    assert not any("zed" in row for row in ann.text())
    assert len(ann.styles("--> 5 people")) == 1


def test_who_comes_and_talks_is_told_at_once(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """So nobody talks who is not there."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("hello\n")
    ann.see("bob: hello")

    assert ann.text()[2:4] == ["--> bob joined lobby", "bob: hello"]


def test_what_is_said_elsewhere_is_counted_and_shown_later(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """The status tells where, and how much; a key goes there, and then the messages are shown."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("/join ops\n")
    bob.read_until("you are in ops")
    ann = terminals.join(port, "ann")
    ann.type("/join ops" + ENTER)
    ann.see("-- you are in ops: @bob, ann")
    ann.see_line("[ops]")
    ann.type(ALT + "1")
    ann.see_line("[lobby]")
    ann.see("-- lobby: nothing new")

    bob.send("one\ntwo\nthree\n")
    ann.see_status("| 1:lobby 2:ops(3) |")
    assert not any("bob:" in row for row in ann.text())
    ann.type(ALT + "2")

    ann.see_line("[ops]")
    shown = ["-- ops: 3 unread messages", "bob: one", "bob: two", "bob: three"]
    ann.wait_for(lambda: ann.text()[-6:-2] == shown, "what was said there")
    ann.see_status("ann in ops, 2 members | 1:lobby 2:ops | pychat: connected")


def test_alt_a_goes_where_one_is_mentioned_first(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The bell rings for a mention in a room that is not shown, too; then come the other rooms."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann", "--room", "one", "--room", "two", "--room", "lobby")
    ann.see_line("[lobby]")
    for room, text in (("one", "plain"), ("two", "where is ann?")):
        bob.send(f"/join {room}\n")
        bob.read_until(f"you are in {room}")
        bob.send(f"{text}\n")
    ann.see_status("1:one(1) 2:two(1!)")
    ann.wait_for(lambda: ann.screen.bells == 1, "the bell")

    ann.type(ALT + "a")
    ann.see_line("[two]")
    ann.see("bob: where is ann?")
    ann.type(ALT + "a")

    ann.see_line("[one]")
    ann.see("bob: plain")


def test_rooms_are_shown_by_number_name_and_arrows(pychat: Programs, terminals: Terminals) -> None:
    """The status has the numbers; the beginning of a name is enough."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--room", "one", "--room", "two", "--room", "lobby")
    ann.see_line("[lobby]")
    ann.see_status("1:one 2:two 3:lobby")

    for typed, room in (
        ("/win 2" + ENTER, "two"),
        ("/go lob" + ENTER, "lobby"),
        ("/go one" + ENTER, "one"),
        ("\x1b[1;3C", "two"),
        ("\x1b[1;3D", "one"),
        ("\x1b[1;3D", "lobby"),
        (ALT + "1", "one"),
    ):
        ann.type(typed)
        ann.see_line(f"[{room}]")
    ann.type("/win 4" + ENTER)

    ann.see("! you have no room 4; your rooms: 1 one, 2 two, 3 lobby")


def test_what_is_said_goes_to_the_room_on_the_screen(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Whatever room the server thinks is the current one."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    ann.type("/join ops" + ENTER)
    ann.see_line("[ops]")

    ann.type("/join lobby" + ENTER)
    ann.see_line("[lobby]")
    ann.type("/topic tea at four" + ENTER + "hello lobby" + ENTER)

    ann.see_status("| tea at four")
    bob.read_until("--> ann joined lobby")
    assert bob.read_line() == "-- ann set the topic of lobby: tea at four"
    assert bob.read_line() == "ann: hello lobby"


def test_leaving_a_room_shows_another_one(pychat: Programs, terminals: Terminals) -> None:
    """And after the last one, none; then there is nowhere to talk."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")
    ann.type("/join ops" + ENTER)
    ann.see_line("[ops]")

    ann.type("/part" + ENTER)
    ann.see("<-- ann left ops")
    ann.see_line("[lobby]")
    ann.type("/part lobby bye" + ENTER)
    ann.see("-- you are not in a room now; /join ROOM joins one")
    ann.see_line("[no room]")
    ann.type("hello?" + ENTER)

    ann.see("! you are not in a room; join one first")
    ann.see_line("[no room] hello?")


def test_who_is_removed_sees_by_whom(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """And is in another room then."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("/join ops\n")
    bob.read_until("you are in ops")
    ann = terminals(port, "--nick", "ann", "--room", "lobby", "--room", "ops")
    ann.see_line("[ops]")

    bob.send("/kick ann quiet, please\n")

    ann.see("<-- ann was removed from ops by bob (quiet, please)")
    ann.see_line("[lobby]")


def test_rooms_are_completed(pychat: Programs, terminals: Terminals) -> None:
    """Where a command takes one, with IRC's sign, too."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--room", "lobby", "--room", "operators")
    ann.see_line("[operators]")

    ann.type("/join #lo" + TAB)

    ann.see_line("[operators] /join #lobby")


def test_who_is_ignored_is_not_heard(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Neither in rooms nor alone, nor under another nickname, until one wants to again."""
    _, port = pychat.serve()
    bob, carl = (clients.text(("127.0.0.1", port), name) for name in ("bob", "carl"))
    ann = terminals.join(port, "ann")
    ann.type("/ignore Bob" + ENTER)
    ann.see("-- you now ignore Bob; /unignore Bob ends it")

    bob.send("hello ann\n/msg ann psst\n/nick bobby\nstill here\n/who\n")
    bob.read_until("-- in lobby: ")
    carl.send("that was bob\n")
    ann.see("carl: that was bob")
    ann.type("/ignore" + ENTER)
    ann.see("-- ignored: bobby")
    ann.type("/unignore bobby" + ENTER)
    ann.see("-- you no longer ignore bobby")
    bob.send("now?\n")
    ann.see("bobby: now?")

    assert not any(text in row for row in ann.text() for text in ("hello ann", "psst", "still here"))
    assert ann.screen.bells == 0


def test_a_muted_person_cannot_talk(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """An operator mutes somebody, who stays in the room, and ends it again."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--room", "ops")
    ann.see_line("[ops]")
    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("/join ops\n")
    bob.read_until("you are in ops")

    ann.type("/mute bob" + ENTER)
    ann.see("-- ann muted bob in ops")
    bob.send("hello\n")
    bob.read_until("! you may not talk in room 'ops'")
    ann.type("/ban" + ENTER)
    ann.see("-- muted in ops: bob!*@* (by ann)")
    ann.type("/unmute bob" + ENTER)
    bob.read_until("-- ann unmuted bob in ops")
    bob.send("hello again\n")

    ann.see("bob: hello again")


def test_the_screen_can_be_cleared(pychat: Programs, terminals: Terminals) -> None:
    """The line and the status are all that is left."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/clear" + ENTER)

    ann.wait_for(lambda: ann.screen.rows()[:1] == ["[lobby]"], "an empty screen")
    ann.see_status("ann in lobby, 1 member | pychat: connected")


# What is in the line


def test_a_room_keeps_its_half_written_line(pychat: Programs, terminals: Terminals) -> None:
    """The line of the room that is shown is its own."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--room", "ops", "--room", "lobby")
    ann.see("you are in lobby")
    ann.type("for the lobby")
    ann.see_line("[lobby] for the lobby")

    ann.type(ALT + "1")
    ann.see_line("[ops]")
    ann.type("for ops")
    ann.see_line("[ops] for ops")
    ann.type(ALT + "2")

    ann.see_line("[lobby] for the lobby")
    ann.type(ALT + "1")
    ann.see_line("[ops] for ops")


def test_a_command_is_no_draft(pychat: Programs, terminals: Terminals) -> None:
    """It shows a room whose half-written line is there, and is in no room itself when one comes back."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--room", "ops", "--room", "lobby")
    ann.see_line("[lobby]")
    ann.type("half a line")
    ann.see_line("[lobby] half a line")

    ann.type(ALT + "1")
    ann.see_line("[ops]")
    ann.type("/go lobby" + ENTER)
    ann.see_line("[lobby] half a line")
    ann.type(ALT + "1")

    ann.see_line("[ops]")
    ann.type(ARROW_UP)
    ann.see_line("[ops] /go lobby")


def test_who_is_put_out_says_nothing_in_the_next_room_unseen(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """The line is one arrow up away, and the rest of it, typed without looking, is asked about."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["lobby", "ops"])
    ann = terminals(port, "--nick", "ann", "--room", "lobby", "--room", "ops")
    ann.see("you are in ops")
    ann.type("the password is")
    ann.see_line("[ops] the password is")

    bob.ask("kick", room="ops", nick="ann")
    ann.see("-- your unfinished line for ops is one arrow up away")
    ann.see_line("[lobby]")
    ann.type(" hunter2" + ENTER)
    ann.see_status("you are in lobby now; send it there? [y/N]")
    ann.type("n\x15" + ARROW_UP)
    ann.see_line("[lobby] the password is")
    ann.type("\x15now" + ENTER + "y")
    ann.see("ann: now")
    ann.type("and again" + ENTER)

    assert bob.next("message")["text"] == "now"
    assert bob.next("message")["text"] == "and again"


def test_what_is_typed_on_the_way_into_a_room_is_said_there(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """The answer to /join may take its time."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["lobby", "ops"])
    ann = terminals.join(port, "ann")

    ann.type(f"/join ops{ENTER}hello ops{ENTER}")
    ann.see("ann: hello ops")

    assert bob.next("message")["room"] == "ops"
