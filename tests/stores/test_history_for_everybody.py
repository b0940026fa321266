"""History out of a file, in every language: what is in memory is only its end, and the server was started again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import Clients, JsonPeer, full_chain
from chat_networks import MakeClient, join
from irc_peer import Heard, IrcPeer

from pychat import ChatServer, Limits, Message, Refused
from pychat.model.events import Event
from pychat.model.queries import ReadHistory
from pychat.model.replies import HistoryPage
from pychat.stores import SqliteLog

__all__ = ["join"]  # the fixture

MakeServer = Callable[..., ChatServer]

SAID = [f"number {number}" for number in range(60)]
IN_MEMORY = 5
NEVER = ["0000000000000000", "0000000000000001", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff"]
"""Ids that no event has."""


@pytest.fixture
def ids(server: MakeServer, tmp_path: Path) -> list[int]:
    """Say everything in "ops", in a server that is stopped then; and something in "other". Return the ids."""
    running = server(log=SqliteLog(tmp_path / "chat.db", events=IN_MEMORY), handlers=full_chain())
    ann = running.session("ann", ["ops", "other"])
    ids = [id for text in SAID if (id := ann.say(text, "ops")) is not None]
    ann.say("elsewhere", "other")
    ann.close()
    running.stop()
    return ids


@pytest.fixture
def again(server: MakeServer, tmp_path: Path, ids: list[int]) -> ChatServer:
    """The server, started again."""
    return server(
        log=SqliteLog(tmp_path / "chat.db", events=IN_MEMORY),
        handlers=full_chain(),
        limits=Limits(history_page=25, replay_messages=12),
    )


@pytest.fixture
def bob(again: ChatServer, clients: Clients) -> JsonPeer:
    """A member that speaks JSON."""
    return clients.json(again, "bob", rooms=["ops"])


@pytest.fixture
def dan(again: ChatServer, clients: Clients) -> IrcPeer:
    """A member that speaks IRC."""
    peer = clients.add(IrcPeer(again))
    peer.register("dan", "draft/chathistory", "batch", "message-tags", "server-time")
    peer.say("JOIN #ops")
    peer.until("366")
    return peer


def messages(items: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Ids and texts of the messages in JSON."""
    return [(int(item["id"], 16), item["text"]) for item in items if item["type"] == "message"]


def batch(peer: IrcPeer, *words: str) -> list[tuple[int, str]]:
    """Ask for history, and return ids and texts of the messages that come."""
    peer.say(" ".join(("CHATHISTORY", *words)))
    heard = peer.until("BATCH")
    heard = peer.until("BATCH")
    return [(msgid(line), line.params[-1]) for line in heard if line.command == "PRIVMSG"]


def msgid(line: Heard) -> int:
    """The id in the tags of a line."""
    return int(line.tags["msgid"], 16)


# JSON


def test_json_pages_back_to_the_beginning(bob: JsonPeer, ids: list[int]) -> None:
    """Every message once, in the order in which it was said, with the id that its sender got."""
    found: list[tuple[int, str]] = []
    page = bob.answer("history")
    while page["events"]:
        found = messages(page["events"]) + found
        page = bob.answer("history", before=page["events"][0]["id"])

    assert found == list(zip(ids, SAID, strict=True))


def test_json_pages_on_to_the_end(bob: JsonPeer, ids: list[int]) -> None:
    """The same in the other direction, out of the file and into memory."""
    found: list[tuple[int, str]] = []
    page: dict[str, Any] = {"more": True}
    after = "0000000000000000"
    while page["more"]:
        page = bob.answer("history", after=after)
        found += messages(page["events"])
        after = page["events"][-1]["id"]

    assert found == list(zip(ids, SAID, strict=True))


def test_json_shows_what_is_around(bob: JsonPeer, ids: list[int]) -> None:
    """Half before it, half from it on."""
    page = bob.answer("history", around=f"{ids[20]:016x}", limit=6)

    assert [text for _, text in messages(page["events"])] == SAID[17:23]
    assert page["more"]


