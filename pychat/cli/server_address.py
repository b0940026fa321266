"""Which server a command means: an address, or the options for it."""

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
    shared_option("--unix", type=NEW_FILE, metavar="PATH", help="Where its Unix socket is, instead of host and port."),
    shared_option("--port", "-p", default=55555, type=IntRange(1, 65535), metavar="N", help="Its port."),
    shared_option(
        "--host",
        default="127.0.0.1",
        type=Checked("address", check_host),
        metavar="ADDRESS",
        help="Where the server is.",
    ),
)


def target_of(address: str | None, nick: str | None = None) -> tuple[Target | None, str | None]:
    """
    Return what the argument says, and the nickname: that of `--nick`, or the one in the address.

    Raises:
        UsageError: The argument is no address, or says twice what an option says, too.
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
        raise UsageError(f"{address!r} and --{twice[0]} say the same; leave out one of them")
    return target, target.nick or nick


def place_of(host: str, port: int, unix: Path | None, target: Target | None = None) -> tuple[str, int | None]:
    """
    Return host and port; or the path of a Unix socket, and None.

    Raises:
        UsageError: The command line has both.
    """
    if target is not None:
        return target.host, None if target.is_unix else target.port or port
    refuse_together("unix", "host", "port")
    return (str(unix), None) if unix is not None and counts_before("unix", "host", "port") else (host, port)


def refuse_together(name: str, *others: str) -> None:
    """
    Return if the command line of the running command does not have an option beside another one that it replaces.

    In a file or the environment they may stand beside each other: then the one that replaces counts.

    Raises:
        UsageError: It does.
    """
    if given(name) and any(map(given, others)):
        raise UsageError(f"--{name} is instead of {' and '.join(f'--{one}' for one in others)}; leave out one of them")


def counts_before(name: str, *others: str) -> bool:
    """
    Whether an option of the running command is given, and counts before others that it replaces.

    The nearest place counts: the command line, the environment, the table of the command in a file, `[client]`. In the
    same place, it is the one that replaces.
    """
    ctx = get_current_context()
    return ctx.params[name] is not None and _distance(ctx, name) <= min(_distance(ctx, other) for other in others)


def _distance(ctx: Context, name: str) -> int:
    """How far from the command line the value of an option is."""
    places = [ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP]
    source = ctx.get_parameter_source(name)
    is_shared = source is ParameterSource.DEFAULT_MAP and ctx.meta[FOUND].get(name) == CLIENT
    return places.index(source) + is_shared if source in places else len(places) + 1


def given(name: str) -> bool:
    """Whether the command line of the running command has the option."""
    return get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
