"""What must never reach the log of a server, at no level: secrets of anybody, and lines that peers have made."""

from __future__ import annotations

import base64
import json
import re
import signal
from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients
from chat_programs import ROUTINE, Program, Programs, pychat
from chat_tls import TlsClients, new_certificate

from pychat.cli.server.log_format import MOST_CHARS

__all__ = ["pychat"]  # the fixture

SERVER, OPER, KEY, ACCOUNT, WRONG = "sesame-server", "sesame-oper", "sesame-key", "sesame-account", "sesame-wrong"
MINE = """
from pychat import Handler

class Broken(Handler):
    def on_message(self, session, message):
        if message.text.startswith("break"):
            raise ValueError(message.text)
"""
EVIL = "break\x1b]0;title\x07\n2026-01-01T00:00:00.000Z ERROR pychat: made up\r\u202e\u2028" + "x" * 3000
"""A failing handler brings it into the log."""
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) [\w.]+: .+")

Start = Callable[..., tuple[Program, tuple[str, int]]]


@pytest.fixture
def start(pychat: Programs) -> Start:
    """Return what starts a server that has all kinds of secrets, and logs everything."""
    pair = new_certificate(pychat.directory / "pair")
    (pychat.directory / "mine.py").write_text(MINE)
    (pychat.directory / "password").write_text(SERVER)
    (pychat.directory / "opers").write_text(f"root:{OPER}\n")
    for name in ("password", "opers"):
        (pychat.directory / name).chmod(0o600)

    pychat.change("pychat.transport.greeting", PATIENT_SECONDS=DEADLINE)  # no prompt before the handshake

    def serve(*arguments: str) -> tuple[Program, tuple[str, int]]:
        files = ("--password-file", "password", "--oper-file", "opers", "--db", "chat.db", "--handler", "mine:Broken")
        tls = ("--tls-cert", str(pair.file), "--tls-key", str(pair.key))
        server, port = pychat.serve("--log-level", "debug", "--no-flood-control", *files, *tls, *arguments)
        return server, ("127.0.0.1", port)

    return serve


def log_of(server: Program) -> list[str]:
    """End the server, and return what it has written to stderr."""
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    return [*server.stderr.read_rest(), *server.stderr.routine]


def use_secrets_in_text(clients: Clients, address: tuple[str, int]) -> None:
    """Everything that is secret there, right and wrong, and where it does not belong."""
    ann = clients.raw(address)
    ann.send(f"ann\n{WRONG}\n{SERVER}\n/register {ACCOUNT}\n/login {WRONG}\n/oper root {WRONG}\n/oper root {OPER}\n")
    ann.send(f"/mode +k {KEY}\n/join den {KEY}\n/oper {OPER} root\n/msg nobody {KEY}\n/who\n")
    ann.read_until("-- in ")


def use_secrets_in_json(clients: Clients, address: tuple[str, int]) -> str:
    """The same; return the token."""
    peer = clients.new_json(address)
    peer.ask("hello", nick="bob", password=WRONG)
    peer.ask("hello", nick="bob", password=SERVER)
    token = str(peer.next("welcome")["token"])
    peer.ask("oper", name="root", password=WRONG)
    peer.ask("oper", name="root", password=OPER)
    peer.ask("hello", nick="bob", password=SERVER, resume={"token": token})
    peer.send(f'{{"type":"hello","nick":5,"password":"{SERVER}"}}\n{{"type":"hello","password":"{SERVER}"\n')
    peer.answer("who")
    again = clients.new_json(address)
    again.ask("hello", nick="bob", resume={"token": token})
    again.next("welcome")
    return token


def use_secrets_in_irc(clients: Clients, address: tuple[str, int]) -> None:
    """The same, and SASL."""
    plain = base64.b64encode(f"carl\0carl\0{ACCOUNT}".encode()).decode()
    peer = clients.raw(address)
    peer.send(f"CAP REQ sasl\r\nPASS {SERVER}\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {plain}\r\nCAP END\r\n")
    peer.send("NICK carl\r\nUSER carl 0 * :Carl\r\n")
    peer.read_until(" 001 ")
    peer.send(
        f"OPER root {WRONG}\r\nOPER root {OPER}\r\nJOIN #hall\r\nMODE #hall +k {KEY}\r\nPASS {SERVER}\r\nPING x\r\n"
    )
    peer.read_until("PONG")
    refused = clients.raw(address)
    refused.send(f"PASS {WRONG}\r\nNICK dora\r\nUSER dora 0 * :Dora\r\n")
    refused.read_rest()


@pytest.mark.parametrize("style", ["text", "json"])
def test_no_secret_is_logged(start: Start, style: str) -> None:
    """Threat "log injection", the other side of it: whoever may read logs must not be able to come in by them."""
    server, address = start("--log-format", style)
    with Clients() as clients, TlsClients() as secure:
        use_secrets_in_text(clients, address)
        token = use_secrets_in_json(secure, address)
        use_secrets_in_irc(clients, address)
        server.signal(signal.SIGHUP)
        lines = server.stderr.read_until("options and files were read again")

    log = "\n".join([*lines, *log_of(server)])

    assert "wrong password" in log
    for secret in (SERVER, OPER, KEY, ACCOUNT, WRONG, token, base64.b64encode(ACCOUNT.encode()).decode()[:12]):
        assert secret not in log
    assert "PRIVATE KEY" not in log


def test_peers_make_no_lines_and_no_escapes(start: Start, pychat: Programs) -> None:
    """Threat "log injection": one record is one line of bounded length, whatever it quotes."""
    server, address = start()
    with Clients() as clients:
        ann = clients.json(address, "ann", password=SERVER)
        ann.ask("say", text=EVIL)
        ann.ask("oper", name="root", password=OPER)
        ann.answer("who")
        clients.json(address, "bob", password=SERVER)
        ann.ask("kill", nick="bob", reason="bad\x1b[2J")
        ann.answer("who")

    lines = log_of(server)

    assert all(LINE.fullmatch(line) and line.isprintable() for line in lines)
    assert max(map(len, lines)) < 2 * MOST_CHARS
    failures = [line for line in lines if " failed" in line]
    assert len(failures) == 1
    assert "made up" in failures[0]
    assert not [line for line in lines if "made up" in line and line not in failures]
    assert [line for line in lines if " disconnected bob!" in line]


def test_json_lines_are_one_object_each(start: Start) -> None:
    """Nothing of a peer is outside of its string."""
    server, address = start("--log-format", "json")
    with Clients() as clients:
        ann = clients.json(address, "ann", password=SERVER)
        ann.ask("say", text=EVIL)
        ann.answer("who")

    records = [json.loads(line) for line in log_of(server)]

    assert {"time", "level", "logger", "text"} <= set.intersection(*(set(record) for record in records))
    assert [record for record in records if "made up" in record.get("traceback", "")]


def test_a_proxy_that_says_nonsense_is_quoted(pychat: Programs) -> None:
    """Its line is logged, because it is a fault of who runs the server."""
    server = pychat("serve", "--port", "0", "--log-level", "debug", "--proxy-from", "127.0.0.1")
    port = re.search(r" port (\d+)", server.stdout.read_line())
    assert port
    with Clients() as clients:
        peer = clients.raw(("127.0.0.1", int(port[1])))
        peer.send("PROXY \x1b[2J\n")
        peer.read_rest()

    lines = [line for line in log_of(server) if not ROUTINE.search(line)]

    assert len(lines) == 1
    assert LINE.fullmatch(lines[0])
    assert lines[0].isprintable()