def test_json_searches(bob: JsonPeer, ids: list[int]) -> None:
    """In the file as in memory, with the same ids."""
    found = bob.answer("history", search="number 5*")

    wanted = [number for number in range(60) if str(number).startswith("5")]
    assert messages(found["events"]) == [(ids[number], SAID[number]) for number in wanted]


def test_json_gets_a_replay(again: ChatServer, clients: Clients, ids: list[int]) -> None:
    """On joining, longer than what is in memory."""
    peer = clients.new_json(again)
    peer.ask("hello", nick="bob", rooms=["ops"], replay=True)

    assert messages(peer.next("replay")["events"]) == list(zip(ids, SAID, strict=True))[-12:]


# Text


def test_text_shows_history(again: ChatServer, clients: Clients) -> None:
    """What is replayed on joining, what /history and /search find."""
    peer = clients.raw(again)
    peer.send("bob\n/join ops\n")
    assert [line.partition("ann: ")[2] for line in peer.read_until(SAID[-1]) if "ann: " in line] == SAID[-12:]

    peer.send("/history 22\n/search 33\n")

    lines = peer.read_until("number 33")
    assert [line.partition("ann: ")[2] for line in lines if "ann: " in line][:-1] == SAID[-20:]  # after it two joins
    assert lines[-1].endswith("ann: number 33")


# IRC


def test_irc_reads_history(dan: IrcPeer, ids: list[int]) -> None:
    """Every subcommand, with the ids of the other languages."""
    said = list(zip(ids, SAID, strict=True))

    def at(number: int) -> str:
        return f"msgid={ids[number]:016x}"

    assert batch(dan, "LATEST #ops * 15") == said[-15:]
    assert batch(dan, f"BEFORE #ops {at(20)} 10") == said[10:20]
    assert batch(dan, f"AFTER #ops {at(20)} 10") == said[21:31]
    assert batch(dan, f"AROUND #ops {at(20)} 6") == said[17:23]
    assert batch(dan, f"BETWEEN #ops {at(20)} {at(24)} 10") == said[21:24]


# Python


def test_python_reads_history(again: ChatServer, join: MakeClient, ids: list[int]) -> None:
    """Inside of the process and over the network: the same values."""
    inside, client = again.session("eve", ["ops"]), join(again.port, "bob", rooms=["ops"])

    def read(who: Any, **fields: Any) -> list[Event]:
        answer = who.ask(ReadHistory("ops", **fields))
        assert isinstance(answer, HistoryPage)
        return list(answer.events)

    for fields in ({"before": ids[20], "limit": 9}, {"after": ids[20]}, {"around": ids[9]}, {"search": "40"}):
        events = read(inside, **fields)
        assert [(event.id, event.text) for event in events if isinstance(event, Message)]
        assert [event.id for event in read(client, **fields)] == [event.id for event in events]


# What is refused


@pytest.mark.parametrize("where", ["before", "after", "around"])
def test_json_takes_an_id_that_no_event_has(bob: JsonPeer, ids: list[int], where: str) -> None:
    """It is a place in the order all the same; what one may not see does not come because of it."""
    for id in NEVER:
        page = bob.answer("history", **{where: id, "limit": 3})
        assert page["type"] == "history"
        assert all(text in SAID for _, text in messages(page["events"]))


def test_json_searches_ahead_of_an_id_that_no_event_has(bob: JsonPeer, ids: list[int]) -> None:
    """The same for a search."""
    found = [messages(bob.answer("history", search="33", before=id)["events"]) for id in NEVER]

    assert found == [[], [], *[[(ids[33], SAID[33])]] * 3]


def test_an_id_that_is_still_to_come_is_refused(bob: JsonPeer, dan: IrcPeer, again: ChatServer) -> None:
    """It is a mistake, or from another server."""
    later = f"{again.chat.log.last_id() + 2**30:016x}"

    for where in ("before", "after", "around"):
        answer = bob.answer("history", **{where: later})
        assert (answer["code"], answer["text"]) == ("no_such_event", f"there is no event {later} yet")
    dan.say(f"CHATHISTORY BEFORE #ops msgid={later} 3")
    assert dan.until("FAIL")[-1].params[:2] == ("CHATHISTORY", "MESSAGE_ERROR")


