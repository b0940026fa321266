"""What strangers can cost: memory of the process while nobody has a nickname, and descriptors."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_clients import Clients, Peer, wait_until
from chat_programs import Program, Programs, pychat
from chat_tls import new_certificate

from pychat import Limits
from pychat.protocols.base import Protocol
from pychat.protocols.irc.protocol import IrcProtocol
from pychat.protocols.jsonl.protocol import JsonProtocol
from pychat.protocols.text.protocol import TextProtocol
from pychat.testing import MakeChat
from pychat.transport.admission import OWN_FILES

__all__ = ["pychat"]  # the fixture

CONNECTIONS = 500
PROMISED = 160
"""KiB for each connection (docs/security.md)."""

STATES = {
    "undetected": b"x" * 4095,
    "half a TLS hello": b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc" + b"\0" * 16_000,
    "half a TLS handshake of many records": b"\x16\x03\x01\x00\x40" + b"\x01\x00\x7f\xf0" + b"\0" * 60,
    "half a line of JSON": b'{"type":"hello","nick":"' + b"x" * 16_000,
    "a deep value of JSON": b"[" * 4000 + b"\n{" + b'"a":[' * 2000,
    "half a line of IRC": b"CAP LS 302\r\n@" + b"x" * 4000 + b" USER " + b"y" * 4000,
    "IRC before registration": b"CAP LS 302\r\n" + b"NICK nobody\r\n" * 15 + b"USER " + b"y" * 8000,
    "half a name": b"\n" + b"x" * 16_000,
    "the shortest lines of JSON": b"{}\n" * 1365,
    "the shortest lines of IRC": b"CAP LS\n" + b"x\n" * 2044,
    "the shortest lines of text": b"/x\n" * 1365,
}
"""As much as each is allowed before it is disconnected, or nearly so."""


@pytest.fixture
def server(pychat: Programs) -> Iterator[tuple[Program, tuple[str, int]]]:
    """A server in a process of its own, which is patient."""
    pair = new_certificate(pychat.directory / "pair")
    tls = ("--tls-cert", str(pair.file), "--tls-key", str(pair.key))
    program, port = pychat.serve("--detection-seconds", "600", "--registration-seconds", "600", *tls)
    yield program, ("127.0.0.1", port)
    program.end()


def resident(program: Program) -> int:
    """KiB that the process has in memory."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def is_all_read(port: int) -> bool:
    """Whether the server has taken everything that has arrived for it."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    theirs = [row for row in rows if row[2].endswith(f":{port:04X}") and row[3] == "01"]
    sent = all(int(row[4].partition(":")[0], 16) == 0 for row in theirs)
    return sent and all(int(row[4].partition(":")[2], 16) == 0 for row in ours)


def test_strangers_cost_what_was_promised(server: tuple[Program, tuple[str, int]], clients: Clients) -> None:
    """Threat "memory: endless line, partial frames": connections x 160 KiB, whatever they send (promise 2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, CONNECTIONS + 200), hard), hard))
    program, address = server
    clients.text(address, "ann")
    base = resident(program)
    peers = []
    for number in range(CONNECTIONS):
        peer = clients.raw(address)
        peer.socket.sendall(list(STATES.values())[number % len(STATES)])
        peers.append(peer)

    wait_until(lambda: is_all_read(address[1]), "the server has read it")
    cost = resident(program) - base

    alive = sum(map(is_alive, peers))
    assert alive > CONNECTIONS * 3 // 4, "most of them must still be there, or nothing was measured"
    assert cost <= CONNECTIONS * PROMISED, f"{cost / CONNECTIONS:.0f} KiB for each"
    bob = clients.json(address, "bob")
    bob.ask("who", ref="still there")
    assert [member["nick"] for member in bob.next("members")["members"]] == ["ann", "bob"]


@pytest.mark.parametrize(
    ("protocol", "line", "nothing"),
    [(JsonProtocol, b"{}\n", b"\n\n"), (IrcProtocol, b"CAP LS\n", b"\n\n"), (TextProtocol, b"/x\n", b"\xff\xf1")],
)
def test_strangers_are_read_a_little_at_a_time(
    chat_server: MakeChat,
    clients: Clients,
    monkeypatch: pytest.MonkeyPatch,
    protocol: type[Protocol],
    line: bytes,
    nothing: bytes,
) -> None:
    """Threat "memory of strangers": the shortest lines, behind much that means nothing."""
    sizes: list[int] = []
    receive = protocol.receive

    def noted(self: Protocol, data: bytes) -> None:
        sizes.append(len(data))
        receive(self, data)

    monkeypatch.setattr(protocol, "receive", noted)
    peer = clients.raw(chat_server(limits=Limits(registration_lines=100_000)).server)

    peer.socket.sendall(line + nothing * 50_000 + line * 100 + nothing * 50_000)
    peer.socket.shutdown(socket.SHUT_WR)
    peer.read_rest()

    assert sum(sizes) > 200_000
    assert max(sizes) <= 4096


def test_without_descriptors_the_old_stay_and_the_new_wait(
    server: tuple[Program, tuple[str, int]], clients: Clients
) -> None:
    """Promise 7: who is there goes on; who comes waits in the queue of the system until something is free."""
    program, address = server
    ann, bob = clients.text(address, "ann"), clients.text(address, "bob")
    pid = program.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len([*Path(f"/proc/{pid}/fd").iterdir()]), before[1]))

    carl = clients.raw(address)
    carl.send("carl\n/who\n")
    assert program.stderr.read_line().endswith(" WARNING pychat: cannot accept: [Errno 24] Too many open files")
    bob.send("hello\n")
    assert ann.read_until("hello")[-1] == "bob: hello"
    bob.send("/quit\n")

    carl.read_until("-- in lobby: ann, carl")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_few_descriptors_are_a_smaller_server(pychat: Programs, clients: Clients) -> None:
    """It keeps some for itself, and tells who is too many in a line, before anything fails."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OWN_FILES + 2, before[1]))
    try:
        _, port = pychat.serve()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    address = ("127.0.0.1", port)
    ann = clients.text(address, "ann")
    clients.text(address, "bob")

    for _ in range(20):
        assert clients.raw(address).read_rest() == b"server full\r\n"

    ann.send("/who\n")
    assert ann.read_until("in lobby")[-1] == "-- in lobby: ann, bob"


def is_alive(peer: Peer) -> bool:
    """Whether the server has not ended the connection."""
    peer.socket.setblocking(False)
    try:
        while peer.socket.recv(65_536, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return True
    except ConnectionResetError:
        pass
    return False
