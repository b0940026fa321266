"""Coming back to a server that was started again: with the same nickname and rooms, and what was missed, or a gap."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from chat_clients import DEADLINE, Clients, free_port
from chat_networks import MakeClient, join
from chat_programs import Programs, pychat
from terminal_screen import Terminals, terminals

from pychat import Message
from pychat.client import Reconnected
from pychat.model.replies import Gap
from pychat.testing import Network

__all__ = ["join", "pychat", "terminals"]  # the fixtures

SERVE = ("--db", "chat.db", "--no-flood-control", "--room", "lobby", "--room", "ops")


def delete_everything(path: Path) -> None:
    """Do what retention does with all that was said, while no server runs."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE rooms SET lost = (SELECT max(last) FROM blocks WHERE room = rooms.number)")
        connection.execute("DELETE FROM blocks")
        connection.execute("INSERT INTO words (words) VALUES ('delete-all')")
        connection.execute("UPDATE state SET last_id = (SELECT max(lost) FROM rooms), bytes = 0")
        connection.commit()


def test_a_client_hears_what_was_said_before_and_after_the_restart(
    pychat: Programs, clients: Clients, join: MakeClient
) -> None:
    """The server is killed; every message comes once, in order, and the nickname and the room are those from before."""
    server, port = pychat.serve(*SERVE, port=free_port())
    with closing(Network("127.0.0.1", port)) as network:
        ann = join(network.port, "ann", rooms=["ops"], reconnect=True)
        bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
        network.down()
        bob.next("disconnected")
        before = [bob.answer("say", text=f"before {number}")["id"] for number in range(3)]
        server.signal(signal.SIGKILL)
        server.wait()
        pychat.serve(*SERVE, port=port)
        bob = clients.json(("127.0.0.1", port), "bea", rooms=["ops"])
        after = [bob.answer("say", text=f"after {number}")["id"] for number in range(3)]
        network.resume()

        heard = []
        for item in ann.events(DEADLINE):
            heard.append(item)
            if isinstance(item, Reconnected):
                break

    assert [f"{item.id:016x}" for item in heard if isinstance(item, Message)] == before + after
    assert not any(isinstance(item, Gap) for item in heard)
    assert heard[-1] == Reconnected(missed=6)
    assert (ann.nickname, ann.rooms) == ("ann", ("ops",))


def test_a_client_is_told_of_a_gap(pychat: Programs, clients: Clients, join: MakeClient) -> None:
    """Of what is not kept any more, before the rest."""
    server, port = pychat.serve(*SERVE, port=free_port())
    with closing(Network("127.0.0.1", port)) as network:
        ann = join(network.port, "ann", rooms=["ops"], reconnect=True)
        bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
        network.down()
        bob.next("disconnected")
        bob.answer("say", text="too old")
        server.signal(signal.SIGTERM)
        server.wait()
        delete_everything(pychat.directory / "chat.db")
        pychat.serve(*SERVE, port=port)
        bob = clients.json(("127.0.0.1", port), "bea", rooms=["ops"])
        bob.answer("say", text="new")
        network.resume()

        assert ann.next(Gap, DEADLINE).room == "ops"
        assert ann.next(Message, DEADLINE).text == "new"

    assert pychat.run("db", "check", "chat.db").returncode == 0


def test_a_terminal_shows_what_was_missed_and_the_gap(pychat: Programs, clients: Clients, terminals: Terminals) -> None:
    """In words."""
    server, port = pychat.serve(*SERVE, port=free_port())
    with closing(Network("127.0.0.1", port)) as network:
        ann = terminals.join(network.port, "ann")
        bob = clients.json(("127.0.0.1", port), "bob")
        ann.see("--> bob joined lobby")
        network.down()
        bob.next("disconnected")
        bob.answer("say", text="too old")
        server.signal(signal.SIGTERM)
        server.wait()
        delete_everything(pychat.directory / "chat.db")
        pychat.serve(*SERVE, port=port)
        clients.json(("127.0.0.1", port), "bea").answer("say", text="new")
        network.resume()

        ann.see("-- reconnected")
        ann.see("bea: new")
    text = "\n".join(ann.text())
    assert re.search("-- some messages of lobby are missing\n(.*\n)*bea: new", text), text


def test_a_pipe_shows_the_gap(pychat: Programs, clients: Clients) -> None:
    """As JSON for programs."""
    server, port = pychat.serve(*SERVE, port=free_port())
    with closing(Network("127.0.0.1", port)) as network:
        eye = pychat.connect(network.port, "eye", "--json")
        eye.read_object("members")
        bob = clients.json(("127.0.0.1", port), "bob")
        eye.read_object("joined")
        network.down()
        bob.next("disconnected")
        bob.answer("say", text="too old")
        server.signal(signal.SIGTERM)
        server.wait()
        delete_everything(pychat.directory / "chat.db")
        pychat.serve(*SERVE, port=port)
        network.resume()

        assert eye.read_object("gap")["room"] == "lobby"
        assert eye.read_object("reconnected")["type"] == "reconnected"
