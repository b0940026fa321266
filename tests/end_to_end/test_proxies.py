"""Proxies that say whom they bring: the address of the client counts, and only those that are listed are believed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, Peer, wait_until
from chat_tls import certificate, secure

from pychat import Certificate, ChatServer, Limits
from pychat.transport import admission

__all__ = ["certificate"]  # the fixture

MakeServer = Callable[..., ChatServer]

LOCAL = ("127.0.0.1",)


def line_for(address: str) -> str:
    """What a proxy says of a client with this address."""
    return f"PROXY TCP{6 if ':' in address else 4} {address} {address} 40000 55555\r\n"


def bring(clients: Clients, server: ChatServer, address: str, said: str) -> Peer:
    """A client that has come through a proxy, and said something."""
    peer = clients.raw(server)
    peer.send(line_for(address) + said)
    return peer


def address_of(server: ChatServer, nickname: str) -> str:
    """Where a member comes from, as the server knows it."""
    session = server.chat.find(nickname)
    assert session is not None
    return session.address


@pytest.mark.usefixtures("unprompted")
@pytest.mark.parametrize(
    ("language", "said", "answer"),
    [
        ("text", "ann\n/who\n", "-- in lobby: "),
        ("json", '{"type":"hello","nick":"ann"}\n', '"welcome"'),
        ("irc", "NICK ann\r\nUSER ann 0 * :Ann\r\n", " 001 ann "),
    ],
)
def test_the_client_is_known_by_its_own_address(
    server: MakeServer, clients: Clients, language: str, said: str, answer: str
) -> None:
    """In every language; what the client says may come with the line of the proxy or later, in any pieces."""
    running = server(proxies=LOCAL)
    at_once, in_bytes = bring(clients, running, "192.0.2.1", said), clients.raw(running)
    for byte in line_for("2001:db8::1") + said.replace("ann", "bob"):
        in_bytes.send(byte)

    at_once.read_until(answer)
    in_bytes.read_until(answer.replace("ann", "bob"))

    assert address_of(running, "ann") == "192.0.2.1"
    assert address_of(running, "bob") == "2001:db8::1"


def test_cloaks_are_those_of_the_clients(server: MakeServer, clients: Clients) -> None:
    """So a ban of one address is not a ban of everybody behind the proxy."""
    running = server(proxies=LOCAL)
    for nickname, address in (("ann", "192.0.2.1"), ("bob", "192.0.2.2"), ("carl", "192.0.2.1")):
        bring(clients, running, address, f"{nickname}\n").read_until("-- you are in lobby")

    ann, bob, carl = [running.chat.find(nickname) for nickname in ("ann", "bob", "carl")]
    assert ann is not None
    assert bob is not None
    assert carl is not None
    assert ann.host == carl.host != bob.host


def test_a_silent_client_is_prompted_behind_a_proxy(server: MakeServer, clients: Clients) -> None:
    """The classic client waits for that."""
    peer = bring(clients, server(proxies=LOCAL), "192.0.2.1", "")

    assert peer.read_exactly(4) == b"NICK"


def test_tls_behind_the_line(server: MakeServer, clients: Clients, certificate: Certificate) -> None:
    """A proxy that passes TLS through says its line before it, in plain text."""
    running = server(proxies=LOCAL, tls=certificate, tls_required=True)
    peer = clients.new_json(running)
    peer.send(line_for("192.0.2.1"))
    ann: JsonPeer = secure(peer)

    ann.ask("hello", nick="ann")

    assert ann.next("welcome")["nick"] == "ann"
    assert address_of(running, "ann") == "192.0.2.1"


def test_spoofed_address_through_proxy_lines(server: MakeServer, clients: Clients) -> None:
    """Threat of that name: from an address that is not listed, such a line is what somebody says."""
    running = server(proxies=("192.0.2.80", "10.0.0.0/8"))
    ann = bring(clients, running, "192.0.2.1", "ann\n")

    refused, welcome = ann.read_line(), ann.read_line()
    assert refused.startswith("! nickname 'PROXY TCP4 192.0.2.1 192.0.2.1 40000 55555': spaces are not allowed; ")
    assert welcome.startswith("-- welcome")
    assert address_of(running, "ann") == "127.0.0.1"


def test_nobody_is_believed_by_default(server: MakeServer, clients: Clients) -> None:
    """Also not this machine."""
    running = server()
    bring(clients, running, "192.0.2.1", "ann\n").read_until("-- welcome")

    assert address_of(running, "ann") == "127.0.0.1"


def test_the_caps_are_for_clients_and_not_for_the_proxy(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody comes from the proxy; who is too many is told so."""
    monkeypatch.setattr(admission, "time", SimpleNamespace(monotonic=lambda: 600.0))  # all of it is in one minute
    limits = Limits(connections_per_address=2, new_connections_per_minute=3)
    running = server(proxies=LOCAL, limits=limits)
    for number in range(8):
        bring(clients, running, f"192.0.2.{number // 2}", f"m{number}\n").read_until("-- welcome")

    assert bring(clients, running, "192.0.2.0", "ann\n").read_rest() == b"too many connections from your address\r\n"
    going = running.chat.find("m0")
    assert going is not None
    going.disconnect("go")
    wait_until(lambda: running.connections == 7, "m0 is gone")
    bring(clients, running, "192.0.2.0", "m8\n").read_until("-- welcome")
    gone = running.chat.find("m8")
    assert gone is not None
    gone.disconnect("go")
    wait_until(lambda: running.connections == 7, "m8 is gone")
    refusal = b"too many new connections from your address, try again in a minute\r\n"
    assert bring(clients, running, "192.0.2.0", "ann\n").read_rest() == refusal


