"""
Detect a peer's language from its first bytes, or from its silence.

| First bytes | Language |
|---|---|
| 0x16 | TLS |
| `{` | JSON lines |
| a method of HTTP and a space | HTTP |
| a line that ends with a version of HTTP, whatever it begins with | HTTP |
| a line of a client of another protocol (`foreign.py`), or with a NUL unless it begins like IRC | foreign |
| a line with a command of IRC that works before registration, `JOIN #`, `JOIN :` or `QUIT`, also after tags | IRC |
| any other line | text |
| nothing, until it is asked with the four bytes `NICK`; then something without a newline | the classic client |
| nothing, also when it is told what to type; then a line `nickname: text` | the classic client |

So IRC is detected only at the end of the first line: a web page can make a browser begin with `NICK` as well
(`http/request.py`). A line without an end, because it exceeds MOST_BYTES or no more bytes arrive, is classified by its
beginning.

The detector has no clock: `wait` is how long to wait, and the caller reports `silence`. All bytes read stay in
`buffer`, from which the protocol starts.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from enum import Enum
from typing import Final

from pychat.model.limits import Limits
from pychat.protocols.foreign import is_client
from pychat.protocols.http.request import has_method, is_request_line, is_request_target
from pychat.protocols.text.telnet import TelnetFilter

PROMPT_BYTES: Final = b"NICK"
"""The chunk that the classic client waits for: exactly this, without a newline, and nothing before or after it."""
MOST_BYTES: Final = 4096
"""Limit for a first line; detection does not wait for more."""
HINT_BYTES: Final = b"NAME wanted: type one and press Enter\r\n"
"""
Follows the prompt for a person who still sees it: `NICKNAME wanted: ...`.

It also completes the prompt to an IRC line, for a slow client: otherwise the first answer to it, often 001, would begin
with NICK. NICKNAME is an unknown command on purpose: some clients fail on NICK without its parameter.
"""
PROMPT_SECONDS: Final = 0.3
PATIENT_SECONDS: Final = 1.0
"""The same where TLS is accepted: an early prompt would break a handshake whose first packet was lost."""
HINT_SECONDS: Final = 2.5
"""
Delay from the prompt to the hint: long enough for every program that waits for exactly the prompt.

