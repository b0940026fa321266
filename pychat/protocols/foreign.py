"""
Recognise programs of other protocols by their first bytes: servers that our clients meet, clients that our server
meets.

A client that reaches another kind of server has the wrong port, so the kind of server matters more to people than what
it said. A client of another protocol that reaches our server, by mistake or because somebody redirected it, would be
taken for a person with trouble choosing a nickname: what it sends next, perhaps a password, would become the nickname
and messages.
"""

from __future__ import annotations

import re
from typing import Final

TLS_SERVER: Final = "a server that requires TLS"
"""Takes anything as the start of a TLS handshake and answers with an alert."""
_TLS_RECORDS: Final = range(20, 25)
"""The first byte of every TLS record (RFC 8446 section 5.1)."""

SHOWN: Final = 80
"""How many bytes of a server's greeting are used."""

_SIGNS: Final = (
    # An HTTP/0.9 server takes any input for a request and answers with the bare page.
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
    rb"|CLIENT "  # DICT, which curl can be made to send
    rb"|(?:set|add|replace|append|prepend|cas) \S+ [0-9]+ -?[0-9]+ [0-9]+"  # memcached
)


def is_client(line: bytes) -> bool:
    """Return whether a client's first line, without its newline, is of another protocol; HTTP is not included."""
    return bool(_CLIENTS.match(line))


def recognise(start: bytes) -> str | None:
    """Return the kind of server that begins like this, with its article; None if unclear, or not yet clear."""
    return next((name for name, sign in _COMPILED if sign.match(start)), None)


def first_line(start: bytes) -> str:
    """Return the first line that a server sent; show it to people with `repr`."""
    return start[:SHOWN].partition(b"\n")[0].decode(errors="replace").strip()


def speaks_tls(start: bytes) -> bool:
    """Return whether a server that begins like this, with at least one byte, answers with TLS."""
    return start[0] in _TLS_RECORDS
