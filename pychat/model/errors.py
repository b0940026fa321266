"""
The errors that cross modules, one tree under `ChatError`, and every refusal by a server of pychat.

`Refused` and its subclasses are replies to a person: `code`, one of `codes.py`, is for programs, `str(error)` says what
was wrong and what is allowed. They take values, keep them as attributes, and build the text on demand.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pychat.model.codes import Code


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


class CannotOpen(ChatError):
    """A file for persistent data cannot be used; `problem` says why, and what to do."""

    def __init__(self, path: object, problem: str) -> None:
        super().__init__(path, problem)
        self.path, self.problem = str(path), problem

    def __str__(self) -> str:
        return f"cannot open {self.path!r}: {self.problem}"


def no_directory(path: object) -> str:
    """Return the error text for a file in a directory that does not exist."""
    return f"directory {str(path)!r} does not exist; create it first"


class FileInUse(CannotOpen):
    """A server is using the file."""


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
        self.code = self.code if code is None else _checked_code(code)
        self.room = self.room if room is None else room
        self.subject = subject or self.subject

    def __str__(self) -> str:
        return self.reason


def refusal(reason: str, *, code: Code, room: str | None = None, subject: tuple[str, ...] = ()) -> Refused:
    """Return a refusal by pychat itself, whose code type checkers know; what a handler raises may have any code."""
    return Refused(reason, code=code, room=room, subject=subject)


class LimitExceeded(Refused):
    """A value is longer or greater than allowed; `limit` is the maximum, with its `unit`."""

    code = "limit_exceeded"

    def __init__(self, what: str, limit: int, unit: str, *, code: Code | None = None, room: str | None = None) -> None:
        self.what, self.limit, self.unit = what, limit, unit
        shown = unit.removesuffix("s") if limit == 1 else unit
        super().__init__(f"{what}: at most {limit} {shown}", code=code, room=room)


# Nicknames, people and rooms


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
        super().__init__(f"nickname {nickname!r} is in use; choose another")


class NicknameKept(NicknameInUse):
    """The nickname is reserved for somebody who lost the connection, for `retry_after` seconds."""

    def __init__(self, nickname: str, retry_after: int) -> None:
        super().__init__(nickname)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return (
            f"nickname {self.nickname!r} is reserved for {self.retry_after} s for somebody who lost the connection; "
            "try again then, or choose another"
        )


class NicknameAnswers(NicknameInUse):
    """The nickname's holder, who may be its owner, answered the server's probe."""

    def __str__(self) -> str:
        return f"nickname {self.nickname!r} is yours, but an active connection uses it; use regain to take it back"


class NicknameRegistered(Refused):
    """The nickname belongs to an account that the session is not logged in to."""

    code = "nickname_registered"

    def __init__(self, nickname: str) -> None:
        self.subject = (nickname,)
        super().__init__(f"nickname {nickname!r} belongs to an account; log in, or choose another")


class NoSuchNickname(Refused):
    """Nobody here has this nickname."""

    code = "no_such_nickname"

    def __init__(self, nickname: str) -> None:
        self.nickname = nickname
        self.subject = (nickname,)
        super().__init__(f"nobody here is called {nickname[:64]!r}")


class HasLeft(Refused):
    """The person has left, and somebody else has the nickname now."""

    code = "no_such_nickname"

    def __init__(self, nickname: str) -> None:
        self.subject = (nickname,)
        super().__init__(f"{nickname[:64]!r} has left; the person with this nickname now is somebody else")


class UnknownUserMode(Refused):
    """The letter is not a user mode."""

    code = "unknown_mode"

    def __init__(self, letter: str, modes: str) -> None:
        self.subject = (letter,)
        super().__init__(f"{letter!r} is not a user mode; the modes are: {', '.join(modes)}")


class TooManyWatched(LimitExceeded):
    """The limit of monitored nicknames is reached; `subject` lists those that were not added."""

    code = "too_many_watched"

    def __init__(self, limit: int, left_out: tuple[str, ...]) -> None:
        super().__init__("nicknames that you monitor", limit, "nicknames")
        self.subject = left_out


_IN_ROOMS: Final = r"-_.#+&'/@:[]{}|^\`"


class InvalidRoomName(Refused):
    """The room name breaks a rule; `problem` says which one."""

    code = "bad_room"

    def __init__(self, room: str, problem: str, limit: int) -> None:
        self.room, self.problem, self.limit = room, problem, limit
        super().__init__(f"room {room[:64]!r}: {problem}; use 1 to {limit} letters, digits, emoji or {_IN_ROOMS}")


class NoSuchRoom(Refused):
    """The room does not exist, or the session may not know of it."""

    code = "no_such_room"

    def __init__(self, room: str) -> None:
        hint = "; only IRC puts '#' before the name of a room" if room.startswith("#") else ""
        super().__init__(f"there is no room {room[:64]!r}{hint}", room=room)


class NotAMember(Refused):
    """The verb requires membership of the room."""

    code = "not_a_member"

    def __init__(self, room: str) -> None:
        self.room = room
        super().__init__(f"you are not in room {room!r}; join it first")


class UserNotInRoom(Refused):
    """The target of a verb is not a member of the room."""

    code = "user_not_in_room"

    def __init__(self, nickname: str, room: str) -> None:
        self.nickname = nickname
        super().__init__(f"{nickname!r} is not in room {room!r}", room=room, subject=(nickname,))


# Passwords and accounts


class PasswordRequired(Refused):
    """The session must give the server's password first."""

    code = "password_required"

    def __init__(self) -> None:
        super().__init__("this server requires a password")


