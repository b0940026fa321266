"""PRIVMSG, NOTICE and TAGMSG (Modern IRC, "Sending Messages"; IRCv3 message-tags)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pychat.model.verbs import Direct, Say, Tag, Verb
from pychat.protocols.irc.asked import Asked
from pychat.protocols.irc.capabilities import MESSAGE_TAGS
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.accounts import is_service, service
from pychat.protocols.irc.commands.errors import refuse, unknown_command
from pychat.protocols.irc.commands.params import distinct, role_of, room_of, split, take
from pychat.protocols.irc.formatting import read_text
from pychat.protocols.irc.grammar import ParsedLine, client_tags

_NO_ANSWER: Final = Asked("NOTICE")
"""The `ref` of verbs that are never answered, not even with an error (RFC 2812 section 3.3.2)."""


def privmsg(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle PRIVMSG: errors have no `ref`; clients match them by their parameters."""
    targets = split(command.params[0]) if command.params else []
    if not targets:
        return [refuse("411", "No recipient given (PRIVMSG)")]
    if len(command.params) < 2 or not command.params[1]:
        return [refuse("412", "No text to send", code="empty")]
    return _messages(client, command, targets, notice=False)


def notice(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle NOTICE: programs use it to answer each other, so it never causes a reply, not even an error."""
    if len(command.params) < 2:
        return []
    verbs = _messages(client, command, split(command.params[0]), notice=True)
    return [verb for verb in verbs if isinstance(verb, Say | Direct)]


def _messages(client: Client, command: ParsedLine, targets: list[str], *, notice: bool) -> list[Verb]:
    text, action, formatted = read_text(command.params[1], notice=notice)
    tags = client_tags(command.tags) if MESSAGE_TAGS in client.capabilities else ""
    ref = _NO_ANSWER if notice else None
    # A recipient named twice gets one message (RFC 1459 section 4.4.1 forbids more).
    targets, verbs = take(client, command.command, distinct(targets))
    said: list[Verb] = []
    for target in targets:
        role, name = role_of(target)
        room = room_of(name)
        if is_service(target) and not notice:
            said += service(client, text)
        elif room is None:
            said.append(Direct(text, name, action, ref, notice, formatted, tags))
        else:
            said.append(Say(text, room, action, ref, notice, formatted, tags, role))
    return said + verbs


def tagmsg(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle TAGMSG, only for clients that have negotiated message-tags."""
    if MESSAGE_TAGS not in client.capabilities:
        return [unknown_command("TAGMSG")]
    targets = split(command.params[0]) if command.params else []
    if not targets:
        return [refuse("411", "No recipient given (TAGMSG)")]
    tags = client_tags(command.tags)
    targets, verbs = take(client, "TAGMSG", distinct(targets))
    said: list[Verb] = []
    for target in targets:
        role, name = role_of(target)
        room = room_of(name)
        said.append(Tag(tags, room, name if room is None else None, role, Asked("TAGMSG", (target,))))
    return said + verbs
