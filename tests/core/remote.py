"""Somebody from elsewhere, for tests of what is about strangers only."""

from __future__ import annotations

from typing import Any

from chat_clients import CHEAP, make_accounts
from recorder import OPENED, Recorder, no_alarm_is_left

from pychat.core.accounts.base import Accounts
from pychat.core.chat import Chat
from pychat.core.log.log import Log
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.events import Notice
from pychat.model.limits import Limits
from pychat.model.verbs import Hello

__all__ = ["CHEAP", "make_accounts", "no_alarm_is_left"]


class Remote(Recorder):
    """As if it came over the network; what happens in rooms it does not hear."""

    is_local = False

    def __init__(self, chat: Chat, address: str) -> None:
        super().__init__(chat)
        self.address = address

    def request_close(self, reason: str) -> None:
        """End at once."""
        super().request_close(reason)
        self.chat.close(self, reason, lost=True)

    @property
    def notices(self) -> list[str]:
        """What the server said to it alone."""
        return [item.text for item in self.items if isinstance(item, Notice)]


def open_chat(
    accounts: Accounts | None = None, *, clock: Clock = SYSTEM_CLOCK, log: Log | None = None, **limits: Any
) -> Chat:
    """A chat with such accounts, or those that are given."""
    accounts = make_accounts() if accounts is None else accounts
    chat = Chat([JoinLeaveNotices(), Broadcast()], accounts=accounts, clock=clock, log=log, limits=Limits(**limits))
    OPENED.add(chat)
    return chat


def come(chat: Chat, nickname: str | None = None, address: str = "192.0.2.1", **hello: Any) -> Remote:
    """Let somebody in who comes from this address."""
    session = Remote(chat, address)
    chat.open(session)
    if nickname is not None:
        chat.perform(session, [Hello(nickname, **hello)])
    return session
