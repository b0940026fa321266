"""Replies about rooms: members, topics, modes, masks, invitations (Modern IRC, "Channel Operations")."""

from __future__ import annotations

from typing import Final

from pychat.model import replies
from pychat.protocols.irc.asked import as_middle
from pychat.protocols.irc.capabilities import USERHOST_IN_NAMES
from pychat.protocols.irc.replies.context import Context, Renderer, channel, prefixes, source
from pychat.protocols.irc.replies.events import join_line

_LISTS: Final = {
    "b": ("367", "368", "End of channel ban list"),
    "e": ("348", "349", "End of channel exception list"),
    "I": ("346", "347", "End of channel invite exception list"),
}
"""The numerics of the entries and of the end, for each of `modes.LISTS`."""


def _members(item: replies.Members, context: Context) -> list[str]:
    """
    Return JOIN, the topic if there is one, and the names to a new member (Modern IRC, "JOIN message").

    A member who joins again gets nothing, as on other servers.
    """
    if item.again:
        return []
    if item.arrival is None:
        return _names(item, context)
    topic = topic_lines(item, item.topic_by, item.topic_userhost, item.topic_time, context) if item.topic else []
    return [join_line(item.arrival, context), *topic, *_names(item, context)]


def _names(item: replies.Members, context: Context) -> list[str]:
    """Return RPL_NAMREPLY (353), with a sign for secret channels, and RPL_ENDOFNAMES (366)."""
    name = channel(item.room)
    lines = context.numerics("353", "@" if item.secret else "=", name, words=_shown(item.members, context))
    return [*lines, end_of_names(name, context)]


def _shown(members: tuple[replies.MemberInfo, ...], context: Context) -> list[str]:
    """Return the members as in NAMES (IRCv3 multi-prefix, userhost-in-names). Rooms may have thousands of them."""
    signs = {roles: prefixes(roles, context) for roles in {member.roles for member in members}}
    if USERHOST_IN_NAMES in context.capabilities:
        return [signs[member.roles] + source(member.nickname, member.userhost, context) for member in members]
    return [signs[member.roles] + as_middle(member.nickname) for member in members]


def end_of_names(name: str, context: Context) -> str:
    """Return RPL_ENDOFNAMES."""
    return context.numeric("366", name, text="End of /NAMES list")


def topic_lines(
    item: replies.Members | replies.Topic, by: str, userhost: str, time: float, context: Context
) -> list[str]:
    """Return RPL_TOPIC (332) and, if it is known, RPL_TOPICWHOTIME (333)."""
    lines = [context.numeric("332", channel(item.room), text=item.topic)]
    if time:
        lines.append(context.numeric("333", channel(item.room), _setter(by, userhost), str(int(time))))
    return lines


def _setter(by: str, userhost: str) -> str:
    """Return the mask of the person who set something, if it is known (Modern IRC, "RPL_TOPICWHOTIME (333)")."""
    return f"{by}!{userhost}" if by and userhost else by


def _topic(item: replies.Topic, context: Context) -> list[str]:
    if not item.topic:
        return [context.numeric("331", channel(item.room), text="No topic is set")]
    return topic_lines(item, item.by, item.userhost, item.time, context)


def _rooms(item: replies.Rooms, context: Context) -> list[str]:
    """
    Return RPL_LISTSTART (321), RPL_LIST (322), RPL_LISTEND (323). In IRC, empty channels do not exist.

    ERR_QUERYTOOLONG (416), as in ircu, precedes the end if not all channels were examined.
    """
    rooms = [room for room in item.rooms if room.members]
    lines = [context.numeric("322", channel(room.name), str(room.members), text=room.topic) for room in rooms]
    if item.more:
        lines.append(context.numeric("416", "LIST", text="there are more channels; ask for fewer"))
    return [context.numeric("321", "Channel", text="Users  Name"), *lines, context.numeric("323", text="End of /LIST")]


def _modes(item: replies.Modes, context: Context) -> list[str]:
    """Return RPL_CHANNELMODEIS (324) and RPL_CREATIONTIME (329)."""
    name = channel(item.room)
    lines = [context.numeric("324", name, f"+{item.letters}", *item.arguments)]
    if item.created:
        lines.append(context.numeric("329", name, str(int(item.created))))
    return lines


def _masks(item: replies.Masks, context: Context) -> list[str]:
    """Return one of the lists of a channel: each entry with the person who added it and the time."""
    entry, end, text = _LISTS.get(item.mode, _LISTS["b"])
    name = channel(item.room)
    lines = [
        context.numeric(entry, name, mask, _setter(by, userhost), str(int(time)))
        for mask, by, time, userhost, *_ in item.masks
    ]
    return [*lines, context.numeric(end, name, text=text)]


def _inviting(item: replies.Inviting, context: Context) -> list[str]:
    """Return RPL_INVITING (341)."""
    return [context.numeric("341", item.nickname, channel(item.room))]


def _invitations(item: replies.Invitations, context: Context) -> list[str]:
    """Return RPL_INVITELIST (336) and RPL_ENDOFINVITELIST (337)."""
    lines = [context.numeric("336", channel(room)) for room in item.rooms]
    return [*lines, context.numeric("337", text="End of /INVITE list")]


RENDERERS: Final[dict[type, Renderer]] = {
    replies.Members: _members,
    replies.Topic: _topic,
    replies.Rooms: _rooms,
    replies.Modes: _modes,
    replies.Masks: _masks,
    replies.Inviting: _inviting,
    replies.Invitations: _invitations,
}
