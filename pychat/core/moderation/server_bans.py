"""
Server bans: storing them, checking them, and their verbs.

An address is refused when it connects, before anything is read from it; an account when it logs in; a mask when its
nickname is claimed. A new ban is also checked against everybody connected, with or without a nickname, and against lost
sessions that may come back; sessions that arrive meanwhile check again once they are visible. Programs inside this
process are never banned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pychat.core.moderation.audit import author_of
from pychat.core.moderation.changes import NewServerBan, ServerBanLift
from pychat.core.moderation.state import ServerBanState
from pychat.core.people.addressing import require_same
from pychat.core.people.changes import ReservationEnd
from pychat.core.people.state import Parked
from pychat.core.session import Session
from pychat.model import masks
from pychat.model.cloaks import UNIX, Network, ip_of
from pychat.model.clock import Clock
from pychat.model.durations import as_of_now, check_seconds, write_duration
from pychat.model.errors import BadTarget, BannedFromServer, refusal
from pychat.model.hostmask import hostmask_of
from pychat.model.names import fold
from pychat.model.replies import Ok
from pychat.model.server_ban import (
    AddServerBan,
    ListServerBans,
    RemoveServerBan,
    ServerBan,
    ServerBanList,
    network_of,
    normal_target,
)
from pychat.model.text import because, checked_short_text, shorten

if TYPE_CHECKING:
    from pychat.core.chat import Chat

Person: TypeAlias = Session | Parked


class ServerBans:
    """Answers who is banned. May be used from any thread at any time."""

    def __init__(self, state: ServerBanState, clock: Clock) -> None:
        self._state = state
        self._clock = clock

    @property
    def version(self) -> int:
        """Differs after each change: a check without a lock holds as long as this is the same."""
        return self._state.version

    def current(self) -> list[ServerBan]:
        """Return the bans that have not expired."""
        return [as_of_now(ban, self._clock) for ban in self._state.bans.values() if self._lasts(ban)]

    def of_address(self, address: str) -> ServerBan | None:
        """Return the ban of an address, or None; also None for a Unix socket or this process."""
        networks = self._state.networks
        if not networks or address in ("", UNIX):
            return None
        ip = ip_of(address)
        return next((ban for network, ban in networks if ip in network and self._lasts(ban)), None)

    def refusal_of(self, address: str) -> str | None:
        """Return what a connection from a banned address is told; None if the address is not banned."""
        ban = self.of_address(address)
        return None if ban is None else str(BannedFromServer(ban.reason))

    def of_account(self, account: str) -> ServerBan | None:
        """Return the ban of an account, or None."""
        return self._state.of_account(account, self._clock.monotonic())

    def of_person(self, nickname: str, userhost: str) -> ServerBan | None:
        """Return the ban whose mask matches a person, or None."""
        bans = self._state.masks
        if not bans:
            return None
        person = hostmask_of(nickname, userhost, None)
        return next((ban for ban in bans if masks.describes(ban.target, person) and self._lasts(ban)), None)

    def _lasts(self, ban: ServerBan) -> bool:
        return ban.deadline is None or ban.deadline > self._clock.monotonic()


def arrive(chat: Chat, session: Session) -> None:
    """
    Count an open session as connected, without a nickname yet.

    Raises:
        BannedFromServer: If its address has been banned since it connected.
    """
    with chat.order.lock:
        chat.census.arrive(session)
    ban = chat.bans.of_address(session.address)
    if ban is not None:
        with chat.order.lock:
            chat.census.leave(session)
        raise BannedFromServer(ban.reason)


def require_welcome(session: Session, nickname: str) -> None:
    """
    Check that no server ban matches the session under this nickname.

    Raises:
        BannedFromServer: If one does.
    """
    ban = None if session.is_local else session.chat.bans.of_person(nickname, session.userhost)
    if ban is not None:
        raise BannedFromServer(ban.reason)


def add_ban(chat: Chat, session: Session, verb: AddServerBan) -> None:
    """Add a ban, and disconnect everybody it matches. Nobody can ban themselves."""
    reason = checked_short_text("reason", verb.reason, chat.limits)
    target = _target(chat, session, verb.target)
    seconds, network = check_seconds(verb.seconds), network_of(target)
    if _means(target, network, session):
        raise refusal("that would ban yourself", code="bad_target", subject=(target,))
    note = f"banned {target} from the server{_for(verb.seconds)}{because(reason)}"
    name = session.nickname or ""
    chat.propose(NewServerBan(author_of(session), name, target, seconds, reason, note), session)
    people = chat.everybody()
    # No room is told, and the operator should know the resolved target. This always comes before the leave lines.
    session.notice(f"{shorten(target)} is banned from the server{_for(verb.seconds)}")
    for person in people:
        if _means(target, network, person):
            person.must_not_return = True
            person.disconnect(str(BannedFromServer(reason)))
    # After the live sessions, so that none of them is parked any more.
    gone = tuple([digest for digest, person in chat.reservations() if _means(target, network, person)])
    if gone:
        chat.propose(ReservationEnd(gone))
    chat.send(session, Ok(verb.ref), confirms=True)


def _means(target: str, network: Network | None, person: Person) -> bool:
    """Return whether a ban matches somebody. `network` is its target as a network, parsed once for all people."""
    if isinstance(person, Session) and person.is_local:
        return False
    if network is not None:
        return person.address not in ("", UNIX) and ip_of(person.address) in network
    if target.startswith(masks.ACCOUNT):
        return person.account is not None and fold(masks.ACCOUNT + person.account) == fold(target)
    return person.nickname is not None and masks.fits(target, f"{person.nickname}!{person.userhost}")


def _target(chat: Chat, session: Session, target: str) -> str:
    """Return the normal form of a target; a nickname means the address of the person who has it."""
    try:
        return normal_target(target, new=True)
    except BadTarget:
        person = chat.find(target)
        if person is None:
            raise
        require_same(session, person)
        if person.address in ("", UNIX):
            raise refusal(f"{target!r} has no address", code="bad_target", subject=(target,)) from None
        return normal_target(str(ip_of(person.address)))


def remove_ban(chat: Chat, session: Session, verb: RemoveServerBan) -> None:
    target = normal_target(verb.target)
    note = f"unbanned {target} from the server"
    chat.propose(ServerBanLift(author_of(session), target, note), session)
    session.notice(f"{shorten(target)} is not banned from the server any more")
    chat.send(session, Ok(verb.ref), confirms=True)


def list_bans(chat: Chat, session: Session, verb: ListServerBans) -> None:
    chat.send(session, ServerBanList(verb.ref, tuple(chat.bans.current())))


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f" for {write_duration(seconds)}"
