"""Passwords in files and variables: what is taken, and that what is wrong is told without them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from chat_clients import Clients
from chat_programs import Programs, pychat

from pychat.cli.secrets import BadSecret, is_readable_by_others, read_operators, read_password

__all__ = ["pychat"]  # the fixture


def write(directory: Path, text: str, mode: int = 0o600) -> Path:
    """A file with secrets."""
    path = directory / "opers"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(mode)
    return path


# The password of a server


@pytest.mark.parametrize(
    ("text", "password"),
    [("sesame\n", "sesame"), ("sesame\r\n", "sesame"), (" a b:c# ", " a b:c# "), ("gr\xc3\xbc\xc3\x9fe\n", "grüße")],
)
def test_a_file_with_one_line(tmp_path: Path, text: str, password: str) -> None:
    """Everything in it counts but the end of the line."""
    assert read_password(write(tmp_path, text), "X", {}) == password


def test_a_variable_counts_before_a_file(tmp_path: Path) -> None:
    """As with all options; and neither has to be there."""
    path = write(tmp_path, "file\n")

    assert read_password(path, "X", {"X": "variable"}) == "variable"
    assert read_password(path, "X", {"Y": "variable"}) == "file"
    assert read_password(None, "X", {}) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it contains no password"),
        ("\n", "it contains no password"),
        ("secret\nother\n", "a password must be one line, without control characters"),
        ("secret\x1b[2J\n", "a password must be one line, without control characters"),
        ("secret\xff\n", "it is not UTF-8"),
    ],
)
def test_a_file_with_anything_else_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """An empty password would leave the server open."""
    path = write(tmp_path, text)

    with pytest.raises(BadSecret) as caught:
        read_password(path, "X", {})

    assert str(caught.value) == f"password file {str(path)!r}: {problem}"


def test_an_empty_variable_is_refused() -> None:
    """It is one that somebody forgot to fill."""
    with pytest.raises(BadSecret) as caught:
        read_password(None, "PYCHAT_PASSWORD", {"PYCHAT_PASSWORD": ""})

    assert str(caught.value) == "PYCHAT_PASSWORD: it contains no password"


# Server operators


def test_a_line_for_each(tmp_path: Path) -> None:
    """A password may have colons, spaces and "#"; empty lines and comments are no operators."""
    path = write(tmp_path, "# ours\n\n  ann:correct horse\r\nbob:a:b#c\n#carl:x\n")

    assert read_operators(path, {}) == {"ann": "correct horse", "bob": "a:b#c"}


def test_the_variable_counts_before_the_file(tmp_path: Path) -> None:
    """As with all options."""
    path = write(tmp_path, "ann:file\nbob:x\n")

    assert read_operators(path, {"PYCHAT_SERVE_OPER": "ann:variable\n"}) == {"ann": "variable", "bob": "x"}
    assert read_operators(None, {"PYCHAT_SERVE_OPER": "ann:variable"}) == {"ann": "variable"}
    assert read_operators(None, {}) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ann:x\nbob\n", ", line 2: write it as name:password, the name without spaces"),
        ("ann:\n", ", line 1: write it as name:password, the name without spaces"),
        (":x\n", ", line 1: write it as name:password, the name without spaces"),
        ("an n:x\n", ", line 1: write it as name:password, the name without spaces"),
        ("ann:x\nann:y\n", ", line 2: the name appears twice"),
        ("ann:\xff\n", ": it is not UTF-8"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(tmp_path: Path, text: str, problem: str) -> None:
    """Never by what stands there."""
    path = write(tmp_path, text)

    with pytest.raises(BadSecret) as caught:
        read_operators(path, {})

    assert str(caught.value) == f"operator file {str(path)!r}{problem}"


def test_a_wrong_variable_is_named_and_not_shown() -> None:
    """It may be a password without a name."""
    with pytest.raises(BadSecret) as caught:
        read_operators(None, {"PYCHAT_SERVE_OPER": "secret"})

    assert str(caught.value) == "PYCHAT_SERVE_OPER: write it as name:password, the name without spaces"


@pytest.mark.parametrize(("mode", "readable"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_who_can_read_the_passwords(tmp_path: Path, mode: int, readable: bool) -> None:
    """A group may be meant; everybody is not."""
    assert is_readable_by_others(write(tmp_path, "ann:x\n", mode)) is readable


def test_operators_of_the_file_and_of_the_variable(pychat: Programs, clients: Clients) -> None:
    """Both reach the server; nothing of it is on stdout or stderr."""
    path = write(pychat.directory, "ann:correct horse\n")
    server = pychat("serve", "--port", "0", "--oper-file", str(path), PYCHAT_SERVE_OPER="bob:battery")
    port = server.read_port()
    ann = clients.json(("127.0.0.1", port), "ann")

    assert ann.answer("oper", name="ann", password="battery")["code"] == "wrong_password"
    assert ann.answer("oper", name="ann", password="correct horse")["type"] != "error"
    assert ann.answer("oper", name="bob", password="battery")["type"] != "error"
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    log = "\n".join([*server.stdout.read_rest(), *server.stderr.read_rest()])
    assert "gave a wrong operator password" in log
    assert "horse" not in log
    assert "battery" not in log


def test_a_file_that_others_can_read_is_warned_about(pychat: Programs) -> None:
    """It is used, because sometimes there is no other way to bring it there."""
    path = write(pychat.directory, "ann:x\n", 0o644)

    server = pychat("serve", "--port", "0", "--oper-file", "opers")

    assert server.stderr.read_line() == (
        "warning: everybody on this machine can read the passwords in 'opers'; "
        "make it readable only for yourself: chmod 600"
    )
    assert server.read_port()
    assert path.exists()


def test_a_record_that_others_can_read_is_warned_about(pychat: Programs) -> None:
    """And what is beside it: SQLite gives it the same mode."""
    write(pychat.directory, "", 0o644).rename(pychat.directory / "chat.db")

    server = pychat("serve", "--port", "0", "--db", "chat.db")

    files = [pychat.directory.resolve() / name for name in ("chat.db", "chat.db-wal", "chat.db-shm")]
    assert [server.stderr.read_line() for _ in files] == [
        f"warning: everybody on this machine can read the messages in {str(file)!r}; "
        "make it readable only for yourself: chmod 600"
        for file in files
    ]
    assert server.read_port()


@pytest.mark.parametrize(
    ("arguments", "variable", "problem"),
    [
        (["--oper-file", "missing"], "a:b", "Invalid value for '--oper-file': File 'missing' does not exist."),
        (["--oper-file", "opers"], "a:b", "operator file 'opers', line 1: write it as name:password, "),
        ([], "secret", "PYCHAT_SERVE_OPER: write it as name:password, the name without spaces"),
        (["--oper", "ann:x"], "a:b", "No such option '--oper'."),
    ],
)
def test_wrong_operators_are_exit_code_2(pychat: Programs, arguments: list[str], variable: str, problem: str) -> None:
    """In one line; and no option takes a password."""
    write(pychat.directory, "secret\n")

    result = pychat.run("serve", "--port", "0", *arguments, PYCHAT_SERVE_OPER=variable)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"Error: {problem}")
    assert "secret" not in result.stderr
