"""
Alerts: a `logging.Handler` whose records appear in a room, so that people see what a program complains of.

Try it: run `python examples/alerts.py`, then `nc 127.0.0.1 55555` in another terminal, and give a nickname. Each line
that you type into the first is logged as a warning by the program, and appears in the room `alerts`.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from pychat import ChatServer, Room

logger = logging.getLogger("shop")


class RoomHandler(logging.Handler):
    """Say each record in a room; any thread may log."""

    LINES, CHARACTERS = 20, 1000  # of one record: less than any message may have

    def __init__(self, room: Room, level: int = logging.WARNING) -> None:
        super().__init__(level)
        self._room = room
        # What the chat itself logs would be said by the chat, which may be what it has just failed to do.
        self.addFilter(lambda record: record.name.partition(".")[0] != "pychat")

    def emit(self, record: logging.LogRecord) -> None:
        try:
            lines = self.format(record).split("\n")
            self._room.announce("\n".join(lines[: self.LINES])[: self.CHARACTERS])
        except Exception:
            self.handleError(record)


def make_server(port: int) -> ChatServer:
    """Return a server where people read alerts and may also talk: it has the usual handlers."""
    return ChatServer(port=port, name="shop", default_room="alerts")


def main(port: int = 55555) -> None:
    """Log what is typed, until Ctrl-C or Ctrl-D."""
    with make_server(port).start() as server, suppress(KeyboardInterrupt):
        logging.getLogger().addHandler(RoomHandler(server.room("alerts")))
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        for line in sys.stdin:
            logger.warning("%s", line.rstrip("\n") or "nothing was typed")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
