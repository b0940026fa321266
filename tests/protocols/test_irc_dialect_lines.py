"""Whatever an item holds, what the dialect of IRC makes of it is lines that every client can read."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from irc_items import (
    ANN,
    AT,
    EVENTS,
    REPLIES,
    any_item,
    any_text,
    capabilities,
    irc,
    items_of,
    texts,
)

from pychat.model.events import Message
from pychat.model.limits import Limits
from pychat.model.replies import Welcome
from pychat.model.text import clean
from pychat.protocols.irc.asked import as_middle
from pychat.protocols.irc.dialect import RENDERERS, WRITTEN, IrcDialect
from pychat.protocols.irc.grammar import parse_line
from pychat.protocols.irc.line_length import cut, packed, pieces, to_bytes

_BROKEN = str.maketrans({"\r": "\ufffd", "\n": "\ufffd", "\0": "\ufffd"})


def check_lines(data: bytes, nickname: str | None) -> None:
    """Fail unless these are lines as the specifications have them."""
    assert not data or data.endswith(b"\r\n")
    for raw in data.split(b"\r\n")[:-1]:
        assert not set(raw) & set(b"\r\n\0")
        tags, blank, rest = raw.partition(b" ") if raw.startswith(b"@") else (b"", b"", raw)
        assert len(rest) + 2 <= 512, "RFC 2812 section 2.3"
        assert len(tags + blank) <= 8191, "IRCv3 message-tags"
        command = parse_line(raw.decode())
        assert re.fullmatch("[A-Z]+|[0-9]{3}", command.command), raw
        if command.command.isdigit():
            shown = "*" if nickname is None else as_middle(nickname).translate(_BROKEN)
            shown = shown.encode("utf-8", "replace").decode()
            assert command.params[:1] == (shown,), "the nickname or *"


def test_every_item_has_a_renderer() -> None:
    """What core can say, IRC can write, if only as nothing."""
    assert RENDERERS.keys() == {*EVENTS, *REPLIES}


@pytest.mark.parametrize("kind", [*EVENTS, *REPLIES])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_item_becomes_lines(kind: type, data: st.DataObject) -> None:
    """512 bytes and their tags, UTF-8, nothing inside that ends a line, a command in each (RFC 2812 section 2.3)."""
    dialect = IrcDialect("pychat", Limits(), data.draw(capabilities))
    item = data.draw(items_of(kind))
    nickname = data.draw(st.none() | texts)
    if isinstance(item, Welcome):
        item = item._replace(nickname=nickname or "")  # it tells itself what it is

    check_lines(dialect.encode_private([item], nickname), nickname)
    check_lines(dialect.encode([item]), item.nickname if isinstance(item, Welcome) else None)


@given(st.lists(any_item(), max_size=4), capabilities)
def test_items_together_are_their_lines_together(items: list[Any], names: frozenset[str]) -> None:
    """Nothing depends on what comes before."""
    dialect = IrcDialect("pychat", Limits(), names, clock=lambda: 0.0)

    assert dialect.encode(items) == b"".join([dialect.encode([item]) for item in items])


# Messages of one person in one room are written in another way: it must not show


_texts = any_text | st.sampled_from(["hello", "x" * 400, "é" * 230, "a\nb", "\x01ACTION x\x01"])


_ODD: list[dict[str, Any]] = [
    {},
    {},
    {"action": True},
    {"notice": True},
    {"room": "ops"},
    {"room": None, "to": "bob"},
    {"sender": "bob"},
    {"userhost": "u@h"},
    {"id": 0},
    {"tags": "+y"},
    {"formatted": "\x02hi\x02"},
    {"role": "voice"},
]


@st.composite
def runs(draw: st.DrawFn) -> list[Message]:
    """Messages as a busy room has them, now and then something else among them."""
    start = draw(st.sampled_from([1, 4090, 2**40]))
    time = draw(st.sampled_from([0.0, AT, AT + 0.8]))
    tags = draw(st.sampled_from(["", "", "bot", "+x=1;"]))
    simple = Message(
        0, 0.0, draw(st.sampled_from(["lobby", "é"])), "ann", "", userhost=draw(st.sampled_from(["", ANN]))
    )
    run = [
        simple._replace(id=start + n, time=time + n / 100, text=text, tags=tags)
        for n, text in enumerate(draw(st.lists(_texts | st.just("hi"), min_size=1, max_size=12)))
    ]
    odd = draw(st.sampled_from(_ODD))
    at = draw(st.integers(0, len(run) - 1))
    run[at] = run[at]._replace(**odd)
    return run


@given(runs(), capabilities)
def test_messages_at_once_are_the_same_as_one_by_one(run: list[Message], names: frozenset[str]) -> None:
    """The fast way writes what the careful one does."""
    dialect = IrcDialect("pychat", Limits(), names)

    assert dialect.encode(run) == dialect.encode_private(run, None)


@given(any_text.map(clean), st.booleans())
def test_nothing_of_a_text_is_lost(text: str, action: bool) -> None:
    """However long it is: the texts of all lines together are the text, without its newlines."""
    data = irc().encode([Message(1, AT, "lobby", "ann", text, action, userhost=ANN)])

    said = [line.split(" :", 1)[1] for line in data.decode().split("\r\n")[:-1]]
    if action:
        assert all(part.startswith("\x01ACTION ") and part.endswith("\x01") for part in said)
        said = [part[len("\x01ACTION ") : -1] for part in said]
    assert "".join(said) == text.replace("\n", "")


# The parts


@given(st.text(), st.integers(4, 60))
def test_pieces_are_the_text(text: str, size: int) -> None:
    """No byte more than allowed, and no character cut."""
    text = text.encode("utf-8", "replace").decode()
    found = pieces(text, size)

    assert "".join(found) == text
    assert all(len(piece.encode()) <= size for piece in found)


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("hello wide world", 12, ["hello wide ", "world"]),
        ("hellowideworld", 10, ["hellowidew", "orld"]),
        ("ééééé", 5, ["éé", "éé", "é"]),
        ("aaaae\u0301b", 5, ["aaaa", "e\u0301b"]),
        ("aaa👍🏽b", 8, ["aaa", "👍🏽", "b"]),
        ("aa👩\u200d💻b", 11, ["aa", "👩\u200d💻", "b"]),
        ("", 5, [""]),
    ],
)
def test_where_a_text_is_split(text: str, size: int, expected: list[str]) -> None:
    """Behind a blank, else not before a mark, not in an emoji of several parts."""
    assert pieces(text, size) == expected


@given(st.lists(st.text(max_size=8).map(lambda word: word.encode("utf-8", "replace").decode())), st.integers(32, 60))
def test_words_are_packed_in_order(words: list[str], size: int) -> None:
    """Each text has at most so many bytes, and all words are there."""
    found = packed(words, size, "\n")

    assert "\n".join(found) == "\n".join(words)
    assert all(len(text.encode()) <= size for text in found)
    assert bool(found) == bool(words)


@pytest.mark.parametrize(("size", "expected"), [(0, ""), (1, "a"), (2, "a"), (3, "aé"), (4, "aéb"), (9, "aéb")])
def test_a_character_is_never_cut(size: int, expected: str) -> None:
    """What does not fit as a whole is left out."""
    assert cut("aéb".encode(), size) == expected.encode()


def test_the_last_line_of_defence() -> None:
    """What should not be in a line is replaced, what is too long is cut, tags that are too long are left out."""
    assert to_bytes(["a\r\nQUIT\0", "b"]) == "a\ufffd\ufffdQUIT\ufffd\r\nb\r\n".encode()
    assert to_bytes(["é" * 300]) == ("é" * 255).encode() + b"\r\n"
    assert to_bytes(["@" + "t" * 9000 + " PING"]) == b"PING\r\n"
    assert to_bytes(["@" + "t" * 8189 + " " + "x" * 510]) == b"@" + b"t" * 8189 + b" " + b"x" * 510 + b"\r\n"
    assert to_bytes([]) == b""


# Dialects


def test_the_same_capabilities_are_the_same_dialect() -> None:
    """So that what is for many is encoded once; from whichever of them it is asked."""
    plain = irc()
    tagged = plain.with_capabilities(frozenset({"message-tags"}))

    assert tagged is plain.with_capabilities(frozenset({"message-tags"}))
    assert tagged.with_capabilities(frozenset()) is plain
    assert plain.with_capabilities(frozenset({"cap-notify", "draft/chathistory", "labeled-response"})) is plain
    assert tagged.capabilities == {"message-tags"} <= WRITTEN


def test_the_source_looks_like_a_server() -> None:
    """With a dot, which no nickname has (RFC 2812 section 2.3.1)."""
    assert irc().source == "irc.pychat"
    assert IrcDialect("chat.example.org", Limits()).source == "chat.example.org"


def test_who_negotiated_it_hears_what_they_say() -> None:
    """IRCv3 echo-message."""
    assert not irc().echoes
    assert irc("echo-message").echoes
