"""A secret room is, for those who are not in it, a room that there is not: every question has the same answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from chat_clients import Clients
from irc_peer import IrcPeer

from pychat import ChatServer

MakeServer = Callable[..., ChatServer]

IRC = [
    "NAMES #room",
    "NAMES #lobby,#room",
    "WHO #room",
    "WHO #room %tcuhnfar,7",
    "LIST #room",
    "LIST *oom",
    "LIST >0",
    "TOPIC #room",
    "TOPIC #room :mine",
    "MODE #room",
    "MODE #room b",
    "MODE #room +b",
    "MODE #room +o bob",
    "MODE #room -s",
    "TBAN #room 10m ann!*@*",
    "KICK #room ann :out",
    "INVITE bob #room",
    "PART #room :bye",
    "PRIVMSG #room :hello",
    "NOTICE #room :hello",
    "PRIVMSG @#room :hello",
    "@+typing=active TAGMSG #room",
    "CHATHISTORY LATEST #room * 10",
    "CHATHISTORY BEFORE #room timestamp=2040-01-01T00:00:00.000Z 10",
    "CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2040-01-01T00:00:00.000Z 10",
]
JSON: list[dict[str, Any]] = [
    {"type": "who", "room": "room"},
    {"type": "say", "room": "room", "text": "hello"},
    {"type": "direct", "to": "#room", "text": "hello"},
    {"type": "topic", "room": "room"},
    {"type": "topic", "room": "room", "topic": "mine"},
    {"type": "mode", "room": "room"},
    {"type": "mode", "room": "room", "modes": "-s"},
    {"type": "mode", "room": "room", "modes": "+o", "args": ["bob"]},
    {"type": "masks", "room": "room", "mode": "b"},
    {"type": "ban", "room": "room", "target": "ann"},
    {"type": "unban", "room": "room", "target": "ann"},
    {"type": "kick", "room": "room", "nick": "ann"},
    {"type": "invite", "room": "room", "nick": "bob"},
    {"type": "history", "room": "room"},
    {"type": "history", "room": "room", "search": "told"},
    {"type": "leave", "room": "room"},
    {"type": "rooms"},
]


@pytest.fixture
def running(server: MakeServer, clients: Clients) -> ChatServer:
    """A server with a secret room, with unread messages; `hush` is its name, and `gone` is that of none."""
    started = server()
    ann = clients.json(started, "ann", rooms=["hush"])
    for request in (
        {"type": "topic", "topic": "told to nobody"},
        {"type": "mode", "modes": "+sb", "args": ["carl"]},
        {"type": "say", "text": "told to members"},
    ):
        assert ann.answer(room="hush", **request)["type"] != "error"
    return started


def unnamed(answer: object, room: str) -> str:
    """An answer without the name of the room."""
    return str(answer).replace(room, "room")


def about(request: dict[str, Any], room: str) -> dict[str, Any]:
    """A request about another room."""
    named: dict[str, Any] = {
        field: request[field].replace("room", room) for field in ("room", "to") if field in request
    }
    return {**request, **named}


@pytest.mark.parametrize("line", IRC)
def test_irc_does_not_tell(running: ChatServer, clients: Clients, line: str) -> None:
    """As if there were none."""
    bob = clients.add(IrcPeer(running))
    bob.register("bob", "message-tags", "server-time", "batch", "draft/chathistory", "standard-replies")

    hush, gone = (
        [unnamed(heard[1:], room) for heard in bob.ask(line.replace("room", room))] for room in ("hush", "gone")
    )

    assert hush == gone


@pytest.mark.parametrize("request_", JSON, ids=str)
def test_json_does_not_tell(running: ChatServer, clients: Clients, request_: dict[str, Any]) -> None:
    """As if there were none."""
    bob = clients.json(running, "bob")

    hush, gone = (unnamed(bob.answer(**about(request_, room)), room) for room in ("hush", "gone"))

    assert hush == gone
    assert "told to" not in hush


@pytest.mark.parametrize("question", ["WHOIS ann", "WHO ann", "NAMES", "LIST", "WHO *", "LUSERS"])
def test_nothing_else_names_it(running: ChatServer, clients: Clients, question: str) -> None:
    """Nor do answers about people."""
    bob = clients.add(IrcPeer(running))
    bob.register("bob")

    assert "hush" not in str(bob.ask(question))
