"""
`pychat serve`: bind the server, print how to join, and run it until a signal ends it.

Changes to the process, which a program may make and a library may not, are here and in `signals.py`: stack size,
processor, switch interval, signals.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pychat.cli.addresses import EVERYWHERE, Access, how_to_join, near, why_not_bound
from pychat.cli.config_file import limits_by_option
from pychat.cli.secrets import is_readable_by_others
from pychat.cli.server.build import build, check_machine
from pychat.cli.server.log_format import set_up
from pychat.cli.server.machine import bind_to_processor
from pychat.cli.server.options import CannotServe, Plan
from pychat.cli.server.reload import reload
from pychat.cli.server.signals import Signals, Wish
from pychat.cli.server.warnings import DiskWatch, doubts
from pychat.cli.streams import say_on_stderr, say_on_stdout
from pychat.core import stats
from pychat.core.worker_pool import Workers
from pychat.model.cloaks import UNIX
from pychat.server import ChatServer
from pychat.stores.sqlite.file_lock import files_of
from pychat.version import __version__

logger = logging.getLogger("pychat")

ENTRY_POINTS: Final = "pychat.handlers"

# Unused stack costs nothing, so this bounds address space only: 10,000 threads need 10 GB of it instead of 80. Less is
# too little for handlers that recurse through C (1000 levels of re.sub with a function take 512 KiB), and a stack of 2
# MiB or more may be given a huge page, which is 2 MiB resident.
_STACK_BYTES: Final = 2**20
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
"""Parameters of glibc's mallopt(3)."""
_GARBAGE: Final = 5000, 10, 50
"""The thresholds of the garbage collector: a full collection stops all threads, for 0.1 s with many people."""
_NICE: Final = 10
"""The niceness of threads that hash passwords, so that guessing passwords does not starve other users."""
_TICK_SECONDS: Final = 1.0
_LEAST_SWITCH_SECONDS: Final = 0.001
_SWITCH_SECONDS_OF_1000: Final = 0.01
"""With 1000 connections; it grows with the square of their number, as does the work of waking all threads."""
_MOST_SWITCH_SECONDS: Final = 0.5
_LACKS: Final = {
    (False, False): "password or TLS",
    (False, True): "a password",
    (True, False): "TLS, so it can be overheard",
    (True, True): None,
}
"""The missing protection of a server that listens everywhere, by whether it has a password, and TLS."""


def run(plan: Plan, plan_again: Callable[[], Plan], doubtful: Sequence[str] = ()) -> None:
    """
    Serve until SIGINT, SIGTERM, or the end of the terminal. Must be called on the main thread.

    Args:
        plan_again: Reads the options again on SIGHUP; raises `CannotServe` if they are wrong.
        doubtful: Additional warnings.

    Raises:
        CannotServe: If the address cannot be used, or a file cannot be read.
        CannotOpen: If the file for the record cannot be used.
        NoHandler, BadSecret, BadCertificate, Refused: See `build`.
    """
    set_up(plan.log_level, plan.log_format)
    check_machine(plan)
    bind_to_processor(plan.cpu)
    threading.stack_size(_STACK_BYTES)
    bound_memory()
    Workers.stand_back = staticmethod(stand_back)
    with Signals() as signals:
        server = build(plan)
        try:
            server.start()
            gc.set_threshold(*_GARBAGE)
            gc.freeze()  # these objects stay, so the collector need not examine them again
        except (OSError, ValueError) as error:  # the latter: a name that cannot be a host
            raise CannotServe(why_not_bound(plan.host, plan.port, error)) from error
        try:
            access = access_to(server)
            for warning in [*doubtful, *warnings(plan, access)]:
                if plan.log_format == "json":
                    logger.warning("%s", warning)
                else:
                    say_on_stderr(f"warning: {warning}")
            room = server.chat.default_room.name
            port = None if plan.port is None else server.port
            joining = how_to_join(server.chat.name, plan.host, port, room, access)
            say_on_stdout([*joining, "Press Ctrl-C to stop it."])
            record = "in memory" if plan.db is None else repr(str(plan.db))
            where = plan.host if port is None else f"{plan.host or '*'} port {port}"
            logger.info("pychat %s serves at %s, process %d, record %s", __version__, where, os.getpid(), record)
            disk = DiskWatch(plan.db)
            while (wish := signals.wait(_TICK_SECONDS)) is not Wish.END:
                if wish is Wish.RELOAD:
                    plan = reload(server, plan, plan_again)
                elif wish is Wish.REPORT:
                    for line in stats.lines_of(server.chat):
                        logger.info("%s", line)
                disk.look()
                # Every thread that waits for the interpreter wakes each interval; thousands of them would do nothing
                # else (docs/architecture.md).
                wanted = _switch_seconds(server.connections if plan.threads == "each" else 0)
                if wanted != sys.getswitchinterval():
                    sys.setswitchinterval(wanted)
        finally:
            server.stop()
            logger.info("the server has ended")


def bound_memory() -> None:
    """
    Make the system's allocator return unused memory; does nothing without glibc.

    It keeps up to eight heaps per processor, one for each thread that allocates at the wrong moment, and memory freed
    in the middle of a heap is never returned. After the first hashed password it would also allocate the 16 MiB for
    each further one from such a heap.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_MMAP_THRESHOLD, 2**20)


def stand_back() -> None:
    """Lower the priority of the calling thread, where threads have a niceness of their own (Linux)."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _switch_seconds(connections: int) -> float:
    """Return how long a thread may hold the interpreter while others wait for it."""
    wanted = _SWITCH_SECONDS_OF_1000 * (connections / 1000) ** 2
    return min(max(wanted, _LEAST_SWITCH_SECONDS), _MOST_SWITCH_SECONDS)


def access_to(server: ChatServer) -> Access:
    """Return what people need to know to join."""
    service = server.service
    fingerprint = None if service.tls is None else service.tls.fingerprint
    at = UNIX if server.address_family == socket.AF_UNIX else near(str(server.server_address[0]))
    return Access(service.chat.password is not None, fingerprint, service.tls_required, at in service.proxies)


def warnings(plan: Plan, access: Access) -> list[str]:
    """Return the warnings for the administrator who starts the server."""
    texts = doubts(limits_by_option(plan.limits))
    lacks = _LACKS[access.has_password, access.fingerprint is not None]
    if plan.host in EVERYWHERE and lacks is not None:
        who = "everybody who can reach this machine" + (" and has the password" if access.has_password else "")
        where = f"pychat listens on all its addresses ({plan.host or '0.0.0.0'})"
        texts.append(f"{who} can join: {where} without {lacks}")
    secrets = [("the passwords", plan.oper_file), ("the passwords", plan.password_file)]
    if plan.tls is not None:
        secrets.append(("the key", Path(plan.tls.key or plan.tls.file)))
    if plan.db is not None:
        secrets += [("the messages", path) for path in files_of(plan.db)]
    for what, path in secrets:
        if path is not None and is_readable_by_others(path):
            texts.append(
                f"everybody on this machine can read {what} in {str(path)!r}; "
                "make it readable only for yourself: chmod 600"
            )
    return texts
