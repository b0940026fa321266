"""The keys of the input line, besides those of readline; docs/terminal.md has the same table for people."""

from __future__ import annotations

from typing import Final, NamedTuple


class Key(NamedTuple):
    """One key, or two pressed in sequence, and the method of the editor that it calls."""

    keys: tuple[str, ...]
    """In the notation of prompt_toolkit; Alt and a key is Escape and that key."""
    does: str
    where: str = "line"
    """`line`, `secret` (while a password is typed), `question` (while one is open), or `everywhere`."""
    eager: bool = False
    """True if it takes priority over longer sequences, and over the keys of readline."""


KEYS: Final = (
    Key(("enter",), "accept"),
    Key(("escape", "enter"), "begin_line"),
    Key(("backspace",), "delete_before"),
    Key(("tab",), "complete"),
    Key(("s-tab",), "complete_back"),
    Key(("escape", "a"), "go_to_active"),
    *(Key(("escape", str(number)), "go_to_number") for number in range(1, 10)),
    Key(("escape", "right"), "go_to_next"),
    Key(("escape", "left"), "go_to_previous"),
    Key(("c-d",), "end"),
    Key(("c-c",), "interrupt"),
    Key(("enter",), "accept_secret", "secret"),
    Key(("c-c",), "give_up_secret", "secret"),
    Key(("c-d",), "give_up_secret", "secret"),
    Key(("<any>",), "answer", "question", eager=True),
    Key(("c-z",), "suspend", "everywhere"),
    Key(("<sigint>",), "quit_at_once", "everywhere"),
    # The mouse belongs to the terminal, and an escape sequence in a paste may look like its events.
    Key(("<vt100-mouse-event>",), "do_nothing", "everywhere", eager=True),
)
