"""Events in rooms and of people, except messages: JOIN, PART, KICK, QUIT, NICK, MODE, TOPIC and so on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from pychat.model import events, modes
from pychat.model.modes import ModeChange
from pychat.protocols.irc.asked import as_middle
from pychat.protocols.irc.capabilities import (
    ACCOUNT_NOTIFY,
    AWAY_NOTIFY,
    CHGHOST,
    EXTENDED_JOIN,
    INVITE_NOTIFY,
    SETNAME,
)
from pychat.protocols.irc.line_length import pieces, room_behind
from pychat.protocols.irc.replies.context import Context, Renderer, channel, source, user_and_host
from pychat.protocols.irc.replies.tags import event_tags

_Act: TypeAlias = (
    events.Joined
    | events.Left
    | events.Kicked
    | events.Disconnected
    | events.Renamed
    | events.AwayChanged
    | events.ProfileChanged
    | events.AccountChanged
    | events.TopicChanged
    | events.ModesChanged
    | events.Invited
)
"""An action of a person; tags name the account, and mark bots (IRCv3 account-tag, bot-mode)."""


def _line(event: _Act, context: Context, nickname: str, userhost: str, rest: str, *, piece: int = 1) -> str:
    # An action of the server itself (a ban has expired) has no user@host.
    who = nickname if nickname == context.server else source(nickname, userhost, context)
    tags = event_tags(event, context, sent="bot" if event.bot else "", piece=piece, account=event.account)
    return f"{tags}:{who} {rest}"


def _text(text: str) -> str:
    """Return the last parameter, if the text is not empty."""
    return f" :{text}" if text else ""


def _joined(item: events.Joined, context: Context) -> list[str]:
    """Return JOIN, and AWAY if the new member is away (IRCv3 away-notify)."""
    lines = [join_line(item, context)]
    if item.away is not None and AWAY_NOTIFY in context.capabilities:
        # It is not an event, so it has no id.
        lines.append(_line(item._replace(id=0), context, item.nickname, item.userhost, f"AWAY :{item.away}"))
    return lines


def join_line(item: events.Joined, context: Context) -> str:
    """Return JOIN, with account and real name after the channel (IRCv3 extended-join) if the client wants them."""
    more = ""
    if EXTENDED_JOIN in context.capabilities:
        more = f" {as_middle(item.account or '*')} :{item.realname or item.nickname}"
    return _line(item, context, item.nickname, item.userhost, f"JOIN {channel(item.room)}{more}")


def _left(item: events.Left, context: Context) -> list[str]:
    return [_line(item, context, item.nickname, item.userhost, f"PART {channel(item.room)}{_text(item.reason)}")]


def _kicked(item: events.Kicked, context: Context) -> list[str]:
    """Return KICK; without a reason, the kicker's name is the reason (Modern IRC, "KICK message")."""
    rest = f"KICK {channel(item.room)} {as_middle(item.nickname)} :{item.reason or item.by}"
    return [_line(item, context, item.by, item.userhost, rest)]


def _disconnected(item: events.Disconnected, context: Context) -> list[str]:
    """
    Return QUIT; a prefix marks the user's own words, so that they cannot imitate the server's (Modern IRC, "QUIT
    message").
    """
    reason = f"Quit: {item.reason}" if item.own_words else item.reason
    return [_line(item, context, item.nickname, item.userhost, f"QUIT{_text(reason)}")]


def _renamed(item: events.Renamed, context: Context) -> list[str]:
    # With a colon, as servers have always sent it: ii reads the new nickname only there.
    return [_line(item, context, item.old, item.userhost, f"NICK :{as_middle(item.new)}")]


def _away_changed(item: events.AwayChanged, context: Context) -> list[str]:
    """
    Return AWAY (IRCv3 away-notify), which the person may receive as well.

    An empty text would mean "back" (RFC 2812 section 4.1), so it becomes a word.
    """
    if AWAY_NOTIFY not in context.capabilities:
        return []
    rest = "AWAY" if item.text is None else f"AWAY :{item.text or 'away'}"
    return [_line(item, context, item.nickname, item.userhost, rest)]


