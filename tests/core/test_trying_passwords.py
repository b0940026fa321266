"""Trying passwords: many at once, from one address or from many, and what an owner notices of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import pytest
from chat_clients import DEADLINE
from remote import CHEAP, Remote, come, make_accounts, no_alarm_is_left, open_chat
from test_accounts import PASSWORD, codes, registered

from pychat.core.accounts import password_hash as hashing
from pychat.core.accounts.authentication import release_waiting
from pychat.core.accounts.password_hash import Cost
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.chat import Chat
from pychat.core.people.rules import park
from pychat.core.people.state import Parked
from pychat.model.tokens import digest_of
from pychat.model.verbs import Authenticate, BecomeOperator, ChangePassword, Hello, LogIn, Verb
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]

CLASS = 60


def all_at_once(tries: Iterable[tuple[Remote, Verb]]) -> None:
    """Let each session perform its verb on a thread of its own."""
    threads = [threading.Thread(target=session.do, args=(verb,)) for session, verb in tries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()


class Hashes:
    """Counts what is hashed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        self._real = hashing._scrypt
        monkeypatch.setattr(hashing, "_scrypt", self._count)

    def _count(self, password: str, salt: bytes, cost: Cost) -> bytes:
        self.number += 1
        return self._real(password, salt, cost)


def accounts_of_a_class() -> StoredAccounts:
    """One for each."""
    accounts = make_accounts()
    for number in range(CLASS):
        accounts.register(f"pupil{number}", PASSWORD)
    return accounts


