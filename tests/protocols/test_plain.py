"""What people read."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model import events as e
from pychat.model import modes
from pychat.model import replies as r
from pychat.model.limits import Limits
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.names import AUDIT
from pychat.model.replies import Ignored
from pychat.protocols.base import Item
from pychat.protocols.text import mode_words, slash_rooms
from pychat.protocols.text import render as plain
from pychat.protocols.text.protocol import ClassicDialect, TextDialect
from pychat.protocols.text.render import Style, render

AT = 1795359845.123  # 2026-11-22 15:04:05 UTC
HELLO = e.Message(1, AT, "lobby", "ann", "hello")


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (HELLO, ["ann: hello"]),
        (HELLO._replace(room="ops"), ["[ops] ann: hello"]),
        (HELLO._replace(text="waves", action=True), ["* ann waves"]),
        (HELLO._replace(text="waves", action=True, room="ops"), ["[ops] * ann waves"]),
        (HELLO._replace(room=None, to="bob"), ["[ann -> bob] hello"]),
        (HELLO._replace(room=None, to="bob", text="waves", action=True), ["[ann -> bob] * ann waves"]),
        (HELLO._replace(notice=True), ["ann: hello"]),
        (HELLO._replace(room="ops", role="operator"), ["[ops for operators] ann: hello"]),
        (HELLO._replace(role="voice"), ["[lobby for operators and members with voice] ann: hello"]),
        (HELLO._replace(text="one\n\n--> bob joined"), ["ann: one", "ann:", "ann: --> bob joined"]),
        (HELLO._replace(text="a\nb", action=True, room="ops"), ["[ops] * ann a", "[ops] * ann b"]),
        (e.Joined(1, AT, "lobby", "ann"), ["--> ann joined lobby"]),
        (e.Left(1, AT, "ops", "ann"), ["<-- ann left ops"]),
        (e.Left(1, AT, "ops", "ann", "lunch"), ["<-- ann left ops (lunch)"]),
        (e.Kicked(1, AT, "ops", "bob", "ann"), ["<-- bob was removed from ops by ann"]),
        (e.Kicked(1, AT, "ops", "bob", "ann", "too loud"), ["<-- bob was removed from ops by ann (too loud)"]),
        (e.Disconnected(1, AT, ("lobby", "ops"), "ann"), ["<-- ann left"]),
        (e.Disconnected(1, AT, ("lobby", "ops"), "ann", "too slow"), ["<-- ann left (too slow)"]),
        (e.Renamed(1, AT, ("lobby",), "ann", "anna"), ["-- ann is now anna"]),
        (e.AwayChanged(1, AT, ("lobby",), "ann", "lunch"), ["-- ann is away: lunch"]),
        (e.AwayChanged(1, AT, ("lobby",), "ann", "away"), ["-- ann is away"]),
        (e.AwayChanged(1, AT, ("lobby",), "ann", None), ["-- ann is back"]),
        (e.TopicChanged(1, AT, "lobby", "ann", "cats"), ["-- ann set the topic of lobby: cats"]),
        (e.TopicChanged(1, AT, "lobby", "ann", ""), ["-- ann removed the topic of lobby"]),
        (
            e.ModesChanged(1, AT, "ops", "ann", (ModeChange(True, "m"), ModeChange(False, "b", "bob!*@*"))),
            [
                "-- ann made ops moderated: only operators and members with voice can talk",
                "-- ann unbanned bob from ops",
            ],
        ),
        (
            e.ModesChanged(1, AT, "ops", "ann", (ModeChange(True, "b", "m:bob!*@*"), ModeChange(True, "W", "120"))),
            ["-- ann muted bob in ops", "-- ann turned on slow mode in ops: one message every 2 min"],
        ),
        (
            e.ModesChanged(1, AT, "ops", "irc.pychat", (ModeChange(False, "b", "m:bob!*@*"),)),
            ["-- the mute of bob in ops has expired"],
        ),
        (e.ModesChanged(1, AT, "ops", "ann", (ModeChange(True, "x", "y"),)), ["-- ann set mode +x y in ops"]),
        (
            r.Failure(None, "banned", "you are banned from room 'ops' until 2026-11-28 15:39:23 UTC (spam)"),
            ["! you are banned from room 'ops' until 2026-11-28 15:39 UTC (spam)"],
        ),
        (e.Invited(1, AT, "ops", "ann", "bob"), ["-- ann invited bob to ops (/join ops)"]),
        (e.ProfileChanged(1, AT, ("ops",), "ann", "a@b", "a@c"), []),
        (e.Tagged(1, AT, "ops", "ann", "+typing=active"), []),
        (e.Notice(1, AT, "lobby", "one\ntwo"), ["-- one", "-- two"]),
        (e.Notice(1, AT, "ops", "one\ntwo"), ["[ops] -- one", "[ops] -- two"]),
        (e.Notice(0, AT, None, "psst"), ["-- psst"]),
    ],
)
def test_events_as_lines(item: e.Event, lines: list[str]) -> None:
    """Every event has its form, and every line of a text says whose it is."""
    assert render(item) == lines


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (r.Ok(1, 2), []),
        (r.PingRequest(), []),
        (r.Failure(None, "refused", "no shouting, please"), ["! no shouting, please"]),
        (r.Welcome(None, "chat.example", "ann", "secret", Limits()), [
            "-- welcome to chat.example, ann; /help lists the commands",
        ]),
        (r.Members(None, "lobby", "", (r.MemberInfo("ann"), r.MemberInfo("bob")), joined=True), [
            "-- you are in lobby: ann, bob",
        ]),
        (r.Members(None, "ops", "cats", (r.MemberInfo("ann"),), joined=True), [
            "-- you are in ops: ann",
            "-- topic of ops: cats",
        ]),
        (r.Members(None, "lobby", "cats", (r.MemberInfo("ann"), r.MemberInfo("bob", "lunch"))), [
            "-- in lobby: ann, bob (away: lunch)",
        ]),
        (r.Members(None, "lobby", "", tuple(r.MemberInfo(name, roles=name) for name in ("o", "v", "ov"))), [
            "-- in lobby: @o, +v, @ov",
        ]),
        (r.Topic(None, "lobby", "cats"), ["-- topic of lobby: cats"]),
        (r.Topic(None, "lobby", ""), ["-- lobby has no topic"]),
        (r.Rooms(None, (r.RoomInfo("lobby", 1, ""), r.RoomInfo("ops", 12, "cats"))), [
            "-- lobby: 1 member",
            "-- ops: 12 members; topic: cats",
        ]),
        (r.Rooms(None, ()), ["-- there are no rooms"]),
        (r.Profile(None, "bob", ("lobby", "ops"), "lunch", 200.0), [
            "-- bob is in lobby, ops; away: lunch; silent for 3 min",
        ]),
        (r.Profile(None, "bob", (), None, 3.2), ["-- bob is in none of your rooms; silent for 3 s"]),
        (r.Profile(None, "bob", (), None, 7200.0), ["-- bob is in none of your rooms; silent for 2 h"]),
        (r.Profile(None, "bob", (), None, 9e5), ["-- bob is in none of your rooms; silent for 10 d"]),
        (r.Profile(None, "bob", ("lobby", "ops"), None, 3.2, "~bob@x.ip", "", "oB", 0.0, ("o", "")), [
            "-- bob (~bob@x.ip) is in @lobby, ops; silent for 3 s; a server operator; a bot",
        ]),
        (r.HistoryPage(None, "lobby", (), False), ["-- no history of lobby"]),
        (r.HistoryPage(None, AUDIT, (e.Notice(1, AT, AUDIT, "ann became root"),), False), [
            "-- last event of the audit record, 2026-11-22 UTC",
            "[15:04] -- ann became root",
        ]),
        (r.HistoryPage(None, "lobby", (), False, "tea"), ["-- no message of lobby with tea"]),
        (
            r.HistoryPage(None, "lobby", (), True, "tea"),
            ["-- no message of lobby with tea, as far as one request looks"],
        ),
        (r.HistoryPage(None, "lobby", (), True), ["-- no history of lobby, as far as one request looks"]),
        (r.HistoryPage(None, "lobby", (HELLO,), False, "hel*")._replace(room="ops"), [
            "-- 1 message of ops with hel*, 2026-11-22 UTC",
            "[15:04] ann: hello",
        ]),
        (r.HistoryPage(None, "lobby", (HELLO,), True), [
            "-- last message of lobby, 2026-11-22 UTC",
            "[15:04] ann: hello",
        ]),
        (r.Replay("lobby", ()), []),
        (r.Replay("ops", (HELLO._replace(room="ops", text="a\nb"), HELLO._replace(room="ops", time=AT + 36000))), [
            "-- last 2 messages of ops, 2026-11-22 UTC",
            "[15:04] [ops] ann: a",
            "[15:04] [ops] ann: b",
            "-- 2026-11-23",
            "[01:04] [ops] ann: hello",
        ]),
        (r.HistoryPage(None, "lobby", (e.Joined(1, AT, "lobby", "ann"), HELLO), False), [
            "-- last 2 events of lobby, 2026-11-22 UTC",
            "[15:04] --> ann joined lobby",
            "[15:04] ann: hello",
        ]),
        (r.HistoryPage(None, "lobby", (e.ProfileChanged(1, AT, (), "ann", "a@b", "a@c"), HELLO), False), [
            "-- last message of lobby, 2026-11-22 UTC",
            "[15:04] ann: hello",
        ]),
        (r.Modes(None, "ops", "", (), AT), ["-- ops has no rules"]),
        (r.Modes(None, "ops", "nkl", ("sesame", "50"), AT), [
            "-- rules of ops: only members can talk (n); joining requires the key sesame (k); at most 50 members (l)"
        ]),
        (r.Masks(None, "ops", "b", ()), ["-- banned from ops: nobody"]),
        (r.Masks(None, "ops", "b", (MaskEntry("m:bob!*@*", "ann", AT),)), ["-- muted in ops: bob!*@* (by ann)"]),
        (r.Masks(None, "ops", "b", (MaskEntry("a:bob", "ann", AT, "", 0.0, "spam"),)), [
            "-- banned from ops: a:bob until 1970-01-01 00:00 UTC (spam) (by ann)",
        ]),
        (Ignored(None, ("bob!*@*",), ("bob!*@*",)), ["-- you now ignore bob!*@*"]),
        (Ignored(None, (), (), ("bob!*@*",)), ["-- you no longer ignore bob!*@*"]),
        (Ignored(None, ("a:x", "bob!*@*")), ["-- ignored: a:x, bob!*@*"]),
        (Ignored(None, ()), ["-- ignored: nobody"]),
        (r.Masks(None, "ops", "e", (MaskEntry("bob!*@*", "ann", AT), MaskEntry("eve!*@*", "carl", AT))), [
            "-- ban exceptions of ops: bob!*@* (by ann)",
            "-- ban exceptions of ops: eve!*@* (by carl)",
        ]),
        (
            r.Masks(None, "ops", "I", (MaskEntry("bob!*@*", "ann", AT),)),
            ["-- invite exceptions of ops: bob!*@* (by ann)"],
        ),
        (r.Inviting(None, "ops", "bob"), []),
        (r.Invitations(None, ("den", "ops")), ["-- you are invited to den, ops"]),
        (r.Invitations(None, ()), ["-- you are not invited to any room"]),
        (r.UserModes(None, "ow", (ModeChange(True, "o"),)), ["-- you are a server operator"]),
        (r.UserModes(None, "iw"), ["-- your modes: +iw"]),
        (r.UserModes(None, ""), ["-- you have no modes"]),
        (r.PersonAway(None, "bob", "lunch"), ["-- bob is away: lunch"]),
        (r.PersonAway(None, "bob", "away"), ["-- bob is away"]),
        (r.Wallops("root", "r@h", "a restart at six"), ["-- server operator root: a restart at six"]),
        (r.Motd(None, ("one", "two")), ["-- one", "-- two"]),
        (r.Motd(None, ()), []),
        (r.Motd("motd", ()), ["-- there is no message of the day"]),
        (r.Gap("lobby", 3), ["-- some messages of lobby are missing"]),
        (r.Lines(None, ("one", "", "two\nthree")), ["-- one", "--", "-- two", "-- three"]),
        (r.PongReply(None, "x"), ["-- pong"]),
        (r.Bye("the server stops"), ["-- goodbye: the server stops"]),
        (r.Bye(""), ["-- goodbye"]),
    ],
)  # fmt: skip
def test_replies_as_lines(item: r.Reply, lines: list[str]) -> None:
    """Every reply has its form."""
    assert render(item) == lines


def test_the_default_room_can_have_another_name() -> None:
    """Only its messages are without a room."""
    assert render(HELLO._replace(room="hall"), Style("hall")) == ["ann: hello"]
    assert render(HELLO, Style("hall")) == ["[lobby] ann: hello"]


def test_times_can_be_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader in front of the screen sees their own clock, and no zone is named."""
    monkeypatch.setattr("time.localtime", lambda seconds: __import__("time").gmtime(seconds + 3600))

    assert render(r.Replay("lobby", (HELLO,)), Style(local_time=True)) == [
        "-- last message of lobby, 2026-11-22",
        "[16:04] ann: hello",
    ]


