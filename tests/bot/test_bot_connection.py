"""`Bot.run`: how a bot connects, comes back after a loss with what it missed, and ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from chat_clients import DEADLINE, free_port, refusing_port, wait_until

import pychat.client
from pychat import Bot, ChatServer, Gap, Limits, LocalSession, Message, Refused
from pychat.client import Reconnected, Reconnecting, backoff
from pychat.client.inbox import Inbox
from pychat.handlers import Context
from pychat.model.errors import ConnectFailed, ConnectionLost, LocalProtocolError
from pychat.testing import Network

MakeServer = Callable[..., ChatServer]
Run = Callable[..., "Future[None]"]


def make_bot(**options: Any) -> Bot:
    """A bot with the command `!echo`."""
    bot = Bot("helper", **options)

    @bot.command("echo")
    def echo(ctx: Context, *, text: str) -> None:
        """Say it again."""
        ctx.reply(text)

    return bot


@pytest.fixture
def run() -> Iterator[Run]:
    """Return a function that runs a bot on a thread of its own; the future tells how it ended."""
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor())

        def start(bot: Bot, port: int, **options: Any) -> Future[None]:
            stack.callback(bot.stop)
            return pool.submit(bot.run, "127.0.0.1", port, **options)

        yield start


@pytest.fixture
def network() -> Iterator[Callable[[int], Network]]:
    """Return a function that makes a network before the port of a server."""
    with ExitStack() as stack:

        def make(port: int) -> Network:
            made = Network("127.0.0.1", port)
            stack.callback(made.close)
            return made

        yield make


def wait_connected(bot: Bot) -> None:
    """Wait until the bot is in its rooms."""
    wait_until(lambda: bot.connected, "the bot is in a chat")


# Coming in


def test_nobody_there_is_connect_failed() -> None:
    """As for a client."""
    with refusing_port() as port, pytest.raises(ConnectFailed) as caught:
        Bot("helper").run("127.0.0.1", port)
    assert str(caught.value) == f"cannot connect to 127.0.0.1 port {port}: Connection refused"


def test_a_nickname_in_use_is_refused(server: MakeServer) -> None:
    """As for a client; then the bot may try elsewhere."""
    running, bot = server(), Bot("ann")
    running.session("ann")

    for _ in range(2):
        with pytest.raises(Refused, match=r"^nickname 'ann' is in use; choose another$"):
            bot.run("127.0.0.1", running.port)


def test_a_bot_waits_for_its_server(server: MakeServer, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it is told to."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.01)
    port, bot = free_port(), make_bot()
    run(bot, port, wait=True)
    running = server(port=port)
    wait_connected(bot)
    ann = running.session("ann")

    ann.say("!echo at last")

    assert ann.next(Message, DEADLINE).text == "at last"


def test_a_bot_that_waits_can_be_stopped(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """It ends without having been anywhere."""
    bot = Bot("helper")
    with refusing_port() as port:
        ended = run(bot, port, wait=True)
        wait_until(lambda: "trying again in" in caplog.text, "the bot has tried")

        bot.stop()

        assert ended.result(DEADLINE) is None
    assert (
        f"<Bot 'helper'>: cannot connect to 127.0.0.1 port {port}: Connection refused; trying again in" in caplog.text
    )


def test_a_bot_that_was_stopped_does_not_start(server: MakeServer) -> None:
    """So a stop cannot be too early."""
    bot = Bot("helper")
    bot.stop()

    with pytest.raises(LocalProtocolError, match=r"^the bot was stopped and cannot start again; create a new one$"):
        bot.run("127.0.0.1", server().port)


def test_a_bot_gives_the_password_of_its_server(server: MakeServer, run: Run) -> None:
    """What `ChatClient` takes, `run` takes."""
    running, bot = server(password="sesame"), make_bot()

    with pytest.raises(Refused) as refused:
        bot.run("127.0.0.1", running.port)
    assert refused.value.code == "password_required"
    run(bot, running.port, password="sesame")
    wait_connected(bot)


def test_a_room_that_lets_nobody_in_is_logged(server: MakeServer, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """The bot is in its other rooms."""
    running, bot = server(), make_bot(rooms=["secret", "lobby"])
    ann = running.session("ann", ["lobby", "secret"])
    ann.set_modes("+k", "sesame", room="secret")
    run(bot, running.port)
    wait_until(lambda: "<Bot 'helper'>: " in caplog.text, "the log says so")

    ann.say("!echo here", "lobby")

    assert ann.next(Message, DEADLINE).text == "here"


# Losing the connection


def test_a_command_that_was_missed_is_run(
    server: MakeServer, run: Run, network: Callable[[int], Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot resumes from its last position, hears everything once, and is still marked as a bot."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.01)
    running, bot, heard, back = server(), make_bot(), list[str](), threading.Event()
    between = network(running.port)
    bot.on(Message)(lambda message: heard.append(message.text))
    bot.on(Reconnected)(lambda reconnected: back.set())
    ann = running.session("ann")
    ann.say("!echo before it came")
    run(bot, between.port)
    wait_connected(bot)
    ann.say("!echo before")
    assert ann.next(Message, DEADLINE).text == "before"

    between.down()
    ann.say("!echo missed")
    between.resume()
    assert back.wait(DEADLINE)
    ann.say("!echo after")

    answers = [ann.next(Message, DEADLINE) for _ in range(2)]
    assert [(answer.text, answer.by_bot) for answer in answers] == [("missed", True), ("after", True)]
    assert heard == ["!echo before", "!echo missed", "!echo after"]


def heard_by(bot: Bot, running: ChatServer, run: Run, port: int) -> LocalSession:
    """Start a bot that echoes; return somebody whom it has answered."""
    ann = running.session("ann")
    run(bot, port)
    wait_connected(bot)
    ann.say("!echo before")
    assert ann.next(Message, DEADLINE).text == "before"
    return ann


def test_a_command_that_was_missed_for_too_long_is_not_run(
    server: MakeServer, run: Run, network: Callable[[int], Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions hear of it all the same."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.01)
    running, bot, heard, back = server(), make_bot(catch_up=0), list[str](), threading.Event()
    between = network(running.port)
    bot.on(Message)(lambda message: heard.append(message.text))
    bot.on(Reconnected)(lambda reconnected: back.set())
    ann = heard_by(bot, running, run, between.port)

    between.down()
    ann.say("!echo missed")
    between.resume()
    assert back.wait(DEADLINE)
    ann.say("!echo after")

    assert ann.next(Message, DEADLINE).text == "after"
    assert heard == ["!echo before", "!echo missed", "!echo after"]


def test_a_bot_that_has_missed_more_than_is_kept_says_so(
    server: MakeServer,
    run: Run,
    network: Callable[[int], Network],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In the log, to the functions that want to know of it, and when it is back."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.01)
    running, bot, heard, back = server(limits=Limits(history_events=5)), make_bot(), list[object](), threading.Event()
    between = network(running.port)
    bot.on(Message, Gap, Reconnected)(heard.append)
    bot.on(Reconnected)(lambda reconnected: back.set())
    ann = heard_by(bot, running, run, between.port)

    between.down()
    for number in range(19):
        ann.say(f"{number}")
    between.resume()
    assert back.wait(DEADLINE)

    texts = [event.text for event in heard if isinstance(event, Message)]
    assert texts == ["!echo before", *[f"{number}" for number in range(19 - len(texts) + 1, 19)]]
    assert [event.room for event in heard if isinstance(event, Gap)] == ["lobby"]
    assert isinstance(heard[-1], Reconnected)
    assert (heard[-1].missed, heard[-1].gaps) == (len(texts) - 1, 1)
    assert "<Bot 'helper'> has missed messages in lobby that the server no longer has" in caplog.text


def test_functions_of_time_go_on_without_a_connection(
    server: MakeServer, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """What they want to say cannot be said, which is logged without a traceback."""
    running, bot = server(port=free_port()), Bot("helper")
    run(bot, running.port)
    wait_connected(bot)
    running.stop()
    wait_until(lambda: not bot.connected, "the connection is lost")

    @bot.every(0.01)
    def tick() -> None:
        bot.say("tick")

    wait_until(lambda: caplog.text.count("tick: not connected at the moment; nothing was sent") > 1, "two calls failed")
    assert "Traceback" not in caplog.text


def test_a_bot_that_is_too_slow_is_told(
    server: MakeServer, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it cannot keep is dropped, the oldest first, and the log says how much."""
    monkeypatch.setattr(pychat.client, "Inbox", partial(Inbox, 5))
    running, bot, heard = server(), make_bot(), list[str]()
    busy, gate, said = threading.Event(), threading.Event(), threading.Event()
    ann = running.session("ann")

    @bot.on(Message)
    def dream(message: Message) -> None:
        heard.append(message.text)
        busy.set()
        gate.wait(DEADLINE)
        if message.text == "last":
            said.set()

    run(bot, running.port)
    wait_connected(bot)
    ann.say("first")
    assert busy.wait(DEADLINE)
    for number in range(20):
        ann.say(f"{number}")
    ann.say("last")
    bot.members()  # its answer comes behind what was said
    gate.set()

    assert said.wait(DEADLINE)
    assert heard == ["first", "16", "17", "18", "19", "last"]
    assert "<Bot 'helper'> is too slow: 16 events were dropped" in caplog.text


