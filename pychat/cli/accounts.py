"""`pychat account`: administer the accounts in the file of a server that is not running."""

from __future__ import annotations

import dataclasses
import getpass
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from pychat.cli.secrets import BadSecret, check_secret, read_secret
from pychat.cli.streams import is_terminal
from pychat.core.accounts.administration import target_of
from pychat.core.accounts.stored import MOST_PASSWORD_CHARS, StoredAccounts
from pychat.core.chat import Chat
from pychat.model.errors import AccountExists, CannotOpen, ChatError, FileInUse, NotStored, Refused
from pychat.model.limits import Limits
from pychat.model.names import fold
from pychat.model.server_ban import ServerBan
from pychat.stores import SqliteLog
from pychat.stores.sqlite.archive import Archive

_LEAST_PASSWORD_CHARS: Final = 8
_EVER: Final = 1e9
"""Seconds; keeps reserved memberships alive, so that they still exist when the server is started."""
_CLOSE_SECONDS: Final = 10.0
_STOP_FIRST: Final = "stop it, and start it again afterwards: connected clients reconnect by themselves"


class AccountFailed(ChatError):
    """An account could not be changed; `str(error)` says why and what to do."""


class Listed(NamedTuple):
    """An account as listed."""

    name: str
    created: float
    """POSIX seconds."""
    lock: ServerBan | None
    """None if it is not locked."""


def accounts_in(path: Path) -> list[Listed]:
    """
    Return the accounts in a file, sorted by name; a server may use it.

    Raises:
        CannotOpen: If the file cannot be used.
        NotReadable, Unreadable: If it is damaged.
    """
    now = time.time()
    with Archive(path) as archive:
        locks = {fold(ban.target): ban for ban in archive.bans() if ban.until is None or ban.until > now}
        return [Listed(each.name, each.created, locks.get(fold(target_of(each.name)))) for each in archive.accounts()]


def shown(accounts: list[Listed], *, as_json: bool) -> Iterator[str]:
    """Yield a line for each account."""
    width = max([len(account.name) for account in accounts], default=0)
    for name, created, lock in accounts:
        if as_json:
            reason = None if lock is None else lock.reason
            yield json.dumps({"account": name, "created": created, "locked": lock is not None, "reason": reason})
        else:
            made = time.strftime("%Y-%m-%d %H:%M", time.localtime(created))
            told = "" if lock is None else f"  locked by {lock.by}{f': {lock.reason}' if lock.reason else ''}"
            yield f"{name:<{width}}  {made}{told}"


def new_password(account: str, path: Path | None) -> str:
    """
    Return the new password of an account: from a file or from stdin; a person is asked twice.

    Raises:
        BadSecret: If there is none, or it is not valid for an account.
    """
    source = f"new password of {account}"
    if path is not None:
        return read_secret(path)
    if not is_terminal(sys.stdin):
        text = "" if sys.stdin is None else sys.stdin.read(2 * MOST_PASSWORD_CHARS)
        return check_secret(text, "stdin")
    bounds = f"{_LEAST_PASSWORD_CHARS} to {MOST_PASSWORD_CHARS} characters"
    try:
        password = getpass.getpass(f"New password of {account} ({bounds}): ")
        if not _LEAST_PASSWORD_CHARS <= len(password) <= MOST_PASSWORD_CHARS:
            raise BadSecret(source, f"a password must have {bounds}; nothing was done")
        if getpass.getpass("Repeat it: ") != password:
            raise BadSecret(source, "the passwords differ; nothing was done")
    except EOFError:
        raise BadSecret(source, "no password was given; nothing was done") from None
    return password


def change(
    path: Path, limits: Limits, action: Callable[[Chat], str], *, meanwhile: str = _STOP_FIRST, make: bool = False
) -> str:
    """
    Change an account in a file; return its name when the change is stored.

    Args:
        limits: The server's limits.
        action: Makes the change and returns the name. The file is locked before, so a person is not asked for a
            password in vain.
        meanwhile: What to do instead while a server uses the file.
        make: Create the file if it does not exist.

    Raises:
        CannotOpen: If the file cannot be used.
        AccountFailed: If it failed; nothing has changed then.
    """
    if not make and not path.exists():
        raise CannotOpen(path, "there is no such file")
    try:
        with _offline(path, limits) as chat:
            account = action(chat)
    except FileInUse as error:
        raise AccountFailed(f"a server uses {str(path)!r}; {meanwhile}") from error
    except AccountExists as error:
        problem = "or a similar name already has an account; pychat account reset changes its password"
        raise AccountFailed(f"{error.subject[0]!r} {problem}") from error
    except Refused as error:
        raise AccountFailed(str(error)) from error
    return account


@contextmanager
def _offline(path: Path, limits: Limits) -> Iterator[Chat]:
    """Open a chat over a file that nobody can join; no reserved membership in it expires."""
    log = SqliteLog(path)
    patient = dataclasses.replace(limits, resume_seconds=_EVER, max_rooms=sys.maxsize)
    accounts = StoredAccounts(least_password_chars=_LEAST_PASSWORD_CHARS)
    try:
        chat = Chat(log=log, limits=patient, accounts=accounts)
    except BaseException:
        log.close()
        raise
    try:
        yield chat
    finally:
        chat.stopping.set()
        chat.alarms.stop()
        accounts.end()
        log.close(_CLOSE_SECONDS)
    if log.storage_error is not None:
        raise NotStored("the change", log.storage_error)
