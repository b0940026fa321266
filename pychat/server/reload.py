"""Settings that can change on a running server: limits, message of the day, passwords, certificate, proxies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from pychat.core.accounts.operators import Operators
from pychat.core.accounts.sasl import mechanisms
from pychat.core.accounts.server_password import Password
from pychat.core.chat import Chat
from pychat.model.arguments import given
from pychat.model.limits import Limits, check_limits
from pychat.model.text import clean_line, lines_of
from pychat.protocols.base import Dialect
from pychat.protocols.detect import Language
from pychat.protocols.registry import Host, make_dialects
from pychat.transport.admission import Admission
from pychat.transport.origins import Proxies
from pychat.transport.trust import Certificate
from pychat.transport.write_queue import WriteQueue
from pychat.transport.writer import Writer

if TYPE_CHECKING:
    from pychat.transport.tls import ServerTls

_DESCRIPTION_CHARS: Final = 150
FIXED_LIMITS: Final = ("history_events", "history_chars")
"""The limits that a log is created with."""


class Keep(Enum):
    """Marks an unchanged setting where None has a meaning."""

    KEEP = "keep"


class Reloadable:
    """The part of a `ChatServer` that can be changed while it runs."""

    chat: Chat
    write_queue: WriteQueue
    limits: Limits
    proxies: Proxies
    tls: ServerTls | None
    tls_required: bool
    dialects: dict[Language, Dialect]
    admission: Admission
    _writer: Writer | None

    def reload(
        self,
        *,
        limits: Limits | None = None,
        motd: Iterable[str] | None = None,
        password: str | Keep | None = Keep.KEEP,
        operators: Mapping[str, str] | None = None,
        tls: Certificate | None = None,
        tls_required: bool | None = None,
        proxies: Iterable[str] | None = None,
    ) -> None:
        """
        Change the given settings, all of them or none; the rest stays. Nobody is disconnected. One thread at a time.

        Args:
            limits: For new connections and, except for the size of lines, the rate of messages and the system's
                buffers, also for existing ones. `history_events` and `history_chars` stay.
            motd: See `ChatServer`, as for all of these.
            password: None if no password is needed any more. Existing sessions stay, and can be resumed by token.
            operators: Current operators stay operators.
            tls: For new connections; give the same one to read its files again. A server that started without TLS
                cannot add it.

        Raises:
            BadCertificate: If the files of `tls` cannot be used.
            BadProxy: If one of `proxies` is not an address.
            ValueError: If the password is empty, or TLS is requested on a server without it.
        """
        if (tls is not None or tls_required) and self.tls is None:
            raise ValueError("a server that was made without TLS cannot begin with it")
        check_limits(limits)
        made_tls = self.tls if tls is None else make_tls(tls)
        made_proxies = self.proxies if proxies is None else Proxies(proxies)
        made_operators = self.chat.operators if operators is None else Operators(operators)
        made_password = self.chat.password
        if password is not Keep.KEEP:
            made_password = None if password is None else Password(given("password", password, str, "a string"))
        made_motd = self.chat.motd if motd is None else lines_of("motd", motd)
        # Nothing can fail from here on. Readers of these attributes read each only once.
        self.tls, self.proxies = made_tls, made_proxies
        was_open = self.chat.password is None
        self.chat.operators, self.chat.password, self.chat.motd = made_operators, made_password, made_motd
        if was_open != (made_password is None):
            self.dialects = dialects_of(self.chat)
        if tls_required is not None:
            self.tls_required = tls_required
        if limits is not None:
            self._limit(replace(limits, **{name: getattr(self.limits, name) for name in FIXED_LIMITS}))

    def reload_tls(self) -> None:
        """
        Read certificate and key again, for new connections; existing ones stay as they are.

        Raises:
            BadCertificate: If they cannot be used; the old ones stay in use.
        """
        if self.tls is not None:
            self.reload(tls=self.tls.certificate)

    def _limit(self, limits: Limits) -> None:
        if limits == self.limits:
            return
        self.limits = self.chat.limits = self.write_queue.limits = limits
        self.chat.logins.limit(limits)
        self.chat.table.shares.change(limits)
        self.admission.change(limits)
        if self._writer is not None:
            self._writer.change(limits)
        self.dialects = dialects_of(self.chat)


def dialects_of(chat: Chat) -> dict[Language, Dialect]:
    """Return the dialects for the current settings of the chat."""
    host = Host(
        chat.name,
        clean_line(chat.description)[:_DESCRIPTION_CHARS],
        chat.default_room.name,
        chat.limits,
        mechanisms(chat),
        chat.accounts.registers,
        chat.password is None,
    )
    return make_dialects(host)


def make_tls(certificate: Certificate) -> ServerTls:
    """
    Load a certificate and its key.

    Raises:
        BadCertificate: If its files cannot be used.
    """
    given("tls", certificate, Certificate, "a Certificate, such as Certificate('cert.pem', 'key.pem')")
    from pychat.transport.tls import ServerTls  # ssl is loaded only where TLS is used

    return ServerTls(certificate)
