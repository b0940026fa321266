"""How this program was called, so that printed commands can be typed or copied as they are."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

_NAME: Final = "pychat"
OTHER_NAMES: Final = {
    **dict.fromkeys(("join", "chat", "client"), "connect"),
    **dict.fromkeys(("start", "run", "server"), "serve"),
    **dict.fromkeys(("say", "post", "msg"), "send"),
    **dict.fromkeys(("follow", "watch"), "tail"),
    **dict.fromkeys(("log", "logs", "search"), "history"),
    **dict.fromkeys(("ping", "status", "check"), "doctor"),
}
"""The usual names of commands in other programs, and their names here."""


def called_as() -> str:
    """Return the command that starts this program: `pychat`, `.venv/bin/pychat` or `python -m pychat`."""
    path = Path(sys.argv[0])
    if path.name == "__main__.py" and path.parent.name == _NAME:
        return f"{shlex.quote(sys.orig_argv[0])} -m {_NAME}"
    if path.name != _NAME or not path.exists():  # called by another program
        return _NAME
    found = shutil.which(_NAME)
    return _NAME if found is not None and path.samefile(found) else shlex.quote(sys.argv[0])
