"""
Collect unfinished responses to labeled requests (`replies.ResponseStart`).

How a response is marked depends on the number of its parts, which is known only at its end. Until then nothing is sent
to the link: all its output is collected in order, both the response and everything else.
"""

from __future__ import annotations

from pychat.transport.link import Link


class _Response:
    """One response; `marks` are the indices, in `Link.pass_parts`, of its parts."""

    __slots__ = ("held", "label", "marks")

    def __init__(self, label: str) -> None:
        self.label = label
        self.marks: list[int] = []
        self.held: list[bytes] = []


class Responses:
    """The unfinished responses of all links, at most one per link. Used by the loop only."""

    def __init__(self) -> None:
        self._open: dict[Link, _Response] = {}

    def __contains__(self, link: Link) -> bool:
        return link in self._open

    def links(self) -> list[Link]:
        """Return the links with an unfinished response."""
        return list(self._open)

    def start(self, link: Link, label: str) -> None:
        """Start a response with this label; parts may be added to it from here on."""
        self._open[link] = _Response(label)

    def add(self, link: Link, first: int) -> None:
        """Add the parts of `Link.pass_parts` from the index `first` on to the response."""
        assert link.pass_parts is not None
        self._open[link].marks += range(first, len(link.pass_parts))

    def hold(self, link: Link, parts: list[bytes]) -> int:
        """Keep all parts for the next pass of the writer; return their bytes."""
        self._open[link].held = parts
        return sum(map(len, parts))

    def take_held(self, link: Link) -> list[bytes]:
        """Return the parts kept in the previous pass; nothing if there is no unfinished response."""
        response = self._open.get(link)
        return [] if response is None else response.held

    def end(self, link: Link) -> None:
        """Complete the response and mark its parts in `Link.pass_parts`; do nothing if there is none."""
        response = self._open.pop(link, None)
        if response is None:
            return
        own = link.pass_parts
        assert own is not None
        marks = [mark for mark in response.marks if own[mark]]
        labelled = link.dialect.label(response.label, [own[mark] for mark in marks])
        if not marks:
            own += labelled
        for mark, part in zip(marks, labelled, strict=False):
            own[mark] = part
