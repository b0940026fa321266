"""`pychat connect` at a terminal: a connection that is lost, and a server that refuses."""

from __future__ import annotations

import re
import signal
from contextlib import closing

from chat_clients import DEADLINE, Clients, free_port
from chat_programs import Programs, pychat
from terminal_screen import ARROW_DOWN, ARROW_UP, ENTER, Terminals, terminals

from pychat.testing import Network

__all__ = ["pychat", "terminals"]  # fixtures


def test_a_line_stays_while_there_is_no_connection(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The status counts down; the line is said when Enter is pressed again, after the client is back."""
    server, port = pychat.serve(port=free_port())
    ann = terminals.join(port, "ann")
    server.kill()
    ann.see("-- the server closed the connection; reconnecting")
    ann.wait_for(lambda: re.search(r"pychat: reconnecting in \d+ s", ann.status), "the countdown")

    ann.type("important" + ENTER)
    ann.see("! not connected; the line stays here until the connection is back")
    pychat.serve(port=port)
    ann.see("-- reconnected")
    ann.see_status("pychat: connected")
    bob = clients.text(("127.0.0.1", port), "bob")
    ann.type(ENTER)

    assert bob.read_line() == "ann: important"


def test_nobody_has_to_wait_for_the_next_try(pychat: Programs, terminals: Terminals) -> None:
    """After some tries it is far away; Enter on the empty line makes one, and so does a command."""
    server, port = pychat.serve(port=free_port())
    ann = terminals.join(port, "ann")
    server.kill()
    ann.see("-- the server closed the connection; reconnecting")

    server, _ = pychat.serve(port=port)
    ann.type("/reconnect" + ENTER)
    ann.see("-- reconnected")
    server.kill()
    ann.wait_for(lambda: "reconnecting" in ann.status, "the countdown")
    pychat.serve(port=port)
    ann.type(ENTER)

    ann.see_status("pychat: connected")


def test_what_was_missed_is_counted_and_then_shown(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """First how much, then the messages; what everybody knows (who is here, that one is back) is not repeated."""
    _, port = pychat.serve("--no-flood-control")
    with closing(Network("127.0.0.1", port)) as network:
        ann = terminals.join(network.port, "ann")
        bob = clients.text(("127.0.0.1", port), "bob")
        ann.see("--> bob joined lobby")

        network.down()
        bob.read_until("<-- ann left")
        for number in range(12):
            bob.send(f"message {number} for ann\n")
        bob.send("/who\n")
        bob.read_until("-- in lobby: bob")
        network.resume()

        ann.see("-- reconnected, 12 missed messages")
        ann.see("bob: message 11 for ann")
    rows = ann.text()
    first = rows.index("-- reconnected, 12 missed messages")
    assert rows[first + 1 : first + 13] == [f"bob: message {number} for ann" for number in range(12)]
    assert sum("you are in" in row for row in rows) == 1
    assert ann.screen.bells == 0


def test_a_server_that_is_restarted_is_found_again(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The half line is there all the time, and one is in all rooms again."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    server, port = pychat.serve(port=free_port())
    ann = terminals(port, "--nick", "ann", "--room", "lobby", "--room", "ops")
    ann.see_line("[ops]")
    ann.type("half a line")

    server.signal(signal.SIGTERM)
    ann.see("-- the server said goodbye: the server is shutting down; reconnecting")
    ann.see_line("[ops] half a line")
    server.wait()
    pychat.serve(port=port)

    ann.see("-- reconnected")
    ann.see_line("[ops] half a line")
    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("/join ops\n")
    bob.read_until("you are in ops: @ann, bob")
    ann.type(ENTER)
    assert bob.read_until("half") == ["[ops] ann: half a line"]


def test_a_refused_message_comes_back(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """The reason is above; the text is in the line, to be changed and said again."""
    _, port = pychat.serve()
    ann = terminals(port, "--nick", "ann", "--room", "ops")
    ann.see_line("[ops]")
    bob = terminals(port, "--nick", "bob", "--room", "ops")
    bob.see_line("[ops]")
    ann.type("/mode +m" + ENTER)
    bob.see("-- ann made ops moderated: only operators and members with voice can talk")

    bob.type("may I?" + ENTER)

    bob.see("! room 'ops' is moderated: only operators and members with voice can talk")
    bob.see_line("[ops] may I?")
    assert "bob: may I?" not in bob.text()
    ann.type("/voice bob" + ENTER)
    bob.see("-- ann gave bob voice in ops")
    bob.type(ENTER)
    bob.see("bob: may I?")
    ann.see("bob: may I?")


def test_a_refused_message_does_not_disturb_what_is_typed_by_then(pychat: Programs, terminals: Terminals) -> None:
    """It is one arrow up away."""
    _, port = pychat.serve("--message-burst", "1", "--messages-per-second", "1", "--delay-seconds", "5")
    ann = terminals(port, "--nick", "ann", "--room", "ops")
    ann.see_line("[ops]")
    ann.type("/mode +m" + ENTER)
    ann.see("-- ann made ops moderated: only operators and members with voice can talk")
    bob = terminals(port, "--nick", "bob", "--room", "ops")
    bob.see_line("[ops]")

    bob.type("/who" + ENTER + "may I?" + ENTER + "/who" + ENTER + "something else")
    bob.see("! room 'ops' is moderated: only operators and members with voice can talk")

    bob.see_line("[ops] something else")
    bob.type(ARROW_UP)
    bob.see_line("[ops] may I?")
    bob.type(ARROW_DOWN)
    bob.see_line("[ops] something else")


def test_a_nickname_that_is_changed_is_ones_own(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """In the status, and for mentions."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = terminals.join(port, "ann")

    ann.type("/nick anna" + ENTER)
    ann.see("-- ann is now anna")
    ann.see_status("anna in lobby")
    bob.send("hello anna\n")

    ann.see("bob: hello anna")
    ann.wait_for(lambda: ann.screen.bells == 1, "the bell")


def test_a_slow_acknowledgement_is_seen_in_the_status(pychat: Programs, terminals: Terminals) -> None:
    """What the server holds back is not on the screen before it is said."""
    _, port = pychat.serve("--message-burst", "1", "--messages-per-second", "0.25", "--delay-seconds", "5")
    ann = terminals.join(port, "ann")

    ann.type("one" + ENTER + "two" + ENTER)

    ann.see_status("pychat: sending 1")
    ann.see("ann: two")
    ann.see_status("pychat: connected")
