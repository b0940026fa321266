"""Roles by account."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import Recorder, enter
from remote import make_accounts, no_alarm_is_left, open_chat

from pychat.core.chat import Chat
from pychat.model.events import Joined, ModesChanged
from pychat.model.modes import ModeChange, parse
from pychat.model.verbs import DropAccount, Join, Leave, LogIn, LogOut, Quit, Say, SetModes, SetNickname

__all__ = ["no_alarm_is_left"]

PASSWORD = "correct-horse"


def mode(letters: str, *arguments: str, room: str | None = None) -> SetModes:
    """The verb of `/mode +b bob`."""
    return SetModes(tuple(parse(letters, arguments)), room)


@pytest.fixture
def chat() -> Chat:
    """A chat in which ann has an account."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    return open_chat(accounts)


def come_in(chat: Chat, nickname: str, *rooms: str, account: bool = False) -> Recorder:
    """Let somebody in, who may log in to ann's account first."""
    known: dict[str, Any] = {"account": "ann", "account_password": PASSWORD} if account else {}
    return enter(chat, nickname, *rooms, **known)


def test_who_makes_a_room_and_is_logged_in_is_its_operator_again() -> None:
    """By another nickname, after everybody has left; who came first meanwhile is none."""
    accounts = make_accounts()
    accounts.register("ann", PASSWORD)
    chat = open_chat(accounts)
    ann = come_in(chat, "ann", "den", account=True)
    ann.do(mode("+mk", "sesame"), Quit())
    eve, zoe = enter(chat, "eve"), enter(chat, "zoe")

    assert eve.do(Join("den"))[-1].code == "bad_key"
    eve.do(Join("den", key="sesame"))
    assert chat.find_room("den").state.roles == {}  # type: ignore[union-attr]
    again = come_in(chat, "annie", "den", account=True)

    joined, modes = eve.take()[-2:]
    assert isinstance(joined, Joined)
    assert isinstance(modes, ModesChanged)
    assert (modes.nickname, modes.changes) == ("irc.pychat", (ModeChange(True, "o", "annie"),))
    assert not any(isinstance(item, ModesChanged) for item in again.take())
    assert [one.roles for one in zoe.do(Join("den", key="sesame"))[-1].members] == ["", "o", ""]


def test_who_logs_in_later_gets_and_gives(chat: Chat) -> None:
    """The account has what the guest had, and the guest what the account has."""
    ann = enter(chat, "ann", "den")
    ann.do(LogIn(PASSWORD))
    bob = enter(chat, "bob", "den")
    ann.do(Quit())

    bob.do(LogIn(PASSWORD, "ann"))

    room = chat.find_room("den")
    assert room is not None
    assert room.state.roles == {bob.identity: "o"}
    bob.do(LogOut())
    assert room.state.roles == {bob.identity: "o"}


def test_a_role_that_is_taken_is_taken_from_the_account(chat: Chat) -> None:
    """And voice that is given is given to it."""
    root = enter(chat, "root", "den")
    ann = come_in(chat, "ann", "den", account=True)
    root.do(mode("+ov", "ann", "ann"), mode("-o", "ann"))
    ann.do(SetNickname("anna"), Leave(), Join("den"))

    room = chat.find_room("den")
    assert room is not None
    assert room.state.roles == {root.identity: "o", ann.identity: "v"}
    root.do(mode("-v", "anna"))
    assert room.state.accounts == {}


def test_a_room_without_an_operator_by_account_begins_anew(chat: Chat) -> None:
    """Voice alone keeps no room."""
    root = enter(chat, "root", "den")
    ann = come_in(chat, "ann", "den", account=True)
    root.do(mode("+mv", "ann"), Quit())
    ann.do(Quit())

    room = chat.find_room("den")
    assert room is not None
    assert room.state.flags == {"n"}
    assert room.state.accounts == {}


def test_an_account_that_is_deleted_leaves_nothing(chat: Chat) -> None:
    """Who makes another one of that name is no operator."""
    ann = come_in(chat, "ann", "den", account=True)
    ann.do(DropAccount(PASSWORD))

    room = chat.find_room("den")
    assert room is not None
    assert room.state.accounts == {}
    assert room.state.roles == {ann.identity: "o"}


def test_the_private_room_of_an_account_that_is_deleted_is_nobodys(chat: Chat) -> None:
    """Its key and what was said there are gone, so it is neither locked for ever nor inherited."""
    ann = come_in(chat, "ann", "den", "lobby", account=True)
    ann.do(mode("+k", "sesame", room="den"), Say("secret", "den"), Leave("den"), DropAccount(PASSWORD))

    eve = enter(chat, "eve", "den")

    assert eve.rooms["den"].state.roles == {eve.identity: "o"}
    assert chat.room("den").history() == []
