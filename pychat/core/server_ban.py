"""A ban from the whole server, as a value, and what is asked and answered about such bans. For server operators."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, TypeAlias

from pychat.core.errors import Refused
from pychat.core.masks import ACCOUNT, normal_mask
from pychat.core.queries import Ref

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class ServerBan(NamedTuple):
    """Whom the server does not let in."""

    target: str
    """An address or network, `a:` and an account, or a mask `nick!user@host`."""
    reason: str
    by: str
    """Nickname of the operator."""
    time: float
    """When it was made; POSIX seconds."""
    until: float | None = None
    """When it ends; None: never."""


class BadTarget(Refused):
    """Nobody can be banned like this."""

    code = "bad_target"

    def __init__(self, target: str) -> None:
        self.subject = (target[:64],)
        super().__init__(
            f"{target[:64]!r} is nobody who could be banned; use an address like 192.0.2.1 or 10.0.0.0/8, a:ACCOUNT, "
            "a mask like *!*@*.example, or the nickname of somebody who is here"
        )


def network_of(target: str) -> Network | None:
    """
    Return the addresses that a target means; None if it is no address. A single one of IPv6 means its /64.

    Raises:
        BadTarget: It is a network, but no possible one.
    """
    address, slash, _ = target.partition("/")
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    if not slash:
        target = f"{address}/64" if ip.version == 6 else address
    try:
        return ipaddress.ip_network(target, strict=False)
    except ValueError:
        raise BadTarget(target) from None


def normal_target(target: str) -> str:
    """
    Return a target as it is kept; a nickname is none.

    Raises:
        BadTarget: It is nothing that could be banned.
    """
    if target.startswith(ACCOUNT) and target != ACCOUNT:
        return target
    network = network_of(target)
    if network is not None:
        return str(network.network_address if network.num_addresses == 1 else network)
    if "!" not in target and "@" not in target:
        raise BadTarget(target)
    try:
        return normal_mask(target)
    except Refused:
        raise BadTarget(target) from None


class AddServerBan(NamedTuple):
    """Let nobody in, and disconnect everybody, whom the target means (`ServerBan`, or the nickname of somebody)."""

    target: str
    seconds: float | None = None
    """How long; None: for ever."""
    reason: str = ""
    ref: Ref = None


class RemoveServerBan(NamedTuple):
    """End a ban."""

    target: str
    ref: Ref = None


class ListServerBans(NamedTuple):
    """Who is banned? Answered by `ServerBanList`."""

    ref: Ref = None


class ServerBanList(NamedTuple):
    """All that have not ended, the oldest first."""

    ref: Ref
    bans: tuple[ServerBan, ...]
