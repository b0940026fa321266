"""Accounts: registering, logging in and out, and who may try how often."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from recorder import Recorder, enter
from remote import CHEAP, Remote, come, make_accounts, no_alarm_is_left, open_chat

from pychat.core.accounts import password_hash as hashing
from pychat.core.accounts import stored as kept_accounts
from pychat.core.accounts.password_hash import Cost, PasswordHash
from pychat.model.events import AccountChanged, Joined, Message, Notice
from pychat.model.queries import WhoIs
from pychat.model.replies import Failure, LoggedIn, LoggedOut, Ok, Profile
from pychat.model.verbs import (
    BecomeOperator,
    ChangePassword,
    DropAccount,
    Hello,
    Join,
    LogIn,
    LogOut,
    Regain,
    Register,
    Say,
    Verb,
)
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]

PASSWORD = "correct-horse"


def codes(items: list[Any]) -> list[str]:
    """Of the refusals among them."""
    return [item.code for item in items if isinstance(item, Failure)]


def registered(session: Recorder, password: str = PASSWORD) -> None:
    """Let it have an account of its nickname."""
    assert [item for item in session.do(Register(password, ref=1)) if isinstance(item, LoggedIn)]


def test_who_registers_is_logged_in() -> None:
    """The others hear of it, who comes later sees it, and so does who asks."""
    chat = open_chat()
    bob, ann = enter(chat, "bob"), enter(chat, "ann")
    bob.take()

    items = ann.do(Register(PASSWORD, ref=1))

    assert [item for item in items if isinstance(item, LoggedIn)] == [
        LoggedIn(1, "ann", True, "ann", "~user@irc.pychat")
    ]
    assert [(item.nickname, item.account) for item in bob.take() if isinstance(item, AccountChanged)] == [
        ("ann", "ann")
    ]
    (profile,) = bob.do(WhoIs("ann"))
    assert isinstance(profile, Profile)
    assert profile.account == "ann"
    ann.do(Join("ops"), Say("hello"))
    history = chat.log.read_after(["ops"], 0).events
    assert [event.account for event in history if isinstance(event, Joined | Message)] == ["ann", "ann"]


def test_logging_out_and_in() -> None:
    """By the account's own nickname, or by its name; the answer names it as it is written."""
    chat = open_chat()
    ann = enter(chat, "Ann")
    registered(ann)

    assert [item for item in ann.do(LogOut(2)) if isinstance(item, LoggedOut)]
    assert ann.account is None
    assert codes(ann.do(LogOut(3))) == ["not_logged_in"]
    ann.do(LogIn(PASSWORD, ref=4))
    assert ann.account == "Ann"
    bob = enter(chat, "bob")
    bob.do(LogIn(PASSWORD, "ANN"))
    assert bob.account == "Ann"


def test_one_may_log_in_before_one_has_a_nickname() -> None:
    """With `Hello`, or before it: then nobody ever sees a guest."""
    chat = open_chat()
    registered(enter(chat, "ann"))
    chat.close(chat.find("ann"), "over")  # type: ignore[arg-type]

    one = come(chat, "ann", account="ann", account_password=PASSWORD)
    assert (one.account, one.nickname) == ("ann", "ann")
    assert [item.account for item in one.items if isinstance(item, LoggedIn)] == ["ann"]
    two = come(chat)
    assert [item.account for item in two.do(LogIn(PASSWORD, "ann"))] == ["ann"]
    three = come(chat, "tim", account="ann", account_password="wrong-horse")
    assert codes(three.items) == ["bad_credentials"]
    assert three.nickname is None


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong-horse"), ("nobody", PASSWORD), ("ann", "bad\x07bell")])
def test_wrong_or_unknown_is_the_same(name: str, password: str) -> None:
    """The answer does not tell which one it was."""
    chat = open_chat()
    ann = enter(chat, "ann")
    registered(ann)

    (failure,) = enter(chat, "bob").do(LogIn(password, name, ref=1))

    assert failure == Failure(1, "bad_credentials", "wrong account or password")


