"""`Commands`: functions as commands, their arguments, their help, their failures."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pychat import Chat, LocalSession, Message, Notice, Refused, command
from pychat.handlers import Broadcast, Commands, Context, SessionContext
from pychat.model.replies import Lines, Ok
from pychat.model.verbs import Command, Help

if TYPE_CHECKING:
    from decimal import Decimal


def make(*functions: Any) -> tuple[Commands, LocalSession, LocalSession]:
    """The handler with these functions as commands, and two people in the lobby."""
    commands = Commands()
    for function in functions:
        commands.command(function.__name__)(function)
    chat = Chat([Broadcast(), commands])
    return commands, chat.session("ann"), chat.session("bob")


def roll(ctx: Context, dice: str = "1d6", times: int = 1) -> None:
    """Roll dice.

    More about it.
    """
    ctx.reply(f"{ctx.nickname} rolls {dice} {times} times")


def hide(ctx: Context) -> None:
    """Answer secretly."""
    ctx.whisper("psst")


def add(ctx: Context, *numbers: float) -> None:
    """Add numbers."""
    ctx.reply(f"{sum(numbers):g}")


def note(ctx: Context, day: int, *, text: str) -> None:
    """Remember something."""
    ctx.reply(f"{day}: {text}")


def lamp(ctx: Context, on: bool, room: str | None = None, level: int | None = None) -> None:
    ctx.reply(f"{on} {room} {level}")


class Color(Enum):
    """One of few."""

    RED = "red"
    BLUE = "blue"


def paint(ctx: Context, color: Color, layers: int | Literal["few", "many"] | None = None) -> None:
    ctx.reply(f"{color} {layers}")


def no(ctx: Context) -> None:
    """Refuse."""
    raise Refused("not today", code="holiday")


def crash(ctx: Context) -> None:
    """Fail."""
    raise ValueError("oh")


def texts(session: LocalSession) -> list[str]:
    """What the session has heard."""
    return [event.text for event in session.events(timeout=0) if isinstance(event, Message | Notice)]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("!roll", "ann rolls 1d6 1 times"),
        ("!roll 2d6", "ann rolls 2d6 1 times"),
        ("!roll 2d6 3", "ann rolls 2d6 3 times"),
        ('!roll "two dice"', "ann rolls two dice 1 times"),
        ("!roll  2d6 ", "ann rolls 2d6 1 times"),
        ("!add", "0"),
        ("!add 1 2.5 -3", "0.5"),
        ("!note 5 it's   tea time", "5: it's   tea time"),
        (r"!note 5 hi,  'bob' \o/", r"5: hi,  'bob' \o/"),
        ("!note 5 one\ntwo", "5: one\ntwo"),
        ("!note\n5 two", "5: two"),
        (r"!roll \o/", r"ann rolls \o/ 1 times"),
        ("!roll it's 3", "ann rolls it's 3 times"),
        ("!paint RED", "Color.RED None"),
        ("!paint blue 5", "Color.BLUE 5"),
        ("!paint red few", "Color.RED few"),
        ("!lamp on", "True None None"),
        ("!lamp NO kitchen 5", "False kitchen 5"),
    ],
)
def test_arguments_are_converted_to_what_the_function_wants(said: str, answer: str) -> None:
    """Everybody in the room sees the command and its answer."""
    _, ann, bob = make(roll, add, note, lamp, paint)

    ann.say(said)

    assert texts(bob) == [said, answer]
    assert texts(ann) == [answer]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("!roll 2d6 many", "times must be int, not 'many'; usage: !roll [DICE] [TIMES]"),
        ("!roll 2d6 3 4", "unexpected argument '4'; usage: !roll [DICE] [TIMES]"),
        ("!add 1 two", "numbers must be float, not 'two'; usage: !add [NUMBERS...]"),
        ("!note", "day is missing; usage: !note DAY TEXT"),
        ("!note 5", "text is missing; usage: !note DAY TEXT"),
        ("!lamp maybe", "on must be bool, not 'maybe'; usage: !lamp ON [ROOM] [LEVEL]"),
        ("!paint pink", "color must be red or blue, not 'pink'; usage: !paint COLOR [LAYERS]"),
        ("!paint red 1.5", "layers must be int or few or many, not '1.5'; usage: !paint COLOR [LAYERS]"),
        ("!no", "not today"),
        ("!rol", "unknown command !rol; did you mean !roll? !help lists them"),
        ("!xyzzy", None),
        ("! roll", None),
        ("roll", None),
    ],
)
def test_what_does_not_fit_is_told_to_the_one_who_asked(said: str, answer: str | None) -> None:
    """The others see only what was said."""
    _, ann, bob = make(roll, add, note, lamp, paint, no)

    ann.say(said)

    assert texts(bob) == [said]
    assert texts(ann) == ([] if answer is None else [answer])


@pytest.mark.parametrize("how", ["action", "notice"])
def test_actions_and_notices_are_no_commands(how: str) -> None:
    """`/me !roll` is something that somebody does, and no program answers a notice (RFC 1459 section 4.4.2)."""
    _, ann, bob = make(roll)

    ann.say("!roll", action=how == "action", notice=how == "notice")
    ann.direct("bob", "!roll", action=how == "action", notice=how == "notice")

    assert texts(bob) == ["!roll", "!roll"]
    assert texts(ann) == []


def test_whispers_and_commands_in_direct_messages_are_answered_privately() -> None:
    """Only the one who asked sees it."""
    _, ann, bob = make(roll, hide)

    ann.say("!hide")
    ann.direct("bob", "!roll")

    assert texts(bob) == ["!hide", "!roll"]
    assert texts(ann) == ["psst", "ann rolls 1d6 1 times"]


def test_a_command_by_name() -> None:
    """What JSON clients send: not said in the room, its arguments are words already."""
    _, ann, bob = make(roll, no)

    assert isinstance(ann.ask(Command("roll", ("two dice",))), Ok)
    assert texts(ann) == texts(bob) == ["ann rolls two dice 1 times"]
    with pytest.raises(Refused, match="not today") as refused:
        ann.ask(Command("no"))
    assert refused.value.code == "holiday"
    with pytest.raises(Refused, match="unexpected argument 'x'; usage: !no") as refused:
        ann.ask(Command("no", ("x",)))
    assert refused.value.code == "bad_request"
    with pytest.raises(Refused, match="unknown command 'xyzzy'; help lists the commands") as refused:
        ann.ask(Command("xyzzy"))
    assert refused.value.code == "unknown_command"


def test_a_command_by_name_in_a_room() -> None:
    """It is answered there; in a room that one is not in it is refused, as anything else is."""
    _, ann, bob = make(roll)
    ann.join("ops")
    bob.join("ops")

    ann.ask(Command("roll", room="OPS"))

    (event,) = [event for event in bob.events(timeout=0) if isinstance(event, Notice)]
    assert event.room == "ops"
    bob.leave("ops")
    with pytest.raises(Refused, match="you are not in room 'ops'; join it first") as refused:
        bob.ask(Command("roll", room="ops"))
    assert refused.value.code == "not_a_member"


def test_a_command_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback, the one who asked hears no details."""
    _, ann, bob = make(crash)

    with pytest.raises(Refused, match="internal error"):
        ann.ask(Command("crash"))
    ann.say("!crash")

    assert texts(ann) == ["internal error"]
    assert texts(bob) == ["!crash"]
    assert caplog.text.count("ValueError: oh") == 2


