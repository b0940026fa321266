"""Participants of a test: they never wait longer than a deadline, and can tell when nothing more will arrive."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar, get_args, overload

from pychat.client import ChatClient
from pychat.core.local_session import LocalSession
from pychat.model.errors import ConnectionLost, LocalProtocolError, Refused
from pychat.model.events import Event
from pychat.model.replies import Reply
from pychat.model.verb_types import kind_name
from pychat.model.verbs import Ping, Verb
from pychat.testing.waiting import DEADLINE

T = TypeVar("T")

_EVENTS: Final = get_args(Event)
_ENDED: Final = (ConnectionLost, LocalProtocolError)


class _Listener(Protocol):
    """The common interface of a session in the process and a client."""

    deadline: float

    def ask(self, verb: Verb) -> Reply: ...
    def take(self, timeout: float | None = None) -> Any: ...


class _Patient:
    """The methods that turn one of them into a member."""

    deadline: float = DEADLINE
    """The default timeout of `next`, in seconds."""

    def next(self: _Listener, kind: type[T], timeout: float | None = None) -> T:
        """
        Take items until one of this type arrives, and return it.

        Args:
            timeout: Seconds; default: the deadline of the test.

        Raises:
            TimeoutError: If none arrived in time; the error lists the items that arrived instead.
            ConnectionLost: If the connection is lost for good, and everything was taken.
            LocalProtocolError: If the member is closed, and everything was taken.
        """
        __tracebackhide__ = True
        name = kind_name(kind)
        seconds = self.deadline if timeout is None else timeout
        until = time.monotonic() + seconds
        others = []
        while (item := self.take(max(0.0, until - time.monotonic()))) is not None:
            if isinstance(item, kind):
                return item
            others.append(item)
        instead = ", ".join(map(str, others)) or "nothing at all"
        raise TimeoutError(f"no {name} within {seconds:g} s, but {instead}")

    @overload
    def received(self: _Listener) -> list[Event]: ...
    @overload
    def received(self: _Listener, kind: type[T]) -> list[T]: ...
    def received(self: _Listener, kind: Any = _EVENTS) -> list[Any]:
        """
        Take all items received so far, and return those of this type (default: all events).

        It waits only for an answer from the server, which arrives after everything that happened before. So an item
        that is not in the list was not sent.
        """
        with suppress(*_ENDED, Refused):
            self.ask(Ping())
        received = []
        with suppress(*_ENDED):
            while (item := self.take(0.0)) is not None:
                received.append(item)
        return [item for item in received if isinstance(item, kind)]


class Member(_Patient, ChatClient):
    """A member that is connected to the server of a test, over a real socket."""


class LocalMember(_Patient, LocalSession):
    """A member in the process of the server of a test, without a socket."""