def test_text_of_a_dialect_is_lines_of_utf8() -> None:
    """The items in order, each line ended by a newline."""
    items: list[Item] = [HELLO._replace(text="né"), r.Ok(1), e.Joined(2, AT, "ops", "bob"), HELLO._replace(room="ops")]

    assert TextDialect().encode(items) == "ann: né\n--> bob joined ops\n[ops] ann: hello\n".encode()
    assert TextDialect().encode([]) == b""
    assert TextDialect("ops").encode(items[-1:]) == b"ann: hello\n"


def test_the_classic_dialect_is_ascii() -> None:
    """What the tutorial's client could not decode is written as an escape."""
    assert ClassicDialect().encode([HELLO._replace(text="né 😀")]) == b"ann: n\\xe9 \\U0001f600\n"


_texts = st.text() | st.sampled_from(["\r", "a\rb", "\0", "a\nb", "\x1b[2J", "\ud800", "\u2028", "\x85", "a\r\nb"])


@given(
    st.lists(
        st.builds(
            HELLO._replace,
            text=_texts,
            sender=_texts,
            room=st.none() | _texts,
            action=st.booleans(),
            role=st.just("") | _texts,
        )
    )
)
def test_the_fast_way_for_messages_gives_the_same_lines(messages: list[e.Message]) -> None:
    """Whatever a message holds, its lines begin as they must, and nothing but a newline ends one."""
    for dialect, charset in ((TextDialect(), "utf-8"), (ClassicDialect(), "ascii")):
        data = dialect.encode(messages)
        data.decode(charset)
        assert b"\r" not in data
        assert b"\0" not in data


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]))))
def test_clean_text_is_written_as_it_is(texts: list[str]) -> None:
    """One line for each message, in order."""
    messages = [HELLO._replace(text=text) for text in texts]

    assert TextDialect().encode(messages).decode() == "".join(f"ann: {text}\n" for text in texts)


