"""
pychat with its log in a file, as a program: `python -m benchmarks.store_server`.

The file is in a temporary directory, which is deleted at the end. The handlers are those of `pychat serve
--no-flood-control`.
"""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from pychat.handlers import Broadcast, Commands, History, JoinLeaveNotices, NicknameValidator
from pychat.server import ChatServer
from pychat.stores import SqliteLog


def main() -> None:
    """Serve until a signal ends it; print `nc 127.0.0.1 PORT`."""
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with tempfile.TemporaryDirectory(prefix="pychat-store-") as directory:
        log = SqliteLog(Path(directory) / "chat.db")
        handlers = [NicknameValidator(), JoinLeaveNotices(), Broadcast(), History(), Commands()]
        with ChatServer(port=0, handlers=handlers, log=log) as server:
            server.start()
            print(f"nc 127.0.0.1 {server.port}", flush=True)
            signal.sigwait(signals)


if __name__ == "__main__":
    main()
