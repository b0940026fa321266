"""Every client in one room: the tutorial's, `nc`, raw text, JSON, and what each of them sees of the others."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, full_chain
from chat_programs import Programs, pychat
from peer_programs import Program, classic_client, nc

from pychat import ChatServer
from pychat.protocols import detect

__all__ = ["pychat"]  # the fixture

MakeServer = Callable[..., ChatServer]


def texts(peer: JsonPeer, count: int) -> list[tuple[str, str]]:
    """The next messages, as pairs of nickname and text."""
    messages = [peer.next("message") for _ in range(count)]
    return [(message["nick"], message["text"]) for message in messages]


def meet_and_talk(port: int, clients: Clients, *, connect: bool) -> None:
    """Let all kinds of clients come into the lobby of the server on this port, talk, and go."""
    json = clients.json(("127.0.0.1", port), "json")
    with classic_client("classic", port) as classic, nc(port) as netcat:
        assert json.next("joined")["nick"] == "classic"
        classic.read_until("-- you are in lobby: json, classic")
        netcat.send("netcat")
        netcat.read_until("-- you are in lobby: json, classic, netcat")
        assert json.next("joined")["nick"] == "netcat"
        assert classic.read_line() == "--> netcat joined lobby"

        classic.send("hello from the tutorial")
        assert netcat.read_line() == "classic: hello from the tutorial"
        assert texts(json, 1) == [("classic", "hello from the tutorial")]
        netcat.send("grüße")
        assert classic.read_line() == r"netcat: gr\xfc\xdfe"
        assert texts(json, 1) == [("netcat", "grüße")]
        json.ask("say", text="hello both", ref=1)
        assert classic.read_line() == netcat.read_line() == "json: hello both"
        assert json.next("ok")["ref"] == 1

        if connect:
            arguments = ["connect", "--nick", "cli", "--port", str(port)]
            with Program([sys.executable, "-m", "pychat", *arguments]) as command_line:
                assert classic.read_line() == netcat.read_line() == "--> cli joined lobby"
                command_line.send("hello from the command line")
                assert classic.read_line() == netcat.read_line() == "cli: hello from the command line"
                assert texts(json, 1) == [("cli", "hello from the command line")]
                netcat.send("welcome")
                command_line.read_until("netcat: welcome")
                assert texts(json, 1) == [("netcat", "welcome")]
                assert classic.read_line() == "netcat: welcome"
            assert "cli left" in classic.read_line()
            assert "cli left" in netcat.read_line()
            assert json.next("disconnected")["nick"] == "cli"

        netcat.process.kill()
        assert json.next("disconnected")["nick"] == "netcat"
        assert classic.read_line() == "<-- netcat left (connection closed)"
        classic.process.kill()
    assert json.next("disconnected")["nick"] == "classic"


def test_classic_client_nc_and_json_in_one_room(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unmodified tutorial client, `nc` and a JSON client see each other's messages, joins and leaves."""
    monkeypatch.setattr(detect, "HINT_SECONDS", DEADLINE)  # a program that starts slowly must see the prompt alone
    meet_and_talk(server(handlers=full_chain()).port, clients, connect=False)


def test_classic_client_nc_json_and_pychat_connect_in_a_room_of_pychat_serve(
    pychat: Programs, clients: Clients
) -> None:
    """The main job, with real processes on both sides; SIGINT ends the server, which tells everybody why."""
    pychat.change("pychat.protocols.detect", HINT_SECONDS=DEADLINE)  # a slow program must see the prompt alone
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    program, port = pychat.serve()
    meet_and_talk(port, clients, connect=True)

    ann = clients.text(("127.0.0.1", port), "ann")
    program.signal(signal.SIGINT)
    assert ann.read_rest().endswith(b"-- goodbye: the server is shutting down\n")
    assert program.wait() == 0


