"""
What `pychat serve` does with a server: bind it, say how to join, and keep it until a signal ends it.

What a program may do to its own process and a library may not is here: signals, the log, the size of stacks, the
processor, the switch interval.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import signal
import socket
import sys
import threading
from enum import Enum
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, NamedTuple

from pychat.core.chat import lines_of
from pychat.core.errors import ChatError
from pychat.core.handler import Handler, check_handler
from pychat.core.limits import Limits
from pychat.core.text import clean_line
from pychat.handlers import Broadcast, Commands, FloodControl, History, JoinLeaveNotices, NicknameValidator
from pychat.options import OPERATOR_VARIABLE, is_readable_by_others, read_operators
from pychat.server import ChatServer
from pychat.transport.trust import BadCertificate, Certificate

logger = logging.getLogger("pychat")

ENTRY_POINTS: Final = "pychat.handlers"

# What is not touched costs nothing, so this bounds address space only: 10,000 threads need 10 GB of it instead of 80.
# Less is too little for handlers that recurse through C (1000 levels of re.sub with a function take 512 KiB), and a
# stack of 2 MiB and more can be given a huge page, which is 2 MiB resident.
_STACK_BYTES: Final = 2**20
_TICK_SECONDS: Final = 1.0
_MOST_SIGNALS: Final = 64
"""That are looked at together."""
_LEAST_SWITCH_SECONDS: Final = 0.005
_SWITCH_SECONDS_PER_CONNECTION: Final = 5e-5
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # what they mean is why they are here


class CannotServe(ChatError):
    """The server cannot be started; `str(error)` says why and what to do."""


class NoHandler(ChatError):
    """What was named is no handler that can be used."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"handler {self.name!r}: {self.problem}"


class Plan(NamedTuple):
    """What the options of `pychat serve` say."""

    host: str
    port: int
    rooms: tuple[str, ...]
    server_name: str
    motd: Path | None
    oper_file: Path | None
    limits: Limits
    flood_control: bool
    handlers: tuple[str, ...]
    cpu: int | None
    tls: Certificate | None = None
    tls_required: bool = False


def build(plan: Plan) -> ChatServer:
    """
    Make the server, and do not bind it yet.

    Raises:
        CannotServe: A file cannot be read.
        BadOperators: The names and passwords of operators cannot be used.
        BadCertificate: The certificate or its key cannot be used.
        NoHandler: A handler cannot be loaded or used.
        InvalidRoomName: One of the rooms cannot exist.
    """
    handlers: list[Handler] = [NicknameValidator()]
    if plan.flood_control:
        handlers.append(FloodControl())
    handlers += [JoinLeaveNotices(), Broadcast(), History(), Commands()]
    handlers += [*_load_entry_points(), *map(load_handler, plan.handlers)]
    server = ChatServer(
        host=plan.host,
        port=plan.port,
        handlers=handlers,
        limits=plan.limits,
        name=clean_line(plan.server_name),
        default_room=plan.rooms[0],
        motd=() if plan.motd is None else _read_lines(plan.motd),
        operators=read_operators(plan.oper_file, os.environ.get(OPERATOR_VARIABLE)),
        tls=plan.tls,
        tls_required=plan.tls_required,
    )
    for room in plan.rooms[1:]:
        server.room(room)
    return server


