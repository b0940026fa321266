"""Accounts last with the file: what was acknowledged is there after a restart, and no password is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chat_clients import JsonPeer, wait_until
from hypothesis import given
from hypothesis import strategies as st
from killing import serving
from logs import Disk

from pychat import ChatServer, LocalSession, Refused, StoredAccounts
from pychat.core.accounts.password_hash import Cost, PasswordHash
from pychat.core.accounts.scram import ScramKeys
from pychat.core.accounts.stored import StoredAccount
from pychat.model.verbs import ChangePassword, DropAccount, LogIn, Register, Verb
from pychat.stores import SqliteLog
from pychat.stores.sqlite import writer
from pychat.stores.sqlite.event_codec import Unreadable
from pychat.stores.sqlite.schema import MIGRATIONS
from pychat.stores.sqlite.state_codec import read_account, write_account

MakeServer = Callable[..., ChatServer]

PASSWORD = "correct-horse"


@pytest.fixture
def start(server: MakeServer, tmp_path: Path) -> Callable[[], ChatServer]:
    """Return a function that ends the server, if there is one, and starts it again with the same file."""
    running: list[ChatServer] = []

    def again() -> ChatServer:
        for old in running:
            old.stop()
        accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
        running[:] = [server(log=SqliteLog(tmp_path / "chat.db"), accounts=accounts)]
        return running[0]

    return again


def can_log_in(session: LocalSession, account: str, password: str) -> bool:
    """Whether that is its password."""
    try:
        session.ask(LogIn(password, account))
    except Refused:
        return False
    return True


def test_accounts_survive_a_restart(start: Callable[[], ChatServer]) -> None:
    """Also a changed password, and that one was deleted."""
    first = start()
    for name in ("Ann", "bob", "cem"):
        first.session(name).ask(Register(PASSWORD))
    sessions = {name: first.chat.find(name) for name in ("bob", "cem")}
    assert isinstance(sessions["bob"], LocalSession)
    assert isinstance(sessions["cem"], LocalSession)
    sessions["bob"].ask(ChangePassword(PASSWORD, "battery-staple"))
    sessions["cem"].ask(DropAccount(PASSWORD))

    eve = start().session("eve")

    assert can_log_in(eve, "ann", PASSWORD)
    assert eve.account == "Ann"
    assert can_log_in(eve, "bob", "battery-staple")
    assert not can_log_in(eve, "bob", PASSWORD)
    assert not can_log_in(eve, "cem", PASSWORD)


def test_a_restart_does_not_tell_which_accounts_there_are(start: Callable[[], ChatServer]) -> None:
    """The salt that SCRAM tells to strangers is the same after it, for names that there are and for others."""
    first = start()
    first.session("ann").ask(Register(PASSWORD))

    def salts(running: ChatServer) -> list[bytes]:
        keys = [running.chat.accounts.scram(name) for name in ("ann", "nobody", "Nobody")]
        return [key.salt for key in keys if key is not None]

    before = salts(first)
    assert len(set(before)) == 2
    assert salts(start()) == before


def test_no_password_is_in_the_file(start: Callable[[], ChatServer], tmp_path: Path) -> None:
    """Nor what would be as good as one."""
    running = start()
    running.session("ann").ask(Register(PASSWORD))
    running.stop()

    assert not [path for path in tmp_path.iterdir() if PASSWORD.encode() in path.read_bytes()]


def test_a_file_of_the_first_version_is_upgraded(start: Callable[[], ChatServer], tmp_path: Path) -> None:
    """What was said in it is there."""
    running = start()
    running.session("bob").say("hello")
    running.stop()
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        connection.executescript(
            "DROP TABLE accounts; DROP TABLE bans; DROP TABLE masks; DROP TABLE steps;"
            "ALTER TABLE state DROP COLUMN secret;"
            "DROP INDEX blocks_with_messages; ALTER TABLE blocks DROP COLUMN messages; PRAGMA user_version = 1"
        )

    ann = start().session("ann")

    assert [getattr(event, "text", "") for event in ann.history()].count("hello") == 1
    ann.ask(Register(PASSWORD))
    with closing(sqlite3.connect(tmp_path / "chat.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


@pytest.mark.usefixtures("caplog")  # the log tells of an error
def test_what_cannot_be_stored_is_not_acknowledged(
    start: Callable[[], ChatServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first who finds out is refused, too, and nothing has changed; later it works."""
    monkeypatch.setattr(writer, "_RETRY_SECONDS", 0.02)
    running = start()
    log = running.chat.log
    assert isinstance(log, SqliteLog)
    disk = Disk(log)
    ann, bob = running.session("ann"), running.session("bob")
    bob.ask(Register(PASSWORD))

    asked: list[tuple[LocalSession, Verb]] = [
        (ann, Register(PASSWORD)),
        (bob, ChangePassword(PASSWORD, "battery-staple")),
        (bob, DropAccount(PASSWORD)),
    ]
    for session, verb in asked:
        disk.become_read_only()
        with pytest.raises(Refused) as caught:
            session.ask(verb)
        assert caught.value.code == "not_stored"
        disk.become_writable()
        wait_until(lambda: log.storage_error is None, "the log is well again")

    assert (ann.account, bob.account) == (None, "bob")
    assert (running.chat.accounts.owner("ann"), can_log_in(ann, "bob", PASSWORD)) == (None, True)
    eve = start().session("eve")
    assert not can_log_in(eve, "ann", PASSWORD)
    assert can_log_in(eve, "bob", PASSWORD)
    start().session("ann").ask(Register(PASSWORD))


def test_accounts_survive_kill_9(tmp_path: Path) -> None:
    """What was acknowledged is there, at whatever moment the process ended."""
    for number in range(3):
        with serving(tmp_path / "chat.db") as program:
            ann = JsonPeer(("127.0.0.1", program.port))
            ann.ask("hello", nick=f"ann{number}")
            assert ann.answer("register", password=PASSWORD)["type"] == "logged_in"
            program.process.kill()
            ann.close()

    log = SqliteLog(tmp_path / "chat.db")
    names = sorted(account.name for account in log.load_accounts())
    log.close()
    assert names == ["ann0", "ann1", "ann2"]


@given(
    st.builds(
        StoredAccount,
        st.text(),
        st.builds(PasswordHash, st.builds(Cost, *[st.integers(1, 2**20)] * 3), st.binary(), st.binary()),
        st.builds(ScramKeys, st.binary(), st.integers(1, 2**20), st.binary(), st.binary()),
        st.floats(0, 1e10),
    )
)
def test_what_is_written_is_read(account: StoredAccount) -> None:
    """Whatever is in it."""
    assert read_account(write_account(account)) == account


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name":"a","created":1,"scrypt":[1],"scram-sha-256":[1,"zz"]}'])
def test_what_is_no_account(text: str) -> None:
    """A damaged file; the error has nothing of it."""
    with pytest.raises(Unreadable, match=r"^not an account$"):
        read_account(text)
