"""Clients that speak TLS, and certificates, for the tests."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, P, Peer

from pychat import Certificate, ChatServer
from pychat.cli.server.certificate import LOCAL_NAMES, make_certificate
from pychat.testing import FaultySocket
from pychat.transport import greeting
from pychat.transport.tls import fingerprint_of

MakeServer = Callable[..., ChatServer]

EXPIRED_KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL5pGZ556L//SQBpt
57XQLK55E/d2JFDim/tct1Xfp9GhRANCAAQ+an9SvYIaKL7MdDYzI4Y5mkjUm0gS
MbVScoLg+FxfOKpn5GFFfb+svTGDLGRfY9UpwxQVKaozE6lIGrlEv85y
-----END PRIVATE KEY-----
"""
EXPIRED_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBczCCARigAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjAUMRIwEAYDVQQDDAls
b2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ+an9SvYIaKL7MdDYz
I4Y5mkjUm0gSMbVScoLg+FxfOKpn5GFFfb+svTGDLGRfY9UpwxQVKaozE6lIGrlE
v85yo1swWTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDAdBgNVHQ4EFgQU
aMfhT/2fhAweTbweN9ccXbf36x0wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAAB
MAoGCCqGSM49BAMCA0kAMEYCIQD0NWyzHw6nF0EyMtso3FX9QdeceBojdyDbnV2T
dkbffAIhAK8PopAhcCWhkUNz82s65wyg6/CJH8vGDPBWkkevxkoc
-----END CERTIFICATE-----
"""
"""For localhost and 127.0.0.1, on the first day of 2020."""


def new_certificate(directory: Path, hosts: Sequence[str] = LOCAL_NAMES) -> Certificate:
    """A certificate that vouches for itself, in a directory that is made if need be."""
    directory.mkdir(parents=True, exist_ok=True)
    made = make_certificate(hosts, 1, directory)
    return Certificate(made.certificate, made.key)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """One for this machine, the same for all tests."""
    return new_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def fingerprint(certificate: Certificate) -> str:
    """That of the certificate."""
    return fingerprint_of(certificate.file)


@pytest.fixture
def tls_server(server: MakeServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> MakeServer:
    """Return what starts servers that speak TLS, too, and wait for a handshake however slow the machine is."""
    monkeypatch.setattr(greeting, "PATIENT_SECONDS", DEADLINE)  # a prompt would ruin it
    return lambda **options: server(**{"tls": certificate, **options})


@pytest.fixture
def tls_clients(tls_server: MakeServer) -> Iterator[TlsClients]:
    """Return what connects clients over TLS; they are closed before the servers are stopped."""
    with TlsClients() as made:
        yield made


class TlsClients(Clients):
    """Clients that all speak TLS, each from one thread only."""

    def __enter__(self) -> TlsClients:
        return self

    def raw(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> Peer:
        return self.add(secure(Peer(server, receive_buffer=receive_buffer)))

    def new_json(self, server: ChatServer | tuple[str, int], *, receive_buffer: int | None = None) -> JsonPeer:
        return self.add(secure(JsonPeer(server, receive_buffer=receive_buffer)))


def trusting() -> ssl.SSLContext:
    """A context that trusts everybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def secure(peer: P, *protocols: str, context: ssl.SSLContext | None = None) -> P:
    """Let a peer shake hands; from then on it speaks TLS. An end that TLS does not announce is an error for it."""
    context = context or trusting()
    if protocols:
        context.set_alpn_protocols(protocols)
    timeout = peer.socket.gettimeout()
    plain = socket.socket(fileno=peer.socket.detach())
    plain.settimeout(timeout)
    try:
        over_tls = context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise
    peer.socket = FaultySocket(over_tls)
    return peer
