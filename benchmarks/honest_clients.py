"""Connections of honest people: newcomers, members who talk, and the owner of a room that must not be lost."""

from __future__ import annotations

import json
import random
import re
import select
import socket
import time
from contextlib import suppress
from typing import Any, Final

from benchmarks.errors import LoadError
from benchmarks.wire import BUFFER_BYTES, Address

LANGUAGES: Final = ("json", "text", "irc")
WELCOME: Final = {"json": b'"limits"', "text": b"welcome", "irc": b" 422 "}
"""A part of the line that confirms the registration."""
ACCOUNT, PASSWORD = "keeper", "correct-horse"
LOGIN: Final = {"account": ACCOUNT, "account_password": PASSWORD}

_KEY: Final = "sesame"

_IN_ROOM: Final = {"text": b"-- in ", "irc": b" 366 "}
_VAULT: Final = "vault"
_PATIENCE_SECONDS: Final = 60.0
_SAY_SECONDS: Final = (3.0, 5.0)
_REST_SECONDS: Final = 12.0
_REST_CHANCE: Final = 0.1


class Client:
    """A non-blocking connection of an honest person; its PROXY line contains an address."""

    def __init__(self, server: Address, address: str, nick: str, language: str, **hello: Any) -> None:
        self.nick = nick
        self.language = language
        self.heard = b""
        """The last line, for the text of an error."""
        self.began = time.monotonic()
        self._rest = b""
        self._opening = f"PROXY TCP4 {address} 127.0.0.1 40000 {server[1]}\r\n{_opening(language, nick, hello)}"
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(server)

    def open(self) -> None:
        """Send the opening, once connected."""
        opening, self._opening = self._opening, ""
        self.send(opening)

    def send(self, text: str) -> None:
        """Send a text so short that the system accepts all of it."""
        self.socket.sendall(text.encode())

    def read(self) -> bytes:
        """
        Return all complete lines, and answer the pings among them.

        Raises:
            EOFError: If the connection is over.
        """
        try:
            data = self.socket.recv(BUFFER_BYTES)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            raise EOFError
        lines, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if newline:
            self.heard = lines[-300:].rpartition(b"\n")[2]
            if b"PING" in lines or b'{"type":"ping"}' in lines:
                self._answer_pings(lines)
        return lines + newline

    def wait_for(self, needle: bytes, seconds: float = _PATIENCE_SECONDS) -> bytes:
        """Wait for the needle; return the input until then."""
        heard, give_up = b"", time.monotonic() + seconds
        while needle not in heard:
            wanted = [self.socket] if self._opening else []
            readable, writable, _ = select.select([self.socket], wanted, [], max(0.0, give_up - time.monotonic()))
            try:
                if writable:
                    self.open()
                heard += self.read() if readable else b""
            except (EOFError, OSError):
                raise LoadError(f"{self.nick} was disconnected; it heard {heard[-200:]!r}") from None
            if not readable and not writable:
                raise LoadError(f"{self.nick} did not hear {needle!r} in {seconds:.0f} s, but {heard[-200:]!r}")
        return heard

    def close(self) -> None:
        """Quit properly."""
        with suppress(OSError):
            self.send({"json": '{"type":"quit"}\n', "text": "/quit\n", "irc": "QUIT\r\n"}[self.language])
        self.socket.close()

    def _answer_pings(self, lines: bytes) -> None:
        if self.language == "json" and b'{"type":"ping"}' in lines:
            self.send('{"type":"pong"}\n')
        elif self.language == "irc":
            for token in re.findall(rb"^(?::\S+ )?PING (\S+)", lines, re.MULTILINE):
                self.send(f"PONG {token.decode()}\r\n")


def _opening(language: str, nick: str, hello: dict[str, Any]) -> str:
    if language == "json":
        return json.dumps({"type": "hello", "nick": nick, **hello}) + "\n"
    return f"NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n" if language == "irc" else f"{nick}\n"


