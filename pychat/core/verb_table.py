"""
One row for each verb: its function, who may send it, its name in storage errors, and its price.

The functions run on the thread of the session, in `Chat.perform`, after the verb was authorized and the handlers have
seen it. They refuse by raising `Refused`; they publish events and send replies. For permissions in a room, which depend
on its rules, they call `permissions.py`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pychat.core import stats
from pychat.core.accounts import actions as accounts
from pychat.core.accounts import hello, operators, sasl
from pychat.core.history import actions as history
from pychat.core.hooks.chains import call, internal_error
from pychat.core.messages import actions as messages
from pychat.core.messages import bulk
from pychat.core.moderation import actions as moderation
from pychat.core.moderation import audit, bans, server_bans
from pychat.core.people import actions as people
from pychat.core.people import ignore, monitor, user_modes
from pychat.core.permissions import is_server_operator, require_store
from pychat.core.price import JOIN_UNITS, charged
from pychat.core.rooms import actions as rooms
from pychat.core.session import Session
from pychat.model import queries, server_ban, verbs
from pychat.model.errors import LocalProtocolError, NotRegistered, Refused, refusal
from pychat.model.replies import Failure, Lines, Ok, PongReply

if TYPE_CHECKING:
    from pychat.core.chat import Chat


class Who(enum.Enum):
    """Who may send a verb at all."""

    EVERYBODY = enum.auto()
    """Even sessions without a nickname."""
    REGISTERED = enum.auto()
    """Sessions with a nickname."""
    SERVER_OPERATORS = enum.auto()


class VerbRule(NamedTuple):
    """The row of a verb."""

    do: Callable[[Chat, Session, Any], list[verbs.Verb] | None]
    """Performs the verb; may return verbs to perform instead."""
    who: Who = Who.REGISTERED
    stored: str | None = None
    """
    The name of the verb's effect in the refusal while the log cannot store it; None if the verb is then performed
    anyway.

    Joining has none because it is part of other verbs (`permissions.may_join`). A full disk must not keep anybody from
    leaving, being away or removing somebody.
    """
    cost: float = 1.0
    """
    The verb's share of the burst in `FloodControl`, in messages. Joining ten rooms takes many verbs and is not a flood.
    """


def authorize(session: Session, verb: verbs.Verb) -> VerbRule:
    """
    Return the row of a verb if the session may send it.

    Raises:
        NotRegistered: If it needs a nickname first.
        NotStored: If the verb must be stored and cannot be.
        Refused: If it is for server operators.
        LocalProtocolError: If the verb has no row, so nobody may send it.
    """
    rule = VERBS.get(type(verb))
    if rule is None:
        raise LocalProtocolError(f"{type(verb).__name__} has no rule: nobody may ask for it")
    if rule.who is not Who.EVERYBODY:
        if session.person.nickname is None:
            raise NotRegistered
        if rule.who is Who.SERVER_OPERATORS and not is_server_operator(session):
            raise refusal("only server operators may do that", code="not_server_operator")
    if rule.stored is not None and session.chat.log.storage_error is not None:
        require_store(session, rule.stored)
    return rule


def _help(chat: Chat, session: Session, verb: verbs.Help) -> None:
    lines = verb.text.split("\n")
    for hook in chat.chains.on_help if not verb.about else ():
        added = call(hook, session)
        if not isinstance(added, list) or not all(isinstance(line, str) for line in added):
            raise internal_error(hook, f"returned {added!r}, not a list of lines")
        lines += added
    chat.send(session, Lines(verb.ref, tuple(lines)))


def _ping(chat: Chat, session: Session, verb: verbs.Ping) -> None:
    chat.send(session, PongReply(verb.ref, verb.token))


def _pong(chat: Chat, session: Session, verb: verbs.Pong) -> None:
    if verb.ref is not None:
        chat.send(session, Ok(verb.ref))


def _invalid(chat: Chat, session: Session, verb: verbs.Invalid) -> None:
    raise Refused(verb.text, code=verb.code)


def _abort(chat: Chat, session: Session, verb: verbs.Abort) -> None:
    chat.send(session, Failure(verb.ref, verb.code, verb.text))
    session.disconnect_self(verb.text)


def _answer(chat: Chat, session: Session, verb: verbs.Answer) -> None:
    chat.send(session, *verb.items)


def _question(do: Callable[[Chat, Session, Any], None], who: Who = Who.REGISTERED) -> VerbRule:
    """Return the row of a query: its price is low, but the session is charged for what it scans."""
    return VerbRule(charged(do), who, cost=0.25)


VERBS: Final[dict[type[Any], VerbRule]] = {
    verbs.Hello: VerbRule(hello.hello, Who.EVERYBODY),
    verbs.Say: VerbRule(messages.say, stored="your message"),
    verbs.SayAll: VerbRule(bulk.say_all, stored="your message"),
    verbs.Direct: VerbRule(messages.direct),
    verbs.Tag: VerbRule(messages.tag),
    verbs.Join: VerbRule(rooms.join, cost=JOIN_UNITS),
    verbs.Leave: VerbRule(rooms.leave),
    verbs.LeaveAll: VerbRule(rooms.leave_all),
    verbs.SetNickname: VerbRule(hello.set_nickname, stored="your new nickname"),
    verbs.SetTopic: VerbRule(rooms.set_topic, stored="the topic"),
    queries.GetTopic: _question(rooms.get_topic),
    verbs.SetAway: VerbRule(hello.set_away),
    queries.ListMembers: _question(rooms.list_members),
    queries.ListRooms: _question(rooms.list_rooms),
    verbs.Kick: VerbRule(moderation.kick, cost=0.5),
    verbs.Invite: VerbRule(moderation.invite, stored="the invitation"),
    queries.ListInvitations: _question(moderation.list_invitations),
    verbs.SetModes: VerbRule(moderation.set_modes, stored="the modes", cost=0.5),
    verbs.Ban: VerbRule(bans.ban, stored="the ban"),
    verbs.Unban: VerbRule(bans.unban, stored="the end of the ban"),
    queries.GetModes: _question(moderation.get_modes),
    queries.ListMasks: _question(moderation.list_masks),
    queries.WhoIs: _question(people.who_is),
    queries.ListPeople: _question(people.list_people),
    queries.FindPeople: _question(people.find_people),
    queries.WhoWas: _question(people.who_was),
    queries.CountPeople: _question(people.count_people),
    queries.GetMotd: _question(people.get_motd),
    verbs.Watch: VerbRule(monitor.watch, cost=0.5),
    verbs.SetIgnored: VerbRule(ignore.set_ignored),
    verbs.ListIgnored: VerbRule(ignore.list_ignored),
    queries.ListWatched: _question(monitor.list_watched),
    queries.ReadHistory: _question(history.read_history),
    queries.ListHistory: _question(history.list_history),
    verbs.SetUserModes: VerbRule(user_modes.set_user_modes, cost=0.5),
    queries.GetUserModes: _question(user_modes.get_user_modes),
    verbs.SetRealname: VerbRule(user_modes.set_realname),
    verbs.BecomeOperator: VerbRule(operators.become_operator),
    verbs.Kill: VerbRule(operators.kill, Who.SERVER_OPERATORS),
    verbs.SendWallops: VerbRule(operators.send_wallops, Who.SERVER_OPERATORS),
    verbs.Announce: VerbRule(operators.announce, Who.SERVER_OPERATORS),
    server_ban.AddServerBan: VerbRule(server_bans.add_ban, Who.SERVER_OPERATORS, stored="the ban"),
    server_ban.RemoveServerBan: VerbRule(server_bans.remove_ban, Who.SERVER_OPERATORS, stored="the end of the ban"),
    server_ban.ListServerBans: VerbRule(server_bans.list_bans, Who.SERVER_OPERATORS),
    queries.ReadAudit: _question(audit.read_audit, Who.SERVER_OPERATORS),
    queries.GetStats: _question(stats.get_stats, Who.SERVER_OPERATORS),
    verbs.Register: VerbRule(accounts.register, Who.EVERYBODY, stored="your account"),
    verbs.LogIn: VerbRule(accounts.log_in, Who.EVERYBODY),
    verbs.Authenticate: VerbRule(sasl.authenticate, Who.EVERYBODY),
    verbs.LogOut: VerbRule(accounts.log_out, Who.EVERYBODY),
    verbs.ChangePassword: VerbRule(accounts.change_password, stored="your new password"),
    verbs.DropAccount: VerbRule(accounts.drop_account, stored="the deletion of your account"),
    verbs.Regain: VerbRule(accounts.regain),
    verbs.Command: VerbRule(messages.command),
    verbs.Help: VerbRule(_help, Who.EVERYBODY),
    verbs.Answer: VerbRule(_answer, Who.EVERYBODY, cost=0),
    verbs.Ping: VerbRule(_ping, Who.EVERYBODY, cost=0),
    verbs.Pong: VerbRule(_pong, Who.EVERYBODY, cost=0),
    verbs.Quit: VerbRule(hello.quit, Who.EVERYBODY, cost=0),
    verbs.Invalid: VerbRule(_invalid, Who.EVERYBODY),
    verbs.Abort: VerbRule(_abort, Who.EVERYBODY),
}
