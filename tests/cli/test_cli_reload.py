"""SIGHUP: options, environment and files are read again, and the server follows them, or nothing changes."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_clients import Clients, Peer
from chat_programs import Program, Programs, pychat
from chat_tls import new_certificate

__all__ = ["pychat"]  # the fixture

Write = Callable[..., None]
AGAIN = " INFO pychat: options and files were read again"


@pytest.fixture
def write(pychat: Programs) -> Write:
    """Return what writes the config file."""

    def write(text: str, **files: str) -> None:
        (pychat.directory / "my.toml").write_text(f"[serve]\nport = 0\n{text}")
        for name, content in files.items():
            (pychat.directory / name).write_text(content)
            (pychat.directory / name).chmod(0o600)

    return write


def serve(pychat: Programs) -> tuple[Program, tuple[str, int]]:
    """Start a server with the file."""
    server = pychat("serve", "--config", "my.toml")
    return server, ("127.0.0.1", server.read_port())


def hang_up(server: Program) -> str:
    """Send the signal, and return what the log says of it."""
    server.signal(signal.SIGHUP)
    return server.stderr.read_line()


def test_limits_and_files_change_while_people_talk(pychat: Programs, write: Write, clients: Clients) -> None:
    """Nobody is disconnected; new limits hold for who is there, too."""
    write("text-bytes = 100\n", motd="old\n")
    server, address = serve(pychat)
    ann = clients.text(address, "ann")
    write(
        'text-bytes = 5\nmotd = "motd"\npassword-file = "password"\noper-file = "opers"\nmax-connections = 4\n',
        motd="new\n",
        password="sesame\n",
        opers="root:secret\n",
    )

    assert hang_up(server).endswith(AGAIN)

    ann.send("123456\n")
    assert ann.read_line() == "! message: at most 5 bytes"
    ann.send("/oper root secret\n")
    assert "operator" in ann.read_line()
    bob = clients.new_json(address)
    bob.ask("hello", nick="bob", password="wrong")
    assert bob.read()["code"] == "wrong_password"
    carl = clients.raw(address)
    carl.send("carl\nsesame\n")
    assert carl.read_until("new")[-1] == "-- new"
    clients.raw(address)
    assert clients.raw(address).read_rest() == b"server full\r\n"


@pytest.mark.parametrize(
    ("text", "files", "problem"),
    [
        ("prot = 1\n", {}, "config file 'my.toml', line 3: [serve] has no option 'prot'; did you mean 'port'?"),
        ("text-bytes = 'x'\n", {}, "config file 'my.toml', line 3: 'text-bytes' must be a whole number, not 'x'"),
        (
            "nickname-chars = 0\n",
            {},
            "Invalid value for '--nickname-chars' (file: my.toml, line 3): 0 is not in the range x>=1.",
        ),
        ("motd = 'no'\n", {}, "Invalid value for '--motd' (file: my.toml, line 3): File 'no' does not exist."),
        ("password-file = 'p'\n", {"p": "\n"}, "password file 'p': it contains no password"),
        ("oper-file = 'o'\n", {"o": "x\n"}, "operator file 'o', line 1: write it as name:password, "),
        ("tls-required = true\n", {}, "--tls-key and --tls-required need --tls-cert; "),
    ],
)
def test_what_is_wrong_changes_nothing(
    pychat: Programs, write: Write, clients: Clients, text: str, files: dict[str, str], problem: str
) -> None:
    """The log says where it is and what is allowed; what is right beside it waits until all of it is."""
    write("text-bytes = 100\n")
    server, address = serve(pychat)
    ann = clients.text(address, "ann")
    write(text if "text-bytes" in text else f"{text}text-bytes = 5\n", **files)

    line = hang_up(server)

    assert f" ERROR pychat: {problem}" in line
    assert line.endswith("; nothing was changed, and the earlier settings stay in use")
    ann.send("123456\n/who\n")
    assert ann.read_line() == "-- in lobby: ann"
    write("text-bytes = 5\n")
    assert hang_up(server).endswith(AGAIN)


def test_what_needs_a_restart_is_named(pychat: Programs, write: Write, clients: Clients) -> None:
    """The rest changes."""
    write("")
    server, address = serve(pychat)
    pair = new_certificate(pychat.directory / "pair")
    write(
        f'host = "127.0.0.2"\ndb = "chat.db"\nroom = ["hall"]\nhistory-events = 5\ntls-cert = "{pair.file}"\n'
        f'tls-key = "{pair.key}"\ncpu = 0\ntext-bytes = 5\n'
    )

    names = "host, room, db, cpu, history-events, tls-cert"
    assert hang_up(server).endswith(f" WARNING pychat: only a restart will change: {names}")
    assert server.stderr.read_line().endswith(AGAIN)

    ann = clients.text(address, "ann")
    ann.send("123456\n")
    assert ann.read_line() == "! message: at most 5 bytes"
    assert hang_up(server).endswith(f" WARNING pychat: only a restart will change: {names}")


def test_another_certificate_is_used(pychat: Programs, write: Write) -> None:
    """Also one in another file."""
    first, second = (new_certificate(pychat.directory / name) for name in ("first", "second"))
    write(f'tls-cert = "{first.file}"\ntls-key = "{first.key}"\n')
    server, (_, port) = serve(pychat)
    write(f'tls-cert = "{second.file}"\ntls-key = "{second.key}"\ntls-required = true\n')

    assert hang_up(server).endswith(AGAIN)

    arguments = ("send", "--port", str(port), "--nick", "ann", "hi")
    assert pychat.run(*arguments, "--tls-ca", str(second.file)).returncode == 0
    assert pychat.run(*arguments, "--tls-ca", str(first.file)).returncode == 3
    assert pychat.run(*arguments).returncode == 4


def test_more_can_be_logged_at_once(pychat: Programs, write: Write, clients: Clients) -> None:
    """Whoever looks for a fault need not throw everybody out."""
    write("")
    server, address = serve(pychat)
    write('log-level = "debug"\nlog-format = "json"\n')

    assert '"text": "options and files were read again"' in hang_up(server)

    clients.text(address, "ann")
    assert '"text": "127.0.0.1 speaks text"' in server.stderr.read_until("speaks")[-1]


def test_arguments_count_before_the_file_again(pychat: Programs, write: Write, clients: Clients) -> None:
    """As at the start."""
    write("text-bytes = 5\n")
    server = pychat("serve", "--config", "my.toml", "--text-bytes", "50")
    ann: Peer = clients.text(("127.0.0.1", server.read_port()), "ann")
    write("text-bytes = 6\n")

    assert hang_up(server).endswith(AGAIN)

    ann.send("1234567\n/who\n")
    assert ann.read_line() == "-- in lobby: ann"


def test_a_config_file_that_is_gone(pychat: Programs, write: Write) -> None:
    """Somebody is writing it, perhaps."""
    write("")
    server, _ = serve(pychat)
    Path(pychat.directory / "my.toml").unlink()

    assert " ERROR pychat: config file 'my.toml': No such file or directory; nothing was changed" in hang_up(server)