def test_as_much_work_for_a_name_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it takes tells nothing: the same hash is made, with the same cost."""
    costs: list[Cost] = []
    real = hashing._scrypt

    def counted(password: str, salt: bytes, cost: Cost) -> bytes:
        costs.append(cost)
        return real(password, salt, cost)

    monkeypatch.setattr(hashing, "_scrypt", counted)
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    costs.clear()

    assert accounts.check("ann", "wrong-horse") is None
    assert accounts.check("nobody", "wrong-horse") is None
    assert costs == [CHEAP, CHEAP]


@pytest.mark.parametrize("password", ["short", "x" * 513, "with\x07bell-in-it", " at an end"])
def test_what_is_no_password_is_refused(password: str) -> None:
    """With what is allowed, and without the password."""
    ann = enter(open_chat(), "ann")

    (failure,) = ann.do(Register(password, ref=1))

    assert failure.code == "bad_password"
    assert password not in failure.text


def test_an_account_is_taken_once() -> None:
    """Whatever the case; and an account takes nobody's nickname away."""
    chat = open_chat()
    ann = enter(chat, "ann")
    registered(ann)
    ann.do(LogOut())
    chat.close(ann, "over")

    assert codes(enter(chat, "Ann").do(Register("battery-staple", ref=1))) == ["account_exists"]
    bob = enter(chat, "bob")
    assert codes(enter(chat, "tim").do(Register(PASSWORD, "bob", ref=1))) == ["nickname_in_use"]
    registered(bob)
    assert codes(bob.do(Register("battery-staple", ref=1))) == ["bad_request"]
    assert codes(bob.do(Register(PASSWORD, "rob", ref=1))) == ["bad_request"]


def test_to_register_again_is_the_same_act() -> None:
    """The answer may have been lost, with the connection or without; what nobody else can say is the password."""
    chat = open_chat()
    ann = enter(chat, "ann")
    registered(ann)

    (again,) = ann.do(Register(PASSWORD, ref=2))
    assert again == LoggedIn(2, "ann", True, "ann", "~user@irc.pychat")
    ann.do(LogOut())
    assert LoggedIn(3, "ann", True, "ann", "~user@irc.pychat") in ann.do(Register(PASSWORD, ref=3))
    chat.close(ann, "over")
    someone = come(chat)
    assert [item.account for item in someone.do(Register(PASSWORD, "ann", ref=4))] == ["ann"]


def test_changing_the_password() -> None:
    """The old one is asked for again, and does not work any more."""
    chat = open_chat()
    ann = enter(chat, "ann")
    assert codes(ann.do(ChangePassword(PASSWORD, "x" * 8))) == ["not_logged_in"]
    registered(ann)

    assert codes(ann.do(ChangePassword("wrong-horse", "battery-staple"))) == ["bad_credentials"]
    assert codes(ann.do(ChangePassword(PASSWORD, "short"))) == ["bad_password"]
    notice, ok = ann.do(ChangePassword(PASSWORD, "battery-staple", ref=1))
    assert (notice.text, ok) == ("the password of the account ann was changed", Ok(1))
    assert codes(ann.do(LogIn(PASSWORD))) == ["bad_credentials"]
    assert not codes(ann.do(LogIn("battery-staple")))


def test_to_change_the_password_again_is_the_same_act() -> None:
    """The old one does not fit any more, and the new one does. Guesses count as all guesses do."""
    chat = open_chat(clock=FakeClock())
    ann = enter(chat, "ann")
    registered(ann)
    change = ChangePassword(PASSWORD, "battery-staple", ref=1)
    ann.do(change)

    assert ann.do(change) == [Ok(1)]
    assert codes(ann.do(ChangePassword(PASSWORD, "wrong-horse"))) == ["bad_credentials"]
    assert codes(ann.do(ChangePassword("wrong-horse", "another-horse"))) == ["bad_credentials"]
    assert codes(ann.do(ChangePassword("wrong-horse", "other-horse"))) == ["too_many_attempts"]


