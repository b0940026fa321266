"""
The commands for the accounts in a server's file: their options and their help, as in `commands.py`.

Modules that open a file are imported where they are used, because other commands do not need a database.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pychat.cli.click_app import (
    CONFIG,
    FILE,
    NEW_FILE,
    Choice,
    Section,
    UsageError,
    argument,
    get_current_context,
    group,
    option,
)
from pychat.cli.client.access import own_name
from pychat.cli.server.plan import plan_of
from pychat.cli.streams import Output

if TYPE_CHECKING:
    from pychat.cli.server.options import Plan
    from pychat.core.chat import Chat

_NO_FILE: Final = (
    "no file is named; use --db, the variable PYCHAT_SERVE_DB, or db in the table [serve] of a config file"
)
_password_option: Final = option(
    "--password-file",
    type=FILE,
    metavar="FILE",
    help="The new password is in this file; without this option, you are asked for it twice, or it is read from stdin.",
)


def _file_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select the file with the accounts."""
    for add in (
        option("--config", "server_config", type=FILE, metavar="FILE", help="The TOML file of pychat serve."),
        option(
            "--db", type=NEW_FILE, metavar="FILE", help="The file with the accounts; default: that of pychat serve."
        ),
    ):
        function = add(function)
    return function


@group(cls=Section)
def account() -> None:
    """List, add, reset, lock or delete accounts."""


@account.command("list")
@option("--format", type=Choice(("text", "json")), default="text", help="Format of the output.")
@_file_options
def list_(format: str, **where: Path | None) -> None:
    """
    Print the accounts, when they were created, and which are locked.

    A server may be using the file.
    """
    path, _ = _file(**where)
    from pychat.cli.accounts import accounts_in, shown

    Output().write(shown(accounts_in(path), as_json=format == "json"))


@account.command()
@argument("name")
@_password_option
@_file_options
def add(name: str, password_file: Path | None, **where: Path | None) -> None:
    """
    Add an account, even if people cannot register accounts themselves.

    This is refused while a server uses the file.
    """
    from pychat.cli.accounts import new_password
    from pychat.core.accounts.administration import add_account, new_name

    def act(chat: Chat) -> str:
        account = new_name(chat, name)
        return add_account(chat, _by(), account, new_password(account, password_file))

    _change(where, act, "the account {} was created", make=True)


@account.command()
@argument("name")
@_password_option
@_file_options
def reset(name: str, password_file: Path | None, **where: Path | None) -> None:
    """
    Set a new password of an account, for example if the owner has forgotten it.

    This is refused while a server uses the file. Sessions of the old password cannot be resumed.
    """
    from pychat.cli.accounts import new_password
    from pychat.core.accounts.administration import account_named, reset_password

    def act(chat: Chat) -> str:
        account = account_named(chat, name)
        return reset_password(chat, _by(), account, new_password(account, password_file))

    _change(where, act, "the password of the account {} was changed")


@account.command()
@argument("name")
@option("--reason", default="", metavar="TEXT", help="The reason shown to people who try to log in.")
@_file_options
def lock(name: str, reason: str, **where: Path | None) -> None:
    """
    Prevent all logins to an account; its name stays reserved.

    This is refused while a server uses the file: a server operator types /serverban a:NAME there instead.
    """
    from pychat.core.accounts.administration import lock_account

    _change(
        where,
        lambda chat: lock_account(chat, _by(), name, reason),
        "the account {} is locked",
        meanwhile=f"type there, as a server operator: /serverban a:{name}",
    )


@account.command()
@argument("name")
@_file_options
def unlock(name: str, **where: Path | None) -> None:
    """
    Allow logins to an account again.

    This is refused while a server uses the file: a server operator types /serverunban a:NAME there instead.
    """
    from pychat.core.accounts.administration import unlock_account

    _change(
        where,
        lambda chat: unlock_account(chat, _by(), name),
        "the account {} is unlocked",
        meanwhile=f"type there, as a server operator: /serverunban a:{name}",
    )


@account.command()
@argument("name")
@_file_options
def delete(name: str, **where: Path | None) -> None:
    """
    Delete an account and its roles in rooms; its name becomes free.

    This is refused while a server uses the file. Messages stay.
    """
    from pychat.core.accounts.administration import delete_account

    _change(where, lambda chat: delete_account(chat, _by(), name), "the account {} was deleted")


def _by() -> str:
    """Return the name of the user who runs the command, for the audit record."""
    return f"{own_name()} (pychat account)"


def _change(where: dict[str, Path | None], action: Callable[[Chat], str], done: str, **options: Any) -> None:
    """Change an account and print the result: `done` has a placeholder for the name."""
    path, plan = _file(**where)
    from pychat.cli.accounts import change

    Output().write([done.format(change(path, plan.limits, action, **options))])


def _file(db: Path | None, server_config: Path | None) -> tuple[Path, Plan]:
    """
    Return the file, and the plan of the server that uses it.

    Raises:
        UsageError: If no file is given, or the options of the server are wrong.
    """
    ctx = get_current_context()
    if server_config is not None:
        ctx.meta[CONFIG] = server_config
    plan = plan_of(ctx)
    path = db or plan.db
    if path is None:
        raise UsageError(_NO_FILE)
    return path, plan
