"""What IRC clients are told that the server is."""

from __future__ import annotations

from collections.abc import Callable

from chat_clients import Clients
from irc_peer import irc

from pychat import ChatServer

MakeServer = Callable[..., ChatServer]


def test_the_description_is_the_same_everywhere(server: MakeServer, clients: Clients) -> None:
    """RPL_WHOISSERVER (312) and RPL_LINKS (364); on one line, however it is given."""
    ann = irc(clients, server(description="the chat\r\nof the house"), "ann")

    assert [line.params[-1] for line in ann.ask("WHOIS ann") if line.command == "312"] == ["the chat of the house"]
    assert [line.params[-1] for line in ann.ask("LINKS") if line.command == "364"] == ["0 the chat of the house"]


def test_a_description_leaves_room_in_a_line(server: MakeServer, clients: Clients) -> None:
    """More than fits is cut off."""
    ann = irc(clients, server(description="é" * 500), "ann")

    assert [line.params[-1] for line in ann.ask("WHOIS ann") if line.command == "312"] == ["é" * 150]
