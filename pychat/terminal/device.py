"""
The input line of prompt_toolkit, and our changes to it; the only module that imports it.

Output written together is sent together (`Output.hold`), and a resized window keeps its input line intact.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from prompt_toolkit import application, layout
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer, CompletionState
from prompt_toolkit.completion import Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Always, Condition, has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.layout.processors import BeforeInput, PasswordProcessor
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.selection import SelectionState
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import SearchToolbar

from pychat.terminal.history_file import HistoryFile
from pychat.terminal.interfaces import Leaving

__all__ = [
    "Always",
    "Application",
    "BeforeInput",
    "Buffer",
    "ColorDepth",
    "Completion",
    "CompletionState",
    "Condition",
    "Document",
    "FileHistory",
    "FormattedText",
    "KeyBindings",
    "KeyPressEvent",
    "PasswordProcessor",
    "SearchToolbar",
    "SelectionState",
    "Style",
    "get_app",
    "has_focus",
    "layout",
    "open_output",
    "print_formatted_text",
]


class Output(Vt100_Output):
    """
    Writes to the terminal, at once or, while it is held, later.

    It never queries the cursor position: the answer would arrive between typed keys, after each line of output.
    """

    _held = False

    def hold(self) -> None:
        """Buffer output until `release`."""
        self._held = True

    def release(self) -> None:
        """Write all output since `hold`."""
        self._held = False
        self.flush()

    def flush(self) -> None:
        if not self._held:
            super().flush()

    def erase_down(self) -> None:
        """Erase from the start of a row down, in two parts: tmux scrolls a screen away if it is erased in one."""
        self.write_raw("\x1b[K\x1b[C\x1b[J\x1b[D")


def open_output() -> Output:
    output = Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    assert isinstance(output, Output)
    output.enable_cpr = False
    return output


class FileHistory(History):
    """The entries of a history file."""

    def __init__(self, file: HistoryFile) -> None:
        super().__init__()
        self._file = file

    def load_history_strings(self) -> Iterable[str]:
        return reversed(self._file.read())

    def store_string(self, string: str) -> None:
        self._file.add(string)


class Application(application.Application[Leaving]):
    def _on_resize(self) -> None:
        """
        Erase the input line at its current place, and draw it again.

        In a narrower window full rows take more rows, so the first of them is further above the cursor. Nearly all
        terminals rewrap them; on one that truncates them, the last lines of the chat are overwritten, and remain in the
        room's history.
        """
        screen = self.renderer.last_rendered_screen
        if screen is not None and (window := self.layout.current_window) in screen.visible_windows:
            columns = self.output.get_size().columns
            cursor = screen.get_cursor_position(window)
            widths = [max(screen.data_buffer[row], default=0) for row in range(cursor.y)]
            self.output.cursor_up(sum(width // columns for width in (*widths, cursor.x)))
        super()._on_resize()
