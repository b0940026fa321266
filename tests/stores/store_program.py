"""
A chat server with its log in a file, as a program that can be killed: `store_program.py FILE [MOST_BYTES]`.

It prints its port when it listens. With `MOST_BYTES`, no file that it writes can be longer than that, until it reads a
line from its stdin: a disk that is full, and then is not.
"""

from __future__ import annotations

import logging
import resource
import sys
from pathlib import Path

from pychat import ChatServer, StoredAccounts
from pychat.core.accounts.password_hash import Cost
from pychat.handlers import Broadcast, JoinLeaveNotices, NicknameValidator
from pychat.stores import SqliteLog


def main(path: str, most_bytes: str = "") -> None:
    """Serve until it is killed."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), resource.RLIM_INFINITY))
    log = SqliteLog(Path(path))
    handlers = [NicknameValidator(), JoinLeaveNotices(), Broadcast()]
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    server = ChatServer(port=0, log=log, handlers=handlers, accounts=accounts).start()
    print(server.port, flush=True)
    for _ in sys.stdin:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
