"""Results as rows: figures to print in order, and everything for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from benchmarks.abuse import Abuse
from benchmarks.connect import Connect
from benchmarks.hostile import Hostile
from benchmarks.idle import Idle
from benchmarks.load import Latency, Slow, Throughput
from benchmarks.pace import Pace
from benchmarks.store import Store
from benchmarks.terminal import TerminalClient
from benchmarks.two_way import TwoWay

SPEED: Final = "deliveries_per_second"
REGISTRATIONS: Final = "registrations_per_second"
"""The figures in `Row.data` that servers are compared by."""
_NOTICES_SHOWN = 3


@dataclass
class Row:
    """One server in one measurement: figures to print in order, and everything for JSON."""

    server: str
    shape: str
    cells: dict[str, str]
    data: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def failed(server: str, shape: str, error: Exception) -> Row:
    """Return the row of a failed measurement."""
    return Row(server, shape, {}, {"error": str(error)}, [f"failed: {error}"])


def fanout_row(server: str, shape: str, rounds: Sequence[Throughput]) -> Row:
    """Return the median round, and the range of all."""
    middle = _middle(rounds)
    speeds = [one.per_second for one in rounds]
    cells = _throughput_cells(middle) | {"range M/s": f"{min(speeds) / 1e6:.3g} to {max(speeds) / 1e6:.3g}"}
    data = _throughput_data(middle) | {"rounds": [_throughput_data(one) for one in rounds]}
    notes = [f"{one.differing} members heard the senders in another order" for one in rounds if one.differing][:1]
    return Row(server, shape, cells, data, notes)


def best_row(rows: Mapping[int, Row], unit: str = "KiB") -> Row:
    """Return the fastest of one server's rows, which are given by window: so many of this unit at a time."""
    if len(rows) == 1:
        return next(iter(rows.values()))
    speeds = {window: row.data.get(SPEED, row.data.get(REGISTRATIONS, 0.0)) for window, row in rows.items()}
    best = max(speeds, key=lambda window: speeds[window])
    row = rows[best]
    cells = {f"window {unit}": str(best)} | row.cells if row.cells else {}
    bad = {window: other for window, other in rows.items() if not other.cells}
    problems = [f"with {window} {unit} {note}" for window, other in bad.items() for note in other.notes]
    key = f"window_{unit.lower()}"
    data = row.data | {key: best, "windows": {str(window): other.data for window, other in rows.items()}}
    return Row(row.server, row.shape, cells, data, [*(row.notes if row.cells else []), *problems])


def latency_row(server: str, shape: str, result: Latency) -> Row:
    """Return percentiles of all deliveries."""
    cells = {
        "deliveries": str(result.deliveries),
        "p50 ms": f"{result.p50:.2f}",
        "p99 ms": f"{result.p99:.2f}",
        "worst ms": f"{result.worst:.2f}",
        "server CPU s": _known(result.server_cpu, ".2f"),
    }
    return Row(server, shape, cells, asdict(result))


def idle_row(server: str, shape: str, result: Idle) -> Row:
    """Return memory, processor use, and response times with this many connections."""
    cells = {
        "entered in s": f"{result.enter_seconds:.1f}",
        "KiB each": _known(result.kib_each, ".1f"),
        "threads": _known(result.threads, "d"),
        "CPU %": _known(result.cpu_percent, ".2f"),
        "CPU s": _known(result.cpu_seconds, ".2f"),
        "wake ms": _known(result.wake_ms, ".0f"),
        "wake CPU us": _known(None if result.wake_cpu is None else result.wake_cpu * 1e6 / result.connections, ".0f"),
    }
    if probes := result.probes:
        cells |= {
            "join ms": f"{probes.join_ms:.1f}",
            "message ms": f"{probes.message_ms:.1f}",
            "to everybody ms": f"{probes.everybody_ms:.1f}",
        }
    return Row(server, shape, cells, asdict(result))


