"""
Extract the plain text of an IRC message: remove colours and CTCP.

Other members receive plain text; IRC members also receive the original (`Message.formatted`). See
modern.ircdocs.horse/formatting and modern.ircdocs.horse/ctcp.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

CTCP: Final = "\x01"

# Bold, italics, underline, strikethrough, monospace, reverse and reset have no argument; colours may have one.
_CODES: Final = re.compile(
    "[\x02\x1d\x1f\x1e\x11\x16\x0f]|\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
)


class Said(NamedTuple):
    """The fields of the same names in `Say` and `Direct`."""

    text: str
    action: bool = False
    formatted: str | None = None


def read_text(raw: str, *, notice: bool = False) -> Said:
    """
    Return the content of a PRIVMSG or NOTICE.

    `formatted` is the text of an action without the CTCP around it; for any other CTCP it is the whole message.
    """
    if raw.isprintable():
        return Said(raw)
    if raw.startswith(CTCP):
        return _read_ctcp(raw, notice)
    return _plain(raw)


def strip_codes(text: str) -> str:
    """Return the text without formatting codes."""
    return _CODES.sub("", text)


def _plain(raw: str, action: bool = False) -> Said:
    text = strip_codes(raw)
    return Said(text, action, raw if text != raw else None)


def _read_ctcp(raw: str, notice: bool) -> Said:
    # The last delimiter may be missing (CTCP, "Message Syntax").
    body = raw[1:].removesuffix(CTCP)
    name, _, rest = body.partition(" ")
    if name.upper() == "ACTION":
        return _plain(rest, action=True)
    kind = "CTCP reply" if notice else "CTCP"
    return Said(f"{kind} {strip_codes(body)}".rstrip(), formatted=raw)
