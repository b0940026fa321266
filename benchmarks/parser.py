"""The command line: a parser for each command."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from benchmarks import measurements
from benchmarks.arguments import (
    ALL_SHAPES,
    address,
    attacks,
    numbers,
    positive,
    rates,
    server_names,
    shapes,
    text_bytes,
)
from benchmarks.attacks import ATTACKS, MIX
from benchmarks.pace import READERS
from benchmarks.rows import Row
from benchmarks.servers import ALL_SERVERS, IRC_SERVERS, SERVERS

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_SPEAK_TEXT = [name for name in SERVERS if name not in IRC_SERVERS]


def parser() -> argparse.ArgumentParser:
    """Return the parser; `measure` of its result is the function that yields the rows."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure chat servers on this machine.")
    commands = made.add_subparsers(dest="command", required=True)
    for add in (_fanout, _latency, _connect, _idle, _rooms, _slow, _pace, _abuse, _hostile, _store, _tls, _terminal):
        add(commands)
    return made


def _fanout(commands: Commands) -> None:
    one = commands.add_parser("fanout", help="messages and deliveries per second, in a closed loop")
    one.add_argument(
        "--shapes",
        type=shapes,
        default="100x1",
        metavar="MEMBERSxSENDERS,...|all",
        help=f"listening members and further members who speak; all: {ALL_SHAPES} (default: 100x1)",
    )
    one.add_argument("--receivers", type=positive, default=1, metavar="N", help="processes that listen (default: 1)")
    _add_load(one)
    one.add_argument(
        "--window",
        type=numbers,
        default="512",
        metavar="KIB,...",
        help="KiB on the way to the slowest member, at most; of several the one counts with which a server is fastest "
        "(default: 512)",
    )
    _add_common(one, measurements.measure_fanout, ["pychat", "tutorial", "blast"], SERVERS)


def _latency(commands: Commands) -> None:
    one = commands.add_parser("latency", help="one-way latency at a steady rate")
    one.add_argument("--members", type=positive, default=100, metavar="N", help="listening members (default: 100)")
    one.add_argument(
        "--rates", "--rate", type=rates, default="100", metavar="N,...", help="messages per second (default: 100)"
    )
    one.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long, each (default: 5)")
    _add_text_bytes(one)
    _add_common(one, measurements.measure_latency, ["pychat", "tutorial", "blast"], SERVERS)


def _idle(commands: Commands) -> None:
    one = commands.add_parser("idle", help="memory and processor time of connections that do nothing")
    one.add_argument(
        "--members", "--connections", type=positive, default=2000, metavar="N", help="how many (default: 2000)"
    )
    one.add_argument("--seconds", type=float, default=10.0, metavar="S", help="how long to watch (default: 10)")
    _add_common(
        one, measurements.measure_idle, ["pychat", "pychat-json", "pychat-irc", "pychat-tls", "ngircd"], ALL_SERVERS
    )


def _connect(commands: Commands) -> None:
    one = commands.add_parser("connect", help="registrations per second, and what each of them costs the server")
    one.add_argument("--members", type=positive, default=3000, metavar="N", help="who register (default: 3000)")
    one.add_argument(
        "--together",
        type=numbers,
        default="8,64,512",
        metavar="N,...",
        help="members who register at a time, at most; of several the one counts with which a server is fastest "
        "(default: 8,64,512)",
    )
    one.add_argument("--seconds", type=float, default=20.0, metavar="S", help="at most, for each of them (default: 20)")
    _add_common(
        one, measurements.measure_connect, ["pychat", "pychat-json", "pychat-irc", "ngircd", "inspircd"], ALL_SERVERS
    )


def _rooms(commands: Commands) -> None:
    one = commands.add_parser("rooms", help="traffic in many rooms, beside as many deliveries in one")
    one.add_argument("--members", type=positive, default=100, metavar="N", help="listening members (default: 100)")
    one.add_argument("--rooms", type=positive, default=10, metavar="N", help="how many (default: 10)")
    one.add_argument("--each", type=positive, default=3, metavar="N", help="rooms of each member (default: 3)")
    one.add_argument(
        "--senders", type=positive, default=10, metavar="N", help="further members, each talks in one (default: 10)"
    )
    _add_load(one, 500_000)
    _add_window(one, 128)
    _add_json(one)
    one.set_defaults(measure=measurements.measure_rooms, connect=None)


def _slow(commands: Commands) -> None:
    one = commands.add_parser("slow", help="throughput with and without members that never read")
    one.add_argument("--members", type=positive, default=50, metavar="N", help="listening members (default: 50)")
    one.add_argument("--stalled", type=positive, default=1, metavar="N", help="members that never read (default: 1)")
    _add_load(one)
    _add_window(one, 512)
    _add_common(one, measurements.measure_slow, ["pychat", "tutorial"], SERVERS)


def _pace(commands: Commands) -> None:
    one = commands.add_parser("pace", help=f"a long paste, and readers of different speed: {', '.join(READERS)}")
    one.add_argument("--megabytes", type=positive, default=20, metavar="MB", help="that are pasted (default: 20)")
    one.add_argument("--seconds", type=float, default=90.0, metavar="S", help="at most (default: 90)")
    _add_text_bytes(one)
    _add_common(one, measurements.measure_pace, ["pychat"], SERVERS)


