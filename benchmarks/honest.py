"""
Honest members during an attack: a process of its own, which measures their experience.

They speak JSON, text and IRC, each from an address of its own. Each sends a message every few seconds, below the limit
of flood control, and sometimes pauses for longer. Each message contains its sender, a number and the time, so that each
receiver knows which are missing, repeated or out of order, and how long they took. Meanwhile newcomers come and go,
some with an account. An echo over the same loopback, without a chat, shows the share of the machine.
"""

from __future__ import annotations

import heapq
import itertools
import multiprocessing
import re
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final

from benchmarks.errors import LoadError
from benchmarks.honest_clients import (
    LANGUAGES,
    LOGIN,
    WELCOME,
    Client,
    Member,
    fill_vault,
    look_into_vault,
)
from benchmarks.wire import Address

_START_SECONDS: Final = 120.0
_ECHO_SECONDS: Final = 0.05
_NEWCOMER_SECONDS: Final = 0.5
_LOGIN_EVERY: Final = 10
"""One in this many newcomers logs in: each login costs the server a fifth of a second of a processor."""
_NEWCOMER_GIVES_UP: Final = 30.0
_DRAIN_SECONDS: Final = 30.0
_END_SECONDS: Final = 180.0
_TURN_SECONDS: Final = 0.02

_SAID: Final = re.compile(rb"clock (\d+) number (\d+) of (h\d+) end")
_REFUSED: Final = re.compile(rb'^(?:\{"type":"error"|! |:\S+ (?:263|4\d\d|FAIL) )[^\n]*', re.MULTILINE)


@dataclass(frozen=True)
class Party:
    """The honest members and their rooms."""

    server: Address
    members: int
    rooms: Sequence[str]
    seed: int

    def names(self) -> list[str]:
        """Return their nicknames."""
        return [f"h{number}" for number in range(self.members)]


@dataclass
class Noticed:
    """The experience of the honest members; times in milliseconds."""

    said: int = 0
    lost: int = 0
    """Missing deliveries between members who are still connected."""
    repeated: int = 0
    out_of_order: int = 0
    latencies: dict[str, list[float]] = field(default_factory=lambda: {language: [] for language in LANGUAGES})
    """Of each delivery, by the language of the receiver."""
    echoes: list[float] = field(default_factory=list)
    """Round trips without a chat."""
    comings: list[float] = field(default_factory=list)
    """Of newcomers: from connecting to the welcome."""
    logins: list[float] = field(default_factory=list)
    """The same, with an account and its password."""
    kept_out: list[str] = field(default_factory=list)
    """Newcomers who were not admitted, with the last line that they received."""
    cut_off: list[str] = field(default_factory=list)
    """Members whom the server disconnected, with the last line that they received."""
    refused: list[str] = field(default_factory=list)
    """Errors that members received."""
    record: str | None = None
    """The problem with the room of an account that was empty meanwhile, or None."""


