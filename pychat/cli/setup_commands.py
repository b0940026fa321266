"""The commands for setting pychat up: their options and their help, as in `commands.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pychat.cli.addresses import check_host
from pychat.cli.click_app import (
    DIRECTORY,
    NEW_FILE,
    Checked,
    Choice,
    Command,
    Context,
    Exit,
    IntRange,
    UsageError,
    argument,
    command,
    completion_script,
    config_option,
    option,
    pass_context,
    shared_option,
)
from pychat.cli.client.address import address_argument, place_of, target_of
from pychat.cli.doctor import Finding, Grade, check_answer, check_doubts, check_tls, examine, joining, report
from pychat.cli.option_help import configurable, settings_of
from pychat.cli.server.plan import plan_of
from pychat.cli.show_config import table
from pychat.cli.streams import Output
from pychat.model.errors import ChatError
from pychat.transport.trust import BadCertificate

_PASS_ON: Final = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""Settings of a command that takes the arguments of another one."""
_SHELLS: Final = ("bash", "zsh", "fish")


@command(cls=Command)
@option(
    "--host",
    multiple=True,
    default=("localhost", "127.0.0.1", "::1"),
    metavar="NAME",
    help="Host name or address by which the server is reached. Can be repeated.",
)
@option("--days", type=IntRange(1, 36_500), default=365, metavar="N", help="Number of days for which it is valid.")
@option("--out", type=DIRECTORY, default=Path(), metavar="DIR", help="Where to write cert.pem and key.pem.")
@config_option
def cert(host: tuple[str, ...], days: int, out: Path) -> None:
    """
    Make a certificate for "pychat serve --tls-cert".

    It is self-signed, so clients need its fingerprint to trust it. The program openssl makes it.
    """
    from pychat.cli.server.certificate import how_to_use, make_certificate  # loads ssl

    Output().write(how_to_use(make_certificate(host, days, out), host, days))


def try_out_serve(ctx: Context, arguments: Sequence[str] = ()) -> None:
    """
    Check that `pychat serve` could start with these arguments.

    Raises:
        UsageError, ChatError: If it could not.
    """
    from pychat.cli.server.build import try_out  # loads the server

    try_out(plan_of(ctx, arguments))


def _beginning(ctx: Context, param: object, text: str) -> list[str]:
    """Return the commands with options and this prefix, for shell completion."""
    return [name for name in configurable(ctx.find_root().command) if name.startswith(text)]


@command(cls=Command, context_settings=_PASS_ON)
@argument("command", required=False, shell_complete=_beginning)
@argument("arguments", nargs=-1)
@pass_context
def config(ctx: Context, command: str | None, arguments: tuple[str, ...]) -> None:
    """
    Print all options, and where their values come from.

    The output is a valid config file in TOML. Arguments after the command count, too: "pychat config serve --port
    6000".
    """
    known = configurable(ctx.find_root().command)
    if command is not None and command.partition("=")[0] == "--config":  # an option of all of them
        arguments = (command, *arguments)
        command = None
    if command is not None and command not in known:
        raise UsageError(f"{command!r} has no options to show; use one of: {', '.join(known)}")
    if command in (None, "serve"):
        try:
            try_out_serve(ctx, arguments)
        except ChatError as error:
            raise UsageError(str(error)) from error
    output = Output()
    for number, name in enumerate(known if command is None else [command]):
        output.write([*([""] if number else []), *table(name, settings_of(ctx, name, arguments))])


@command(cls=Command)
@address_argument
@shared_option("--port", "-p", default=55555, type=IntRange(1, 65535), metavar="N", help="Port of the server.")
@shared_option(
    "--host",
    default="127.0.0.1",
    type=Checked("address", check_host),
    metavar="ADDRESS",
    help="Address where the server listens, or will listen.",
)
@shared_option(
    "--unix", type=NEW_FILE, metavar="PATH", help="Path of the server's Unix socket, instead of host and port."
)
@option(
    "--expect",
    type=Choice(("server",)),
    metavar="server",
    help="Only check whether a pychat server answers; the exit code is 1 if none does.",
)
@config_option
@pass_context
def doctor(ctx: Context, address: str | None, port: int, host: str, unix: Path | None, expect: str | None) -> None:
    """
    Look for problems that could keep pychat from working here.

    The server is at HOST[:PORT], or at --host and --port. The command checks what answers there, the limits of the
    system, the clock, the terminal, the config file and the certificates that it names. The exit code is 1 if something
    is wrong.
    """
    where = place_of(host, port, unix, target_of(address)[0])
    if expect is not None:
        answers = check_answer(*where)
        Output().write(report([answers]))
        raise Exit(int(answers.grade is Grade.WRONG))
    findings = list(examine(*where))
    try:
        plan_of(ctx)
        settings = {name: settings_of(ctx, name, ()) for name in configurable(ctx.find_root().command)}
    except UsageError as error:
        findings.append(Finding(Grade.WRONG, "config", error.format_message()))
    else:
        findings.append(Finding(Grade.OK, "config", "the options in files and in the environment are valid"))
        for name, options in settings.items():
            values = {setting.option: setting.value for setting in options}
            findings += check_tls(name, values)
            if name == "serve":
                findings += check_doubts(values)
        try:
            try_out_serve(ctx)
        except BadCertificate:  # it is told already
            pass
        except (ChatError, UsageError) as error:
            findings.append(Finding(Grade.WRONG, "serve", str(error)))
        else:
            findings.append(Finding(Grade.OK, "serve", "a server with these options could start"))
    can_be_joined = Grade.WRONG not in [finding.grade for finding in findings if finding.subject == "port"]
    Output().write([*report(findings), *(joining(*where) if can_be_joined else [])])
    raise Exit(int(any(finding.grade is Grade.WRONG for finding in findings)))


@command(cls=Command)
@argument("shell", type=Choice(_SHELLS))
@pass_context
def completion(ctx: Context, shell: str) -> None:
    """
    Print a script for the completion of "pychat" in a shell.

    For bash, put this into ~/.bashrc: eval "$(pychat completion bash)"
    """
    Output().write(completion_script(ctx.find_root().command, shell).splitlines())
