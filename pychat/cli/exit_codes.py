"""The exit code of a command, and the one line that says what was wrong and what to do next."""

from __future__ import annotations

import socket
from typing import Final

from pychat.cli.addresses import place
from pychat.cli.invocation import called_as
from pychat.cli.streams import ClosedPipe
from pychat.model.errors import (
    AckTimeout,
    ChatError,
    ConnectFailed,
    ConnectionLost,
    NotPychat,
    NotReadable,
    Refused,
    TlsFailed,
    TlsRequired,
)
from pychat.model.text import clean_line

ERROR: Final = 1
USAGE: Final = 2
REFUSED: Final = 4
UNACKNOWLEDGED: Final = 6
INTERRUPTED: Final = 130
CLOSED_PIPE: Final = 141

MEANINGS: Final[dict[int, str]] = {
    0: "everything was sent and acknowledged",
    ERROR: "an error",
    USAGE: "the command line is wrong",
    3: "cannot connect",
    REFUSED: "refused: the nickname, the password, a connection without TLS, or a message",
    5: "the connection was lost for good",
    UNACKNOWLEDGED: "something was sent but not acknowledged",
    INTERRUPTED: "interrupted by Ctrl-C",
    CLOSED_PIPE: "the output was closed",
}
"""For commands that connect to a server; the others end with 0, 1, 2, 130 or 141."""

_CODES: Final[dict[type[Exception], int]] = {
    ConnectFailed: 3,
    NotReadable: ERROR,
    Refused: REFUSED,
    ConnectionLost: 5,
    AckTimeout: UNACKNOWLEDGED,
    ClosedPipe: CLOSED_PIPE,
}

_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")
_NO_CONNECTION: Final[dict[type[Exception], str]] = {
    socket.gaierror: "is the host name right?",
    UnicodeError: "is the host name right?",
    PermissionError: "you may not use it; ask the people who run the server which group may",
    TimeoutError: "is this its address, or does a firewall block you?",
}
_PASSWORD: Final = "give it with --password-file FILE or in PYCHAT_PASSWORD"
_REFUSALS: Final[dict[str, str]] = {
    "password_required": _PASSWORD,
    "wrong_password": _PASSWORD,
    "bad_credentials": "give it with --account-password-file FILE or in PYCHAT_ACCOUNT_PASSWORD",
    TlsRequired.code: "add --tls, or --tls-fingerprint",
}
"""By code."""


def exit_code(error: Exception) -> int:
    """Return the exit code of a command that this error ends."""
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), ERROR)


def explain(error: Exception, command: str) -> str:
    """
    Return the line that describes the error, without characters that a terminal would interpret.

    Args:
        command: The command that the error ends.
    """
    if not isinstance(error, ChatError):
        text = f"unexpected {type(error).__name__}: {error}; see more with: pychat --debug {command}"
    elif advice := _advice(error, command):
        text = f"{error}; {advice}"
    else:
        text = str(error)
    return f"Error: {clean_line(text)}"


def _no_server(error: ConnectFailed) -> str:
    text = "is the server running, and is this its address?"
    if error.port is None or error.host in _THIS_MACHINE:
        where = place(error.host if error.port is None else "127.0.0.1", error.port)
        text += f" Start one with: {called_as()} serve{where}"
    return text


def _advice(error: ChatError, command: str) -> str:
    """Return what to do next, if the error itself does not say it."""
    if isinstance(error, NotPychat) or (isinstance(error, ConnectFailed) and isinstance(error.__cause__, ChatError)):
        return "" if error.port is None else "is this the port of a pychat server? Give another with --port"
    if isinstance(error, TlsFailed):
        return "if that is your server's, add it with: --tls-fingerprint" if error.fingerprint else ""
    if isinstance(error, ConnectFailed):
        cause = error.__cause__
        if cause is None:  # the peer has given the reason
            return ""
        return next((text for kind, text in _NO_CONNECTION.items() if isinstance(cause, kind)), _no_server(error))
    if isinstance(error, Refused) and error.code == "no_such_room" and command in ("send", "connect"):
        return "to create it, add --create"
    return _REFUSALS.get(error.code, "") if isinstance(error, Refused) else ""


def is_interrupt(error: BaseException | None) -> bool:
    """Return whether an error followed from Ctrl-C: if that comes as a lock is taken again, releasing it fails."""
    while isinstance(error, RuntimeError):
        error = error.__context__
    return isinstance(error, KeyboardInterrupt)
