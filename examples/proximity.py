"""
A game's chat: only those nearby hear what is said.

Try it: run `python examples/proximity.py`, then `nc 127.0.0.1 55555` twice. Both stand at 0,0 and hear each other.
Type `!go 100 100` in one of them, and they do not any more. `/msg NICK TEXT` reaches everywhere.
"""

from __future__ import annotations

import math
import sys
from contextlib import suppress

from pychat import ChatServer, Handler, Message, Session
from pychat.handlers import JoinLeaveNotices, NicknameValidator, SessionContext

HEARING, WORLD = 10, 1000  # the world is round: 1001 is 1


class Nearby(Handler):
    """Replaces `Broadcast`. The log keeps who could hear, for the history, too."""

    def __init__(self) -> None:
        self.places: dict[Session, tuple[int, int]] = {}  # single operations on a dict need no lock

    def on_message(self, session: Session, message: Message) -> None:
        room = session.chat.find_room(message.room or "")
        members = room.members if room else ()  # no room: it is for one person, wherever that is
        session.chat.publish(message, to=[other for other in members if self.distance(session, other) <= HEARING])

    def on_disconnect(self, session: Session, reason: str) -> None:
        self.places.pop(session, None)

    def distance(self, one: Session, other: Session) -> float:
        return math.dist(self.places.get(one, (0, 0)), self.places.get(other, (0, 0)))


def make_server(port: int) -> ChatServer:
    nearby = Nearby()
    server = ChatServer(port=port, handlers=[NicknameValidator(), JoinLeaveNotices(), nearby])

    @server.command("go")
    def go(ctx: SessionContext, x: int, y: int) -> None:
        """Go somewhere."""
        nearby.places[ctx.session] = here = x % WORLD, y % WORLD
        ctx.whisper(f"you are at {here[0]},{here[1]}")

    return server


def main(port: int = 55555) -> None:
    """Serve until Ctrl-C."""
    with make_server(port) as server, suppress(KeyboardInterrupt):
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
