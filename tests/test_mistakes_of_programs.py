"""Mistakes that programs make with pychat: each is told at once, in one sentence that says what to do."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pychat import (
    Bot,
    Chat,
    ChatClient,
    ChatServer,
    Handler,
    Joined,
    Limits,
    Message,
    Notice,
    Refused,
    Room,
    Session,
    command,
)
from pychat.handlers import Broadcast, Commands
from pychat.handlers.function_commands import Context
from pychat.model.errors import InternalFailure, LocalProtocolError
from pychat.model.verbs import Command, Help
from pychat.stores import SqliteLog
from pychat.testing import ChatHarness, MakeChat, chat_servers
from pychat.testing.waiting import wait_until


async def asynchronous(*_: object) -> None:
    """As programs write it that come from elsewhere."""


def generating(*_: object) -> Iterator[None]:
    """A function with a yield by mistake."""
    yield


class Awaited:
    """An object that is called like a function, and is async."""

    async def __call__(self, *_: object) -> None:
        """Never run."""


class AsyncHook(Handler):
    async def on_message(self, session: Session, message: Message) -> None:  # type: ignore[override]
        """Never run."""


class YieldingHook(Handler):
    def on_join(self, session: Session, room: Room) -> Iterator[None]:  # type: ignore[override]
        yield


class Camel(Handler):
    def onMessage(self, session: Session, message: Message) -> None:  # noqa: N802 -- the mistake
        """Never called."""


class Together(Handler):
    def beforemessage(self, session: Session, message: Message) -> None:
        """Never called."""


class Tea:
    @command
    def brew(self, ctx: Context) -> None:
        """Make tea."""
        ctx.reply("ready")


class AsyncTea:
    @command("brew")
    async def brew(self, ctx: Context) -> None:
        """Never run."""


class Quiet(Handler):
    """All right."""


quiet = Quiet()

MISTAKES: list[tuple[str, Callable[[Any, Any], object], type[Exception], str]] = [
    (
        "async hook",
        lambda server, bot: server.add_handler(AsyncHook()),
        TypeError,
        "AsyncHook.on_message is async; hooks are plain functions (they may block)",
    ),
    (
        "hook with yield",
        lambda server, bot: server.add_handler(YieldingHook()),
        TypeError,
        "YieldingHook.on_join has a yield; hooks are plain functions",
    ),
    (
        "async command",
        lambda server, bot: server.command("x")(asynchronous),
        TypeError,
        "command 'x' is async; commands are plain functions (they may block)",
    ),
    (
        "async command of a partial",
        lambda server, bot: bot.command("x")(functools.partial(asynchronous, 1)),
        TypeError,
        "command 'x' is async; commands are plain functions (they may block)",
    ),
    (
        "async command of a group",
        lambda server, bot: bot.add(AsyncTea()),
        TypeError,
        "command 'brew' is async; commands are plain functions (they may block)",
    ),
    (
        "async function of a bot",
        lambda server, bot: bot.on(Message)(asynchronous),
        TypeError,
        "asynchronous is async; functions of a bot are plain functions (they may block)",
    ),
    (
        "async object",
        lambda server, bot: bot.every(60)(Awaited()),
        TypeError,
        "this Awaited is async; functions of a bot are plain functions (they may block)",
    ),
    (
        "function of a bot with yield",
        lambda server, bot: bot.every(60)(generating),
        TypeError,
        "generating has a yield; functions of a bot are plain functions",
    ),
    (
        "bare every",
        lambda server, bot: bot.every(generating),
        TypeError,
        "give the number of seconds: @bot.every(60), not generating",
    ),
    (
        "every text",
        lambda server, bot: bot.every("60"),
        TypeError,
        "give the number of seconds: @bot.every(60), not '60'",
    ),
    ("bare on", lambda server, bot: bot.on(generating), TypeError, "name the types of events: @bot.on(Message)"),
    (
        "on int",
        lambda server, bot: bot.on(Message, int),
        TypeError,
        "int is not an event, so it would never come: @bot.on(Message)",
    ),
    ("no name", lambda server, bot: server.command(5), TypeError, "5 is not a name for a command: @command('roll')"),
    (
        "lambda",
        lambda server, bot: bot.command(lambda ctx: None),
        TypeError,
        "<lambda> is not a name for a command: @command('roll')",
    ),
    ("class of commands", lambda server, bot: bot.add(Tea), TypeError, "Tea is a class; add an object of it: Tea()"),
    (
        "onMessage",
        lambda server, bot: server.add_handler(Camel()),
        TypeError,
        "Camel.onMessage is not a hook; did you mean on_message? (hooks: HOOKS)",
    ),
    (
        "beforemessage",
        lambda server, bot: server.add_handler(Together()),
        TypeError,
        "Together.beforemessage is not a hook; did you mean before_message? (hooks: HOOKS)",
    ),
    (
        "handler twice",
        lambda server, bot: [server.add_handler(each) for each in (quiet, quiet)],
        ValueError,
        "this Quiet is one of the handlers already",
    ),
    (
        "handler twice at once",
        lambda server, bot: Chat([quiet, quiet]),
        ValueError,
        "this Quiet is one of the handlers already",
    ),
    (
        "remove a stranger",
        lambda server, bot: server.remove_handler(Quiet()),
        ValueError,
        "this Quiet is none of the handlers",
    ),
    (
        "before a stranger",
        lambda server, bot: server.add_handler(Quiet(), before=Broadcast()),
        ValueError,
        "this Broadcast is none of the handlers",
    ),
    (
        "code",
        lambda server, bot: Refused("no", code="My Code!"),
        ValueError,
        "code 'My Code!': use lower case letters, digits and underscores, such as 'read_only'",
    ),
    (
        "code of a class",
        lambda server, bot: type("Closed", (Refused,), {"code": "CLOSED"}),
        ValueError,
        "code 'CLOSED': use lower case letters, digits and underscores, such as 'read_only'",
    ),
]


@pytest.mark.parametrize(("make", "error", "text"), [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES])
def test_a_mistake_is_told_at_once(
    make: Callable[[ChatServer, Bot], object], error: type[Exception], text: str
) -> None:
    """When it is made, and not when somebody misses what it should do."""
    server = ChatServer(port=0)
    try:
        with pytest.raises(error) as caught:
            make(server, Bot("helper"))
    finally:
        server.stop()

    said = str(caught.value)
    assert said == text.replace("HOOKS", said[said.find("(hooks: ") + 8 : -1])


CERTIFICATE = "tls must be a Certificate, such as Certificate('cert.pem', 'key.pem'), not 'cert.pem'"
PAIR = "a host and a port, such as ('127.0.0.1', 55555)"
ACCOUNTS = "accounts must be an object of a class derived from pychat.Accounts, not {'ann': 'sesame'}"
HANDLERS = "handlers must be a list: [Broadcast()], not a Broadcast"
PROXIES = "proxies must be a list of addresses: ['10.0.0.1'], not '10.0.0.1'"
ONE_ADDRESS = "give server_address, or host and port, or unix: only one of them"

ARGUMENTS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (
        lambda: ChatServer(_any(41000)),
        TypeError,
        f"server_address must be {PAIR}, or give port=41000, not 41000",
    ),
    (
        lambda: ChatServer(_any("localhost")),
        TypeError,
        f"server_address must be {PAIR}, or give host=..., port=..., not 'localhost'",
    ),
    (lambda: ChatServer(("127.0.0.1", 4), port=5), TypeError, ONE_ADDRESS),
    (lambda: ChatServer(("127.0.0.1", 4), unix="chat.sock"), TypeError, ONE_ADDRESS),
    (lambda: ChatServer(host="::1", unix="chat.sock"), TypeError, ONE_ADDRESS),
    (lambda: ChatServer(port=_any("41000")), TypeError, "port must be a whole number from 0 to 65535, not '41000'"),
    (lambda: ChatServer(port=65536), ValueError, "port must be a whole number from 0 to 65535, not 65536"),
    (lambda: ChatServer(host=_any(5)), TypeError, "host must be a string, such as '127.0.0.1', not 5"),
    (lambda: ChatServer(log=_any("a.db")), TypeError, "log must be a log, such as SqliteLog('a.db'), not 'a.db'"),
    (
        lambda: ChatServer(log=_any(SqliteLog)),
        TypeError,
        "log must be a log, such as SqliteLog('chat.db'), not an object of type ABCMeta",
    ),
    (lambda: ChatServer(tls=_any("cert.pem")), TypeError, CERTIFICATE),
    (
        lambda: ChatServer(accounts=_any({"ann": "sesame"})),
        TypeError,
        "accounts must be an object of a class derived from pychat.Accounts, not {'ann': 'sesame'}",
    ),
    (
        lambda: ChatServer(operators=_any(["root"])),
        TypeError,
        "operators must be a dictionary, such as {'root': 'secret'}, not an object of type list",
    ),
    (
        lambda: ChatServer(operators=_any({"root": 5})),
        TypeError,
        "operators must be a dictionary of texts, such as {'root': 'secret'}",
    ),
    (lambda: ChatServer(password=_any(5)), TypeError, "password must be a string, not an object of type int"),
    (
        lambda: ChatServer(handlers=_any(Broadcast())),
        TypeError,
        "handlers must be a list: [Broadcast()], not a Broadcast",
    ),
    (lambda: ChatServer(handlers=_any(5)), TypeError, "handlers must be a list, such as [Broadcast()], not 5"),
    (
        lambda: ChatServer(limits=_any({"nickname_chars": 5})),
        TypeError,
        "limits must be a Limits, such as Limits(nickname_chars=16), not {'nickname_chars': 5}",
    ),
    (
        lambda: ChatServer(proxies="10.0.0.1"),
        TypeError,
        "proxies must be a list of addresses: ['10.0.0.1'], not '10.0.0.1'",
    ),
    (lambda: ChatServer(proxies=_any(5)), TypeError, "proxies must be a list, such as ['10.0.0.1'], not 5"),
    (lambda: ChatServer(motd="Be kind."), TypeError, "motd must be a list of lines: ['Be kind.'], not 'Be kind.'"),
    (lambda: ChatServer(motd=_any(5)), TypeError, "motd must be a list, such as ['Be kind.'], not 5"),
    (lambda: ChatServer(motd=_any([5])), TypeError, "motd must be a list of lines, not 5"),
    (lambda: ChatServer(clock=_any(5)), TypeError, "clock must be a clock, such as pychat.testing.FakeClock(), not 5"),
    (
        lambda: SqliteLog("a.db", clock=_any(5)),
        TypeError,
        "clock must be a clock, such as pychat.testing.FakeClock(), not 5",
    ),
    (lambda: ChatServer(default_room=_any(5)), TypeError, "default_room must be a string, not 5"),
    (lambda: ChatServer(name=_any(5)), TypeError, "name must be a string, not 5"),
    (lambda: _any(Limits)(nick_chars=5), TypeError, "there is no limit nick_chars; did you mean nickname_chars?"),
    (lambda: _any(Limits)(xyzzy=5), TypeError, "there is no limit xyzzy"),
    (lambda: SqliteLog("a.db", sync="off"), ValueError, "sync must be 'full' or 'normal', not 'off'"),
    (lambda: SqliteLog("a.db", keep_seconds=_any("30d")), TypeError, "keep_seconds must be a number over 0, not '30d'"),
    (lambda: SqliteLog("a.db", keep_bytes=0), ValueError, "keep_bytes must be a number over 0, not 0"),
]


def _any(value: object) -> Any:
    """What a type checker would refuse."""
    return value


@pytest.mark.parametrize(("make", "error", "text"), ARGUMENTS, ids=[each[2][:40] for each in ARGUMENTS])
def test_a_wrong_argument_is_told_with_what_is_wanted(
    make: Callable[[], object], error: type[Exception], text: str
) -> None:
    """Not by an attribute that something else does not have, nor by nothing."""
    with pytest.raises(error) as caught:
        make()

    assert str(caught.value) == text


def test_reload_checks_what_it_is_given() -> None:
    """It is all of it or nothing, so the types are looked at before."""
    server = ChatServer(port=0)
    try:
        with pytest.raises(TypeError, match="limits must be a Limits"):
            server.reload(limits=_any({}))
        with pytest.raises(TypeError, match="password must be a string, not an object of type int"):
            server.reload(password=_any(5))
        with pytest.raises(TypeError, match="motd must be a list of lines"):
            server.reload(password="sesame12", motd="Be kind.")
        assert server.chat.password is None
    finally:
        server.stop()


NOBODY_HEARS = (
    "nobody will receive messages: no handler publishes them; add Broadcast() to handlers=[...], "
    "or leave handlers= out and use server.add_handler(...)"
)


@pytest.mark.parametrize(
    ("handlers", "warnings"),
    [
        (None, []),
        ([Quiet(), Broadcast()], []),
        ([Quiet()], [NOBODY_HEARS]),
        ([Commands()], [NOBODY_HEARS]),
        ([], [NOBODY_HEARS]),
    ],
)
def test_a_mute_chat_warns(
    caplog: pytest.LogCaptureFixture, handlers: list[Handler] | None, warnings: list[str]
) -> None:
    """Handlers that are named replace the usual ones, which is easily forgotten."""
    with ChatServer(port=0, handlers=handlers):
        assert [record.getMessage() for record in caplog.records] == warnings


class Counter(Handler):
    """Looks at all messages, and publishes those about tea, changed."""

    def on_message(self, session: Session, message: Message) -> None:
        if "tea" in message.text:
            session.chat.publish(message._replace(text="(about tea)"))


def test_a_message_that_nobody_hears_is_told(chat_server: MakeChat, caplog: pytest.LogCaptureFixture) -> None:
    """To the program that says it, and once in the log, also if somebody without acknowledgements said it."""
    chat = chat_server(handlers=[Counter()])
    ann, bob, nc = chat.session("ann"), chat.join("bob"), chat.connect()
    not_published = "no handler of the server has published the message, so nobody has received it yet"

    assert bob.say("tea, anyone?") == ann.next(Message).id
    nc.send("nc\nmore tea\n")
    assert ann.next(Message).text == "(about tea)"
    assert caplog.messages == []
    nc.send("coffee\n")
    wait_until(lambda: caplog.messages, "the warning is there")
    for person in (ann, bob):
        for say in (functools.partial(person.say, "coffee"), functools.partial(person.direct, "bob", "coffee")):
            with pytest.raises(Refused) as caught:
                say()
            assert (caught.value.code, str(caught.value)) == ("not_published", not_published)

    warning = (
        "nobody receives messages from nc: no handler has published them; add Broadcast() to the handlers, or let "
        "one call session.chat.publish(message)"
    )
    assert caplog.messages == [warning]


def test_a_handler_that_failed_is_no_mute_chat(chat_server: MakeChat, caplog: pytest.LogCaptureFixture) -> None:
    """It may have wanted to publish the message; the log has why it did not."""

    class Closed(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            raise Refused("closed for today")

    ann = chat_server(handlers=[Closed()]).session("ann")

    with pytest.raises(Refused, match="closed for today"):
        ann.say("hello")

    assert caplog.messages == []


@pytest.mark.parametrize("way", ["process", "network", "bot"])
def test_a_room_that_only_irc_calls_so_is_told(chat: ChatHarness, way: str) -> None:
    """Where it is asked for, and none is made; one that is there lets everybody in."""
    come: dict[str, Callable[[str], object]] = {
        "process": lambda room: chat.session("ann", room),
        "network": lambda room: chat.join("ann", room),
        "bot": lambda room: chat.run_bot(Bot("ann", rooms=[room])),
    }
    with pytest.raises(Refused) as caught:
        come[way]("#ops")

    assert (caught.value.code, str(caught.value)) == (
        "no_such_room",
        "there is no room '#ops'; only IRC puts '#' before the name of a room",
    )
    assert chat.server.chat.find_room("#ops") is None
    chat.wait_until(lambda: chat.server.chat.find("ann") is None, "the one who was refused is gone")
    chat.room("#ops")
    come[way]("#ops")
    assert [member.nickname for member in chat.room("#ops").members] == ["ann"]


# Verbs, in the process and across the network

WHAT_TO_ASK: list[tuple[Callable[[Any], object], str]] = [
    (lambda ann: ann.say(5), "text must be a string, not 5"),
    (lambda ann: ann.say(None), "text must be a string, not None"),
    (lambda ann: ann.say("x", 5), "room must be a string or None, not 5"),
    (lambda ann: ann.join(5), "room must be a string, not 5"),
    (lambda ann: ann.direct("bob", b"x"), "text must be a string, not b'x'"),
    (lambda ann: ann.set_topic(None), "topic must be a string, not None"),
    (lambda ann: ann.history(limit="5"), "limit must be a whole number or None, not '5'"),
    (lambda ann: ann.register(5), "password must be a string, not an object of type int"),
    (lambda ann: ann.ask("x"), "ask for a verb, such as WhoIs('ann') of pychat.model.queries, not 'x'"),
    (lambda ann: ann.next("Message"), "name a type of events, such as next(Message), not 'Message'"),
    (lambda ann: ann.next(()), "name a type of events, such as next(Message), not ()"),
]


@pytest.mark.parametrize(("ask", "text"), WHAT_TO_ASK, ids=[each[1] for each in WHAT_TO_ASK])
def test_a_wrong_argument_of_a_verb_is_told_the_same_way_everywhere(
    chat: ChatHarness, ask: Callable[[Any], object], text: str
) -> None:
    """What is written for a session of the process works with a client, and so do the errors."""
    bot = Bot("helper")
    chat.server.add_bot(bot)
    local, client = chat.session("ann"), chat.join("bob")
    for participant in (local, client) if "next(" in text else (local, client, bot):
        with pytest.raises(TypeError) as caught:
            ask(participant)
        assert str(caught.value) == text


def test_a_room_in_the_place_of_its_name(chat: ChatHarness) -> None:
    """It is what `server.room` returns, so it is tried."""
    for participant in (chat.session("ann"), chat.join("bob")):
        with pytest.raises(TypeError) as caught:
            participant.say("x", _any(chat.room("lobby")))
        assert str(caught.value) == "room must be the name of a room, 'lobby', not the room"


def test_next_of_several_types_that_do_not_come(chat: ChatHarness) -> None:
    """The error names them, and is no other error."""
    ann = chat.server.session("ann")
    with ChatClient("127.0.0.1", chat.port, nick="bob") as bob:
        for participant in (ann, bob):
            for kinds in ((Message, Notice), Message | Notice):
                with pytest.raises(TimeoutError, match=r"^no Message or Notice within 0 s$"):
                    participant.next(_any(kinds), timeout=0)


def test_a_verb_after_the_end_says_why(chat: ChatHarness) -> None:
    """Whether the session left by itself, or was put out."""
    left, kicked = chat.server.session("ann"), chat.server.session("bob")
    left.close()
    kicked.disconnect("spam")

    for session, text in ((left, "the session is closed"), (kicked, "the session is closed: spam")):
        chat.wait_until(lambda session=session: session.closed, "it is closed")  # type: ignore[misc]
        with pytest.raises(LocalProtocolError) as caught:
            session.say("x")
        assert str(caught.value) == text


def test_end_from_elsewhere_says_what_is_for_that(chat_server: MakeChat) -> None:
    """Its hooks would run on two threads at once."""

    class Ends(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            for other in session.chat.sessions():
                if other is not session:
                    other.disconnect_self("ended")

    chat = chat_server()
    ann, bob = chat.join("ann"), chat.join("bob")
    chat.server.add_handler(Ends())

    ann.say("x")
    chat.wait_until(lambda: chat.errors, "the hook has failed")
    found = chat.server.chat.find("bob")
    assert found is not None
    with pytest.raises(LocalProtocolError) as caught:
        found.disconnect_self("ended")

    assert str(caught.value) == "disconnect_self() is for hooks of 'bob' itself; use disconnect() from elsewhere"
    assert str(caught.value) in chat.errors.pop()
    assert bob.members()


CLIENTS: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: ChatClient(_any(41000), nick="ann"), TypeError, "host must be a string, such as '127.0.0.1', not 41000"),
    (
        lambda: ChatClient(port=_any("41000"), nick="ann"),
        TypeError,
        "port must be a whole number from 0 to 65535, not '41000'",
    ),
    (lambda: ChatClient(nick=_any(5)), TypeError, "nick must be a string, not 5"),
    (lambda: ChatClient(nick="ann", rooms="lobby"), TypeError, "rooms must be a list of names: ['lobby'], not 'lobby'"),
    (lambda: ChatClient(nick="ann", rooms=_any(5)), TypeError, "rooms must be a list, such as ['lobby'], not 5"),
    (
        lambda: ChatClient(nick="ann", tls=_any("cert.pem")),
        TypeError,
        "tls must be True, or Trust(ca='cert.pem'), or an ssl.SSLContext, not 'cert.pem'",
    ),
    (lambda: Bot(_any(5)), TypeError, "nick must be a string, not 5"),
    (lambda: Bot("x", prefix=_any(None)), TypeError, "prefix must be a string, not None"),
]


@pytest.mark.parametrize(("make", "error", "text"), CLIENTS, ids=[each[2][:40] for each in CLIENTS])
def test_a_wrong_argument_of_a_client_is_told_before_it_connects(
    make: Callable[[], object], error: type[Exception], text: str
) -> None:
    """No server is needed to know it."""
    with pytest.raises(error) as caught:
        make()

    assert str(caught.value) == text


@pytest.mark.parametrize(
    "make", [lambda rooms: ChatClient(nick="ann", rooms=rooms), lambda rooms: Bot("x", rooms=rooms)]
)
def test_a_room_that_cannot_be_is_refused_at_once(make: Callable[[list[str]], object]) -> None:
    """A client was made that was in no room."""
    with pytest.raises(Refused, match="room 'two words': spaces are not allowed"):
        make(["lobby", "two words"])


# What cannot be seen before it is called


def test_what_returns_a_coroutine_is_an_error_in_the_log(chat: ChatHarness) -> None:
    """A function that only makes a coroutine is not told from others before it is called."""
    bot = chat.server.bot("helper")
    chat.server.command("later")(lambda ctx: asynchronous())
    bot.on(Joined)(lambda joined: asynchronous())
    ann = chat.join("ann")

    with pytest.raises(Refused, match="internal error"):
        ann.ask(Command("later"))

    chat.wait_until(lambda: len(chat.errors) == 2, "both are logged")
    for error in chat.errors:
        assert "TypeError: <lambda> returned a coroutine, which nobody runs; use plain functions" in error
    chat.errors.clear()


def test_a_hook_of_messages_that_returns_a_coroutine_is_an_error_in_the_log(chat: ChatHarness) -> None:
    """A decorator hides that it is async, and nothing happened."""

    class Wrapped(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            return asynchronous()  # type: ignore[return-value]

    chat.server.add_handler(Wrapped())

    chat.session("ann").say("hello")

    assert "Wrapped.on_message returned a coroutine, which nobody runs; use plain functions" in chat.errors.pop()


def test_a_hook_that_returns_other_lines_of_help_is_an_error_in_the_log(chat_server: MakeChat) -> None:
    """A string is a list of letters to Python."""

    class Helps(Handler):
        def on_help(self, session: Session) -> list[str]:
            return "!roll"  # type: ignore[return-value]

    chat = chat_server(handlers=[Helps(), Broadcast()])

    with pytest.raises(Refused, match="internal error"):
        chat.join("ann").ask(Help("the protocol's"))

    assert "Helps.on_help returned '!roll', not a list of lines" in chat.errors.pop()


# Bare decorators


def test_a_bare_decorator_names_the_command_like_the_function(chat: ChatHarness) -> None:
    """With parentheses, too, in a server, in a bot, and in a group."""

    @chat.server.command
    def double(ctx: Context, number: int) -> None:
        ctx.reply(str(2 * number))

    @chat.server.command()
    def half(ctx: Context, number: int) -> None:
        ctx.reply(str(number // 2))

    chat.server.add_commands(Tea())
    bot = chat.server.bot("helper", prefix="?")

    @bot.command
    def treble(ctx: Context, number: int) -> None:
        ctx.reply(str(3 * number))

    ann = chat.session("ann")
    for said, answer in (("!double 4", "8"), ("!half 4", "2"), ("!brew", "ready")):
        ann.say(said)
        assert ann.next(Notice).text == answer
    ann.say("?treble 4")
    assert ann.next(Message).text == "12"


# What ends more than a function


class Exits(Handler):
    """Calls sys.exit(), or fails as a test does, which is no `Exception` either."""

    def __init__(self, hook: str, error: type[BaseException]) -> None:
        self._hook, self._error = hook, error

    def _fail(self, hook: str) -> None:
        if hook == self._hook:
            raise self._error("that is all")

    def before_message(self, session: Session, message: Message) -> Message:
        self._fail("before_message")
        return message

    def on_message(self, session: Session, message: Message) -> None:
        self._fail("on_message")

    def on_join(self, session: Session, room: Room) -> None:
        self._fail("on_join")

    def announces(self, session: Session, room: Room, kind: type) -> bool:
        self._fail("announces")
        return False

    def on_command(self, session: Session, command: Command) -> bool:
        self._fail("on_command")
        return True


def run_hook(chat: ChatHarness, hook: str) -> Any:
    """Let somebody cause it; return the session."""
    ann = chat.join("ann")
    if hook == "on_command":
        ann.ask(Command("x"))
    elif hook.endswith("message"):
        ann.say("hello")
    return ann


@pytest.mark.parametrize("error", [SystemExit, pytest.fail.Exception])
@pytest.mark.parametrize("hook", ["before_message", "on_message", "on_join", "announces", "on_command"])
def test_a_hook_that_exits_is_logged_like_every_other_that_fails(
    chat_server: MakeChat, hook: str, error: type[BaseException]
) -> None:
    """The person is told what is told always, and stays; in a test the log is the failure."""
    chat = chat_server(handlers=[Exits(hook, error), Broadcast()])

    try:
        run_hook(chat, hook)
    except Refused as refusal:
        assert str(refusal) == "internal error"  # noqa: PT017 -- some hooks refuse, others do not

    chat.wait_until(lambda: chat.errors, "it is logged")
    assert f"handler hook Exits.{hook} failed" in chat.errors[0]
    assert "that is all" in chat.errors[0]
    chat.errors.clear()
    assert "ann" in [session.nickname for session in chat.server.chat.sessions()]


def test_sys_exit_in_a_command_or_a_function_of_a_bot_is_logged(chat: ChatHarness) -> None:
    """It ends neither the connection of the one who asked nor the thread of the bot."""
    bot = chat.server.bot("helper", prefix="?")
    chat.server.command("exit")(lambda ctx: sys.exit("of the server"))
    bot.command("exit")(lambda ctx: sys.exit("of the bot"))
    bot.on(Joined)(lambda joined: sys.exit("of a function"))
    ann = chat.join("ann")

    ann.say("!exit")
    ann.say("?exit")
    assert ann.next(Message).text == "internal error"

    for said, error in zip(
        ("of the server", "of the bot", "of a function"), sorted(chat.errors, key=_place), strict=True
    ):
        assert f"SystemExit: {said}" in error
    chat.errors.clear()
    assert bot.connected


def _place(error: str) -> int:
    return ["of the server", "of the bot", "of a function"].index(error.strip().rpartition(": ")[2])


def test_ctrl_c_goes_on_through_hooks(chat_server: MakeChat) -> None:
    """On the main thread, where a program's own session may run its hooks, it is meant for the program."""
    chat = chat_server(handlers=[Exits("before_message", KeyboardInterrupt), Broadcast()])
    ann = chat.session("ann")

    with pytest.raises(KeyboardInterrupt):
        ann.say("hello")


