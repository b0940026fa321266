"""
Build the server that the options of `pychat serve` describe: to serve, or only to check that it could be started.

Checks of a plan (`config`, `doctor`, SIGHUP) run the same code as `serve`, up to listening.
"""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from pychat.cli.addresses import why_not_bound
from pychat.cli.secrets import SERVER_PASSWORD_VARIABLE, read_operators, read_password
from pychat.cli.server.machine import try_address, try_processor
from pychat.cli.server.options import CannotServe, NoHandler, Plan, read_lines
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.handler import Handler, check_handler
from pychat.core.log.log import Log
from pychat.handlers import Broadcast, Commands, FloodControl, History, JoinLeaveNotices, NicknameValidator
from pychat.model.errors import Refused
from pychat.model.names import check_room
from pychat.model.text import clean_line
from pychat.server import ChatServer
from pychat.server.reload import make_tls
from pychat.stores import SqliteLog, check_file

ENTRY_POINTS: Final = "pychat.handlers"


def try_out(plan: Plan, running: Plan | None = None) -> ChatServer:
    """
    Build the server and return it closed, without any lasting change. Another server may run meanwhile.

    Args:
        running: The plan that this process serves. Resources that it already has are not checked again.

    Raises:
        CannotServe, CannotOpen: See `check_machine`.
        BadSecret, BadCertificate, NoHandler, Refused: See `build`.
    """
    check_machine(plan, running)
    made = plan._replace(db=None)
    if running is not None:
        made = made._replace(handlers=tuple(name for name in plan.handlers if name not in running.handlers))
    server = build(made, installed=running is None)
    server.server_close()
    return server


def check_machine(plan: Plan, running: Plan | None = None) -> None:
    """
    Check that processor, address and file of a plan exist. They may be in use.

    Args:
        running: See `try_out`.

    Raises:
        CannotServe: If this machine has no such processor or address.
        CannotOpen: If the file for the record cannot be used.
    """
    if plan.cpu is not None and (running is None or plan.cpu != running.cpu):
        try_processor(plan.cpu)
    if running is None or (plan.host, plan.port) != (running.host, running.port):
        try:
            try_address(plan.host, plan.port)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) != errno.EADDRINUSE:
                raise CannotServe(why_not_bound(plan.host, plan.port, error)) from error
    if plan.db is not None and (running is None or plan.db != running.db):
        check_file(plan.db)


def build(plan: Plan, *, installed: bool = True) -> ChatServer:
    """
    Build the server without binding it.

    Args:
        installed: True to add the handlers of installed packages.

    Raises:
        CannotServe: If a file cannot be read.
        CannotOpen: If the file for the record cannot be used.
        BadSecret: If the password, or those of operators, cannot be used.
        BadCertificate: If the certificate or its key cannot be used.
        NoHandler: If a handler cannot be loaded or used.
        InvalidRoomName: If one of the rooms is invalid.
        LimitExceeded: If there are too many rooms.
    """
    for room in plan.rooms:
        check_room(room, plan.limits)
    handlers: list[Handler] = [NicknameValidator()]
    if plan.flood_control:
        handlers.append(FloodControl())
    handlers += [JoinLeaveNotices(), Broadcast(), History(), Commands()]
    handlers += [*(_load_entry_points() if installed else []), *map(load_handler, plan.handlers)]
    motd = () if plan.motd is None else read_lines(plan.motd)
    operators = read_operators(plan.oper_file)
    password = read_password(plan.password_file, SERVER_PASSWORD_VARIABLE)
    if plan.tls is not None:
        make_tls(plan.tls)
    server = ChatServer(
        None if plan.port is None else (plan.host, plan.port),
        unix=plan.host if plan.port is None else None,
        handlers=handlers,
        limits=plan.limits,
        log=open_log(plan),  # everything else is valid by now: a server that does not start creates no file
        name=clean_line(plan.server_name),
        description=plan.server_description,
        default_room=plan.rooms[0],
        motd=motd,
        operators=operators,
        password=password,
        tls=plan.tls,
        tls_required=plan.tls_required,
        proxies=plan.proxies,
        accounts=StoredAccounts(registers=plan.registration),
        threads=plan.threads,
    )
    try:
        for room in plan.rooms[1:]:
            server.room(room)
    except Refused:
        server.stop()
        raise
    return server


def open_log(plan: Plan) -> Log | None:
    """
    Open the file of the record; return None if there is none.

    Raises:
        CannotOpen: If it cannot be used.
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


def load_handler(name: str) -> Handler:
    """
    Import `package.module:Class` and create an instance, without arguments.

    Raises:
        NoHandler: If it cannot be imported, is not a handler class, or cannot be used.
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
        raise NoHandler(name, "it is not a class derived from pychat.Handler")
    try:
        return check_handler(target())
    except Exception as error:
        raise NoHandler(name, str(error)) from error
