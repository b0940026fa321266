"""
Bots: programs that react to events and answer people, over the network or inside the server's process.

All functions of a bot run on one thread: that of `run`, or the bot's own inside a server. So they need no locks, and
while one of them runs, the bot receives nothing; nobody else waits for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pychat.bot.dispatch import Repertoire
from pychat.client import ChatClient, Dropped, Heard, Reconnected, Reconnecting
from pychat.client.backoff import RETRY_SECONDS, Backoff
from pychat.core.local_session import LocalSession
from pychat.handlers.function_commands import Context
from pychat.model.arguments import given
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import ConnectFailed, ConnectionLost, LocalProtocolError, NicknameInUse, Refused
from pychat.model.events import Message
from pychat.model.names import room_names
from pychat.model.participant import Participant
from pychat.model.replies import Failure, Gap
from pychat.model.verbs import Direct

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.model.replies import Reply
    from pychat.model.verbs import Verb

logger = logging.getLogger("pychat")

CATCH_UP_SECONDS: Final = 60.0
"""The longest absence after which a bot still runs the commands that it missed."""


class BotContext(Context):
    """The context of a bot's command, with the bot itself. Replies are notices, which no program answers."""

    __slots__ = ("_id", "bot")

    def __init__(self, bot: Bot, message: Message) -> None:
        super().__init__(message.sender, message.room, message)
        self.bot = bot
        self._id = message.id or None

    @property
    def clock(self) -> Clock:
        return self.bot.clock

    def reply(self, text: str) -> None:
        if self.room is None:
            self.whisper(text)
        else:
            self.bot.say(text, self.room, notice=True)

    def whisper(self, text: str) -> None:
        self.bot.ask(Direct(text, self.nickname, notice=True, reply_to=self._id))


