"""
The threads between the server and the screen: one receives items, the other makes requests.

So slow requests (the server may delay a fast sender) never block the input line. Results are delivered as values, in
order, and the threads do nothing else.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from pychat.client import ChatClient, Heard
from pychat.client.backlog import bytes_of
from pychat.model.errors import AckTimeout, ChatError, ConnectionLost, LocalProtocolError, Refused
from pychat.model.replies import Reply
from pychat.model.verbs import Verb


class Request(NamedTuple):
    """A request to the server, with the person's input that caused it; empty if that was not shown."""

    verb: Verb
    typed: str


class Answer(NamedTuple):
    """The result of a request: the server's reply, or the error."""

    request: Request
    reply: Reply | None
    error: ChatError | None = None


class Ended(NamedTuple):
    """Nothing more will be received: the client was closed (None), or the connection is lost for good."""

    error: ConnectionLost | None


News: TypeAlias = Heard | Answer | Ended


_WAITING: Final = 1000
"""How much news may wait for the screen; more waits in the client's own inbox, which is bounded."""
_WAITING_BYTES: Final = 16 * 2**20
"""The memory limit of that news; a single item may be larger."""


class _Waiting(queue.Queue[News]):
    """The news that waits for the screen. The queue is also limited in bytes."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._bytes = 0

    def _qsize(self) -> int:
        return self.maxsize if self._bytes >= _WAITING_BYTES else len(self.queue)

    def _put(self, item: News) -> None:
        self.queue.append(item)
        self._bytes += bytes_of(item)

    def _get(self) -> News:
        item: News = self.queue.popleft()
        self._bytes -= bytes_of(item)
        return item


class Messenger:
    """Sends the requests in order, each when the one before is answered."""

    def __init__(self, client: ChatClient, notify: Callable[[], None]) -> None:
        """
        Args:
            notify: Called on any thread when there is news to take; must not block.
        """
        self._client = client
        self._notify = notify
        self._news = _Waiting(_WAITING)
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._asking = threading.Thread(target=self._ask_all, name="pychat-ask", daemon=True)
        self._hearing = threading.Thread(target=self._hear_all, name="pychat-hear", daemon=True)

    def start(self) -> None:
        """Start receiving."""
        self._asking.start()
        self._hearing.start()

    def ask(self, request: Request) -> None:
        """Queue a request; its `Answer` will be among the news."""
        self._requests.put(request)

    def take(self) -> list[News]:
        """Return the news; there may be none."""
        news: list[News] = []
        with contextlib.suppress(queue.Empty):
            while len(news) < _WAITING:
                news.append(self._news.get_nowait())
        return news

    def finish(self, reason: str, *, at_once: bool = False) -> Iterator[News]:
        """
        Leave the chat, and yield the rest of the news; no further requests are allowed.

        Args:
            at_once: True not to wait for the answers to pending requests.
        """
        self._requests.put(None)
        while not at_once and self._asking.is_alive():
            yield from self._wait_a_little()
        self._client.close(reason)
        while self._hearing.is_alive():
            yield from self._wait_a_little()
        yield from self.take()

    def _wait_a_little(self) -> Iterator[News]:
        with contextlib.suppress(queue.Empty):
            yield self._news.get(timeout=_LOOK_SECONDS)

    # The two threads

    def _ask_all(self) -> None:
        while (request := self._requests.get()) is not None:
            self._deliver(self._ask(request))

    def _ask(self, request: Request) -> Answer:
        try:
            return Answer(request, self._client.ask(request.verb))
        except (Refused, AckTimeout, ConnectionLost, LocalProtocolError) as error:
            return Answer(request, None, error)

    def _hear_all(self) -> None:
        error = None
        try:
            for heard in self._client.events():
                self._deliver(heard)
        except ConnectionLost as lost:
            error = lost
        self._deliver(Ended(error))

    def _deliver(self, news: News) -> None:
        self._news.put(news)
        self._notify()


_LOOK_SECONDS: Final = 0.05
"""How long to wait for news at the end before checking if a thread has ended."""
