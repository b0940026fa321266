"""
Bots: programs that hear what happens and answer people, over the network or inside the server's process.

Everything that one bot does runs on one thread: that of `run`, or its own inside a server. So its functions need no
locks, and while one of them takes its time, the bot hears nothing; nobody else waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from pychat.client import ChatClient, Dropped, Heard, Reconnected, Reconnecting
from pychat.core.errors import ConnectFailed, ConnectionLost, LocalProtocolError
from pychat.core.events import Message
from pychat.core.participant import Participant
from pychat.core.replies import Failure
from pychat.core.session import LocalSession, names_of
from pychat.handlers.command_table import Context
from pychat.repertoire import Repertoire
from pychat.transport.lifeline import backoff

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.replies import Reply
    from pychat.core.verbs import Verb

logger = logging.getLogger("pychat")

CATCH_UP_SECONDS: Final = 60.0
"""How long a bot may have been away so that it still runs the commands which it missed."""


class BotContext(Context):
    """What a command of a bot knows: also the bot. Its answers are notices, which no program answers."""

    __slots__ = ("bot",)

    def __init__(self, bot: Bot, message: Message) -> None:
        super().__init__(message.sender, message.room, message)
        self.bot = bot

    def reply(self, text: str) -> None:
        if self.room is None:
            self.whisper(text)
        else:
            self.bot.say(text, self.room, notice=True)

    def whisper(self, text: str) -> None:
        self.bot.direct(self.nickname, text, notice=True)


class Bot(Repertoire, Participant):
    """
    Functions that are called when something happens. Any thread may add them at any time, and call the verbs.

    A bot is marked as one (user mode `B`). It does not hear itself, nor what other programs say, and gets no replay
    of what was said before it came. A function that fails is logged with its traceback, and the bot goes on.
    """

    def __init__(
        self,
        nick: str,
        *,
        rooms: Iterable[str] = (),
        prefix: str = "!",
        bots: bool = False,
        catch_up: float = CATCH_UP_SECONDS,
    ) -> None:
        """
        Args:
            rooms: Which to join; none: the default room.
            prefix: What commands begin with.
            bots: Whether it also hears other bots, and notices; then its functions must not answer for ever. Commands
                in notices are never run.
            catch_up: After a reconnect, commands that were missed are run if the bot was away for at most so many
                seconds. Functions hear of everything that was missed.
        """
        super().__init__(prefix)
        self._nick, self._rooms, self._bots, self._catch_up = nick, names_of(rooms), bots, catch_up
        self._participant: ChatClient | LocalSession | None = None
        """Through which it is in a chat; None while it is in none."""
        self._stopping = threading.Event()
        self._lost: float | None = None
        """Since when the connection is lost, by `time.monotonic`; None again when everything missed was heard."""

    # Its life

    def run(self, host: str = "127.0.0.1", port: int = 55555, *, wait: bool = False, **options: Any) -> None:
        """
        Connect, and live on this thread until `stop` or Ctrl-C. Comes back whenever the connection is lost.

        Args:
            wait: Whether to wait for the server if it is not there yet.
            options: More for `ChatClient`: `password`, `tls`, `timeout`; `unix`, instead of host and port.

        Raises:
            ConnectFailed: No server answers there.
            Refused: The server does not let us in.
            ConnectionLost: The server does not let us in again, or has put us out.
            LocalProtocolError: The bot is in a chat already, or was stopped.
        """
        self._check_free()
        try:
            client = self._connect(host, port, wait=wait, options=options)
            if client is not None:
                self._begin(client)
                self.live()
        except KeyboardInterrupt:
            pass

    def enter(self, chat: Chat) -> None:
        """
        Come into a chat of this process; somebody must call `live` then. `ChatServer.add_bot` does both.

        A room that it may not join is logged; it is in the others, as over the network.

        Raises:
            Refused: The nickname is not allowed or in use, or a handler said no.
            LocalProtocolError: The bot is in a chat already, or was stopped.
        """
        self._check_free()
        session = LocalSession(chat)
        chat.admit(session, self._nick, self._rooms, bot=True, told=self._warn)
        self._begin(session)

    def live(self) -> None:
        """
        Hear and answer, on this thread, until `stop`.

        Raises:
            ConnectionLost: The bot was put out of the chat.
        """
        participant = self._participant
        assert participant is not None
        try:
            while not self._stopping.is_set():
                seconds = self._do_what_is_due()
                try:
                    heard = participant.take(seconds)
                except LocalProtocolError:  # it is closed
                    break
                if heard is not None:
                    self._hear(heard)
        finally:
            self._participant, self._lost = None, None
            participant.close()
        if not self._stopping.is_set():
            raise ConnectionLost("the bot was put out of the chat")

    def stop(self, reason: str = "") -> None:
        """
        Leave for good, from any thread, also from a function of the bot; it does not start again.

        Raises:
            LimitExceeded: The reason is too long. The bot leaves all the same.
        """
        self._stopping.set()
        participant = self._participant
        if participant is not None:
            try:
                participant.close(reason)
            finally:
                participant.interrupt()

    def _begin(self, participant: ChatClient | LocalSession) -> None:
        self._schedule.begin(time.monotonic())
        self._participant = participant

    def _check_free(self) -> None:
        if self._stopping.is_set():
            raise LocalProtocolError("the bot was stopped and does not start again; make a new one")
        if self._participant is not None:
            raise LocalProtocolError("the bot is in a chat already; make another one")

    def _connect(self, host: str, port: int, *, wait: bool, options: dict[str, Any]) -> ChatClient | None:
        """Return a connection; None if the bot was stopped before there was one."""
        for attempt in count(1):
            try:
                return ChatClient(host, port, nick=self._nick, rooms=self._rooms, reconnect=True, bot=True, **options)
            except ConnectFailed as error:
                if not wait:
                    raise
                delay = backoff(attempt)
                logger.warning("%r: %s; trying again in %.1f s", self, error, delay)
            if self._stopping.wait(delay):
                break
        return None

    # What it knows and says

    @property
    def nickname(self) -> str:
        """Its own; the one that it wants while it is in no chat."""
        participant = self._participant
        return self._nick if participant is None else participant.nickname or self._nick

    @property
    def connected(self) -> bool:
        """Whether it is in a chat at this moment."""
        participant = self._participant
        return isinstance(participant, LocalSession) or (participant is not None and participant.connected)

    def ask(self, verb: Verb) -> Reply:
        """
        Ask for any verb and return its answer. A `ref` of its own is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: No answer came in time; it may still be accepted.
            ConnectionLost: The bot is in no chat at the moment.
        """
        participant = self._participant
        if participant is None:
            raise ConnectionLost("the bot is in no chat")
        try:
            return participant.ask(verb)
        except LocalProtocolError as error:
            if self._excuses():
                raise ConnectionLost("the bot is out of the chat") from error
            raise

    def reply(self, message: Message, text: str) -> None:
        """Answer a message where it was said, with a notice."""
        BotContext(self, message).reply(text)

    def __repr__(self) -> str:
        return f"<Bot {self._nick!r}>"

    # On its thread

    def _wake(self) -> None:
        participant = self._participant
        if participant is not None:
            participant.interrupt()

    def _excuses(self) -> bool:
        """It was stopped, or its server in this process has put it out or is about to end."""
        participant = self._participant
        gone = isinstance(participant, LocalSession) and (participant.closed or participant.chat.stopping.is_set())
        return gone or self._stopping.is_set()

    def _warn(self, what: object) -> None:
        """The chat does not let it do something: come into one of its rooms, say."""
        logger.warning("%r: %s", self, what)

    def _hear(self, heard: Heard) -> None:
        match heard:
            case Message() if not self._listens_to(heard):
                return
            case Reconnecting() if self._lost is None:
                self._lost = time.monotonic()
                logger.warning("%r: the connection is lost: %s", self, heard.reason)
            case Reconnected():
                self._lost = None
                logger.info("%r is back", self)
            case Failure():
                self._warn(heard.text)
            case Dropped():
                self._lost = None  # that it is back may be among what it will never hear
                logger.warning("%r is too slow: %d events are lost", self, heard.number)
        self._tell(heard)
        if isinstance(heard, Message) and self._obeys(heard):
            self._answer(BotContext(self, heard), heard.text)

    def _listens_to(self, message: Message) -> bool:
        if message.sender == self.nickname:
            return False
        return self._bots or not (message.by_bot or message.notice)

    def _obeys(self, message: Message) -> bool:
        missed = self._lost is not None and time.monotonic() - self._lost > self._catch_up
        return not (message.action or message.notice or missed)
