"""`ChatClient` and its rooms: what it believes to be in is what the server has told, also after a lost connection."""

from __future__ import annotations

from typing import Any

import pytest
from chat_clients import Clients

from pychat import ChatServer, Disconnected, Handler, Limits, Refused, Room, Session
from pychat.client import Reconnected, backoff, reconnect
from pychat.client.rooms import OurRooms
from pychat.model.replies import Failure, Members
from pychat.model.verbs import Hello
from pychat.testing import ChatHarness, MakeChat, Network

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients try again at once."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.02)
    monkeypatch.setattr(reconnect, "_RETRY_SECONDS", 0.02)


@pytest.fixture
def chat(chat_server: MakeChat) -> ChatHarness:
    """A server that keeps nothing for those who lost the connection."""
    return chat_server(limits=Limits(resume_seconds=0))


def come_back(network: Network, *others: Any) -> None:
    """Lose a connection for so long that the others know of it."""
    network.down()
    for other in others:
        other.next(Disconnected)
    network.resume()


def test_a_room_that_does_not_let_us_in_again_is_not_ours(chat: ChatHarness) -> None:
    """From the refusal on; the others are, and the one joined last of them is the current one."""
    network = chat.network()
    boss = chat.join("boss", "ops")
    ann = chat.join("ann", "lobby", "ops", via=network, reconnect=True)
    boss.ban("ann")

    come_back(network, boss)

    assert ann.next(Failure)[1:4] == ("banned", "you are banned from room 'ops'", "ops")
    assert ann.rooms == ("lobby",)
    ann.next(Reconnected)
    assert ann.history() is not None  # of the lobby
    with pytest.raises(Refused, match=r"^you are not in room 'ops'; join it first$"):
        ann.say("hello", "ops")


def test_who_is_let_into_no_room_again_is_in_none(chat: ChatHarness) -> None:
    """Also when the connection is lost once more: nobody finds themselves in a room that they did not name."""
    network = chat.network()
    boss = chat.join("boss", "ops", "lobby")
    ann = chat.join("ann", "ops", via=network, reconnect=True)
    boss.ban("ann", "ops")
    come_back(network, boss)
    ann.next(Reconnected)
    assert not ann.rooms

    network.cut()

    ann.next(Reconnected)
    assert not ann.rooms
    assert [info.nickname for info in boss.members("lobby")] == ["boss"]


class Bouncer(Handler):
    """Lets people into "club" once."""

    def __init__(self) -> None:
        self.seen: set[str | None] = set()

    def before_join(self, session: Session, room: Room) -> None:
        """Refuse in words that do not name the room."""
        if room.name == "club":
            if session.nickname in self.seen:
                raise Refused("not again")
            self.seen.add(session.nickname)


def test_a_handler_that_does_not_let_us_in_again(chat: ChatHarness) -> None:
    """The refusal tells which room it is about."""
    chat.server.add_handler(Bouncer())
    network = chat.network()
    ann = chat.join("ann", "lobby", via=network, reconnect=True)
    ann.join("club")

    network.cut()

    assert ann.next(Failure) == Failure(None, "refused", "not again", "club")
    ann.next(Reconnected)
    assert ann.rooms == ("lobby",)


def test_as_many_rooms_as_one_can_be_in_are_ours_again(chat_server: MakeChat) -> None:
    """However long their names are, one line of the client has all of them."""
    chat = chat_server(limits=Limits(resume_seconds=0, rooms_per_session=80))
    network = chat.network()
    names = [f"{'語' * 60}{number}" for number in range(80)]
    ann = chat.join("ann", *names, via=network, reconnect=True)

    network.cut()

    ann.next(Reconnected)
    assert ann.rooms == tuple(names)


def test_more_rooms_than_a_line_has(chat: ChatHarness) -> None:
    """The server says so, as it does not read whose line it is."""
    with pytest.raises(Refused, match=r"^line too long: at most 12288 bytes$"):
        chat.join("ann", *[f"{'語' * 60}{number}" for number in range(80)])


