"""A session that writes down what it hears, for the tests of core."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar
from weakref import WeakSet

import pytest
from chat_clients import make_accounts

from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.people.rules import describe
from pychat.core.session import Session
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.events import Event
from pychat.model.limits import Limits
from pychat.model.replies import MemberInfo, Reply
from pychat.model.verbs import Hello, Verb

USERHOST = "~user@irc.pychat"
"""What everybody inside of the process has who says nothing else."""


OPENED: WeakSet[Chat] = WeakSet()
"""The chats that tests have made."""


@pytest.fixture(autouse=True)
def no_alarm_is_left() -> Iterator[None]:
    """A chat without a server has nobody else who ends what it waits for. For modules that import it."""
    yield
    for chat in tuple(OPENED):
        chat.alarms.stop()
    OPENED.clear()


def member(nickname: str, away: str | None = None) -> MemberInfo:
    """A line of a list of members."""
    return MemberInfo(nickname, away, USERHOST)


class Recorder(Session):
    """Inside this process, without an inbox: `items` has everything, events and replies."""

    is_local: ClassVar[bool] = True

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat)
        self.items: list[Event | Reply] = []
        self.kicked: list[str] = []

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        self.items += items

    def log_in(self, account: str | None) -> None:
        """Be logged in to an account, or to none, without any check."""
        self.person.account = account
        with self.chat.order.lock:
            describe(self.chat.state.people, self.person)

    def request_close(self, reason: str) -> None:
        self.kicked.append(reason)

    def take(self) -> list[Any]:
        """Return what came since the last call."""
        taken, self.items = self.items, []
        return taken

    def do(self, *verbs: Verb) -> list[Any]:
        """Perform verbs and return what came of them, and what came before."""
        self.chat.perform(self, verbs)
        return self.take()


def make_chat(
    *more: Handler, first: Iterable[Handler] = (), limits: Limits | None = None, clock: Clock = SYSTEM_CLOCK
) -> Chat:
    """A chat with join and leave notices and messages, and handlers before and behind these."""
    handlers = [*first, JoinLeaveNotices(), Broadcast(), *more]
    chat = Chat(handlers, accounts=make_accounts(), limits=limits, clock=clock)
    OPENED.add(chat)
    return chat


def enter(chat: Chat, nickname: str, *rooms: str, **hello: Any) -> Recorder:
    """Let somebody in, who has heard nothing yet."""
    session = Recorder(chat)
    chat.open(session)
    chat.perform(session, [Hello(nickname, rooms or None, **hello)])
    assert session.nickname is not None, session.items
    session.take()
    return session
