"""Information about commands: their options, and the values that these would have."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from pychat.cli.click_app import (
    CLIENT,
    CONFIG,
    AnyCommand,
    Context,
    Section,
    options_in,
    source_of,
    tables_of,
)
from pychat.cli.show_config import OptionInfo, Setting, misspelt, variable_of


def options_of(parent: Section) -> Iterator[OptionInfo]:
    """Yield every option of every command."""
    commands: dict[str, AnyCommand] = {"": parent, **parent.commands}
    for name, owner in commands.items():
        for param in options_in(owner):
            if param.name not in ("version", "help_all"):
                yield OptionInfo(name, param.opts[0], variable_of(name, param.name), param.help or "")


def misspelt_variables(ctx: Context) -> list[str]:
    """Return a warning for each variable with a name close to one of ours; `ctx` is that of any command."""
    root = ctx.find_root()
    assert isinstance(root.command, Section)
    shared = [variable_of(None, name) for name in tables_of(root.command)[CLIENT]]
    # Unknown variables of a command with a config table are errors (`check_environment`).
    told = [name for name in configurable(root.command) if name == root.invoked_subcommand]
    return misspelt({*shared, *_variables(root.command)}, [f"PYCHAT_{name}_".upper() for name in told], os.environ)


def _variables(owner: AnyCommand, name: str | None = None) -> Iterator[str]:
    """Yield the variables that set options of a command and of its subcommands."""
    for param in options_in(owner):
        yield variable_of(name, param.name)
    if isinstance(owner, Section):
        for child, command in owner.commands.items():
            yield from _variables(command, "_".join(filter(None, [name, child])))


def as_called(ctx: Context, name: str, arguments: Sequence[str]) -> Context:
    """
    Return the context of a command as if called with these arguments; `ctx` is that of another command.

    The config file of the other command applies as well.

    Raises:
        UsageError: If the arguments, the environment or the file are wrong.
    """
    root = ctx.find_root()
    assert isinstance(root.command, Section)
    file = ["--config", str(ctx.meta[CONFIG])] if CONFIG in ctx.meta else []
    return root.command.commands[name].make_context(name, [*file, *arguments], root)


def settings_of(ctx: Context, name: str, arguments: Sequence[str]) -> list[Setting]:
    """Return the options that a command would use if called with these arguments; see `as_called`."""
    settings = []
    with as_called(ctx, name, arguments) as called:
        for param in options_in(called.command):
            if param.name is not None and param.name in called.params:
                value = called.params[param.name]
                settings.append(Setting(param.opts[0].removeprefix("--"), value, source_of(called, param)))
    return settings


def configurable(parent: AnyCommand) -> list[str]:
    """Return the commands that can have a table in a config file."""
    return [name for name in tables_of(parent) if name != CLIENT]
