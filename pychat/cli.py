"""The command line: options, their sources and their errors. What the commands do is elsewhere."""

from __future__ import annotations

import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

import click

from pychat import __version__
from pychat.client import ChatClient
from pychat.core.errors import ChatError, ConnectFailed, InvalidRoomName, Refused, TlsFailed, TlsRequired
from pychat.core.limits import Limits
from pychat.core.text import clean_line
from pychat.daemon import NoHandler, Plan, run
from pychat.logs import FORMATS, LEVELS, set_up
from pychat.options import BadConfig, BadOperators, limit_fields, read_config
from pychat.pipe import EXIT_CODES, Pipe
from pychat.transport.trust import Certificate, Trust

_SOURCES: Final = (
    "Each option can also be set by an environment variable, --{option} by {variable}, or in the table [{command}] of "
    "a TOML file: the one that --config names, or {default}. The command line goes first, then the environment, then "
    "the file."
)


class _Command(click.Command):
    """A command that lists the options of `Limits` in a section of their own."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Limits": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                sections["Limits" if isinstance(param, _LimitOption) else "Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class _LimitOption(click.Option):
    """An option for a field of `Limits`."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Leave out the range, which is what one would think."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class _Positive(click.FloatRange):
    """A number over zero, and not over 30 years of seconds, which is what the system can wait for."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):  # it is in any range
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def _file_option(name: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes a file that is there."""
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option(name, type=kind, metavar="FILE", help=text)


def _limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for field in reversed(limit_fields()):
        least = 0 if field.name == "replay_messages" else 1
        kind = click.IntRange(min=least) if field.kind is int else _Positive()
        function = click.option(
            f"--{field.name.replace('_', '-')}",
            cls=_LimitOption,
            type=kind,
            metavar="N",
            default=field.default,
            help=field.help,
        )(function)
    return function


def _use_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Let the file's values be the defaults of the other options."""
    if path is None:
        path = _default_config()
        if not path.is_file():
            return
    known = {
        name: [str(param.name) for param in command.params if param.name != "config"]
        for name, command in cli.commands.items()
    }
    try:
        values = read_config(path, str(ctx.info_name), known)
        for param in ctx.command.params:
            if param.name in values:
                values[param.name] = _config_value(path, param, values[param.name])
    except BadConfig as error:
        raise click.UsageError(str(error), ctx) from error
    ctx.default_map = {**(ctx.default_map or {}), **values}


def _config_value(path: Path, param: click.Parameter, value: object) -> object:
    """Return the value as the option takes it; click alone would make 1 of `true`, and of 1.5."""
    if param.multiple and isinstance(value, str):
        value = [value]
    if param.multiple:
        fits, wanted = isinstance(value, list) and all(isinstance(one, str) for one in value), "a list of strings"
    elif isinstance(param, click.Option) and param.is_flag:
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(param.type, click.types.IntParamType):
        fits, wanted = type(value) is int, "a whole number"
    elif isinstance(param.type, click.types.FloatParamType):
        fits, wanted = type(value) in (int, float), "a number"
    else:
        fits, wanted = isinstance(value, str), "a string"
    if not fits:
        key = str(param.name).replace("_", "-")
        raise BadConfig(path, f"{key!r} must be {wanted}, not {value!r}")
    return value


def _default_config() -> Path:
    return Path(click.get_app_dir("pychat")) / "config.toml"


_config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_use_config,
    metavar="FILE",
    help="Read options from a TOML file.",
)


def _sources(command: str, option: str) -> str:
    variable = f"PYCHAT_{command}_{option}".upper().replace("-", "_")
    return _SOURCES.format(command=command, option=option, variable=variable, default=_default_config())


_INTERRUPTED: Final = 130


def _exit_code(error: Exception) -> int:
    return next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)


