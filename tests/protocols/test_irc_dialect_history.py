"""What was said before, and answers to requests with a label: batches (IRCv3 batch)."""

from __future__ import annotations

import pytest
from irc_items import AT, BOB, asked, heard, irc, sample, told
from irc_items import EVENTS as KINDS

from pychat.model import events as e
from pychat.model import replies as r
from pychat.protocols.base import Item
from pychat.protocols.irc.replies.history import NO_HISTORY

EVENTS = (
    e.Joined(1, AT, "lobby", "bob", BOB),
    e.Message(2, AT, "lobby", "bob", "one\ntwo", userhost=BOB),
    e.AwayChanged(3, AT, ("lobby",), "bob", "lunch", BOB),
)
PAGE = r.HistoryPage(asked("CHATHISTORY", "LATEST", "#lobby", "*", "5"), "lobby", EVENTS, False)


def test_history() -> None:
    """A batch of the events as they were (IRCv3 chathistory, batch); who was away is not part of the past."""
    lines = told(PAGE, "batch", "server-time", "message-tags", "away-notify")

    tags = "@batch=history;time=2026-11-22T15:04:05.123Z;msgid="
    now = "@time=2026-11-22T15:04:05.123Z"
    assert lines == [
        f"{now} :irc.pychat BATCH +history chathistory #lobby",
        f"{tags}0000000000000001 :bob!{BOB} JOIN #lobby",
        f"{tags}0000000000000002 :bob!{BOB} PRIVMSG #lobby :one",
        f"{tags}0000000000000002-2 :bob!{BOB} PRIVMSG #lobby :two",
        f"{now} :irc.pychat BATCH -history",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_plain_client_is_not_told_does_not_count(kind: type) -> None:
    """An event without a line would fill a page with nothing; one that has a line belongs to the past."""
    assert (kind not in NO_HISTORY) == bool(heard(sample(kind)))


def test_an_empty_history_is_an_empty_batch() -> None:
    """So that the client knows that this was all (IRCv3 chathistory)."""
    assert told(PAGE._replace(events=()), "batch") == [
        ":irc.pychat BATCH +history chathistory #lobby",
        ":irc.pychat BATCH -history",
    ]


def test_a_page_of_nothing_is_no_end_if_there_is_more() -> None:
    """A client that got an empty batch would never ask again (IRCv3 chathistory, "Errors and Warnings")."""
    cut_off = PAGE._replace(events=(), more=True, next=0x1A204B46B5B00005)

    line = ":irc.pychat FAIL CHATHISTORY MESSAGE_ERROR LATEST #lobby :Nothing found as far as one request looks"
    assert told(cut_off, "batch") == [f"{line}; continue from msgid=1a204b46b5b00005"]
    assert told(cut_off._replace(next=None)) == [line]


def test_history_without_batches() -> None:
    """Who knows no batches gets the lines alone."""
    assert told(PAGE._replace(events=EVENTS[:1])) == [f":bob!{BOB} JOIN #lobby"]


SAID = (
    e.Message(1, AT, "lobby", "bob", "hello", userhost=BOB),
    e.Message(2, AT, "lobby", "bob", "one\ntwo", userhost=BOB, formatted="\x02one\x02\ntwo"),
    e.Message(3, AT, "lobby", "bob", "CTCP VERSION", userhost=BOB, formatted="\x01VERSION\x01"),
    e.Message(4, AT + 86400, "lobby", "bob", "waves", userhost=BOB, action=True),
)


def test_a_replay_is_history_too() -> None:
    """With their time, as they were; what would be answered now is told in words."""
    without = (*SAID[:2], SAID[2]._replace(formatted=None), SAID[3])
    assert told(r.Replay("lobby", SAID), "batch", "server-time") == told(
        PAGE._replace(events=without), "batch", "server-time"
    )
    assert told(r.Replay("lobby", ()), "server-time") == []


def test_a_replay_without_server_time_is_for_people() -> None:
    """Notices, so that no bot takes them for news (RFC 2812 section 3.3.2)."""
    assert told(r.Replay("lobby", SAID)) == [
        ":irc.pychat NOTICE #lobby :last 4 messages of lobby, 2026-11-22 UTC",
        f":bob!{BOB} NOTICE #lobby :[15:04] hello",
        f":bob!{BOB} NOTICE #lobby :[15:04] \x02one\x02",
        f":bob!{BOB} NOTICE #lobby :[15:04] two",
        f":bob!{BOB} NOTICE #lobby :[15:04] CTCP VERSION",
        ":irc.pychat NOTICE #lobby :2026-11-23",
        f":bob!{BOB} NOTICE #lobby :[15:04] * bob waves",
    ]


def test_history_targets() -> None:
    """Each channel with the time of its last message (IRCv3 chathistory, TARGETS)."""
    item = r.HistoryTargets(None, (r.HistoryTarget("lobby", AT),))

    assert told(item, "batch") == [
        ":irc.pychat BATCH +targets draft/chathistory-targets",
        "@batch=targets :irc.pychat CHATHISTORY TARGETS #lobby 2026-11-22T15:04:05.123Z",
        ":irc.pychat BATCH -targets",
    ]


def test_a_gap_is_told_where_it_is() -> None:
    """What is missing is never silent."""
    assert heard_by_one(r.Gap("lobby", 5)) == [":irc.pychat NOTICE #lobby :some messages are missing here"]


def heard_by_one(item: Item) -> list[str]:
    """The same whether it is told to one session or in a room."""
    assert told(item) == heard(item)
    return told(item)


# Answers to requests with a label (IRCv3 labeled-response)


@pytest.mark.parametrize(
    ("parts", "labelled"),
    [
        ([], [b"@label=x :irc.pychat ACK\r\n"]),
        ([b":s 1 a\r\n"], [b"@label=x :s 1 a\r\n"]),
        ([b"@time=1 :s 1 a\r\n"], [b"@label=x;time=1 :s 1 a\r\n"]),
        (
            [b":s 1 a\r\n:s 2 a\r\n"],
            [
                (
                    b"@label=x :irc.pychat BATCH +response labeled-response\r\n"
                    b"@batch=response :s 1 a\r\n@batch=response :s 2 a\r\n"
                    b":irc.pychat BATCH -response\r\n"
                )
            ],
        ),
        (
            [b":s 1 a\r\n", b"", b"@time=1 :s 2 a\r\n"],
            [
                b"@label=x :irc.pychat BATCH +response labeled-response\r\n@batch=response :s 1 a\r\n",
                b"",
                b"@batch=response;time=1 :s 2 a\r\n:irc.pychat BATCH -response\r\n",
            ],
        ),
        (
            [b":s BATCH +h chathistory #a\r\n@batch=h :b PRIVMSG #a :x\r\n:s BATCH -h\r\n"],
            [b"@label=x :s BATCH +h chathistory #a\r\n@batch=h :b PRIVMSG #a :x\r\n:s BATCH -h\r\n"],
        ),
        (
            [b":s BATCH +h chathistory #a\r\n@batch=h :b JOIN #a\r\n:s BATCH -h\r\n", b":s 1 a\r\n"],
            [
                (
                    b"@label=x :irc.pychat BATCH +response labeled-response\r\n"
                    b"@batch=response :s BATCH +h chathistory #a\r\n@batch=h :b JOIN #a\r\n"
                    b"@batch=response :s BATCH -h\r\n"
                ),
                b"@batch=response :s 1 a\r\n:irc.pychat BATCH -response\r\n",
            ],
        ),
    ],
)
def test_labels(parts: list[bytes], labelled: list[bytes]) -> None:
    """Nothing is acknowledged, one line is tagged, several are a batch, and a batch is its own response."""
    assert irc("batch", "labeled-response").label("x", parts) == labelled


def test_a_label_cannot_end_the_tags() -> None:
    """It comes escaped; what could do harm is not in it, and if it were, it is not passed on."""
    assert irc().label("a\\sb; \r\n\0", []) == [b"@label=a\\sb :irc.pychat ACK\r\n"]
