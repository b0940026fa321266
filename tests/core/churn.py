"""People who come, do anything, get lost, and come back with their tokens: at random, but the same for a seed."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import pytest
from remote import Remote, open_chat

from pychat.core.accounts import administration
from pychat.core.chat import Chat
from pychat.model import queries, server_ban
from pychat.model.errors import ChatError
from pychat.model.modes import ModeChange
from pychat.model.verbs import (
    Announce,
    Ban,
    BecomeOperator,
    ChangePassword,
    Direct,
    DropAccount,
    Hello,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    LeaveAll,
    LogIn,
    LogOut,
    Quit,
    Regain,
    Register,
    Say,
    SetAway,
    SetIgnored,
    SetModes,
    SetNickname,
    SetRealname,
    SetTopic,
    SetUserModes,
    Unban,
    Verb,
    Watch,
)
from pychat.testing import FakeClock

NICKNAMES = ("ann", "bob", "Ann", "eve", "zed", "dan", "анн", "eve2", *[f"guest{number}" for number in range(12)])
ROOMS = ("lobby", "ops", "den", "Game", "hall")
ACCOUNTS = ("ann", "bob", "eve")
PASSWORDS = ("sesame-1", "sesame-2")
MASKS = ("x!*@*", "bob!*@*", "a:ann", "zed", "ann!*@*", "*!*@*")
BANNED = ("192.0.2.2", "a:bob", "zed!*@*")
ADDRESSES = ("192.0.2.1", "192.0.2.2", "198.51.100.3")
MODES = ("i", "m", "s", "t", "n", "k", "l", "W", "b", "e", "I", "o", "v")


class DueAlarms:
    """Calls for later, on the thread that lets time pass."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Callable[[], Any]]] = []
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._heap)

    def after(self, seconds: float, function: Callable[[], Any]) -> None:
        heapq.heappush(self._heap, (self._clock.monotonic() + seconds, next(self._numbers), function))

    def run(self) -> None:
        """Call what is due."""
        while self._heap and self._heap[0][0] <= self._clock.monotonic():
            heapq.heappop(self._heap)[2]()

    def stop(self) -> None:
        self._heap.clear()


class Churn:
    """A chat, and people who do anything in it, one after the other."""

    def __init__(self, seed: int, people: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.random = Random(seed)
        monkeypatch.setattr("secrets.randbelow", self.random.randrange)  # for the nicknames of guests
        self.clock = FakeClock()
        self.chat: Chat = open_chat(clock=self.clock, resume_seconds=30, max_masks=4, ignored_masks=3)
        self.chat.operators = type(self.chat.operators)({"root": "sesame"})
        self.alarms = DueAlarms(self.clock)
        self.chat.alarms = self.alarms  # type: ignore[assignment]
        self.people: list[Remote | None] = [None] * people
        self.tokens: list[str] = []

    def step(self) -> None:
        """Let somebody do something, and time pass."""
        place = self.random.randrange(len(self.people))
        session = self.people[place]
        try:
            if session is None or session.closed:
                if session is not None and session.token is not None:
                    self.tokens.append(session.token)
                session = self.people[place] = Remote(self.chat, self.random.choice(ADDRESSES))
                session.resumable = self.random.random() < 0.7
                self.chat.open(session)
            self._act(session)
        except ChatError:
            pass
        self.clock.advance(self.random.choice((*[0.002] * 12, 0.5, 3, 3, 11, 40)))
        self.alarms.run()

    def _act(self, session: Remote) -> None:
        chance = self.random.random()
        session.last_input_time = self.clock.monotonic()
        if session.nickname is None and chance < 0.8:
            self.chat.perform(session, [self._hello()])
        elif chance < 0.95:
            self.chat.perform(session, [self._verb(session)])
        elif chance < 0.98:
            self.chat.close(session, "lost", lost=True)
        elif chance < 0.985:
            self.chat.remove_room(self.random.choice(ROOMS[1:]))
        elif chance < 0.99:
            self.chat.room(self.random.choice(ROOMS))
        else:
            administer = self.random.choice((administration.lock_account, administration.reset_password))
            administer(self.chat, "boss", self.random.choice(ACCOUNTS), PASSWORDS[0])

    def _hello(self) -> Hello:
        choose = self.random.choice
        token = choose([*self.tokens[-4:], None, None])
        rooms = choose((None, tuple(self.random.sample(ROOMS, 2))))
        visit, bot = self.random.random() < 0.1, self.random.random() < 0.1
        return Hello(choose(NICKNAMES), rooms, token=token, visit=visit, bot=bot, regain=self.random.random() < 0.1)

    def _verb(self, session: Remote) -> Verb:
        choose = self.random.choice
        here = [one.nickname or "" for one in self.chat.sessions()]
        nickname = choose([*here, *NICKNAMES[:6]])
        room, mask, password = choose([*session.rooms, choose(ROOMS)]), choose(MASKS), choose(PASSWORDS)
        adds, seconds, target = choose((True, False)), choose((None, 10)), choose((nickname, mask))
        masks = tuple(self.random.sample(MASKS, 2))
        letter = choose(MODES)
        argument = {"o": nickname, "v": nickname, "b": mask, "e": mask, "I": mask}.get(letter, "3")
        account = choose((None, *ACCOUNTS))
        return choose(
            (
                *(
                    Join(room, key=choose((None, "3"))),
                    Leave(room),
                    LeaveAll(),
                    Say("hi", room),
                    Direct("hi", nickname),
                ),
                *(SetNickname(nickname), SetTopic(choose(("", "tea")), room), SetAway(choose((None, "lunch")))),
                *(SetRealname("Q"), Kick(nickname, room), Invite(nickname, room), Announce("hear")),
                *(Ban(target, room, seconds=seconds, kick=adds), Ban(target, room, mute=True), Unban(target, room)),
                *(Unban(mask, room), Kick(nickname, room), Regain(choose(ACCOUNTS)), BecomeOperator("root", "sesame")),
                SetModes((ModeChange(adds, letter, argument), ModeChange(True, "o", nickname)), room),
                SetUserModes((ModeChange(adds, choose("iwB")), ModeChange(False, choose("oo")))),
                Watch(
                    tuple(self.random.sample(NICKNAMES, 2)), (nickname,), clear=adds and seconds is None, changes=adds
                ),
                *(SetIgnored(masks, ()), SetIgnored((), masks), Register(password, account), Register(password)),
                *(LogIn(password, account), LogOut(), ChangePassword(password, choose(PASSWORDS))),
                *(DropAccount(password), Regain(nickname, password), choose((Quit("bye"), Kill(nickname, "")))),
                *(server_ban.AddServerBan(choose(BANNED), 10, ""), server_ban.RemoveServerBan(choose(BANNED))),
                *(queries.WhoIs(nickname), queries.ListPeople(nickname)),
            )
        )
