"""
A person's earlier input, one file for each server, readable only by its owner.

Each line is one entry as a JSON string, because an entry may itself have several lines.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

KEPT_ENTRIES: Final = 1000
"""How many of the last entries are read; the file is shortened to them when it has twice as many."""

_PRIVATE: Final = 0o600


def history_path(host: str, port: int | None, environment: Mapping[str, str]) -> Path:
    """Return the file for a server (no port for a Unix socket), in the state directory of the XDG base directories."""
    state = environment.get("XDG_STATE_HOME") or Path(environment.get("HOME") or Path.home(), ".local", "state")
    return Path(state, "pychat", "history", f"{quote(host, safe='')}-{'unix' if port is None else port}")


class HistoryFile:
    """
    The entries of one file. If the disk cannot be read or written, only the history is lost.

    Several clients may use the same file at once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[str]:
        """Return the entries, the oldest first."""
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return []
        if len(lines) > 2 * KEPT_ENTRIES:
            lines = lines[-KEPT_ENTRIES:]
            self._replace(b"".join(line + b"\n" for line in lines))
        return [entry for line in lines[-KEPT_ENTRIES:] if (entry := _parse(line))]

    def add(self, entry: str) -> None:
        """Append an entry."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _PRIVATE)
            try:
                os.fchmod(descriptor, _PRIVATE)  # it may already exist with another mode
                os.write(descriptor, json.dumps(entry).encode() + b"\n")
            finally:
                os.close(descriptor)

    def _replace(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            new = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, _PRIVATE)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)
            new.replace(self._path)


def _parse(line: bytes) -> str | None:
    """Return an entry; None if the line is invalid: truncated, or written by another program."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, str) else None
