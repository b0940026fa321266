"""Rules for nicknames beyond those that all names follow (`model/names.py`)."""

from __future__ import annotations

from collections.abc import Iterable

from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.model.errors import Refused
from pychat.model.names import fold


class NicknameValidator(Handler):
    """Refuse nicknames that are too short or forbidden. Without arguments, every valid name passes."""

    waits = False

    def __init__(self, *, min_chars: int = 1, forbidden: Iterable[str] = ()) -> None:
        """
        Args:
            forbidden: Nicknames that nobody can have, compared by folded name: `["root", "moderator"]`.
        """
        self._min_chars = min_chars
        self._forbidden = frozenset(fold(name) for name in forbidden)

    def before_nick(self, session: Session, nickname: str) -> str:
        if len(nickname) < self._min_chars:
            raise Refused(f"nickname {nickname!r} is too short: at least {self._min_chars} characters")
        if fold(nickname) in self._forbidden:
            raise Refused(f"nickname {nickname!r} is not allowed here; choose another")
        return nickname
