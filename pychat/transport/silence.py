"""Who says nothing for too long: a peer without a nickname, and one that does not answer a ping, is disconnected."""

from __future__ import annotations

import time

from pychat.core.delivery import Private
from pychat.model.limits import Limits
from pychat.model.replies import PingRequest
from pychat.transport.jobs import Disconnect
from pychat.transport.link import Link
from pychat.transport.timers import Timers
from pychat.transport.write_queue import WriteQueue


class Silence:
    """Watches the connections of one server. Used by the loop only."""

    def __init__(self, limits: Limits, write_queue: WriteQueue, timers: Timers) -> None:
        self.limits = limits
        self._write_queue, self._timers = write_queue, timers

    def watch(self, link: Link) -> None:
        """Watch a new connection until its timer is cancelled."""
        limits = self.limits
        first = min(limits.registration_seconds, limits.ping_seconds, limits.silence_seconds)
        self._timers.set(link, link.opened + first, self._check_registered)

    def _check_registered(self, link: Link) -> None:
        session = link.session
        if session is not None and session.nickname is not None:
            if link.pings:
                self._check_silence(link)
            return
        seconds = self.limits.registration_seconds
        if time.monotonic() >= link.opened + seconds:
            self._write_queue.submit_now(Disconnect(link, f"no nickname within {seconds:g} seconds"))
        else:
            self._timers.set(link, link.opened + seconds, self._check_registered)

    def _check_silence(self, link: Link) -> None:
        """Ping a silent peer. Nobody is disconnected without a ping, however late the timer runs."""
        session, limits = link.session, self.limits
        assert session is not None
        # By the chat's clock, as `last_input_time` is; our own waiting time is by the system's.
        silent = session.chat.clock.monotonic() - session.last_input_time
        if silent < limits.ping_seconds:
            self._timers.set(link, time.monotonic() + limits.ping_seconds - silent, self._check_silence)
            return
        link.asked = session.last_input_time
        self._write_queue.submit_now(Private(session, (PingRequest(),)))
        patience = max(0.0, limits.silence_seconds - limits.ping_seconds)
        self._timers.set(link, time.monotonic() + patience, self._check_answer)

    def _check_answer(self, link: Link) -> None:
        assert link.session is not None
        if link.session.last_input_time == link.asked:
            reason = f"no answer for {self.limits.silence_seconds:g} seconds"
            self._write_queue.submit_now(Disconnect(link, reason))
        else:
            self._check_silence(link)
