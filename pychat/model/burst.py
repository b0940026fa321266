"""
A burst: plain messages of one member in one room, sent at once, as one value.

It looks like a list of `Message`, each created on access. On the way from a busy sender to the members, none is: a
protocol writes the common parts between the texts, and the log stores the burst as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import Final, overload

from pychat.model.events import Message


class Burst(Sequence[Message]):
    """
    Immutable; contains at least one message. Each has only its text: no action, no tags, no audience.

    The texts are printable ASCII on one line (`core/messages/bulk.py` ensures that), so no protocol has to clean them
    again.
    """

    __slots__ = ("account", "first", "room", "sender", "texts", "times", "userhost")

    def __init__(
        self,
        first: int,
        times: Sequence[float],
        room: str,
        sender: str,
        userhost: str,
        texts: Sequence[str],
        account: str | None = None,
    ) -> None:
        """
        Args:
            first: The id of the first message; the others follow.
            times: One time for each text.
        """
        self.first = first
        self.times = times
        self.room = room
        self.sender = sender
        self.userhost = userhost
        self.texts = texts
        self.account = account

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice) -> Burst: ...
    def __getitem__(self, index: int | slice) -> Message | Burst:
        if isinstance(index, slice):
            start, _, step = index.indices(len(self.texts))
            assert step == 1
            times, texts = self.times[index], self.texts[index]
            return Burst(self.first + start, times, self.room, self.sender, self.userhost, texts, self.account)
        place = range(self.first, self.first + len(self.texts))[index]
        time, text = self.times[index], self.texts[index]
        return Message(place, time, self.room, self.sender, text, userhost=self.userhost, account=self.account)

    def __iter__(self) -> Iterator[Message]:
        fields = zip(
            range(self.first, self.first + len(self.texts)),
            self.times,
            repeat(self.room),
            repeat(self.sender),
            self.texts,
            *map(repeat, _PLAIN[5:9]),
            repeat(self.userhost),
            *map(repeat, _PLAIN[10:13]),
            repeat(self.account),
        )
        return map(_message_of_fields, fields)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # like a list


_PLAIN: Final = Message(0, 0.0, "", "", "")
_message_of_fields: Final = partial(tuple.__new__, Message)
"""Makes a message from all its fields, twice as fast as its own constructor."""


def moments(first: int, count: int) -> list[float]:
    """Return the times of events that are a millisecond apart, from the milliseconds of the first one."""
    # Slightly more, because a float may be slightly less than a whole number of milliseconds.
    return [(ms + 0.25) / 1000 for ms in range(first, first + count)]
