"""The page for those who ask a chat server for one."""

from __future__ import annotations

import pytest

from pychat.protocols.http.page import MOST_HEAD_BYTES, Site, answer, is_whole, wants_page

SITE = Site("Ann & Bob's", "lobby")
HTML = "Accept: text/html,*/*"


def ask(*headers: str, line: str = "GET / HTTP/1.1", site: Site = SITE, secure: bool = False) -> tuple[list[str], str]:
    """Return the lines of the head of the answer, and its body."""
    request = "".join(f"{one}\r\n" for one in (line, *headers, ""))
    head, _, body = answer(request.encode(), site, secure=secure).partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body.decode()


def test_it_tells_how_to_join() -> None:
    """With the host and the port that the request names, as text for those who do not ask for HTML."""
    head, body = ask("Host: chat.example:6000")

    assert head[:2] == ["HTTP/1.1 200 OK", "Content-Type: text/plain; charset=utf-8"]
    assert f"Content-Length: {len(body.encode())}" in head
    assert body.splitlines() == [
        "Ann & Bob's is a chat. Web browsers cannot chat here yet; join it with one of:",
        "    nc chat.example 6000",
        "    pychat connect --nick NAME --host chat.example --port 6000",
        "    irssi -c chat.example -p 6000",
        "Then type your nickname and press Enter. In an IRC client, then type: /join #lobby",
    ]


def test_a_browser_reads_html() -> None:
    """In which the name of the server is no markup, and nothing can be loaded or run."""
    head, body = ask("Host: [2001:db8::7]:6000", HTML, site=Site("<b>x</b>", "lobby"))

    assert head[1] == "Content-Type: text/html; charset=utf-8"
    assert "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'" in head
    assert "X-Content-Type-Options: nosniff" in head
    assert "<h1>&lt;b&gt;x&lt;/b&gt;</h1>" in body
    assert "<pre>nc 2001:db8::7 6000</pre>" in body


@pytest.mark.parametrize("host", ["", "<script>", "a b", "x\x00", "h:1;rm", "-oProxy", "a" * 300, "[::1", '"'])
def test_what_is_no_host_is_not_repeated(host: str) -> None:
    """Threat "a browser posts to the chat port": a page shows what the request says only if it can be a host."""
    _, body = ask(f"Host: {host}", HTML)

    assert "<pre>nc HOST 55555</pre>" in body


def test_a_server_with_tls_tells_its_fingerprint() -> None:
    """And only ways that are not refused; without a port in the request it is that of HTTPS."""
    _, body = ask("Host: h", site=Site("chat", "lobby", True, "9F:86", tls_required=True), secure=True)

    assert body.splitlines()[1:] == [
        "    pychat connect --nick NAME --host h --port 443 --tls-fingerprint 9F:86",
        "    openssl s_client -quiet -connect h:443",
        "    /connect -tls h 443    (in irssi)",
        "The SHA-256 fingerprint of its certificate is 9F:86.",
        "Then type your nickname and press Enter. In an IRC client, then type: /join #lobby",
        "The server requires a password; ask the people who run it.",
    ]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /?a=b HTTP/1.0", "200 OK"),
        ("GET /favicon.ico HTTP/1.1", "404 Not Found"),
        ("POST / HTTP/1.1", "501 Not Implemented"),
        ("get / HTTP/1.1", "501 Not Implemented"),
        ("GET hello", "501 Not Implemented"),
        ("GET / SIP/2.0 x", "501 Not Implemented"),
    ],
)
def test_only_one_page_is_shown(line: str, status: str) -> None:
    """Everything else is an error of HTTP."""
    assert ask(line=line)[0][0] == f"HTTP/1.1 {status}"


def test_head_has_no_body() -> None:
    """But its length (RFC 9110 section 9.3.2)."""
    head, body = ask("Host: h", line="HEAD / HTTP/1.1")

    assert body == ""
    assert f"Content-Length: {len(ask('Host: h')[1])}" in head


def test_an_endless_or_unfinished_request_is_not_answered() -> None:
    """It is not waited for, and its beginning is no request."""
    endless = b"GET / HTTP/1.1\r\nX: " + b"x" * MOST_HEAD_BYTES
    assert wants_page(endless)
    assert is_whole(endless)
    assert not is_whole(b"GET / HTTP/1.1\r\nHost: h\r\n")
    assert not wants_page(b"POST / HTTP/1.1\r\n")
    assert answer(b"GET / HTTP/1.1\r\nHost: h\r\n", SITE, secure=False).startswith(b"HTTP/1.1 501 ")
