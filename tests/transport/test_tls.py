"""TLS on the one port: every language inside of it, what it refuses, how it ends; on real sockets."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, Peer, wait_until
from chat_tls import TlsClients, certificate, new_certificate, secure, tls_clients, tls_server, trusting
from hypothesis import given, settings
from hypothesis import strategies as st
from irc_peer import IrcPeer

from pychat import Certificate, ChatServer, Limits
from pychat.transport import greeting
from pychat.transport.threads.home import Steps
from pychat.transport.tls import ServerTls, TlsLayer
from pychat.transport.trust import BadCertificate

__all__ = ["certificate", "tls_clients", "tls_server"]  # the fixtures

MakeServer = Callable[..., ChatServer]
ALERT = b"\x15\x03"
"""How a record begins that says why TLS has failed."""


# Inside of it


def test_every_language_is_spoken_inside(tls_server: MakeServer, tls_clients: TlsClients) -> None:
    """Text, JSON, IRC and the tutorial's client, each found out as on a plain connection, are in one room."""
    running = tls_server()
    text, json = tls_clients.text(running, "text"), tls_clients.json(running, "json")
    irc = tls_clients.add(secure(IrcPeer(running)))
    irc.register("irc")
    irc.say("JOIN #lobby")
    classic = tls_clients.raw(running)
    assert classic.read_exactly(4) == b"NICK"
    classic.send("classic")
    json.until("joined", nick="classic")

    text.send("hello\n")

    assert json.next("message")["text"] == "hello"
    assert classic.read_until("text: hello")
    line = irc.read()
    while line.command != "PRIVMSG":
        line = irc.read()
    assert line.params == ("#lobby", "hello")


def test_plain_and_tls_meet_on_one_port(tls_server: MakeServer, clients: Clients, tls_clients: TlsClients) -> None:
    """In the same room, in both directions; only one of them is secure."""
    running = tls_server()
    plain, secret = clients.text(running, "plain"), tls_clients.text(running, "secret")
    plain.read_until("secret joined")

    plain.send("one\n")
    assert secret.read_line() == "plain: one"
    secret.send("two\n")
    assert plain.read_line() == "secret: two"

    assert {session.nickname: session.secure for session in running.chat.sessions()} == {
        "plain": False,
        "secret": True,
    }


def test_who_is_secure_is_told(tls_server: MakeServer, clients: Clients, tls_clients: TlsClients) -> None:
    """RPL_WHOISSECURE (671) in IRC, a field in JSON, some words in text."""
    running = tls_server()
    tls_clients.text(running, "ann")
    irc = clients.add(IrcPeer(running))
    irc.register("irc")
    irc.say("WHOIS ann")
    heard = [irc.read()]
    while heard[-1].command != "318":
        heard.append(irc.read())
    json, text = clients.json(running, "json"), clients.text(running, "text")
    text.send("/whois ann\n")

    assert [line.params for line in heard if line.command == "671"] == [("irc", "ann", "is using a secure connection")]
    assert json.answer("whois", nick="ann")["secure"] is True
    assert "secure" not in json.answer("whois", nick="irc")
    assert text.read_until("ann (")[-1].endswith("; connected over TLS")


def test_inside_of_tls_is_no_tls(tls_server: MakeServer, clients: Clients, tls_clients: TlsClients) -> None:
    """The byte 0x16 is text there, and no nickname."""
    ann = tls_clients.raw(tls_server())

    ann.send(b"\x16\x03\x01\n")

    assert ann.read_line().startswith("! nickname '\\x16\\x03\\x01': ")


@pytest.mark.parametrize("size", [1, 100, 16_384, 100_000])
def test_what_is_sent_together_arrives_whatever_the_records_are(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients, size: int
) -> None:
    """Lines and records have nothing to do with each other."""
    running = tls_server()
    bob, ann = clients.text(running, "bob"), tls_clients.text(running, "ann")
    bob.read_until("ann joined")
    lines = [f"{number} " + "x" * 3900 for number in range(30)] if size > 1 else ["one by one"]
    data = "".join(f"{line}\n" for line in lines).encode()

    for start in range(0, len(data), size):
        ann.send(data[start : start + size])

    assert [bob.read_line() for _ in lines] == [f"ann: {line}" for line in lines]


