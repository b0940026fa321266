"""When the disk fails: what is said is refused, nothing that was acknowledged is lost, and it goes on by itself."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, full_chain, wait_until
from chat_programs import Programs, pychat
from logs import Disk, Watched, opened, say, settle

from pychat import ChatServer, Disconnected, Handler, Kicked, Left, LocalSession, Message, Refused, Session
from pychat.model.replies import HistoryPage
from pychat.model.verbs import Kick
from pychat.stores import SqliteLog
from pychat.stores.sqlite import database as sqlite
from pychat.stores.sqlite import writer

__all__ = ["pychat"]  # the fixture

# Each of them lets the log tell of an error, which `server` takes for a failure unless a test looks at the log itself.
pytestmark = pytest.mark.usefixtures("caplog")

MakeServer = Callable[..., ChatServer]
READ_ONLY = "your message cannot be stored: the file is read-only"
_PAGE_BYTES = 4096
"""Of a file of SQLite, if nobody says otherwise."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be tried again at once."""
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.02)


@pytest.fixture
def log(tmp_path: Path) -> SqliteLog:
    """A log in a new file."""
    return SqliteLog(tmp_path / "chat.db")


@pytest.fixture
def disk(log: SqliteLog) -> Disk:
    """The disk under it."""
    return Disk(log)


@pytest.fixture
def running(server: MakeServer, log: SqliteLog) -> ChatServer:
    """A server with that log."""
    return server(log=log, handlers=full_chain())


def refusal(session: LocalSession, text: str = "hello") -> str:
    """Say something that is refused; return the reason."""
    with pytest.raises(Refused) as caught:
        session.say(text)
    assert caught.value.code == "not_stored"
    return str(caught.value)


def texts(peer: JsonPeer, **history: Any) -> list[str]:
    """What the record of the lobby has of messages."""
    events = peer.answer("history", **history)["events"]
    return [event["text"] for event in events if event["type"] == "message"]


