"""
The user@host of everybody, which IRC shows and masks are made of: it tells people apart and nothing about them.

An address never leaves the server. What stands for it, a cloak, is the same for all who come from one address, as long
as the log lasts, so that a ban can be for an address that nobody but the server knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from typing import Final, TypeAlias

USERNAME_CHARS: Final = 18
"""Characters of a username, with the "~" (ISUPPORT USERLEN)."""
REALNAME_CHARS: Final = 128
"""Characters of a real name (ISUPPORT NAMELEN)."""

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED_BITS: Final = 96
"""In front of an address of IPv4 that is written inside of IPv6 (RFC 4291, 2.5.5.2)."""
_DEFAULT_USERNAME: Final = "user"
_CLOAK_CHARS: Final = 12  # of 5 bits
_NOT_IN_USERNAMES: Final = re.compile(r"[^A-Za-z0-9._-]")
_NOT_IN_HOSTS: Final = re.compile(r"[^A-Za-z0-9.-]")

UNIX: Final = "unix"
"""What stands for the address of everybody who comes by a Unix socket, which has none."""


class Cloaks:
    """Makes hosts of addresses, with a secret: who does not have it cannot try all addresses to find the one."""

    def __init__(self, server: str, secret: bytes | None = None) -> None:
        """
        Args:
            server: What the server calls itself.
            secret: Default: a new one.
        """
        self.server = server_host(server)
        """The host of those inside this process."""
        self.operator = f"operator.{self.server}"
        """The host of server operators, who have no need to hide where they come from."""
        self._secret = secret or secrets.token_bytes(32)

    def host(self, address: str) -> str:
        """Return the host for an address; an IPv6 /64 is one address. Empty: the session is in this process."""
        if not address:
            return self.server
        digest = hmac.digest(self._secret, significant(address), hashlib.sha256)
        return f"{base64.b32encode(digest).decode().lower()[:_CLOAK_CHARS]}.ip"


def significant(address: str) -> bytes:
    """Return the bytes of an address that one person can hardly change."""
    if address == UNIX:
        return address.encode()
    ip = ip_of(address)
    return ip.packed[:8] if ip.version == 6 else ip.packed


def ip_of(address: str) -> Ip:
    """Return an address without its zone; one of IPv4 is that, also where the system has it inside of IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip


def network_in(text: str, *, strict: bool = True) -> Network:
    """
    Return a network that somebody has written; one of IPv4 is that, also where it is written inside of IPv6.

    Args:
        strict: Whether bits behind the prefix are an error.

    Raises:
        ValueError: It is not one, or a part of IPv6 in which all of IPv4 would be.
    """
    address, slash, prefix = text.partition("/")
    network = ipaddress.ip_network(f"{address.partition('%')[0]}{slash}{prefix}", strict=strict)
    inside = ip_of(address)
    if inside.version == network.version:
        return network
    if network.prefixlen < _MAPPED_BITS:
        raise ValueError("of an IPv4 address inside of IPv6, the prefix is 96 at least")
    return ipaddress.ip_network((int(inside), network.prefixlen - _MAPPED_BITS), strict=False)


def plain_address(address: str) -> str:
    """Return an address of the system as people know it: one of IPv4 is that, also where it is inside of IPv6."""
    return str(ip_of(address)) if address.startswith("::ffff:") else address


def server_host(name: str) -> str:
    """Return the name of the server as a host, which has a dot: nobody takes it for a nickname. "irc.pychat"."""
    host = _NOT_IN_HOSTS.sub("", name).strip(".-") or "pychat"
    return host if "." in host else f"irc.{host}"


def username(said: str) -> str:
    """
    Return what stands before the "@": what the client said, reduced to characters that no mask or line breaks at.

    The "~" says that no ident server vouches for it (as on every IRC server that does not ask one).
    """
    kept = _NOT_IN_USERNAMES.sub("", said.removeprefix("~"))[: USERNAME_CHARS - 1]
    return f"~{kept or _DEFAULT_USERNAME}"