def test_who_speaks_before_the_handshake_is_answered_is_heard(tls_server: MakeServer, clients: Clients) -> None:
    """The first words may come in one packet with the end of the handshake."""
    running = tls_server()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting().wrap_bio(incoming, outgoing)
    peer = clients.raw(running)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    peer.send(outgoing.read())
    while True:
        incoming.write(peer.socket.recv(65_536))
        with suppress(ssl.SSLWantReadError):
            tls.do_handshake()
            break

    tls.write(b"ann\nhello\n")
    peer.send(outgoing.read())

    wait_until(lambda: running.chat.find("ann"), "ann is in")


# ALPN


@pytest.mark.parametrize("protocol", ["irc", "pychat"])
def test_who_names_the_language_need_not_show_it(
    tls_server: MakeServer, tls_clients: TlsClients, protocol: str
) -> None:
    """No byte has to tell, so whoever is silent is not asked for a nickname."""
    peer = tls_clients.add(secure(Peer(tls_server()), "other", protocol))
    assert peer.socket.selected_alpn_protocol() == protocol

    other = tls_clients.raw(tls_server())
    assert other.read_exactly(4) == b"NICK"
    peer.send("PING me\r\n" if protocol == "irc" else '{"type":"rooms","ref":1}\n')

    answer = peer.read_line()
    assert "PONG" in answer if protocol == "irc" else '"not_registered"' in answer


def test_a_browser_gets_an_answer_of_http(tls_server: MakeServer, tls_clients: TlsClients) -> None:
    """It offers h2, which is not spoken here, and HTTP/1.1, which is, for the page that tells how to join."""
    peer = tls_clients.add(secure(Peer(tls_server()), "h2", "http/1.1"))

    peer.send("GET / HTTP/1.1\r\n\r\n")

    assert peer.read_rest().startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.fixture
