"""The commands of `python -m benchmarks`: see benchmarks/README.md."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from benchmarks.parser import parser
from benchmarks.report import to_json, to_text
from benchmarks.rows import Row


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one measurement against each server; return exit code 1 if one of them failed."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(given)
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


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))  # ends the servers, too
    sys.exit(main())
