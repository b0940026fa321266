"""Colours: when they are used, all styles of the terminal client by name, and the colour of each nickname."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from zlib import crc32

from pychat.model.names import fold

NICKNAME_COLORS: Final = (
    "#d70000", "#d75f00", "#875f00", "#5f8700", "#008700", "#008787",
    "#0087d7", "#005fff", "#875fd7", "#af00ff", "#d700af", "#af5f87",
)  # fmt: skip
"""Readable on black and on white: a contrast of 3.6 or more with both. All are in the palette of 256 colours."""

GREY: Final = "#808080"
"""Equally readable, for secondary text: times, joins and leaves."""

STYLES: Final[dict[str, str]] = {
    "time": GREY,
    "quiet": GREY,
    "note": "",
    "error": "#d70000 bold",
    "heading": "bold",
    "private": "bold",
    "mention": "bold reverse",
    "status": "reverse",
    "status.alert": "reverse bold",
    "question": "reverse bold",
    **{f"nick{number}": color for number, color in enumerate(NICKNAME_COLORS)},
}
"""By the style name that `view.py` and `status.py` use. Bold and reverse also work without colours."""

_COLORLESS: Final = re.compile(r"dumb|unknown|vt\d+.*|.*-m|.*-mono")
"""Values of TERM for terminals without colours."""


def wants_color(option: bool | None, environment: Mapping[str, str]) -> bool:
    """
    Return whether to use colours.

    Args:
        option: The person's choice; None to decide by NO_COLOR (no-color.org), then FORCE_COLOR, then TERM, as Python
            does.
    """
    if option is not None:
        return option
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or not _COLORLESS.fullmatch(environment.get("TERM", ""))


def nickname_style(nickname: str) -> str:
    """Return the style name of a nickname: always the same, whatever its case."""
    return f"nick{crc32(fold(nickname).encode(errors='replace')) % len(NICKNAME_COLORS)}"