def test_a_room_with_a_key_is_ours_after_any_outage(chat: ChatHarness) -> None:
    """The client knows the key with which it came in."""
    network = chat.network()
    boss = chat.join("boss", "ops")
    boss.set_modes("+k", "sesame")
    ann = chat.join("ann", "lobby", via=network, reconnect=True)
    ann.join("OPS", "sesame")

    come_back(network, boss)

    ann.next(Reconnected)
    assert ann.rooms == ("lobby", "ops")
    assert ann.say("hello")


def test_a_key_that_was_set_or_changed_meanwhile(chat: ChatHarness) -> None:
    """Members hear of it."""
    network = chat.network()
    boss, ann = chat.join("boss", "ops"), chat.join("ann", "ops", via=network, reconnect=True)
    boss.set_modes("+k", "sesame")
    boss.set_modes("+k", "rhubarb")
    ann.members()

    come_back(network, boss)

    ann.next(Reconnected)
    assert ann.rooms == ("ops",)


def test_keys_can_be_given_at_the_start(chat: ChatHarness) -> None:
    """By any spelling of the name; a wrong one is a refusal like any."""
    boss = chat.join("boss", "ops", "dev")
    boss.set_modes("+k", "sesame", room="ops")
    boss.set_modes("+k", "rhubarb", room="dev")

    ann = chat.join("ann", "ops", "dev", keys={"Ops": "sesame", "dev": "wrong"})

    assert ann.rooms == ("ops",)
    assert ann.next(Failure).code == "bad_key"


def test_a_room_that_nobody_can_join_for_want_of_space_is_joined_later(
    chat: ChatHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is told why, once, and asks again until it is let in."""
    monkeypatch.setattr(chat.server.chat.log, "storage_error", "no space left", raising=False)
    ann = chat.join("ann", "ops")
    assert not ann.rooms
    assert ann.next(Failure).text == "your membership cannot be stored: no space left"

    monkeypatch.setattr(chat.server.chat.log, "storage_error", None)

    assert ann.next(Members).room == "ops"
    assert ann.rooms == ("ops",)
    assert ann.say("hello")


def test_a_way_back_that_finds_a_full_disk(chat: ChatHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rooms are not ours until there is space, and then they are."""
    network = chat.network()
    ann = chat.join("ann", "lobby", "ops", via=network, reconnect=True)
    monkeypatch.setattr(chat.server.chat.log, "storage_error", "no space left", raising=False)
    network.cut()
    ann.next(Reconnected)
    assert not ann.rooms

    monkeypatch.setattr(chat.server.chat.log, "storage_error", None)

    assert {ann.next(Members).room, ann.next(Members).room} == {"lobby", "ops"}
    assert sorted(ann.rooms) == ["lobby", "ops"]  # the space may come between the attempts to join them


def test_an_empty_array_of_rooms_is_no_room(server: Any, clients: Clients) -> None:
    """In JSON; without the field it is the server's default room."""
    running: ChatServer = server()

    ann = clients.json(running, "ann", rooms=[])

    assert running.room("lobby").members == ()
    assert ann.answer("say", text="hello")["code"] == "not_a_member"


@pytest.mark.parametrize("keys", [[], "sesame", {"ops": 1}, {"ops": None}])
def test_keys_that_are_none(server: Any, clients: Clients, keys: object) -> None:
    """They are an object of strings."""
    peer = clients.new_json(server())

    answer = peer.answer("hello", nick="ann", keys=keys)

    assert answer["text"] == "'keys' must be an object of strings"


def test_a_server_that_says_nothing_of_a_room() -> None:
    """What it has not named when it has answered is not ours; its key is not told again."""
    rooms = OurRooms({"ops": "sesame"})
    rooms.enter(Members(None, "Ops", "", (), True))
    assert rooms.hello(Hello("ann")) == Hello("ann", ("Ops",), keys={"ops": "sesame"})

    rooms.settle()

    assert rooms.names == ()
    assert rooms.hello(Hello("ann")) == Hello("ann", ())


def test_keys_are_secrets() -> None:
    """Neither logs nor tracebacks show them."""
    assert "sesame" not in repr(Hello("ann", keys={"ops": "sesame"}))
