"""
Parse the command line: the only user of click.

`commands.py` declares the commands with this module: click's own decorators, a command that also reads its options from
the environment and a file, and a group that turns errors into one line and an exit code.
"""

from __future__ import annotations

import math
import os
import re
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import click
from click import Choice as Choice
from click import Context as Context
from click import UsageError as UsageError
from click import argument as argument
from click import command as command
from click import get_current_context as get_current_context
from click import group as group
from click import option as option
from click import pass_context as pass_context
from click import version_option as version_option
from click.core import ParameterSource as ParameterSource
from click.exceptions import Exit as Exit
from click.shell_completion import get_completion_class

from pychat.cli.config_file import BadConfig, fitting, limit_fields, line_hint, read_config
from pychat.cli.exit_codes import INTERRUPTED, MEANINGS, exit_code, explain, is_interrupt
from pychat.cli.invocation import OTHER_NAMES
from pychat.cli.show_config import BadVariable, check_environment, variable_of
from pychat.cli.streams import ClosedPipe, is_terminal, say_on_stderr
from pychat.model.errors import ChatError

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
"""The type of an option for a file that must exist."""
DIRECTORY: Final = click.Path(path_type=Path)
"""The type of an option for a directory; its existence is checked where it is used."""
NEW_FILE: Final = click.Path(dir_okay=False, path_type=Path)
"""The type of an option for a file that may be created."""

T = TypeVar("T")
AnyCommand: TypeAlias = click.Command

_ARGUMENTS: Final = "pychat.arguments"
"""The context key of the command's arguments."""
CONFIG: Final = "pychat.config"
"""The context key of the path of the config file."""
FOUND: Final = "pychat.found"
"""The context key of the config tables that the options' values come from."""
_SHOWS_ALL: Final = "pychat.all"
"""The context key of whether help lists all options."""
CLIENT: Final = "client"
"""The config table for options of all commands that connect."""


# Commands


class Command(click.Command):
    """A command that explains the sources of its options, and lists options of `Limits` in a separate section."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = tuple(args)
        try:
            if self.is_configurable:
                known = [variable_of(self.name, param.name) for param in options_in(self)]
                check_environment(f"PYCHAT_{self.name}_".upper(), known, os.environ)
            return super().parse_args(ctx, args)
        except BadVariable as error:
            raise UsageError(str(error), ctx) from error
        except click.NoSuchOption:
            raise
        except click.BadParameter as error:
            if isinstance(error.param, click.Option):
                error.param_hint = _where(ctx, error.param)
            raise
        except click.UsageError as error:
            extra = re.fullmatch(r"Got unexpected extra arguments? \((\S+).*\)", error.message)
            if extra and "port" in [param.name for param in self.params]:
                text = f"{error.message}; did you mean {'--port' if extra[1].isdigit() else '--host'} {extra[1]}?"
                raise UsageError(text, ctx) from error
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Limits": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                sections["Limits" if isinstance(param, _LimitOption) else "Options"].append(record)
        if sections["Limits"] and not ctx.meta.get(_SHOWS_ALL):
            left_out = len(sections.pop("Limits"))
            sections["Options"].append((f"and {left_out} limits", f"See them with: pychat {self.name} --help-all"))
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.is_configurable:
            example, variable = self.params[0].opts[0], variable_of(self.name, self.params[0].name)
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(
                    f"Each option can also be set by an environment variable ({example} by {variable}), or in the "
                    f"table [{self.name}] of a TOML file: the one that --config names, or {_default_config()}. The "
                    "command line takes precedence over the environment, and the environment over the file."
                )

    @property
    def is_configurable(self) -> bool:
        """True if a config file can have a table for it."""
        return any(param.name == "config" for param in self.params)


class ClientCommand(Command):
    """A command that connects to a server; its help includes the exit codes."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS.items()])
        super().format_epilog(ctx, formatter)


class Section(click.Group):
    """Commands under a common name."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of declaration: the most common first."""
        return list(self.commands)


