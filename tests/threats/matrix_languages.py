"""
How each language asks in the matrix of `test_authorize_matrix.py`: every command of it, and which row is about that.

To add a command, add a line here; to add a verb, add one to `INSIDE` and a row to `matrix_rules.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from matrix_people import ACCOUNT, PASSWORD, ROOM

from pychat.model import queries, server_ban, verbs
from pychat.model.modes import ModeChange
from pychat.model.replies import Lines
from pychat.model.verbs import ListIgnored, SetIgnored, Verb

TEXT, CLASSIC, JSON, IRC, PROGRAM = "text", "classic", "JSON", "IRC", "program"

NOTHING: Final = "nothing"
"""The row of what asks the chat for nothing that could be refused."""


class Spelling(NamedTuple):
    """One command as a language writes it."""

    command: str
    """As the table of the language calls it."""
    said: str
    """What is sent; lines are separated by newlines."""
    row: str
    """Which row of the table is about it, when the caller has a nickname."""
    early: str | None = ""
    """Which row is, when it has none, as the same words mean another thing then. Empty: the same. None: not asked."""
    here: bool = False
    """Whether it names no room: it is about that in which one is, and who is outside is in none."""


def _slash(said: str, row: str, early: str | None = "", *, here: bool = False) -> Spelling:
    return Spelling(said[1:].partition(" ")[0], said, row, early, here)


SLASH: Final = [
    _slash("/help", "Help"),
    _slash(f"/join {ROOM}", "Join"),
    _slash(f"/join {ROOM} sesame", "Join with the key"),
    _slash(f"/part {ROOM}", "Leave"),
    _slash("/nick bea", "SetNickname", early="Hello"),
    _slash("/msg bob psst", "Direct"),
    _slash("/reply psst", "Direct in reply"),
    _slash("/me waves", "Say", here=True),
    _slash(f"/who {ROOM}", "ListMembers"),
    _slash("/list", "ListRooms"),
    _slash("/whois bob", "WhoIs"),
    _slash("/topic", "GetTopic", here=True),
    _slash("/topic tea", "SetTopic", here=True),
    _slash("/away lunch", "SetAway"),
    _slash("/back", "SetAway"),
    _slash("/history", "ReadHistory", here=True),
    _slash("/search tea", "ReadHistory", here=True),
    _slash("/ignore bob", "SetIgnored"),
    _slash("/ignore", "ListIgnored"),
    _slash("/unignore bob", "SetIgnored"),
    _slash(f"/invite zoe {ROOM}", "Invite"),
    _slash("/invite", "ListInvitations"),
    _slash("/kick bob", "Kick", here=True),
    _slash("/ban bob", "Ban", here=True),
    _slash("/ban", "ListMasks of bans", here=True),
    _slash("/kickban bob", "Ban", here=True),
    _slash("/private", "SetModes", here=True),
    _slash("/hide", "SetModes", here=True),
    _slash("/key sesame", "SetModes", here=True),
    _slash("/unban evil!*@*", "Unban", here=True),
    _slash("/mute bob 10m spam", "Ban", here=True),
    _slash("/unmute evil!*@*", "Unban", here=True),
    _slash("/op bob", "SetModes", here=True),
    _slash("/deop bob", "SetModes", here=True),
    _slash("/voice bob", "SetModes", here=True),
    _slash("/devoice bob", "SetModes", here=True),
    _slash(f"/mode {ROOM} +l 50", "SetModes"),
    _slash(f"/mode {ROOM} +e", "ListMasks"),
    _slash(f"/mode {ROOM}", "GetModes"),
    _slash("/slow 10", "SetModes", here=True),
    _slash("/oper root sesame", "BecomeOperator"),
    _slash("/oper root wrong", "BecomeOperator wrongly"),
    _slash("/kill bob", "Kill"),
    _slash("/serverban 198.51.100.9 10m spam", "AddServerBan"),
    _slash("/serverunban 198.51.100.8", "RemoveServerBan"),
    _slash("/serverban", "ListServerBans"),
    _slash("/audit", "ReadAudit"),
    _slash("/stats", "GetStats"),
    _slash("/announce fire", "Announce"),
    _slash(f"/register {PASSWORD}", "Register"),
    _slash(f"/login {ACCOUNT} {PASSWORD}", "LogIn"),
    _slash(f"/login {ACCOUNT} wrong", "LogIn wrongly"),
    _slash("/logout", "LogOut"),
    _slash(f"/password {PASSWORD} staple-battery", "ChangePassword"),
    _slash(f"/drop {PASSWORD}", "DropAccount"),
    _slash(f"/regain {ACCOUNT}", "Regain", early="Hello to regain"),
    _slash("/motd", "GetMotd"),
    _slash("/quit", "Quit"),
    Spelling("", "hello", "Say", early="Hello", here=True),
    Spelling("", "hello\nagain", "SayAll", early=None, here=True),
    Spelling("", "/no-such-command", "Invalid command"),
]
"""Of the two line languages; the classic one sends no newlines, so what has some is two messages there, too."""


def _json(type: str, row: str, **fields: Any) -> Spelling:
    return Spelling(type, json.dumps({"type": type, "ref": 1, **fields}), row)


JSON_LINES: Final = [
    _json("hello", "Hello", nick="ann"),
    _json("hello", "Hello to regain", nick=ACCOUNT, regain=True),
    _json("say", "Say", room=ROOM, text="hello"),
    _json("direct", "Direct", to="bob", text="psst"),
    _json("join", "Join", room=ROOM),
    _json("join", "Join with the key", room=ROOM, key="sesame"),
    _json("leave", "Leave", room=ROOM),
    _json("nick", "SetNickname", nick="bea"),
    _json("topic", "GetTopic", room=ROOM),
    _json("topic", "SetTopic", room=ROOM, topic="tea"),
    _json("away", "SetAway", text="lunch"),
    _json("who", "ListMembers", room=ROOM),
    _json("rooms", "ListRooms"),
    _json("whois", "WhoIs", nick="bob"),
    _json("history", "ReadHistory", room=ROOM),
    _json("kick", "Kick", room=ROOM, nick="bob"),
    _json("ban", "Ban", room=ROOM, target="bob"),
    _json("unban", "Unban", room=ROOM, target="evil!*@*"),
    _json("ignore", "SetIgnored", mask="bob"),
    _json("ignore", "ListIgnored"),
    _json("unignore", "SetIgnored", mask="bob"),
    _json("invite", "Invite", room=ROOM, nick="zoe"),
    _json("invite", "ListInvitations"),
    _json("mode", "GetModes", room=ROOM),
    _json("mode", "SetModes", room=ROOM, modes="+l", args=["50"]),
    _json("masks", "ListMasks of bans", room=ROOM, mode="b"),
    _json("masks", "ListMasks", room=ROOM, mode="e"),
    _json("user_mode", "GetUserModes"),
    _json("user_mode", "SetUserModes", modes="+i"),
    _json("oper", "BecomeOperator", name="root", password="sesame"),
    _json("oper", "BecomeOperator wrongly", name="root", password="wrong"),
    _json("register", "Register", password=PASSWORD),
    _json("register", "Register by name", password=PASSWORD, account="ann"),
    _json("login", "LogIn", account=ACCOUNT, password=PASSWORD),
    _json("login", "LogIn wrongly", account=ACCOUNT, password="wrong"),
    _json("logout", "LogOut"),
    _json("change_password", "ChangePassword", password=PASSWORD, new_password="staple-battery"),
    _json("drop_account", "DropAccount", password=PASSWORD),
    _json("regain", "Regain", nick=ACCOUNT),
    _json("kill", "Kill", nick="bob"),
    _json("server_ban", "AddServerBan", target="198.51.100.9"),
    _json("server_ban", "ListServerBans"),
    _json("server_unban", "RemoveServerBan", target="198.51.100.8"),
    _json("audit", "ReadAudit"),
    _json("stats", "GetStats"),
    _json("announce", "Announce", text="fire"),
    _json("wallops", "SendWallops", text="fire"),
    _json("motd", "GetMotd"),
    _json("command", "Command", name="roll", room=ROOM),
    _json("help", "Help"),
    _json("ping", "Ping"),
    _json("pong", "Pong"),
    _json("quit", "Quit"),
    Spelling("", '{"type": "no such type"}', "Invalid type"),
]

_PLAIN: Final = "c21pdGgAc21pdGgAY29ycmVjdC1ob3JzZQ=="
"""The account and the password as a message of SASL PLAIN."""


def _irc(said: str, row: str, early: str | None = "") -> Spelling:
    return Spelling(said.removeprefix("@+x=1 ").partition(" ")[0], said, row, early)


IRC_LINES: Final = [
    _irc(f"AUTHENTICATE PLAIN\nAUTHENTICATE {_PLAIN}", "Authenticate"),
    _irc("AWAY :lunch", "SetAway"),
    _irc("CAP LS", NOTHING),
    _irc(f"CHATHISTORY LATEST #{ROOM} * 10", "ReadHistory"),
    _irc("CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2040-01-01T00:00:00.000Z 10", "ListHistory"),
    _irc("ERROR", NOTHING),
    _irc("HELP", "Help", early="other"),
    _irc("HELPOP JOIN", "Help", early="other"),
    _irc("INFO", "other"),
    _irc("INVITE", "ListInvitations"),
    _irc(f"INVITE zoe #{ROOM}", "Invite"),
    _irc("ISON bob", "FindPeople"),
    _irc(f"JOIN #{ROOM}", "Join"),
    _irc(f"JOIN #{ROOM} sesame", "Join with the key"),
    _irc("JOIN 0", "LeaveAll"),
    _irc(f"KICK #{ROOM} bob", "Kick"),
    _irc("KILL bob :bye", "Kill"),
    _irc("AUDIT", "ReadAudit"),
    _irc("STATS u", "GetStats"),
    _irc("ANNOUNCE :fire", "Announce"),
    _irc("KLINE 10 198.51.100.9 :spam", "AddServerBan"),
    _irc("KLINE", "ListServerBans"),
    _irc("UNKLINE 198.51.100.8", "RemoveServerBan"),
    _irc("LINKS", "other"),
    _irc("LIST", "ListRooms"),
    _irc("LUSERS", "CountPeople"),
    _irc(f"MODE #{ROOM}", "GetModes"),
    _irc(f"MODE #{ROOM} +l 50", "SetModes"),
    _irc(f"MODE #{ROOM} b", "ListMasks of bans"),
    _irc(f"MODE #{ROOM} e", "ListMasks"),
    _irc("MODE ann", "GetUserModes"),
    _irc("MODE ann +i", "SetUserModes"),
    _irc("MONITOR + bob", "Watch"),
    _irc("MONITOR L", "ListWatched"),
    _irc("MOTD", "GetMotd"),
    _irc(f"NAMES #{ROOM}", "ListMembers"),
    _irc("NICK bea", "SetNickname", early=NOTHING),
    _irc(f"NICKSERV IDENTIFY {ACCOUNT} {PASSWORD}", "LogIn", early="other"),
    _irc(f"NICKSERV IDENTIFY {ACCOUNT} wrong", "LogIn wrongly", early="other"),
    _irc(f"NICKSERV REGISTER {PASSWORD}", "Register", early="other"),
    _irc("NICKSERV LOGOUT", "LogOut", early="other"),
    _irc(f"NICKSERV PASSWD {PASSWORD} staple-battery", "ChangePassword"),
    _irc(f"NICKSERV DROP {PASSWORD}", "DropAccount"),
    _irc(f"NICKSERV REGAIN {ACCOUNT}", "Regain"),
    _irc(f"NOTICE #{ROOM} :hello", "Say"),
    _irc("NOTICE bob :psst", "Direct"),
    _irc("OPER root sesame", "BecomeOperator"),
    _irc("OPER root wrong", "BecomeOperator wrongly"),
    _irc(f"PART #{ROOM}", "Leave"),
    _irc("PASS sesame", "again", early=NOTHING),
    _irc("PING x", "Ping"),
    _irc("PONG x", "Pong"),
    _irc(f"PRIVMSG #{ROOM} :hello", "Say"),
    _irc(f"PRIVMSG #{ROOM} :hello\nPRIVMSG #{ROOM} :again", "SayAll"),
    _irc("PRIVMSG bob :psst", "Direct"),
    _irc(f"PRIVMSG NickServ :IDENTIFY {ACCOUNT} {PASSWORD}", "LogIn", early="other"),
    _irc("QUIT", "Quit"),
    _irc(f"REGISTER ann * {PASSWORD}", "Register by name"),
    _irc("SETNAME :Ann", "SetRealname"),
    _irc("SILENCE +bob", "SetIgnored"),
    _irc("SILENCE", "ListIgnored"),
    _irc(f"@+x=1 TAGMSG #{ROOM}", "Tag"),
    _irc("@+x=1 TAGMSG bob", "Tag to one"),
    _irc(f"TBAN #{ROOM} 10m bob :spam", "Ban"),
    _irc("TIME", "other"),
    _irc(f"TOPIC #{ROOM}", "GetTopic"),
    _irc(f"TOPIC #{ROOM} :tea", "SetTopic"),
    _irc("USER ann 0 * :Ann", "again", early=NOTHING),
    Spelling("USER", "NICK ann\nUSER ann 0 * :Ann", "again with a nickname", early="Hello"),
    _irc("USERHOST bob", "FindPeople"),
    _irc("VERIFY ann 1", "verify"),
    _irc("VERSION", "other"),
    _irc("WALLOPS :fire", "SendWallops"),
    _irc(f"WHO #{ROOM}", "ListPeople"),
    _irc("WHOIS bob", "WhoIs"),
    _irc("WHOWAS bob", "WhoWas"),
    Spelling("", "NOSUCHCOMMAND", "Invalid command"),
]

INSIDE: Final[dict[str, Callable[[], Verb]]] = {
    "Hello": lambda: verbs.Hello("ann"),
    "Hello to regain": lambda: verbs.Hello(ACCOUNT, regain=True),
    "Say": lambda: verbs.Say("hello", ROOM),
    "SayAll": lambda: verbs.SayAll(["hello", "again"], ROOM),
    "Direct": lambda: verbs.Direct("psst", "bob"),
    "Direct in reply": lambda: verbs.Direct("psst"),
    "Tag": lambda: verbs.Tag("+x=1", ROOM),
    "Tag to one": lambda: verbs.Tag("+x=1", to="bob"),
    "Join": lambda: verbs.Join(ROOM),
    "Join with the key": lambda: verbs.Join(ROOM, key="sesame"),
    "Leave": lambda: verbs.Leave(ROOM),
    "LeaveAll": lambda: verbs.LeaveAll(),
    "SetNickname": lambda: verbs.SetNickname("bea"),
    "SetTopic": lambda: verbs.SetTopic("tea", ROOM),
    "SetAway": lambda: verbs.SetAway("lunch"),
    "Watch": lambda: verbs.Watch(("bob",)),
    "SetIgnored": lambda: SetIgnored(("bob",)),
    "ListIgnored": ListIgnored,
    "Kick": lambda: verbs.Kick("bob", ROOM),
    "Ban": lambda: verbs.Ban("bob", ROOM),
    "Unban": lambda: verbs.Unban("evil!*@*", ROOM),
    "Invite": lambda: verbs.Invite("zoe", ROOM),
    "SetModes": lambda: verbs.SetModes((ModeChange(True, "l", "50"),), ROOM),
    "SetUserModes": lambda: verbs.SetUserModes((ModeChange(True, "i"),)),
    "SetRealname": lambda: verbs.SetRealname("Ann"),
    "BecomeOperator": lambda: verbs.BecomeOperator("root", "sesame"),
    "BecomeOperator wrongly": lambda: verbs.BecomeOperator("root", "wrong"),
    "Kill": lambda: verbs.Kill("bob"),
    "AddServerBan": lambda: server_ban.AddServerBan("198.51.100.9"),
    "RemoveServerBan": lambda: server_ban.RemoveServerBan("198.51.100.8"),
    "ListServerBans": server_ban.ListServerBans,
    "ReadAudit": queries.ReadAudit,
    "GetStats": queries.GetStats,
    "Announce": lambda: verbs.Announce("fire"),
    "SendWallops": lambda: verbs.SendWallops("fire"),
    "Command": lambda: verbs.Command("roll", room=ROOM),
    "Help": lambda: verbs.Help("help"),
    "Ping": lambda: verbs.Ping(),
    "Pong": lambda: verbs.Pong(),
    "Answer": lambda: verbs.Answer((Lines(None, ("hello",)),)),
    "Quit": lambda: verbs.Quit(),
    "Invalid": lambda: verbs.Invalid("bad_request", "no"),
    "Invalid command": lambda: verbs.Invalid("unknown_command", "no"),
    "Invalid type": lambda: verbs.Invalid("unknown_type", "no"),
    "Abort": lambda: verbs.Abort("bad_request", "no"),
    "Register": lambda: verbs.Register(PASSWORD),
    "Register by name": lambda: verbs.Register(PASSWORD, "ann"),
    "LogIn": lambda: verbs.LogIn(PASSWORD, ACCOUNT),
    "LogIn wrongly": lambda: verbs.LogIn("wrong", ACCOUNT),
    "Authenticate": lambda: verbs.Authenticate("PLAIN", f"\0{ACCOUNT}\0{PASSWORD}".encode()),
    "LogOut": lambda: verbs.LogOut(),
    "ChangePassword": lambda: verbs.ChangePassword(PASSWORD, "staple-battery"),
    "DropAccount": lambda: verbs.DropAccount(PASSWORD),
    "Regain": lambda: verbs.Regain(ACCOUNT),
    "GetTopic": lambda: queries.GetTopic(ROOM),
    "ListMembers": lambda: queries.ListMembers(ROOM),
    "ListRooms": lambda: queries.ListRooms(),
    "WhoIs": lambda: queries.WhoIs("bob"),
    "ListPeople": lambda: queries.ListPeople(room=ROOM),
    "FindPeople": lambda: queries.FindPeople(("bob",)),
    "WhoWas": lambda: queries.WhoWas("bob"),
    "ListWatched": lambda: queries.ListWatched(),
    "CountPeople": lambda: queries.CountPeople(),
    "GetMotd": lambda: queries.GetMotd(),
    "ReadHistory": lambda: queries.ReadHistory(ROOM),
    "ListHistory": lambda: queries.ListHistory((queries.Moment(0.0), queries.Moment(4e9))),
    "ListInvitations": lambda: queries.ListInvitations(),
    "GetModes": lambda: queries.GetModes(ROOM),
    "ListMasks of bans": lambda: queries.ListMasks("b", ROOM),
    "ListMasks": lambda: queries.ListMasks("e", ROOM),
    "GetUserModes": lambda: queries.GetUserModes(),
}
"""Every verb, as a program asks for it."""
