"""
Monitoring nicknames: subscribers are told when one is taken or given up (IRCv3 monitor), in the one order.

They may also ask for other changes of that person (IRCv3 extended-monitor).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pychat.core.outcome import Outcome
from pychat.core.people.changes import NewWatched
from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.errors import InvalidNickname
from pychat.model.events import PersonEvent
from pychat.model.names import check_nickname, fold
from pychat.model.replies import MemberInfo, Watched

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.order import Order
    from pychat.core.people.nicknames import Nicknames
    from pychat.core.people.state import PeopleState


class Watches:
    """The subscriptions to nicknames. Every method runs under the chat's order lock. A reserved nickname is offline."""

    def __init__(self, people: PeopleState, order: Order, nicknames: Nicknames) -> None:
        self._people = people
        self._order = order
        self._nicknames = nicknames

    def of(self, session: Session) -> list[str]:
        """Return the nicknames that a session monitors."""
        return list(session.person.watched.values())

    def report(self, nicknames: Iterable[str], ref: queries.Ref) -> Watched:
        """Return which of these nicknames are online."""
        online: list[MemberInfo] = []
        offline = []
        for nickname in nicknames:
            person = self._people.find(nickname)
            if person is None:
                offline.append(nickname)
            else:
                online.append(person.info)
        return Watched(ref, tuple(online), tuple(offline))

    def changed_locked(self, session: Session, event: PersonEvent) -> None:
        """Send an event to sessions that monitor this one and do not get the event in a room."""
        for identity in self._people.watchers.get(fold(session.nickname or ""), ()):
            watcher = self._nicknames.get(identity)
            if watcher is None or watcher is session or not watcher.person.wants_changes:
                continue
            if watcher.rooms.keys().isdisjoint(session.rooms):
                self._order.send_locked(watcher, event._replace(rooms=()))


def watch(chat: Chat, session: Session, verb: verbs.Watch) -> None:
    """Change subscriptions. An invalid nickname is reported as offline and not stored: nobody can ever take it."""
    added = {fold(nickname): nickname for nickname in verb.add}.values()
    possible = [nickname for nickname in added if _is_possible(chat, nickname)]
    most = chat.limits.watched_nicknames
    proposal = NewWatched(session.identity, verb.clear, verb.remove, tuple(possible), verb.changes, most)

    def report_locked(outcome: Outcome) -> None:
        # A refusal is the reply if there is one; the statuses are then sent as news.
        left_out = [nickname for error in outcome.refusals for nickname in error.subject]
        rest = [nickname for nickname in added if nickname not in left_out]
        chat.order.send_locked(session, chat.watches.report(rest, None if left_out else verb.ref))

    for error in chat.propose(proposal, session, then=report_locked).refusals:
        raise error


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