def run(plan: Plan) -> None:
    """
    Serve until SIGINT, SIGTERM, or the end of the terminal. To be called on the main thread.

    Raises:
        CannotServe: The address cannot be had, a file cannot be read.
        NoHandler, BadOperators, BadCertificate, InvalidRoomName: See `build`.
    """
    bind_to_processor(plan.cpu)
    threading.stack_size(_STACK_BYTES)
    with _Signals() as signals:
        server = build(plan)
        try:
            server.start()
        except OSError as error:
            raise CannotServe(_why_not_bound(plan, error)) from error
        try:
            if plan.host in _EVERYWHERE:
                say_on_stderr(
                    f"warning: everybody who can reach this machine can join: pychat listens on all its addresses "
                    f"({plan.host or '0.0.0.0'}) without {'password or TLS' if plan.tls is None else 'a password'}"
                )
            if plan.oper_file is not None and is_readable_by_others(plan.oper_file):
                say_on_stderr(
                    f"warning: everybody on this machine can read the passwords in {str(plan.oper_file)!r}; "
                    "make it readable for yourself alone: chmod 600"
                )
            if plan.tls is not None and is_readable_by_others(Path(plan.tls.key or plan.tls.file)):
                say_on_stderr(
                    f"warning: everybody on this machine can read the key in {str(plan.tls.key or plan.tls.file)!r}; "
                    "make it readable for yourself alone: chmod 600"
                )
            say_on_stdout(how_to_join(server, plan.host))
            while (wish := signals.wait(_TICK_SECONDS)) is not _Wish.END:
                if wish is _Wish.RELOAD:
                    reload(server, plan)
                # Every thread that waits for the interpreter wakes each interval; with thousands of them, that is all
                # they do (docs/architecture.md).
                wanted = max(_LEAST_SWITCH_SECONDS, server.connections * _SWITCH_SECONDS_PER_CONNECTION)
                if wanted != sys.getswitchinterval():
                    sys.setswitchinterval(wanted)
        finally:
            server.stop()


def reload(server: ChatServer, plan: Plan) -> None:
    """Read the message of the day and the certificate again; if one cannot be used, what it was before stays."""
    try:
        if plan.motd is not None:
            server.chat.motd = lines_of(_read_lines(plan.motd))
        server.reload_tls()
    except (CannotServe, BadCertificate) as error:
        logger.error("%s; what was read before stays in use", error)
    else:
        logger.info("message of the day and certificate were read again")


def how_to_join(server: ChatServer, host: str) -> list[str]:
    """The lines that `serve` prints when it listens."""
    port = server.port
    lines = [f"{server.chat.name} listens on {host or '0.0.0.0'} port {port}. Join it from another terminal:"]
    near = "::1" if host == "::" else "127.0.0.1" if host in _EVERYWHERE else host
    lines += _commands(server, near)
    if host in _EVERYWHERE:
        lines += ["or from another machine:", *_commands(server, socket.gethostname())]
    channel = "#" + server.chat.default_room.name
    if server.tls_required:
        irc = f"In irssi, type: /connect -tls {near} {port}, then: /join {channel}"
    else:
        irc = f"In irssi, or any other IRC client without TLS, then type: /join {channel}"
    return [*lines, irc, "Ctrl-C ends it."]


def _commands(server: ChatServer, host: str) -> list[str]:
    port = server.port
    where = ("" if host == "127.0.0.1" else f" --host {host}") + ("" if port == 55555 else f" --port {port}")
    plain = [
        f"    nc {host} {port}",
        f"    pychat connect --nick NAME{where}",
        f"    irssi -c {host} -p {port}",
    ]
    if server.tls is None:
        return plain
    over_tls = [
        f"    pychat connect --nick NAME{where} --tls-fingerprint {server.tls.fingerprint}",
        f"    openssl s_client -quiet -connect {_with_port(host, port)}",
    ]
    return over_tls if server.tls_required else [*plain, "or, so that nobody on the way can listen:", *over_tls]


def _with_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def say_on_stdout(lines: list[str]) -> None:
    """Print lines at once; a stdout that nobody reads any more is no reason to end."""
    if sys.stdout is None:
        return
    try:
        print(*lines, sep="\n", flush=True)
    except (OSError, ValueError):
        # What is left in the buffer would fail again at exit.
        silence(sys.stdout.fileno())


def say_on_stderr(line: str) -> None:
    """Print a line, if there is a stderr; `print` would take stdout if there is none."""
    if sys.stderr is not None:
        print(line, file=sys.stderr)


