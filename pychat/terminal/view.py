"""
How things look on the screen: what was heard as lines of styled fragments.

Everything that comes from others is cleaned here, whatever the server did, and it never becomes a control sequence: a
fragment is a style and a text, and the text has nothing but characters that can be seen.
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
Combining marks in a row that are shown. No language stacks as many; more are meant to run into the lines around.

Nicknames have fewer (`model/names.py`). What was said stays as it is; only this screen leaves some of it out.
"""

_INVISIBLE: Final = re.compile("[\u00ad\u180e\u200b\u2060-\u2064\ufeff]")
"""What has no width and no language needs between letters. The joiners of emoji and of Persian stay."""

_STYLES: Final = {"-->": "quiet", "<--": "quiet", "-- ": "note", "! ": "error"}
"""By how lines begin (`protocols/text/render.py`)."""


class Stamped(NamedTuple):
    """Lines of one moment, still without its time before them."""

    moment: float
    """POSIX seconds."""
    lines: list[Line]


def width_of(text: str) -> int:
    """How many columns a text takes, about."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def visible(text: str) -> str:
    """Return a text of somebody else as it may be shown; it may have several lines."""
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
    """The same for a name or a line: on one line."""
    return visible(text).replace("\n", " ")


def plain_line(text: str, style: str = "") -> Line:
    """A line in one style; without one, that of how it begins."""
    text = visible_line(text)
    return [(style or next((name for start, name in _STYLES.items() if text.startswith(start)), ""), text)]


def mentions(text: str, nickname: str) -> bool:
    """Whether a text has the nickname in it, whatever its case: as a word, or beside letters that no blank parts."""
    return _mention(nickname).search(text) is not None


@lru_cache(maxsize=16)
def _mention(nickname: str) -> re.Pattern[str]:
    before = "" if UNSPACED.match(nickname[:1]) else rf"(?:(?<![\w-])|(?<={UNSPACED.pattern}))"
    behind = "" if UNSPACED.match(nickname[-1:]) else rf"(?:(?![\w-])|(?={UNSPACED.pattern}))"
    return re.compile(f"{before}{re.escape(nickname)}{behind}", re.IGNORECASE)


class View:
    """
    Makes lines of items. It knows whom it shows them to, and which day the line before was of.

    Args:
        me: Nickname of the one who looks at it.
        today: POSIX seconds.
    """

    def __init__(self, me: str, today: float) -> None:
        self.me = me
        self._day = _day(today)

    def show(self, item: Event | Reply, now: float) -> list[Line]:
        """
        The lines of an item, each with its time, a new day announced.

        What has no time of its own happened `now`.
        """
        return [line for stamped in self._items(item, now) for line in self.stamp(stamped)]

    def stamp(self, stamped: Stamped) -> list[Line]:
        """Put the time before lines; before them comes a line with the day, if it is another one."""
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
        # A page of nothing but, say, changes of profiles has nothing to show.
        shown = [stamped for event in item.events if (stamped := Stamped(event.time, self._lines(event))).lines]
        end = [Stamped(now, [plain_line("-- end of the history", "heading")])] if isinstance(item, HistoryPage) else []
        return [Stamped(now, [plain_line(_heading(item, len(shown)), "heading")]), *shown, *end[: len(shown)]]

    def _lines(self, item: Event | Reply) -> list[Line]:
        if isinstance(item, Message):
            return self._message(item)
        # Every room is the one that is looked at: what is said elsewhere is not shown, or below a heading.
        style = Style(default_room=getattr(item, "room", None) or "", local_time=True)
        return [plain_line(line) for line in render(item, style)]

    def _message(self, message: Message) -> list[Line]:
        """Every line of a message begins with who said it, so nobody can fake a line of somebody else."""
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
        """The text with the nickname in it marked."""
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
    """One line about people who came, or people who went."""
    if len(events) == 1:
        return render(events[0])[0]
    sign, what = ("-->", "joined") if isinstance(events[0], Joined) else ("<--", "left")
    names = ", ".join(event.nickname for event in events[:_NAMED])
    more = f" and {len(events) - _NAMED} more" if len(events) > _NAMED else ""
    return f"{sign} {len(events)} people {what}: {names}{more}"


_NAMED: Final = 10
"""How many of a crowd are named."""
