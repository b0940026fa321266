"""The verbs for a person's profile: user modes, real name and host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.people.profile_changes import prepare_to_tell, tell_rooms_locked
from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.cloaks import REALNAME_CHARS, username
from pychat.model.errors import LimitExceeded, UnknownUserMode
from pychat.model.events import ProfileChanged
from pychat.model.modes import USER_MODES, ModeChange
from pychat.model.replies import Failure, Ok, UserModes
from pychat.model.text import clean_line, seen

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def introduce(chat: Chat, session: Session, verb: verbs.Hello) -> None:
    """Set the profile of a session that has no nickname yet; a real name that is too long is cut off."""
    session.userhost = f"{username(verb.username)}@{chat.cloaks.host(session.address)}"
    session.realname = seen(clean_line(verb.realname[:REALNAME_CHARS]))[:REALNAME_CHARS]
    session.modes = "B" if verb.bot else ""
    session.visits = verb.visit


def set_realname(chat: Chat, session: Session, verb: verbs.SetRealname) -> None:
    realname = seen(clean_line(verb.realname)) or session.nickname or ""
    if len(realname) > REALNAME_CHARS:
        raise LimitExceeded("real name", REALNAME_CHARS, "characters")
    prepare_to_tell(session)
    with chat.order.change(session):
        if realname != session.realname:
            session.realname = realname
            _publish_locked(chat, session, session.userhost, realname)
            session.update_info()
    chat.send(session, Ok(verb.ref))


def get_user_modes(chat: Chat, session: Session, verb: queries.GetUserModes) -> None:
    chat.send(session, UserModes(verb.ref, session.modes))


def set_user_modes(chat: Chat, session: Session, verb: verbs.SetUserModes) -> None:
    """
    Set user modes. `+o` is ignored without an error (RFC 2812 section 3.1.5).

    Unknown letters are refused, each once; the others are set.
    """
    wanted = {change.mode: change.adding for change in verb.changes}
    unknown = [UnknownUserMode(letter, USER_MODES) for letter in wanted if letter not in USER_MODES]
    if unknown:
        chat.send(session, *[Failure.of(error, verb.ref) for error in unknown])
    changes = [ModeChange(adding, letter) for letter, adding in wanted.items() if letter in USER_MODES]
    if changes or not unknown:
        change_modes(chat, session, [change for change in changes if change != (True, "o", None)], verb.ref)


def change_modes(chat: Chat, session: Session, changes: list[ModeChange], ref: queries.Ref) -> None:
    """Change user modes and reply with the real changes. Operators get a host of their own."""
    with chat.order.change(session):
        real = tuple(change for change in changes if change.adding != (change.mode in session.modes))
        kept = set(session.modes).difference(change.mode for change in real)
        chat.census.set_modes(session, "".join(kept.union(change.mode for change in real if change.adding)))
        chat.order.send_locked(session, UserModes(ref, session.modes, real))
        if any(change.mode == "o" for change in real):
            host = chat.cloaks.operator if "o" in session.modes else chat.cloaks.host(session.address)
            before, session.userhost = session.userhost, f"{session.username}@{host}"
            session.update_info()
            _publish_locked(chat, session, before)


def _publish_locked(chat: Chat, session: Session, before: str, realname: str | None = None) -> None:
    userhost, account, bot = session.origin
    event = ProfileChanged(0, 0.0, (), session.nickname or "", before, userhost, realname, account, bot)
    tell_rooms_locked(chat, session, event, event if realname is None else None)
