"""Servers and clients of other protocols."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.protocols.foreign import is_client, recognise, speaks_tls


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "an HTTP server"),
        (b'<!DOCTYPE HTML>\n<html lang="en">', "an HTTP server"),
        (b'\n<?xml version="1.0"?>', "an HTTP server"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "an SSH server"),
        (b":irc.example NOTICE * :*** Looking up your hostname...\r\n", "an IRC server"),
        (b"NOTICE AUTH :*** Looking up your hostname\r\n", "an IRC server"),
        (b":irc.example 451 * :You have not registered\r\n", "an IRC server"),
        (b"ERROR :Closing Link\r\n", "an IRC server"),
        (b"220 mail.example ESMTP Postfix\r\n", "a mail server"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "a mail server"),
        (b"+OK POP3 ready\r\n", "a mail server"),
        (b"220 (vsFTPd 3.0.5)\r\n", "an FTP server"),
        (b'-ERR unknown command \'{"type":"hello"\'\r\n', "a Redis server"),
        (b"RFB 003.008\n", "a remote desktop (VNC)"),
        (b"\x15\x03\x03\x00\x02\x02\x32", "a server that requires TLS"),
    ],
)
def test_it_is_told_by_its_first_bytes(start: bytes, kind: str) -> None:
    """Each says something else than an object of JSON."""
    assert recognise(start) == kind


@pytest.mark.parametrize("start", [b"", b"NICK", b'{"type":"welcome"', b"server full\r\n", b"SSH", b"HTT", b"22"])
def test_what_is_not_clear_is_not_said(start: bytes) -> None:
    """A pychat, one that turns us away, and beginnings that may become anything."""
    assert recognise(start) is None


@pytest.mark.parametrize(
    ("start", "speaks"), [(b"\x16\x03\x03", True), (b"\x15", True), (b"HTTP", False), (b"\x00", False)]
)
def test_what_answers_to_tls_is_told_by_a_byte(start: bytes, speaks: bool) -> None:
    """A handshake or an alert; nobody who speaks in text begins like that."""
    assert speaks_tls(start) is speaks


@given(st.binary())
def test_any_bytes_are_something_or_nothing(start: bytes) -> None:
    """Whatever comes, there is no exception."""
    kind = recognise(start)

    assert kind is None or kind.startswith(("a ", "an "))


@pytest.mark.parametrize(
    "line",
    [
        b"*2\r",
        b"$4\r",
        b"SSH-2.0-OpenSSH_9.6\r",
        b"EHLO mail.example\r",
        b"HELO x",
        b"CONNECT",
        b"STOMP\r",
        b"PING\r",
        b"CAPA\r",
        b"BEGIN AUTH REQUEST",
        b"CLIENT libcurl 7.88.1\r",
        b"set session:1 0 3600 8\r",
        b"cas x 0 -1 8 1\r",
    ],
)
def test_a_client_is_told_by_its_first_line(line: bytes) -> None:
    """None of these is a nickname that somebody would choose."""
    assert is_client(line)


@pytest.mark.parametrize("line", [b"ann\r", b"connect", b"Stomp", b"ping", b"set theory", b"$", b"*", b"client", b""])
def test_a_person_is_not_taken_for_a_client(line: bytes) -> None:
    """Nor is one who tries a nickname that nobody can have."""
    assert not is_client(line)
