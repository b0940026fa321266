"""`pychat connect` at a terminal: the line that is typed, whatever comes in meanwhile."""

from __future__ import annotations

import shutil
import sys

import pytest
from chat_clients import Clients
from chat_programs import Programs, pychat
from terminal_screen import (
    ALT,
    ARROW_LEFT,
    BACK_TAB,
    BACKSPACE,
    CTRL_C,
    CTRL_R,
    CTRL_U,
    CTRL_Z,
    ENTER,
    TAB,
    Terminals,
    terminals,
)

__all__ = ["pychat", "terminals"]  # fixtures


def test_half_a_line_is_intact_while_200_messages_arrive(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """Each message is on the screen once, in order, the half line below all of them, and it can be finished."""
    _, port = pychat.serve("--no-flood-control")
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    bob.read_until("--> ann joined")

    ann.type("half a ")
    ann.see_line("[lobby] half a")
    for number in range(200):
        bob.send(f"disturbing {number}\n")
        if number == 100:
            ann.type("li")
    ann.see("bob: disturbing 199")
    ann.see_line("[lobby] half a li")

    said = [row for row in ann.text() if "disturbing" in row]
    assert said == [f"bob: disturbing {number}" for number in range(200)]
    assert not any("half" in row for row in ann.text()[:-2])
    ann.type("ne" + ENTER)
    assert bob.read_line() == "ann: half a line"


def test_another_terminal_shows_the_same(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """In tmux: each thing once, the typed line last, and emoji of several parts as one."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.tmux(port, "--nick", "ann")
    bob.read_until("--> ann joined")

    ann.wait_for_rows(lambda rows: rows[-2:-1] == ["[lobby]"], "the line to type in")
    ann.type("half a li")
    bob.send("one\n\N{WOMAN}\u200d\N{WOMAN}\u200d\N{GIRL} two\n")

    expected = [
        "-- welcome to pychat, ann; /help lists the commands",
        "-- you are in lobby: bob, ann",
        "bob: one",
        "bob: \N{WOMAN}\u200d\N{WOMAN}\u200d\N{GIRL} two",
        "[lobby] half a li",
        " ann in lobby, 2 members | pychat: connected",
    ]
    ann.wait_for_rows(lambda rows: rows == expected, "the messages above the line")


def test_the_line_at_the_top_is_not_left_behind(pychat: Programs, terminals: Terminals) -> None:
    """What is erased there is not in the scrollback of tmux."""
    _, port = pychat.serve()
    ann = terminals.tmux(port, "--nick", "ann")
    ann.wait_for_rows(lambda rows: rows[-2:-1] == ["[lobby]"], "the line to type in")

    ann.type("/clear\rhello\r")

    ann.wait_for_rows(lambda rows: "ann: hello" in rows, "the message")
    ann.wait_for_rows(lambda rows: rows[-2:-1] == ["[lobby]"], "the line to type in")
    assert ann.rows().count("[lobby]") == 1


def test_a_narrow_window_shows_the_line_once(pychat: Programs, terminals: Terminals) -> None:
    """Its rows take more rows there; all of them are drawn again, and nothing of the chat is lost."""
    _, port = pychat.serve()
    ann = terminals.tmux(port, "--nick", "ann")
    words = " ".join(f"word{number}" for number in range(18))
    ann.wait_for_rows(lambda rows: rows[-2:-1] == ["[lobby]"], "the line to type in")
    ann.type("/help all\r")  # a full screen: of an empty one, tmux moves the upper rows out of reach when it wraps them
    ann.wait_for_rows(lambda rows: rows[-2:-1] == ["[lobby]"] and "//text" in rows[-3], "the help")
    ann.type(words)
    ann.wait_for_rows(lambda rows: "word17" in "".join(rows), "the typed text")

    for columns in (50, 33, 80):
        ann.resize(columns)
        ann.type("!")
        words += "!"
        row = f"[lobby] {words}"
        shown = [row[start : start + columns].rstrip() for start in range(0, len(row), columns)]
        ann.wait_for_rows(lambda rows: rows[-1 - len(shown) : -1] == shown, f"the line in {columns} columns")  # noqa: B023

    assert "".join(ann.rows()).count("[lobby]") == 1
    assert "".join(ann.rows()).count("you are in lobby: ann") == 1


def test_a_window_of_another_size_is_drawn_in(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The line and the status are there once, and what comes in is above them."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    ann.type("half a line")
    ann.see_line("[lobby] half a line")

    ann.resize(40, 12)
    ann.see_status("ann in lobby, 2 members")
    bob.send("hello\n")
    ann.see("bob: hello")

    ann.see_line("[lobby] half a line")
    ann.wait_for(lambda: sum("half a line" in row for row in ann.text()) == 1, "one line")
    ann.wait_for(lambda: sum("2 members" in row for row in ann.text()) == 1, "one status")


def test_commands_are_completed(pychat: Programs, terminals: Terminals) -> None:
    """One that fits is taken with a blank behind it; of several, Tab takes one after the other."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/whoi" + TAB)
    ann.see_line("[lobby] /whois")
    ann.type(CTRL_U + "/wh" + TAB)
    ann.see_line("[lobby] /who")
    ann.see_status("/who /whois")
    ann.type(TAB)
    ann.see_line("[lobby] /whois")
    ann.type(BACK_TAB)
    ann.see_line("[lobby] /who")
    ann.type("lob" + TAB)
    ann.see_line("[lobby] /who lobby")
    ann.type(CTRL_U + "/jo" + TAB + TAB)
    ann.see_line("[lobby] /join lobby")
    ann.type(CTRL_U + "/zzz" + TAB + BACK_TAB + "z")
    ann.see_line("[lobby] /zzzz")


def test_nicknames_are_completed_the_last_speaker_first(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """At the start of a line with a colon, elsewhere with a blank."""
    _, port = pychat.serve()
    address = ("127.0.0.1", port)
    bob, bobo = clients.text(address, "bob"), clients.text(address, "Bobo")
    ann = terminals.join(port, "ann")
    bobo.send("first\n")
    ann.see("Bobo: first")
    bob.send("second\n")
    ann.see("bob: second")

    ann.type("bo" + TAB + "and bo" + TAB + TAB + "!")

    ann.see_line("[lobby] bob: and Bobo !")


def test_a_paste_of_three_lines_is_one_message(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """It can be seen and changed before it is said."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.paste("one\rtwo\rthree")
    ann.see_line("three")
    ann.type("!" + ENTER)

    assert bob.next("message")["text"] == "one\ntwo\nthree!"
    ann.see("ann: three!")


def test_the_newline_at_the_end_of_a_paste_is_not_said(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """What is copied line by line ends with one, and nobody wants to see an empty line."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.paste("\rone\r  two\r\r")
    ann.type(ENTER)

    assert bob.next("message")["text"] == "one\n  two"
    ann.see_line("[lobby]")


def test_backspace_takes_away_what_is_seen_as_one(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """A family and a flag at once."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("so: \U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea")
    ann.type(2 * BACKSPACE + "!" + ENTER)

    assert bob.next("message")["text"] == "so: !"


def test_backspace_takes_away_what_is_marked(pychat: Programs, terminals: Terminals) -> None:
    """As a whole: a text that came back."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")
    ann.type("/msg nobody hi" + ENTER)
    ann.see("! nobody here is called 'nobody'")
    ann.see_line("[lobby] /msg nobody hi")

    ann.type(BACKSPACE)

    ann.see_line("[lobby]")


def test_a_paste_of_twelve_lines_is_seen_whole(pychat: Programs, terminals: Terminals) -> None:
    """On a screen of 24 rows; the line takes two thirds of it."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.paste("\r".join(f"line {number}" for number in range(12)) + "\r")

    ann.wait_for(lambda: sum("line " in row for row in ann.text()) == 12, "all lines")


def test_a_paste_of_fourteen_lines_is_asked_about(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Anything but y keeps it where it is; with y it is one message."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    text = "\n".join(f"line {number}" for number in range(14))

    ann.paste(text.replace("\n", "\r"))
    ann.see_line("line 13")
    ann.type(ENTER)
    ann.see_status("send 14 lines? [y/N]")
    ann.type("n")
    ann.see_status("pychat: connected")
    ann.see_line("line 13")
    ann.type(ENTER)
    ann.see_status("send 14 lines? [y/N]")
    ann.type("y")

    assert bob.next("message")["text"] == text
    ann.see_line("[lobby]")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\r".join("x" * 60), "! not sent: the message has 60 lines, and at most 50 are allowed"),
        ("é" * 2049, "! not sent: the message has 4098 bytes, and at most 4096 are allowed"),
    ],
)
def test_a_paste_that_is_too_much_is_refused_before_it_is_sent(
    pychat: Programs, terminals: Terminals, text: str, problem: str
) -> None:
    """It stays in the line."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.paste(text)
    ann.type(ENTER)

    ann.see(problem)
    ann.wait_for(lambda: text[-1] in ann.line, "the text in the line")


def test_alt_enter_begins_another_line(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """A message of several lines can be typed, too."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("one" + ALT + ENTER + "two" + ENTER)

    assert bob.next("message")["text"] == "one\ntwo"


def test_a_line_that_gets_shorter_takes_fewer_rows(pychat: Programs, terminals: Terminals) -> None:
    """The status follows it."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")
    ann.type("x" * 300)
    ann.wait_for(lambda: len(ann.screen.rows()) == 2 + 4 + 1, "four rows")

    ann.type(CTRL_C)

    ann.wait_for(lambda: len(ann.screen.rows()) == 2 + 1 + 1, "one row and the status below it")
    ann.see_line("[lobby]")


def test_the_keys_of_readline_work(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Moving, deleting and putting back words; looking for what was typed before."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    bob.read_until("--> ann joined")

    ann.type("world hello\x17\x01\x19\x0b" + ENTER)
    assert bob.read_line() == "ann: hello"
    ann.type("something else" + ENTER)
    ann.see("ann: something else")  # what was typed can be found when the empty line was shown
    ann.type(CTRL_R + "hel" + ENTER)
    ann.see_line("[lobby] hello")
    ann.type(ENTER)
    assert bob.read_line() == "ann: something else"

    assert bob.read_line() == "ann: hello"


def test_wide_characters_and_emoji(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """They are typed, shown and erased as what they are, and the cursor stays where it belongs."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    bob.read_until("--> ann joined")

    ann.type("日本語 ok")
    ann.see_line("[lobby] 日本語 ok")
    ann.wait_for(lambda: ann.screen.cursor.x == 8 + 6 + 3, "the cursor behind it")
    ann.type("\x7f\x7f🎉" + ENTER)
    assert bob.read_line() == "ann: 日本語 🎉"
    bob.send("🎉 e\u0301 日本\n")

    ann.see("bob: 🎉 é 日本")
    ann.see_line("[lobby]")


def test_a_hostile_message_changes_nothing(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Not the title, not a colour, not the cursor; also if the server does not clean what its members say."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")
    bob = clients.json(("127.0.0.1", port), "bob")
    ann.type("half")
    ann.see_line("[lobby] half")

    bob.ask("say", text="a\x1b]0;title\x07b\x9b31mc\x1b[2J\u202eevil\u200b\rx")
    ann.see("bob: a\ufffd]0;title\ufffdb\ufffd31mc\ufffd[2J\ufffdevil\ufffdx")

    ann.see_line("[lobby] half")
    assert ann.screen.title == ""
    assert ann.screen.bells == 0
    assert ann.styles("31mc") == set()


def test_an_escape_sequence_among_the_keys_does_no_harm(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """A paste without brackets may have one that looks like an event of the mouse."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("red\x1b[31m line" + ENTER)

    assert bob.read_until("line")[-1] == "ann: red line"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_it_can_be_suspended(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Ctrl-Z gives the shell back; what came meanwhile is shown after `fg`, above the line as it was."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    shell = terminals.start("bash", "--norc", "--noprofile", "-i", PS1="shell> ")
    shell.see_line("shell>")
    shell.type(f"{sys.executable} -m pychat connect --nick ann --port {port}" + ENTER)
    shell.see("-- you are in lobby")
    shell.type("half a line")
    shell.see_line("[lobby] half a line")

    shell.type(CTRL_Z)
    shell.see_line("shell>")
    bob.send("are you there?\n")
    bob.send("/who\n")
    bob.read_until("-- in lobby: bob, ann")
    shell.type("fg" + ENTER)

    shell.see("bob: are you there?")
    shell.see_line("[lobby] half a line")
    shell.type(ENTER)
    assert bob.read_until("half")[-1] == "ann: half a line"


def test_no_colour_by_option(pychat: Programs, terminals: Terminals) -> None:
    """The option does what NO_COLOR does."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann", "--no-color", FORCE_COLOR="1")

    ann.type("hello" + ENTER)
    ann.see("ann: hello")

    assert ann.styles("ann: hello") == set()


def test_no_colour(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """NO_COLOR leaves bold and reverse, which are no colours; without it there are some."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann, carl = terminals.join(port, "ann", NO_COLOR="1"), terminals.join(port, "carl")

    bob.send("hello ann and carl\n")
    ann.see("bob: hello ann and carl")
    carl.see("bob: hello ann and carl")

    assert ann.styles("bob: hello ann and carl") == {"bold", "reverse"}
    assert carl.styles("-- you are in") == set()
    bob.send("plain\n")
    ann.see("bob: plain")
    carl.see("bob: plain")
    assert ann.styles("bob: plain") == set()
    assert len(carl.styles("bob: plain")) == 1


def test_a_second_tab_completes_nothing_more(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """People press it twice by reflex; the next word is not begun yet."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("b" + TAB)
    ann.see_line("[lobby] bob:")
    ann.type(TAB + "hi")

    ann.see_line("[lobby] bob: hi")


def test_a_refused_text_gives_way_to_the_next_key(pychat: Programs, terminals: Terminals) -> None:
    """It is marked; an arrow keeps it."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/msg nobody hi" + ENTER)
    ann.see("! nobody here is called 'nobody'")
    ann.see_line("[lobby] /msg nobody hi")
    ann.type("hello")
    ann.see_line("[lobby] hello")
    ann.type(ENTER)
    ann.see("ann: hello")
    ann.type("/msg nobody hi" + ENTER)
    ann.see_line("[lobby] /msg nobody hi")
    ann.wait_for(lambda: ann.text().count("! nobody here is called 'nobody'") == 2, "the refusal")
    ann.type(ARROW_LEFT + "x")

    ann.see_line("[lobby] /msg nobody hxi")
