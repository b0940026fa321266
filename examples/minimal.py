"""
The smallest chat server: the room `lobby`, who comes, who goes, and what they say.

Try it: run `python examples/minimal.py`, then `nc 127.0.0.1 55555` in two other terminals. The first line that you
type is your nickname. Ctrl-C ends the server.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from pychat import ChatServer


def make_server(port: int) -> ChatServer:
    """Port 0 takes a free one."""
    return ChatServer(("127.0.0.1", port))


def main(port: int = 55555) -> None:
    """Serve until Ctrl-C."""
    with make_server(port) as server, suppress(KeyboardInterrupt):
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
