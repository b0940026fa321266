"""
A bot that reminds people: it does something every second, and something when it is asked.

Try it: run `python examples/reminder.py`, then `nc 127.0.0.1 55555`. After your nickname, type `!remind 5 tea`.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from pychat import ChatServer, Refused, command
from pychat.handlers import Context


class Reminders:
    """The bot calls everything on one thread, so there is no lock."""

    def __init__(self) -> None:
        self.pending: list[tuple[float, Context, str]] = []  # when it is due, who asked, what to say

    @command("remind")
    def remind(self, ctx: Context, seconds: float, *, text: str = "time is up") -> None:
        """Say something to yourself later."""
        if not 0 < seconds <= 86_400:
            raise Refused("at most a day ahead")
        self.pending.append((time.monotonic() + seconds, ctx, text))

    @command("pending")
    def tell(self, ctx: Context) -> None:
        """How many reminders are there?"""
        ctx.whisper(f"{len(self.pending)} to come")

    def look(self) -> None:
        """Tell those whose time has come."""
        for due in [entry for entry in self.pending if entry[0] <= time.monotonic()]:
            self.pending.remove(due)
            _, ctx, text = due
            ctx.whisper(f"{ctx.nickname}, {text}")


def make_server(port: int, seconds: float = 1.0) -> ChatServer:
    server, reminders = ChatServer(port=port), Reminders()
    bot = server.bot("reminder")
    bot.add(reminders)
    bot.every(seconds)(reminders.look)
    return server


def main(port: int = 55555) -> None:
    """Serve until Ctrl-C."""
    with make_server(port) as server, suppress(KeyboardInterrupt):
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
