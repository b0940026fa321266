"""
Which language a peer speaks, told by its first bytes, or by its silence.

| First bytes | Language |
|---|---|
| 0x16 | TLS |
| a method of HTTP and a space | HTTP |
| `{` | JSON lines |
| a command of IRC's that works before registration, and a space; `JOIN #`, `JOIN :`, `QUIT`; also behind tags | IRC |
| anything else, once there is a newline | text |
| nothing, until it is asked with the four bytes `NICK`; then something without a newline | the classic client |

The detector has no clock: it says how long to `wait`, and is told of `silence`. What it has read stays in `buffer`,
for the protocol to begin with.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from pychat.core.limits import Limits
from pychat.protocols.telnet import TelnetFilter

PROMPT_BYTES: Final = b"NICK"
"""What the classic client waits for: exactly this chunk, no newline, nothing before or behind it."""
MOST_BYTES: Final = 4096
"""After so many the peer is taken for a text client, whatever they are."""
PROMPT_REST_IRC: Final = b"NAME :asked for, because nothing was said yet\r\n"
"""
Makes the prompt a line of IRC, for a client that was too slow: else its first answer, often 001, would begin with NICK.

A command that nobody knows: NICK itself without its parameter is what some clients choke on.
"""
PROMPT_SECONDS: Final = 0.3
PATIENT_SECONDS: Final = 1.0
"""The same where TLS is spoken, too: the prompt would ruin a handshake whose first packet was lost on its way."""
CLASSIC_SECONDS: Final = 0.2


class Language(Enum):
    """What can be spoken on the one port."""

    TEXT = "text"
    CLASSIC = "classic"
    JSON = "json"
    IRC = "irc"
    HTTP = "http"
    TLS = "tls"


ALPN: Final = {"irc": Language.IRC, "pychat": Language.JSON, "http/1.1": Language.HTTP}
"""Languages that a client of TLS can ask for by name (RFC 7301) before it says anything; then no byte has to tell."""


class Ask(Enum):
    """What `Detector.silence` may want instead of a decision."""

    PROMPT = "prompt"


PROMPT: Final = Ask.PROMPT

_SIGNS: Final = (
    (Language.TLS, re.compile(rb"\x16")),
    (Language.JSON, re.compile(rb"\{")),
    # A browser cannot be made to speak chat lines, but it can be made to send them in the body of a POST to this
    # port. So what begins as HTTP is HTTP for ever, also methods that will never be answered.
    (Language.HTTP, re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) ")),
    # irssi says "JOIN :" first, to find out whether a bouncer is in between.
    (
        Language.IRC,
        re.compile(
            rb"(?:@\S+ +)?(?::\S+ +)?"
            rb"(?:(?:AUTHENTICATE|CAP|ERROR|NICK|PASS|PING|PONG|REGISTER|USER|VERIFY) |JOIN [#:]|QUIT[ \r\n])",
            re.IGNORECASE,
        ),
    ),
)


class Detector:
    """
    Decides once. Until then: `wait` at most so long for bytes, then call `receive` with them, or `silence`.

    Args:
        prompt: Whether a silent peer may be asked for its nickname; not where only TLS is allowed.
        patience: Seconds of silence before that.
        tls: Whether 0x16 begins TLS; not inside of TLS.
    """

    def __init__(
        self, limits: Limits, *, prompt: bool = True, patience: float = PROMPT_SECONDS, tls: bool = True
    ) -> None:
        self._may_prompt = prompt
        self._patience = patience
        self._tls = tls
        self._telnet = TelnetFilter(limits.unfinished_bytes)
        self._seen = b""  # the buffer without telnet commands
        self._typed = True  # nothing came but single characters, as if somebody typed them
        self._language: Language | None = None
        self.buffer = b""
        """All bytes so far: they belong to the protocol that was found."""
        self.prompted = False
        """Whether the peer was asked, and hears the prompt before everything else."""

    @property
    def wait(self) -> float | None:
        """Seconds without bytes after which `silence` wants to be called; None: silence tells nothing."""
        if self._shall_ask():
            return self._patience
        return CLASSIC_SECONDS if self._looks_classic() else None

    def receive(self, data: bytes) -> Language | None:
        """Feed the next bytes, up to about MOST_BYTES in all; return the language if it is clear now."""
        room = MOST_BYTES - len(self.buffer)
        self.buffer += data
        if self._language is None and room > 0:
            text = self._telnet.strip(data[:room])
            self._seen += text
            # One key can be more than one byte: "é" typed where every key is sent is no classic client.
            self._typed = self._typed and len(text.decode("utf-8", "replace")) <= 1
            self._language = self._decide()
        return self._language

    def silence(self) -> Language | Ask | None:
        """
        Nothing came for `wait` seconds.

        Returns:
            PROMPT: send PROMPT_BYTES, and go on. A language: it is decided. None: go on.
        """
        if self._shall_ask():
            self.prompted = True
            return PROMPT
        if self._looks_classic():
            self._language = Language.CLASSIC
        return self._language

    def eof(self) -> Language | None:
        """No more bytes will come, or there is no more time to wait: what is there is text; None if nothing is."""
        if self._language is None and self.buffer:
            self._language = Language.TEXT
        return self._language

    def _shall_ask(self) -> bool:
        return not self._seen and self._may_prompt and not self.prompted

    def _looks_classic(self) -> bool:
        return self._language is None and self.prompted and not self._typed

    def _decide(self) -> Language | None:
        for language, sign in _SIGNS:
            if sign.match(self._seen) and (self._tls or language is not Language.TLS):
                return language
        if b"\n" in self._seen or len(self.buffer) >= MOST_BYTES:
            return Language.TEXT
        return None
