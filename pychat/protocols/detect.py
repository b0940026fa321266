"""
Which language a peer speaks, told by its first bytes, or by its silence.

| First bytes | Language |
|---|---|
| 0x16 | TLS |
| `{` | JSON lines |
| a method of HTTP and a space | HTTP |
| a line that ends with a version of HTTP, whatever it begins with | HTTP |
| a line of a client of another protocol (`foreign.py`), or with a NUL, if it does not begin as IRC | foreign |
| a line with a command of IRC that works before registration, `JOIN #`, `JOIN :` or `QUIT`, also after tags | IRC |
| any other line | text |
| nothing, until it is asked with the four bytes `NICK`; then something without a newline | the classic client |
| nothing, also when it is told what to type; then a line `nickname: text` | the classic client |

So IRC is known only at the end of the first line: a web page can make a browser begin with `NICK` as well
(`http/request.py`). A line that does not end, because it is over MOST_BYTES or because no more comes, is taken for
what it begins with.

The detector has no clock: it says how long to `wait`, and is told of `silence`. What it has read stays in `buffer`,
for the protocol to begin with.
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
"""What the classic client waits for: exactly this chunk, no newline, nothing before or behind it."""
MOST_BYTES: Final = 4096
"""More of a first line is not waited for."""
HINT_BYTES: Final = b"NAME wanted: type one and press Enter\r\n"
"""
Follows the prompt, for a person who goes on looking at it: `NICKNAME wanted: ...`.

It makes the prompt a line of IRC, too, for a client that was too slow: else its first answer, often 001, would begin
with NICK. A command that nobody knows: NICK itself without its parameter is what some clients choke on.
"""
PROMPT_SECONDS: Final = 0.3
PATIENT_SECONDS: Final = 1.0
"""The same where TLS is spoken, too: the prompt would ruin a handshake whose first packet was lost on its way."""
HINT_SECONDS: Final = 2.5
"""
From the prompt to the hint: long enough for every program that waits for exactly the prompt.

One that comes later reads both in one piece, and shows them instead of answering (tutorials that ask for the nickname
in a window of its own, when they have connected already). It comes in with the first thing that it says.
"""
CLASSIC_SECONDS: Final = 0.2


class Language(Enum):
    """What can be spoken on the one port."""

    TEXT = "text"
    CLASSIC = "classic"
    JSON = "json"
    IRC = "irc"
    HTTP = "http"
    TLS = "tls"
    FOREIGN = "another protocol"


ALPN: Final = {"irc": Language.IRC, "pychat": Language.JSON, "http/1.1": Language.HTTP}
"""Languages that a client of TLS can ask for by name (RFC 7301) before it says anything; then no byte has to tell."""


class Ask(Enum):
    """What `Detector.silence` may want to be sent instead of a decision."""

    PROMPT = PROMPT_BYTES
    HINT = HINT_BYTES


def behind_prompt(start: bytes) -> bytes:
    """Return what a server has said so far behind its prompt and its hint, which whoever is late hears first."""
    asked = PROMPT_BYTES + HINT_BYTES
    return b"" if asked.startswith(start) else start.removeprefix(asked).removeprefix(PROMPT_BYTES)


_IRC: Final = re.compile(
    rb"(?:@\S+ +)?(?::\S+ +)?"
    # irssi says "JOIN :" first, to find out whether a bouncer is in between.
    rb"(?:(?:AUTHENTICATE|CAP|ERROR|NICK|PASS|PING|PONG|REGISTER|USER|VERIFY) |JOIN [#:]|QUIT[ \r\n])",
    re.IGNORECASE,
)
_CLASSIC_MESSAGE: Final = re.compile(rb"[^\s:/]+: ")
"""How every message of the classic client begins."""


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
        self.hinted = False
        """Whether it was told what the prompt wants, too."""

    @property
    def wait(self) -> float | None:
        """Seconds without bytes after which `silence` wants to be called; None: silence tells nothing."""
        if self._shall_ask():
            return self._patience
        if self._shall_hint():
            return HINT_SECONDS
        return CLASSIC_SECONDS if self._looks_classic() else None

    def receive(self, data: bytes) -> Language | None:
        """Feed the next bytes, up to about MOST_BYTES in all; return the language if it is clear now."""
        room = MOST_BYTES - len(self.buffer)
        self.buffer += data
        if self._language is None and room > 0:
            text = self._telnet.strip(data[:room])
            self._seen += text
            if self._seen.startswith(BOM_UTF8):  # as programs of Windows put it before texts
                self.buffer, self._seen = self.buffer.removeprefix(BOM_UTF8), self._seen.removeprefix(BOM_UTF8)
            # One key can be more than one byte: "é" typed where every key is sent is no classic client.
            self._typed = self._typed and len(text.decode("utf-8", "replace")) <= 1
            self._language = self._decide()
        return self._language

    def silence(self) -> Language | Ask | None:
        """
        Nothing came for `wait` seconds.

        Returns:
            An Ask: send the bytes that are its value, and go on. A language: it is decided. None: go on.
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
        """No more bytes will come, or there is no more time to wait: what is there decides; None if nothing is."""
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
        return self._of_beginning() is Language.TEXT  # else it is somebody else's line, of which the rest comes later

    def _decide(self) -> Language | None:
        if self._tls and self._seen.startswith(b"\x16"):
            return Language.TLS
        if self._seen.startswith(b"{"):
            return Language.JSON
        # What begins as HTTP is HTTP for ever, also methods that will never be answered.
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
        """Return the language of a first line that has no end."""
        return Language.HTTP if is_request_target(self._seen) else self._of_words()

    def _of_words(self) -> Language:
        return Language.IRC if _IRC.match(self._seen) else Language.TEXT
