"""
The bounds against hostile peers are not in the way of honest ones: nobody here is refused or cut off.

The servers have the handlers and limits of `pychat serve`, and everybody comes from an address that counts. The clock
jumps over what flood control lets somebody wait for, and tells how long that was.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from chat_clients import Clients, JsonPeer, Peer, wait_until

from pychat import Bot, ChatServer
from pychat.core.accounts.password_hash import Cost
from pychat.core.accounts.stored import StoredAccounts
from pychat.core.handler import Handler
from pychat.handlers import Broadcast, Commands, FloodControl, History, JoinLeaveNotices, NicknameValidator
from pychat.testing import FakeClock

MakeServer = Callable[..., ChatServer]

LINES = [f"line {number} of a paste" for number in range(50)]
ROOMS = [f"room{number}" for number in range(20)]


class Place:
    """A server, its clock, and those who come to it."""

    def __init__(self, server: MakeServer, clients: Clients) -> None:
        self.clock = FakeClock(jumps=True)
        handlers: list[Handler] = [NicknameValidator(), FloodControl(), JoinLeaveNotices()]
        handlers += [Broadcast(), History(), Commands()]
        accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=4096)
        self.server = server(handlers=handlers, clock=self.clock, proxies=["127.0.0.1"], accounts=accounts)
        self._clients = clients
        self._addresses = 0

    def json(self, nick: str, address: str | None = None, **hello: Any) -> JsonPeer:
        """A member that speaks JSON."""
        peer = self._clients.new_json(self.server)
        peer.send(self._proxied(address))
        peer.ask("hello", nick=nick, **hello)
        return peer

    def text(self, nick: str) -> Peer:
        """A member that speaks plain text."""
        peer = self._clients.raw(self.server)
        peer.send(self._proxied(None) + f"{nick}\n")
        peer.read_until("welcome")
        return peer

    def irc(self, nick: str, *capabilities: str) -> Peer:
        """A member that speaks IRC, in no channel yet."""
        peer = self._clients.raw(self.server)
        wanted = f"CAP REQ :{' '.join(capabilities)}\r\nCAP END\r\n" if capabilities else ""
        peer.send(self._proxied(None) + f"{wanted}NICK {nick}\r\nUSER {nick} 0 * :{nick}\r\n")
        peer.read_until(" 422 ")
        return peer

    def _proxied(self, address: str | None) -> str:
        self._addresses += 1
        return f"PROXY TCP4 {address or f'192.0.2.{self._addresses}'} 127.0.0.1 40000 55555\r\n"


@pytest.fixture
def place(server: MakeServer, clients: Clients) -> Place:
    """A server with flood control."""
    return Place(server, clients)


def test_a_paste_of_50_lines_is_one_message(place: Place) -> None:
    """So a terminal client sends it: it is heard at once, by everybody."""
    ann, text, irc = place.json("ann"), place.text("tim"), place.irc("ira")
    irc.send("JOIN #lobby\r\n")
    irc.read_until(" 366 ")
    bob = place.json("bob")
    bob.next("members")

    answer = ann.answer("say", text="\n".join(LINES))

    assert answer["type"] == "ok"
    assert bob.next("message")["text"] == "\n".join(LINES)
    assert [line.partition(" :")[2].rstrip("\r") for line in irc.read_until(LINES[-1])][-50:] == LINES
    assert [line.partition("line")[2] for line in text.read_until(LINES[-1])][-50:] == [
        line.removeprefix("line") for line in LINES
    ]
    assert place.clock.waits == []


def talker(place: Place, language: str) -> tuple[Any, str]:
    """Return somebody in the lobby, and what begins each of their lines."""
    if language == "text":
        return place.text("ann"), ""
    ann = place.irc("ann")
    ann.send("JOIN #lobby\r\n")
    ann.read_until(" 366 ")
    return ann, "PRIVMSG #lobby :"


@pytest.mark.parametrize("language", ["text", "irc"])
def test_50_lines_that_are_messages_of_their_own(place: Place, language: str) -> None:
    """Ten at once, then two a second, as clients pace a paste: none is refused, and none has to wait."""
    hearer = place.json("bob")
    hearer.next("members")
    ann, said = talker(place, language)
    place.clock.advance(60)
    place.clock.waits.clear()

    ann.send("".join(f"{said}{line}\n" for line in LINES[:10]))
    heard = [hearer.next("message")["text"] for _ in LINES[:10]]
    for line in LINES[10:]:
        place.clock.advance(0.5)
        ann.send(f"{said}{line}\n")
        heard.append(hearer.next("message")["text"])

    assert heard == LINES
    assert place.clock.waits == []


@pytest.mark.parametrize("count", [50, 300])
@pytest.mark.parametrize("language", ["text", "irc"])
def test_a_paste_into_a_program_that_does_not_pace_it(place: Place, language: str, count: int) -> None:
    """As a terminal gives it to `nc`, all at once: it is read as fast as it may be said, and nothing of it is lost."""
    hearer = place.json("bob")
    hearer.next("members")
    ann, said = talker(place, language)
    place.clock.advance(60)
    place.clock.waits.clear()
    lines = [f"line {number} of a paste" for number in range(count)]

    ann.send("".join(f"{said}{line}\n" for line in lines))

    assert [hearer.next("message")["text"] for _ in lines] == lines
    assert sum(place.clock.waits) <= count / 2


@pytest.mark.parametrize("burst", [1, 10])
def test_a_bot_of_100_messages_a_minute(place: Place, burst: int) -> None:
    """It needs no right: that is less than everybody may, one by one and in bursts of ten."""
    hearer = place.json("ann")
    hearer.next("members")
    bot = place.server.add_bot(Bot("helper"))
    place.clock.advance(60)
    place.clock.waits.clear()

    for number in range(100):
        if number % burst == 0:
            place.clock.advance(0.6 * burst)
        bot.say(f"message {number}", "lobby", notice=True)

    assert [hearer.next("message")["text"] for _ in range(100)] == [f"message {number}" for number in range(100)]
    assert place.clock.waits == []


def test_a_bot_with_voice_in_a_slow_room(place: Place) -> None:
    """Voice is the right by which a bot talks where others must wait."""
    op = place.json("op", rooms=["news"])
    op.next("members")
    bot = place.server.add_bot(Bot("helper", rooms=["news"]))
    assert op.answer("mode", modes="+Wv", args=["30", "helper"])["type"] == "ok"

    for number in range(100):
        place.clock.advance(0.6)
        bot.say(f"message {number}", "news", notice=True)

    assert [op.next("message")["text"] for _ in range(100)] == [f"message {number}" for number in range(100)]


def test_a_class_of_60_behind_one_address(place: Place) -> None:
    """All come within a minute, make accounts, talk, come back after a break, and log in."""
    names = [f"pupil{number}" for number in range(60)]
    pupils = [place.json(name, "198.51.100.7") for name in names]
    for pupil in pupils:
        pupil.ask("register", password="correct-horse", ref="account")
    for pupil in pupils:
        assert pupil.until("logged_in", ref="account")
    for pupil in pupils:
        assert pupil.answer("say", text="hello")["type"] == "ok"
    for pupil in pupils:
        pupil.ask("quit")
        pupil.read_rest()
        pupil.close()
    wait_until(lambda: not place.server.connections, "nobody is connected")
    place.clock.advance(600)

    again = [place.json(name, "198.51.100.7", account=name, account_password="correct-horse") for name in names]
    for pupil in again:
        pupil.next("logged_in")
    for pupil in again:
        assert pupil.answer("say", text="here again")["type"] == "ok"


def test_a_client_that_joins_20_channels_and_asks_all_it_wants_to_know(place: Place) -> None:
    """Members, modes, bans, topic and history of each, at once, as programs of IRC do."""
    host = place.json("host", rooms=ROOMS)
    host.until("members", room=ROOMS[-1])
    ann = place.irc("ann", "draft/chathistory", "batch")
    place.clock.advance(60)
    asked = "".join(
        f"NAMES #{room}\r\nMODE #{room}\r\nMODE #{room} b\r\nWHO #{room}\r\nTOPIC #{room}\r\n"
        f"CHATHISTORY LATEST #{room} * 50\r\n"
        for room in ROOMS
    )

    ann.send("JOIN #" + ",#".join(ROOMS) + "\r\n" + asked + "VERSION\r\n")

    heard = ann.read_until(" 351 ")
    numerics = Counter(match[1] for line in heard if (match := re.match(r":\S+ (\d{3}|FAIL|BATCH) ", line)))
    assert {code: numerics[code] for code in ("324", "368", "315", "331", "263", "FAIL")} == {
        "324": 20,
        "368": 20,
        "315": 20,
        "331": 20,
        "263": 0,
        "FAIL": 0,
    }
    assert numerics["366"] == 40
    assert numerics["BATCH"] == 40


def test_a_program_that_joins_20_rooms_and_asks_all_it_wants_to_know(place: Place) -> None:
    """The same in JSON, without waiting for any answer."""
    host = place.json("host", rooms=ROOMS)
    host.until("members", room=ROOMS[-1])
    place.clock.advance(60)

    ann = place.json("ann", rooms=ROOMS)
    for room in ROOMS:
        for number, request in enumerate(("who", "topic", "mode", "history")):
            ann.ask(request, room=room, ref=f"{room}{number}")

    answers = [ann.until("members", ref=f"{ROOMS[-1]}0"), ann.until("history", ref=f"{ROOMS[-1]}3")]
    assert [item for items in answers for item in items if item["type"] == "error"] == []
