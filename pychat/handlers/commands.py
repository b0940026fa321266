"""Commands of a program or a plug-in, for every client: `!roll 2d6` in a room, or by name from a JSON client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

from pychat.core.handler import Handler, only_for_prefix
from pychat.core.permissions import may_be_heard
from pychat.core.rooms.membership import own_room
from pychat.core.session import Session
from pychat.core.waiting import before_wait
from pychat.handlers.function_commands import CommandTable, Context
from pychat.model import verbs
from pychat.model.clock import Clock
from pychat.model.events import Message

F = TypeVar("F", bound=Callable[..., Any])

_PREFIX: Final = "!"


class SessionContext(Context):
    """The context of a command in a server, with the session that sent it, and so the chat."""

    __slots__ = ("session",)

    def __init__(self, session: Session, room: str | None, message: Message | None) -> None:
        super().__init__(session.nickname or "", room, message)
        self.session = session

    @property
    def clock(self) -> Clock:
        return self.session.chat.clock

    def reply(self, text: str) -> None:
        room = None if self.room is None else self.session.chat.find_room(self.room)
        if room is None:
            self.session.notice(text)
        else:
            room.announce(text)

    def whisper(self, text: str) -> None:
        self.session.notice(text)


class Commands(Handler):
    """
    Run functions as commands, with arguments converted to the types of their parameters and help from docstrings.

    A command in a room is an ordinary message, and everybody sees the answer; notices are not commands. Functions run
    on the thread of the session that sent the command; they may block. To refuse, they raise `Refused`.
    """

    waits = False  # earlier messages are sent before a function runs

    def __init__(self) -> None:
        self._table = CommandTable(_PREFIX)

    @overload
    def command(self, name: F, /) -> F: ...

    @overload
    def command(self, name: str | None = None) -> Callable[[F], F]: ...

    def command(self, name: Any = None) -> Any:
        """
        Decorate a function `(ctx, ...)` to make it the command `!name`; its docstring begins with its help.

        Without a name, the function's name is used: `@commands.command`.
        """
        return self._table.command(name)

    def add(self, name: str, function: Callable[..., Any]) -> None:
        """Add a function: see `CommandTable.add`."""
        self._table.add(name, function)

    def add_group(self, group: object) -> None:
        """Add the methods of an object: see `CommandTable.add_group`."""
        self._table.add_group(group)

    @only_for_prefix(_PREFIX)
    def on_message(self, session: Session, message: Message) -> None:
        if message.action or message.notice or not message.text.startswith(_PREFIX):
            return
        session.chat.order.flush()
        before_wait()
        self._table.answer(SessionContext(session, message.room, message), message.text)

    def on_command(self, session: Session, command: verbs.Command) -> bool:
        if command.name not in self._table:
            return False
        room = None if command.room is None and session.current is None else own_room(session, command.room)
        session.chat.order.flush()
        before_wait()
        where = room.name if room is not None and may_be_heard(session, room, session.chat.clock) else None
        self._table.run(SessionContext(session, where, None), command.name, command.args)
        return True

    def on_help(self, session: Session) -> list[str]:
        return self._table.lines()
