"""CHATHISTORY as a client asks (IRCv3 draft/chathistory)."""

from __future__ import annotations

import pytest
from irc_input import member, read, refused

from pychat.model.queries import ListHistory, Moment, ReadHistory
from pychat.model.verbs import Verb
from pychat.protocols.irc.asked import Asked, Line
from pychat.protocols.irc.replies.history import NO_HISTORY

NOON = Moment(1795348800.0)
END = 2**63 - 1


def page(line: str, **fields: object) -> Verb:
    """What the line asks for in #a, of messages only."""
    command, *params = line.split(" ")
    fields = {"limit": 50, "messages_only": True, "without": NO_HISTORY, "ref": Asked(command, tuple(params)), **fields}
    return ReadHistory("a", **fields)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("CHATHISTORY LATEST #a * 50", {}),
        ("CHATHISTORY latest #a * 9", {"limit": 9}),
        ("CHATHISTORY LATEST #a msgid=00000000000000ff 50", {"between": (END, 255)}),
        ("CHATHISTORY LATEST #a timestamp=2026-11-22T12:00:00.000Z 50", {"between": (END, NOON)}),
        ("CHATHISTORY BEFORE #a msgid=ff-2 50", {"before": 255}),
        ("CHATHISTORY BEFORE #a timestamp=2026-11-22T12:00:00Z 50", {"before": NOON}),
        ("CHATHISTORY AFTER #a timestamp=2026-11-22T12:00:00.123Z 50", {"after": Moment(1795348800.123)}),
        ("CHATHISTORY AFTER #a timestamp=1960-01-01T00:00:00.500Z 50", {"after": Moment(0.0)}),
        ("CHATHISTORY AROUND #a msgid=ff 50", {"around": 255}),
        ("CHATHISTORY BETWEEN #a msgid=1 msgid=ff 50", {"between": (1, 255)}),
        (
            "CHATHISTORY BETWEEN #a timestamp=2026-11-22T12:00:00.000Z timestamp=1970-01-01T00:00:00.000Z 50",
            {"between": (NOON, Moment(0.0))},
        ),
        ("CHATHISTORY BETWEEN #a msgid=ff timestamp=2026-11-22T12:00:00.000Z 50", {"between": (255, NOON)}),
    ],
)
def test_subcommands(line: str, fields: dict[str, object]) -> None:
    """ "Subcommands": BETWEEN counts from its first place on, LATEST from the end back."""
    assert read(member(), line) == [page(line, **fields)]


def test_a_page_is_bounded() -> None:
    """The limit of the server counts, however many nines there are."""
    for limit in ("501", "9" * 300):
        line = f"CHATHISTORY LATEST #a * {limit}"
        assert read(member(), line) == [page(line, limit=500)]


def test_other_events_are_for_those_who_understand_them() -> None:
    """Without draft/event-playback only messages come ("The chathistory Capability")."""
    line = "CHATHISTORY LATEST #a * 50"
    assert read(member("draft/event-playback"), line) == [page(line, messages_only=False)]


def test_targets() -> None:
    """Two times in either order."""
    params = ("TARGETS", "timestamp=2026-11-22T12:00:00.000Z", "timestamp=1970-01-01T00:00:01.000Z", "10")

    assert read(member(), f"CHATHISTORY {' '.join(params)}") == [
        ListHistory((NOON, Moment(1.0)), 10, Asked("CHATHISTORY", params))
    ]


@pytest.mark.parametrize(
    ("params", "context"),
    [
        ("", ("INVALID_PARAMS", "*", "Unknown subcommand")),
        ("FIRST #a * 1", ("INVALID_PARAMS", "FIRST", "Unknown subcommand")),
        ("LATEST", ("INVALID_PARAMS", "LATEST", "Missing parameters")),
        ("LATEST #a *", ("INVALID_PARAMS", "LATEST", "Missing parameters")),
        ("LATEST #a * 1 2", ("INVALID_PARAMS", "LATEST", "Too many parameters")),
        ("BETWEEN #a msgid=1 5", ("INVALID_PARAMS", "BETWEEN", "Missing parameters")),
        ("LATEST #a * x", ("INVALID_PARAMS", "LATEST", "x", "The limit must be a number of at least 1")),
        ("LATEST #a * 0", ("INVALID_PARAMS", "LATEST", "0", "The limit must be a number of at least 1")),
        ("LATEST #a * -1", ("INVALID_PARAMS", "LATEST", "-1", "The limit must be a number of at least 1")),
        ("LATEST #a * ²", ("INVALID_PARAMS", "LATEST", "²", "The limit must be a number of at least 1")),
        ("LATEST bob * 5", ("INVALID_TARGET", "LATEST", "bob", "There is no history of private messages")),
        (
            "BEFORE #a * 5",
            (
                "INVALID_MSGREFTYPE",
                "BEFORE",
                "#a",
                "*",
                "A position must be msgid=... or timestamp=YYYY-MM-DDThh:mm:ss.sssZ",
            ),
        ),
        (
            "BEFORE #a msgid=x 5",
            (
                "INVALID_PARAMS",
                "BEFORE",
                "msgid=x",
                "A position must be msgid=... or timestamp=YYYY-MM-DDThh:mm:ss.sssZ",
            ),
        ),
        ("TARGETS msgid=1 msgid=2 5", ("INVALID_PARAMS", "TARGETS", "msgid=1", "Two timestamps are needed")),
    ],
)
def test_errors(params: str, context: tuple[str, ...]) -> None:
    """ "Errors and Warnings": a standard reply that names the subcommand and what was wrong with it."""
    assert refused(read(member(), f"CHATHISTORY {params}")) == [Line("FAIL", ("CHATHISTORY", *context))]


@pytest.mark.parametrize(
    "time", ["now", "2026-13-01T00:00:00Z", "2026-11-22 12:00:00Z", "2026-11-22T12:00:00", "0000-01-01T00:00:00Z"]
)
def test_what_is_no_time(time: str) -> None:
    """IRCv3 server-time, "Format"."""
    (refusal,) = refused(
        read(member(), "CHATHISTORY BEFORE #a :timestamp=" + time + " 5", f"CHATHISTORY AFTER #a {time} 1")[1:]
    )
    assert refusal.params[1] in ("INVALID_PARAMS", "INVALID_MSGREFTYPE")
