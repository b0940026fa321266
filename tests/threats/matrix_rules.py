"""
Who may do what: the one table that the matrix of `test_authorize_matrix.py` compares every language with.

A row is a verb, or a verb and words that tell which use of it is meant, in a room that is `open` or `closed`
(`matrix_people.CLOSED`), or in `any`. A column is somebody (`matrix_people.PEOPLE`): without a nickname a stranger,
also one who is logged in to an account; outside of the room an outsider, one who is banned, a server operator; in the
room a member, one who was banned and is silenced, one with voice, the operator, a server operator, and a member who is
logged in. The last rows are about what languages do by themselves.
"""

from __future__ import annotations

from typing import Final

from matrix_people import PEOPLE

CODES: Final = {
    "yes": "yes",
    "nick": "not_registered",
    "in": "not_a_member",
    "hid": "no_such_room",
    "op": "not_room_operator",
    "root": "not_server_operator",
    "mute": "cannot_speak",
    "ban": "banned",
    "inv": "invite_only",
    "acc": "not_logged_in",
    "pass": "wrong_password",
    "cred": "bad_credentials",
    "req": "bad_request",
    "name": "bad_nickname",
    "code": "invalid_code",
    "tgt": "bad_target",
    "cmd": "unknown_command",
    "type": "unknown_type",
}
"""What the cells stand for: `yes`, or the code of the refusal."""