def test_the_prompt_is_exactly_four_bytes(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent client is asked with `NICK`: no newline, nothing glued to it until it has answered."""
    monkeypatch.setattr(detect, "HINT_SECONDS", DEADLINE)  # so long after it the server says more
    running = server()
    ann = clients.text(running, "ann")
    silent = clients.raw(running)

    assert silent.read_exactly(4) == b"NICK"
    assert silent.buffer == b""
    ann.send("is anybody there?\n")
    silent.send("silent")

    assert silent.read_line() == "-- welcome to pychat, silent; /help lists the commands"


def test_a_classic_client_with_a_refused_nickname_is_told_why_and_closed(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would answer a second question with the same nickname, for ever."""
    monkeypatch.setattr(detect, "HINT_SECONDS", DEADLINE)  # a program that starts slowly must see the prompt alone
    running = server()
    clients.text(running, "ann")
    with classic_client("ann", running.port) as classic:
        assert classic.read_until("closed the connection") == [
            "! nickname 'ann' is in use; choose another",
            "-- goodbye: the nickname was refused; connect again with another",
            "the server has closed the connection",
        ]


def test_the_prefix_of_a_classic_client_is_stripped_and_no_other(server: MakeServer, clients: Clients) -> None:
    """`ann: hello` of ann is `hello`; `bob: hello` of ann stays what it is, so nobody speaks in another's name."""
    running = server()
    bob = clients.text(running, "bob")
    ann = clients.raw(running)
    assert ann.read_exactly(4) == b"NICK"
    ann.send("ann")
    ann.read_until("you are in lobby")
    bob.read_until("ann joined")

    ann.send("ann: hello")
    assert bob.read_line() == "ann: hello"
    ann.send("bob: I am stupid")
    assert bob.read_line() == "ann: bob: I am stupid"


@pytest.mark.usefixtures("unprompted")
@pytest.mark.parametrize("chunks", [["ann\nhello\n"], ["ann\n", "hello\n"], list("ann\nhello\n"), ["ann\r\nhello\r\n"]])
def test_the_same_lines_in_any_chunks(server: MakeServer, clients: Clients, chunks: list[str]) -> None:
    """Sent whole, line by line, character by character, or with CRs: the same nickname, the same message."""
    running = server()
    bob = clients.text(running, "bob")

    ann = clients.raw(running)
    for chunk in chunks:
        ann.send(chunk)

    assert [bob.read_line(), bob.read_line()] == ["--> ann joined lobby", "ann: hello"]


def test_a_multi_byte_character_on_the_cut_of_two_chunks(server: MakeServer, clients: Clients) -> None:
    """What belongs together is decoded together."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    whole = "grüße\n".encode()

    ann.send(whole[:3])
    ann.read_until("bob joined")  # the first part is on its way before the second one is sent
    ann.send(whole[3:])

    assert bob.read_line() == "ann: grüße"


def test_invalid_utf8_is_replaced_and_reported_once(server: MakeServer, clients: Clients) -> None:
    """A terminal with another encoding is told so, once, and goes on."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    ann.send(b"gr\xfcn\nro\xdf\n/who\n")

    assert [bob.read_line(), bob.read_line()] == ["ann: gr\ufffdn", "ann: ro\ufffd"]
    complaint = "! this is not UTF-8: unreadable bytes were replaced by \ufffd"
    assert [ann.read_line(), ann.read_line()] == [complaint, "-- in lobby: ann, bob"]


def test_a_pipe_into_nc_says_its_line_and_ends(server: MakeServer, clients: Clients) -> None:
    """`printf 'ann\\nhello\\n' | nc -N` is a client, too: what it said is heard although it is gone at once."""
    running = server()
    bob = clients.text(running, "bob")

    ann = clients.raw(running)
    ann.send("ann\nhello")
    ann.end_sending()

    assert [bob.read_line() for _ in range(3)] == [
        "--> ann joined lobby",
        "ann: hello",
        "<-- ann left (connection closed)",
    ]
    assert ann.read_rest().startswith(b"-- welcome to pychat, ann; ")


def test_slash_commands_of_a_text_client(server: MakeServer, clients: Clients) -> None:
    """A tour through what a person with `nc` can do, as both sides see it."""
    running = server(handlers=full_chain())
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    def at_bob(line: str) -> str:
        ann.send(line + "\n")
        return bob.read_line()

    assert at_bob("/me waves") == "* ann waves"
    assert at_bob("//help is a command") == "ann: /help is a command"
    assert at_bob("/msg bob psst") == "[ann -> bob] psst"
    bob.send("/reply what?\n")
    assert ann.read_line() == "[bob -> ann] what?"
    assert at_bob("/nick anna") == "-- ann is now anna"
    assert at_bob("/topic tea at five") == "-- anna set the topic of lobby: tea at five"
    assert at_bob("/away lunch") == "-- anna is away: lunch"
    assert at_bob("/back") == "-- anna is back"
    bob.send("/join ops\n/who\n/part\n/foo\n")
    assert bob.read_until("unknown command") == [
        "-- you are in ops: @bob",
        "-- in ops: @bob",
        "<-- bob left ops",
        "! unknown command /foo; /help lists the commands, //foo sends it as text",
    ]
    assert at_bob("/quit tired") == "<-- anna left (tired)"
    assert ann.read_rest().endswith(b"-- goodbye: tired\n")
