"""What a program does with the server it has: its rooms and people, its handlers, its commands, its bots."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pychat.bot import Bot
from pychat.core.chat import Chat
from pychat.core.errors import ConnectionLost
from pychat.core.handler import Handler
from pychat.core.room import Room
from pychat.core.session import LocalSession
from pychat.handlers.commands import Commands

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
        """See `Chat.add_handler`."""
        self.chat.add_handler(handler, before=before)

    def remove_handler(self, handler: Handler) -> None:
        """See `Chat.remove_handler`."""
        self.chat.remove_handler(handler)

    def command(self, name: str) -> Callable[[F], F]:
        """Make the decorated function `(ctx, ...)` the command `!name`; adds the handler `Commands` if need be."""
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