A slower program reads both in one chunk and shows them instead of answering (tutorials that connect first and then ask
for the nickname in a separate window). It registers with its first message.
"""
CLASSIC_SECONDS: Final = 0.2


class Language(Enum):
    """The languages that can be spoken on the one port."""

    TEXT = "text"
    CLASSIC = "classic"
    JSON = "json"
    IRC = "irc"
    HTTP = "http"
    TLS = "tls"
    FOREIGN = "another protocol"


ALPN: Final = {"irc": Language.IRC, "pychat": Language.JSON, "http/1.1": Language.HTTP}
"""Languages that a TLS client can select by ALPN (RFC 7301); detection is then skipped."""


class Ask(Enum):
    """The bytes that `Detector.silence` may ask the caller to send, instead of a decision."""

    PROMPT = PROMPT_BYTES
    HINT = HINT_BYTES


def behind_prompt(start: bytes) -> bytes:
    """Return what a server has sent after its prompt and its hint, which a late client receives first."""
    asked = PROMPT_BYTES + HINT_BYTES
    return b"" if asked.startswith(start) else start.removeprefix(asked).removeprefix(PROMPT_BYTES)


_IRC: Final = re.compile(
    rb"(?:@\S+ +)?(?::\S+ +)?"
    # irssi sends "JOIN :" first, to find out if it is connected through a bouncer.
    rb"(?:(?:AUTHENTICATE|CAP|ERROR|NICK|PASS|PING|PONG|REGISTER|USER|VERIFY) |JOIN [#:]|QUIT[ \r\n])",
    re.IGNORECASE,
)
_CLASSIC_MESSAGE: Final = re.compile(rb"[^\s:/]+: ")
"""The beginning of every message of the classic client."""


class Detector:
    """
    Decides once. Until then, wait at most `wait` seconds for bytes, then call `receive` with them, or `silence`.

    Args:
        prompt: True if a silent peer may be asked for its nickname; False where only TLS is allowed.
        patience: Seconds of silence before the prompt.
        tls: True if 0x16 begins TLS; False inside TLS.
    """

    def __init__(
        self, limits: Limits, *, prompt: bool = True, patience: float = PROMPT_SECONDS, tls: bool = True
    ) -> None:
        self._may_prompt = prompt
        self._patience = patience
        self._tls = tls
        self._telnet = TelnetFilter(limits.unfinished_bytes)
        self._seen = b""  # the buffer without telnet commands
        self._typed = True  # only single characters arrived, as if somebody typed them
        self._language: Language | None = None
        self.buffer = b""
        """All bytes so far; they belong to the protocol that was detected."""
        self.prompted = False
        """True if the prompt was sent; the peer receives it before everything else."""
        self.hinted = False
        """True if the hint was sent, too."""

    @property
    def wait(self) -> float | None:
        """Seconds without bytes after which to call `silence`; None if silence means nothing."""
        if self._shall_ask():
            return self._patience
        if self._shall_hint():
            return HINT_SECONDS
        return CLASSIC_SECONDS if self._looks_classic() else None

    def receive(self, data: bytes) -> Language | None:
        """Feed the next bytes, up to about MOST_BYTES in total; return the language once it is clear."""
        room = MOST_BYTES - len(self.buffer)
        self.buffer += data
        if self._language is None and room > 0:
            text = self._telnet.strip(data[:room])
            self._seen += text
            if self._seen.startswith(BOM_UTF8):  # Windows programs put it before texts
                self.buffer, self._seen = self.buffer.removeprefix(BOM_UTF8), self._seen.removeprefix(BOM_UTF8)
            # One key can be several bytes: "é" from a client that sends every key does not mean the classic client.
            self._typed = self._typed and len(text.decode("utf-8", "replace")) <= 1
            self._language = self._decide()
        return self._language

    def silence(self) -> Language | Ask | None:
        """
        Report that no bytes arrived for `wait` seconds.

        Returns:
            An `Ask`: send its value and continue. A language: detection is complete. None: continue.
        """
        if self._shall_ask():
            self.prompted = True
            return Ask.PROMPT
        if self._shall_hint():
            self.hinted = True
            return Ask.HINT
        if self._looks_classic():
            self._language = Language.CLASSIC
        return self._language

    def eof(self) -> Language | None:
        """Decide from the bytes so far, at the end of the stream or of the time; return None if there are none."""
        if self._language is None and self.buffer:
            self._language = self._of_beginning()
        return self._language

    def _shall_ask(self) -> bool:
        return not self._seen and self._may_prompt and not self.prompted

    def _shall_hint(self) -> bool:
        return not self._seen and self.prompted and not self.hinted

    def _looks_classic(self) -> bool:
        if self._language is not None or not self.prompted or self._typed:
            return False
        return self._of_beginning() is Language.TEXT  # otherwise it is part of another protocol's line

    def _decide(self) -> Language | None:
        if self._tls and self._seen.startswith(b"\x16"):
            return Language.TLS
        if self._seen.startswith(b"{"):
            return Language.JSON
        # A stream that begins like HTTP stays HTTP, even with methods that are never answered.
        if has_method(self._seen):
            return Language.HTTP
        line, newline, _ = self._seen.partition(b"\n")
        before, nul, _ = line.partition(b"\0")
        if nul and not _IRC.match(before):
            return Language.FOREIGN
        if newline and is_request_line(line):
            return Language.HTTP
        if newline:
            if is_client(line):
                return Language.FOREIGN
            return Language.CLASSIC if self.hinted and _CLASSIC_MESSAGE.match(line) else self._of_words()
        return self._of_beginning() if len(self.buffer) >= MOST_BYTES else None

    def _of_beginning(self) -> Language:
        """Return the language of a first line without an end."""
        return Language.HTTP if is_request_target(self._seen) else self._of_words()

    def _of_words(self) -> Language:
        return Language.IRC if _IRC.match(self._seen) else Language.TEXT