def test_json_takes_an_id_of_another_room(bob: JsonPeer, again: ChatServer) -> None:
    """Nothing of that room is told."""
    elsewhere = next(event.id for event in again.room("other").history() if isinstance(event, Message))

    page = bob.answer("history", around=f"{elsewhere:016x}", limit=4)

    assert [text for _, text in messages(page["events"])] == SAID[-2:]


@pytest.mark.parametrize(
    ("fields", "code", "text"),
    [
        ({"room": "other"}, "not_a_member", "you are not in room 'other'; join it first"),
        ({"room": "nowhere"}, "not_a_member", "you are not in room 'nowhere'; join it first"),
        ({"room": "other", "search": "elsewhere"}, "not_a_member", "you are not in room 'other'; join it first"),
        ({"limit": 1_000_000}, "bad_request", "history limit 1000000: use 1 to 25 events"),
        ({"search": '"*'}, "bad_request", "nothing to search for: give a word"),
        (
            {"search": "tea", "around": "0000000000000001"},
            "bad_request",
            "a search can have before, but not after or around",
        ),
        (
            {"after": "0000000000000001", "around": "0000000000000001"},
            "bad_request",
            "history can have either around, or before and after",
        ),
        ({"before": "zzz"}, "bad_request", "'before' must be an event id: 16 digits 0-9 a-f"),
    ],
)
def test_json_is_refused(bob: JsonPeer, fields: dict[str, Any], code: str, text: str) -> None:
    """Each with what is allowed."""
    answer = bob.answer("history", **fields)

    assert (answer["type"], answer["code"], answer["text"]) == ("error", code, text)


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("/history 1000000", "! history limit 1000000: use 1 to 25 events"),
        ("/search ?!", "! nothing to search for: give a word"),
        ("/search " + "a " * 30, "! words to search for: at most 20 words"),
    ],
)
def test_text_is_refused(again: ChatServer, clients: Clients, line: str, refusal: str) -> None:
    """In one line."""
    bob = clients.text(again, "bob")

    bob.send(f"{line}\n")

    assert bob.read_line() == refusal


def test_irc_takes_an_id_that_no_event_has(dan: IrcPeer) -> None:
    """As in JSON."""
    for id in NEVER:
        for subcommand in ("BEFORE", "AFTER", "AROUND"):
            assert all(text in SAID for _, text in batch(dan, f"{subcommand} #ops msgid={id} 3"))


@pytest.mark.parametrize(
    ("words", "params"),
    [
        ("LATEST #other * 10", ("CHATHISTORY", "INVALID_TARGET", "LATEST", "#other")),
        ("LATEST #nowhere * 10", ("CHATHISTORY", "INVALID_TARGET", "LATEST", "#nowhere")),
        ("BEFORE #ops msgid=tea 10", ("CHATHISTORY", "INVALID_PARAMS", "BEFORE", "msgid=tea")),
    ],
)
def test_irc_is_refused(dan: IrcPeer, words: str, params: tuple[str, ...]) -> None:
    """By a standard reply."""
    dan.say(f"CHATHISTORY {words}")

    assert dan.until("FAIL")[-1].params[: len(params)] == params


def test_irc_gets_no_more_than_a_page(dan: IrcPeer) -> None:
    """A limit of a million is the server's own ("CHATHISTORY" in ISUPPORT)."""
    assert [text for _, text in batch(dan, "LATEST #ops * 1000000")] == SAID[-25:]


def test_python_is_refused(again: ChatServer, join: MakeClient) -> None:
    """With the same text on both sides of a connection."""
    for who in (again.session("eve", ["ops"]), join(again.port, "bob", rooms=["ops"])):
        for fields, text in (
            ({"room": "other"}, "you are not in room 'other'; join it first"),
            ({"limit": 1_000_000}, "history limit 1000000: use 1 to 25 events"),
            ({"search": "..."}, "nothing to search for: give a word"),
        ):
            with pytest.raises(Refused) as caught:
                who.ask(ReadHistory(**fields))
            assert str(caught.value) == text
