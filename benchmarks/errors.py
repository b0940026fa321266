"""Errors of a measurement."""

from __future__ import annotations


class LoadError(Exception):
    """The server did not do what the benchmark needs; the measurement is invalid."""


class ServerStuck(LoadError):
    """Nothing is delivered any more."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the server delivered nothing for {self.seconds:.0f} s: it is stuck"
