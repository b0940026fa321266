"""The shared state of a person: who it is, as others see it. Only `changes.py` changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pychat.model.hostmask import Hostmask
from pychat.model.replies import MemberInfo

if TYPE_CHECKING:
    from pychat.model.masks import MaskList


_NOBODY: Final = MemberInfo("")
_NO_HOSTMASK: Final = Hostmask()


class Person:
    """Plain data. Guarded by the chat's order lock; single attributes may be read without it."""

    __slots__ = (
        "account",
        "away",
        "hostmask",
        "identity",
        "ignored",
        "info",
        "modes",
        "named",
        "named_at",
        "nickname",
        "realname",
        "userhost",
        "visits",
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
