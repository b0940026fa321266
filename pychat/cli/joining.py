"""How a client command comes into a chat: by which address, over TLS or not, with which password and nickname."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Sequence
from typing import Any, Final

from pychat.cli.streams import is_terminal, say_on_stderr
from pychat.client import ChatClient
from pychat.core.errors import InvalidNickname, Refused
from pychat.core.limits import Limits
from pychat.core.names import check_nickname, fold
from pychat.transport.trust import Trust

_ASKED: Final = 3
"""How often a person at a terminal is asked for the password."""
_NICKNAMES: Final = 9
"""How many variants of a nickname that nobody chose are tried."""
_STRANGER: Final = "guest"
_NOT_IN_NICKNAMES: Final = re.compile(r"[^\w\-\[\]{}|^\\`]")


class Entrance:
    """The address of a server, whether to speak TLS with it, and passwords as soon as they are known."""

    def __init__(
        self,
        host: str,
        port: int | None,
        password: str | None,
        tls: bool | Trust = False,
        *,
        account: str | None = None,
        account_password: str | None = None,
    ) -> None:
        """
        Args:
            port: None: `host` is the path of a Unix socket.
            password: The server's.
            account_password: That of the account, if there is one; None: the person at the terminal is asked.
        """
        self._where: dict[str, Any] = {"unix": host} if port is None else {"host": host, "port": port}
        self._password, self._tls = password, tls
        self.account: Final = account
        self._account_password = account_password

    def connect(
        self,
        nick: str,
        rooms: Sequence[str] = (),
        *,
        reconnect: bool = False,
        replay: bool = False,
        own_messages: bool = False,
    ) -> ChatClient:
        """
        Come in. Who sits at a terminal and gave no password is asked for it, if the server or the account wants one.

        Raises:
            BadCertificate: What we are to trust cannot be used.
            ConnectFailed: No server answers, or none that we trust.
            Refused: The server does not let us in.
        """
        asked = 0
        if self.account is not None and self._account_password is None:
            self._account_password, asked = _ask_password(NoPassword(self.account), self.account), 1
        while True:
            try:
                return ChatClient(
                    **self._where,
                    nick=nick,
                    rooms=rooms,
                    reconnect=reconnect,
                    replay=replay,
                    password=self._password,
                    account=self.account,
                    account_password=self._account_password or "",
                    own_messages=own_messages,
                    tls=self._tls,
                )
            except Refused as error:
                is_mistyped = error.code in ("wrong_password", "bad_credentials") and 0 < asked < _ASKED
                if not is_terminal(sys.stdin) or not (error.code == "password_required" or is_mistyped):
                    raise
                if error.code == "bad_credentials":
                    self._account_password = _ask_password(error, self.account)
                else:
                    self._password = _ask_password(error)
                asked += 1

    def connect_as_any(self, nicks: Sequence[str], room: str | None, *, reconnect: bool = False) -> ChatClient:
        """
        Come in under the first of the nicknames that is free, and into a room; None: where everybody comes in.

        Raises:
            BadCertificate: What we are to trust cannot be used.
            ConnectFailed: No server answers, or none that we trust.
            Refused: The server does not let us in, or not into the room.
        """
        nick, *others = nicks
        try:
            return self.connect_into(nick, () if room is None else [room], reconnect=reconnect)
        except Refused as error:
            if error.code == "nickname_in_use" and others:
                return self.connect_as_any(others, room, reconnect=reconnect)
            raise

    def connect_into(self, nick: str, rooms: Sequence[str], *, reconnect: bool) -> ChatClient:
        """
        Come in, and into all of the rooms; none: into the one where everybody comes in.

        Raises:
            BadCertificate: What we are to trust cannot be used.
            ConnectFailed: No server answers, or none that we trust.
            Refused: The server does not let us in, or not into one of the rooms.
        """
        client = self.connect(nick, rooms, reconnect=reconnect)
        try:
            _require_rooms(client, rooms)
        except BaseException:
            client.close()
            raise
        return client


class NoPassword(Refused):
    """An account needs its password, and there is nobody to ask for it."""

    code = "bad_credentials"

    def __init__(self, account: str) -> None:
        super().__init__(f"the account {account!r} needs its password")


def _ask_password(reason: Refused, account: str | None = None) -> str:
    """Ask the person at the terminal, who does not see what is typed; raise the reason if no answer comes."""
    if not is_terminal(sys.stdin):
        raise reason
    if not isinstance(reason, NoPassword) and reason.code != "password_required":
        say_on_stderr(f"{reason}; try again")
    try:
        return getpass.getpass("Password: " if account is None else f"Password of {account}: ")
    except EOFError:
        raise reason from None


def _require_rooms(client: ChatClient, rooms: Sequence[str]) -> None:
    """Return if the client is in all of the rooms, or in any if there are none; raise what is against it."""
    inside = {fold(room) for room in client.rooms}
    if not rooms and not inside:
        raise Refused("the server lets you into no room; name one with --room")
    for room in rooms:
        if fold(room) not in inside:
            client.join(room)  # raises why not


def own_nicknames(suffix: str = "") -> list[str]:
    """
    The nicknames for one who did not choose any: the name that this person has on this machine, and variants of it.

    Args:
        suffix: What is put behind the name.
    """
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # nobody that the system knows
        name = _STRANGER
    limits = Limits()
    longest = limits.nickname_chars - len(suffix) - len(f"-{_NICKNAMES}")
    name = _NOT_IN_NICKNAMES.sub("-", name).lstrip("-0123456789")[:longest]
    try:
        name = check_nickname(name, limits)
    except InvalidNickname:
        name = _STRANGER
    return [f"{name}{suffix}", *(f"{name}{suffix}-{number}" for number in range(2, _NICKNAMES + 1))]
