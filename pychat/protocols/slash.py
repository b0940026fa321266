"""
Slash commands: what people type in a line language, and in the command-line client, to do more than talk.

Each function is one command (`slash_table.py`), from the rest of the line to a verb.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pychat.core import modes
from pychat.core.account_verbs import ChangePassword, DropAccount, LogIn, LogOut, Regain, Register
from pychat.core.durations import take_duration
from pychat.core.ignored import ListIgnored, SetIgnored
from pychat.core.moderation_verbs import Ban, Unban
from pychat.core.queries import (
    GetModes,
    GetMotd,
    GetTopic,
    ListInvitations,
    ListMasks,
    ListMembers,
    ListRooms,
    ReadAudit,
    ReadHistory,
    WhoIs,
)
from pychat.core.server_ban import AddServerBan, ListServerBans, RemoveServerBan
from pychat.core.verbs import (
    BecomeOperator,
    Direct,
    Help,
    Invalid,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    Quit,
    Say,
    SetAway,
    SetModes,
    SetNickname,
    SetTopic,
    Verb,
)
from pychat.protocols.slash_table import CommandTable, SlashCommand

COMMANDS: Final[dict[str, SlashCommand[Verb]]] = {}
"""By name and by alias, in the order in which help lists them."""

TABLE: Final = CommandTable(COMMANDS)
_command = TABLE.command

help_text = cache(TABLE.help_text)
"""All commands, one line each."""


def parse(line: str) -> Verb:
    """Return the verb of a line that begins with a slash; `Invalid` if it is none. Two slashes: the text "/..."."""
    return TABLE.parse(line)


WITH_PASSWORD: Final = ("register", "login", "identify", "password", "passwd", "drop", "regain", "ghost", "oper")
"""Commands that take a password: whoever mistypes one must not say it in a room."""


def behind_blanks(line: str) -> Invalid | None:
    """Return the refusal of a line that would be a command with a password, were there no blank before it."""
    words = line.split(None, 1)
    name = words[0].removeprefix("/").lower() if words and words[0].startswith("/") else ""
    if name not in WITH_PASSWORD:
        return None
    return Invalid("bad_request", f"there is a blank before /{name}: nothing was done, and nothing was said")


def _room(argument: str) -> str:
    """The name of a room, which may be written as IRC does."""
    return argument.removeprefix("#")


def _first(arguments: str) -> tuple[str, str]:
    """The first word and the rest."""
    words = [*arguments.split(None, 1), "", ""]
    return words[0], words[1]


def _number(argument: str) -> int:
    """A number; 0 if it is none."""
    # isdecimal, because int() also takes signs, blanks and underscores; short, because it takes time over digits.
    return int(argument) if argument.isdecimal() and len(argument) <= 9 else 0


@_command("help", "[COMMAND]")
def _help(arguments: str) -> Verb:
    """List the commands, or explain one."""
    return TABLE.help(arguments) if arguments else Help(help_text())


@_command("join", "ROOM [KEY]", "j")
def _join(arguments: str) -> Verb | None:
    """Go into a room and talk there from now on."""
    room, key = _first(arguments)
    return Join(room, key=key or None) if (room := _room(room)) else None


@_command("part", "[ROOM] [REASON]", "leave")
def _part(arguments: str) -> Verb:
    """Leave a room, or this one."""
    room, reason = _first(arguments)
    return Leave(_room(room) or None, reason)


@_command("nick", "NAME")
def _nick(arguments: str) -> Verb | None:
    """Take another nickname."""
    return SetNickname(arguments) if arguments else None


@_command("msg", "NICK TEXT", "m", "w", "tell")
def _msg(arguments: str) -> Verb | None:
    """Write to one person; nobody else sees it."""
    nickname, text = _first(arguments)
    return Direct(text, nickname) if text else None


@_command("reply", "TEXT", "r")
def _reply(arguments: str) -> Verb | None:
    """Write to the one who wrote to you last."""
    return Direct(arguments) if arguments else None


@_command("me", "TEXT")
def _me(arguments: str) -> Verb | None:
    """Say what you do: "/me waves" shows "* ann waves"."""
    return Say(arguments, action=True) if arguments else None


@_command("who", "[ROOM]", "names")
def _who(arguments: str) -> Verb:
    """List who is in a room, or in this one."""
    return ListMembers(_room(arguments) or None)


@_command("list", "", "rooms")
def _list(arguments: str) -> Verb | None:
    """List the rooms."""
    return None if arguments else ListRooms()


@_command("whois", "NICK")
def _whois(arguments: str) -> Verb | None:
    """Show who somebody is: rooms, away, how long silent."""
    return WhoIs(arguments) if arguments else None


@_command("topic", "[TEXT]")
def _topic(arguments: str) -> Verb:
    """Show the topic of this room, or set it; "/topic -" removes it."""
    if not arguments:
        return GetTopic()
    return SetTopic("" if arguments == "-" else arguments)


@_command("away", "[TEXT]")
def _away(arguments: str) -> Verb:
    """Tell others that you are away, and why."""
    return SetAway(arguments or "away")


@_command("back")
def _back(arguments: str) -> Verb | None:
    """Tell others that you are back."""
    return None if arguments else SetAway(None)


@_command("history", "[N]")
def _history(arguments: str) -> Verb | None:
    """Show what was said in this room: the last N events."""
    if not arguments:
        return ReadHistory()
    limit = _number(arguments)
    return ReadHistory(limit=limit) if limit else None


@_command("search", "WORDS")
def _search(arguments: str) -> Verb | None:
    """Find what was said in this room: words, "a phrase", or the beginning of a word and *."""
    return ReadHistory(search=arguments) if arguments else None


@_command("ignore", "[NICK]")
def _ignore(arguments: str) -> Verb | None:
    """Hear nothing any more of a nickname, nick!user@host with * and ?, or a:ACCOUNT; alone, list who is ignored."""
    return SetIgnored((arguments,)) if arguments and " " not in arguments else None if arguments else ListIgnored()


@_command("unignore", "NICK")
def _unignore(arguments: str) -> Verb | None:
    """Hear them again."""
    return SetIgnored((), (arguments,)) if len(arguments.split()) == 1 else None


@_command("invite", "[NICK] [ROOM]")
def _invite(arguments: str) -> Verb | None:
    """Invite somebody into this room, or another; alone, show where you are invited."""
    nickname, room = _first(arguments)
    return Invite(nickname, _room(room) or None) if nickname else ListInvitations()


@_command("kick", "NICK [REASON]")
def _kick(arguments: str) -> Verb | None:
    """Remove somebody from this room."""
    nickname, reason = _first(arguments)
    return Kick(nickname, reason=reason) if nickname else None


@_command("ban", "[NICK] [10m] [REASON]")
def _ban(arguments: str) -> Verb | None:
    """Keep somebody out of this room: a nickname, nick!user@host with * and ?, or a:ACCOUNT; alone, list the bans."""
    return _banned(arguments) if arguments else ListMasks("b")


@_command("unban", "NICK")
def _unban(arguments: str) -> Verb | None:
    """End a ban."""
    return Unban(arguments) if len(arguments.split()) == 1 else None


@_command("mute", "NICK [10m] [REASON]")
def _mute(arguments: str) -> Verb | None:
    """Let somebody be in this room and not talk there; as in /ban, which lists the muted, too."""
    return _banned(arguments, mute=True)


@_command("unmute", "NICK")
def _unmute(arguments: str) -> Verb | None:
    """End a mute."""
    return Unban(arguments, mute=True) if len(arguments.split()) == 1 else None


def _banned(arguments: str, *, mute: bool = False) -> Verb | None:
    target, rest = _first(arguments)
    seconds, reason = take_duration(rest)
    return Ban(target, None, seconds, reason, mute) if target else None


@_command("op", "NICK")
def _op(arguments: str) -> Verb | None:
    """Make somebody an operator of this room."""
    return _change(True, "o", arguments)


@_command("deop", "NICK")
def _deop(arguments: str) -> Verb | None:
    """Make somebody no operator of this room any more."""
    return _change(False, "o", arguments)


@_command("voice", "NICK")
def _voice(arguments: str) -> Verb | None:
    """Let somebody talk while this room is moderated."""
    return _change(True, "v", arguments)


@_command("devoice", "NICK")
def _devoice(arguments: str) -> Verb | None:
    """Let somebody talk only while this room is not moderated."""
    return _change(False, "v", arguments)


def _change(adding: bool, mode: str, argument: str) -> Verb | None:
    words = argument.split()
    return SetModes((modes.ModeChange(adding, mode, words[0]),)) if len(words) == 1 else None


@_command("mode", "[ROOM] [CHANGES]")
def _mode(arguments: str) -> Verb:
    """Show the modes of this room, or another, or change them: "/mode +m", "/mode +l 50", "/mode +v ann"."""
    words = arguments.split()
    room = None if not words or words[0][0] in "+-" else _room(words.pop(0))
    if not words:
        return GetModes(room)
    changes = modes.parse(words[0], words[1:])
    if len(changes) == 1 and changes[0].mode in modes.LISTS and changes[0].argument is None:
        return ListMasks(changes[0].mode, room)
    return SetModes(tuple(changes), room)


@_command("slow", "SECONDS")
def _slow(arguments: str) -> Verb | None:
    """Let everybody talk only so often in this room, but for operators and those with voice; 0 ends it."""
    if not arguments.isdecimal() or not arguments.isascii() or len(arguments) > 9:
        return None
    seconds = int(arguments)
    return SetModes((modes.ModeChange(seconds > 0, "W", str(seconds) if seconds else None),))


@_command("oper", "NAME PASSWORD")
def _oper(arguments: str) -> Verb | None:
    """Become an operator of the server."""
    name, password = _first(arguments)
    return BecomeOperator(name, password) if password else None


@_command("kill", "NICK [REASON]")
def _kill(arguments: str) -> Verb | None:
    """Disconnect somebody; for operators of the server."""
    nickname, reason = _first(arguments)
    return Kill(nickname, reason) if nickname else None


@_command("register", "PASSWORD")
def _register(arguments: str) -> Verb | None:
    """Make an account of your nickname, which nobody else can keep then."""
    return Register(arguments) if len(arguments.split()) == 1 else None


@_command("login", "[ACCOUNT] PASSWORD", "identify")
def _login(arguments: str) -> Verb | None:
    """Log in to the account of your nickname, or another."""
    words = arguments.split()
    return LogIn(words[-1], *words[:-1]) if len(words) in (1, 2) else None


@_command("logout")
def _logout(arguments: str) -> Verb | None:
    """Be a guest again."""
    return None if arguments else LogOut()


@_command("password", "OLD NEW", "passwd")
def _password(arguments: str) -> Verb | None:
    """Give your account another password."""
    words = arguments.split()
    return ChangePassword(*words) if len(words) == 2 else None


@_command("drop", "PASSWORD")
def _drop(arguments: str) -> Verb | None:
    """Delete your account."""
    return DropAccount(arguments) if len(arguments.split()) == 1 else None


@_command("regain", "NICK [PASSWORD]", "ghost")
def _regain(arguments: str) -> Verb | None:
    """Take your nickname back from whoever has it."""
    nickname, password = _first(arguments)
    return Regain(nickname, password or None) if nickname else None


@_command("serverban", "[TARGET]")
def _server_ban(arguments: str) -> Verb:
    """Ban an address, a:ACCOUNT, mask or nickname from the server, "/serverban eve 2h spam"; alone, list the bans."""
    target, rest = _first(arguments)
    if not target:
        return ListServerBans()
    seconds, reason = take_duration(rest)
    return AddServerBan(target, seconds, reason)


@_command("serverunban", "TARGET")
def _server_unban(arguments: str) -> Verb | None:
    """End a ban from the server."""
    return RemoveServerBan(arguments) if arguments and " " not in arguments else None


@_command("audit", "[N]")
def _audit(arguments: str) -> Verb | None:
    """Show who did what to others: the last N entries; for operators of the server."""
    if not arguments:
        return ReadAudit()
    limit = _number(arguments)
    return ReadAudit(limit) if limit else None


@_command("motd")
def _motd(arguments: str) -> Verb | None:
    """Show the message of the day."""
    # With a mark, because who did not ask for it is not told that there is none.
    return None if arguments else GetMotd(ref="motd")


@_command("quit", "[REASON]", "exit")
def _quit(arguments: str) -> Verb:
    """Leave the chat."""
    return Quit(arguments)
