"""
Server bans: storing them, checking them, and their verbs.

An address is refused when it connects, before anything is read from it; an account when it logs in; a mask when its
nickname is claimed. A new ban is also checked against everybody connected, with or without a nickname, and against lost
sessions that may come back; sessions that arrive meanwhile check again once they are visible. Programs inside this
process are never banned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from pychat.core.people.addressing import require_same
from pychat.core.people.nicknames import Parked
from pychat.core.people.user_counts import everybody_locked
from pychat.core.session import Session
from pychat.model import masks
from pychat.model.cloaks import UNIX, Network, ip_of
from pychat.model.clock import Clock
from pychat.model.durations import as_of_now, deadline_of, end_of, write_duration
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
    from pychat.core.log.log import Log

Person: TypeAlias = Session | Parked


class ServerBans:
    """The server bans of a chat. Changed under the chat's order lock; may be read from any thread at any time."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        # All of these are replaced as a whole and never changed, so that others can read them meanwhile.
        self._bans = {fold(ban.target): self._begin(ban) for ban in log.load_bans()}
        self._networks: tuple[tuple[Network, ServerBan], ...] = ()
        self._masks: tuple[ServerBan, ...] = ()
        self.version = 0
        """Differs after each change: a check without a lock holds as long as this is the same."""
        self._update()

    def current(self) -> list[ServerBan]:
        """Return the bans that have not expired."""
        return [as_of_now(ban, self._clock) for ban in self._bans.values() if self._lasts(ban)]

    def save_ends_locked(self) -> None:
        """Store when the bans end by the current clock."""
        for key, ban in self._bans.items():
            if as_of_now(ban, self._clock) is not ban:
                self._log.save_ban(key, as_of_now(ban, self._clock), None)

    def of_address(self, address: str) -> ServerBan | None:
        """Return the ban of an address, or None; also None for a Unix socket or this process."""
        if not self._networks or address in ("", UNIX):
            return None
        ip = ip_of(address)
        return next((ban for network, ban in self._networks if ip in network and self._lasts(ban)), None)

    def refusal_of(self, address: str) -> str | None:
        """Return what a connection from a banned address is told; None if the address is not banned."""
        ban = self.of_address(address)
        return None if ban is None else str(BannedFromServer(ban.reason))

    def of_account(self, account: str) -> ServerBan | None:
        """Return the ban of an account, or None."""
        ban = self._bans.get(fold(masks.ACCOUNT + account))
        return ban if ban is not None and self._lasts(ban) else None

    def of_person(self, nickname: str, userhost: str) -> ServerBan | None:
        """Return the ban whose mask matches a person, or None."""
        if not self._masks:
            return None
        person = hostmask_of(nickname, userhost, None)
        return next((ban for ban in self._masks if masks.describes(ban.target, person) and self._lasts(ban)), None)

    def add_locked(self, ban: ServerBan, session: Session | None = None) -> None:
        """Add a ban for an operator, replacing the one with the same target."""
        for old in [old for old in self._bans.values() if not self._lasts(old)]:
            self.remove_locked(old.target)
        self._bans = {**self._bans, fold(ban.target): self._begin(ban)}
        self._update()
        self._log.save_ban(fold(ban.target), ban, session)

    def remove_locked(self, target: str, session: Session | None = None) -> bool:
        """Remove a ban for an operator; return False if there is none."""
        bans = dict(self._bans)
        if bans.pop(fold(target), None) is None:
            return False
        self._bans = bans
        self._update()
        self._log.save_ban(fold(target), None, session)
        return True

    def _begin(self, ban: ServerBan) -> ServerBan:
        return ban._replace(deadline=deadline_of(ban.until, self._clock))

    def _lasts(self, ban: ServerBan) -> bool:
        return ban.deadline is None or ban.deadline > self._clock.monotonic()

    def _update(self) -> None:
        self.version += 1
        networks = [(network_of(ban.target), ban) for ban in self._bans.values()]
        self._networks = tuple([(network, ban) for network, ban in networks if network is not None])
        self._masks = tuple([ban for ban in self._bans.values() if "!" in ban.target])


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
    now = chat.clock.time()
    ban = ServerBan(target, reason, session.nickname or "", now, end_of(verb.seconds, now))
    network = network_of(target)
    with chat.order.change(session):
        if _means(ban, network, session):
            raise refusal("that would ban yourself", code="bad_target", subject=(target,))
        chat.bans.add_locked(ban, session)
        chat.audit.note_locked(session, f"banned {target} from the server{_for(verb.seconds)}{because(reason)}")
        people = everybody_locked(chat)
    # No room is told, and the operator should know the resolved target. This always comes before the leave lines.
    session.notice(f"{shorten(target)} is banned from the server{_for(verb.seconds)}")
    for person in people:
        if _means(ban, network, person):
            person.must_not_return = True
            person.disconnect(str(BannedFromServer(ban.reason)))
    with chat.order.lock:  # after the live sessions, so that none of them is parked any more
        parked = chat.nicknames.parked()
    gone = [digest for digest, person in parked if _means(ban, network, person)]
    with chat.order.lock:
        for digest in gone:
            chat.nicknames.drop_parked(digest)
    chat.send(session, Ok(verb.ref), confirms=True)


def _means(ban: ServerBan, network: Network | None, person: Person) -> bool:
    """Return whether the ban matches somebody. `network` is its target as a network, parsed once for all people."""
    if isinstance(person, Session) and person.is_local:
        return False
    if network is not None:
        return person.address not in ("", UNIX) and ip_of(person.address) in network
    if ban.target.startswith(masks.ACCOUNT):
        return person.account is not None and fold(masks.ACCOUNT + person.account) == fold(ban.target)
    return person.nickname is not None and masks.fits(ban.target, f"{person.nickname}!{person.userhost}")


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
    with chat.order.change(session):
        if not chat.bans.remove_locked(target, session):
            raise refusal(f"{target!r} is not banned", code="bad_target", subject=(target,))
        chat.audit.note_locked(session, f"ended the ban of {target} from the server")
    session.notice(f"{shorten(target)} is not banned from the server any more")
    chat.send(session, Ok(verb.ref), confirms=True)


def list_bans(chat: Chat, session: Session, verb: ListServerBans) -> None:
    chat.send(session, ServerBanList(verb.ref, tuple(chat.bans.current())))


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f" for {write_duration(seconds)}"
