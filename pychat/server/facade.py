"""The server's interface for programs: rooms and people, handlers, commands, bots."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, overload

from pychat.bot import Bot
from pychat.core.accounts.actions import log_out_everybody
from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.local_session import LocalSession
from pychat.core.rooms.room import Room
from pychat.handlers.commands import Commands
from pychat.model.arguments import given, whole_number, wrong
from pychat.model.errors import ConnectionLost
from pychat.server.threads import Threads

logger = logging.getLogger("pychat")

F = TypeVar("F", bound=Callable[..., Any])


class Host:
    """The part of a `ChatServer` for programs. All methods may be called from any thread."""

    chat: Chat
    threads: Threads

    @property
    def connections(self) -> int:
        """The number of connections, registered or not; a connection that ended makes room for another one."""
        return len(self.threads)

    def room(self, name: str) -> Room:
        """Return a room; see `Chat.room`."""
        return self.chat.room(name)

    def session(self, nickname: str, rooms: Iterable[str] = ()) -> LocalSession:
        """Return a new session; see `Chat.session`."""
        return self.chat.session(nickname, rooms)

    def add_handler(self, handler: Handler, *, before: Handler | None = None) -> None:
        """
        Add a handler at the end, or before another one; it takes part from the next verb on.

        Raises:
            TypeError: If it is not a handler, or one of its hooks cannot be called.
            ValueError: If it was already added, or `before` was not.
        """
        self.chat.add_handler(handler, before=before)

    def remove_handler(self, handler: Handler) -> None:
        """
        Remove a handler; a hook that is running finishes.

        Raises:
            ValueError: If it is not one of the handlers.
        """
        self.chat.remove_handler(handler)

    def log_out(self, account: str) -> None:
        """
        Log out every session of an account, including those that may still be resumed.

        For programs whose accounts also change without the verbs: another password, for example, or a deleted account.
        """
        log_out_everybody(self.chat, account)

    @overload
    def command(self, name: F, /) -> F: ...

    @overload
    def command(self, name: str | None = None) -> Callable[[F], F]: ...

    def command(self, name: Any = None) -> Any:
        """
        Make the decorated function `(ctx, ...)` the command `!name`; adds the handler `Commands` if necessary.

        Without a name, the command has the name of the function: `@server.command`.
        """
        return self._commands().command(name)

    def add_commands(self, group: object) -> None:
        """Add the commands of an object: its methods that are marked with `pychat.command`."""
        self._commands().add_group(group)

    def _commands(self) -> Commands:
        commands = next((handler for handler in self.chat.handlers if isinstance(handler, Commands)), None)
        if commands is None:
            commands = Commands()
            self.add_handler(commands)
        return commands

    def bot(self, nickname: str, rooms: Iterable[str] = (), *, prefix: str = "!", bots: bool = False) -> Bot:
        """Add a new bot, which runs inside this process; functions can be added to it from now on. See `Bot`."""
        return self.add_bot(Bot(nickname, rooms=rooms, prefix=prefix, bots=bots))

    def add_bot(self, bot: Bot) -> Bot:
        """
        Add a bot, on a thread of its own; it needs no connection. Return it when it is in its rooms.

        A refused room is logged, and the bot joins the others.

        Raises:
            Refused: If the nickname is not allowed or in use, or a handler refused it.
            LocalProtocolError: If the bot is already in a chat, or was stopped.
        """
        bot.enter(self.chat)
        thread = threading.Thread(target=self._run_bot, args=(bot,), name="pychat-bot", daemon=True)
        self.threads.add(thread, bot)
        try:
            thread.start()
        except RuntimeError:
            self.threads.remove(thread)
            bot.stop("no thread is left")
            raise
        return bot

    def _run_bot(self, bot: Bot) -> None:
        try:
            bot.live()
        except ConnectionLost as error:
            if not self.chat.stopping.is_set():
                logger.warning("%s: %s", bot, error)
        finally:
            self.threads.remove(threading.current_thread())


_DEFAULT_ADDRESS: Final = "127.0.0.1", 55555


def check_address(address: object, host: object, port: object, unix: object) -> tuple[str, int]:
    """
    Return the address to listen on, if not on a Unix socket.

    Raises:
        TypeError: If it is not an address, or given twice.
        ValueError: If the port is invalid.
    """
    if sum([address is not None, host is not None or port is not None, unix is not None]) > 1:
        raise TypeError("give server_address, or host and port, or unix: only one of them")
    if address is not None:
        if not isinstance(address, tuple | list) or len(address) != 2:
            hint = f"port={address}" if isinstance(address, int) else "host=..., port=..."
            raise wrong("server_address", address, f"a host and a port, such as ('127.0.0.1', 55555), or give {hint}")
        host, port = address
    default_host, default_port = _DEFAULT_ADDRESS
    return (
        default_host if host is None else given("host", host, str, "a string, such as '127.0.0.1'"),
        default_port if port is None else whole_number("port", port, 0, 65535),
    )


def warn_if_mute(chat: Chat) -> None:
    """Log a warning if no handler publishes messages: custom handlers replace the default ones."""
    if not chat.chains.may_publish:
        logger.warning(
            "nobody will hear anybody: no handler publishes messages; add Broadcast() to handlers=[...], "
            "or leave handlers= out and use server.add_handler(...)"
        )
