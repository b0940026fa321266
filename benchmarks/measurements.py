"""The commands: each measures the servers that its options name, and yields a row for each."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.abuse import abuse
from benchmarks.attacks import ATTACKS, MIX
from benchmarks.connect import connect
from benchmarks.errors import LoadError
from benchmarks.hostile import Siege, prepared
from benchmarks.idle import idle
from benchmarks.languages import IRC, TEXT
from benchmarks.load import Shape, Slow, Throughput, fanout, latency, slow
from benchmarks.pace import pace
from benchmarks.rooms import Layout, rooms
from benchmarks.rows import (
    Row,
    abuse_row,
    best_row,
    connect_row,
    failed,
    fanout_row,
    hostile_row,
    idle_row,
    latency_row,
    pace_row,
    slow_row,
    store_row,
    terminal_row,
    two_way_row,
)
from benchmarks.senders import Load
from benchmarks.servers import Server, certified, raise_file_limit, running
from benchmarks.store import store
from benchmarks.terminal import terminal
from benchmarks.two_way import TwoWay, kib_of_idle, two_way

_SPARE: Final = 100
"""More connections than members that a server must accept, because it has not noticed yet that others are gone."""


def measure_fanout(options: argparse.Namespace) -> Iterator[Row]:
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


def measure_latency(options: argparse.Namespace) -> Iterator[Row]:
    raise_file_limit(options.members)
    for rate in options.rates:
        shape = f"{options.members}x1, {rate:g} messages/s"

        def measure(name: str, rate: float = rate, shape: str = shape) -> Row:
            with _server(options, name) as server:
                result = latency(server, options.members, rate, options.seconds, options.text_bytes)
            return latency_row(name, shape, result)

        yield from _each_server(options, shape, measure)


def measure_connect(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.members} members"
    raise_file_limit(options.members)

    def measure(name: str) -> Row:
        rows = {}
        for together in options.together:
            try:
                with _server(options, name, options.members) as server:
                    result = connect(server, options.members, together, options.seconds)
            except (LoadError, OSError) as error:
                rows[together] = failed(name, shape, error)
            else:
                rows[together] = connect_row(name, shape, result)
        return best_row(rows, "members")

    return _each_server(options, shape, measure)


def measure_idle(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.members} members"
    raise_file_limit(options.members)

    def measure(name: str) -> Row:
        with _server(options, name, options.members) as server:
            result = idle(server, options.members, options.seconds)
        return idle_row(name, shape, result)

    return _each_server(options, shape, measure)


def measure_rooms(options: argparse.Namespace) -> Iterator[Row]:
    """Measure many rooms and one room in turns, each on a server of its own, so that machine load affects both."""
    many = Layout(options.members, options.rooms, options.each, options.senders)
    layouts = (many, Layout(options.members, 1, 1, options.senders))
    shape = f"{options.members} members, {options.senders} senders"
    raise_file_limit(options.members + options.senders)
    rounds: dict[Layout, list[Throughput]] = {layout: [] for layout in layouts}
    try:
        for _ in range(options.rounds):
            for layout in layouts:
                each = options.messages * many.deliveries // layout.deliveries // options.senders
                load = Load(max(1, each), options.seconds, options.text_bytes, options.window * 1024)
                with running("pychat-irc") as server:
                    rounds[layout].append(rooms(server, layout, load))
    except (LoadError, OSError) as error:
        yield failed("pychat-irc", shape, error)
        return
    for layout in layouts:
        yield fanout_row(f"pychat-irc, {layout}", shape, rounds[layout])


def measure_slow(options: argparse.Namespace) -> Iterator[Row]:
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


def measure_pace(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.megabytes} MB pasted"

    def measure(name: str) -> Row:
        with _server(options, name) as server:
            return pace_row(name, shape, pace(server, options.megabytes, options.text_bytes, options.seconds))

    return _each_server(options, shape, measure)


def measure_abuse(options: argparse.Namespace) -> Iterator[Row]:
    shape = f"{options.peers} peers, {options.endless} MB without a newline"

    def measure(name: str) -> Row:
        with _server(options, name) as server:
            return abuse_row(name, shape, abuse(server, options.peers, options.endless, options.seed))

    return _each_server(options, shape, measure)


def measure_hostile(options: argparse.Namespace) -> Iterator[Row]:
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


def measure_store(options: argparse.Namespace) -> Iterator[Row]:
    for messages in (0, *options.messages):
        yield store_row("SqliteLog", f"{messages} messages", store(messages))


def measure_tls(options: argparse.Namespace) -> Iterator[Row]:
    """Measure one server that accepts both on its port, in turns, so that machine load affects both equally."""
    shape = f"{options.members} members, both ways"
    raise_file_limit(max(options.members, options.connections))
    kinds = {"pychat over TLS": True, "pychat": False}
    rounds: dict[str, list[TwoWay]] = {name: [] for name in kinds}
    idle = {}
    with certified() as files:
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


def measure_terminal(options: argparse.Namespace) -> Iterator[Row]:
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
def _server(options: argparse.Namespace, name: str, connections: int = 0) -> Iterator[Server]:
    if options.connect is not None:
        yield Server(name, options.connect, options.pid, IRC if options.irc else TEXT)
        return
    room = ("--max-connections", str(connections + _SPARE)) if name.startswith("pychat") else ()
    with running(name, *(room if connections else ())) as server:
        yield server