class Conversation:
    """All honest members, in one `epoll` loop."""

    def __init__(self, party: Party, echo: socket.socket) -> None:
        self._party = party
        self._echo = echo
        self._echo_at = 0.0
        self.noticed = Noticed()
        self._members: dict[int, Member] = {}
        self._newcomers: dict[int, Client] = {}
        self._numbers = itertools.count()
        self._newcomer_at = 0.0
        self._due: list[tuple[float, int]] = []
        """The time of each member's next message, with its descriptor."""
        self._epoll = select.epoll()
        self._epoll.register(echo, select.EPOLLIN)

    def come_in(self) -> None:
        """Fill the room of an account, and connect all members, an equal part of them in each language."""
        fill_vault(self._party.server)
        rooms = self._party.rooms
        for number in range(self._party.members):
            language = LANGUAGES[number // len(rooms) % len(LANGUAGES)]
            member = Member(self._party.server, number, rooms[number % len(rooms)], language, self._party.seed)
            member.come_in()
            self._members[member.socket.fileno()] = member
            self._epoll.register(member.socket, select.EPOLLIN)

    def begin(self) -> None:
        """Start talking."""
        now = time.monotonic()
        # Spread over one interval between messages.
        self._due = [
            (now + member.pause() * place / len(self._members), descriptor)
            for place, (descriptor, member) in enumerate(self._members.items())
        ]
        heapq.heapify(self._due)

    def turn(self, talking: bool = True) -> None:
        """Send messages that are due, and process input."""
        now = time.monotonic()
        if talking:
            while self._due and self._due[0][0] <= now:
                self._say(heapq.heappop(self._due)[1])
            if now >= self._newcomer_at:
                self._newcomer_at = now + _NEWCOMER_SECONDS
                self._bring_newcomer(now)
        if now >= self._echo_at:
            self._echo_at = now + _END_SECONDS  # not before this one is back
            self._echo.send(time.monotonic_ns().to_bytes(8))
        for descriptor, events in self._epoll.poll(_TURN_SECONDS, 64):
            if (member := self._members.get(descriptor)) is not None:
                self._hear(member)
            elif (newcomer := self._newcomers.get(descriptor)) is not None:
                self._greet(newcomer, events)
            else:
                sent = int.from_bytes(self._echo.recv(8))
                self.noticed.echoes.append((time.monotonic_ns() - sent) / 1e6)
                self._echo_at = time.monotonic() + _ECHO_SECONDS

    def finish(self) -> Noticed:
        """Wait until every message has arrived, or the time is over."""
        give_up = time.monotonic() + _DRAIN_SECONDS
        while self._to_come() and time.monotonic() < give_up:
            self.turn(talking=False)
        self.noticed.lost = self._to_come()
        self.noticed.repeated = sum(member.hearing.repeated for member in self._members.values())
        self.noticed.out_of_order = sum(member.hearing.out_of_order for member in self._members.values())
        for client in (*self._members.values(), *self._newcomers.values()):
            client.close()
        self._epoll.close()
        self.noticed.record = look_into_vault(self._party.server)
        return self.noticed

    def _say(self, descriptor: int) -> None:
        member = self._members.get(descriptor)
        if member is None:
            return
        try:
            heapq.heappush(self._due, (time.monotonic() + member.say(), descriptor))
            self.noticed.said += 1
        except OSError:
            self._lose(member)

    def _hear(self, member: Member) -> None:
        try:
            lines = member.read()
        except (EOFError, OSError):
            self._lose(member)
            return
        now = time.monotonic_ns()
        for clock, number, nick in _SAID.findall(lines):
            self.noticed.latencies[member.language].append((now - int(clock)) / 1e6)
            member.hearing.hear(nick.decode(), int(number))
        for line in _REFUSED.findall(lines):
            self.noticed.refused.append(f"{member.nick} ({member.language}): {line.decode(errors='replace')}")

    def _to_come(self) -> int:
        """Return how many deliveries are missing between members who are still connected."""
        return sum(
            hearer.hearing.missing(sender.nick, sender.said)
            for hearer in self._members.values()
            for sender in self._members.values()
            if hearer.room == sender.room and hearer is not sender
        )

    def _lose(self, member: Member) -> None:
        self.noticed.cut_off.append(f"{member.nick} ({member.language}): {member.heard.decode(errors='replace')}")
        self._epoll.unregister(member.socket)
        del self._members[member.socket.fileno()]
        member.socket.close()

    def _bring_newcomer(self, now: float) -> None:
        for newcomer in [one for one in self._newcomers.values() if now - one.began > _NEWCOMER_GIVES_UP]:
            self.noticed.kept_out.append(f"{newcomer.nick}: not welcome in {_NEWCOMER_GIVES_UP:.0f} s")
            self._dismiss(newcomer)
        number = next(self._numbers)
        account = {} if number % _LOGIN_EVERY else LOGIN
        language = "json" if account else LANGUAGES[number % len(LANGUAGES)]
        newcomer = Client(self._party.server, f"203.0.113.{number % 250 + 1}", f"n{number}", language, **account)
        self._newcomers[newcomer.socket.fileno()] = newcomer
        self._epoll.register(newcomer.socket, select.EPOLLOUT)

    def _greet(self, newcomer: Client, events: int) -> None:
        number = int(newcomer.nick[1:])
        try:
            if events & select.EPOLLOUT:
                newcomer.open()
                self._epoll.modify(newcomer.socket, select.EPOLLIN)
                return
            if WELCOME[newcomer.language] not in newcomer.read():
                return
        except (EOFError, OSError):
            self.noticed.kept_out.append(f"{newcomer.nick}: {newcomer.heard.decode(errors='replace')}")
        else:
            times = self.noticed.comings if number % _LOGIN_EVERY else self.noticed.logins
            times.append((time.monotonic() - newcomer.began) * 1000)
        self._dismiss(newcomer)

    def _dismiss(self, newcomer: Client) -> None:
        self._epoll.unregister(newcomer.socket)
        del self._newcomers[newcomer.socket.fileno()]
        newcomer.close()


class Honest:
    """The process of the honest members; as a context manager it has all of them connected."""

    def __init__(self, party: Party) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            arguments = party, listener.getsockname(), theirs
            self._processes = [
                context.Process(target=_echo, args=(listener,), daemon=True),
                context.Process(target=_main, args=arguments, daemon=True),
            ]
            for process in self._processes:
                process.start()
        theirs.close()

    def __enter__(self) -> Honest:
        try:
            self._receive(_START_SECONDS)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def begin(self) -> None:
        """Start talking."""
        self._pipe.send("begin")

    def finish(self) -> Noticed:
        """Stop talking, and return the results."""
        self._pipe.send("finish")
        noticed: Noticed = self._receive(_END_SECONDS)
        return noticed

    def _receive(self, seconds: float) -> Any:
        try:
            answer = self._pipe.recv() if self._pipe.poll(seconds) else LoadError("the honest members do not answer")
        except EOFError:
            answer = LoadError("the process of the honest members ended")
        if isinstance(answer, LoadError):
            raise answer
        return answer

    def _end(self) -> None:
        for process in self._processes:
            process.kill()  # it has nothing to clean up
            process.join()
        self._pipe.close()


def _echo(listener: socket.socket) -> None:
    """Echo the bytes of one connection."""
    with listener, listener.accept()[0] as connection:
        while data := connection.recv(8):
            connection.send(data)


def _main(party: Party, echo: Address, commands: Connection[Any, Any]) -> None:
    """Talk, and send the results. Runs in the process."""
    with socket.create_connection(echo) as connection:
        try:
            conversation = Conversation(party, connection)
            conversation.come_in()
            commands.send(None)
            commands.recv()
            conversation.begin()
            while not commands.poll():
                conversation.turn()
            commands.send(conversation.finish())
        except (LoadError, OSError) as error:
            commands.send(LoadError(str(error)))
