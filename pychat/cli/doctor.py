"""`pychat doctor`: look at what `pychat serve` and `pychat connect` need here, and say what is wrong."""

from __future__ import annotations

import errno
import os
import platform
import resource
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

from pychat.cli.addresses import Access, address, commands, near, place, why_not_bound
from pychat.cli.streams import is_terminal
from pychat.core.errors import ConnectFailed, NotPychat, TlsRequired
from pychat.core.limits import Limits
from pychat.protocols.foreign import TLS_SERVER
from pychat.transport.admission import OWN_FILES
from pychat.transport.dial import ask_for_life
from pychat.transport.trust import BadCertificate, Certificate, Trust
from pychat.transport.unix import check_free
from pychat.version import __version__

_ANSWER_SECONDS: Final = 3.0
"""A server on this machine that says nothing for so long is no pychat."""
_UNLIMITED: Final = resource.RLIM_INFINITY
_PER_THREAD_MAPS: Final = 2
"""Areas of memory of a thread: its stack, and the page that guards it."""


class Grade(Enum):
    """How good something is."""

    OK = "ok"
    WARNING = "warning"
    """It works, but not as well as it might."""
    WRONG = "wrong"


class Finding(NamedTuple):
    """What was looked at, and what was found."""

    grade: Grade
    subject: str
    text: str


def examine(host: str, port: int | None) -> Iterator[Finding]:
    """
    Look at everything, for a server that listens at this address or shall do so; takes up to 3 s.

    Args:
        port: None: `host` is the path of a Unix socket.
    """
    yield Finding(Grade.OK, "version", f"pychat {__version__}, Python {platform.python_version()}, {platform.system()}")
    yield check_port(host, port)
    yield check_files()
    yield check_threads()
    yield check_clock(time.time())
    yield check_terminal()


def report(findings: list[Finding]) -> list[str]:
    """The lines that tell of them."""
    width = max(len(finding.subject) for finding in findings)
    return [f"{grade.value:<7}  {subject:<{width}}  {text}" for grade, subject, text in findings]


def joining(host: str, port: int | None) -> list[str]:
    """The lines that tell how to join a server there."""
    return ["Join a server there with one of:", *commands(near(host), port, Access())]


# The port


def check_port(host: str, port: int | None) -> Finding:
    """Whether a pychat server answers there, or one could be started; wrong is whatever is in its way."""
    where, other = address(host, port), "another path" if port is None else "another with --port"
    try:
        ask_for_life(near(host), port, _ANSWER_SECONDS)
    except NotPychat as error:
        text = f"{where} is taken, and not by pychat: {error.reason}; choose {other}"
        return Finding(Grade.WRONG, "port", text)
    except ConnectFailed as error:
        if isinstance(error.__cause__, OSError | UnicodeError):
            return _check_free(host, port)
        return Finding(Grade.WRONG, "port", f"{where} is taken: {error.reason}")
    except TlsRequired:
        text = f"{where} is taken, by {TLS_SERVER}; choose {other}"
        return Finding(Grade.WRONG, "port", text)
    return Finding(Grade.OK, "port", f"a pychat server answers on {where}")


def _check_free(host: str, port: int | None) -> Finding:
    """Nobody answers; see whether a server could listen."""
    try:
        if port is None:
            _try_directory(Path(host))
        else:
            _try_port(host, port)
    except (OSError, UnicodeError) as error:
        text = f"nobody answers, and no server can start here: {why_not_bound(host, port, error)}"
        return Finding(Grade.WRONG, "port", text)
    text = f"{address(host, port)} is free; start a server with: pychat serve{place(host, port)}"
    return Finding(Grade.OK, "port", text)


