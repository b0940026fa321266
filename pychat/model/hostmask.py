"""The texts of a person that masks and queries match, folded once per change."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pychat.model.names import fold


class Hostmask(NamedTuple):
    """The folded texts of a person. Two people with equal ones cannot be told apart by any mask."""

    nickname: str = ""
    host: str = ""
    whole: str = ""
    """The form "nickname!user@host"."""
    account: str | None = None
    """None for a guest."""
    userhost: str = ""
    realname: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts that `WHO` matches."""
        return self.nickname, self.whole, self.userhost, self.host, self.realname


@lru_cache(maxsize=1024)
def hostmask_of(nickname: str, userhost: str, account: str | None, realname: str = "") -> Hostmask:
    """Return the hostmask of a person who may have disconnected, such as the sender of an event."""
    folded, folded_nickname = fold(userhost), fold(nickname)
    return Hostmask(
        folded_nickname,
        folded.partition("@")[2],
        f"{folded_nickname}!{folded}",
        None if account is None else fold(account),
        folded,
        fold(realname),
    )
