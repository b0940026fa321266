"""Saying something, in a room or to one person: what these verbs do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pychat.core import modes, queries, verbs
from pychat.core.authority import may_speak, take_turn
from pychat.core.errors import LimitExceeded, NoSuchNickname, Refused
from pychat.core.events import Message, Tagged
from pychat.core.handler import call, change_before, log_failure
from pychat.core.ignoring import ignores
from pychat.core.membership import own_room
from pychat.core.replies import (
    Failure,
    Ok,
    PersonAway,
)
from pychat.core.room import Room
from pychat.core.session import Session
from pychat.core.text import clean_formatted

if TYPE_CHECKING:
    from pychat.core.chat import Chat

TAG_BYTES: Final = 4094
"""Bytes of the tags that a client may send with a message (IRCv3 message-tags, "Size limit")."""

_FORBIDDEN_IN_TAGS: Final = re.compile("[\x00-\x20\x7f-\x9f\ud800-\udfff]")

_PLAIN: Final = verbs.Say("")[4:]
"""The fields behind `ref` of what is said without formatting, tags and so on."""


def say(chat: Chat, session: Session, verb: verbs.Say) -> None:
    room = session.current if verb.room is None else session.rooms.get(verb.room)
    outside = room is None
    if room is None:
        room = _room_to_talk_in(session, verb.room)
    text = chat.checked_text(verb.text)
    message = Message(0, 0.0, room.name, session.nickname or "", text, verb.action)
    if verb[4:] != _PLAIN or "B" in session.modes:
        message = _complete(chat, session, message, verb)._replace(role=_checked_role(verb.role))
    if outside or room.rules.hushes:
        may_speak(session, room, message)
        take_turn(session, room)
    _speak(chat, session, message, verb.ref)


def direct(chat: Chat, session: Session, verb: verbs.Direct) -> None:
    recipient = _recipient(chat, session, verb.to)
    text = chat.checked_text(verb.text)
    message = Message(0, 0.0, None, session.nickname or "", text, verb.action, to=recipient.nickname)
    _speak(chat, session, _complete(chat, session, message, verb), verb.ref)
    if not ignores(recipient, session.nickname or "", session.userhost, session.account):
        recipient.correspondent = session.nickname
    if recipient.away is not None and recipient.nickname is not None and not verb.notice:
        chat.send(session, PersonAway(None, recipient.nickname, recipient.away))


def tag(chat: Chat, session: Session, verb: verbs.Tag) -> None:
    tags = _checked_tags(session, verb.tags)
    nickname, turn = session.nickname or "", chat.order.turn
    if verb.room is None:
        recipient = _recipient(chat, session, verb.to)
        turn.ref = verb.ref
        event = Tagged(0, 0.0, None, nickname, tags, recipient.nickname)
        chat.order.publish(event, (), only=frozenset({recipient}))
        return
    room = session.rooms.get(verb.room) or _room_to_talk_in(session, verb.room)
    role = _checked_role(verb.role)
    may_speak(session, room, Message(0, 0.0, room.name, nickname, ""))
    turn.ref = verb.ref
    event = Tagged(0, 0.0, room.name, nickname, tags, role=role)
    chat.order.publish(event, room.alone, only=room.holders(role) | {session} if role else None)


def _room_to_talk_in(session: Session, name: str | None) -> Room:
    """
    Return a room that the session is in, or one whose rules let strangers talk.

    Raises:
        NotAMember: There is none; whether there is such a room at all is not told.
    """
    room = None if name is None else session.chat.find_room(name)
    if room is None or session in room.occupants or "n" in room.rules.flags:
        return own_room(session, name)
    return room


def _recipient(chat: Chat, session: Session, to: str | None) -> Session:
    to = to if to is not None else session.correspondent
    if to is None:
        raise Refused("nobody has written to you yet", code="bad_request")
    recipient = chat.find(to)
    if recipient is None or recipient.nickname is None:
        raise NoSuchNickname(to)
    return recipient


def _complete(chat: Chat, session: Session, message: Message, verb: verbs.Say | verbs.Direct) -> Message:
    """Return the message with all that only IRC knows of."""
    formatted = verb.formatted
    if formatted is not None:
        formatted = clean_formatted(formatted)
        if len(formatted.encode()) > chat.limits.text_bytes:
            raise LimitExceeded("message", chat.limits.text_bytes, "bytes")
    return message._replace(notice=verb.notice, formatted=formatted, tags=_checked_tags(session, verb.tags))


def _checked_tags(session: Session, tags: str) -> str:
    """
    Return message tags as others may see them; a bot is marked as one (IRCv3 bot mode).

    Raises:
        Refused: They are too long, or there is something in them that would end them.
    """
    if len(tags.encode(errors="replace")) > TAG_BYTES:
        raise LimitExceeded("message tags", TAG_BYTES, "bytes")
    if _FORBIDDEN_IN_TAGS.search(tags):
        raise Refused("message tags have no spaces and no control characters", code="bad_request")
    if "B" in session.modes:
        return f"{tags};bot" if tags else "bot"
    return tags


def _checked_role(role: str) -> str:
    if role and role not in modes.ROLE_LETTERS:
        raise Refused(f"role {role[:64]!r}: use operator or voice", code="bad_request")
    return role


def _speak(chat: Chat, session: Session, message: Message, ref: queries.Ref) -> None:
    """Let the handlers decide about a message; `Broadcast` is one of them."""
    chains = chat.chains
    if chains.message_waits:
        chat.order.flush()
    if chains.before_message:
        said = message.text
        message = change_before(chains.before_message, session, value=message)
        if message.text is not said:
            # What IRC members would see of it is not what was said any more.
            message = message._replace(text=chat.checked_text(message.text), formatted=None)
    turn = chat.order.turn
    turn.ref = ref
    session.spoke = session.heard
    failure: Refused | None = None
    for hook in chains.on_message:
        try:
            hook(session, message)
        except Refused as refusal:  # it cannot be published any more: the room or the recipient is gone
            failure = refusal
        except Exception:
            failure = log_failure(hook)
    if failure is not None and ref is not None and turn.ref is None:  # its id answers it already
        chat.send(session, Failure.of(failure))
    elif failure is not None:
        raise failure
    if ref is not None and turn.ref is not None:
        turn.ref = None
        chat.send(session, Ok(ref))


def command(chat: Chat, session: Session, verb: verbs.Command) -> None:
    chat.order.flush()
    for hook in chat.chains.on_command:
        if call(hook, session, verb):
            chat.send(session, Ok(verb.ref))
            return
    raise Refused(f"unknown command {verb.name[:64]!r}; help lists the commands", code="unknown_command")


def failure_of(session: Session, verb: verbs.Verb, error: Refused) -> Failure:
    """Return the answer to a verb that was refused; of a message it tells which room does not hear it."""
    failure = Failure.of(error, verb.ref)
    if failure.room is None and isinstance(verb, verbs.Say):
        room = session.current.name if verb.room is None and session.current is not None else verb.room
        return failure._replace(room=room)
    return failure
