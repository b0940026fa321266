"""
Telling those who watch a nickname when somebody takes it or gives it up (IRCv3 monitor), in the one order.

And, for those who want that (IRCv3 extended-monitor), when something else about that person changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.errors import InvalidNickname, LimitExceeded
from pychat.model.events import PersonEvent
from pychat.model.names import check_nickname, fold
from pychat.model.replies import MemberInfo, Watched

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.order import Order
    from pychat.core.people.nicknames import Nicknames


class TooManyWatched(LimitExceeded):
    """No more nicknames can be watched; `subject` are those that are not."""

    code = "too_many_watched"

    def __init__(self, limit: int, left_out: tuple[str, ...]) -> None:
        super().__init__("nicknames that you watch", limit, "nicknames")
        self.subject = left_out


class Watches:
    """Who watches whom. Every method runs under the chat's order lock. A nickname kept for a token is given up."""

    def __init__(self, order: Order, nicknames: Nicknames) -> None:
        self._order = order
        self._nicknames = nicknames
        self._watched: dict[Session, dict[str, str]] = {}
        """For each session the nicknames that it watches, as it wrote them, by key."""
        self._watchers: dict[str, set[Session]] = {}
        """For each key those who watch it."""
        self._curious: set[Session] = set()
        """Sessions that want to be told of changes as well."""

    def add(self, session: Session, nicknames: Iterable[str], most: int) -> list[str]:
        """Let a session watch these, up to `most` in all; return those that are too many."""
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
        """Let a session watch these no more."""
        watched = self._watched.get(session, {})
        for key in map(fold, nicknames):
            if watched.pop(key, None) is not None:
                self._drop(session, key)
        if not watched:
            self._watched.pop(session, None)

    def clear(self, session: Session) -> None:
        """Let a session watch nobody."""
        for key in self._watched.pop(session, {}):
            self._drop(session, key)

    def want_changes(self, session: Session, wanted: bool) -> None:
        """Tell a session of changes as well, or not."""
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
        """Return the nicknames that a session watches."""
        return list(self._watched.get(session, {}).values())

    def report(self, nicknames: Iterable[str], ref: queries.Ref) -> Watched:
        """Say who of these is there."""
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
        """The session has its nickname now, instead of `old`."""
        assert session.nickname is not None
        if old is not None and fold(old) == fold(session.nickname):
            return
        if old is not None:
            self._tell_locked(old, Watched(None, offline=(old,)))
        self._tell_locked(session.nickname, Watched(None, online=(session.info,)))

    def gone_locked(self, session: Session) -> None:
        """The session is over."""
        self.clear(session)
        self._curious.discard(session)
        if session.nickname is not None:
            self._tell_locked(session.nickname, Watched(None, offline=(session.nickname,)))

    def changed_locked(self, session: Session, event: PersonEvent) -> None:
        """Tell those who watch the session of an event that they do not hear in a room."""
        for watcher in self._watchers.get(fold(session.nickname or ""), ()):
            if watcher in self._curious and watcher is not session and watcher.rooms.keys().isdisjoint(session.rooms):
                self._order.send_locked(watcher, event._replace(rooms=()))

    def _tell_locked(self, nickname: str, news: Watched) -> None:
        for watcher in self._watchers.get(fold(nickname), ()):
            self._order.send_locked(watcher, news)


def watch(chat: Chat, session: Session, verb: verbs.Watch) -> None:
    """What is no nickname at all is answered as one that nobody has, and not kept: nobody will ever have it."""
    added = {fold(nickname): nickname for nickname in verb.add}.values()
    possible = [nickname for nickname in added if _is_possible(chat, nickname)]
    with chat.order.change(session):
        if verb.clear:
            chat.watches.clear(session)
        chat.watches.want_changes(session, verb.changes)
        chat.watches.remove(session, verb.remove)
        left_out = tuple(chat.watches.add(session, possible, chat.limits.watched_nicknames))
        # A refusal is the answer if there is one; then the others are told as news.
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
