"""A ban from the whole server, as a value, and what is asked and answered about such bans. For server operators."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pychat.model.cloaks import Network, ip_of, network_in
from pychat.model.errors import Refused
from pychat.model.masks import ACCOUNT, means_address, normal_mask
from pychat.model.queries import Ref

_ANYBODY_AT: Final = re.compile(r"^(?:\*!)?\*@(?=[0-9A-Fa-f.:/]+$)")
"""What other servers want in front of an address. Here no mask describes an address: they are not shown to anybody."""


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
    deadline: float | None = None
    """The same by `Clock.monotonic`, wherever the clock is set meanwhile; None: never, or it does not hold yet."""


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
    Return a target as it is kept; a nickname is none.

    Args:
        new: Whether it is to be banned now, so it has to be something that can describe anybody.

    Raises:
        BadTarget: It is nothing that could be banned.
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
