"""
Recognise HTTP, so that a web page cannot send messages to a chat.

A page can make a browser send nearly anything to this port: the method of a request may be any token, "NICK" for
example, and the body any bytes. A page may do so with its own server, and DNS rebinding makes this port its own server.
A page cannot change the frame: a request line ends with the version, and the header begins with `Host`, which every
HTTP/1.1 request has (RFC 9112 section 3.2) and which all browsers send before anything that the page controls. So HTTP
is recognised by the first line or, where that is too long or something precedes it, by the `Host` line.

No other header line is checked: none is certain to be present, and none comes before `Host`.
"""

from __future__ import annotations

import re
from typing import Final

from pychat.model.verbs import Abort

_METHOD: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ")
_VERSION: Final = re.compile(rb"\s(?:HTTP|ICAP|RTSP|SIP)/[0-9](?:\.[0-9])?\s*\Z", re.IGNORECASE)
"""The version of HTTP, and of similar protocols that curl and others can be made to speak."""
_TARGET: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ +(?:/|[A-Za-z][A-Za-z0-9+.-]*://)")
"""The beginning of a request line (RFC 9110 section 5.6.2, RFC 9112 section 3.2)."""
_HOST: Final = "host:"

BROWSER: Final = Abort(
    "bad_request", "web browsers cannot chat here; use nc, an IRC client or 'pychat connect' instead"
)
"""The verb for a line for which `is_host` is true, if it comes before a nickname."""


def has_method(start: bytes) -> bool:
    """Return whether a stream begins with an HTTP method; such a stream stays HTTP, however the line continues."""
    return bool(_METHOD.match(start))


def is_request_line(line: bytes) -> bool:
    """Return whether a whole line, without its newline, ends like an HTTP request line, whatever its first word."""
    return bool(_VERSION.search(line))


def is_request_target(start: bytes) -> bool:
    """Return whether a line without an end begins with a word and a path or a URI."""
    return bool(_TARGET.match(start))


def is_host(line: str) -> bool:
    """Return whether a line is the `Host` header of a request."""
    return line[: len(_HOST)].lower() == _HOST
