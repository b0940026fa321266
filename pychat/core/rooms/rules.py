"""The rules of one room: its modes, its lists of masks, who has which role, who is invited."""

from __future__ import annotations

from typing import Final

from pychat.core.rooms.slow_mode import Pace
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.masks import MaskList
from pychat.model.modes import LISTS, ROLES

FIRST_FLAGS: Final = frozenset("n")
"""What a new room has. Not `t`: every member may set the topic, unless an operator changes that."""
_CLOSING: Final = frozenset("is")
_MOST_INVITED: Final = 100
_MOST_ACCOUNTS: Final = 100


class RoomRules:
    """
    Guarded by the chat's order lock; single attributes may be read without it.

    What belongs to a member is kept under `Session.identity`, so that neither a rename nor a lost connection that
    comes back takes it away, and nobody inherits it with a nickname.
    """

    __slots__ = (
        "_clock",
        "absent",
        "accounts",
        "awaited",
        "created",
        "flags",
        "forgets",
        "fresh",
        "hushes",
        "invited",
        "key",
        "limit",
        "lists",
        "looks_at",
        "pace",
        "roles",
        "slow",
        "topic_by",
        "topic_time",
        "topic_userhost",
    )

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self.created = clock.time()
        self.flags = FIRST_FLAGS
        """Letters of `modes.FLAGS`."""
        self.key: str | None = None
        """Of mode `k`."""
        self.limit: int | None = None
        """Of mode `l`."""
        self.slow = 0
        """Seconds of mode `W`; 0: it is not set."""
        self.pace = Pace()
        """Who has talked when, for it."""
        self.lists: dict[str, MaskList] = {letter: MaskList(lasts=True) for letter in LISTS}
        """By letter; the list of bans has the mutes, too. What may be in all of them together is bounded."""
        self.fresh = True
        """Whether nothing of these lists is stored yet, and what is stored of earlier rules of the room is void."""
        self.looks_at: float | None = None
        """When it is looked next which bans have ended (`Clock.monotonic`); None: none of them ends by itself."""
        self.hushes = False
        """Whether there is a rule that may keep a member from talking. Nearly always there is none."""
        self.roles: dict[int, str] = {}
        """Letters of `modes.ROLES` by identity; members without a role are not in it."""
        self.accounts: dict[str, str] = {}
        """The same by folded name of an account, for when it comes again."""
        self.invited: dict[int, bool] = {}
        """
        Identities that may come in although the room is only for those who are invited; the oldest first. True: an
        operator has invited them, so a ban and the limit do not keep them out either.
        """
        self.absent: dict[int, float] = {}
        """Identities of members whose connection was lost, and until when they are expected (`Clock.monotonic`)."""
        self.awaited = 0.0
        """
        Until when an empty room waits for members that lost the connection, or were here when the server ended
        (`Clock.monotonic`); 0: for nobody.
        """
        self.forgets = False
        """Whether nobody is in the room now and who comes next shall not know what was before."""
        self.topic_by = ""
        """Nickname of the one who set the topic; empty if there is none."""
        self.topic_time = 0.0
        """When that was; POSIX seconds."""
        self.topic_userhost = ""
        """Of the one who set the topic."""

    @property
    def closed(self) -> bool:
        """Whether the room keeps strangers out, or does not show itself to them."""
        return self.key is not None or not _CLOSING.isdisjoint(self.flags)

    @property
    def secret(self) -> bool:
        """Whether only members may know of the room."""
        return "s" in self.flags

    @property
    def letters(self) -> str:
        """The modes that are set, but for lists and roles."""
        more = "k" * (self.key is not None), "l" * (self.limit is not None), "W" * (self.slow > 0)
        return "".join(sorted(self.flags)) + "".join(more)

    # Changes; each returns whether it made a difference

    def set_flag(self, letter: str, adding: bool) -> bool:
        flags = self.flags | {letter} if adding else self.flags - {letter}
        changed, self.flags = flags != self.flags, flags
        self.update_hushes()
        return changed

    def set_key(self, key: str | None) -> bool:
        changed, self.key = key != self.key, key
        return changed

    def set_limit(self, limit: int | None) -> bool:
        changed, self.limit = limit != self.limit, limit
        return changed

    def set_slow(self, seconds: int) -> bool:
        changed, self.slow = seconds != self.slow, seconds
        self.update_hushes()
        return changed

    def set_role(self, identity: int, letter: str, adding: bool) -> bool:
        has = self.roles.get(identity, "")
        roles = "".join([role for role in ROLES if (adding if role == letter else role in has)])
        if roles:
            self.roles[identity] = roles
        else:
            self.roles.pop(identity, None)
        return roles != has

    def keep_role(self, account: str, letter: str, adding: bool) -> bool:
        """Let the account of that folded name have a role when it comes again, or not; of too many, not."""
        has = self.accounts.get(account, "")
        if adding and not has and len(self.accounts) >= _MOST_ACCOUNTS:
            return False
        roles = "".join([role for role in ROLES if (adding if role == letter else role in has)])
        if roles:
            self.accounts[account] = roles
        else:
            self.accounts.pop(account, None)
        return roles != has

    @property
    def owners(self) -> list[str]:
        """The accounts that are operators of the room, by folded name."""
        return [account for account, roles in self.accounts.items() if "o" in roles]

    @property
    def owned(self) -> bool:
        """Whether an account is an operator of the room."""
        return bool(self.owners)

    def update_hushes(self) -> None:
        """Flags, bans or the slow mode have changed."""
        self.hushes = not self.flags.isdisjoint("mC") or len(self.lists["b"]) > 0 or self.slow > 0

    # People who come and go

    def invite(self, identity: int, *, by_operator: bool = False) -> None:
        """Let somebody in later; of many who do not come, the oldest invitation is forgotten."""
        self.invited[identity] = self.invited.pop(identity, False) or by_operator
        if len(self.invited) > _MOST_INVITED:
            del self.invited[next(iter(self.invited))]

    def arrive(self, identity: int) -> bool:
        """
        Somebody is a member now: an invitation is good for one time, and roles are kept for so long only.

        Returns:
            Whether that made a difference to what lasts.
        """
        changed = identity in self.invited
        self.invited.pop(identity, None)
        if not self.expects(identity):
            changed |= self.roles.pop(identity, None) is not None
        self.absent.pop(identity, None)
        return changed

    def depart(self, identity: int, keep_seconds: float = 0.0) -> bool:
        """
        Somebody is no member any more; roles and the way in are kept so long for one who may come back.

        Returns:
            Whether that made a difference to what lasts.
        """
        before = len(self.roles)
        now = self._clock.monotonic()
        while self.absent:
            oldest, until = next(iter(self.absent.items()))
            if until > now:
                break
            del self.absent[oldest]
            self.roles.pop(oldest, None)
        if keep_seconds > 0:
            self.absent[identity] = now + keep_seconds
        else:
            self.roles.pop(identity, None)
        return len(self.roles) < before

    def await_expected(self) -> bool:
        """Nobody is here any more: return whether a member may still come back, for whom the room waits."""
        self.awaited = max(self.awaited, *self.absent.values()) if self.absent else self.awaited
        return self.awaits()

    def awaits(self) -> bool:
        """Whether the room waits for members that may still come back."""
        return self.awaited > self._clock.monotonic()

    def expects(self, identity: int) -> bool:
        """Whether this was a member until the connection was lost, a short while ago."""
        return self.absent.get(identity, 0.0) > self._clock.monotonic()