def connect_row(server: str, shape: str, result: Connect) -> Row:
    """Return the speed of registrations, and the server's processor time for each."""
    cells = {
        "registered": str(result.members),
        "seconds": f"{result.seconds:.2f}",
        "registrations/s": f"{result.per_second:,.0f}",
        "CPU us each": _known(None if result.server_cpu is None else result.server_cpu * 1e6 / result.members, ".0f"),
        "generator CPU s": f"{result.generator_cpu:.2f}",
        "leaving us": _known(None if result.leave_cpu is None else result.leave_cpu * 1e6 / result.members, ".0f"),
    }
    return Row(server, shape, cells, asdict(result) | {REGISTRATIONS: result.per_second})


def pace_row(server: str, shape: str, result: Pace) -> Row:
    """Return how long a paste took, and what became of each reader."""
    cells = {
        "sent": f"{result.sent} of {result.messages}",
        "paste s": f"{result.paste_seconds:.1f}",
        "server CPU s": _known(result.server_cpu, ".2f"),
    }
    notes = []
    for name, reader in result.readers.items():
        complete = "all" if reader.messages == result.messages else "reading"
        end = "cut off" if reader.cut_off else complete
        cells[name] = f"{end}, {reader.received / 1e6:.1f} MB, {reader.seconds:.1f} s"
        if reader.last_words:
            notes.append(f"last words to the reader at {name}: {reader.last_words}")
    return Row(server, shape, cells, asdict(result), notes)


def slow_row(server: str, shape: str, stalled: int, without: Sequence[Slow], beside: Sequence[Slow]) -> Row:
    """Return the ratio of throughput with and without members that never read."""
    plain = _middle([one.throughput for one in without if one.throughput])
    moved = [one.throughput for one in beside if one.throughput]
    data: dict[str, Any] = {
        "without": [_slow_data(one) for one in without],
        "with": [_slow_data(one) for one in beside],
    }
    cells = {"without M/s": f"{plain.per_second / 1e6:.3g}"}
    if len(moved) < len(beside):
        cells |= {"with M/s": "stuck", "ratio": "0"}
        return Row(server, shape, cells, data | {"ratio": 0.0})
    middle = _middle(moved)
    ratio = middle.per_second / plain.per_second
    cells |= {
        "with M/s": f"{middle.per_second / 1e6:.3g}",
        "ratio": f"{ratio:.2f}",
        "cut off": f"{min(one.cut_off for one in beside)} of {stalled}",
        "growth KiB without": _range([one.memory_growth for one in without]),
        "growth KiB with": _range([one.memory_growth for one in beside]),
    }
    notes = [f"members heard: {notice}" for notice in middle.notices[:_NOTICES_SHOWN]]
    return Row(server, shape, cells, data | {"ratio": ratio}, notes)


def abuse_row(server: str, shape: str, result: Abuse) -> Row:
    """Return the state of the server and of the conversation afterwards."""
    cells = {
        "seconds": f"{result.seconds:.1f}",
        "lost": f"{result.lost} of {result.said}",
        "peak growth KiB": _known(result.growth_kib, ".0f"),
        "threads": _change(result.threads),
        "descriptors": _change(result.descriptors),
    }
    return Row(server, shape, cells, asdict(result))


