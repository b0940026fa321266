"""A participant inside this process: a bot, a test or a game."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, ClassVar, TypeVar

from pychat.core.disowned import check_owned
from pychat.core.session import Session, Told
from pychat.core.waiting import before_wait
from pychat.model.arguments import given
from pychat.model.errors import AckTimeout, LocalProtocolError, Refused
from pychat.model.events import Event, Notice
from pychat.model.names import has_mark_of_irc, names_of
from pychat.model.participant import Participant
from pychat.model.queries import Ref
from pychat.model.replies import Failure, Reply
from pychat.model.text import checked_short_text
from pychat.model.verb_types import check_verb, kind_name
from pychat.model.verbs import Hello, Join, Verb, no_answer
from pychat.renamed import warn_renamed

if TYPE_CHECKING:
    from pychat.core.chat import Chat

E = TypeVar("E")


class LocalSession(Participant, Session):
    """
    A participant inside this process, created by `Chat.session(nickname)`. Its verbs may be called from any thread.

    A verb returns when it is accepted and raises `Refused` when it is not. Events wait in a bounded inbox until they
    are taken; a session that lags too far is disconnected, like a slow member with a socket.
    """

    is_local = True
    __slots__ = ("_answers", "_arrived", "_crowded", "_inbox", "_interrupted", "_refs", "_waiting")

    INBOX_EVENTS: ClassVar = 10_000
    """The maximum number of events in the inbox."""
    ANSWER_SECONDS: ClassVar = 10.0
    """How long a verb waits to be accepted; with a log in memory, it never waits."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat)
        # Guards the inbox and the replies. After the chat's order lock (`deliver` runs under that); nothing is called
        # under it.
        self._arrived = threading.Condition()
        self._inbox: deque[Event] = deque()
        self._crowded = False
        self._interrupted = False
        self._answers: dict[Ref, Reply] = {}
        self._waiting: set[Ref] = set()
        self._refs = count(1)

    def ask(self, verb: Verb) -> Reply:
        """
        Perform any verb and return its reply.

        Raises:
            Refused: If it is refused, with the reason and a code.
            LocalProtocolError: If the session is closed, or the caller is a hook for a message.
            AckTimeout: If the log has not accepted it in time; it may still do so.
        """
        check_verb(verb)
        if self.chat.order.turn.checked is not None:
            raise LocalProtocolError(
                f"{self.nickname!r} cannot send requests from a hook for a message that is not published yet: let "
                "the hook use room.announce() or session.notice(), or a thread of your own"
            )
        return self._answer_to(verb)

    def _answer_to(self, verb: Verb) -> Reply:
        check_owned(self.chat.order)
        if isinstance(verb, Join) and has_mark_of_irc(verb.room):  # as in a hello, and as for other programs
            verb = verb._replace(create=False)
        ref = next(self._refs)
        with self._arrived:
            self._waiting.add(ref)
        try:
            self.last_input_time = self.chat.clock.monotonic()
            self.chat.perform(self, [verb._replace(ref=ref)])
            if ref not in self._answers:
                before_wait()
            with self._arrived:
                self._arrived.wait_for(lambda: ref in self._answers or self.closed, self.ANSWER_SECONDS)
                answer = self._answers.pop(ref, None)
                if answer is None and self.closed:
                    raise self._closed_error()
                if answer is None:
                    raise AckTimeout(no_answer(verb, self.ANSWER_SECONDS))
        finally:
            with self._arrived:
                self._waiting.discard(ref)
        if isinstance(answer, Failure):
            raise answer.error()
        return answer

    def kick(self, nickname: str = "", room: str | None = None, reason: str = "") -> None:
        """
        Remove somebody from a room; they can come back unless they are banned.

        Raises:
            LocalProtocolError: If neither a room nor a reason is given: before `disconnect` had its name,
                `session.kick(reason)` ended the session, and such a call must not remove whoever has that nickname.
        """
        if not nickname or (room is None and not reason):
            raise LocalProtocolError(
                f"kick() removes somebody from a room, as in kick('bob', 'lobby'); to end the session of "
                f"{self.nickname!r} itself, use disconnect(reason)"
            )
        super().kick(nickname, room, reason)

    def remove(self, nickname: str, room: str | None = None, reason: str = "") -> None:
        """Remove somebody from a room: the old name of `kick`, which needs no room."""
        warn_renamed("Participant.remove", "kick", __name__)
        super().kick(nickname, room, reason)

    def close(self, reason: str = "") -> None:
        """
        Leave for good, which no handler can refuse; events in the inbox can still be taken.

        Raises:
            LimitExceeded: If the reason is too long.
        """
        self.chat.close(self, checked_short_text("reason", reason, self.chat.limits) or "quit")

    def hello(self, nickname: str, rooms: Iterable[str] = (), *, bot: bool = False, told: Told = None) -> None:
        """
        Claim a nickname and join rooms (none: the default room). `Chat.session` calls this.

        Args:
            told: Called with the refusal of each room that cannot be joined. Default: it is raised.
        """
        wanted = names_of(rooms)
        given("nickname", nickname, str, "a string")
        self._answer_to(Hello(nickname, wanted or None, bot=bot))
        for name in wanted or (self.chat.default_room.name,):
            if not self.closed and self.chat.find_room(name) not in self.rooms.values():
                try:
                    self._answer_to(Join(name))  # join again: the reply to a hello does not say why it failed
                except Refused as error:
                    if told is None:
                        raise
                    told(error)

    def next(self, kind: type[E], timeout: float | None = None) -> E:
        """
        Take events from the inbox until one of this type comes, and return it.

        Raises:
            TimeoutError: If it does not come within `timeout` seconds (default: wait for ever).
            LocalProtocolError: If the session is closed and its inbox is empty.
        """
        name = kind_name(kind)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            event = self.take(remaining)
            if event is None:
                raise TimeoutError(f"no {name} within {timeout} s")
            if isinstance(event, kind):
                return event

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Yield events as they come, until none comes for `timeout` seconds or the session is closed."""
        while True:
            check_owned(self.chat.order)
            try:
                event = self.take(timeout)
            except LocalProtocolError:
                return
            if event is None:
                return
            yield event

    def take(self, timeout: float | None = None) -> Event | None:
        """
        Wait for the next event and return it; None if it does not come in time, or after `interrupt`.

        Raises:
            LocalProtocolError: If the session is closed and its inbox is empty.
        """
        check_owned(self.chat.order)
        if not self._inbox and timeout != 0:
            before_wait()
        with self._arrived:
            self._arrived.wait_for(lambda: self._inbox or self.closed or self._interrupted, timeout)
            self._interrupted = False
            if self._inbox:
                return self._inbox.popleft()
            if self.closed:
                raise self._closed_error()
            return None

    def _closed_error(self) -> LocalProtocolError:
        """Return the error for a closed session, with the reason if it was disconnected."""
        return LocalProtocolError(
            "the session is closed" + ("" if self.disconnect_reason is None else f": {self.disconnect_reason}")
        )

    def interrupt(self) -> None:
        """Wake the thread that waits in `take`, or the next one that would wait there."""
        check_owned(self.chat.order)
        with self._arrived:
            self._interrupted = True
            self._arrived.notify_all()

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        with self._arrived:
            for item in items:
                ref = getattr(item, "ref", None)
                if ref is not None:
                    if ref in self._waiting:
                        # The first of several replies counts, such as a refused change of modes.
                        self._answers.setdefault(ref, item)  # type: ignore[arg-type]  # only replies have a ref
                elif isinstance(item, Event):
                    self._inbox.append(item)
                elif isinstance(item, Failure):  # from a hook that cannot undo the change
                    self._inbox.append(Notice(0, self.chat.clock.time(), None, item.text))
            self._arrived.notify_all()
            crowded = len(self._inbox) > self.INBOX_EVENTS and not self._crowded
            self._crowded |= crowded
        if crowded:  # not `disconnect`, because the order lock is held
            reason = f"too slow: {self.INBOX_EVENTS} events were waiting"
            self.disconnect_reason = self.disconnect_reason or reason
            self.request_close(reason)

    def on_closed(self) -> None:
        with self._arrived:
            self._arrived.notify_all()

    def request_close(self, reason: str) -> None:
        # Ending a session runs hooks, which must not run on the calling thread, nor under its locks.
        threading.Thread(target=self.chat.close, args=(self, reason), name="pychat-disconnect", daemon=True).start()
