"""`pychat connect` at a terminal: coming in, saying something, and leaving."""

from __future__ import annotations

import signal
import sys

import pytest
from chat_clients import DEADLINE, Clients, free_port
from chat_programs import Programs, pychat
from terminal_screen import ARROW_UP, CTRL_C, CTRL_D, ENTER, Terminals, terminals

from pychat.cli.client.access import own_nicknames

__all__ = ["pychat", "terminals"]  # fixtures


def test_it_asks_for_a_nickname_until_one_is_accepted(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The reason is shown, and another one can be tried."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port)

    ann.see_line(f"Your nickname [{own_nicknames()[0]}]:")
    ann.type("a b" + ENTER)
    ann.see("! nickname 'a b': spaces are not allowed; use 1 to 32 letters, digits or -_[]{}|^\\`")
    ann.see_line("Your nickname:")
    ann.type("ann" + ENTER)

    ann.see("-- welcome to pychat, ann; /help lists the commands")
    ann.see("-- you are in lobby: bob, ann")
    ann.see_line("[lobby]")


def test_a_nickname_of_the_command_line_that_is_taken_is_asked_again(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """Nobody has to type the whole command again. Ctrl-D gives up, with the exit code of a refusal."""
    _, port = pychat.serve()
    clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "bob")

    ann.see("! nickname 'bob' is in use; choose another")
    ann.see_line("Your nickname:")
    ann.type(CTRL_D)

    assert ann.wait() == 4


def test_a_line_is_said_and_shown(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """What is said oneself appears like what others say, when it is accepted."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("hello" + ENTER)
    ann.type("//slash" + ENTER)
    ann.type("/me waves" + ENTER)
    ann.type("/msg bob psst" + ENTER)

    ann.see("[ann -> bob] psst")
    assert ann.text()[2:6] == ["ann: hello", "ann: /slash", "* ann waves", "[ann -> bob] psst"]
    bob.read_until("--> ann joined lobby")
    assert bob.read_until("psst") == ["ann: hello", "ann: /slash", "* ann waves", "[ann -> bob] psst"]


def test_reply_goes_to_who_wrote_last(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """It is shown with the one it went to."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    bob.send("/msg ann psst\n")
    ann.see("[bob -> ann] psst")

    ann.type("/r what?" + ENTER)

    ann.see("[ann -> bob] what?")
    bob.read_until("[ann -> bob] what?")


def test_an_unknown_command_is_an_error(pychat: Programs, terminals: Terminals) -> None:
    """It is not said; those that the terminal adds are among those that are proposed."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/whoo" + ENTER)
    ann.see("! unknown command /whoo; did you mean /who? /help lists the commands")
    ann.type("/ignor bob" + ENTER)
    ann.see("! unknown command /ignor; did you mean /ignore? /help lists the commands")


def test_help_lists_all_commands(pychat: Programs, terminals: Terminals) -> None:
    """Those of every line language, those of the terminal, and those of the server's handlers."""
    (pychat.directory / "mine.py").write_text(
        "from pychat.handlers import Commands\n"
        "class Mine(Commands):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.add('hi', lambda ctx: ctx.reply('hi'))\n"
    )
    _, port = pychat.serve("--handler", "mine:Mine")
    ann = terminals.join(port, "ann")

    ann.type("/help all" + ENTER)

    ann.see("//text  Send")
    ann.see("!help [COMMAND]  List the commands, or explain one.")
    ann.see("!hi")
    ann.see("/join ROOM [KEY]  Join a room, and talk there from now on.")
    ann.see("/clear  Clear the screen; the scrollback of the terminal stays.")


def test_help_fits_a_screen(pychat: Programs, terminals: Terminals) -> None:
    """What most people need, without the time; the keys are a topic of their own."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/help" + ENTER)
    ann.see("more: /help all, /help ops, /help keys.")
    assert len(ann.screen.rows()) <= 18
    ann.type("/help keys" + ENTER)

    ann.see("Alt-A         goes to the next room with unread messages")


def test_help_explains_one_command(pychat: Programs, terminals: Terminals) -> None:
    """By its name or an alias."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/help ignore" + ENTER)

    ann.see("/ignore [NICK]  Hide messages from somebody; alone, list ignored people.")


def test_a_message_of_the_day_that_is_not_there_is_told(pychat: Programs, terminals: Terminals) -> None:
    """To whoever asks for it; the answer has no lines, and is heard all the same."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/motd" + ENTER)

    ann.see("-- there is no message of the day")


def test_what_was_said_before_is_shown(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """A person sees the last messages of the room."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    bob.answer("say", text="nobody is here")

    ann = terminals.join(port, "ann")

    ann.see("-- last message of lobby")
    ann.see("bob: nobody is here")
    assert ann.screen.bells == 0


def test_history_shows_more(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """As many events as one asks for."""
    _, port = pychat.serve("--replay-messages", "1")
    bob = clients.json(("127.0.0.1", port), "bob")
    for number in range(5):
        bob.answer("say", text=f"message {number}")
    ann = terminals.join(port, "ann")
    ann.see("bob: message 4")

    ann.type("/history 3" + ENTER)

    ann.see("-- last 3 events of lobby")
    three = ["bob: message 3", "bob: message 4", "--> ann joined lobby", "-- end of the history"]
    ann.wait_for(lambda: ann.text()[-6:-2] == three, "three")


def test_ctrl_c_clears_the_line_and_twice_leaves(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """Nothing of the cleared line is said; the exit code is that of an interrupted program."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    pychat.change("pychat.terminal.editor", _TWICE_SECONDS=DEADLINE)
    ann = terminals.join(port, "ann")

    ann.type("never said" + CTRL_C + ENTER + CTRL_C)

    assert ann.wait() == 130
    assert bob.read_until("<--") == ["--> ann joined lobby", "<-- ann left (quit)"]


def test_ctrl_c_clears_every_line(pychat: Programs, terminals: Terminals) -> None:
    """What was typed since the first one is cleared, however soon the second one comes."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("one" + CTRL_C + "two" + CTRL_C + "three")

    ann.see_line("[lobby] three")


def test_ctrl_c_on_an_empty_line_tells_how_to_leave(pychat: Programs, terminals: Terminals) -> None:
    """Who presses it by mistake stays."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type(CTRL_C)

    ann.see("-- Ctrl-C again leaves, and so does Ctrl-D")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it(
    pychat: Programs, clients: Clients, terminals: Terminals, number: signal.Signals, code: int
) -> None:
    """As Ctrl-C would; the others see that one has left."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.process.send_signal(number)

    assert ann.wait() == code
    assert bob.read_until("<--")[-1] == "<-- ann left (quit)"


def test_who_closes_the_window_has_left(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The nickname is free at once for the next window, and what stood in the line is there again."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    ann.type("half a line")
    ann.see_line("[lobby] half a line")

    ann.hang_up()

    assert bob.read_until("<--")[-1] == "<-- ann left (quit)"
    ann = terminals.join(port, "ann")
    ann.type(ARROW_UP)
    ann.see_line("[lobby] half a line")


def test_ctrl_d_leaves_only_on_an_empty_line(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The exit code is 0. Otherwise it deletes the character at the cursor, as in readline."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("xhello" + "\x01" + CTRL_D + ENTER + CTRL_D)

    assert ann.wait() == 0
    assert bob.read_until("<--") == ["--> ann joined lobby", "ann: hello", "<-- ann left (quit)"]


def test_quit_says_why_and_waits_for_what_was_said(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """What was typed before is said, also if the server takes its time; the line is gone from the screen."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("".join(f"line {number}{ENTER}" for number in range(12)) + "/quit so long" + ENTER)

    assert ann.wait() == 0
    assert bob.read_until("<--")[-2:] == ["ann: line 11", "<-- ann left (so long)"]
    assert ann.text()[-1] == "ann: line 11"


def test_a_password_stays_neither_on_the_screen_nor_in_the_history(pychat: Programs, terminals: Terminals) -> None:
    """It is asked for, hidden; also when it is typed at once, the line is forgotten."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")
    ann.type("hello" + ENTER)
    ann.see("ann: hello")

    ann.type("/oper root" + ENTER)
    ann.see_line("password of root:")
    ann.type("sesame" + ENTER)
    ann.see("! wrong name or password")
    ann.type("/oper root open-it" + ENTER)
    ann.wait_for(lambda: ann.text().count("! wrong name or password") == 2, "the second answer")
    ann.type(ARROW_UP)

    ann.see_line("[lobby] /oper root")
    assert b"sesame" not in ann.written
    assert not any("open-it" in row for row in ann.text())
    (file,) = (pychat.directory / "state" / "pychat" / "history").iterdir()
    assert file.read_text() == '"hello"\n"/oper root"\n'
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_key_of_a_room_is_not_in_the_history(pychat: Programs, terminals: Terminals) -> None:
    """Neither where it is set, nor where it opens a room, nor where one is already."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")

    ann.type("/join ops open-it" + ENTER)
    ann.see("-- you are in ops: @ann")
    ann.type("/mode +k sesame" + ENTER)
    ann.see("-- ann set the key of ops: sesame")
    ann.type("/join ops sesame" + ENTER)
    ann.see("-- ops: nothing new")
    ann.type("/mode -k" + ENTER)
    ann.see("-- ann removed the key of ops")

    (file,) = (pychat.directory / "state" / "pychat" / "history").iterdir()
    assert file.read_text() == '"/mode -k"\n'


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
def test_a_question_for_a_password_can_be_given_up(pychat: Programs, terminals: Terminals, key: str) -> None:
    """The line is there again."""
    _, port = pychat.serve()
    ann = terminals.join(port, "ann")
    ann.type("/oper root" + ENTER)
    ann.see_line("password of root:")

    ann.type("ses" + key)

    ann.see_line("[lobby]")
    ann.type("hello" + ENTER)
    ann.see("ann: hello")


def test_the_history_lasts(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """What was typed is there again the next day."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")
    ann.type("one" + ENTER + "two" + ENTER + CTRL_D)
    assert ann.wait() == 0
    bob.read_until("<-- ann left")

    ann = terminals.join(port, "ann")
    ann.type(ARROW_UP + ARROW_UP)

    ann.see_line("[lobby] one")


def test_without_reconnect_a_loss_is_the_end(pychat: Programs, terminals: Terminals) -> None:
    """The line is given back to the shell, with the reason."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    server, port = pychat.serve()
    ann = terminals.join(port, "ann", "--no-reconnect")

    server.signal(signal.SIGTERM)

    assert ann.wait() == 5
    assert ann.screen.rows()[-1] == "Error: the server said goodbye: the server is shutting down"


def test_what_was_not_said_at_the_end_is_in_the_history(pychat: Programs, terminals: Terminals) -> None:
    """A line that is typed when the connection is lost for good is one arrow up away the next time."""
    server, port = pychat.serve(port=free_port())
    ann = terminals.join(port, "ann", "--no-reconnect")
    ann.type("half a line")
    ann.see_line("[lobby] half a line")

    server.signal(signal.SIGTERM)
    assert ann.wait() == 5
    server.wait()
    pychat.serve(port=port)
    ann = terminals.join(port, "ann")
    ann.type(ARROW_UP)

    ann.see_line("[lobby] half a line")


def test_nobody_there_is_told_before_anything_is_drawn(terminals: Terminals) -> None:
    """With exit code 3."""
    ann = terminals(1, "--nick", "ann")

    assert ann.wait() == 3
    assert "Error: cannot connect to 127.0.0.1 port 1: Connection refused" in " ".join(ann.screen.rows())


def test_a_dumb_terminal_is_served_line_by_line(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """It cannot move its cursor, so there is no line that stays at the bottom, but one can talk and hear."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann", kind="dumb")
    ann.wait_for(lambda: "-- you are in lobby: bob, ann" in ann.text(), "the room")

    ann.type("hello\n")
    bob.read_until("ann: hello")
    bob.send("hi\n")

    ann.wait_for(lambda: "bob: hi" in ann.text(), "the answer")
    assert b"\x1b" not in ann.written


def test_a_dumb_terminal_has_commands_and_hidden_passwords(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """What decides is that a person types."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals(port, "--nick", "ann", kind="dumb")
    ann.wait_for(lambda: "-- you are in lobby: bob, ann" in ann.text(), "the room")

    ann.type("/msg bob psst\n")
    ann.wait_for(lambda: "[ann -> bob] psst" in ann.text(), "what was said")
    ann.type("/register\n")
    ann.wait_for(lambda: ann.line.endswith("new password (8 to 512 characters):"), "the question")
    ann.type("correct horse\n")
    ann.wait_for(lambda: ann.line.endswith("repeat it:"), "the question")
    ann.type("correct horse\n")
    ann.wait_for(lambda: any("account" in row for row in ann.text()), "the account")
    ann.type("/quit bye\n")

    assert ann.wait() == 0
    assert bob.read_until("<--") == ["--> ann joined lobby", "[ann -> bob] psst", "<-- ann left (bye)"]
    assert b"correct horse" not in ann.written


def test_commands_are_commands_wherever_the_output_goes(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """`pychat connect | tee chat.log`: what is typed at a terminal is the same."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.start("sh", "-c", f"'{sys.executable}' -m pychat connect --nick ann --port {port} | tee chat.log")
    ann.wait_for(lambda: "-- you are in lobby: bob, ann" in ann.text(), "the room")

    ann.type("/login hunter22\n")
    ann.wait_for(lambda: any(row.startswith("! ") for row in ann.text()), "the refusal")
    ann.type("hello\n")
    bob.read_until("ann: hello")
    ann.type("/quit\n")

    assert ann.wait() == 0
    assert bob.read_until("<--") == ["<-- ann left (quit)"]
    assert "ann: hello" in (pychat.directory / "chat.log").read_text()


def test_a_dumb_terminal_asks_before_it_talks_in_another_room(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """The room was changed for the person, who may be in the middle of a line."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["lobby", "ops"])
    ann = terminals(port, "--nick", "ann", "--room", "lobby", "--room", "ops", kind="dumb")
    ann.wait_for(lambda: "-- you are in ops: @bob, ann" in ann.text(), "the room")

    bob.ask("kick", room="ops", nick="ann")
    ann.wait_for(lambda: "-- lobby: nothing new" in ann.text(), "the other room")
    ann.type("for ops only\n")
    ann.wait_for(lambda: "you are in lobby now; send it there? [y/N]" in ann.text(), "the question")
    ann.type("no\n/me waves\n")  # what is typed may be seen behind the question, or below it
    ann.wait_for(lambda: sum("send it there? [y/N]" in row for row in ann.text()) == 2, "the question again")
    ann.type("y\n")
    ann.wait_for(lambda: "* ann waves" in ann.text(), "what was said")

    assert bob.next("message")["text"] == "waves"