def test_another_password_logs_out_everybody_else() -> None:
    """Who knows the old one only, also one that comes back later."""
    chat = open_chat()
    ann = enter(chat, "ann")
    registered(ann)
    eve, lost = come(chat, "eve"), come(chat, "lost")
    lost.resumable = True
    for session in (eve, lost):
        session.do(LogIn(PASSWORD, "ann"))
    chat.close(lost, "lost", lost=True)

    ann.do(ChangePassword(PASSWORD, "battery-staple"))

    assert (ann.account, eve.account) == ("ann", None)
    assert come(chat, "lost", token=lost.token).account is None


def test_dropping_the_account() -> None:
    """Everybody who is logged in to it is a guest again, also who comes back later; the name is free."""
    chat = open_chat()
    ann, other = enter(chat, "ann"), enter(chat, "ann-phone")
    registered(ann)
    other.do(LogIn(PASSWORD, "ann"))
    lost = come(chat, "ann-laptop", account="ann", account_password=PASSWORD)
    lost.resumable, token = True, lost.token
    chat.close(lost, "lost", lost=True)

    assert codes(ann.do(DropAccount("wrong-horse"))) == ["bad_credentials"]
    heard = ann.do(DropAccount(PASSWORD, ref=1))
    assert [item.text for item in heard if isinstance(item, Notice)] == ["the account ann was deleted"]
    assert [item for item in heard if isinstance(item, LoggedOut)]
    assert (ann.account, other.account) == (None, None)
    assert come(chat, "x", token=token).account is None
    registered(ann)


def test_who_comes_back_is_still_logged_in() -> None:
    """Its token has proved who it is."""
    chat = open_chat()
    ann = come(chat, "ann")
    registered(ann)
    ann.resumable, token = True, ann.token
    chat.close(ann, "lost", lost=True)

    back = come(chat, "x", token=token)

    assert (back.nickname, back.account) == ("ann", "ann")


def test_guessing_has_to_wait() -> None:
    """For one account, whoever tries; the right password has to wait, too, and is good after a minute."""
    clock = FakeClock()
    chat = open_chat(clock=clock)
    registered(enter(chat, "ann"))
    for number in range(5):
        eve = come(chat, f"eve{number}", f"192.0.2.{number + 10}")
        assert codes(eve.do(LogIn("wrong-horse", "ann"))) == ["bad_credentials"]

    bob = come(chat, "bob", "198.51.100.1")
    bob.take()
    (failure,) = bob.do(LogIn(PASSWORD, "ann", ref=1))
    assert (failure.code, failure.text) == ("too_many_attempts", "too many attempts; try again in 60 s")
    clock.advance(60)
    assert not codes(bob.do(LogIn(PASSWORD, "ann")))


def test_an_address_that_guesses_has_to_wait() -> None:
    """Whatever it guesses: accounts, operators, the server's password. Others are not concerned."""
    chat = open_chat()
    eve = come(chat, "eve")
    for number in range(5):
        assert codes(eve.do(LogIn("wrong-horse", f"name{number}"))) == ["bad_credentials"]

    assert codes(eve.do(LogIn("wrong-horse", "another"))) == ["too_many_attempts"]
    assert codes(eve.do(BecomeOperator("root", "x"))) == ["too_many_attempts"]
    assert codes(come(chat, "bob", "192.0.2.2").do(LogIn("x", "y"))) == ["bad_credentials"]
    assert codes(come(chat, "tim", "127.0.0.1").do(LogIn("x", "z"))) == ["bad_credentials"]


def test_accounts_are_not_made_by_the_hundred() -> None:
    """Sixty in ten minutes from one address."""
    clock = FakeClock()
    chat = open_chat(clock=clock)
    for number in range(60):
        assert not codes(come(chat, f"n{number}").do(Register(PASSWORD)))

    assert codes(come(chat, "late").do(Register(PASSWORD))) == ["too_many_attempts"]
    assert not codes(come(chat, "other", "192.0.2.2").do(Register(PASSWORD)))
    clock.advance(600)
    assert not codes(come(chat, "again").do(Register(PASSWORD)))


