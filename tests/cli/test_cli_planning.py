"""What `serve` refuses, `config`, `doctor` and SIGHUP refuse, too, with the same sentence: they run the same code."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
from typing import NamedTuple

import pytest
from chat_clients import DEADLINE, free_port
from chat_programs import Program, Programs, pychat
from chat_tls import new_certificate
from click.testing import CliRunner

from pychat.cli import cli
from pychat.stores import SqliteLog

__all__ = ["pychat"]  # the fixture

MARK = b"\xef\xbb\xbf"
"""The byte order mark that Windows puts before a text."""
AGAIN = "options and files were read again"
KEPT = "; nothing was changed, and the earlier settings stay in use"


class Broken(NamedTuple):
    """A table [serve] that no server can start with."""

    text: str
    problem: str
    """What is said of it, or how that begins."""
    files: dict[str, bytes] = {}  # noqa: RUF012  # nobody changes it


BROKEN = {
    "an unknown option": Broken(
        "prot = 1", "config file 'my.toml', line 3: [serve] has no option 'prot'; did you mean 'port'?"
    ),
    "a wrong type": Broken("cpu = 'x'", "config file 'my.toml', line 3: 'cpu' must be a whole number, not 'x'"),
    "a number out of range": Broken(
        "text-bytes = 0",
        "Invalid value for '--text-bytes' (file: my.toml, line 3): 0 is not in the range x>=1.",
    ),
    "no TOML": Broken("room = [", "config file 'my.toml': not TOML: Invalid value (at end of document)"),
    "keep without db": Broken("keep = '30d'", "--keep needs a database file; name it with --db"),
    "tls-required alone": Broken(
        "tls-required = true", "--tls-key and --tls-required need --tls-cert; make a certificate with: pychat cert"
    ),
    "a certificate that is none": Broken(
        "tls-cert = 'cert.pem'",
        "certificate 'cert.pem': there is no certificate in PEM form in it",
        {"cert.pem": b"Dear diary\n"},
    ),
    "a certificate without its key": Broken(
        "tls-cert = 'pair/cert.pem'", "key 'pair/cert.pem': there is no private key in PEM form in it"
    ),
    "a password file that is empty": Broken(
        "password-file = 'p'", "password file 'p': it contains no password", {"p": b"\n"}
    ),
    "a password file with nothing but a mark": Broken(
        "password-file = 'p'", "password file 'p': it contains no password", {"p": MARK}
    ),
    "an operator file with a bad line": Broken(
        "oper-file = 'o'",
        "operator file 'o', line 1: write it as name:password, the name without spaces",
        {"o": b"ann\n"},
    ),
    "an operator file that is no UTF-8": Broken(
        "oper-file = 'o'", "operator file 'o': it is not UTF-8", {"o": "ann:sesame".encode("utf-16")}
    ),
    "a motd that is not there": Broken(
        "motd = 'm'", "Invalid value for '--motd' (file: my.toml, line 3): File 'm' does not exist."
    ),
    "a handler that is not there": Broken(
        "handler = ['nosuch:Thing']",
        "handler 'nosuch:Thing': it cannot be imported: ModuleNotFoundError: No module named 'nosuch'",
    ),
    "a handler that is none": Broken(
        "handler = ['pychat:Bot']", "handler 'pychat:Bot': it is not a class derived from pychat.Handler"
    ),
    "no room": Broken("room = []", "name at least one room with --room; everybody joins the first one"),
    "a room that cannot be": Broken(
        "room = ['hall', 'a b']",
        "room 'a b': spaces are not allowed; use 1 to 64 letters, ",
    ),
    "more rooms than there may be": Broken(
        "room = ['a', 'b']\nmax-rooms = 1", "new rooms on this server: at most 1 room"
    ),
    "a database in no directory": Broken(
        "db = 'no/chat.db'", "cannot open 'no/chat.db': directory 'no' does not exist; create it first"
    ),
    "a database that is none": Broken(
        "db = 'text'", "cannot open 'text': it is not a database; name another file", {"text": b"Dear diary,\n" * 50}
    ),
    "a database of another program": Broken(
        "db = 'other.db'", "cannot open 'other.db': it is a database of another program; name another file"
    ),
    "a database that is a directory": Broken(
        "db = 'pair'", "Invalid value for '--db' (file: my.toml, line 3): File 'pair' is a directory."
    ),
    "a database with two names": Broken(
        "db = 'linked.db'",
        "cannot open 'linked.db': it has a second name (a hard link), which has no -wal next to it; "
        "remove that name, or copy the file",
    ),
    "a host that is none": Broken(
        "host = '999.1.1.1'", "no address is known for host '999.1.1.1'; use one of this machine, 127.0.0.1 or 0.0.0.0"
    ),
    "a host that cannot be": Broken(
        'host = "a\\u0000b"', "no address is known for host 'a\\x00b'; use one of this machine, 127.0.0.1 or 0.0.0.0"
    ),
    "a host of another machine": Broken(
        "host = '203.0.113.1'",
        "cannot listen on 203.0.113.1 port 0: this machine does not have that address; use 127.0.0.1, or 0.0.0.0 for "
        "all of its addresses",
    ),
    "a socket in no directory": Broken(
        "unix = 'no/chat.sock'",
        "cannot listen on the Unix socket no/chat.sock: directory 'no' does not exist; create it first",
    ),
    "a socket that is a file": Broken(
        "unix = 'text'",
        "cannot listen on the Unix socket text: a file that is not a socket is there; choose another path",
        {"text": b"precious"},
    ),
    "a path too long for a socket": Broken(
        f"unix = '{'x' * 200}'", f"cannot listen on the Unix socket {'x' * 200}: AF_UNIX path too long"
    ),
    "a processor that is not there": Broken("cpu = 9999", "there is no processor 9999 here; --cpu can be: "),
    "a proxy that is none": Broken(
        "proxy-from = ['x']",
        "Invalid value for '--proxy-from' (file: my.toml, line 3): proxy 'x': it is not an address; ",
    ),
}


def write(pychat: Programs, text: str, files: dict[str, bytes]) -> None:
    """Make the config file and those that it names."""
    for name, content in files.items():
        (pychat.directory / name).write_bytes(content)
        (pychat.directory / name).chmod(0o600)
    (pychat.directory / "my.toml").write_text(f"[serve]\nport = 0\n{text}\n")


@pytest.fixture
def place(pychat: Programs) -> Programs:
    """A directory with a certificate without its key, a database of another program, and one with two names."""
    new_certificate(pychat.directory / "pair")
    with sqlite3.connect(pychat.directory / "other.db") as other:
        other.execute("CREATE TABLE cakes (name)")
    other.close()
    SqliteLog(pychat.directory / "linked.db").close(DEADLINE)
    os.link(pychat.directory / "linked.db", pychat.directory / "second.db")
    return pychat


def hang_up(server: Program) -> str:
    """Let a server read its files again, and return what its log says of it."""
    server.signal(signal.SIGHUP)
    return server.stderr.read_line()


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_all_say_the_same(place: Programs, monkeypatch: pytest.MonkeyPatch, broken: Broken) -> None:
    """Nothing is made by any of them."""
    monkeypatch.chdir(place.directory)
    monkeypatch.setenv("XDG_CONFIG_HOME", place.environment["XDG_CONFIG_HOME"])
    write(place, broken.text, broken.files)
    before = sorted(place.directory.iterdir())

    serve = place.run("serve", "--config", "my.toml")
    config = CliRunner().invoke(cli, ["config", "serve", "--config", "my.toml"])
    doctor = CliRunner().invoke(cli, ["doctor", "--config", "my.toml", "--port", str(free_port())])

    assert serve.returncode in (1, 2)
    assert serve.stderr.splitlines()[-1].startswith(f"Error: {broken.problem}")
    assert config.exit_code == 2
    assert config.output.splitlines()[-1].startswith(f"Error: {broken.problem}")
    assert doctor.exit_code in (1, 2)  # the latter: it cannot read its own table either
    assert broken.problem in doctor.output
    assert sorted(place.directory.iterdir()) == before


def test_a_server_that_runs_says_the_same(place: Programs) -> None:
    """It goes on with what it has."""
    write(place, "", {})
    server = place("serve", "--config", "my.toml")
    server.read_port()
    for broken in BROKEN.values():
        write(place, broken.text, broken.files)
        line = hang_up(server)
        assert f"ERROR pychat: {broken.problem}" in line
        assert line.endswith(KEPT)
    write(place, "", {})
    assert hang_up(server).endswith(AGAIN)


def test_what_another_server_uses_is_good(pychat: Programs) -> None:
    """Its port, its socket and its file: those who look do so while it runs."""
    (pychat.directory / "my.toml").write_text(f"[serve]\nport = {free_port()}\ndb = 'chat.db'\n")
    server = pychat("serve", "--config", "my.toml")
    server.read_port()

    pychat.change("pychat.cli.doctor", _ANSWER_SECONDS=DEADLINE)
    config = pychat.run("config", "serve", "--config", "my.toml")
    doctor = pychat.run("doctor", "--config", "my.toml")

    assert (config.returncode, config.stderr) == (0, "")
    assert (doctor.returncode, doctor.stderr) == (0, "")
    assert "ok       serve     a server with these options could start" in doctor.stdout.splitlines()
    assert hang_up(server).endswith(AGAIN)


def test_a_handler_that_runs_is_not_made_again(pychat: Programs) -> None:
    """Only one that is new is tried out when the files are read again; `config` makes one and forgets it."""
    (pychat.directory / "mine.py").write_text(
        "from pychat import Handler\n"
        "class Once(Handler):\n    def __init__(self): open('made', 'a').write('.')\n"
        "class Other(Once): pass\n"
    )
    write(pychat, "handler = ['mine:Once']", {})
    server = pychat("serve", "--config", "my.toml")
    server.read_port()
    made = pychat.directory / "made"
    assert made.read_text() == "."

    assert hang_up(server).endswith(AGAIN)

    assert made.read_text() == "."
    write(pychat, "handler = ['mine:Once', 'mine:Other']", {})
    assert hang_up(server).endswith("only a restart will change: handler")
    assert made.read_text() == ".."


def test_a_server_that_does_not_start_leaves_no_file(pychat: Programs) -> None:
    """What is wrong is known before the record is made."""
    write(pychat, "db = 'chat.db'\npassword-file = 'p'", {"p": b""})

    assert pychat.run("serve", "--config", "my.toml").returncode == 2

    assert not (pychat.directory / "chat.db").exists()


def test_byte_order_marks_are_no_part_of_what_is_said(pychat: Programs) -> None:
    """In the file of options, passwords, operators and the message of the day."""
    files = {"p": b"sesame\r\n", "o": b"root:secret12\r\n", "m": b"welcome\r\n"}
    for name, content in files.items():
        (pychat.directory / name).write_bytes(MARK + content)
        (pychat.directory / name).chmod(0o600)
    (pychat.directory / "my.toml").write_bytes(
        MARK + b"[serve]\r\nport = 0\r\npassword-file = 'p'\r\noper-file = 'o'\r\nmotd = 'm'\r\n"
    )
    server = pychat("serve", "--config", "my.toml")
    port = server.read_port()

    with socket.create_connection(("127.0.0.1", port)) as peer, peer.makefile("rw", newline="\n") as lines:
        lines.write("PASS sesame\r\nNICK ann\r\nUSER a 0 * :a\r\nOPER root secret12\r\n")
        lines.flush()
        said = [lines.readline()]
        while " 381 " not in said[-1] and said[-1]:
            said.append(lines.readline())

    assert [line.partition(" :")[2] for line in said if " 372 " in line] == ["- welcome\r\n"]
    assert " 381 " in said[-1]
