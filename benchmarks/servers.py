"""The servers under test: started as processes of their own, measured through /proc, and ended by their own id."""

from __future__ import annotations

import os
import re
import resource
import secrets
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.errors import LoadError
from benchmarks.languages import IRC, TEXT, Language
from benchmarks.peers import PEERS
from benchmarks.wire import Address
from pychat.cli.server.certificate import LOCAL_NAMES, make_certificate

_SERVE = [sys.executable, "-m", "pychat", "serve", "--port", "0"]
_PYCHAT = [*_SERVE, "--no-flood-control"]
COMMANDS: dict[str, list[str]] = {
    "pychat": _PYCHAT,
    "pychat-db": [sys.executable, "-m", "benchmarks.store_server"],
    "pychat-irc": _PYCHAT,
    "pychat-json": _PYCHAT,
    "pychat-tls": _PYCHAT,
    "tutorial": [sys.executable, "-m", "benchmarks.tutorial_server"],
    "blast": [sys.executable, "-m", "benchmarks.blast_server"],
}
"""The commands of this project's servers; they print `nc 127.0.0.1 PORT` when they listen."""

IRC_SERVERS = ("pychat-irc", *PEERS)
"""The servers that are measured in IRC."""
_FOR_SILENT_MEMBERS = ("pychat-json", "pychat-tls")
"""pychat for clients that only register and wait: with JSON, and with IRC over TLS."""
ALL_SERVERS = (*COMMANDS, *PEERS)
SERVERS = tuple(name for name in ALL_SERVERS if name not in _FOR_SILENT_MEMBERS)
"""Those that can be loaded with messages."""

_LISTENING = re.compile(rb"(?:nc 127\.0\.0\.1|listens on 127\.0\.0\.1 port) (\d+)")
_START_SECONDS = 20.0
_POLL_SECONDS = 0.02
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
    language: Language = TEXT

    def cpu(self) -> float | None:
        """Return the processor seconds (user and system) that it has used so far."""
        return None if self.pid is None else cpu_of(self.pid)

    def memory(self) -> Memory | None:
        """Return its current and its peak memory."""
        if self.pid is None:
            return None
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
        return Memory(int(found["VmRSS"]), int(found["VmHWM"]))

    def threads(self) -> int | None:
        """Return the number of its threads."""
        return None if self.pid is None else len([*Path(f"/proc/{self.pid}/task").iterdir()])

    def forget_peak(self) -> None:
        """Reset `Memory.peak` to the current memory."""
        if self.pid is not None:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # proc(5)


def cpu_of(pid: int) -> float:
    """Return the processor seconds (user and system) that a process has used so far."""
    # The second field is the name in parentheses and may contain spaces; utime and stime are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def raise_file_limit(needed: int) -> None:
    """Raise the limit of open files for this process and its children to `needed` and some more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed + 256
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise LoadError(f"{wanted} open files are needed, but only {hard} are allowed (ulimit -n)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@contextmanager
def running(name: str, *options: str) -> Iterator[Server]:
    """Start one of `ALL_SERVERS`, yield it when it listens, and end it; options are for those of this project only."""
    with ExitStack() as stack:
        if name == "pychat-tls":
            options = (*options, *stack.enter_context(certified()))
        yield stack.enter_context(_peer(name) if name in PEERS else _own(name, [*COMMANDS[name], *options]))


@contextmanager
def certified() -> Iterator[tuple[str, ...]]:
    """Make a certificate, yield the options of `pychat serve` for it, and delete it."""
    with tempfile.TemporaryDirectory(prefix="pychat-benchmark-") as directory:
        made = make_certificate(LOCAL_NAMES, 1, Path(directory))
        yield "--tls-cert", str(made.certificate), "--tls-key", str(made.key)


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Start `pychat serve` as in normal use, with flood control; otherwise like `running`."""
    with _own("pychat", [*_SERVE, *options]) as server:
        yield server


@contextmanager
def _own(name: str, command: Sequence[str]) -> Iterator[Server]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert process.stdout is not None
            port = _wait_for_port(name, process.stdout, errors)
            yield Server(name, ("127.0.0.1", port), process.pid, IRC if name in IRC_SERVERS else TEXT)
        finally:
            _stop(process)


@contextmanager
def _peer(name: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="pychat-benchmark-") as directory, tempfile.TemporaryFile() as log:
        address: Address = "127.0.0.1", _free_port()
        command = PEERS[name](Path(directory), address[1])
        process = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_until_it_listens(name, address, process, log)
            yield Server(name, address, process.pid, IRC)
        finally:
            _stop(process)


def _free_port() -> int:
    """Return a free port below those that the system gives to others, because the server needs a while to take it."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _wait_until_it_listens(name: str, address: Address, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        try:
            socket.create_connection(address, timeout=1.0).close()
        except OSError:
            time.sleep(_POLL_SECONDS)  # another program offers no event to wait for
        else:
            return
    log.seek(0)
    raise _did_not_start(name, log.read())


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
    raise _did_not_start(name, printed + errors.read())


def _did_not_start(name: str, printed: bytes) -> LoadError:
    said = printed.decode(errors="replace").strip()
    return LoadError(f"{name} did not start: {said[-500:] or 'it printed nothing'}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
