"""`benchmarks/`: the load generator finds what a server does wrong, and its figures are those of what was sent."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from chat_clients import free_port

from benchmarks.__main__ import main
from benchmarks.check import Follower, LineChecker, Record, numbered, numbered_lines
from benchmarks.errors import LoadError
from benchmarks.load import Shape, fanout, latency
from benchmarks.senders import Load
from benchmarks.servers import SERVERS, Server
from benchmarks.tutorial_server import TutorialServer
from benchmarks.wire import Listeners, enter

TEXT_BYTES = 32
DEADLINE = 10.0


def lines(sender: str, *numbers: int) -> bytes:
    """What members hear when a sender says these numbers."""
    return b"".join(sender.encode() + b": " + numbered(number, TEXT_BYTES) + b"\n" for number in numbers)


@pytest.fixture
def tutorial() -> Iterator[Server]:
    """The baseline server, in a thread."""
    server = TutorialServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Server("tutorial", server.address)
    server.close()
    thread.join()


def test_lines_of_a_round_are_what_members_hear() -> None:
    """A sender's lines, with its name in front of each, are in order for the checker."""
    checker = LineChecker("bob", TEXT_BYTES)

    checker.feed(b"".join(b"ann: " + line + b"\n" for line in numbered_lines(3, TEXT_BYTES).splitlines()))

    checker.finish({"ann": 3})
    assert checker.messages == 3


def test_checker_takes_any_split_and_keeps_notices() -> None:
    """Where a chunk ends does not matter, and what the server says in between is no message."""
    stream = lines("ann", 0) + b"--> carl joined lobby\n" + lines("ben", 0) + lines("ann", 1)
    checker = LineChecker("bob", TEXT_BYTES)

    for position in range(len(stream)):
        checker.feed(stream[position : position + 1])

    checker.finish({"ann": 2, "ben": 1})
    assert checker.notices == ["--> carl joined lobby"]


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (lines("ann", 0, 2), f"bob: number 1 of ann was next, but {lines('ann', 2)[:-1]!r} came"),
        (lines("ann", 1, 0), f"bob: number 0 of ann was next, but {lines('ann', 1)[:-1]!r} came"),
        (lines("ann", 0, 0), f"bob: number 1 of ann was next, but {lines('ann', 0)[:-1]!r} came"),
        (
            lines("ann", 0) + lines("ann", 1).replace(b"xx\n", b"x\n"),
            f"bob: number 1 of ann was next, but {lines('ann', 1)[:-2]!r} came",
        ),
        (lines("ann", 0), "bob: 1 messages of ann came, 2 were sent"),
        (lines("ann", 0, 1, 2), "bob: 3 messages of ann came, 2 were sent"),
        (lines("ann", 0, 1) + lines("ben", 0), "bob: 1 messages of ben came, 0 were sent"),
        (lines("ann", 0, 1) + b"ann", "bob: the last line is not complete: b'ann'"),
    ],
    ids=["missing", "out of order", "twice", "damaged", "last missing", "too many", "from nobody", "incomplete"],
)
def test_checker_finds_what_is_wrong(stream: bytes, problem: str) -> None:
    """A message that is missing, repeated, out of order or damaged is an error that says which."""
    record = Record()
    record.accept(0, memoryview(stream))

    with pytest.raises(LoadError) as caught:
        record.check("bob", TEXT_BYTES, {"ann": 2})

    assert str(caught.value) == problem


def test_followers_share_one_record() -> None:
    """Whoever is ahead makes the record longer, the others are compared with it, wherever their chunks end."""
    stream = memoryview(lines("ann", 0, 1, 2))
    record, ahead, after = Record(), Follower("m1"), Follower("m2")

    ahead.hear(stream[:50], record, TEXT_BYTES)
    after.hear(stream[:20], record, TEXT_BYTES)
    after.hear(stream[20:], record, TEXT_BYTES)
    incomplete = ahead.is_complete(record, 3)
    ahead.hear(stream[50:], record, TEXT_BYTES)

    assert not incomplete
    assert ahead.is_complete(record, 3)
    assert after.is_complete(record, 3)
    assert (ahead.checker, after.checker) == (None, None)
    assert record.check("the members", TEXT_BYTES, {"ann": 3}) == []


def test_follower_with_another_order_is_checked_alone() -> None:
    """Two senders may reach a member in another order, but each of them complete and in order."""
    record, one, other = Record(), Follower("m1"), Follower("m2")
    one.hear(memoryview(lines("ann", 0, 1) + lines("ben", 0, 1)), record, TEXT_BYTES)

    other.hear(memoryview(lines("ann", 0) + lines("ben", 0) + lines("ann", 1)), record, TEXT_BYTES)
    incomplete = other.is_complete(record, 4)
    other.hear(memoryview(lines("ben", 1)), record, TEXT_BYTES)

    assert not incomplete
    assert other.is_complete(record, 4)
    assert other.checker is not None
    other.checker.finish({"ann": 2, "ben": 2})


