"""
Parse the line in which a proxy names its client: version 1 of the PROXY protocol (haproxy's proxy-protocol.txt, 2.1).

The server never guesses if a connection begins with such a line: the origin of the connection decides
(`transport/origins.py`). A malformed line ends the connection, as the specification requires.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from pychat.model.errors import RemoteProtocolError

MOST_BYTES: Final = 107
"""The longest possible line, with its end."""

_BEGIN: Final = b"PROXY "
_PORT: Final = "(?:0|[1-9][0-9]{0,4})"
_TCP: Final = re.compile(rf"PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ({_PORT}) ({_PORT})")
# Whatever follows UNKNOWN must be ignored.
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: |$)")
_LARGEST_PORT: Final = 65535


class ProxyLine:
    """Call `receive` until `complete`; then `address` is the client's, and `rest` the bytes that follow the line."""

    def __init__(self) -> None:
        self._received = b""
        self.complete = False
        self.address: str | None = None
        """None if the proxy does not know it, or the connection is the proxy's own."""
        self.rest = b""

    def receive(self, data: bytes) -> None:
        """
        Feed the next bytes, in any chunks.

        Raises:
            RemoteProtocolError: If they are not part of a PROXY line. The object must not be used any more.
        """
        self._received += data
        line, end, rest = self._received.partition(b"\r\n")
        begin = line[: len(_BEGIN)]
        # The connection must end as soon as it is clear that this is not a PROXY line.
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
    # Otherwise a client would have two addresses, depending on the family by which the proxy was reached.
    return str(getattr(address, "ipv4_mapped", None) or address)