@given(_texts, _texts)
def test_no_field_ends_a_line(nickname: str, text: str) -> None:
    """Fields of people and of servers cannot add a line, move a cursor or start another one."""
    items: list[Item] = [
        e.Joined(1, AT, nickname, nickname),
        e.Left(1, AT, "ops", nickname, text),
        e.Renamed(1, AT, (), nickname, text),
        e.AwayChanged(1, AT, (), nickname, text),
        e.TopicChanged(1, AT, nickname, nickname, text),
        e.Notice(1, AT, nickname, text),
        r.Failure(None, "refused", text),
        r.Welcome(None, text, nickname, "", Limits()),
        r.Members(None, nickname, text, (r.MemberInfo(nickname, text),), joined=True),
        r.Rooms(None, (r.RoomInfo(nickname, 1, text),)),
        r.Profile(None, nickname, (nickname,), text, 0.0),
        r.Lines(None, (text,)),
        r.Motd(None, (text,)),
        r.Bye(text),
        e.Kicked(1, AT, nickname, nickname, nickname, text),
        e.ModesChanged(1, AT, nickname, nickname, (ModeChange(True, "b", text),)),
        e.Invited(1, AT, nickname, nickname, nickname),
        r.Modes(None, nickname, "k", (text,), 0.0),
        r.Masks(None, nickname, "b", (MaskEntry(text, nickname, 0.0),)),
        r.Invitations(None, (nickname,)),
        r.PersonAway(None, nickname, text),
        r.Wallops(nickname, "", text),
    ]
    for item in items:
        for line in render(item):
            assert not set(line) & set("\n\r\0\x1b\x85\u2028\ud800")


def test_every_item_can_be_rendered() -> None:
    """Whatever a session may hear, there are lines for it, or none on purpose."""
    kinds = {*typing.get_args(e.Event), *typing.get_args(r.Reply)}

    assert set(plain._RENDERERS) == kinds


def test_every_mode_of_a_room_has_words() -> None:
    """For its changes, among the rules of a room, and in the help."""
    assert set(mode_words._CHANGES) == set(modes.ALL)
    assert set(mode_words.RULES) == set(modes.FLAGS) | set(modes.VALUES)
    assert {letter for letter, text in mode_words.RULES.items() if "{}" in text} == set(modes.VALUES)
    assert set(slash_rooms._ARGUMENTS) == set(modes.VALUES)
