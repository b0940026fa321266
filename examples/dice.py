"""
Commands: `!roll` and `!roll 2d6`, in a room, for everybody to see.

Try it: run `python examples/dice.py`, then `nc 127.0.0.1 55555`. After your nickname, type `!roll 2d6`, `!roll 7`
(which is refused, and says how to use it), `!choose tea coffee` and `!help`.
"""

from __future__ import annotations

import random
import re
import sys
from contextlib import suppress

from pychat import ChatServer, Refused
from pychat.handlers import Context


def make_server(port: int) -> ChatServer:
    """Return a server with two commands; `server.command` adds the handler `Commands` by itself."""
    server = ChatServer(port=port)

    @server.command("roll")
    def roll(ctx: Context, dice: str = "1d6") -> None:
        """Roll dice: 2d6 are two with six sides."""
        match = re.fullmatch(r"([1-9][0-9]?)d([1-9][0-9]?)", dice)
        if match is None:
            raise Refused(f"{dice!r} are no dice; use 1d6, or up to 99d99")
        count, sides = map(int, match.groups())
        rolled = [random.randint(1, sides) for _ in range(count)]
        ctx.reply(f"{ctx.nickname} rolled {' + '.join(map(str, rolled))} = {sum(rolled)}")

    @server.command("choose")
    def choose(ctx: Context, *choices: str) -> None:
        """Choose one of several things."""
        if not choices:
            raise Refused("choose between what?")
        ctx.reply(random.choice(choices))

    return server


def main(port: int = 55555) -> None:
    """Serve until Ctrl-C."""
    with make_server(port) as server, suppress(KeyboardInterrupt):
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