def test_help_comes_from_docstrings() -> None:
    """The first line; nothing if there is none. `!help` tells them in one go."""
    _, ann, _ = make(roll, lamp)
    expected = [
        "!help [COMMAND]  List the commands, or explain one.",
        "!roll [DICE] [TIMES]  Roll dice.",
        "!lamp ON [ROOM] [LEVEL]",
    ]

    ann.say("!help")
    assert texts(ann) == ["\n".join(expected)]
    answer = ann.ask(Help("the protocol's"))
    assert isinstance(answer, Lines)
    assert answer.lines == ("the protocol's", *expected)


def test_without_commands_there_is_no_help() -> None:
    """A bot may have commands, and be asked for them; help about help would be a second answer."""
    _, ann, bob = make()

    for text in ("!help", "!help echo", "!hlp"):
        ann.say(text)

    assert texts(ann) == []
    assert texts(bob) == ["!help", "!help echo", "!hlp"]
    answer = ann.ask(Help("the protocol's"))
    assert isinstance(answer, Lines)
    assert answer.lines == ("the protocol's",)
    with pytest.raises(Refused, match=r"^unknown command 'help'; help lists the commands$"):
        ann.ask(Command("help"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (" ", "is empty"),
        ("two words", "has spaces; use one word"),
        (" x", "has spaces; use one word"),
        ("roll", "is taken; use another"),
        ("!hide", "begins with '!', which people type before it; leave that out"),
    ],
)
def test_names_that_are_no_names(name: str, problem: str) -> None:
    """Each mistake is told by itself."""
    commands, _, _ = make(roll)

    with pytest.raises(ValueError, match=f"^command name {name!r} {re.escape(problem)}$"):
        commands.command(name)(hide)


def test_functions_that_cannot_be_commands() -> None:
    """They must take the context first, and can have one parameter for the rest of the line."""
    commands, _, _ = make()

    with pytest.raises(TypeError, match="command 'x': its function must take the context as first parameter"):
        commands.add("x", lambda: None)
    with pytest.raises(TypeError, match="command 'x': only one keyword-only parameter can take the rest of the line"):
        commands.add("x", lambda ctx, *, one, two: None)


