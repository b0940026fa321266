"""How a command ends: exit codes, and the one line that tells why."""

from __future__ import annotations

import socket
import threading

import pytest
from click.testing import CliRunner

from pychat.cli.click_app import Group
from pychat.cli.exit_codes import MEANINGS, exit_code, explain
from pychat.cli.streams import CannotWrite, ClosedPipe
from pychat.model.errors import (
    AckTimeout,
    ChatError,
    ConnectFailed,
    ConnectionLost,
    InvalidNickname,
    NotPychat,
    Refused,
    RemoteProtocolError,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ChatError("x"), 1),
        (ValueError("x"), 1),
        (CannotWrite("x"), 1),
        (ConnectFailed("h", 1, "x"), 3),
        (NotPychat("h", 1, "x"), 3),
        (Refused("x"), 4),
        (InvalidNickname("a b", "x", 32), 4),
        (ConnectionLost("x"), 5),
        (AckTimeout("x"), 6),
        (ClosedPipe(), 141),
    ],
)
def test_each_error_has_its_code(error: Exception, code: int) -> None:
    """Each of which has a meaning that help tells."""
    assert exit_code(error) == code
    assert code in MEANINGS


def failed(cause: OSError | UnicodeError | ChatError) -> ConnectFailed:
    """What a client raises when the system, Python, or the other side says this."""
    error = ConnectFailed("h", 1, getattr(cause, "strerror", None) or str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ChatError("it is broken"), "it is broken"),
        (Refused("no\x1b[2J\nmore"), "no\ufffd[2J more"),
        (
            failed(ConnectionRefusedError(111, "Connection refused")),
            "cannot connect to h port 1: Connection refused; is the server running, and is this its address?",
        ),
        (
            failed(socket.gaierror(-2, "Name or service not known")),
            "cannot connect to h port 1: Name or service not known; is the host name right?",
        ),
        (
            failed(UnicodeError("label too long")),
            "cannot connect to h port 1: label too long; is the host name right?",
        ),
        (
            failed(TimeoutError("timed out")),
            "cannot connect to h port 1: timed out; is this its address, or does a firewall block you?",
        ),
        (
            failed(RemoteProtocolError("not JSON")),
            ("cannot connect to h port 1: not JSON; is this the port of a pychat server? Give another with --port"),
        ),
        (ConnectFailed("h", 1, "it says 'server full'"), "cannot connect to h port 1: it says 'server full'"),
        (
            NotPychat("h", 1, "an SSH server answers there: 'SSH-2.0'"),
            (
                "cannot connect to h port 1: an SSH server answers there: 'SSH-2.0'; is this the port of a pychat "
                "server? Give another with --port"
            ),
        ),
        (
            Refused("this server requires a password", code="password_required"),
            "this server requires a password; give it with --password-file FILE or in PYCHAT_PASSWORD",
        ),
        (ValueError("x"), "unexpected ValueError: x; see more with: pychat --debug send"),
    ],
)
def test_the_line_says_what_to_do_next(error: Exception, text: str) -> None:
    """And has nothing in it that a terminal would obey."""
    assert explain(error, "send") == f"Error: {text}"


def test_ctrl_c_while_a_lock_is_taken_again_is_ctrl_c() -> None:
    """Python then releases a lock that it does not have, and that error hides the interrupt."""
    group = Group("app")

    @group.command("wait")
    def wait() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            threading.Lock().release()

    assert CliRunner().invoke(group, ["wait"]).exit_code == 130
