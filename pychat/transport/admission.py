"""Who may connect: how many in all, and how many from one address."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter

from pychat.core.limits import Limits


class Admission:
    """Counts connections, now and in this minute. Thread-safe."""

    def __init__(self, limits: Limits, most: int) -> None:
        """
        Args:
            most: Connections in all, which may be fewer than in the limits.
        """
        self._limits = limits
        self.most = most
        # Guards the counters; nothing is called under it.
        self._lock = threading.Lock()
        self._total = 0
        self._open: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._minute = 0

    def admit(self, host: str) -> str | None:
        """Count a connection from this address; return why it is refused, None if it is not."""
        source = source_of(host)
        with self._lock:
            if self._total >= self.most:
                return "server full"
            if source is not None:
                minute = int(time.monotonic() // 60)
                if minute != self._minute:
                    self._minute = minute
                    self._new.clear()
                if self._open[source] >= self._limits.connections_per_address:
                    return "too many connections from your address"
                if self._new[source] >= self._limits.new_connections_per_minute:
                    return "too many new connections from your address, try again in a minute"
                self._open[source] += 1
                self._new[source] += 1
            self._total += 1
            return None

    def release(self, host: str) -> None:
        """An admitted connection is over."""
        source = source_of(host)
        with self._lock:
            self._total -= 1
            if source is not None:
                self._open[source] -= 1
                if self._open[source] <= 0:
                    del self._open[source]


def source_of(host: str) -> str | None:
    """Return what counts as one address: an IPv4 address or an IPv6 /64; None for loopback, which is exempt."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif not address.is_loopback:
            return str(ipaddress.IPv6Network((address, 64), strict=False))
    return None if address.is_loopback else str(address)
