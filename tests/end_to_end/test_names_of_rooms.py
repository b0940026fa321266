"""Rooms with more than letters in their names: every language gets into them, talks there and is told of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chat_clients import Clients, full_chain
from irc_peer import irc

from pychat import ChatServer
from pychat.stores import SqliteLog

MakeServer = Callable[..., ChatServer]

NAMES = [
    "c++",
    "#linux",
    "##",
    "☕",
    "R&D",
    "it's",
    "tcp/ip",
    "@home",
    "+1",
    "a:b",
    ":x",
    "&local",
    "👩\u200d👩\u200d👧",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_language_meets_there(server: MakeServer, clients: Clients, name: str) -> None:
    """IRC puts one `#` before the name, whatever it begins with."""
    running = server(handlers=full_chain())
    channel = f"#{name}"
    ann = irc(clients, running, "ann", channel)
    bob, mia = clients.text(running, "bob"), clients.json(running, "mia", rooms=[name])
    assert ann.next("JOIN").params[0] == channel
    bob.send(f"/join {channel}\nhello\n")
    assert ann.next("JOIN").nickname == "bob"
    assert ann.next("PRIVMSG").params == (channel, "hello")

    ann.ask(f"PRIVMSG {channel} :hi", f"PRIVMSG @{channel} :operators", f"TOPIC {channel} :tea", f"MODE {channel} +m")

    bob.read_until(f"[{name}] ann: hi")
    assert bob.read_line() == f"-- ann set the topic of {name}: tea"
    said = [mia.next("message") for _ in range(2)]
    assert [(message["room"], message["text"]) for message in said] == [(name, "hello"), (name, "hi")]
    assert mia.answer("who", room=name)["room"] == name
    assert mia.answer("mode", room=name)["modes"] == "+mn"
    assert channel in [line.params[1] for line in ann.ask(f"LIST {channel}") if line.command == "322"]
    assert "473" not in [
        line.command for line in ann.ask(f"NAMES {channel}", f"WHO {channel}", f"INVITE mia {channel}")
    ]
    assert [line.params[:2] for line in ann.ask(f"KICK {channel} bob") if line.command == "KICK"] == [(channel, "bob")]


def test_only_irc_and_text_make_rooms_that_begin_with_its_sign(server: MakeServer, clients: Clients) -> None:
    """A program that says "#lobby" means the room that IRC calls so, and is told."""
    running = server()
    refusal = "there is no room '#lobby'; only IRC puts '#' before the name of a room"
    mia = clients.new_json(running)
    mia.ask("hello", nick="mia", rooms=["#lobby", "lobby"])
    assert mia.next("error")["text"] == refusal
    assert mia.answer("join", room="#lobby")["text"] == refusal

    bob = clients.text(running, "bob")
    bob.send("/join ##lobby\n")
    bob.read_until("you are in #lobby")

    assert mia.answer("join", room="#lobby")["type"] == "members"


def test_they_last(server: MakeServer, tmp_path: Path) -> None:
    """In the file, with what was said there; no name becomes a path."""
    running = server(log=SqliteLog(tmp_path / "chat.db"))
    running.room("#linux"), running.room("##")  # sessions make no rooms of such names
    ann = running.session("ann", NAMES)
    for name in NAMES:
        ann.say(f"in {name}", name)
    running.stop()

    again = server(log=SqliteLog(tmp_path / "chat.db")).session("ann", NAMES)

    texts = [[getattr(event, "text", "") for event in again.history(name)] for name in NAMES]
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"chat.db"}
    assert all(f"in {name}" in said for name, said in zip(NAMES, texts, strict=True))


def test_a_list_of_channels_has_them(server: MakeServer, clients: Clients) -> None:
    """A comma is in none of them, so it parts them."""
    ann = irc(clients, server(), "ann")

    heard = ann.ask(f"JOIN {','.join(f'#{name}' for name in NAMES)}")

    assert [line.params[0] for line in heard if line.command == "JOIN"] == [f"#{name}" for name in NAMES]
