"""`pychat doctor`: check the requirements of `pychat serve` and `pychat connect`, and report problems."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.cli.addresses import Access, address, commands, near, place, why_not_bound
from pychat.cli.invocation import called_as
from pychat.cli.server.machine import try_address
from pychat.cli.server.warnings import doubts, little_space
from pychat.cli.streams import is_terminal
from pychat.client.wire import Wire, ask_for_life, say_hello
from pychat.model.errors import ConnectFailed, NotPychat, PasswordRequired, Refused, TlsRequired
from pychat.model.limits import Limits
from pychat.model.verbs import Hello
from pychat.protocols.foreign import TLS_SERVER
from pychat.transport.admission import OWN_FILES
from pychat.transport.trust import BadCertificate, Certificate, Trust
from pychat.version import __version__

if TYPE_CHECKING:
    from pychat.client.tls import ClientTls

_ANSWER_SECONDS: Final = 3.0
"""A local server that sends nothing for this long is not a pychat server."""
_OWN_THREADS: Final = 20
"""Those that a server needs for itself: the loop, the log, passwords, files, and bots."""
_UNLIMITED: Final = resource.RLIM_INFINITY
_PER_THREAD_MAPS: Final = 2
"""Memory areas of a thread: its stack, and the guard page."""


class Grade(Enum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    """It works, but not ideally."""
    WRONG = "wrong"


class Finding(NamedTuple):
    """One check and its result."""

    grade: Grade
    subject: str
    text: str


def examine(host: str, port: int | None) -> Iterator[Finding]:
    """
    Run all checks, for a server that listens or will listen at this address; takes up to 3 s.

    Args:
        port: None if `host` is the path of a Unix socket.
    """
    yield Finding(Grade.OK, "version", f"pychat {__version__}, Python {platform.python_version()}, {platform.system()}")
    yield check_port(host, port)
    yield check_files()
    yield check_threads()
    yield check_clock(time.time())
    yield check_terminal()


def report(findings: list[Finding]) -> list[str]:
    """Return the findings as lines."""
    width = max(len(finding.subject) for finding in findings)
    return [f"{grade.value:<7}  {subject:<{width}}  {text}" for grade, subject, text in findings]


def joining(host: str, port: int | None) -> list[str]:
    """Return lines that explain how to join a server there."""
    access = access_to(host, port)
    lines = ["Join a server there with one of:", *commands(near(host), port, access)]
    if access.has_password:
        lines.append("The server requires a password; pychat connect asks for it.")
    return lines


def access_to(host: str, port: int | None) -> Access:
    """Return the requirements of a server there for clients; none if no server answers."""
    from pychat.client.tls import ClientTls, look_up_fingerprint  # loads ssl

    fingerprint = look_up_fingerprint(near(host), port, _ANSWER_SECONDS)
    refusal = _refusal(host, port, None)
    tls_required = refusal == TlsRequired.code
    if tls_required and fingerprint is not None:
        refusal = _refusal(host, port, ClientTls(Trust(fingerprint=fingerprint)))
    return Access(refusal == PasswordRequired.code, fingerprint, tls_required)


def _refusal(host: str, port: int | None, tls: ClientTls | None) -> str | None:
    """Return the code of the refusal of an invalid nickname, a check that nobody in the chat notices."""
    try:
        with closing(Wire(near(host), port, _ANSWER_SECONDS, tls)) as wire:
            say_hello(wire, Hello("", ref="1"), _ANSWER_SECONDS)
    except Refused as error:
        return error.code
    except (ConnectFailed, TlsRequired):
        pass
    return None


# The port


def check_port(host: str, port: int | None) -> Finding:
    """Check that a pychat server answers there, or could be started; anything that prevents it is wrong."""
    where, other = address(host, port), "another path" if port is None else "another with --port"
    try:
        ask_for_life(near(host), port, _ANSWER_SECONDS)
    except NotPychat as error:
        text = f"{where} is in use, but not by pychat: {error.reason}; choose {other}"
        return Finding(Grade.WRONG, "port", text)
    except ConnectFailed as error:
        if isinstance(error.__cause__, OSError | UnicodeError):
            return _check_free(host, port)
        return Finding(Grade.WRONG, "port", f"{where} is in use: {error.reason}")
    except TlsRequired:
        text = f"{where} is in use by {TLS_SERVER}; choose {other}"
        return Finding(Grade.WRONG, "port", text)
    return Finding(Grade.OK, "port", f"a pychat server answers on {where}")


def check_answer(host: str, port: int | None) -> Finding:
    """Check that a pychat server answers there; anything else is wrong. It need not admit us."""
    where = address(host, port)
    try:
        ask_for_life(near(host), port, _ANSWER_SECONDS)
    except (ConnectFailed, TlsRequired) as error:
        problem = TLS_SERVER if isinstance(error, TlsRequired) else error.reason
        return Finding(Grade.WRONG, "port", f"no pychat server answers on {where}: {problem}")
    return Finding(Grade.OK, "port", f"a pychat server answers on {where}")


def _check_free(host: str, port: int | None) -> Finding:
    """Check whether a server could listen there, because nobody answers."""
    try:
        try_address(host, port)
    except (OSError, ValueError) as error:
        text = f"nobody answers, and no server can start here: {why_not_bound(host, port, error)}"
        return Finding(Grade.WRONG, "port", text)
    text = f"{address(host, port)} is free; start a server with: {called_as()} serve{place(host, port)}"
    return Finding(Grade.OK, "port", text)


# Limits of the system


def check_files() -> Finding:
    """Check the limit of descriptors; each connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = Limits().max_connections
    possible = wanted if soft == _UNLIMITED else min(wanted, max(0, soft - OWN_FILES))
    if possible == wanted:
        return Finding(Grade.OK, "files", f"{wanted} connections can be open")
    enough = wanted + OWN_FILES
    advice = f"ulimit -n {enough}" if hard == _UNLIMITED or hard >= enough else "the administrator can raise the limit"
    return Finding(Grade.WARNING, "files", f"only {possible} connections can be open; for {wanted}: {advice}")


