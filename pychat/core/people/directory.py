"""An index of people by the texts that a query without wildcards can match, so that no others are examined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.people.index import Index
from pychat.model.hostmask import Hostmask

if TYPE_CHECKING:
    from pychat.core.session import Session


class Directory:
    """Named sessions by user@host, host and real name. All methods that change it run under the chat's order lock."""

    def __init__(self) -> None:
        self._people: Index[Session] = Index()
        """Sessions by folded text."""

    def update(self, session: Session, old: Hostmask, new: Hostmask) -> None:
        """Update the index after the texts of a session have changed."""
        if old == new:
            return
        before, after = _keys(old), _keys(new)
        self._drop(session, before - after)
        for text in after:
            self._people.add(text, session)

    def remove(self, session: Session) -> None:
        """Remove a session that has ended."""
        self._drop(session, _keys(session.hostmask))

    def find(self, text: str) -> list[Session]:
        """Return the sessions that have exactly this folded text, in no particular order."""
        return list(self._people.get(text))

    def neighbours(self, session: Session) -> list[Session]:
        """Return the other sessions that have the host of this one."""
        return [other for other in self.find(session.hostmask.host) if other is not session]

    def _drop(self, session: Session, texts: set[str]) -> None:
        for text in texts:
            self._people.discard(text, session)


def _keys(hostmask: Hostmask) -> set[str]:
    return {hostmask.userhost, hostmask.host, hostmask.realname}
