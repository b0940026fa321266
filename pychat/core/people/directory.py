"""An index of people by the texts that a query without wildcards can match, so that no others are examined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.people.index import Index
from pychat.model.hostmask import Hostmask

if TYPE_CHECKING:
    from pychat.core.people.state import Person


class Directory:
    """People by user@host, host and real name. All methods that change it run under the chat's order lock."""

    def __init__(self) -> None:
        self._people: Index[Person] = Index()
        """People by folded text."""

    def update(self, person: Person, old: Hostmask, new: Hostmask) -> None:
        """Update the index after the texts of a person have changed."""
        if old == new:
            return
        before, after = _keys(old), _keys(new)
        self._drop(person, before - after)
        for text in after:
            self._people.add(text, person)

    def remove(self, person: Person) -> None:
        """Remove a person that has ended."""
        self._drop(person, _keys(person.hostmask))

    def find(self, text: str) -> list[Person]:
        """Return the people that have exactly this folded text, in no particular order."""
        return list(self._people.get(text))

    def neighbours(self, person: Person) -> list[Person]:
        """Return the other people that have the host of this one."""
        return [other for other in self.find(person.hostmask.host) if other is not person]

    def _drop(self, person: Person, texts: set[str]) -> None:
        for text in texts:
            self._people.discard(text, person)


def _keys(hostmask: Hostmask) -> set[str]:
    return {hostmask.userhost, hostmask.host, hostmask.realname}
