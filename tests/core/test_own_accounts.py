"""Accounts that a program brings: what it may do, and that it harms nobody when it breaks."""

from __future__ import annotations

import logging

import pytest
from recorder import enter
from remote import come, no_alarm_is_left, open_chat
from test_accounts import PASSWORD, codes

from pychat import ChatServer
from pychat.core.accounts.authentication import release_waiting
from pychat.core.accounts.base import Accounts
from pychat.core.accounts.scram import ScramKeys
from pychat.model.errors import Refused
from pychat.model.verbs import Authenticate, ChangePassword, LogIn, LogOut, Regain, Register, SetNickname

__all__ = ["no_alarm_is_left"]


class Club(Accounts):
    """What a program may have."""

    def check(self, name: str, password: str) -> str | None:
        """One account; one that says no; one that breaks."""
        if name == "banned":
            raise Refused("you owe us money")
        if name == "broken":
            raise RuntimeError("secret detail")
        return "Ann" if (name.lower(), password) == ("ann", "sesame") else None

    def owner(self, nickname: str) -> str | None:
        """All of a family."""
        return "Ann" if nickname.startswith("ann") else None


def test_accounts_of_a_program(caplog: pytest.LogCaptureFixture) -> None:
    """Three lines are enough; whatever they raise, the server lives and tells no details."""
    chat = open_chat(Club())
    bob = enter(chat, "bob")

    assert codes(bob.do(LogIn("sesame", "ann"))) == []
    assert bob.account == "Ann"
    assert codes(bob.do(LogIn("x", "banned"))) == ["refused"]
    with caplog.at_level(logging.ERROR):
        (failure,) = bob.do(LogIn("hush-hush", "broken"))
    assert (failure.code, failure.text) == ("internal", "internal error")
    assert "secret detail" in caplog.text
    assert "hush-hush" not in caplog.text
    assert codes(bob.do(ChangePassword("sesame", "y"))) == ["unsupported"]
    assert codes(bob.do(LogOut(), Register(PASSWORD, "tim"))) == ["unsupported"]


def test_accounts_that_change_elsewhere() -> None:
    """The program says so, and nobody is logged in any more by what they knew; to know the new password is enough."""
    club = Club()
    server = ChatServer(port=0, accounts=club)
    bob, gone = enter(server.chat, "bob"), come(server.chat)
    for session in (bob, gone):
        session.do(LogIn("sesame", "ann"))

    server.log_out("ann")

    assert (bob.account, gone.account) == (None, None)
    assert codes(bob.do(LogIn("sesame", "ann"))) == []
    server.stop()


class Broken(Accounts):
    """What a program should not have."""

    def check(self, name: str, password: str) -> str | None:
        """Let everybody in."""
        return name

    def owner(self, nickname: str) -> str | None:
        """Break, but not for everybody."""
        if nickname != "ann":
            raise LookupError(nickname)
        return None

    def scram(self, name: str) -> ScramKeys | None:
        """Break."""
        raise LookupError(name)

    def end(self) -> None:
        """Break."""
        raise LookupError


def test_what_nobody_could_check_is_no_attempt() -> None:
    """When the accounts work again, nobody has to wait."""
    chat = open_chat(Club())
    bob = come(chat, "bob")

    assert codes(bob.do(*[LogIn("sesame", "broken")] * 6)) == ["internal"] * 6


def test_accounts_that_break_harm_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Wherever they are asked: it is refused and logged, and the session goes on."""
    chat = open_chat(Broken())
    ann = come(chat, "ann")
    first = b"n,,n=ann,r=abc"

    assert codes(ann.do(SetNickname("bob"), Regain("bob"))) == ["internal"] * 2
    assert codes(ann.do(Authenticate("SCRAM-SHA-256", first), Authenticate("X", b""))) == ["internal"] * 2
    assert codes(come(chat, "bob").items) == ["internal"]
    assert ann.nickname == "ann"
    assert not ann.closed
    assert len(caplog.records) == 5
    release_waiting(chat)
    assert len(caplog.records) == 6
