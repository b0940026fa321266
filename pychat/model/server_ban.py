"""A server ban as a value, with its verbs and their reply. For server operators."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pychat.model.cloaks import Network, ip_of, network_in
from pychat.model.errors import BadTarget, Refused
from pychat.model.masks import ACCOUNT, means_address, normal_mask
from pychat.model.queries import Ref

_ANYBODY_AT: Final = re.compile(r"^(?:\*!)?\*@(?=[0-9A-Fa-f.:/]+$)")
"""A prefix that other servers require before an address. Here, no mask matches an address, because none is shown."""


class ServerBan(NamedTuple):
    """A ban from the whole server."""

    target: str
    """An address or network, `a:` with an account, or a mask `nick!user@host`."""
    reason: str
    by: str
    """The nickname of the operator."""
    time: float
    """When it was made, in POSIX seconds."""
    until: float | None = None
    """When it expires, in POSIX seconds; None for never."""
    deadline: float | None = None
    """When it expires by `Clock.monotonic`, even if the clock is set; None for never, or if it is not in force yet."""


def network_of(target: str) -> Network | None:
    """
    Return the network of a target; None if it is not an address. A single IPv6 address means its /64.

    Raises:
        BadTarget: If it looks like a network and is not a valid one.
    """
    address, slash, _ = target.partition("/")
    try:
        ip = ip_of(address)
    except ValueError:
        return None
    if not slash:
        target = f"{ip}/64" if ip.version == 6 else str(ip)
    try:
        return network_in(target, strict=False)
    except ValueError:
        raise BadTarget(target) from None


def normal_target(target: str, *, new: bool = False) -> str:
    """
    Return the stored form of a target; a nickname is not a target.

    Args:
        new: True if it is to be banned now, so it must be able to match somebody.

    Raises:
        BadTarget: If it cannot be banned.
    """
    if not target.startswith(ACCOUNT) or target == ACCOUNT:
        network = network_of(_ANYBODY_AT.sub("", target))
        if network is not None:
            return str(network.network_address if network.num_addresses == 1 else network)
        if ("!" not in target and "@" not in target) or (new and means_address(target)):
            raise BadTarget(target)
    try:
        return normal_mask(target)
    except Refused:
        raise BadTarget(target) from None


class AddServerBan(NamedTuple):
    """Ban a target (`ServerBan`, or a person's nickname), and disconnect everybody it matches."""

    target: str
    seconds: float | None = None
    """The duration; None for a permanent ban."""
    reason: str = ""
    ref: Ref = None


class RemoveServerBan(NamedTuple):
    """End a ban."""

    target: str
    ref: Ref = None


class ListServerBans(NamedTuple):
    """Ask for the server bans; answered by `ServerBanList`."""

    ref: Ref = None


class ServerBanList(NamedTuple):
    """All bans that have not expired, the oldest first."""

    ref: Ref
    bans: tuple[ServerBan, ...]
