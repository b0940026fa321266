"""`ChatServer.reload`: what changes while the server runs, for whom, and what does not."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import Clients, JsonPeer, wait_until
from chat_tls import certificate
from irc_peer import IrcPeer

from pychat import Certificate, ChatServer, Limits, StoredAccounts
from pychat.transport.origins import BadProxy
from pychat.transport.trust import BadCertificate

__all__ = ["certificate"]  # the fixture

MakeServer = Callable[..., ChatServer]


def test_what_is_not_given_stays(server: MakeServer, clients: Clients) -> None:
    """Nothing at all is nothing new."""
    running = server(motd=["hello"], password="sesame", limits=Limits(nickname_chars=5), proxies=["192.0.2.1"])

    running.reload()

    peer = clients.new_json(running)
    peer.ask("hello", nick="ann", password="sesame")
    assert peer.next("welcome")["limits"]["nickname_chars"] == 5
    assert peer.next("lines")["lines"] == ["hello"]
    assert "192.0.2.1" in running.service.proxies


def test_a_password_comes_and_goes(server: MakeServer, clients: Clients) -> None:
    """Who is in stays in."""
    running = server()
    ann = clients.text(running, "ann")

    running.reload(password="sesame")
    stranger = clients.new_json(running)
    stranger.ask("hello", nick="bob")
    assert stranger.read()["code"] == "password_required"
    running.reload(password=None)
    clients.json(running, "carl")

    ann.send("/who\n")
    assert ann.read_until("in lobby")[-1] == "-- in lobby: ann, carl"


def test_with_a_password_irc_clients_register_behind_the_connection(server: MakeServer, clients: Clients) -> None:
    """What is offered is what will be done (draft/account-registration, `before-connect`)."""
    running = server(accounts=StoredAccounts())

    def offered() -> str:
        stranger = clients.add(IrcPeer(running))
        stranger.say("CAP LS 302")
        words = stranger.next("CAP").params[-1].split()
        return next(word for word in words if word.startswith("draft/account-registration"))

    before = offered()
    running.reload(password="sesame")
    closed = offered()
    running.reload(password=None)

    assert before == offered() == "draft/account-registration=before-connect,custom-account-name"
    assert closed == "draft/account-registration=custom-account-name"


def test_limits_of_connections_hold_at_once(server: MakeServer, clients: Clients) -> None:
    """Fewer than there are ends none."""
    running = server(limits=Limits(max_connections=1))
    ann = clients.text(running, "ann")
    assert clients.raw(running).read_rest() == b"server full\r\n"

    running.reload(limits=Limits(max_connections=2))
    clients.text(running, "bob")
    running.reload(limits=Limits(max_connections=1))

    assert clients.raw(running).read_rest() == b"server full\r\n"
    ann.send("/who\n")
    assert ann.read_until("in lobby")[-1] == "-- in lobby: ann, bob"


def test_a_smaller_queue_holds_for_who_is_there(server: MakeServer, clients: Clients) -> None:
    """Threat "slow reader": while it goes on, memory can be saved."""
    running = server(limits=Limits(send_queue_bytes=1_000_000, stall_seconds=60.0))
    ann = clients.text(running, "ann")
    clients.text(running, "slow", receive_buffer=4096)
    ann.read_until("slow joined")

    running.reload(limits=Limits(send_queue_bytes=65_536, stall_seconds=60.0))
    for _ in range(50):
        ann.send("\n".join(["x" * 1000] * 100) + "\n")

    assert ann.read_line() == "<-- slow left (too slow: more than 65536 bytes were waiting)"


def test_new_limits_are_told_to_who_comes(server: MakeServer, clients: Clients) -> None:
    """In JSON by the welcome, in IRC by 005."""
    running = server()
    running.reload(limits=Limits(nickname_chars=7))

    peer = JsonPeer(running)
    clients.add(peer).ask("hello", nick="ann")
    irc = clients.raw(running)
    irc.send("NICK bob\r\nUSER bob 0 * :Bob\r\n")

    assert peer.next("welcome")["limits"]["nickname_chars"] == 7
    assert " NICKLEN=7 " in irc.read_until("NICKLEN")[-1]


def test_what_a_log_is_made_with_stays(server: MakeServer) -> None:
    """It was bounded when it was made."""
    running = server(limits=Limits(history_events=7))

    running.reload(limits=Limits(history_events=8, text_lines=3))

    assert (running.service.limits.history_events, running.service.limits.text_lines) == (7, 3)


@pytest.mark.parametrize(
    ("change", "kind", "problem"),
    [
        ({"password": ""}, ValueError, "the password is empty"),
        ({"proxies": ["localhost"]}, BadProxy, "proxy 'localhost': it is not an address"),
        ({"tls": Certificate("cert.pem")}, ValueError, "a server that was created without TLS cannot enable it later"),
        ({"tls_required": True}, ValueError, "a server that was created without TLS cannot enable it later"),
    ],
)
def test_all_or_nothing(server: MakeServer, change: dict[str, Any], kind: type[Exception], problem: str) -> None:
    """What stands beside something wrong is not done."""
    running = server(motd=["old"], operators={"root": "secret"})

    with pytest.raises(kind, match=re.escape(problem)):
        running.reload(**change, motd=["new"], operators={}, limits=Limits(text_lines=1))

    assert (running.chat.motd, running.service.limits) == (("old",), Limits())
    assert running.chat.operators.check("root", "secret")


def test_a_broken_certificate_is_nothing(server: MakeServer, certificate: Certificate, tmp_path: Path) -> None:
    """The old one stays."""
    running = server(tls=certificate)
    before = running.service.tls

    with pytest.raises(BadCertificate):
        running.reload(tls=Certificate(tmp_path / "none.pem"), motd=["new"])

    assert running.service.tls is before
    assert running.chat.motd == ()


def test_reloading_while_people_come(server: MakeServer, clients: Clients) -> None:
    """Whoever reads what is changed sees the old or the new, and nothing in between."""
    running = server()
    done = threading.Event()

    def change() -> None:
        number = 0
        while not done.wait(0.001):
            number += 1
            running.reload(limits=Limits(text_lines=number % 9 + 1), motd=[str(number)], password=None)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for number in range(30):
            clients.json(running, f"ann{number}")
    finally:
        done.set()
        thread.join()

    wait_until(lambda: running.connections == 30, "all are in")
