"""`pychat account`: what it does with the accounts in a file, as the next server finds them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from chat_clients import DEADLINE, JsonPeer
from chat_programs import PYCHAT, Programs, pychat
from terminal_screen import ENTER, Terminals, terminals

from pychat import Chat, ChatServer, LocalSession, Refused, StoredAccounts
from pychat.cli import accounts
from pychat.core.accounts import administration as account_admin
from pychat.core.accounts.password_hash import Cost
from pychat.model.errors import AccountExists
from pychat.model.limits import Limits
from pychat.model.server_ban import AddServerBan
from pychat.model.verbs import LogIn, Register
from pychat.stores import SqliteLog
from pychat.stores.sqlite.database import Database, StoreError
from pychat.testing import MakeChat

__all__ = ["pychat", "terminals"]  # the fixtures

MakeServer = Callable[..., ChatServer]

PASSWORD = "correct-horse"
OTHER = "battery-staple"
FULL = "cannot be stored: no space left on the disk"
STOP = "stop it, and start it again afterwards: connected clients reconnect by themselves"


@pytest.fixture
def db(pychat: Programs) -> Path:
    """Where the file is to be."""
    return pychat.directory / "chat.db"


@pytest.fixture
def start(server: MakeServer, db: Path) -> Callable[[], ChatServer]:
    """Return a function that starts a server with the file; nobody can make an account there."""
    return lambda: server(log=SqliteLog(db), accounts=StoredAccounts(registers=False, cost=Cost(2, 1, 1), iterations=1))


@pytest.fixture
def filled(server: MakeServer, db: Path) -> Path:
    """The file, with the accounts Ann and bob; Ann is the operator of a room."""
    running = server(log=SqliteLog(db), accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1))
    ann, bob = running.session("Ann"), running.session("bob")
    ann.ask(Register(PASSWORD))
    bob.ask(Register(PASSWORD))
    ann.join("ops")
    running.stop()
    return db


def log_in(session: LocalSession, account: str, password: str) -> str:
    """Log in; return what is said to it, nothing if it is well."""
    try:
        session.ask(LogIn(password, account))
    except Refused as error:
        return str(error)
    return ""


WRONG = "wrong account or password"


# What is done


def test_an_account_is_made_where_nobody_may_make_one(
    pychat: Programs, db: Path, start: Callable[[], ChatServer]
) -> None:
    """Also before the first start of the server, and of a reserved name; the password is a line of stdin."""
    done = pychat.run("account", "add", "Root", "--db", str(db), input=f"{PASSWORD}\n")

    assert (done.returncode, done.stdout, done.stderr) == (0, "the account Root was created\n", "")
    assert log_in(start().session("eve"), "root", PASSWORD) == ""


def test_a_forgotten_password_is_replaced(pychat: Programs, filled: Path, start: Callable[[], ChatServer]) -> None:
    """The old one is worth nothing, and the account is as it was otherwise."""
    done = pychat.run("account", "reset", "ann", "--db", str(filled), input=OTHER)

    assert (done.returncode, done.stdout, done.stderr) == (0, "the password of the account Ann was changed\n", "")
    eve = start().session("eve")
    assert (log_in(eve, "ann", PASSWORD), log_in(eve, "ann", OTHER)) == (WRONG, "")
    eve.join("ops")
    eve.set_modes("+m", room="ops")


def test_nobody_logs_in_to_a_locked_account(pychat: Programs, filled: Path, start: Callable[[], ChatServer]) -> None:
    """They are told why; its name stays its own, and others are not concerned."""
    done = pychat.run("account", "lock", "ANN", "--reason", "it was stolen", "--db", str(filled))

    assert (done.returncode, done.stdout, done.stderr) == (0, "the account Ann is locked\n", "")
    running = start()
    eve = running.session("eve")
    assert log_in(eve, "ann", PASSWORD) == "you are banned from this server: it was stolen"
    assert (running.chat.accounts.owner("ann"), log_in(eve, "bob", PASSWORD)) == ("Ann", "")
    running.stop()

    done = pychat.run("account", "unlock", "ann", "--db", str(filled))

    assert (done.returncode, done.stdout) == (0, "the account Ann is unlocked\n")
    assert log_in(start().session("eve"), "ann", PASSWORD) == ""


def test_a_deleted_account_leaves_nothing(pychat: Programs, filled: Path, start: Callable[[], ChatServer]) -> None:
    """Neither its roles nor its lock are there for another one of the same name."""
    pychat.run("account", "lock", "ann", "--db", str(filled))

    done = pychat.run("account", "delete", "ann", "--db", str(filled))

    assert (done.returncode, done.stdout, done.stderr) == (0, "the account Ann was deleted\n", "")
    pychat.run("account", "add", "ann", "--db", str(filled), input=OTHER)
    eve = start().session("eve")
    assert (log_in(eve, "ann", PASSWORD), log_in(eve, "ann", OTHER)) == (WRONG, "")
    eve.join("other")
    eve.join("ops")
    with pytest.raises(Refused, match="only operators of room 'ops' may do that"):
        eve.set_modes("+m", room="ops")


def test_a_token_does_not_get_around_it(
    pychat: Programs, server: MakeServer, db: Path, start: Callable[[], ChatServer]
) -> None:
    """Whoever was there as the account does not come back as if nothing had happened; others do."""
    running = server(log=SqliteLog(db), accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1))
    with closing(JsonPeer(running)) as ann, closing(JsonPeer(running)) as bob:
        tokens = {peer: peer.answer("hello", nick=nick)["token"] for peer, nick in ((ann, "ann"), (bob, "bob"))}
        assert ann.answer("register", password=PASSWORD)["type"] == "logged_in"
        running.stop()

    pychat.run("account", "reset", "ann", "--db", str(db), input=OTHER)

    again = start()
    with closing(JsonPeer(again)) as eve, closing(JsonPeer(again)) as back:
        assert eve.answer("hello", nick="eve", resume={"token": tokens[ann]})["nick"] == "eve"
        assert back.answer("hello", nick="tim", resume={"token": tokens[bob]})["nick"] == "bob"


def test_rooms_and_sessions_are_as_they_were(pychat: Programs, server: MakeServer, db: Path) -> None:
    """Nothing that waits for people runs out meanwhile: rules of a room that has no owner, tokens, what was said."""
    running = server(log=SqliteLog(db), accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1))
    with closing(JsonPeer(running)) as bob:
        bob.answer("hello", nick="bob", rooms=["den"])
        bob.answer("mode", modes="+k", args=["sesame"], room="den")
        bob.answer("say", text="hello", room="den")
        running.stop()
    before = _kept(db)

    pychat.run("account", "add", "ann", "--db", str(db), input=PASSWORD)
    pychat.run("account", "delete", "ann", "--db", str(db))

    assert _kept(db) == before


def _kept(db: Path) -> tuple[object, ...]:
    log = SqliteLog(db)
    try:
        return log.load_rooms(), log.load_sessions(), log.load_bans(), log.load_accounts()
    finally:
        log.close()


def test_it_is_in_the_audit_record(pychat: Programs, filled: Path) -> None:
    """With the name of the one who did it on this machine."""
    pychat.run("account", "lock", "ann", "--reason", "x", "--db", str(filled), LOGNAME="zoe")
    pychat.run("account", "unlock", "ann", "--db", str(filled), LOGNAME="zoe")
    pychat.run("account", "reset", "ann", "--db", str(filled), input=OTHER, LOGNAME="zoe")
    pychat.run("account", "delete", "ann", "--db", str(filled), LOGNAME="zoe")
    pychat.run("account", "add", "ann", "--db", str(filled), input=OTHER, LOGNAME="zoe")

    lines = pychat.run("history", "--audit", "--db", str(filled)).stdout.splitlines()
    by = "-- zoe (pychat account)"
    assert [line[8:] for line in lines if "zoe" in line] == [
        f"{by} locked the account Ann (x)",
        f"{by} unlocked the account Ann",
        f"{by} reset the password of the account Ann",
        f"{by} deleted the account Ann",
        f"{by} created the account ann",
    ]


# The list


def test_the_list(pychat: Programs, filled: Path) -> None:
    """Sorted, with the time and what is locked; the same for programs."""
    pychat.run("account", "lock", "bob", "--reason", "left us", "--db", str(filled), LOGNAME="zoe")

    text = pychat.run("account", "list", "--db", str(filled))
    objects = pychat.run("account", "list", "--format", "json", "--db", str(filled))

    assert (text.returncode, text.stderr) == (0, "")
    ann, bob = text.stdout.splitlines()
    assert (ann[:5], ann[21:], bob[:5]) == ("Ann  ", "", "bob  ")
    assert bob[21:] == "  locked by zoe (pychat account): left us"
    found = [json.loads(line) for line in objects.stdout.splitlines()]
    assert [(one["account"], one["locked"], one["reason"]) for one in found] == [
        ("Ann", False, None),
        ("bob", True, "left us"),
    ]


def test_a_lock_of_the_running_server_is_listed(
    pychat: Programs, start: Callable[[], ChatServer], filled: Path
) -> None:
    """One idea for both: it is a ban of the account. The list may be read meanwhile."""
    running = start()
    root = running.session("root")
    root.person.modes = "o"
    running.chat.census.index_modes(root)
    root.ask(AddServerBan("a:ann", None, "spam"))

    lines = pychat.run("account", "list", "--db", str(filled)).stdout.splitlines()

    assert lines[0].endswith("  locked by root: spam")


def test_a_file_without_accounts_has_an_empty_list(pychat: Programs, db: Path) -> None:
    """No line at all."""
    SqliteLog(db).close()

    done = pychat.run("account", "list", "--db", str(db))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# What cannot be done


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["add", "eve"], STOP),
        (["reset", "ann"], STOP),
        (["delete", "ann"], STOP),
        (["lock", "ann"], "type there, as a server operator: /serverban a:ann"),
        (["unlock", "ann"], "type there, as a server operator: /serverunban a:ann"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_a_server_has_the_file(
    pychat: Programs, db: Path, start: Callable[[], ChatServer], arguments: list[str], advice: str
) -> None:
    """One sentence says what to do instead, and nobody is asked for a password before."""
    start()

    done = pychat.run("account", *arguments, "--db", str(db))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: a server uses {str(db)!r}; {advice}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["reset", "eve"], "there is no account 'eve'"),
        (["lock", "eve"], "there is no account 'eve'"),
        (["unlock", "eve"], "there is no account 'eve'"),
        (["unlock", "ann"], "the account 'Ann' is not locked"),
        (["delete", "eve"], "there is no account 'eve'"),
        (
            ["add", "ANN"],
            "'ANN' or a similar name already has an account; pychat account reset changes its password",
        ),
        (["add", "a b"], "nickname 'a b': "),
        (["lock", "ann", "--reason", "x" * 391], "reason: at most 390 characters"),
    ],
)
def test_what_cannot_be_done_is_exit_code_1(pychat: Programs, filled: Path, arguments: list[str], problem: str) -> None:
    """With what is wrong, and nothing has changed."""
    before = _kept(filled)

    done = pychat.run("account", *arguments, "--db", str(filled))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {problem}")
    assert _kept(filled) == before


@pytest.mark.parametrize("command", ["list", "reset", "lock", "unlock", "delete"])
def test_a_file_that_is_not_there(pychat: Programs, command: str) -> None:
    """It is not made."""
    done = pychat.run("account", command, *["ann"][: command != "list"], "--db", "other.db", input=PASSWORD)

    assert (done.returncode, done.stderr) == (1, "Error: cannot open 'other.db': there is no such file\n")
    assert not (pychat.directory / "other.db").exists()


def test_where_the_file_is(pychat: Programs, filled: Path) -> None:
    """By `--db`; otherwise where the server finds it: in its config file, or the environment."""
    (pychat.directory / "my.toml").write_text(f'[serve]\ndb = "{filled}"\n')

    nowhere = pychat.run("account", "list")
    by_file = pychat.run("account", "list", "--config", "my.toml")
    by_variable = pychat.run("account", "list", PYCHAT_SERVE_DB=str(filled))

    assert nowhere.returncode == 2
    assert nowhere.stderr.splitlines()[-1] == (
        "Error: no file is named; use --db, the variable PYCHAT_SERVE_DB, or db in the table [serve] of a config file"
    )
    assert by_file.stdout == by_variable.stdout == pychat.run("account", "list", "--db", str(filled)).stdout
    assert len(by_file.stdout.splitlines()) == 2


@pytest.mark.parametrize("verb", ["add_account", "reset_password", "delete_account", "lock_account"])
@pytest.mark.usefixtures("caplog")  # the log tells of an error
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, filled: Path, verb: str) -> None:
    """What is not stored is not said to be done, and has not happened."""
    before = _kept(filled)
    more = {"add_account": ("eve", PASSWORD), "reset_password": ("ann", OTHER), "lock_account": ("ann", "")}
    arguments = more.get(verb, ("ann",))

    with monkeypatch.context() as patch, pytest.raises(accounts.AccountFailed, match=FULL):
        accounts.change(filled, Limits(), lambda chat: _on_full_disk(patch, chat, verb, *arguments))

    assert _kept(filled) == before


def _on_full_disk(patch: pytest.MonkeyPatch, chat: Chat, verb: str, *arguments: str) -> str:
    def fail(*arguments: object, **options: object) -> None:
        raise StoreError("no space left on the disk")

    patch.setattr(Database, "write", fail)
    done: str = getattr(account_admin, verb)(chat, "zoe", *arguments)
    return done


# Passwords


def test_a_password_in_a_file(pychat: Programs, filled: Path, start: Callable[[], ChatServer]) -> None:
    """One line; stdin is not read then. Passwords of our own in the environment are no passwords of others."""
    (pychat.directory / "new").write_text(f"{OTHER}\n")

    done = pychat.run(
        "account", "reset", "ann", "--password-file", "new", "--db", str(filled), PYCHAT_ACCOUNT_PASSWORD="mine-is-mine"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert log_in(start().session("eve"), "ann", OTHER) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "stdin: it contains no password"),
        (f"{OTHER}\n{OTHER}\n", "stdin: a password must be one line, without control characters"),
        ("short\n", "a password must have 8 to 512 characters"),
    ],
)
def test_bad_passwords(pychat: Programs, filled: Path, text: str, problem: str) -> None:
    """They are told without a word of them, and nothing has changed."""
    before = _kept(filled)

    done = pychat.run("account", "reset", "ann", "--db", str(filled), input=text)

    assert (done.returncode, done.stderr) == (1, f"Error: {problem}\n")
    assert _kept(filled) == before


def test_a_person_is_asked_twice(terminals: Terminals, filled: Path, start: Callable[[], ChatServer]) -> None:
    """Nobody sees it; two that differ, or one that is too short, change nothing."""
    prompt = "New password of Ann (8 to 512 characters):"
    arguments = [*PYCHAT, "account", "reset", "ann", "--db", str(filled)]
    for entries, problem in (
        (["short"], "new password of Ann: a password must have 8 to 512 characters; nothing was done"),
        ([OTHER, PASSWORD], "new password of Ann: the passwords differ; nothing was done"),
        ([OTHER, OTHER], "the password of the account Ann was changed"),
    ):
        screen = terminals.start(*arguments)
        for asked, entry in zip((prompt, "Repeat it:"), entries, strict=False):
            screen.see_line(asked)
            screen.type(f"{entry}{ENTER}")
        screen.wait_for(lambda s=screen, p=problem: any(p in row for row in s.text()), problem)  # type: ignore[misc]  # the defaults bind the loop's variables
        assert screen.process.wait(DEADLINE) == (0 if problem.startswith("the") else 1)
        assert OTHER.encode() not in screen.written

    assert log_in(start().session("eve"), "ann", OTHER) == ""


# In a chat that runs: the same functions, for programs that have it at hand


def test_who_is_here_is_logged_out(chat_server: MakeChat) -> None:
    """As after a new password by its owner, whoever was logged in is a guest."""
    chat = chat_server(accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1)).server.chat
    ann = chat.session("ann")
    ann.ask(Register(PASSWORD))

    account_admin.reset_password(chat, "zoe", "ANN", OTHER)

    assert ann.account is None
    assert (log_in(ann, "ann", PASSWORD), log_in(ann, "ann", OTHER)) == (WRONG, "")


def test_there_is_one_account_of_a_name(chat_server: MakeChat) -> None:
    """Nor two that look alike."""
    chat = chat_server(accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1)).server.chat
    account_admin.add_account(chat, "zoe", "paypal", PASSWORD)

    with pytest.raises(AccountExists):
        account_admin.add_account(chat, "zoe", "раураӏ", PASSWORD)
