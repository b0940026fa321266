"""What a program does with the server it has: its rooms and people, its handlers, its commands, its bots."""

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

logger = logging.getLogger("pychat")

F = TypeVar("F", bound=Callable[..., Any])


class Host:
    """The part of a `ChatServer` that needs no network. Everything may be called from any thread."""

    chat: Chat
    _readers: dict[threading.Thread, object]
    """Those who run functions of programs, and whom they serve."""

    def room(self, name: str) -> Room:
        """See `Chat.room`."""
        return self.chat.room(name)

    def session(self, nickname: str, rooms: Iterable[str] = ()) -> LocalSession:
        """See `Chat.session`."""
        return self.chat.session(nickname, rooms)

    def add_handler(self, handler: Handler, *, before: Handler | None = None) -> None:
        """
        Add a handler at the end, or before another one; it takes part from the next verb on.

        Raises:
            TypeError: It is no handler, or one of its hooks cannot be called.
            ValueError: It is one of the handlers already, or `before` is none of them.
        """
        self.chat.add_handler(handler, before=before)

    def remove_handler(self, handler: Handler) -> None:
        """
        Remove a handler; a hook of it that runs at this moment finishes.

        Raises:
            ValueError: It is none of the handlers.
        """
        self.chat.remove_handler(handler)

    def log_out(self, account: str) -> None:
        """
        Let nobody be logged in to an account any more, nor come back logged in.

        For programs whose accounts change elsewhere than by the verbs: another password, say, or a deleted account.
        """
        log_out_everybody(self.chat, account)

    @overload
    def command(self, name: F, /) -> F: ...

    @overload
    def command(self, name: str | None = None) -> Callable[[F], F]: ...

    def command(self, name: Any = None) -> Any:
        """
        Make the decorated function `(ctx, ...)` the command `!name`; adds the handler `Commands` if need be.

        Without a name it is called like the function: `@server.command`.
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
        """Let a new bot in, which lives inside this process; functions can be added to it from now on. See `Bot`."""
        return self.add_bot(Bot(nickname, rooms=rooms, prefix=prefix, bots=bots))

    def add_bot(self, bot: Bot) -> Bot:
        """
        Let a bot in, on a thread of its own; it needs no connection. Return it when it is in its rooms.

        A room that it may not join is logged, and it is in the others.

        Raises:
            Refused: The nickname is not allowed or in use, or a handler said no.
            LocalProtocolError: The bot is in a chat already, or was stopped.
        """
        bot.enter(self.chat)
        thread = threading.Thread(target=self._run_bot, args=(bot,), name="pychat-bot", daemon=True)
        self._readers[thread] = bot
        try:
            thread.start()
        except RuntimeError:
            del self._readers[thread]
            bot.stop("no thread is left")
            raise
        return bot

    def _run_bot(self, bot: Bot) -> None:
        try:
            bot.live()
        except ConnectionLost as error:
            if not self.chat.stopping.is_set():
                logger.warning("%s: %s", self._readers[threading.current_thread()], error)
        finally:
            self._readers.pop(threading.current_thread(), None)


_DEFAULT_ADDRESS: Final = "127.0.0.1", 55555


def check_address(address: object, host: object, port: object, unix: object) -> tuple[str, int]:
    """
    Return where a server shall listen, if not on a Unix socket.

    Raises:
        TypeError: It is no address, or given twice.
        ValueError: The port is none.
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
    """Say so in the log if no handler would let anybody hear anybody: whoever names some replaces the usual ones."""
    if not chat.chains.may_publish:
        logger.warning(
            "nobody will hear anybody: no handler publishes messages; add Broadcast() to handlers=[...], "
            "or leave handlers= out and use server.add_handler(...)"
        )
