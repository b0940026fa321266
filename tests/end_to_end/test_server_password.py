"""A server with a password, over real sockets, in each language."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients, free_port
from chat_networks import MakeClient, join
from irc_peer import IrcPeer
from peer_programs import classic_client

from pychat import ChatServer, Joined, Refused
from pychat.protocols import detect

__all__ = ["join"]  # the fixture

MakeServer = Callable[..., ChatServer]
PASSWORD = "open, sesame"


@pytest.fixture
def closed(server: MakeServer) -> ChatServer:
    """A server with a password, in which somebody is."""
    running = server(password=PASSWORD)
    running.session("host")
    return running


# Text


def test_text_is_asked_for_the_password(closed: ChatServer, clients: Clients) -> None:
    """After the nickname; before that, nothing of the chat is told."""
    ann = clients.raw(closed)

    ann.send("ann\n")
    assert ann.read_line() == "-- this server requires a password"
    ann.send("open sesame\n")
    assert ann.read_line() == "! wrong password"
    ann.send(f"{PASSWORD}\nhi\n/who\n")

    assert ann.read_until("-- in ") == [
        "-- welcome to pychat, ann; /help lists the commands",
        "-- you are in lobby: host, ann",
        "-- in lobby: host, ann",
    ]


def test_text_keeps_the_password_for_another_nickname(closed: ChatServer, clients: Clients) -> None:
    """Who gave it once needs another nickname only."""
    ann = clients.raw(closed)

    ann.send(f"host\n{PASSWORD}\nann\n")

    assert ann.read_until("welcome") == [
        "-- this server requires a password",
        "! nickname 'host' is in use; choose another",
        "-- welcome to pychat, ann; /help lists the commands",
    ]


def test_text_that_gave_the_password_is_not_asked_again(closed: ChatServer, clients: Clients) -> None:
    """Also if something that was no try came with it: the next line is a nickname."""
    ann = clients.raw(closed)
    ann.send("host\n")
    assert ann.read_line() == "-- this server requires a password"

    ann.send("x" * 5000 + f"\n{PASSWORD}\nann\n")

    assert ann.read_until("welcome") == [
        "! line too long: at most 4096 bytes",
        "! nickname 'host' is in use; choose another",
        "-- welcome to pychat, ann; /help lists the commands",
    ]


def test_the_password_is_said_to_nobody(closed: ChatServer, clients: Clients, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the room nor in the log; also not a wrong one."""
    host = clients.json(closed, "watch", password=PASSWORD)
    with caplog.at_level(logging.DEBUG, "pychat"):
        ann = clients.raw(closed)
        ann.send(f"ann\nguess\n{PASSWORD}\nhi\n")
        heard = host.until("message", nick="ann")

    assert heard[-1]["text"] == "hi"
    assert [item["type"] for item in heard] == ["joined", "message"]
    log = "\n".join(record.getMessage() for record in caplog.records)
    assert "127.0.0.1 gave a wrong password for the server" in log
    assert "guess" not in log
    assert PASSWORD not in log


def test_tries_are_bounded(closed: ChatServer, clients: Clients) -> None:
    """Five in all, the nickname among them."""
    ann = clients.raw(closed)

    ann.send("ann\n" + "guess\n" * 9)

    lines = ann.read_rest().decode().splitlines()
    assert lines == [
        "-- this server requires a password",
        *["! wrong password"] * 4,
        "-- goodbye: 5 tries without the password",
    ]


# The other languages


def test_json_gives_it_with_the_nickname(closed: ChatServer, clients: Clients) -> None:
    """An error tells what is missing or wrong; the next hello may do better."""
    ann = clients.new_json(closed)

    assert ann.answer("hello", nick="ann")["code"] == "password_required"
    assert ann.answer("hello", nick="ann", password="guess")["code"] == "wrong_password"
    assert ann.answer("who")["code"] == "not_registered"
    assert ann.answer("hello", nick="ann", password=PASSWORD)["type"] == "welcome"


def test_irc_gives_it_by_pass(closed: ChatServer, clients: Clients) -> None:
    """Modern IRC, "PASS message"."""
    ann = clients.add(IrcPeer(closed))

    ann.say(f"PASS :{PASSWORD}")

    assert ann.register("ann")[0].command == "001"


@pytest.mark.parametrize(("lines", "text"), [((), "this server requires a password"), (("PASS x",), "wrong password")])
def test_irc_is_disconnected_without_it(
    closed: ChatServer, clients: Clients, lines: tuple[str, ...], text: str
) -> None:
    """Modern IRC, "ERR_PASSWDMISMATCH (464)": a client is told, and closed by ERROR."""
    ann = clients.add(IrcPeer(closed))

    ann.say(*lines, "NICK ann", "USER ann 0 * :Ann")

    refused, error = ann.read(), ann.read()
    assert (refused.command, refused.params) == ("464", ("*", text))
    assert (error.command, error.params) == ("ERROR", ("Closing link: nobody can join without the password",))
    assert ann.read_rest() == b""


def test_the_classic_client_is_told_and_closed(closed: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot give one."""
    monkeypatch.setattr(detect, "HINT_SECONDS", DEADLINE)  # a program that starts slowly must see the prompt alone
    with classic_client("ann", closed.port) as classic:
        assert classic.read_until("closed the connection") == [
            "-- this server requires a password",
            "-- goodbye: nobody can join without the password",
            "the server has closed the connection",
        ]


# ChatClient


def test_a_client_gives_it(closed: ChatServer, join: MakeClient) -> None:
    """And is refused with a code if it is missing or wrong."""
    assert join(closed.port, "ann", password=PASSWORD).nickname == "ann"

    with pytest.raises(Refused, match=r"^this server requires a password$") as missing:
        join(closed.port, "bob")
    with pytest.raises(Refused, match=r"^wrong password$") as wrong:
        join(closed.port, "bob", password="guess")
    assert (missing.value.code, wrong.value.code) == ("password_required", "wrong_password")


def test_a_token_is_as_good_as_the_password(closed: ChatServer, clients: Clients) -> None:
    """Its holder has given the password already; a token that is worth nothing does not help."""
    ann = clients.new_json(closed)
    welcome = ann.answer("hello", nick="ann", password=PASSWORD)

    again = clients.new_json(closed)
    assert again.answer("hello", nick="ann", resume={"token": welcome["token"]})["nick"] == "ann"
    stranger = clients.new_json(closed)
    assert stranger.answer("hello", nick="bob", resume={"token": "guess"})["code"] == "password_required"


def test_a_client_that_comes_back_gives_it_again(server: MakeServer, join: MakeClient) -> None:
    """A server that was restarted knows no tokens."""
    port = free_port()
    first = server(password=PASSWORD, port=port)
    ann = join(port, "ann", password=PASSWORD, reconnect=True)
    first.stop()

    second = server(password=PASSWORD, port=port)
    host = second.session("host")

    if not second.chat.find("ann"):
        assert host.next(Joined, timeout=DEADLINE).nickname == "ann"
    assert ann.wait_connected(DEADLINE)
