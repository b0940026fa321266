"""The plan of `pychat serve` from its options: at the start, on a reload, and for commands that only check it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pychat.cli.click_app import Context, UsageError, call_again
from pychat.cli.client.address import refuse_together
from pychat.cli.option_help import as_called
from pychat.cli.server.options import CannotServe, Plan
from pychat.cli.units import BadAmount, parse_keep
from pychat.model.limits import Limits
from pychat.transport.trust import Certificate


def plan_serve(
    port: int,
    host: str,
    unix: Path | None,
    room: tuple[str, ...],
    server_name: str,
    server_description: str,
    motd: Path | None,
    password_file: Path | None,
    oper_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_required: bool,
    proxy_from: tuple[str, ...],
    db: Path | None,
    db_sync: str,
    keep: tuple[str, ...],
    no_registration: bool,
    no_flood_control: bool,
    handler: tuple[str, ...],
    threads: Literal["few", "each"],
    cpu: int | None,
    log_level: str,
    log_format: str,
    **limits: Any,
) -> Plan:
    """
    Return the plan from the options of `serve`.

    Raises:
        UsageError: If they contradict each other.
    """
    if tls_cert is None and (tls_key is not None or tls_required):
        raise UsageError("--tls-key and --tls-required need --tls-cert; make a certificate with: pychat cert")
    refuse_together("unix", "host", "port")
    try:
        parsed_keep = parse_keep(keep)
    except BadAmount as error:
        raise UsageError(str(error)) from error
    if keep and db is None:
        raise UsageError("--keep needs a database file; name it with --db")
    if not room:
        raise UsageError("name at least one room with --room; everybody joins the first one")
    return Plan(
        host=host if unix is None else str(unix),
        port=port if unix is None else None,
        rooms=room,
        server_name=server_name,
        server_description=server_description,
        motd=motd,
        oper_file=oper_file,
        password_file=password_file,
        tls=None if tls_cert is None else Certificate(tls_cert, tls_key),
        tls_required=tls_required,
        proxies=proxy_from,
        db=db,
        db_sync=db_sync,
        keep=parsed_keep,
        limits=Limits(**limits),
        registration=not no_registration,
        flood_control=not no_flood_control,
        handlers=handler,
        threads=threads,
        cpu=cpu,
        log_level=log_level,
        log_format=log_format,
    )


def plan_again() -> Plan:
    """
    Return the plan from the current options of the running `serve`: files and environment may have changed.

    Raises:
        CannotServe: If they are wrong now.
    """
    try:
        return call_again(plan_serve)
    except UsageError as error:
        raise CannotServe(error.format_message()) from error


def plan_of(ctx: Context, arguments: Sequence[str] = ()) -> Plan:
    """
    Return the plan of `serve` if called with these arguments; `ctx` is that of another command.

    Raises:
        UsageError: If arguments, environment or file are wrong.
    """
    with as_called(ctx, "serve", arguments) as called:
        return plan_serve(**called.params)