def test_who_a_proxy_does_not_know_has_its_address_and_no_cap(server: MakeServer, clients: Clients) -> None:
    """UNKNOWN: a proxy's own connection, or one that has no address."""
    running = server(proxies=LOCAL, limits=Limits(connections_per_address=1))
    for nickname in ("ann", "bob"):
        peer = clients.raw(running)
        peer.send(f"PROXY UNKNOWN\r\n{nickname}\n")
        peer.read_until("-- welcome")

    assert address_of(running, "ann") == address_of(running, "bob") == "127.0.0.1"


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("ann\n", "it does not begin with a PROXY line"),
        ("PROXY TCP4 192.0.2.1\r\nann\n", "its PROXY line is malformed"),
        ("PROXY" + " " * 200, "its PROXY line is longer than 107 bytes"),
        ("PROXY TCP4 192", "it did not name its client in time"),
        ("", "it did not name its client in time"),
    ],
)
def test_a_listed_address_without_its_line_is_disconnected(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture, said: str, problem: str
) -> None:
    """Nothing is guessed: nobody who can reach the server past the proxy is anybody; the log says why."""
    seconds = 0.3 if problem == "it did not name its client in time" else DEADLINE
    running = server(proxies=LOCAL, limits=Limits(detection_seconds=seconds))
    peer = clients.raw(running)
    peer.send(said)

    assert peer.read_rest() == b""
    wait_until(lambda: running.connections == 0, "it is gone")
    assert [record.getMessage() for record in caplog.records] == [f"proxy 127.0.0.1 is disconnected: {problem}"]


def test_a_look_whether_the_server_is_alive_is_no_error(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """Proxies connect and hang up, again and again; the log does not tell of it."""
    running = server(proxies=LOCAL)
    for _ in range(20):
        clients.raw(running).close()
    bring(clients, running, "192.0.2.1", "ann\n").read_until("-- welcome")

    wait_until(lambda: running.connections == 1, "they are gone")
    assert caplog.records == []


def test_the_log_names_the_client(server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever guesses passwords is not the proxy."""
    caplog.set_level("DEBUG")
    running = server(proxies=LOCAL, password="sesame")
    bring(clients, running, "192.0.2.1", '{"type":"hello","nick":"ann","password":"x"}\n').read_until("wrong_password")

    assert [record.getMessage() for record in caplog.records] == [
        "proxy 127.0.0.1 forwards 192.0.2.1",
        "192.0.2.1 speaks json",
        "somebody from 192.0.2.1 gave a wrong password for the server",
    ]