class Bot(Repertoire, Participant):
    """
    Functions that are called for events, commands and at intervals. Any thread may add them at any time, and call the
    verbs.

    A bot is marked as one (user mode `B`). It receives neither its own messages nor those of other programs, and no
    replay of earlier messages. A function that fails is logged with its traceback, and the bot continues.
    """

    def __init__(
        self,
        nick: str,
        *,
        rooms: Iterable[str] = (),
        prefix: str = "!",
        bots: bool = False,
        catch_up: float = CATCH_UP_SECONDS,
        state: str | os.PathLike[str] | None = None,
    ) -> None:
        """
        Args:
            rooms: The rooms to join; the default room if empty.
            prefix: The prefix of commands.
            bots: True to receive messages of other bots and notices as well; its functions must then avoid endless
                exchanges. Commands in notices are never run.
            catch_up: After a reconnect, missed commands are run if the bot was away for at most this many seconds.
                Functions are called for all missed events.
            state: A file in which `run` stores the bot's position, so that the next run has the same nickname and
                continues after the last event that was handled. Missed commands are then run if they are not older than
                `catch_up`.
        """
        super().__init__(given("prefix", prefix, str, "a string"))
        given("nick", nick, str, "a string")
        self._nick, self._rooms, self._bots, self._catch_up = nick, room_names(rooms), bots, catch_up
        self._state = state
        self._restarted = False
        """True if the events received now were missed while no process of the bot was running."""
        self._participant: ChatClient | LocalSession | None = None
        """Its connection to a chat; None while it is not in one."""
        self._stopping = threading.Event()
        self._waked_at = 0.0
        """The time of the next interrupt that was requested from the chat, by a clock other than the system's."""
        self._lost: float | None = None
        """When the connection was lost, by `time.monotonic`; None again once all missed events were received."""

    # Lifecycle

    def run(self, host: str = "127.0.0.1", port: int = 55555, *, wait: bool = False, **options: Any) -> None:
        """
        Connect, and run on this thread until `stop` or Ctrl-C. Reconnects whenever the connection is lost.

        On the main thread SIGTERM means the same as Ctrl-C, unless the program handles it itself.

        Args:
            wait: True to wait for the server if it is not running yet, and for the nickname if it is reserved for a
                lost connection, such as that of the bot's previous process.
            options: Further arguments of `ChatClient`: `password`, `tls`, `timeout`, `retry_seconds`; `unix`, instead
                of host and port.

        Raises:
            ConnectFailed: If no server answers.
            Refused: If the server refuses the bot.
            ConnectionLost: If the server refuses a reconnect, or has disconnected the bot.
            CannotOpen: If the state file cannot be used, or another program uses it.
            LocalProtocolError: If the bot is already in a chat, or was stopped.
        """
        self._check_free()
        with interrupted_by_sigterm(), contextlib.suppress(KeyboardInterrupt):
            client = self._connect(host, port, wait=wait, options=options)
            if client is not None:
                self._restarted = client.resumes
                self._begin(client)
                self.live()

    def enter(self, chat: Chat) -> None:
        """
        Join a chat of this process; afterwards `live` must be called. `ChatServer.add_bot` does both.

        A refused room is logged; the bot joins the others, as over the network.

        Raises:
            Refused: If the nickname is not allowed or in use, or a handler refused it.
            LocalProtocolError: If the bot is already in a chat, or was stopped.
        """
        self._check_free()
        if self._state is not None:
            raise LocalProtocolError(
                "a bot inside a server cannot have a state file: its position is lost with the server"
            )
        session = LocalSession(chat)
        chat.admit(session, self._nick, self._rooms, bot=True, told=self._warn)
        self.clock = chat.clock
        self._begin(session)

    def live(self) -> None:
        """
        Receive and react, on this thread, until `stop`.

        Raises:
            ConnectionLost: If the bot was disconnected.
        """
        participant = self._participant
        assert participant is not None
        try:
            while not self._stopping.is_set():
                seconds = self._do_what_is_due()
                try:
                    heard = participant.take(self._patience(participant, seconds))
                except LocalProtocolError:  # it is closed
                    break
                if heard is not None:
                    self._hear(heard)
            if isinstance(participant, ChatClient):
                participant.done()
        finally:
            self._participant, self._lost = None, None
            participant.close()
        if not self._stopping.is_set():
            raise ConnectionLost("the bot was disconnected from the chat")

    def stop(self, reason: str = "") -> None:
        """
        Leave for good, from any thread, including from a function of the bot; it cannot be started again.

        Raises:
            LimitExceeded: If the reason is too long. The bot leaves nevertheless.
        """
        self._stopping.set()
        participant = self._participant
        if participant is not None:
            try:
                if isinstance(participant, ChatClient):
                    participant.quit(reason)  # `live` closes it, after the function that runs now
                else:
                    participant.close(reason)
            finally:
                participant.interrupt()

    def _begin(self, participant: ChatClient | LocalSession) -> None:
        self._schedule.begin(self.clock.monotonic())
        self._participant = participant

    def _patience(self, participant: ChatClient | LocalSession, seconds: float | None) -> float | None:
        """Return how long `take` may wait for the next due task; with another clock the chat interrupts it instead."""
        if seconds is None or self.clock is SYSTEM_CLOCK or not isinstance(participant, LocalSession):
            return seconds
        now = self.clock.monotonic()
        if now >= self._waked_at or now + seconds < self._waked_at:
            self._waked_at = now + seconds
            participant.chat.alarms.after(seconds, participant.interrupt)
        return None

    def _check_free(self) -> None:
        if self._stopping.is_set():
            raise LocalProtocolError("the bot was stopped and cannot start again; create a new one")
        if self._participant is not None:
            raise LocalProtocolError("the bot is already in a chat; create another one")

    def _connect(self, host: str, port: int, *, wait: bool, options: dict[str, Any]) -> ChatClient | None:
        """Return a connection; None if the bot was stopped before it was established."""
        backoff = Backoff(options.get("retry_seconds", RETRY_SECONDS))
        while True:
            try:
                return ChatClient(
                    host,
                    port,
                    nick=self._nick,
                    rooms=self._rooms,
                    reconnect=True,
                    bot=True,
                    state=self._state,
                    **options,
                )
            except (ConnectFailed, Refused) as error:
                if not wait or (isinstance(error, Refused) and not _passes(error)):
                    raise
                delay = error.retry_after if isinstance(error, Refused) and error.retry_after else backoff.delay()
                logger.warning("%r: %s; trying again in %.1f s", self, error, delay)
            if self._stopping.wait(delay):
                break
        return None

    # State and verbs

    @property
    def nickname(self) -> str:
        """The bot's nickname; the requested one while it is not in a chat."""
        participant = self._participant
        return self._nick if participant is None else participant.nickname or self._nick

    @property
    def connected(self) -> bool:
        """True if it is in a chat at the moment."""
        participant = self._participant
        return isinstance(participant, LocalSession) or (participant is not None and participant.connected)

    def ask(self, verb: Verb) -> Reply:
        """
        Send any verb and return its answer. Its own `ref` is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: If no answer arrived in time; the verb may still be accepted.
            ConnectionLost: If the bot is not in a chat at the moment.
        """
        participant = self._participant
        if participant is None:
            raise ConnectionLost("the bot is not in a chat")
        try:
            return participant.ask(verb)
        except LocalProtocolError as error:
            if self._excuses():
                raise ConnectionLost("the bot has left the chat") from error
            raise

    def reply(self, message: Message, text: str) -> None:
        """Answer a message in the place where it was sent, with a notice."""
        BotContext(self, message).reply(text)

    def __repr__(self) -> str:
        return f"<Bot {self._nick!r}>"

    # On its thread

    def _wake(self) -> None:
        participant = self._participant
        if participant is not None:
            participant.interrupt()

    def _excuses(self) -> bool:
        """Return whether it was stopped, or its server in this process has disconnected it or is about to end."""
        participant = self._participant
        gone = isinstance(participant, LocalSession) and (participant.closed or participant.chat.stopping.is_set())
        return gone or self._stopping.is_set()

    def _warn(self, what: object) -> None:
        """Log that the chat refused something, such as joining one of its rooms."""
        logger.warning("%r: %s", self, what)

    def _hear(self, heard: Heard) -> None:
        match heard:
            case Message() if not self._listens_to(heard):
                return
            case Reconnecting() if self._lost is None:
                self._lost = time.monotonic()
                logger.warning("%r: the connection is lost: %s", self, heard.reason)
            case Reconnected():
                self._lost, self._restarted = None, False
                logger.info("%r is back", self)
            case Gap():
                logger.warning("%r has missed messages in %s that the server no longer has", self, heard.room)
            case Failure():
                self._warn(heard.text)
            case Dropped():
                self._lost = None  # its `Reconnected` may be among the dropped events
                logger.warning("%r is too slow: %d events were dropped", self, heard.number)
        self._tell(heard)
        if isinstance(heard, Message) and self._obeys(heard):
            self._answer(BotContext(self, heard), heard.text)

    def _listens_to(self, message: Message) -> bool:
        if message.sender == self.nickname:
            return False
        return self._bots or not (message.by_bot or message.notice)

    def _obeys(self, message: Message) -> bool:
        missed = self._lost is not None and time.monotonic() - self._lost > self._catch_up
        missed |= self._restarted and time.time() - message.time > self._catch_up
        return not (message.action or message.notice or missed)


def _passes(error: Refused) -> bool:
    """Return whether the nickname is refused for only some seconds."""
    return error.code == NicknameInUse.code and error.retry_after is not None


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt as Ctrl-C does, if this is the main thread and SIGTERM is not handled."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not ours:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
