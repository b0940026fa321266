"""What a server hands to each of its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pychat.core.chat import Chat
from pychat.model.limits import Limits
from pychat.protocols.base import Dialect
from pychat.protocols.detect import Language
from pychat.transport.admission import Admission
from pychat.transport.origins import Proxies
from pychat.transport.write_queue import WriteQueue

if TYPE_CHECKING:
    from pychat.transport.tls import ServerTls


@dataclass(slots=True)
class Service:
    """
    The chat, the way to its members, and the settings of one server.

    `server/reload.py` replaces settings while connections read them on their own threads: read each only once.
    """

    chat: Chat
    write_queue: WriteQueue
    admission: Admission
    limits: Limits
    dialects: dict[Language, Dialect]
    proxies: Proxies
    tls: ServerTls | None = None
    tls_required: bool = False