def test_types_that_no_word_can_be() -> None:
    """They are a mistake when the command is added, not when somebody uses it."""
    commands, _, _ = make()

    def several(ctx: Context, numbers: list[int]) -> None:
        """Not called."""

    def hidden(ctx: Context, number: Decimal) -> None:
        """Not called."""

    with pytest.raises(TypeError, match=r"^command 'x': numbers cannot be list\[int\]: a word must become one$"):
        commands.add("x", several)
    with pytest.raises(TypeError, match=r"^command 'x': the type of number, 'Decimal', cannot be found: name "):
        commands.add("x", hidden)


def test_the_type_of_the_context_may_be_unknown_when_the_program_runs() -> None:
    """Many import it for type checkers only; it converts nothing."""

    def half(ctx: Decimal, number: float, anything: Any = "") -> None:
        ctx.reply(f"{number / 2:g} {anything}")  # type: ignore[attr-defined]  # it is no Decimal

    _, ann, bob = make(half)
    ann.say("!half 5 times")

    assert texts(bob) == ["!half 5 times", "2.5 times"]


class Dice:
    """A group of commands, in the order of its methods."""

    sides = 6

    @command("roll")
    def roll(self, ctx: Context, times: int = 1) -> None:
        """Roll dice."""
        ctx.reply(f"{times} times {self.sides}")

    @command("hide")
    def hide(self, ctx: Context) -> None:
        """Hide the dice."""
        ctx.whisper("hidden")

    def no_command(self) -> None:
        """Not marked."""


class LoadedDice(Dice):
    """What a derived class overrides is what runs."""

    sides = 7

    @command("hide")
    def hide(self, ctx: Context) -> None:
        """Hide them well."""
        ctx.whisper("hidden well")


def test_a_group_of_commands_is_a_plain_class() -> None:
    """Its marked methods become commands, in the order of their definition."""
    commands, ann, bob = make()
    commands.add_group(LoadedDice())

    ann.say("!roll 2")
    ann.say("!hide")

    assert texts(bob) == ["!roll 2", "2 times 7", "!hide"]
    assert texts(ann) == ["2 times 7", "hidden well"]
    assert commands.on_help(ann)[1:] == ["!roll [TIMES]  Roll dice.", "!hide  Hide them well."]


def test_a_group_is_added_as_a_whole_or_not_at_all() -> None:
    """Whatever is wrong with one of its commands."""

    class Nameless(Dice):
        @command("two words")
        def broken(self, ctx: Context) -> None:
            """Not called."""

    class Double(Dice):
        @command("roll")
        def again(self, ctx: Context) -> None:
            """Not called."""

    commands, ann, _ = make(hide)
    for group, name in ((Dice(), "hide"), (Nameless(), "hide"), (Double(), "hide")):
        with pytest.raises(ValueError, match=f"command name {name!r} is taken"):
            commands.add_group(group)
    assert len(commands.on_help(ann)) == 2

    commands, ann, _ = make()
    for group, name in ((Nameless(), "'two words' has spaces"), (Double(), "'roll' is taken")):
        with pytest.raises(ValueError, match=f"command name {name}"):
            commands.add_group(group)
    assert len(commands.on_help(ann)) == 0


def test_a_group_without_commands_is_a_mistake() -> None:
    """Probably the marks were forgotten."""
    commands, _, _ = make()

    with pytest.raises(TypeError, match=r"^object has no commands: mark its methods with @command\(name\)$"):
        commands.add_group(object())


def test_what_a_command_knows() -> None:
    """Who asked, where, with which message, and the session; by name there is no message."""
    known: list[object] = []

    def look(ctx: SessionContext) -> None:
        known.append((ctx.nickname, ctx.room, ctx.message and ctx.message.text, ctx.session))

    _, ann, _ = make(look)
    ann.say("!look")
    ann.direct("bob", "!look")
    ann.ask(Command("look"))

    assert known == [("ann", "lobby", "!look", ann), ("ann", None, "!look", ann), ("ann", "lobby", None, ann)]


def test_an_answer_to_a_room_that_is_no_more() -> None:
    """It reaches the one who asked."""

    def close(ctx: SessionContext) -> None:
        ctx.session.chat.remove_room("ops")
        ctx.reply("closed")

    _, ann, _ = make(close)
    ann.join("ops")
    ann.say("!close")

    assert texts(ann) == ["closed"]


def test_a_command_can_be_added_while_others_run() -> None:
    """From the next message on."""
    commands, ann, _ = make()
    ann.say("!hide")
    commands.add("hide", hide)
    ann.say("!hide")

    assert texts(ann) == ["psst"]
