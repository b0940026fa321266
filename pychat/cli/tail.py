"""`pychat tail`: print what happens in a room, for ever, and say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pychat.cli.listening import listen
from pychat.cli.stamping import Stamped
from pychat.cli.streams import Output
from pychat.client import ChatClient, Dropped, Heard, Reconnected, Reconnecting
from pychat.core.errors import ConnectionLost, Refused, RemoteProtocolError
from pychat.core.events import Disconnected, Event, Joined, Kicked, Left, Message
from pychat.core.queries import ReadHistory
from pychat.core.replies import Bye, Failure, Gap, HistoryPage
from pychat.display import show_json


class Tail:
    """One room, from the end of its history on. `as_json` tells how things are written."""

    def __init__(self, client: ChatClient, *, as_json: bool) -> None:
        self._client = client
        self._room = client.rooms[-1]
        self._as_json = as_json
        self._output = Output()
        self._stamped = Stamped(self._room)
        self._last_id = 0
        """Of the last event that was printed; history and what happens meanwhile overlap."""

    def follow(self, last: int, since: int | None) -> None:
        """
        Print some history, then what happens, until something ends it.

        Args:
            last: How many of the last events to begin with.
            since: The id of an event; if it is given, begin behind it instead.

        Raises:
            ClosedPipe: Nobody reads it any more.
            CannotWrite: It cannot be written.
            Refused: We were put out of the room, or not let into it again.
            ConnectionLost: The connection is lost for good.
        """
        for event in self._behind(since) if since is not None else self._last(last):
            self._tell(event)
        for heard in listen(self._client, self._output):
            if self._is_news(heard):
                self._tell(heard)
            self._check_membership(heard)

    # History

    def _behind(self, since: int) -> Iterator[Event]:
        """Yield the events behind an id, page by page."""
        more = True
        while more:
            page = self._read(ReadHistory(self._room, after=since))
            yield from filter(self._is_of_others, page.events)
            more = page.more and bool(page.events)
            since = page.events[-1].id if page.events else since

    def _last(self, number: int) -> list[Event]:
        """Return so many of the last events, or as many as there are."""
        events: list[Event] = []
        before, more = None, True
        while more and len(events) < number:
            page = self._read(ReadHistory(self._room, before=before))
            events = [*filter(self._is_of_others, page.events), *events]
            more = page.more and bool(page.events)
            before = page.events[0].id if page.events else None
        return events[max(0, len(events) - number) :]

    def _read(self, question: ReadHistory) -> HistoryPage:
        while True:
            try:
                answer = self._client.ask(question)
                break
            except ConnectionLost:
                self._client.wait_connected()  # raises if it is lost for good
        if not isinstance(answer, HistoryPage):
            raise RemoteProtocolError(f"a question for history was answered with {type(answer).__name__}")
        return answer

    # What happens

    def _is_news(self, heard: Heard) -> bool:
        """Whether it is to be printed, and was not printed as history."""
        if isinstance(heard, Event):
            is_direct = isinstance(heard, Message) and heard.room is None  # these are in no history
            return is_direct or (heard.id > self._last_id and self._is_of_others(heard))
        return isinstance(heard, Gap | Failure | Bye | Reconnecting | Reconnected | Dropped)

    def _is_of_others(self, event: Event) -> bool:
        """Whether it is more than that somebody of our nickname comes or goes, as with each run of this command."""
        return not (isinstance(event, Joined | Disconnected) and event.nickname == self._client.nickname)

    def _check_membership(self, heard: Heard) -> None:
        """Raise Refused if the room is not ours any more; there would be silence for ever."""
        if self._client.rooms or not isinstance(heard, Failure | Kicked | Left):
            return
        if isinstance(heard, Failure):
            raise heard.error()
        if heard.nickname == self._client.nickname:
            raise Refused(f"you are not in room {self._room!r} any more", code="not_a_member", room=self._room)

    # Writing

    def _tell(self, heard: Heard) -> None:
        if isinstance(heard, Event):
            self._last_id = max(self._last_id, heard.id)
        self._output.write([line for line in self._written(heard) if line])

    def _written(self, heard: Heard) -> list[str]:
        return [show_json(heard)] if self._as_json else self._stamped.show(heard)