def _abuse(commands: Commands) -> None:
    one = commands.add_parser("abuse", help="what is left when peers sent garbage and vanished")
    one.add_argument("--peers", type=positive, default=5000, metavar="N", help="how many (default: 5000)")
    one.add_argument("--endless", type=positive, default=100, metavar="MB", help="without a newline (default: 100)")
    one.add_argument("--seed", type=int, default=1, metavar="N", help="of the garbage (default: 1)")
    _add_common(one, measurements.measure_abuse, ["pychat"], _SPEAK_TEXT, irc=False)


def _hostile(commands: Commands) -> None:
    one = commands.add_parser("hostile", help="what honest members notice while somebody does their worst")
    one.add_argument("--seconds", type=float, default=600.0, metavar="S", help="how long, in all (default: 600)")
    one.add_argument("--members", type=positive, default=50, metavar="N", help="who talk (default: 50)")
    one.add_argument("--addresses", type=positive, default=50, metavar="N", help="of the attacker (default: 50)")
    one.add_argument(
        "--connections",
        type=positive,
        default=250,
        metavar="N",
        help="of the attacker at a time, about (default: 250)",
    )
    one.add_argument("--seed", type=int, default=1, metavar="N", help="of what the attacker does (default: 1)")
    one.add_argument(
        "--attacks",
        type=attacks,
        default="all",
        metavar="NAME,...",
        help=f"of {', '.join(ATTACKS)}; all: at the same time, but {', '.join(set(ATTACKS) - set(MIX))}; "
        "each: one after the other, each for its part of the seconds (default: all)",
    )
    one.add_argument(
        "--db", action=argparse.BooleanOptionalAction, default=True, help="keep the record in a file (default: yes)"
    )
    one.add_argument(
        "--record", type=positive, default=40_000, metavar="N", help="messages of before in the file (default: 40000)"
    )
    _add_json(one)
    one.set_defaults(measure=measurements.measure_hostile, connect=None)


def _store(commands: Commands) -> None:
    one = commands.add_parser("store", help="a long record in a file: writing, opening, reading, searching")
    one.add_argument(
        "--messages",
        type=numbers,
        default="1000000",
        metavar="N,...",
        help="in one room; a file without any is always measured, too (default: 1000000)",
    )
    _add_json(one)
    one.set_defaults(measure=measurements.measure_store)


def _tls(commands: Commands) -> None:
    one = commands.add_parser("tls", help="conversations in both directions, over TLS and plain; idle memory")
    one.add_argument("--members", type=positive, default=20, metavar="N", help="who talk (default: 20)")
    one.add_argument("--seconds", type=float, default=20.0, metavar="S", help="each round (default: 20)")
    one.add_argument("--rounds", type=positive, default=3, metavar="N", help="the median one counts (default: 3)")
    one.add_argument("--connections", type=positive, default=500, metavar="N", help="idle ones (default: 500)")
    _add_text_bytes(one)
    _add_json(one)
    one.set_defaults(measure=measurements.measure_tls, connect=None)


def _terminal(commands: Commands) -> None:
    one = commands.add_parser("terminal", help="pychat connect at a terminal: start, and a flood while one is typing")
    one.add_argument("--rate", type=float, default=500.0, metavar="N", help="messages per second (default: 500)")
    one.add_argument("--seconds", type=float, default=20.0, metavar="S", help="how long (default: 20)")
    _add_json(one)
    one.set_defaults(measure=measurements.measure_terminal, connect=None, server=["pychat"])


def _add_load(parser: argparse.ArgumentParser, messages: int = 1_000_000) -> None:
    parser.add_argument("--rounds", type=positive, default=3, metavar="N", help="the median one counts (default: 3)")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="at most, each round (default: 3)")
    parser.add_argument(
        "--messages",
        type=positive,
        default=messages,
        metavar="N",
        help=f"at most, each round (default: {messages})",
    )
    _add_text_bytes(parser)


def _add_window(parser: argparse.ArgumentParser, kib: int) -> None:
    parser.add_argument(
        "--window",
        type=positive,
        default=kib,
        metavar="KIB",
        help=f"KiB on the way to the slowest member, at most (default: {kib})",
    )


def _add_text_bytes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--text-bytes",
        type=text_bytes,
        default=64,
        metavar="N",
        help="bytes of each text, without nickname and newline (default: 64)",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print all figures of all rounds as JSON")


def _add_common(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], Iterator[Row]],
    servers: list[str],
    known: Sequence[str],
    irc: bool = True,
) -> None:
    parser.set_defaults(measure=measure, irc=False)
    parser.add_argument(
        "--server",
        type=partial(server_names, known),
        default=servers,
        metavar="NAME,...",
        help=f"of {', '.join(known)} (default: {','.join(servers)})",
    )
    parser.add_argument(
        "--connect",
        type=address,
        metavar="HOST:PORT",
        help="measure this running server (its flood control must be off) instead of starting some",
    )
    if irc:
        parser.add_argument("--irc", action="store_true", help="the server of --connect speaks IRC")
    parser.add_argument("--pid", type=positive, metavar="PID", help="its process, to measure processor and memory")
    _add_json(parser)
