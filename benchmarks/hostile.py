"""Measure a siege: the experience of honest members while an attacker uses many addresses."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import attacker
from benchmarks.attacks import OPERATOR
from benchmarks.errors import LoadError
from benchmarks.honest import Honest, Noticed, Party
from benchmarks.record import write_record
from benchmarks.servers import serving
from pychat.cli.server.certificate import LOCAL_NAMES, make_certificate

ROOMS: Final = ("lobby", "tea", "work", "games")
"""The rooms of honest members, which attackers join."""

WORST_P99_MS: Final = 250.0
WORST_GROWTH_KIB: Final = 64 * 1024

_SETTLE_SECONDS: Final = 1.0
_ANSWER_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Siege:
    """The parameters of a siege."""

    members: int
    addresses: int
    connections: int
    seed: int
    record: int
    """Messages in the record before; a quarter as many other events followed them. None without a file."""
    db: bool


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds."""

    count: int
    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Percentiles:
        """Return the percentiles of these values; zeros if there are none."""
        ordered = sorted(values) or [0.0]
        p50, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
        return cls(len(values), p50, p99, ordered[-1])


@dataclass(frozen=True)
class Hostile:
    """The cost for the honest members, the server and the attacker."""

    seconds: float
    said: int
    latency: Percentiles
    """Of all deliveries."""
    languages: dict[str, Percentiles]
    """By the language of the receiver."""
    echo: Percentiles
    """Round trips over loopback without a chat: the share of the machine itself."""
    coming: Percentiles
    """Of newcomers: from connecting to the welcome."""
    login: Percentiles
    lost: int
    repeated: int
    out_of_order: int
    cut_off: list[str]
    kept_out: list[str]
    refused: list[str]
    growth_kib: int
    """Peak memory beyond that of the server with all members connected."""
    cpu_percent: float
    """Of one processor."""
    attacker_sent: int
    attacker_received: int
    attacker_connections: int
    attacker_refused: int
    attacker_ended: int
    attacker_cpu_percent: float
    turns: dict[str, int]
    """How often each attack acted."""
    won: dict[str, int]
    """Forbidden actions that succeeded, and how often."""
    errors: dict[str, int]
    """Errors in the attacks themselves."""
    broken: list[str] = field(default_factory=list)
    """Broken promises."""


@contextmanager
def prepared(settings: Siege) -> Iterator[Callable[[Sequence[str], float], Hostile]]:
    """
    Write a record, and yield the measuring function, which starts a fresh server with that record each time.

    It takes names from `benchmarks.attacks.ATTACKS` and the seconds, and may raise `LoadError`.
    """
    with TemporaryDirectory(prefix="pychat-hostile-") as directory:
        options = _prepare(settings, Path(directory))
        yield partial(_measure, settings, options, Path(directory))


