"""Bans from the server: whom they mean, when they count, and that they end."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import Recorder, enter
from remote import come, make_accounts, no_alarm_is_left, open_chat
from test_accounts import PASSWORD, codes

from pychat.core.chat import Chat
from pychat.core.people.user_modes import change_modes
from pychat.model.errors import BadTarget
from pychat.model.events import Notice
from pychat.model.modes import ModeChange
from pychat.model.queries import ReadAudit
from pychat.model.replies import HistoryPage, Ok
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan, ServerBanList, normal_target
from pychat.model.verbs import Join, Kick, Kill, LogIn, SetModes, SetNickname
from pychat.testing import FakeClock

__all__ = ["no_alarm_is_left"]


def operator(chat: Chat, nickname: str = "root") -> Recorder:
    """A server operator inside the process."""
    session = enter(chat, nickname)
    change_modes(chat, session, [ModeChange(True, "o")], None)
    session.take()
    return session


def audited(session: Recorder) -> list[str]:
    """What the audit record says."""
    (page,) = [item for item in session.do(ReadAudit()) if isinstance(item, HistoryPage)]
    return [event.text for event in page.events if isinstance(event, Notice)]


@pytest.mark.parametrize(
    ("target", "normal"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("a:eve", "a:eve"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/64"),
        ("*@192.0.2.7", "192.0.2.7"),
        ("*!*@::ffff:192.0.2.7", "192.0.2.7"),
        ("*@2001:db8::/32", "2001:db8::/32"),
        ("*@cafe", "*!*@cafe"),
        ("*@*.example", "*!*@*.example"),
        ("eve!*@*", "eve!*@*"),
    ],
)
def test_targets(target: str, normal: str) -> None:
    """What is meant by them."""
    assert normal_target(target) == normal


@pytest.mark.parametrize(
    "target",
    [
        *("", "eve", "a:", "1.2.3.4/99", "::ffff:1.2.3.4/64", "x y@z", "*" * 300 + "@x"),
        *("a:\ud800", "\ud800@*", "a:eve\nmallory", "a:\x1b]0;owned\x07", "a:e ve", "a:" + "e" * 300),
    ],
)
def test_what_is_no_target(target: str) -> None:
    """A nickname is none either: it is looked up before."""
    with pytest.raises(BadTarget):
        normal_target(target)


@pytest.mark.parametrize("target", ["*!~u@192.0.2.7", "*!*@192.0.2.*", "eve@2001:db8::*", "*!*@10.0.0.0/8?"])
def test_a_mask_that_would_describe_addresses_is_no_target(target: str) -> None:
    """It would catch nobody, as no address is shown; one that was there before can be removed."""
    root = operator(open_chat())

    assert codes(root.do(AddServerBan(target))) == ["bad_target"]
    assert "is not banned" in root.do(RemoveServerBan(target))[-1].text


def test_a_nickname_means_its_address() -> None:
    """Whoever comes from there is disconnected, and told why."""
    chat = open_chat()
    root = operator(chat)
    eve, twin, bob = come(chat, "eve"), come(chat, "twin"), come(chat, "bob", "192.0.2.2")

    assert root.do(AddServerBan("eve", reason="spam", ref=1))[-1] == Ok(1)

    assert eve.kicked == twin.kicked == ["you are banned from this server: spam"]
    assert eve.must_not_return
    assert not bob.kicked
    assert chat.bans.of_address("192.0.2.1") is not None
    assert chat.bans.of_address("::ffff:192.0.2.1") is not None
    assert chat.bans.of_address("192.0.2.2") is None
    assert chat.bans.of_address("unix") is None


def test_an_account_is_banned_wherever_it_is() -> None:
    """Who is logged in to it is out, and nobody can log in."""
    accounts = make_accounts()
    accounts.register("eve", PASSWORD)
    chat = open_chat(accounts)
    root, eve = operator(chat), come(chat, "x", account="eve", account_password=PASSWORD)

    root.do(AddServerBan("a:Eve"))

    assert eve.kicked
    assert codes(come(chat, "y", "192.0.2.2").do(LogIn(PASSWORD, "eve"))) == ["server_banned"]
    assert codes(come(chat, "eve", "192.0.2.3", account="eve", account_password=PASSWORD).items) == ["server_banned"]


def test_a_mask_is_asked_about_when_a_nickname_is_claimed() -> None:
    """The first one, and any other."""
    chat = open_chat()
    root, eve = operator(chat), come(chat, "bob")
    root.do(AddServerBan("eve*!*@*", reason="spam"))

    assert codes(eve.do(SetNickname("evelyn"))) == ["server_banned"]
    late = come(chat, "Eve")
    assert codes(late.items) == ["server_banned"]
    assert late.nickname is None
    assert enter(chat, "eve2").nickname == "eve2"


def test_a_ban_ends() -> None:
    """By itself, or because somebody ends it."""
    clock = FakeClock()
    chat = open_chat(clock=clock)
    root = operator(chat)
    root.do(AddServerBan("192.0.2.0/24", 600, "spam"), AddServerBan("eve!*@*"))
    (listed,) = root.do(ListServerBans(1))
    assert isinstance(listed, ServerBanList)
    assert [(ban.target, ban.by, ban.until and ban.until - ban.time) for ban in listed.bans] == [
        ("192.0.2.0/24", "root", 600),
        ("eve!*@*", "root", None),
    ]

    clock.advance(600)
    assert chat.bans.of_address("192.0.2.9") is None
    assert root.do(RemoveServerBan("EVE!*@*", ref=2))[-1] == Ok(2)
    assert codes(root.do(RemoveServerBan("eve!*@*"))) == ["bad_target"]
    assert come(chat, "eve").nickname == "eve"
    root.take()
    (listed,) = root.do(ListServerBans())
    assert listed.bans == ()


def test_nobody_bans_themselves() -> None:
    """What was before is still there."""
    chat = open_chat()
    ann = come(chat, "ann")
    change_modes(chat, ann, [ModeChange(True, "o")], None)
    operator(chat).do(AddServerBan("10.0.0.0/8"))

    assert codes(ann.do(AddServerBan("192.0.2.0/24"))) == ["bad_target"]
    assert codes(ann.do(AddServerBan("ann"))) == ["bad_target"]
    assert codes(ann.do(AddServerBan("root"))) == ["bad_target"]
    assert codes(ann.do(AddServerBan("nobody"))) == ["bad_target"]
    assert [ban.target for ban in chat.bans.current()] == ["10.0.0.0/8"]


def test_a_ban_lasts_as_long_as_it_was_meant_wherever_the_clock_is_set() -> None:
    """A clock that is ahead for a moment ends none for ever."""
    clock = FakeClock()
    chat = open_chat(clock=clock)
    root = operator(chat)
    root.do(AddServerBan("192.0.2.7", 600))

    clock.set_time(clock.time() + 86_400)
    root.do(AddServerBan("192.0.2.8", 600))
    clock.set_time(clock.time() - 86_400)

    ends = [(ban.target, ban.until) for ban in chat.bans.current()]
    assert ends == [("192.0.2.7", clock.time() + 600), ("192.0.2.8", clock.time() + 600)]
    clock.advance(600)
    assert chat.bans.current() == []


@pytest.mark.parametrize("verb", [AddServerBan("192.0.2.1"), RemoveServerBan("x@y"), ListServerBans(), ReadAudit()])
def test_it_is_for_server_operators(verb: Any) -> None:
    """Nobody else learns who is banned."""
    assert codes(enter(open_chat(), "ann").do(verb)) == ["not_server_operator"]


def test_the_audit_record() -> None:
    """Who did what; no key is in it, and no room of its name can be joined or seen."""
    chat = open_chat()
    ann, bob, root = enter(chat, "ann", "ops"), enter(chat, "bob", "ops"), operator(chat)
    ann.do(SetModes((ModeChange(True, "k", "sesame"), ModeChange(True, "b", "eve")), "ops"), Kick("bob", "ops", "spam"))
    root.do(AddServerBan("192.0.2.7", 60, "spam"), Kill("bob", "enough"))

    assert audited(root) == [
        "ann!~user@irc.pychat set mode +kb * eve!*@* in ops",
        "ann!~user@irc.pychat removed bob!~user@irc.pychat from ops (spam)",
        "root!~user@operator.irc.pychat banned 192.0.2.7 from the server for 1m (spam)",
        "root!~user@operator.irc.pychat disconnected bob!~user@irc.pychat (enough)",
    ]
    assert codes(ann.do(Join("*audit"))) == ["bad_room"]
    assert "*audit" not in [room.name for room in chat.rooms()]
    assert bob.kicked