def two_way_row(server: str, shape: str, rounds: Sequence[TwoWay], idle_kib: float | None) -> Row:
    """Return the median round, the range of all, and the cost of an idle connection."""
    middle = sorted(rounds, key=lambda one: one.per_second)[(len(rounds) - 1) // 2]
    speeds = [one.per_second for one in rounds]
    cells = {
        "messages": str(sum(one.messages for one in rounds)),
        "seconds": f"{sum(one.seconds for one in rounds):.1f}",
        "messages/s": f"{middle.messages / middle.seconds:,.0f}",
        "deliveries M/s": f"{middle.per_second / 1e6:.3g}",
        "range M/s": f"{min(speeds) / 1e6:.3g} to {max(speeds) / 1e6:.3g}",
        "server CPU s": _known(middle.server_cpu, ".2f"),
        "CPU us/delivery": _known(
            None if middle.server_cpu is None else middle.server_cpu * 1e6 / middle.deliveries, ".2f"
        ),
        "KiB each": _known(idle_kib, ".1f"),
    }
    data = {SPEED: middle.per_second, "idle_kib": idle_kib, "rounds": [asdict(one) for one in rounds]}
    return Row(server, shape, cells, data)


def hostile_row(name: str, shape: str, result: Hostile) -> Row:
    """Return the effects of an attack on honest members, and the promises that it broke."""
    cells = {
        "p50 ms": f"{result.latency.p50:.1f}",
        "p99 ms": f"{result.latency.p99:.1f}",
        "worst ms": f"{result.latency.worst:.0f}",
        "echo p99 ms": f"{result.echo.p99:.1f}",
        "come in p99 ms": f"{result.coming.p99:.0f}",
        "log in worst ms": f"{result.login.worst:.0f}",
        "lost": str(result.lost + result.repeated + result.out_of_order),
        "cut off": str(len(result.cut_off)),
        "growth MiB": f"{result.growth_kib / 1024:.1f}",
        "CPU %": f"{result.cpu_percent:.0f}",
        "sent MB": f"{result.attacker_sent / 1e6:.1f}",
        "received MB": f"{result.attacker_received / 1e6:.1f}",
        "connections": str(result.attacker_connections),
        "refused": str(result.attacker_refused),
    }
    notes = [f"broken: {promise}" for promise in result.broken]
    return Row(name, shape, cells, asdict(result), notes)


def terminal_row(server: str, shape: str, result: TerminalClient) -> Row:
    """Return the client's start time, and the cost of the flood."""
    cells = {
        "start ms": f"{result.start_ms:.0f}",
        "messages": str(result.messages),
        "not shown": str(result.messages - result.shown),
        "behind ms": f"{result.behind_ms:.0f}",
        "CPU %": f"{result.cpu_percent:.1f}",
    }
    return Row(server, shape, cells, asdict(result))


def _change(values: tuple[int, int] | None) -> str:
    return "-" if values is None else f"{values[0]} to {values[1]}"


def store_row(server: str, shape: str, result: Store) -> Row:
    """Return the figures of a long record: writing, opening, reading, searching."""
    cells = {
        "MB": f"{result.megabytes:.0f}",
        "messages/s": f"{result.messages_per_second:,.0f}",
        "index s": f"{result.index_seconds:.1f}",
        "open ms": f"{result.open_seconds * 1000:.1f}",
        "last 100 ms": f"{result.last_page * 1000:.1f}",
        "100 at a time ms": f"{result.middle_page * 1000:.1f}",
    }
    cells |= {f"{name} ms": f"{seconds * 1000:.1f}" for name, seconds in result.searches.items()}
    return Row(server, shape, cells, asdict(result))


def _middle(rounds: Sequence[Throughput]) -> Throughput:
    """Return the round with the median speed (the lower one of two): figures of one round belong together."""
    return sorted(rounds, key=lambda one: one.per_second)[(len(rounds) - 1) // 2]


def _throughput_cells(one: Throughput) -> dict[str, str]:
    return {
        "messages": str(one.messages),
        "seconds": f"{one.seconds:.2f}",
        "messages/s": f"{one.messages / one.seconds:,.0f}",
        "deliveries M/s": f"{one.per_second / 1e6:.3g}",
        "server CPU s": _known(one.server_cpu, ".2f"),
        "CPU us/delivery": _known(None if one.server_cpu is None else one.server_cpu * 1e6 / one.deliveries, ".3f"),
        "generator CPU s": f"{one.generator_cpu:.2f}",
    }


def _throughput_data(one: Throughput) -> dict[str, Any]:
    rates = {"messages_per_second": one.messages / one.seconds, "deliveries_per_second": one.per_second}
    return asdict(one) | rates


def _slow_data(one: Slow) -> dict[str, Any]:
    return asdict(one) | {"throughput": _throughput_data(one.throughput) if one.throughput else None}


def _known(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _range(values: Sequence[int | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{min(known)} to {max(known)}" if known else "-"