def _try_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _try_directory(path: Path) -> None:
    """Raise what a server would, as far as that can be known without making its file."""
    check_free(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


# What the system allows


def check_files() -> Finding:
    """A connection takes a descriptor."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = Limits().max_connections
    possible = wanted if soft == _UNLIMITED else min(wanted, max(0, soft - OWN_FILES))
    if possible == wanted:
        return Finding(Grade.OK, "files", f"{wanted} connections can be open")
    enough = wanted + OWN_FILES
    advice = f"ulimit -n {enough}" if hard == _UNLIMITED or hard >= enough else "the administrator can raise the limit"
    return Finding(Grade.WARNING, "files", f"only {possible} connections can be open; for {wanted}: {advice}")


def check_threads() -> Finding:
    """A connection takes a thread."""
    wanted = Limits().max_connections
    limits = {name: limit for name, limit in _thread_limits() if limit < wanted}
    if not limits:
        return Finding(Grade.OK, "threads", f"{wanted} threads, one for each connection, can run")
    name = min(limits, key=lambda name: limits[name])
    return Finding(Grade.WARNING, "threads", f"only {limits[name]} threads can run: {name}")


def _thread_limits() -> Iterator[tuple[str, int]]:
    """Yield what bounds the number of threads here, as far as the system tells."""
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if processes != _UNLIMITED and os.getuid() != 0:  # it does not hold for the administrator
        yield "ulimit -u", processes
    for name, path, each in (
        ("the system's kernel.threads-max", "/proc/sys/kernel/threads-max", 1),
        ("the system's vm.max_map_count", "/proc/sys/vm/max_map_count", _PER_THREAD_MAPS),
        ("pids.max of the container", "/sys/fs/cgroup/pids.max", 1),
    ):
        try:
            yield name, int(Path(path).read_text()) // each
        except (OSError, ValueError):  # another system; "max"
            continue


# Certificates


def check_tls(command: str, options: Mapping[str, object]) -> Iterator[Finding]:
    """Whether what the options of a command name for TLS, if they do, can be used."""
    from pychat.transport.tls import ServerTls  # loads ssl
    from pychat.transport.tls_client import ClientTls

    certificate, key = options.get("tls-cert"), options.get("tls-key")
    authorities, fingerprint = options.get("tls-ca"), options.get("tls-fingerprint")
    try:
        if isinstance(certificate, Path):
            tls = ServerTls(Certificate(certificate, key if isinstance(key, Path) else None))
            text = f"pychat {command} has the certificate with the fingerprint {tls.fingerprint}"
            yield Finding(Grade.OK, "tls", text)
        elif authorities is not None or fingerprint is not None:
            ca = authorities if isinstance(authorities, Path) else None
            ClientTls(Trust(ca, None if fingerprint is None else str(fingerprint)))
            yield Finding(Grade.OK, "tls", f"pychat {command} knows which server to trust")
    except BadCertificate as error:
        yield Finding(Grade.WRONG, "tls", f"pychat {command}: {error}")


# The rest


def check_clock(now: float) -> Finding:
    """Ids and times of events come from the clock, so one that is far behind is wrong."""
    moment = datetime.fromtimestamp(now, UTC)
    shown = f"{moment:%Y-%m-%d %H:%M} UTC"
    installed = Path(__file__).stat().st_mtime
    if now < installed:
        text = f"{shown} is before pychat was installed ({datetime.fromtimestamp(installed, UTC):%Y-%m-%d})"
        return Finding(Grade.WRONG, "clock", f"{text}; set the clock")
    return Finding(Grade.OK, "clock", shown)


def check_terminal() -> Finding:
    """Whether `pychat connect` can be comfortable here."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return Finding(Grade.OK, "terminal", "none: pychat connect would read and write lines")
    kind = os.environ.get("TERM", "")
    if kind.lower() in ("", "dumb", "unknown"):
        return Finding(Grade.WARNING, "terminal", f"TERM is {kind!r}: pychat connect can only read and write lines")
    encoding = sys.stdout.encoding.lower().replace("-", "")
    columns, rows = shutil.get_terminal_size()
    if encoding != "utf8":
        text = f"{kind} writes {sys.stdout.encoding}, not UTF-8: other scripts and emoji will not be seen"
        return Finding(Grade.WARNING, "terminal", f"{text}; set LANG to a locale with UTF-8")
    return Finding(Grade.OK, "terminal", f"{kind}, {columns} x {rows}, UTF-8")