def test_fifty_wrong_passwords_at_once_are_five(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is allowed in a minute for an address is counted before it is hashed."""
    chat = open_chat()
    hashes = Hashes(monkeypatch)

    sessions = [come(chat) for _ in range(50)]
    all_at_once(
        (session, Authenticate("PLAIN", f"\0n{number}\0wrong-horse".encode()))
        for number, session in enumerate(sessions)
    )

    assert hashes.number == 5
    assert codes(come(chat).do(LogIn("wrong-horse", "another"))) == ["too_many_attempts"]
    assert hashes.number == 5


@pytest.mark.parametrize("verb", ["hello", "plain"])
def test_a_class_behind_one_address_comes_in(verb: str) -> None:
    """Sixty at the same time, each with the right password; one of them mistypes it four times before."""
    chat = open_chat(accounts_of_a_class())
    for _ in range(4):
        assert codes(come(chat).do(LogIn("wrong-horse", "pupil7"))) == ["bad_credentials"]
    sessions = [come(chat) for _ in range(CLASS)]

    def verb_of(number: int) -> Verb:
        name = f"pupil{number}"
        if verb == "hello":
            return Hello(name, account=name, account_password=PASSWORD)
        return Authenticate("PLAIN", f"\0{name}\0{PASSWORD}".encode())

    all_at_once((session, verb_of(number)) for number, session in enumerate(sessions))

    assert [session.account for session in sessions] == [f"pupil{number}" for number in range(CLASS)]


def test_many_devices_of_one_account_come_in_at_once() -> None:
    """As after a restart of the server."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    chat = open_chat(accounts)
    sessions = [come(chat, address=f"192.0.2.{number}") for number in range(20)]

    all_at_once((session, LogIn(PASSWORD, "ann")) for session in sessions)

    assert {session.account for session in sessions} == {"ann"}


def test_strangers_of_other_addresses_hold_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of them wait for their hashes, there is one turn of each address before somebody's."""
    order: list[bytes] = []
    real, started, go = hashing._scrypt, threading.Event(), threading.Event()

    def noted(password: str, salt: bytes, cost: Cost) -> bytes:
        started.set()
        assert go.wait(DEADLINE)
        order.append(password.encode())
        return real(password, salt, cost)

    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    chat = open_chat(accounts)
    monkeypatch.setattr(hashing, "_scrypt", noted)
    strangers = [come(chat, address=f"198.51.100.{number % 2}") for number in range(100)]
    ann = come(chat, address="192.0.2.1")
    workers = accounts._workers
    threads = [
        threading.Thread(target=session.do, args=(LogIn("wrong-horse", f"n{number}"),))
        for number, session in enumerate(strangers)
    ]
    for thread in threads:
        thread.start()
    with workers._changed:  # one is being hashed, and nine wait: no more than five of each address
        assert workers._changed.wait_for(lambda: workers._jobs == 9, DEADLINE)
    threads.append(threading.Thread(target=ann.do, args=(LogIn(PASSWORD, "ann"),)))
    threads[-1].start()
    with workers._changed:
        assert workers._changed.wait_for(lambda: workers._jobs == 10, DEADLINE)

    go.set()
    for thread in threads:
        thread.join(DEADLINE)

    assert ann.account == "ann"
    assert order.index(PASSWORD.encode()) <= 1 + 2
    assert len(order) == 11


def guessed(chat: Chat) -> None:
    """Strangers have tried five wrong passwords of ann."""
    for number in range(5):
        eve = come(chat, f"eve{number}", f"198.51.100.{number}")
        assert codes(eve.do(LogIn("wrong-horse", "ann"))) == ["bad_credentials"]
    assert codes(come(chat, "tim", "198.51.100.9").do(LogIn("wrong-horse", "ann"))) == ["too_many_attempts"]


def test_strangers_who_guess_do_not_keep_the_owner_out() -> None:
    """Where the last good login came from, and where one is logged in, has a count of its own."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    chat = open_chat(accounts, clock=FakeClock())
    ann = come(chat, "ann", "192.0.2.7", account="ann", account_password=PASSWORD)
    guessed(chat)

    assert not codes(ann.do(ChangePassword(PASSWORD, "battery-staple")))
    assert not codes(come(chat, "ann2", "192.0.2.7").do(LogIn("battery-staple", "ann")))
    assert codes(come(chat, "ann3", "192.0.2.8").do(LogIn("battery-staple", "ann"))) == ["too_many_attempts"]


def test_a_known_device_may_not_guess_either() -> None:
    """Its own count is as long."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    chat = open_chat(accounts, clock=FakeClock())
    home = come(chat, "home", "127.0.0.1", account="ann", account_password=PASSWORD)

    for _ in range(5):
        assert codes(home.do(ChangePassword("wrong-horse", "battery-staple"))) == ["bad_credentials"]
    assert codes(home.do(ChangePassword(PASSWORD, "battery-staple"))) == ["too_many_attempts"]
    for _ in range(5):
        assert codes(come(chat, address="127.0.0.1").do(LogIn("wrong-horse", "ann"))) == ["bad_credentials"]
    assert codes(come(chat, address="127.0.0.1").do(LogIn(PASSWORD, "ann"))) == ["too_many_attempts"]


def test_the_holder_of_a_token_from_before_a_restart_is_known() -> None:
    """It logs in by password again, with the nickname of the account kept for it."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    clock = FakeClock()
    chat = open_chat(accounts, clock=clock)
    guessed(chat)
    kept = Parked("ann", 7, (), None, "", "", clock.monotonic() + 30, knows_password=False)
    park(chat.state.people, digest_of("secret"), kept)

    ann = come(chat, "ann", "192.0.2.7", account="ann", account_password=PASSWORD, token="secret")

    assert (ann.account, ann.nickname, ann.identity) == ("ann", "ann", 7)


def test_operators_are_not_kept_out_either() -> None:
    """Whoever knows the name of an operator and guesses."""
    chat = Chat(operators={"root": "sesame"}, clock=FakeClock(), accounts=make_accounts(cost=CHEAP))
    root = come(chat, "boss", "192.0.2.7")
    root.do(BecomeOperator("root", "sesame"))
    for number in range(5):
        come(chat, f"eve{number}", f"198.51.100.{number}").do(BecomeOperator("root", "wrong"))

    assert codes(come(chat, "tim", "198.51.100.9").do(BecomeOperator("root", "x"))) == ["too_many_attempts"]
    assert not codes(come(chat, "again", "192.0.2.7").do(BecomeOperator("root", "sesame")))


@pytest.mark.parametrize(
    "verb", [BecomeOperator("x" * 4000, "x"), LogIn("wrong-horse", "x" * 4000), LogIn("wrong-horse", "\ufdfa" * 1000)]
)
def test_names_that_were_tried_are_cut(verb: Verb) -> None:
    """Nobody fills the memory with names that nobody has."""
    chat = open_chat()
    come(chat, "eve").do(verb)

    names = [key[1] for key in chat.logins.attempts._failed._own if isinstance(key, tuple)]
    assert [len(name) for name in names] == [64]


def test_at_the_end_of_the_server_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who wait for others from their address, and those who wait for their hash."""
    started, go = threading.Semaphore(0), threading.Event()

    def slow(password: str, salt: bytes, cost: Cost) -> bytes:
        started.release()
        assert go.wait(DEADLINE)
        return b""

    monkeypatch.setattr(hashing, "_scrypt", slow)
    chat = open_chat()
    assert isinstance(chat.accounts, StoredAccounts)
    sessions = [come(chat) for _ in range(20)]
    told: list[str] = []
    threads = [
        threading.Thread(target=lambda session=session: told.extend(codes(session.do(LogIn("wrong-horse", "ann")))))
        for session in sessions
    ]
    for thread in threads:
        thread.start()
    assert started.acquire(timeout=DEADLINE)
    workers = chat.accounts._workers
    with workers._changed:  # one is being hashed, and four wait, before the end
        assert workers._changed.wait_for(lambda: workers._jobs == 4, DEADLINE)

    ends = threading.Thread(target=release_waiting, args=(chat,))
    ends.start()
    while sum(thread.is_alive() for thread in threads) > 1:
        next(thread for thread in threads if thread.is_alive()).join(0.01)
    assert set(told) == {"shutting_down"}
    go.set()
    for thread in [*threads, ends]:
        thread.join(DEADLINE)
    assert len(told) == 20


def test_who_registers_is_at_a_known_address() -> None:
    """The first login is by registering."""
    chat = open_chat(clock=FakeClock())
    ann = come(chat, "ann", "192.0.2.7")
    registered(ann)
    chat.close(ann, "over")
    guessed(chat)

    assert not codes(come(chat, "ann", "192.0.2.7").do(LogIn(PASSWORD, "ann")))
