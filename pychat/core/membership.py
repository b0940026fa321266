"""
Coming into rooms and going out of them.

Who is a member changes under the order lock; who *hears* the room follows in the order of entries (`Attach`,
`Detach`). A new member hears the room when the hooks of its join have returned: until then it is behind, like a
member that comes back after a lost connection, and both catch up the same way: read the log to its end, and go live
under the order lock, so nothing is missing and nothing comes twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pychat.core.authority import may_join, may_know, require_operator
from pychat.core.delivery import Attach, Detach
from pychat.core.errors import LimitExceeded, NotAMember, NotReadable, Refused
from pychat.core.events import Event, Joined, Kicked, Left, Message, PersonEvent
from pychat.core.handler import one_says_yes, run_before
from pychat.core.names import check_room, fold
from pychat.core.queries import Ref
from pychat.core.replies import Failure, Gap, MemberInfo, Members
from pychat.core.room import Room
from pychat.core.rules import RoomRules
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat

_EVENT_BYTES = 128
"""What an event costs beyond its text, or one line of it: names, id, time."""


class Membership:
    """The chat's register of who is in which room."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def join(self, session: Session, name: str, ref: Ref = None, key: str | None = None) -> None:
        """
        Let a session into a room, and make it the current one; that is all if it is in it already.

        Raises:
            Refused: The name, a limit, a rule of the room (`authority.may_join`) or a handler is against it.
        """
        room, position = self._enter(session, name, ref, key)
        if position is not None:
            self._chat.run_on(self._chat.chains.on_join, session, room)
            self._chat.order.flush()
            self._catch_up(session, [room], position)

    def resume(self, session: Session, names: Iterable[str], after: int) -> None:
        """
        Let a session into rooms whose events up to the id `after` it has seen, and give it what it missed.

        A room that is refused is told as a failure; the others are joined.
        """
        rooms = []
        for name in names:
            try:
                room, position = self._enter(session, name, None)
                if position is not None:
                    rooms.append(room)
                    self._chat.run_on(self._chat.chains.on_join, session, room)
            except Refused as error:
                self._chat.send(session, Failure.of(error))
        self._chat.order.flush()
        self._catch_up(session, rooms, after)

    def _enter(self, session: Session, name: str, ref: Ref, key: str | None = None) -> tuple[Room, int | None]:
        """Make the session a member; return the id from which on it is one, None if it was a member already."""
        chat = self._chat
        chat.order.flush()
        checked = check_room(name, chat.limits)
        room = chat.find_room(checked) or Room(chat, checked)
        was_in = room.key in session.rooms
        announced = not was_in and self._ask(session, room, key)
        with chat.order.lock:
            chat.order.flush_locked()
            if session.closed:
                raise Refused("you are not connected any more")
            room = chat.find_room(room.key) or chat.add_room_locked(room)
            position = None
            if session not in room.occupants:
                if was_in:  # kicked out at this moment: no hook was asked, so nothing brings it in
                    raise NotAMember(room.name)
                may_join(session, room, key)  # again: hooks take time, and others change the rules or come in
                position = self._join_locked(session, room, announced)
            session.current = room
            members = members_of(room, ref, joined=True)
            chat.order.send_locked(session, members if position is not None else members._replace(again=True))
        chat.order.wake()
        return room, position

    def _ask(self, session: Session, room: Room, key: str | None) -> bool:
        """Ask rules and handlers whether the session may come in; return whether the others are to be told."""
        chains, most = self._chat.chains, self._chat.limits.rooms_per_session
        if len(session.rooms) >= most:
            raise LimitExceeded("rooms that you are in", most, "rooms", code="too_many_rooms", room=room.name)
        may_join(session, room, key)
        run_before(chains.before_join, session, room)
        return one_says_yes(chains.announces, session, room, Joined)

    def _join_locked(self, session: Session, room: Room, announced: bool) -> int:
        room.rules.arrive(session.identity)
        if not room.occupants:
            self._found_locked(room, session)
        session.rooms[room.key] = room
        if announced:
            event = Joined(0, 0.0, room.name, session.nickname or "", session.userhost, session.away)
            self._chat.order.append_locked(event, room.alone)
        position = room.occupants[session] = self._chat.log.last_id()
        return position

    def _catch_up(self, session: Session, rooms: list[Room], after: int) -> None:
        """Let the session hear the rooms: first what it missed, in pages it has time to take, then live."""
        chat = self._chat
        seconds = chat.limits.stall_seconds
        while not self._go_live(session, rooms, after):
            rooms = _still_in(session, rooms)
            missed, end = self._read_missed(session, rooms, after)
            if any(session not in room.occupants for room in rooms):  # kicked out: what was read is not for it
                continue
            chat.send(session, *missed)
            after = end
            if not session.drained(seconds):
                session.kick(f"too slow: what was missed was not taken in {seconds:g} seconds")
                return

    def _go_live(self, session: Session, rooms: Iterable[Room], after: int) -> bool:
        """Let the session have the rest and hear the rooms from here on; False if that is too much."""
        chat = self._chat
        with chat.order.lock:
            if session.closed:
                return True
            rooms = _still_in(session, rooms)
            events = chat.log.recent(_keys(rooms), after)
            if events is None or len(self._page(events)) < len(events):
                return False
            rest = [*self._gaps(rooms, after), *self._missed(session, rooms, events)]
            if rest:
                chat.order.send_locked(session, *rest)
            for room in rooms:
                chat.log.append(Attach(session, room))
        chat.order.wake()
        return True

    def _read_missed(self, session: Session, rooms: list[Room], after: int) -> tuple[list[Event | Gap], int]:
        """Read a page of what was missed, also from where it takes long; return it, and the id of its end."""
        chat = self._chat
        with chat.order.lock:
            newest = chat.log.last_id()
        try:
            page = chat.log.read_after(_keys(rooms), after, chat.limits.history_page)
        except NotReadable:
            return [Gap(room.name, after) for room in rooms], newest
        events = self._page(page.events)
        whole = not page.more and len(events) == len(page.events)
        return [*self._gaps(rooms, after), *self._missed(session, rooms, events)], newest if whole else events[-1].id

    def _page(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return as many of the first events as a session can take at once."""
        limits = self._chat.limits
        return fitting(events[: limits.history_page], limits.send_queue_bytes)

    def _gaps(self, rooms: Iterable[Room], after: int) -> list[Gap]:
        """Where the record begins later. To be asked behind the reading of it, lest it is shortened in between."""
        return [Gap(room.name, after) for room in rooms if self._chat.log.has_gap(room.key, after)]

    @staticmethod
    def _missed(session: Session, rooms: Iterable[Room], events: Iterable[Event]) -> list[Event]:
        """What the session would have heard in the rooms it comes into and has not heard in another one."""
        heard = set(session.room_names).difference(room.name for room in rooms)
        return [
            event
            for event in events
            if visible(event, session) and not (isinstance(event, PersonEvent) and heard.intersection(event.rooms))
        ]

    def leave(self, session: Session, room: Room, reason: str) -> None:
        """Let a session go out of a room; nothing happens if it is not in it."""
        chat = self._chat
        chat.order.flush()
        announced = one_says_yes(chat.chains.announces, session, room, Left)
        with chat.order.lock:
            chat.order.flush_locked()
            if session not in room.occupants:
                return
            event = Left(0, time.time(), room.name, session.nickname or "", reason, session.userhost)
            self._leave_locked(session, room, event, announced, {session})
        chat.order.wake()
        chat.run_on(chat.chains.on_leave, session, room, reason)

    def kick(self, session: Session, room: Room, member: Session, reason: str) -> None:
        """
        Remove a member from a room, in the name of the session. Hooks run on the calling thread.

        Raises:
            Refused: The session is no operator of the room, or the member is not in it.
        """
        chat = self._chat
        chat.order.flush()
        announced = one_says_yes(chat.chains.announces, member, room, Kicked)
        with chat.order.lock:
            chat.order.flush_locked()
            require_operator(session, room)
            nickname = member.nickname or ""
            if member not in room.occupants:
                raise UserNotInRoom(nickname, room.name)
            event = Kicked(0, time.time(), room.name, nickname, session.nickname or "", reason, session.userhost)
            self._leave_locked(member, room, event, announced, {session, member})
        chat.order.wake()
        chat.run_on(chat.chains.on_kick, session, room, member, reason)

    def _leave_locked(
        self, session: Session, room: Room, event: Left | Kicked, announced: bool, concerned: set[Session]
    ) -> None:
        """Take a session out of a room; the members are told of it, or only those who have to know."""
        self._detach_locked(session, room)
        if announced:
            self._chat.order.append_locked(event, room.alone, also=session)
        else:
            for person in concerned:
                self._chat.order.send_locked(person, event)
        self._depart_locked(session, room)
        del session.rooms[room.key]
        if session.current is room:
            session.current = next(reversed(session.rooms.values()), None)

    def remove_everywhere(self, session: Session, keep_seconds: float = 0.0) -> bool:
        """
        Close the session for new verbs and take it out of its rooms; False if that was done before.

        `session.rooms` goes on telling where it was. The rooms keep its roles so long, for one that may come back.
        """
        with self._chat.order.lock:
            if session.closed:
                return False
            session.closed = True
            for room in session.rooms.values():
                self._detach_locked(session, room)
                self._depart_locked(session, room, keep_seconds)
            return True

    def _detach_locked(self, session: Session, room: Room) -> None:
        room.occupants.pop(session, None)
        self._chat.log.append(Detach(session, room))

    def _depart_locked(self, session: Session, room: Room, keep_seconds: float = 0.0) -> None:
        room.rules.depart(session.identity, keep_seconds)
        if not room.occupants and not room.pinned:
            self._abandon_locked(room)

    def _abandon_locked(self, room: Room) -> None:
        """The last member is gone: other rules are the next one's business, and what was private is nobody's."""
        rules, room.rules = room.rules, RoomRules()
        if rules.closed:
            room.topic = ""
            self._chat.log.forget(room.key)
            room.rules.forgets = True
        else:
            room.rules.topic_by, room.rules.topic_time = rules.topic_by, rules.topic_time
            room.rules.topic_userhost = rules.topic_userhost

    def _found_locked(self, room: Room, session: Session) -> None:
        """The first one in a room that nobody is in is its operator, unless it was made by the program."""
        if room.rules.forgets:  # that the last members are gone is in the record since it was forgotten
            self._chat.log.forget(room.key)
            room.rules.forgets = False
        if not room.pinned:
            room.rules.created = time.time()
            room.rules.set_role(session.identity, "o", True)


def _still_in(session: Session, rooms: Iterable[Room]) -> list[Room]:
    return [room for room in rooms if session in room.occupants]


def _keys(rooms: Iterable[Room]) -> list[str]:
    return [room.key for room in rooms]


class UserNotInRoom(Refused):
    """Somebody else should be a member and is none."""

    code = "user_not_in_room"

    def __init__(self, nickname: str, room: str) -> None:
        self.nickname = nickname
        super().__init__(f"{nickname!r} is not in room {room!r}", room=room, subject=(nickname,))


class NoSuchRoom(Refused):
    """There is no such room, or the session may not know of it."""

    code = "no_such_room"

    def __init__(self, room: str) -> None:
        super().__init__(f"there is no room {room[:64]!r}", room=room)


def own_room(session: Session, name: str | None) -> Room:
    """
    Return the room that a verb means: the current one, or another that the session is in.

    Raises:
        Refused: It is not in that room, or in none.
    """
    room = session.current if name is None else session.rooms.get(name) or session.rooms.get(fold(name))
    if room is not None:
        return room
    if name is None:
        raise Refused("you are in no room; join one first", code="not_a_member")
    raise NotAMember(name)


def known_room(session: Session, name: str | None) -> Room:
    """
    Return the room that a verb means: the current one, or another, also one that the session is not in.

    Raises:
        Refused: There is no such room, or the session may not know of it.
    """
    if name is None:
        return own_room(session, None)
    room = session.chat.find_room(name)
    if room is None or not may_know(session, room):
        raise NoSuchRoom(name)
    return room


def shown_room(session: Session, name: str | None) -> Room:
    """Return the same where membership is what is missing, whether there is such a room or not: `NotAMember`."""
    try:
        return known_room(session, name)
    except NoSuchRoom as error:
        raise NotAMember(name or "") from error


def visible(event: Event, session: Session) -> bool:
    """Whether a member of the event's room may see it: some messages are for a few."""
    return not isinstance(event, Message) or event.audience is None or session.identity in event.audience


def fitting(events: Sequence[Event], queue_bytes: int, *, last: bool = False) -> Sequence[Event]:
    """
    Return the first events, or the last, that a send queue of this size takes in any language; at least one.

    A language may need a few times the bytes of a text, for escapes, and repeats the sender on each of its lines.
    """
    size, count = 0, 0
    for event in reversed(events) if last else events:
        size += _EVENT_BYTES
        if isinstance(event, Message):
            size += len(event.text.encode()) + _EVENT_BYTES * event.text.count("\n")
        if count and size > queue_bytes // 4:
            break
        count += 1
    return events[len(events) - count :] if last else events[:count]


def members_of(room: Room, ref: Ref, *, joined: bool = False, invisible: bool = True) -> Members:
    """
    Return who is in the room. In a room of thousands this is all that a join costs, so the parts are shared.

    Args:
        invisible: Whether those are named, too, who do not want to be seen by strangers (user mode `i`).
    """
    rules, members = room.rules, room.members
    if not invisible:
        members = tuple([member for member in members if "i" not in member.modes])
    infos = tuple([_with_roles(member, rules) for member in members] if rules.roles else [m.info for m in members])
    return Members(
        ref,
        room.name,
        room.topic,
        infos,
        joined,
        rules.topic_by,
        rules.topic_time,
        secret=rules.secret,
        topic_userhost=rules.topic_userhost,
    )


def _with_roles(member: Session, rules: RoomRules) -> MemberInfo:
    roles = rules.roles.get(member.identity)
    return member.info if roles is None else member.info._replace(roles=roles)
