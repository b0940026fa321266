"""Bans from the server over real connections, in every language, and over a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import Clients, JsonPeer, Peer
from chat_programs import Programs, pychat
from irc_peer import irc

from pychat import ChatServer
from pychat.stores import SqliteLog

__all__ = ["pychat"]  # the fixture

MakeServer = Callable[..., ChatServer]


def operator(clients: Clients, running: ChatServer, nickname: str = "boss") -> JsonPeer:
    """A server operator."""
    root = clients.json(running, nickname)
    assert root.answer("oper", name="root", password="sesame")["type"] == "user_modes"
    return root


@pytest.fixture
def start(server: MakeServer) -> Callable[..., ChatServer]:
    """Servers with an operator, to which proxies bring people from anywhere."""

    def make(**options: Any) -> ChatServer:
        return server(operators={"root": "sesame"}, **options)

    return make


def test_a_banned_address_is_refused_when_it_connects(start: Callable[..., ChatServer], clients: Clients) -> None:
    """In one line, with the reason; the operator comes from elsewhere."""
    running = start(host="::")
    root = clients.add(JsonPeer(("::1", running.port)))
    assert root.answer("hello", nick="boss")["type"] == "welcome"
    root.answer("oper", name="root", password="sesame")
    here = ("127.0.0.1", running.port)
    eve = clients.text(here, "eve")

    assert root.answer("server_ban", target="127.0.0.0/8", seconds=60, reason="spam")["type"] == "ok"

    assert "-- goodbye: you are banned from this server: spam" in eve.read_until("goodbye")
    late = clients.add(Peer(here))
    assert late.read_line() == "you are banned from this server: spam\r"
    (ban,) = root.answer("server_ban")["bans"]
    assert (ban["target"], ban["by"], ban["reason"]) == ("127.0.0.0/8", "boss", "spam")
    assert root.answer("server_unban", target="127.0.0.0/8")["type"] == "ok"
    assert clients.text(here, "eve2")


def test_in_irc_and_text(start: Callable[..., ChatServer], clients: Clients) -> None:
    """KLINE and /serverban are the same."""
    running = start()
    ann = irc(clients, running, "ann")
    assert [line.command for line in ann.ask("KLINE 10m eve!*@* spam")] == ["481"]
    ann.ask("OPER root sesame")

    (done,) = ann.ask("KLINE 10 eve!*@* :too much spam")
    (listed,) = ann.ask("KLINE")
    assert done.params[-1] == "eve!*@* is banned from the server for 10m"
    assert listed.params[-1].startswith("banned from the server: eve!*@* until ")
    assert listed.params[-1].endswith(" UTC (by ann) (too much spam)")
    eve = clients.add(Peer(running))
    eve.send("NICK eve\r\nUSER eve 0 * :Eve\r\n")
    assert eve.read_line() == ":irc.pychat 465 * :you are banned from this server: too much spam\r"
    bob = clients.text(running, "bob")
    bob.send("/oper root sesame\n/serverban\n/serverunban eve!*@*\n/serverban\n/audit 2\n")
    bob.read_until("banned from the server")
    assert bob.read_line() == "-- eve!*@* is not banned from the server any more"
    assert bob.read_until("nobody is banned")
    assert "bob!" in bob.read_until("unbanned eve")[-1]
    entries = ann.ask("AUDIT 1")
    assert entries[-1].params[-1].endswith("unbanned eve!*@* from the server")


@pytest.mark.parametrize("line", ["KLINE ::ffff:192.0.2.1 spam", "KLINE 10m ::ffff:192.0.2.1 :spam"])
def test_an_address_may_begin_with_a_colon(start: Callable[..., ChatServer], clients: Clients, line: str) -> None:
    """In IRC, which takes that for the last parameter; one of IPv4 is that (RFC 4291, 2.5.5.2)."""
    ann = irc(clients, start(), "ann")
    ann.ask("OPER root sesame")

    (done,) = ann.ask(line)
    (listed,) = ann.ask("KLINE")
    (ended,) = ann.ask("UNKLINE ::ffff:192.0.2.1")

    assert done.params[-1].startswith("192.0.2.1 is banned from the server")
    assert listed.params[-1].endswith(" (spam)")
    assert ended.params[-1] == "192.0.2.1 is not banned from the server any more"


def test_bans_and_the_audit_record_last(
    start: Callable[..., ChatServer], clients: Clients, pychat: Programs, tmp_path: Path
) -> None:
    """With the file; `pychat history --audit` reads it, and the usual history does not have it."""
    first = start(log=SqliteLog(pychat.directory / "chat.db"))
    root = operator(clients, first)
    root.answer("server_ban", target="eve!*@*", reason="spam")
    root.answer("server_ban", target="a:tim")
    root.answer("server_unban", target="a:tim")
    root.answer("say", text="hello")
    first.stop()

    second = start(log=SqliteLog(pychat.directory / "chat.db"))
    eve = clients.new_json(second)
    assert eve.answer("hello", nick="eve")["code"] == "server_banned"
    assert [ban["target"] for ban in operator(clients, second, "boss2").answer("server_ban")["bans"]] == ["eve!*@*"]
    audit = pychat.run("history", "--db", "chat.db", "--audit")
    usual = pychat.run("history", "--db", "chat.db")
    assert "banned eve!*@* from the server (spam)" in audit.stdout
    assert "hello" not in audit.stdout
    assert "banned" not in usual.stdout
    assert "hello" in usual.stdout
    both = pychat.run("history", "--db", "chat.db", "--audit", "--room", "lobby")
    assert (both.returncode, both.stderr.splitlines()[-1]) == (
        2,
        "Error: --audit cannot be combined with --room or --search",
    )
