"""
Programs of other protocols, told by the first bytes that they say: servers to our clients, clients to our server.

A client that meets another server has taken a wrong port. So what it is matters more to people than what it said.

A client of another protocol that meets our server, by mistake or because somebody sent it, would be taken for a person
who does not hit upon a nickname at once: what it says next, a password perhaps, would be the nickname and messages.
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

_CLIENTS: Final = re.compile(
    rb"[*$][0-9]+\s*\Z"  # Redis
    rb"|SSH-[0-9]"
    rb"|(?:EHLO|HELO|LHLO) "  # mail
    rb"|(?:CONNECT|STOMP|PING|CAPA|BEGIN AUTH REQUEST)\s*\Z"  # STOMP, NATS, POP3, CVS
    rb"|CLIENT "  # DICT, which curl can be made to speak
    rb"|(?:set|add|replace|append|prepend|cas) \S+ [0-9]+ -?[0-9]+ [0-9]+"  # memcached
)


def is_client(line: bytes) -> bool:
    """Whether the first line of a client, without its newline, is that of another protocol; HTTP is not among them."""
    return bool(_CLIENTS.match(line))


def recognise(start: bytes) -> str | None:
    """Return what a server is that begins like this, with its article; None if that is not clear, or not yet."""
    return next((name for name, sign in _COMPILED if sign.match(start)), None)


def first_line(start: bytes) -> str:
    """Return what a server said first, to be shown to people with `repr`."""
    return start[:SHOWN].partition(b"\n")[0].decode(errors="replace").strip()


def speaks_tls(start: bytes) -> bool:
    """Whether a server that begins like this, with a byte at least, answers to TLS."""
    return start[0] in _TLS_RECORDS
