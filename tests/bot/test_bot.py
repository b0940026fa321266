"""`Bot`: what it hears, what it answers, and that it goes on; the same inside the server and over the network."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from chat_clients import DEADLINE, wait_until

from pychat import Bot, ChatServer, Disconnected, Joined, LocalSession, Message, Notice, Refused, command
from pychat.handlers import Context
from pychat.model.errors import ConnectionLost, LocalProtocolError

MakeServer = Callable[..., ChatServer]


class Stage:
    """A server with ann in the lobby, and a way for bots to come in."""

    def __init__(self, server: ChatServer, way: str, stack: ExitStack) -> None:
        self.server = server
        self.ann = server.session("ann")
        self._way = way
        self._stack = stack

    def let_in(self, bot: Bot) -> Bot:
        """Let a bot in; it is in its rooms when this returns."""
        if self._way == "inside":
            return self.server.add_bot(bot)
        thread = threading.Thread(target=bot.run, args=("127.0.0.1", self.server.port), name="pychat-test-bot")
        thread.start()
        self._stack.callback(thread.join, DEADLINE)
        self._stack.callback(bot.stop)
        wait_until(lambda: bot.connected, "the bot is in its rooms")
        return bot

    def heard(self, member: LocalSession | None = None) -> Message:
        """Return the next message that ann, or another member, hears."""
        return (member or self.ann).next(Message, DEADLINE)


@pytest.fixture(params=["inside", "network"])
def stage(request: pytest.FixtureRequest, server: MakeServer) -> Iterator[Stage]:
    """A server for bots that come in on one of the two ways."""
    with ExitStack() as stack:
        yield Stage(server(), request.param, stack)


def make_bot(**options: Any) -> Bot:
    """A bot with the command `!echo`."""
    bot = Bot("helper", **options)

    @bot.command("echo")
    def echo(ctx: Context, *, text: str) -> None:
        """Say it again."""
        ctx.reply(text)

    return bot


# Commands


def test_a_command_is_answered_with_a_notice_where_it_was_said(stage: Stage) -> None:
    """Everybody in the room hears it, and sees that a bot has said it."""
    stage.let_in(make_bot(rooms=["lobby", "ops"]))

    stage.ann.say("!echo hello")

    answer = stage.heard()
    assert (answer.sender, answer.room, answer.text) == ("helper", "lobby", "hello")
    assert (answer.notice, answer.by_bot) == (True, True)


def test_a_command_in_a_direct_message_is_answered_directly(stage: Stage) -> None:
    """Nobody else hears it."""
    stage.let_in(make_bot())

    stage.ann.direct("helper", "!echo hello")

    answer = stage.heard()
    assert (answer.room, answer.to, answer.text, answer.notice) == (None, "ann", "hello", True)


def test_a_whisper_is_for_the_one_who_asked(stage: Stage) -> None:
    """Another member hears what comes behind it first."""
    bot, bob = make_bot(), stage.server.session("bob")

    @bot.command("secret")
    def secret(ctx: Context) -> None:
        ctx.whisper(f"psst, {ctx.nickname}")

    stage.let_in(bot)
    stage.ann.say("!secret")
    assert (stage.heard().text, stage.heard(bob).text) == ("psst, ann", "!secret")
    stage.ann.say("!echo loud")
    assert [stage.heard(bob).text for _ in range(2)] == ["!echo loud", "loud"]


def test_a_command_knows_who_asked_and_where(stage: Stage) -> None:
    """The context has the nickname, the room, the message and the bot."""
    bot = Bot("helper")

    @bot.command("where")
    def where(ctx: Context) -> None:
        assert ctx.message is not None
        ctx.reply(f"{ctx.nickname} {ctx.room} {ctx.message.text}")

    stage.let_in(bot)
    stage.ann.say("!where")
    assert stage.heard().text == "ann lobby !where"
    stage.ann.direct("helper", "!where")
    assert stage.heard().text == "ann None !where"


def test_wrong_arguments_and_refusals_are_whispered(stage: Stage) -> None:
    """As the commands of a server do it."""
    bot = Bot("helper", prefix="?")

    @bot.command("sleep")
    def sleep(ctx: Context, hours: int) -> None:
        raise Refused("no beds here")

    stage.let_in(bot)
    for said in ("?sleep well", "?sleep 8", "?slep"):
        stage.ann.say(said)

    answers = [stage.heard() for _ in range(3)]
    assert [answer.text for answer in answers] == [
        "hours must be int, not 'well'; usage: ?sleep HOURS",
        "no beds here",
        "unknown command ?slep; did you mean ?sleep? ?help lists them",
    ]
    assert {answer.to for answer in answers} == {"ann"}


def test_help_lists_the_commands(stage: Stage) -> None:
    """In few messages, with the usage and the first line of the docstring of each."""
    bot = make_bot()
    for number in range(9):
        bot.command(f"c{number}")(lambda ctx: None)
    stage.let_in(bot)

    stage.ann.say("!help")

    first, second = stage.heard(), stage.heard()
    assert first.text.split("\n")[:2] == [
        "!help [COMMAND]  List the commands, or explain one.",
        "!echo TEXT  Say it again.",
    ]
    assert second.text == "!c8"


@pytest.mark.parametrize("asked", ["!help echo", "!help !echo"])
def test_help_explains_one_command(stage: Stage, asked: str) -> None:
    """With or without the mark; of a command that nobody here has, another program may tell."""
    stage.let_in(make_bot())

    for text in ("!help nothing", asked, "!help ehco"):
        stage.ann.say(text)

    assert stage.heard().text == "!echo TEXT  Say it again."
    assert stage.heard().text == "unknown command !ehco; did you mean !echo? !help lists them"


def test_groups_of_commands_are_plain_classes(stage: Stage) -> None:
    """The methods of an object, which keeps what it wants, without a lock."""

    class Counter:
        total = 0

        @command("add")
        def add(self, ctx: Context, number: int = 1) -> None:
            """Count."""
            self.total += number
            ctx.reply(f"{self.total}")

    bot = make_bot()
    bot.add(Counter())
    stage.let_in(bot)
    stage.ann.say("!add")
    stage.ann.say("!add 41")

    assert [stage.heard().text for _ in range(2)] == ["1", "42"]


def test_a_command_that_fails_hurts_nobody(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback, who asked hears of it, and the bot goes on."""
    bot = make_bot()

    @bot.command("crash")
    def crash(ctx: Context) -> None:
        raise ValueError("oh")

    stage.let_in(bot)
    stage.ann.say("!crash")
    stage.ann.say("!echo still here")

    assert [stage.heard().text for _ in range(2)] == ["internal error", "still here"]
    assert "command !crash failed" in caplog.text
    assert "ValueError: oh" in caplog.text


