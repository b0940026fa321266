"""
Threat "a text stops the record, or forges it": any string of JSON, in any field of any request, said by an operator.

What is looked at is the record: it goes on, nothing was too strange to be written, it can be opened again, and each
entry of the audit record is one line.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE
from hostile import fields_of
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_door import protocol_of, say
from matrix_languages import JSON
from matrix_people import Someone
from test_fuzz_commands import fuzzed

from pychat.core.accounts.password_hash import Cost
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.chat import Chat
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.events import Notice
from pychat.model.names import AUDIT
from pychat.model.text import clean_line
from pychat.model.verbs import BecomeOperator, Hello
from pychat.protocols.jsonl import verbs as json_verbs
from pychat.stores import SqliteLog
from pychat.stores.sqlite.check import inspect

_BAD = [
    *("\ud800", "\udfff", "a:\ud800", "m:a:\udc80", "*!*@\ud800", "\ud800!*@*", "#\ud800", "1.2.3.4/\ud800"),
    *("a:x\nFAKE", "a:\x1b]0;owned\x07", "x\r\ny", "\0", "\x85", "\u2028", "\u202e", "a:" + "x" * 900, "é" * 200),
    *("a:eve", "eve!*@*", "10.0.0.0/8", "den", "bob", "+b", "+k", "+beI", "correct-horse", "sesame", "smith"),
]
"""What was found once, and what is good, so that other fields are looked at, too."""
texts = st.sampled_from(_BAD) | st.text(st.characters(exclude_categories=()), max_size=8)


_LISTS = ("args", "rooms")
_NO_TEXTS = ("seconds", "limit", "before", "after", "around", "action", "notice", "mute", "replay", "bot", "resume")
"""Fields that are refused with a text in them, whatever it is."""


_GOOD = {"room": "den", "nick": "bob", "rooms": ["den"], "args": ["bob"], "modes": "+o", "mode": "b"}


def texts_of(type: str) -> list[str]:
    """The fields that can have a text."""
    return [name for name in fields_of(type) if name not in _NO_TEXTS]


def with_each(type: str) -> Iterator[dict[str, Any]]:
    """Requests with each of the bad texts in one field, and what is good in others."""
    for name in texts_of(type):
        for text in _BAD:
            yield {"type": type, **_GOOD, name: [text] if name in _LISTS else text}


@st.composite
def requests(draw: st.DrawFn, type: str) -> dict[str, Any]:
    """A request with texts in all fields that can have any, but for one that may lack."""
    names = texts_of(type)
    fields = {name: draw(st.lists(texts, max_size=3) if name in _LISTS else texts) for name in names}
    fields.pop(draw(st.sampled_from([*names, ""])), None)
    return {"type": type, **fields}


class Recorded:
    """A chat whose record is in a file, with somebody who may everything, and a member."""

    def __init__(self, path: Path) -> None:
        self.log = SqliteLog(path, sync="normal")
        accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
        handlers = [JoinLeaveNotices(), Broadcast()]
        self.chat = Chat(handlers, log=self.log, accounts=accounts, operators={"root": "sesame"})
        self.caller = Someone(self.chat, "192.0.2.2")
        self.chat.perform(self.caller, [Hello("bob", ("den",))])

    def ask(self, request: dict[str, Any]) -> None:
        """Let the one who may everything ask, in a connection of its own."""
        caller = self.caller = Someone(self.chat, "192.0.2.1")
        self.chat.perform(caller, [Hello("ann", ("den",)), BecomeOperator("root", "sesame")])
        say(self, protocol_of(JSON), json.dumps(request).encode() + b"\n")  # type: ignore[arg-type]  # as good as a world
        self.chat.close(caller, "done")

    def look(self) -> None:
        """Look whether each entry of the audit record is one line."""
        for event in self.log.read_before(AUDIT, None, 50).events:
            assert isinstance(event, Notice)
            assert event.text == clean_line(event.text)

    def close(self) -> None:
        """End, as a server does."""
        self.chat.stopping.set()
        self.chat.alarms.stop()
        self.log.close(DEADLINE)


@pytest.mark.parametrize("type", json_verbs.REQUESTS.types)
def test_any_text_in_any_field_is_borne_by_the_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, type: str
) -> None:
    """Nothing of it is too strange to be written, so nothing is left out; and it can be read again."""
    path = tmp_path / "chat.db"
    recorded = Recorded(path)

    for request in with_each(type):
        recorded.ask(request)
        recorded.look()

    @settings(fuzzed, max_examples=25)
    @given(requests(type))
    def fuzz(request: dict[str, Any]) -> None:
        recorded.ask(request)
        recorded.look()

    fuzz()
    recorded.close()

    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    SqliteLog(path).close()
    assert inspect(path).disorder == []