def check_threads() -> Finding:
    """Check the limit of threads; each client for which something blocks needs one."""
    wanted = Limits().waiting_threads + _OWN_THREADS
    limits = {name: limit for name, limit in _thread_limits() if limit < wanted}
    if not limits:
        return Finding(Grade.OK, "threads", f"{wanted} threads can run")
    name = min(limits, key=lambda name: limits[name])
    return Finding(Grade.WARNING, "threads", f"only {limits[name]} threads can run: {name}")


def _thread_limits() -> Iterator[tuple[str, int]]:
    """Yield the limits of the number of threads, as far as the system reveals them."""
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if processes != _UNLIMITED and os.getuid() != 0:  # the limit does not apply to the administrator
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
    """Check that the TLS files and fingerprints in a command's options can be used."""
    from pychat.client.tls import ClientTls
    from pychat.transport.tls import ServerTls  # loads ssl

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


# Questionable settings


def check_doubts(options: Mapping[str, object]) -> Iterator[Finding]:
    """Yield the warnings of `pychat serve`: about its limits, and the disk of its record."""
    for text in doubts(options):
        yield Finding(Grade.WARNING, "config", f"pychat serve: {text}")
    record = options["db"]
    if isinstance(record, Path):
        trouble = little_space(record)
        grade = Grade.OK if trouble is None else Grade.WARNING
        yield Finding(grade, "disk", trouble or "there is enough disk space for the database")


# The rest


def check_clock(now: float) -> Finding:
    """Check the clock: ids and times of events come from it, so one that is far in the past is wrong."""
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))  # a datetime ends with the year 9999
    installed = Path(__file__).stat().st_mtime
    if now < installed:
        text = f"{shown} is before pychat was installed ({datetime.fromtimestamp(installed, UTC):%Y-%m-%d})"
        return Finding(Grade.WRONG, "clock", f"{text}; set the clock")
    return Finding(Grade.OK, "clock", shown)


def check_terminal() -> Finding:
    """Check that the terminal supports the full interface of `pychat connect`."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        return Finding(Grade.OK, "terminal", "none: pychat connect would read and write lines")
    kind = os.environ.get("TERM", "")
    if kind.lower() in ("", "dumb", "unknown"):
        return Finding(Grade.WARNING, "terminal", f"TERM is {kind!r}: pychat connect can only read and write lines")
    encoding = sys.stdout.encoding.lower().replace("-", "")
    columns, rows = shutil.get_terminal_size()
    if encoding != "utf8":
        text = f"{kind} writes {sys.stdout.encoding}, not UTF-8: other scripts and emoji will not be shown"
        return Finding(Grade.WARNING, "terminal", f"{text}; set LANG to a locale with UTF-8")
    return Finding(Grade.OK, "terminal", f"{kind}, {columns} x {rows}, UTF-8")
