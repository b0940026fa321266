"""
A bot that rolls dice: over the network, where it comes back when the connection is lost, or inside a server.

Try it: run `python examples/dice_bot.py`, which serves and lets the bot in, then `nc 127.0.0.1 55555`; after your
nickname, type `!roll 2d6`. With an address, `python examples/dice_bot.py 127.0.0.1:55555`, it visits a server.
"""

from __future__ import annotations

import random
import re
import sys
from contextlib import suppress

from pychat import Bot, ChatServer, Joined, Refused, command
from pychat.handlers import Context


class Dice:
    """A group of commands: also good for `server.add_commands(Dice())`, without any bot."""

    rolled = 0

    @command("roll")
    def roll(self, ctx: Context, dice: str = "1d6") -> None:
        """Roll dice: 2d6 are two with six sides."""
        match = re.fullmatch(r"([1-9][0-9]?)d([1-9][0-9]?)", dice)
        if match is None:
            raise Refused(f"{dice!r} are no dice; use 1d6, or up to 99d99")
        count, sides = map(int, match.groups())
        self.rolled += count  # all functions of a bot run on one thread, so this needs no lock
        ctx.reply(f"{ctx.nickname} rolled {sum(random.randint(1, sides) for _ in range(count))}")


def make_bot() -> Bot:
    bot, dice = Bot("dice"), Dice()
    bot.add(dice)

    @bot.on(Joined)
    def greet(joined: Joined) -> None:
        bot.direct(joined.nickname, f"I have rolled {dice.rolled} dice today; !roll 2d6", notice=True)

    return bot


def main(address: str = "55555") -> None:
    """Visit a server, or be one; until Ctrl-C."""
    host, _, port = address.rpartition(":")
    if host:
        return make_bot().run(host, int(port), wait=True)
    with ChatServer(port=int(port)) as server, suppress(KeyboardInterrupt):
        server.add_bot(make_bot())
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        server.serve_forever()
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
