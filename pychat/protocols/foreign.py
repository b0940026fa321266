"""
Servers that are no pychat, told by the first bytes that they say.

Whoever meets one has taken a wrong port. So what it is matters more to them than what it said.
"""

from __future__ import annotations

import re
from typing import Final

TLS_SERVER: Final = "a server that wants TLS"
"""What is said to it is taken for the beginning of TLS, and answered with an alert."""
_TLS_RECORDS: Final = range(20, 25)
"""The first byte of whatever is TLS (RFC 8446 section 5.1)."""

SHOWN: Final = 80
"""Bytes of what a server says that are looked at."""

_SIGNS: Final = (
    # A server of HTTP/0.9, which takes whatever comes for a request, answers with the page alone.
    ("an HTTP server", rb"HTTP/\d|\s*<(?:!doctype|html|\?xml)"),
    ("an SSH server", rb"SSH-\d"),
    ("an IRC server", rb"(?::\S+ )?(?:NOTICE (?:\*|AUTH)|ERROR :|PING :)|:\S+ [0-9]{3} "),
    ("a mail server", rb"220[ -][^\n]*SMTP|\+OK|\* OK"),
    ("an FTP server", rb"220[ -]"),
    ("a Redis server", rb"-(?:ERR|NOAUTH|DENIED) "),
    ("a remote desktop (VNC)", rb"RFB \d"),
    (TLS_SERVER, rb"\x15\x03[\x00-\x04]"),
)
_COMPILED: Final = [(name, re.compile(sign, re.IGNORECASE)) for name, sign in _SIGNS]


def recognise(start: bytes) -> str | None:
    """Return what a server is that begins like this, with its article; None if that is not clear, or not yet."""
    return next((name for name, sign in _COMPILED if sign.match(start)), None)


def first_line(start: bytes) -> str:
    """Return what a server said first, to be shown to people with `repr`."""
    return start[:SHOWN].partition(b"\n")[0].decode(errors="replace").strip()


def speaks_tls(start: bytes) -> bool:
    """Whether a server that begins like this, with a byte at least, answers to TLS."""
    return start[0] in _TLS_RECORDS