def _prepare(settings: Siege, directory: Path) -> list[str]:
    """Create the server's files, and return its options."""
    opers = directory / "opers"
    opers.touch(mode=0o600)
    opers.write_text(":".join(OPERATOR) + "\n")
    made = make_certificate(LOCAL_NAMES, 1, directory)
    options = ["--proxy-from", "127.0.0.1", "--oper-file", str(opers), "--log-level", "error"]
    options += ["--tls-cert", str(made.certificate), "--tls-key", str(made.key)]
    for room in ROOMS:
        options += ["--room", room]
    if settings.db:
        write_record(directory / "past.db", ROOMS, settings.record, settings.record // 4, settings.seed)
        options += ["--db", str(directory / "chat.db")]
    return options


def _measure(
    settings: Siege, options: Sequence[str], directory: Path, attacks: Sequence[str], seconds: float
) -> Hostile:
    """Connect the honest members, then attack for `seconds` seconds."""
    if settings.db:
        for old in directory.glob("chat.db*"):
            old.unlink()
        shutil.copy(directory / "past.db", directory / "chat.db")
    with ExitStack() as stack:
        server = stack.enter_context(serving(*options))
        party = Party(server.address, settings.members, ROOMS, settings.seed)
        honest = stack.enter_context(Honest(party))
        time.sleep(_SETTLE_SECONDS)
        before = server.memory()
        server.forget_peak()
        addresses = [f"198.51.100.{number % 250 + 1}" for number in range(settings.addresses)]
        task = attacker.Task(
            server.address, attacks, addresses, settings.connections, settings.seed, party.names(), ROOMS
        )
        cpu, began = server.cpu(), time.monotonic()
        honest.begin()
        spent = _attack(task, seconds)
        took, used = time.monotonic() - began, (server.cpu() or 0.0) - (cpu or 0.0)
        noticed = honest.finish()
        after = server.memory()
    assert before is not None
    assert after is not None
    return judged(noticed, spent, took, used, max(0, after.peak - before.resident))


def _attack(task: attacker.Task, seconds: float) -> attacker.Spent:
    """Run the attacker for `seconds` seconds, in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=attacker.main, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if ours.poll(seconds):
            raise LoadError("the attacker has ended by itself")
        ours.send("stop")
        if not ours.poll(_ANSWER_SECONDS):
            raise LoadError("the attacker does not end")
        spent: attacker.Spent = ours.recv()
    except (EOFError, BrokenPipeError):
        raise LoadError("the attacker has ended by itself") from None
    finally:
        process.kill()
        process.join()
        ours.close()
    return spent


def judged(noticed: Noticed, spent: attacker.Spent, seconds: float, cpu: float, growth: int) -> Hostile:
    """Return the figures, and the promises that they break."""
    languages = {language: Percentiles.of(values) for language, values in noticed.latencies.items()}
    everything = [one for values in noticed.latencies.values() for one in values]
    result = Hostile(
        seconds=seconds,
        said=noticed.said,
        latency=Percentiles.of(everything),
        languages=languages,
        echo=Percentiles.of(noticed.echoes),
        coming=Percentiles.of(noticed.comings),
        login=Percentiles.of(noticed.logins),
        lost=noticed.lost,
        repeated=noticed.repeated,
        out_of_order=noticed.out_of_order,
        cut_off=noticed.cut_off,
        kept_out=noticed.kept_out,
        refused=noticed.refused,
        growth_kib=growth,
        cpu_percent=100 * cpu / seconds,
        attacker_sent=spent.sent,
        attacker_received=spent.received,
        attacker_connections=spent.connections,
        attacker_refused=spent.refused,
        attacker_ended=spent.ended,
        attacker_cpu_percent=100 * spent.cpu / seconds,
        turns=dict(spent.turns),
        won=dict(spent.won),
        errors=dict(spent.errors),
    )
    result.broken.extend(_broken(result, noticed.record))
    return result


def _broken(result: Hostile, record: str | None) -> Iterator[str]:
    """Yield the broken promises, in words."""
    if result.latency.p99 >= WORST_P99_MS:
        yield f"p99 of honest members is {result.latency.p99:.0f} ms, not under {WORST_P99_MS:.0f}"
    if result.growth_kib >= WORST_GROWTH_KIB:
        yield f"memory grew by {result.growth_kib / 1024:.0f} MiB, not by less than {WORST_GROWTH_KIB // 1024}"
    wrong = {"lost": result.lost, "repeated": result.repeated, "out of order": result.out_of_order}
    yield from (f"{count} deliveries {what}" for what, count in wrong.items() if count)
    for what, notices in {
        "members cut off": result.cut_off,
        "newcomers kept out": result.kept_out,
        "messages refused": result.refused,
    }.items():
        if notices:
            yield f"{len(notices)} {what}, first {notices[0]}"
    yield from (f"{what} ({count} times)" for what, count in result.won.items())
    yield from (f"the attack itself failed: {what} ({count} times)" for what, count in result.errors.items())
    if not result.said:
        yield "nobody honest said anything"
    if record is not None:
        yield record
