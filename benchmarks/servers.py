"""The servers under test: started as processes of their own, measured through /proc, ended by their own id."""

from __future__ import annotations

import os
import re
import resource
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.wire import Address, LoadError

COMMANDS: dict[str, list[str]] = {
    "pychat": [sys.executable, "-m", "pychat", "serve", "--port", "0", "--no-flood-control"],
    "tutorial": [sys.executable, "-m", "benchmarks.tutorial_server"],
    "blast": [sys.executable, "-m", "benchmarks.blast_server"],
}
"""How to start each of them; they print `nc 127.0.0.1 PORT` when they listen."""

_LISTENING = re.compile(rb"nc 127\.0\.0\.1 (\d+)")
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """KiB, from /proc/PID/status."""

    resident: int
    peak: int


@dataclass(frozen=True)
class Server:
    """A server that can be loaded and, if its process is known, measured."""

    name: str
    address: Address
    pid: int | None = None

    def cpu(self) -> float | None:
        """Return the processor seconds (user and system) that it has used so far."""
        if self.pid is None:
            return None
        # The second field is the name in parentheses and may contain spaces; utime and stime are fields 14 and 15.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> Memory | None:
        """Return what it has in memory now, and the most it ever had."""
        if self.pid is None:
            return None
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
        return Memory(int(found["VmRSS"]), int(found["VmHWM"]))


def raise_file_limit(needed: int) -> None:
    """Let this process, and those that it starts, open so many files and some more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed + 256
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise LoadError(f"{wanted} open files are needed, but only {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@contextmanager
def running(name: str) -> Iterator[Server]:
    """Start one of `COMMANDS`, yield it when it listens, and end it."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            COMMANDS[name], cwd=_ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
        )
        try:
            assert process.stdout is not None
            yield Server(name, ("127.0.0.1", _wait_for_port(name, process.stdout, errors)), process.pid)
        finally:
            _stop(process)


def _wait_for_port(name: str, output: IO[bytes], errors: IO[bytes]) -> int:
    give_up = time.monotonic() + _START_SECONDS
    printed = b""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while (left := give_up - time.monotonic()) > 0:
            if not selector.select(left):
                break
            data = os.read(output.fileno(), 65536)
            printed += data
            if match := _LISTENING.search(printed[: printed.rfind(b"\n") + 1]):
                return int(match[1])
            if not data:
                break
    errors.seek(0)
    said = (printed + errors.read()).decode(errors="replace").strip()
    raise LoadError(f"{name} did not start: {said[-500:] or 'it printed nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