class _Group(click.Group):
    """Turns what goes wrong into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(_INTERRUPTED) from None
        except Exception as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            text = str(error)
            if isinstance(error, TlsFailed):
                text += "; if that is your server's, add it with: --tls-fingerprint" if error.fingerprint else ""
            elif isinstance(error, Refused) and error.code == TlsRequired.code:
                text += "; add --tls, or --tls-fingerprint"
            elif isinstance(error, ConnectFailed):
                text += "; is the server running, and is this its address? Start one with: pychat serve"
            elif not isinstance(error, ChatError):
                text = (
                    f"unexpected {type(error).__name__}: {text}; see more with: pychat --debug {ctx.invoked_subcommand}"
                )
            click.echo(f"Error: {clean_line(text)}", err=True)
            raise click.exceptions.Exit(_exit_code(error)) from error


@click.group(
    cls=_Group,
    context_settings={
        "auto_envvar_prefix": "PYCHAT",
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "max_content_width": 100,
    },
)
@click.version_option(__version__, package_name="pychat", message="pychat %(version)s")
@click.option("--debug", is_flag=True, help="When something fails, show the whole traceback.")
def cli(debug: bool) -> None:
    """
    A chat server, and a client for it.

    Start a server with "pychat serve". Join it with "pychat connect --nick NAME", with any IRC client, or with any
    program that sends and receives lines: "nc 127.0.0.1 55555".
    """


@cli.command(cls=_Command, epilog=_sources("serve", "port"))
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen; 0.0.0.0 or :: for everywhere.")
@click.option("--port", default=55555, type=click.IntRange(0, 65535), metavar="N", help="0 takes a free one.")
@click.option(
    "--room",
    multiple=True,
    default=("lobby",),
    metavar="NAME",
    help="A room that is always there; the first is where everybody comes in. Can be repeated.",
)
@click.option("--server-name", default="pychat", metavar="NAME", help="What the server calls itself.")
@_file_option("--motd", "Show the lines of this file to everybody who comes in.")
@_file_option("--oper-file", "Let those whose name and password are in this file become server operators.")
@_file_option("--tls-cert", "Speak TLS, too, on the same port, with the certificate in this PEM file.")
@_file_option("--tls-key", "The key of the certificate, if it is in another file.")
@click.option("--tls-required", is_flag=True, help="Refuse who does not speak TLS.")
@click.option("--no-flood-control", is_flag=True, help="Let everybody send as fast as they can.")
@click.option(
    "--handler",
    multiple=True,
    metavar="MODULE:CLASS",
    help="Add a handler of your own (installed, or in this directory). Can be repeated.",
)
@click.option("--cpu", type=click.IntRange(min=0), metavar="N", help="Run on this processor only: less work, often.")
@click.option("--log-level", type=click.Choice(LEVELS), default="info", help="What is written to stderr.")
@click.option("--log-format", type=click.Choice(FORMATS), default="text", help="How it is written.")
@_config
@_limit_options
def serve(
    host: str,
    port: int,
    room: tuple[str, ...],
    server_name: str,
    motd: Path | None,
    oper_file: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_required: bool,
    no_flood_control: bool,
    handler: tuple[str, ...],
    cpu: int | None,
    log_level: str,
    log_format: str,
    **limits: Any,
) -> None:
    """
    Run a chat server until Ctrl-C.

    It listens on this machine only, unless --host says otherwise. People join with "pychat connect", an IRC client,
    nc, telnet or any program that speaks JSON lines, all on the same port.
    """
    set_up(log_level, log_format)
    plan = Plan(host, port, room, server_name, motd, oper_file, Limits(**limits), not no_flood_control, handler, cpu)
    if tls_cert is not None:
        plan = plan._replace(tls=Certificate(tls_cert, tls_key), tls_required=tls_required)
    elif tls_key is not None or tls_required:
        raise click.UsageError("--tls-key and --tls-required need --tls-cert; make a certificate with: pychat cert")
    try:
        run(plan)
    except (NoHandler, BadOperators, InvalidRoomName) as error:
        raise click.UsageError(str(error)) from error


@cli.command(cls=_Command, epilog=_sources("connect", "nick"))
@click.option("--nick", metavar="NAME", help="Your nickname; without it you are asked, if you sit at a terminal.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where the server is.")
@click.option("--port", default=55555, type=click.IntRange(1, 65535), metavar="N", help="Its port.")
@click.option(
    "--room",
    multiple=True,
    metavar="NAME",
    help="Where to go; otherwise where the server lets everybody in. Can be repeated: you talk in the last one.",
)
@click.option("--json", is_flag=True, help="Write what is heard as JSON lines, and take requests as such.")
@click.option("--no-reconnect", is_flag=True, help="End when the connection is lost.")
@click.option("--tls", is_flag=True, help="Speak TLS with the server, whose certificate must be valid.")
@_file_option("--tls-ca", "Speak TLS, and trust the certificates in this PEM file instead of the system's authorities.")
@click.option("--tls-fingerprint", metavar="SHA256", help="Speak TLS, with the server that has this certificate.")
@_config
def connect(
    nick: str | None,
    host: str,
    port: int,
    room: tuple[str, ...],
    json: bool,
    no_reconnect: bool,
    tls: bool,
    tls_ca: Path | None,
    tls_fingerprint: str | None,
) -> None:
    """
    Join a chat.

    At a terminal, type a line and Enter to say it; /help lists what else you can do. In a pipe, each line of the
    input is said as it is, and the command ends when the last one is acknowledged: "echo hi | pychat connect --nick
    ci". With --json, each line is a request of the protocol, for programs: {"type": "say", "text": "hi"}.

    \b
    Exit codes:
      0    everything was sent and acknowledged
      1    an error
      2    the command line is wrong
      3    cannot connect
      4    refused: the nickname, or something that was said
      5    the connection was lost, with --no-reconnect
      6    something was sent and not acknowledged
      130  interrupted by Ctrl-C
      141  nobody reads the output any more
    """
    wants_person = not json and _is_terminal(sys.stdin) and _is_terminal(sys.stdout) and not _is_dumb()

    trust = Trust(tls_ca, tls_fingerprint) if tls_ca or tls_fingerprint else tls

    def join(name: str) -> ChatClient:
        return ChatClient(host, port, nick=name, rooms=room, reconnect=not no_reconnect, replay=wants_person, tls=trust)

    if wants_person:
        from pychat.terminal import run as run_terminal  # prompt_toolkit takes 0.15 s, and is for terminals only

        code = run_terminal(join, nick)
    elif nick is None:
        raise click.UsageError("give a nickname with --nick: there is no terminal to ask for one")
    else:
        code = Pipe(join(nick), as_json=json).run()
    raise click.exceptions.Exit(code)


@cli.command(cls=_Command, epilog=_sources("cert", "days"))
@click.option(
    "--host",
    multiple=True,
    default=("localhost", "127.0.0.1", "::1"),
    metavar="NAME",
    help="Host name or address by which the server is reached. Can be repeated.",
)
@click.option("--days", type=click.IntRange(1, 36_500), default=365, metavar="N", help="How long it is good for.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where to write cert.pem and key.pem.",
)
@_config
def cert(host: tuple[str, ...], days: int, out: Path) -> None:
    """
    Make a certificate for "pychat serve --tls-cert".

    It vouches for itself, so nobody trusts it who was not told its fingerprint. The program openssl makes it.
    """
    from pychat.certificate import how_to_use, make_certificate  # loads ssl

    click.echo("\n".join(how_to_use(make_certificate(host, days, out), host, days)))


def _is_dumb() -> bool:
    """Whether the terminal cannot move its cursor: then what is typed and heard can only follow each other."""
    return os.environ.get("TERM", "").lower() in ("dumb", "unknown")


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


class OptionInfo(NamedTuple):
    """An option as the documentation must name it."""

    command: str
    """`serve`; empty for options of `pychat` itself."""
    option: str
    """`--port`."""
    variable: str
    """`PYCHAT_SERVE_PORT`."""
    help: str


def documented_options() -> Iterator[OptionInfo]:
    """Yield every option of every command; the tests look for them in docs/."""
    commands: dict[str, click.Command] = {"": cli, **cli.commands}
    for name, command in commands.items():
        for param in command.params:
            if isinstance(param, click.Option) and param.name != "version":
                variable = "_".join(filter(None, ["PYCHAT", name, str(param.name)])).upper()
                yield OptionInfo(name, param.opts[0], variable, param.help or "")


def main() -> None:
    """Run `pychat`."""
    cli(prog_name="pychat")
