"""How things look: times, days, colours, mentions, and nothing that could be a control sequence."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model import events as e
from pychat.model import replies as r
from pychat.model.names import AUDIT
from pychat.terminal.colors import NICKNAME_COLORS, nickname_style, wants_color
from pychat.terminal.view import Line, View, crowd_line, mentions, plain_line

NOON = datetime(2026, 11, 22, 12, 5).timestamp()
"""Local time, as on the screen."""
HOUR = 3600.0


def text(line: Line) -> str:
    """A line without its styles."""
    return "".join(part for _, part in line)


def shown(item: e.Event | r.Reply, me: str = "ann", now: float = NOON) -> list[str]:
    """The lines of an item."""
    return [text(line) for line in View(me, NOON).show(item, now)]


def message(said: str, *, at: float = NOON, sender: str = "bob", **fields: object) -> e.Message:
    """Something said in the room."""
    return e.Message(1, at, "lobby", sender, said)._replace(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (message("hello"), ["[12:05] bob: hello"]),
        (message("one\ntwo"), ["[12:05] bob: one", "[12:05] bob: two"]),
        (message("waves", action=True), ["[12:05] * bob waves"]),
        (message("psst", room=None, to="ann"), ["[12:05] [bob -> ann] psst"]),
        (message("waves", room=None, to="ann", action=True), ["[12:05] [bob -> ann] * bob waves"]),
        (message("psst", role="operator"), ["[12:05] [for operators] bob: psst"]),
        (e.Notice(0, NOON, "lobby", "tea"), ["[12:05] -- tea"]),
        (e.TopicChanged(1, NOON, "ops", "bob", "tea"), ["[12:05] -- bob set the topic of ops: tea"]),
        (r.Failure(None, "flood", "too fast"), ["[12:05] ! too fast"]),
        (r.Ok(None), []),
    ],
)
def test_what_an_item_looks_like(item: e.Event | r.Reply, lines: list[str]) -> None:
    """Every line begins with its time; every line of a message with who said it."""
    assert shown(item) == lines


def test_a_new_day_is_announced_with_its_first_line() -> None:
    """Also when nothing was said at midnight; and back again for what is older."""
    view = View("ann", NOON)
    lines = [
        text(line)
        for moment in (NOON, NOON + 12 * HOUR, NOON + 13 * HOUR, NOON)
        for line in view.show(message("x", at=moment), moment)
    ]

    assert lines == [
        "[12:05] bob: x",
        "-- Monday, 23 November 2026",
        "[00:05] bob: x",
        "[01:05] bob: x",
        "-- Sunday, 22 November 2026",
        "[12:05] bob: x",
    ]


def test_a_page_of_history_has_a_heading() -> None:
    """It says how much there is of what; the lines have the times at which they were said."""
    page = r.Replay("lobby", (message("a", at=NOON - 2 * HOUR), message("b", at=NOON - HOUR)))

    assert shown(page) == ["[12:05] -- last 2 messages of lobby", "[10:05] bob: a", "[11:05] bob: b"]
    assert shown(r.HistoryPage(None, "lobby", (), more=False)) == ["[12:05] -- no history of lobby"]
    assert shown(page._replace(events=page.events[:1]))[0] == "[12:05] -- last message of lobby"
    assert shown(r.HistoryPage(None, AUDIT, (), more=False)) == ["[12:05] -- no history of the audit record"]


def test_a_mention_is_marked() -> None:
    """The sender and each place where the nickname is; the rest is as always."""
    (line,) = View("ann", NOON).show(message("Ann, plan with ann!"), NOON)

    assert line[1:] == [
        ("mention", "bob"),
        ("", ": "),
        ("", ""),
        ("mention", "Ann"),
        ("", ", plan with "),
        ("mention", "ann"),
        ("", "!"),
    ]


def test_what_one_says_oneself_is_no_mention() -> None:
    """Though it may have the nickname in it."""
    (line,) = View("ann", NOON).show(message("I am ann", sender="ann"), NOON)

    assert line[1:] == [(nickname_style("ann"), "ann"), ("", ": "), ("", "I am ann")]


@pytest.mark.parametrize(
    ("said", "nickname", "means"),
    [
        ("hi ann", "ann", True),
        ("ANN?", "ann", True),
        ("(ann)", "ann", True),
        ("ann's", "ann", True),
        ("@ann", "ann", True),
        ("planned", "ann", False),
        ("bob-ann", "ann", False),
        ("ann_", "ann", False),
        ("ärger Ö", "ö", True),
        ("what is [x]?", "[x]", True),
        ("太郎さん、こんにちは", "太郎", True),
        ("민수야 안녕", "민수", True),
        ("hi太郎", "太郎", True),
        ("こんにちはannさん", "ann", True),
        ("こんにちはxann", "ann", False),
    ],
)
def test_a_mention_is_a_whole_word(said: str, nickname: str, means: bool) -> None:
    """Whatever its case; in languages without blanks nothing ends a word."""
    assert mentions(said, nickname) is means


@pytest.mark.parametrize(
    ("line", "style"),
    [
        ("--> bob joined lobby", "quiet"),
        ("<-- bob left", "quiet"),
        ("-- a note", "note"),
        ("! no", "error"),
        ("other", ""),
    ],
)
def test_a_line_has_the_style_of_its_beginning(line: str, style: str) -> None:
    """As the language of people has it."""
    assert plain_line(line) == [(style, line)]


def test_what_has_no_width_is_left_out() -> None:
    """But for the joiners that emoji and some languages need."""
    assert shown(message("a\u200bb\ufeffc\u2060d\u00ade \U0001f469\u200d\U0001f467")) == [
        "[12:05] bob: abcde \U0001f469\u200d\U0001f467"
    ]


def test_marks_do_not_run_into_the_lines_around() -> None:
    """Of those on one letter some are left, more than any language has; the next letter has its own."""
    towers = "Z" + "\u0315" * 50 + "q" + "\u0325" * 50 + "\u05d1\u05bc\u05b0\u0591"

    assert shown(message(towers)) == ["[12:05] bob: Z" + "\u0315" * 6 + "q" + "\u0325" * 6 + "\u05d1\u05b0\u05bc\u0591"]


HOSTILE = st.text(st.sampled_from("a\x1b[31m\x07\x9b\r\n\t\u202e\u200b\u2028\x7f"), max_size=20)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_nothing_that_others_say_is_a_control_character(sender: str, said: str, room: str) -> None:
    """Whatever the server lets pass."""
    items: list[e.Event | r.Reply] = [
        message(said, sender=sender),
        message(said, sender=sender, room=None, to=room, action=True),
        message(said, sender=sender, role=room),
        e.Joined(1, NOON, room, sender),
        e.Disconnected(1, NOON, (), sender, said),
        e.TopicChanged(1, NOON, room, sender, said),
        r.Failure(None, said, said),
        r.Members(None, room, said, (r.MemberInfo(sender, said),), joined=True),
        r.Replay(room, (message(said, sender=sender),)),
        r.Lines(None, (said,)),
    ]
    for item in items:
        for line in shown(item):
            assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u202e\u200b\u2028" for char in line)


def test_a_crowd_is_named_up_to_ten() -> None:
    """The rest is counted."""
    joined = [e.Joined(1, NOON, "lobby", f"n{number}") for number in range(12)]
    left: list[e.Left | e.Disconnected] = [e.Left(1, NOON, "lobby", "ann", "tea"), e.Disconnected(1, NOON, (), "bob")]

    assert crowd_line(joined) == "--> 12 people joined: n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more"
    assert crowd_line(joined[:1]) == "--> n0 joined lobby"
    assert crowd_line(left) == "<-- 2 people left: ann, bob"
    assert crowd_line(left[:1]) == "<-- ann left lobby (tea)"


# Colours


def contrast(color: str, other: float) -> float:
    """The contrast with black (0) or white (1), as WCAG 2 defines it."""

    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[start : start + 2], 16)) for start in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    brighter, darker = max(luminance, other), min(luminance, other)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("color", NICKNAME_COLORS)
def test_colours_are_readable_on_dark_and_light(color: str) -> None:
    """Each of the twelve."""
    assert len(set(NICKNAME_COLORS)) == 12
    assert min(contrast(color, 0.0), contrast(color, 1.0)) >= 3.6


def test_a_nickname_keeps_its_colour() -> None:
    """In every run, and whatever its case; many nicknames use all colours."""
    assert nickname_style("ann") == nickname_style("ANN") == "nick3"
    assert len({nickname_style(f"user{number}") for number in range(200)}) == 12


@pytest.mark.parametrize(
    ("option", "environment", "wanted"),
    [
        (None, {"TERM": "xterm"}, True),
        (None, {}, True),
        (None, {"TERM": "dumb"}, False),
        (None, {"TERM": "vt100"}, False),
        (None, {"TERM": "xterm-mono"}, False),
        (None, {"TERM": "vt100", "FORCE_COLOR": "1"}, True),
        (None, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (None, {"NO_COLOR": ""}, True),
        (False, {"FORCE_COLOR": "1"}, False),
        (True, {"NO_COLOR": "1"}, True),
    ],
)
def test_when_colours_are_used(option: bool | None, environment: dict[str, str], wanted: bool) -> None:
    """The option decides, then NO_COLOR, then FORCE_COLOR, then the kind of terminal."""
    assert wants_color(option, environment) is wanted


def test_times_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the server is."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert [text(line) for line in View("ann", 0.0).show(message("x", at=0.0), 0.0)] == ["[09:00] bob: x"]
    finally:
        monkeypatch.undo()
        time.tzset()
