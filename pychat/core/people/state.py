"""The shared state of people: profiles, nicknames, tokens, and past nicknames. `rules.py` changes it."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from pychat.core.people.directory import Directory
from pychat.core.people.index import Index
from pychat.model.errors import NicknameInUse, NicknameKept
from pychat.model.hostmask import Hostmask
from pychat.model.names import fold, skeleton
from pychat.model.replies import MemberInfo, PastPerson

if TYPE_CHECKING:
    from pychat.core.rooms.state import RoomRecord
    from pychat.model.masks import MaskList

MOST_PAST: Final = 1000
"""The number of past owners of nicknames that are kept."""


_NOBODY: Final = MemberInfo("")
_NO_HOSTMASK: Final = Hostmask()


class Person:
    """Plain data. Guarded by the chat's order lock; single attributes may be read without it."""

    __slots__ = (
        "account",
        "away",
        "earlier_digest",
        "grace_until",
        "has_left",
        "hostmask",
        "identity",
        "ignored",
        "info",
        "modes",
        "named",
        "named_at",
        "nickname",
        "realname",
        "rooms",
        "token_digest",
        "userhost",
        "visits",
        "wants_changes",
        "watched",
    )

    def __init__(self, identity: int) -> None:
        self.identity = identity
        """Never changes, unlike the nickname; a resumed session keeps the identity it had before."""
        self.nickname: str | None = None
        """None until a nickname is accepted."""
        self.account: str | None = None
        """The account the session is logged in to, in its canonical spelling; None for a guest."""
        self.away: str | None = None
        """The away text; None if the person is here."""
        self.realname = ""
        """The real name that IRC shows; any text is allowed."""
        self.userhost = ""
        """The "user@host" that IRC shows (`model/cloaks.py`); empty before the session has a nickname."""
        self.modes = ""
        """Letters of `modes.USER_MODES` that are set; "o" makes the session a server operator."""
        self.visits = False
        """True for a visitor, whose joins and leaves are not announced (`verbs.Hello.visit`)."""
        self.info = _NOBODY
        """The nickname, away text, user@host and account, as member lists show them."""
        self.hostmask = _NO_HOSTMASK
        """The value that masks are matched against."""
        self.ignored: MaskList | None = None
        """Masks of people whose messages are not delivered to the session; None if it ignores nobody."""
        self.named_at = 0
        """The newest event id when the session took its nickname."""
        self.named = 0.0
        """When the session took its nickname (`Clock.monotonic`). Resuming does not change it."""
        self.rooms: dict[str, RoomRecord] = {}
        """The rooms the person is in, by key, in order of joining; until the end, those it left by ending."""
        self.has_left = False
        """True from the moment that the session ends: then it has left its rooms, and only keeps its nickname."""
        self.grace_until: float | None = None
        """The end of the grace period for nicknames of other accounts (`Clock.monotonic`); None if it never started."""
        self.token_digest: str | None = None
        """The digest of its token (`tokens.digest_of`)."""
        self.earlier_digest: str | None = None
        """The digest of the token it was resumed with. It stays valid until the client has the new token."""
        self.watched: dict[str, str] = {}
        """The nicknames that it monitors, as it wrote them, by key."""
        self.wants_changes = False
        """True if it also wants to be told of other changes of those people."""

    @property
    def origin(self) -> tuple[str, str | None, bool]:
        """The fields of an event that describe its author: `userhost`, `account`, `bot`."""
        return self.userhost, self.account, "B" in self.modes

    @property
    def username(self) -> str:
        """The part of the user@host before the "@"."""
        return self.userhost.partition("@")[0]

    @property
    def host(self) -> str:
        """The part of the user@host after the "@"."""
        return self.userhost.partition("@")[2]

    @property
    def room_names(self) -> tuple[str, ...]:
        """The names of the person's rooms, in order of joining."""
        return tuple([room.name for room in self.rooms.values()])

    def is_of(self, account: str | None) -> bool:
        """Return whether it is logged in to the account, compared by folded name; False for None."""
        return account is not None and self.account is not None and fold(self.account) == fold(account)


