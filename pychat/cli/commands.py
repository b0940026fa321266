"""The commands: their options and their help. Other modules implement them; `click_app.py` parses the command line."""

from __future__ import annotations

from typing import Any, Final

from pychat import __version__
from pychat.cli import account_commands, client_commands, setup_commands
from pychat.cli import db_commands as record_commands
from pychat.cli.addresses import check_host
from pychat.cli.click_app import (
    FILE,
    NEW_FILE,
    Checked,
    Choice,
    Command,
    Context,
    Exit,
    Group,
    IntRange,
    UsageError,
    argument,
    command,
    config_option,
    get_current_context,
    group,
    help_of,
    limit_options,
    option,
    pass_context,
    version_option,
)
from pychat.cli.config_file import room_name
from pychat.cli.exit_codes import ERROR, USAGE
from pychat.cli.option_help import misspelt_variables
from pychat.cli.secrets import BadSecret
from pychat.cli.server.log_format import FORMATS, LEVELS
from pychat.cli.server.options import NoHandler
from pychat.cli.server.plan import plan_again, plan_serve
from pychat.cli.streams import Output, say_on_stderr
from pychat.cli.units import parse_keep
from pychat.model.errors import ChatError, Refused
from pychat.transport.origins import Proxies
from pychat.version import DESCRIPTION

_VERSION: Final = f"pychat {__version__}"


@group(
    cls=Group,
    context_settings={
        "auto_envvar_prefix": "PYCHAT",
        "help_option_names": ["-h", "--help"],
        "show_default": True,
        "max_content_width": 100,
    },
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@version_option(__version__, "-V", "--version", message=_VERSION)
@option("--debug", is_flag=True, help="Show the whole traceback of an error.")
@pass_context
def cli(ctx: Context, debug: bool) -> None:
    """
    A chat server, and a client for it.

    Start a server with "pychat serve". Join it with "pychat connect --nick NAME", with any IRC client, or with any
    program that sends and receives lines: "nc 127.0.0.1 55555".
    """
    if ctx.invoked_subcommand is None:
        Output().write(help_of(ctx, None))
    elif ctx.invoked_subcommand != "serve":  # `serve` logs its own warnings
        for text in misspelt_variables(ctx):
            say_on_stderr(f"warning: {text}")


def main() -> None:
    """Run `pychat`."""
    cli(prog_name="pychat")


# The server


@cli.command()
@option(
    "--port", "-p", default=55555, type=IntRange(0, 65535), metavar="N", help="Port to listen on; 0 for any free one."
)
@option(
    "--host",
    default="127.0.0.1",
    type=Checked("address", check_host),
    metavar="ADDRESS",
    help="Address to listen on; 0.0.0.0 or :: for all.",
)
@option(
    "--unix",
    type=NEW_FILE,
    metavar="PATH",
    help="Listen on this Unix socket instead of a port; owner and group may connect.",
)
@option(
    "--room",
    multiple=True,
    type=room_name,
    default=("lobby",),
    metavar="NAME",
    help="A room that always exists; everybody joins the first one. Can be repeated.",
)
@option("--server-name", default="pychat", metavar="NAME", help="The name of the server.")
@option("--server-description", default=DESCRIPTION, metavar="TEXT", help="One line about the server, for IRC clients.")
@option("--motd", type=FILE, metavar="FILE", help="Show the lines of this file to everybody who connects.")
@option("--password-file", type=FILE, metavar="FILE", help="Require the password in this file from all clients.")
@option(
    "--oper-file",
    type=FILE,
    metavar="FILE",
    help="Names and passwords of the server operators are in this file.",
)
@option(
    "--tls-cert",
    type=FILE,
    metavar="FILE",
    help="Accept TLS on the same port, too, with the certificate in this PEM file.",
)
@option("--tls-key", type=FILE, metavar="FILE", help="The key of the certificate, if it is in another file.")
@option("--tls-required", is_flag=True, help="Refuse connections without TLS.")
@option(
    "--proxy-from",
    multiple=True,
    type=Checked("address", lambda text: Proxies([text])),
    metavar="ADDRESS",
    help="Address or network (10.0.0.0/8) of proxies, or unix: for the Unix socket: all connections from there must "
    "name their client (PROXY protocol, version 1). Can be repeated.",
)
@option("--db", type=NEW_FILE, metavar="FILE", help="Store messages in this file; without it, they are in memory only.")
@option(
    "--db-sync",
    type=Choice(("full", "normal")),
    default="full",
    help="full: a power failure loses nothing; normal: faster, but it can lose the last moments.",
)
@option(
    "--keep",
    multiple=True,
    type=Checked("amount", lambda text: parse_keep([text])),
    metavar="AMOUNT",
    help="Delete messages older than 30d (or s, m, h, w), or the oldest above 1GB (or MB, TB). Can be given for both.",
)
@option("--no-registration", is_flag=True, help="Do not let people create accounts; existing ones can log in.")
@option("--no-flood-control", is_flag=True, help="Do not limit how fast people send.")
@option(
    "--handler",
    multiple=True,
    metavar="MODULE:CLASS",
    help="Add a handler of your own (installed, or in this directory). Can be repeated.",
)
@option(
    "--threads",
    type=Choice(("few", "each")),
    default="few",
    help="few: one thread serves everybody, and a client gets its own while a handler blocks for it; each: one for "
    "each.",
)
@option("--cpu", type=IntRange(min=0), metavar="N", help="Run on this processor only, which often needs less CPU time.")
@option("--log-level", type=Choice(LEVELS), default="info", help="Log messages of this level and above to stderr.")
@option("--log-format", type=Choice(FORMATS), default="text", help="Format of the log.")
@config_option
@limit_options
def serve(**options: Any) -> None:
    """
    Run a chat server until Ctrl-C.

    It listens on this machine only, unless --host says otherwise. People join with "pychat connect", an IRC client,
    nc, telnet or any program that speaks JSON lines, all on the same port.
    """
    plan = plan_serve(**options)
    from pychat.cli.server import serve as daemon

    try:
        daemon.run(plan, plan_again, misspelt_variables(get_current_context()))
    except ChatError as error:
        is_misuse = isinstance(error, NoHandler | BadSecret | Refused)
        if plan.log_format == "json":
            daemon.logger.error("%s", error)
            raise Exit(USAGE if is_misuse else ERROR) from error
        if is_misuse:
            raise UsageError(str(error)) from error
        raise


# Common attempts


def _beginning(ctx: Context, text: str) -> list[str]:
    """Return the commands with this prefix, for shell completion."""
    root = ctx.find_root().command
    assert isinstance(root, Group)
    return [name for name in root.commands if name.startswith(text)]


@command("help", cls=Command)
@argument("name", metavar="[COMMAND]", required=False, shell_complete=lambda ctx, _, text: _beginning(ctx, text))
@pass_context
def help_(ctx: Context, name: str | None) -> None:
    """Explain pychat, or one command: "pychat help send"."""
    Output().write(help_of(ctx.find_root(), name))


@command("version", cls=Command)
def version_() -> None:
    """Print the version."""
    Output().write([_VERSION])


# Declared elsewhere; help lists them in this order, too

for declared in (
    client_commands.connect,
    client_commands.send,
    client_commands.tail,
    client_commands.announce,
    record_commands.history,
    record_commands.db,
    account_commands.account,
    setup_commands.cert,
    setup_commands.config,
    setup_commands.doctor,
    setup_commands.completion,
    help_,
    version_,
):
    cli.add_command(declared)
