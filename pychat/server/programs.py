"""What a program adds to its server: commands and bots."""

from __future__ import annotations

import logging
import threading

from pychat.bot import Bot
from pychat.core.chat import Chat
from pychat.handlers.commands import Commands
from pychat.model.errors import ConnectionLost
from pychat.transport.threads.serving import Threads

logger = logging.getLogger("pychat")


def commands_of(chat: Chat) -> Commands:
    """Return the chat's handler for commands; add it if there is none."""
    commands = next((handler for handler in chat.handlers if isinstance(handler, Commands)), None)
    if commands is None:
        commands = Commands()
        chat.add_handler(commands)
    return commands


def warn_if_mute(chat: Chat) -> None:
    """Log a warning if no handler publishes messages: a program that gives handlers replaces the default ones."""
    if not chat.chains.may_publish:
        logger.warning(
            "nobody will receive messages: no handler publishes them; add Broadcast() to handlers=[...], "
            "or leave handlers= out and use server.add_handler(...)"
        )


class Bots:
    """The bots of one server, each on a thread of its own."""

    def __init__(self, chat: Chat, threads: Threads) -> None:
        self._chat = chat
        self._threads = threads

    def add(self, bot: Bot) -> None:
        """Let a bot enter the chat; return when it is in its rooms. See `ChatServer.add_bot`."""
        bot.enter(self._chat)
        thread = threading.Thread(target=self._run, args=(bot,), name="pychat-bot", daemon=True)
        self._threads.add(thread, bot)
        try:
            thread.start()
        except RuntimeError:
            self._threads.remove(thread)
            bot.stop("no thread could be started")
            raise

    def _run(self, bot: Bot) -> None:
        try:
            bot.live()
        except ConnectionLost as error:
            if not self._chat.stopping.is_set():
                logger.warning("%s: %s", bot, error)
        finally:
            self._threads.remove(threading.current_thread())