def _account_changed(item: events.AccountChanged, context: Context) -> list[str]:
    """Return ACCOUNT (IRCv3 account-notify)."""
    if ACCOUNT_NOTIFY not in context.capabilities:
        return []
    return [_line(item, context, item.nickname, item.userhost, f"ACCOUNT {as_middle(item.account or '*')}")]


def _profile_changed(item: events.ProfileChanged, context: Context) -> list[str]:
    """
    Return CHGHOST and SETNAME, for clients with these capabilities (IRCv3 chghost, setname).

    For others the change is not simulated by QUIT and JOIN: it happens when somebody becomes a server operator, and a
    QUIT would cost them roles and attention.
    """
    lines = []
    userhost = item.userhost
    if item.new_userhost != userhost and CHGHOST in context.capabilities:
        user, host = user_and_host(item.new_userhost, item.nickname, context)
        lines.append(_line(item, context, item.nickname, userhost, f"CHGHOST {as_middle(user)} {as_middle(host)}"))
    if item.realname is not None and SETNAME in context.capabilities:
        lines.append(_line(item, context, item.nickname, item.new_userhost, f"SETNAME :{item.realname}"))
    return lines


def _topic_changed(item: events.TopicChanged, context: Context) -> list[str]:
    return [_line(item, context, item.nickname, item.userhost, f"TOPIC {channel(item.room)} :{item.topic}")]


def _modes_changed(item: events.ModesChanged, context: Context) -> list[str]:
    def line(change: str, piece: int = 1) -> str:
        rest = f"MODE {channel(item.room)} {change}"
        return _line(item, context, item.nickname, item.userhost, rest, piece=piece)

    head = line("")
    size = room_behind(head.partition(" :")[2] if head.startswith("@") else head)
    return [line(change, piece) for piece, change in enumerate(_changes(item.changes, size), 1)]


def _changes(changes: Sequence[ModeChange], size: int) -> Iterator[str]:
    """Return the changes as MODE parameters, in as few parts of at most `size` bytes as their order allows."""
    part: list[ModeChange] = []
    left = size
    for change in changes:
        needed = len("+m ") + len((change.argument or "").encode("utf-8", "replace"))
        if part and needed > left:
            yield _mode_params(part)
            part, left = [], size
        part.append(change)
        left -= needed
    if part:
        yield _mode_params(part)


def _mode_params(changes: Sequence[ModeChange]) -> str:
    letters, arguments = modes.write(changes)
    return " ".join(map(as_middle, [letters, *arguments]))


def mode_line(nickname: str, changes: Sequence[ModeChange], context: Context) -> str:
    """Return the line that reports changes of the client's own modes (Modern IRC, "User mode")."""
    return f":{as_middle(nickname)} MODE {as_middle(nickname)} {_mode_params(changes)}"


def _invited(item: events.Invited, context: Context) -> list[str]:
    """Return INVITE for the invited person; for members only with IRCv3 invite-notify."""
    if item.invited != context.nickname and INVITE_NOTIFY not in context.capabilities:
        return []
    rest = f"INVITE {as_middle(item.invited)} {channel(item.room)}"
    return [_line(item, context, item.nickname, item.userhost, rest)]


def _notice(item: events.Notice, context: Context) -> list[str]:
    """Return the notices from the server itself."""
    target = as_middle(context.nickname) if item.room is None else channel(item.room)
    head = f":{context.server} NOTICE {target} :"
    size = room_behind(head)
    texts = [piece for line in item.text.split("\n") if line for piece in pieces(line, size)]
    return [event_tags(item, context, piece=n) + head + text for n, text in enumerate(texts, 1)]


RENDERERS: Final[dict[type, Renderer]] = {
    events.Joined: _joined,
    events.Left: _left,
    events.Kicked: _kicked,
    events.Disconnected: _disconnected,
    events.Renamed: _renamed,
    events.AwayChanged: _away_changed,
    events.ProfileChanged: _profile_changed,
    events.AccountChanged: _account_changed,
    events.TopicChanged: _topic_changed,
    events.ModesChanged: _modes_changed,
    events.Invited: _invited,
    events.Notice: _notice,
}
