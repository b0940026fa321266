"""The commands: their options and their help. What they do is elsewhere, how they are read in `parsing.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pychat import __version__
from pychat.cli import record_commands, setup_commands
from pychat.cli.amounts import BadAmount, parse_keep
from pychat.cli.joining import Entrance, own_nicknames
from pychat.cli.logs import FORMATS, LEVELS
from pychat.cli.parsing import (
    FILE,
    NEW_FILE,
    Checked,
    Choice,
    ClientCommand,
    EventId,
    Exit,
    Group,
    IntRange,
    UsageError,
    argument,
    call_again,
    config_option,
    group,
    limit_options,
    option,
    refuse_together,
    version_option,
)
from pychat.cli.pipe import Pipe
from pychat.cli.plan import CannotServe, NoHandler, Plan
from pychat.cli.secret_files import ACCOUNT_PASSWORD_VARIABLE, PASSWORD_VARIABLE, BadSecret, read_password
from pychat.cli.send import NothingToSay, say_once, text_of
from pychat.cli.streams import can_converse
from pychat.cli.tail import Tail
from pychat.core.errors import InvalidRoomName
from pychat.core.limits import Limits
from pychat.transport.origins import Proxies
from pychat.transport.trust import Certificate, Trust


@group(
    cls=Group,
    context_settings={
        "auto_envvar_prefix": "PYCHAT",
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "max_content_width": 100,
    },
)
@version_option(__version__, package_name="pychat", message="pychat %(version)s")
@option("--debug", is_flag=True, help="When something fails, show the whole traceback.")
def cli(debug: bool) -> None:
    """
    A chat server, and a client for it.

    Start a server with "pychat serve". Join it with "pychat connect --nick NAME", with any IRC client, or with any
    program that sends and receives lines: "nc 127.0.0.1 55555".
    """


def main() -> None:
    """Run `pychat`."""
    cli(prog_name="pychat")


# The server


@cli.command()
@option("--port", default=55555, type=IntRange(0, 65535), metavar="N", help="0 takes a free one.")
@option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen; 0.0.0.0 or :: for everywhere.")
@option(
    "--unix",
    type=NEW_FILE,
    metavar="PATH",
    help="Listen on this Unix socket instead of a port; owner and group may connect.",
)
@option(
    "--room",
    multiple=True,
    default=("lobby",),
    metavar="NAME",
    help="A room that is always there; the first is where everybody comes in. Can be repeated.",
)
@option("--server-name", default="pychat", metavar="NAME", help="What the server calls itself.")
@option("--motd", type=FILE, metavar="FILE", help="Show the lines of this file to everybody who comes in.")
@option("--password-file", type=FILE, metavar="FILE", help="Let in only those who know the password in this file.")
@option(
    "--oper-file",
    type=FILE,
    metavar="FILE",
    help="Let those whose name and password are in this file become server operators.",
)
@option(
    "--tls-cert",
    type=FILE,
    metavar="FILE",
    help="Speak TLS, too, on the same port, with the certificate in this PEM file.",
)
@option("--tls-key", type=FILE, metavar="FILE", help="The key of the certificate, if it is in another file.")
@option("--tls-required", is_flag=True, help="Refuse who does not speak TLS.")
@option(
    "--proxy-from",
    multiple=True,
    type=Checked("address", lambda text: Proxies([text])),
    metavar="ADDRESS",
    help="From this address, or network like 10.0.0.0/8, only proxies connect, which say whom they bring (PROXY "
    "protocol, version 1); unix: by the Unix socket. Can be repeated.",
)
@option("--db", type=NEW_FILE, metavar="FILE", help="Keep what is said in this file; otherwise it is in memory only.")
@option(
    "--db-sync",
    type=Choice(("full", "normal")),
    default="full",
    help="What a loss of power may take: nothing, or, to be faster, the last moments.",
)
@option(
    "--keep",
    multiple=True,
    type=Checked("amount", lambda text: parse_keep([text])),
    metavar="AMOUNT",
    help="Delete what is older than 30d (or min, h, w), or the oldest over 1GB (or MB, TB). Can be given for both.",
)
@option("--no-registration", is_flag=True, help="Let nobody make an account; those that there are can log in.")
@option("--no-flood-control", is_flag=True, help="Let everybody send as fast as they can.")
@option(
    "--handler",
    multiple=True,
    metavar="MODULE:CLASS",
    help="Add a handler of your own (installed, or in this directory). Can be repeated.",
)
@option("--cpu", type=IntRange(min=0), metavar="N", help="Run on this processor only: less work, often.")
@option("--log-level", type=Choice(LEVELS), default="info", help="What is written to stderr.")
@option("--log-format", type=Choice(FORMATS), default="text", help="How it is written.")
@config_option
@limit_options
def serve(**options: Any) -> None:
    """
    Run a chat server until Ctrl-C.

    It listens on this machine only, unless --host says otherwise. People join with "pychat connect", an IRC client,
    nc, telnet or any program that speaks JSON lines, all on the same port.
    """
    plan = _plan(**options)
    from pychat.cli import daemon  # the whole server; only who serves pays for loading it

    try:
        daemon.run(plan, _plan_again)
    except (NoHandler, BadSecret, InvalidRoomName) as error:
        raise UsageError(str(error)) from error


def _plan_again() -> Plan:
    """What the options of the running `serve` say now: files and environment may have changed."""
    try:
        return call_again(_plan)
    except UsageError as error:
        raise CannotServe(error.format_message()) from error


def _plan(
    port: int,
    host: str,
    unix: Path | None,
    room: tuple[str, ...],
    server_name: str,
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
    cpu: int | None,
    log_level: str,
    log_format: str,
    **limits: Any,
) -> Plan:
    """What the options of `serve` say."""
    if tls_cert is None and (tls_key is not None or tls_required):
        raise UsageError("--tls-key and --tls-required need --tls-cert; make a certificate with: pychat cert")
    refuse_together("unix", "host", "port")
    try:
        parsed_keep = parse_keep(keep)
    except BadAmount as error:
        raise UsageError(str(error)) from error
    if keep and db is None:
        raise UsageError("--keep is about a file; name it with --db")
    return Plan(
        host=host if unix is None else str(unix),
        port=port if unix is None else None,
        rooms=room,
        server_name=server_name,
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
        cpu=cpu,
        log_level=log_level,
        log_format=log_format,
    )


# Clients


def _server_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say where the server is, and how to come in."""
    for add in (
        config_option,
        option("--tls-fingerprint", metavar="SHA256", help="Speak TLS, with the server that has this certificate."),
        option(
            "--tls-ca",
            type=FILE,
            metavar="FILE",
            help="Speak TLS, and trust the certificates in this PEM file instead of the system's authorities.",
        ),
        option("--tls", is_flag=True, help="Speak TLS with the server, whose certificate must be valid."),
        option("--account-password-file", type=FILE, metavar="FILE", help="Its password is in this file."),
        option("--account", metavar="NAME", help="Log in to this account."),
        option("--password-file", type=FILE, metavar="FILE", help="The server's password is in this file."),
        option("--unix", type=NEW_FILE, metavar="PATH", help="Where its Unix socket is, instead of host and port."),
        option("--port", default=55555, type=IntRange(1, 65535), metavar="N", help="Its port."),
        option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where the server is."),
    ):
        function = add(function)
    return function


