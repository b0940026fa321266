"""
Slash commands: what people type in a line language, and in the command-line client, to do more than talk.

Each function is one command (`slash_table.py`) and turns the rest of the line into a verb.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pychat.model import queries, verbs
from pychat.model.durations import take_duration
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan
from pychat.model.verbs import Verb
from pychat.protocols.text import slash_rooms
from pychat.protocols.text.passphrases import login, passwords, unquoted
from pychat.protocols.text.render import NOT_SHOWN
from pychat.protocols.text.slash_table import CommandTable, SlashCommand, first_word, room_name

COMMANDS: Final[dict[str, SlashCommand[Verb]]] = {}
"""By name and by alias, in the order of the help."""

TABLE: Final = CommandTable(COMMANDS)
_command = TABLE.command

_overview = cache(TABLE.overview)


def parse(line: str) -> Verb:
    """Return the verb of a line that begins with a slash; `Invalid` if there is none. Two slashes: the text "/..."."""
    return TABLE.parse(line)


def _number(argument: str) -> int:
    """Return a number; 0 if the argument is not one."""
    # isdecimal, because int() also accepts signs, blanks and underscores; short, because int() is slow for many digits.
    return int(argument) if argument.isdecimal() and len(argument) <= 9 else 0


@_command("help", "[COMMAND]", "h")
def _help(arguments: str) -> Verb:
    """Show the common commands, or explain one; "/help all" lists all commands, "/help ops" those for operators."""
    return TABLE.help(arguments) if arguments else verbs.Help(_overview())


@_command("join", "ROOM [KEY]", "j")
def _join(arguments: str) -> Verb | None:
    """Join a room, and talk there from now on."""
    room, key = first_word(arguments)
    return verbs.Join(room, key=key or None) if (room := room_name(room)) else None


@_command("part", "[ROOM] [REASON]", "leave")
def _part(arguments: str) -> Verb:
    """Leave this room, or another."""
    room, reason = first_word(arguments)
    return verbs.Leave(room_name(room) or None, reason)


@_command("nick", "NAME")
def _nick(arguments: str) -> Verb | None:
    """Change your nickname."""
    return verbs.SetNickname(arguments) if arguments else None


@_command("msg", "NICK TEXT", "m", "w", "tell")
def _msg(arguments: str) -> Verb | None:
    """Write to one person; nobody else sees it."""
    nickname, text = first_word(arguments)
    return verbs.Direct(text, nickname) if text else None


@_command("reply", "TEXT", "r")
def _reply(arguments: str) -> Verb | None:
    """Reply to the person who wrote to you last."""
    return verbs.Direct(arguments) if arguments else None


@_command("me", "TEXT")
def _me(arguments: str) -> Verb | None:
    """Describe what you do: "/me waves" shows "* ann waves"."""
    return verbs.Say(arguments, action=True) if arguments else None


@_command("who", "[ROOM]", "names")
def _who(arguments: str) -> Verb:
    """List the members of this room, or another."""
    return queries.ListMembers(room_name(arguments) or None)


@_command("list", "", "rooms")
def _list(arguments: str) -> Verb | None:
    """List the rooms."""
    return None if arguments else queries.ListRooms()


@_command("whois", "NICK")
def _whois(arguments: str) -> Verb | None:
    """Show details about somebody: rooms, away text, idle time."""
    return queries.WhoIs(arguments) if arguments else None


@_command("topic", "[TEXT]")
def _topic(arguments: str) -> Verb:
    """Show the topic of this room, or set it; "/topic -" removes it."""
    if not arguments:
        return queries.GetTopic()
    return verbs.SetTopic("" if arguments == "-" else arguments)


@_command("away", "[TEXT]")
def _away(arguments: str) -> Verb:
    """Tell others that you are away, and why."""
    return verbs.SetAway(arguments or "away")


@_command("back")
def _back(arguments: str) -> Verb | None:
    """Tell others that you are back."""
    return None if arguments else verbs.SetAway(None)


@_command("history", "[N]")
def _history(arguments: str) -> Verb | None:
    """Show the last events of this room, or the last N."""
    if not arguments:
        return queries.ReadHistory(without=NOT_SHOWN)
    limit = _number(arguments)
    return queries.ReadHistory(limit=limit, without=NOT_SHOWN) if limit else None


@_command("search", "WORDS")
def _search(arguments: str) -> Verb | None:
    """Search the messages of this room for words, "a phrase", or the beginning of a word and *."""
    return queries.ReadHistory(search=arguments) if arguments else None


@_command("ignore", "[NICK]")
def _ignore(arguments: str) -> Verb | None:
    """Hide messages from a nickname, nick!user@host with * and ?, or a:ACCOUNT; alone, list ignored people."""
    if not arguments:
        return verbs.ListIgnored()
    return None if " " in arguments else verbs.SetIgnored((arguments,))


@_command("unignore", "NICK")
def _unignore(arguments: str) -> Verb | None:
    """Show their messages again."""
    return verbs.SetIgnored((), (arguments,)) if len(arguments.split()) == 1 else None


COMMANDS.update(slash_rooms.COMMANDS)


@_command("oper", "NAME PASSWORD")
def _oper(arguments: str) -> Verb | None:
    """Become an operator of the server."""
    name, password = first_word(arguments)
    return verbs.BecomeOperator(name, password) if password else None


@_command("kill", "NICK [REASON]")
def _kill(arguments: str) -> Verb | None:
    """Disconnect somebody; for operators of the server."""
    nickname, reason = first_word(arguments)
    return verbs.Kill(nickname, reason) if nickname else None


@_command("register", "PASSWORD")
def _register(arguments: str) -> Verb | None:
    """Register your nickname as an account, so that nobody else can keep it."""
    return verbs.Register(unquoted(arguments)) if arguments else None


@_command("login", "[ACCOUNT] PASSWORD", "identify")
def _login(arguments: str) -> Verb | None:
    """Log in to the account of your nickname, or another."""
    return login(arguments) if arguments else None


@_command("logout")
def _logout(arguments: str) -> Verb | None:
    """Log out."""
    return None if arguments else verbs.LogOut()


@_command("password", "OLD NEW", "passwd")
def _password(arguments: str) -> Verb | None:
    """Change the password of your account."""
    words = passwords(arguments)
    return verbs.ChangePassword(*words) if len(words) == 2 else None


@_command("drop", "PASSWORD")
def _drop(arguments: str) -> Verb | None:
    """Delete your account."""
    return verbs.DropAccount(unquoted(arguments)) if arguments else None


@_command("regain", "NICK [PASSWORD]", "ghost")
def _regain(arguments: str) -> Verb | None:
    """Take your nickname back from the connection that has it."""
    nickname, password = first_word(arguments)
    return verbs.Regain(nickname, unquoted(password) or None) if nickname else None


@_command("serverban", "[TARGET]")
def _server_ban(arguments: str) -> Verb:
    """Ban an address, a:ACCOUNT, mask or nickname from the server, "/serverban eve 2h spam"; alone, list the bans."""
    target, rest = first_word(arguments)
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
    """Show the last entries of the audit record, or the last N; for operators of the server."""
    if not arguments:
        return queries.ReadAudit()
    limit = _number(arguments)
    return queries.ReadAudit(limit) if limit else None


@_command("stats")
def _stats(arguments: str) -> Verb | None:
    """Show statistics of the server; for operators of the server."""
    return None if arguments else queries.GetStats()


@_command("announce", "TEXT")
def _announce(arguments: str) -> Verb | None:
    """Send a message to everybody, in the server's name; for operators of the server."""
    return verbs.Announce(arguments) if arguments else None


@_command("motd")
def _motd(arguments: str) -> Verb | None:
    """Show the message of the day."""
    # With a ref, because a missing message is not reported to those who did not ask for it.
    return None if arguments else queries.GetMotd(ref="motd")


@_command("quit", "[REASON]", "exit")
def _quit(arguments: str) -> Verb:
    """Leave the chat."""
    return verbs.Quit(arguments)
