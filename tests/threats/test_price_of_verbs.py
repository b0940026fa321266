"""
No verb makes the server work for long that its sender does not pay for, in any language, however large the chat is.

What counts is time of the processor on the session's own thread, where everything happens that a verb causes but the
sending. It is measured, so the bounds are some ten times as high as what it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from chat_clients import DEADLINE
from matrix_languages import IRC_LINES, JSON_LINES, SLASH
from matrix_people import ACCOUNT, PASSWORD, ROOM

from pychat import Chat
from pychat.core.accounts.password_hash import Cost
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.delivery import Batch
from pychat.core.local_session import LocalSession
from pychat.core.price import MOST_SECONDS
from pychat.core.rooms.room import Room
from pychat.handlers import Broadcast, History, JoinLeaveNotices, flood
from pychat.model.events import AwayChanged, Message
from pychat.model.queries import ListMasks
from pychat.model.replies import Masks
from pychat.model.verbs import Register, Verb
from pychat.protocols.detect import Language
from pychat.protocols.registry import LANGUAGES
from pychat.server.reload import dialects_of
from pychat.stores import SqliteLog

_PEOPLE: Final = 300
_STRANGERS: Final = 1200
_ROOMS: Final = 300
_UNIT_SECONDS: Final = 1 / 40
"""Of a processor, for the price of a message: then a session takes a twentieth of one, at two messages a second."""
_BYTE_SECONDS: Final = 100e-6
"""For a byte of input, whatever it is."""

_WORDS: Final = [f"w{number}" for number in range(20)]
_EXPENSIVE: Final = [
    (Language.IRC, line)
    for line in (
        "WHO *",
        "WHO *" + "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}" * 40,
        "WHO nobody-has-this",
        "LIST " + ",".join(f"#*{letter}*" for letter in "abcdefghijklmnopqrst"),
        "LIST *",
        "NAMES",
        "WHOWAS nobody",
        "USERHOST " + " ".join(f"p{number}" for number in range(100)),
        "ISON " + " ".join(f"p{number}" for number in range(60)),
        "MONITOR + " + ",".join(f"p{number}" for number in range(100)),
        "JOIN " + ",".join(f"#r{number}" for number in range(19)),
        "JOIN 0",
        "SILENCE " + ",".join(f"+*{number}*" for number in range(60)),
        f"MODE #{ROOM} +bbbb *a*b!*@* *c*d!*@* *e*f!*@* *g*h!*@*",
        f"CHATHISTORY LATEST #{ROOM} * 1",
        f"CHATHISTORY LATEST #{ROOM} * 500",
        f"CHATHISTORY AFTER #{ROOM} timestamp=2020-01-01T00:00:00.000Z 1",
        f"CHATHISTORY BETWEEN #{ROOM} timestamp=2020-01-01T00:00:00.000Z timestamp=2040-01-01T00:00:00.000Z 500",
        f"CHATHISTORY AROUND #{ROOM} timestamp=2026-01-01T00:00:00.000Z 500",
    )
] + [
    (Language.TEXT, f"/search {words}")
    for words in (
        "n* t*",
        " ".join(f"{letter}*" for letter in "abcdefghijklmnopqrst"),
        " ".join(_WORDS),
        f'"{" ".join(_WORDS)}"',
        f'"{"w1 " * 500}"',
    )
]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """Many people, many rooms, and a room with a long record, most of which is in the file only."""
    path = tmp_path_factory.mktemp("large") / "chat.db"
    _write(path)
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=4096)
    handlers = [JoinLeaveNotices(), Broadcast(), History()]
    chat = Chat(handlers, log=SqliteLog(path, events=100), accounts=accounts, operators={"root": "sesame"})
    chat.session("chief", [ROOM])
    for number in range(_PEOPLE):
        chat.session(f"p{number}", [ROOM])
    for number in range(_STRANGERS):
        chat.session(f"s{number}", [f"r{number % _ROOMS}"])
    chat.session("bob", [ROOM]).ask(Register(PASSWORD, ACCOUNT))
    yield chat
    chat.log.close()


def _write(path: Path) -> None:
    """Write the record of a room: long messages, then what is none."""
    log, room = SqliteLog(path), Room(Chat(), ROOM)
    log.open(lambda entry: None)
    text = "\n".join(" ".join(_WORDS[at:] + _WORDS[:at]) for at in range(20))
    for _ in range(100):
        log.append(Batch(room.as_tuple, [Message(log.claim(1), 0.0, ROOM, "chief", text)]))
    for _ in range(40):
        first = log.claim(500)
        log.append(Batch(room.as_tuple, [AwayChanged(first + at, 1.0, (ROOM,), "chief", "lunch") for at in range(500)]))
    log.close(DEADLINE)


class _Quiet(LocalSession):
    """Somebody whose answers nobody takes."""

    def request_close(self, reason: str) -> None:
        self.chat.close(self, reason)


_numbers = count()


def restore(chat: Chat) -> None:
    """Let the room be open again, and bob be in it, whatever was done to them."""
    chief = chat.find("chief")
    assert isinstance(chief, LocalSession)
    chief.set_modes("-ilsWk", "*", room=ROOM)
    masks = chief.ask(ListMasks("b", ROOM))
    assert isinstance(masks, Masks)
    for entry in masks.masks:
        chief.set_modes("-b", entry.mask, room=ROOM)
    for nickname in {"bob"} - {person.nickname for person in chat.sessions()}:
        chat.session(nickname, [ROOM])


def price(chat: Chat, language: Language, line: str) -> tuple[float, float]:
    """Let a new member send a line; return the seconds that it took, and those that it has paid for."""
    restore(chat)
    session = _Quiet(chat)
    session.address = "192.0.2.1"
    chat.admit(session, f"m{next(_numbers)}", [ROOM])
    session.person.modes = "o"
    chat.census.index_modes(session)
    verbs = _verbs(chat, language, line, session.nickname or "")
    session.owes = 0.0
    began = time.thread_time()
    chat.perform(session, verbs)
    took = time.thread_time() - began
    paid = (sum(map(flood._cost, verbs)) + session.owes) * _UNIT_SECONDS
    if not session.closed:
        chat.close(session, "done")
    return took, paid


def _verbs(chat: Chat, language: Language, line: str, nickname: str) -> list[Verb]:
    protocol = LANGUAGES[language].protocol(chat.limits, dialects_of(chat)[language])
    if language is Language.IRC:
        protocol.receive(f"NICK {nickname}\r\nUSER u 0 * :r\r\n".encode())
    elif language is Language.TEXT:
        protocol.receive(f"{nickname}\n".encode())
    protocol.take_verbs()
    protocol.registered(nickname)
    protocol.receive(line.encode() + b"\n")
    return list(protocol.take_verbs())


LINES = [
    *[(Language.TEXT, spelling.said) for spelling in SLASH],
    *[(Language.JSON, spelling.said) for spelling in JSON_LINES],
    *[(Language.IRC, spelling.said) for spelling in IRC_LINES],
    *_EXPENSIVE,
]


@pytest.mark.parametrize(("language", "line"), LINES, ids=lambda part: str(part)[:60])
def test_price_of_verbs(large: Chat, language: Language, line: str) -> None:
    """A byte of input takes some microseconds, and what takes longer is paid for; nothing takes longer than allowed."""
    tries = [price(large, language, line) for _ in range(3)]

    took, paid = min(tries, key=lambda one: one[0] - one[1])
    assert took <= paid + len(line.encode()) * _BYTE_SECONDS
    assert took <= 2 * MOST_SECONDS
