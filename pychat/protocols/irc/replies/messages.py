"""
Messages of people: PRIVMSG, NOTICE and TAGMSG (Modern IRC, "Sending Messages"; IRCv3 message-tags).

A busy server writes little else, so messages of one member to one room are written at once (`block`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pychat.model.burst import Burst
from pychat.model.events import Message, Tagged
from pychat.protocols.irc.asked import as_middle
from pychat.protocols.irc.capabilities import MESSAGE_TAGS
from pychat.protocols.irc.formatting import CTCP
from pychat.protocols.irc.line_length import LINE_BYTES, pieces, room_behind
from pychat.protocols.irc.replies.context import ROLE_SIGNS, Context, Renderer, channel, source
from pychat.protocols.irc.replies.tags import event_tags, written

_WIDEST: Final = 4


def _target(item: Message | Tagged) -> str:
    if item.room is None:
        return as_middle(item.to or "")
    return ROLE_SIGNS.get(item.role, "") + channel(item.room)


def _message(item: Message, context: Context) -> list[str]:
    command = "NOTICE" if item.notice else "PRIVMSG"
    head = f":{source(item.sender, item.userhost, context)} {command} {_target(item)} :"
    texts = _texts(item, room_behind(head))
    sent = item.tags
    return [
        event_tags(item, context, sent=sent, piece=n, account=item.account) + head + text
        for n, text in enumerate(texts, 1)
    ]


def _texts(item: Message, size: int) -> list[str]:
    """
    Return the text of each line; an empty line would not be a message, so it is left out.

    Each piece of an action is an action. Another CTCP message (Modern IRC, "CTCP") cannot be continued, so it is
    truncated.
    """
    text = item.text if item.formatted is None else item.formatted
    if text.startswith(CTCP):
        return [CTCP + pieces(text.strip(CTCP).replace("\n", " "), size - 2 * len(CTCP))[0] + CTCP]
    before, behind = (f"{CTCP}ACTION ", CTCP) if item.action else ("", "")
    lines = [line for line in text.split("\n") if line] or [""]
    size -= len(before) + len(behind)
    return [before + piece + behind for line in lines for piece in pieces(line, size)]


def _tagged(item: Tagged, context: Context) -> list[str]:
    """Return TAGMSG, only for clients that negotiated message-tags ("The TAGMSG tag-only message")."""
    if MESSAGE_TAGS not in context.capabilities:
        return []
    tags = event_tags(item, context, sent=item.tags, account=item.account)
    return [f"{tags}:{source(item.sender, item.userhost, context)} TAGMSG {_target(item)}"]


RENDERERS: Final[dict[type, Renderer]] = {Message: _message, Tagged: _tagged}


def block(items: Sequence[Any], context: Context) -> bytes | None:
    """
    Return the bytes of messages of one person to one room, in one step; None if they are not plain enough.

    The result is the same as from `_message` for each. All comparisons run in C, because the cost per message must be
    close to zero.
    """
    if type(items) is Burst:
        return _burst(items, context)
    count = len(items)
    if not count or list(map(type, items)).count(Message) != count:
        return None
    ids, times, rooms, senders, texts, actions, _, _, notices, userhosts, formatted, tags, roles, accounts = zip(
        *items, strict=True
    )
    room = rooms[0]
    if (
        room is None
        or rooms.count(room) != count
        or senders.count(senders[0]) != count
        or userhosts.count(userhosts[0]) != count
        or 0 in ids  # no id yet
        or True in actions
        or True in notices
        or formatted.count(None) != count
        or roles.count("") != count
        or tags.count(tags[0]) != count
        or accounts.count(accounts[0]) != count
    ):
        return None
    head = f":{source(senders[0], userhosts[0], context)} PRIVMSG {channel(room)} :"
    said = "".join(texts)
    size = LINE_BYTES - len(head.encode("utf-8", "replace"))
    if _breaks(said) or _breaks(head) or not _fit(texts, size, ascii=said.isascii()):
        return None
    return written(ids, times, head, texts, context, sent=tags[0], account=accounts[0]).encode("utf-8", "replace")


def _burst(burst: Burst, context: Context) -> bytes | None:
    """Return the bytes of a burst, of which much is known already."""
    head = f":{source(burst.sender, burst.userhost, context)} PRIVMSG {channel(burst.room)} :"
    if _breaks(head) or max(map(len, burst.texts)) > LINE_BYTES - len(head.encode("utf-8", "replace")):
        return None
    ids = range(burst.first, burst.first + len(burst))
    return written(ids, burst.times, head, burst.texts, context, account=burst.account).encode("utf-8", "replace")


def _breaks(text: str) -> bool:
    """Return whether the text contains a character that would end a line or begin a CTCP message."""
    return "\n" in text or "\r" in text or "\0" in text or CTCP in text


def _fit(texts: tuple[str, ...], size: int, *, ascii: bool) -> bool:
    """Return whether each text has at most `size` bytes."""
    longest = max(map(len, texts))
    if longest * _WIDEST <= size or (ascii and longest <= size):
        return True
    return longest <= size and max([len(text.encode("utf-8", "replace")) for text in texts]) <= size
