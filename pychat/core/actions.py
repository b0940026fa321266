"""
What each verb does: one function per verb, and the table of them.

They run on the thread of the session, in `Chat.perform`, after the verb was authorized and the handlers had their say.
To refuse, they raise `Refused`; what they cause is published, what they answer is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event as ThreadEvent
from typing import TYPE_CHECKING, Any

from pychat.core import verbs
from pychat.core.errors import NoSuchNickname, Refused
from pychat.core.events import AwayChanged, Message, Renamed, TopicChanged
from pychat.core.handler import call, change_before, log_failure
from pychat.core.membership import fitting, members_of, own_room, visible
from pychat.core.names import check_nickname
from pychat.core.nicknames import Parked, new_token
from pychat.core.replies import (
    Failure,
    HistoryPage,
    Lines,
    Ok,
    PongReply,
    Profile,
    RoomInfo,
    Rooms,
    Topic,
    Welcome,
)
from pychat.core.session import Session
from pychat.core.text import shorten

if TYPE_CHECKING:
    from pychat.core.chat import Chat


# Coming in and being somebody


def _hello(chat: Chat, session: Session, verb: verbs.Hello) -> None:
    if session.nickname is not None:
        raise Refused(f"you are {session.nickname!r} already; use nick to change it", code="bad_request")
    parked = None if verb.token is None else _take_over(chat, session, verb.token)
    nickname = parked.nickname if parked is not None else verb.nickname
    _claim(chat, session, nickname, free=parked and verb.token)
    session.replays = verb.replay and verb.after is None
    rooms = verb.rooms or (parked.rooms if parked is not None else ()) or (chat.default_room.name,)
    with chat.order.lock:
        if session.closed:  # by one of the hooks
            return
        if parked is not None:
            session.identity, session.away = parked.identity, parked.away
            session.update_info()
        chat.nicknames.give_token(session, new_token())
    assert session.nickname is not None
    assert session.token is not None
    chat.send(session, Welcome(verb.ref, chat.name, session.nickname, session.token, chat.limits))
    if verb.after is not None:
        chat.membership.resume(session, rooms, verb.after)
        return
    for name in rooms:
        try:
            chat.membership.join(session, name)
        except Refused as error:  # the welcome has answered the hello already
            chat.send(session, Failure.of(error))


def _take_over(chat: Chat, session: Session, token: str) -> Parked | None:
    """Return what is kept for the token; a session that still lives is ended first. None: it is worth nothing."""
    with chat.order.lock:
        holder = chat.nicknames.holder_of(token)
        if isinstance(holder, Session):
            holder.ended = holder.ended or ThreadEvent()
    if isinstance(holder, Session):
        assert holder.ended is not None
        holder.resumable = True
        holder.kick("connected again from elsewhere")
        if not holder.ended.wait(chat.limits.stall_seconds):
            raise Refused("your old connection does not end; try again", code="nickname_in_use")
        with chat.order.lock:
            holder = chat.nicknames.holder_of(token)
    return holder if isinstance(holder, Parked) else None


def _claim(chat: Chat, session: Session, wanted: str, free: str | None = None) -> None:
    """Give the session a nickname: its first one, or another. `free`: the token that keeps it."""
    old = session.nickname
    checked = check_nickname(wanted, chat.limits)
    nickname = change_before(chat.chains.before_nick, session, value=checked)
    if nickname != checked:
        nickname = check_nickname(nickname, chat.limits)
    if nickname == old:
        return
    chat.order.flush()
    with chat.order.lock:
        if session.closed:
            raise Refused("you are not connected any more")
        if free is not None:
            chat.nicknames.unpark(free)
        chat.nicknames.claim(session, nickname)
        if old is not None:
            rooms = tuple(session.rooms.values())
            event = Renamed(0, 0.0, session.room_names, old, nickname)
            chat.order.append_locked(event, rooms, also=session)
    chat.delivery.wake()
    chat.run_on(chat.chains.on_nick, session, old, nickname)


def _set_nickname(chat: Chat, session: Session, verb: verbs.SetNickname) -> None:
    _claim(chat, session, verb.nickname)
    chat.send(session, Ok(verb.ref))


def _set_away(chat: Chat, session: Session, verb: verbs.SetAway) -> None:
    text = None if verb.text is None else chat.checked_short_text("away text", verb.text) or "away"
    chat.order.flush()
    with chat.order.lock:
        if text != session.away:
            session.away = text
            session.update_info()
            rooms = tuple(session.rooms.values())
            event = AwayChanged(0, 0.0, session.room_names, session.nickname or "", text)
            chat.order.append_locked(event, rooms, also=session)
    chat.send(session, Ok(verb.ref))


def _quit(chat: Chat, session: Session, verb: verbs.Quit) -> None:
    reason = chat.checked_short_text("reason", verb.reason)
    chat.send(session, Ok(verb.ref))
    session.end(reason or "quit")


# Talking


def _say(chat: Chat, session: Session, verb: verbs.Say) -> None:
    room = session.current if verb.room is None else session.rooms.get(verb.room)
    if room is None:
        room = own_room(session, verb.room)
    text = chat.checked_text(verb.text)
    _speak(chat, session, Message(0, 0.0, room.name, session.nickname or "", text, verb.action), verb.ref)


def _direct(chat: Chat, session: Session, verb: verbs.Direct) -> None:
    to = verb.to if verb.to is not None else session.correspondent
    if to is None:
        raise Refused("nobody has written to you yet", code="bad_request")
    recipient = chat.find(to)
    if recipient is None or recipient.nickname is None:
        raise NoSuchNickname(to)
    text = chat.checked_text(verb.text)
    message = Message(0, 0.0, None, session.nickname or "", text, verb.action, to=recipient.nickname)
    _speak(chat, session, message, verb.ref)
    recipient.correspondent = session.nickname
    if recipient.away is not None:
        session.notice(f"{recipient.nickname} is away: {recipient.away}")


def _speak(chat: Chat, session: Session, message: Message, ref: verbs.Ref) -> None:
    """Let the handlers decide about a message; `Broadcast` is one of them."""
    chains = chat.chains
    if chains.message_waits:
        chat.order.flush()
    if chains.before_message:
        said = message.text
        message = change_before(chains.before_message, session, value=message)
        if message.text is not said:
            message = message._replace(text=chat.checked_text(message.text))
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


def _command(chat: Chat, session: Session, verb: verbs.Command) -> None:
    chat.order.flush()
    for hook in chat.chains.on_command:
        if call(hook, session, verb):
            chat.send(session, Ok(verb.ref))
            return
    raise Refused(f"unknown command {verb.name[:64]!r}; help lists the commands", code="unknown_command")


# Rooms


def _join(chat: Chat, session: Session, verb: verbs.Join) -> None:
    chat.membership.join(session, verb.room, verb.ref)


def _leave(chat: Chat, session: Session, verb: verbs.Leave) -> None:
    room = own_room(session, verb.room)
    reason = chat.checked_short_text("reason", verb.reason)
    chat.membership.leave(session, room, reason)
    chat.send(session, Ok(verb.ref))


def _set_topic(chat: Chat, session: Session, verb: verbs.SetTopic) -> None:
    room = own_room(session, verb.room)
    topic = chat.checked_short_text("topic", verb.topic)
    changed = change_before(chat.chains.before_topic, session, room, value=topic)
    topic = topic if changed == topic else chat.checked_short_text("topic", changed)
    chat.order.flush()
    with chat.order.lock:
        room.topic = topic
        event = TopicChanged(0, 0.0, room.name, session.nickname or "", topic)
        placed = chat.order.append_locked(event, (room,))
    chat.delivery.wake()
    chat.run_on(chat.chains.on_topic, session, room, topic)
    chat.send(session, Ok(verb.ref, placed.id))


def _get_topic(chat: Chat, session: Session, verb: verbs.GetTopic) -> None:
    room = own_room(session, verb.room)
    chat.send(session, Topic(verb.ref, room.name, room.topic))


# Asking


def _list_members(chat: Chat, session: Session, verb: verbs.ListMembers) -> None:
    chat.send(session, members_of(own_room(session, verb.room), verb.ref))


def _list_rooms(chat: Chat, session: Session, verb: verbs.ListRooms) -> None:
    rooms = [room for room in chat.rooms() if room.occupants or room.pinned]
    infos = tuple([RoomInfo(room.name, len(room.occupants), shorten(room.topic)) for room in rooms])
    chat.send(session, Rooms(verb.ref, infos))


def _who_is(chat: Chat, session: Session, verb: verbs.WhoIs) -> None:
    person = chat.find(verb.nickname)
    if person is None or person.nickname is None:
        raise NoSuchNickname(verb.nickname)
    shared = tuple(room.name for key, room in person.rooms.copy().items() if key in session.rooms)
    idle = max(0.0, time.monotonic() - person.spoke)
    chat.send(session, Profile(verb.ref, person.nickname, shared, person.away, idle))


def _read_history(chat: Chat, session: Session, verb: verbs.ReadHistory) -> None:
    room = own_room(session, verb.room)
    most = chat.limits.history_page
    limit = most if verb.limit is None else verb.limit
    if not 1 <= limit <= most:
        raise Refused(f"history limit {limit}: use 1 to {most} events", code="bad_request")
    if verb.before is not None and verb.after is not None:
        raise Refused("history takes before or after, not both", code="bad_request")
    before, after = verb.before, verb.after
    while True:
        if after is None:
            page = chat.log.read_before(room.key, before, limit)
        else:
            page = chat.log.read_after((room.key,), after, limit)
        part = fitting(page.events, chat.limits.send_queue_bytes, last=after is None)
        events = tuple(event for event in part if visible(event, session))
        more = page.more or len(part) < len(page.events)
        if events or not more:
            break
        # All of it was for others: without an event the asker would not know where to go on.
        before, after = (part[0].id, None) if after is None else (None, part[-1].id)
    chat.send(session, HistoryPage(verb.ref, room.name, events, more))


def _help(chat: Chat, session: Session, verb: verbs.Help) -> None:
    lines = verb.text.split("\n")
    for hook in chat.chains.on_help if not verb.about else ():
        try:
            lines += hook(session)
        except Exception:
            raise log_failure(hook) from None
    chat.send(session, Lines(verb.ref, tuple(lines)))


# The wire itself


def _ping(chat: Chat, session: Session, verb: verbs.Ping) -> None:
    chat.send(session, PongReply(verb.ref, verb.token))


def _pong(chat: Chat, session: Session, verb: verbs.Pong) -> None:
    if verb.ref is not None:
        chat.send(session, Ok(verb.ref))


def _invalid(chat: Chat, session: Session, verb: verbs.Invalid) -> None:
    raise Refused(verb.text, code=verb.code)


def _abort(chat: Chat, session: Session, verb: verbs.Abort) -> None:
    chat.send(session, Failure(verb.ref, verb.code, verb.text))
    session.end(verb.text)


ACTIONS: dict[type[Any], Callable[[Chat, Session, Any], None]] = {
    verbs.Hello: _hello,
    verbs.Say: _say,
    verbs.Direct: _direct,
    verbs.Join: _join,
    verbs.Leave: _leave,
    verbs.SetNickname: _set_nickname,
    verbs.SetTopic: _set_topic,
    verbs.GetTopic: _get_topic,
    verbs.SetAway: _set_away,
    verbs.ListMembers: _list_members,
    verbs.ListRooms: _list_rooms,
    verbs.WhoIs: _who_is,
    verbs.ReadHistory: _read_history,
    verbs.Command: _command,
    verbs.Help: _help,
    verbs.Ping: _ping,
    verbs.Pong: _pong,
    verbs.Quit: _quit,
    verbs.Invalid: _invalid,
    verbs.Abort: _abort,
}