def test_follower_that_misses_one_is_found() -> None:
    """A hole in the stream of one member is found when it comes, whatever the others heard."""
    record, one, other = Record(), Follower("m1"), Follower("m2")
    one.hear(memoryview(lines("ann", 0, 1, 2)), record, TEXT_BYTES)

    with pytest.raises(LoadError) as caught:
        other.hear(memoryview(lines("ann", 0, 2)), record, TEXT_BYTES)

    assert str(caught.value) == f"m2: number 1 of ann was next, but {lines('ann', 2)[:-1]!r} came"


def test_fanout_counts_each_delivery(tutorial: Server) -> None:
    """Five members and one sender of 200 messages are 1,000 deliveries, all of them checked."""
    (result,) = fanout(tutorial, Shape(5, 1), Load(200, DEADLINE, TEXT_BYTES, 65536), rounds=1)

    assert (result.messages, result.deliveries, result.differing) == (200, 1000, 0)
    assert result.per_second == 1000 / result.seconds


def test_fanout_of_several_senders_and_processes(tutorial: Server) -> None:
    """Senders are members, too: each of 2 hears the 100 messages of the other."""
    (result,) = fanout(tutorial, Shape(5, 2), Load(200, DEADLINE, TEXT_BYTES, 65536), rounds=1, processes=2)

    assert (result.messages, result.deliveries) == (200, 200 * 5 + 100 * 2)


def test_latency_measures_each_delivery(tutorial: Server) -> None:
    """Twenty messages to three members are 60 deliveries, and none takes a negative time."""
    result = latency(tutorial, members=3, rate=1000.0, seconds=0.02, text_bytes=TEXT_BYTES)

    assert result.deliveries == 60
    assert 0 < result.p50 <= result.p99 <= result.worst


def test_members_enter_and_hear_each_other(tutorial: Server) -> None:
    """A member is in when `enter` returns: it hears what is said from then on."""
    with Listeners(enter(tutorial.address, ["ann", "bob"])) as members:
        (carl,) = enter(tutorial.address, ["carl"])
        with carl:
            carl.sendall(b"hello\n")
            members.wait_for(b"carl: hello\n", DEADLINE)


def test_what_members_do_not_hear_is_an_error(tutorial: Server) -> None:
    """Who waits for something is told how many did not hear it."""
    with Listeners(enter(tutorial.address, ["ann", "bob"])) as members, pytest.raises(LoadError) as caught:
        members.wait_for(b"hello", 0.0)

    assert str(caught.value) == "2 of 2 members did not hear b'hello' in 0 s"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HELLO", "ann: the server did not ask with NICK but with b'HELLO'"),
        (b"", "ann: the server closed the connection after b''"),
    ],
)
def test_a_server_that_does_not_ask_is_an_error(answer: bytes, problem: str) -> None:
    """What is no such server is not measured."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(LoadError) as caught:
            enter(listener.getsockname(), ["ann"])
        thread.join()

    assert str(caught.value) == problem


def test_command_line_measures_a_running_server(tutorial: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """`--connect` measures what already runs, and `--json` prints what was measured."""
    host, port = tutorial.address
    arguments = ["fanout", "--connect", f"{host}:{port}", "--shapes", "2x1", "--rounds", "1", "--messages", "50"]

    code = main([*arguments, "--json"])

    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert printed["command"] == f"python -m benchmarks {' '.join(arguments)} --json"
    (result,) = printed["results"]
    assert (result["server"], result["shape"]) == (f"{host}:{port}", "2x1")
    assert (result["messages"], result["deliveries"]) == (50, 100)


def test_command_line_says_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """A server that cannot be measured has a line that says why, and the exit code is 1."""
    port = free_port()

    code = main(["latency", "--connect", f"127.0.0.1:{port}"])

    assert code == 1
    assert f"127.0.0.1:{port}: failed: receiver: [Errno 111] Connection refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--shapes", "3y"], "argument --shapes: '3y' is not all, nor shapes like 100x1,100x10"),
        (["--shapes", "0x1"], "argument --shapes: '0x1' is not all, nor shapes like 100x1,100x10"),
        (["--server", "ergo"], f"argument --server: 'ergo' is none of {', '.join(SERVERS)}"),
        (["--window", "16,x"], "argument --window: 'x' is not a whole number from 1 on"),
        (["--connect", "localhost"], "argument --connect: 'localhost' is not HOST:PORT"),
        (["--text-bytes", "8"], "argument --text-bytes: at least 32, because a number or a time must fit"),
        (["--rounds", "0"], "argument --rounds: '0' is not a whole number from 1 on"),
    ],
)
def test_bad_arguments_say_what_is_allowed(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each wrong argument is named, with what would be right."""
    with pytest.raises(SystemExit):
        main(["fanout", *arguments])

    assert capsys.readouterr().err.endswith(f"error: {problem}\n")


def test_a_long_record_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside an empty one: it is written, indexed, opened, read and searched."""
    assert main(["store", "--messages", "2000", "--json"]) == 0

    empty, long = json.loads(capsys.readouterr().out)["results"]
    assert (empty["messages"], long["messages"]) == (0, 2000)
    assert long["megabytes"] > empty["megabytes"]
    assert set(long["searches"]) == set(empty["searches"])
    assert all(seconds > 0 for seconds in (long["open_seconds"], long["middle_page"], *long["searches"].values()))
