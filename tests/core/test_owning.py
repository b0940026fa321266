"""Nicknames of accounts: lent for a while, taken back, regained."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import enter
from remote import Remote, come, make_accounts, no_alarm_is_left, open_chat
from test_accounts import PASSWORD, codes, registered

from pychat.core.chat import Chat
from pychat.core.session import Session
from pychat.model.errors import Refused
from pychat.model.events import Notice, Renamed
from pychat.model.verbs import LogIn, LogOut, Regain, Register, SetNickname
from pychat.testing import FakeClock
from pychat.testing.waiting import wait_until

__all__ = ["no_alarm_is_left"]


def owned(clock: FakeClock, **limits: Any) -> Chat:
    """A chat where ann has an account and is not there."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    return open_chat(accounts, clock=clock, **limits)


def pass_time(clock: FakeClock, seconds: float) -> None:
    """As soon as the alarm waits."""
    clock.wait_for_waiters()
    clock.advance(seconds)


def is_renamed(chat: Chat, session: Session, old: str) -> bool:
    """Whether it has another nickname, and everybody was told."""
    with chat.order.lock:
        return session.nickname != old


def test_who_does_not_log_in_gets_another_nickname() -> None:
    """It was told so; the others see it as a rename like any."""
    clock = FakeClock()
    chat = owned(clock)
    bob, eve = enter(chat, "bob"), come(chat, "Ann")
    assert eve.notices == [
        "the nickname Ann belongs to an account: log in within 60 s (/login PASSWORD), or you will be renamed"
    ]

    pass_time(clock, 60)

    wait_until(lambda: is_renamed(chat, eve, "Ann"), "the alarm")
    assert eve.nickname is not None
    assert eve.nickname.startswith("guest-")
    assert [(event.old, event.new) for event in bob.take() if isinstance(event, Renamed)] == [("Ann", eve.nickname)]
    assert eve.notices[-1] == f"the nickname Ann belongs to an account; you are now {eve.nickname}"


def test_who_logs_in_keeps_it() -> None:
    """Nothing happens when the time is over."""
    clock = FakeClock()
    chat = owned(clock)
    ann, eve = come(chat, "ann"), come(chat, "eve")
    ann.do(LogIn(PASSWORD))
    eve.do(LogIn(PASSWORD, "ann"), SetNickname("anna"))

    pass_time(clock, 60)
    wait_until(lambda: chat.alarms._thread is None, "the alarm")

    assert ann.nickname == "ann"


def test_the_time_does_not_begin_anew() -> None:
    """Who takes another nickname and comes back to it has what is left; and then none."""
    clock = FakeClock()
    chat = owned(clock)
    eve = come(chat, "ann")
    pass_time(clock, 50)
    assert codes(eve.do(SetNickname("eve"), SetNickname("ann"))) == []
    pass_time(clock, 10)
    wait_until(lambda: eve.nickname != "ann", "the alarm")

    assert codes(eve.do(SetNickname("ann"))) == ["nickname_registered"]


def test_without_a_time_it_is_refused_at_once() -> None:
    """With what to do; who has logged in before may have it."""
    chat = owned(FakeClock(), nickname_grace_seconds=0.0)

    eve = come(chat, "ann")
    assert codes(eve.items) == ["nickname_registered"]
    assert eve.nickname is None
    assert come(chat, "ann", account="ann", account_password=PASSWORD).nickname == "ann"


def test_programs_inside_may_be_called_anything() -> None:
    """They are the server's own."""
    chat = owned(FakeClock(), nickname_grace_seconds=0.0)

    assert enter(chat, "ann").nickname == "ann"


def test_a_name_that_looks_like_it_belongs_to_it() -> None:
    """In another script: nobody is imitated."""
    accounts = make_accounts()
    accounts.register("сосо", PASSWORD)  # Cyrillic

    assert accounts.owner("coco") == "сосо"
    assert accounts.owner("cocoa") is None


@pytest.mark.parametrize("limit", [4, 32])
def test_a_guest_has_a_nickname_that_is_allowed(limit: int) -> None:
    """Also where they are short."""
    clock = FakeClock()
    chat = owned(clock, nickname_chars=limit)
    eve = come(chat, "ann")

    pass_time(clock, 60)

    wait_until(lambda: eve.nickname != "ann", "the alarm")
    assert len(eve.nickname or "") <= limit


