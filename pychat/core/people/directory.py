"""An index of people by the texts that a query without wildcards can match, so that no others are examined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.model.hostmask import Hostmask

if TYPE_CHECKING:
    from pychat.core.session import Session


class Directory:
    """Named sessions by user@host, host and real name. All methods that change it run under the chat's order lock."""

    def __init__(self) -> None:
        self._people: dict[str, set[Session]] = {}
        """Sessions by folded text."""

    def update(self, session: Session, old: Hostmask, new: Hostmask) -> None:
        """Update the index after the texts of a session have changed."""
        before, after = _keys(old), _keys(new)
        self._drop(session, before - after)
        for text in after:
            self._people.setdefault(text, set()).add(session)

    def remove(self, session: Session) -> None:
        """Remove a session that has ended."""
        self._drop(session, _keys(session.hostmask))

    def find(self, text: str) -> list[Session]:
        """Return the sessions that have exactly this folded text, in no particular order."""
        return list(self._people.get(text, ()))

    def neighbours(self, session: Session) -> list[Session]:
        """Return the other sessions that have the host of this one."""
        return [other for other in self.find(session.hostmask.host) if other is not session]

    def _drop(self, session: Session, texts: set[str]) -> None:
        for text in texts:
            people = self._people.get(text)
            if people is not None:
                people.discard(session)
                if not people:
                    del self._people[text]


def _keys(hostmask: Hostmask) -> set[str]:
    return {hostmask.userhost, hostmask.host, hostmask.realname}
