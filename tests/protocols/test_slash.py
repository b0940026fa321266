"""Slash commands: lines to verbs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.core import queries
from pychat.core import verbs as v
from pychat.core.ignored import ListIgnored, SetIgnored
from pychat.core.moderation_verbs import Ban, Unban
from pychat.core.modes import ModeChange
from pychat.protocols import slash


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("//text", v.Say("/text")),
        ("/join ops", v.Join("ops")),
        ("/join #ops", v.Join("ops")),
        ("/join ##ops", v.Join("#ops")),
        ("/JOIN ops", v.Join("ops")),
        ("/join ops sesame open", v.Join("ops", key="sesame open")),
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
        ("/who", queries.ListMembers()),
        ("/names #ops", queries.ListMembers("ops")),
        ("/list", queries.ListRooms()),
        ("/whois bob", queries.WhoIs("bob")),
        ("/topic", queries.GetTopic()),
        ("/topic all about cats", v.SetTopic("all about cats")),
        ("/topic -", v.SetTopic("")),
        ("/away", v.SetAway("away")),
        ("/away lunch", v.SetAway("lunch")),
        ("/back", v.SetAway(None)),
        ("/history", queries.ReadHistory()),
        ("/history 50", queries.ReadHistory(limit=50)),
        ('/search tea "at four"', queries.ReadHistory(search='tea "at four"')),
        ("/invite bob", v.Invite("bob")),
        ("/invite bob #ops", v.Invite("bob", "ops")),
        ("/invite", queries.ListInvitations()),
        ("/kick bob", v.Kick("bob")),
        ("/kick bob be  nice", v.Kick("bob", reason="be  nice")),
        ("/ban bob", Ban("bob")),
        ("/ban bob 1d12h too  loud", Ban("bob", None, 129_600, "too  loud")),
        ("/ban a:bob too loud", Ban("a:bob", reason="too loud")),
        ("/mute bob 10m", Ban("bob", None, 600, mute=True)),
        ("/unmute bob", Unban("bob", mute=True)),
        ("/ban *!*@*.ip", Ban("*!*@*.ip")),
        ("/ban", queries.ListMasks("b")),
        ("/unban bob", Unban("bob")),
        ("/unmute *!*@*.ip", Unban("*!*@*.ip", mute=True)),
        ("/op bob", v.SetModes((ModeChange(True, "o", "bob"),))),
        ("/deop bob", v.SetModes((ModeChange(False, "o", "bob"),))),
        ("/voice bob", v.SetModes((ModeChange(True, "v", "bob"),))),
        ("/devoice bob", v.SetModes((ModeChange(False, "v", "bob"),))),
        ("/mode", queries.GetModes()),
        ("/mode #ops", queries.GetModes("ops")),
        ("/mode +m", v.SetModes((ModeChange(True, "m"),))),
        ("/mode ops +ml-k 50 x", v.SetModes(
            (ModeChange(True, "m"), ModeChange(True, "l", "50"), ModeChange(False, "k", "x")), "ops"
        )),
        ("/mode +b", queries.ListMasks("b")),
        ("/mode ops -I", queries.ListMasks("I", "ops")),
        ("/mode +", v.SetModes(())),
        ("/ignore", ListIgnored()),
        ("/ignore bob", SetIgnored(("bob",))),
        ("/unignore a:bob", SetIgnored((), ("a:bob",))),
        ("/slow 10", v.SetModes((ModeChange(True, "W", "10"),))),
        ("/slow 0", v.SetModes((ModeChange(False, "W"),))),
        ("/oper ann open sesame", v.BecomeOperator("ann", "open sesame")),
        ("/kill bob spam", v.Kill("bob", "spam")),
        ("/motd", queries.GetMotd(ref="motd")),
        ("/quit", v.Quit()),
        ("/exit good night", v.Quit("good night")),
    ],
)  # fmt: skip
def test_what_a_command_means(line: str, verb: v.Verb) -> None:
    """Every command and alias, with and without its arguments."""
    assert slash.parse(line) == verb


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("/join", "/join ROOM [KEY]"),
        ("/join #", "/join ROOM [KEY]"),
        ("/nick", "/nick NAME"),
        ("/msg", "/msg NICK TEXT"),
        ("/w bob ", "/msg NICK TEXT"),
        ("/r", "/reply TEXT"),
        ("/me", "/me TEXT"),
        ("/whois", "/whois NICK"),
        ("/list all", "/list"),
        ("/kick", "/kick NICK [REASON]"),
        ("/kill", "/kill NICK [REASON]"),
        ("/mute", "/mute NICK [10m] [REASON]"),
        ("/unban", "/unban NICK"),
        ("/ignore a b", "/ignore [NICK]"),
        ("/unignore", "/unignore NICK"),
        ("/slow soon", "/slow SECONDS"),
        ("/slow", "/slow SECONDS"),
        ("/unmute a b", "/unmute NICK"),
        ("/op", "/op NICK"),
        ("/devoice a b", "/devoice NICK"),
        ("/oper ann", "/oper NAME PASSWORD"),
        ("/motd now", "/motd"),
        ("/back now", "/back"),
        ("/search", "/search WORDS"),
        ("/history 0", "/history [N]"),
        ("/history -1", "/history [N]"),
        ("/history ten", "/history [N]"),
        ("/history 9999999999", "/history [N]"),
    ],
)
def test_wrong_arguments_are_answered_by_the_usage(line: str, usage: str) -> None:
    """The answer says how the command is used."""
    assert slash.parse(line) == v.Invalid("bad_request", f"usage: {usage}")


def test_too_many_changes_at_once_are_refused() -> None:
    """The answer says how many may be."""
    assert slash.parse("/mode +" + "m" * 21) == v.Invalid(
        "limit_exceeded", "modes at once: at most 20 with an argument, 20 without"
    )


@pytest.mark.parametrize("line", ["/ban ann 10x spam", "/mute ann 10x", "/serverban a:eve 10x spam"])
def test_a_mistyped_duration_is_refused(line: str) -> None:
    """It would have been a ban for ever, with the duration as its reason."""
    text = "'10x' is no duration; use 90s, 10m, 2h, 1d12h or 1w, and no digit before a reason"
    assert slash.parse(line) == v.Invalid("bad_request", text)


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
        "/whois", "/topic", "/away", "/back", "/history", "/search", "/ignore", "/unignore", "/invite", "/kick",
        "/ban", "/unban", "/mute", "/unmute", "/op", "/deop", "/voice", "/devoice", "/mode", "/slow", "/oper", "/kill",
        "/register", "/login", "/logout", "/password", "/drop", "/regain", "/serverban", "/serverunban", "/audit",
        "/motd", "/quit", "//text",
    ]  # fmt: skip
    assert lines[4] == "/msg NICK TEXT              Write to one person; nobody else sees it."
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
