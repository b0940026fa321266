"""Nicknames are taken as they are at that moment, whatever was found out before."""

from __future__ import annotations

from threading import Thread

import pytest
from churn import DueAlarms
from recorder import no_alarm_is_left
from remote import Remote, come, make_accounts, open_chat

from pychat import Chat
from pychat.core.accounts.actions import log_out_everybody
from pychat.core.accounts.administration import add_account
from pychat.core.accounts.changes import Claim, NewAccount, NewNickname
from pychat.core.log.log import MemoryLog
from pychat.core.outcome import Outdated
from pychat.core.people import rules
from pychat.core.people.state import PeopleState
from pychat.model.replies import Failure
from pychat.model.server_ban import AddServerBan
from pychat.model.tokens import digest_of
from pychat.model.verbs import Hello, LogIn, SetNickname
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]


def lost(chat: Chat, nickname: str) -> Remote:
    """Somebody whose connection was lost."""
    session = come(chat)
    session.resumable = True
    chat.perform(session, [Hello(nickname)])
    chat.close(session, "lost", lost=True)
    return session


def test_a_nickname_that_is_registered_meanwhile_is_only_lent() -> None:
    """Whose it is, is asked again if any account has changed."""
    accounts = make_accounts()
    chat = open_chat(accounts)
    ann = come(chat, "ann")
    owner, asked = accounts.owner, 0

    def ask(nickname: str) -> str | None:
        nonlocal asked
        asked += nickname == "bob"
        before = owner(nickname)
        if asked == 1 and before is None:
            accounts.register("bob", "sesame12")
            chat.propose(NewAccount("bob"))
        return before

    accounts.owner = ask  # type: ignore[method-assign]
    chat.perform(ann, [SetNickname("bob")])

    assert ann.nickname == "bob"
    assert [text.partition(":")[0] for text in ann.notices] == ["the nickname bob belongs to an account"]


def test_a_newcomer_who_is_logged_out_meanwhile_comes_as_a_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if it takes its nickname while others are just being logged out."""
    accounts = make_accounts()
    accounts.register("ann", "sesame12")
    chat = open_chat(accounts)
    newcomer = come(chat)
    chat.perform(newcomer, [LogIn("sesame12", "ann")])
    thread = Thread(target=chat.perform, args=(newcomer, [Hello("bob")]))
    log_out_parked = rules.log_out_parked

    def log_out(people: PeopleState, account: str) -> None:
        thread.start()
        thread.join(0.2)
        log_out_parked(people, account)

    monkeypatch.setattr(rules, "log_out_parked", log_out)
    log_out_everybody(chat, "ann")
    thread.join()

    assert (newcomer.nickname, newcomer.account) == ("bob", None)


def test_a_newcomer_who_is_logged_out_meanwhile_ends_no_reservation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nickname stays reserved for the owner."""
    accounts = make_accounts()
    accounts.register("ann", "sesame12")
    chat = open_chat(accounts)
    ann, newcomer = lost(chat, "ann"), come(chat)
    chat.perform(newcomer, [LogIn("sesame12", "ann")])
    flush = chat.order.flush

    def log_out() -> None:
        monkeypatch.setattr(chat.order, "flush", flush)
        log_out_everybody(chat, "ann")

    monkeypatch.setattr(chat.order, "flush", log_out)
    chat.perform(newcomer, [Hello("ann", regain=True)])

    assert [item.code for item in newcomer.items if isinstance(item, Failure)] == ["not_logged_in"]
    assert [one.identity for _, one in chat.reservations()] == [ann.identity]


def test_a_nickname_that_is_banned_meanwhile_is_not_taken() -> None:
    """Masks are matched again if any ban has changed."""
    chat = open_chat()
    root, ann = come(chat, "boss", "192.0.2.9"), come(chat, "ann")
    root.person.modes = "o"
    of_person = chat.bans.of_person

    def look(nickname: str, userhost: str) -> object:
        before = of_person(nickname, userhost)
        if nickname == "bob" and not chat.bans.current():
            chat.perform(root, [AddServerBan("bob!*@*")])
        return before

    chat.bans.of_person = look  # type: ignore[assignment, method-assign]
    chat.perform(ann, [SetNickname("bob")])

    assert ann.nickname == "ann"
    assert [item.code for item in ann.items if isinstance(item, Failure)] == ["server_banned"]


def test_a_claim_of_an_earlier_state_changes_nothing() -> None:
    """Whoever proposes it has to look again."""
    chat = open_chat()
    ann = come(chat, "ann")
    claim = Claim("bob", None, False, 60.0, chat.logins.moment, chat.bans.version)
    chat.propose(NewAccount("somebody"))

    with pytest.raises(Outdated):
        chat.propose(NewNickname(ann.identity, claim))

    assert (ann.nickname, chat.find("bob")) == ("ann", None)


@pytest.mark.parametrize("resumes", [False, True])
def test_two_threads_give_a_session_one_nickname(monkeypatch: pytest.MonkeyPatch, *, resumes: bool) -> None:
    """The other one is refused, and reserves nothing."""
    chat = open_chat()
    token = lost(chat, "ann").token if resumes else None
    session = come(chat)
    thread = Thread(target=chat.perform, args=(session, [Hello("ann", token=token)]))
    flush, flushed = chat.order.flush, 0

    def flush_and_wait() -> None:
        nonlocal flushed
        flushed += 1
        if flushed == 2:  # before the newcomer gets its nickname
            thread.start()
            thread.join()
        flush()

    monkeypatch.setattr(chat.order, "flush", flush_and_wait)
    chat.perform(session, [Hello("bob")])

    assert [item.code for item in session.items if isinstance(item, Failure)] == ["bad_request"]
    assert (list(chat.state.people.holders), chat.census.people) == (["ann"], 1)
    chat.close(session, "bye")
    assert not chat.state.people.holders


def test_a_token_that_gets_no_nickname_stays_valid() -> None:
    """The nickname is somebody else's account by now. When that is gone, the client comes back."""
    accounts = make_accounts()
    chat = open_chat(accounts, nickname_grace_seconds=0)
    bob = lost(chat, "bob")
    add_account(chat, "boss", "bob", "sesame12")

    refused = come(chat, "bob", token=bob.token)

    assert [item.code for item in refused.items if isinstance(item, Failure)] == ["nickname_registered"]
    accounts.drop("bob")
    assert come(chat, "bob", token=bob.token).identity == bob.identity


def test_what_is_stored_of_a_lost_session_is_deleted_in_time() -> None:
    """Nobody need ask for its nickname."""
    dropped: list[str] = []

    class Log(MemoryLog):
        def drop_session(self, digest: str) -> None:
            dropped.append(digest)

    clock = FakeClock()
    chat = open_chat(clock=clock, log=Log(), resume_seconds=30)
    alarms = DueAlarms(clock)
    chat.alarms = alarms  # type: ignore[assignment]
    bob = lost(chat, "bob")

    clock.advance(29)
    alarms.run()
    assert (len(chat.reservations()), dropped) == (1, [])
    clock.advance(1)
    alarms.run()

    assert (chat.reservations(), dropped) == ([], [digest_of(bob.token or "")])
