"""The access of a client command to a server: the address, TLS, password and nickname."""

from __future__ import annotations

import getpass
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, Final

from pychat.cli.addresses import address
from pychat.cli.streams import is_terminal, say_on_stderr
from pychat.client import ChatClient
from pychat.client.session_file import SessionFile, session_path
from pychat.model.errors import CannotOpen, ConnectFailed, InvalidNickname, NotPychat, Refused, TlsFailed
from pychat.model.limits import Limits
from pychat.model.names import check_nickname, fold
from pychat.model.replies import Failure
from pychat.model.reserved_names import reserved_word
from pychat.model.verbs import Join
from pychat.transport.trust import Trust

ASKED: Final = 3
"""How many times a person at a terminal is asked for the password."""
_NICKNAMES: Final = 9
"""How many variants of an automatic nickname are tried."""
_STRANGER: Final = "guest"
_LONGEST_WAIT: Final = 5.0
"""The longest wait between two attempts to connect, in seconds."""
_NOT_IN_NICKNAMES: Final = re.compile(r"[^\w\-\[\]{}|^\\`]")


class Entrance:
    """The address of a server, its TLS settings, and passwords once they are known."""

    def __init__(
        self,
        host: str,
        port: int | None,
        password: str | None,
        tls: bool | Trust = False,
        *,
        account: str | None = None,
        account_password: str | None = None,
        keys: Mapping[str, str] | None = None,
        waits: bool = False,
        quiet: bool = False,
    ) -> None:
        """
        Args:
            port: None if `host` is the path of a Unix socket.
            password: The server password.
            account_password: The account's, if there is one; None to ask at the terminal.
            keys: The keys of rooms, by room name.
            waits: True to wait for a server if none answers.
            quiet: True to report only problems.
        """
        self._address, self._waits = address(host, port), waits
        self.quiet: Final = quiet
        self._where: dict[str, Any] = {"unix": host} if port is None else {"host": host, "port": port}
        self._password, self._tls = password, tls
        self.account: Final = account
        self._account_password = account_password
        self._keys = {fold(room): key for room, key in (keys or {}).items()}

    def connect(
        self,
        nick: str,
        rooms: Sequence[str] = (),
        *,
        reconnect: bool = False,
        replay: bool = False,
        own_messages: bool = False,
        visit: bool = False,
        create: bool = True,
        keep_session: bool = False,
    ) -> ChatClient:
        """
        Connect. If the server or the account needs a password and none is given, ask for it at the terminal.

        Args:
            keep_session: True to resume the nickname of a client that was killed.

        Raises:
            BadCertificate: If the certificate to trust cannot be used.
            ConnectFailed: If no server answers, or it is not trusted.
            Refused: If the server refuses us.
        """
        asked = 0
        if self.account is not None and self._account_password is None:
            asked = 1
            self._account_password = ask_password(NoPassword(self.account), f"of {self.account}", again=False)
        while True:
            try:
                return self._wait_for(
                    lambda: ChatClient(
                        **self._where,
                        nick=nick,
                        rooms=rooms,
                        reconnect=reconnect,
                        replay=replay,
                        password=self._password,
                        account=self.account,
                        account_password=self._account_password or "",
                        own_messages=own_messages,
                        keys=self._keys,
                        visit=visit,
                        create=create,
                        state=self._session_file(nick) if keep_session else None,
                        tls=self._tls,
                    )
                )
            except Refused as error:
                is_mistyped = error.code in ("wrong_password", "bad_credentials") and 0 < asked < ASKED
                if not is_terminal(sys.stdin) or not (error.code == "password_required" or is_mistyped):
                    raise
                if error.code == "bad_credentials":
                    self._account_password = ask_password(error, f"of {self.account}", again=True)
                else:
                    whose = f"of the server at {self._address}"
                    self._password = ask_password(error, whose, again=error.code != "password_required")
                asked += 1

    def _session_file(self, nick: str) -> SessionFile | None:
        """
        Return the session of an earlier client with this nickname that did not end properly.

        None if it cannot be stored, or another running client uses this nickname here, which keeps it.
        """
        host, port = self._where.get("unix") or self._where["host"], self._where.get("port")
        try:
            path = session_path(host, port, nick, os.environ)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return SessionFile(path, places=False)
        except (OSError, CannotOpen):
            return None

    def _wait_for(self, connect: Callable[[], ChatClient]) -> ChatClient:
        """Connect; if waiting is enabled, try again until a server answers."""
        for attempt in count(1):
            try:
                return connect()
            except (NotPychat, TlsFailed):
                raise
            except ConnectFailed as error:
                if not self._waits:
                    raise
                if attempt == 1 and not self.quiet:
                    say_on_stderr(f"{error}; waiting for a server there")
            time.sleep(min(attempt, _LONGEST_WAIT))
        raise AssertionError("it goes on for ever")

    def connect_as_any(
        self,
        nicks: Sequence[str],
        room: str | None,
        *,
        reconnect: bool = False,
        visit: bool = False,
        create: bool = True,
    ) -> ChatClient:
        """
        Connect under the first free nickname, and join a room; None for the default room.

        Raises:
            BadCertificate: If the certificate to trust cannot be used.
            ConnectFailed: If no server answers, or it is not trusted.
            Refused: If the server or the room refuses us.
        """
        rooms = () if room is None else [room]
        return as_any(
            nicks, lambda nick: self.connect_into(nick, rooms, reconnect=reconnect, visit=visit, create=create)
        )

    def connect_into(
        self,
        nick: str,
        rooms: Sequence[str],
        *,
        reconnect: bool,
        visit: bool = False,
        create: bool = True,
        keep_session: bool = False,
    ) -> ChatClient:
        """
        Connect, and join all of the rooms; the default room if empty.

        Raises:
            BadCertificate: If the certificate to trust cannot be used.
            ConnectFailed: If no server answers, or it is not trusted.
            Refused: If the server or one of the rooms refuses us.
        """
        client = self.connect(nick, rooms, reconnect=reconnect, visit=visit, create=create, keep_session=keep_session)
        try:
            self._require_rooms(client, rooms, create=create)
        except BaseException:
            client.close()
            raise
        return client

    def _require_rooms(self, client: ChatClient, rooms: Sequence[str], *, create: bool) -> None:
        """Check that the client is in all of the rooms, or in any room if none are given; raise the reason if not."""
        inside = {fold(room) for room in client.rooms}
        if not rooms and not inside:
            try:
                failure = client.next(Failure, timeout=0)  # it arrived before the constructor returned
            except TimeoutError:
                raise Refused("the server did not let you join a room; name one with --room") from None
            raise failure.error()
        for room in rooms:
            if fold(room) not in inside:
                client.ask(Join(room, key=self._keys.get(fold(room)), create=create))  # raises the reason


