"""Real IRC clients, as people use them, in rooms with a `nc` user and a `pychat connect` user."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from chat_clients import free_port, full_chain
from chat_programs import Programs, pychat
from irc_programs import IRC_PROGRAMS, IrcProgram
from peer_programs import Program, nc

from pychat import ChatServer

__all__ = ["pychat"]  # the fixture

MakeServer = Callable[..., ChatServer]
MakeProgram = Callable[[type[IrcProgram], str], IrcProgram]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeProgram]:
    """Return what makes IRC programs with homes of their own; they are ended at the end."""
    with ExitStack() as stack:

        def make(kind: type[IrcProgram], nickname: str) -> IrcProgram:
            home = tmp_path / nickname
            home.mkdir()
            program = kind(nickname, home)
            stack.callback(program.close)
            return program

        yield make


@pytest.fixture(params=IRC_PROGRAMS, ids=lambda kind: kind.__name__)
def ann(server: MakeServer, make: MakeProgram, request: pytest.FixtureRequest) -> IrcProgram:
    """One IRC program, which is not yet started; each in its turn."""
    return make(request.param, "ann")


@contextmanager
def nc_user(port: int, nickname: str) -> Iterator[Program]:
    """A person with `nc`, in the lobby."""
    with nc(port) as netcat:
        netcat.send(nickname)
        netcat.read_until("-- you are in lobby")
        yield netcat


def test_it_talks_in_the_lobby(server: MakeServer, pychat: Programs, ann: IrcProgram) -> None:
    """Room lobby is channel #lobby: the same messages for IRC, for `nc` and for `pychat connect`."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        cli = pychat.connect(port, "cli")
        bob.read_until("--> cli joined lobby")

        ann.start(port)
        ann.join("#lobby")
        bob.read_until("--> ann joined lobby")
        ann.say("#lobby", "good morning, Größe")
        assert bob.read_line() == "ann: good morning, Größe"
        cli.stdout.read_until("ann: good morning, Größe")
        bob.send("ñandú to you: one /slash")
        ann.wait_for("bob", "ñandú to you: one /slash")
        cli.send("from the command line")
        ann.wait_for("cli", "from the command line")


def test_it_talks_in_private(server: MakeServer, ann: IrcProgram) -> None:
    """To one person, in both directions."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        ann.start(port)

        ann.say("bob", "psst, bob")
        assert bob.read_line() == "[ann -> bob] psst, bob"
        bob.send("/msg ann psst, ann")
        ann.wait_for("bob", "psst, ann")


def test_it_sees_and_makes_renames(server: MakeServer, ann: IrcProgram) -> None:
    """Who takes another nickname is known by it from then on."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        ann.start(port)
        ann.join("#lobby")
        bob.read_until("--> ann joined lobby")

        ann.set_nickname("anna")
        assert bob.read_line() == "-- ann is now anna"
        bob.send("/nick robert")
        ann.wait_for("bob", "robert")

        ann.say("#lobby", "I am anna")
        assert bob.read_until("I am anna") == ["-- bob is now robert", "anna: I am anna"]
        bob.send("I am robert now")
        ann.wait_for("robert", "I am robert now")


def test_it_sees_and_sets_topics(server: MakeServer, ann: IrcProgram) -> None:
    """In a room without mode t any member may."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        ann.start(port)
        ann.join("#ops")
        bob.send("/join ops")
        bob.read_until("-- you are in ops")

        ann.set_topic("#ops", "tea at five")
        assert bob.read_until("set the topic")[-1] == "-- ann set the topic of ops: tea at five"
        bob.send("/topic coffee at six")
        ann.wait_for("bob", "coffee at six")


def test_it_shows_the_topic_when_it_joins(server: MakeServer, ann: IrcProgram) -> None:
    """Of what was set before."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        bob.send("/topic cake at seven")
        bob.read_until("cake at seven")

        ann.start(port)
        ann.join("#lobby")

        ann.wait_for("cake at seven")


def test_it_kicks(server: MakeServer, ann: IrcProgram) -> None:
    """Who comes first into a room is its operator, also by IRC."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        ann.start(port)
        ann.join("#ops")
        bob.send("/join ops")
        bob.read_until("-- you are in ops: @ann, bob")

        ann.kick("#ops", "bob", "too loud")

        assert bob.read_until("was removed")[-1] == "<-- bob was removed from ops by ann (too loud)"
        ann.wait_for("bob", "too loud")


def test_it_is_kicked(server: MakeServer, ann: IrcProgram) -> None:
    """By an operator without IRC; it may come again."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        bob.send("/join tea")
        bob.read_until("-- you are in tea: @bob")
        ann.start(port)
        ann.join("#tea")
        bob.read_until("--> ann joined tea")

        bob.send("/kick ann too quiet")

        assert bob.read_line() == "<-- ann was removed from tea by bob (too quiet)"
        ann.wait_for("bob", "too quiet")


def test_it_quits(server: MakeServer, ann: IrcProgram) -> None:
    """With a reason, which others read; the program ends."""
    port = server(handlers=full_chain()).port
    with nc_user(port, "bob") as bob:
        ann.start(port)
        ann.join("#lobby")
        bob.read_until("--> ann joined lobby")

        ann.quit("gone home")

        assert bob.read_line() == "<-- ann left (gone home)"
        ann.wait_for_end()


def test_it_comes_back_after_a_restart(pychat: Programs, ann: IrcProgram) -> None:
    """The server is stopped, and started again on the same port: in the lobby as before."""
    first, port = pychat.serve(port=free_port())
    ann.start(port)
    ann.join("#lobby")

    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    if not ann.comes_back:
        ann.wait_for_end()
    pychat.serve(port=port)

    with nc(port) as bob:
        bob.send("bob")
        if not ann.comes_back:
            ann.start(port)
            ann.join("#lobby")
        bob.read_until("ann")  # among those who are there, or as one who comes
        ann.say("#lobby", "here I am again")
        bob.read_until("ann: here I am again")
        bob.send("so you are")
        ann.wait_for("bob", "so you are")


def test_all_of_them_in_one_room(server: MakeServer, make: MakeProgram, pychat: Programs) -> None:
    """Each hears each of the others, whatever the others are."""
    port = server(handlers=full_chain()).port
    programs = [make(kind, f"user{number}") for number, kind in enumerate(IRC_PROGRAMS)]
    with nc_user(port, "bob") as bob:
        cli = pychat.connect(port, "cli")
        bob.read_until("--> cli joined lobby")
        for program in programs:
            program.start(port)
            program.join("#lobby")
            bob.read_until(f"--> {program.nickname} joined lobby")

        for program in programs:
            program.say("#lobby", f"greetings of {program.nickname}")
        bob.send("greetings of bob")
        cli.send("greetings of cli")

        nicknames = {"bob", "cli"} | {program.nickname for program in programs}
        for program in programs:
            for nickname in nicknames - {program.nickname}:
                program.wait_for(nickname, f"greetings of {nickname}")
        cli.stdout.read_until(f"--> {programs[-1].nickname} joined lobby")
        for listener, read_line in (("bob", bob.read_line), ("cli", cli.stdout.read_line)):
            others = nicknames - {listener}
            assert {read_line() for _ in others} == {f"{nickname}: greetings of {nickname}" for nickname in others}
