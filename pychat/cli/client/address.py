"""The server that a command is for: an address, or the options for it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pychat.cli.addresses import BadAddress, Target, check_host, parse_target
from pychat.cli.click_app import (
    CLIENT,
    FOUND,
    NEW_FILE,
    Checked,
    Context,
    IntRange,
    ParameterSource,
    UsageError,
    argument,
    get_current_context,
    shared_option,
)

address_argument: Final = argument("address", required=False, metavar="[ADDRESS]")
address_options: Final = (
    shared_option(
        "--unix", type=NEW_FILE, metavar="PATH", help="Path of the server's Unix socket, instead of host and port."
    ),
    shared_option("--port", "-p", default=55555, type=IntRange(1, 65535), metavar="N", help="Port of the server."),
    shared_option(
        "--host",
        default="127.0.0.1",
        type=Checked("address", check_host),
        metavar="ADDRESS",
        help="Host of the server.",
    ),
)


def target_of(address: str | None, nick: str | None = None) -> tuple[Target | None, str | None]:
    """
    Return the address in the argument, and the nickname from `--nick` or from the address.

    Raises:
        UsageError: If the argument is not an address, or duplicates an option.
    """
    if address is None:
        return None, nick
    try:
        target = parse_target(address)
    except BadAddress as error:
        raise UsageError(str(error)) from error
    twice = [name for name in ("host", "unix") if given(name)]
    twice += ["port"] * (given("port") and (target.port is not None or target.is_unix))
    twice += ["nick"] * (target.nick is not None and given("nick"))
    if twice:
        raise UsageError(f"{address!r} and --{twice[0]} name the same thing; leave out one of them")
    return target, target.nick or nick


def place_of(host: str, port: int, unix: Path | None, target: Target | None = None) -> tuple[str, int | None]:
    """
    Return host and port; or the path of a Unix socket, and None.

    Raises:
        UsageError: If the command line has both.
    """
    if target is not None:
        return target.host, None if target.is_unix else target.port or port
    refuse_together("unix", "host", "port")
    return (str(unix), None) if unix is not None and counts_before("unix", "host", "port") else (host, port)


def refuse_together(name: str, *others: str) -> None:
    """
    Check that the command line of the running command does not combine an option with one that it replaces.

    In a file or the environment they may both be set: then the replacing one counts.

    Raises:
        UsageError: If it does.
    """
    if given(name) and any(map(given, others)):
        raise UsageError(f"--{name} cannot be combined with {' and '.join(f'--{one}' for one in others)}")


def counts_before(name: str, *others: str) -> bool:
    """
    Return whether an option of the running command is given and takes priority over others that it replaces.

    The source with the highest priority counts: the command line, the environment, the command's table in a file,
    `[client]`. In the same source, the replacing option counts.
    """
    ctx = get_current_context()
    return ctx.params[name] is not None and _distance(ctx, name) <= min(_distance(ctx, other) for other in others)


def _distance(ctx: Context, name: str) -> int:
    """Return the distance of an option's source from the command line."""
    places = [ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP]
    source = ctx.get_parameter_source(name)
    is_shared = source is ParameterSource.DEFAULT_MAP and ctx.meta[FOUND].get(name) == CLIENT
    return places.index(source) + is_shared if source in places else len(places) + 1


def given(name: str) -> bool:
    """Return whether the command line of the running command has the option."""
    return get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
