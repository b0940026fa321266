"""
Changes of nicknames and logins: newcomers, tokens, renames, and who is logged in to which account.

Each proposal has a function that applies it; or it raises `Refused`, or `Outdated`, before it changes anything. They
run under the chat's order lock; the time is given to them. What accounts a program has of its own is not shared state:
a proposal says to which one a nickname belongs, and is outdated if accounts have changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pychat.core.accounts.state import LoginState
from pychat.core.outcome import DropToken, Effect, Outcome, Outdated, Position, Publish, SaveSession, SendTo
from pychat.core.people import rules
from pychat.core.people.changes import rename, tell_of_nickname
from pychat.core.people.state import Person
from pychat.core.rooms.changes import meet
from pychat.model.errors import BadCredentials, BannedFromServer, NicknameInUse, NicknameRegistered
from pychat.model.events import AccountChanged, Notice
from pychat.model.names import fold
from pychat.model.replies import LoggedIn, LoggedOut

if TYPE_CHECKING:
    from pychat.core.state import State

_MOST_REMEMBERED: Final = 10_000
"""The number of accounts whose last change is remembered."""


class Claim(NamedTuple):
    """What was found out about a nickname before it is proposed that somebody takes it."""

    nickname: str
    owner: str | None
    """The account that it belongs to."""
    exempt: bool
    """True for a program inside the process, which may use the nickname of any account."""
    grace_seconds: float
    """For so long, others may use the nickname of an account."""
    accounts: int
    """`LoginState.moment`, from before that was found out."""
    bans: int
    """`ServerBanState.version`, from before it was checked that nobody of this nickname is banned."""


def _may_take(state: State, claim: Claim, person: Person | None, account: str | None, position: Position) -> bool:
    """
    Return whether somebody, who is logged in to the account, may keep a nickname, or only for the grace period.

    Raises:
        Outdated: If accounts or bans have changed.
        NicknameRegistered: If it belongs to somebody else, and the grace period is over.
    """
    if claim.accounts != state.logins.moment or claim.bans != state.server_bans.version:
        raise Outdated
    if claim.exempt or claim.owner is None or _same(claim.owner, account):
        return True
    until = None if person is None else person.grace_until
    if (claim.grace_seconds if until is None else until - position.monotonic()) <= 0:
        raise NicknameRegistered(claim.nickname)
    return False


def _reserved_for_owner(state: State, claim: Claim, account: str | None) -> str | None:
    """Return the reservation that a nickname's owner ends: the lost session was the owner's, too, or a guest's."""
    if claim.owner is None or not _same(claim.owner, account):
        return None
    return state.people.reservation_of(claim.nickname)


def _same(account: str, other: str | None) -> bool:
    return other is not None and fold(account) == fold(other)


def _make_way(state: State, nickname: str, digest: str | None, position: Position) -> list[Effect]:
    """End the reservations that have expired, this one, and that of a nickname which is known to be free."""
    people = state.people
    dropped = rules.drop_expired(people, position.monotonic())
    if digest is not None and rules.drop_parked(people, digest):
        dropped.append(digest)
    left = people.reservation_of(nickname)  # asked last, because it looks at all reservations if there is one
    if left is not None and rules.drop_parked(people, left):
        dropped.append(left)
    return [DropToken(each) for each in dropped]


# Newcomers


class Entry(NamedTuple):
    """Let a newcomer have a nickname, and resume a lost session."""

    person: int
    """The identity; a resumed session has that of the lost one instead."""
    claim: Claim
    userhost: str
    realname: str
    modes: str
    visits: bool
    account: str | None
    """The account that it is logged in to."""
    resumes: str | None
    """The digest of a token of a lost session."""
    token: str
    """The digest of its new token, if it resumes one."""


def apply_entry(state: State, change: Entry, position: Position) -> Outcome:
    people, claim, resumes = state.people, change.claim, change.resumes
    digest = None if resumes is None else people.replaced.get(resumes, resumes)
    parked = None if digest is None else people.parked.get(digest)
    if digest is not None and parked is None:
        raise NicknameInUse(claim.nickname)  # another client has used the token, or it is not valid any more
    owns = _may_take(state, claim, None, change.account, position)
    digest = _reserved_for_owner(state, claim, change.account) if digest is None else digest
    people.require_free(claim.nickname, None, position.monotonic(), digest)
    dropped = _make_way(state, claim.nickname, digest, position)
    person = Person(change.person)
    rules.introduce(person, change.userhost, change.realname, change.modes, visits=change.visits)
    rules.set_account(person, change.account)
    rules.enter(people, person, claim.nickname, position.monotonic(), position.newest)
    rules.describe(people, person)
    told = tell_of_nickname(people, person, None)
    if parked is not None:
        rules.restore(people, person, parked)
        rules.describe(people, person)
        rules.give_token(people, person, change.token, resumes)
    return Outcome((*dropped, *told), lent=not owns)


class NewToken(NamedTuple):
    """Give a newcomer a token, if it has none, and a real name, if it gave none."""

    by: int
    """The identity."""
    token: str | None
    """The digest of the token; None if it has resumed a lost session."""
    earlier: str | None
    """The digest of the token that it came with, which is valid, too, unless it is somebody else's."""
    outdated: int | None
    """The identity of somebody whose client has a newer token than that one, so that it is free."""


def apply_token(state: State, change: NewToken, position: Position) -> Outcome:
    people, person = state.people, state.person(change.by)
    if not person.realname:
        rules.set_realname(person, person.nickname or "")
        rules.describe(people, person)
    if change.token is not None:
        earlier = change.earlier
        if earlier is not None:
            other = state.somebody(change.outdated)
            if other is not None and other.earlier_digest == earlier:
                rules.void_earlier(people, other)
            if people.holder_of(earlier, position.monotonic()) is not None:
                earlier = None
        rules.give_token(people, person, change.token, earlier)
    return Outcome((SaveSession(person.identity),))


