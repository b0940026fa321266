"""
Turn a person's input into requests to the server: the terminal client without its terminal.

Everything here runs on the terminal's thread and never blocks; `worker_threads.py` does. Results go to `incoming.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pychat.client import ChatClient, LateAnswer
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.errors import AckTimeout, ChatError, ConnectionLost, NotConnected, Refused
from pychat.model.events import Message
from pychat.model.limits import Limits
from pychat.model.names import fold
from pychat.model.queries import GetMotd
from pychat.model.replies import Failure, Lines, Motd
from pychat.model.text import clean
from pychat.model.verbs import Direct, Help, Invalid, Join, Quit, Say, Verb
from pychat.protocols.text.confidential import in_text
from pychat.terminal.completion import Completions, Known, complete
from pychat.terminal.incoming import Hearing
from pychat.terminal.interfaces import Screen, Typed
from pychat.terminal.local_commands import TABLE, Clear, Go, Ignore, Reconnect, Unignore, Win
from pychat.terminal.passwords import ask_secrets, has_secret, is_like_a_secret
from pychat.terminal.rooms_view import Stage
from pychat.terminal.status import Link, status_line
from pychat.terminal.view import Line, visible_line
from pychat.terminal.worker_threads import Answer, Ended, Messenger, News, Request

_PASTE_LINES: Final = 10
"""A message with more lines needs confirmation: it may be an accidental paste."""
_MOST_UNANSWERED: Final = 100
_USUAL_SECONDS: Final = 0.5
"""A slower acknowledgement is shown in the status line."""


class Conversation:
    """
    One person's side of the chat (the `Talker` of interfaces.py).

    Args:
        client: Connected, with `own_messages`; nothing was taken from it yet.
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
        self._hearing = Hearing(self._stage, clock, lambda: client.rooms, lambda: client.nickname)
        self._asked: list[float] = []
        """When the unanswered requests were made."""
        self._unanswered: list[Request] = []
        """Requests that were sent and may or may not have been performed: no answer has arrived yet, or none can."""
        self._joining = 0
        """How many requests to join a room are unanswered."""
        self._held: list[str] = []
        """Input typed during a join, which is meant for the new room."""
        self.lost: ChatError | None = None
        """The error that ended the connection for good."""

    def start(self) -> None:
        """Start receiving. The screen must be ready."""
        self._hearing.hear(self._client.welcome)
        self.messenger.start()

    # Around the input line

    def prompt(self) -> str:
        room = self._stage.rooms.current
        return f"[{visible_line(room.name) if room else 'no room'}] "

    def status(self, columns: int) -> Line:
        now = self._clock.monotonic()
        retry_at = self._hearing.retry_at
        link = Link(
            self._client.welcome.server,
            None if retry_at is None else max(0.0, retry_at - now),
            len(self._asked) if self._asked and now - self._asked[0] >= _USUAL_SECONDS else 0,
        )
        return status_line(self._stage.me, self._stage.rooms, link, columns)

    def complete(self, before: str) -> Completions:
        rooms = self._stage.rooms
        names = [*reversed(rooms.current.nicknames.values())] if rooms.current else []
        if self._hearing.correspondent is not None:  # who may not be in any of our rooms
            names.append(self._hearing.correspondent)
        for room in rooms:  # members of other rooms come last
            names += reversed(room.nicknames.values())
        me, topic = self._stage.me, rooms.current.topic if rooms.current else ""
        others = [name for name in dict.fromkeys(names) if name != me]
        return complete(before, Known(TABLE.commands, [room.name for room in rooms], others, topic, me))

    # Input

    def enter(self, text: str, *, confirmed: bool = False) -> Typed:
        text = text.strip("\n").rstrip()  # a paste often ends with a newline
        if not text:
            self._client.hurry()
            return Typed.TAKEN
        asked = TABLE.parse(text) if text.startswith("/") else Say(text)
        doing = _DOING.get(type(asked))
        if doing is not None and (done := doing(self, asked)) is not None:
            return done
        assert isinstance(asked, Verb)
        asked = self._meant(asked)
        if not self._client.connected:
            self._stage.tell("! not connected; the line stays here until the connection is back")
            return Typed.KEPT
        if ask_secrets(self._screen, asked, lambda verb: self._ask(verb, ""), self._stage.tell):
            return Typed.TAKEN
        if self._joining and isinstance(asked, Say):
            self._held.append(text)
            return Typed.TAKEN
        if isinstance(asked, Say | Direct):
            if problem := _problem(asked, self._client.limits):
                self._stage.tell(f"! {problem}")
                return Typed.KEPT
            if not confirmed and (question := self._doubt(asked)):
                self._screen.confirm(question)
                return Typed.KEPT
        if isinstance(asked, Say):
            self._stage.was_moved = False
        self._ask(asked, text)
        return Typed.TAKEN

    def _doubt(self, asked: Say | Direct) -> str:
        """Return the question if the message needs confirmation; empty if not."""
        room, lines = self._stage.rooms.current, asked.text.count("\n") + 1
        if isinstance(asked, Say) and self._stage.was_moved and room is not None:
            return f"you are in {visible_line(room.name)} now; send it there? [y/N]"
        if any(request.verb == asked for request in self._unanswered):
            return "it may have been sent already; send it again? [y/N]"
        return f"send {lines} lines? [y/N]" if lines > _PASTE_LINES else ""

    def is_secret(self, text: str) -> bool:
        asked = TABLE.parse(text) if text.startswith("/") else None
        return is_like_a_secret(text) if isinstance(asked, Invalid) else has_secret(asked)

    def _ask(self, verb: Verb, typed: str) -> None:
        """Send a request to the server."""
        self._asked.append(self._clock.monotonic())
        self._joining += isinstance(verb, Join)
        self.messenger.ask(Request(verb, typed))

    def _meant(self, verb: Verb) -> Verb:
        """
        Return a verb with the defaults that the person sees, because the server's may differ.

        These are the room on the screen, and the last correspondent who was shown and is not ignored.
        """
        current = self._stage.rooms.current
        if getattr(verb, "room", "") is None and current is not None:
            verb = verb._replace(room=current.name)  # type: ignore[call-arg]  # it has the field
        if isinstance(verb, Direct) and verb.to is None:
            verb = verb._replace(to=self._hearing.correspondent, reply_to=self._hearing.correspondent_id or None)
        if isinstance(verb, Direct) and verb.to is not None and verb.reply_to is None:  # in their own spelling
            there = [room.nicknames.get(fold(verb.to)) for room in self._stage.rooms]
            verb = verb._replace(to=next(filter(None, there), verb.to))
        return verb

    def _invalid(self, asked: Invalid) -> Typed:
        self._stage.show(Failure(None, asked.code, asked.text))
        return Typed.TAKEN

    def _help(self, asked: Help) -> Typed | None:
        if not asked.about and self._client.connected:
            return None  # the server may add commands
        self._stage.explain(asked.text.split("\n"))
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

    def _reconnect(self, asked: Reconnect) -> Typed:
        if self._client.connected:
            self._stage.tell("-- you are connected")
        self._client.hurry()
        return Typed.TAKEN

    def _clear(self, asked: Clear) -> Typed:
        self._screen.clear()
        return Typed.TAKEN

    def _ignore(self, asked: Ignore) -> Typed:
        ignored = self._stage.ignored
        if asked.nickname:
            ignored[fold(asked.nickname)] = asked.nickname
            self._stage.tell(f"-- you now ignore {asked.nickname}; /unignore {asked.nickname} ends it")
        else:
            self._stage.tell(f"-- ignored: {', '.join(ignored.values()) or 'nobody'}")
        return Typed.TAKEN

    def _unignore(self, asked: Unignore) -> Typed:
        name = self._stage.ignored.pop(fold(asked.nickname), None)
        self._stage.tell(f"! you do not ignore {asked.nickname}" if name is None else f"-- you no longer ignore {name}")
        return Typed.TAKEN

    # The keys for rooms

    def go_to_number(self, number: int) -> None:
        room = self._stage.rooms.number(number)
        if room is None:
            self._stage.tell(f"! you have no room {number}; your rooms: {self._room_list()}")
        elif room is not self._stage.rooms.current:
            self._stage.go_to(room)

    def go_to_neighbour(self, step: int) -> None:
        rooms = [*self._stage.rooms]
        if self._stage.rooms.current in rooms and len(rooms) > 1:
            self._stage.go_to(rooms[(rooms.index(self._stage.rooms.current) + step) % len(rooms)])

    def _room_list(self) -> str:
        return ", ".join(f"{number} {room.name}" for number, room in enumerate(self._stage.rooms, 1)) or "none"

    def _win(self, asked: Win) -> Typed:
        self.go_to_number(asked.number)
        return Typed.TAKEN

    def _go(self, asked: Go) -> Typed:
        start = fold(asked.room)
        room = self._stage.rooms.find(asked.room) or next(
            (room for room in self._stage.rooms if fold(room.name).startswith(start)), None
        )
        if room is None:
            self._stage.tell(
                f"! you are not in room {asked.room}; your rooms: {self._room_list()}; to join it: /join {asked.room}"
            )
        elif room is not self._stage.rooms.current:
            self._stage.go_to(room)
        return Typed.TAKEN

    def go_to_active(self) -> None:
        room = self._stage.rooms.next_active()
        if room is not None:
            self._stage.go_to(room)

    # Results

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
            times.append(left % 1 or 1.0)  # when the displayed number of seconds changes
        if self._asked and (left := self._asked[0] + _USUAL_SECONDS - now) > 0:
            times.append(left)
        return min((seconds for seconds in times if seconds is not None), default=None)

    def hear(self, news: News) -> None:
        """Process one item of news."""
        if isinstance(news, Answer):
            self._answered(news)
        elif isinstance(news, LateAnswer):
            self._answered_late(news)
        elif isinstance(news, Ended):
            self.lost = news.error
            self._screen.leave(0)
        else:
            self._hearing.hear(news)
            if isinstance(news, Message) and news.sender == self._stage.me:
                self._heard_own(news)

    def _answered_late(self, late: LateAnswer) -> None:
        """Process a late answer like a timely one."""
        request = next((request for request in self._unanswered if request.verb == late.verb), None)
        if request is not None:
            self._unanswered.remove(request)
        if isinstance(late.answer, Failure):
            self._stage.show(late.answer)
        elif isinstance(late.verb, Say | Direct):
            if request is not None:
                self._take_back(request)
        else:
            self._hearing.hear_answer(late.answer)

    def _heard_own(self, message: Message) -> None:
        """Match our own message with a request whose answer was lost with the connection."""
        for request in self._unanswered:
            if _has_said(message, request.verb):
                self._unanswered.remove(request)
                self._take_back(request)
                return

    def _take_back(self, request: Request) -> None:
        """Empty the input line if it contains a text that has been sent by now."""
        verb = request.verb
        room = self._stage.rooms.find(verb.room) if isinstance(verb, Say) and verb.room is not None else None
        if room is not None and room is not self._stage.rooms.current:
            room.draft = "" if room.draft == request.typed else room.draft
        else:
            self._screen.take_back(request.typed)

    def _answered(self, answer: Answer) -> None:
        self._asked.pop(0)
        verb, error = answer.request.verb, answer.error
        if error is not None:
            self._stage.show(Failure.of(error) if isinstance(error, Refused) else Failure(None, "", str(error)))
            if isinstance(error, AckTimeout | ConnectionLost) and not isinstance(error, NotConnected):
                self._unanswered = [*self._unanswered[1 - _MOST_UNANSWERED :], answer.request]
            if isinstance(verb, Say | Direct):
                self._give_back(answer.request)
        elif isinstance(verb, Help) and isinstance(answer.reply, Lines):
            # The commands that the server's handlers add; the first line is about requests of programs.
            self._stage.explain([*verb.text.split("\n"), *answer.reply.lines[1:]])
        elif isinstance(verb, GetMotd) and isinstance(answer.reply, Lines):
            # JSON does not mark these lines as the message of the day; if there are none, that is shown.
            self._hearing.hear_answer(Motd("motd", answer.reply.lines))
        elif answer.reply is not None and not isinstance(verb, Say | Direct):  # our own messages are received as events
            self._hearing.hear_answer(answer.reply)
        if isinstance(verb, Join):
            self._joined(answer)

    def _joined(self, answer: Answer) -> None:
        """Send what was typed during the join; if the join failed, return it to the input line."""
        self._joining -= 1
        if self._joining:
            return
        held, self._held = self._held, []
        for text in held:
            if answer.error is not None or self.enter(text) is Typed.KEPT:
                self._screen.give_back(text)

    def _give_back(self, request: Request) -> None:
        """Put an unsent text into the input line or, if it is for another room, into the draft of that room."""
        rooms, verb = self._stage.rooms, request.verb
        room = rooms.find(verb.room) if isinstance(verb, Say) and verb.room is not None else rooms.current
        if room is rooms.current:
            self._screen.give_back(request.typed)
        elif room is not None and not room.draft:
            room.draft = request.typed
            self._stage.tell(f"-- the text is back in the input line of {room.name}")
        else:
            self._screen.put_away(request.typed)


