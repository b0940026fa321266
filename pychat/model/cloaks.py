"""
The user@host of a person, which IRC shows and masks match: it tells people apart and reveals nothing about them.

An address never leaves the server. Its pseudonym, a cloak, is the same for everybody from one address while the log
exists, so a ban can match an address that only the server knows.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from functools import lru_cache
from typing import Final, TypeAlias

USERNAME_CHARS: Final = 18
"""The maximum length of a username, with the "~" (ISUPPORT USERLEN)."""
REALNAME_CHARS: Final = 128
"""The maximum length of a real name (ISUPPORT NAMELEN)."""

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED_BITS: Final = 96
"""The length of the prefix before an IPv4 address embedded in IPv6 (RFC 4291, 2.5.5.2)."""
_DEFAULT_USERNAME: Final = "user"
_CLOAK_CHARS: Final = 12  # 5 bits each
_CLOAK_BYTES: Final = 10  # enough for these, and without padding
_NOT_IN_USERNAMES: Final = re.compile(r"[^A-Za-z0-9._-]")
_NOT_IN_HOSTS: Final = re.compile(r"[^A-Za-z0-9.-]")

UNIX: Final = "unix"
"""Stands for the address of a Unix socket, which has none."""


class Cloaks:
    """Derives hosts from addresses with a secret, without which nobody can find an address by trying all of them."""

    def __init__(self, server: str, secret: bytes | None = None) -> None:
        """
        Args:
            server: The name of the server.
            secret: Default: a new one.
        """
        self.server = server_host(server)
        """The host of sessions inside this process."""
        self.operator = f"operator.{self.server}"
        """The host of server operators, who do not have to hide where they come from."""
        self._secret = secret or secrets.token_bytes(32)

    def host(self, address: str) -> str:
        """Return the host for an address; an IPv6 /64 counts as one address. Empty for a session in this process."""
        if not address:
            return self.server
        digest = hmac.digest(self._secret, significant(address), hashlib.sha256)
        return f"{base64.b32encode(digest[:_CLOAK_BYTES]).decode().lower()[:_CLOAK_CHARS]}.ip"


def significant(address: str) -> bytes:
    """Return the bytes of an address that a person can hardly change."""
    if address == UNIX:
        return address.encode()
    ip = ip_of(address)
    return ip.packed[:8] if ip.version == 6 else ip.packed


@lru_cache(maxsize=1024)
def ip_of(address: str) -> Ip:
    """Return an address without its zone. An IPv4 address embedded in IPv6 is returned as IPv4."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip


def network_in(text: str, *, strict: bool = True) -> Network:
    """
    Parse a network. An IPv4 network embedded in IPv6 is returned as IPv4.

    Args:
        strict: True if bits after the prefix are an error.

    Raises:
        ValueError: If it is not a network, or is an IPv6 prefix that would contain all of IPv4.
    """
    address, slash, prefix = text.partition("/")
    network = ipaddress.ip_network(f"{address.partition('%')[0]}{slash}{prefix}", strict=strict)
    inside = ip_of(address)
    if inside.version == network.version:
        return network
    if network.prefixlen < _MAPPED_BITS:
        raise ValueError("for an IPv4 address inside IPv6, the prefix must be at least 96")
    return ipaddress.ip_network((int(inside), network.prefixlen - _MAPPED_BITS), strict=False)


def plain_address(address: str) -> str:
    """Return a system's address in its usual form: an IPv4 address embedded in IPv6 as IPv4."""
    return str(ip_of(address)) if address.startswith("::ffff:") else address


def server_host(name: str) -> str:
    """Return the name of the server as a host with a dot, so that nobody takes it for a nickname: "irc.pychat"."""
    host = _NOT_IN_HOSTS.sub("", name).strip(".-") or "pychat"
    return host if "." in host else f"irc.{host}"


def username(said: str) -> str:
    """
    Return the part before the "@": the client's text, reduced to characters that break no mask or line.

    The "~" says that no ident server vouches for it (as on every IRC server that does not use one).
    """
    kept = _NOT_IN_USERNAMES.sub("", said.removeprefix("~"))[: USERNAME_CHARS - 1]
    return f"~{kept or _DEFAULT_USERNAME}"
