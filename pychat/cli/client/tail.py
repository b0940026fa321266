"""`pychat tail`: print the events of a room without end, and send nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pychat.cli.client.display import show_json
from pychat.cli.client.listening import listen, tell
from pychat.cli.client.timestamps import Stamped
from pychat.cli.streams import Output
from pychat.client import ChatClient, Dropped, Heard, Reconnected, Reconnecting
from pychat.client.backlog import bytes_of
from pychat.model.errors import ConnectionLost, RemoteProtocolError, refusal
from pychat.model.events import Disconnected, Event, Joined, Kicked, Left, Message
from pychat.model.queries import ReadHistory
from pychat.model.replies import Bye, Failure, Gap, HistoryPage
from pychat.protocols.text.render import NOT_SHOWN

_MOST_BYTES: Final = 64 * 2**20
"""How much history is kept in memory before it is printed."""


class Tail:
    """One room, from the end of its history on. `as_json` selects the format, `quiet` limits the output on stderr."""

    def __init__(self, client: ChatClient, *, as_json: bool, quiet: bool = False) -> None:
        self._client = client
        self._room = client.rooms[-1]
        self._as_json, self._quiet = as_json, quiet
        self._output = Output()
        self._stamped = Stamped(self._room)
        self._last_id = 0
        """The id of the last printed event of the room; history and new events overlap."""

    def follow(self, last: int, since: int | None, *, every: bool = False) -> None:
        """
        Print some history, then new events, until an error ends it.

        Args:
            last: How many of the last messages to begin with.
            every: True to include other events, and count them like messages.
            since: The id of an event after which to begin instead.

        Raises:
            ClosedPipe: If the output was closed.
            CannotWrite: If the output cannot be written.
            Refused: If we were removed from the room, or may not join it again.
            ConnectionLost: If the connection is lost for good.
        """
        for event in self._behind(since) if since is not None else self._last(last, every=every):
            self._tell(event)
        for heard in listen(self._client, self._output):
            if isinstance(heard, Failure):
                self._check_membership(heard)  # the error that it raises has the same text
            if self._is_news(heard):
                self._tell(heard)
            self._check_membership(heard)

    # History

    def _behind(self, since: int) -> Iterator[Event]:
        """Yield the events after an id, page by page."""
        more = True
        while more:
            page = self._read(ReadHistory(self._room, after=since))
            yield from filter(self._is_of_others, page.events)
            then = page.next or (page.events[-1].id if page.events else since)  # older servers send no `next`
            more, since = page.more and then != since, then

    def _last(self, number: int, *, every: bool = False) -> list[Event]:
        """Return this many of the last messages, or events, or as many as there are."""
        events: list[Event] = []
        before: int | None = None
        more = True
        size = 0
        while more and len(events) < number and size < _MOST_BYTES:
            page = self._read(ReadHistory(self._room, before=before, without=() if self._as_json else NOT_SHOWN))
            size += bytes_of(page)
            found = [
                event for event in page.events if (every or isinstance(event, Message)) and self._is_of_others(event)
            ]
            events = [*found, *events]
            then = page.next or (page.events[0].id if page.events else before)
            more, before = page.more and then != before, then
        return events[max(0, len(events) - number) :]

    def _read(self, question: ReadHistory) -> HistoryPage:
        while True:
            try:
                answer = self._client.ask(question)
                break
            except ConnectionLost:
                self._client.wait_connected()  # raises if it is lost for good
        if not isinstance(answer, HistoryPage):
            raise RemoteProtocolError(f"a history request was answered with {type(answer).__name__}")
        return answer

    # New events

    def _is_news(self, heard: Heard) -> bool:
        """Return whether the item must be printed, and was not printed as history."""
        if isinstance(heard, Event):
            return _is_direct(heard) or (heard.id > self._last_id and self._is_of_others(heard))
        return isinstance(heard, Gap | Failure | Bye | Reconnecting | Reconnected | Dropped)

    def _is_of_others(self, event: Event) -> bool:
        """Return whether it is not just our own nickname joining or leaving, as with each run of this command."""
        return not (isinstance(event, Joined | Disconnected) and event.nickname == self._client.nickname)

    def _check_membership(self, heard: Heard) -> None:
        """Raise Refused if we are not in the room any more, because nothing more would arrive."""
        if self._client.rooms or not isinstance(heard, Failure | Kicked | Left):
            return
        if isinstance(heard, Failure):
            raise heard.error()
        if heard.nickname == self._client.nickname:
            raise refusal(f"you are not in room {self._room!r} any more", code="not_a_member", room=self._room)

    # Writing

    def _tell(self, heard: Heard) -> None:
        if isinstance(heard, Event) and not _is_direct(heard):
            self._last_id = max(self._last_id, heard.id)
        if self._as_json:
            self._output.write([line for line in [show_json(heard)] if line])
        else:
            tell(heard, [line for line in self._stamped.show(heard) if line], self._output, quiet=self._quiet)


def _is_direct(event: Event) -> bool:
    """Return whether the event is a direct message, which is in no history."""
    return isinstance(event, Message) and event.room is None
