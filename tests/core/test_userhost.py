"""What is shown of everybody: user@host without the address, and the real name."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder import USERHOST, Recorder, make_chat

from pychat import Chat
from pychat.model.cloaks import REALNAME_CHARS, USERNAME_CHARS, Cloaks, server_host, username
from pychat.model.verbs import Hello


def come(chat: Chat, address: str, nickname: str = "ann", **hello: Any) -> Recorder:
    """Somebody from an address."""
    session = Recorder(chat)
    session.address = address
    chat.open(session)
    chat.perform(session, [Hello(nickname, **hello)])
    return session


def test_a_cloak_is_the_same_for_an_address_and_another_for_the_next() -> None:
    """As long as the server runs; a ban of a host is a ban of an address."""
    cloaks = Cloaks("pychat")

    assert cloaks.host("192.0.2.1") == cloaks.host("192.0.2.1")
    assert cloaks.host("192.0.2.1") != cloaks.host("192.0.2.2")
    assert cloaks.host("192.0.2.1") != Cloaks("pychat").host("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    """An IPv4 address, in IPv6 or not; an IPv6 /64, because everybody has at least that many."""
    cloaks = Cloaks("pychat")

    assert (cloaks.host(one) == cloaks.host(other)) is same


@given(st.ip_addresses())
def test_a_cloak_is_a_host_that_tells_nothing(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Lower case letters and digits, never the address or a part of it."""
    host = Cloaks("pychat", b"secret").host(str(address))

    name, dot, end = host.partition(".")
    assert (len(name), dot, end) == (12, ".", "ip")
    assert name.isalnum()
    assert name.islower() or name.isdigit()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("", "~user"),
        ("ann", "~ann"),
        ("~ann", "~ann"),
        ("a b!c@d*e?", "~abcde"),
        ("жук", "~user"),
        ("x" * 50, "~" + "x" * (USERNAME_CHARS - 1)),
    ],
)
def test_usernames(said: str, shown: str) -> None:
    """What no mask and no line breaks at; "~" because nobody vouches for it."""
    assert username(said) == shown


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("pychat", "irc.pychat"),
        ("chat.example.org", "chat.example.org"),
        ("My Chat!", "irc.MyChat"),
        ("...", "irc.pychat"),
        ("жук", "irc.pychat"),
    ],
)
def test_the_server_has_a_host(name: str, host: str) -> None:
    """With a dot, so that it is no nickname."""
    assert server_host(name) == host


def test_those_inside_the_process_are_of_the_server() -> None:
    """They have no address."""
    assert make_chat().session("bot").userhost == USERHOST


def test_everybody_sees_the_cloak() -> None:
    """In the list of members; and the welcome tells it to the session itself."""
    chat = make_chat()
    ann = come(chat, "192.0.2.1", username="annie", realname=" Ann\nA. \x07")

    host = chat.cloaks.host("192.0.2.1")
    welcome = ann.take()[0]
    assert welcome.userhost == ann.info.userhost == ann.userhost == f"~annie@{host}"
    assert (ann.username, ann.host) == ("~annie", host)
    assert ann.realname == "Ann A. \N{REPLACEMENT CHARACTER}"
    assert welcome.started <= ann.since
    assert welcome.counts == chat.counts()


def test_the_real_name_is_the_nickname_if_none_is_given() -> None:
    """And what is too long is cut off."""
    chat = make_chat()

    assert come(chat, "192.0.2.1", "ann").realname == "ann"
    assert come(chat, "192.0.2.1", "bob", realname="x" * 1000).realname == "x" * REALNAME_CHARS
