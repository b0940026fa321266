"""
Who asks in the matrix of `test_authorize_matrix.py`: one caller in every state and role, in a small world of its own.

There is no socket and no thread, so that thousands of cases take seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from pychat.core.accounts.base import Accounts
from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.hooks.chains import Chains
from pychat.core.session import Session
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.modes import parse as parse_modes
from pychat.model.verbs import Ban, Command, Direct, Hello, Join, Say, SetModes, SetTopic, Verb

ROOM: Final = "den"
"""What all verbs are about. Its founder is `chief`, a member is `bob`, and `zoe` is elsewhere."""
CLOSED: Final = "+imstk"
"""What the room has where it is closed to all that a room can be closed to; its key is `sesame`."""
ACCOUNT: Final = "smith"
PASSWORD: Final = "correct-horse"

STRANGER, STRANGER_IN_ACCOUNT, OUTSIDER, BANNED = "stranger", "with account", "outsider", "banned"
MEMBER, SILENCED, VOICED, OPERATOR = "member", "silenced", "voiced", "operator"
ROOT, ROOT_IN_ROOM, IN_ACCOUNT = "root", "root in room", "in account"

PEOPLE: Final = (
    STRANGER,
    STRANGER_IN_ACCOUNT,
    OUTSIDER,
    BANNED,
    MEMBER,
    SILENCED,
    VOICED,
    OPERATOR,
    ROOT,
    ROOT_IN_ROOM,
    IN_ACCOUNT,
)
"""
The states and roles that there are. Without a nickname: a `stranger`, also `with account`, as SASL comes first. Not in
the room: an `outsider`, one who is `banned` from it, and a server operator (`root`) who is banned as well. In the room:
a `member`, one who was banned while in it (`silenced`), one with voice, its operator, a server operator, and one who is
logged in to an account.
"""
STRANGERS: Final = (STRANGER, STRANGER_IN_ACCOUNT)
_OUTSIDE: Final = (OUTSIDER, BANNED, ROOT)
_BANNED: Final = (BANNED, SILENCED, ROOT)

TOPIC: Final = "of-the-house"
SAID: Final = "among-us"
"""The topic of the room, and what was said there: not for everybody."""
EVIL: Final = "evil!*@*"
"""Who is banned and muted there, whoever asks."""


class _Roll(Handler):
    """Knows the command `roll`."""

    def on_command(self, session: Session, command: Command) -> bool:
        return command.name == "roll"


_CHAINS: Final = Chains([JoinLeaveNotices(), Broadcast(), _Roll()])
"""Made once, as checking the hooks of handlers takes longer than everything else of a case."""


class Someone(Session):
    """Writes down what it hears of the chat."""

    is_local: ClassVar[bool] = True

    def __init__(self, chat: Chat, address: str = "") -> None:
        super().__init__(chat, address)
        self.heard_items: list[Any] = []
        chat.open(self)

    def deliver(self, items: Sequence[Any]) -> None:
        self.heard_items += items

    def request_close(self, reason: str) -> None:
        """End at once."""
        self.chat.close(self, reason)

    def take(self) -> list[Any]:
        """Return what came since the last call."""
        taken, self.heard_items = self.heard_items, []
        return taken


class PlainAccounts(Accounts):
    """One account, which costs nothing, and whatever is registered."""

    registers = True

    def __init__(self) -> None:
        self.passwords = {ACCOUNT: PASSWORD}

    def check(self, name: str, password: str) -> str | None:
        return name if self.passwords.get(name) == password else None

    def owner(self, nickname: str) -> str | None:
        return nickname if nickname in self.passwords else None

    def register(self, name: str, password: str) -> None:
        self.passwords[name] = password

    def change_password(self, name: str, password: str) -> None:
        self.passwords[name] = password

    def drop(self, name: str) -> None:
        del self.passwords[name]


class World:
    """A chat with a room and its people, and one caller who is about to ask for something."""

    def __init__(self, who: str, *, closed: bool) -> None:
        self.accounts = PlainAccounts()
        self.chat = chat = Chat(accounts=self.accounts, operators={"root": "sesame"})
        chat.chains = _CHAINS
        chat.alarms.stop()  # no case takes time, and nothing has to end in it
        self.chief, self.bob, self.zoe = (Someone(chat) for _ in range(3))
        for person, nickname, room in (
            (self.chief, "chief", ROOM),
            (self.bob, "bob", ROOM),
            (self.zoe, "zoe", "attic"),
        ):
            self.do(person, Hello(nickname, (room,)))
        self.caller = Someone(chat, "192.0.2.1")
        self.do(self.chief, SetTopic(TOPIC, ROOM), Say(SAID, ROOM), Ban(EVIL, ROOM), Ban(EVIL, ROOM, mute=True))
        self._let_in(who)
        if closed:
            self.do(self.chief, SetModes(tuple(parse_modes(CLOSED, ["sesame"])), ROOM))
        for person in (self.chief, self.bob, self.zoe, self.caller):
            person.take()

    def _let_in(self, who: str) -> None:
        caller = self.caller
        if who in (STRANGER_IN_ACCOUNT, IN_ACCOUNT):
            caller.person.account = ACCOUNT
        if who in STRANGERS:
            return
        self.do(caller, Hello("ann", ()))
        if who not in _OUTSIDE:
            self.do(caller, Join(ROOM))
        self.do(self.bob, Direct("psst", "ann"))
        role = {VOICED: "+v", OPERATOR: "+o"}.get(who)
        if role is not None:
            self.do(self.chief, SetModes(tuple(parse_modes(role, ["ann"])), ROOM))
        if who in _BANNED:
            self.do(self.chief, SetModes(tuple(parse_modes("+b", ["ann!*@*"])), ROOM))
        if who in (ROOT, ROOT_IN_ROOM):
            caller.person.modes = "o"
            self.chat.census.index_modes(caller)

    def do(self, session: Someone, *verbs: Verb) -> list[Any]:
        """Perform verbs and return what the session hears."""
        self.chat.perform(session, verbs)
        return session.take()

    def state(self) -> tuple[object, ...]:
        """Everything of the world that a verb may change."""
        rooms = [
            (room.name, room.topic, rules.letters, rules.join_key, dict(rules.roles), dict(rules.invited))
            for room in self.chat.rooms()
            for rules in (room.state,)
        ]
        lists = [tuple(masks) for room in self.chat.rooms() for masks in room.state.lists.values()]
        inside = [frozenset(room.members) for room in self.chat.rooms()]
        people = {(s.nickname, s.account, s.modes, s.away, s.realname, s.closed) for s in self.chat.sessions()}
        caller = self.caller
        return rooms, lists, inside, people, caller.account, caller.closed, dict(self.accounts.passwords)

    def others_heard(self) -> list[Any]:
        """What the other people have heard."""
        return [item for person in (self.chief, self.bob, self.zoe) for item in person.take()]
