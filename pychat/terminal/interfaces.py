"""The interfaces between a conversation and the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import NamedTuple, Protocol

from pychat.terminal.completion import Completions
from pychat.terminal.view import Line


class Typed(Enum):
    """The result of entering a line."""

    TAKEN = auto()
    """It was processed, and the arrow up recalls it, unless it is secret."""
    KEPT = auto()
    """It stays in the input line."""


class Leaving(NamedTuple):
    """How the person left."""

    exit_code: int
    reason: str = ""
    """The disconnect reason shown to others."""
    at_once: bool = False
    """True if the person does not want to wait for anything."""


class Screen(Protocol):
    """The terminal (`editor.py`), for the conversation. Output appears when the call that causes it returns."""

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines above the input line."""

    def ring(self) -> None:
        """Ring the bell."""

    def clear(self) -> None:
        """Clear the screen."""

    def give_back(self, text: str) -> None:
        """Put a text into the input line; if that is not empty, the arrow up recalls the text."""

    def take_back(self, text: str) -> bool:
        """Empty the input line if it has this text; return whether it had."""

    def change_line(self, text: str) -> str:
        """Replace the input line, answering an open question with no; return the earlier text."""

    def put_away(self, text: str) -> None:
        """Let the arrow up recall a text, unless it is secret."""

    def ask_secret(self, question: str, use: Callable[[str], None]) -> None:
        """Ask for a secret without echo; `use` is called with it, unless the person gives up."""

    def confirm(self, question: str) -> None:
        """Ask for confirmation of the line just entered; if confirmed, it is entered again."""

    def leave(self, exit_code: int, reason: str = "") -> None:
        """Remove the input line and return from `run`."""


class Talker(Protocol):
    """The conversation (`conversation.py`), for the terminal. All methods are called on the terminal's thread."""

    def prompt(self) -> str:
        """Return the prompt of the input line."""

    def status(self, columns: int) -> Line:
        """Return the status line, in at most `columns` columns."""

    def enter(self, text: str, *, confirmed: bool = False) -> Typed:
        """Process an entered line."""

    def is_secret(self, text: str) -> bool:
        """Return whether a line contains a secret that must not be stored: a password, a room key."""

    def complete(self, before: str) -> Completions:
        """Return the completions of the text before the cursor."""

    def go_to_number(self, number: int) -> None:
        """Show the room with this number."""

    def go_to_neighbour(self, step: int) -> None:
        """Show the room `step` numbers further."""

    def go_to_active(self) -> None:
        """Show the next room with unread messages."""

    def look(self) -> None:
        """Process news, and do what is due."""

    def look_again_in(self) -> float | None:
        """Return the seconds until the next `look` without news; None if none is needed."""
