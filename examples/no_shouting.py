"""
A handler: messages in capitals are refused, and long dashes become short ones.

Try it: run `python examples/no_shouting.py`, then `nc 127.0.0.1 55555` twice. Say "HELLO" in one of the two: only you
see the answer, "! no shouting, please", and nobody hears you.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from pychat import ChatServer, Handler, Message, Refused, Session
from pychat.handlers import Broadcast, JoinLeaveNotices, NicknameValidator


class NoShouting(Handler):
    """Refuse messages that are all capitals."""

    waits = False  # it only computes, so messages that come together may stay together

    def before_message(self, session: Session, message: Message) -> Message:
        if message.text.isupper() and len(message.text) > 1:
            raise Refused("no shouting, please", code="shouting")
        return message._replace(text=message.text.replace("\N{EM DASH}", "-"))


def make_server(port: int) -> ChatServer:
    """Return the server. The order of handlers matters: a refused message never comes to `Broadcast`."""
    return ChatServer(port=port, handlers=[NicknameValidator(), JoinLeaveNotices(), NoShouting(), Broadcast()])


def main(port: int = 55555) -> None:
    """Serve until Ctrl-C."""
    with make_server(port) as server, suppress(KeyboardInterrupt):
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