# Refused


class Refuses(Handler):
    """Refuses in hooks that cannot undo what they are told of."""

    def _refuse(self, what: str) -> None:
        raise Refused(f"not here: {what}", code="not_here")

    def on_join(self, session: Session, room: Room) -> None:
        if room.key == "ops":
            self._refuse("join")

    def on_topic(self, session: Session, room: Room, topic: str) -> None:
        self._refuse("topic")

    def on_leave(self, session: Session, room: Room, reason: str) -> None:
        if not session.closed:
            self._refuse("leave")

    def on_nick(self, session: Session, old: str | None, new: str) -> None:
        if old is not None:
            self._refuse("nick")


def test_refused_of_an_on_hook_is_told_to_the_person(chat_server: MakeChat) -> None:
    """As the docs say of every hook; it is no failure, and what the hook was told of holds."""
    chat = chat_server(handlers=[Refuses(), Broadcast()])
    nc = chat.connect()
    nc.send("ann\n")
    nc.read_until("you are")

    for line, text in (("/topic tea", "topic"), ("/join ops", "join"), ("/nick bob", "nick"), ("/leave", "leave")):
        nc.send(f"{line}\n")
        assert nc.read_until("not here")[-1].endswith(f"not here: {text}")

    assert chat.errors == []
    assert chat.room("lobby").topic == "tea"


def test_refused_of_an_on_hook_is_a_notice_to_a_session_of_the_program(chat_server: MakeChat) -> None:
    """It has no other place for what is told to it alone."""
    chat = chat_server(handlers=[Refuses(), Broadcast()])
    ann = chat.session("ann")

    ann.join("ops")

    assert ann.next(Notice).text == "not here: join"


def test_a_refusal_from_a_peer_may_have_any_code() -> None:
    """Only our own are checked: a server of tomorrow may have others."""
    from pychat.model.replies import Failure

    assert Failure(None, "Not-Ours", "no").error().code == "Not-Ours"
    assert InternalFailure().code == "internal"


def test_a_test_that_has_failed_shows_what_was_logged() -> None:
    """Where a handler fails the test, the error of the client alone would not tell why."""

    def test() -> None:
        with chat_servers() as chat_server:
            chat = chat_server(handlers=[Exits("before_message", pytest.fail.Exception), Broadcast()])
            chat.join("ann").say("hello")

    with pytest.raises(Refused, match="internal error") as caught:
        test()

    assert "Failed: that is all" in "".join(caught.value.__notes__)
