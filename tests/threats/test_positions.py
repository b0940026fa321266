"""
Threat "lost in silence": whoever loses the connection and comes back has everything then, once, or is told of a gap.

A client tells one id as its place: the greatest that it has seen. So no id may come before what its rooms have said
up to there. Here connections are cut behind every item and within every line, while people talk, write to the client,
invite it, take other nicknames and put it out of a room.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer

from pychat import Chat, ChatServer, Handler, Limits, Refused, Room, Session
from pychat.client import Reconnecting, backoff
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.events import Event, Kicked, Message
from pychat.model.replies import Gap, Members, Ok, Reply, Welcome
from pychat.model.verbs import Direct, Hello, Invite, Join, Kick, Say, SetAway, SetNickname, Verb
from pychat.testing import MakeChat

sys.path.append(str(Path(__file__).parents[1] / "core"))

from recorder import Recorder

ROOMS = ("lobby", "ops", "den")


class World:
    """People who do something whenever the test lets them, chosen by chance; and somebody whose connection breaks."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.busy = True
        self.chat = Chat(
            [JoinLeaveNotices(), Broadcast(), _Interferes(self)],
            limits=Limits(
                history_events=100_000, history_chars=10_000_000, history_page=self.dice.choice((17, 40, 500))
            ),
        )
        self.people = [Recorder(self.chat) for _ in range(3)]
        for number, person in enumerate(self.people):
            self.chat.open(person)
            person.do(Hello(f"person{number}", ROOMS if number == 0 else ROOMS[number - 1 :]))
        self.said = 0
        self.busy = False

    def happen(self, most: int) -> None:
        """Let some things happen; nothing happens because of them."""
        if self.busy:
            return
        self.busy = True
        for _ in range(self.dice.randrange(most + 1)):
            self.said += 1
            person = self.dice.choice(self.people)
            person.do(self._deed(person))
        self.busy = False

    def _deed(self, person: Recorder) -> Verb:
        room = self.dice.choice([*person.rooms.values()]).name
        dice = self.dice.random()
        if dice < 0.6:
            return Say(f"{self.said}", room)
        if dice < 0.8:
            return Direct(f"psst {self.said}", "victim")
        if dice < 0.85:
            return Invite("victim", "den")
        if dice < 0.9:
            return SetNickname(f"person{self.said}")
        if dice < 0.97:
            return SetAway(f"{self.said}")
        return Kick("victim", "den")


class _Interferes(Handler):
    """Lets things happen while the hooks of a join run."""

    def __init__(self, world: World) -> None:
        self._world = world

    def on_join(self, session: Session, room: Room) -> None:
        self._world.happen(4)


class Line(Recorder):
    """One connection of the victim. `resumable`, as one of JSON is."""

    def __init__(self, world: World) -> None:
        super().__init__(world.chat)
        self.resumable = True
        self.places: dict[str, int] = {}
        """Where in the record it came into rooms."""
        self._world = world

    def drained(self, timeout: float) -> bool:
        self._world.happen(4)
        return True

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        super().deliver(items)
        for item in items:
            if isinstance(item, Members) and item.joined:
                self.places[item.room] = self.rooms[item.room].state.members[self.identity]