class Hearing:
    """The messages that one member has received: each sender's messages have numbers, from 0 on."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._skipped: set[tuple[str, int]] = set()
        self.repeated = 0
        self.out_of_order = 0

    def hear(self, nick: str, number: int) -> None:
        """Record a message."""
        last = self._last.get(nick, -1)
        if number > last:
            self._last[nick] = number
            self._skipped.update((nick, skipped) for skipped in range(last + 1, number))
        elif (nick, number) in self._skipped:
            self._skipped.remove((nick, number))
            self.out_of_order += 1
        else:
            self.repeated += 1

    def missing(self, nick: str, said: int) -> int:
        """Return how many of the `said` messages of a sender are missing."""
        return said - 1 - self._last.get(nick, -1) + sum(skipped == nick for skipped, _ in self._skipped)


class Member(Client):
    """A member who stays and talks, at an honest rate, and records the others' messages."""

    def __init__(self, server: Address, number: int, room: str, language: str, seed: int) -> None:
        super().__init__(server, f"192.0.2.{number % 250 + 1}", f"h{number}", language, rooms=[room])
        self.room = room
        self.said = 0
        self.hearing = Hearing()
        self.chance = random.Random(f"{seed} {self.nick}")

    def come_in(self) -> None:
        """Wait for the welcome, and join the room."""
        self.wait_for(WELCOME[self.language])
        if self.language in _IN_ROOM:
            self.send(f"JOIN #{self.room}\r\n" if self.language == "irc" else f"/join {self.room}\n/who\n")
            self.wait_for(_IN_ROOM[self.language])

    def say(self) -> float:
        """Send the next message; return the seconds until the one after it."""
        text = f"clock {time.monotonic_ns()} number {self.said} of {self.nick} end"
        if self.language == "json":
            self.send(f'{{"type":"say","room":"{self.room}","text":"{text}"}}\n')
        else:
            self.send(f"PRIVMSG #{self.room} :{text}\r\n" if self.language == "irc" else f"{text}\n")
        self.said += 1
        return self.pause() + (_REST_SECONDS if self.chance.random() < _REST_CHANCE else 0.0)

    def pause(self) -> float:
        """Return the usual seconds between two messages."""
        return self.chance.uniform(*_SAY_SECONDS)


def fill_vault(server: Address) -> None:
    """Create an account and a room with a key, send a message to it, and leave."""
    keeper = Client(server, "192.0.2.251", ACCOUNT, "json")
    keeper.wait_for(WELCOME["json"])
    requests: tuple[dict[str, Any], ...] = (
        {"type": "register", "password": PASSWORD},
        {"type": "join", "room": _VAULT},
        {"type": "mode", "room": _VAULT, "modes": "+k", "args": [_KEY]},
        {"type": "say", "room": _VAULT, "text": "of value"},
    )
    for number, request in enumerate(requests):
        keeper.send(json.dumps({**request, "ref": number}) + "\n")
        if b'{"type":"error"' in keeper.wait_for(b'"ref":%d' % number):
            raise LoadError(f"the room of the account could not be made: {keeper.heard!r}")
    keeper.close()


def look_into_vault(server: Address) -> str | None:
    """Return the problem with that room, or None."""
    keeper = Client(server, "192.0.2.252", "owner", "json", **LOGIN)
    try:
        keeper.wait_for(b'"logged_in"')
        keeper.send(json.dumps({"type": "join", "room": _VAULT, "key": _KEY}) + "\n")
        keeper.send(json.dumps({"type": "history", "room": _VAULT, "ref": "all"}) + "\n")
        heard = keeper.wait_for(b'"ref":"all"')
    except LoadError as error:
        return f"the owner of a room: {error}"
    finally:
        keeper.close()
    if refused := re.search(rb'\{"type":"error"[^\n]*', heard):
        return f"the owner of a room is told {refused[0].decode(errors='replace')}"
    if b"of value" not in heard:
        return "what was said in a room that nobody was in is lost"
    return None if b'"nick":"owner","roles":"o"' in heard else "the owner of a room is not its operator any more"
