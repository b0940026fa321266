"""
The line with which a proxy says whom it brings: version 1 of the PROXY protocol (haproxy's proxy-protocol.txt, 2.1).

Whether a connection begins with such a line is never guessed: it is known by where it comes from
(`transport/origins.py`). A line that is not exactly right ends the connection, as the specification wants it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from pychat.model.errors import RemoteProtocolError

MOST_BYTES: Final = 107
"""Of the longest line that there can be, with its end."""

_BEGIN: Final = b"PROXY "
_PORT: Final = "(?:0|[1-9][0-9]{0,4})"
_TCP: Final = re.compile(rf"PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ({_PORT}) ({_PORT})")
# What follows the word is to be ignored.
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: |$)")
_LARGEST_PORT: Final = 65535


class ProxyLine:
    """Feed bytes until `complete`; then `address` is that of the client, and `rest` what it has said already."""

    def __init__(self) -> None:
        self._received = b""
        self.complete = False
        self.address: str | None = None
        """None: the proxy does not know, or the connection is its own."""
        self.rest = b""

    def receive(self, data: bytes) -> None:
        """
        Take the next bytes, any number.

        Raises:
            RemoteProtocolError: They do not belong to such a line. Nothing can follow.
        """
        self._received += data
        line, end, rest = self._received.partition(b"\r\n")
        begin = line[: len(_BEGIN)]
        # The connection is to end as soon as it is clear that there is no line.
        if not _BEGIN.startswith(begin) or b"\n" in line or (end and len(line) < len(_BEGIN)):
            raise RemoteProtocolError("it does not begin with a PROXY line")
        if len(line if end else line.removesuffix(b"\r")) + 2 > MOST_BYTES:
            raise RemoteProtocolError(f"its PROXY line is longer than {MOST_BYTES} bytes")
        if end:
            self.address = _client_of(line)
            self.rest = rest
            self.complete = True


def _client_of(line: bytes) -> str | None:
    """Return the address of the client; None if the line has none."""
    if _UNKNOWN.match(line):
        return None
    match = _TCP.fullmatch(line.decode("ascii", "replace"))
    if match is None:
        raise RemoteProtocolError("its PROXY line is malformed")
    version, client, server, *ports = match.groups()
    if max(map(int, ports)) > _LARGEST_PORT:
        raise RemoteProtocolError("its PROXY line has a port over 65535")
    kind = ipaddress.IPv4Address if version == "4" else ipaddress.IPv6Address
    try:
        kind(server)
        address = kind(client)
    except ValueError:
        raise RemoteProtocolError(f"its PROXY line has an address that is none of IPv{version}") from None
    # Else one person would have two addresses, by the family in which the proxy was reached.
    return str(getattr(address, "ipv4_mapped", None) or address)
