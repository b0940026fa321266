"""
The terminal: a line to type in, the chat above it in the terminal's own scrollback, the status below it.

The only door of prompt_toolkit. Everything runs on the thread that calls `run`; `notify` may be called from any.

What is shown in one go is written in one go: the line is taken away, text printed, the line drawn again, and only then
do the bytes leave. So nothing flickers, and a key that is pressed meanwhile is never echoed into the text.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from prompt_toolkit.application import Application, get_app
from prompt_toolkit.buffer import Buffer, CompletionState
from prompt_toolkit.completion import Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Always, Condition, has_focus
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    FormattedTextControl,
    HSplit,
    Layout,
    Window,
)
from prompt_toolkit.layout.processors import BeforeInput, PasswordProcessor
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style
from prompt_toolkit.widgets import SearchToolbar

from pychat.terminal.colors import STYLES
from pychat.terminal.history_file import HistoryFile
from pychat.terminal.keys import KEYS
from pychat.terminal.pulse import Pulse
from pychat.terminal.screen import Leaving, Talker, Typed
from pychat.terminal.status import choices_line
from pychat.terminal.view import Fragment, Line

_TWICE_SECONDS: Final = 1.0
"""Ctrl-C clears the line; again within this time, it leaves."""
_INTERRUPTED: Final = 130
_KILLED: Final = 128
"""And the number of the signal, as the shell has it."""
_LOOK: Final = Style.from_dict(STYLES)


class _Output(Vt100_Output):
    """
    Writes to the terminal, at once or, while it is held, later.

    It never asks where the cursor is: the answer would come between the keys that are typed, after each line of output.
    """

    _held = False

    def hold(self) -> None:
        """Write nothing until `release`."""
        self._held = True

    def release(self) -> None:
        """Write everything since `hold`."""
        self._held = False
        self.flush()

    def flush(self) -> None:
        if not self._held:
            super().flush()

    def erase_down(self) -> None:
        """Erase from the beginning of a row on, in two parts: tmux scrolls a screen away that is erased in one."""
        self.write_raw("\x1b[K\x1b[C\x1b[J\x1b[D")


def _open_output() -> _Output:
    output = _Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    assert isinstance(output, _Output)
    output.enable_cpr = False
    return output


class _History(History):
    """The entries of a file."""

    def __init__(self, file: HistoryFile) -> None:
        super().__init__()
        self._file = file

    def load_history_strings(self) -> Iterable[str]:
        return reversed(self._file.read())

    def store_string(self, string: str) -> None:
        self._file.add(string)


class _Application(Application[Leaving]):
    def _on_resize(self) -> None:
        """
        Take the line away from where it is now, and draw it again.

        In a narrower window the rows that were full take more rows, so the first of them is further above the cursor.
        Nearly all terminals wrap them again; on one that cuts them off, the last lines of the chat are overwritten, and
        they are still in the room's history.
        """
        screen = self.renderer.last_rendered_screen
        if screen is not None and (window := self.layout.current_window) in screen.visible_windows:
            columns = self.output.get_size().columns
            cursor = screen.get_cursor_position(window)
            widths = [max(screen.data_buffer[row], default=0) for row in range(cursor.y)]
            self.output.cursor_up(sum(width // columns for width in (*widths, cursor.x)))
        super()._on_resize()


def ask_nickname() -> str:
    """Ask for a nickname; raises EOFError or KeyboardInterrupt if the person gives up."""
    session: PromptSession[str] = PromptSession(output=_open_output())
    return session.prompt("Your nickname: ").strip()


class Editor:
    """
    The `Screen` of a conversation.

    Args:
        colors: Whether to use some.
        history: What was typed before, and where to add to it.
    """

    def __init__(self, history: HistoryFile, *, colors: bool) -> None:
        self._talker: Talker
        self._lines: list[Fragment] = []
        """What is shown next."""
        self._use_secret: Callable[[str], None] | None = None
        self._question = ""
        self._interrupted = -_TWICE_SECONDS
        self._pulse = Pulse(self._look)
        self._output = _open_output()
        self._buffer = Buffer(history=_History(history), multiline=True)
        self._secret = Buffer()
        self._app = _Application(
            self._layout(),
            style=_LOOK,
            include_default_pygments_style=False,
            key_bindings=self._bindings(),
            color_depth=None if colors else ColorDepth.DEPTH_1_BIT,  # None: as many as the terminal has
            erase_when_done=True,
            terminal_size_polling_interval=None,
            output=self._output,
            before_render=lambda _: self._shrink(),
            after_render=lambda _: self._output.release(),
        )

    def run(self, talker: Talker, start: Callable[[], None]) -> Leaving:
        """Show the line, call `start` when things may be shown above it, and return when the person leaves."""
        self._talker = talker

        def started() -> None:
            self._pulse.start()
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(self._failed)
            for number in (signal.SIGTERM, signal.SIGHUP):  # the second: the window is closed
                if signal.getsignal(number) is not signal.SIG_IGN:  # it is, under nohup
                    loop.add_signal_handler(number, partial(self.leave, _KILLED + number, at_once=True))
            start()
            self._settle()

        try:
            return self._app.run(started, set_exception_handler=False)
        except EOFError:  # the terminal is gone
            return Leaving(0)
        finally:
            self._remember_line()  # which nobody could send any more

    def notify(self) -> None:
        """Let the talker look at what is new, soon. From any thread."""
        self._pulse.notify()

    def _look(self) -> None:
        self._talker.look()
        self._settle()

    def _settle(self) -> None:
        """Show what there is to show, and look again when the talker wants to."""
        self.flush()
        self._app.invalidate()
        self._pulse.again_in(self._talker.look_again_in())

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Let `run` raise what a bug raised: half a client would be worse."""
        if not self._app.is_done:
            self._app.exit(exception=context.get("exception") or RuntimeError(context["message"]))

    # The screen

    def show(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._lines += [(f"class:{style}" if style else "", text) for style, text in line]
            self._lines.append(("", "\n"))

    def flush(self) -> None:
        """Print what was shown."""
        if not self._lines:
            return
        if not self._app.is_done and self._app.is_running:
            self._output.hold()  # until the line is drawn again
            self._app.renderer.erase()
            self._app.invalidate()
        text, self._lines = FormattedText(self._lines), []
        print_formatted_text(self._output, text, _LOOK, color_depth=self._app.color_depth)

    def ring(self) -> None:
        self._output.bell()

    def clear(self) -> None:
        self._app.renderer.clear()

    def give_back(self, text: str) -> None:
        if not self._buffer.text:
            self._buffer.document = Document(text)
            return
        self._buffer.history.append_string(text)
        self._buffer.reset(self._buffer.document)

    def ask_secret(self, question: str, use: Callable[[str], None]) -> None:
        self._question, self._use_secret = question, use
        self._app.layout.focus(self._secret)

    def confirm(self, question: str) -> None:
        self._question = question

    def leave(self, exit_code: int, reason: str = "", *, at_once: bool = False) -> None:
        if self._app.is_running and not self._app.is_done:
            self._app.exit(result=Leaving(exit_code, reason, at_once))

    # How it is drawn

    def _layout(self) -> Layout:
        search = SearchToolbar()
        typing = BufferControl(
            self._buffer,
            input_processors=[BeforeInput(lambda: self._talker.prompt())],
            search_buffer_control=search.control,
        )
        hiding = BufferControl(
            self._secret, input_processors=[PasswordProcessor(), BeforeInput(lambda: self._question)]
        )
        asked = Condition(lambda: self._use_secret is not None)
        status = FormattedTextControl(self._status)
        return Layout(
            HSplit(
                [
                    ConditionalContainer(Window(typing, wrap_lines=True, height=_typing_height), ~asked),
                    ConditionalContainer(Window(hiding, height=1), asked),
                    search,
                    Window(status, height=1, style="class:status"),
                ]
            )
        )

    def _shrink(self) -> None:
        """Take the line away if it needs fewer rows than before: drawn over itself, it would keep them all."""
        screen, size = self._app.renderer.last_rendered_screen, self._output.get_size()
        if screen is not None:
            needed = self._app.layout.container.preferred_height(size.columns, size.rows).preferred
            if min(needed, size.rows) < screen.height:
                self._output.hold()
                self._app.renderer.erase()

    def _status(self) -> FormattedText:
        """The status, or what the person has to choose from."""
        state = self._buffer.complete_state
        if self._question and self._use_secret is None:
            line: Line = [("question", f" {self._question} ")]
        elif state is not None:
            line = choices_line([one.text for one in state.completions], state.complete_index)
        else:
            line = self._talker.status()
        return FormattedText([(f"class:{style}", text) for style, text in line])

    # The keys (keys.py)

    def _bindings(self) -> KeyBindings:
        asked = Condition(lambda: bool(self._question) and self._use_secret is None)
        where = {
            "line": has_focus(self._buffer),
            "secret": has_focus(self._secret),
            "question": asked,
            "everywhere": Always(),
        }
        bindings = KeyBindings()
        for key in KEYS:
            do: Callable[[KeyPressEvent], None] = getattr(self, f"_{key.does}")
            bindings.add(*key.keys, filter=where[key.where], eager=key.eager)(do)
        return bindings

    def _accept(self, event: KeyPressEvent, *, confirmed: bool = False) -> None:
        typed = self._talker.enter(self._buffer.text, confirmed=confirmed)
        if typed is Typed.TAKEN:
            self._remember_line()
            self._buffer.reset()
        self._settle()

    def _remember_line(self) -> None:
        """Let the arrow up bring back what is in the line, today and tomorrow."""
        if self._buffer.text.strip() and not self._talker.is_secret(self._buffer.text):
            self._buffer.append_to_history()

    def _begin_line(self, event: KeyPressEvent) -> None:
        self._buffer.insert_text("\n")

    def _complete(self, event: KeyPressEvent) -> None:
        if self._buffer.complete_state is not None:
            self._buffer.complete_next()
            return
        proposed = self._talker.complete(self._buffer.document.text_before_cursor)
        completions = [Completion(text, -proposed.typed) for text in proposed.texts]
        if len(completions) == 1:  # done: the next Tab is for the next word
            self._buffer.apply_completion(completions[0])
        elif completions:
            self._buffer.complete_state = CompletionState(self._buffer.document, completions)
            self._buffer.complete_next()

    def _complete_back(self, event: KeyPressEvent) -> None:
        self._buffer.complete_previous()

    def _go_to_active(self, event: KeyPressEvent) -> None:
        self._talker.go_to_active()
        self._settle()

    def _go_to_number(self, event: KeyPressEvent) -> None:
        self._talker.go_to_number(int(event.key_sequence[-1].key))
        self._settle()

    def _end(self, event: KeyPressEvent) -> None:
        if self._buffer.text:
            self._buffer.delete()
        else:
            self.leave(0)

    def _interrupt(self, event: KeyPressEvent) -> None:
        now = asyncio.get_running_loop().time()
        if not self._buffer.text and now - self._interrupted < _TWICE_SECONDS:
            self._quit_at_once(event)
            return
        self._interrupted = now
        if not self._buffer.text:
            self.show([[("note", "-- Ctrl-C again leaves, and so does Ctrl-D")]])
        self._buffer.reset()
        self._settle()

    def _quit_at_once(self, event: KeyPressEvent) -> None:
        self.leave(_INTERRUPTED, at_once=True)

    def _accept_secret(self, event: KeyPressEvent) -> None:
        use, secret = self._use_secret, self._secret.text
        self._give_up_secret(event)
        if use is not None and secret:
            use(secret)
        self._settle()

    def _give_up_secret(self, event: KeyPressEvent) -> None:
        self._question, self._use_secret = "", None
        self._secret.reset()
        self._app.layout.focus(self._buffer)

    def _answer(self, event: KeyPressEvent) -> None:
        self._question = ""
        if event.data in ("y", "Y"):
            self._accept(event, confirmed=True)

    def _suspend(self, event: KeyPressEvent) -> None:
        self._output.release()  # nothing more can be written until the shell lets us go on
        event.app.suspend_to_background()

    def _do_nothing(self, event: KeyPressEvent) -> None:
        pass


def _typing_height() -> Dimension:
    """A long message takes half of the screen, and scrolls in it."""
    return Dimension(min=1, max=max(1, get_app().output.get_size().rows // 2))
