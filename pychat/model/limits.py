"""All limits on what a peer can cost: one immutable value, passed as `ChatServer(limits=...)`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from pychat.model.arguments import optional

_RATES: Final = frozenset({"messages_per_second", "bytes_per_second"})
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
            is_rate = field.name in _RATES
            if type(value) not in kinds or not value >= 0 or (is_rate and value == 0):
                kind = "a number" if float in kinds else "a whole number"
                least = "over 0" if is_rate else "from 0 on"
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
    """Rooms that somebody is in, or that belong to the program; not empty ones. A quarter is not for new ones."""
    rooms_per_address: int = 100
    """Of them, those opened by members from one address (IPv6: from one /64), or of one account; loopback is exempt."""
    new_rooms_per_10_minutes: int = 100
    """Rooms of names that were never used that one address may open in ten minutes; loopback is exempt."""
    rooms_per_session: int = 20
    """Rooms that one session can be in."""
    watched_nicknames: int = 100
    """Nicknames whose coming and going one session can be told of."""
    max_masks: int = 100
    """Masks in all lists of a room together: bans, exceptions from them, and who is always let in."""
    ignored_masks: int = 100
    """Masks of people whom one session can ignore."""
    history_events: int = 1000
    """Events kept in memory for each room."""
    history_chars: int = 262_144
    """Characters that the messages among them may have together; fewer are kept if they are long."""
    history_page: int = 500
    """Events in one answer to a request for history."""
    replay_messages: int = 20
    """Messages replayed on join by the `History` handler."""
    irc_replay_messages: int = 20
    """No more of them than this are for IRC clients that cannot ask for history themselves; 0: none."""

    # Connections
    max_connections: int = 10_000
    """Connections in all; fewer if the limit of open files is lower."""
    connections_per_address: int = 100
    """Connections at the same time from one address (IPv6: from one /64); loopback is exempt."""
    new_connections_per_minute: int = 120
    """New connections from one address (IPv6: from one /64) in a minute; loopback is exempt."""
    detection_seconds: float = 10.0
    """From the first byte until the language must be clear, or the handshake of TLS over."""
    registration_seconds: float = 60.0
    """From connecting until the nickname must be accepted."""
    registration_tries: int = 5
    """Nicknames, or passwords of the server, that may be tried."""
    registration_lines: int = 60
    """Lines of any kind before the nickname is accepted; some IRC clients ask for each capability by one of its own."""
    ping_seconds: float = 60.0
    """Silence after which a client that can answer is asked whether it is there."""
    silence_seconds: float = 90.0
    """Silence after which such a client is disconnected."""
    keepalive_seconds: int = 60
    """Silence after which the system asks whether the other end of a connection is still there (TCP keepalive)."""
    keepalive_interval_seconds: int = 15
    """From one such question to the next, if there is no answer."""
    keepalive_probes: int = 4
    """Such questions without an answer after which the connection is lost."""
    resume_seconds: float = 30.0
    """How long a nickname is kept for one who lost the connection and holds its token."""

    # Accounts
    login_attempts_per_minute: int = 5
    """Wrong passwords for one account, or from one address (IPv6: from one /64; loopback is exempt), in a minute."""
    registrations_per_10_minutes: int = 60
    """Accounts that may be made from one address in ten minutes; loopback is exempt."""
    nickname_grace_seconds: float = 60.0
    """How long one may have the nickname of an account without logging in to it; 0: not at all."""

    # Sending
    send_queue_bytes: int = 262_144
    """Bytes that may wait for one slow member; over it, the member is cut off."""
    stall_seconds: float = 10.0
    """How long bytes may wait for one member that takes none of them."""
    pending_bytes: int = 131_072
    """Bytes that may be on their way in all; over it, sessions that caused more than 8 KiB of them wait."""

    # Flood control (handlers/flood.py)
    message_burst: int = 10
    """Messages and commands of one member that pass at once."""
    messages_per_second: float = 2.0
    """Messages and commands that pass each second after that."""
    bytes_per_second: int = 8192
    """Bytes of text that pass each second, after a burst of full messages."""
    delay_seconds: float = 30.0
    """How long a message or command over the rate is held back; one that would wait longer is refused."""
    refusals_per_minute: int = 30
    """Refused messages and commands in a minute after which a member is disconnected."""


def check_limits(limits: object) -> Limits | None:
    """
    Return the limits, or None if there are none.

    Raises:
        TypeError: If they are something else.
    """
    return optional("limits", limits, Limits, "a Limits, such as Limits(nickname_chars=16)")
