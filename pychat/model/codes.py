"""
The codes of refusals: all that a server of pychat can send, for programs. `docs/protocol.md` says when each is sent.

Handlers may have codes of their own, and the peer may be newer than we are. So whatever reads a code takes any.
"""

from __future__ import annotations

from typing import Final, Literal, NewType, TypeAlias, get_args

Code: TypeAlias = Literal[
    "account_exists",
    "already_in_room",
    "bad_credentials",
    "bad_key",
    "bad_mode_argument",
    "bad_nickname",
    "bad_password",
    "bad_request",
    "bad_room",
    "bad_target",
    "bad_utf8",
    "banned",
    "busy",
    "cannot_speak",
    "empty",
    "flood",
    "internal",
    "invite_only",
    "limit_exceeded",
    "line_too_long",
    "list_full",
    "nickname_in_use",
    "nickname_registered",
    "no_such_event",
    "no_such_nickname",
    "no_such_room",
    "not_a_member",
    "not_banned",
    "not_logged_in",
    "not_published",
    "not_readable",
    "not_registered",
    "not_room_operator",
    "not_server_operator",
    "not_stored",
    "password_required",
    "refused",
    "room_full",
    "sasl_aborted",
    "sasl_failed",
    "sasl_mechanism",
    "server_banned",
    "shutting_down",
    "slow_mode",
    "tls_required",
    "too_many_attempts",
    "too_many_ignored",
    "too_many_rooms",
    "too_many_watched",
    "unknown_command",
    "unknown_mode",
    "unknown_type",
    "unsupported",
    "user_not_in_room",
    "wrong_password",
]

CODES: Final[frozenset[str]] = frozenset(get_args(Code))

OtherCode = NewType("OtherCode", str)
"""A code from elsewhere: of a `Refused`, which may be a handler's, or of a standard reply of IRC."""