# Other nicknames


class NewNickname(NamedTuple):
    """Take another nickname."""

    by: int
    """The identity."""
    claim: Claim


def apply_nickname(state: State, change: NewNickname, position: Position) -> Outcome:
    person, claim = state.person(change.by), change.claim
    owns = _may_take(state, claim, person, person.account, position)
    freed = _reserved_for_owner(state, claim, person.account)
    state.people.require_free(claim.nickname, person, position.monotonic(), freed)
    dropped = _make_way(state, claim.nickname, freed, position)
    return Outcome((*dropped, *rename(state.people, person, claim.nickname, position)), lent=not owns)


class Grace(NamedTuple):
    """Begin the grace period of somebody who uses the nickname of another account, unless it has begun before."""

    person: int
    """The identity."""
    seconds: float


def apply_grace(state: State, change: Grace, position: Position) -> Outcome:
    person = state.somebody(change.person)
    if person is not None and person.grace_until is None:
        rules.set_grace(person, position.monotonic() + change.seconds)
    return Outcome()


class TakingBack(NamedTuple):
    """Rename somebody who uses the nickname of another account; nothing happens if that has changed."""

    person: int
    """The identity."""
    nickname: str
    """The nickname that belongs to another account."""
    owner: str
    guest: str
    """The new nickname, which belongs to no account."""
    accounts: int
    """See `Claim`."""


def apply_taking_back(state: State, change: TakingBack, position: Position) -> Outcome:
    people, person = state.people, state.somebody(change.person)
    if person is None or person.has_left:
        return Outcome()
    if change.accounts != state.logins.moment or person.nickname != change.nickname:
        raise Outdated
    if _same(change.owner, person.account):
        return Outcome()
    people.require_free(change.guest, person, position.monotonic())
    dropped = _make_way(state, change.guest, None, position)
    text = f"the nickname {change.nickname} belongs to an account; you are now {change.guest}"
    told = SendTo(person.identity, (Notice(0, position.time(), None, text),))
    return Outcome((*dropped, *rename(people, person, change.guest, position), told))


# Logins


class NewLogin(NamedTuple):
    """Log a person in to an account that it has proved to own, or out."""

    by: int
    """The identity."""
    account: str | None
    """None to log out."""
    moment: int
    """`LoginState.moment`, from before the proof."""
    registered: bool
    """True if it has just registered the account."""
    server: str
    """The name of the server, which gives roles by account."""


def apply_login(state: State, change: NewLogin, position: Position) -> Outcome:
    person = state.person(change.by)
    if change.account is not None:
        require_login(state, change.account, change.moment, position.monotonic())
    return Outcome(_set_account(state, person, change.account, change.server, registered=change.registered))


def require_login(state: State, account: str, moment: int, now: float) -> None:
    """
    Check that somebody who proved to own an account may be logged in to it.

    Raises:
        BadCredentials: If the account has changed since that moment.
        BannedFromServer: If it is banned.
    """
    if not state.logins.holds(account, moment):
        raise BadCredentials
    ban = state.server_bans.of_account(account, now)
    if ban is not None:
        raise BannedFromServer(ban.reason)


class EndOfLogins(NamedTuple):
    """
    Log everybody out of an account, and invalidate every proof of its old password.

    That concerns people, and lost sessions that may come back.
    """

    account: str
    but: int | None
    """The identity of somebody who stays logged in."""
    server: str
    """See `NewLogin`."""


def apply_end_of_logins(state: State, change: EndOfLogins, position: Position) -> Outcome:
    _note_change(state.logins, change.account)
    rules.log_out_parked(state.people, change.account)
    people = [holder for holder in state.people.holders.values() if type(holder) is Person]
    effects: list[Effect] = []
    for person in people:
        if person.is_of(change.account) and person.identity != change.but:
            effects += _set_account(state, person, None, change.server)
    return Outcome(effects)


class NewAccount(NamedTuple):
    """Note that somebody has registered an account."""

    account: str


def apply_account(state: State, change: NewAccount, position: Position) -> Outcome:
    _note_change(state.logins, change.account)
    return Outcome()


def _note_change(logins: LoginState, account: str) -> None:
    """Record that an account has changed its password or owner, which invalidates earlier proofs."""
    logins.moment += 1
    logins.changed.pop(fold(account), None)
    logins.changed[fold(account)] = logins.moment
    if len(logins.changed) > _MOST_REMEMBERED:
        logins.forgotten = logins.changed.pop(next(iter(logins.changed)))


def _set_account(
    state: State, person: Person, account: str | None, server: str, *, registered: bool = False
) -> list[Effect]:
    """Set the account; tell the person, and the others if it is another one."""
    changed = person.account != account
    rules.set_account(person, account)
    if person.has_left:
        return []
    effects: list[Effect] = []
    if changed:
        rules.describe(state.people, person)
        userhost, _, bot = person.origin
        event = AccountChanged(0, 0.0, person.room_names, person.nickname or "", account, userhost, bot)
        effects.append(Publish(event, tuple(person.rooms), extra=person.identity, of_person=True))
    for room in person.rooms.values():
        effects += meet(room, person, server)
    place = person.nickname, person.userhost
    answer = LoggedOut(None, *place) if account is None else LoggedIn(None, account, registered, *place)
    effects.append(SendTo(person.identity, (answer,)))
    return effects
