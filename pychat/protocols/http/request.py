"""
How HTTP is recognised, so that a web page cannot speak in a chat.

A page can make a browser send nearly anything to this port: the method of a request is any token that the page likes,
"NICK" for example, and the body is any bytes. That works with the page's own server, and DNS rebinding makes this port
the page's own server. What a page cannot choose is the frame: a request line ends with the version, and its header
begins with `Host`, which stands in every request of HTTP/1.1 (RFC 9112 section 3.2) and, in all browsers, before
whatever the page has a say in. So the first line tells, and where it does not, because it is too long or because
something stands before it, the line of `Host` does.

No other header line is looked for: none is certain to be there, and none comes before `Host`.
"""

from __future__ import annotations

import re
from typing import Final

from pychat.model.verbs import Abort

_METHOD: Final = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ")
_VERSION: Final = re.compile(rb"\s(?:HTTP|ICAP|RTSP|SIP)/[0-9](?:\.[0-9])?\s*\Z", re.IGNORECASE)
"""Of HTTP, and of the protocols that have its form, which curl and others can be made to speak."""
_TARGET: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ +(?:/|[A-Za-z][A-Za-z0-9+.-]*://)")
"""How a request line begins (RFC 9110 section 5.6.2, RFC 9112 section 3.2)."""
_HOST: Final = "host:"

BROWSER: Final = Abort(
    "bad_request", "web browsers cannot chat here; use nc, an IRC client or 'pychat connect' instead"
)
"""The verb for a line for which `is_host` is true, before there is a nickname."""


def has_method(start: bytes) -> bool:
    """Whether the beginning of a stream is a method of HTTP; that is HTTP for ever, however the line goes on."""
    return bool(_METHOD.match(start))


def is_request_line(line: bytes) -> bool:
    """Whether a whole line, without its newline, ends as a request of HTTP does, whatever its first word."""
    return bool(_VERSION.search(line))


def is_request_target(start: bytes) -> bool:
    """Whether the beginning of a line that does not end is a word and a path or a URI."""
    return bool(_TARGET.match(start))


def is_host(line: str) -> bool:
    """Whether a line names the host that a browser believes to be talking to."""
    return line[: len(_HOST)].lower() == _HOST