def test_a_bot_obeys_also_if_it_never_hears_that_it_is_back(
    server: MakeServer, run: Run, network: Callable[[int], Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was too slow, and that was among what was dropped."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.01)
    monkeypatch.setattr(pychat.client, "Inbox", partial(Inbox, 5))
    running, bot, busy, gate = server(), make_bot(catch_up=0), threading.Event(), threading.Event()
    between, ann = network(running.port), running.session("ann")

    @bot.on(Reconnecting)
    def dream(reconnecting: Reconnecting) -> None:
        busy.set()
        gate.wait(DEADLINE)

    run(bot, between.port)
    wait_connected(bot)
    between.cut()
    assert busy.wait(DEADLINE)
    wait_connected(bot)
    for text in ("", *map(str, range(20))):
        ann.say(text or "back")
        bot.members()  # its answer comes behind that it is back, and behind what was said
    gate.set()
    ann.say("!echo here")

    assert ann.next(Message, DEADLINE).text == "here"


# The end


def test_a_bot_that_is_put_out_ends(server: MakeServer, run: Run) -> None:
    """It does not come back by itself, and `run` says why."""
    running, bot = server(operators={"root": "sesame"}), Bot("helper")
    ended = run(bot, running.port)
    wait_connected(bot)
    session = running.chat.find("helper")
    assert session is not None

    session.must_not_return = True
    session.disconnect("no bots, please")

    with pytest.raises(ConnectionLost, match="no bots, please"):
        ended.result(DEADLINE)
    assert not bot.connected


def test_stop_ends_a_bot_with_a_reason(server: MakeServer, run: Run) -> None:
    """From any thread; the others hear the reason, and `run` returns."""
    running, bot = server(), Bot("helper")
    ann = running.session("ann")
    ended = run(bot, running.port)
    wait_connected(bot)

    bot.stop("out of dice")

    assert ended.result(DEADLINE) is None
    assert ann.next(pychat.Disconnected, DEADLINE).reason == "out of dice"


def test_ctrl_c_ends_a_bot(server: MakeServer) -> None:
    """Also while a function runs; `run` returns, and the bot has left the chat."""
    running, bot = server(), Bot("helper")
    ann = running.session("ann")
    bot.every(0.01)(lambda: signal.raise_signal(signal.SIGINT))

    bot.run("127.0.0.1", running.port)

    assert ann.next(pychat.Disconnected, DEADLINE).nickname == "helper"
