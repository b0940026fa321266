"""
Kill a server in the middle of many writers, and see what is left: `killing.py [ROUNDS]`.

Every writer is a member, too, and writes down what it heard and what was acknowledged. After the kill, what was
acknowledged has to be in the file, and what anybody heard, once and in the order in which everybody heard it.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

sys.path.append(str(Path(__file__).parents[1]))

from chat_clients import DEADLINE, JsonPeer

from pychat.model.events import Message
from pychat.stores import SqliteLog

_NUMBERS = itertools.count()
_PROGRAM = Path(__file__).with_name("store_program.py")


class Server(NamedTuple):
    """The program, running."""

    port: int
    process: subprocess.Popen[str]
    stdin: IO[str]


@contextmanager
def serving(path: Path, *arguments: str) -> Iterator[Server]:
    """Start the program; kill it at the end."""
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM), str(path), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield Server(int(process.stdout.readline()), process, process.stdin)
        finally:
            process.kill()
            process.wait(DEADLINE)


class Writer(threading.Thread):
    """Says something all the time, and writes down what it hears."""

    def __init__(self, port: int, name: str, enough: threading.Semaphore) -> None:
        super().__init__(daemon=True)
        self._peer = JsonPeer(("127.0.0.1", port))
        self._name, self._enough = name, enough
        self.acknowledged: dict[int, str] = {}
        self.heard: list[int] = []
        """Ids of messages of all, in the order in which it learned of them."""

    def run(self) -> None:
        """Until the server is gone; two messages are on their way at any time."""
        try:
            self._peer.ask("hello", nick=self._name)
            self._peer.next("members")
            for number in range(2):
                self._say(number)
            number = 2
            while True:
                item = self._peer.read()
                if item["type"] == "message":
                    self.heard.append(int(item["id"], 16))
                elif item["type"] == "ok":
                    self.acknowledged[int(item["id"], 16)] = f"{self._name} {item['ref']}"
                    self.heard.append(int(item["id"], 16))
                    self._say(number)
                    number += 1
                    self._enough.release()
        except (EOFError, OSError):
            self._peer.close()

    def _say(self, number: int) -> None:
        self._peer.ask("say", text=f"{self._name} {number}", ref=number)


def kill_once(path: Path, writers: int, messages: int) -> int:
    """
    Let so many write until so many messages are acknowledged; then kill the server and compare.

    Returns:
        How many messages were acknowledged in all.
    """
    enough = threading.Semaphore(0)
    with serving(path) as server:
        # New names each time: those of the last round are kept for who comes back with a token.
        threads = [Writer(server.port, f"w{next(_NUMBERS)}", enough) for _ in range(writers)]
        for thread in threads:
            thread.start()
        for _ in range(messages):
            assert enough.acquire(timeout=DEADLINE)
        server.process.kill()
        for thread in threads:
            thread.join(DEADLINE)
    log = SqliteLog(path)
    try:
        events = log.read_after(("lobby",), 0).events
    finally:
        log.close()
    stored = {event.id: event.text for event in events if isinstance(event, Message)}
    order = list(stored)
    assert len(order) == len([event for event in events if isinstance(event, Message)]), "a message is there twice"
    assert order == sorted(order)
    for thread in threads:
        for id, text in thread.acknowledged.items():
            assert stored.get(id) == text, f"{text!r} was acknowledged and is not there"
        assert thread.heard == sorted(thread.heard), "heard in another order"
        heard = [id for id in order if thread.heard and thread.heard[0] <= id <= thread.heard[-1]]
        assert thread.heard == heard, "what was heard is not what is there"
    return sum(len(thread.acknowledged) for thread in threads)


def main(rounds: int = 50) -> None:
    """Kill so many times, on one file."""
    with TemporaryDirectory() as directory:
        for number in range(rounds):
            count = kill_once(Path(directory) / "chat.db", 20, random.randrange(20, 2000))
            print(f"{number + 1}: killed after {count} acknowledged messages; all are there")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