def test_one_who_is_gone_is_not_answered(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be told is logged, without a traceback, and the bot goes on."""
    bot, asked, gone = make_bot(), threading.Event(), threading.Event()

    @bot.command("wait")
    def wait(ctx: Context) -> None:
        asked.set()
        gone.wait(DEADLINE)
        ctx.whisper("there you are")

    bob = stage.server.session("bob")
    stage.let_in(bot)
    bob.say("!wait")
    assert asked.wait(DEADLINE)
    bob.close()
    gone.set()
    stage.ann.say("!echo hello")

    assert [stage.heard().text for _ in range(2)] == ["!wait", "hello"]
    assert "nobody here is called 'bob'" in caplog.text
    assert "Traceback" not in caplog.text


# What it hears


def test_functions_are_called_in_order_with_the_events_they_want(stage: Stage) -> None:
    """Several for one type, one for several types; before the command."""
    bot, log = make_bot(), list[str]()

    @bot.on(Message)
    def first(message: Message) -> None:
        log.append(f"first {message.text}")

    @bot.on(Joined, Message)
    def second(event: Joined | Message) -> None:
        log.append(f"second {type(event).__name__}")

    stage.let_in(bot)
    stage.server.session("bob")
    stage.ann.say("!echo done")

    assert stage.heard().text == "done"
    assert log == ["second Joined", "first !echo done", "second Message"]


def test_announcements_are_events_too(stage: Stage) -> None:
    """What the server says is a `Notice`."""
    bot = Bot("helper")

    @bot.on(Notice)
    def repeat(notice: Notice) -> None:
        bot.say(f"hear, hear: {notice.text}")

    stage.let_in(bot)
    stage.server.room("lobby").announce("dinner")

    assert stage.heard().text == "hear, hear: dinner"


def test_functions_can_be_added_while_the_bot_runs(stage: Stage) -> None:
    """They count from then on."""
    bot = stage.let_in(make_bot())
    stage.ann.say("!echo one")
    assert stage.heard().text == "one"

    @bot.on(Message)
    def answer(message: Message) -> None:
        bot.reply(message, f"{message.sender} said {message.text}")

    @bot.command("new")
    def new(ctx: Context) -> None:
        ctx.reply("new")

    stage.ann.say("!new")
    assert [stage.heard().text for _ in range(2)] == ["ann said !new", "new"]
    stage.ann.direct("helper", "psst")
    answered = stage.heard()
    assert (answered.to, answered.text, answered.notice) == ("ann", "ann said psst", True)


def test_a_bot_does_not_hear_itself(stage: Stage) -> None:
    """What it says is no command of its own, and no message for its functions, even if it says so to itself."""
    bot, log = make_bot(bots=True), list[str]()

    @bot.on(Message)
    def note(message: Message) -> None:
        log.append(message.text)
        if message.text == "go":
            bot.direct("helper", "!echo again")
            bot.say("!echo myself")

    stage.let_in(bot)
    stage.ann.say("go")
    assert stage.heard().text == "!echo myself"
    stage.ann.say("!echo next")

    assert stage.heard().text == "next"
    assert log == ["go", "!echo next"]


def test_programs_are_not_heard(stage: Stage) -> None:
    """Neither other bots, nor what is said as a notice: both may be answers."""
    bot, log = make_bot(), list[str]()
    bot.on(Message)(lambda message: log.append(message.text))
    other = stage.server.chat.session("other", bot=True)
    stage.let_in(bot)

    other.say("!echo from a bot")
    stage.ann.say("!echo as a notice", notice=True)
    stage.ann.say("!echo hello")

    assert [stage.heard().text for _ in range(2)] == ["!echo from a bot", "hello"]
    assert log == ["!echo hello"]


def test_programs_are_heard_by_a_bot_that_wants_it(stage: Stage) -> None:
    """But a command in a notice is not run, so two bots that run each other's commands do not go on for ever."""
    bot, log = make_bot(bots=True), list[str]()
    bot.on(Message)(lambda message: log.append(message.text))
    other = stage.server.chat.session("other", bot=True)
    stage.let_in(bot)

    other.say("!echo from a bot")
    assert [stage.heard().text for _ in range(2)] == ["!echo from a bot", "from a bot"]
    other.say("!echo as a notice", notice=True)
    other.say("!echo done")

    assert [stage.heard().text for _ in range(3)] == ["!echo as a notice", "!echo done", "done"]
    assert log == ["!echo from a bot", "!echo as a notice", "!echo done"]


def test_an_action_is_no_command(stage: Stage) -> None:
    """`/me !echo` is something that somebody does."""
    stage.let_in(make_bot())

    stage.ann.say("!echo waving", action=True)
    stage.ann.say("!echo hello")

    assert stage.heard().text == "hello"


def test_a_function_that_fails_hurts_nobody(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Its traceback is in the log; the functions behind it, and the command, are run."""
    bot, log = make_bot(), list[str]()

    @bot.on(Message)
    def fail(message: Message) -> None:
        raise ValueError("oh")

    bot.on(Message)(lambda message: log.append(message.text))
    stage.let_in(bot)
    stage.ann.say("!echo hello")

    assert stage.heard().text == "hello"
    assert log == ["!echo hello"]
    assert "fail failed" in caplog.text
    assert "ValueError: oh" in caplog.text


def test_what_was_said_before_it_came_is_not_heard(stage: Stage) -> None:
    """A bot gets no replay."""
    stage.ann.say("!echo old")
    stage.let_in(make_bot())
    stage.ann.say("!echo new")

    assert stage.heard().text == "new"


# Time and threads


def test_a_function_is_called_again_and_again(stage: Stage) -> None:
    """Also one that is added while the bot waits for something to happen."""
    bot = stage.let_in(Bot("helper"))

    @bot.every(0.01)
    def tick() -> None:
        bot.say("tick")

    assert [stage.heard().text for _ in range(3)] == ["tick", "tick", "tick"]


def test_a_function_can_be_taken_back(stage: Stage) -> None:
    """From events, from the clock and from commands, also by itself; the others go on."""
    bot = stage.let_in(make_bot())
    heard: list[str] = []

    @bot.on(Message)
    @bot.command("once")
    @bot.every(0.01)
    def once(*args: object) -> None:
        heard.extend(arg.text for arg in args if isinstance(arg, Message))

    class Listener:
        def hear(self, message: Message) -> None:
            heard.append("listener")
            bot.off(self.hear)

    bot.on(Message)(Listener().hear)
    stage.ann.say("!echo one")
    assert stage.heard().text == "one"
    bot.off(once)
    stage.ann.say("!once")
    stage.ann.say("!help")

    assert stage.heard().text == "!help [COMMAND]  List the commands, or explain one.\n!echo TEXT  Say it again."
    assert heard == ["!echo one", "listener"]
    with pytest.raises(ValueError, match=r"once is not a function of the bot"):
        bot.off(once)


def test_everything_runs_on_one_thread(stage: Stage) -> None:
    """So the functions of a bot need no locks."""
    bot, threads, ticked = make_bot(), set[int](), threading.Event()

    def note(event: object = None) -> None:
        threads.add(threading.get_ident())

    @bot.every(0.01)
    def tick() -> None:
        note()
        ticked.set()

    bot.on(Message)(note)
    bot.command("note")(note)
    stage.let_in(bot)
    stage.ann.say("!note")
    stage.ann.say("!echo done")

    assert stage.heard().text == "done"
    assert ticked.wait(DEADLINE)
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_slow_function_delays_only_its_bot(stage: Stage) -> None:
    """The members hear each other meanwhile."""
    bot, busy, gate = make_bot(), threading.Event(), threading.Event()

    @bot.command("dream")
    def dream(ctx: Context) -> None:
        busy.set()
        gate.wait(DEADLINE)

    bob = stage.server.session("bob")
    stage.let_in(bot)
    try:
        bob.say("!dream")
        assert busy.wait(DEADLINE)
        stage.ann.say("!echo late")
        bob.say("does it sleep?")
        assert [stage.heard().text for _ in range(2)] == ["!dream", "does it sleep?"]
    finally:
        gate.set()
    assert stage.heard().text == "late"


# Coming and going


def test_a_bot_is_marked_as_one(stage: Stage) -> None:
    """It has the user mode `B`."""
    bot = stage.let_in(Bot("helper"))

    session = stage.server.chat.find(bot.nickname)

    assert session is not None
    assert session.modes == "B"


def test_a_bot_has_the_verbs_of_everybody(stage: Stage) -> None:
    """They may be called from any thread."""
    bot = stage.let_in(Bot("helper"))

    bot.set_nickname("butler")

    assert bot.nickname == "butler"
    assert [member.nickname for member in bot.members("lobby")] == ["ann", "butler"]


def test_a_bot_can_stop_itself(stage: Stage) -> None:
    """From one of its functions; then it is out of the chat, and does not start again."""
    bot = make_bot()

    @bot.command("leave")
    def leave(ctx: Context) -> None:
        bot.stop("as you wish")
        with pytest.raises(ConnectionLost):
            ctx.reply("too late")

    stage.let_in(bot)
    stage.ann.say("!leave")

    wait_until(lambda: stage.server.chat.find("helper") is None, "the bot is gone")
    with pytest.raises(LocalProtocolError, match=r"^the bot was stopped and cannot start again; create a new one$"):
        stage.server.add_bot(bot)


def test_a_reason_that_is_too_long_is_no_reason_to_stay(server: MakeServer) -> None:
    """The one who stops the bot is told, and it leaves without that reason."""
    running = server()
    bot, ann = running.bot("helper"), running.session("ann")

    with pytest.raises(Refused, match=r"^reason: at most 390 characters$"):
        bot.stop("x" * 391)

    assert ann.next(Disconnected, DEADLINE).reason == "quit"


def test_nothing_is_heard_behind_a_stop(stage: Stage) -> None:
    """What waits is not answered."""
    bot, log, gate = make_bot(), list[str](), threading.Event()

    @bot.on(Message)
    def stop(message: Message) -> None:
        log.append(message.text)
        gate.wait(DEADLINE)
        bot.stop()

    stage.let_in(bot)
    stage.ann.say("one")
    stage.ann.say("two")
    gate.set()

    wait_until(lambda: stage.server.chat.find("helper") is None, "the bot is gone")
    assert log == ["one"]


def test_a_bot_is_in_one_chat_at_a_time(stage: Stage) -> None:
    """Else its functions would run on two threads."""
    bot = stage.let_in(make_bot())

    with pytest.raises(LocalProtocolError, match=r"^the bot is already in a chat; create another one$"):
        stage.server.add_bot(bot)
    with pytest.raises(LocalProtocolError, match=r"^the bot is already in a chat; create another one$"):
        bot.run("127.0.0.1", stage.server.port)


def test_a_bot_in_no_chat_says_nothing() -> None:
    """Its verbs fail as they do without a connection."""
    bot = Bot("helper")

    assert bot.nickname == "helper"
    with pytest.raises(ConnectionLost, match=r"^the bot is not in a chat$"):
        bot.say("hello?")


@pytest.mark.parametrize(
    ("add", "error", "text"),
    [
        (lambda bot: bot.on(), TypeError, "name the types of events: @bot.on(Message)"),
        (lambda bot: bot.on(print), TypeError, "name the types of events: @bot.on(Message)"),
        (lambda bot: bot.on(Message)(wait_until), TypeError, "wait_until must take (event)"),
        (lambda bot: bot.every(1)(wait_until), TypeError, "wait_until must take ()"),
        (lambda bot: bot.every(0)(print), ValueError, "every 0 seconds: use a number over 0"),
        (lambda bot: bot.command("echo")(print), ValueError, "command name 'echo' is taken; use another"),
        (lambda bot: bot.add(bot), TypeError, "Bot has no commands: mark its methods with @command(name)"),
        (lambda bot: Bot("x", prefix=" "), ValueError, "prefix ' ' is empty"),
        (lambda bot: Bot("x", rooms="lobby"), TypeError, "rooms must be a list of names: ['lobby'], not 'lobby'"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_added(
    add: Callable[[Bot], object], error: type[Exception], text: str
) -> None:
    """Not when the first event comes."""
    with pytest.raises(error) as caught:
        add(make_bot())

    assert str(caught.value) == text


# Inside the server


def test_a_server_makes_bots(server: MakeServer) -> None:
    """`server.bot` lets one in, and functions are added to it afterwards."""
    running = server()
    ann = running.session("ann", ["ops"])
    bot = running.bot("helper", ["ops"], prefix="?")

    @bot.command("ping")
    def ping(ctx: Context) -> None:
        ctx.reply("pong")

    ann.say("?ping")
    assert ann.next(Message, DEADLINE).text == "pong"


def test_a_room_that_does_not_let_it_in_is_logged(server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Anybody may have given that room a key; the bot is in its other rooms, as over the network."""
    running = server()
    running.session("ann", ["secret"]).set_modes("+k", "sesame")

    bot = running.bot("helper", ["secret", "lobby"])

    assert [record.getMessage() for record in caplog.records] == [
        "<Bot 'helper'>: room 'secret' requires a key; it is missing or wrong"
    ]
    assert [member.nickname for member in bot.members("lobby")] == ["helper"]


def test_a_bot_inside_needs_a_free_nickname(server: MakeServer) -> None:
    """It is refused like everybody; another server may have it."""
    running, bot = server(), Bot("helper")
    running.session("Helper")

    with pytest.raises(Refused, match="nickname 'helper' is in use; choose another"):
        running.add_bot(bot)
    server().add_bot(bot)


def test_a_bot_ends_with_its_server(
    server: MakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quietly, and before `stop` returns."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # so long the bot may take
    running = server()
    running.bot("helper")

    running.stop()

    assert [thread for thread in threading.enumerate() if thread.name == "pychat-bot"] == []
    assert caplog.text == ""


def test_a_bot_that_speaks_while_its_server_stops_is_quiet_about_it(
    server: MakeServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot say anything any more, which is nothing to be logged."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # so long the bot may take
    running, busy, refused = server(), threading.Event(), threading.Event()
    bot, ann = running.bot("helper"), running.session("ann")

    @bot.on(Message)
    def insist(message: Message) -> None:
        busy.set()
        try:
            while True:
                bot.members()
        finally:
            refused.set()

    ann.say("are you there?")
    assert busy.wait(DEADLINE)
    running.stop()

    assert refused.wait(DEADLINE)
    assert caplog.text == ""


def test_a_bot_that_does_not_end_is_named(server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """The server does not wait for it longer than for a handler."""
    running, busy, gate = server(), threading.Event(), threading.Event()
    bot, ann = running.bot("helper"), running.session("ann")

    @bot.on(Message)
    def dream(message: Message) -> None:
        busy.set()
        gate.wait(DEADLINE)

    ann.say("good night")
    assert busy.wait(DEADLINE)
    running.stop()
    gate.set()

    assert "pychat-bot, serving <Bot 'helper'>, is still inside a handler" in caplog.text


def test_a_bot_may_stop_its_server(server: MakeServer) -> None:
    """From one of its functions."""
    running = server()
    bot, ann = running.bot("helper"), running.session("ann")
    bot.on(Message)(lambda message: running.stop())

    ann.say("good night")

    with pytest.raises(LocalProtocolError, match="the session is closed"):
        ann.next(Message, DEADLINE)


def test_a_bot_that_is_kicked_is_out(server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """It does not come back by itself; the log says so."""
    running = server()
    running.bot("helper")
    session = running.chat.find("helper")
    assert session is not None

    session.disconnect("no bots, please")

    wait_until(lambda: "<Bot 'helper'>: the bot was disconnected from the chat" in caplog.text, "the log says so")
    wait_until(lambda: running.chat.find("helper") is None, "its nickname is free")  # which another thread sees to


def test_a_bot_that_is_too_slow_is_put_out(server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everybody is who does not read; the others go on."""
    monkeypatch.setattr(LocalSession, "INBOX_EVENTS", 10)
    running, busy, gate = server(), threading.Event(), threading.Event()
    bot, ann = running.bot("helper"), running.session("ann")

    @bot.on(Message)
    def dream(message: Message) -> None:
        busy.set()
        gate.wait(DEADLINE)

    ann.say("good night")
    assert busy.wait(DEADLINE)
    for number in range(20):
        ann.say(f"{number}")
    wait_until(lambda: running.chat.find("helper") is None, "the bot is put out")
    gate.set()


def test_a_bot_without_a_thread_does_not_stay(server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system has none left, whoever adds it is told, and nobody sees a bot that answers nothing."""
    running = server()

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        running.bot("helper")
    monkeypatch.undo()

    assert running.chat.find("helper") is None


def test_events_that_are_not_for_it_are_cheap_to_ignore(server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """A bot hears a busy room in its order, each message once."""
    running = server()
    bot, ann = running.bot("helper"), running.session("ann")
    heard, done = list[str](), threading.Event()

    @bot.on(Message)
    def note(message: Message) -> None:
        heard.append(message.text)
        if message.text == "999":
            done.set()

    for number in range(1000):
        ann.say(f"{number}")

    assert done.wait(DEADLINE)
    assert heard == [f"{number}" for number in range(1000)]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