class WrongServerPassword(Refused):
    """
    The server's password is wrong.

    The code is that of `WrongOperatorPassword`, too: who asked knows which of the two passwords was meant, and IRC has
    one numeric (464) for both.
    """

    code = "wrong_password"

    def __init__(self) -> None:
        super().__init__("wrong password")


class WrongOperatorPassword(Refused):
    """The name or the password of an operator is wrong; the peer is not told which."""

    code = "wrong_password"

    def __init__(self) -> None:
        super().__init__("wrong name or password")


class BadCredentials(Refused):
    """There is no such account, or the password is wrong; the peer is not told which."""

    code = "bad_credentials"

    def __init__(self) -> None:
        super().__init__("wrong account or password")


class NotLoggedIn(Refused):
    """The verb requires a login."""

    code = "not_logged_in"

    def __init__(self) -> None:
        super().__init__("you are not logged in; use login, or register")


class AccountExists(Refused):
    """There is an account of this name, or of one that looks like it."""

    code = "account_exists"

    def __init__(self, name: str) -> None:
        self.subject = (name,)
        super().__init__(f"{name!r} or a similar name already has an account; log in, or choose another name")


class AccountInUse(Refused):
    """Another session is changing the account's password or deleting it."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("the account is being changed; try again")


class NotOffered(Refused):
    """The accounts of this server do not support that."""

    code = "unsupported"

    def __init__(self, what: str) -> None:
        super().__init__(f"accounts of this server cannot be {what} here")


class UnusablePassword(Refused):
    """The text is not a possible password; `str(error)` does not reveal it."""

    code = "bad_password"


class TooManyAttempts(Refused):
    """There were too many failures; try again after `seconds`."""

    code = "too_many_attempts"

    def __init__(self, seconds: int) -> None:
        self.seconds = self.retry_after = seconds
        super().__init__(f"too many attempts; try again in {seconds} s")


class SaslAborted(Refused):
    """The client has aborted its SASL exchange, or has said hello before its end."""

    code = "sasl_aborted"

    def __init__(self) -> None:
        super().__init__("the authentication was aborted")


class SaslFailed(Refused):
    """The exchange has failed."""

    code = "sasl_failed"


class UnknownMechanism(Refused):
    """The mechanism is not supported."""

    code = "sasl_mechanism"

    def __init__(self, offered: tuple[str, ...]) -> None:
        self.subject = (",".join(offered),)
        super().__init__(f"use one of {', '.join(offered)}")


# Bans


class BannedFromServer(Refused):
    """The person is banned from the server."""

    code = "server_banned"

    def __init__(self, reason: str) -> None:
        super().__init__(f"you are banned from this server{f': {reason}' if reason else ''}")


class BadTarget(Refused):
    """The target cannot be banned."""

    code = "bad_target"

    def __init__(self, target: str) -> None:
        self.subject = (target[:64],)
        super().__init__(
            f"cannot ban {target[:64]!r}; use an address like 192.0.2.1 or 10.0.0.0/8, a:ACCOUNT, "
            "a mask like *!*@*.example, or the nickname of somebody who is here"
        )


class BadDuration(Refused):
    """The text looks like a duration and is not one. A mistyped duration must not mean a permanent ban."""

    code = "bad_request"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text[:40]!r} is not a duration; use 90s, 10m, 2h, 1d12h or 1w; a reason must not begin with a digit"
        )


# The session, the server and its disk


class NotRegistered(Refused):
    """The verb needs a nickname first."""

    code = "not_registered"

    def __init__(self) -> None:
        super().__init__("choose a nickname first")


class NotHere(Refused):
    """The session has ended or was disconnected, so its verbs are not accepted any more."""

    def __init__(self) -> None:
        super().__init__("you are not connected any more")


class TlsRequired(Refused):
    """The server only accepts connections with TLS."""

    code = "tls_required"

    def __init__(self) -> None:
        super().__init__("this server requires TLS")


class Busy(Refused):
    """The server has too much work at the moment."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("the server is busy; try again in a few seconds")


class Stopped(Busy):
    """The server stops before the work is done."""

    code = "shutting_down"

    def __init__(self) -> None:
        Refused.__init__(self, "the server is shutting down")


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
        super().__init__("no handler of the server has published the message, so nobody has received it yet")


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
