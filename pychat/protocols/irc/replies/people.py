"""
Replies about people: WHO, WHOIS, WHOWAS, USERHOST, ISON, MONITOR, and away messages.

Sections: Modern IRC, "User-Based Queries" and "Optional Messages"; IRCv3 whox, monitor, bot-mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import asctime, gmtime
from typing import Final

from pychat.model import replies
from pychat.model.queries import Ref
from pychat.protocols.irc.asked import Asked, as_middle
from pychat.protocols.irc.replies.context import Context, Renderer, channel, prefixes, source, user_and_host
from pychat.protocols.irc.replies.events import mode_line
from pychat.protocols.irc.replies.isupport import BOT

_WHOX_ORDER: Final = "tcuihsnfdlaor"
"""The fields of RPL_WHOSPCRPL in the order of sending: those of the specification, `d` and `o`."""
_TOKEN_DIGITS: Final = 3


def _param(ref: Ref, index: int = 0) -> str:
    """Return a parameter of the command that is answered; empty if it has none."""
    params = ref.params if isinstance(ref, Asked) else ()
    return params[index] if index < len(params) else ""


def _profile(item: replies.Profile, context: Context) -> list[str]:
    """Return the lines of WHOIS (Modern IRC, "WHOIS message")."""
    nick = item.nickname
    user, host = user_and_host(item.userhost, nick, context)
    lines = [context.numeric("311", nick, user, host, "*", text=item.realname or nick)]
    lines += context.numerics("319", nick, words=_channels(item, context))
    lines.append(context.numeric("312", nick, context.server, text=context.description))
    if "o" in item.modes:
        lines.append(context.numeric("313", nick, text="is an IRC operator"))
    if item.account is not None:
        lines.append(context.numeric("330", nick, item.account, text="is logged in as"))
    if item.address:
        lines.append(context.numeric("338", nick, item.address, text="actually using host"))
    if item.away is not None:
        lines.append(_away(nick, item.away, context))
    if BOT in item.modes:  # IRCv3 bot-mode
        lines.append(context.numeric("335", nick, text="is a bot"))
    if item.secure:
        lines.append(context.numeric("671", nick, text="is using a secure connection"))
    if item.since:
        idle = str(int(max(0.0, item.idle)))
        lines.append(context.numeric("317", nick, idle, str(int(item.since)), text="seconds idle, signon time"))
    return [*lines, end_of_whois(nick, context)]


def end_of_whois(nickname: str, context: Context) -> str:
    """Return RPL_ENDOFWHOIS."""
    return context.numeric("318", nickname, text="End of /WHOIS list")


def _channels(item: replies.Profile, context: Context) -> Iterator[str]:
    """Return the rooms, each with the prefix of the member."""
    roles = item.roles or ("",) * len(item.rooms)
    for room, role in zip(item.rooms, roles, strict=False):
        yield prefixes(role, context) + channel(room)


def _people(item: replies.People, context: Context) -> list[str]:
    """Return the reply to WHO, USERHOST, ISON or MODE; with ERR_QUERYTOOLONG (416), as in ircu, if it is incomplete."""
    match _command(item.ref):
        case "USERHOST":
            return _userhost(item, context)
        case "ISON":  # RPL_ISON (303), at least one
            words = [as_middle(person.nickname) for person in item.people]
            return context.numerics("303", words=words) or [context.numeric("303", text="")]
        case "MODE":  # of somebody else, which nobody may see or change (Modern IRC, "User mode")
            if not item.people:  # ERR_NOSUCHNICK
                return [context.numeric("401", _param(item.ref), text="No such nickname")]
            return [context.numeric("502", text="Can't view or change mode for other users")]  # ERR_USERSDONTMATCH
    mask = _param(item.ref)
    fields = whox_fields(_param(item.ref, 1))
    if fields is None:
        lines = [_who_reply(person, item.room, context) for person in item.people]
    else:
        lines = [_whox_reply(person, item.room, *fields, context) for person in item.people]
    if item.more:
        lines.append(context.numeric("416", "WHO", text="there are more people; ask for fewer"))
    return [*lines, end_of_who(mask, context)]


def _command(ref: Ref) -> str:
    return ref.command if isinstance(ref, Asked) else ""


def end_of_who(mask: str, context: Context) -> str:
    """Return RPL_ENDOFWHO."""
    return context.numeric("315", mask, text="End of WHO list")


def _userhost(item: replies.People, context: Context) -> list[str]:
    """Return RPL_USERHOST (302): `nick*=+user@host`, a star for operators, plus if here and minus if away."""
    words = []
    for person in item.people:
        user, host = user_and_host(person.userhost, person.nickname, context)
        operator = "*" if "o" in person.modes else ""
        words.append(as_middle(f"{person.nickname}{operator}={'+' if person.away is None else '-'}{user}@{host}"))
    return context.numerics("302", words=words) or [context.numeric("302", text="")]


def _who_reply(person: replies.Profile, room: str | None, context: Context) -> str:
    """Return RPL_WHOREPLY (352)."""
    user, host = user_and_host(person.userhost, person.nickname, context)
    where, flags = _where(person, room, context)
    text = f"0 {person.realname or person.nickname}"
    return context.numeric("352", where, user, host, context.server, person.nickname, flags, text=text)


def _where(person: replies.Profile, room: str | None, context: Context) -> tuple[str, str]:
    """Return the room to show, a shared one if none was requested, and the flags that apply there."""
    if room is None and person.rooms:
        room = person.rooms[0]
    roles = dict(zip(person.rooms, person.roles, strict=False)).get(room or "", "")
    here = "H" if person.away is None else "G"
    operator = "*" if "o" in person.modes else ""
    bot = BOT if BOT in person.modes else ""
    return "*" if room is None else channel(room), here + operator + prefixes(roles, context) + bot


def whox_fields(param: str) -> tuple[str, str] | None:
    """Return the fields and the token of `%tcuhnf,42`, without anything before the `%`; None if it is not WHOX."""
    _, percent, asked = param.partition("%")
    if not percent:
        return None
    fields, _, token = asked.partition(",")
    known = token.isascii() and token.isdigit() and len(token) <= _TOKEN_DIGITS
    return fields, token if known else "0"


def _whox_reply(person: replies.Profile, room: str | None, fields: str, token: str, context: Context) -> str:
    """Return RPL_WHOSPCRPL (354): the requested fields, in the order of IRCv3 whox."""
    user, host = user_and_host(person.userhost, person.nickname, context)
    where, flags = _where(person, room, context)
    values = {
        "t": token,
        "c": where,
        "u": user,
        "i": "255.255.255.255",  # addresses are private
        "h": host,
        "s": context.server,
        "n": person.nickname,
        "f": flags,
        "d": "0",
        "l": str(int(max(0.0, person.idle))),
        "a": person.account or "0",
        "o": "n/a",
    }
    params = [values[field] for field in _WHOX_ORDER if field in fields and field in values]
    return context.numeric("354", *params, text=person.realname or person.nickname if "r" in fields else None)


def _past_people(item: replies.PastPeople, context: Context) -> list[str]:
    """Return RPL_WHOWASUSER (314) and RPL_WHOISSERVER (312), or ERR_WASNOSUCHNICK (406); then RPL_ENDOFWHOWAS (369)."""
    lines = []
    for person in item.people:
        nick = person.nickname
        user, host = user_and_host(person.userhost, nick, context)
        lines.append(context.numeric("314", nick, user, host, "*", text=person.realname or nick))
        lines.append(context.numeric("312", nick, context.server, text=f"{asctime(gmtime(person.time))} UTC"))
    asked = _param(item.ref)
    if not item.people:
        lines.append(context.numeric("406", asked, text="There was no such nickname"))
    return [*lines, context.numeric("369", asked, text="End of WHOWAS")]


def _ignored(item: replies.Ignored, context: Context) -> list[str]:
    """
    Return changes as SILENCE lines; otherwise RPL_SILELIST (271) and RPL_ENDOFSILELIST (272).

    These are not in Modern IRC; InspIRCd and UnrealIRCd use them.
    """
    if isinstance(item.ref, Asked) and item.ref.params:
        head = f":{source(context.nickname, item.userhost, context)} SILENCE "
        changes = [f"+{mask}" for mask in item.added] + [f"-{mask}" for mask in item.removed]
        return [head + as_middle(change) for change in changes]
    lines = [context.numeric("271", context.nickname, mask) for mask in item.masks]
    return [*lines, context.numeric("272", context.nickname, text="End of SILENCE list")]


def _watched(item: replies.Watched, context: Context) -> list[str]:
    """Return RPL_MONONLINE (730) and RPL_MONOFFLINE (731); for MONITOR L, RPL_MONLIST (732) (IRCv3 monitor)."""
    if _command(item.ref) == "MONITOR" and _param(item.ref).upper() == "L":
        names = [as_middle(person.nickname) for person in item.online] + [as_middle(name) for name in item.offline]
        lines = context.numerics("732", words=names, separator=",")
        return [*lines, context.numeric("733", text="End of MONITOR list")]
    online = [_whole(person, context) for person in item.online]
    lines = context.numerics("730", words=online, separator=",")
    return lines + context.numerics("731", words=map(as_middle, item.offline), separator=",")


def _whole(person: replies.MemberInfo, context: Context) -> str:
    return source(person.nickname, person.userhost, context)


def _person_away(item: replies.PersonAway, context: Context) -> list[str]:
    """Return RPL_AWAY (301); nothing for NOTICE, which is never answered (RFC 2812 section 3.3.2)."""
    return [] if _command(item.ref) == "NOTICE" else [_away(item.nickname, item.text, context)]


def _away(nickname: str, text: str, context: Context) -> str:
    return context.numeric("301", nickname, text=text or "away")


def _user_modes(item: replies.UserModes, context: Context) -> list[str]:
    """Return MODE for changes, RPL_YOUREOPER (381) for OPER, RPL_UMODEIS (221) for a query."""
    lines = [mode_line(context.nickname, item.changes, context)] if item.changes else []
    if _command(item.ref) == "OPER":
        return [*lines, context.numeric("381", text="You are now an IRC operator")]
    if lines or _param(item.ref, 1):  # modes were given, but were already set
        return lines
    return [context.numeric("221", f"+{item.letters}")]


RENDERERS: Final[dict[type, Renderer]] = {
    replies.Profile: _profile,
    replies.People: _people,
    replies.PastPeople: _past_people,
    replies.Watched: _watched,
    replies.Ignored: _ignored,
    replies.PersonAway: _person_away,
    replies.UserModes: _user_modes,
}
