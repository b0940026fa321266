"""The keys of the line to type in, beside those of readline; docs/terminal.md has the same table for people."""

from __future__ import annotations

from typing import Final, NamedTuple


class Key(NamedTuple):
    """One key, or two pressed one after the other, and the method of the editor that it calls."""

    keys: tuple[str, ...]
    """As prompt_toolkit calls them; Alt and a key is Escape and that key."""
    does: str
    where: str = "line"
    """`line`, `secret` (where a password is typed), `question` (while one waits for its answer), or `everywhere`."""
    eager: bool = False
    """Whether it goes before longer sequences of keys, and before the keys of readline."""


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
    # The mouse is the terminal's, and an escape sequence in a paste may look like its events.
    Key(("<vt100-mouse-event>",), "do_nothing", "everywhere", eager=True),
)
