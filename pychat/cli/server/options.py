"""The options of `pychat serve` as values; importing them does not load the server."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from pychat.cli.units import Keep
from pychat.model.errors import ChatError
from pychat.model.limits import Limits
from pychat.transport.trust import Certificate


class CannotServe(ChatError):
    """The server cannot be started; `str(error)` says why and what to do."""


class NoHandler(ChatError):
    """A named class cannot be used as a handler."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name, self.problem = name, problem

    def __str__(self) -> str:
        return f"handler {self.name!r}: {self.problem}"


class Plan(NamedTuple):
    """The options of `pychat serve`."""

    host: str
    port: int | None
    """None if `host` is the path of a Unix socket."""
    rooms: tuple[str, ...]
    server_name: str
    server_description: str
    motd: Path | None
    oper_file: Path | None
    password_file: Path | None
    tls: Certificate | None
    tls_required: bool
    proxies: tuple[str, ...]
    db: Path | None
    """None if the record is in memory."""
    db_sync: str
    keep: Keep
    limits: Limits
    registration: bool
    """True if anybody can register an account."""
    flood_control: bool
    handlers: tuple[str, ...]
    threads: Literal["few", "each"]
    cpu: int | None
    log_level: str
    log_format: str


def read_lines(path: Path) -> list[str]:
    """
    Return the lines of a text file.

    Raises:
        CannotServe: If the file cannot be read.
    """
    try:
        return path.read_text("utf-8-sig", errors="replace").rstrip().split("\n")
    except OSError as error:
        raise CannotServe(f"cannot read {str(path)!r}: {error.strerror}") from error
