"""Requests to the writer from other threads; they share one queue with the entries of the log, so order is kept."""

from __future__ import annotations

import threading
from typing import NamedTuple, TypeAlias

from pychat.core.delivery import Attach, Batch, Detach, Private
from pychat.core.session import Session
from pychat.model.limits import Limits
from pychat.protocols.base import Dialect
from pychat.transport.link import Link


class Open(NamedTuple):
    """Watch the timeouts of a connection that was accepted."""

    link: Link


class Raw(NamedTuple):
    """Send bytes that are not an item of any dialect: the prompt, a refusal of an unsupported language."""

    link: Link
    data: bytes


class Flush(NamedTuple):
    """Send output of the reader's TLS: the handshake, or an answer to the peer's TLS."""

    link: Link


class Speak(NamedTuple):
    """Write to the peer in another dialect from here on."""

    link: Link
    dialect: Dialect


class Disconnect(NamedTuple):
    """End the session after telling the peer the reason."""

    link: Link
    reason: str


class Sever(NamedTuple):
    """End the connection at once, without a last message."""

    link: Link
    reason: str


class Finish(NamedTuple):
    """Send what is queued, then close this direction: nothing follows."""

    link: Link


class Close(NamedTuple):
    """Forget the link and close its socket: its reader has ended."""

    link: Link


class Tell(NamedTuple):
    """Set the event when nothing is queued for the link."""

    link: Link
    event: threading.Event


class Reload(NamedTuple):
    """Apply new limits."""

    limits: Limits


class Settle(NamedTuple):
    """Subtract this many bytes, caused by the session earlier, from those in flight."""

    session: Session
    size: int


Job: TypeAlias = (
    Batch
    | Private
    | Attach
    | Detach
    | Open
    | Raw
    | Flush
    | Speak
    | Disconnect
    | Sever
    | Finish
    | Close
    | Tell
    | Reload
    | Settle
)
