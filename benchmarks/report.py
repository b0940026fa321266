"""Format results: as a table for people, as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers import PEERS
from benchmarks.rows import SPEED, Row

_OURS = "pychat-irc"
_P99 = "p99"


def to_text(measurement: str, rows: Sequence[Row], arguments: Sequence[str]) -> str:
    """Return a table for each shape, and a comparison of the servers in fan-out."""
    lines = [f"{key}: {value}" for key, value in _circumstances(arguments).items()]
    for shape in dict.fromkeys(row.shape for row in rows):
        group = [row for row in rows if row.shape == shape]
        columns = list(dict.fromkeys(column for row in group for column in row.cells))
        table = [["server", *columns]] + [[row.server, *(row.cells.get(c, "-") for c in columns)] for row in group]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += ["", f"{measurement} {shape}"]
        lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
        lines += [f"{row.server}: {note}" for row in group for note in row.notes]
        lines += _ratios(group)
        lines += [str(one) for one in _beside_peers(group)]
    return "\n".join(lines)


def to_json(measurement: str, rows: Sequence[Row], arguments: Sequence[str]) -> str:
    """Return all results."""
    results = [{"server": row.server, "shape": row.shape, **row.data, "notes": row.notes} for row in rows]
    document = {"measurement": measurement, **_circumstances(arguments), "results": results}
    shapes = dict.fromkeys(row.shape for row in rows)
    beside = [one for shape in shapes for one in _beside_peers([row for row in rows if row.shape == shape])]
    if beside:
        document["beside_peers"] = [asdict(one) for one in beside]
    return json.dumps(document, indent=2)


def _circumstances(arguments: Sequence[str]) -> dict[str, str]:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "command": shlex.join(["python", "-m", "benchmarks", *arguments]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _ratios(rows: Sequence[Row]) -> list[str]:
    """Return the ratios of the first server's deliveries to those of the others."""
    speeds = {row.server: row.data[SPEED] for row in rows if SPEED in row.data}
    (first, speed), *others = speeds.items() or [("", 0.0)]
    return [f"{first} delivers {speed / other:.3g} times as much as {name}" for name, other in others]


@dataclass(frozen=True)
class _BesidePeers:
    """pychat in IRC, compared with the best of the IRC servers in C of the same run."""

    shape: str
    figure: str
    peer: str
    ratio: float

    def __str__(self) -> str:
        what = "deliveries/s" if self.figure == SPEED else f"{self.figure} ms"
        return f"{_OURS} / {self.peer}, the best of the IRC servers in C: {self.ratio:.3g} times the {what}"


def _beside_peers(rows: Sequence[Row]) -> list[_BesidePeers]:
    """Compare pychat with the best of its peers in one shape, in each figure that both have."""
    found = []
    for figure, best_of in ((SPEED, max), (_P99, min)):
        values = {row.server: row.data[figure] for row in rows if figure in row.data}
        peers = [name for name in PEERS if name in values]
        if _OURS in values and peers:
            best: str = best_of(peers, key=lambda name: values[name])
            found.append(_BesidePeers(rows[0].shape, figure, best, values[_OURS] / values[best]))
    return found
