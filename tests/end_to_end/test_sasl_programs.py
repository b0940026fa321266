"""Real IRC clients log in by SASL, each set up as docs/irc.md tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients
from irc_peer import irc
from irc_programs import IrcProgram, Irssi, WeeChat

from pychat import ChatServer, StoredAccounts
from pychat.core.accounts.password_hash import Cost

MakeServer = Callable[..., ChatServer]

PASSWORD = "correct-horse"


class PlainWeeChat(WeeChat):
    """It offers PLAIN when nothing else is said."""

    options = ("-sasl_username=ann", f"-sasl_password={PASSWORD}")


class ScramWeeChat(WeeChat):
    """It also checks that the server knows the password."""

    options = (*PlainWeeChat.options, "-sasl_mechanism=scram-sha-256")


class MistakenWeeChat(WeeChat):
    """Its user has mistyped the password; by default it would come again and again (`sasl_fail`)."""

    options = ("-sasl_username=ann", "-sasl_password=wrong-horse", "-sasl_fail=continue")


class PlainIrssi(Irssi):
    """This version knows PLAIN and EXTERNAL."""

    sasl = f'sasl_mechanism = "PLAIN"; sasl_username = "ann"; sasl_password = "{PASSWORD}";'


@pytest.fixture
def running(server: MakeServer) -> ChatServer:
    """A server where ann has an account."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=4096)
    accounts.register("ann", PASSWORD)
    return server(accounts=accounts)


def account_of(running: ChatServer, clients: Clients, nickname: str) -> list[str]:
    """The account that WHOIS tells of somebody (330), if there is one."""
    bob = irc(clients, running, "bob")
    return [line.params[2] for line in bob.ask(f"WHOIS {nickname}") if line.command == "330"]


@pytest.mark.parametrize("kind", [PlainWeeChat, ScramWeeChat, PlainIrssi])
def test_it_logs_in(running: ChatServer, clients: Clients, tmp_path: Path, kind: type[IrcProgram]) -> None:
    """Before it is welcomed; its nickname is its own, and others see the account."""
    with closing(kind("ann", tmp_path)) as ann:
        ann.start(running.port)

        ann.wait_for("You are now logged in as ann")
        ann.wait_for("SASL authentication succe")  # "successful" of the server, "succeeded" of irssi
        assert account_of(running, clients, "ann") == ["ann"]


def test_a_wrong_password_lets_it_in_as_a_guest(running: ChatServer, clients: Clients, tmp_path: Path) -> None:
    """904, and the connection stays (sasl-3.1)."""
    with closing(MistakenWeeChat("tim", tmp_path)) as tim:
        tim.start(running.port)

        assert account_of(running, clients, "tim") == []
        assert "You are now logged in" not in tim.heard()


def test_the_library_irc_logs_in(running: ChatServer, clients: Clients) -> None:
    """With PLAIN, which it negotiates by `CAP REQ` alone, without `CAP LS`."""
    from irc.client import Reactor

    reactor = Reactor()
    heard: list[str] = []
    connection: Any = reactor.server()
    connection.add_global_handler("all_events", lambda _, event: heard.append(event.type), -10)
    connection.connect("127.0.0.1", running.port, "ann", password=PASSWORD, sasl_login="ann")
    deadline = time.monotonic() + DEADLINE
    try:
        while "welcome" not in heard:
            assert time.monotonic() < deadline, heard
            reactor.process_once(timeout=0.1)

        assert account_of(running, clients, "ann") == ["ann"]
    finally:
        connection.close()
