"""Who may connect: no banned address, so many in total, and so many from one address."""

from __future__ import annotations

import ipaddress
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable

from pychat.model.cloaks import UNIX, ip_of
from pychat.model.limits import Limits
from pychat.transport.origins import Origin

OWN_FILES = 64
"""File descriptors reserved for everything that is not a connection."""


class Admission:
    """Counts connections, open ones and new ones per minute, and refuses those that are too many. Thread-safe."""

    def __init__(self, limits: Limits, banned: Callable[[str], str | None] = lambda address: None) -> None:
        """
        Args:
            banned: Returns the reason for refusing an address that is banned, None for any other.
        """
        self.change(limits)
        self._banned = banned
        # Guards the counters; nothing is called under it.
        self._lock = threading.Lock()
        self.total = 0
        """The number of admitted connections that have not ended."""
        self._open: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._minute = 0

    def change(self, limits: Limits) -> None:
        """Apply new limits."""
        self._limits = limits
        self.most = most_connections(limits)
        """The maximum number of connections, which may be lower than the limit."""

    def admit(self, origin: Origin) -> str | None:
        """
        Count a connection; return the reason for a refusal, None if it is admitted.

        A connection through a proxy counts for no address until its client is known (`identify`).
        """
        banned = None if origin.proxied else self._banned(origin.address)
        if banned is not None:
            return banned
        with self._lock:
            if self.total >= self.most:
                return "server full"
            refusal = None if origin.proxied else self._count_locked(origin)
            if refusal is None:
                self.total += 1
            return refusal

    def identify(self, origin: Origin, address: str) -> str | None:
        """Count an admitted connection for its client's address; return the reason for a refusal, or None."""
        banned = self._banned(address)
        if banned is not None:
            return banned
        origin.address = address
        with self._lock:
            return self._count_locked(origin)

    def release(self, origin: Origin) -> None:
        """Stop counting an admitted connection, which has ended."""
        with self._lock:
            self.total -= 1
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
    """Return the unit that is counted: an IPv4 address or an IPv6 /64; None for this machine, which is exempt."""
    if host == UNIX:
        return None
    address = ip_of(host)
    if address.is_loopback:
        return None
    return str(address if address.version == 4 else ipaddress.IPv6Network((address, 64), strict=False))


def most_connections(limits: Limits) -> int:
    """Return the maximum number of connections: below the limit if there are not enough file descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return limits.max_connections
    return max(1, min(limits.max_connections, soft - OWN_FILES))
