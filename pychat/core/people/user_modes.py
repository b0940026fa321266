"""The verbs for a person's profile: user modes, real name and host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.people.changes import NewRealname, NewUserModes
from pychat.core.people.rules import introduce as introduce_person
from pychat.core.permissions import parted
from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.cloaks import REALNAME_CHARS, username
from pychat.model.errors import LimitExceeded, UnknownUserMode
from pychat.model.modes import USER_MODES, ModeChange
from pychat.model.replies import Failure, Ok, UserModes
from pychat.model.text import clean_line, seen

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def introduce(chat: Chat, session: Session, verb: verbs.Hello) -> None:
    """Set the profile of a session that has no nickname yet; a real name that is too long is cut off."""
    userhost = f"{username(verb.username)}@{chat.cloaks.host(session.address)}"
    realname = seen(clean_line(verb.realname[:REALNAME_CHARS]))[:REALNAME_CHARS]
    introduce_person(session.person, userhost, realname, "B" if verb.bot else "", visits=verb.visit)


def set_realname(chat: Chat, session: Session, verb: verbs.SetRealname) -> None:
    realname = seen(clean_line(verb.realname)) or session.nickname or ""
    if len(realname) > REALNAME_CHARS:
        raise LimitExceeded("real name", REALNAME_CHARS, "characters")
    parted(session, chat.clock)  # matches its masks, so that none are matched under the order lock
    chat.propose(NewRealname(session.identity, realname), session)
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
    operator = any(change.adding and change.mode == "o" for change in changes)
    host = chat.cloaks.operator if operator else chat.cloaks.host(session.address)
    proposal = NewUserModes(session.identity, tuple(changes), host)
    chat.propose(proposal, session, ref)