def test_regaining_from_somebody_else() -> None:
    """Who has it becomes a guest at once, and is not disconnected."""
    chat = owned(FakeClock())
    eve, ann = come(chat, "ann"), come(chat, "anna", "192.0.2.2")

    assert codes(ann.do(Regain("ann"))) == ["not_logged_in"]
    assert codes(ann.do(Regain("ann", "wrong-horse"))) == ["bad_credentials"]
    assert codes(ann.do(Regain("ann", PASSWORD, ref=1))) == []
    assert (ann.nickname, ann.account) == ("ann", "ann")
    assert (eve.nickname or "").startswith("guest-")
    assert not eve.closed


def test_regaining_from_a_connection_that_is_left_over() -> None:
    """One's own is ended; a nickname that was kept for it is free."""
    chat = owned(FakeClock())
    old = come(chat, "ann", account="ann", account_password=PASSWORD)
    old.resumable = True
    new = come(chat, "anna", account="ann", account_password=PASSWORD)

    assert codes(new.do(Regain("ann"))) == []
    assert old.kicked == ["regained from elsewhere"]
    assert new.nickname == "ann"
    new.do(SetNickname("anna"))
    lost = come(chat, "ann", account="ann", account_password=PASSWORD)
    lost.resumable = True
    chat.close(lost, "lost", lost=True)
    assert codes(new.do(Regain("ann"))) == []


def test_regaining_what_is_nobodys() -> None:
    """It is not said whether a nickname has an account, and to ask counts as trying a password."""
    chat = owned(FakeClock())
    bob, eve = come(chat, "bob"), come(chat, "eve", "192.0.2.99")
    assert isinstance(bob, Remote)
    registered(bob)

    for nickname in ("ann", "tim"):
        assert codes(eve.do(Regain(nickname))) == ["not_logged_in"]
        assert codes(eve.do(Regain(nickname, "wrong-horse"))) == ["bad_credentials"]
        (failure,) = bob.do(Regain(nickname))
        assert (failure.code, failure.text) == (
            "bad_request",
            f"nickname {nickname!r} does not belong to your account",
        )
        assert codes(bob.do(Regain(nickname, "wrong-horse"))) == ["bad_credentials"]
    for number in range(3):
        assert codes(eve.do(Regain(f"nobody{number}", "wrong-horse"))) == ["bad_credentials"]
    assert codes(eve.do(Regain("tim", "wrong-horse"))) == ["too_many_attempts"]
    assert bob.account == "bob"
    with pytest.raises(Refused):
        chat.session("bob")


def test_who_logs_out_only_borrows_it() -> None:
    """The time to log in again begins then, unless it was used up before."""
    clock = FakeClock()
    chat = owned(clock)
    ann = come(chat, "ann", account="ann", account_password=PASSWORD)

    assert [item.text for item in ann.do(LogOut()) if isinstance(item, Notice)]
    assert ann.nickname == "ann"

    ann.do(LogIn(PASSWORD))
    pass_time(clock, 60)
    wait_until(lambda: chat.alarms._thread is None, "the alarm")
    assert ann.nickname == "ann"
    ann.do(LogOut())
    assert (ann.nickname or "").startswith("guest-")


def test_who_takes_a_nickname_while_it_is_registered_only_borrows_it() -> None:
    """Hashing takes time, in which others do what they want."""
    accounts = make_accounts()
    chat = open_chat(accounts, clock=FakeClock())
    eve, ann = come(chat, "eve"), come(chat)
    real = accounts.register

    def register(name: str, password: str) -> None:
        eve.do(SetNickname(name))
        real(name, password)

    accounts.register = register  # type: ignore[method-assign]
    ann.do(Register(PASSWORD, "ann"))

    assert (ann.account, eve.nickname) == ("ann", "ann")
    assert len(eve.notices) == 1


def test_one_alarm_for_each_session() -> None:
    """However often it takes such a nickname and leaves it again."""
    chat = owned(FakeClock())
    eve = come(chat, "ann")

    eve.do(*[SetNickname(name) for name in ("eve", "ann") * 20])

    assert eve.nickname == "ann"
    assert len(chat.alarms._heap) == 1
