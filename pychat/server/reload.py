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
from pychat.transport.origins import Proxies
from pychat.transport.service import Service
from pychat.transport.trust import Certificate

if TYPE_CHECKING:
    from pychat.transport.tls import ServerTls

_DESCRIPTION_CHARS: Final = 150
FIXED_LIMITS: Final = ("history_events", "history_chars")
"""The limits that a log is created with."""


class Keep(Enum):
    """Marks an unchanged setting where None has a meaning."""

    KEEP = "keep"


def reload(
    service: Service,
    *,
    limits: Limits | None,
    motd: Iterable[str] | None,
    password: str | Keep | None,
    operators: Mapping[str, str] | None,
    tls: Certificate | None,
    tls_required: bool | None,
    proxies: Iterable[str] | None,
) -> None:
    """Change the given settings of a server, all of them or none; see `ChatServer.reload`."""
    chat = service.chat
    if (tls is not None or tls_required) and service.tls is None:
        raise ValueError("a server that was created without TLS cannot enable it later")
    check_limits(limits)
    made_tls = service.tls if tls is None else make_tls(tls)
    made_proxies = service.proxies if proxies is None else Proxies(proxies)
    made_operators = chat.operators if operators is None else Operators(operators)
    made_password = chat.password
    if password is not Keep.KEEP:
        made_password = None if password is None else Password(given("password", password, str, "a string"))
    made_motd = chat.motd if motd is None else lines_of("motd", motd)
    # Nothing can fail from here on.
    service.tls, service.proxies = made_tls, made_proxies
    was_open = chat.password is None
    chat.operators, chat.password, chat.motd = made_operators, made_password, made_motd
    if was_open != (made_password is None):
        service.dialects = dialects_of(chat)
    if tls_required is not None:
        service.tls_required = tls_required
    if limits is not None:
        _limit(service, replace(limits, **{name: getattr(service.limits, name) for name in FIXED_LIMITS}))


def _limit(service: Service, limits: Limits) -> None:
    if limits == service.limits:
        return
    chat = service.chat
    service.limits = chat.limits = limits
    chat.logins.limit(limits)
    chat.table.shares.change(limits)
    service.admission.change(limits)
    service.write_queue.change(limits)
    service.dialects = dialects_of(chat)


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
