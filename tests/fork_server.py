"""
A fork server for the tests: it has imported `pychat`, and each program that it starts is a fork of itself.

Importing takes 0.2 s of processor time, and the tests start a thousand programs; a fork takes 0.02 s. A fork has the
arguments, environment, directory, files and limit of descriptors of a program that is started by its name, runs
`pychat.__main__`, and ends as a program ends. Whatever Python reads before it imports anything must be that of the fork
server: a program with another `PYTHONPATH` or locale is started by its name instead, and with `PYCHAT_TESTS_EXEC=1` all
of them are.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import resource
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

_PRELOADED: Final = (
    "pychat.__main__",
    "pychat.cli.accounts",
    "pychat.cli.history",
    "pychat.cli.server.certificate",
    "pychat.cli.server.serve",
    "pychat.core.accounts.administration",
    "pychat.stores.sqlite.check",
    "pychat.terminal",
    "pychat.transport.tls",
)
_READ_AT_START: Final = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_", "OPENSSL_", "SSL_")
"""Beginnings of the names of variables that are read before a program could read them itself."""
_START_SECONDS: Final = 60.0
"""The deadline for a fork; the first one waits for the imports."""
_MOST_BYTES: Final = 2**17
"""The maximum size of a request, which the system must take in one piece."""


class ForkServer:
    """The process from which programs are forked. Not for several threads."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """
        Args:
            environment: That of the programs, except for variables that Python reads only later.
        """
        self._settings = _settings(environment)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                stdin=subprocess.PIPE,  # not a file or terminal, like most that a program gets instead
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                pass_fds=[theirs.fileno()],
            )

    def can_start(self, environment: Mapping[str, str]) -> bool:
        """Return whether a program with this environment can be a fork."""
        return _settings(environment) == self._settings

    def start(
        self,
        arguments: Sequence[str],
        files: tuple[int, int, int],
        environment: Mapping[str, str],
        directory: Path,
        *,
        terminal: bool = False,
        changes: Sequence[tuple[str, str, float]] = (),
    ) -> ForkedProcess:
        """
        Start `pychat` with these arguments, in this directory.

        Args:
            files: Its stdin, stdout and stderr.
            terminal: True to make its stdin its terminal, in a session of its own.
            changes: Other values for names in modules: module, name and value.
        """
        request = {
            "arguments": arguments,
            "environment": dict(environment),
            "directory": str(directory),
            "descriptors": resource.getrlimit(resource.RLIMIT_NOFILE),
            "terminal": terminal,
            "changes": list(changes),
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            socket.send_fds(self._control, [json.dumps(request).encode()], [theirs.fileno(), *files])
        return ForkedProcess(ours)

    def close(self) -> None:
        """End the fork server; programs go on."""
        self._control.close()
        self._process.communicate()


class ForkedProcess:
    """A program that a `ForkServer` has started; as `subprocess.Popen`, without its streams."""

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        """Brings the process id, and, when the program has ended, its exit code."""
        told.settimeout(_START_SECONDS)
        self.pid = int(told.recv(100))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit code, or None while the program runs."""
        return self._read(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """
        Wait for the end of the program, and return its exit code; that of a signal is negative.

        Raises:
            TimeoutError: If it has not ended within `timeout` seconds.
        """
        code = self._read(timeout)
        if code is None:
            raise TimeoutError(f"process {self.pid} has not ended within {timeout} s")
        return code

    def send_signal(self, sig: int) -> None:
        """Send the program a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and this is on its way
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _read(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                self.returncode = int(self._told.recv(100))
            except (BlockingIOError, TimeoutError):
                return None
            self._told.close()
        return self.returncode


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


# In the fork server


class _Running(NamedTuple):
    """A program that has been started."""

    pid: int
    told: socket.socket
    """Takes its process id, and later its exit code."""


def _serve(control: socket.socket) -> dict[str, Any] | None:
    """Start what is asked for, until the tests have ended. Return the request in a fork, and None otherwise."""
    running: dict[int, _Running] = {}
    """By a descriptor that is readable when the program has ended."""
    with selectors.DefaultSelector() as selector, control:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if (ended := running.pop(key.fd, None)) is not None:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _tell_end(ended)
                    continue
                text, descriptors, _, _ = socket.recv_fds(control, _MOST_BYTES, 4)
                if not text:
                    return None
                told, files = socket.socket(fileno=descriptors[0]), descriptors[1:]
                if (pid := os.fork()) == 0:
                    for end, other in running.items():
                        os.close(end)
                        other.told.close()
                    told.close()
                    _take(files)
                    request: dict[str, Any] = json.loads(text)
                    return request
                for file in files:
                    os.close(file)
                told.send(b"%d" % pid)
                end = os.pidfd_open(pid)
                running[end] = _Running(pid, told)
                selector.register(end, selectors.EVENT_READ)


def _tell_end(program: _Running) -> None:
    _, status = os.waitpid(program.pid, 0)
    with program.told, contextlib.suppress(BrokenPipeError):  # if nobody wants to know any more
        program.told.send(b"%d" % os.waitstatus_to_exitcode(status))


def _take(files: Sequence[int]) -> None:
    """Make these the stdin, stdout and stderr."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)


def _become(request: dict[str, Any]) -> None:
    """Make this process what it would be if it had been started by its name."""
    if request["terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, request["descriptors"])
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # type: ignore[union-attr]  # it is a TextIOWrapper
    sys.path[0] = request["directory"]
    importlib.invalidate_caches()
    sys.orig_argv[:] = [sys.executable, "-m", "pychat", *request["arguments"]]
    sys.argv[1:] = request["arguments"]
    for module, name, value in request["changes"]:
        setattr(importlib.import_module(module), name, value)


def _leave_modules() -> None:
    """Keep the interpreter from taking modules apart at its end, for which it would copy their memory in each fork."""
    kept = dict(sys.modules)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    for name in kept.keys() - {"sys", "builtins"}:
        del sys.modules[name]


def _main() -> None:
    atexit.register(_leave_modules)  # it is called last, because the programs register what they have later
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then end this process
    for module in _PRELOADED:
        importlib.import_module(module)
    del sys.modules["pychat.__main__"]
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    if request is not None:
        signal.signal(signal.SIGINT, interrupted)
        _become(request)
        runpy.run_module("pychat", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
