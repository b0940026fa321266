"""TLS with programs that others have written: `openssl s_client`, irssi, a library for bots, curl."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, wait_until
from chat_tls import TlsClients, certificate, secure, tls_clients, tls_server, trusting
from irc_peer import IrcPeer
from irc_programs import Irssi
from peer_programs import Program

from pychat import ChatServer, Limits

__all__ = ["certificate", "tls_clients", "tls_server"]  # the fixtures

MakeServer = Callable[..., ChatServer]


def s_client(port: int, *options: str) -> Program:
    """The `nc` of TLS; its own messages are among what is heard."""
    return Program(["openssl", "s_client", *options, "-connect", f"127.0.0.1:{port}"])


def test_s_client_talks(tls_server: MakeServer, clients: Clients) -> None:
    """What is typed there is said, and what others say is shown."""
    running = tls_server()
    ann = clients.text(running, "ann")
    with s_client(running.port, "-quiet") as program:
        program.send("eve")
        assert ann.read_line() == "--> eve joined lobby"
        program.send("hello")
        assert ann.read_line() == "eve: hello"
        ann.send("grüße\n")
        program.read_until("ann: grüße")
        program.send("/quit supper")
        assert ann.read_line() == "<-- eve left (supper)"
        assert program.process.wait(DEADLINE) == 0  # the end was proper


@pytest.mark.parametrize("letter", ["k", "K"])
def test_new_keys(tls_server: MakeServer, clients: Clients, letter: str) -> None:
    """A KeyUpdate, and one that wants ours (RFC 8446 section 4.6.3): many of them, and the talk goes on both ways."""
    running = tls_server()
    ann = clients.text(running, "ann")
    with s_client(running.port) as program:
        program.send("eve")
        assert ann.read_line() == "--> eve joined lobby"
        for number in range(50):
            program.send(letter)
            program.read_until("KEYUPDATE")
            program.send(f"number {number}")
            assert ann.read_line() == f"eve: number {number}"
            ann.send(f"answer {number}\n")
            program.read_until(f"ann: answer {number}")


def test_renegotiation_is_refused(tls_server: MakeServer, clients: Clients) -> None:
    """Of TLS 1.2: the server would work for whoever asks."""
    running = tls_server()
    ann = clients.text(running, "ann")
    with s_client(running.port, "-tls1_2") as program:
        program.send("eve")
        assert ann.read_line() == "--> eve joined lobby"
        program.read_until("-- you are in lobby")  # a line in the middle of it would be its problem
        program.send("R")
        program.read_until("no renegotiation")
        assert "eve left" in ann.read_line()


def test_irssi_over_tls(tls_server: MakeServer, tls_clients: TlsClients, tmp_path: Path) -> None:
    """As a person connects it, without checking the certificate; it talks with a member of another language."""
    if shutil.which("irssi") is None or shutil.which("tmux") is None:
        pytest.skip("irssi and tmux are not installed")
    running = tls_server(tls_required=True, limits=Limits(registration_seconds=DEADLINE))
    json = tls_clients.json(running, "json")
    irssi = SecureIrssi("eve", tmp_path)
    try:
        irssi.start(running.port)
        irssi.join("#lobby")
        assert json.next("joined")["nick"] == "eve"
        irssi.say("#lobby", "hello from irssi")
        assert json.next("message")["text"] == "hello from irssi"
        json.ask("say", text="hello irssi")
        irssi.wait_for("json", "hello irssi")
        assert json.answer("whois", nick="eve")["secure"] is True
        irssi.quit("bye")
    finally:
        irssi.close()


class SecureIrssi(Irssi):
    """With TLS switched on in its settings, for a server whose certificate nobody vouches for."""

    tls = 'use_tls = "yes"; tls_verify = "no";'


def test_a_library_for_bots_over_tls(tls_server: MakeServer, tls_clients: TlsClients) -> None:
    """`irc` for Python, with a socket of the ssl module."""
    connection = pytest.importorskip("irc.connection")
    client = pytest.importorskip("irc.client")
    running = tls_server(tls_required=True)
    peer = tls_clients.add(secure(IrcPeer(running)))
    peer.register("peer")
    peer.say("JOIN #lobby")
    reactor = client.Reactor()
    heard: list[str] = []
    bot = reactor.server()
    factory = connection.Factory(wrapper=lambda sock: trusting().wrap_socket(sock, server_hostname="localhost"))
    bot.add_global_handler("welcome", lambda line, event: line.join("#lobby"))
    bot.add_global_handler("pubmsg", lambda line, event: heard.extend(event.arguments))
    bot.connect("127.0.0.1", running.port, "bot", connect_factory=factory)

    def turn() -> bool:
        reactor.process_once(0.01)
        session = running.chat.find("bot")
        return session is not None and bool(session.rooms)

    wait_until(turn, "the bot is in")
    peer.say("PRIVMSG #lobby :hello bot")
    wait_until(lambda: (reactor.process_once(0.01), heard)[1], "the bot hears")
    bot.disconnect("bye")

    assert heard == ["hello bot"]


def test_curl_gets_an_answer(tls_server: MakeServer) -> None:
    """A browser that comes here by mistake is told in its language."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    running = tls_server()

    done = subprocess.run(
        ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"https://127.0.0.1:{running.port}/"],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )

    assert done.stdout == "200"
