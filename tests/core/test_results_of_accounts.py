"""What the methods of a program's accounts return: a wrong type is logged, and ends no connection."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pychat import Accounts, ChatServer, Refused, StoredAccounts
from pychat.core.accounts.scram import ScramKeys
from pychat.model.verbs import LogIn
from pychat.testing import ChatHarness, MakeChat


class Players(Accounts):
    """Returns whatever a test wants."""

    def __init__(self, **results: Any) -> None:
        self._results = results

    def check(self, name: str, password: str) -> str | None:
        """See above."""
        return self._results.get("check", name)  # type: ignore[no-any-return]

    def owner(self, nickname: str) -> str | None:
        """See above."""
        return self._results.get("owner") if nickname == "carl" else None

    def scram(self, name: str) -> ScramKeys | None:
        """See above."""
        return self._results.get("scram")

    def register(self, name: str, password: str) -> None:
        """See above."""
        return self._results.get("register")  # type: ignore[return-value]

    def change_password(self, name: str, password: str) -> None:
        """See above."""
        return self._results.get("register")  # type: ignore[return-value]

    def drop(self, name: str) -> None:
        """See above."""
        return self._results.get("register")  # type: ignore[return-value]


def assert_told(chat: ChatHarness, *texts: str) -> None:
    """These are the errors in the log, and nothing else."""
    last = [error.strip().splitlines()[-1] for error in chat.errors]
    assert last == list(texts)
    chat.errors.clear()


@pytest.mark.parametrize("password", ["sesame", "wrong"])
@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (True, "TypeError: Players.check returned True, not a name or None"),
        (False, "TypeError: Players.check returned False, not a name or None"),
        (7, "TypeError: Players.check returned an object of type int, not a name or None"),
        (("ann", "scrypt:..."), "TypeError: Players.check returned an object of type tuple, not a name or None"),
        ("not a name", "ValueError: Players.check returned no name: use 1 to 200 printable characters without spaces"),
        ("", "ValueError: Players.check returned no name: use 1 to 200 printable characters without spaces"),
        ("a\nb", "ValueError: Players.check returned no name: use 1 to 200 printable characters without spaces"),
    ],
)
def test_check_that_returns_no_name(chat_server: MakeChat, password: str, result: object, problem: str) -> None:
    """`return password == stored` is the mistake that everybody makes; the connection stays."""
    chat = chat_server(accounts=Players(check=result))
    ann = chat.join("ann")

    with pytest.raises(Refused, match=r"^internal error$"):
        ann.log_in(password)

    assert ann.say("still here") is not None
    assert_told(chat, problem)


def test_the_same_before_there_is_a_nickname(chat_server: MakeChat) -> None:
    """A client that logs in with its first line reads what everybody reads."""
    chat = chat_server(accounts=Players(check=False))

    with pytest.raises(Refused, match=r"^internal error$"):
        chat.join("ann", account="ann", account_password="sesame")

    assert_told(chat, "TypeError: Players.check returned False, not a name or None")


def test_owner_that_returns_something_else(chat_server: MakeChat) -> None:
    """The same for the nickname that somebody takes."""
    chat = chat_server(accounts=Players(owner=True))
    ann = chat.join("ann")

    with pytest.raises(Refused, match=r"^internal error$"):
        ann.set_nickname("carl")

    assert_told(chat, "TypeError: Players.owner returned True, not a name or None")


def test_register_that_returns_false(chat_server: MakeChat) -> None:
    """They say no by `Refused`; what returns something else for yes has done its work."""
    chat = chat_server(accounts=Players(register=False))
    ann = chat.join("ann")

    with pytest.raises(Refused, match=r"^internal error$"):
        ann.register("sesame")
    ann.log_in("sesame")
    with pytest.raises(Refused, match=r"^internal error$"):
        ann.change_password("sesame", "simsim")
    with pytest.raises(Refused, match=r"^internal error$"):
        ann.drop_account("sesame")

    assert_told(
        chat,
        "TypeError: Players.register returned False; raise Refused to say no",
        "TypeError: Players.change_password returned False; raise Refused to say no",
        "TypeError: Players.drop returned False; raise Refused to say no",
    )


def test_check_that_exits_is_logged(chat_server: MakeChat, caplog: pytest.LogCaptureFixture) -> None:
    """SystemExit would end the connection without a word."""

    class Exits(Players):
        def check(self, name: str, password: str) -> str | None:
            raise SystemExit("secret")

    chat = chat_server(accounts=Exits())
    ann = chat.join("ann")

    with caplog.at_level(logging.ERROR), pytest.raises(Refused, match=r"^internal error$"):
        ann.ask(LogIn("sesame"))

    assert_told(chat, "SystemExit: secret")


class AsyncPlayers(Accounts):
    async def check(self, name: str, password: str) -> str | None:  # type: ignore[override]
        """Never run."""


@pytest.mark.parametrize(
    ("accounts", "text"),
    [
        (AsyncPlayers(), "AsyncPlayers.check is async; methods of accounts are plain functions (they may block)"),
        (Players(scram="sesame"), "Players.scram returned an object of type str, not ScramKeys or None"),
        ({}, "accounts must be an object of a class derived from pychat.Accounts, not {}"),
        (
            StoredAccounts,
            (
                "accounts must be an object of a class derived from pychat.Accounts, not the class itself: "
                "StoredAccounts()"
            ),
        ),
    ],
)
def test_what_cannot_be_accounts_is_refused_when_the_server_is_made(accounts: Any, text: str) -> None:
    """Not when the first person logs in."""
    with pytest.raises(TypeError) as caught:
        ChatServer(port=0, accounts=accounts)

    assert str(caught.value) == text
