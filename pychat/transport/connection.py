"""
One connection: after the greeting (`greeting.py`), turn chunks into verbs, and let the chat perform them.

A connection is a generator that yields what it waits for (`threads/home.py`): it needs no thread while it waits. It
runs on one thread at a time, so the requests of a session are performed in order. It never sends; all output goes
through the writer (`writer.py`), as does the end of the connection.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pychat.core.performing import Work, perform_some
from pychat.model.clock import SYSTEM_CLOCK
from pychat.model.errors import Refused
from pychat.model.replies import Bye, Failure
from pychat.model.verbs import Hello, Pong, Verb
from pychat.protocols.base import Protocol
from pychat.protocols.detect import (
    Language,
)
from pychat.protocols.registry import LANGUAGES
from pychat.transport.greeting import Greeting
from pychat.transport.input import LEAST_READ, Incoming
from pychat.transport.jobs import Finish, Speak
from pychat.transport.link import Link, WireSession
from pychat.transport.origins import Origin
from pychat.transport.service import Service
from pychat.transport.threads.home import INPUT, WOKEN, Home, Steps, Wait

if TYPE_CHECKING:
    pass

logger = logging.getLogger("pychat")

_NOISE_BYTES: Final = 4096
"""
Bytes without a verb (blank lines, telnet commands, TLS records) that count as one sign of life, which is charged like
any verb.
"""
_SHARE_SECONDS: Final = 0.005
"""How long a connection goes on before others have their turn, though it has more to do."""
_LINGER_SECONDS: Final = 2.0
"""The time limit for sending the last bytes to a peer, and for discarding what it still sends."""


class Connection:
    """Resumed by its home, on one thread at a time."""

    __slots__ = (
        "_incoming",
        "_lines",
        "_nickname",
        "_service",
        "_steps",
        "_tries",
        "home",
        "link",
        "origin",
        "turn",
        "wait",
        "woken",
    )

    def __init__(self, service: Service, link: Link, origin: Origin, home: Home, may_begin: Callable[[], bool]) -> None:
        """
        Args:
            may_begin: Called once on its first step; if it returns False, the connection is over at once.
        """
        self._service = service
        self.link = link
        self.origin = origin
        self.home = home
        self.wait: Wait | None = WOKEN
        """What it waits for; None while it runs, and once it is over. Belongs to its home, as do the next two."""
        self.turn = 0
        """Counts the waits, so that a deadline of an earlier one is ignored."""
        self.woken = False
        """True if it was woken while it did not wait for that."""
        self._steps = self._run(may_begin)
        next(self._steps)
        self._incoming = Incoming(link.socket, link, service.write_queue)
        self._tries = 0
        self._lines = 0
        self._nickname: str | None = None
        """The nickname that the protocol knows; the server may have renamed the session since."""

    def __str__(self) -> str:
        return str(self.origin)

    def resume(self, happened: bool) -> Wait | None:
        """
        Go on until the next wait, and return it; None if the connection is over. May block, after `before_wait`.

        Args:
            happened: False if the time of the last wait was up.
        """
        session = self.link.session
        if isinstance(session, WireSession):
            session.thread = threading.get_ident()
        try:
            return self._steps.send(happened)
        except StopIteration:
            return None

    def wake(self) -> None:
        """Resume it, if it waits for something other than input. May be called from any thread."""
        self.home.wake(self)

    def _run(self, may_begin: Callable[[], bool]) -> Steps[None]:
        """Serve the peer until it or the server ends the connection."""
        yield WOKEN  # until its home begins
        begins = may_begin()
        del may_begin
        if not begins:
            return
        greeting = Greeting(self._service, self.link, self.origin, self._incoming)
        language, data = yield from greeting.run()
        answered = greeting.answered
        del greeting
        if language is not None:
            serving = self._serve(language, data)
            del data  # nothing is kept that is not needed any more
            yield from serving
        elif not answered:
            return
        yield from self._finish()

    # Verbs

    def _serve(self, language: Language, data: bytes) -> Steps[None]:
        service = self._service
        session = WireSession(service.chat, service.write_queue, self.link, self.origin.address)
        protocol = LANGUAGES[language].protocol(service.limits, service.dialects[language])
        self.link.session, self.link.dialect, self.link.pings = session, protocol.dialect, protocol.pings
        session.language = language.value
        session.resumable = protocol.resumes
        session.echoes = protocol.dialect.echoes
        try:
            service.chat.open(session)
        except Refused as error:
            service.chat.send(session, Failure.of(error), Bye(str(error)))
            return
        try:
            conversing = self._converse(session, protocol, data)
            del data
            yield from conversing
        finally:
            service.chat.close(session, self.link.close_reason or "connection closed", lost=True)

    def _converse(self, session: WireSession, protocol: Protocol, data: bytes) -> Steps[None]:
        chat = session.chat
        monotonic = chat.clock.monotonic
        had_more = False
        while data or not self._incoming.ended:
            session.uncounted += self._incoming.take_count()
            if data:
                session.last_input_time = monotonic()
                if not had_more:
                    session.held_back = None
                if session.asked is not None:
                    session.asked.set()
                    session.asked = None
                if session.nickname != self._nickname:
                    self._tell_nickname(session, protocol)
                protocol.receive(data)
                session.performing = True
                yield from self._perform(session, protocol)
                session.performing = False
            if session.uncounted > _NOISE_BYTES:
                yield from self._do(session, [Pong()])
            if session.closed or self.link.close_reason is not None:
                return
            waits = session.held_back is not None
            had_more = waits and self._incoming.has_more()  # input that arrived during the wait is just as old
            if not self._incoming.ended:
                yield INPUT
            data = self._incoming.receive(LEAST_READ if session.nickname is None or waits else None)
        if self.link.close_reason is None and not self._incoming.broken:  # otherwise the last line was cut off
            protocol.receive_eof()
            yield from self._perform(session, protocol)

    def _perform(self, session: WireSession, protocol: Protocol) -> Steps[None]:
        """Perform the verbs that a chunk completed."""
        dialect = protocol.dialect
        until = time.monotonic() + _SHARE_SECONDS
        while verbs := protocol.take_verbs():
            if time.monotonic() > until:  # of many short lines; others have their turn first
                self.wake()
                yield WOKEN
                until = time.monotonic() + _SHARE_SECONDS
            # One by one before registration, so that a chunk does not contain many attempts.
            for some in (verbs,) if session.nickname is not None else [[verb] for verb in verbs]:
                if session.nickname is None:
                    self._count_tries(some)
                yield from self._do(session, some)
                if session.nickname is None:
                    if session.lacks_password and type(some[-1]) is Hello:
                        protocol.lacks_password()
                    self._give_up_registration(session, protocol)
                if session.nickname != self._nickname:
                    self._tell_nickname(session, protocol)
                if session.closed or self.link.close_reason is not None:
                    return
            if protocol.dialect is not dialect:
                dialect = protocol.dialect
                self._service.write_queue.submit(Speak(self.link, dialect))
                session.echoes = dialect.echoes

    def _do(self, session: WireSession, verbs: list[Verb]) -> Steps[None]:
        """Perform verbs, and rest before and in between when the session must."""
        while self.home.is_crowded and session.is_here and any(map(session.chat.chains.may_wait, verbs)):
            self.home.wake_later(self)
            yield WOKEN
        work = Work(verbs)
        while (rest := perform_some(session, work)) is not None:
            if rest.seconds is not None:
                yield from self._pause(session, rest.seconds)
            else:
                while self._service.write_queue.rest(session, self.wake):
                    yield WOKEN

    def _pause(self, session: WireSession, seconds: float) -> Steps[None]:
        """Do not read the peer for a while, as a handler wants; end early when the session is disconnected."""
        chat = session.chat
        now = chat.clock.monotonic
        until = now() + seconds
        if session.held_back is None:
            session.held_back = now()
        is_timed = chat.clock is SYSTEM_CLOCK
        if not is_timed:
            chat.alarms.after(seconds, self.wake)
        while session.is_here and not chat.stopping.is_set() and (left := until - now()) > 0:
            yield Wait(False, left if is_timed else None)

    def _tell_nickname(self, session: WireSession, protocol: Protocol) -> None:
        """Update the protocol if the session's nickname has changed."""
        if session.nickname is not None:
            self._nickname = session.nickname
            protocol.registered(session.nickname)

    def _count_tries(self, verbs: list[Verb]) -> None:
        self._lines += len(verbs)
        self._tries += sum(type(verb) is Hello for verb in verbs)

    def _give_up_registration(self, session: WireSession, protocol: Protocol) -> None:
        """End a session that has used up its attempts to register."""
        limits = self._service.limits
        if session.lacks_password and not protocol.asks_password:
            session.disconnect_self("nobody can join without the password")
        elif self._tries and not protocol.asks_again:
            session.disconnect_self("the nickname was refused; connect again with another")
        elif self._tries >= limits.registration_tries:
            what = "tries without the password" if session.lacks_password else "nicknames were refused"
            session.disconnect_self(f"{limits.registration_tries} {what}")
        elif self._lines >= limits.registration_lines:
            session.disconnect_self(f"no nickname accepted in {limits.registration_lines} lines")

    # The end

    def _finish(self) -> Steps[None]:
        """
        Let the last bytes reach the peer.

        Closing a socket with unread input resets the connection, and the peer may lose the last bytes; so input is read
        and discarded for a while.
        """
        link = self.link
        if link.dead:
            return
        self._service.write_queue.submit(Finish(link))
        deadline = time.monotonic() + _LINGER_SECONDS
        while not link.finished and (left := deadline - time.monotonic()) > 0:
            yield Wait(False, left)
        while not link.dead and not self._service.chat.stopping.is_set():
            left = deadline - time.monotonic()
            if self._incoming.at_end or left <= 0 or not (yield Wait(True, left)):
                return
            self._incoming.throw_away()
