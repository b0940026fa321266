"""
What each verb does: the table of functions, one per verb.

They run on the thread of the session, in `Chat.perform`, after the verb was authorized and the handlers had their say.
To refuse, they raise `Refused`; what they cause is published, what they answer is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

from pychat.core import stats
from pychat.core.accounts import actions as identifying
from pychat.core.accounts import hello as arriving
from pychat.core.accounts import operators, sasl
from pychat.core.handler import call, internal_error
from pychat.core.history import actions as recalling
from pychat.core.messages import actions as talking
from pychat.core.messages import bulk
from pychat.core.moderation import actions as moderating
from pychat.core.moderation import audit, server_bans
from pychat.core.moderation import bans as banning
from pychat.core.people import actions as meeting
from pychat.core.people import ignore as ignoring
from pychat.core.people import monitor as watching
from pychat.core.people import user_modes as profiles
from pychat.core.price import charged
from pychat.core.rooms import actions as rooming
from pychat.core.session import Session
from pychat.model import account_verbs, ignored, moderation_verbs, queries, server_ban, verbs
from pychat.model.errors import Refused
from pychat.model.replies import Failure, Lines, Ok, PongReply

if TYPE_CHECKING:
    from pychat.core.chat import Chat


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
    session.end(verb.text)


def _answer(chat: Chat, session: Session, verb: verbs.Answer) -> None:
    chat.send(session, *verb.items)


ACTIONS: dict[type[Any], Callable[[Chat, Session, Any], None]] = {
    verbs.Hello: arriving.hello,
    verbs.Say: talking.say,
    verbs.SayAll: bulk.say_all,
    verbs.Direct: talking.direct,
    verbs.Tag: talking.tag,
    verbs.Join: rooming.join,
    verbs.Leave: rooming.leave,
    verbs.LeaveAll: rooming.leave_all,
    verbs.SetNickname: arriving.set_nickname,
    verbs.SetTopic: rooming.set_topic,
    queries.GetTopic: rooming.get_topic,
    verbs.SetAway: arriving.set_away,
    queries.ListMembers: rooming.list_members,
    queries.ListRooms: rooming.list_rooms,
    verbs.Kick: moderating.kick,
    verbs.Invite: moderating.invite,
    queries.ListInvitations: moderating.list_invitations,
    verbs.SetModes: moderating.set_modes,
    moderation_verbs.Ban: banning.ban,
    moderation_verbs.Unban: banning.unban,
    queries.GetModes: moderating.get_modes,
    queries.ListMasks: moderating.list_masks,
    queries.WhoIs: meeting.who_is,
    queries.ListPeople: meeting.list_people,
    queries.FindPeople: meeting.find_people,
    queries.WhoWas: meeting.who_was,
    queries.CountPeople: meeting.count_people,
    queries.GetMotd: meeting.get_motd,
    verbs.Watch: watching.watch,
    ignored.SetIgnored: ignoring.set_ignored,
    ignored.ListIgnored: ignoring.list_ignored,
    queries.ListWatched: watching.list_watched,
    queries.ReadHistory: recalling.read_history,
    queries.ListHistory: recalling.list_history,
    verbs.SetUserModes: profiles.set_user_modes,
    queries.GetUserModes: profiles.get_user_modes,
    verbs.SetRealname: profiles.set_realname,
    verbs.BecomeOperator: operators.become_operator,
    verbs.Kill: operators.kill,
    verbs.SendWallops: operators.send_wallops,
    verbs.Announce: operators.announce,
    server_ban.AddServerBan: server_bans.add_ban,
    server_ban.RemoveServerBan: server_bans.remove_ban,
    server_ban.ListServerBans: server_bans.list_bans,
    queries.ReadAudit: audit.read_audit,
    queries.GetStats: stats.get_stats,
    account_verbs.Register: identifying.register,
    account_verbs.LogIn: identifying.log_in,
    account_verbs.Authenticate: sasl.authenticate,
    account_verbs.LogOut: identifying.log_out,
    account_verbs.ChangePassword: identifying.change_password,
    account_verbs.DropAccount: identifying.drop_account,
    account_verbs.Regain: identifying.regain,
    verbs.Command: talking.command,
    verbs.Help: _help,
    verbs.Answer: _answer,
    verbs.Ping: _ping,
    verbs.Pong: _pong,
    verbs.Quit: arriving.quit,
    verbs.Invalid: _invalid,
    verbs.Abort: _abort,
}
ACTIONS |= {question: charged(ACTIONS[question]) for question in get_args(queries.Query)}
