"""Channels: JOIN, PART, TOPIC, NAMES, LIST, INVITE and KICK (Modern IRC, "Channel Operations")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final

from pychat.model.queries import GetTopic, ListInvitations, ListMembers, ListRooms, RoomFilter
from pychat.model.replies import Words
from pychat.model.verbs import Answer, Invite, Join, Kick, Leave, LeaveAll, SetTopic, Verb
from pychat.protocols.irc.asked import Asked, Numeric
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.errors import needs_parameters, no_such_channel
from pychat.protocols.irc.commands.params import room_of, short_text, split, take
from pychat.protocols.irc.grammar import ParsedLine


def join(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle JOIN: channels, and keys for the first of them; or `0` to leave all."""
    if command.params[0] == "0":
        return [LeaveAll(ref=Asked("JOIN", ("0",)))]
    channels, verbs = take(client, "JOIN", split(command.params[0]))
    if not channels:
        return [needs_parameters("JOIN")]
    # Keys are matched to channels by position, so an empty key counts.
    keys = command.params[1].split(",") if len(command.params) > 1 else []
    joins: list[Verb] = []
    for channel, key in zip_longest(channels, keys[: len(channels)]):
        room = room_of(channel)
        joins.append(
            no_such_channel(channel) if room is None else Join(room, Asked("JOIN", (channel,)), key=key or None)
        )
    return joins + verbs


def part(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle PART: channels, and one reason for all."""
    channels, verbs = take(client, "PART", split(command.params[0]))
    if not channels:
        return [needs_parameters("PART")]
    reason = short_text(client, command, 1)
    leaves: list[Verb] = []
    for channel in channels:
        room = room_of(channel)
        leaves.append(no_such_channel(channel) if room is None else Leave(room, reason, Asked("PART", (channel,))))
    return leaves + verbs


def topic(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle TOPIC: return it; with a second parameter set it, with an empty one remove it."""
    channel = command.params[0]
    room = room_of(channel)
    if room is None:
        return [no_such_channel(channel)]
    if len(command.params) == 1:
        return [GetTopic(room, Asked("TOPIC", (channel,)))]
    text = short_text(client, command, 1)
    return [SetTopic(text, room, Asked("TOPIC", (channel, text)))]


def names(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle NAMES: the members of channels. Without a channel it would list everybody, which we do not."""
    channels, verbs = take(client, "NAMES", split(command.params[0]) if command.params else [])
    if not channels:
        return [_end_of_names("*")]
    lists: list[Verb] = []
    for channel in channels:
        room = room_of(channel)
        # An invalid channel has no names, which is not an error (Modern IRC, "NAMES message").
        lists.append(_end_of_names(channel) if room is None else ListMembers(room, Asked("NAMES", (channel,))))
    return lists + verbs


def _end_of_names(channel: str) -> Answer:
    return Answer((Words(Numeric("366", (channel, "End of /NAMES list"))),))


def invite(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle INVITE: a nickname and a channel; without either, list the channels that the client is invited to."""
    if not command.params:
        return [ListInvitations(Asked("INVITE"))]
    if len(command.params) < 2:
        return [needs_parameters("INVITE")]
    nickname, channel = command.params[:2]
    room = room_of(channel)
    if room is None:
        return [no_such_channel(channel)]
    return [Invite(nickname, room, Asked("INVITE", (nickname, channel)))]


def kick(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle KICK: one channel and nicknames, or as many channels as nicknames (RFC 2812 section 3.2.8)."""
    channels, nicknames = split(command.params[0]), split(command.params[1])
    if len(channels) == 1:
        channels *= len(nicknames)
    if not nicknames or len(channels) != len(nicknames):
        return [needs_parameters("KICK")]
    nicknames, verbs = take(client, "KICK", nicknames)
    reason = short_text(client, command, 2)
    kicks: list[Verb] = []
    for channel, nickname in zip(channels, nicknames, strict=False):
        room = room_of(channel)
        ref = Asked("KICK", (channel, nickname))
        kicks.append(no_such_channel(channel) if room is None else Kick(nickname, room, reason, ref))
    return kicks + verbs


_CONDITION: Final = re.compile(r"([CT]?)([<>])([0-9]{1,9})", re.ASCII | re.IGNORECASE)

_FIELDS: Final = {
    ("", ">"): "more_than",
    ("", "<"): "less_than",
    ("C", ">"): "created_before",
    ("C", "<"): "created_since",
    ("T", ">"): "topic_before",
    ("T", "<"): "topic_since",
}
"""The `RoomFilter` field of a condition: `C>60` matches channels created more than 60 minutes ago."""


def list_rooms(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle LIST: all channels, or those that match the conditions (Modern IRC, "ELIST Parameter")."""
    items, verbs = take(client, "LIST", [item for param in command.params[:2] for item in split(param)])
    masks: list[str] = []
    not_masks: list[str] = []
    fields: dict[str, Any] = {}
    for item in items:
        if match := _CONDITION.fullmatch(item):
            kind, number = match[1].upper(), int(match[3])
            fields[_FIELDS[kind, match[2]]] = number * 60.0 if kind else number
        elif item.startswith("!"):
            not_masks.append(item[1:].removeprefix("#"))
        else:
            masks.append(item.removeprefix("#"))
    wanted = RoomFilter(tuple(masks), tuple(not_masks), **fields)
    return [ListRooms(Asked("LIST", command.params), wanted), *verbs]
