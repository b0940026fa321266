"""
How the state of people changes: their profiles, nicknames and tokens.

These functions are for `changes.py`, which applies proposals, and for restoring sessions. They run under the chat's
order lock; the time is given to them.
"""

from __future__ import annotations

from collections.abc import Iterable

from pychat.core.people.state import Holder, Parked, PastName, PeopleState, Person
from pychat.model.hostmask import hostmask_of
from pychat.model.masks import MaskList
from pychat.model.names import fold, skeleton
from pychat.model.replies import MemberInfo, PastPerson
from pychat.model.text import shorten

# Profiles


def describe(people: PeopleState, person: Person) -> None:
    """Update what follows from the other attributes: `info`, `hostmask`, and the directory."""
    away = None if person.away is None else shorten(person.away)
    person.info = MemberInfo(person.nickname or "", away, person.userhost, "", person.account, person.visits)
    before = person.hostmask
    person.hostmask = hostmask_of(person.nickname or "", person.userhost, person.account, person.realname)
    if person.nickname is not None and not person.has_left:
        people.directory.update(person, before, person.hostmask)


def introduce(person: Person, userhost: str, realname: str, modes: str, *, visits: bool) -> None:
    """Set the profile of a session that has no nickname yet."""
    person.userhost, person.realname, person.modes, person.visits = userhost, realname, modes, visits


def set_realname(person: Person, realname: str) -> None:
    """Set the real name."""
    person.realname = realname


def set_account(person: Person, account: str | None) -> None:
    """Set the account; None for a guest."""
    person.account = account


def set_modes(person: Person, letters: Iterable[str]) -> None:
    """Set all user modes."""
    person.modes = "".join(sorted(letters))


def set_grace(person: Person, until: float) -> None:
    """Set the end of the grace period for nicknames of other accounts."""
    person.grace_until = until


def leave(person: Person) -> None:
    """Note that the session has ended, though it keeps its nickname until the others are told."""
    person.has_left = True


def set_ignored(person: Person, ignored: MaskList | None) -> None:
    """Set the ignore list; None if nobody is ignored."""
    person.ignored = ignored


# Nicknames


def enter(people: PeopleState, person: Person, nickname: str, named: float, named_at: int) -> None:
    """Give a newcomer its first nickname, which must be free."""
    people.named[person.identity] = person
    rename(people, person, nickname, named, named_at)


def rename(people: PeopleState, person: Person, nickname: str, named: float, named_at: int) -> None:
    """
    Give a person a nickname, which must be free, instead of its old one.

    Args:
        named: The time by `Clock.monotonic`.
        named_at: The newest id.
    """
    if person.nickname is not None:
        _forget(people, person.nickname)
    _remember(people, nickname, person)
    person.nickname, person.named, person.named_at = nickname, named, named_at


def restore(people: PeopleState, person: Person, parked: Parked) -> None:
    """Give a newcomer the state of the lost session that it resumes; operator status requires the password again."""
    del people.named[person.identity]
    person.identity = parked.identity
    people.named[person.identity] = person
    person.away, person.ignored = parked.away, parked.ignored
    person.named, person.named_at = 0.0, parked.named_at
    person.realname = person.realname or parked.realname
    set_modes(person, {*person.modes, *parked.modes} - {"o"})


def note_past(people: PeopleState, person: Person, time: float, newest: int) -> None:
    """Record that a person gives up its nickname."""
    nickname = person.nickname or ""
    past = PastPerson(nickname, person.userhost, person.realname, time)
    people.past.append(PastName(fold(nickname), past, person.identity, person.named_at, newest))


def remove(people: PeopleState, person: Person) -> None:
    """Remove a person whose session has ended, with its nickname and tokens."""
    for digest in (person.earlier_digest, person.token_digest):
        if digest is not None:
            people.tokens.pop(digest, None)
    unwatch(people, person, tuple(person.watched))
    _forget(people, person.nickname or "")
    people.named.pop(person.identity, None)
    people.directory.remove(person)


# Monitored nicknames


def watch(people: PeopleState, person: Person, nickname: str, most: int) -> bool:
    """Let a person monitor a nickname; return False if that would be more than `most`."""
    key = fold(nickname)
    if key not in person.watched and len(person.watched) >= most:
        return False
    person.watched[key] = nickname
    people.watchers.setdefault(key, {})[person.identity] = None
    return True


def unwatch(people: PeopleState, person: Person, keys: Iterable[str]) -> None:
    """Let a person not monitor these folded nicknames any more."""
    for key in keys:
        if person.watched.pop(key, None) is not None:
            watchers = people.watchers[key]
            watchers.pop(person.identity, None)
            if not watchers:
                del people.watchers[key]


# Tokens


def give_token(people: PeopleState, person: Person, digest: str, earlier: str | None = None) -> None:
    """
    Register the token of a person.

    Args:
        earlier: The digest of the token it came with, which nobody else may have; it is valid, too.
    """
    if person.token_digest is not None:
        people.tokens.pop(person.token_digest, None)
    person.token_digest = digest
    people.tokens[digest] = person
    if earlier is not None:
        person.earlier_digest = earlier
        people.tokens[earlier] = person


def void_earlier(people: PeopleState, person: Person) -> None:
    """Invalidate the earlier token of a person whose client has the new one."""
    if person.earlier_digest is not None:
        people.tokens.pop(person.earlier_digest, None)
        person.earlier_digest = None


def park(people: PeopleState, digest: str, parked: Parked) -> None:
    """Reserve a nickname for the holder of a token; it must be free."""
    _remember(people, parked.nickname, parked)
    people.parked[digest] = parked
    if parked.earlier is not None:
        people.replaced[parked.earlier] = digest


def drop_parked(people: PeopleState, digest: str) -> bool:
    """Drop the saved state of a token's digest; return False if there is none."""
    parked = people.parked.pop(digest, None)
    if parked is None:
        return False
    if parked.earlier is not None:
        people.replaced.pop(parked.earlier, None)
    _forget(people, parked.nickname)
    return True


def drop_expired(people: PeopleState, now: float) -> list[str]:
    """Drop the reservations that have expired; return their digests."""
    dropped: list[str] = []
    while people.parked:
        digest, parked = next(iter(people.parked.items()))
        if parked.until > now:
            break
        drop_parked(people, digest)
        dropped.append(digest)
    return dropped


def log_out_parked(people: PeopleState, account: str) -> None:
    """Log out lost sessions from the account, so that they come back as guests."""
    for digest, parked in people.parked.items():
        if parked.account is not None and fold(parked.account) == fold(account):
            left = people.parked[digest] = parked._replace(account=None)
            people.holders[fold(parked.nickname)] = left


def _remember(people: PeopleState, nickname: str, holder: Holder) -> None:
    key = fold(nickname)
    people.holders[key] = holder
    people.skeletons.add(skeleton(nickname), key)


def _forget(people: PeopleState, nickname: str) -> None:
    key = fold(nickname)
    del people.holders[key]
    people.skeletons.discard(skeleton(nickname), key)
