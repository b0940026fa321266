"""Slash commands: lines to verbs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.core import verbs as v
from pychat.protocols import slash


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("//text", v.Say("/text")),
        ("/join ops", v.Join("ops")),
        ("/join #ops", v.Join("ops")),
        ("/join ##ops", v.Join("#ops")),
        ("/JOIN ops", v.Join("ops")),
        ("/join a b", v.Join("a b")),
        ("/part", v.Leave()),
        ("/part #ops", v.Leave("ops")),
        ("/leave ops see you", v.Leave("ops", "see you")),
        ("/nick anna", v.SetNickname("anna")),
        ("/nick a b", v.SetNickname("a b")),
        ("/msg bob hello  you", v.Direct("hello  you", "bob")),
        ("/m bob x", v.Direct("x", "bob")),
        ("/w bob x", v.Direct("x", "bob")),
        ("/tell bob x", v.Direct("x", "bob")),
        ("/reply thanks", v.Direct("thanks")),
        ("/r thanks", v.Direct("thanks")),
        ("/me  waves ", v.Say("waves", action=True)),
        ("/who", v.ListMembers()),
        ("/names #ops", v.ListMembers("ops")),
        ("/list", v.ListRooms()),
        ("/whois bob", v.WhoIs("bob")),
        ("/topic", v.GetTopic()),
        ("/topic all about cats", v.SetTopic("all about cats")),
        ("/topic -", v.SetTopic("")),
        ("/away", v.SetAway("away")),
        ("/away lunch", v.SetAway("lunch")),
        ("/back", v.SetAway(None)),
        ("/history", v.ReadHistory()),
        ("/history 50", v.ReadHistory(limit=50)),
        ("/quit", v.Quit()),
        ("/exit good night", v.Quit("good night")),
    ],
)
def test_what_a_command_means(line: str, verb: v.Verb) -> None:
    """Every command and alias, with and without its arguments."""
    assert slash.parse(line) == verb


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("/join", "/join ROOM"),
        ("/join #", "/join ROOM"),
        ("/nick", "/nick NAME"),
        ("/msg", "/msg NICK TEXT"),
        ("/w bob ", "/msg NICK TEXT"),
        ("/r", "/reply TEXT"),
        ("/me", "/me TEXT"),
        ("/whois", "/whois NICK"),
        ("/list all", "/list"),
        ("/back now", "/back"),
        ("/history 0", "/history [N]"),
        ("/history -1", "/history [N]"),
        ("/history ten", "/history [N]"),
        ("/history 9999999999", "/history [N]"),
    ],
)
def test_wrong_arguments_are_answered_by_the_usage(line: str, usage: str) -> None:
    """The answer says how the command is used."""
    assert slash.parse(line) == v.Invalid("bad_request", f"usage: {usage}")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/foo bar", "unknown command /foo; /help lists the commands"),
        ("/", "unknown command /; /help lists the commands"),
        ("/ join", "unknown command /; /help lists the commands"),
        ("/jion ops", "unknown command /jion; did you mean /join? /help lists the commands"),
        ("/" + "x" * 99, f"unknown command /{'x' * 32}; /help lists the commands"),
        ("/\x1b[2J", "unknown command /'\\x1b[2J'; /help lists the commands"),
        ("/help foo", "unknown command /foo; /help lists the commands"),
    ],
)
def test_an_unknown_command_is_an_error(line: str, text: str) -> None:
    """It is never sent as text; a name close to it is proposed."""
    assert slash.parse(line) == v.Invalid("unknown_command", text)


def test_help_lists_every_command_once() -> None:
    """Each has a line with its usage and what its docstring says."""
    lines = slash.help_text().split("\n")

    assert [line.split()[0] for line in lines] == [
        "/help", "/join", "/part", "/nick", "/msg", "/reply", "/me", "/who", "/list",
        "/whois", "/topic", "/away", "/back", "/history", "/quit", "//text",
    ]  # fmt: skip
    assert lines[4] == "/msg NICK TEXT         Write to one person; nobody else sees it."
    assert slash.parse("/help") == v.Help(slash.help_text())


@pytest.mark.parametrize("line", ["/help msg", "/help /msg", "/help tell"])
def test_help_explains_one_command(line: str) -> None:
    """By its name or an alias, with or without the slash."""
    expected = "/msg NICK TEXT  Write to one person; nobody else sees it. Also: /m, /w, /tell."
    assert slash.parse(line) == v.Help(expected, about="msg")


@given(st.text().map("/".__add__))
def test_any_line_gives_a_verb(line: str) -> None:
    """Whatever follows the slash, there is an answer and no exception."""
    assert isinstance(slash.parse(line), v.Verb)


@given(st.sampled_from(sorted(slash.COMMANDS)), st.text())
def test_any_arguments_give_a_verb(name: str, arguments: str) -> None:
    """Every command takes whatever is typed behind it."""
    assert isinstance(slash.parse(f"/{name} {arguments}"), v.Verb)