TABLE: Final = """
                              stra acco outs bann memb sile voic oper root roro inac
Hello                  any    yes  yes  req  req  req  req  req  req  req  req  req
Hello to regain        any    acc  yes  req  req  req  req  req  req  req  req  req
Say                    open   nick nick in   in   yes  mute yes  yes  in   yes  yes
Say                    closed nick nick in   in   mute mute yes  yes  in   yes  mute
SayAll                 open   nick nick in   in   yes  mute yes  yes  in   yes  yes
SayAll                 closed nick nick in   in   mute mute yes  yes  in   yes  mute
Direct                 any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
Direct in reply        any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
Tag                    open   nick nick in   in   yes  mute yes  yes  in   yes  yes
Tag                    closed nick nick in   in   mute mute yes  yes  in   yes  mute
Tag to one             any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
Join                   open   nick nick yes  ban  yes  yes  yes  yes  yes  yes  yes
Join                   closed nick nick inv  ban  yes  yes  yes  yes  yes  yes  yes
Join with the key      open   nick nick yes  ban  yes  yes  yes  yes  yes  yes  yes
Join with the key      closed nick nick inv  ban  yes  yes  yes  yes  yes  yes  yes
Leave                  open   nick nick in   in   yes  yes  yes  yes  in   yes  yes
Leave                  closed nick nick hid  hid  yes  yes  yes  yes  in   yes  yes
LeaveAll               any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
SetNickname            open   nick nick yes  yes  yes  mute yes  yes  yes  yes  yes
SetNickname            closed nick nick yes  yes  mute mute yes  yes  yes  yes  mute
SetTopic               open   nick nick in   in   yes  mute yes  yes  yes  yes  yes
SetTopic               closed nick nick hid  hid  op   op   op   yes  yes  yes  op
SetAway                any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
Watch                  any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
SetIgnored             any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ListIgnored            any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
Kick                   open   nick nick in   in   op   op   op   yes  yes  yes  op
Kick                   closed nick nick hid  hid  op   op   op   yes  yes  yes  op
Ban                    open   nick nick in   in   op   op   op   yes  yes  yes  op
Ban                    closed nick nick hid  hid  op   op   op   yes  yes  yes  op
Unban                  open   nick nick in   in   op   op   op   yes  yes  yes  op
Unban                  closed nick nick hid  hid  op   op   op   yes  yes  yes  op
Invite                 open   nick nick in   in   yes  yes  yes  yes  yes  yes  yes
Invite                 closed nick nick hid  hid  op   op   op   yes  yes  yes  op
SetModes               open   nick nick in   in   op   op   op   yes  yes  yes  op
SetModes               closed nick nick hid  hid  op   op   op   yes  yes  yes  op
SetUserModes           any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
SetRealname            any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
BecomeOperator         any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
BecomeOperator wrongly any    nick nick pass pass pass pass pass pass pass pass pass
Kill                   any    nick nick root root root root root root yes  yes  root
SendWallops            any    nick nick root root root root root root yes  yes  root
Announce               any    nick nick root root root root root root yes  yes  root
AddServerBan           any    nick nick root root root root root root yes  yes  root
RemoveServerBan        any    nick nick root root root root root root tgt  tgt  root
ListServerBans         any    nick nick root root root root root root yes  yes  root
ReadAudit              any    nick nick root root root root root root yes  yes  root
GetStats               any    nick nick root root root root root root yes  yes  root
Command                any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
Help                   any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
Ping                   any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
Pong                   any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
Answer                 any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
Quit                   any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
Invalid                any    req  req  req  req  req  req  req  req  req  req  req
Invalid command        any    cmd  cmd  cmd  cmd  cmd  cmd  cmd  cmd  cmd  cmd  cmd
Invalid type           any    type type type type type type type type type type type
Abort                  any    req  req  req  req  req  req  req  req  req  req  req
Register               any    name req  yes  yes  yes  yes  yes  yes  yes  yes  req
Register by name       any    yes  req  yes  yes  yes  yes  yes  yes  yes  yes  req
LogIn                  any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
LogIn wrongly          any    cred cred cred cred cred cred cred cred cred cred cred
Authenticate           any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
LogOut                 any    acc  yes  acc  acc  acc  acc  acc  acc  acc  acc  yes
ChangePassword         any    nick nick acc  acc  acc  acc  acc  acc  acc  acc  yes
DropAccount            any    nick nick acc  acc  acc  acc  acc  acc  acc  acc  yes
Regain                 any    nick nick acc  acc  acc  acc  acc  acc  acc  acc  yes
GetTopic               open   nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
GetTopic               closed nick nick hid  hid  yes  yes  yes  yes  yes  yes  yes
ListMembers            open   nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ListMembers            closed nick nick in   in   yes  yes  yes  yes  yes  yes  yes
ListRooms              any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
WhoIs                  any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ListPeople             any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
FindPeople             any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
WhoWas                 any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ListWatched            any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
CountPeople            any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
GetMotd                any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ReadHistory            any    nick nick in   in   yes  yes  yes  yes  in   yes  yes
ListHistory            any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ListInvitations        any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
GetModes               open   nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
GetModes               closed nick nick hid  hid  yes  yes  yes  yes  yes  yes  yes
ListMasks of bans      open   nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
ListMasks of bans      closed nick nick hid  hid  yes  yes  yes  yes  yes  yes  yes
ListMasks              open   nick nick in   in   op   op   op   yes  yes  yes  op
ListMasks              closed nick nick hid  hid  op   op   op   yes  yes  yes  op
GetUserModes           any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
nothing                any    yes  yes  yes  yes  yes  yes  yes  yes  yes  yes  yes
other                  any    nick nick yes  yes  yes  yes  yes  yes  yes  yes  yes
again                  any    req  req  req  req  req  req  req  req  req  req  req
again with a nickname  any    req  req  req  req  req  req  req  req  req  req  req
verify                 any    code code code code code code code code code code code
"""

RULES: Final[dict[tuple[str, bool, str], str]] = {}
"""The expected outcome by row, whether the room is closed, and who asks."""

for _line in TABLE.splitlines()[2:]:
    _row, _kind, _cells = _line[:23].strip(), _line[23:30].strip(), _line[30:].split()
    for _closed in {"open": (False,), "closed": (True,), "any": (False, True)}[_kind]:
        for _who, _cell in zip(PEOPLE, _cells, strict=True):
            assert (_row, _closed, _who) not in RULES, f"{_row}: two lines are about the same"
            RULES[_row, _closed, _who] = CODES[_cell]

ROWS: Final = tuple(dict.fromkeys(row for row, _, _ in RULES))


def verb_of(row: str) -> str:
    """Return the verb that a row is about; what is no verb begins with a small letter."""
    return row.partition(" ")[0]
