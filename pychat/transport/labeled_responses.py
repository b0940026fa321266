"""
Answers to requests that had a label (`replies.ResponseStart`), while they are being made.

How such an answer is marked depends on how many parts it has, so it is known only at its end. Until then the link
gets nothing: everything for it is collected, what answers the request and what comes between, in its order.
"""

from __future__ import annotations

from pychat.transport.link import Link


class _Response:
    """One answer; `marks` are the indices, in `Link.own`, of the parts that belong to it."""

    __slots__ = ("held", "label", "marks")

    def __init__(self, label: str) -> None:
        self.label = label
        self.marks: list[int] = []
        self.held: list[bytes] = []


class Responses:
    """The unfinished answers of all links, at most one for each. Used by the writer thread only."""

    def __init__(self) -> None:
        self._open: dict[Link, _Response] = {}

    def __contains__(self, link: Link) -> bool:
        return link in self._open

    def links(self) -> list[Link]:
        """Those with an unfinished answer."""
        return list(self._open)

    def start(self, link: Link, label: str) -> None:
        """From here on something may belong to an answer with this label."""
        self._open[link] = _Response(label)

    def add(self, link: Link, first: int) -> None:
        """The parts of `Link.own` from the index `first` on belong to the answer."""
        assert link.own is not None
        self._open[link].marks += range(first, len(link.own))

    def hold(self, link: Link, parts: list[bytes]) -> int:
        """A pass of the writer is over: keep everything for the next one; return the bytes."""
        self._open[link].held = parts
        return sum(map(len, parts))

    def take_held(self, link: Link) -> list[bytes]:
        """Return what was kept in the pass before; nothing if there is no unfinished answer."""
        response = self._open.get(link)
        return [] if response is None else response.held

    def end(self, link: Link) -> None:
        """The answer is complete: mark its parts in `Link.own`; nothing happens if there is none."""
        response = self._open.pop(link, None)
        if response is None:
            return
        own = link.own
        assert own is not None
        marks = [mark for mark in response.marks if own[mark]]
        labelled = link.dialect.label(response.label, [own[mark] for mark in marks])
        if not marks:
            own += labelled
        for mark, part in zip(marks, labelled, strict=False):
            own[mark] = part