class Parked(NamedTuple):
    """The saved state of a lost session, for the holder of its token."""

    nickname: str
    identity: int
    rooms: tuple[str, ...]
    away: str | None
    realname: str
    modes: str
    until: float
    """When the reservation ends (`Clock.monotonic`)."""
    knows_password: bool = True
    """True if the holder has given the server's current password, or there is none."""
    account: str | None = None
    """The account that the session was logged in to."""
    ignored: MaskList | None = None
    """The session's ignore list."""
    userhost: str = ""
    """The "user@host" that it had; empty if unknown."""
    address: str = ""
    """The IP address that it came from; empty if unknown."""
    named_at: int = 0
    """The newest id when it took the nickname."""
    earlier: str | None = None
    """The digest of another token that is valid for it: see `Person.earlier_digest`."""


class PastName(NamedTuple):
    """A person who had a nickname in the past."""

    key: str
    person: PastPerson
    identity: int
    began: int
    """The newest id when the nickname was taken."""
    ended: int
    """The newest id when it was given up."""


Holder: TypeAlias = Person | Parked


class PeopleState:
    """
    People with a nickname, and nicknames: unique after folding, no look-alikes, reserved for a while after a lost
    connection.

    ASCII nicknames are compared after folding. If one of two is not ASCII, their skeletons are compared as well (UTS
    #39 section 4), so nobody can be imitated with foreign letters. Guarded by the chat's order lock.
    """

    __slots__ = ("directory", "holders", "named", "parked", "past", "replaced", "skeletons", "tokens", "watchers")

    def __init__(self) -> None:
        self.named: dict[int, Person] = {}
        """People by identity."""
        self.holders: dict[str, Holder] = {}
        """People and reservations by folded nickname."""
        self.skeletons: Index[str] = Index()
        """Folded nicknames by skeleton."""
        self.tokens: dict[str, Person] = {}
        """People by the digest of each valid token."""
        self.parked: dict[str, Parked] = {}
        """Reserved nicknames by the digest of the token, in the order in which they expire."""
        self.replaced: dict[str, str] = {}
        """The current digest for the digest of an earlier token of a lost session."""
        self.directory = Directory()
        """People by the texts of their hostmasks."""
        self.past: deque[PastName] = deque(maxlen=MOST_PAST)
        """The most recent owners of nicknames that were given up."""
        self.watchers: dict[str, dict[int, None]] = {}
        """The identities of those who monitor each folded nickname, in the order in which they began."""

    def find(self, nickname: str) -> Person | None:
        """Return the person who has this nickname."""
        holder = self.holders.get(fold(nickname))
        return holder if type(holder) is Person else None

    def holder_of(self, digest: str, now: float) -> Holder | None:
        """Return the owner of the token with a digest: a person, or the saved state of a lost session."""
        person = self.tokens.get(digest)
        if person is not None:
            return person
        parked = self.parked.get(self.replaced.get(digest, digest))
        return parked if parked is not None and parked.until > now else None

    def reservation_of(self, nickname: str) -> str | None:
        """Return the digest of the token for which exactly this nickname is reserved; None if it is not."""
        holder = self.holders.get(fold(nickname))
        if type(holder) is not Parked:
            return None
        return next(digest for digest, parked in self.parked.items() if parked is holder)

    def require_free(self, nickname: str, person: Person | None, now: float, freed: str | None = None) -> None:
        """
        Check that nobody else has this nickname or one that looks like it.

        Args:
            person: Whoever wants it; None for a newcomer.
            freed: The digest of a token whose reservation does not count.

        Raises:
            NicknameInUse: If somebody has it. `NicknameKept` if it is only reserved for a lost session.
        """
        key = fold(nickname)
        own = None if person is None or person.nickname is None else fold(person.nickname)
        alike = self.skeletons.get(skeleton(nickname))
        others = [other for other in alike if other not in (key, own) and not (other.isascii() and key.isascii())]
        holders = [self.holders[other] for other in others]
        if self.holders.get(key, person) is not person:
            holders.append(self.holders[key])
        if not holders:
            return
        ignored = None if freed is None else self.parked.get(freed)
        kept = []
        for holder in holders:
            if type(holder) is Person:
                raise NicknameInUse(nickname)
            if holder is not ignored and holder.until > now:  # type: ignore[union-attr]  # it is one of the two
                kept.append(holder.until)  # type: ignore[union-attr]
        if kept:
            raise NicknameKept(nickname, math.ceil(max(kept) - now))
