"""Who may connect: how many in all, and how many from one address."""

from __future__ import annotations

import ipaddress
import resource
import threading
import time
from collections import Counter

from pychat.model.cloaks import UNIX, ip_of
from pychat.model.limits import Limits
from pychat.transport.origins import Origin

OWN_FILES = 64
"""Descriptors that are kept for everything that is no connection."""


class Admission:
    """Counts connections, now and in this minute. Thread-safe."""

    def __init__(self, limits: Limits) -> None:
        self.change(limits)
        # Guards the counters; nothing is called under it.
        self._lock = threading.Lock()
        self._total = 0
        self._open: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._minute = 0

    def change(self, limits: Limits) -> None:
        """From now on these are the limits."""
        self._limits = limits
        self.most = most_connections(limits)
        """Connections in all, which may be fewer than in the limits."""

    def admit(self, origin: Origin) -> str | None:
        """
        Count a connection; return why it is refused, None if it is not.

        One that a proxy brings counts for no address until it is known for whose (`identify`).
        """
        with self._lock:
            if self._total >= self.most:
                return "server full"
            refusal = None if origin.proxied else self._count_locked(origin)
            if refusal is None:
                self._total += 1
            return refusal

    def identify(self, origin: Origin, address: str) -> str | None:
        """An admitted connection is one of this address: count it for that; return why it is refused nevertheless."""
        origin.address = address
        with self._lock:
            return self._count_locked(origin)

    def release(self, origin: Origin) -> None:
        """An admitted connection is over."""
        with self._lock:
            self._total -= 1
            if origin.counted is not None:
                self._open[origin.counted] -= 1
                if self._open[origin.counted] <= 0:
                    del self._open[origin.counted]

    def _count_locked(self, origin: Origin) -> str | None:
        source = source_of(origin.address)
        if source is None:
            return None
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
        origin.counted = source
        return None


def source_of(host: str) -> str | None:
    """Return what counts as one address: an IPv4 address or an IPv6 /64; None for this machine, which is exempt."""
    if host == UNIX:
        return None
    address = ip_of(host)
    if address.is_loopback:
        return None
    return str(address if address.version == 4 else ipaddress.IPv6Network((address, 64), strict=False))


def most_connections(limits: Limits) -> int:
    """Return how many there can be in all: fewer than the limits say, if there are not enough descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits.max_connections
    return max(1, min(limits.max_connections, soft - OWN_FILES))
