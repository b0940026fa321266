"""Slash commands of room operators, for moderation (`slash_commands.py` has the others)."""

from __future__ import annotations

from typing import Final

from pychat.model import modes
from pychat.model.durations import parse_duration, take_duration
from pychat.model.queries import GetModes, ListInvitations, ListMasks
from pychat.model.verbs import Ban, Invite, Kick, SetModes, Unban, Verb
from pychat.protocols.text.mode_words import RULES
from pychat.protocols.text.slash_table import CommandTable, SlashCommand, first_word, room_name

COMMANDS: Final[dict[str, SlashCommand[Verb]]] = {}
"""By name and by alias, in the order of the help."""

_command = CommandTable(COMMANDS).command


@_command("invite", "[NICK] [ROOM]")
def _invite(arguments: str) -> Verb | None:
    """Invite somebody to this room, or another; alone, list your invitations."""
    nickname, room = first_word(arguments)
    return Invite(nickname, room_name(room) or None) if nickname else ListInvitations()


@_command("kick", "NICK [REASON]")
def _kick(arguments: str) -> Verb | None:
    """Remove somebody from this room."""
    nickname, reason = first_word(arguments)
    return Kick(nickname, reason=reason) if nickname else None


@_command("ban", "[NICK] [10m] [REASON]")
def _ban(arguments: str) -> Verb | None:
    """Ban somebody from this room: a nickname, nick!user@host with * and ?, or a:ACCOUNT; alone, list the bans."""
    return _banned(arguments) if arguments else ListMasks("b")


@_command("kickban", "NICK [10m] [REASON]", "kb")
def _kickban(arguments: str) -> Verb | None:
    """Ban somebody from this room, as /ban does, and remove them from it."""
    ban = _banned(arguments)
    return None if ban is None else ban._replace(kick=True)


@_command("unban", "NICK")
def _unban(arguments: str) -> Verb | None:
    """End a ban."""
    return Unban(arguments) if len(arguments.split()) == 1 else None


@_command("mute", "NICK [10m] [REASON]")
def _mute(arguments: str) -> Verb | None:
    """Stop somebody from talking in this room; the target is as in /ban, which lists mutes, too."""
    return _banned(arguments, mute=True)


@_command("unmute", "NICK")
def _unmute(arguments: str) -> Verb | None:
    """End a mute."""
    return Unban(arguments, mute=True) if len(arguments.split()) == 1 else None


def _banned(arguments: str, *, mute: bool = False) -> Ban | None:
    target, rest = first_word(arguments)
    seconds, reason = take_duration(rest)
    return Ban(target, None, seconds, reason, mute) if target else None


@_command("op", "NICK")
def _op(arguments: str) -> Verb | None:
    """Make somebody an operator of this room."""
    return _change(True, "o", arguments)


@_command("deop", "NICK")
def _deop(arguments: str) -> Verb | None:
    """Remove somebody as an operator of this room."""
    return _change(False, "o", arguments)


@_command("voice", "NICK")
def _voice(arguments: str) -> Verb | None:
    """Let somebody talk while this room is moderated."""
    return _change(True, "v", arguments)


@_command("devoice", "NICK")
def _devoice(arguments: str) -> Verb | None:
    """Take voice from somebody: they cannot talk while this room is moderated."""
    return _change(False, "v", arguments)


def _change(adding: bool, mode: str, argument: str) -> Verb | None:
    words = argument.split()
    return SetModes((modes.ModeChange(adding, mode, words[0]),)) if len(words) == 1 else None


@_command("mode", "[ROOM] [CHANGES]")
def _mode(arguments: str) -> Verb:
    """Show the rules of this room, or another, or change them: "/mode +l 50"; "/help mode" explains all letters."""
    words = arguments.split()
    room = None if not words or words[0][0] in "+-" else room_name(words.pop(0))
    if not words:
        return GetModes(room)
    changes = modes.parse(words[0], words[1:])
    if len(changes) == 1 and changes[0].mode in modes.LISTS and changes[0].argument is None:
        return ListMasks(changes[0].mode, room)
    return SetModes(tuple(changes), room)


_ARGUMENTS: Final = {"k": " WORD", "l": " N", "W": " N seconds"}
"""How the arguments of rules are shown in the help."""
COMMANDS["mode"] = COMMANDS["mode"]._replace(
    more=(
        *[f"  {letter}  {text.format(_ARGUMENTS.get(letter, ''))}" for letter, text in RULES.items()],
        "  o, v  NICK is an operator; NICK has voice: can talk in a moderated room",
        "  b, e, I  masks: bans; exceptions from bans; exceptions from invite-only",
    )
)


@_command("slow", "30s")
def _slow(arguments: str) -> Verb | None:
    """Allow one message per member in this time, except for operators and members with voice; 0 turns it off."""
    seconds = 0 if arguments == "0" else parse_duration(arguments) or parse_duration(f"{arguments}s")
    if seconds is None:
        return None
    return SetModes((modes.ModeChange(seconds > 0, "W", str(seconds) if seconds else None),))


@_command("private", "[off]")
def _private(arguments: str) -> Verb | None:
    """Make this room invite-only: only invited people can join (/invite); "/private off" opens it again."""
    return _rule("i", arguments)


@_command("hide", "[off]")
def _hide(arguments: str) -> Verb | None:
    """Hide this room from people who are not in it; "/hide off" shows it again."""
    return _rule("s", arguments)


@_command("key", "WORD")
def _key(arguments: str) -> Verb | None:
    """Require a key to join this room: "/join ROOM WORD"; "/key off" removes it."""
    if len(arguments.split()) != 1:
        return None
    off = arguments.lower() == "off"
    return SetModes((modes.ModeChange(not off, "k", "*" if off else arguments),))


def _rule(letter: str, argument: str) -> Verb | None:
    argument = argument.lower()
    return SetModes((modes.ModeChange(argument != "off", letter),)) if argument in ("", "on", "off") else None
