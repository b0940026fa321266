"""A small IRC client over a raw socket, for the tests: it knows the grammar, answers PING, and nothing else."""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

from chat_clients import Clients, Peer

from pychat import ChatServer


class Heard(NamedTuple):
    """One line from the server, taken apart."""

    tags: dict[str, str]
    source: str
    command: str
    params: tuple[str, ...]

    @property
    def nickname(self) -> str:
        """Of the source."""
        return self.source.partition("!")[0]


def take_apart(line: str) -> Heard:
    """Read a line by the grammar of the Modern IRC specification, "Message Format"."""
    tags: dict[str, str] = {}
    if line.startswith("@"):
        first, _, line = line[1:].partition(" ")
        tags = {key: value for key, _, value in (tag.partition("=") for tag in first.split(";"))}
    source = ""
    if line.startswith(":"):
        source, _, line = line[1:].partition(" ")
    rest, colon, last = line.partition(" :")
    words = rest.split()
    return Heard(tags, source, words[0], (*words[1:], last) if colon else tuple(words[1:]))


class IrcPeer(Peer):
    """One that speaks IRC."""

    def __init__(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> None:
        super().__init__(server, receive_buffer=receive_buffer)
        self._tokens = count()

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.send("".join(f"{line}\r\n" for line in lines))

    def register(self, nickname: str, *capabilities: str) -> list[Heard]:
        """Come in, and return everything that the server says to that."""
        if capabilities:
            self.say("CAP LS 302", f"CAP REQ :{' '.join(capabilities)}")
        self.say(f"NICK {nickname}", f"USER {nickname} 0 * :{nickname} of the tests")
        if capabilities:
            self.say("CAP END")
        heard = [self.read()]
        while heard[-1].command not in ("376", "422"):
            heard.append(self.read())
        return heard

    def read(self) -> Heard:
        """Return the next line; a PING is answered and not returned."""
        while True:
            line = self.read_line()
            assert line.endswith("\r"), line
            heard = take_apart(line.removesuffix("\r"))
            if heard.command != "PING":
                return heard
            self.say(f"PONG :{heard.params[-1]}")

    def until(self, command: str, *params: str) -> list[Heard]:
        """Return the next lines, up to and with the first of this command that has all these parameters."""
        lines = [self.read()]
        while lines[-1].command != command or not set(params) <= set(lines[-1].params):
            lines.append(self.read())
        return lines

    def next(self, command: str, *params: str) -> Heard:
        """Return the next line of this command with these parameters; what comes before it is dropped."""
        return self.until(command, *params)[-1]

    def sync(self) -> list[Heard]:
        """Return everything that the server has said until now, and that answers what was sent."""
        token = f"sync{next(self._tokens)}"
        self.say(f"PING {token}")
        return self.until("PONG", token)[:-1]

    def ask(self, *lines: str) -> list[Heard]:
        """Send lines and return everything that comes until they are answered."""
        self.say(*lines)
        return self.sync()


def irc(clients: Clients, server: ChatServer | tuple[str, int], nickname: str, *rooms: str, caps: str = "") -> IrcPeer:
    """A member that speaks IRC and is in these rooms, for others too; `caps` are capabilities, with blanks between."""
    peer = clients.add(IrcPeer(server))
    peer.register(nickname, *caps.split())
    peer.ask(*(f"JOIN {room}" for room in rooms))
    return peer
