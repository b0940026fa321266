"""Publishing by programs: events are cleaned or refused here, because nothing checks them again before terminals do."""

from __future__ import annotations

from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Final, TypeVar, cast, get_args, get_origin, get_type_hints

from pychat.model import modes
from pychat.model.arguments import wrong
from pychat.model.errors import InvalidNickname, LocalProtocolError, NoSuchNickname, NotAMember
from pychat.model.events import WITH_TEXT, Message, RoomEvent
from pychat.model.names import check_nickname
from pychat.model.text import checked_tags, checked_text, clean_formatted, clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pychat.core.chat import Chat
    from pychat.core.session import Session

E = TypeVar("E", bound=RoomEvent)

_NICKNAMES: Final = frozenset({"sender", "nickname", "by", "old", "new", "invited"})
"""Fields that contain a nickname."""

_EXAMPLES: Final[dict[type, str]] = {
    str: "a string",
    bool: "True or False",
    float: "a number",
    NoneType: "None",
}
"""The description of a field's type in errors."""


def checked_event(chat: Chat, event: E) -> E:
    """
    Return an event as others may see it: its text clean and within the limits, its nicknames valid.

    Raises:
        TypeError: If it is not an event, or a field has the wrong type.
        Refused: If a message or notice is empty or too long.
        LocalProtocolError: If a nickname is not valid.
    """
    turn = chat.order.turn
    if event is turn.checked and event is not None:  # None is a mistake of the program
        turn.checked = None  # it gets its position now, and events of its other hooks come after it
        return event
    if not isinstance(event, get_args(RoomEvent)):
        raise TypeError(f"publish an event, such as Message(0, 0.0, 'lobby', 'ann', 'hello'), not {event!r}")
    values, fields_of = event._asdict(), _fields_of(type(event))  # type: ignore[arg-type]  # classes are hashable
    for name, value in values.items():
        kinds, example = fields_of[name]
        if not isinstance(value, kinds):  # no protocol could write it, nor any history that contains it
            raise wrong(name, value, example)
    fields: dict[str, object] = {
        name: _checked_field(chat, name, value) if isinstance(value, str) else value for name, value in values.items()
    }
    if isinstance(event, WITH_TEXT):
        fields["text"] = checked_text(event.text, chat.limits)
    if isinstance(event, Message):
        fields["formatted"] = None if event.formatted is None else clean_formatted(event.formatted)
        fields["tags"] = checked_tags(event.tags)
        if event.role and event.role not in modes.ROLE_LETTERS:
            raise LocalProtocolError(f"role {event.role!r}: use operator or voice")
    return cast("E", type(event)(**fields))


@cache
def _fields_of(event: type) -> dict[str, tuple[tuple[type, ...], str]]:
    """Return the types that each field may have, and their description."""
    fields = {}
    for name, hint in get_type_hints(event).items():
        options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        kinds = tuple(get_origin(option) or option for option in options)
        example = " or ".join(_EXAMPLES.get(kind, f"a {kind.__name__}") for kind in kinds)
        fields[name] = (int, *kinds) if float in kinds else kinds, example
    return fields


def _checked_field(chat: Chat, name: str, value: str) -> str:
    if name not in _NICKNAMES or chat.find(value) is not None:
        return clean_line(value)
    try:
        return check_nickname(value, chat.limits)
    except InvalidNickname as error:
        raise LocalProtocolError(f"{name}: {error}") from None


def publish(chat: Chat, message: Message, to: Iterable[Session] | None) -> None:
    """Publish a message: see `Chat.publish`."""
    message = checked_event(chat, message)
    if message.room is not None:
        room = chat.table.find(message.room)
        if room is None:
            raise NotAMember(message.room)
        if to is None and message.role:
            to = room.holders(message.role).union(filter(None, [chat.order.turn.session]))
        chat.order.publish(message, room.as_tuple, recipients=None if to is None else frozenset(to))
    elif message.to is not None:
        addressed = chat.order.turn.addressed
        known = addressed is not None and addressed[0] == message.to
        recipient = addressed[1] if addressed is not None and known else chat.find(message.to)
        if recipient is None:
            raise NoSuchNickname(message.to)
        chat.order.publish(message, (), recipients=frozenset({recipient}))
