"""
Coming into rooms and going out of them.

Who is a member changes under the order lock; who *hears* the room follows in the order of entries (`Attach`,
`Detach`). A new member hears the room when the hooks of its join have returned: until then it is behind, like a
member that comes back after a lost connection, and both catch up the same way (`catching_up.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.authority import may_join, may_know, require_operator
from pychat.core.catching_up import CatchingUp
from pychat.core.delivery import Detach
from pychat.core.errors import LimitExceeded, NotAMember, Refused
from pychat.core.events import Joined, Kicked, Left
from pychat.core.handler import one_says_yes, run_before
from pychat.core.ignoring import hear_locked
from pychat.core.names import check_room, fold
from pychat.core.owners import meet_locked
from pychat.core.queries import Ref
from pychat.core.replies import Failure, MemberInfo, Members
from pychat.core.room import Room
from pychat.core.rules import RoomRules
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class Membership:
    """The chat's register of who is in which room."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._catching_up = CatchingUp(chat)

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
            self._catching_up.bring(session, [room], position)

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
        self._catching_up.bring(session, rooms, after)

    def _enter(self, session: Session, name: str, ref: Ref, key: str | None = None) -> tuple[Room, int | None]:
        """Make the session a member; return the id from which on it is one, None if it was a member already."""
        chat = self._chat
        chat.order.flush()
        checked = check_room(name, chat.limits)
        room = chat.find_room(checked) or Room(chat, checked)
        self._stop_waiting(room)
        was_in = room.key in session.rooms
        announced = not was_in and self._ask(session, room, key)
        with chat.order.lock:
            chat.order.flush_locked()
            if session.closed:
                raise Refused("you are not connected any more")
            room = chat.find_room(room.key) or chat.add_room_locked(room)
            arrival = None
            if session not in room.occupants:
                if was_in:  # kicked out at this moment: no hook was asked, so nothing brings it in
                    raise NotAMember(room.name)
                may_join(session, room, key)  # again: hooks take time, and others change the rules or come in
                arrival = self._join_locked(session, room, announced)
            session.current = room
            members = members_of(room, ref, joined=True)._replace(arrival=arrival, again=arrival is None)
            chat.order.send_locked(session, members)
            position = None if arrival is None else room.occupants[session]
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

    def _join_locked(self, session: Session, room: Room, announced: bool) -> Joined:
        changed = room.rules.arrive(session.identity)
        first = not room.occupants
        if first:
            self._found_locked(room, session)
        session.rooms[room.key] = room
        hear_locked(session, room)
        now, nickname, (userhost, account, bot) = self._chat.clock.time(), session.nickname or "", session.origin
        event = Joined(0, now, room.name, nickname, userhost, session.away, account, session.realname, bot)
        if announced:
            event = self._chat.order.append_locked(event, room.alone)
        meet_locked(self._chat, session, room)
        room.occupants[session] = self._chat.log.last_id()
        self._chat.lasting.keep_session_locked(session)
        if first or changed:
            self._chat.lasting.keep_room_locked(room)
        return event

    def leave(self, session: Session, room: Room, reason: str) -> None:
        """Let a session go out of a room; nothing happens if it is not in it."""
        chat = self._chat
        chat.order.flush()
        announced = one_says_yes(chat.chains.announces, session, room, Left)
        with chat.order.lock:
            chat.order.flush_locked()
            if session not in room.occupants:
                return
            event = Left(0, chat.clock.time(), room.name, session.nickname or "", reason, *session.origin)
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
            by = session.nickname or ""
            event = Kicked(0, chat.clock.time(), room.name, nickname, by, reason, *session.origin)
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
        self._chat.lasting.keep_session_locked(session)

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
        room.ignoring.discard(session)
        self._chat.log.append(Detach(session, room))

    def _depart_locked(self, session: Session, room: Room, keep_seconds: float = 0.0) -> None:
        if self._chat.stopping.is_set() and self._chat.log.lasts:
            return  # the server is going, not the members: they find the room as it is now
        changed = room.rules.depart(session.identity, keep_seconds)
        if not room.occupants and not room.pinned:
            self._abandon_locked(room)
        elif changed or not room.occupants:
            self._chat.lasting.keep_room_locked(room)

    def _abandon_locked(self, room: Room) -> None:
        """The last member is gone: other rules are the next one's business, and what was private is nobody's."""
        if room.rules.owned:
            room.rules.awaited = 0.0
            self._chat.lasting.keep_room_locked(room)
            return
        rules, room.rules = room.rules, RoomRules(self._chat.clock)
        if rules.closed:
            room.topic = ""
            self._chat.log.forget(room.key)
            room.rules.forgets = True
        else:
            room.rules.topic_by, room.rules.topic_time = rules.topic_by, rules.topic_time
            room.rules.topic_userhost = rules.topic_userhost
        self._chat.lasting.keep_room_locked(room)

    def _stop_waiting(self, room: Room) -> None:
        """If nobody has come back into a room in time after the server ended, the last member has left it."""
        if room.rules.awaited and not room.occupants and not room.pinned and not room.rules.awaits():
            with self._chat.order.lock:
                if room.rules.awaited and not room.occupants:
                    self._abandon_locked(room)

    def _found_locked(self, room: Room, session: Session) -> None:
        """The first one in a room that nobody is in is its operator, unless it was made by the program."""
        if room.rules.forgets:  # that the last members are gone is in the record since it was forgotten
            self._chat.log.forget(room.key)
            room.rules.forgets = False
        if not room.pinned and not room.rules.awaits() and not room.rules.owned:
            room.rules.created = self._chat.clock.time()
            room.rules.set_role(session.identity, "o", True)


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