def unhurried_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the handshake have all the time that the machine needs, whatever the limit for the rest is."""
    real = greeting.Greeting._shake_hands

    def shake_hands(own: greeting.Greeting, tls: TlsLayer, data: bytes, deadline: float) -> Steps[bytes]:
        return real(own, tls, data, deadline + DEADLINE)

    monkeypatch.setattr(greeting.Greeting, "_shake_hands", shake_hands)


@pytest.mark.usefixtures("unhurried_handshake")
def test_http_is_not_answered_before_it_asks(tls_server: MakeServer, tls_clients: TlsClients) -> None:
    """A browser would take that for a broken connection; one that opened it only in case is closed in time."""
    running = tls_server(limits=Limits(detection_seconds=0.1))
    peer = tls_clients.add(secure(Peer(running), "http/1.1"))

    assert peer.read_rest() == b""


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_alpaca(tls_server: MakeServer, newest: ssl.TLSVersion) -> None:
    """Threat of that name: a client of another protocol that somebody sent here is refused (RFC 7301 section 3.2)."""
    context = trusting()
    context.maximum_version = newest

    with pytest.raises(ssl.SSLError, match=r"(?i)alert.no.application.protocol"):
        secure(Peer(tls_server()), "smtp", "h2", context=context)


# What is refused


def test_old_versions_are_refused(tls_server: MakeServer) -> None:
    """TLS 1.2 is the oldest."""
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # nobody should use it
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(ssl.SSLError, match=r"(?i)alert.protocol.version"):
        secure(Peer(tls_server()), context=context)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16" + b"garbage" * 10,
        b"\x16\x03\x01\xff\xff" + b"x" * 1000,
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
        b"\x16\n\n\n\nNICK ann\r\n",
    ],
)
def test_a_handshake_of_garbage_ends_the_connection(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients, garbage: bytes
) -> None:
    """With an alert at most, and nobody else notices."""
    running = tls_server()
    peer = clients.raw(running)

    peer.send(garbage)

    assert peer.read_rest()[:2] in (ALERT, b"")  # OpenSSL has no alert for what does not even look like a record
    tls_clients.text(running, "ann")
    peer.close()
    wait_until(lambda: running.connections == 1, "the connection is over")


@settings(max_examples=300)
@given(data=st.binary(max_size=2000), cuts=st.lists(st.integers(0, 2000), max_size=5))
def test_any_bytes_after_0x16_are_nothing_but_a_closed_connection(
    server_tls: ServerTls, data: bytes, cuts: list[int]
) -> None:
    """However they come: nothing is said, nothing is raised, and what is answered is an alert, or a handshake."""
    layer = server_tls.layer()
    stream = b"\x16" + data
    bounds = [0, *sorted(cuts), len(stream)]

    for start, end in pairwise(bounds):
        assert layer.receive(stream[start:end]) == b""
        assert layer.send(b"secret")[:1] in (b"", b"\x15", b"\x16")

    assert not layer.established


@pytest.fixture(scope="module")
def server_tls(certificate: Certificate) -> ServerTls:
    """What a server has, without the server."""
    return ServerTls(certificate)


def test_an_endless_handshake_is_ended(tls_server: MakeServer, clients: Clients) -> None:
    """A ClientHello may claim 16 MB; after 32 KiB there is no more to wait for."""
    peer = clients.raw(tls_server())
    record = b"\x16\x03\x01\x10\x00" + b"\0" * 4096

    with suppress(OSError):  # it is closed before all of it is sent
        peer.send(b"\x16\x03\x01\x00\x04\x01\x00\xff\xff" + record * 100)

    assert peer.read_rest()[:2] in (b"", ALERT)


@pytest.mark.parametrize("half", [b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
def test_half_a_handshake_is_ended_in_time(tls_server: MakeServer, clients: Clients, half: bytes) -> None:
    """The deadline is that of detection, from the first byte on; nothing is said in plain text."""
    running = tls_server(limits=Limits(detection_seconds=0.2))
    peer = clients.raw(running)

    peer.send(half)

    assert peer.read_rest() == b""
    peer.close()
    wait_until(lambda: running.connections == 0, "the connection is over")


def test_a_handshake_that_goes_on_is_ended_in_time(tls_server: MakeServer, tls_clients: TlsClients) -> None:
    """The deadline is for all of it: bytes that keep coming are no excuse."""
    running = tls_server(limits=Limits(detection_seconds=0.0))

    with pytest.raises(OSError, match=r"(?i)eof|reset"):  # TLS 1.2 ends in the handshake, 1.3 when the client has done
        tls_clients.raw(running).read_exactly(1)


@pytest.mark.usefixtures("unhurried_handshake")
def test_who_is_slow_inside_of_tls_has_the_time_that_others_have(
    tls_server: MakeServer, tls_clients: TlsClients
) -> None:
    """The deadline of the handshake is not that of the person who types the nickname afterwards."""
    running = tls_server(limits=Limits(detection_seconds=0.2))
    ann = tls_clients.raw(running)
    for _ in range(2):  # one after the other, each asked 0.3 s after it came
        assert tls_clients.raw(running).read_exactly(4) == b"NICK"

    ann.send("ann\n")

    assert ann.read_exactly(4) == b"NICK"
    assert ann.read_line() == "-- welcome to pychat, ann; /help lists the commands"


# The layer alone


def established(server_tls: ServerTls) -> tuple[TlsLayer, TlsLayer]:
    """Both sides of a connection that has no socket."""
    server, client = server_tls.layer(), TlsLayer(trusting(), server_name="localhost")
    client.start()
    while not (server.established and client.established):
        assert server.receive(client.send()) == b""
        assert client.receive(server.send()) == b""
    return server, client


def test_nothing_can_be_said_too_early_or_too_late(server_tls: ServerTls) -> None:
    """Before the handshake, after the end and after an error it is dropped, never sent in plain text."""
    assert server_tls.layer().send(b"secret") == b""
    server, client = established(server_tls)
    assert client.receive(server.send(b"one")) == b"one"

    server.end()
    assert client.receive(server.send(b"two")) == b""
    assert (client.ended, client.error) == (True, None)

    server, client = established(server_tls)
    server.receive(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    assert (server.ended, server.error is not None) == (True, True)
    assert client.receive(server.send(b"two")) == b""
    assert client.error is not None  # an alert came


def test_what_must_be_answered_is_bounded(server_tls: ServerTls) -> None:
    """Who makes TLS answer without end, and takes no answer, is cut off."""
    server, client = established(server_tls)
    server._outgoing.write(b"x" * 70_000)  # no client of Python can make these

    server.receive(client.send(b"hello"))

    assert str(server.error) == "('too many bytes are to be sent in answer',)"


@settings(max_examples=50)
@given(sent=st.lists(st.binary(min_size=1, max_size=50_000), max_size=8), cut=st.integers(1, 20_000))
def test_what_goes_in_comes_out(server_tls: ServerTls, sent: list[bytes], cut: int) -> None:
    """In both directions, however the records are cut on the way."""
    for source, sink in ((established(server_tls)), (established(server_tls)[::-1])):
        wire = b"".join(map(source.send, sent))

        got = b"".join(sink.receive(wire[start : start + cut]) for start in range(0, len(wire), cut))

        assert got == b"".join(sent)


# Only TLS


def test_plain_text_is_refused_where_tls_is_required(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients
) -> None:
    """In each language's own words; TLS is not."""
    running = tls_server(tls_required=True)
    text, json, irc = clients.raw(running), clients.new_json(running), clients.add(IrcPeer(running))

    text.send("ann\n")
    json.ask("hello", nick="ann")
    irc.say("NICK ann", "USER ann 0 * :ann")

    assert text.read_rest() == b"! this server requires TLS\n-- goodbye: this server requires TLS\n"
    assert json.next("error") == {"type": "error", "code": "tls_required", "text": "this server requires TLS"}
    assert json.next("bye") == {"type": "bye", "reason": "this server requires TLS"}
    assert irc.read().params == ("*", "this server requires TLS")
    assert irc.read().command == "ERROR"
    assert tls_clients.text(running, "ann")
    assert [session.nickname for session in running.chat.sessions()] == ["ann"]


