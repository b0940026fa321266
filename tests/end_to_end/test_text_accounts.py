"""Accounts for people who type: what they are told, and that nobody else ever sees a password."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat_clients import Clients, Peer

from pychat import ChatServer, StoredAccounts
from pychat.core.accounts.password_hash import Cost

MakeServer = Callable[..., ChatServer]

PASSWORD, OTHER = "correct-horse", "battery-staple"


@pytest.fixture
def running(server: MakeServer) -> ChatServer:
    """A server whose accounts cost nothing."""
    return server(accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1))


def answer(peer: Peer, line: str) -> list[str]:
    """Type a line; return what comes of it."""
    peer.send(f"{line}\n/list\n")
    lines = [peer.read_line()]
    while not lines[-1].startswith("-- lobby: "):
        lines.append(peer.read_line())
    return lines[:-1]


def test_every_command_is_answered(running: ChatServer, clients: Clients) -> None:
    """From the first password to the last."""
    ann = clients.text(running, "ann")

    assert answer(ann, f"/register {PASSWORD}") == ["-- the account ann is yours now; you are logged in"]
    assert answer(ann, f"/password {PASSWORD} {OTHER}") == ["-- the password of the account ann was changed"]
    assert answer(ann, "/logout") == [
        "-- you are logged out",
        "-- the nickname ann belongs to an account: log in within 60 s (/login PASSWORD), or you will be renamed",
    ]
    assert answer(ann, f"/login {PASSWORD}") == ["! wrong account or password"]
    assert answer(ann, f"/login {OTHER}") == ["-- you are logged in as ann"]
    bob = clients.text(running, "bob")
    assert answer(bob, f"/login ann {OTHER}") == ["-- you are logged in as ann"]
    bob.send(f"/regain ann {OTHER}\n")
    bob.read_until("-- bob is now ann")
    dropped = ["-- the account ann was deleted", "-- you are logged out"]
    assert answer(bob, f"/drop {OTHER}") == dropped
    assert answer(bob, f"/login {OTHER}") == ["! wrong account or password"]


@pytest.mark.parametrize("line", ["/register", "/login", "/password a", "/password a b c", "/drop", "/regain"])
def test_what_is_not_enough_is_explained(running: ChatServer, clients: Clients, line: str) -> None:
    """With what the command needs."""
    (text,) = answer(clients.text(running, "ann"), line)

    assert text.startswith(f"! usage: {line.split()[0]} ")


def test_no_password_is_said_in_a_room(running: ChatServer, clients: Clients) -> None:
    """Neither when the command is right, nor when it is mistyped; and there is no trace of it in the history."""
    bob, ann = clients.text(running, "bob"), clients.text(running, "ann")
    commands = ("register", "regsiter", "login", "lgoin", "LOGIN", "password", "pasword", "drop", "regain ann", "nope")

    told = [line for command in commands for line in answer(ann, f"/{command} {PASSWORD}")]

    heard = answer(bob, "/history")
    assert PASSWORD not in "".join([*told, *heard])
    assert "did you mean /login? " in "".join(told)


@pytest.mark.parametrize("before", ["", "hello\n", "/who\n"])
def test_a_blank_before_the_command_does_not_tell_the_password(
    running: ChatServer, clients: Clients, before: str
) -> None:
    """Wherever the line stands in what is pasted; other lines that begin with a blank are said."""
    bob, ann = clients.text(running, "bob"), clients.text(running, "ann")

    told = answer(ann, f"{before}  /login {PASSWORD}\n /me too")

    assert "! there is a blank before /login: nothing was done, and nothing was sent" in told
    assert PASSWORD not in "".join(bob.read_until("ann:  /me too"))


@pytest.mark.parametrize(
    ("start", "what"),
    [
        ("\ufeff/login", "an invisible character"),
        ("\u200b /Login", "an invisible character"),
        ("\x1b[A/login", "an invisible character"),
        ("\x1b[1;5C\x7f\u2060/login", "an invisible character"),
        ("\x01/login", "an invisible character"),
        ("\u3000/login", "a blank"),
        ("\uff0flogin", "another slash"),
        ("\uff0f\uff4c\uff4f\uff47\uff49\uff4e", "another slash"),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("before", ["", "hello\n"])
def test_what_looks_like_a_command_does_not_tell_the_password(
    running: ChatServer, clients: Clients, before: str, start: str, what: str
) -> None:
    """What is copied has marks that nobody sees, an arrow below `nc` is one, and keyboards have other slashes."""
    bob, ann = clients.text(running, "bob"), clients.text(running, "ann")

    told = answer(ann, f"{before}{start} {PASSWORD}\nbye")

    assert f"! there is {what} before /login: nothing was done, and nothing was sent" in told
    assert PASSWORD not in "".join(bob.read_until("ann: bye"))
