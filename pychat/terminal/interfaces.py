"""What a conversation needs of the terminal, and what the terminal needs of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import NamedTuple, Protocol

from pychat.terminal.completion import Completions
from pychat.terminal.view import Line


class Typed(Enum):
    """What becomes of a line that was typed."""

    TAKEN = auto()
    """It is done with, and can be brought back by the arrow up, unless it is secret."""
    KEPT = auto()
    """It stays where it is."""


class Leaving(NamedTuple):
    """How the person left."""

    exit_code: int
    reason: str = ""
    """What the others shall be told."""
    at_once: bool = False
    """Whether the person does not want to wait for anything."""


class Screen(Protocol):
    """The terminal (`editor.py`), for the conversation. What is shown appears when the call that shows it returns."""

    def show(self, lines: Iterable[Line]) -> None:
        """Print lines above the one that is typed."""

    def ring(self) -> None:
        """Ring the bell."""

    def clear(self) -> None:
        """Clear the screen."""

    def give_back(self, text: str) -> None:
        """Put a text into the line; if something else is there by now, one arrow up brings the text."""

    def take_back(self, text: str) -> bool:
        """Empty the line if it is this text; return whether it was."""

    def change_line(self, text: str) -> str:
        """Put a text into the line, whose question, if there is one, is answered by no; return what was there."""

    def put_away(self, text: str) -> None:
        """Let one arrow up bring a text, unless it is secret."""

    def ask_secret(self, question: str, use: Callable[[str], None]) -> None:
        """Ask for something that nobody shall see; `use` is called with it, unless the person gives up."""

    def confirm(self, question: str) -> None:
        """Ask whether the line that was just entered is meant so; if it is, it is entered again as confirmed."""

    def leave(self, exit_code: int, reason: str = "") -> None:
        """Take the line away and return from `run`."""


class Talker(Protocol):
    """The conversation (`conversation.py`), for the terminal. All of it is called on the terminal's thread."""

    def prompt(self) -> str:
        """What stands before the line that is typed."""

    def status(self, columns: int) -> Line:
        """What stands below it, in so many columns."""

    def enter(self, text: str, *, confirmed: bool = False) -> Typed:
        """Take a line that was typed."""

    def is_secret(self, text: str) -> bool:
        """Whether a line has something in it that no file may have: a password, the key of a room."""

    def complete(self, before: str) -> Completions:
        """Propose what the text before the cursor could end with."""

    def go_to_number(self, number: int) -> None:
        """Show the room with this number."""

    def go_to_neighbour(self, step: int) -> None:
        """Show the room so many numbers further."""

    def go_to_active(self) -> None:
        """Show the next room in which something was said."""

    def look(self) -> None:
        """Take what is new, and do what is due."""

    def look_again_in(self) -> float | None:
        """In how many seconds to `look` again, even if nothing is new; None: only then."""
