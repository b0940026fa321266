"""Slash commands: lines to verbs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.model import queries
from pychat.model import verbs as v
from pychat.model.modes import ModeChange
from pychat.model.verbs import Ban, ListIgnored, SetIgnored, Unban
from pychat.protocols.text import slash_commands as slash
from pychat.protocols.text.render import NOT_SHOWN


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
        ("/history", queries.ReadHistory(without=NOT_SHOWN)),
        ("/history 50", queries.ReadHistory(limit=50, without=NOT_SHOWN)),
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
        ("/slow 2m", v.SetModes((ModeChange(True, "W", "120"),))),
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
        ("/slow soon", "/slow 30s"),
        ("/slow", "/slow 30s"),
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
    text = "'10x' is not a duration; use 90s, 10m, 2h, 1d12h or 1w; a reason must not begin with a digit"
    assert slash.parse(line) == v.Invalid("bad_request", text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/foo bar", "unknown command /foo; /help lists the commands, //foo sends it as text"),
        ("/", "unknown command /; /help lists the commands"),
        ("/ join", "unknown command /; /help lists the commands"),
        ("/jion ops", "unknown command /jion; did you mean /join? /help lists the commands"),
        ("/" + "x" * 99, f"unknown command /{'x' * 32}; /help lists the commands"),
        ("/\x1b[2J", "unknown command /'\\x1b[2J'; /help lists the commands"),
        ("/help foo", "unknown command /foo; /help lists the commands"),
        ("/etc/hosts is full", "unknown command /etc/hosts; /help lists the commands, //etc/hosts sends it as text"),
    ],
)
def test_an_unknown_command_is_an_error(line: str, text: str) -> None:
    """It is never sent as text; a name close to it is proposed."""
    assert slash.parse(line) == v.Invalid("unknown_command", text)


def test_help_lists_every_command_once() -> None:
    """All of them in one topic; each has a line with its usage and what its docstring says."""
    asked = slash.parse("/help all")

    assert isinstance(asked, v.Help)
    lines = asked.text.split("\n")
    assert [line.split()[0] for line in lines] == [
        *[f"/{command.name}" for command in dict.fromkeys(slash.COMMANDS.values())],
        "//text",
    ]
    assert "/msg NICK TEXT  Write to one person; nobody else sees it." in lines
    assert asked.about == ""  # the handlers of the server add theirs


def test_help_fits_a_screen() -> None:
    """What everybody needs, by what it is about; operators have a topic of their own."""
    asked = slash.parse("/help")

    assert asked == v.Help(
        """\
Type a line and press Enter to send it; //text sends "/text" as a message.
talk:    /msg /reply /me /history /search
rooms:   /join /part /list /who /topic /invite
people:  /whois /ignore /unignore
you:     /nick /away /back /quit
account: /register /login /logout /password /drop /regain
more:    /help /motd
/help COMMAND explains a command, such as /help msg; more: /help all, /help ops."""
    )


def test_help_for_operators() -> None:
    """How each is used, and what it does."""
    asked = slash.parse("/help ops")

    assert isinstance(asked, v.Help)
    assert asked.text.startswith("/kick NICK [REASON]  Remove somebody from this room.\n/ban ")
    assert asked.about == "ops"


def test_help_tells_what_the_letters_of_modes_mean() -> None:
    """Nobody can know."""
    asked = slash.parse("/help mode")

    assert isinstance(asked, v.Help)
    lines = asked.text.split("\n")
    assert "  i  invite-only: only invited people can join" in lines
    assert "  k  joining requires the key WORD" in lines
    assert "  l  at most N members" in lines
    assert "  W  slow mode: one message every N seconds" in lines


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("/private", [ModeChange(True, "i")]),
        ("/private off", [ModeChange(False, "i")]),
        ("/hide", [ModeChange(True, "s")]),
        ("/hide OFF", [ModeChange(False, "s")]),
        ("/key sesame", [ModeChange(True, "k", "sesame")]),
        ("/key off", [ModeChange(False, "k", "*")]),
    ],
)
def test_rules_have_words(line: str, changes: list[ModeChange]) -> None:
    """A private room needs no letters."""
    assert slash.parse(line) == v.SetModes(tuple(changes))


def test_a_ban_can_be_a_kick_too() -> None:
    """People from other chats expect that of a ban."""
    assert slash.parse("/kickban eve 10m spam") == Ban("eve", None, 600, "spam", kick=True)


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
