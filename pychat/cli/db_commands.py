"""
The commands for a record in a file: their options and their help, as in `commands.py`.

Modules that open a file are imported where they are used, because other commands do not need a database.
"""

from __future__ import annotations

from pathlib import Path

from pychat.cli.click_app import (
    FILE,
    NEW_FILE,
    Checked,
    Choice,
    Command,
    Context,
    Exit,
    IntRange,
    Section,
    UsageError,
    argument,
    command,
    config_option,
    group,
    option,
    pass_context,
)
from pychat.cli.config_file import room_name
from pychat.cli.doctor import Finding, Grade, report
from pychat.cli.option_help import settings_of
from pychat.cli.streams import Output
from pychat.cli.units import number_of, parse_position, size_of
from pychat.model.errors import Refused
from pychat.model.search import Terms

_NO_FILE = "no file is named; use --db, the variable PYCHAT_SERVE_DB, or db in the table [serve] of a config file"


@command(cls=Command)
@option("--db", type=FILE, metavar="FILE", help="The file; default: that of pychat serve.")
@option("--room", type=room_name, metavar="NAME", help="Only events of this room; default: of all rooms.")
@option("--audit", is_flag=True, help="Print the audit record instead: kicks, bans, modes, accounts.")
@option("--search", metavar="WORDS", help='Only messages with these words, "phrases" or beginnings of words*.')
@option("--since", type=Checked("position", parse_position), metavar="TIME|ID", help="Begin at this time or id.")
@option("--before", type=Checked("position", parse_position), metavar="TIME|ID", help="End at this time or id.")
@option("--lines", "-n", type=IntRange(0, 10**9), metavar="N", help="Only this many of the last events.")
@option("--format", type=Choice(("text", "json")), default="text", help="Format of the output.")
@config_option
@pass_context
def history(
    ctx: Context,
    db: Path | None,
    room: str | None,
    audit: bool,
    search: str | None,
    since: str | None,
    before: str | None,
    lines: int | None,
    format: str,
) -> None:
    """
    Print messages from a database file.

    It needs no server; one may be using the file. A time is 2026-11-22, 2026-11-22T15:04, 15:04 (today) or 2h (ago).
    --since includes events at the given time; an event with the given id is not printed. In JSON, each event is one
    line.
    """
    path = db or next(setting.value for setting in settings_of(ctx, "serve", ()) if setting.option == "db")
    if not isinstance(path, Path):
        raise UsageError(_NO_FILE)
    try:
        terms = None if search is None else Terms(search)
    except Refused as error:
        raise UsageError(str(error)) from error
    from pychat.cli.history import Wanted, print_history

    wanted = Wanted(
        room,
        terms,
        None if since is None else parse_position(since),
        None if before is None else parse_position(before),
        lines,
        audit,
    )
    if audit and (room is not None or terms is not None):
        raise UsageError("--audit cannot be combined with --room or --search")
    print_history(path, wanted, as_json=format == "json")


@group(cls=Section)
def db() -> None:
    """Check, back up or shrink a database file."""


@db.command()
@argument("file", type=FILE)
def check(file: Path) -> None:
    """
    Check a whole database file for damage.

    A server may be using it. The exit code is 1 if something is wrong.
    """
    from pychat.stores.sqlite import check as upkeep

    found = upkeep.inspect(file)
    good = {
        "file": "the file is not damaged",
        "record": f"{number_of(found.events, 'event')} of {number_of(found.rooms, 'room')}, all in order",
        "index": f"{number_of(found.messages, 'message')} can be searched",
    }
    problems = {"file": found.damage, "record": found.disorder, "index": found.not_found}
    findings = [
        finding
        for subject, texts in problems.items()
        for finding in [Finding(Grade.WRONG, subject, text) for text in texts]
        or [Finding(Grade.OK, subject, good[subject])]
    ]
    Output().write(report(findings))
    raise Exit(int(any(problems.values())))


@db.command()
@argument("file", type=FILE)
@argument("target", type=NEW_FILE)
def backup(file: Path, target: Path) -> None:
    """
    Copy a database file to a new one, even while a server uses it.

    The copy has everything that was stored when the command began, and can be used like the original.
    """
    from pychat.stores.sqlite import check as upkeep

    size = upkeep.back_up(file, target)
    Output().write([f"{target} has {size_of(size)}"])


@db.command()
@argument("file", type=FILE)
def vacuum(file: Path) -> None:
    """
    Shrink a database file: return its free space to the disk.

    This is refused while a server uses the file; the server reuses free space itself. The disk needs as much free space
    as the file will have.
    """
    from pychat.stores.sqlite import check as upkeep

    before, after = upkeep.vacuum(file)
    Output().write([f"{file} had {size_of(before)} and has {size_of(after)}"])
