"""
`pychat connect` for a person at a terminal: a line to type in, the chat above it, the status below.

    editor.py        the terminal; the only door of prompt_toolkit
       |  ^
     keys  lines     screen.py says what each needs of the other
       v  |
    conversation.py  what is typed becomes requests; with local_commands.py, completion.py, status.py
       |  ^
    messenger.py     two threads that wait for the server
       |
    hearing.py       what is heard goes to stage.py: the room on the screen (view.py, colors.py, notices.py), or is kept
                     in rooms.py until somebody looks

Only messenger.py has threads; everything else runs on the one of the terminal.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from pychat.client import ChatClient
from pychat.core.errors import Refused
from pychat.core.text import clean_line
from pychat.terminal.colors import wants_color
from pychat.terminal.conversation import Conversation
from pychat.terminal.editor import Editor, ask_nickname
from pychat.terminal.history_file import HistoryFile, history_path

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


def run(connect: Callable[[str], ChatClient], nick: str | None, *, color: bool | None = None) -> int:
    """
    Ask for a nickname if there is none, or until one is accepted, and chat; return the exit code.

    Args:
        connect: Makes a client with a nickname, or raises.
        color: Whether to use colours; None: as the environment has it.

    Raises:
        ConnectFailed: No server answers.
        ConnectionLost: The connection is lost for good.
    """
    refused = False
    while True:
        try:
            name = nick if nick is not None else ask_nickname()
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
            return _chat(client, colors=wants_color(color, os.environ))


def _chat(client: ChatClient, *, colors: bool) -> int:
    """Chat until the person leaves, or there is nobody to talk to."""
    editor = Editor(HistoryFile(history_path(*client.address, os.environ)), colors=colors)
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
