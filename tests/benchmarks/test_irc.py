"""`benchmarks/` in IRC: members come in, answer pings and miss nothing; other servers are measured beside pychat."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.check import Follower, Record, numbered, numbered_lines
from benchmarks.errors import LoadError
from benchmarks.languages import IRC
from benchmarks.load import Shape, fanout, latency
from benchmarks.peers import PEERS
from benchmarks.report import to_json, to_text
from benchmarks.rows import Row, best_row, failed
from benchmarks.senders import Load, Senders
from benchmarks.servers import running
from benchmarks.wire import Listeners, enter

TEXT_BYTES = 32
DEADLINE = 10.0
PING = b"PING :a token\r\n"
PONG = b"PONG :a token\r\n"


def lines(sender: str, *numbers: int) -> bytes:
    """What members hear when a sender says these numbers."""
    source = f":{sender}!~{sender}@127.0.0.1 PRIVMSG #lobby :".encode()
    return b"".join(source + numbered(number, TEXT_BYTES) + b"\r\n" for number in numbers)


def test_member_registers_joins_and_is_in() -> None:
    """JOIN comes after 001, a missing message of the day is no problem, and 366 is the end of it."""
    ann = IRC.conversation("ann")

    answers = [
        ann.hear(b":irc.test 001 an"),
        ann.hear(b"n :Welcome\r\n:irc.test 422 ann :no MOTD\r\nPING :1\r\n"),
        ann.hear(b":ann!~ann@127.0.0.1 JOIN #lobby\r\n:irc.test 353 ann = #lobby :@ann\r\n"),
    ]
    was_in = ann.welcome
    ann.hear(b":irc.test 366 ann #lobby :End\r\n")

    assert ann.opening == b"NICK ann\r\nUSER ann 0 * :ann\r\n"
    assert answers == [b"", b"JOIN #lobby\r\nPONG :1\r\n", b""]
    assert (was_in, ann.welcome) == (False, True)
    assert ann.hear(b":bob!~bob@127.0.0.1 JOIN #lobby\r\n:irc.test PING x\r\n") == b"PONG x\r\n"


@pytest.mark.parametrize(
    "line", ["ERROR :Closing link: too many connections", ":irc.test 433 * ann :Nickname is already in use"]
)
def test_refused_member_is_an_error(line: str) -> None:
    """Who is not let in says what the server said."""
    with pytest.raises(LoadError) as caught:
        IRC.conversation("ann").hear(f"{line}\r\n".encode())

    assert str(caught.value) == f"ann: {line}"


def test_lines_that_are_sent_are_those_that_are_heard() -> None:
    """Without the source in front of them."""
    sent = numbered_lines(2, TEXT_BYTES, IRC)

    assert sent == lines("ann", 0, 1).replace(b":ann!~ann@127.0.0.1 ", b"")


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_pings_in_between_are_answered_and_not_on_record(pieces: int) -> None:
    """One member is pinged, another one at another place, a third one not: all of them heard the same."""
    streams = [
        PING + lines("ann", 0, 1, 2),
        lines("ann", 0) + PING + lines("ann", 1) + b":irc.test " + PING + lines("ann", 2),
        lines("ann", 0, 1, 2),
    ]
    record, followers = Record(IRC), [Follower(f"m{number}", IRC) for number in range(3)]

    for start in range(0, max(map(len, streams)), pieces):
        for follower, stream in zip(followers, streams, strict=True):
            follower.hear(memoryview(stream[start : start + pieces]), record, TEXT_BYTES)

    assert [follower.answers for follower in followers] == [PONG, PONG * 2, b""]
    assert [follower.checker for follower in followers] == [None, None, None]
    assert all(follower.is_complete(record, 3) for follower in followers)
    assert record.data == lines("ann", 0, 1, 2)
    assert record.check("the members", TEXT_BYTES, {"ann": 3}) == []


def test_pinged_member_that_misses_one_is_found() -> None:
    """A hole behind a ping, in a chunk that does not end with a line, is a hole."""
    record, one, other = Record(IRC), Follower("m1", IRC), Follower("m2", IRC)
    one.hear(memoryview(lines("ann", 0, 1, 2)), record, TEXT_BYTES)

    other.hear(memoryview(lines("ann", 0)[:40]), record, TEXT_BYTES)
    with pytest.raises(LoadError) as caught:
        other.hear(memoryview(lines("ann", 0)[40:] + PING + lines("ann", 2)), record, TEXT_BYTES)

    assert str(caught.value) == f"m2: number 1 of ann was next, but {lines('ann', 2)[:-1]!r} came"


def test_pinged_member_with_another_order_is_checked_alone() -> None:
    """Lines in another order and pings between them: each sender complete and in order is enough."""
    record, one, other = Record(IRC), Follower("m1", IRC), Follower("m2", IRC)
    one.hear(memoryview(lines("ann", 0, 1) + lines("ben", 0)), record, TEXT_BYTES)

    stream = lines("ann", 0) + PING + lines("ben", 0) + PING + lines("ann", 1)
    for position in range(len(stream)):
        other.hear(memoryview(stream[position : position + 1]), record, TEXT_BYTES)

    assert other.answers == PONG * 2
    assert other.is_complete(record, 3)
    assert other.checker is not None
    other.checker.finish({"ann": 2, "ben": 1})


class Pinger:
    """A server of one member: it lets it in, pings it, and keeps what it says."""

    def __init__(self, pings: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pings = pings
        self.address: tuple[str, int] = self._listener.getsockname()
        self.heard: list[bytes] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection, _ = self._listener.accept()
        with self._listener, connection, connection.makefile("rb") as incoming:
            connection.settimeout(DEADLINE)
            connection.sendall(b":irc.test 001 x :Welcome\r\n:irc.test 366 x #lobby :End\r\n")
            for line in incoming:
                self.heard.append(line)
                if self._pings and line.startswith(b"JOIN"):
                    connection.sendall(PING * self._pings + b"NOTICE x :ready\r\n")

    def wait_closed(self) -> None:
        self._thread.join(DEADLINE)


def test_listeners_answer_pings() -> None:
    """Who waits for something is still there."""
    server = Pinger(2)

    with Listeners(enter(server.address, ["ann"], language=IRC), IRC) as members:
        length = members.wait_for(b"ready\r\n", DEADLINE)

    server.wait_closed()
    assert length == len(b"NOTICE x :ready\r\n")
    assert server.heard[-2:] == [PONG, PONG]


def test_sender_answers_behind_the_line_that_it_has_begun() -> None:
    """A ping in the middle of a line does not tear it."""
    server = Pinger(0)
    line = IRC.line(b"hello")

    with Senders(IRC, server.address, 1) as senders:
        (sender,) = senders._senders
        sender.send(memoryview(line)[:5])
        sender.answers = PONG
        sender.answer(memoryview(line)[5:])

    server.wait_closed()
    assert server.heard[-2:] == [line, PONG]
    assert (sender.offset, sender.answers) == (len(line), b"")


@pytest.mark.parametrize("name", PEERS)
def test_peers_are_measured(name: str) -> None:
    """Debian's IRC servers run as children, without flood control: every delivery is checked, order included."""
    with running(name) as server:
        assert server.pid is not None
        (result,) = fanout(server, Shape(3, 2), Load(400, DEADLINE, TEXT_BYTES, 16384), rounds=1)
        delay = latency(server, members=3, rate=1000.0, seconds=0.02, text_bytes=TEXT_BYTES)
        pid = server.pid

    assert (result.messages, result.deliveries, result.differing) == (400, 400 * 3 + 200 * 2, 0)
    assert delay.deliveries == 60
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("name", ["ngircd", "inspircd"])
def test_peer_that_is_not_installed_is_an_error(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are measured, and its line says what to install."""
    monkeypatch.setattr("benchmarks.peers._SYSTEM_DIRECTORIES", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    code = main(["latency", "--server", name, "--members", "1", "--seconds", "0.1"])

    assert code == 1
    assert f"{name}: failed: {name} is not installed (Debian: apt install {name})" in capsys.readouterr().out


def test_server_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it printed is in the error."""
    monkeypatch.setitem(PEERS, "ngircd", lambda _directory, _port: ["/bin/sh", "-c", "echo no such thing; exit 3"])

    with pytest.raises(LoadError) as caught, running("ngircd"):
        pass

    assert str(caught.value) == "ngircd did not start: no such thing"


def speed(server: str, deliveries: float) -> Row:
    """A row of fan-out."""
    return Row(server, "100x1", {"deliveries": str(deliveries)}, {"deliveries_per_second": deliveries})


def test_of_several_windows_the_fastest_counts() -> None:
    """What went wrong with another one is a note, and no reason to have no figure."""
    rows = {16: speed("ngircd", 5.0), 64: speed("ngircd", 9.0), 512: failed("ngircd", "100x1", LoadError("cut off"))}

    row = best_row(rows)

    assert (row.cells, row.notes) == (
        {"window KiB": "64", "deliveries": "9.0"},
        ["with 512 KiB failed: cut off"],
    )
    assert "error" not in row.data
    assert (row.data["window_kib"], row.data["windows"]["512"]) == (64, {"error": "cut off"})


def test_server_that_fails_with_every_window_has_failed() -> None:
    """Then there is no figure."""
    row = best_row({16: failed("ngircd", "1x1", LoadError("one")), 64: failed("ngircd", "1x1", LoadError("two"))})

    assert row.data["error"] == "one"
    assert (row.cells, row.notes) == ({}, ["with 16 KiB failed: one", "with 64 KiB failed: two"])


def test_report_compares_with_the_best_of_the_peers() -> None:
    """The last line of a shape is the ratio to the faster one of the C servers, and to nobody else."""
    rows = [speed("pychat-irc", 30.0), speed("ngircd", 2.0), speed("inspircd", 3.0), speed("blast", 90.0)]

    text, document = to_text("fanout", rows, []), json.loads(to_json("fanout", rows, []))

    expected = "pychat-irc / inspircd, the best of the IRC servers in C: 10 times the deliveries/s"
    assert text.splitlines()[-1] == expected
    assert document["beside_peers"] == [
        {"shape": "100x1", "figure": "deliveries_per_second", "peer": "inspircd", "ratio": 10.0}
    ]


def test_report_compares_latencies_with_the_lowest() -> None:
    """The best latency is the smallest one."""
    rows = [
        Row(name, "100x1", {}, {"p99": p99}) for name, p99 in (("pychat-irc", 3.0), ("ngircd", 2.0), ("inspircd", 4.0))
    ]

    text = to_text("latency", rows, [])

    assert text.splitlines()[-1] == "pychat-irc / ngircd, the best of the IRC servers in C: 1.5 times the p99 ms"
