"""
Bots: programs that hear what happens and answer people, over the network or inside the server's process.

Everything that one bot does runs on one thread: that of `run`, or its own inside a server. So its functions need no
locks, and while one of them takes its time, the bot hears nothing; nobody else waits for it.
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
"""How long a bot may have been away so that it still runs the commands which it missed."""


class BotContext(Context):
    """What a command of a bot knows: also the bot. Its answers are notices, which no program answers."""

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
        state: str | os.PathLike[str] | None = None,
    ) -> None:
        """
        Args:
            rooms: Which to join; none: the default room.
            prefix: What commands begin with.
            bots: Whether it also hears other bots, and notices; then its functions must not answer for ever. Commands
                in notices are never run.
            catch_up: After a reconnect, commands that were missed are run if the bot was away for at most so many
                seconds. Functions hear of everything that was missed.
            state: A file in which `run` keeps where the bot is, so that the next run has the nickname back and goes on
                behind what was done. Of the commands that it missed then, those are run that are not older than
                `catch_up`.
        """
        super().__init__(given("prefix", prefix, str, "a string"))
        given("nick", nick, str, "a string")
        self._nick, self._rooms, self._bots, self._catch_up = nick, room_names(rooms), bots, catch_up
        self._state = state
        self._restarted = False
        """Whether what is heard was missed while no process of the bot was there."""
        self._participant: ChatClient | LocalSession | None = None
        """Through which it is in a chat; None while it is in none."""
        self._stopping = threading.Event()
        self._waked_at = 0.0
        """When the chat was asked to interrupt it next, by a clock that is not the system's."""
        self._lost: float | None = None
        """Since when the connection is lost, by `time.monotonic`; None again when everything missed was heard."""

    # Its life

    def run(self, host: str = "127.0.0.1", port: int = 55555, *, wait: bool = False, **options: Any) -> None:
        """
        Connect, and live on this thread until `stop` or Ctrl-C. Comes back whenever the connection is lost.

        On the main thread SIGTERM means the same as Ctrl-C, unless the program handles it itself.

        Args:
            wait: Whether to wait for the server if it is not there yet, and for the nickname if it is only kept for
                somebody who lost the connection, as the process of the bot before this one may have.
            options: More for `ChatClient`: `password`, `tls`, `timeout`, `retry_seconds`; `unix`, instead of host and
                port.

        Raises:
            ConnectFailed: No server answers there.
            Refused: The server does not let us in.
            ConnectionLost: The server does not let us in again, or has put us out.
            CannotOpen: The file for the state cannot be used, or another program uses it.
            LocalProtocolError: The bot is in a chat already, or was stopped.
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
        Come into a chat of this process; somebody must call `live` then. `ChatServer.add_bot` does both.

        A room that it may not join is logged; it is in the others, as over the network.

        Raises:
            Refused: The nickname is not allowed or in use, or a handler said no.
            LocalProtocolError: The bot is in a chat already, or was stopped.
        """
        self._check_free()
        if self._state is not None:
            raise LocalProtocolError("a bot inside a server has no state file: its place is lost with the server")
        session = LocalSession(chat)
        chat.admit(session, self._nick, self._rooms, bot=True, told=self._warn)
        self.clock = chat.clock
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
                if isinstance(participant, ChatClient):
                    participant.quit(reason)  # `live` closes it, when what the bot does now is done
                else:
                    participant.close(reason)
            finally:
                participant.interrupt()

    def _begin(self, participant: ChatClient | LocalSession) -> None:
        self._schedule.begin(self.clock.monotonic())
        self._participant = participant

    def _patience(self, participant: ChatClient | LocalSession, seconds: float | None) -> float | None:
        """Return how long `take` may wait until something is due; by its own clock the chat interrupts it then."""
        if seconds is None or self.clock is SYSTEM_CLOCK or not isinstance(participant, LocalSession):
            return seconds
        now = self.clock.monotonic()
        if now >= self._waked_at or now + seconds < self._waked_at:
            self._waked_at = now + seconds
            participant.chat.alarms.after(seconds, participant.interrupt)
        return None

    def _check_free(self) -> None:
        if self._stopping.is_set():
            raise LocalProtocolError("the bot was stopped and does not start again; make a new one")
        if self._participant is not None:
            raise LocalProtocolError("the bot is in a chat already; make another one")

    def _connect(self, host: str, port: int, *, wait: bool, options: dict[str, Any]) -> ChatClient | None:
        """Return a connection; None if the bot was stopped before there was one."""
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
                self._lost, self._restarted = None, False
                logger.info("%r is back", self)
            case Gap():
                logger.warning("%r has missed what was said in %s: it is not kept any more", self, heard.room)
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
        missed |= self._restarted and time.time() - message.time > self._catch_up
        return not (message.action or message.notice or missed)


def _passes(error: Refused) -> bool:
    """Whether the nickname is refused for some seconds only."""
    return error.code == NicknameInUse.code and error.retry_after is not None


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt as Ctrl-C does, if this is the main thread and nobody handles it."""
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not ours:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
