"""The shared state of moderation outside of rooms: the bans from the server. Only `changes.py` changes it."""

from __future__ import annotations

from pychat.model.cloaks import Network
from pychat.model.masks import ACCOUNT
from pychat.model.names import fold
from pychat.model.server_ban import ServerBan


class ServerBanState:
    """Plain data. All of it is replaced as a whole and never changed, so that it may be read without a lock."""

    __slots__ = ("bans", "masks", "networks", "version")

    def __init__(self) -> None:
        self.bans: dict[str, ServerBan] = {}
        """By folded target."""
        self.networks: tuple[tuple[Network, ServerBan], ...] = ()
        """Those of addresses."""
        self.masks: tuple[ServerBan, ...] = ()
        """Those of masks."""
        self.version = 0
        """Differs after each change: a check without a lock holds as long as this is the same."""

    def of_account(self, account: str, now: float) -> ServerBan | None:
        """Return the ban of an account that has not ended; `now` is by `Clock.monotonic`."""
        ban = self.bans.get(fold(ACCOUNT + account))
        return ban if ban is not None and (ban.deadline is None or ban.deadline > now) else None
