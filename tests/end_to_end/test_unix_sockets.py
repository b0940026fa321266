"""A server on a Unix socket: everything is as on a port, but who comes has no address."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, Peer, wait_until
from chat_tls import certificate, fingerprint, secure

from pychat import Bot, Certificate, ChatClient, ChatServer, ConnectFailed, Limits, Message, Trust

__all__ = ["certificate", "fingerprint"]  # the fixtures

MakeServer = Callable[..., ChatServer]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the socket shall be."""
    return tmp_path / "chat.sock"


def test_all_languages_meet_there(server: MakeServer, clients: Clients, path: Path) -> None:
    """The first bytes tell, as everywhere, and so does silence."""
    running = server(unix=path)
    text = clients.text(running, "ann")
    clients.json(running, "bob")
    irc = clients.raw(running)
    irc.send("NICK carl\r\nUSER carl 0 * :Carl\r\nJOIN #lobby\r\n")
    irc.read_until(" 366 ")
    classic = clients.raw(running)
    assert classic.read_exactly(4) == b"NICK"
    classic.send("dora")

    text.read_until("dora joined")
    text.send("/who\n")
    assert text.read_line() == "-- in lobby: ann, bob, carl, dora"


def test_netcat_joins(server: MakeServer, clients: Clients, path: Path) -> None:
    """`nc -U PATH`."""
    running = server(unix=path)
    ann = clients.text(running, "ann")

    netcat = shutil.which("nc")
    assert netcat
    subprocess.run([netcat, "-U", "-N", str(path)], input=b"bob\nhello\n", check=True, timeout=DEADLINE)

    assert ann.read_until("bob: ")[-1] == "bob: hello"


def test_a_client_comes_back_to_a_new_server_there(server: MakeServer, path: Path) -> None:
    """Its address is the path."""
    first = server(unix=path)
    with ChatClient(unix=path, nick="ann", reconnect=True, timeout=DEADLINE) as ann:
        first.stop()
        assert not path.exists()
        second = server(unix=path)
        wait_until(lambda: second.chat.find("ann") is not None, "ann is back")
        second.session("bob", ["lobby"]).say("hello")

        assert ann.next(Message, DEADLINE).text == "hello"
        assert ann.address == (str(path), None)


def test_a_bot_lives_there(server: MakeServer, clients: Clients, path: Path) -> None:
    """It takes what `ChatClient` takes."""
    running = server(unix=path)
    ann = clients.text(running, "ann")
    bot = Bot("helper")
    bot.on(Message)(lambda heard: bot.stop("done"))

    thread = threading.Thread(target=bot.run, kwargs={"unix": path, "wait": True})
    thread.start()
    ann.read_until("helper joined")
    ann.send("hello\n")
    thread.join(DEADLINE)

    assert ann.read_until("helper left")[-1] == "<-- helper left (done)"


def test_who_comes_has_no_address(
    server: MakeServer, clients: Clients, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log it is "unix"; the limits of an address are not for it, that of all is."""
    caplog.set_level("DEBUG", "pychat")
    running = server(
        unix=path, limits=Limits(connections_per_address=1, new_connections_per_minute=1, max_connections=2)
    )
    clients.text(running, "ann")
    clients.text(running, "bob")

    assert clients.raw(running).read_rest() == b"server full\r\n"
    ann, bob = running.chat.find("ann"), running.chat.find("bob")
    assert ann
    assert bob
    assert (ann.address, bob.address) == ("unix", "unix")
    assert running.chat.cloaks.host(ann.address).endswith(".ip")
    assert "unix speaks text" in caplog.messages
    assert running.port == 0


def test_a_proxy_there_says_whom_it_brings(server: MakeServer, clients: Clients, path: Path) -> None:
    """If "unix" is listed; then its line is required."""
    running = server(unix=path, proxies=["unix"])
    peer = clients.raw(running)
    peer.send("PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\nann\n/who\n")
    peer.read_until("-- in lobby: ann")

    ann = running.chat.find("ann")
    assert ann
    assert ann.address == "192.0.2.7"
    stranger = clients.raw(running)
    stranger.send("bob\n")
    assert stranger.read_rest() == b""


def test_a_member_that_reads_nothing_is_cut_off(server: MakeServer, clients: Clients, path: Path) -> None:
    """Threat "slow reader": the system has no more room for it than on a port."""
    running = server(unix=path, limits=Limits(send_queue_bytes=32_768, stall_seconds=60.0))
    ann = clients.text(running, "ann")
    clients.text(running, "slow")
    ann.read_until("slow joined")

    for _ in range(10):
        ann.send("x" * 1000 + "\n" + "\n".join(["y" * 1000] * 99) + "\n")

    reason = "too slow: more than 32768 bytes were waiting"
    assert ann.read_line() == f"<-- slow left ({reason})"


def test_tls_works_inside(
    server: MakeServer, clients: Clients, path: Path, certificate: Certificate, fingerprint: str
) -> None:
    """A proxy may pass it through; who connects directly wants a certificate for localhost, or the one it knows."""
    running = server(unix=path, tls=certificate, tls_required=True)
    peer = clients.add(secure(Peer(running)))
    peer.send("ann\n/who\n")
    peer.read_until("-- in lobby: ann")

    with ChatClient(unix=path, nick="bob", tls=Trust(ca=certificate.file)) as bob:
        assert running.chat.find("bob").secure  # type: ignore[union-attr]
        assert bob.rooms == ("lobby",)
    ChatClient(unix=path, nick="carl", tls=Trust(fingerprint=fingerprint)).close()
    refused = clients.add(JsonPeer(running))
    refused.ask("hello", nick="dora")
    assert refused.read()["code"] == "tls_required"


def test_where_nobody_listens(path: Path) -> None:
    """The error names the path."""
    with pytest.raises(ConnectFailed) as caught:
        ChatClient(unix=path, nick="ann")

    assert str(caught.value) == f"cannot connect to the Unix socket {str(path)!r}: No such file or directory"


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    """A Unix socket has about 100 bytes for it."""
    path = tmp_path / ("x" * 200)

    with pytest.raises(OSError, match="path too long"):
        ChatServer(unix=path).bind()
    with pytest.raises(ConnectFailed, match="path too long"):
        ChatClient(unix=path, nick="ann")