class Victim:
    """A client that follows docs/protocol.md, and what it has heard."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token: str | None = None
        self.after: int | None = None
        self.rooms: dict[str, int] = {}
        """Where it began to hear its rooms, as it knows."""
        self.due: dict[str, set[int]] = {room: set() for room in ROOMS}
        """What it should have heard."""
        self.heard: list[int] = []
        """Ids of what it has heard."""

    def connect(self) -> None:
        """Come back, stay a while, and hear the beginning of what was sent."""
        line = Line(self.world)
        self.world.chat.open(line)
        self.world.chat.perform(
            line, [Hello("victim", tuple(self.rooms) or ("lobby", "ops"), False, self.token, self.after)]
        )
        for _ in range(self.world.dice.randrange(3)):
            self.world.happen(5)
            verbs: list[Verb] = [Join("den", 1), Say("mine", "lobby", ref=2), Direct("x", "nobody", ref=3)]
            self.world.chat.perform(line, [self.world.dice.choice(verbs)])
        self.world.happen(5)
        self.world.chat.close(line, "lost", lost=True)
        for item in line.items[: self.world.dice.randrange(1, len(line.items) + 1)]:
            self.hear(item, line)

    def hear(self, item: Any, line: Line) -> None:
        """Take one item."""
        if isinstance(item, Welcome):
            self.token = item.token
        elif isinstance(item, Members):
            if item.room not in self.rooms:
                self.rooms[item.room] = line.places[item.room]
            self.see(item.place)
        elif isinstance(item, Gap):
            assert item.room == "den"  # it was put out without having heard of it
            self.settle("den", item.after)
            self.rooms["den"] = line.places["den"]
        elif isinstance(item, Ok):
            self.see(item.id)
        elif isinstance(item, Kicked) and item.nickname == "victim":
            self.see(item.id)
            self.settle("den", self.after or 0)
            del self.rooms["den"]
        elif isinstance(item, Event) and item.id:
            self.see(item.id)
            self.heard.append(item.id)

    def see(self, id: int | None) -> None:
        """Remember the greatest id."""
        self.after = max(self.after or 0, id or 0)

    def settle(self, room: str, until: int) -> None:
        """Note what it should have heard of a room that it has left."""
        begin = self.rooms[room]
        self.due[room] |= {event.id for event in self.record(room) if begin < event.id <= until}

    def record(self, room: str) -> list[Event]:
        """What happened in a room, but for what one does not hear of oneself."""
        events = self.world.chat.log.read_after((room,), 0).events
        return [event for event in events if not _is_of("victim", event)]


def _is_of(nickname: str, event: Event) -> bool:
    return nickname in (getattr(event, "sender", None), getattr(event, "nickname", None))


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_lost_in_silence_wherever_a_connection_breaks(seed: int) -> None:
    """25 connections of each of 40 worlds are cut behind an item; what was heard is what is in the record."""
    world = World(seed)
    victim = Victim(world)

    for _ in range(25):
        world.happen(30)
        victim.connect()
    end = Line(world)
    world.chat.open(end)
    items = end.do(Hello("victim", tuple(victim.rooms), False, victim.token, victim.after))
    for item in items:
        victim.hear(item, end)
    for room in victim.rooms:
        victim.settle(room, world.chat.log.last_id())

    assert len(victim.heard) == len(set(victim.heard)), "something was heard twice"
    missing = set().union(*victim.due.values()) - set(victim.heard)
    assert not missing


# Over sockets

MANY = Limits(history_events=100_000, history_chars=100_000_000, send_queue_bytes=65_536)
"""All is kept, and little is on its way at once: the server often waits for the client in the middle of a page."""
LAST = "that was all"


def read_some(peer: JsonPeer, size: int) -> list[dict[str, Any]]:
    """Return what comes in so many bytes, but the welcome in any case, and nothing behind a pong."""
    items = peer.until("welcome")
    while items[-1] != {"type": "pong", "token": LAST}:
        line = peer.read_line()
        size -= len(line) + 1
        if size < 0:
            break
        items.append(json.loads(line))
    return items


def record(server: ChatServer, rooms: Sequence[str], begin: str) -> list[str]:
    """What happened to others in these rooms behind an id, as ids."""
    events = server.chat.log.read_after(rooms, int(begin, 16)).events
    return [f"{event.id:016x}" for event in events if not _is_of("victim", event)]


def _is_direct(event: Event) -> bool:
    return isinstance(event, Message) and event.room is None


def test_500_connections_that_break_lose_nothing_and_repeat_nothing(
    server: Callable[..., ChatServer], clients: Clients
) -> None:
    """A client of another make goes on behind the greatest id that it has seen in any line, wherever it was cut."""
    dice = random.Random(5)
    running = server(handlers=[JoinLeaveNotices(), Broadcast()], limits=MANY)
    ann, bob = running.session("ann", ["lobby", "ops"]), running.session("bob", ["ops"])
    heard: list[dict[str, Any]] = []
    hello: dict[str, Any] = {"rooms": ["lobby", "ops"]}

    for number in range(501):
        for _ in range(dice.randrange(20)):
            ann.say("x" * dice.randrange(1, 1000), dice.choice(["lobby", "ops"]))
            bob.set_away(f"{dice.random()}")
        peer = clients.new_json(running, receive_buffer=4096)
        peer.ask("hello", nick="victim", **hello)
        peer.ask("ping", token=LAST)
        if number < 500:
            ann.say("y" * dice.randrange(1, 100), "lobby")
            with contextlib.suppress(Refused):  # it has not come yet
                bob.direct("victim", "psst")
        for person in (ann, bob):
            list(person.events(0))
        items = read_some(peer, 2 ** dice.randrange(8, 17) if number < 500 else 2**30)
        peer.reset()
        heard += items
        ids = [item["id"] for item in heard if item.get("id")]
        token = next(item["token"] for item in items if item["type"] == "welcome")
        hello["resume"] = {"token": token, "after": max(ids, default=None)}

    (begin, *_) = (item["id"] for item in heard if item["type"] == "members")
    got = [
        item["id"]
        for item in heard
        if item["type"] not in ("members", "ok") and "to" not in item and "id" in item and item["nick"] != "victim"
    ]
    assert not any(item["type"] == "gap" for item in heard)
    assert any("to" in item for item in heard)  # whoever is quick is told that nobody of this name is there yet
    assert got == record(running, ["lobby", "ops"], begin)


def test_our_own_client_hears_everything_once_whenever_its_network_breaks(
    chat_server: MakeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ChatClient` comes back 60 times, to three rooms, while people talk and write to it."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.02)
    dice = random.Random(6)
    chat = chat_server(handlers=[JoinLeaveNotices(), Broadcast()], limits=MANY)
    network = chat.network()
    ann, bob = chat.session("ann", *ROOMS), chat.session("bob", *ROOMS)
    victim = chat.join("victim", "lobby", "ops", via=network, reconnect=True)
    victim.join("den")
    begin = f"{chat.server.chat.log.last_id():016x}"

    heard: list[Any] = []

    def hear(last: Callable[[Any], bool]) -> None:
        heard.append(victim.take(DEADLINE))
        while not last(heard[-1]):
            assert heard[-1] is not None
            heard.append(victim.take(DEADLINE))

    for _ in range(60):
        assert victim.wait_connected(DEADLINE)  # else its token would be lost with the welcome
        network.trickle(dice.randrange(100, 5000))
        for _ in range(dice.randrange(20)):
            ann.say("x" * dice.randrange(1, 1000), dice.choice(ROOMS))
            bob.direct("victim", "psst")
        dice.choice([network.cut, network.reset])()
        hear(lambda item: isinstance(item, Reconnecting))
    network.resume()
    ann.say("the end", "lobby")

    hear(lambda item: isinstance(item, Message) and item.text == "the end")
    events = [item for item in heard if isinstance(item, Event) and item.id and not _is_direct(item)]
    got = [f"{event.id:016x}" for event in events if not _is_of("victim", event)]
    assert not any(isinstance(item, Gap) for item in heard)
    assert sum(isinstance(item, Reconnecting) for item in heard) >= 60
    assert [id for id in got if id > begin] == record(chat.server, ROOMS, begin)
