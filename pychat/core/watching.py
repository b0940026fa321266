"""Telling those who watch a nickname when somebody takes it or gives it up (IRCv3 monitor), in the one order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core import queries, verbs
from pychat.core.errors import InvalidNickname, LimitExceeded
from pychat.core.names import check_nickname, fold
from pychat.core.replies import MemberInfo, Watched
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.nicknames import Nicknames
    from pychat.core.order import Order


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
        if session.nickname is not None:
            self._tell_locked(session.nickname, Watched(None, offline=(session.nickname,)))

    def _tell_locked(self, nickname: str, news: Watched) -> None:
        for watcher in self._watchers.get(fold(nickname), ()):
            self._order.send_locked(watcher, news)


def watch(chat: Chat, session: Session, verb: verbs.Watch) -> None:
    """What is no nickname at all is answered as one that nobody has, and not kept: nobody will ever have it."""
    added = {fold(nickname): nickname for nickname in verb.add}.values()
    possible = [nickname for nickname in added if _is_possible(chat, nickname)]
    chat.order.flush()
    with chat.order.lock:
        if session.closed:
            return
        if verb.clear:
            chat.watches.clear(session)
        chat.watches.remove(session, verb.remove)
        left_out = tuple(chat.watches.add(session, possible, chat.limits.watched_nicknames))
        # A refusal is the answer if there is one; then the others are told as news.
        rest = [nickname for nickname in added if nickname not in left_out]
        report = chat.watches.report(rest, None if left_out else verb.ref)
        chat.order.send_locked(session, report)
    chat.order.wake()
    if left_out:
        raise TooManyWatched(chat.limits.watched_nicknames, left_out)


def _is_possible(chat: Chat, nickname: str) -> bool:
    try:
        check_nickname(nickname, chat.limits)
    except InvalidNickname:
        return False
    return True


def list_watched(chat: Chat, session: Session, verb: queries.ListWatched) -> None:
    chat.order.flush()
    with chat.order.lock:
        report = chat.watches.report(chat.watches.of(session), verb.ref)
        chat.order.send_locked(session, report)
    chat.order.wake()
