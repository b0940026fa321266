"""
Threat "slow start" (slowloris): thousands who begin something and never go on do not keep out who wants to come in.

The server is a process of its own, with all limits as they are by default; only that the crowd may take a minute to
begin, so that nobody of it is gone when the machine is busy. Half of the crowd come from addresses of
this machine, which no limit of an address holds back; the other half come through a proxy from far away, as many from
each address as may.
"""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from chat_clients import DEADLINE, wait_until
from chat_programs import Program, Programs, pychat
from chat_tls import certificate

from pychat import Certificate, Limits

__all__ = ["certificate", "pychat"]  # the fixtures

CROWD = 2000
PROXY = "127.0.0.2"
HALF_BEGUN = (
    b"",  # who is silent is asked for a nickname, and does not answer
    b"\x16\x03\x01\x02\x00\x01\x00",  # of a ClientHello
    b"\x16",
    b"NI",
    b"NICK slow\r\n",
    b"CAP LS 302\r\nNICK slow\r\nUSER slow 0 * :Slow\r\n",  # no CAP END
    b'{"type":"hel',
    b"POS",
    b"\xff\xfd",  # of telnet
)
"""What they say before they stop, in every language."""


@pytest.fixture
def descriptors() -> Iterator[int]:
    """Let this process, and the one that it starts, have as many as it may; return that number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CROWD * 2 if hard == resource.RLIM_INFINITY else min(CROWD * 2, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    yield max(soft, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(port: int, address: str) -> socket.socket:
    """Connect from an address of this machine."""
    return socket.create_connection(("127.0.0.1", port), DEADLINE, source_address=(address, 0))


def come_from_here(crowd: ExitStack, port: int, many: int) -> None:
    """Let so many come from addresses of 127.0.0.0/8, a few from each."""
    for number in range(many):
        peer = crowd.enter_context(connect(port, f"127.7.{number // 250}.{number % 250 + 1}"))
        peer.sendall(HALF_BEGUN[number % len(HALF_BEGUN)])


def come_from_far_away(crowd: ExitStack, port: int, many: int) -> None:
    """Let so many come through the proxy, as many from each address as may."""
    for number in range(many):
        peer = crowd.enter_context(connect(port, PROXY))
        source = f"203.0.113.{number // Limits().connections_per_address + 1}"
        peer.sendall(f"PROXY TCP4 {source} 192.0.2.1 40000 55555\r\n".encode() + HALF_BEGUN[number % len(HALF_BEGUN)])


def one_too_many(crowd: ExitStack, port: int) -> str:
    """
    What somebody hears who comes from an address from which as many have come as may.

    Some of the crowd may be connected and not have been asked yet where they come from; then others of the address are
    let in instead of them, and belong to the crowd.
    """
    for number in count():
        peer = crowd.enter_context(connect(port, PROXY))
        peer.sendall(f"PROXY TCP4 203.0.113.1 192.0.2.1 40000 55555\r\nlate{number}\n".encode())
        line = crowd.enter_context(peer.makefile("r")).readline()
        if "welcome" not in line:
            return line
    raise AssertionError("numbers do not end")


def seconds_to_join(port: int, number: int) -> float:
    """How long it takes somebody, from yet another address, to come in and to be told who is there."""
    started = time.monotonic()
    with connect(port, f"127.9.9.{number}") as newcomer:
        newcomer.sendall(b"ann%d\n/who\n" % number)
        heard = newcomer.makefile("r")
        while not (line := heard.readline()).startswith("-- in lobby:"):
            assert line, "the server has ended the connection"
        return time.monotonic() - started


def open_files(server: Program) -> int:
    """How many descriptors the server has."""
    return len([*Path(f"/proc/{server.process.pid}/fd").iterdir()])


def test_slowloris(pychat: Programs, certificate: Certificate, descriptors: int) -> None:
    """2,000 half-open connections, and a newcomer from another address is in within a second."""
    each = min(CROWD, descriptors - 100) // 2
    with ExitStack() as crowd:
        tls = ("--tls-cert", str(certificate.file), "--tls-key", str(certificate.key))
        server, port = pychat.serve("--proxy-from", PROXY, "--detection-seconds", "60", *tls)
        before = open_files(server)

        come_from_here(crowd, port, each)
        come_from_far_away(crowd, port, each)
        wait_until(lambda: open_files(server) >= before + 2 * each, "all of them are connected")
        # The machine may be busy with other things for a moment; it is not ten times.
        assert any(seconds_to_join(port, number) < 1.0 for number in range(1, 11)), "nobody comes in within a second"
        assert one_too_many(crowd, port) == "too many connections from your address\n"
        assert open_files(server) >= before + 2 * each, "the crowd was not there any more"
        crowd.close()
        wait_until(lambda: open_files(server) <= before, "all of them are gone")
