"""
An attacker with many addresses: a process of its own, with one `epoll` loop for all of its connections.

An attack is a generator (`benchmarks.attacks`). It yields the seconds to wait, or the bytes to wait for (`Peer.until`),
and is restarted when it ends. The process has a low priority (`os.nice`), and uses at most `CPU_SHARE` of one
processor, so that the figures show the server and not an overloaded machine.
"""

from __future__ import annotations

import heapq
import itertools
import os
import random
import select
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final

from benchmarks.attacker_peer import WAITING_BYTES, Attacker, AttackFunction, Peer, Steps, Until
from benchmarks.wire import BUFFER_BYTES, Address

NICENESS: Final = 10
CPU_SHARE: Final = 0.5
"""Share of one processor; beyond it the attacker sleeps."""
OWN_RATE: Final = 32_000_000
"""Maximum bytes sent per second, over all connections."""

_TURN_SECONDS: Final = 0.02
_AGAIN_SECONDS: Final = 0.3
_REFUSED_SECONDS: Final = 5.0
"""The delay after a refused connection; insisting would be an attack of its own."""


@dataclass(frozen=True)
class Task:
    """The attacker's task."""

    server: Address
    attacks: Sequence[str]
    addresses: Sequence[str]
    connections: int
    """How many actors run at the same time, of all attacks together; most have one connection each."""
    seed: int
    victims: Sequence[str]
    """Nicknames of honest members."""
    rooms: Sequence[str]
    """The rooms of honest members."""


@dataclass
class Spent:
    """The cost of the attack for the attacker, and its successes."""

    sent: int = 0
    received: int = 0
    connections: int = 0
    refused: int = 0
    """Connections that the server refused: too many from that address."""
    ended: int = 0
    """Connections that the server ended otherwise."""
    cpu: float = 0.0
    """Processor seconds."""
    turns: Counter[str] = field(default_factory=Counter)
    """How often each attack acted."""
    won: Counter[str] = field(default_factory=Counter)
    """Forbidden actions that succeeded, and how often."""
    errors: Counter[str] = field(default_factory=Counter)
    """Errors in the attacks themselves."""


class Actor:
    """A running attack."""

    def __init__(self, loop: Loop, name: str, attack: AttackFunction, address: str, chance: random.Random) -> None:
        self._name = name
        self._attack = attack
        self._attacker = Attacker(loop, address, chance)
        self._loop = loop
        self._steps: Steps | None = None
        self._waiting: Peer | None = None
        self.turn = 0
        """Entries in the heap for an earlier turn are ignored."""

    def resume(self, heard: bytes | None) -> None:
        """Continue the attack with the bytes that it received."""
        self.turn += 1
        self._loop.spent.turns[self._name] += 1
        if self._waiting is not None:
            self._waiting.actor = None
            self._waiting = None
        if self._steps is None:
            self._steps, heard = self._attack(self._attacker), None
        try:
            step = self._steps.send(heard)
        except StopIteration:
            step = self._begin_again()
        except Exception as error:  # an error in one attack must not end the others
            self._loop.spent.errors[f"{self._name}: {error!r}"] += 1
            step = self._begin_again()
        if isinstance(step, Until):
            if not step.peer.alive or step.needle in step.peer.tail:
                self._loop.wake(self, step.peer.tail if step.peer.alive else None)
                return
            step.peer.actor, step.peer.needle, self._waiting = self, step.needle, step.peer
            self._loop.later(self, step.seconds)
        else:
            self._loop.later(self, step)

    def _begin_again(self) -> float:
        self._steps = None
        peers = self._attacker.peers
        again = _REFUSED_SECONDS if any(peer.refused for peer in peers) else _AGAIN_SECONDS
        for peer in peers:
            peer.close()
        peers.clear()
        return again * (0.5 + self._attacker.chance.random())


class Loop:
    """All connections and attacks."""

    def __init__(self, task: Task, attacks: Mapping[str, AttackFunction]) -> None:
        self.task = task
        self.spent = Spent()
        self.epoll = select.epoll()
        self.buffer = memoryview(bytearray(BUFFER_BYTES))
        self.numbers = itertools.count()
        self._peers: dict[int, Peer] = {}
        self._heap: list[tuple[float, int, int, Actor, bytes | None]] = []
        self._order = itertools.count()
        self._began = time.monotonic()
        self._cpu = time.process_time()
        for number in range(max(task.connections, len(task.attacks))):
            name = task.attacks[number % len(task.attacks)]
            # Each attack has addresses of its own, so that none uses up those of another.
            own = task.addresses[number % len(task.attacks) :: len(task.attacks)] or task.addresses
            address = own[number // len(task.attacks) % len(own)]
            chance = random.Random(f"{task.seed} {name} {number}")
            self.later(Actor(self, name, attacks[name], address, chance), chance.random())

    def add(self, peer: Peer) -> None:
        """Register a new connection."""
        self.spent.connections += 1
        self._peers[peer.socket.fileno()] = peer
        self.epoll.register(peer.socket, select.EPOLLOUT)

    def remove(self, peer: Peer) -> None:
        """Unregister a connection that is over."""
        self.epoll.unregister(peer.socket)
        del self._peers[peer.socket.fileno()]

    def allowance(self) -> int:
        """Return how many bytes may be sent now."""
        return min(WAITING_BYTES, int((time.monotonic() - self._began + 0.1) * OWN_RATE) - self.spent.sent)

    def later(self, actor: Actor, seconds: float) -> None:
        """Resume an actor after `seconds` seconds."""
        self._push(time.monotonic() + seconds, actor, None)

    def wake(self, actor: Actor, heard: bytes | None) -> None:
        """Resume an actor in the next turn."""
        self._push(0.0, actor, heard)

    def _push(self, at: float, actor: Actor, heard: bytes | None) -> None:
        heapq.heappush(self._heap, (at, next(self._order), actor.turn, actor, heard))

    def turn(self) -> None:
        """Do everything that is possible now, or wait briefly."""
        now = time.monotonic()
        for _ in range(len(self._heap)):
            if not self._heap or self._heap[0][0] > now:
                break
            _, _, turn, actor, heard = heapq.heappop(self._heap)
            if turn == actor.turn:
                actor.resume(heard)
        pause = min(_TURN_SECONDS, max(0.0, self._heap[0][0] - now)) if self._heap else _TURN_SECONDS
        for descriptor, events in self.epoll.poll(pause, max(1, len(self._peers))):
            if (peer := self._peers.get(descriptor)) is not None:
                peer.handle(events)
        self.spent.cpu = time.process_time() - self._cpu
        over = self.spent.cpu - CPU_SHARE * (time.monotonic() - self._began)
        if over > 0:
            time.sleep(over / CPU_SHARE)

    def close(self) -> None:
        """End all connections."""
        for peer in list(self._peers.values()):
            peer.close()
        self.epoll.close()


def main(task: Task, commands: Connection[Any, Any]) -> None:
    """Attack until a command arrives; then report the cost. Runs in the process."""
    from benchmarks.attacks import ATTACKS  # they import this module

    os.nice(NICENESS)
    loop = Loop(task, {name: ATTACKS[name].run for name in task.attacks})
    try:
        while not commands.poll():
            loop.turn()
        commands.send(loop.spent)
    finally:
        loop.close()
