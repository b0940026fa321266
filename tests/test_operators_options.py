"""Who may become a server operator: the file and the variable of `pychat serve`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from chat_clients import Clients
from chat_programs import Programs, pychat

from pychat.options import BadOperators, is_readable_by_others, read_operators

__all__ = ["pychat"]  # the fixture


def write(directory: Path, text: str, mode: int = 0o600) -> Path:
    """A file of operators."""
    path = directory / "opers"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(mode)
    return path


def test_a_line_for_each(tmp_path: Path) -> None:
    """A password may have colons, spaces and "#"; empty lines and comments are no operators."""
    path = write(tmp_path, "# ours\n\n  ann:correct horse\r\nbob:a:b#c\n#carl:x\n")

    assert read_operators(path, None) == {"ann": "correct horse", "bob": "a:b#c"}


def test_the_variable_counts_before_the_file(tmp_path: Path) -> None:
    """As with all options."""
    path = write(tmp_path, "ann:file\nbob:x\n")

    assert read_operators(path, "ann:variable\n") == {"ann": "variable", "bob": "x"}
    assert read_operators(None, "ann:variable") == {"ann": "variable"}
    assert read_operators(None, None) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ann:x\nbob\n", ", line 2: write it as name:password, the name without spaces"),
        ("ann:\n", ", line 1: write it as name:password, the name without spaces"),
        (":x\n", ", line 1: write it as name:password, the name without spaces"),
        ("an n:x\n", ", line 1: write it as name:password, the name without spaces"),
        ("ann:x\nann:y\n", ", line 2: the name is there twice"),
        ("ann:\xff\n", ": it is not UTF-8"),
    ],
)
def test_what_is_wrong_is_told_by_its_line(tmp_path: Path, text: str, problem: str) -> None:
    """Never by what stands there."""
    path = write(tmp_path, text)

    with pytest.raises(BadOperators) as caught:
        read_operators(path, None)

    assert str(caught.value) == f"operator file {str(path)!r}{problem}"


def test_a_wrong_variable_is_named_and_not_shown() -> None:
    """It may be a password without a name."""
    with pytest.raises(BadOperators) as caught:
        read_operators(None, "secret")

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
        "make it readable for yourself alone: chmod 600"
    )
    assert server.read_port()
    assert path.exists()


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
