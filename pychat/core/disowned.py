"""Disabling a chat: a copy in the child of a fork, whose threads all stayed in the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pychat.model.errors import LocalProtocolError

if TYPE_CHECKING:
    from pychat.core.order import Order


class _DisownedLock:
    """Replaces a lock; an attempt to take it raises an error with the reason."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __enter__(self) -> NoReturn:
        raise LocalProtocolError(self.reason)

    def __exit__(self, *args: object) -> None:
        """Do nothing: the lock is never entered."""

    def locked(self) -> bool:
        """Return False: the lock is never held."""
        return False


def disown(order: Order, reason: str) -> None:
    """
    Disable this copy of a chat, whose threads are in another process. Takes no lock.

    From now on, every call that needs the order raises `LocalProtocolError` with the reason.
    """
    order.lock = _DisownedLock(reason)  # type: ignore[assignment]  # has all that is used of it
    order.turn = type(order.turn)()
    order.log.disown()


def check_owned(order: Order) -> None:
    """
    Check that the chat may be used in this process.

    Raises:
        LocalProtocolError: If it was disabled (`disown`).
    """
    lock: object = order.lock
    if isinstance(lock, _DisownedLock):
        raise LocalProtocolError(lock.reason)
