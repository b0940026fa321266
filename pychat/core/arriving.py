"""Coming in, being called something, being away, and going: what these verbs do."""

from __future__ import annotations

from threading import Event as ThreadEvent
from typing import TYPE_CHECKING

from pychat.core import verbs
from pychat.core.account_replies import LoggedIn
from pychat.core.authority import reason_to_tell
from pychat.core.credentials import check_password
from pychat.core.errors import Refused, SaslAborted
from pychat.core.events import AwayChanged
from pychat.core.handler import change_before
from pychat.core.names import check_nickname, fold
from pychat.core.nicknames import Parked, new_token
from pychat.core.owning import lend, rename_locked, require_own
from pychat.core.passwords import require_password
from pychat.core.profiles import introduce
from pychat.core.queries import Ref
from pychat.core.replies import Failure, Motd, Ok, Welcome
from pychat.core.server_bans import require_welcome
from pychat.core.session import Session

if TYPE_CHECKING:
    from pychat.core.chat import Chat


def hello(chat: Chat, session: Session, verb: verbs.Hello) -> None:
    if session.nickname is not None:
        raise Refused(f"you are {session.nickname!r} already; use nick to change it", code="bad_request")
    parked = None if verb.token is None else _take_over(chat, session, verb.token)
    if parked is None or not parked.knows_password:
        require_password(session, verb.password)
    introduce(chat, session, verb)
    known = session.account
    proved = None if parked is None else parked.account
    if verb.account is not None and (proved is None or fold(proved) != fold(verb.account)):
        session.account = check_password(session, verb.account, verb.account_password)
    else:  # a token is as good as a password, and nobody has to wait while a thousand come back
        session.account = proved or known
    nickname = verb.nickname if parked is None else parked.nickname
    owns = claim(chat, session, nickname, free=parked and verb.token)
    session.replays = verb.replay and verb.after is None
    with chat.order.lock:
        if session.closed:  # by one of the hooks
            return
        if parked is not None:
            _restore(chat, session, parked)
        session.realname = session.realname or session.nickname or ""
        chat.nicknames.give_token(session, new_token())
        chat.lasting.keep_session_locked(session)
    if session.sasl is not None:
        chat.send(session, Failure.of(SaslAborted(), session.sasl.ref))
        session.sasl = None
    _welcome(chat, session, verb.ref)
    if session.account != known and session.account is not None:
        chat.send(session, LoggedIn(None, session.account, False, session.nickname, session.userhost))
    if not owns:
        lend(session)
    rooms = _rooms(chat, verb, parked)
    if verb.after is not None:
        chat.membership.resume(session, rooms, verb.after)
        return
    for name in rooms:
        try:
            chat.membership.join(session, name)
        except Refused as error:  # the welcome has answered the hello already
            chat.send(session, Failure.of(error))


def _restore(chat: Chat, session: Session, parked: Parked) -> None:
    """Let a session be what is kept of a lost one; but to be an operator takes the password again."""
    session.identity, session.away, session.ignored = parked.identity, parked.away, parked.ignored
    session.realname = session.realname or parked.realname
    session.update_info()
    chat.census.set_modes(session, {*session.modes, *parked.modes} - {"o"})


def _rooms(chat: Chat, verb: verbs.Hello, parked: Parked | None) -> tuple[str, ...]:
    if verb.rooms is not None:
        return verb.rooms
    return (parked.rooms if parked is not None else ()) or (chat.default_room.name,)


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
    """Return what is kept for the token; a session that still lives is ended first. None: it is worth nothing."""
    with chat.order.lock:
        holder = chat.nicknames.holder_of(token)
    if isinstance(holder, Session):
        holder.resumable = True
        end_old(chat, holder, "connected again from elsewhere")
        with chat.order.lock:
            holder = chat.nicknames.holder_of(token)
    return holder if isinstance(holder, Parked) else None


def end_old(chat: Chat, holder: Session, reason: str) -> None:
    """
    End another session of the same person, and wait for that.

    Raises:
        Refused: It does not end (`nickname_in_use`).
    """
    with chat.order.lock:
        if chat.nicknames.find(holder.nickname or "") is not holder:
            return  # it has just ended by itself
        holder.ended = ended = holder.ended or ThreadEvent()
    holder.kick(reason)
    if not ended.wait(chat.limits.stall_seconds):
        raise Refused("your old connection does not end; try again", code="nickname_in_use")


def claim(chat: Chat, session: Session, wanted: str, free: str | None = None) -> bool:
    """
    Give the session a nickname: its first one, or another. `free`: the token that keeps it.

    Returns:
        Whether it may keep it; if not, `owning.lend` has to follow.
    """
    old = session.nickname
    checked = check_nickname(wanted, chat.limits)
    chat.order.flush()
    nickname = change_before(chat.chains.before_nick, session, value=checked)
    if nickname != checked:
        nickname = check_nickname(nickname, chat.limits)
    if nickname == old:
        return True
    require_welcome(session, nickname)
    with chat.order.lock:
        chat.order.flush_locked()
        if session.closed:
            raise Refused("you are not connected any more")
        if free is not None:
            chat.nicknames.unpark(free)
        owns = require_own(session, nickname)
        if old is not None:
            rename_locked(chat, session, nickname)
        else:
            chat.nicknames.claim(session, nickname)
            chat.census.name(session)
            chat.watches.claimed_locked(session, None)
    chat.order.wake()
    chat.run_on(chat.chains.on_nick, session, old, nickname)
    return owns


def set_nickname(chat: Chat, session: Session, verb: verbs.SetNickname) -> None:
    owns = claim(chat, session, verb.nickname)
    chat.send(session, Ok(verb.ref))
    if not owns:
        lend(session)


def set_away(chat: Chat, session: Session, verb: verbs.SetAway) -> None:
    text = None if verb.text is None else chat.checked_short_text("away text", verb.text) or "away"
    chat.order.flush()
    with chat.order.lock:
        if text != session.away and not session.closed:
            session.away = text
            session.update_info()
            rooms = tuple(session.rooms.values())
            event = AwayChanged(0, 0.0, session.room_names, session.nickname or "", text, *session.origin)
            chat.order.append_locked(event, rooms, also=session)
            chat.lasting.keep_session_locked(session)
    chat.send(session, Ok(verb.ref))


def quit(chat: Chat, session: Session, verb: verbs.Quit) -> None:
    reason = chat.checked_short_text("reason", verb.reason)
    for room in tuple(session.rooms.values()):  # all of them hear the same
        reason = reason_to_tell(session, room, reason)
    chat.send(session, Ok(verb.ref))
    session.quits = True
    session.end(reason or "quit")
