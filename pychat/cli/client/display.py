"""Format received items for `pychat connect`: lines for people, or JSON for programs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from pychat.client import Dropped, Heard, LateAnswer, Reconnected, Reconnecting
from pychat.model.queries import Ref
from pychat.model.replies import Bye, Members, Reply, Welcome
from pychat.model.text import clean_line
from pychat.protocols.jsonl.fields import dump_object, to_bytes
from pychat.protocols.jsonl.items import encode_item
from pychat.protocols.text.render import Style, render


class Lines:
    """Formats items for people. Every line is clean, whatever the server sent (`protocols/text/render.py`)."""

    def __init__(self) -> None:
        self._style = Style(local_time=True)
        self._room: str | None = None
        """The first room that was joined, whose messages are shown without its name; None until it is known."""

    def show(self, heard: Heard) -> list[str]:
        """Return the lines that describe an item; there may be none."""
        match heard:
            case LateAnswer():
                return []
            case Welcome():  # there is no /help in a pipe
                return [clean_line(f"-- welcome to {heard.server}, {heard.nickname}")]
            case Reconnecting(attempt, _, reason):
                return [f"-- {clean_line(reason)}; reconnecting"] if attempt == 1 else []
            case Reconnected(missed):
                return ["-- reconnected" + (f"; {_messages(missed)} missed meanwhile" if missed else "")]
            case Dropped(number):
                return [f"-- {number} lines came too fast and are not shown"]
            case Members() if heard.joined and self._room is None:
                self._room = heard.room
                self._style = self._style._replace(default_room=heard.room)
        return render(heard, self._style)


def _messages(number: int) -> str:
    return "1 message was" if number == 1 else f"{number} messages were"


def show_json(heard: Heard) -> str:
    """Return one line, as in docs/protocol.md, without its newline; empty if there is nothing to show."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", _json(heard))


def _json(heard: Heard) -> str:
    writer = _WRITERS.get(type(heard))
    if writer is not None:
        return dump_object(writer(heard))
    assert not isinstance(heard, Reconnecting | Reconnected | Dropped)
    if isinstance(heard, LateAnswer):
        heard = with_ref(heard.answer, heard.verb.ref)
    if isinstance(heard, Welcome):
        heard = heard._replace(ref=None, token="")  # a secret, which the client itself uses
    return to_bytes(encode_item(heard)).decode()


_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
"""Characters that JSON does not escape but a terminal would interpret; for a program the escape is equivalent."""


_WRITERS: Final[dict[type, Callable[[Any], dict[str, Any]]]] = {
    Reconnecting: lambda heard: {
        "type": "reconnecting",
        "attempt": heard.attempt,
        "delay": round(heard.delay, 3),
        "reason": heard.reason,
    },
    Reconnected: lambda heard: {"type": "reconnected", "missed": heard.missed},
    Dropped: lambda heard: {"type": "dropped", "number": heard.number},
}


def with_ref(reply: Reply, ref: Ref) -> Reply:
    """Return the reply with this ref."""
    return reply if isinstance(reply, Bye) or "ref" not in reply._fields else reply._replace(ref=ref)  # type: ignore[call-arg]
