"""The verbs as methods, the same for a session inside the server's process and for a client across the network."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from pychat.model import modes
from pychat.model.account_replies import LoggedIn
from pychat.model.account_verbs import ChangePassword, DropAccount, LogIn, LogOut, Regain, Register
from pychat.model.errors import NotPublished, RemoteProtocolError
from pychat.model.events import Event
from pychat.model.moderation_verbs import Ban, Unban
from pychat.model.queries import ListMembers, ListRooms, ReadHistory
from pychat.model.replies import HistoryPage, MemberInfo, Members, Ok, Reply, RoomInfo, Rooms
from pychat.model.verbs import (
    Direct,
    Invite,
    Join,
    Kick,
    Leave,
    Say,
    SetAway,
    SetModes,
    SetNickname,
    SetTopic,
    Verb,
)

R = TypeVar("R", bound=Reply)


class Participant:
    """
    Somebody who asks and waits for the answer. May be used from any thread.

    Where a `room` is optional, None means the current one: the room joined last. Every method raises what `ask` does.
    """

    __slots__ = ()

    @abstractmethod
    def ask(self, verb: Verb) -> Reply:
        """
        Ask for any verb and return its answer. A `ref` of its own is not sent.

        Raises:
            Refused: With the reason and its code.
            AckTimeout: No answer came in time; it may still be accepted.
        """

    def _ask_for(self, kind: type[R], verb: Verb) -> R:
        answer = self.ask(verb)
        if not isinstance(answer, kind):
            raise RemoteProtocolError(f"{type(verb).__name__} was answered with {type(answer).__name__}")
        return answer

    def _id_of(self, verb: Say | Direct) -> int:
        id = self._ask_for(Ok, verb).id
        if id is None:
            raise NotPublished
        return id

    def say(self, text: str, room: str | None = None, *, action: bool = False, notice: bool = False) -> int:
        """
        Say something in a room (default: the current one); return its id.

        Args:
            action: Whether it is to be shown as "ann waves".
            notice: Whether it is what no program shall answer (`Message.notice`): so two bots never talk for ever.

        Raises:
            NotPublished: No handler of the server has published it. (`ask(Say(...))` returns an `Ok` without an id.)
        """
        return self._id_of(Say(text, room, action, notice=notice))

    def direct(self, to: str, text: str, *, action: bool = False, notice: bool = False) -> int:
        """Say something to one person; return its id. For the rest see `say`."""
        return self._id_of(Direct(text, to, action, notice=notice))

    def join(self, room: str, key: str | None = None) -> tuple[MemberInfo, ...]:
        """Come into a room, which becomes the current one; return who is there. `key`: what its mode `k` asks for."""
        return self._ask_for(Members, Join(room, key=key)).members

    def leave(self, room: str | None = None, reason: str = "") -> None:
        """Go out of a room."""
        self.ask(Leave(room, reason))

    def set_nickname(self, nickname: str) -> None:
        """Go by another nickname."""
        self.ask(SetNickname(nickname))

    def set_topic(self, topic: str, room: str | None = None) -> None:
        """Give a room a topic; an empty one removes it."""
        self.ask(SetTopic(topic, room))

    def set_away(self, text: str | None) -> None:
        """Be away, or back with None."""
        self.ask(SetAway(text))

    def members(self, room: str | None = None) -> tuple[MemberInfo, ...]:
        """Return who is in a room."""
        return self._ask_for(Members, ListMembers(room)).members

    def list_rooms(self) -> tuple[RoomInfo, ...]:
        """Return the rooms of the server."""
        return self._ask_for(Rooms, ListRooms()).rooms

    def history(self, room: str | None = None, limit: int | None = None) -> tuple[Event, ...]:
        """Return the last events of a room."""
        return self._ask_for(HistoryPage, ReadHistory(room, limit=limit)).events

    # Having an account

    def register(self, password: str, account: str | None = None) -> None:
        """Make an account, of one's own nickname if no other name is given, and log in to it."""
        self.ask(Register(password, account))

    def log_in(self, password: str, account: str | None = None) -> str:
        """Log in to an account, that of one's own nickname if no other is given; return its name."""
        return self._ask_for(LoggedIn, LogIn(password, account)).account

    def log_out(self) -> None:
        """Be a guest again."""
        self.ask(LogOut())

    def change_password(self, password: str, new_password: str) -> None:
        """Give the account that one is logged in to another password."""
        self.ask(ChangePassword(password, new_password))

    def drop_account(self, password: str) -> None:
        """Delete the account that one is logged in to."""
        self.ask(DropAccount(password))

    def regain(self, nickname: str, password: str | None = None) -> None:
        """Take a nickname of one's account back from whoever has it; with the password, log in first."""
        self.ask(Regain(nickname, password))

    # Order in a room: for its operators

    def remove(self, nickname: str, room: str | None = None, reason: str = "") -> None:
        """Remove somebody from a room; who is not banned can come back."""
        self.ask(Kick(nickname, room, reason))

    def ban(self, target: str, room: str | None = None, seconds: int | None = None, reason: str = "") -> None:
        """
        Keep somebody out of a room, and silent: a nickname, a mask like "nick!user@host" in which `*` and `?` fit
        anything, or `a:` and an account. Without `seconds`, until somebody ends it.
        """
        self.ask(Ban(target, room, seconds, reason))

    def unban(self, target: str, room: str | None = None) -> None:
        """End the ban of a mask, or all that are for the one who has that nickname."""
        self.ask(Unban(target, room))

    def mute(self, target: str, room: str | None = None, seconds: int | None = None, reason: str = "") -> None:
        """Let somebody be in a room and not talk there; for the rest see `ban`."""
        self.ask(Ban(target, room, seconds, reason, mute=True))

    def unmute(self, target: str, room: str | None = None) -> None:
        """End a mute, like `unban`."""
        self.ask(Unban(target, room, mute=True))

    def invite(self, nickname: str, room: str | None = None) -> None:
        """Invite somebody into a room, also one that only the invited may join."""
        self.ask(Invite(nickname, room))

    def set_modes(self, letters: str, *arguments: str, room: str | None = None) -> None:
        """
        Change modes of a room, or roles of its members: `set_modes("+mo", "ann")`. model/modes.py has the letters.

        Raises:
            Refused: For the first change that cannot be made. The others are made all the same.
        """
        self.ask(SetModes(tuple(modes.parse(letters, arguments)), room))