class Group(Section):
    """Turns errors into one line and an exit code."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command; if its name is the usual one in other programs, raise an error with the name here."""
        if (name := OTHER_NAMES.get(args[0])) is not None:
            raise UsageError(f"No such command {args[0]!r}. Did you mean {name!r}?", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            if is_terminal(sys.stderr) or isinstance(error, click.exceptions.NoArgsIsHelpError):
                raise
            raise click.UsageError(error.format_message()) from error  # the usage line is useless in a log
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Exception as error:
            if is_interrupt(error):
                raise click.exceptions.Exit(INTERRUPTED) from None
            if ctx.params["debug"]:
                traceback.print_exc()
            if not isinstance(error, ClosedPipe):
                say_on_stderr(explain(error, ctx.invoked_subcommand or ""))
            raise click.exceptions.Exit(exit_code(error)) from error


# Kinds of options


class _LimitOption(click.Option):
    """An option for a field of `Limits`."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Leave out the range, which is obvious."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class IntRange(click.IntRange):
    """An integer within a range."""

    name = "whole number"


class _Positive(click.FloatRange):
    """A number over zero, up to 30 years of seconds, the maximum that the system can wait for."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):  # NaN passes every range check
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


class Checked(click.ParamType):  # type: ignore[type-arg]  # see above
    """A text that a function must be able to parse; the option keeps the text itself."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        """
        Args:
            parse: Raises `ChatError` if the text is invalid.
        """
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self._parse(str(value))
        except ChatError as error:
            self.fail(str(error), param, ctx)
        return str(value)


class _SharedOption(click.Option):
    """
    An option that all commands which connect share.

    It has a variable of its own, `PYCHAT_PORT` besides `PYCHAT_SEND_PORT`, and a key in the table `[client]`.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """Return the value of the command's own variable, if it is set, otherwise of the shared one."""
        return super().resolve_envvar_value(ctx) or os.environ.get(variable_of(None, self.name)) or None


shared_option: Final = partial(click.option, cls=_SharedOption)
"""Declares an option of a command that connects."""


def _show_all(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.meta[_SHOWS_ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each field of `Limits`."""
    for field in reversed(limit_fields()):
        least = 0 if field.name in ("replay_messages", "irc_replay_messages") else 1
        kind = IntRange(min=least) if field.kind is int else _Positive()
        function = click.option(
            f"--{field.name.replace('_', '-')}",
            cls=_LimitOption,
            type=kind,
            metavar="N",
            default=field.default,
            help=field.help,
        )(function)
    return click.option(
        "--help-all",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        allow_from_autoenv=False,
        callback=_show_all,
        help="Show all options, and exit.",
    )(function)


# The config file


def _use_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Use the values of the config file as defaults of the other options."""
    if path is None:
        path = _default_config()
        if not path.is_file():
            return
    assert ctx.parent is not None
    is_client = any(isinstance(param, _SharedOption) for param in ctx.command.params)
    wanted = [str(ctx.command.name), *[CLIENT] * is_client]
    values = {}
    try:
        found = read_config(path, wanted, tables_of(ctx.parent.command))
        for param in ctx.command.params:
            if param.name in found:
                table, value = found[param.name]
                values[param.name] = _config_value(path, param, value, (table, param.name))
    except BadConfig as error:
        raise click.UsageError(str(error), ctx) from error
    ctx.default_map = {**(ctx.default_map or {}), **values}
    ctx.meta[CONFIG], ctx.meta[FOUND] = path, {name: table for name, (table, _) in found.items()}


def tables_of(parent: click.Command) -> dict[str, list[str]]:
    """Return the tables that a config file can have, with the keys of each."""
    assert isinstance(parent, click.Group)
    commands = {
        name: [param for param in options_in(command) if param.name not in ("config", "help_all")]
        for name, command in parent.commands.items()
        if isinstance(command, Command) and command.is_configurable
    }
    shared = {str(param.name) for params in commands.values() for param in params if isinstance(param, _SharedOption)}
    return {
        **{name: [str(param.name) for param in params] for name, params in commands.items()},
        CLIENT: sorted(shared),
    }


def options_in(command: click.Command) -> list[click.Option]:
    """Return the options of a command, without its arguments."""
    return [param for param in command.params if isinstance(param, click.Option)]


def _config_value(path: Path, param: click.Parameter, value: object, keys: tuple[str, ...]) -> object:
    """Return the value in the type of the option; click alone would turn `true` and 1.5 into 1."""
    if param.multiple:
        return fitting(path, keys, [value] if isinstance(value, str) else value, "a list of strings")
    if isinstance(param, click.Option) and param.is_flag:
        return fitting(path, keys, value, "true or false")
    kinds = {click.types.IntParamType: "a whole number", click.types.FloatParamType: "a number"}
    return fitting(path, keys, value, next((kinds[kind] for kind in kinds if isinstance(param.type, kind)), "a string"))


def _default_config() -> Path:
    return Path(click.get_app_dir("pychat")) / "config.toml"


config_option: Final = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_use_config,
    metavar="FILE",
    help="Read options from a TOML file.",
)
"""Lets the environment, and the command's table in a file, set its other options."""


def call_again(function: Callable[..., T]) -> T:
    """
    Call a function with the options of the running command, which are read again from all sources.

    Raises:
        UsageError: If they are wrong now.
    """
    ctx = click.get_current_context()
    assert ctx.info_name is not None
    with ctx.command.make_context(ctx.info_name, list(ctx.meta[_ARGUMENTS]), ctx.parent) as again:
        return function(**again.params)


# Information about commands


def _where(ctx: click.Context, param: click.Option) -> str:
    """Return the name of an option for an error, with its source unless that is the command line."""
    source = source_of(ctx, param)
    if source.startswith("file: "):
        source += line_hint(ctx.meta[CONFIG], ctx.meta[FOUND][param.name], str(param.name))
    return f"'{param.opts[0]}'" + ("" if source in ("command line", "default") else f" ({source})")


def source_of(ctx: click.Context, param: click.Option) -> str:
    """Return the source of an option's value, in words."""
    match ctx.get_parameter_source(str(param.name)):
        case ParameterSource.COMMANDLINE:
            return "command line"
        case ParameterSource.ENVIRONMENT:
            own = variable_of(ctx.command.name, param.name)
            is_shared = isinstance(param, _SharedOption) and not os.environ.get(own)
            return f"environment: {variable_of(None, param.name) if is_shared else own}"
        case ParameterSource.DEFAULT_MAP:
            return f"file: {ctx.meta[CONFIG]}"
    return "default"


def help_of(ctx: click.Context, name: str | None) -> list[str]:
    """
    Return the help of a command as lines; without a name, that of the group of this context.

    Raises:
        UsageError: If there is no such command.
    """
    if name is None:
        return ctx.get_help().split("\n")
    assert isinstance(ctx.command, click.Group)
    _, command, _ = ctx.command.resolve_command(ctx, [name])
    assert command is not None
    with click.Context(command, info_name=name, parent=ctx) as called:
        return command.get_help(called).split("\n")


def completion_script(parent: click.Command, shell: str) -> str:
    """Return the script with which a shell completes arguments of `pychat`."""
    completion = get_completion_class(shell)
    assert completion is not None, shell
    return completion(parent, {}, "pychat", "_PYCHAT_COMPLETE").source()
