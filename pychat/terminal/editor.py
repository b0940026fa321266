"""
The terminal: an input line, the chat above it in the terminal's own scrollback, the status below it.

Everything runs on the thread that calls `run`; `notify` may be called from any thread.

Each update is written in one piece: the input line is erased, text printed, the line drawn again, and only then are the
bytes sent. So nothing flickers, and a key pressed meanwhile is never echoed into the text.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from pychat.terminal.clusters import last_cluster
from pychat.terminal.colors import STYLES
from pychat.terminal.device import (
    Always,
    Application,
    BeforeInput,
    Buffer,
    ColorDepth,
    Completion,
    CompletionState,
    Condition,
    Document,
    FileHistory,
    FormattedText,
    KeyBindings,
    KeyPressEvent,
    PasswordProcessor,
    SearchToolbar,
    SelectionState,
    Style,
    get_app,
    has_focus,
    layout,
    open_output,
    print_formatted_text,
)
from pychat.terminal.history_file import HistoryFile
from pychat.terminal.interfaces import Leaving, Talker, Typed
from pychat.terminal.keys import KEYS
from pychat.terminal.refresh import Pulse
from pychat.terminal.status import choices_line
from pychat.terminal.view import Fragment, Line
from pychat.terminal.wrapping import wrap

_TWICE_SECONDS: Final = 1.0
"""Ctrl-C clears the line; a second one within this time leaves."""
_INTERRUPTED: Final = 130
_KILLED: Final = 128
"""Plus the number of the signal, as in a shell."""
_LOOK: Final = Style.from_dict(STYLES)


class Editor:
    """
    The `Screen` of a conversation.

    Args:
        colors: True to use colours.
        history: The earlier input, to which new input is added.
    """

    def __init__(self, history: HistoryFile, *, colors: bool) -> None:
        self._talker: Talker
        self._lines: list[Fragment] = []
        """Lines to print next."""
        self._use_secret: Callable[[str], None] | None = None
        self._question = ""
        self._completed: Document | None = None
        """The line after the last completion."""
        self._interrupted = -_TWICE_SECONDS
        self._pulse = Pulse(self._look)
        self._output = open_output()
        self._buffer = Buffer(history=FileHistory(history), multiline=True)
        self._secret = Buffer()
        self._app = Application(
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
        """Show the input line, call `start` when output may be shown above it, and return when the person leaves."""
        self._talker = talker

        def started() -> None:
            self._pulse.start()
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(self._failed)
            for number in (signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the window was closed
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores it
                    loop.add_signal_handler(number, partial(self.leave, _KILLED + number, at_once=True))
            start()
            self._settle()

        try:
            return self._app.run(started, set_exception_handler=False)
        except EOFError:  # the terminal is gone
            return Leaving(0)
        finally:
            self._remember(self._buffer.text)  # nobody could send it any more

    def notify(self) -> None:
        """Let the talker check for news, soon. May be called from any thread."""
        self._pulse.notify()

    def _look(self) -> None:
        self._talker.look()
        self._settle()

    def _settle(self) -> None:
        """Print pending lines, and schedule the next check that the talker requests."""
        self.flush()
        self._app.invalidate()
        self._pulse.again_in(self._talker.look_again_in())

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Make `run` raise the exception of a bug, because a half-working client would be worse."""
        if not self._app.is_done:
            self._app.exit(exception=context.get("exception") or RuntimeError(context["message"]))

    # The screen

    def show(self, lines: Iterable[Line]) -> None:
        columns = self._output.get_size().columns
        for row in [row for line in lines for row in wrap(line, columns)]:
            self._lines += [(f"class:{style}" if style else "", text) for style, text in row]
            self._lines.append(("", "\n"))

    def flush(self) -> None:
        """Print the pending lines."""
        if not self._lines:
            return
        if not self._app.is_done and self._app.is_running:
            self._output.hold()  # until the input line is drawn again
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
            # Selected: the first key replaces it, an arrow key keeps it.
            self._buffer.document = Document(text)
            self._buffer.selection_state = SelectionState()
            self._buffer.selection_state.enter_shift_mode()
            return
        self.put_away(text)

    def take_back(self, text: str) -> bool:
        if self._buffer.text != text:
            return False
        self._buffer.reset()
        return True

    def change_line(self, text: str) -> str:
        if self._use_secret is None:
            self._question = ""
        before = self._buffer.text
        self._buffer.reset(Document(text))
        return before

    def put_away(self, text: str) -> None:
        if text.strip() and not self._talker.is_secret(text):
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

    # Drawing

    def _layout(self) -> layout.Layout:
        search = SearchToolbar()
        typing = layout.BufferControl(
            self._buffer,
            input_processors=[BeforeInput(lambda: self._talker.prompt())],
            search_buffer_control=search.control,
        )
        hiding = layout.BufferControl(
            self._secret, input_processors=[PasswordProcessor(), BeforeInput(lambda: self._question)]
        )
        asked = Condition(lambda: self._use_secret is not None)
        status = layout.FormattedTextControl(self._status)
        return layout.Layout(
            layout.HSplit(
                [
                    layout.ConditionalContainer(layout.Window(typing, wrap_lines=True, height=_typing_height), ~asked),
                    layout.ConditionalContainer(layout.Window(hiding, height=1), asked),
                    search,
                    layout.Window(status, height=1, style="class:status"),
                ]
            )
        )

    def _shrink(self) -> None:
        """Erase the input line if it needs fewer rows than before: otherwise it would keep them all."""
        screen, size = self._app.renderer.last_rendered_screen, self._output.get_size()
        if screen is not None:
            needed = self._app.layout.container.preferred_height(size.columns, size.rows).preferred
            if min(needed, size.rows) < screen.height:
                self._output.hold()
                self._app.renderer.erase()

    def _status(self) -> FormattedText:
        """Return the status, or the completions to choose from."""
        state = self._buffer.complete_state
        if self._question and self._use_secret is None:
            line: Line = [("question", f" {self._question} ")]
        elif state is not None:
            line = choices_line([one.text for one in state.completions], state.complete_index)
        else:
            line = self._talker.status(self._output.get_size().columns)
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
        line = self._buffer.document
        self._buffer.reset()  # it is not the draft of its room when a command shows another one
        if self._talker.enter(line.text, confirmed=confirmed) is Typed.TAKEN:
            self._remember(line.text)
        else:
            self._buffer.reset(line)
        self._settle()

    def _remember(self, text: str) -> None:
        """Add a line to the history, for the arrow up, also in later runs; repeated ones once."""
        if self._buffer.history.get_strings()[-1:] != [text]:
            self.put_away(text)

    def _begin_line(self, event: KeyPressEvent) -> None:
        self._buffer.insert_text("\n")

    def _delete_before(self, event: KeyPressEvent) -> None:
        if self._buffer.selection_state is not None:
            self._buffer.cut_selection()
        else:
            self._buffer.delete_before_cursor(last_cluster(self._buffer.document.text_before_cursor))

    def _complete(self, event: KeyPressEvent) -> None:
        if self._buffer.complete_state is not None:
            self._buffer.complete_next()
            return
        if self._buffer.document == self._completed:  # a repeated Tab, by reflex
            return
        proposed = self._talker.complete(self._buffer.document.text_before_cursor)
        completions = [Completion(text, -proposed.typed) for text in proposed.texts]
        if len(completions) == 1:
            self._buffer.apply_completion(completions[0])
            # After a command an argument may follow; otherwise the next word has not begun yet.
            self._completed = None if completions[0].text.startswith("/") else self._buffer.document
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

    def _go_to_next(self, event: KeyPressEvent) -> None:
        self._talker.go_to_neighbour(1)
        self._settle()

    def _go_to_previous(self, event: KeyPressEvent) -> None:
        self._talker.go_to_neighbour(-1)
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
        self._output.release()  # nothing can be written until the shell continues this process
        event.app.suspend_to_background()

    def _do_nothing(self, event: KeyPressEvent) -> None:
        pass


def _typing_height() -> layout.Dimension:
    """Return the height of the input line: a long message uses up to two thirds of the screen, and scrolls."""
    return layout.Dimension(min=1, max=max(1, get_app().output.get_size().rows * 2 // 3))
