"""The shared state of a room: members, roles, topic, modes, lists and invitations. `rules.py` changes it."""

from __future__ import annotations

from typing import Final, Protocol

from pychat.model.masks import MaskList
from pychat.model.modes import LISTS, VALUES
from pychat.model.names import fold

FIRST_FLAGS: Final = frozenset("n")
"""The flags of a new room. Without `t`, so every member may set the topic until an operator changes that."""
_CLOSING: Final = frozenset("is")


class RoomState:
    """
    Plain data. Guarded by the chat's order lock; single attributes may be read without it.

    Data of a member is stored by `Session.identity`, so that it survives a rename or a lost connection, and cannot be
    inherited with a nickname.
    """

    __slots__ = (
        "accounts",
        "created",
        "drops_history",
        "expected",
        "flags",
        "invited",
        "lists",
        "may_silence",
        "members",
        "roles",
        "topic",
        "topic_by",
        "topic_time",
        "topic_userhost",
        "values",
        "waits_until",
    )

    def __init__(self, created: float) -> None:
        self.created = created
        """POSIX seconds."""
        self.topic = ""
        self.topic_by = ""
        """The nickname of whoever set the topic; empty if there is none."""
        self.topic_time = 0.0
        """When the topic was set, in POSIX seconds."""
        self.topic_userhost = ""
        """The user@host of whoever set the topic."""
        self.flags = FIRST_FLAGS
        """Letters of `modes.FLAGS`."""
        self.values: dict[str, str] = {}
        """The values of `modes.VALUES` that are set, by letter."""
        self.lists: dict[str, MaskList] = {letter: MaskList(lasts=True) for letter in LISTS}
        """Mask lists by letter; the list of bans includes mutes. Their total size is bounded."""
        self.may_silence = False
        """True if a rule may keep a member from speaking. It is almost always False."""
        self.members: dict[int, int] = {}
        """
        The members by identity, in the order of joining. The value is the newest event id when the member had joined:
        that of its own `Joined`, if that was announced.
        """
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

    @property
    def join_key(self) -> str | None:
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
        return self.join_key is not None or not _CLOSING.isdisjoint(self.flags)

    @property
    def secret(self) -> bool:
        """True if only members may know of the room."""
        return "s" in self.flags

    @property
    def letters(self) -> str:
        """The modes that are set, without lists and roles."""
        return "".join([*sorted(self.flags), *(letter for letter in VALUES if letter in self.values)])

    @property
    def owners(self) -> list[str]:
        """The folded names of the accounts that are operators of the room."""
        return [account for account, roles in self.accounts.items() if "o" in roles]

    @property
    def owned(self) -> bool:
        """True if an account is an operator of the room."""
        return bool(self.owners)

    def awaits(self, now: float) -> bool:
        """Return whether the room waits for members that may still come back. `now` is by `Clock.monotonic`."""
        return self.waits_until > now

    def expects(self, identity: int, now: float) -> bool:
        """Return whether this member lost its connection recently and is expected back."""
        return self.expected.get(identity, 0.0) > now


class HasIdentity(Protocol):
    """A person, or its session."""

    @property
    def identity(self) -> int:
        """The number that stays the same whatever its nickname is."""


class RoomRecord:
    """A room, as far as it is shared state: a server has a `Room`, which also knows what belongs to this server."""

    __slots__ = ("key", "name", "pinned", "state")

    def __init__(self, name: str, created: float, *, pinned: bool = False) -> None:
        self.name = name
        self.key = fold(name)
        """Two rooms with the same key are the same room."""
        self.state = RoomState(created)
        self.pinned = pinned
        """True for a room that stays when it is empty."""

    def __contains__(self, person: HasIdentity) -> bool:
        """Return whether somebody is a member."""
        return person.identity in self.state.members

    def exists(self, now: float) -> bool:
        """Return whether it has or expects members, is pinned, or is owned by an account. `now` is by
        `Clock.monotonic`.
        """
        state = self.state
        return bool(state.members) or self.pinned or state.owned or state.awaits(now)
