"""All limits on what a peer can cost: one immutable value, passed as `ChatServer(limits=...)`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from pychat.model.arguments import optional

_NOT_ZERO: Final = frozenset({"messages_per_second", "bytes_per_second", "waiting_threads"})
"""Limits that must not be 0, because then nothing would ever pass."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Limits with their units. Change some with `Limits(nickname_chars=16)`; `pychat serve` has an option for each.

    The defaults are explained in docs/architecture.md, next to those of other chat servers.
    """

    if not TYPE_CHECKING:  # type checkers know the fields

        def __new__(cls, *args, **values):
            """Suggest the intended field for an unknown one, which Python's own error does not."""
            for name in values:
                if name not in cls.__dataclass_fields__:
                    close = difflib.get_close_matches(name, cls.__dataclass_fields__, n=1)
                    hint = f"; did you mean {close[0]}?" if close else ""
                    raise TypeError(f"there is no limit {name}{hint}")
            return object.__new__(cls)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            kinds = (int, float) if isinstance(field.default, float) else (int,)
            is_over_zero = field.name in _NOT_ZERO
            if type(value) not in kinds or not value >= 0 or (is_over_zero and value == 0):
                kind = "a number" if float in kinds else "a whole number"
                least = "over 0" if is_over_zero else "of at least 0"
                raise ValueError(f"limit {field.name} must be {kind} {least}, not {value!r}")

    # Text and names
    line_bytes: int = 4096
    """Bytes of one line of input; a longer one is refused and skipped. JSON may have twice `text_bytes` more."""
    unfinished_bytes: int = 16384
    """Bytes without any newline after which a connection is closed."""
    text_bytes: int = 4096
    """Bytes of one message in UTF-8."""
    text_lines: int = 50
    """Lines of one message."""
    short_text_chars: int = 390
    """Characters of a topic, an away text, or the reason of a leave or quit."""
    nickname_chars: int = 32
    """Characters of a nickname."""
    room_name_chars: int = 64
    """Characters of the name of a room."""

    # Rooms and history
    max_rooms: int = 1000
    """Rooms in use: with members, or owned by the program. A quarter is reserved for rooms that existed before."""
    rooms_per_address: int = 100
    """Of these, rooms opened from one address (IPv6: from one /64), or by one account; loopback is exempt."""
    new_rooms_per_10_minutes: int = 100
    """Rooms with new names that one address may open in ten minutes; loopback is exempt."""
    rooms_per_session: int = 20
    """Rooms that one session can be in."""
    watched_nicknames: int = 100
    """Nicknames that one session can monitor."""
    max_masks: int = 100
    """Masks in all lists of a room together: bans, exceptions from bans, and exceptions from invite-only."""
    ignored_masks: int = 100
    """Masks that one session can ignore."""
    history_events: int = 1000
    """Events kept in memory for each room."""
    history_chars: int = 262_144
    """Characters of all messages among them; fewer are kept if they are long."""
    history_page: int = 500
    """Events in one answer to a request for history."""
    replay_messages: int = 20
    """Messages replayed on join by the `History` handler."""
    irc_replay_messages: int = 20
    """At most this many of them for IRC clients that cannot request history themselves; 0: none."""

    # Connections
    max_connections: int = 10_000
    """Connections in all; fewer if the limit of open files is lower."""
    waiting_threads: int = 1000
    """Clients that handlers, passwords or files may block at the same time; beyond, input that may block waits."""
    connections_per_address: int = 100
    """Connections at the same time from one address (IPv6: from one /64); loopback is exempt."""
    new_connections_per_minute: int = 120
    """New connections from one address (IPv6: from one /64) in a minute; loopback is exempt."""
    detection_seconds: float = 10.0
    """Time from the first byte until the language must be recognized, or the TLS handshake complete."""
    registration_seconds: float = 60.0
    """Time from connecting until a nickname must be accepted."""
    registration_tries: int = 5
    """Nicknames, or server passwords, that a client may try."""
    registration_lines: int = 60
    """Lines of any kind before a nickname is accepted; some IRC clients request each capability in its own line."""
    ping_seconds: float = 60.0
    """Silence after which a client that can answer is pinged."""
    silence_seconds: float = 90.0
    """Silence after which such a client is disconnected."""
    keepalive_seconds: int = 60
    """Silence after which the system probes the connection (TCP keepalive)."""
    keepalive_interval_seconds: int = 15
    """Time from one probe to the next, if there is no answer."""
    keepalive_probes: int = 4
    """Probes without an answer after which the connection is lost."""
    resume_seconds: float = 30.0
    """How long a nickname is reserved for a client that lost its connection and has the session's token."""

    # Accounts
    login_attempts_per_minute: int = 5
    """Wrong passwords for one account, or from one address (IPv6: from one /64; loopback is exempt), in a minute."""
    registrations_per_10_minutes: int = 60
    """Accounts that may be created from one address in ten minutes; loopback is exempt."""
    nickname_grace_seconds: float = 60.0
    """How long a guest may use the nickname of an account; 0: not at all."""

    # Sending
    send_queue_bytes: int = 262_144
    """Bytes that may be queued for one slow member; above this, the member is disconnected."""
    stall_seconds: float = 10.0
    """How long a member may take none of the bytes that are queued for it."""
    pending_bytes: int = 131_072
    """Bytes that may be queued in total; above this, sessions that caused more than 8 KiB of them wait."""

    # Flood control (handlers/flood.py)
    message_burst: int = 10
    """Messages and commands that one member may send at once."""
    messages_per_second: float = 2.0
    """Messages and commands per second after that."""
    bytes_per_second: int = 8192
    """Bytes of text per second, after a burst of full messages."""
    delay_seconds: float = 30.0
    """How long a message or command over the rate is delayed; one that would wait longer is refused."""
    refusals_per_minute: int = 30
    """Refused messages and commands in a minute after which a member is disconnected."""


def check_limits(limits: object) -> Limits | None:
    """
    Return the limits, or None if there are none.

    Raises:
        TypeError: If they are something else.
    """
    return optional("limits", limits, Limits, "a Limits, such as Limits(nickname_chars=16)")
