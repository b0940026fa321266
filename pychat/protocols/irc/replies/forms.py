"""
Forms: numerics that are the same for every client but for its nickname, as everybody gets on connecting.

They are written once for a server, and again when what they tell has changed; then only nicknames are filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pychat.protocols.irc.asked import as_middle

if TYPE_CHECKING:
    from pychat.protocols.irc.replies.context import Context

Writer: TypeAlias = "Callable[[Any, Context], list[str]]"
"""Writes numerics that tell of a value."""

_CODE_CHARS: Final = 3
_BYTES_OF_CHARACTER: Final = 4


class _Form(NamedTuple):
    value: object
    """What the lines tell of."""
    lines: list[tuple[str, str]] | None
    """The parts of each line before and after the nickname; None if lines are split where the nickname is long."""


class Forms:
    """The forms of one server. They do not depend on capabilities, so clients cannot cause more of them."""

    __slots__ = ("_forms",)

    def __init__(self) -> None:
        self._forms: dict[Writer, _Form] = {}

    def fill(self, write: Writer, value: object, context: Context) -> list[str]:
        """Return the lines that `write` returns for a value and this context, whose nickname alone may vary."""
        form = self._forms.get(write)
        if form is None or form.value != value:
            form = self._forms[write] = _Form(value, _parts(write, value, context))
        nickname = as_middle(context.nickname)
        if form.lines is None or len(nickname) > context.limits.nickname_chars:
            return write(value, context)
        return [head + nickname + tail for head, tail in form.lines]


def _parts(write: Writer, value: object, context: Context) -> list[tuple[str, str]] | None:
    """Return the parts of the lines before and after a nickname, if they are the same for the shortest and longest."""
    before = len(f":{context.server} ") + _CODE_CHARS + 1
    longest = "x" * (_BYTES_OF_CHARACTER * context.limits.nickname_chars)
    short, long = (
        [(line[:before], line[before + len(nickname) :]) for line in write(value, context._replace(nickname=nickname))]
        for nickname in ("x", longest)
    )
    return short if short == long else None
