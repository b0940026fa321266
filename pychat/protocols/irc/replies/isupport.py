"""The features of the server: RPL_ISUPPORT (005), each token true (Modern IRC, "RPL_ISUPPORT Parameters")."""

from __future__ import annotations

from typing import Final

from pychat.model import modes
from pychat.model.cloaks import REALNAME_CHARS, USERNAME_CHARS
from pychat.model.limits import Limits
from pychat.model.masks import ACCOUNT, MUTE
from pychat.model.modes import USER_MODES
from pychat.protocols.irc.commands.params import all_targmax
from pychat.protocols.irc.line_length import packed, room_behind
from pychat.protocols.irc.replies.context import PREFIXES, Context

BOT: Final = "B"
"""The user mode of bots (IRCv3 bot-mode)."""
_KEY_CHARS: Final = 32
"""Limit of a channel key (`core/moderation/actions.py`)."""
_TOKENS_IN_A_LINE: Final = 13
"""Modern IRC, "RPL_ISUPPORT (005)"."""
_ESCAPES: Final = str.maketrans({" ": r"\x20", "=": r"\x3D", "\\": r"\x5C"})


def tokens(network: str, limits: Limits) -> list[str]:
    """Return the tokens, sorted by name."""
    lists = "".join(sorted(modes.LISTS))
    roles = "".join(PREFIXES)
    signs = "".join(PREFIXES.values())
    return [
        f"ACCOUNTEXTBAN={ACCOUNT[0]}",
        f"AWAYLEN={limits.short_text_chars}",
        f"BOT={BOT}",
        # Names of other scripts are folded, too (`model/names.py`); there is no value for that.
        "CASEMAPPING=ascii",
        f"CHANLIMIT=#:{limits.rooms_per_session}",
        f"CHANMODES={lists},{modes.ALWAYS_WITH_VALUE},{modes.WHEN_SET},{modes.FLAGS}",
        f"CHANNELLEN={limits.room_name_chars + 1}",
        "CHANTYPES=#",
        f"CHATHISTORY={limits.history_page}",
        "ELIST=CMNTU",
        "EXCEPTS=e",
        f"EXTBAN=,{ACCOUNT[0]}{MUTE[0]}",
        "INVEX=I",
        f"KEYLEN={_KEY_CHARS}",
        f"KICKLEN={limits.short_text_chars}",
        f"MAXLIST={''.join(lists)}:{limits.max_masks}",  # all lists of a channel share one limit
        f"MODES={modes.MOST_CHANGES}",
        f"MONITOR={limits.watched_nicknames}",
        "MSGREFTYPES=msgid,timestamp",
        f"NAMELEN={REALNAME_CHARS}",
        f"NETWORK={network.translate(_ESCAPES)}",
        f"NICKLEN={limits.nickname_chars}",
        f"PREFIX=({roles}){signs}",
        "SAFELIST",
        f"SILENCE={limits.ignored_masks}",
        f"STATUSMSG={signs}",
        f"TARGMAX={all_targmax(limits)}",
        f"TOPICLEN={limits.short_text_chars}",
        f"USERLEN={USERNAME_CHARS}",
        "UTF8ONLY",
        "WHOX",
    ]


def isupport(context: Context) -> list[str]:
    """Return the lines of 005."""
    text = "are supported by this server"
    room = room_behind(context.numeric("005", text=text)) - 1
    lines: list[str] = []
    left = tokens(context.network, context.limits)
    while left:
        some = packed(left[:_TOKENS_IN_A_LINE], room)[0].split(" ")
        lines.append(context.numeric("005", *some, text=text))
        left = left[len(some) :]
    return lines


def my_info(context: Context) -> str:
    """Return RPL_MYINFO (004): all modes."""
    channel_modes = "".join(sorted(modes.ALL))
    with_argument = "".join(sorted(modes.WITH_ARGUMENT + modes.WHEN_SET))
    return context.numeric(
        "004", context.server, context.version, "".join(sorted(USER_MODES)), channel_modes, with_argument
    )