def _entrance(
    host: str,
    port: int,
    unix: Path | None,
    password_file: Path | None,
    account: str | None,
    account_password_file: Path | None,
    tls: bool,
    tls_ca: Path | None,
    tls_fingerprint: str | None,
) -> Entrance:
    """What the options of `_server_options` say."""
    refuse_together("unix", "host", "port")
    is_named = tls_ca is not None or tls_fingerprint is not None  # also by "", which must not be no TLS
    trust = Trust(tls_ca, tls_fingerprint) if is_named else tls
    try:
        return Entrance(
            host if unix is None else str(unix),
            port if unix is None else None,
            read_password(password_file, PASSWORD_VARIABLE),
            trust,
            account=account,
            account_password=read_password(account_password_file, ACCOUNT_PASSWORD_VARIABLE),
        )
    except BadSecret as error:
        raise UsageError(str(error)) from error


@cli.command(cls=ClientCommand)
@option("--nick", metavar="NAME", help="Your nickname; without it you are asked, if you sit at a terminal.")
@option(
    "--room",
    multiple=True,
    metavar="NAME",
    help="Where to go; otherwise where the server lets everybody in. Can be repeated: you talk in the last one.",
)
@option("--json", is_flag=True, help="Write what is heard as JSON lines, and take requests as such.")
@option("--no-reconnect", is_flag=True, help="End when the connection is lost.")
@option("--no-color", is_flag=True, help="Use no colors at a terminal.")
@_server_options
def connect(
    nick: str | None,
    room: tuple[str, ...],
    json: bool,
    no_reconnect: bool,
    no_color: bool,
    **server: Any,
) -> None:
    """
    Join a chat.

    At a terminal, type a line and Enter to say it; /help lists what else you can do. In a pipe, each line of the
    input is said as it is, and the command ends when the last one is acknowledged: "echo hi | pychat connect --nick
    ci". With --json, each line is a request of the protocol, for programs: {"type": "say", "text": "hi"}.
    """
    entrance = _entrance(**server)
    nick = nick if nick is not None else entrance.account
    if not json and can_converse():
        from pychat.terminal import run  # prompt_toolkit takes 0.15 s, and is for terminals only

        code = run(
            lambda name: entrance.connect(name, room, reconnect=not no_reconnect, replay=True, own_messages=True),
            nick,
            color=False if no_color else None,
        )
    elif nick is None:
        raise UsageError("give a nickname with --nick: there is no terminal to ask for one")
    else:
        enter = entrance.connect if json and not room else entrance.connect_into
        code = Pipe(enter(nick, room, reconnect=not no_reconnect), as_json=json).run()
    raise Exit(code)