def silence(descriptor: int) -> None:
    """Let what is written to a broken stdout go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def bind_to_processor(cpu: int | None) -> None:
    """Let the process, and all threads that it starts from now on, run on one processor; None: leave it."""
    if cpu is None:
        return
    if not hasattr(os, "sched_setaffinity"):
        raise CannotServe("this system cannot bind a process to a processor; leave out --cpu")
    try:
        os.sched_setaffinity(0, {cpu})
    except (OSError, ValueError):
        usable = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        raise CannotServe(f"there is no processor {cpu} here; --cpu can be: {usable}") from None


def load_handler(name: str) -> Handler:
    """
    Import `package.module:Class` and make one, without arguments.

    Raises:
        NoHandler: It cannot be imported, is no handler class, or one that cannot be used.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise NoHandler(name, "write it as package.module:Class")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))  # at the end, so that no file there hides a library
    try:
        target: object = import_module(module_name)
        for part in attribute.split("."):
            target = getattr(target, part)
    except Exception as error:
        raise NoHandler(name, f"it cannot be imported: {type(error).__name__}: {error}") from error
    return _make(name, target)


def _load_entry_points() -> list[Handler]:
    handlers = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            target = point.load()
        except Exception as error:
            raise NoHandler(point.value, f"the entry point {point.name!r} fails: {error}") from error
        handlers.append(_make(point.value, target))
    return handlers


def _make(name: str, target: object) -> Handler:
    if not (isinstance(target, type) and issubclass(target, Handler)):
        raise NoHandler(name, "it is no class derived from pychat.Handler")
    try:
        return check_handler(target())
    except Exception as error:
        raise NoHandler(name, str(error)) from error


def _read_lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", errors="replace").rstrip().split("\n")
    except OSError as error:
        raise CannotServe(f"cannot read {str(path)!r}: {error.strerror}") from error


def _why_not_bound(plan: Plan, error: OSError) -> str:
    where = f"{plan.host or '0.0.0.0'} port {plan.port}"
    if isinstance(error, socket.gaierror):
        return f"no address is known for host {plan.host!r}; use one of this machine, 127.0.0.1 or 0.0.0.0"
    advice = {
        errno.EADDRINUSE: "it is in use, perhaps by another pychat; choose another with --port, or 0 for any free one",
        errno.EACCES: "only the administrator may use ports below 1024; choose another with --port",
        errno.EADDRNOTAVAIL: "this machine does not have that address; use 127.0.0.1, or 0.0.0.0 for all that it has",
    }
    return f"cannot listen on {where}: {advice.get(error.errno or 0, error.strerror or str(error))}"


class _Wish(Enum):
    """What a signal wants of the server."""

    RELOAD = "reload"
    END = "end"


class _Signals:
    """
    Waits for the signals that a server knows.

    SIGHUP means two things: read your files again, and: your terminal is gone. The first one is meant where there is
    no terminal, or still one.

    The interpreter writes a byte for each signal, so nothing runs in a handler, where a lock that the interrupted
    code holds could never be had.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._had_terminal = _has_terminal()

    def __enter__(self) -> _Signals:
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _do_nothing)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # it is, under nohup
            signal.signal(signal.SIGHUP, _do_nothing)
        return self

    def __exit__(self, *args: object) -> None:
        signal.set_wakeup_fd(-1)
        self._receiver.close()
        self._sender.close()

    def wait(self, timeout: float) -> _Wish | None:
        """Wait for signals, and return what they want; None if none came in time."""
        if not select.select([self._receiver], [], [], timeout)[0]:
            return None
        numbers = set(self._receiver.recv(_MOST_SIGNALS))
        if numbers == {signal.SIGHUP} and not (self._had_terminal and not _has_terminal()):
            return _Wish.RELOAD
        return _Wish.END


def _has_terminal() -> bool:
    """Whether a terminal controls this process."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _do_nothing(number: int, frame: object) -> None:
    """The byte was written already."""
