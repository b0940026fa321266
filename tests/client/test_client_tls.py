"""`ChatClient` over TLS: whom it trusts, and what it says when it does not."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from chat_clients import DEADLINE, wait_until
from chat_networks import MakeClient, Script, join, script
from chat_tls import EXPIRED_CERTIFICATE, EXPIRED_KEY, certificate, fingerprint, new_certificate, tls_server

from pychat import Bot, Certificate, ChatClient, ChatServer, Message, Trust
from pychat.client import Reconnected
from pychat.model.errors import Refused, TlsFailed
from pychat.testing import Network
from pychat.transport.client_hello import NO_APPLICATION_PROTOCOL
from pychat.transport.trust import BadCertificate

__all__ = ["certificate", "fingerprint", "join", "script", "tls_server"]  # the fixtures

MakeServer = Callable[..., ChatServer]


# Trust


def test_a_fingerprint_is_enough(tls_server: MakeServer, join: MakeClient, fingerprint: str) -> None:
    """However it is written; both sides talk, and what they say is long."""
    port = tls_server().port
    ann = join(port, "ann", tls=Trust(fingerprint=fingerprint))
    bob = join(port, "bob", tls=Trust(fingerprint=fingerprint.replace(":", "").lower()))

    for number in range(50):
        ann.say(f"{number} " + "x" * 4000)
        bob.say(f"{number} " + "y" * 4000)

    assert [bob.next(Message, DEADLINE).text for _ in range(50)] == [f"{n} " + "x" * 4000 for n in range(50)]
    assert [ann.next(Message, DEADLINE).text for _ in range(50)] == [f"{n} " + "y" * 4000 for n in range(50)]


def test_a_file_of_certificates_is_trusted(tls_server: MakeServer, join: MakeClient, certificate: Certificate) -> None:
    """Then the certificate must be for the address."""
    assert join(tls_server().port, "ann", tls=Trust(ca=certificate.file)).members()


def test_a_context_of_ones_own_is_trusted(tls_server: MakeServer, join: MakeClient, certificate: Certificate) -> None:
    """It decides by itself."""
    context = ssl.create_default_context(cafile=certificate.file)

    assert join(tls_server().port, "ann", tls=context).members()


def test_several_threads_may_talk_over_one_connection(
    tls_server: MakeServer, join: MakeClient, fingerprint: str
) -> None:
    """What they say is neither mixed nor lost, while they hear each other's answers."""
    ann = join(tls_server().port, "ann", tls=Trust(fingerprint=fingerprint))
    ids: list[int | None] = []
    threads = [threading.Thread(target=lambda: ids.extend(ann.say("x" * 2000) for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert len(set(ids) - {None}) == 200


def test_it_comes_back_over_tls(tls_server: MakeServer, join: MakeClient, fingerprint: str) -> None:
    """With the same trust, and with what was missed."""
    with closing(Network("127.0.0.1", tls_server().port)) as network:
        ann = join(network.port, "ann", tls=Trust(fingerprint=fingerprint), reconnect=True)

        network.cut()

        assert ann.next(Reconnected, DEADLINE)
        assert ann.say("here again")


def test_a_bot_speaks_tls(tls_server: MakeServer, join: MakeClient, fingerprint: str) -> None:
    """It is told whom to trust when it is run."""
    port = tls_server(tls_required=True).port
    bot = Bot("helper")
    bot.command("ping")(lambda ctx: ctx.reply("pong"))
    trust = Trust(fingerprint=fingerprint)
    thread = threading.Thread(target=bot.run, kwargs={"port": port, "tls": trust})
    thread.start()
    try:
        wait_until(lambda: bot.connected, "the bot is there")
        ann = join(port, "ann", tls=trust)
        ann.say("!ping")
        assert ann.next(Message, DEADLINE).text == "pong"
    finally:
        bot.stop()
        thread.join(DEADLINE)


# Who is not trusted


def why_not(port: int, **options: object) -> TlsFailed:
    """The error of a client that does not trust the server."""
    with pytest.raises(TlsFailed) as caught:
        ChatClient(**{"port": port, "nick": "ann", "tls": True, "timeout": DEADLINE, **options})  # type: ignore[arg-type]
    return caught.value


def test_a_self_signed_certificate_is_told_with_its_fingerprint(tls_server: MakeServer, fingerprint: str) -> None:
    """Nobody was talked to; who knows the fingerprint can trust it."""
    running = tls_server()
    error = why_not(running.port)

    assert error.reason == (f"its certificate is self-signed; its fingerprint is {fingerprint}")
    assert error.fingerprint == fingerprint
    assert running.chat.sessions() == []


def test_another_fingerprint_is_told(tls_server: MakeServer, fingerprint: str) -> None:
    """The server is another one than last time, or its certificate is new."""
    error = why_not(tls_server().port, tls=Trust(fingerprint="00" * 32))

    assert error.reason == f"its certificate has another fingerprint: {fingerprint}"


def test_another_host_name_is_told(server: MakeServer, tmp_path: Path) -> None:
    """The certificate is good, but for somebody else."""
    files = new_certificate(tmp_path, ["chat.example"])

    error = why_not(server(tls=files).port, tls=Trust(ca=files.file))

    assert error.reason == "its certificate is for another address"
    error = why_not(server(tls=files).port, tls=Trust(ca=files.file), host="localhost")
    assert error.reason == "its certificate is for another host name"


def test_an_expired_certificate_is_told(server: MakeServer, tmp_path: Path) -> None:
    """Also if it is trusted by name; its fingerprint would be enough."""
    files = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    Path(files.file).write_text(EXPIRED_CERTIFICATE)
    Path(tmp_path / "key.pem").write_text(EXPIRED_KEY)

    error = why_not(server(tls=files).port, tls=Trust(ca=files.file))

    assert error.reason == "its certificate has expired"


def test_a_server_without_tls_is_told(server: MakeServer) -> None:
    """It has just hung up."""
    assert why_not(server().port).reason == "it ended the connection instead of starting TLS"


def test_another_kind_of_server_is_told() -> None:
    """What it says tells which."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as peer:
                peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                peer.recv(4096)

        thread = threading.Thread(target=greet)
        thread.start()
        error = why_not(listener.getsockname()[1])
        thread.join(DEADLINE)

    assert error.reason == "it does not use TLS: an SSH server says 'SSH-2.0-OpenSSH_9.6'"


def test_a_server_that_says_nothing_is_given_up() -> None:
    """After the timeout, not later."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        error = why_not(listener.getsockname()[1], timeout=0.2)

    assert error.reason == "no answer within 0.2 s"


def test_another_kind_of_tls_server_is_told() -> None:
    """One that speaks other protocols refuses ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            with listener.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(NO_APPLICATION_PROTOCOL)
                peer.recv(4096)

        thread = threading.Thread(target=refuse)
        thread.start()
        error = why_not(listener.getsockname()[1])
        thread.join(DEADLINE)

    assert error.reason == "it uses TLS, but is not pychat"


@pytest.mark.usefixtures("unprompted")
def test_the_prompt_before_our_hello_is_no_problem(tls_server: MakeServer, fingerprint: str) -> None:
    """A server that has waited for long asks for a nickname; TLS goes on behind that."""
    running = tls_server()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def stand_between() -> None:
            with listener.accept()[0] as near, socket.create_connection(("127.0.0.1", running.port)) as far:
                near.sendall(b"NI")
                near.sendall(b"CK")

                def copy(source: socket.socket, sink: socket.socket) -> None:
                    with suppress(OSError):  # one of them is gone already
                        while data := source.recv(65_536):
                            sink.sendall(data)
                        sink.shutdown(socket.SHUT_WR)

                back = threading.Thread(target=copy, args=(far, near))
                back.start()
                copy(near, far)
                back.join(DEADLINE)

        thread = threading.Thread(target=stand_between)
        thread.start()
        with ChatClient(port=listener.getsockname()[1], nick="ann", tls=Trust(fingerprint=fingerprint)) as ann:
            assert ann.members()
        thread.join(DEADLINE)


def test_a_server_that_wants_tls_says_so(tls_server: MakeServer, join: MakeClient) -> None:
    """In a code for programs."""
    with pytest.raises(Refused, match=r"^this server requires TLS$") as caught:
        join(tls_server(tls_required=True).port, "ann")
    assert caught.value.code == "tls_required"


def test_a_server_that_knows_nothing_but_tls_is_understood(script: Callable[..., Script]) -> None:
    """It answers a line of JSON with an alert."""
    server = script(raw=b"\x15\x03\x01\x00\x02\x02\x46")

    with pytest.raises(Refused, match=r"^this server requires TLS$") as caught:
        ChatClient(port=server.port, nick="ann")
    assert caught.value.code == "tls_required"


@pytest.mark.parametrize("text", ["", "12:34", "x" * 64, "0" * 63])
def test_what_is_no_fingerprint_is_told(text: str) -> None:
    """Before anything is connected."""
    with pytest.raises(BadCertificate) as caught:
        ChatClient(port=1, nick="ann", tls=Trust(fingerprint=text))
    assert str(caught.value) == f"fingerprint {text!r}: a SHA-256 has 64 hexadecimal digits"


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    """Before anything is connected."""
    with pytest.raises(BadCertificate, match=r"no-such-file': No such file or directory$"):
        ChatClient(port=1, nick="ann", tls=Trust(ca=tmp_path / "no-such-file"))
