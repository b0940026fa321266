"""Each verb has a method for programs, or is known to have none; each method is documented."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pychat.model import queries as q
from pychat.model import verbs as v
from pychat.model.participant import Participant
from pychat.model.server_ban import AddServerBan, ListServerBans, RemoveServerBan

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pychat"
SOURCES = [
    PACKAGE / "model" / "participant.py",
    PACKAGE / "core" / "local_session.py",
    *(PACKAGE / "client").glob("*.py"),
    *(PACKAGE / "bot").glob("*.py"),
]
"""Where the methods of sessions, clients and bots are."""

_OF_PROTOCOLS = {v.SayAll, v.Answer, v.Invalid, v.Abort}
"""A protocol makes them of what it reads; they are no wish of anybody."""
_OF_IRC = {v.Tag, v.LeaveAll, v.Watch, v.Authenticate, v.SetRealname}
"""Only IRC clients have a use for them: JSON cannot send them either."""
_FOR_PEOPLE = {v.Command, v.Help, v.ListIgnored}
"""People type these; a program that has a reason to uses `ask`."""
_OF_SERVER_OPERATORS = {
    *(v.BecomeOperator, v.Kill, v.SendWallops, v.Announce, q.ReadAudit, q.GetStats),
    *(AddServerBan, RemoveServerBan, ListServerBans),
}
"""A program in the server's process has the chat itself; others administer rarely enough for `ask`."""
_OF_USER_MODES = {v.SetUserModes, q.GetUserModes}
"""A bot says that it is one when it comes; the other modes are for people."""
_ANSWERED_WITH_TABLES = {
    *(q.GetTopic, q.GetModes, q.ListMasks, q.ListInvitations, q.WhoIs, q.WhoWas, q.ListPeople, q.FindPeople),
    *(q.ListWatched, q.CountPeople, q.GetMotd, q.ListHistory),
}
"""Queries whose reply a method could only return as it is, which is what `ask` does."""
WITHOUT = _OF_PROTOCOLS | _OF_IRC | _FOR_PEOPLE | _OF_SERVER_OPERATORS | _OF_USER_MODES | _ANSWERED_WITH_TABLES


def made_in(path: Path) -> Iterator[str]:
    """The names of the classes and functions that a file calls."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2]


def test_every_verb_has_a_method_or_is_known_to_have_none() -> None:
    """A new verb is not forgotten, and a verb that gets a method is taken from the list."""
    made = {name for path in SOURCES for name in made_in(path)}
    verbs: set[type] = set(get_args(v.Verb))

    assert {verb for verb in verbs if verb.__name__ not in made} == WITHOUT


def test_every_method_is_documented() -> None:
    """In the table of what sessions and clients can do."""
    page = (ROOT / "docs" / "embedding.md").read_text().partition("\n## What both can do\n")[2].partition("\n## ")[0]
    methods = {name for name, value in vars(Participant).items() if inspect.isfunction(value) and name[0] != "_"}

    assert {name for name in methods if not re.search(rf"`{name}\(", page)} == set()