def test_what_cannot_be_stored_is_refused(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """The first message finds out, the next ones are refused at once; nobody hears any; then it goes on."""
    ann, bob = running.session("ann"), clients.json(running, "bob")
    ann.say("before")
    disk.become_read_only()

    assert [refusal(ann), refusal(ann)] == [READ_ONLY] * 2
    bob.ask("say", text="me neither", ref=1)
    assert bob.until("error")[-1] == {
        "type": "error",
        "ref": 1,
        "code": "not_stored",
        "text": READ_ONLY,
        "room": "lobby",
    }
    assert texts(bob) == ["before"]
    disk.become_writable()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    ann.say("after")
    assert bob.until("message")[-1]["text"] == "after"
    assert texts(bob) == ["before", "after"]


@pytest.mark.parametrize("command", ["send", "tail", "connect"])
def test_programs_tell_why(running: ChatServer, disk: Disk, clients: Clients, pychat: Programs, command: str) -> None:
    """What was not stored is no success, also if no room was named; nobody hears it, then or later."""
    bob = clients.json(running, "bob")
    disk.become_read_only()
    bob.ask("say", text="is it full?")
    bob.next("error")
    arguments = [command, "--nick", "ci", "--port", str(running.port), *["text"][: command == "send"]]

    done = pychat.run(*arguments, input="text\n")

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "Error: your membership cannot be stored: the file is read-only\n"
    disk.become_writable()
    wait_until(lambda: running.chat.log.storage_error is None, "storing works again")
    assert pychat.run("send", "--nick", "ci", "--port", str(running.port), "later").returncode == 0
    assert bob.next("message")["text"] == "later"
    assert texts(bob) == ["later"]


def test_send_tells_that_its_message_was_not_stored(
    running: ChatServer, disk: Disk, clients: Clients, pychat: Programs
) -> None:
    """The disk fails between the join and the message; it is told by its exit code, and sends nothing again."""
    bob = clients.json(running, "bob")

    class Fills(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            disk.become_read_only()
            return message

    running.add_handler(Fills(), before=running.chat.handlers[0])

    done = pychat.run("send", "--nick", "ci", "--port", str(running.port), "text")

    assert (done.returncode, done.stderr) == (4, f"Error: {READ_ONLY}\n")
    disk.become_writable()
    wait_until(lambda: running.chat.log.storage_error is None, "storing works again")
    assert texts(bob) == []


def test_those_who_wait_for_the_disk_are_refused_each(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """In the place of the acknowledgement, once; what has no mark is answered once for all of it."""
    ann, bob = clients.json(running, "ann"), clients.json(running, "bob")
    gate, appended = disk.hold(), Watched(running.chat.log)
    for number in range(3):
        ann.ask("say", text=f"marked {number}", ref=number)
        bob.ask("say", text="not marked")
    appended.wait_for(*[Message] * 6)
    disk.become_read_only()
    gate.set()

    answers = [ann.next("error") for _ in range(3)]
    assert [(answer["ref"], answer["text"]) for answer in answers] == [(number, READ_ONLY) for number in range(3)]
    assert bob.next("error")["text"] == READ_ONLY
    assert texts(bob) == []


def test_who_leaves_leaves(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """The others hear of it; the record has a gap, which those are told of who come back over it."""
    ann, bob, carl = (running.session(name) for name in ("ann", "bob", "carl"))
    eve = clients.json(running, "eve")
    ann.say("seen by all")
    seen = eve.until("message")[-1]["id"]
    disk.become_read_only()
    refusal(ann)

    bob.leave()
    carl.close("good night")
    assert ann.next(Left, DEADLINE).nickname == "bob"
    assert ann.next(Disconnected, DEADLINE).reason == "good night"
    disk.become_writable()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    assert not running.chat.log.has_gap("lobby", int(seen, 16))  # it is still in memory
    running.stop()
    with opened(disk._database.path) as (log, _):
        assert log.has_gap("lobby", int(seen, 16))
        kinds = [type(event) for event in log.read_after(("lobby",), int(seen, 16)).events]
        assert Left not in kinds


def test_joining_and_changing_are_refused(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """Before anything has changed; who comes in has a nickname, is told why it is in no room, and can join later."""
    ann = running.session("ann")
    disk.become_read_only()
    refusal(ann)

    with pytest.raises(Refused, match=r"^your membership cannot be stored: the file is read-only$"):
        ann.join("ops")
    with pytest.raises(Refused, match=r"^your new nickname cannot be stored: the file is read-only$"):
        ann.set_nickname("anna")
    with pytest.raises(Refused, match=r"^the topic cannot be stored: the file is read-only$"):
        ann.set_topic("tea")
    assert (ann.nickname, ann.room_names, running.room("lobby").topic) == ("ann", ("lobby",), "")
    bob = clients.new_json(running)
    bob.ask("hello", nick="bob", ref=1)
    assert bob.until("error")[-1]["text"] == "your membership cannot be stored: the file is read-only"
    bob.ask("direct", to="ann", text="psst")
    assert ann.next(Message, DEADLINE).text == "psst"
    disk.become_writable()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    assert bob.answer("join", room="lobby")["type"] == "members"


def test_what_is_read_before_it_is_refused_is_not_told(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """A replay may have found a message in memory that is not on the disk yet; then it waits for the disk, too."""
    ann, bob = clients.json(running, "ann"), clients.new_json(running)
    ann.answer("say", text="stored")
    gate, appended = disk.hold(), Watched(running.chat.log)
    ann.ask("say", text="lost", ref=1)
    ann.ask("history", ref=2)
    appended.wait_for(HistoryPage)
    disk.become_read_only()
    gate.set()

    assert ann.next("error")["text"] == READ_ONLY
    events = ann.next("history")["events"]
    assert [event["text"] for event in events if event["type"] == "message"] == ["stored"]
    disk.become_writable()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    bob.ask("hello", nick="bob", replay=True)
    assert [event["text"] for event in bob.next("replay")["events"]] == ["stored"]


def test_a_full_disk(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """As long as it is full, each message is either stored or refused; then there is room again."""
    ann, bob = running.session("ann"), clients.json(running, "bob")
    stored: list[int] = []

    def say_much() -> None:
        for number in range(100):
            ann.say(f"{number} " + "x" * 3000)
            stored.append(number)

    disk.fill()
    with pytest.raises(Refused, match=r"^your message cannot be stored: no space left on the disk$"):
        say_much()
    disk.empty()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    ann.say("100 end")
    assert [int(text.split()[0]) for text in texts(bob)] == [*stored, 100]


def test_a_file_that_is_locked_by_another_program(
    running: ChatServer, disk: Disk, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a while that is waited for; then it is an error like others."""
    disk._pragma("busy_timeout = 50")
    ann = running.session("ann")
    other = sqlite3.connect(disk._database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert refusal(ann) == "your message cannot be stored: another program has locked the file"
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    ann.say("hello")


def test_a_file_that_stays_locked_holds_up_nobody(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """The retries wait a moment for the other program, not as long as what is said does when all is well."""
    disk._pragma("busy_timeout = 50")
    retries: list[bool] = []

    def write(*arguments: Any, patient: bool = True, **options: Any) -> None:
        retries.append(patient)
        disk._write(*arguments, patient=patient, **options)

    ann = running.session("ann")
    other = sqlite3.connect(disk._database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    disk._database.write = write  # type: ignore[method-assign]
    refusal(ann)
    wait_until(lambda: len(retries) >= 3, "it was tried again twice")
    assert clients.json(running, "bob").answer("ping")["type"] == "pong"
    other.execute("ROLLBACK")
    other.close()
    wait_until(lambda: running.chat.log.storage_error is None, "the log is well again")
    tried = list(retries)
    ann.say("hello")

    assert tried[0] is retries[len(tried)] is True
    assert not any(tried[1:])
    assert disk._database._writer.execute("PRAGMA busy_timeout").fetchone() == (2000,)


def test_what_is_missing_in_the_audit_record_is_in_the_log(
    running: ChatServer, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    """To remove somebody is possible while nothing can be stored; who has done it is told of no message of theirs."""
    ann, bob = running.session("ann", ["ops"]), running.session("bob", ["ops"])
    disk.become_read_only()
    refusal(ann)

    ann.ask(Kick("bob", "ops", "spam"))

    assert bob.next(Kicked, DEADLINE).reason == "spam"
    wait_until(lambda: "not in the audit record: ann!" in caplog.text, "it is logged")
    assert "removed bob!" in caplog.text


def test_a_slow_disk_only_takes_time(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """Nobody hears what is not on the disk; then everybody does, in one order."""
    ann, bob = clients.json(running, "ann"), clients.json(running, "bob")
    gate, appended = disk.hold(), Watched(running.chat.log)
    ann.ask("say", text="one", ref=1)
    bob.ask("say", text="two", ref=2)
    appended.wait_for(Message, Message)
    gate.set()

    first, second = ann.next("ok")["id"], bob.next("ok")["id"]
    assert [event["id"] for event in ann.answer("history", limit=2)["events"]] == sorted([first, second])


def test_who_writes_waits_when_the_disk_is_behind(running: ChatServer, disk: Disk) -> None:
    """What waits for the disk is bounded; the writer goes on when it was written."""
    log, room = running.chat.log, running.room("lobby")
    gate = disk.hold()
    going_on = threading.Event()

    def write() -> None:
        for _ in range(400):
            room.announce("x" * 4000)
            log.throttle()
        going_on.set()

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: log._writer.is_crowded, "there is too much")  # type: ignore[attr-defined]
    assert not going_on.is_set()
    gate.set()
    assert going_on.wait(DEADLINE)
    writer.join(DEADLINE)


def test_a_damaged_file_cannot_be_read(running: ChatServer, disk: Disk, clients: Clients) -> None:
    """Who asks for history is told; talking goes on, and who joins is told of a gap where it cannot be read."""
    path = disk._database.path
    ann = running.session("ann")
    for number in range(60):
        ann.say(f"{number} " + "x" * 3000)
    disk.settle()
    data = path.read_bytes()
    with path.open("r+b") as file:
        for number in range(10, 40):  # pages of these messages alone, which nobody needs who writes
            file.seek(data.index(f"{number} xxx".encode()) // _PAGE_BYTES * _PAGE_BYTES)
            file.write(b"\x55" * _PAGE_BYTES)
    for connection in [disk._database._idle.get() for _ in range(sqlite._READERS)]:
        assert connection is not None
        connection.execute("PRAGMA cache_size = 0")
        disk._database._idle.put(connection)
    running.chat.log._rings.drop_unused(-1.0, 2**63)  # type: ignore[attr-defined]

    bob = clients.json(running, "bob")
    answer = bob.answer("history", limit=500)
    assert (answer["type"], answer["code"]) == ("error", "not_readable")
    assert answer["text"] == "the history cannot be read: the file is damaged"
    bob.send('{"type":"say","text":"hello"}\n')
    assert ann.next(Message, DEADLINE).text == "hello"


def test_it_is_logged_once(running: ChatServer, disk: Disk, log: SqliteLog, caplog: pytest.LogCaptureFixture) -> None:
    """One line when it begins, one when it is over."""
    ann = running.session("ann")
    disk.become_read_only()
    refusal(ann)
    retried = log._writer._retry_at
    wait_until(lambda: log._writer._retry_at > retried, "it was tried again")
    disk.become_writable()
    wait_until(lambda: ": storing works again" in caplog.text, "the log is well again, and has told so")

    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        f"{disk._database.path}: the file is read-only; messages are refused until storing works again",
        f"{disk._database.path}: storing works again",
    ]


def test_what_a_program_says_is_refused_too(running: ChatServer, disk: Disk) -> None:
    """It is told by an exception, as a session would be by an answer."""
    ann = running.session("ann")
    disk.become_read_only()
    refusal(ann)

    with pytest.raises(Refused, match=r"^your message cannot be stored: the file is read-only$"):
        running.room("lobby").announce("hello")


def test_a_log_that_is_closed_lets_pass_what_is_not_stored(tmp_path: Path) -> None:
    """The last words to a client go through it."""
    with opened(tmp_path / "chat.db") as (log, accepted):
        log.close(DEADLINE)
        say(log, "too late")
        settle(log)

    assert accepted == []
    with opened(tmp_path / "chat.db") as (log, _):
        assert log.read_before("a", None, 5).events == []
