"""The shared state of logins: when accounts changed, so that proofs from before are void. `changes.py` changes it."""

from __future__ import annotations

from pychat.model.names import fold


class LoginState:
    """Plain data. Guarded by the chat's order lock."""

    __slots__ = ("changed", "forgotten", "moment")

    def __init__(self) -> None:
        self.moment = 0
        """The number of changes of accounts so far. May be read without the lock."""
        self.changed: dict[str, int] = {}
        """The moment of the last change of each account, by folded name, the oldest first."""
        self.forgotten = 0
        """Changes up to this moment may belong to any account."""

    def holds(self, account: str, moment: int) -> bool:
        """Return whether the account is unchanged since a moment."""
        return self.changed.get(fold(account), self.forgotten) <= moment
