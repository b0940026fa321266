"""Somebody from elsewhere, for tests of what is about strangers only; and accounts whose passwords are hashed fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from recorder import Recorder

from pychat.core.accounts import Accounts
from pychat.core.chat import Chat
from pychat.core.clock import SYSTEM_CLOCK, Clock
from pychat.core.events import Notice
from pychat.core.hashing import Cost
from pychat.core.kept_accounts import KeptAccounts
from pychat.core.limits import Limits
from pychat.core.log import Log
from pychat.core.verbs import Hello
from pychat.handlers import Broadcast, JoinLeaveNotices

CHEAP = Cost(2, 1, 1)
_OPENED: list[Chat] = []


@pytest.fixture(autouse=True)
def no_alarm_is_left() -> Iterator[None]:
    """A chat without a server has nobody else who ends what it waits for. For modules that import it."""
    yield
    while _OPENED:
        _OPENED.pop().alarms.stop()


class Remote(Recorder):
    """As if it came over the network; what happens in rooms it does not hear."""

    is_local = False

    def __init__(self, chat: Chat, address: str) -> None:
        super().__init__(chat)
        self.address = address

    def kick(self, reason: str) -> None:
        """End at once."""
        super().kick(reason)
        self.chat.close(self, reason, lost=True)

    @property
    def notices(self) -> list[str]:
        """What the server said to it alone."""
        return [item.text for item in self.items if isinstance(item, Notice)]


def make_accounts(**options: Any) -> KeptAccounts:
    """Accounts that cost nothing."""
    return KeptAccounts(**{"cost": CHEAP, "iterations": 1, **options})


def open_chat(
    accounts: Accounts | None = None, *, clock: Clock = SYSTEM_CLOCK, log: Log | None = None, **limits: Any
) -> Chat:
    """A chat with such accounts, or those that are given."""
    accounts = make_accounts() if accounts is None else accounts
    chat = Chat([JoinLeaveNotices(), Broadcast()], accounts=accounts, clock=clock, log=log, limits=Limits(**limits))
    _OPENED.append(chat)
    return chat


def come(chat: Chat, nickname: str | None = None, address: str = "192.0.2.1", **hello: Any) -> Remote:
    """Let somebody in who comes from this address."""
    session = Remote(chat, address)
    chat.open(session)
    if nickname is not None:
        chat.perform(session, [Hello(nickname, **hello)])
    return session
