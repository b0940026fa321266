"""What those who watch a nickname are told beside its coming and going (IRCv3 extended-monitor)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat_clients import Clients
from irc_peer import IrcPeer, irc

from pychat import ChatServer, StoredAccounts
from pychat.core.accounts.password_hash import Cost

MakeServer = Callable[..., ChatServer]

CAPS = "extended-monitor away-notify account-notify chghost setname"


@pytest.fixture
def running(server: MakeServer) -> ChatServer:
    """A server with an operator, and accounts that cost nothing."""
    return server(accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1), operators={"root": "sesame12"})


def changes(bob: IrcPeer, watcher: IrcPeer) -> list[tuple[str, ...]]:
    """Let bob change all that can be told; return what the watcher hears of it."""
    bob.ask("AWAY :lunch", "AWAY", "REGISTER * * :sesame12", "SETNAME :Bob the builder", "OPER root sesame12")
    return [(line.command, *line.params) for line in watcher.sync() if line.nickname == "bob"]


def test_changes_are_told(running: ChatServer, clients: Clients) -> None:
    """Of one with whom one is in no channel."""
    ann, bob = irc(clients, running, "ann", caps=CAPS), irc(clients, running, "bob", "#den")
    ann.ask("MONITOR + bob")

    assert changes(bob, ann) == [
        ("AWAY", "lunch"),
        ("AWAY",),
        ("ACCOUNT", "bob"),
        ("SETNAME", "Bob the builder"),
        ("CHGHOST", "~bob", "operator.irc.pychat"),
    ]


def test_nothing_is_told_twice(running: ChatServer, clients: Clients) -> None:
    """Who is in a channel with the other one hears it there."""
    ann, bob = irc(clients, running, "ann", "#den", caps=CAPS), irc(clients, running, "bob", "#den")
    ann.ask("MONITOR + bob")

    assert [command for command, *_ in changes(bob, ann)] == ["AWAY", "AWAY", "ACCOUNT", "SETNAME", "CHGHOST"]


@pytest.mark.parametrize(
    ("caps", "told"),
    [
        (CAPS.removeprefix("extended-monitor "), []),
        ("extended-monitor", []),
        ("extended-monitor away-notify", ["AWAY", "AWAY"]),
    ],
)
def test_only_what_was_negotiated_is_told(running: ChatServer, clients: Clients, caps: str, told: list[str]) -> None:
    """Each change has a capability of its own."""
    ann, bob = irc(clients, running, "ann", caps=caps), irc(clients, running, "bob")
    ann.ask("MONITOR + bob")

    assert [command for command, *_ in changes(bob, ann)] == told


def test_who_watches_nobody_any_more_is_told_nothing(running: ChatServer, clients: Clients) -> None:
    """By `MONITOR -` or `C`, or without the capability."""
    ann, bob = irc(clients, running, "ann", caps=CAPS), irc(clients, running, "bob")
    ann.ask("MONITOR + bob", "MONITOR - bob")
    assert changes(bob, ann) == []

    ann.ask("MONITOR + bob", "CAP REQ -extended-monitor", "MONITOR + tim")
    bob.ask("AWAY :again")
    assert [line.command for line in ann.sync()] == []
