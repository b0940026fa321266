"""
`pychat connect` for a person at a terminal: a line to type in, and the chat above it. The only door of prompt_toolkit.

The main thread runs the line; what comes in is printed above it and never disturbs what is being typed. A second
thread shows what is heard, a third says what was typed: a server that holds back a fast talker must not hold the
line.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.patch_stdout import StdoutProxy

from pychat.client import ChatClient, Heard
from pychat.core import replies
from pychat.core.errors import AckTimeout, ChatError, ConnectionLost, LocalProtocolError, Refused
from pychat.core.replies import Failure, Reply
from pychat.core.text import clean, clean_line
from pychat.core.verbs import Help, Invalid, Quit, Say, Verb
from pychat.display import Lines
from pychat.protocols import slash

_BATCH_SECONDS: Final = 0.05
"""What comes within this time is printed at once: the line is drawn again each time."""
_TWICE_SECONDS: Final = 1.0
"""Ctrl-C clears the line; again within this time, it leaves."""
_INTERRUPTED: Final = 130
_REFUSED: Final = 4
_LEAVING: Final = ("/quit", "/exit")
_WITH_PASSWORD: Final = "/oper "
"""What neither stays on the screen nor in the history of the line."""
_NOT_ABOUT_NAMES: Final = frozenset({"shutting_down", "tls_required"})


def run(connect: Callable[[str], ChatClient], nick: str | None) -> int:
    """
    Ask for a nickname if there is none, or until one is accepted, and chat; return the exit code.

    Args:
        connect: Makes a client with a nickname, or raises.

    Raises:
        ConnectFailed: No server answers.
        ConnectionLost: The connection is lost for good.
    """
    asked: PromptSession[str] = PromptSession()
    refused = False
    while True:
        try:
            name = nick if nick is not None else asked.prompt("Your nickname: ").strip()
        except KeyboardInterrupt:
            return _INTERRUPTED
        except EOFError:
            return _REFUSED if refused else 0
        nick = None
        if not name:
            continue
        try:
            client = connect(name)
        except Refused as error:
            if error.code in _NOT_ABOUT_NAMES:
                raise
            refused = True
            print(f"! {clean_line(str(error))}")
        else:
            return Terminal(client).run()


class Terminal:
    """
    One conversation.

    The line to type in is there from the beginning to the end; whoever prints while it is being put up or taken down
    would write into the same buffer of the terminal. So the other threads start when it is there.
    """

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._lines = Lines()
        self._typed: queue.SimpleQueue[Verb | None] = queue.SimpleQueue()
        self._lost: ChatError | None = None
        self._interrupted = 0.0
        self._session: PromptSession[str] = PromptSession(key_bindings=self._bindings(), erase_when_done=True)
        self._threads = [
            threading.Thread(target=self._talk, name="pychat-talk", daemon=True),
            threading.Thread(target=self._hear, name="pychat-screen", daemon=True),
        ]

    def run(self) -> int:
        """Chat until the person leaves, or there is nobody to talk to; return the exit code."""
        print(*self._lines.show(self._client.welcome), sep="\n")
        exit_code, reason = 0, ""
        with StdoutProxy(sleep_between_writes=_BATCH_SECONDS) as self._screen:
            try:
                reason = self._session.prompt(self._prompt, pre_run=self._start)
            except EOFError:
                pass
            except KeyboardInterrupt:
                exit_code = _INTERRUPTED
            else:
                self._typed.put(None)
                self._threads[0].join()
            self._client.close(reason)
            self._threads[1].join()
        if self._lost is not None:
            raise self._lost
        return exit_code

    # The line

    def _start(self) -> None:
        for thread in self._threads:
            thread.start()

    def _prompt(self) -> str:
        """Who talks, and where: so a line that was typed looks like those of others."""
        rooms = self._client.rooms
        where = f"[{clean_line(rooms[-1])}] " if rooms and rooms[-1] != self._lines.room else ""
        return f"{where}{clean_line(self._client.nickname)}: "

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()

        @bindings.add("enter")
        def accept(event: KeyPressEvent) -> None:
            """Say the line; while there is no connection, it stays where it was typed."""
            text = event.current_buffer.text
            if text.strip() and not self._client.connected and not text.startswith(_LEAVING):
                self._print(["! not connected; the line stays here until you are back"])
                return
            if text.lower().startswith(_WITH_PASSWORD):
                event.current_buffer.reset()
                self._accept(text)
                return
            event.current_buffer.append_to_history()
            event.current_buffer.reset()
            if text.strip():
                before = self._prompt()
                self._print([f"{before}{line}" for line in clean(text).split("\n")])
                self._accept(text)

        @bindings.add("<vt100-mouse-event>", eager=True)
        def ignore(event: KeyPressEvent) -> None:
            """Do nothing: the mouse is the terminal's, and an escape sequence in a paste may look like its events."""

        @bindings.add("c-c")
        def interrupt(event: KeyPressEvent) -> None:
            """Clear the line, or leave."""
            now = time.monotonic()
            if now - self._interrupted < _TWICE_SECONDS:
                event.app.exit(exception=KeyboardInterrupt)
                return
            self._interrupted = now
            if not event.current_buffer.text:
                self._print(["-- Ctrl-C again leaves, and so does Ctrl-D"])
            event.current_buffer.reset()

        return bindings

    def _accept(self, text: str) -> None:
        verb = slash.parse(text) if text.startswith("/") else Say(text)
        if isinstance(verb, Quit):
            self._leave(verb.reason)
        elif isinstance(verb, Invalid):
            self._show(Failure(None, verb.code, verb.text))
        else:
            self._typed.put(verb)

    def _leave(self, reason: str) -> None:
        app = self._session.app
        if app.is_running and not app.is_done:
            app.exit(result=reason)

    # The other threads

    def _hear(self) -> None:
        try:
            for heard in self._client.events():
                self._show(heard)
        except ConnectionLost as error:
            self._lost = error
        loop = self._session.app.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed just now: the person has left
                loop.call_soon_threadsafe(self._leave, "")

    def _talk(self) -> None:
        while (verb := self._typed.get()) is not None:
            try:
                answer = self._client.ask(verb)
                if isinstance(verb, Help):
                    answer = _explain(verb, answer)
                self._show(answer)
            except Refused as error:
                self._show(Failure.of(error))
            except (AckTimeout, ConnectionLost, LocalProtocolError) as error:
                what = f": {text}" if (text := getattr(verb, "text", None)) else ""
                self._show(Failure(None, "", f"{error}{what}"))

    # All of them

    def _show(self, heard: Heard | Reply) -> None:
        self._print(self._lines.show(heard))

    def _print(self, lines: list[str]) -> None:
        if lines:
            self._screen.write("".join(f"{line}\n" for line in lines))


def _explain(verb: Help, answer: Reply) -> Reply:
    """What can be typed here, and behind it what the handlers of the server add to a list of all commands."""
    own = verb.text.split("\n")
    # The first line of the server's answer is about the language that programs speak.
    added = answer.lines[1:] if isinstance(answer, replies.Lines) and len(own) > 1 else ()
    return replies.Lines(None, (*own, *added))
