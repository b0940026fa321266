"""
Render received items for the screen: lines of styled fragments.

All text from others is cleaned here, whatever the server did, and never becomes a control sequence: a fragment is a
style and a text, and the text has only visible characters.
"""

from __future__ import annotations

import re
import time
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from pychat.model.events import Disconnected, Event, Joined, Left, Message
from pychat.model.replies import HistoryPage, Replay, Reply
from pychat.model.search import UNSPACED
from pychat.model.text import clean
from pychat.protocols.text.render import Style, render
from pychat.protocols.text.wording import listeners, record_title
from pychat.terminal.colors import nickname_style

Fragment: TypeAlias = tuple[str, str]
"""A style, by its name in `colors.STYLES`, and a text."""

Line: TypeAlias = list[Fragment]

_MOST_MARKS: Final = 6
"""
Maximum number of successive combining marks. No language uses as many; more are meant to overwrite other lines.

Nicknames have fewer (`model/names.py`). The message itself is unchanged; only this screen hides the excess.
"""

_INVISIBLE: Final = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
"""Characters without width that no language needs between letters. The joiners of emoji and Persian stay."""

_STYLES: Final = {"-->": "quiet", "<--": "quiet", "-- ": "note", "! ": "error"}
"""By the beginning of a line (`protocols/text/render.py`)."""


class Stamped(NamedTuple):
    """Lines of one moment, still without their time."""

    moment: float
    """POSIX seconds."""
    lines: list[Line]


def width_of(text: str) -> int:
    """Return approximately how many columns a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def visible(text: str) -> str:
    """Return a text from others, made safe to show; it may have several lines."""
    return _with_few_marks(_INVISIBLE.sub("", clean(text)))


def _with_few_marks(text: str) -> str:
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def visible_line(text: str) -> str:
    """Return a name or a line from others, made safe to show, on one line."""
    return visible(text).replace("\n", " ")


def plain_line(text: str, style: str = "") -> Line:
    """Return a line in one style; by default, the style for its beginning."""
    text = visible_line(text)
    return [(style or next((name for start, name in _STYLES.items() if text.startswith(start)), ""), text)]


def mentions(text: str, nickname: str) -> bool:
    """Return whether a text mentions the nickname, ignoring case: as a word, or next to a script without blanks."""
    return _mention(nickname).search(text) is not None


@lru_cache(maxsize=16)
def _mention(nickname: str) -> re.Pattern[str]:
    before = "" if re.match(UNSPACED, nickname[:1]) else rf"(?:(?<![\w-])|(?<={UNSPACED}))"
    behind = "" if re.match(UNSPACED, nickname[-1:]) else rf"(?:(?![\w-])|(?={UNSPACED}))"
    return re.compile(f"{before}{re.escape(nickname)}{behind}", re.IGNORECASE)


class View:
    """
    Renders items as lines, depending on the reader, and on the date of the previous line.

    Args:
        me: The nickname of the person at the screen.
        today: POSIX seconds.
    """

    def __init__(self, me: str, today: float) -> None:
        self.me = me
        self._day = _day(today)

    def show(self, item: Event | Reply, now: float) -> list[Line]:
        """
        Return the lines of an item, each with its time; a change of date gets its own line.

        Items without a time have the time `now`.
        """
        return [line for stamped in self._items(item, now) for line in self.stamp(stamped)]

    def stamp(self, stamped: Stamped) -> list[Line]:
        """Add the time to lines; a change of date gets its own line before them."""
        if not stamped.lines:
            return []
        moment = time.localtime(stamped.moment)
        before: list[Line] = []
        if (day := _day(stamped.moment)) != self._day:
            self._day = day
            before = [
                [("heading", f"-- {time.strftime('%A', moment)}, {moment.tm_mday} {time.strftime('%B %Y', moment)}")]
            ]
        clock = time.strftime("[%H:%M] ", moment)
        return before + [[("time", clock), *line] for line in stamped.lines]

    def _items(self, item: Event | Reply, now: float) -> list[Stamped]:
        if not isinstance(item, Replay | HistoryPage):
            return [Stamped(item.time if isinstance(item, Event) else now, self._lines(item))]
        # A page may have nothing to show, for example only changes of profiles.
        shown = [stamped for event in item.events if (stamped := Stamped(event.time, self._lines(event))).lines]
        end = [Stamped(now, [plain_line("-- end of the history", "heading")])] if isinstance(item, HistoryPage) else []
        return [Stamped(now, [plain_line(_heading(item, len(shown)), "heading")]), *shown, *end[: len(shown)]]

    def _lines(self, item: Event | Reply) -> list[Line]:
        if isinstance(item, Message):
            return self._message(item)
        # All items are rendered for the current room: those of others are not shown, or shown under a heading.
        style = Style(default_room=getattr(item, "room", None) or "", local_time=True)
        return [plain_line(line) for line in render(item, style)]

    def _message(self, message: Message) -> list[Line]:
        """Return the lines of a message, each with its sender, so nobody can fake a line of somebody else."""
        sender = visible_line(message.sender)
        to_me = sender != self.me and mentions(message.text, self.me)
        name = ("mention" if to_me else nickname_style(sender), sender)
        before: Line = []
        if message.role:
            before.append(("private", f"[for {visible_line(listeners(message.role))}] "))
        elif message.room is None:
            to = visible_line(message.to or "")
            before += [("private", "["), name, ("private", " -> "), (nickname_style(to), to), ("private", "] ")]
        if message.action:
            before += [("", "* "), name, ("", " ")]
        elif message.room is not None:
            before += [name, ("", ": ")]
        lines = visible(message.text).split("\n")
        return [[*before, *(self._marked(line) if to_me else [("", line)])] for line in lines]

    def _marked(self, text: str) -> Line:
        """Return the text with our nickname highlighted."""
        line: Line = []
        position = 0
        for match in _mention(self.me).finditer(text):
            line += [("", text[position : match.start()]), ("mention", match[0])]
            position = match.end()
        return [*line, ("", text[position:])]


def _day(moment: float) -> tuple[int, int]:
    local = time.localtime(moment)
    return local.tm_year, local.tm_yday


def _heading(page: Replay | HistoryPage, number: int) -> str:
    only_messages = all(isinstance(event, Message) for event in page.events)
    search, more = (page.search, page.more) if isinstance(page, HistoryPage) else ("", False)
    return f"-- {record_title(page.room, number, only_messages=only_messages, search=search, more=more)}"


def crowd_line(events: list[Joined] | list[Left | Disconnected]) -> str:
    """Return one line about several joins, or several leaves."""
    if len(events) == 1:
        return render(events[0])[0]
    sign, what = ("-->", "joined") if isinstance(events[0], Joined) else ("<--", "left")
    names = ", ".join(event.nickname for event in events[:_NAMED])
    more = f" and {len(events) - _NAMED} more" if len(events) > _NAMED else ""
    return f"{sign} {len(events)} people {what}: {names}{more}"


_NAMED: Final = 10
"""How many people of a crowd are named."""
