"""Every number that bounds what a peer can cost: one immutable value, given to `ChatServer(limits=...)`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

_RATES: Final = frozenset({"messages_per_second", "bytes_per_second"})
"""At 0 nothing would pass, ever."""


@dataclass(frozen=True, slots=True)
class Limits:
    """
    Bounds with their units. Change some with `Limits(nickname_chars=16)`; `pychat serve` has an option for each.

    The defaults are those of docs/architecture.md, chosen beside those of other chat servers.
    """

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
    """Rooms on the server."""
    rooms_per_session: int = 20
    """Rooms that one session can be in."""
    watched_nicknames: int = 100
    """Nicknames whose coming and going one session can be told of."""
    max_masks: int = 100
    """Masks in one list of a room: bans, or exceptions from them."""
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

    # Connections
    max_connections: int = 10_000
    """Connections in all; fewer if the limit of open files is lower."""
    connections_per_address: int = 50
    """Connections at the same time from one address (IPv6: from one /64); loopback is exempt."""
    new_connections_per_minute: int = 60
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
    registrations_per_10_minutes: int = 10
    """Accounts that may be made from one address in ten minutes; loopback is exempt."""
    nickname_grace_seconds: float = 60.0
    """How long one may have the nickname of an account without logging in to it; 0: not at all."""

    # Sending
    send_queue_bytes: int = 262_144
    """Bytes that may wait for one slow member; over it, the member is cut off."""
    stall_seconds: float = 10.0
    """How long bytes may wait for one member that takes none of them."""
    pending_bytes: int = 65_536
    """Bytes of accepted input that may wait to be sent to anybody; over it, those who write wait."""

    # Flood control (handlers/flood.py)
    message_burst: int = 10
    """Verbs that pass at once."""
    messages_per_second: float = 2.0
    """Verbs that pass each second after that."""
    bytes_per_second: int = 8192
    """Bytes of text that pass each second, after a burst of full messages."""
    delay_seconds: float = 2.0
    """How long a message over the rate is held back; one that would wait longer is refused. Questions wait 5 times."""
    refusals_per_minute: int = 30
    """Refused verbs in a minute after which the session is ended."""
