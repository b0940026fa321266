"""Unix sockets on the command line."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from chat_clients import DEADLINE
from chat_programs import CALLED, Program, Programs, pychat

from pychat.cli import doctor
from pychat.cli.doctor import Finding, Grade

__all__ = ["pychat"]  # the fixture

PASSWORD = "PYCHAT_SERVE_PASSWORD"


def serve(pychat: Programs, *arguments: str, **environment: str) -> Program:
    """Start a server on chat.sock; return it when it listens."""
    server = pychat("serve", "--unix", "chat.sock", *arguments, **environment)
    assert server.stdout.read_line().startswith("pychat listens on the Unix socket chat.sock")
    return server


def test_it_says_how_to_join(pychat: Programs) -> None:
    """With commands that work as they are; when it ends, the file is gone."""
    server = serve(pychat, **{PASSWORD: "sesame"})
    path = pychat.directory / "chat.sock"

    assert server.stdout.read_until("Ctrl-C") == [
        "    nc -U chat.sock",
        f"    {CALLED} connect --nick NAME --unix chat.sock",
        f"    irssi -c {path} -w PASSWORD",
        "In irssi, or any other IRC client without TLS, then type: /join #lobby",
        "The server requires a password: nc and pychat connect ask for it.",
        "Press Ctrl-C to stop it.",
    ]
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert server.stderr.read_rest() == []
    assert not path.exists()


def test_all_client_commands_go_there(pychat: Programs) -> None:
    """`connect`, `send`, `tail` and `doctor`."""
    serve(pychat)
    tail = pychat("tail", "--unix", "chat.sock", "--json")

    sent = pychat.run("send", "--unix", "chat.sock", "--nick", "ann", "hello")
    connected = pychat.run("connect", "--unix", "chat.sock", "--nick", "bob", input="hi\n")
    pychat.change("pychat.cli.doctor", _ANSWER_SECONDS=DEADLINE)
    looked = pychat.run("doctor", "--unix", "chat.sock")

    assert (sent.returncode, connected.returncode) == (0, 0)
    assert tail.read_object("message")["text"] == "hello"
    assert tail.read_object("message")["text"] == "hi"
    assert "port      a pychat server answers on the Unix socket chat.sock" in looked.stdout
    assert looked.stdout.splitlines()[-2:] == [
        f"    {CALLED} connect --nick NAME --unix chat.sock",
        f"    irssi -c {pychat.directory / 'chat.sock'}",
    ]


def test_a_killed_server_is_no_obstacle_and_a_live_one_is(pychat: Programs) -> None:
    """The file of the first is left over; the second has it until it ends."""
    first = serve(pychat)
    first.signal(signal.SIGKILL)
    first.wait()
    serve(pychat)

    third = pychat.run("serve", "--unix", "chat.sock")

    assert (third.returncode, third.stdout) == (1, "")
    assert third.stderr == (
        "Error: cannot listen on the Unix socket chat.sock: another server listens there; "
        "stop that one, or choose another path\n"
    )


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("file", "a file that is not a socket is there; choose another path"),
        ("no/chat.sock", "directory 'no' does not exist; create it first"),
        ("x" * 200, "AF_UNIX path too long"),
    ],
)
def test_where_no_socket_can_be(pychat: Programs, path: str, advice: str) -> None:
    """One line says why."""
    (pychat.directory / "file").write_text("precious")

    result = pychat.run("serve", "--unix", path)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Error: cannot listen on the Unix socket {path}: {advice}\n"
    assert (pychat.directory / "file").read_text() == "precious"


@pytest.mark.parametrize("command", ["serve", "send", "doctor"])
def test_a_port_beside_it_is_refused(pychat: Programs, command: str) -> None:
    """Who names both means something that there is not; in a file, `unix` just counts before `port`."""
    text = ["hi"] if command == "send" else []

    result = pychat.run(command, "--unix", "chat.sock", "--port", "6000", *text)

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "Error: --unix cannot be combined with --host and --port"


def test_in_a_file_it_counts_before_the_port(pychat: Programs) -> None:
    """So one file can have both, for the time when one is taken out."""
    (pychat.directory / "my.toml").write_text('[serve]\nport = 6000\nunix = "chat.sock"\n')

    server = pychat("serve", "--config", "my.toml")

    assert server.stdout.read_line() == "pychat listens on the Unix socket chat.sock. Join it from another terminal:"


def test_nobody_there_is_exit_code_3(pychat: Programs) -> None:
    """The line names the path and what may be wrong."""
    result = pychat.run("send", "--unix", "chat.sock", "hi")

    assert result.returncode == 3
    assert result.stderr == (
        "Error: cannot connect to the Unix socket 'chat.sock': No such file or directory; "
        f"is the server running, and is this its address? Start one with: {CALLED} serve --unix chat.sock\n"
    )


def test_a_proxy_there_is_named(pychat: Programs) -> None:
    """People must come through it."""
    server = pychat("serve", "--unix", "chat.sock", "--proxy-from", "unix")

    assert server.stdout.read_line() == (
        "pychat listens on the Unix socket chat.sock. There it accepts only proxies: join through yours."
    )


# pychat doctor


def test_doctor_on_a_path_that_is_free(tmp_path: Path) -> None:
    """Nothing is there, or what a dead server left."""
    path = tmp_path / "s"
    good = Finding(Grade.OK, "port", f"the Unix socket {path} is free; start a server with: pychat serve --unix {path}")

    assert doctor.check_port(str(path), None) == good
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    assert doctor.check_port(str(path), None) == good


def test_doctor_on_a_path_that_is_none(tmp_path: Path) -> None:
    """It says what a server would say."""
    (tmp_path / "file").touch()
    cannot = "nobody answers, and no server can start here: cannot listen on the Unix socket"

    taken = doctor.check_port(str(tmp_path / "file"), None)
    nowhere = doctor.check_port(str(tmp_path / "no" / "s"), None)

    text = f"{cannot} {tmp_path / 'file'}: a file that is not a socket is there; choose another path"
    assert taken == Finding(Grade.WRONG, "port", text)
    text = f"{cannot} {tmp_path / 'no' / 's'}: directory {str(tmp_path / 'no')!r} does not exist; create it first"
    assert nowhere == Finding(Grade.WRONG, "port", text)


def test_doctor_in_a_directory_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The permissions of the directory count; tests may run as the administrator, for whom there are none."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    finding = doctor.check_port(str(tmp_path / "s"), None)

    assert finding.text.endswith(": this user may not create a file there; change the permissions of the directory")
