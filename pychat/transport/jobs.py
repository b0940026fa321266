"""What other threads ask of the writer, beside the entries of the log: one queue for both, so order is kept."""

from __future__ import annotations

import threading
from typing import NamedTuple, TypeAlias

from pychat.core.delivery import Attach, Batch, Detach, Private
from pychat.core.session import Session
from pychat.protocols.base import Dialect
from pychat.transport.link import Link


class Open(NamedTuple):
    """A connection was accepted: watch its time."""

    link: Link


class Raw(NamedTuple):
    """Bytes that are no item of any dialect: the prompt, a refusal of a language that is not spoken here."""

    link: Link
    data: bytes


class Flush(NamedTuple):
    """The reader's TLS has something to send: the handshake, or an answer to the peer's TLS."""

    link: Link


class Speak(NamedTuple):
    """From here on the peer is written to in another dialect."""

    link: Link
    dialect: Dialect


class Expel(NamedTuple):
    """End the session, politely: the peer is told why."""

    link: Link
    reason: str


class Sever(NamedTuple):
    """End the connection at once: there is no time for more."""

    link: Link
    reason: str


class Finish(NamedTuple):
    """Nothing comes after this: send what is queued, then close this direction."""

    link: Link


class Close(NamedTuple):
    """The reader has ended: forget the link and close its socket."""

    link: Link


class Tell(NamedTuple):
    """Set the event when nothing is queued for the link."""

    link: Link
    event: threading.Event


class Settle(NamedTuple):
    """What the session caused before, about so many bytes, is not on its way any more."""

    session: Session
    size: int


Job: TypeAlias = (
    Batch | Private | Attach | Detach | Open | Raw | Flush | Speak | Expel | Sever | Finish | Close | Tell | Settle
)
