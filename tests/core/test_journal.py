"""What the log of the server says of people: a line for each who comes, goes, or does something to others."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from recorder import enter
from remote import come, open_chat

from pychat import Chat
from pychat.handlers import Broadcast
from pychat.model.queries import GetStats, ReadAudit, WhoIs
from pychat.model.replies import HistoryPage, Lines, Ok, Profile
from pychat.model.verbs import Announce, Ban, BecomeOperator, Kill, Say
from pychat.stores import SqliteLog
from pychat.testing import FakeClock


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was written at `info`."""
    return [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]


def test_a_line_for_each_coming_and_going(caplog: pytest.LogCaptureFixture) -> None:
    """Address, nickname, account, how long by whatever clock, how much was said, and why; none without a nickname."""
    caplog.set_level(logging.INFO, "pychat")
    clock = FakeClock()
    chat = open_chat(clock=clock)
    ann = come(chat, "ann", "192.0.2.1")
    ann.person.account = "Ann"
    ann.do(Say("a"), Say("b"))
    clock.advance(90)
    clock.set_time(clock.time() - 86_400)
    chat.close(ann, 'bye\n"x"')
    stranger = enter(chat, "bob")
    chat.close(stranger, "lost")
    nobody = type(stranger)(chat)
    chat.open(nobody)
    chat.close(nobody, "lost")

    assert lines(caplog) == [
        "ann from 192.0.2.1 joined the server: program",
        "ann from 192.0.2.1 (account Ann) left the server after 90 s, messages: 2, 'bye\\n\"x\"'",
        "bob from inside joined the server: program",
        "bob from inside left the server after 0 s, messages: 0, 'lost'",
    ]


def test_what_somebody_does_to_others_is_in_the_log_and_in_the_audit(caplog: pytest.LogCaptureFixture) -> None:
    """With the address of the one who did it; one line, whatever was given."""
    chat = Chat([Broadcast()], operators={"root": "sesame"})
    root, _ = enter(chat, "ann"), enter(chat, "eve")
    root.address = "192.0.2.1"
    caplog.set_level(logging.INFO, "pychat")
    root.do(BecomeOperator("root", "sesame"), Ban("eve", room="lobby", reason="spam"), Kill("eve", "spam"))

    said = lines(caplog)
    (page,) = [item for item in root.do(ReadAudit()) if isinstance(item, HistoryPage)]
    assert [event.text for event in page.events] == said  # type: ignore[union-attr]  # notices
    assert [line.partition(" (192.0.2.1) ")[2].partition(" ")[0] for line in said] == [
        "became",
        "banned",
        "disconnected",
    ]


def test_an_announcement_reaches_everybody() -> None:
    """In whatever room, in the name of the server; and the audit record has it."""
    chat = Chat([Broadcast()], operators={"root": "sesame"})
    root, eve = enter(chat, "ann"), enter(chat, "eve", "ops")
    root.do(BecomeOperator("root", "sesame"))
    root.take(), eve.take()

    heard = root.do(Announce("restart at noon", ref=1))

    assert [item.text for item in heard[:-1]] == ["restart at noon"]
    assert heard[-1] == Ok(1)
    assert [(item.text, item.room) for item in eve.take()] == [("restart at noon", None)]
    assert [item.code for item in root.do(Announce(" "))] == ["empty"]


def test_figures() -> None:
    """Of those who are here and those who are gone; the clock may be set meanwhile."""
    clock = FakeClock()
    chat = Chat([Broadcast()], operators={"root": "sesame"}, clock=clock)
    root, eve = enter(chat, "ann"), enter(chat, "eve", "ops")
    root.do(BecomeOperator("root", "sesame"), Say("a"))
    eve.do(Say("b"))
    chat.close(eve, "lost")
    clock.advance(3700)
    clock.set_time(clock.time() + 86_400)

    (answer,) = root.do(GetStats(ref=1))

    assert isinstance(answer, Lines)
    figures = dict(line.split(": ", 1) for line in answer.lines)
    assert figures["up"] == "1 h 1 min"
    assert figures["people"] == "1, at most 2 at the same time"
    assert figures["languages"] == "program 1"
    assert figures["messages"] == "2"
    assert figures["trouble"] == "none"


def test_figures_of_a_file(tmp_path: Path) -> None:
    """How large it is, and how much room is left; or that it is gone."""
    log = SqliteLog(tmp_path / "chat.db")
    figures = log.figures()
    assert figures["record"].startswith(f"{tmp_path}/chat.db, ")
    assert figures["free on its disk"].endswith(" MiB")
    (tmp_path / "chat.db").unlink()
    assert log.figures() == {"record": f"{tmp_path}/chat.db: No such file or directory"}
    log.close()


def test_only_operators_of_the_server_read_addresses() -> None:
    """To everybody else, addresses are never shown."""
    chat = Chat([Broadcast()], operators={"root": "sesame"})
    root, eve = enter(chat, "ann"), enter(chat, "eve")
    eve.address = "192.0.2.7"

    def address() -> str:
        (profile,) = root.do(WhoIs("eve"))
        assert isinstance(profile, Profile)
        return profile.address

    assert address() == ""
    root.do(BecomeOperator("root", "sesame"))
    assert address() == "192.0.2.7"
