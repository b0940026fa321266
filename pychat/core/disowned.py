"""A chat that is not to be used: a copy in the child of a fork, whose threads are all in the parent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pychat.model.errors import LocalProtocolError

if TYPE_CHECKING:
    from pychat.core.order import Order


class _DisownedLock:
    """In the place of a lock: whoever wants it is told why nothing works here."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __enter__(self) -> NoReturn:
        raise LocalProtocolError(self.reason)

    def __exit__(self, *args: object) -> None:
        """It is never entered."""

    def locked(self) -> bool:
        """Nobody ever has it."""
        return False


def disown(order: Order, reason: str) -> None:
    """
    Let nobody use a chat: this copy of it, whose threads are in another process. Takes no lock.

    Whatever needs the order raises `LocalProtocolError` with the reason from now on.
    """
    order.lock = _DisownedLock(reason)  # type: ignore[assignment]  # all that is wanted of it
    order.turn = type(order.turn)()
    order.log.disown()


def check_owned(order: Order) -> None:
    """
    Return if the chat may be used in this process.

    Raises:
        LocalProtocolError: It may not (`disown`).
    """
    lock: object = order.lock
    if isinstance(lock, _DisownedLock):
        raise LocalProtocolError(lock.reason)
