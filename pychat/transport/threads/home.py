"""What a connection waits for, and where it is resumed: on the loop, or on a thread of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from pychat.transport.connection import Connection


class Wait(NamedTuple):
    """What a connection waits for before its next step. Whatever it is, it may be resumed without a reason."""

    input: bool
    """True: until the socket is readable. False: until it is woken (`Home.wake`), and its input waits, too."""
    seconds: float | None = None
    """The longest wait; None: for ever."""


T = TypeVar("T")

Steps: TypeAlias = Generator[Wait, bool, T]
"""Yields what it waits for, and is sent whether that happened; False if only the time is up."""

INPUT: Final = Wait(True)
WOKEN: Final = Wait(False)


class Home(ABC):
    """Resumes connections."""

    is_crowded = False
    """True while so many connections block that nothing more may be performed that might."""

    @abstractmethod
    def wake(self, connection: Connection) -> None:
        """Resume a connection that waits to be woken; otherwise, let its next such wait end at once. Thread-safe."""

    @abstractmethod
    def wake_later(self, connection: Connection) -> None:
        """Wake the connection when there may be less of a crowd. Called on the thread that resumes it."""
