"""
What `pychat serve` does with a server: bind it, say how to join, and keep it until a signal ends it.

What a program may do to its own process and a library may not is here and in `signals.py`: the size of stacks, the
processor, the switch interval, signals.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from pychat.cli.addresses import EVERYWHERE, Access, how_to_join, near, why_not_bound
from pychat.cli.logs import set_up
from pychat.cli.plan import CannotServe, NoHandler, Plan, read_lines
from pychat.cli.reloading import reload
from pychat.cli.secret_files import SERVER_PASSWORD_VARIABLE, is_readable_by_others, read_operators, read_password
from pychat.cli.signals import Signals, Wish
from pychat.cli.streams import say_on_stderr, say_on_stdout
from pychat.core.handler import Handler, check_handler
from pychat.core.kept_accounts import KeptAccounts
from pychat.core.log import Log
from pychat.core.text import clean_line
from pychat.core.userhost import UNIX
from pychat.handlers import Broadcast, Commands, FloodControl, History, JoinLeaveNotices, NicknameValidator
from pychat.server import ChatServer
from pychat.stores import SqliteLog

logger = logging.getLogger("pychat")

ENTRY_POINTS: Final = "pychat.handlers"

# What is not touched costs nothing, so this bounds address space only: 10,000 threads need 10 GB of it instead of 80.
# Less is too little for handlers that recurse through C (1000 levels of re.sub with a function take 512 KiB), and a
# stack of 2 MiB and more can be given a huge page, which is 2 MiB resident.
_STACK_BYTES: Final = 2**20
_TICK_SECONDS: Final = 1.0
_LEAST_SWITCH_SECONDS: Final = 0.005
_SWITCH_SECONDS_PER_CONNECTION: Final = 5e-5
_LACKS: Final = {
    (False, False): "password or TLS",
    (False, True): "a password",
    (True, False): "TLS, so it can be overheard",
    (True, True): None,
}
"""What a server that listens everywhere is missing, by whether it has a password, and TLS."""


def build(plan: Plan) -> ChatServer:
    """
    Make the server, and do not bind it yet.

    Raises:
        CannotServe: A file cannot be read.
        CannotOpen: The one for the record cannot be used.
        BadSecret: The password, or those of operators, cannot be used.
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
        None if plan.port is None else (plan.host, plan.port),
        unix=plan.host if plan.port is None else None,
        handlers=handlers,
        limits=plan.limits,
        log=open_log(plan),
        name=clean_line(plan.server_name),
        default_room=plan.rooms[0],
        motd=() if plan.motd is None else read_lines(plan.motd),
        operators=read_operators(plan.oper_file),
        password=read_password(plan.password_file, SERVER_PASSWORD_VARIABLE),
        tls=plan.tls,
        tls_required=plan.tls_required,
        proxies=plan.proxies,
        accounts=KeptAccounts(registers=plan.registration),
    )
    for room in plan.rooms[1:]:
        server.room(room)
    return server


def open_log(plan: Plan) -> Log | None:
    """
    Open the file of the record; None: there is none.

    Raises:
        CannotOpen: It cannot be used.
    """
    if plan.db is None:
        return None
    return SqliteLog(
        plan.db,
        sync=plan.db_sync,
        keep_seconds=plan.keep.seconds,
        keep_bytes=plan.keep.bytes,
        events=plan.limits.history_events,
        chars=plan.limits.history_chars,
    )


def run(plan: Plan, plan_again: Callable[[], Plan]) -> None:
    """
    Serve until SIGINT, SIGTERM, or the end of the terminal. To be called on the main thread.

    Args:
        plan_again: Reads again what the plan was made of, when SIGHUP wants that; raises `CannotServe` if it is wrong.

    Raises:
        CannotServe: The address cannot be had, a file cannot be read.
        CannotOpen: The one for the record cannot be used.
        NoHandler, BadSecret, BadCertificate, InvalidRoomName: See `build`.
    """
    set_up(plan.log_level, plan.log_format)
    bind_to_processor(plan.cpu)
    threading.stack_size(_STACK_BYTES)
    with Signals() as signals:
        server = build(plan)
        try:
            server.start()
        except (OSError, UnicodeError) as error:  # the latter: a name that no host can have
            raise CannotServe(why_not_bound(plan.host, plan.port, error)) from error
        try:
            access = access_to(server)
            for warning in warnings(plan, access):
                say_on_stderr(f"warning: {warning}")
            room = server.chat.default_room.name
            port = None if plan.port is None else server.port
            joining = how_to_join(server.chat.name, plan.host, port, room, access)
            say_on_stdout([*joining, "Ctrl-C ends it."])
            while (wish := signals.wait(_TICK_SECONDS)) is not Wish.END:
                if wish is Wish.RELOAD:
                    plan = reload(server, plan, plan_again)
                # Every thread that waits for the interpreter wakes each interval; with thousands of them, that is all
                # they do (docs/architecture.md).
                wanted = max(_LEAST_SWITCH_SECONDS, server.connections * _SWITCH_SECONDS_PER_CONNECTION)
                if wanted != sys.getswitchinterval():
                    sys.setswitchinterval(wanted)
        finally:
            server.stop()


def access_to(server: ChatServer) -> Access:
    """What people must know to come in."""
    fingerprint = None if server.tls is None else server.tls.fingerprint
    at = UNIX if server.address_family == socket.AF_UNIX else near(str(server.server_address[0]))
    return Access(server.chat.password is not None, fingerprint, server.tls_required, at in server.proxies)


def warnings(plan: Plan, access: Access) -> list[str]:
    """What the one who starts the server should know."""
    texts = []
    lacks = _LACKS[access.has_password, access.fingerprint is not None]
    if plan.host in EVERYWHERE and lacks is not None:
        who = "everybody who can reach this machine" + (" and has the password" if access.has_password else "")
        where = f"pychat listens on all its addresses ({plan.host or '0.0.0.0'})"
        texts.append(f"{who} can join: {where} without {lacks}")
    secrets = [("the passwords", plan.oper_file), ("the passwords", plan.password_file)]
    if plan.tls is not None:
        secrets.append(("the key", Path(plan.tls.key or plan.tls.file)))
    for what, path in secrets:
        if path is not None and is_readable_by_others(path):
            texts.append(
                f"everybody on this machine can read {what} in {str(path)!r}; "
                "make it readable for yourself alone: chmod 600"
            )
    return texts


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