def test_a_server_may_make_no_accounts() -> None:
    """Those that there are work."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    accounts.registers = False
    bob = enter(open_chat(accounts), "bob")

    assert codes(bob.do(Register(PASSWORD))) == ["unsupported"]
    assert not codes(bob.do(LogIn(PASSWORD, "ann")))


def test_a_password_that_costs_too_little_is_hashed_again() -> None:
    """When its owner logs in; it is the same password."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    newer = make_accounts(cost=Cost(4, 1, 1), iterations=2)
    newer._put(accounts._accounts["ann"])

    assert newer.check("ann", PASSWORD) == "ann"
    kept = newer._accounts["ann"]
    assert (kept.password.cost, kept.scram.iterations) == (Cost(4, 1, 1), 2)
    assert newer.check("ann", PASSWORD) == "ann"
    assert newer.check("ann", "wrong-horse") is None


def test_the_default_costs_what_it_should() -> None:
    """SAFETY: scrypt with n = 2^14, r = 8, p = 5; the parameters are kept with the hash."""
    kept = PasswordHash.of("x")

    assert kept.cost == (2**14, 8, 5)
    assert kept.fits("x")
    assert not kept.fits("y")
    assert kept.salt != PasswordHash.of("x", CHEAP).salt


def test_one_hash_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread hashes, and never that of a session, whose memory the C library would keep for it."""
    hashed_by: set[str] = set()
    real = hashing._scrypt

    def noted(password: str, salt: bytes, cost: Cost) -> bytes:
        hashed_by.add(threading.current_thread().name)
        return real(password, salt, cost)

    monkeypatch.setattr(hashing, "_scrypt", noted)
    chat = open_chat()
    ann = enter(chat, "ann")
    registered(ann)
    ann.do(LogOut(), LogIn("wrong-horse"), LogIn(PASSWORD), ChangePassword(PASSWORD, "battery-staple"))

    assert hashed_by == {"pychat-hash"}
    assert kept_accounts._HASHERS == 1


def test_who_comes_back_needs_no_password() -> None:
    """A client says who it is each time; nothing is hashed for one whose token has proved it."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    chat = open_chat(accounts)
    asked: list[str] = []
    real = accounts.check
    accounts.check = lambda name, password: asked.append(name) or real(name, password)  # type: ignore[func-returns-value,method-assign]
    ann = come(chat, "ann", account="ann", account_password=PASSWORD)
    ann.resumable = True
    chat.close(ann, "lost", lost=True)

    again = come(chat, "ann", account="ANN", account_password=PASSWORD, token=ann.token)

    assert (again.nickname, again.account) == ("ann", "ann")
    assert asked == ["ann"]
    assert codes(come(chat, "eve", account="ann", account_password="wrong", token="none").items) == ["bad_credentials"]


def test_to_come_back_does_not_log_out() -> None:
    """Who has logged in before it shows its token is logged in."""
    chat = open_chat()
    registered(enter(chat, "ann"))
    eve = come(chat, "eve")
    eve.resumable = True
    chat.close(eve, "lost", lost=True)
    again = come(chat)

    again.do(LogIn(PASSWORD, "ann"), Hello("eve", token=eve.token))

    assert (again.nickname, again.account) == ("eve", "ann")


def test_one_cannot_log_in_to_nothing() -> None:
    """Without an account and without a nickname."""
    assert codes(come(open_chat()).do(LogIn(PASSWORD))) == ["not_registered"]


def test_no_password_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Not in what a handler may log, nor in what the server does."""
    chat = open_chat()
    secret = "hush-hush-hush"
    every: list[Verb] = [
        Register(secret),
        LogIn(secret),
        LogIn(secret, "nobody"),
        ChangePassword(secret, secret + "2"),
        Regain("ann", secret),
        DropAccount(secret + "2"),
        BecomeOperator("root", secret),
        Hello("ann", password=secret, account="ann", account_password=secret, token=secret),
    ]
    ann = come(chat, "ann")
    with caplog.at_level(logging.DEBUG):
        items = ann.do(*every)

    assert secret not in "".join([*map(repr, every), *map(repr, items), caplog.text])
    assert isinstance(ann, Remote)
