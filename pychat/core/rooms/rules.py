"""The rules of one room: its modes, mask lists, roles and invitations."""

from __future__ import annotations

from typing import Final

from pychat.core.rooms.slow_mode import Pace
from pychat.model.clock import SYSTEM_CLOCK, Clock
from pychat.model.masks import MaskList
from pychat.model.modes import LISTS, ROLES, VALUES

FIRST_FLAGS: Final = frozenset("n")
"""The flags of a new room. Without `t`, so every member may set the topic until an operator changes that."""
_CLOSING: Final = frozenset("is")
_MOST_INVITED: Final = 100
_MOST_ACCOUNTS: Final = 100


class RoomRules:
    """
    The rules of one room. Guarded by the chat's order lock; single attributes may be read without it.

    Data of a member is stored by `Session.identity`, so that it survives a rename or a lost connection, and cannot be
    inherited with a nickname.
    """

    __slots__ = (
        "_clock",
        "accounts",
        "created",
        "drops_history",
        "expected",
        "flags",
        "fresh",
        "invited",
        "lists",
        "may_silence",
        "next_expiry_check",
        "pace",
        "roles",
        "topic_by",
        "topic_time",
        "topic_userhost",
        "values",
        "waits_until",
    )

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self.created = clock.time()
        self.flags = FIRST_FLAGS
        """Letters of `modes.FLAGS`."""
        self.values: dict[str, str] = {}
        """The values of `modes.VALUES` that are set, by letter."""
        self.pace = Pace()
        """When members last spoke, for the slow mode."""
        self.lists: dict[str, MaskList] = {letter: MaskList(lasts=True) for letter in LISTS}
        """Mask lists by letter; the list of bans includes mutes. Their total size is bounded."""
        self.fresh = True
        """True if nothing of these lists is stored yet, and stored lists of earlier rules of the room are void."""
        self.next_expiry_check: float | None = None
        """When to check next for expired bans (`Clock.monotonic`); None if none of them expires."""
        self.may_silence = False
        """True if a rule may keep a member from speaking. It is almost always False."""
        self.roles: dict[int, str] = {}
        """Letters of `modes.ROLES` by identity; members without a role are left out."""
        self.accounts: dict[str, str] = {}
        """Letters of `modes.ROLES` by folded account name, for the account's next visit."""
        self.invited: dict[int, bool] = {}
        """
        Identities that are invited to an invite-only room, the oldest first. True if an operator invited them; then
        they are exempt from bans and the limit, too.
        """
        self.expected: dict[int, float] = {}
        """Identities of members with a lost connection, and until when they are expected back (`Clock.monotonic`)."""
        self.waits_until = 0.0
        """
        Deadline until which an empty room waits for members that lost their connection or were present at the last
        shutdown (`Clock.monotonic`); 0 if none.
        """
        self.drops_history = False
        """True while an empty private room must hide its history from the next member to join."""
        self.topic_by = ""
        """The nickname of whoever set the topic; empty if there is none."""
        self.topic_time = 0.0
        """When the topic was set, in POSIX seconds."""
        self.topic_userhost = ""
        """The user@host of whoever set the topic."""

    @property
    def key(self) -> str | None:
        """The key of mode `k`."""
        return self.values.get("k")

    @property
    def limit(self) -> int | None:
        """The limit of mode `l`."""
        limit = self.values.get("l")
        return None if limit is None else int(limit)

    @property
    def slow(self) -> int:
        """The seconds of mode `W`; 0 if it is not set."""
        return int(self.values.get("W", 0))

    @property
    def closed(self) -> bool:
        """True if the room keeps strangers out, or hides itself from them."""
        return self.key is not None or not _CLOSING.isdisjoint(self.flags)

    @property
    def secret(self) -> bool:
        """True if only members may know of the room."""
        return "s" in self.flags

    @property
    def letters(self) -> str:
        """The modes that are set, without lists and roles."""
        return "".join([*sorted(self.flags), *(letter for letter in VALUES if letter in self.values)])

    # Changes; each returns whether it made a difference

    def set_flag(self, letter: str, adding: bool) -> bool:
        flags = self.flags | {letter} if adding else self.flags - {letter}
        changed, self.flags = flags != self.flags, flags
        self.update_may_silence()
        return changed

    def set_value(self, letter: str, value: str | None) -> bool:
        """Set a mode with a value, or remove it with None."""
        changed = value != self.values.get(letter)
        if value is None:
            self.values.pop(letter, None)
        else:
            self.values[letter] = value
        self.update_may_silence()
        return changed

    def set_role(self, identity: int, letter: str, adding: bool) -> bool:
        has = self.roles.get(identity, "")
        roles = "".join([role for role in ROLES if (adding if role == letter else role in has)])
        if roles:
            self.roles[identity] = roles
        else:
            self.roles.pop(identity, None)
        return roles != has

    def set_account_role(self, account: str, letter: str, adding: bool) -> bool:
        """Set or remove a role that the account, by folded name, gets on its next visit; ignored above the maximum."""
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
        """The folded names of the accounts that are operators of the room."""
        return [account for account, roles in self.accounts.items() if "o" in roles]

    @property
    def owned(self) -> bool:
        """True if an account is an operator of the room."""
        return bool(self.owners)

    def update_may_silence(self) -> None:
        """Update `may_silence` after a change of flags, bans or the slow mode."""
        self.may_silence = not self.flags.isdisjoint("mC") or len(self.lists["b"]) > 0 or "W" in self.values

    # Members that join and leave

    def invite(self, identity: int, *, by_operator: bool = False) -> None:
        """Store an invitation; above the maximum, the oldest one is dropped."""
        self.invited[identity] = self.invited.pop(identity, False) or by_operator
        if len(self.invited) > _MOST_INVITED:
            del self.invited[next(iter(self.invited))]

    def arrive(self, identity: int) -> bool:
        """
        Use up the invitation of a new member, and drop its roles unless it was expected back.

        Returns:
            True if that changes the room's snapshot.
        """
        changed = identity in self.invited
        self.invited.pop(identity, None)
        if not self.expects(identity):
            changed |= self.roles.pop(identity, None) is not None
        self.expected.pop(identity, None)
        return changed

    def depart(self, identity: int, keep_seconds: float = 0.0) -> bool:
        """
        Remove a member, and keep its roles and its right to return for `keep_seconds`.

        Returns:
            True if that changes the room's snapshot.
        """
        before = len(self.roles)
        now = self._clock.monotonic()
        while self.expected:
            oldest, until = next(iter(self.expected.items()))
            if until > now:
                break
            del self.expected[oldest]
            self.roles.pop(oldest, None)
        if keep_seconds > 0:
            self.expected[identity] = now + keep_seconds
        else:
            self.roles.pop(identity, None)
        return len(self.roles) < before

    def await_expected(self) -> bool:
        """Let an empty room wait for its expected members; return whether there are any."""
        self.waits_until = max(self.waits_until, *self.expected.values()) if self.expected else self.waits_until
        return self.awaits()

    def awaits(self) -> bool:
        """Return whether the room waits for members that may still come back."""
        return self.waits_until > self._clock.monotonic()

    def expects(self, identity: int) -> bool:
        """Return whether this member lost its connection recently and is expected back."""
        return self.expected.get(identity, 0.0) > self._clock.monotonic()
