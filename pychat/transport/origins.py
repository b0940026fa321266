"""Where connections come from: an address, and whether a proxy stands in between that says whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pychat.model.arguments import items
from pychat.model.cloaks import UNIX, Network, ip_of, network_in, plain_address
from pychat.model.errors import ChatError

_ALLOWED: Final = f"use an address like 192.0.2.1, a network like 10.0.0.0/8, or {UNIX} for a Unix socket"


class BadProxy(ChatError, ValueError):
    """What was named is no address of proxies."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(text, problem)
        self.text, self.problem = text, problem

    def __str__(self) -> str:
        return f"proxy {self.text!r}: {self.problem}; {_ALLOWED}"


class Origin:
    """Of one connection. Only its reader changes it."""

    __slots__ = ("address", "counted", "proxied")

    def __init__(self, address: str, *, proxied: bool = False) -> None:
        self.address = address
        """An IP address, or "unix"; that of the proxy, until that has said whom it brings."""
        self.proxied = proxied
        """Whether it comes from a proxy, which says so."""
        self.counted: str | None = None
        """What stands for it in the counters of `Admission`; None: it is exempt, or not known yet."""

    def __str__(self) -> str:
        return self.address


class Proxies:
    """The addresses from which only proxies connect that speak the PROXY protocol. Immutable."""

    def __init__(self, addresses: Iterable[str] = ()) -> None:
        """
        Args:
            addresses: Of hosts, `192.0.2.1`, or networks, `10.0.0.0/8`; `unix`: whoever comes by a Unix socket.

        Raises:
            BadProxy: One is neither.
            TypeError: It is a string, and no list of them.
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
        """The origin of a new connection from this address."""
        return Origin(plain_address(address), proxied=address in self)


def _network(text: str) -> Network:
    try:
        return network_in(text)
    except ValueError as error:
        hosts = "has host bits set" in str(error)
        raise BadProxy(text, "it has bits behind its prefix" if hosts else "it is no address") from None
