"""The origin of a connection: an address, and whether a proxy stands in between that names the client."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pychat.model.arguments import items
from pychat.model.cloaks import UNIX, Network, ip_of, network_in, plain_address
from pychat.model.errors import ChatError

_ALLOWED: Final = f"use an address like 192.0.2.1, a network like 10.0.0.0/8, or {UNIX} for a Unix socket"


class BadProxy(ChatError, ValueError):
    """An invalid proxy address."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(text, problem)
        self.text, self.problem = text, problem

    def __str__(self) -> str:
        return f"proxy {self.text!r}: {self.problem}; {_ALLOWED}"


class Origin:
    """The origin of one connection. Only its reader changes it."""

    __slots__ = ("address", "counted", "proxied")

    def __init__(self, address: str, *, proxied: bool = False) -> None:
        self.address = address
        """An IP address, or "unix"; the proxy's own until the proxy has named the client."""
        self.proxied = proxied
        """True if it comes through a proxy that names the client."""
        self.counted: str | None = None
        """Its key in the counters of `Admission`; None if it is exempt or not known yet."""

    def __str__(self) -> str:
        return self.address


class Proxies:
    """The addresses of proxies that speak the PROXY protocol; nothing else connects from them. Immutable."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        """
        Args:
            addresses: Hosts, `192.0.2.1`, networks, `10.0.0.0/8`, or `unix` for all connections to the Unix socket.

        Raises:
            BadProxy: If one is invalid.
            TypeError: If a single string is given instead of a list.
        """
        if isinstance(addresses, str):
            raise TypeError(f"proxies must be a list of addresses: [{addresses!r}], not {addresses!r}")
        self.addresses = tuple(items("proxies", addresses, "['10.0.0.1']"))
        self._unix = UNIX in self.addresses
        self._networks = [_network(address) for address in self.addresses if address != UNIX]

    def __contains__(self, address: str) -> bool:
        if address == UNIX:
            return self._unix
        if not self._networks:
            return False
        ip = ip_of(address)
        return any(ip in network for network in self._networks)

    def origin(self, address: str) -> Origin:
        """Return the origin of a new connection from this address."""
        return Origin(plain_address(address), proxied=address in self)


def _network(text: str) -> Network:
    try:
        return network_in(text)
    except ValueError as error:
        hosts = "has host bits set" in str(error)
        raise BadProxy(text, "it has bits after its prefix" if hosts else "it is not an address") from None