@cli.command(cls=ClientCommand)
@option("--nick", metavar="NAME", help="Your nickname; otherwise your name on this machine, or one like it.")
@option("--room", metavar="NAME", help="Where to say it; otherwise where the server lets everybody in.")
@_server_options
@argument("text", nargs=-1)
def send(nick: str | None, room: str | None, text: tuple[str, ...], **server: Any) -> None:
    """
    Say one thing, and go.

    Several words are one text. Without any, or with "-", all lines of the input are one message: "git log -1 |
    pychat send --room ops". The command ends when the server has accepted it.
    """
    entrance = _entrance(**server)
    try:
        what = text_of(text)
    except NothingToSay as error:
        raise UsageError(str(error)) from error
    say_once(entrance, own_nicknames() if nick is None else [nick], room, what)


@cli.command(cls=ClientCommand)
@option("--nick", metavar="NAME", help="Your nickname; otherwise your name on this machine with -tail behind it.")
@option("--room", metavar="NAME", help="Which room; otherwise the one where the server lets everybody in.")
@option(
    "--lines", "-n", default=10, type=IntRange(0, 10**9), metavar="N", help="Begin with so many of the last events."
)
@option("--since", type=EventId(), metavar="ID", help="Begin behind the event with this id instead.")
@option("--json", is_flag=True, help="Write each event as a line of JSON, with its id.")
@_server_options
def tail(
    nick: str | None,
    room: str | None,
    lines: int,
    since: str | None,
    json: bool,
    **server: Any,
) -> None:
    """
    Print what happens in a room, until Ctrl-C.

    It says nothing, but members see that somebody is there. When the connection is lost, it comes back, and prints
    what was missed.
    """
    entrance = _entrance(**server)
    nicks = own_nicknames("-tail") if nick is None else [nick]
    with entrance.connect_as_any(nicks, room, reconnect=True) as client:
        Tail(client, as_json=json).follow(lines, None if since is None else int(since, 16))


# Declared elsewhere; help lists them in this order, too

for declared in (
    record_commands.history,
    record_commands.db,
    setup_commands.cert,
    setup_commands.config,
    setup_commands.doctor,
    setup_commands.completion,
):
    cli.add_command(declared)
