"""
All errors of pychat, one tree under `ChatError`.

`Refused` and its subclasses are replies to a person: `code` is for programs, `str(error)` says what was wrong and what
is allowed. They take values, keep them as attributes, and build the text on demand.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final


class ChatError(Exception):
    """The base class of all errors of pychat."""


class LocalProtocolError(ChatError):
    """The calling code is wrong: a verb on a closed session, or a call in the wrong state."""


class RemoteProtocolError(ChatError):
    """The peer is wrong: it sent something that is not the protocol. The connection cannot continue."""


class ConnectFailed(ChatError):
    """No connection could be made."""

    def __init__(self, host: str, port: int | None, reason: str) -> None:
        """
        Args:
            port: None if `host` is the path of a Unix socket.
        """
        super().__init__(host, port, reason)
        self.host, self.port, self.reason = host, port, reason

    def __str__(self) -> str:
        where = f"the Unix socket {self.host!r}" if self.port is None else f"{self.host} port {self.port}"
        return f"cannot connect to {where}: {self.reason}"


class NotPychat(ConnectFailed):
    """A program that is not a pychat server listens there; `reason` says what it is, or that it says nothing."""


class CannotOpen(ChatError):
    """A file for persistent data cannot be used; `problem` says why, and what to do."""

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = str(path), problem

    def __str__(self) -> str:
        return f"cannot open {self.path!r}: {self.problem}"


def no_directory(path: object) -> str:
    """Return the error text for a file in a directory that does not exist."""
    return f"there is no directory {str(path)!r}; make it first"


class FileInUse(CannotOpen):
    """A server is using the file."""


class TlsFailed(ConnectFailed):
    """The peer does not speak TLS, or is not one that we trust; nothing was sent to it."""

    def __init__(self, host: str, port: int | None, reason: str, fingerprint: str | None = None) -> None:
        super().__init__(host, port, reason)
        self.args = (host, port, reason, fingerprint)
        self.fingerprint = fingerprint
        """The SHA-256 of a certificate without a trusted issuer; a user who knows it to be right can trust it."""


class ConnectionLost(ChatError):
    """The connection ended unexpectedly."""


class NotConnected(ConnectionLost):
    """There is no connection at the moment, so nothing was sent."""

    def __str__(self) -> str:
        return "not connected at the moment; nothing was sent"


class AckTimeout(ChatError):
    """The verb was sent, but no reply came in time: the server may or may not have accepted it."""


def _checked_code(code: str) -> str:
    if re.fullmatch("[a-z][a-z0-9_]*", code) is None:
        raise ValueError(f"code {code!r}: use lower case letters, digits and underscores, such as 'read_only'")
    return code


class Refused(ChatError):
    """
    The chat refused. Handlers raise it, too: `raise Refused("no shouting, please")`.

    Args:
        reason: What was wrong and what is allowed, for the person.
        code: The same for programs: lower case letters, digits and underscores.
        room: The room that it is about.
        subject: Other values that it is about.

    Raises:
        ValueError: If the code is not valid.
    """

    code: str = "refused"
    room: str | None = None
    """The room that it is about, if any."""
    subject: tuple[str, ...] = ()
    """Other values that it is about: a nickname, a mode and its argument."""
    retry_after: int | None = None
    """The seconds after which to try again, if known."""

    def __init_subclass__(cls) -> None:
        _checked_code(cls.code)

    def __init__(
        self, reason: str, *, code: str | None = None, room: str | None = None, subject: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        if code is not None:
            self.code = _checked_code(code)
        if room is not None:
            self.room = room
        if subject:
            self.subject = subject

    def __str__(self) -> str:
        return self.reason


class InvalidNickname(Refused):
    """The nickname breaks a rule; `problem` says which one."""

    code = "bad_nickname"
    ALLOWED: ClassVar = r"use 1 to {limit} letters, digits or -_[]{{}}|^\`"

    def __init__(self, nickname: str, problem: str, limit: int) -> None:
        self.nickname, self.problem, self.limit = nickname, problem, limit
        self.subject = (nickname,)
        super().__init__(f"nickname {nickname[:64]!r}: {problem}; {self.ALLOWED.format(limit=limit)}")


class NicknameInUse(Refused):
    """Somebody has this nickname, or one that looks like it."""

    code = "nickname_in_use"

    def __init__(self, nickname: str) -> None:
        self.nickname = nickname
        self.subject = (nickname,)
        super().__init__(f"nickname {nickname!r} is in use; take another")


class NicknameKept(NicknameInUse):
    """The nickname is reserved for somebody who lost the connection, for `retry_after` seconds."""

    def __init__(self, nickname: str, retry_after: int) -> None:
        super().__init__(nickname)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return (
            f"nickname {self.nickname!r} is kept for somebody who lost the connection, for {self.retry_after} s more; "
            "try again then, or take another"
        )


class NicknameAnswers(NicknameInUse):
    """The nickname's holder, who may be its owner, answered the server's probe."""

    def __str__(self) -> str:
        return f"nickname {self.nickname!r} is yours, but a connection that answers has it; use regain to take it back"


_IN_ROOMS: Final = r"-_.#+&'/@:[]{}|^\`"


class InvalidRoomName(Refused):
    """The room name breaks a rule; `problem` says which one."""

    code = "bad_room"

    def __init__(self, room: str, problem: str, limit: int) -> None:
        self.room, self.problem, self.limit = room, problem, limit
        super().__init__(f"room {room[:64]!r}: {problem}; use 1 to {limit} letters, digits, emoji or {_IN_ROOMS}")


class NotAMember(Refused):
    """The verb requires membership of the room."""

    code = "not_a_member"

    def __init__(self, room: str) -> None:
        self.room = room
        super().__init__(f"you are not in room {room!r}; join it first")


class NotHere(Refused):
    """The session has ended or was kicked, so its verbs are not accepted any more."""

    def __init__(self) -> None:
        super().__init__("you are not connected any more")


class NoSuchNickname(Refused):
    """Nobody here has this nickname."""

    code = "no_such_nickname"

    def __init__(self, nickname: str) -> None:
        self.nickname = nickname
        self.subject = (nickname,)
        super().__init__(f"nobody here is called {nickname[:64]!r}")


class NotRegistered(Refused):
    """The verb needs a nickname first."""

    code = "not_registered"

    def __init__(self) -> None:
        super().__init__("choose a nickname first")


class TlsRequired(Refused):
    """The server only accepts connections with TLS."""

    code = "tls_required"

    def __init__(self) -> None:
        super().__init__("this server wants TLS")


class LimitExceeded(Refused):
    """A value is longer or greater than allowed; `limit` is the maximum, with its `unit`."""

    code = "limit_exceeded"

    def __init__(self, what: str, limit: int, unit: str, *, code: str | None = None, room: str | None = None) -> None:
        self.what, self.limit, self.unit = what, limit, unit
        shown = unit.removesuffix("s") if limit == 1 else unit
        super().__init__(f"{what}: at most {limit} {shown}", code=code, room=room)


class SaslAborted(Refused):
    """The client has aborted its SASL exchange, or has said hello before its end."""

    code = "sasl_aborted"

    def __init__(self) -> None:
        super().__init__("the authentication was aborted")


class NotStored(Refused):
    """The change cannot be stored at the moment, so it does not happen."""

    code = "not_stored"

    def __init__(self, what: str, reason: str, *, room: str | None = None) -> None:
        self.what = what
        super().__init__(f"{what} cannot be stored: {reason}", room=room)


class NotPublished(Refused):
    """A message was accepted, but no handler has published it."""

    code = "not_published"

    def __init__(self) -> None:
        super().__init__("no handler of the server has published it: nobody hears it, at least not yet")


class NotReadable(Refused):
    """Stored data cannot be read at the moment."""

    code = "not_readable"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the history cannot be read: {reason}")


class InternalFailure(Refused):
    """A handler raised an unexpected error. It is in the server's log; the peer gets no details."""

    code = "internal"

    def __init__(self) -> None:
        super().__init__("internal error")
