"""
Logins that are out of date: whatever was proved before an account changed is worth nothing after it.

Each `way` is somebody who has proved to own the account, and has not used it yet; each `change` is what happens then.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from chat_clients import DEADLINE
from recorder import enter
from remote import Remote, come, make_accounts, no_alarm_is_left, open_chat
from test_accounts import PASSWORD, codes, registered
from test_server_bans import operator

from pychat.core.accounts.actions import log_out_everybody
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.model.errors import BannedFromServer
from pychat.model.replies import SaslChallenge
from pychat.model.server_ban import AddServerBan
from pychat.model.verbs import (
    Authenticate,
    ChangePassword,
    DropAccount,
    Hello,
    LogIn,
    Regain,
    Register,
    SetNickname,
    Verb,
)
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]

SECOND = "battery-staple"


# Who has proved it


def first_message(session: Remote) -> str:
    """Begin with SCRAM; return what the server says."""
    (challenge,) = session.do(Authenticate("SCRAM-SHA-256", b"n,,n=ann,r=nonce"))
    assert isinstance(challenge, SaslChallenge)
    return challenge.message.decode()


def last_message(first: str, password: str = PASSWORD) -> bytes:
    """Return a client's proof."""
    nonce, salt, iterations = (part[2:] for part in first.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client = hmac.digest(salted, b"Client Key", "sha256")
    without = f"c=biws,r={nonce}"
    signature = hmac.digest(hashlib.sha256(client).digest(), f"n=ann,r=nonce,{first},{without}".encode(), "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, signature, strict=True))).decode()
    return f"{without},p={proof}".encode()


class Gate(Handler):
    """Lets sessions wait in a hook."""

    def __init__(self) -> None:
        self.hook = ""
        """In which one; the next session that runs it waits."""
        self.reached, self.go = threading.Event(), threading.Event()

    def before_nick(self, session: Session, nickname: str) -> str:
        self.wait("before_nick")
        return nickname

    def on_disconnect(self, session: Session, reason: str) -> None:
        self.wait("on_disconnect")

    def wait(self, hook: str) -> None:
        """Wait, if it is this one."""
        if self.hook == hook:
            self.hook = ""
            self.reached.set()
            assert self.go.wait(DEADLINE)


class World:
    """A chat where ann has an account, and somebody who is about to use it."""

    def __init__(self) -> None:
        self.accounts: StoredAccounts = make_accounts()
        self.chat: Chat = open_chat(self.accounts, clock=FakeClock())
        self.gate = Gate()
        self.chat.add_handler(self.gate)
        self.ann = enter(self.chat, "ann")
        registered(self.ann)
        self.old = come(self.chat, address="198.51.100.1")

    @contextmanager
    def held(self, hook: str, function: Callable[[], object]) -> Iterator[None]:
        """Let a thread be in a hook, or in a check of a password, until the block ends."""
        self.gate.hook = hook
        thread = threading.Thread(target=function)
        thread.start()
        assert self.gate.reached.wait(DEADLINE)
        yield
        self.gate.go.set()
        thread.join(DEADLINE)
        assert not thread.is_alive()

    def lost(self) -> Remote:
        """A session of ann's that may come back, and has not ended yet."""
        lost = come(self.chat, "lost", "198.51.100.2", account="ann", account_password=PASSWORD)
        lost.resumable = True
        return lost


@contextmanager
def scram_begun(world: World) -> Iterator[None]:
    """The server has told what the proof must be of."""
    first = first_message(world.old)
    yield
    world.old.do(Authenticate(None, last_message(first)), Authenticate(None, b""))


@contextmanager
def scram_proved(world: World) -> Iterator[None]:
    """The proof was right, and only an empty message is missing."""
    world.old.do(Authenticate(None, last_message(first_message(world.old))))
    yield
    world.old.do(Authenticate(None, b""))


def in_flight(verb: Verb, nickname: str | None = None) -> Any:
    """The password was right, and the thread of the session has not got the answer yet."""

    @contextmanager
    def way(world: World) -> Iterator[None]:
        if nickname is not None:
            world.old.do(Hello(nickname))
        check = world.accounts.check

        def slow(name: str, password: str) -> str | None:
            found = check(name, password)
            world.gate.wait("check")
            return found

        world.accounts.check = slow  # type: ignore[method-assign]
        with world.held("check", lambda: world.old.do(verb)):
            yield

    return way


@contextmanager
def without_nickname(world: World) -> Iterator[None]:
    """Logged in, and the nickname comes later."""
    world.old.do(LogIn(PASSWORD, "ann"))
    yield
    world.old.do(Hello("somebody"))


@contextmanager
def hello_in_hook(world: World) -> Iterator[None]:
    """Logged in by the hello, which is still going on."""
    verb = Hello("somebody", account="ann", account_password=PASSWORD)
    with world.held("before_nick", lambda: world.old.do(verb)):
        yield


@contextmanager
def parked(world: World) -> Iterator[None]:
    """The connection was lost, and its client comes back."""
    lost = world.lost()
    world.chat.close(lost, "lost", lost=True)
    yield
    world.old.do(Hello("x", token=lost.token))


@contextmanager
def resume_in_hook(world: World) -> Iterator[None]:
    """It is coming back at this moment."""
    lost = world.lost()
    world.chat.close(lost, "lost", lost=True)
    with world.held("before_nick", lambda: world.old.do(Hello("x", token=lost.token))):
        yield


@contextmanager
def ending(world: World) -> Iterator[None]:
    """The connection is being lost at this moment."""
    lost = world.lost()
    with world.held("on_disconnect", lambda: world.chat.close(lost, "lost", lost=True)):
        yield
    world.old.do(Hello("x", token=lost.token))


PLAIN = Authenticate("PLAIN", f"\0ann\0{PASSWORD}".encode())
WAYS: dict[str, Any] = {
    "scram begun": scram_begun,
    "scram proved": scram_proved,
    "plain in flight": in_flight(PLAIN),
    "login in flight": in_flight(LogIn(PASSWORD, "ann"), "somebody"),
    "hello in flight": in_flight(Hello("somebody", account="ann", account_password=PASSWORD)),
    "regain in flight": in_flight(Regain("ann", PASSWORD), "somebody"),
    "without nickname": without_nickname,
    "hello in a hook": hello_in_hook,
    "parked": parked,
    "resume in a hook": resume_in_hook,
    "ending": ending,
}


# What happens meanwhile


def new_password(world: World) -> None:
    """Ann has another one."""
    assert not codes(world.ann.do(ChangePassword(PASSWORD, SECOND)))


def dropped(world: World) -> None:
    """Ann has no account any more."""
    assert not codes(world.ann.do(DropAccount(PASSWORD)))


def of_somebody_else(world: World) -> None:
    """The name is somebody else's now."""
    dropped(world)
    world.chat.close(world.ann, "over")
    registered(enter(world.chat, "ann"), SECOND)


def banned(world: World) -> None:
    """A server operator bans the account."""
    assert not codes(operator(world.chat).do(AddServerBan("a:ann")))


def changed_elsewhere(world: World) -> None:
    """By the program that the server is part of."""
    log_out_everybody(world.chat, "ann")


@pytest.mark.parametrize("change", [new_password, dropped, of_somebody_else, banned, changed_elsewhere])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_login_that_is_out_of_date(way: Any, change: Callable[[World], None]) -> None:
    """Nobody is logged in by it, whatever it was, and whatever happened."""
    world = World()
    with way(world):
        change(world)

    assert world.old.account is None or world.old.closed
    assert [person for person in world.chat.sessions() if person.account == "ann" and person is not world.ann] == [
        person for person in world.chat.sessions() if change is of_somebody_else and person.nickname == "ann"
    ]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_login_that_is_not_out_of_date(way: Any) -> None:
    """Each of them works as long as only other accounts change."""
    world = World()
    bob = enter(world.chat, "bob")
    with way(world):
        registered(bob)
        bob.do(ChangePassword(PASSWORD, SECOND), DropAccount(SECOND))

    assert world.old.account == "ann"


def test_the_answer_to_a_login_that_is_out_of_date() -> None:
    """As if the password had been wrong, which it is now."""
    world = World()
    first = first_message(world.old)
    new_password(world)

    items = world.old.do(Authenticate(None, last_message(first)), Authenticate(None, b"", ref=7))

    assert [item.text for item in items if codes([item])] == ["wrong account or password"]


def test_an_exchange_of_sasl_has_ten_seconds() -> None:
    """By the chat's clock, from the first message on, whether it has a nickname or not."""
    world = World()
    clock = world.chat.clock
    assert isinstance(clock, FakeClock)
    first = first_message(world.old)
    clock.advance(9.9)
    world.old.do(Authenticate(None, last_message(first)))
    clock.advance(0.1)

    (failure,) = world.old.do(Authenticate(None, b"", ref=7))

    assert (failure.code, failure.text) == ("sasl_failed", "the authentication took more than 10 s; start again")
    assert world.old.account is None


# Changing an account


def test_of_two_who_change_the_password_the_first_one_wins() -> None:
    """The other one has checked the old password before, and comes too late."""
    world = World()
    eve = come(world.chat, "eve", account="ann", account_password=PASSWORD)
    check = world.accounts.check

    def slow(name: str, password: str) -> str | None:
        found = check(name, password)
        world.gate.wait("check")
        return found

    world.accounts.check = slow  # type: ignore[method-assign]
    with world.held("check", lambda: eve.do(ChangePassword(PASSWORD, "wicked-witch"))):
        new_password(world)

    assert world.accounts.check("ann", SECOND) == "ann"
    assert eve.account is None


@pytest.mark.parametrize("verb", [ChangePassword(PASSWORD, "wicked-witch"), DropAccount(PASSWORD)])
def test_nobody_else_changes_an_account_that_is_being_changed(verb: Verb) -> None:
    """Who comes second is told to try again; and the name of one that is being deleted cannot be had yet."""
    world = World()
    eve = come(world.chat, "eve", account="ann", account_password=PASSWORD)
    drop = world.accounts.drop

    def slow(name: str) -> None:
        drop(name)
        world.gate.wait("drop")

    world.accounts.drop = slow  # type: ignore[method-assign]
    world.accounts.check = lambda name, password: "ann"  # type: ignore[method-assign]
    with world.held("drop", lambda: world.ann.do(DropAccount(PASSWORD))):
        (failure,) = [item for item in eve.do(verb) if codes([item])]
        assert (failure.code, failure.text) == ("busy", "the account is being changed; try again")
        world.chat.close(world.old, "over")
        assert codes(come(world.chat, "tim", "192.0.2.9").do(Register(SECOND, "ann"))) == ["nickname_in_use"]
        world.ann.do(SetNickname("anna"))
        assert codes(come(world.chat, "tom", "192.0.2.9").do(Register(SECOND, "ann"))) == ["account_exists"]

    assert eve.account is None


# Bans


def test_a_ban_of_an_address_ends_those_who_have_no_nickname_yet() -> None:
    """And those who may come back from there."""
    chat = open_chat()
    stranger, bob = come(chat, address="192.0.2.7"), come(chat, "bob", "198.51.100.1")
    lost = come(chat, "lost", "192.0.2.8")
    lost.resumable = True
    chat.close(lost, "lost", lost=True)

    operator(chat).do(AddServerBan("192.0.2.0/24"))

    assert stranger.kicked
    assert not bob.kicked
    assert chat.reservations() == []
    assert come(chat, "lost", "198.51.100.2", token=lost.token).identity != lost.identity


@pytest.mark.parametrize("target", ["a:eve", "lost!*@*"])
def test_a_ban_ends_what_is_kept_for_a_token(target: str) -> None:
    """By account and by mask as well; nobody else's is."""
    accounts = make_accounts()
    accounts.register("eve", PASSWORD)
    chat = open_chat(accounts)
    lost = come(chat, "lost", account="eve", account_password=PASSWORD)
    other = come(chat, "other")
    for session in (lost, other):
        session.resumable = True
        chat.close(session, "lost", lost=True)

    operator(chat).do(AddServerBan(target))

    assert [kept.nickname for _, kept in chat.reservations()] == ["other"]
    assert come(chat, "x", token=lost.token).account is None


def test_an_address_that_is_banned_between_connecting_and_coming() -> None:
    """It was let in by the one that accepts connections, and is not seen by the one who bans."""
    chat = open_chat()
    session = Remote(chat, "192.0.2.7")
    operator(chat).do(AddServerBan("192.0.2.7"))

    with pytest.raises(BannedFromServer, match=r"^you are banned from this server$"):
        chat.open(session)

    assert not chat.census.strangers


def test_a_mask_that_is_banned_between_check_and_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks are not matched under the lock, so who claims a nickname asks again if there is another ban."""
    chat = open_chat()
    root, ask = operator(chat), chat.bans.of_person

    def slow(nickname: str, userhost: str) -> Any:
        found = ask(nickname, userhost)
        monkeypatch.undo()
        root.do(AddServerBan("eve!*@*"))
        return found

    monkeypatch.setattr(chat.bans, "of_person", slow)
    eve = come(chat, "eve")

    assert codes(eve.items) == ["server_banned"]
    assert eve.nickname is None


def test_a_banned_account_cannot_be_made() -> None:
    """Nor is it made and then refused."""
    chat = open_chat()
    operator(chat).do(AddServerBan("a:ann"))

    assert codes(come(chat, "ann").do(Register(PASSWORD))) == ["server_banned"]
    assert chat.accounts.owner("ann") is None
