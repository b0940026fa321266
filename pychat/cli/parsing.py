"""
How a command line is read: the only door of click.

`commands.py` declares the commands with what is here: click's own decorators, a command that finds its options in the
environment and in a file, too, and a group that turns whatever goes wrong into one line and an exit code.
"""

from __future__ import annotations

import math
import os
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click import Choice, Context, UsageError, argument, command, group, option, pass_context, version_option
from click.core import ParameterSource
from click.exceptions import Exit
from click.shell_completion import get_completion_class

from pychat.cli.exits import INTERRUPTED, MEANINGS, exit_code, explain
from pychat.cli.options import BadConfig, fitting, limit_fields, line_hint, read_config
from pychat.cli.settings import BadVariable, OptionInfo, Setting, check_environment
from pychat.cli.streams import ClosedPipe, say_on_stderr
from pychat.core.errors import ChatError

__all__ = [
    "DIRECTORY",
    "FILE",
    "NEW_FILE",
    "Checked",
    "Choice",
    "ClientCommand",
    "Command",
    "Context",
    "EventId",
    "Exit",
    "Group",
    "IntRange",
    "OptionInfo",
    "Section",
    "UsageError",
    "argument",
    "call_again",
    "command",
    "completion_script",
    "config_option",
    "configurable",
    "group",
    "limit_options",
    "option",
    "options_of",
    "pass_context",
    "refuse_together",
    "settings_of",
    "version_option",
]

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
"""An option with a file that must be there."""
DIRECTORY: Final = click.Path(path_type=Path)
"""An option with a directory, which need not be there yet."""
NEW_FILE: Final = click.Path(dir_okay=False, path_type=Path)
"""One that may be made."""

_EVENT_ID: Final = re.compile("[0-9a-f]{1,16}")
T = TypeVar("T")

_ARGUMENTS: Final = "pychat.arguments"
"""Under this key a context keeps the arguments of its command."""
_CONFIG: Final = "pychat.config"
"""Under this key a context keeps the path of the file that it has read."""


# Commands


class Command(click.Command):
    """A command that says where its options can come from, and lists those of `Limits` in a section of their own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[_ARGUMENTS] = tuple(args)
        try:
            if self.is_configurable:
                known = [_variable(self.name, param) for param in self.params]
                check_environment(f"PYCHAT_{self.name}_".upper(), known, os.environ)
            return super().parse_args(ctx, args)
        except BadVariable as error:
            raise UsageError(str(error), ctx) from error
        except click.BadParameter as error:
            if isinstance(error.param, click.Option):
                error.param_hint = _where(ctx, error.param)
            raise

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Limits": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                sections["Limits" if isinstance(param, _LimitOption) else "Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.is_configurable:
            example = self.params[0].opts[0]
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(
                    f"Each option can also be set by an environment variable, {example} by "
                    f"{_variable(self.name, self.params[0])}, or in the table [{self.name}] of a TOML file: the one "
                    f"that --config names, or {_default_config()}. The command line goes first, then the "
                    "environment, then the file."
                )

    @property
    def is_configurable(self) -> bool:
        """Whether a file can have a table for it."""
        return any(param.name == "config" for param in self.params)


class ClientCommand(Command):
    """A command that connects to a server; its help has the exit codes."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS.items()])
        super().format_epilog(ctx, formatter)


class Section(click.Group):
    """Commands under a common name."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return them in the order in which they are declared: what most people want comes first."""
        return list(self.commands)


class Group(Section):
    """Turns what goes wrong into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            if not isinstance(error, ClosedPipe):
                say_on_stderr(explain(error, ctx.invoked_subcommand or ""))
            raise click.exceptions.Exit(exit_code(error)) from error


# Kinds of options


class _LimitOption(click.Option):
    """An option for a field of `Limits`."""

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Leave out the range, which is what one would think."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class IntRange(click.IntRange):
    """A whole number between two others."""

    name = "whole number"


class _Positive(click.FloatRange):
    """A number over zero, and not over 30 years of seconds, which is what the system can wait for."""

    name = "number"

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):  # it is in any range
            self.fail(f"{value!r} is no number", param, ctx)
        return number


class EventId(click.ParamType):  # type: ignore[type-arg]  # it has parameters in newer versions only
    """The id of an event, as `pychat tail --json` prints it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _EVENT_ID.fullmatch(value):
            self.fail(f"{value!r} is no event id: up to 16 digits 0-9 a-f", param, ctx)
        return str(value)


