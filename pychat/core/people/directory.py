"""An index of people: what a question without wildcards may name, beside the nickname. So nobody else is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.model.hostmask import Hostmask

if TYPE_CHECKING:
    from pychat.core.session import Session


class Directory:
    """Sessions that have a nickname, by user@host, host and real name. All of it runs under the chat's order lock."""

    def __init__(self) -> None:
        self._people: dict[str, set[Session]] = {}
        """By folded text."""

    def update(self, session: Session, old: Hostmask, new: Hostmask) -> None:
        """The texts of a session have changed."""
        before, after = _keys(old), _keys(new)
        self._drop(session, before - after)
        for text in after:
            self._people.setdefault(text, set()).add(session)

    def remove(self, session: Session) -> None:
        """The session has ended."""
        self._drop(session, _keys(session.hostmask))

    def find(self, text: str) -> list[Session]:
        """Return those who have exactly this folded text, in no particular order."""
        return list(self._people.get(text, ()))

    def _drop(self, session: Session, texts: set[str]) -> None:
        for text in texts:
            people = self._people.get(text)
            if people is not None:
                people.discard(session)
                if not people:
                    del self._people[text]


def _keys(hostmask: Hostmask) -> set[str]:
    return {hostmask.userhost, hostmask.host, hostmask.realname}
