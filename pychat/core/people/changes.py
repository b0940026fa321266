"""
Changes of a person's state. They run under the chat's order lock; the time is given to them.

Each proposal has a function that applies it, or raises `Refused` before it changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from pychat.core.outcome import Effect, Outcome, Position, Publish, Reindex, SaveSession
from pychat.core.people.state import Person
from pychat.core.permissions import parted
from pychat.model.events import AwayChanged, ProfileChanged
from pychat.model.hostmask import hostmask_of
from pychat.model.masks import MaskList
from pychat.model.modes import ModeChange
from pychat.model.replies import MemberInfo
from pychat.model.text import shorten

if TYPE_CHECKING:
    from pychat.core.session import Session
    from pychat.core.state import State


def describe(person: Person) -> None:
    """Update what follows from the other attributes: `info` and `hostmask`."""
    away = None if person.away is None else shorten(person.away)
    person.info = MemberInfo(person.nickname or "", away, person.userhost, "", person.account, person.visits)
    person.hostmask = hostmask_of(person.nickname or "", person.userhost, person.account, person.realname)


def introduce(person: Person, userhost: str, realname: str, modes: str, *, visits: bool) -> None:
    """Set the profile of a session that has no nickname yet."""
    person.userhost, person.realname, person.modes, person.visits = userhost, realname, modes, visits


def set_realname(person: Person, realname: str) -> None:
    """Set the real name."""
    person.realname = realname


def set_nickname(person: Person, nickname: str) -> None:
    """Set the nickname, which must be free."""
    person.nickname = nickname


def note_named(person: Person, named: float, named_at: int) -> None:
    """Set since when the person has the nickname."""
    person.named, person.named_at = named, named_at


def set_account(person: Person, account: str | None) -> None:
    """Set the account; None for a guest."""
    person.account = account


def set_modes(person: Person, letters: Iterable[str]) -> None:
    """Set all user modes."""
    person.modes = "".join(sorted(letters))


def set_identity(person: Person, identity: int) -> None:
    """Give the person the identity of the lost session that it resumes."""
    person.identity = identity


def set_ignored(person: Person, ignored: MaskList | None) -> None:
    """Set the ignore list; None if nobody is ignored."""
    person.ignored = ignored


def restore(person: Person, away: str | None, ignored: MaskList | None, named_at: int, realname: str) -> None:
    """Restore what a lost session was. Nobody else can have taken the nickname meanwhile."""
    person.away, person.ignored = away, ignored
    person.named, person.named_at = 0.0, named_at
    person.realname = person.realname or realname


# Proposals


class NewAway(NamedTuple):
    """Set or remove the away text."""

    by: int
    """The identity of the person."""
    text: str | None


def apply_away(state: State, change: NewAway, position: Position) -> Outcome:
    session = state.person(change.by)
    if change.text == session.away:
        return Outcome()
    before = session.away
    session.person.away = change.text
    event = AwayChanged(0, 0.0, (), session.nickname or "", change.text, *session.origin)
    news = (change.text is None) != (before is None)
    bare = event._replace(text=change.text and "away") if news else None
    return Outcome((*_described(session), *_told(session, event, bare, position), SaveSession(session.identity)))


class NewRealname(NamedTuple):
    """Set the real name."""

    by: int
    """The identity of the person."""
    realname: str


def apply_realname(state: State, change: NewRealname, position: Position) -> Outcome:
    session = state.person(change.by)
    if change.realname == session.realname:
        return Outcome()
    set_realname(session.person, change.realname)
    userhost, account, bot = session.origin
    event = ProfileChanged(0, 0.0, (), session.nickname or "", userhost, userhost, change.realname, account, bot)
    told = _told(session, event, None, position)  # before its texts change, so that masks need not be matched again
    return Outcome((*told, *_described(session)))


class NewUserModes(NamedTuple):
    """Set and remove user modes."""

    by: int
    """The identity of the person."""
    changes: tuple[ModeChange, ...]
    host: str
    """The host that goes with the new modes: operators have one of their own."""


def apply_user_modes(state: State, change: NewUserModes, position: Position) -> Outcome:
    session = state.person(change.by)
    before = session.userhost
    made = tuple([one for one in change.changes if one.adding != (one.mode in session.modes)])
    kept = set(session.modes).difference([one.mode for one in made])
    set_modes(session.person, kept.union([one.mode for one in made if one.adding]))
    if all(one.mode != "o" for one in made):
        return Outcome(_described(session), made=made)
    session.person.userhost = f"{session.username}@{change.host}"
    userhost, account, bot = session.origin
    event = ProfileChanged(0, 0.0, (), session.nickname or "", before, userhost, None, account, bot)
    return Outcome((*_described(session), *_told(session, event, event, position)), made=made)


def _described(session: Session) -> list[Effect]:
    before = session.hostmask
    describe(session.person)
    return [Reindex(session.identity, before)]


def _told(
    session: Session, event: AwayChanged | ProfileChanged, bare: AwayChanged | ProfileChanged | None, position: Position
) -> list[Effect]:
    """
    Return the effects that tell a person's rooms of an event.

    Args:
        bare: The event without the person's text, for rooms where the person may not speak; None to send nothing there.
            Members who get the full event in another room do not get this one.
    """
    open_rooms, closed_rooms = parted(session, position)
    effects: list[Effect] = []
    if closed_rooms and bare is not None:
        told = frozenset({session.identity}.union(*[room.state.members for room in open_rooms]))
        names, keys = tuple([room.name for room in closed_rooms]), tuple([room.key for room in closed_rooms])
        effects.append(Publish(bare._replace(rooms=names), keys, excluded=told))
    names, keys = tuple([room.name for room in open_rooms]), tuple([room.key for room in open_rooms])
    effects.append(Publish(event._replace(rooms=names), keys, extra=session.identity, of_person=True))
    return effects