class Checked(click.ParamType):  # type: ignore[type-arg]  # see above
    """A text of which a function must be able to make something; the option keeps the text."""

    def __init__(self, name: str, parse: Callable[[str], object]) -> None:
        """
        Args:
            parse: Raises `ChatError` if it cannot.
        """
        self.name, self._parse = name, parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            self._parse(str(value))
        except ChatError as error:
            self.fail(str(error), param, ctx)
        return str(value)


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for each field of `Limits`."""
    for field in reversed(limit_fields()):
        least = 0 if field.name == "replay_messages" else 1
        kind = IntRange(min=least) if field.kind is int else _Positive()
        function = click.option(
            f"--{field.name.replace('_', '-')}",
            cls=_LimitOption,
            type=kind,
            metavar="N",
            default=field.default,
            help=field.help,
        )(function)
    return function


# The file


def _use_config(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    """Let the file's values be the defaults of the other options."""
    if path is None:
        path = _default_config()
        if not path.is_file():
            return
    assert ctx.parent is not None
    try:
        values = read_config(path, str(ctx.command.name), _tables(ctx.parent.command))
        for param in ctx.command.params:
            if param.name in values:
                values[param.name] = _config_value(path, param, values[param.name], (str(ctx.command.name), param.name))
    except BadConfig as error:
        raise click.UsageError(str(error), ctx) from error
    ctx.default_map = {**(ctx.default_map or {}), **values}
    ctx.meta[_CONFIG] = path


def _tables(parent: click.Command) -> dict[str, list[str]]:
    """The tables that a file can have, and the keys of each."""
    assert isinstance(parent, click.Group)
    return {
        name: [str(param.name) for param in _options(command) if param.name != "config"]
        for name, command in parent.commands.items()
        if isinstance(command, Command) and command.is_configurable
    }


def _options(command: click.Command) -> list[click.Option]:
    return [param for param in command.params if isinstance(param, click.Option)]


def _config_value(path: Path, param: click.Parameter, value: object, keys: tuple[str, ...]) -> object:
    """Return the value as the option takes it; click alone would make 1 of `true`, and of 1.5."""
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
"""Lets the environment, and the table of the command in a file, set its other options."""


def refuse_together(name: str, *others: str) -> None:
    """
    Return if the command line of the running command does not have an option beside another one that it replaces.

    In a file or the environment they may stand beside each other: then the one that replaces counts.

    Raises:
        UsageError: It does.
    """
    ctx = click.get_current_context()
    given = [one for one in (name, *others) if ctx.get_parameter_source(one) is ParameterSource.COMMANDLINE]
    if name in given and len(given) > 1:
        raise UsageError(f"--{name} is instead of {' and '.join(f'--{one}' for one in others)}; leave out one of them")


def call_again(function: Callable[..., T]) -> T:
    """
    Call a function with the options of the running command, which are read again from wherever they come.

    Raises:
        UsageError: They are wrong now.
    """
    ctx = click.get_current_context()
    assert ctx.info_name is not None
    with ctx.command.make_context(ctx.info_name, list(ctx.meta[_ARGUMENTS]), ctx.parent) as again:
        return function(**again.params)


# What commands tell of commands


def options_of(parent: click.Group) -> Iterator[OptionInfo]:
    """Yield every option of every command."""
    commands: dict[str, click.Command] = {"": parent, **parent.commands}
    for name, owner in commands.items():
        for param in _options(owner):
            if param.name != "version":
                yield OptionInfo(name, param.opts[0], _variable(name, param), param.help or "")


def _variable(command: str | None, param: click.Parameter) -> str:
    return "_".join(filter(None, ["PYCHAT", command, str(param.name)])).upper()


def settings_of(ctx: click.Context, name: str, arguments: Sequence[str]) -> list[Setting]:
    """
    Return what a command would use if it were called with these arguments, `ctx` being the one of another command.

    A file that the other one was given counts here, too.

    Raises:
        UsageError: The arguments, the environment or the file are wrong.
    """
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)
    command = root.command.commands[name]
    file = ["--config", str(ctx.meta[_CONFIG])] if _CONFIG in ctx.meta else []
    settings = []
    with command.make_context(name, [*file, *arguments], root) as called:
        for param in _options(command):
            if param.name is not None and param.name in called.params:
                value = called.params[param.name]
                settings.append(Setting(param.opts[0].removeprefix("--"), value, _source(called, param)))
    return settings


def _where(ctx: click.Context, param: click.Option) -> str:
    """How an error names an option: by its place, too, if that is not the command line."""
    source = _source(ctx, param)
    if source.startswith("file: "):
        source += line_hint(ctx.meta[_CONFIG], str(ctx.command.name), str(param.name))
    return param.get_error_hint(ctx) + ("" if source in ("command line", "default") else f" ({source})")


def _source(ctx: click.Context, param: click.Option) -> str:
    match ctx.get_parameter_source(str(param.name)):
        case ParameterSource.COMMANDLINE:
            return "command line"
        case ParameterSource.ENVIRONMENT:
            return f"environment: {_variable(ctx.command.name, param)}"
        case ParameterSource.DEFAULT_MAP:
            return f"file: {ctx.meta[_CONFIG]}"
    return "default"


def configurable(parent: click.Command) -> list[str]:
    """The commands that a file can have a table for."""
    return list(_tables(parent))


def completion_script(parent: click.Command, shell: str) -> str:
    """The script that lets a shell complete what is typed behind `pychat`."""
    completion = get_completion_class(shell)
    assert completion is not None, shell
    return completion(parent, {}, "pychat", "_PYCHAT_COMPLETE").source()