def as_any(nicks: Sequence[str], enter: Callable[[str], ChatClient]) -> ChatClient:
    """Connect under the first free nickname."""
    nick, *others = nicks
    try:
        return enter(nick)
    except Refused as error:
        if error.code == "nickname_in_use" and others:
            return as_any(others, enter)
        raise


class NoPassword(Refused):
    """An account needs its password, and there is no terminal to ask for it."""

    code = "bad_credentials"

    def __init__(self, account: str) -> None:
        super().__init__(f"the account {account!r} requires its password")


def ask_password(reason: Refused, whose: str, *, again: bool) -> str:
    """
    Ask at the terminal without echo; raise the reason if there is no answer.

    Args:
        again: True if an earlier password was wrong.
    """
    if not is_terminal(sys.stdin):
        raise reason
    if again:
        say_on_stderr(f"{reason}; try again")
    try:
        return getpass.getpass(f"Password {whose}: ")
    except EOFError:
        raise reason from None


def tell_if_alone(client: ChatClient, room: str) -> None:
    """Warn if nobody else is in the room, because its name may be mistyped."""
    if all(member.nickname == client.nickname for member in client.members(room)):
        say_on_stderr(f"nobody else is in room {room!r}")


def own_name() -> str:
    """Return the user's name on this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # unknown to the system
        return _STRANGER


def own_nicknames(suffix: str = "") -> list[str]:
    """
    Return nicknames for a user who did not choose one: the user's name on this machine, and variants of it.

    Args:
        suffix: A suffix to the name.
    """
    name = own_name()
    limits = Limits()
    longest = limits.nickname_chars - len(suffix) - len(f"-{_NICKNAMES}")
    name = _NOT_IN_NICKNAMES.sub("-", name).lstrip("-0123456789")[:longest]
    try:
        name = check_nickname(name, limits)
    except InvalidNickname:
        name = _STRANGER
    if reserved_word(name, "pychat") is not None:  # for example root in a container
        name = _STRANGER
    return [f"{name}{suffix}", *(f"{name}{suffix}-{number}" for number in range(2, _NICKNAMES + 1))]
