"""
`pychat connect` for a person at a terminal: an input line, the chat above it, the status below.

    editor.py        the terminal, with device.py; where there can be no editor: line_mode.py
       |  ^
     keys  lines     interfaces.py defines what each needs of the other
       v  |
    conversation.py  turns input into requests; with local_commands.py, completion.py, status.py
       |  ^
    worker_threads.py  two threads that wait for the server
       |
    incoming.py      passes received items to rooms_view.py: the room on the screen (view.py, colors.py), or
                     to rooms.py, which stores them until the room is shown

Only worker_threads.py has threads; everything else runs on the terminal's thread.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from pychat.client import ChatClient
from pychat.model.errors import Refused
from pychat.model.text import clean_line
from pychat.terminal.colors import wants_color
from pychat.terminal.conversation import Conversation
from pychat.terminal.history_file import HistoryFile, history_path
from pychat.terminal.line_mode import LineMode, ask_nickname

if TYPE_CHECKING:
    from pychat.terminal.editor import Editor

_INTERRUPTED: Final = 130
_REFUSED: Final = 4
_NOT_ABOUT_NAMES: Final = frozenset(
    {
        "shutting_down",
        "password_required",
        "wrong_password",
        "tls_required",
        "bad_credentials",
        "too_many_attempts",
        "busy",
    }
)


def run(
    connect: Callable[[str], ChatClient],
    nick: str | None,
    *,
    proposal: str = "",
    color: bool | None = None,
    write: Callable[[Iterable[str]], None] | None = None,
) -> int:
    """
    Ask for a nickname if there is none, or until one is accepted, and chat; return the exit code.

    Args:
        connect: Creates a client with a nickname, or raises.
        proposal: The nickname if the person just presses Enter.
        color: True to use colours; None to decide by the environment.
        write: Writes lines to stdout if an editor is not possible; None to use the editor.

    Raises:
        ConnectFailed: If no server answers.
        ConnectionLost: If the connection is lost for good.
    """
    refused = False
    while True:
        try:
            name = nick if nick is not None else ask_nickname(proposal)
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
            refused, proposal = True, ""
            print(f"! {clean_line(str(error))}", file=sys.stdout if write is None else sys.stderr)
        else:
            if write is not None:
                return _chat(client, LineMode(write))
            from pychat.terminal.editor import Editor  # prompt_toolkit takes 0.15 s

            history = HistoryFile(history_path(*client.address, os.environ))
            return _chat(client, Editor(history, colors=wants_color(color, os.environ)))


def _chat(client: ChatClient, editor: Editor | LineMode) -> int:
    """Chat until the person leaves, or the connection is lost for good."""
    conversation = Conversation(client, editor, editor.notify)
    try:
        leaving = editor.run(conversation, conversation.start)
        for news in conversation.messenger.finish(leaving.reason, at_once=leaving.at_once):
            if not leaving.at_once:
                conversation.hear(news)
                editor.flush()
    finally:
        client.close()
    if conversation.lost is not None:
        raise conversation.lost
    return leaving.exit_code
