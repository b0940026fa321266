"""
Changes of a person's state: its profile, the end of its session, and what it ignores and monitors.

Each proposal has a function that applies it, or raises `Refused` before it changes anything. They run under the chat's
order lock; the time is given to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pychat.core.outcome import (
    AwaitReturn,
    CountModes,
    DropToken,
    Effect,
    Hear,
    Outcome,
    Position,
    Publish,
    SaveSession,
    SendTo,
)
from pychat.core.people import rules
from pychat.core.people.state import Parked, PeopleState, Person
from pychat.core.permissions import parted
from pychat.model.errors import NotLoggedIn, TooManyWatched, refusal
from pychat.model.events import AwayChanged, ProfileChanged, Renamed
from pychat.model.masks import MaskList
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.names import fold
from pychat.model.replies import UserModes, Watched

if TYPE_CHECKING:
    from pychat.core.state import State

# Profiles


class NewAway(NamedTuple):
    """Set or remove the away text."""

    by: int
    """The identity of the person."""
    text: str | None


def apply_away(state: State, change: NewAway, position: Position) -> Outcome:
    person = state.person(change.by)
    if change.text == person.away:
        return Outcome()
    before = person.away
    person.away = change.text
    rules.describe(state.people, person)
    event = AwayChanged(0, 0.0, (), person.nickname or "", change.text, *person.origin)
    news = (change.text is None) != (before is None)
    bare = event._replace(text=change.text and "away") if news else None
    return Outcome((*_told(person, event, bare, position), SaveSession(person.identity)))


class NewRealname(NamedTuple):
    """Set the real name."""

    by: int
    """The identity of the person."""
    realname: str


def apply_realname(state: State, change: NewRealname, position: Position) -> Outcome:
    person = state.person(change.by)
    if change.realname == person.realname:
        return Outcome()
    userhost, account, bot = person.origin
    event = ProfileChanged(0, 0.0, (), person.nickname or "", userhost, userhost, change.realname, account, bot)
    told = _told(person, event, None, position)  # before its texts change, so that masks need not be matched again
    rules.set_realname(person, change.realname)
    rules.describe(state.people, person)
    return Outcome(told)


class NewUserModes(NamedTuple):
    """Set and remove user modes, and reply with the real changes."""

    by: int
    """The identity of the person."""
    changes: tuple[ModeChange, ...]
    host: str
    """The host that goes with the new modes: operators have one of their own."""


def apply_user_modes(state: State, change: NewUserModes, position: Position) -> Outcome:
    person = state.person(change.by)
    before = person.userhost
    made = tuple([one for one in change.changes if one.adding != (one.mode in person.modes)])
    kept = set(person.modes).difference([one.mode for one in made])
    rules.set_modes(person, kept.union([one.mode for one in made if one.adding]))
    answer = SendTo(person.identity, (UserModes(None, person.modes, made),))
    if all(one.mode != "o" for one in made):
        rules.describe(state.people, person)
        return Outcome((answer, CountModes(person.identity)), made=made)
    person.userhost = f"{person.username}@{change.host}"
    rules.describe(state.people, person)
    userhost, account, bot = person.origin
    event = ProfileChanged(0, 0.0, (), person.nickname or "", before, userhost, None, account, bot)
    return Outcome((answer, CountModes(person.identity), *_told(person, event, event, position)), made=made)


def _told(
    person: Person, event: AwayChanged | ProfileChanged, bare: AwayChanged | ProfileChanged | None, position: Position
) -> list[Effect]:
    """
    Return the effects that tell a person's rooms of an event.

    Args:
        bare: The event without the person's text, for rooms where the person may not speak; None to send nothing there.
            Members who get the full event in another room do not get this one.
    """
    open_rooms, closed_rooms = parted(person, position)
    effects: list[Effect] = []
    if closed_rooms and bare is not None:
        told = frozenset({person.identity}.union(*[room.state.members for room in open_rooms]))
        names, keys = tuple([room.name for room in closed_rooms]), tuple([room.key for room in closed_rooms])
        effects.append(Publish(bare._replace(rooms=names), keys, excluded=told))
    names, keys = tuple([room.name for room in open_rooms]), tuple([room.key for room in open_rooms])
    effects.append(Publish(event._replace(rooms=names), keys, extra=person.identity, of_person=True))
    return effects


# Nicknames


def rename(people: PeopleState, person: Person, nickname: str, position: Position) -> list[Effect]:
    """Give a person another nickname, which must be free, and tell everybody whom that concerns."""
    old = person.nickname or ""
    rules.note_past(people, person, position.time(), position.newest)
    rules.rename(people, person, nickname, position.monotonic(), position.newest)
    rules.describe(people, person)
    event = Renamed(0, 0.0, person.room_names, old, nickname, *person.origin)
    told = Publish(event, tuple(person.rooms), extra=person.identity)
    return [told, SaveSession(person.identity), *tell_of_nickname(people, person, old)]


def tell_of_nickname(people: PeopleState, person: Person, old: str | None) -> list[Effect]:
    """Tell those who monitor a nickname that the person has it now, instead of `old`."""
    nickname = person.nickname or ""
    if old is None:
        return _tell_watchers(people, nickname, Watched(None, online=(person.info,)))
    if fold(old) == fold(nickname):
        return []
    gone = _tell_watchers(people, old, Watched(None, offline=(old,)))
    return [*gone, *_tell_watchers(people, nickname, Watched(None, online=(person.info,)))]


def _tell_watchers(people: PeopleState, nickname: str, news: Watched) -> list[Effect]:
    return [SendTo(identity, (news,)) for identity in people.watchers.get(fold(nickname), ())]


class NicknameRelease(NamedTuple):
    """Free the nickname of a session that has ended (`Disconnection`), now or after a while."""

    person: int
    """The identity."""
    keep_seconds: float
    """For so long, the nickname is reserved for the holder of its token; 0 if the session cannot come back."""
    coming: tuple[str, ...]
    """The rooms that it was about to join."""
    knows_token: bool
    """True if its client has its newest token, so that an earlier one is not valid any more."""
    address: str
    """The IP address that it came from; a ban from the server ends the reservation, too."""


def apply_nickname_release(state: State, change: NicknameRelease, position: Position) -> Outcome:
    people, person = state.people, state.somebody(change.person)
    if person is None:
        return Outcome()
    nickname, token = person.nickname or "", person.token_digest
    rules.remove(people, person)
    rules.note_past(people, person, position.time(), position.newest)
    told = _tell_watchers(people, nickname, Watched(None, offline=(nickname,)))
    if token is None or change.keep_seconds <= 0:
        return Outcome(told)
    parked = Parked(
        nickname,
        person.identity,
        tuple(dict.fromkeys((*person.room_names, *change.coming))),
        person.away,
        person.realname,
        person.modes,
        position.monotonic() + change.keep_seconds,
        account=person.account,
        ignored=person.ignored,
        userhost=person.userhost,
        address=change.address,
        named_at=person.named_at,
        earlier=None if change.knows_token else person.earlier_digest,
    )
    rules.park(people, token, parked)
    return Outcome((*told, AwaitReturn(token, change.keep_seconds)))


class ReservationEnd(NamedTuple):
    """End the reservations of nicknames for lost sessions, which cannot be resumed then."""

    digests: tuple[str, ...]
    """The digests of their tokens."""
    by: int | None = None
    """The identity of a person who wants that, and must be logged in to `account`; None for the server."""
    account: str | None = None


def apply_reservation_end(state: State, change: ReservationEnd, position: Position) -> Outcome:
    if change.by is not None and not state.person(change.by).is_of(change.account):
        raise NotLoggedIn
    return Outcome([DropToken(digest) for digest in change.digests if rules.drop_parked(state.people, digest)])


class ReservationExpiry(NamedTuple):
    """End a reservation if it has expired."""

    digest: str
    """The digest of its token."""


def apply_reservation_expiry(state: State, change: ReservationExpiry, position: Position) -> Outcome:
    parked = state.people.parked.get(change.digest)
    if parked is None or parked.until > position.monotonic():
        return Outcome()
    rules.drop_parked(state.people, change.digest)
    return Outcome((DropToken(change.digest),))


# Ignore lists and monitored nicknames


class NewIgnored(NamedTuple):
    """Change the ignore list. A mask over the limit is refused, and those after it are not looked at."""

    by: int
    """The identity of the person."""
    add: tuple[str, ...]
    remove: tuple[str, ...]
    most: int
    """The maximum number of masks."""


def apply_ignored(state: State, change: NewIgnored, position: Position) -> Outcome:
    person = state.person(change.by)
    ignored = person.ignored or MaskList()
    made = [ModeChange(False, "", mask) for mask in map(ignored.remove, change.remove) if mask is not None]
    refusals = []
    for mask in change.add:
        if mask in ignored:
            continue
        if len(ignored) >= change.most:
            text = f"you already ignore {change.most} masks, which is the limit"
            refusals.append(refusal(text, code="too_many_ignored", subject=(mask,)))
            break
        ignored.add(MaskEntry(mask, person.nickname or "", position.time()))
        made.append(ModeChange(True, "", mask))
    rules.set_ignored(person, ignored if len(ignored) else None)
    return Outcome((Hear(person.identity),), refusals, tuple(made))


class NewWatched(NamedTuple):
    """Change the nicknames that a person monitors. Those over the limit are refused."""

    by: int
    """The identity of the person."""
    clear: bool
    """True to end all subscriptions first."""
    remove: tuple[str, ...]
    add: tuple[str, ...]
    changes: bool
    """True to be told of other changes of these people, too."""
    most: int
    """The maximum number of nicknames."""


def apply_watched(state: State, change: NewWatched, position: Position) -> Outcome:
    people, person = state.people, state.person(change.by)
    if change.clear:
        rules.unwatch(people, person, tuple(person.watched))
    person.wants_changes = change.changes
    rules.unwatch(people, person, map(fold, change.remove))
    left_out = [nickname for nickname in change.add if not rules.watch(people, person, nickname, change.most)]
    return Outcome(refusals=(TooManyWatched(change.most, tuple(left_out)),) if left_out else ())
