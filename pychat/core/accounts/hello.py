"""The verbs for connecting, nicknames, away texts and quitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pychat.core.accounts.authentication import check_password
from pychat.core.accounts.changes import Claim, Entry, NewNickname, NewToken
from pychat.core.accounts.logins import Proof, require_locked
from pychat.core.accounts.nickname_ownership import claim_of, is_of_account, lend, owner_of, require_unreserved
from pychat.core.accounts.reclaim import end_old, make_way, regain
from pychat.core.accounts.server_password import require_password
from pychat.core.hooks.chains import change_before
from pychat.core.outcome import Outcome, Outdated
from pychat.core.people.changes import NewAway
from pychat.core.people.ignore import match_new_name
from pychat.core.people.journal import note_coming
from pychat.core.people.rules import set_account
from pychat.core.people.state import Parked
from pychat.core.people.user_modes import introduce
from pychat.core.permissions import may_rename, parted, reason_to_tell
from pychat.core.price import JOIN_UNITS
from pychat.core.rooms.behind import Behind
from pychat.core.session import Session
from pychat.model import verbs
from pychat.model.errors import SaslAborted, refusal
from pychat.model.names import check_nickname, fold
from pychat.model.queries import Ref
from pychat.model.replies import Failure, LoggedIn, Motd, Ok, Welcome
from pychat.model.text import checked_short_text
from pychat.model.tokens import TOKEN_CHARS, digest_of, new_token

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def hello(chat: Chat, session: Session, verb: verbs.Hello) -> None:
    _require_newcomer(session)
    known = session.account
    parked = None if verb.token is None else _take_over(chat, session, verb.token)
    if parked is None or not parked.knows_password:
        require_password(session, verb.password)
    introduce(chat, session, verb)
    if verb.account is not None and not (parked and session.is_of(verb.account)):
        _log_in(chat, session, verb.account, verb, parked)
    # else a token is as good as a password, so a thousand returning sessions need no hashing
    nickname = verb.nickname if parked is None else parked.nickname
    if verb.regain and parked is None:
        _regain(chat, session, verb)
    owns = claim(chat, session, nickname, parked, verb.token)
    rooms = _rooms(chat, verb, parked)
    _admit(chat, session, rooms, None if parked is not None else verb.token or "")
    if session.sasl is not None:
        chat.send(session, Failure.of(SaslAborted(), session.sasl.ref))
        session.sasl = None
    note_coming(session)
    _welcome(chat, session, verb.ref)
    if session.account != known and session.account is not None:
        chat.send(session, LoggedIn(None, session.account, False, session.nickname, session.userhost))
    if not owns:
        lend(session)
    session.owes += JOIN_UNITS * max(0, len(rooms) - 1)  # the first room is in the price of the hello
    chat.membership.arrive(session, rooms, _places(session, verb, rooms, parked), verb)
    if session.is_here:
        session.coming = ()


def _require_newcomer(session: Session) -> None:
    if session.nickname is not None:
        raise refusal(f"you are already {session.nickname!r}; use nick to change your nickname", code="bad_request")


def _regain(chat: Chat, session: Session, verb: verbs.Hello) -> None:
    """Regain the nickname, like `actions.regain`, for a session that has no nickname yet."""
    nickname = check_nickname(verb.nickname, chat.limits)
    owner = owner_of(chat, nickname)
    if verb.account is None and verb.account_password and not session.is_of(owner):
        _log_in(chat, session, owner or nickname, verb, None)
    regain(chat, session, nickname)


def _log_in(chat: Chat, session: Session, account: str, verb: verbs.Hello, parked: Parked | None) -> None:
    # After a restart, a token does not stand for an account, but its holder had the nickname.
    owner = None if parked is None else owner_of(chat, parked.nickname)
    own = owner is not None and fold(owner) == fold(account)
    proof = check_password(session, account, verb.account_password, own=own)
    with chat.order.change(session):
        require_locked(chat, proof)
        set_account(session.person, proof.account)


def _admit(chat: Chat, session: Session, rooms: tuple[str, ...], came_with: str | None) -> None:
    """
    Give a session that has its first nickname what else it needs.

    Args:
        rooms: The rooms that it is about to join.
        came_with: A token from its last session or made by the client, which is valid, too, until the client has shown
            that it has the new one, because the welcome may be lost. Ignored if it is short enough to be guessed, or
            belongs to somebody else. None if the session has resumed another one, and has a token.
    """
    new = None if came_with is None else new_token()
    earlier = digest_of(came_with) if came_with is not None and len(came_with) >= TOKEN_CHARS else None
    holder = None if earlier is None else chat.nicknames.with_earlier(earlier)
    outdated = holder.identity if holder is not None and holder.knows_token else None

    def admit_locked(outcome: Outcome) -> None:
        session.coming = rooms
        if new is not None:
            session.token, session.welcomed = new, chat.clock.monotonic()

    proposal = NewToken(session.identity, None if new is None else digest_of(new), earlier, outdated)
    chat.propose(proposal, session, first=admit_locked)


def _rooms(chat: Chat, verb: verbs.Hello, parked: Parked | None) -> tuple[str, ...]:
    if verb.rooms is not None:
        return verb.rooms
    return (parked.rooms if parked is not None else ()) or (chat.default_room.name,)


def _places(session: Session, verb: verbs.Hello, rooms: tuple[str, ...], parked: Parked | None) -> dict[str, int]:
    """
    Return the rooms that the session returns to, by key, with the id up to which it has everything.

    These are the rooms that its token stands for. Without a valid token, it gets as much as one history request
    returns.
    """
    if verb.after is None:
        return {}
    behind = session.behind
    assert behind is not None
    behind.after = verb.after
    if parked is None:
        behind.pages = 1
    return {fold(name): verb.after for name in (rooms if parked is None else parked.rooms)}


def _welcome(chat: Chat, session: Session, ref: Ref) -> None:
    assert session.nickname is not None
    assert session.token is not None
    welcome = Welcome(
        ref,
        chat.name,
        session.nickname,
        session.token,
        chat.limits,
        session.userhost,
        chat.started,
        chat.counts(),
    )
    chat.send(session, welcome, Motd(None, chat.motd))


def _take_over(chat: Chat, session: Session, token: str) -> Parked | None:
    """
    Return the saved state for the token, after ending a session that is still live; None if the token is invalid.

    The session is logged in as the lost one was, unless the account has changed.
    """
    with chat.order.lock:
        holder = chat.nicknames.holder_of(token)
    if isinstance(holder, Session):
        holder.resumable = True
        end_old(chat, holder, "connected again from elsewhere")
    with chat.order.lock:
        holder = chat.nicknames.holder_of(token)
        if not isinstance(holder, Parked):
            return None
        if holder.account is not None:
            require_locked(chat, Proof(holder.account, chat.logins.moment))
            set_account(session.person, holder.account)
        return holder


def claim(chat: Chat, session: Session, wanted: str, parked: Parked | None = None, token: str | None = None) -> bool:
    """
    Give the session a nickname: its first one, or a new one.

    Args:
        parked: The lost session that it resumes, with its nickname.
        token: The token of that lost session.

    Returns:
        True if it may keep the nickname; if not, call `nickname_ownership.lend` next.
    """
    old = session.nickname
    checked = check_nickname(wanted, chat.limits)
    if parked is None:
        require_unreserved(session, checked)
    else:
        _require_newcomer(session)
    if old is not None and checked != old and not is_of_account(session, checked):
        may_rename(session, chat.clock)
    chat.order.flush()
    nickname = change_before(chat.chains.before_nick, session, value=checked)
    if nickname != checked:
        nickname = check_nickname(nickname, chat.limits)
        require_unreserved(session, nickname)
    if nickname == old:
        return True
    if parked is None:
        make_way(session, nickname)
    while True:
        found = claim_of(session, nickname)
        try:
            if old is not None:
                outcome = chat.propose(NewNickname(session.identity, found), session)
            else:
                outcome = _enter(chat, session, found, parked, token)
            break
        except Outdated:
            continue
    chat.run_on(chat.chains.on_nick, session, old, nickname)
    return not outcome.lent


def _enter(chat: Chat, session: Session, claim: Claim, parked: Parked | None, token: str | None) -> Outcome:
    """
    Give the session its first nickname, and the state of the lost session that it resumes.

    The token becomes valid for this session at once: another client that brings the same token then takes over this
    session, and never becomes a new person with somebody else's token.
    """
    token, resumes = (new_token(), digest_of(token)) if parked is not None and token is not None else ("", None)

    def enter_locked(outcome: Outcome) -> None:
        entered = chat.state.people.find(claim.nickname)
        assert entered is not None
        session.become(entered)
        chat.nicknames.by_identity[entered.identity] = session
        session.behind = Behind()  # until it has joined its rooms
        chat.census.name(session)
        if parked is not None:
            session.coming, session.token, session.welcomed = parked.rooms, token, chat.clock.monotonic()

    with chat.order.change(session):
        # Only now, because what is not in the state yet may change until here: somebody may log the session out.
        _require_newcomer(session)  # check again: a hook or another thread may have said hello for it
        person = session.person
        profile = person.userhost, person.realname, person.modes, person.visits, person.account
        proposal = Entry(session.identity, claim, *profile, resumes, digest_of(token) if token else "")
        return chat.sequencer.apply_locked(proposal, session, first=enter_locked)


def set_nickname(chat: Chat, session: Session, verb: verbs.SetNickname) -> None:
    owns = claim(chat, session, verb.nickname)
    match_new_name(session)
    chat.send(session, Ok(verb.ref), confirms=True)
    if not owns:
        lend(session)


def set_away(chat: Chat, session: Session, verb: verbs.SetAway) -> None:
    text = None if verb.text is None else checked_short_text("away text", verb.text, chat.limits) or "away"
    parted(session, chat.clock)  # matches its masks, so that none are matched under the order lock
    chat.propose(NewAway(session.identity, text), session)
    chat.send(session, Ok(verb.ref))


def quit(chat: Chat, session: Session, verb: verbs.Quit) -> None:
    reason = checked_short_text("reason", verb.reason, chat.limits)
    for room in tuple(session.rooms.values()):  # all rooms get the same reason
        reason = reason_to_tell(session, room, reason, chat.clock)
    chat.send(session, Ok(verb.ref))
    session.quit_by_client = True
    session.disconnect_self(reason or "quit")