def test_a_silent_peer_is_not_asked_where_tls_is_required(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients
) -> None:
    """The prompt would ruin its handshake; inside of TLS it comes."""
    running = tls_server(tls_required=True)
    silent = clients.raw(running)
    for _ in range(4):  # each takes 0.3 s
        assert tls_clients.raw(running).read_exactly(4) == b"NICK"

    assert secure(silent).read_exactly(4) == b"NICK"


def test_a_silent_peer_is_asked_late_where_tls_is_spoken(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first packet of a handshake may have been lost; inside of TLS there is no such reason."""
    monkeypatch.setattr(greeting, "PATIENT_SECONDS", 3600.0)
    running = tls_server()
    silent = clients.raw(running)
    for _ in range(2):  # each takes 0.3 s
        assert tls_clients.raw(running).read_exactly(4) == b"NICK"

    silent.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        silent.socket.recv(4)


def test_tls_cannot_be_required_without_a_certificate() -> None:
    """That server would refuse everybody."""
    with pytest.raises(ValueError, match=r"^tls_required needs a certificate: tls=Certificate\(...\)$"):
        ChatServer(tls_required=True)


# Slow members


def test_a_slow_reader_gets_everything_in_order(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients
) -> None:
    """What its socket does not take waits, encrypted, and is cut anywhere."""
    running = tls_server()
    slow, ann = tls_clients.text(running, "slow", receive_buffer=4096), clients.text(running, "ann")
    lines = [f"{number} " + "x" * 3900 for number in range(40)]

    ann.send("".join(f"{line}\n" for line in lines) + "/who\n")
    ann.read_until("-- in ")

    assert slow.read_line() == "--> ann joined lobby"
    assert [slow.read_line() for _ in lines] == [f"ann: {line}" for line in lines]


def test_who_does_not_read_is_cut_off(tls_server: MakeServer, clients: Clients, tls_clients: TlsClients) -> None:
    """Like a member without TLS, by the same bound."""
    running = tls_server(limits=Limits(send_queue_bytes=100_000))
    tls_clients.text(running, "stalled", receive_buffer=4096)
    ann = clients.text(running, "ann")
    bob = clients.text(running, "bob")
    ann.read_until("bob joined")

    with suppress(OSError):
        for _ in range(400):
            ann.send("x" * 4000 + "\n")

    assert bob.read_until("stalled left")[-1] == ("<-- stalled left (too slow: more than 100000 bytes were waiting)")


# The end


def test_stop_tells_everybody_why_and_ends_properly(
    tls_server: MakeServer, tls_clients: TlsClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The close_notify says that nothing is missing; `secure` lets any other end be an error."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # whoever does not end in time is cut off
    running = tls_server()
    ann = tls_clients.text(running, "ann")
    tls_clients.raw(running)

    running.stop()

    assert ann.read_rest() == b"-- goodbye: the server is shutting down\n"


def test_a_proper_end_says_the_last_line(tls_server: MakeServer, clients: Clients, tls_clients: TlsClients) -> None:
    """As the end of a plain stream does, and the server ends properly, too."""
    running = tls_server()
    bob, ann = clients.text(running, "bob"), tls_clients.text(running, "ann")
    bob.read_until("ann joined")

    ann.send("last words")
    ann.socket.unwrap()

    assert bob.read_line() == "ann: last words"
    assert bob.read_line() == "<-- ann left (connection closed)"


def test_an_end_that_anybody_may_have_made_does_not(
    tls_server: MakeServer, clients: Clients, tls_clients: TlsClients
) -> None:
    """Without close_notify the last line may have been cut off on the way; else that is no problem."""
    running = tls_server()
    bob, ann = clients.text(running, "bob"), tls_clients.text(running, "ann")
    bob.read_until("ann joined")

    ann.send("whole\nI do not like h")
    ann.close()

    assert bob.read_line() == "ann: whole"
    assert bob.read_line() == "<-- ann left (connection closed)"


def test_a_stream_that_was_changed_on_the_way_ends(tls_server: MakeServer, clients: Clients) -> None:
    """Whatever was said before is heard, and nothing else."""
    running = tls_server()
    bob, ann = clients.text(running, "bob"), JsonPeer(running)
    raw = ann.socket.dup()
    clients.add(secure(ann))
    ann.ask("hello", nick="ann")
    ann.answer("who")
    bob.read_until("ann joined")

    with raw:
        raw.sendall(b"\x17\x03\x03\x00\x30" + b"forged" * 8)

    assert bob.read_line() == "<-- ann left (connection closed)"


# Certificates


def served_fingerprint(running: ChatServer) -> bytes | None:
    """The certificate that a newcomer is shown."""
    peer = secure(Peer(running))
    shown: bytes | None = peer.socket.getpeercert(binary_form=True)
    peer.close()
    return shown


def test_a_new_certificate_is_for_those_who_come(server: MakeServer, tls_clients: TlsClients, tmp_path: Path) -> None:
    """Those who are there stay; a broken file changes nothing."""
    old, new = new_certificate(tmp_path / "old"), new_certificate(tmp_path / "new")
    running = server(tls=old)
    ann = tls_clients.text(running, "ann")
    first = served_fingerprint(running)

    for before, after in zip(old, new, strict=True):
        assert before is not None
        assert after is not None
        Path(before).write_bytes(Path(after).read_bytes())
    running.reload_tls()

    assert served_fingerprint(running) != first
    second = served_fingerprint(running)
    Path(old.file).write_text("nonsense")
    with pytest.raises(BadCertificate, match=r": there is no certificate in PEM form in it$"):
        running.reload_tls()
    assert served_fingerprint(running) == second
    ann.send("/who\n")
    assert ann.read_line() == "-- in lobby: ann"


def test_files_that_are_no_pair_are_told(tmp_path: Path) -> None:
    """Which file, and what is wrong with it."""
    one, other = new_certificate(tmp_path / "one"), new_certificate(tmp_path / "other")
    assert one.key is not None
    assert other.key is not None
    encrypted = tmp_path / "encrypted.pem"
    encrypted.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    damaged = tmp_path / "damaged.pem"
    damaged.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    both = tmp_path / "both.pem"
    both.write_bytes(Path(one.file).read_bytes() + Path(one.key).read_bytes())
    missing = tmp_path / "missing"
    cases = {
        Certificate(one.file, other.key): f"key '{other.key}': it does not belong to the certificate '{one.file}'",
        Certificate(one.file): f"key '{one.file}': there is no private key in PEM form in it",
        Certificate(one.key, one.key): f"certificate '{one.key}': there is no certificate in PEM form in it",
        Certificate(missing, one.key): f"cannot read '{missing}': No such file or directory",
        Certificate(one.file, missing): f"cannot read '{missing}': No such file or directory",
        Certificate(one.file, encrypted): f"key '{encrypted}': it has a passphrase; use a key without one, because "
        "the server cannot ask for it",
    }

    for files, problem in cases.items():
        with pytest.raises(BadCertificate) as caught:
            ServerTls(files)
        assert str(caught.value) == problem
    with pytest.raises(BadCertificate, match=rf"^certificate '{damaged}'"):
        ServerTls(Certificate(damaged, one.key))
    assert ServerTls(Certificate(both)).fingerprint == ServerTls(one).fingerprint
