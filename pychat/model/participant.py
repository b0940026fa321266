"""The verbs as methods, the same for a session inside the server's process and for a network client."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from pychat.model import modes
from pychat.model.errors import NotPublished, RemoteProtocolError
from pychat.model.events import Event
from pychat.model.queries import ListMembers, ListRooms, ReadHistory
from pychat.model.replies import HistoryPage, LoggedIn, MemberInfo, Members, Ok, Reply, RoomInfo, Rooms
from pychat.model.verbs import (
    Ban,
    ChangePassword,
    Direct,
    DropAccount,
    Invite,
    Join,
    Kick,
    Leave,
    LogIn,
    LogOut,
    Regain,
    Register,
    Say,
    SetAway,
    SetModes,
    SetNickname,
    SetTopic,
    Unban,
    Verb,
)
from pychat.renamed import old_names

R = TypeVar("R", bound=Reply)


@old_names(remove="kick")
class Participant:
    """
    Sends verbs and waits for replies. May be used from any thread.

    Where `room` is optional, None means the current one: the room joined last. Every method raises the errors of `ask`.
    """

    __slots__ = ()

    @abstractmethod
    def ask(self, verb: Verb) -> Reply:
        """
        Perform any verb and return its reply. A `ref` in the verb is not sent.

        Raises:
            Refused: If it is refused, with the reason and a code.
            AckTimeout: If no reply came in time; the verb may still be accepted.
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
        Send a message to a room (default: the current one); return its id.

        Args:
            action: True to show it as "ann waves".
            notice: True if no program must answer it (`Message.notice`), so that two bots do not talk for ever.

        Raises:
            NotPublished: If no handler of the server has published it. (`ask(Say(...))` returns an `Ok` without an id.)
        """
        return self._id_of(Say(text, room, action, notice=notice))

    def direct(self, to: str, text: str, *, action: bool = False, notice: bool = False) -> int:
        """Send a message to one person; return its id. Otherwise like `say`."""
        return self._id_of(Direct(text, to, action, notice=notice))

    def join(self, room: str, key: str | None = None) -> tuple[MemberInfo, ...]:
        """Join a room, which becomes the current one; return its members. `key` is the one of its mode `k`."""
        return self._ask_for(Members, Join(room, key=key)).members

    def leave(self, room: str | None = None, reason: str = "") -> None:
        """Leave a room."""
        self.ask(Leave(room, reason))

    def set_nickname(self, nickname: str) -> None:
        """Change the nickname."""
        self.ask(SetNickname(nickname))

    def set_topic(self, topic: str, room: str | None = None) -> None:
        """Set the topic of a room; an empty one removes it."""
        self.ask(SetTopic(topic, room))

    def set_away(self, text: str | None) -> None:
        """Set an away text, or return with None."""
        self.ask(SetAway(text))

    def members(self, room: str | None = None) -> tuple[MemberInfo, ...]:
        """Return the members of a room."""
        return self._ask_for(Members, ListMembers(room)).members

    def list_rooms(self) -> tuple[RoomInfo, ...]:
        """Return the rooms of the server."""
        return self._ask_for(Rooms, ListRooms()).rooms

    def history(self, room: str | None = None, limit: int | None = None) -> tuple[Event, ...]:
        """Return the last events of a room."""
        return self._ask_for(HistoryPage, ReadHistory(room, limit=limit)).events

    # Accounts

    def register(self, password: str, account: str | None = None) -> None:
        """Create an account, by default with the own nickname, and log in to it."""
        self.ask(Register(password, account))

    def log_in(self, password: str, account: str | None = None) -> str:
        """Log in to an account, by default that of the own nickname; return its name."""
        return self._ask_for(LoggedIn, LogIn(password, account)).account

    def log_out(self) -> None:
        """Become a guest again."""
        self.ask(LogOut())

    def change_password(self, password: str, new_password: str) -> None:
        """Change the password of the own account."""
        self.ask(ChangePassword(password, new_password))

    def drop_account(self, password: str) -> None:
        """Delete the own account."""
        self.ask(DropAccount(password))

    def regain(self, nickname: str, password: str | None = None) -> None:
        """Take a nickname of the own account from its holder; with the password, log in first."""
        self.ask(Regain(nickname, password))

    # Moderation, for operators of a room

    def kick(self, nickname: str, room: str | None = None, reason: str = "") -> None:
        """Remove somebody from a room; they can come back unless they are banned."""
        self.ask(Kick(nickname, room, reason))

    def ban(self, target: str, room: str | None = None, seconds: int | None = None, reason: str = "") -> None:
        """
        Ban somebody from joining and speaking: a nickname, a mask like "nick!user@host" in which `*` and `?` are
        wildcards, or `a:` with an account. Without `seconds`, the ban is permanent.
        """
        self.ask(Ban(target, room, seconds, reason))

    def unban(self, target: str, room: str | None = None) -> None:
        """End the ban of a mask, or all that match the person with that nickname."""
        self.ask(Unban(target, room))

    def mute(self, target: str, room: str | None = None, seconds: int | None = None, reason: str = "") -> None:
        """Mute somebody in a room; otherwise like `ban`."""
        self.ask(Ban(target, room, seconds, reason, mute=True))

    def unmute(self, target: str, room: str | None = None) -> None:
        """End a mute, like `unban`."""
        self.ask(Unban(target, room, mute=True))

    def invite(self, nickname: str, room: str | None = None) -> None:
        """Invite somebody into a room, even if it is invite-only."""
        self.ask(Invite(nickname, room))

    def set_modes(self, letters: str, *arguments: str, room: str | None = None) -> None:
        """
        Change modes of a room, or roles of its members: `set_modes("+mo", "ann")`. model/modes.py has the letters.

        Raises:
            Refused: For the first change that cannot be made; the others are made anyway.
        """
        self.ask(SetModes(tuple(modes.parse(letters, arguments)), room))