_Doing = Callable[[Conversation, Any], Typed | None]

_DOING: Final[dict[type, _Doing]] = {
    Invalid: Conversation._invalid,
    Help: Conversation._help,
    Quit: Conversation._quit,
    Join: Conversation._join,
    Reconnect: Conversation._reconnect,
    Win: Conversation._win,
    Go: Conversation._go,
    Clear: Conversation._clear,
    Ignore: Conversation._ignore,
    Unignore: Conversation._unignore,
}
"""Input that is handled without the server, or not always: then the function returns None."""


def _problem(asked: Say | Direct, limits: Limits) -> str | None:
    """Return why a message cannot be sent; None if it can."""
    text = clean(asked.text)
    if isinstance(asked, Say) and (refusal := in_text(text)):
        return refusal.text
    for what, number, limit in (
        ("lines", text.count("\n") + 1, limits.text_lines),
        ("bytes", len(text.encode(errors="replace")), limits.text_bytes),
    ):
        if number > limit:
            return f"not sent: the message has {number} {what}, and at most {limit} are allowed"
    return None


def _has_said(message: Message, verb: Verb) -> bool:
    """Return whether a verb has caused this message."""
    if not isinstance(verb, Say | Direct) or (clean(verb.text), verb.action) != (message.text, message.action):
        return False
    return (verb.room, None) == (message.room, message.to) if isinstance(verb, Say) else verb.to == message.to
