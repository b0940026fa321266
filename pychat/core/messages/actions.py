"""The verbs that send messages and tags, in a room or to one person."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from pychat.core.hooks.chains import call, change_before, log_failure
from pychat.core.people.addressing import find_person
from pychat.core.people.ignore import ignores
from pychat.core.permissions import may_speak, take_turn
from pychat.core.publish import checked_event
from pychat.core.rooms.membership import own_room
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model import modes, queries, verbs
from pychat.model.errors import (
    HasLeft,
    InternalFailure,
    LocalProtocolError,
    NoSuchNickname,
    NotHere,
    Refused,
    refusal,
)
from pychat.model.events import Message, Tagged
from pychat.model.functions import check_ran
from pychat.model.replies import (
    Failure,
    Ok,
    PersonAway,
)
from pychat.model.text import checked_formatted, checked_tags, checked_text

if TYPE_CHECKING:
    from pychat.core.chat import Chat

logger = logging.getLogger("pychat")

_PLAIN: Final = verbs.Say("")[4:]
"""The fields after `ref` of a message without formatting, tags and so on."""


def say(chat: Chat, session: Session, verb: verbs.Say) -> None:
    room = session.current if verb.room is None else session.rooms.get(verb.room)
    outside = room is None
    if room is None:
        room = _room_to_talk_in(session, verb.room)
    text = checked_text(verb.text, chat.limits)
    person = session.person
    message = Message(0, 0.0, room.name, person.nickname or "", text, verb.action)
    if verb[4:] != _PLAIN or "B" in person.modes:
        message = _complete(chat, session, message, verb)._replace(role=_checked_role(verb.role))
    if outside or room.state.may_silence:
        may_speak(session, room, message, chat.clock)
        take_turn(session, room, chat.clock)
    _speak(chat, session, message, verb.ref)


def direct(chat: Chat, session: Session, verb: verbs.Direct) -> None:
    recipient = _addressed(chat, session, verb)
    text = checked_text(verb.text, chat.limits)
    nickname = recipient.nickname or ""
    message = Message(0, 0.0, None, session.nickname or "", text, verb.action, to=nickname)
    turn = chat.order.turn
    outer, turn.addressed = turn.addressed, (nickname, recipient)  # its name may change during the hooks
    try:
        _speak(chat, session, _complete(chat, session, message, verb), verb.ref)
    finally:
        turn.addressed = outer
    if not ignores(recipient, session.hostmask):
        recipient.correspondent = session.nickname or "", session.identity
    if recipient.away is not None and recipient.nickname is not None and not verb.notice:
        chat.send(session, PersonAway(None, recipient.nickname, recipient.away))


def tag(chat: Chat, session: Session, verb: verbs.Tag) -> None:
    tags = _checked_tags(session, verb.tags)
    nickname = session.nickname or ""
    if verb.room is None:
        recipient = find_person(chat, session, verb.to or "")
        event = Tagged(0, 0.0, None, nickname, tags, recipient.nickname)
        with chat.order.answering(verb.ref):
            chat.order.publish(event, (), recipients=frozenset({recipient}))
        return
    room = session.rooms.get(verb.room) or _room_to_talk_in(session, verb.room)
    role = _checked_role(verb.role)
    may_speak(session, room, Message(0, 0.0, room.name, nickname, ""), chat.clock)
    event = Tagged(0, 0.0, room.name, nickname, tags, role=role)
    with chat.order.answering(verb.ref):
        chat.order.publish(event, room.as_tuple, recipients=room.holders(role) | {session} if role else None)


def _room_to_talk_in(session: Session, name: str | None) -> Room:
    """
    Return a room that the session is in, or one whose rules let strangers speak.

    Raises:
        NotAMember: If there is none; the session is not told whether the room exists.
    """
    room = None if name is None else session.chat.find_room(name)
    if room is None or session in room or "n" in room.state.flags:
        return own_room(session, name)
    return room


def _addressed(chat: Chat, session: Session, verb: verbs.Direct) -> Session:
    """
    Return the recipient of a direct message. A reply goes to the person who had the nickname then, and to nobody else.

    Raises:
        NoSuchNickname, HasLeft: If that person is not here.
        Refused: If it is a reply and nobody has written.
    """
    if verb.to is not None and verb.reply_to is None:
        return find_person(chat, session, verb.to)
    if verb.to is None and session.correspondent is None:
        raise refusal("nobody has written to you yet", code="bad_request")
    identity: int | None
    with chat.order.lock:
        if verb.to is None:
            assert session.correspondent is not None
            name, identity = session.correspondent
            holder = chat.nicknames.find(name)
        else:
            name, holder = verb.to, chat.nicknames.find(verb.to)
            identity = chat.past.identity_of(holder, name, verb.reply_to or 0)
        if holder is not None and holder.identity == identity:
            return holder
        person = next((other for other in chat.nicknames.sessions() if other.identity == identity), None)
    if person is None:
        raise NoSuchNickname(name) if holder is None else HasLeft(name)
    session.notice(f"{name} is now called {person.nickname}")
    return person


def _complete(chat: Chat, session: Session, message: Message, verb: verbs.Say | verbs.Direct) -> Message:
    """Return the message with the fields that only IRC uses."""
    formatted = verb.formatted
    if formatted is not None:
        formatted = checked_formatted(formatted, chat.limits)
    return message._replace(notice=verb.notice, formatted=formatted, tags=_checked_tags(session, verb.tags))


def _checked_tags(session: Session, tags: str) -> str:
    """
    Return message tags as others may see them; a bot is marked as one (IRCv3 bot mode).

    Raises:
        Refused: If they are too long, or contain characters that would end them.
    """
    tags = checked_tags(tags)
    if "B" in session.modes:
        return f"{tags};bot" if tags else "bot"
    return tags


def _checked_role(role: str) -> str:
    if role and role not in modes.ROLE_LETTERS:
        raise refusal(f"role {role[:64]!r}: use operator or voice", code="bad_request")
    return role


def _speak(chat: Chat, session: Session, message: Message, ref: queries.Ref) -> None:
    """Run the handlers for a message; `Broadcast` is one of them."""
    chains, turn = chat.chains, chat.order.turn
    if chains.message_waits:
        chat.order.flush()
    turn.checked = message
    if chains.before_message:
        said = message
        message = change_before(chains.before_message, session, value=message)
        if not session.is_here:
            raise NotHere
        if message is not said:
            message = _changed(chat, said, message)
    turn.checked = message
    session.last_message_time = session.last_input_time
    session.messages += 1
    failure: Refused | None = None
    with chat.order.answering(ref) as answering:
        for hook in chains.on_message:
            try:
                result: object = hook(session, message)
                if result is not None:
                    check_ran(result, hook)
            except Refused as error:  # it cannot be published: the room or the recipient is gone
                failure = error
            except KeyboardInterrupt:
                raise
            except BaseException:
                failure = log_failure(hook)
        if not answering.answered:
            answering.settle()
    if turn.checked is message and failure is None and not (turn.runs or (ref is not None and answering.answered)):
        _note_unheard(chat, session)
    turn.checked = None
    if failure is not None:
        if ref is None or not answering.answered:
            raise failure
        chat.send(session, Failure.of(failure))  # the request is answered by the id of an event already
    elif not answering.answered:
        chat.send(session, Ok(ref))


def _note_unheard(chat: Chat, session: Session) -> None:
    """Log a warning, once, if no handler has published a message or anything in its place."""
    chains = chat.chains
    if not chains.told_unheard:
        chains.told_unheard = True
        logger.warning(
            "nobody receives messages from %s: no handler has published them; add Broadcast() to the handlers, or let "
            "one call session.chat.publish(message)",
            session.nickname,
        )


def _changed(chat: Chat, said: Message, message: Message) -> Message:
    """Return the message that handlers have changed, as others may see it."""
    if message.text is not said.text:  # the formatted text for IRC members no longer matches
        message = message._replace(formatted=None)
    try:
        return checked_event(chat, message)
    except (LocalProtocolError, TypeError):
        logger.exception("a message cannot be published as the before_message hooks have changed it")
        raise InternalFailure from None


def command(chat: Chat, session: Session, verb: verbs.Command) -> None:
    chat.order.flush()
    for hook in chat.chains.on_command:
        if call(hook, session, verb):
            chat.send(session, Ok(verb.ref))
            return
    raise refusal(f"unknown command {verb.name[:64]!r}; help lists the commands", code="unknown_command")


def failure_of(session: Session, verb: verbs.Verb, error: Refused) -> Failure:
    """Return the failure for a verb that was refused; for a message, it names the room."""
    failure = Failure.of(error, verb.ref)
    if failure.room is None and isinstance(verb, verbs.Say):
        room = session.current.name if verb.room is None and session.current is not None else verb.room
        return failure._replace(room=room)
    return failure
