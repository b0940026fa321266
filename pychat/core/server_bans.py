"""
Bans from the whole server: who has them, where they are asked about, and what the verbs about them do.

An address is refused when it connects, before anything is read from it; an account when it logs in; a mask when its
nickname is claimed. Programs inside this process are never banned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core import masks
from pychat.core.clock import Clock
from pychat.core.durations import end_of, write_duration
from pychat.core.errors import Refused
from pychat.core.names import fold
from pychat.core.replies import Ok
from pychat.core.server_ban import (
    AddServerBan,
    BadTarget,
    ListServerBans,
    Network,
    RemoveServerBan,
    ServerBan,
    ServerBanList,
    network_of,
    normal_target,
)
from pychat.core.session import Session
from pychat.core.text import because, shorten
from pychat.core.userhost import UNIX, ip_of

if TYPE_CHECKING:
    from pychat.core.chat import Chat
    from pychat.core.log import Log


class BannedFromServer(Refused):
    """The server does not want this person."""

    code = "server_banned"

    def __init__(self, ban: ServerBan) -> None:
        super().__init__(f"you are banned from this server{f': {ban.reason}' if ban.reason else ''}")


class ServerBans:
    """Changed under the chat's order lock; may be asked from any thread at any time."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        # Both are replaced as a whole, never changed, so that others can read them meanwhile.
        self._bans = {fold(ban.target): ban for ban in log.kept_bans()}
        self._networks: tuple[tuple[Network, ServerBan], ...] = ()
        self._update()

    def current(self) -> list[ServerBan]:
        """Return those that have not ended."""
        return [ban for ban in self._bans.values() if self._lasts(ban)]

    def of_address(self, address: str) -> ServerBan | None:
        """Return the ban of an address; None if it has none, or is that of a Unix socket or of nobody."""
        if not self._networks or address in ("", UNIX):
            return None
        ip = ip_of(address)
        return next((ban for network, ban in self._networks if ip in network and self._lasts(ban)), None)

    def of_account(self, account: str) -> ServerBan | None:
        """Return the ban of an account."""
        ban = self._bans.get(fold(masks.ACCOUNT + account))
        return ban if ban is not None and self._lasts(ban) else None

    def of_person(self, nickname: str, userhost: str) -> ServerBan | None:
        """Return the ban whose mask describes somebody."""
        text = f"{nickname}!{userhost}"
        bans = [ban for ban in self._bans.values() if "!" in ban.target]  # most servers have none
        return next((ban for ban in bans if masks.fits(ban.target, text) and self._lasts(ban)), None)

    def add_locked(self, ban: ServerBan) -> None:
        """Add a ban, or put it in the place of the one of the same target."""
        for old in [old for old in self._bans.values() if not self._lasts(old)]:
            self.remove_locked(old.target)
        self._bans = {**self._bans, fold(ban.target): ban}
        self._update()
        self._log.keep_ban(fold(ban.target), ban)

    def remove_locked(self, target: str) -> bool:
        """Remove a ban; False if there is none."""
        bans = dict(self._bans)
        if bans.pop(fold(target), None) is None:
            return False
        self._bans = bans
        self._update()
        self._log.keep_ban(fold(target), None)
        return True

    def _lasts(self, ban: ServerBan) -> bool:
        return ban.until is None or ban.until > self._clock.time()

    def _update(self) -> None:
        networks = [(network_of(ban.target), ban) for ban in self._bans.values()]
        self._networks = tuple([(network, ban) for network, ban in networks if network is not None])


def require_welcome(session: Session, nickname: str) -> None:
    """
    Return if the session may be called so, and be here.

    Raises:
        BannedFromServer: It is not wanted.
    """
    ban = None if session.is_local else session.chat.bans.of_person(nickname, session.userhost)
    if ban is not None:
        raise BannedFromServer(ban)


def add_ban(chat: Chat, session: Session, verb: AddServerBan) -> None:
    """Whoever it is for and is here is disconnected. Nobody can ban themselves."""
    reason = chat.checked_short_text("reason", verb.reason)
    target = _target(chat, verb.target)
    now = chat.clock.time()
    ban = ServerBan(target, reason, session.nickname or "", now, end_of(verb.seconds, now))
    network = network_of(target)
    with chat.order.lock:
        if _means(ban, network, session):
            raise Refused("that would ban yourself", code="bad_target", subject=(target,))
        chat.bans.add_locked(ban)
        chat.audit.note_locked(session, f"banned {target} from the server{_for(verb.seconds)}{because(reason)}")
        people = [person for person in chat.nicknames.sessions() if _means(ban, network, person)]
    chat.order.wake()
    for person in people:
        person.unwanted = True
        person.kick(str(BannedFromServer(ban)))
    # No room hears of it, and whom a target means is worth knowing.
    session.notice(f"{shorten(target)} is banned from the server{_for(verb.seconds)}")
    chat.send(session, Ok(verb.ref))


def _means(ban: ServerBan, network: Network | None, session: Session) -> bool:
    """Whether the ban is for somebody who is here. `network`: what its target means, read once for all people."""
    if session.is_local:
        return False
    if network is not None:
        return session.address not in ("", UNIX) and ip_of(session.address) in network
    if ban.target.startswith(masks.ACCOUNT):
        return session.account is not None and fold(masks.ACCOUNT + session.account) == fold(ban.target)
    return session.nickname is not None and masks.fits(ban.target, f"{session.nickname}!{session.userhost}")


def _target(chat: Chat, target: str) -> str:
    """Whom a target means: a nickname means the address of whoever has it."""
    try:
        return normal_target(target)
    except BadTarget:
        person = chat.find(target)
        if person is None:
            raise
        if person.address in ("", UNIX):
            raise Refused(f"{target!r} has no address", code="bad_target", subject=(target,)) from None
        return normal_target(str(ip_of(person.address)))


def remove_ban(chat: Chat, session: Session, verb: RemoveServerBan) -> None:
    target = normal_target(verb.target)
    with chat.order.lock:
        if not chat.bans.remove_locked(target):
            raise Refused(f"{target!r} is not banned", code="bad_target", subject=(target,))
        chat.audit.note_locked(session, f"ended the ban of {target} from the server")
    chat.order.wake()
    session.notice(f"{shorten(target)} is not banned from the server any more")
    chat.send(session, Ok(verb.ref))


def list_bans(chat: Chat, session: Session, verb: ListServerBans) -> None:
    chat.send(session, ServerBanList(verb.ref, tuple(chat.bans.current())))


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f" for {write_duration(seconds)}"
