"""
Monitoring nicknames: subscribers are told when one is taken or given up (IRCv3 monitor), in the one order.

They may also ask for other changes of that person (IRCv3 extended-monitor).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.errors import InvalidNickname, TooManyWatched
from pychat.model.events import PersonEvent
from pychat.model.names import check_nickname, fold
from pychat.model.replies import MemberInfo, Watched

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.order import Order
    from pychat.core.people.nicknames import Nicknames


class Watches:
    """The subscriptions to nicknames. Every method runs under the chat's order lock. A reserved nickname is offline."""

    def __init__(self, order: Order, nicknames: Nicknames) -> None:
        self._order = order
        self._nicknames = nicknames
        self._watched: dict[Session, dict[str, str]] = {}
        """The nicknames that each session monitors, as it wrote them, by key."""
        self._watchers: dict[str, set[Session]] = {}
        """The sessions that monitor each key."""
        self._curious: set[Session] = set()
        """Sessions that also want other changes."""

    def add(self, session: Session, nicknames: Iterable[str], most: int) -> list[str]:
        """Subscribe a session to nicknames, up to `most` in all; return those over the limit."""
        watched = self._watched.setdefault(session, {})
        left_out = []
        for nickname in nicknames:
            key = fold(nickname)
            if key in watched or len(watched) < most:
                watched[key] = nickname
                self._watchers.setdefault(key, set()).add(session)
            else:
                left_out.append(nickname)
        if not watched:
            del self._watched[session]
        return left_out

    def remove(self, session: Session, nicknames: Iterable[str]) -> None:
        """Unsubscribe a session from these nicknames."""
        watched = self._watched.get(session, {})
        for key in map(fold, nicknames):
            if watched.pop(key, None) is not None:
                self._drop(session, key)
        if not watched:
            self._watched.pop(session, None)

    def clear(self, session: Session) -> None:
        """Unsubscribe a session from all nicknames."""
        for key in self._watched.pop(session, {}):
            self._drop(session, key)

    def want_changes(self, session: Session, wanted: bool) -> None:
        """Set whether a session also wants other changes."""
        if wanted:
            self._curious.add(session)
        else:
            self._curious.discard(session)

    def _drop(self, session: Session, key: str) -> None:
        watchers = self._watchers[key]
        watchers.discard(session)
        if not watchers:
            del self._watchers[key]

    def of(self, session: Session) -> list[str]:
        """Return the nicknames that a session monitors."""
        return list(self._watched.get(session, {}).values())

    def report(self, nicknames: Iterable[str], ref: queries.Ref) -> Watched:
        """Return which of these nicknames are online."""
        online: list[MemberInfo] = []
        offline = []
        for nickname in nicknames:
            person = self._nicknames.find(nickname)
            if person is None:
                offline.append(nickname)
            else:
                online.append(person.info)
        return Watched(ref, tuple(online), tuple(offline))

    def claimed_locked(self, session: Session, old: str | None) -> None:
        """Tell subscribers that the session has taken its nickname, instead of `old`."""
        assert session.nickname is not None
        if old is not None and fold(old) == fold(session.nickname):
            return
        if old is not None:
            self._tell_locked(old, Watched(None, offline=(old,)))
        self._tell_locked(session.nickname, Watched(None, online=(session.info,)))

    def gone_locked(self, session: Session) -> None:
        """Drop the subscriptions of a session that has ended, and tell those who monitor it."""
        self.clear(session)
        self._curious.discard(session)
        if session.nickname is not None:
            self._tell_locked(session.nickname, Watched(None, offline=(session.nickname,)))

    def changed_locked(self, session: Session, event: PersonEvent) -> None:
        """Send an event to sessions that monitor this one and do not get the event in a room."""
        for watcher in self._watchers.get(fold(session.nickname or ""), ()):
            if watcher in self._curious and watcher is not session and watcher.rooms.keys().isdisjoint(session.rooms):
                self._order.send_locked(watcher, event._replace(rooms=()))

    def _tell_locked(self, nickname: str, news: Watched) -> None:
        for watcher in self._watchers.get(fold(nickname), ()):
            self._order.send_locked(watcher, news)


def watch(chat: Chat, session: Session, verb: verbs.Watch) -> None:
    """Change subscriptions. An invalid nickname is reported as offline and not stored: nobody can ever take it."""
    added = {fold(nickname): nickname for nickname in verb.add}.values()
    possible = [nickname for nickname in added if _is_possible(chat, nickname)]
    with chat.order.change(session):
        if verb.clear:
            chat.watches.clear(session)
        chat.watches.want_changes(session, verb.changes)
        chat.watches.remove(session, verb.remove)
        left_out = tuple(chat.watches.add(session, possible, chat.limits.watched_nicknames))
        # A refusal is the reply if there is one; the statuses are then sent as news.
        rest = [nickname for nickname in added if nickname not in left_out]
        report = chat.watches.report(rest, None if left_out else verb.ref)
        chat.order.send_locked(session, report)
    if left_out:
        raise TooManyWatched(chat.limits.watched_nicknames, left_out)


def _is_possible(chat: Chat, nickname: str) -> bool:
    try:
        check_nickname(nickname, chat.limits)
    except InvalidNickname:
        return False
    return True


def list_watched(chat: Chat, session: Session, verb: queries.ListWatched) -> None:
    with chat.order.change():
        report = chat.watches.report(chat.watches.of(session), verb.ref)
        chat.order.send_locked(session, report)
