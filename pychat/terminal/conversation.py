"""
What a person types becomes requests to the server: the terminal client without its terminal.

Everything here runs on one thread, that of the terminal, and never waits: `messenger.py` does. What comes back goes to
`hearing.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pychat.client import ChatClient
from pychat.core.clock import SYSTEM_CLOCK, Clock
from pychat.core.errors import ChatError, Refused
from pychat.core.limits import Limits
from pychat.core.names import fold
from pychat.core.replies import Failure, Lines, Reply
from pychat.core.text import clean
from pychat.core.verbs import Direct, Help, Invalid, Join, Quit, Say, Verb
from pychat.terminal.completion import Completions, Known, complete
from pychat.terminal.hearing import Hearing
from pychat.terminal.local_commands import TABLE, Clear, Ignore, Unignore
from pychat.terminal.messenger import Answer, Ended, Messenger, News, Request
from pychat.terminal.passwords import ask_secrets, has_secret, is_like_a_secret
from pychat.terminal.screen import Screen, Typed
from pychat.terminal.stage import Stage
from pychat.terminal.status import Link, status_line
from pychat.terminal.view import Line, visible_line

_PASTE_LINES: Final = 10
"""A message with more lines is asked about: it may be a paste that was not meant for the chat."""
_USUAL_SECONDS: Final = 0.5
"""What takes longer to be acknowledged is worth a word in the status line."""


class Conversation:
    """
    One person's side of the chat (the `Talker` of screen.py).

    Args:
        client: Connected, and hears its own messages; nothing was taken from it yet.
        notify: Called on any thread when it is time to `look`.
    """

    def __init__(
        self, client: ChatClient, screen: Screen, notify: Callable[[], None], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._client = client
        self._screen = screen
        self._clock = clock
        self.messenger: Final = Messenger(client, notify)
        self._stage = Stage(screen, client.welcome.nickname, clock)
        self._hearing = Hearing(self._stage, clock, lambda: client.rooms)
        self._asked: list[float] = []
        """When those requests were made that are not answered yet."""
        self.lost: ChatError | None = None
        """Why there is nothing to hear any more."""

    def start(self) -> None:
        """Begin to hear. The screen must be there."""
        self._hearing.hear(self._client.welcome)
        self.messenger.start()

    # What stands around the line

    def prompt(self) -> str:
        room = self._stage.rooms.current
        return f"[{visible_line(room.name) if room else 'no room'}] "

    def status(self) -> Line:
        now = self._clock.monotonic()
        retry_at = self._hearing.retry_at
        link = Link(
            self._client.welcome.server,
            None if retry_at is None else max(0.0, retry_at - now),
            len(self._asked) if self._asked and now - self._asked[0] >= _USUAL_SECONDS else 0,
        )
        return status_line(self._stage.me, self._stage.rooms, link)

    def complete(self, before: str) -> Completions:
        rooms = self._stage.rooms
        names = [*reversed(rooms.current.nicknames.values())] if rooms.current else []
        if self._hearing.correspondent is not None:  # who may be in no room of ours
            names.append(self._hearing.correspondent)
        others = [name for name in dict.fromkeys(names) if name != self._stage.me]
        return complete(before, Known(TABLE.commands, [room.name for room in rooms], others))

    # What is typed

    def enter(self, text: str, *, confirmed: bool = False) -> Typed:
        text = text.strip("\n").rstrip()  # what is pasted often ends with a newline
        if not text:
            return Typed.TAKEN
        asked = TABLE.parse(text) if text.startswith("/") else Say(text)
        doing = _DOING.get(type(asked))
        if doing is not None and (done := doing(self, asked)) is not None:
            return done
        assert isinstance(asked, Verb)
        if not self._client.connected:
            self._stage.tell("! not connected; the line stays here until you are back")
            return Typed.KEPT
        if ask_secrets(self._screen, asked, lambda verb: self._ask(verb, ""), self._stage.tell):
            return Typed.TAKEN
        if isinstance(asked, Say | Direct):
            if problem := _problem(asked.text, self._client.limits):
                self._stage.tell(f"! {problem}")
                return Typed.KEPT
            lines = asked.text.count("\n") + 1
            if lines > _PASTE_LINES and not confirmed:
                self._screen.confirm(f"send {lines} lines? [y/N]")
                return Typed.KEPT
        self._ask(asked, text)
        return Typed.TAKEN

    def is_secret(self, text: str) -> bool:
        asked = TABLE.parse(text) if text.startswith("/") else None
        return is_like_a_secret(text) if isinstance(asked, Invalid) else has_secret(asked)

    def _ask(self, verb: Verb, typed: str) -> None:
        """Ask the server, about the room on the screen if the person names no other: it may think of another one."""
        current = self._stage.rooms.current
        if getattr(verb, "room", "") is None and current is not None:
            verb = verb._replace(room=current.name)  # type: ignore[call-arg]  # it has the field
        if isinstance(verb, Direct) and verb.to is None:  # not who is ignored, or not shown yet
            verb = verb._replace(to=self._hearing.correspondent)
        self._asked.append(self._clock.monotonic())
        self.messenger.ask(Request(verb, typed))

    def _invalid(self, asked: Invalid) -> Typed:
        self._stage.show(Failure(None, asked.code, asked.text))
        return Typed.TAKEN

    def _help(self, asked: Help) -> Typed | None:
        if not asked.about and self._client.connected:
            return None  # the server may add commands
        self._stage.show(Lines(None, tuple(asked.text.split("\n"))))
        return Typed.TAKEN

    def _quit(self, asked: Quit) -> Typed:
        self._screen.leave(0, asked.reason)
        return Typed.TAKEN

    def _join(self, asked: Join) -> Typed | None:
        room = self._stage.rooms.find(asked.room)
        if room is None:
            return None
        self._stage.go_to(room)
        return Typed.TAKEN

    def _clear(self, asked: Clear) -> Typed:
        self._screen.clear()
        return Typed.TAKEN

    def _ignore(self, asked: Ignore) -> Typed:
        ignored = self._stage.ignored
        if asked.nickname:
            ignored[fold(asked.nickname)] = asked.nickname
            self._stage.tell(f"-- you ignore {asked.nickname} now; /unignore {asked.nickname} ends it")
        else:
            self._stage.tell(f"-- ignored: {', '.join(ignored.values()) or 'nobody'}")
        return Typed.TAKEN

    def _unignore(self, asked: Unignore) -> Typed:
        name = self._stage.ignored.pop(fold(asked.nickname), None)
        self._stage.tell(f"! you do not ignore {asked.nickname}" if name is None else f"-- you hear {name} again")
        return Typed.TAKEN

    # The keys for rooms

    def go_to_number(self, number: int) -> None:
        room = self._stage.rooms.number(number)
        if room is not None and room is not self._stage.rooms.current:
            self._stage.go_to(room)

    def go_to_active(self) -> None:
        room = self._stage.rooms.next_active()
        if room is not None:
            self._stage.go_to(room)

    # What comes back

    def look(self) -> None:
        for news in self.messenger.take():
            self.hear(news)
        self._stage.show_due()
        if self._hearing.rings:
            self._hearing.rings = False
            self._screen.ring()

    def look_again_in(self) -> float | None:
        now = self._clock.monotonic()
        times = [self._stage.due_in()]
        if self._hearing.retry_at is not None and (left := self._hearing.retry_at - now) > 0:
            times.append(left % 1 or 1.0)  # when the number of seconds is another
        if self._asked and (left := self._asked[0] + _USUAL_SECONDS - now) > 0:
            times.append(left)
        return min((seconds for seconds in times if seconds is not None), default=None)

    def hear(self, news: News) -> None:
        """Take one piece of news."""
        if isinstance(news, Answer):
            self._answered(news)
        elif isinstance(news, Ended):
            self.lost = news.error
            self._screen.leave(0)
        else:
            self._hearing.hear(news)

    def _answered(self, answer: Answer) -> None:
        self._asked.pop(0)
        verb, error = answer.request.verb, answer.error
        if error is not None:
            self._stage.show(Failure.of(error) if isinstance(error, Refused) else Failure(None, "", str(error)))
            if isinstance(verb, Say | Direct):
                self._screen.give_back(answer.request.typed)
        elif answer.reply is not None and not isinstance(verb, Say | Direct):  # we hear those in their place
            self._hearing.hear_answer(_explained(verb, answer.reply))


_Doing = Callable[[Conversation, Any], Typed | None]

_DOING: Final[dict[type, _Doing]] = {
    Invalid: Conversation._invalid,
    Help: Conversation._help,
    Quit: Conversation._quit,
    Join: Conversation._join,
    Clear: Conversation._clear,
    Ignore: Conversation._ignore,
    Unignore: Conversation._unignore,
}
"""What needs no server, or not always: then they return None."""


def _problem(text: str, limits: Limits) -> str | None:
    """Why a message cannot be sent; None if it can."""
    text = clean(text)
    for what, number, limit in (
        ("lines", text.count("\n") + 1, limits.text_lines),
        ("bytes", len(text.encode(errors="replace")), limits.text_bytes),
    ):
        if number > limit:
            return f"message: at most {limit} {what}, and this has {number}; it was not sent"
    return None


def _explained(verb: Verb, reply: Reply) -> Reply:
    """To a list of commands, what the handlers of the server add; its first line is about what programs send."""
    if isinstance(verb, Help) and isinstance(reply, Lines):
        return Lines(None, (*verb.text.split("\n"), *reply.lines[1:]))
    return reply
