"""Measure abuse: peers that send anything and vanish, besides members that only want to talk."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import LoadError
from benchmarks.servers import Server
from benchmarks.wire import BUFFER_BYTES, enter

_OPENINGS = (b"", b"", b"NICK x\r\nUSER x 0 * x\r\n", b'{"type":"hello","nick":"j"}\n', b"{", b"GET / HTTP/1.1\r\n")
"""Possible beginnings of the garbage, so that every language gets some; another kind is a unique nickname."""
_EVERY = 10
"""One message is sent per this many bad peers."""
_TOGETHER = 50
_CALM_SECONDS = 30.0
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Abuse:
    """The state of a server, and of a conversation, after the bad peers are gone."""

    peers: int
    endless_mb: int
    seconds: float
    said: int
    lost: int
    """Messages of the well-behaved member that the other one did not receive, in order."""
    growth_kib: int | None
    """Growth of the peak memory."""
    threads: tuple[int, int] | None
    """Before and after."""
    descriptors: tuple[int, int] | None


def abuse(server: Server, peers: int, endless_mb: int, seed: int) -> Abuse:
    """Let `peers` peers send up to 8 KiB of garbage each and vanish, and one send megabytes without a newline."""
    speaker, hearer = enter(server.address, ["speaker", "hearer"])
    with speaker, hearer:
        before, resources = server.memory(), _resources(server)
        listening = _Hearer(hearer)
        _Hearer(speaker)  # a member that does not read is disconnected
        endless = threading.Thread(target=_send_endless_line, args=(server, endless_mb))
        started = time.monotonic()
        endless.start()
        said = _misbehave(server, speaker, peers, random.Random(seed))
        endless.join()
        lost = said - listening.wait_for(said)
        seconds = time.monotonic() - started
        after = _wait_for_calm(server, resources)
        memory = server.memory()
    return Abuse(
        peers,
        endless_mb,
        seconds,
        said,
        lost,
        None if before is None or memory is None else memory.peak - before.resident,
        None if resources is None or after is None else (resources[0], after[0]),
        None if resources is None or after is None else (resources[1], after[1]),
    )


def _misbehave(server: Server, speaker: socket.socket, peers: int, chance: random.Random) -> int:
    """Run the bad peers, some at a time, while the speaker talks; return how many messages the speaker sent."""
    said = 0
    crowd: list[socket.socket] = []
    for number in range(peers):
        peer = socket.create_connection(server.address, timeout=30.0)
        crowd.append(peer)
        opening = chance.choice((*_OPENINGS, f"n{number}\n".encode()))
        with contextlib.suppress(OSError):  # the server may have disconnected it already
            peer.sendall(opening + chance.randbytes(chance.randint(0, 8192)))
        if len(crowd) == _TOGETHER:
            _vanish(crowd, chance)
        if number % _EVERY == 0:
            speaker.sendall(b"%d\n" % said)
            said += 1
    _vanish(crowd, chance)
    return said


def _vanish(crowd: list[socket.socket], chance: random.Random) -> None:
    for peer in crowd:
        if chance.random() < 0.5:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        peer.close()
    crowd.clear()


def _send_endless_line(server: Server, megabytes: int) -> None:
    block = b"x" * 1_000_000
    with socket.create_connection(server.address, timeout=30.0) as sock, contextlib.suppress(OSError):
        for _ in range(megabytes):
            sock.sendall(block)


class _Hearer:
    """Reads without pause, and counts the speaker's messages as long as none is missing."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        sock.settimeout(_CALM_SECONDS)
        self._socket = sock
        self._changed = threading.Condition()
        self._heard = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> int:
        """Wait, up to a limit, until this many messages were received; return how many were."""
        with self._changed:
            self._changed.wait_for(lambda: self._heard >= count, _CALM_SECONDS)
            return self._heard

    def _run(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := self._socket.recv(BUFFER_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if line == b"speaker: %d" % self._heard:
                        with self._changed:
                            self._heard += 1
                            self._changed.notify_all()


def _resources(server: Server) -> tuple[int, int] | None:
    """Return the number of threads and open descriptors of the server."""
    if server.pid is None:
        return None
    process = Path(f"/proc/{server.pid}")
    return len([*(process / "task").iterdir()]), len([*(process / "fd").iterdir()])


def _wait_for_calm(server: Server, before: tuple[int, int] | None) -> tuple[int, int] | None:
    """Wait until the server has no more threads and descriptors than before, and return their numbers."""
    give_up = time.monotonic() + _CALM_SECONDS
    while True:
        now = _resources(server)
        if now is None or before is None or (now[0] <= before[0] and now[1] <= before[1]):
            return now
        if not Path(f"/proc/{server.pid}").exists():
            raise LoadError("the server is dead")
        if time.monotonic() > give_up:
            return now
        time.sleep(0.05)
