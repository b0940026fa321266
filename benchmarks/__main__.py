"""`python -m benchmarks fanout|latency|idle|slow|abuse|hostile|store|tls|terminal`: see benchmarks/README.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.abuse import abuse
from benchmarks.arguments import ALL_SHAPES, address, attacks, numbers, positive, server_names, shapes, text_bytes
from benchmarks.attacks import ATTACKS, MIX
from benchmarks.errors import LoadError
from benchmarks.hostile import Siege, prepared
from benchmarks.idle import idle
from benchmarks.languages import IRC, TEXT
from benchmarks.load import Shape, Slow, fanout, latency, slow
from benchmarks.report import (
    Row,
    abuse_row,
    best_row,
    failed,
    fanout_row,
    hostile_row,
    idle_row,
    latency_row,
    slow_row,
    store_row,
    terminal_row,
    to_json,
    to_text,
    two_way_row,
)
from benchmarks.senders import Load
from benchmarks.servers import IRC_SERVERS, SERVERS, Server, raise_file_limit, running
from benchmarks.store import store
from benchmarks.terminal import terminal
from benchmarks.two_way import TwoWay, kib_of_idle, two_way
from pychat.cli.server.certificate import LOCAL_NAMES, make_certificate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one measurement against each server; return exit code 1 if one of them failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    if getattr(options, "connect", None) is not None:
        options.server = ["{}:{}".format(*options.connect)]
    measure: Callable[[argparse.Namespace], Iterator[Row]] = options.measure
    rows = []
    try:
        for row in measure(options):
            rows.append(row)
            print(f"{options.command} {row.shape} {row.server}: {'; '.join(row.notes) or 'done'}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    print((to_json if options.json else to_text)(options.command, rows, given))
    return int(any("error" in row.data or row.data.get("broken") for row in rows))


def _fanout(options: argparse.Namespace) -> Iterator[Row]:
    for shape in options.shapes:
        raise_file_limit(shape.members + shape.senders)

        def measure(name: str, shape: Shape = shape) -> Row:
            rows = {window: _fanout_with(options, name, shape, window) for window in options.window}
            return best_row(rows)

        yield from _each_server(options, str(shape), measure)


def _fanout_with(options: argparse.Namespace, name: str, shape: Shape, window: int) -> Row:
    load = Load(options.messages, options.seconds, options.text_bytes, window * 1024)
    try:
        with _server(options, name) as server:
            return fanout_row(name, str(shape), fanout(server, shape, load, options.rounds, options.receivers))
    except (LoadError, OSError) as error:
        return failed(name, str(shape), error)


def _latency(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.members}x1, {options.rate:g} messages/s"
    raise_file_limit(options.members)

    def measure(name: str) -> Row:
        with _server(options, name) as server:
            result = latency(server, options.members, options.rate, options.seconds, options.text_bytes)
        return latency_row(name, shape, result)

    return _each_server(options, shape, measure)


def _idle(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.connections} connections"
    raise_file_limit(options.connections)

    def measure(name: str) -> Row:
        with _server(options, name) as server:
            result = idle(server, options.connections, options.seconds)
        return idle_row(name, shape, result)

    return _each_server(options, shape, measure)


def _slow(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.members}x1, {options.stalled} never read"
    raise_file_limit(options.members + options.stalled)
    load = Load(options.messages, options.seconds, options.text_bytes, options.window * 1024)

    def measure(name: str) -> Row:
        # Taken in turns, each on a server of its own, so that machine load affects both equally.
        without: list[Slow] = []
        beside: list[Slow] = []
        for _ in range(options.rounds):
            for results, stalled in ((without, 0), (beside, options.stalled)):
                with _server(options, name) as server:
                    results.append(slow(server, options.members, stalled, load))
        return slow_row(name, shape, options.stalled, without, beside)

    return _each_server(options, shape, measure)


def _abuse(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.peers} peers, {options.endless} MB without a newline"

    def measure(name: str) -> Row:
        with _server(options, name) as server:
            return abuse_row(name, shape, abuse(server, options.peers, options.endless, options.seed))

    return _each_server(options, shape, measure)


def _hostile(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.members} members, {options.connections} attackers from {options.addresses} addresses"
    raise_file_limit(options.members + 4 * options.connections)
    settings = Siege(options.members, options.addresses, options.connections, options.seed, options.record, options.db)
    if options.attacks == "each":
        runs = {name: (name,) for name in ATTACKS}
    else:
        runs = {"all" if options.attacks == MIX else ",".join(options.attacks): options.attacks}
    with prepared(settings) as measure:
        for name, chosen in runs.items():
            try:
                yield hostile_row(name, shape, measure(chosen, options.seconds / len(runs)))
            except (LoadError, OSError) as error:
                yield failed(name, shape, error)


def _store(options: argparse.Namespace) -> Iterator[Row]:
    for messages in (0, *options.messages):
        yield store_row("SqliteLog", f"{messages} messages", store(messages))


def _tls(options: argparse.Namespace) -> Iterator[Row]:
    """Measure one server that accepts both on its port, in turns, so that machine load affects both equally."""
    shape = f"{options.members} members, both ways"
    raise_file_limit(max(options.members, options.connections))
    kinds = {"pychat over TLS": True, "pychat": False}
    rounds: dict[str, list[TwoWay]] = {name: [] for name in kinds}
    idle = {}
    with TemporaryDirectory(prefix="pychat-benchmark-") as directory:
        made = make_certificate(LOCAL_NAMES, 1, Path(directory))
        files = ("--tls-cert", str(made.certificate), "--tls-key", str(made.key))
        try:
            for name, tls in kinds.items():  # each on a fresh server, which has no memory to reuse
                with running("pychat", *files) as server:
                    idle[name] = kib_of_idle(server, options.connections, tls=tls)
            with running("pychat", *files) as server:
                for _ in range(options.rounds):
                    for name, tls in kinds.items():
                        one = two_way(server, options.members, options.seconds, options.text_bytes, tls=tls)
                        rounds[name].append(one)
        except (LoadError, OSError) as error:
            yield failed("pychat", shape, error)
            return
    for name in kinds:
        yield two_way_row(name, shape, rounds[name], idle[name])


def _terminal(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.rate:g} messages/s for {options.seconds:g} s"

    def measure(name: str) -> Row:
        with _server(options, name) as server:
            return terminal_row("pychat connect", shape, terminal(server, options.rate, options.seconds))

    return _each_server(options, shape, measure)


def _each_server(options: argparse.Namespace, shape: str, measure: Callable[[str], Row]) -> Iterator[Row]:
    """Measure the servers one after the other; the failure of one does not affect the others."""
    for name in options.server:
        try:
            yield measure(name)
        except (LoadError, OSError) as error:
            yield failed(name, shape, error)


@contextmanager
def _server(options: argparse.Namespace, name: str) -> Iterator[Server]:
    if options.connect is not None:
        yield Server(name, options.connect, options.pid, IRC if options.irc else TEXT)
        return
    with running(name) as server:
        yield server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure chat servers on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)

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
    _add_common(one, _fanout, ["pychat", "tutorial", "blast"])

    one = commands.add_parser("latency", help="one-way latency at a steady rate")
    one.add_argument("--members", type=positive, default=100, metavar="N", help="listening members (default: 100)")
    one.add_argument("--rate", type=float, default=100.0, metavar="N", help="messages per second (default: 100)")
    one.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long (default: 5)")
    _add_text_bytes(one)
    _add_common(one, _latency, ["pychat", "tutorial", "blast"])

    one = commands.add_parser("idle", help="memory and processor time of connections that do nothing")
    one.add_argument("--connections", type=positive, default=5000, metavar="N", help="how many (default: 5000)")
    one.add_argument("--seconds", type=float, default=5.0, metavar="S", help="how long to watch (default: 5)")
    _add_common(one, _idle, ["pychat"], irc=False)

    one = commands.add_parser("slow", help="throughput with and without members that never read")
    one.add_argument("--members", type=positive, default=50, metavar="N", help="listening members (default: 50)")
    one.add_argument("--stalled", type=positive, default=1, metavar="N", help="members that never read (default: 1)")
    _add_load(one)
    one.add_argument(
        "--window",
        type=positive,
        default=512,
        metavar="KIB",
        help="KiB on the way to the slowest member, at most (default: 512)",
    )
    _add_common(one, _slow, ["pychat", "tutorial"])

    one = commands.add_parser("abuse", help="what is left when peers sent garbage and vanished")
    one.add_argument("--peers", type=positive, default=5000, metavar="N", help="how many (default: 5000)")
    one.add_argument("--endless", type=positive, default=100, metavar="MB", help="without a newline (default: 100)")
    one.add_argument("--seed", type=int, default=1, metavar="N", help="of the garbage (default: 1)")
    _add_common(one, _abuse, ["pychat"], irc=False)

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
    one.add_argument("--json", action="store_true", help="print all figures as JSON")
    one.set_defaults(measure=_hostile, connect=None)

    one = commands.add_parser("store", help="a long record in a file: writing, opening, reading, searching")
    one.add_argument(
        "--messages",
        type=numbers,
        default="1000000",
        metavar="N,...",
        help="in one room; a file without any is always measured, too (default: 1000000)",
    )
    one.add_argument("--json", action="store_true", help="print all figures as JSON")
    one.set_defaults(measure=_store)

    one = commands.add_parser("tls", help="conversations in both directions, over TLS and plain; idle memory")
    one.add_argument("--members", type=positive, default=20, metavar="N", help="who talk (default: 20)")
    one.add_argument("--seconds", type=float, default=20.0, metavar="S", help="each round (default: 20)")
    one.add_argument("--rounds", type=positive, default=3, metavar="N", help="the median one counts (default: 3)")
    one.add_argument("--connections", type=positive, default=500, metavar="N", help="idle ones (default: 500)")
    _add_text_bytes(one)
    one.add_argument("--json", action="store_true", help="print all figures of all rounds as JSON")
    one.set_defaults(measure=_tls, connect=None)

    one = commands.add_parser("terminal", help="pychat connect at a terminal: start, and a flood while one is typing")
    one.add_argument("--rate", type=float, default=500.0, metavar="N", help="messages per second (default: 500)")
    one.add_argument("--seconds", type=float, default=20.0, metavar="S", help="how long (default: 20)")
    one.add_argument("--json", action="store_true", help="print all figures as JSON")
    one.set_defaults(measure=_terminal, connect=None, server=["pychat"])
    return parser


def _add_load(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=positive, default=3, metavar="N", help="the median one counts (default: 3)")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="at most, each round (default: 3)")
    parser.add_argument(
        "--messages", type=positive, default=1_000_000, metavar="N", help="at most, each round (default: 1000000)"
    )
    _add_text_bytes(parser)


def _add_text_bytes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--text-bytes",
        type=text_bytes,
        default=64,
        metavar="N",
        help="bytes of each text, without nickname and newline (default: 64)",
    )


def _add_common(
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], Iterator[Row]],
    servers: list[str],
    irc: bool = True,
) -> None:
    parser.set_defaults(measure=measure, irc=False)
    known = [name for name in SERVERS if irc or name not in IRC_SERVERS]
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
    parser.add_argument("--json", action="store_true", help="print all figures of all rounds as JSON")


if __name__ == "__main__":
    sys.exit(main())
