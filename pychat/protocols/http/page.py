"""
The page that a web browser or curl receives from a chat server: how to join.

Only GET and HEAD are answered with it, and no part of a request ever reaches a chat (`request.py`). The requested host
is repeated only if it is a valid host, and escaped: the page may be shown under any name.
"""

from __future__ import annotations

import re
import shlex
from html import escape
from typing import Final, NamedTuple

from pychat.protocols.http.request import is_request_line

MOST_HEAD_BYTES: Final = 16_384
"""Limit for the head of a request; browsers send less than 2 KiB."""

_NOT_ANSWERED: Final = "This chat server does not answer such requests. Use nc.\n"
_HOST: Final = re.compile(
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)
_SAFE: Final = (
    "Cache-Control: no-store\r\n"
    "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "X-Content-Type-Options: nosniff\r\n"
)


class Site(NamedTuple):
    """The information about a server on the page."""

    name: str
    room: str
    """The room that everybody joins."""
    has_password: bool = False
    fingerprint: str | None = None
    """The SHA-256 of its certificate; None if it does not speak TLS."""
    tls_required: bool = False


def wants_page(data: bytes) -> bool:
    """Return whether a request that begins like this may ask for a page, so that its head is worth reading."""
    return data.startswith((b"GET ", b"HEAD "))


def is_whole(data: bytes) -> bool:
    """Return whether the head of a request is complete, or over the limit."""
    return b"\r\n\r\n" in data or b"\n\n" in data or len(data) >= MOST_HEAD_BYTES


def answer(data: bytes, site: Site, *, secure: bool) -> bytes:
    """
    Return the answer to a request.

    Args:
        data: All bytes received so far.
        secure: True if it came over TLS.
    """
    line, *rest = data.partition(b"\r\n\r\n")[0].split(b"\n")
    if not (wants_page(data) and is_request_line(line.rstrip(b"\r")) and is_whole(data)):
        return _response("501 Not Implemented", "text/plain", _NOT_ANSWERED)
    method, target, *_ = line.decode("latin-1").split()
    headers: dict[str, str] = {}
    for one in rest:
        name, _, value = one.decode("latin-1").partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    with_body = method == "GET"
    if target.partition("?")[0] != "/":
        return _response("404 Not Found", "text/plain", "There is only one page here: /\n", with_body=with_body)
    lines = _lines(*_place(headers.get("host", ""), secure=secure), site, secure=secure)
    if "text/html" in headers.get("accept", ""):
        return _response("200 OK", "text/html", _html(site.name, lines), with_body=with_body)
    return _response("200 OK", "text/plain", "".join(f"{text}\n" for text in lines), with_body=with_body)


def _place(named: str, *, secure: bool) -> tuple[str, int]:
    """Return the host and port of the request; placeholders if the host is not valid."""
    match = _HOST.fullmatch(named)
    if match is None:
        return "HOST", 55555
    port = int(match["port"] or (443 if secure else 80))
    return match["host"].strip("[]"), port


def _lines(host: str, port: int, site: Site, *, secure: bool) -> list[str]:
    """Return the page as text; commands are indented."""
    lines = [f"{site.name} is a chat. Web browsers cannot chat here yet; join it with one of:"]
    connect = f"    pychat connect --nick NAME --host {host} --port {port}"
    if not site.tls_required and not secure:
        lines += [f"    nc {host} {port}", connect, f"    irssi -c {host} -p {port}"]
    if site.fingerprint is not None:
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        lines += [
            f"{connect} --tls-fingerprint {site.fingerprint}",
            f"    openssl s_client -quiet -connect {shlex.quote(where)}",
            f"    /connect -tls {host} {port}    (in irssi)",
            f"The SHA-256 fingerprint of its certificate is {site.fingerprint}.",
        ]
    lines.append(f"Then type your nickname and press Enter. In an IRC client, then type: /join #{site.room}")
    if site.has_password:
        lines.append("The server requires a password; ask the people who run it.")
    return lines


def _html(name: str, lines: list[str]) -> str:
    body = ""
    for is_command, text in ((line.startswith("    "), escape(line.strip())) for line in lines):
        body += f"<pre>{text}</pre>\n" if is_command else f"<p>{text}</p>\n"
    title = escape(name)
    head = f'<meta charset="utf-8"><title>{title}</title><meta name="viewport" content="width=device-width">'
    start = f'<!DOCTYPE html>\n<html lang="en">\n<head>{head}</head>\n<body>\n<h1>{title}</h1>'
    return f"{start}\n{body}</body>\n</html>\n"


def _response(status: str, kind: str, text: str, *, with_body: bool = True) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n{_SAFE}"
    return f"{head}Connection: close\r\n\r\n".encode() + body * with_body
