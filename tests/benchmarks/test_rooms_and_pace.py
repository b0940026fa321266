"""`benchmarks/` with many rooms, and with readers of different speed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from benchmarks import pace as module
from benchmarks.__main__ import main
from benchmarks.errors import LoadError
from benchmarks.languages import IRC, TEXT, Irc, Language
from benchmarks.pace import pace
from benchmarks.rooms import Layout, rooms
from benchmarks.senders import Load
from benchmarks.servers import Server
from pychat import ChatServer, Handler, Limits, Message, Session
from pychat.handlers import Broadcast, NicknameValidator

TEXT_BYTES = 32
DEADLINE = 10.0
LOAD = Load(50, DEADLINE, TEXT_BYTES, 8192)
LAYOUT = Layout(members=6, rooms=3, each=2, senders=4)


@dataclass
class Damage(Handler):
    """Changes one message among many."""

    left: int

    def before_message(self, session: Session, message: Message) -> Message:
        self.left -= 1
        return message._replace(text=message.text[:-1]) if self.left == 0 else message


@pytest.fixture
def running_server() -> Iterator[ChatServer]:
    """A server without flood control."""
    with ChatServer(port=0, handlers=[NicknameValidator(), Broadcast()]).start() as server:
        yield server


def test_everybody_is_in_neighbouring_rooms() -> None:
    """So all rooms have equally many members, and the last of them is next to the first."""
    assert [LAYOUT.rooms_of(member) for member in range(6)] == [(0, 1), (1, 2), (0, 2)] * 2
    assert [LAYOUT.room_of(sender) for sender in range(4)] == [0, 1, 2, 0]
    assert str(LAYOUT) == "3 rooms, 2 each"
    assert str(Layout(100, 1, 1, 10)) == "1 room, 1 each"


def test_deliveries_include_those_to_other_senders() -> None:
    """Four members hear each of the four senders, and the two senders of the first room hear each other."""
    assert LAYOUT.deliveries == 4 * 4 + 2
    assert Layout(100, 10, 3, 10).deliveries == 300
    assert Layout(100, 1, 1, 10).deliveries == 1090


def test_a_member_of_several_channels_is_in_when_it_is_in_all() -> None:
    """What it says goes to the first of them, and it hears all."""
    language = Irc(b"#a", b"#b")
    ann = language.conversation("ann")

    joins = ann.hear(b":irc.test 001 ann :Welcome\r\n")
    ann.hear(b":irc.test 366 ann #b :End\r\n")
    was_in = ann.welcome
    ann.hear(b":irc.test 366 ann #a :End\r\n")

    assert joins == b"JOIN #a,#b\r\n"
    assert (was_in, ann.welcome) == (False, True)
    assert language.line(b"hi") == b"PRIVMSG #a :hi\r\n"
    assert language.heard(b":bob!~b@x PRIVMSG #b :hi\r") == (b"bob", b"hi")
    assert language.heard(b":bob!~b@x PRIVMSG #c :hi\r")[1] == b""


def test_every_delivery_in_every_room_is_counted(running_server: ChatServer) -> None:
    """Each of the four senders sends its 50 messages, which come to whoever is in its room."""
    result = rooms(Server("pychat", ("127.0.0.1", running_server.port), None, IRC), LAYOUT, LOAD)

    assert (result.messages, result.deliveries, result.differing) == (200, 50 * LAYOUT.deliveries, 0)


def test_damage_in_a_room_is_found() -> None:
    """One letter of one message is missing."""
    with ChatServer(port=0, handlers=[NicknameValidator(), Damage(100), Broadcast()]).start() as server:
        address = "127.0.0.1", server.port
        with pytest.raises(LoadError, match="was next, but"):
            rooms(Server("pychat", address, None, IRC), LAYOUT, LOAD)


def test_the_command_compares_many_rooms_with_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line is the ratio; both have about as many deliveries."""
    arguments = ["rooms", "--members", "6", "--rooms", "3", "--each", "2", "--messages", "400", "--rounds", "1"]

    assert main([*arguments, "--senders", "3"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert main([*arguments, "--senders", "3", "--json"]) == 0
    many, one = json.loads(capsys.readouterr().out)["results"]

    assert last.startswith("pychat-irc, 3 rooms, 2 each delivers ")
    assert last.endswith(" times as much as pychat-irc, 1 room, 1 each")
    assert many["deliveries"] == 133 * 12
    assert one["deliveries"] == 66 * 24


@pytest.mark.parametrize("language", [TEXT, IRC])
def test_readers_of_every_speed_get_a_paste(
    language: Language, running_server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as they are fast enough: the slower one needs its time, and nobody is cut off."""
    monkeypatch.setattr(module, "READERS", {"slow": 4_000_000, "full": None})

    result = pace(Server("pychat", ("127.0.0.1", running_server.port), None, language), 1, 300, DEADLINE)

    assert result.sent == result.messages >= 3000
    assert [reader.messages for reader in result.readers.values()] == [result.messages] * 2
    assert [reader.cut_off for reader in result.readers.values()] == [False, False]
    assert result.readers["slow"].seconds > result.readers["slow"].received / 4_000_000 - 0.1


def test_a_reader_that_is_too_slow_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one gets everything; the result says who it was, and what the server said last, if that came."""
    monkeypatch.setattr(module, "READERS", {"slow": 1000, "full": None})
    limits = Limits(stall_seconds=1.0)

    with ChatServer(port=0, handlers=[NicknameValidator(), Broadcast()], limits=limits).start() as server:
        result = pace(Server("pychat", ("127.0.0.1", server.port)), 10, 1000, 2 * DEADLINE)

    assert result.readers["slow"].cut_off
    assert not result.readers["full"].cut_off
    assert result.readers["full"].messages == result.messages > result.readers["slow"].messages


def test_the_command_measures_a_paste(capsys: pytest.CaptureFixture[str]) -> None:
    """With pychat, as it is started for all measurements."""
    assert main(["pace", "--megabytes", "1", "--seconds", "2", "--json"]) == 0

    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["server"], result["shape"]) == ("pychat", "1 MB pasted")
    assert set(result["readers"]) == {"50 KB/s", "1 MB/s", "full speed"}
    assert 0 < result["readers"]["full speed"]["messages"] <= result["sent"] <= result["messages"]


def test_latency_at_several_rates(capsys: pytest.CaptureFixture[str]) -> None:
    """One row for each, by the rate."""
    arguments = ["latency", "--server", "pychat", "--members", "2", "--rates", "50,200", "--seconds", "0.2", "--json"]

    assert main(arguments) == 0

    results = json.loads(capsys.readouterr().out)["results"]
    assert [row["shape"] for row in results] == ["2x1, 50 messages/s", "2x1, 200 messages/s"]
    assert [row["deliveries"] for row in results] == [20, 80]


def test_a_rate_that_is_none_says_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    """Like other arguments."""
    with pytest.raises(SystemExit):
        main(["latency", "--rates", "20,fast"])

    problem = "error: argument --rates/--rate: '20,fast' is not a number above 0, nor several like 20,100\n"
    assert capsys.readouterr().err.endswith(problem)
