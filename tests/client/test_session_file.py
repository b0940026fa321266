"""What a client keeps over its own end: the file, and clients, bots and `pychat connect` that go on with it."""

from __future__ import annotations

import json
import logging
import signal
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, free_port, wait_until
from chat_programs import Programs, pychat

from pychat import Bot, Disconnected, Limits, Message, Refused
from pychat.client import ChatClient, Reconnected, reconnect, wire
from pychat.client.inbox import Inbox
from pychat.client.session_file import InUse, Kept, SessionFile
from pychat.client.wire import Wire, say_hello
from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model.errors import CannotOpen, ConnectFailed, LocalProtocolError
from pychat.model.replies import Gap
from pychat.model.verbs import Hello
from pychat.testing import ChatHarness, MakeChat, Member, Network

__all__ = ["pychat"]  # the fixture


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where there is no file yet."""
    return tmp_path / "session.json"


# The file


def test_what_is_kept_is_there_again(path: Path) -> None:
    """The last of it, for the nickname on the server that it was for."""
    file = SessionFile(path)
    assert file.begin("host:1", "ann") == Kept("host:1", "ann")
    file.keep(token="secret")
    file.keep(place=1)
    file.keep(place=2)
    file.close()

    again = SessionFile(path)
    assert again.begin("host:1", "ann") == Kept("host:1", "ann", "secret", 2)
    again.close()


@pytest.mark.parametrize("other", [("host:2", "ann"), ("host:1", "bob")])
def test_another_session_begins_anew(path: Path, other: tuple[str, str]) -> None:
    """A token of ann is nothing for bob."""
    file = SessionFile(path)
    file.begin("host:1", "ann")
    file.keep(token="secret", place=1)
    file.close()

    again = SessionFile(path)

    assert again.begin(*other) == Kept(*other)
    again.close()


def test_nobody_else_can_read_it(path: Path) -> None:
    """Nor write it, also if it was there with other permissions; nothing lies beside it."""
    path.touch(0o666)
    file = SessionFile(path)
    file.begin("host:1", "ann")
    file.keep(token="secret")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*path.parent.iterdir()] == [path]
    file.close()


def test_one_program_has_it(path: Path) -> None:
    """Also after it was written, and until it is closed."""
    file = SessionFile(path)
    file.keep(place=1)

    with pytest.raises(InUse) as caught:
        SessionFile(path)

    assert str(caught.value) == (
        f"cannot open {str(path)!r}: another program uses this session; stop that one, or name another file"
    )
    file.close()
    file.close()
    SessionFile(path).close()


@pytest.mark.parametrize(
    "content", ["{}", "[1]", "precious data", '{"format": "x"}', '{"format": "pychat session"}', "0"]
)
def test_what_is_something_else_is_left_alone(path: Path, content: str) -> None:
    """Whoever has mistyped a name loses nothing."""
    path.write_text(content)

    with pytest.raises(CannotOpen, match="it is not the file of a session; name another one"):
        SessionFile(path)

    assert path.read_text() == content


def test_what_cannot_be_a_file(tmp_path: Path) -> None:
    """Where it cannot be made, or is a directory."""
    with pytest.raises(CannotOpen, match="No such file or directory; change the permissions, or name another file"):
        SessionFile(tmp_path / "nowhere" / "session.json")
    with pytest.raises(CannotOpen, match="it is not a file; name another one"):
        SessionFile(tmp_path)


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    """What it leads to is replaced."""
    path.symlink_to(tmp_path / "real.json")

    file = SessionFile(path)
    file.keep(place=1)

    assert path.is_symlink()
    assert json.loads(path.read_text())["after"] == "0000000000000001"
    file.close()


def test_a_file_that_cannot_be_written_any_more_is_told_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The client goes on; the name of the temporary file is taken by a directory."""
    file = SessionFile(path)
    path.rename(path.parent / "moved")
    path.mkdir()
    (path / "something").touch()

    with caplog.at_level(logging.WARNING):
        file.keep(place=1)
        file.keep(place=2)

    assert len(caplog.records) == 1
    assert caplog.messages[0].startswith(f"{path} cannot be written: ")
    file.close()


# What is done


def test_what_was_taken_is_done_with_the_next() -> None:
    """What waits to be taken is not, and what was heard beside it only when nothing waits."""
    places: list[int] = []
    inbox = Inbox(done=places.append)
    inbox.put(Message(3, 0.0, "lobby", "bob", "one"), 3)
    inbox.put(Message(5, 0.0, "lobby", "bob", "two"), 5)
    inbox.pass_by(7)

    inbox.take(0)
    inbox.take(0)
    inbox.take(0)

    assert places == [3, 7]


# Clients


def lose(client: Member | ChatClient, network: Network, *others: Member) -> None:
    """Let a client end as if it was killed: without a word."""
    network.down()
    for other in others:
        other.next(Disconnected)
    client.close()
    network.resume()


def test_a_client_that_was_killed_goes_on_where_it_was(chat: ChatHarness, path: Path) -> None:
    """At once, with its nickname and its role; what it had not done it hears, and nothing else."""
    network, bob = chat.network(), chat.join("bob", "lobby")
    ann = chat.join("ann", "ops", "lobby", via=network, state=path)
    bob.say("done")
    bob.say("taken")
    assert [ann.next(Message).text, ann.next(Message).text] == ["done", "taken"]
    lose(ann, network, bob)
    bob.say("missed")

    again = chat.join("ann", via=network, state=path)

    assert [again.next(Message).text, again.next(Message).text] == ["taken", "missed"]
    assert again.next(Reconnected) == Reconnected(2)
    assert again.rooms == ("ops", "lobby")
    again.set_modes("+m", room="ops")


def test_a_program_says_that_it_is_done(chat: ChatHarness, path: Path) -> None:
    """So it hears nothing twice."""
    network, bob = chat.network(), chat.join("bob")
    ann = chat.join("ann", via=network, state=path)
    bob.say("done")
    ann.next(Message)
    ann.done()
    lose(ann, network, bob)

    again = chat.join("ann", via=network, state=path)

    assert again.next(Reconnected) == Reconnected(0)


@pytest.mark.parametrize("fails", [False, True])
def test_what_was_taken_in_a_block_that_ends_well_is_done(chat: ChatHarness, path: Path, fails: bool) -> None:
    """And if it fails it is not. A client that says goodbye hears afterwards what was said, as far as a page goes."""
    bob = chat.join("bob")
    with pytest.raises(ZeroDivisionError) if fails else nothing(), chat.join("ann", state=path) as ann:
        bob.say("one")
        ann.next(Message)
        assert not fails or 1 / 0
    bob.say("two")

    with chat.join("ann", state=path) as again:
        assert again.next(Message).text == ("one" if fails else "two")


@contextmanager
def nothing() -> Iterator[None]:
    """No error is expected."""
    yield


def test_a_token_of_a_later_connection(chat: ChatHarness, path: Path) -> None:
    """Each welcome has another one, and the last one counts."""
    network, bob = chat.network(), chat.join("bob")
    ann = chat.join("ann", via=network, state=path, reconnect=True)
    network.cut()
    ann.next(Reconnected)
    bob.next(Disconnected)
    lose(ann, network, bob)

    assert chat.join("ann", via=network, state=path).nickname == "ann"


def test_a_server_that_has_forgotten(chat_server: MakeChat, path: Path) -> None:
    """The nickname is free, and it is told that something may be missing."""
    old = chat_server(port=free_port())
    bob = old.join("bob", "lobby")
    with old.join("ann", "lobby", state=path) as ann:
        bob.say("one")
        ann.next(Message)
    old.server.stop()
    new = chat_server(port=old.port)

    assert new.join("ann", "lobby", state=path).next(Gap).room == "lobby"


def test_a_file_is_free_when_a_client_could_not_be_made(chat: ChatHarness, path: Path) -> None:
    """Or is closed; while it is there, another one is refused."""
    chat.join("bob")
    with pytest.raises(Refused):
        chat.join("bob", state=path)
    with chat.join("ann", state=path), pytest.raises(InUse):
        chat.join("carl", state=path)
    chat.join("ann", state=path)


# Bots


@pytest.mark.parametrize("whole", [True, False], ids=["bots", "connect"])
def test_a_first_welcome_that_was_lost(
    chat: ChatHarness, path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """The token was made and stored before the `hello`, so the next client with the file has the nickname at once."""

    def lose_welcome(wire: Wire, hello: Hello, timeout: float) -> Any:
        assert json.loads(path.read_text())["token"] == hello.token
        say_hello(wire, hello, timeout)
        raise ConnectFailed(wire.host, wire.port, "connection reset by peer")

    with monkeypatch.context() as patched:
        patched.setattr(reconnect, "say_hello", lose_welcome)
        with pytest.raises(ConnectFailed):
            chat.join("bob", state=SessionFile(path, places=whole))

    bob = chat.join("bob", state=SessionFile(path, places=whole))

    assert bob.nickname == "bob"


def test_a_client_that_was_refused_leaves_no_token(chat: ChatHarness, path: Path) -> None:
    """Nor a file, if that is all that it is for; but the token that it had before stays."""
    chat.session("bob")
    with pytest.raises(Refused):
        chat.join("bob", state=SessionFile(path, places=False))
    assert not path.exists()

    file = SessionFile(path, places=False)
    file.begin(f"{chat.host}:{chat.port}", "bob")
    file.keep(token="secret")
    with pytest.raises(Refused):
        chat.join("bob", state=file)
    assert json.loads(path.read_text())["token"] == "secret"


def heard_by(chat: ChatHarness, path: Path, last: str, **options: Any) -> tuple[list[str], list[str]]:
    """Run a bot until it hears this; return what it heard and what it was asked to do by commands."""
    heard: list[str] = []
    commands: list[str] = []
    bot = Bot("helper", state=path, **options)

    @bot.on(Message)
    def on_message(message: Message) -> None:
        heard.append(message.text)
        if message.text == last:
            bot.stop()

    @bot.command("do")
    def do(ctx: object, what: str) -> None:
        commands.append(what)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bot.run, "127.0.0.1", chat.port)
        if last == "first":
            wait_until(lambda: bot.connected or running.done(), "the bot is in the chat")
            chat.session("starter").say(last)
        running.result(DEADLINE)
    return heard, commands


def test_a_bot_misses_and_repeats_nothing(chat: ChatHarness, path: Path) -> None:
    """Over its end; what it heard last was done, also if it ended by that."""
    bob = chat.join("bob")
    assert heard_by(chat, path, "first") == (["first"], [])
    bob.say("!do this")
    bob.say("more")
    bob.say("last")

    heard, commands = heard_by(chat, path, "last")

    assert heard == ["!do this", "more", "last"]
    assert commands == ["this"]


def test_commands_that_are_too_old_are_heard_and_not_run(chat: ChatHarness, path: Path) -> None:
    """As after a lost connection."""
    bob = chat.join("bob")
    heard_by(chat, path, "first")
    bob.say("!do this")
    bob.say("last")

    assert heard_by(chat, path, "last", catch_up=-60.0) == (["!do this", "last"], [])


def test_a_bot_waits_for_a_nickname_that_is_only_kept(chat_server: MakeChat) -> None:
    """If it is told to, as for a server; one that somebody has is refused."""
    chat = chat_server(limits=Limits(resume_seconds=0.5))
    network, bob = chat.network(), chat.join("bob")
    lose(chat.join("helper", via=network), network, bob)
    bot = Bot("helper")

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(bot.run, "127.0.0.1", chat.port, wait=True)
        wait_until(lambda: bot.connected or running.done(), "the bot is in the chat")
        bot.stop()
        running.result(DEADLINE)
    with pytest.raises(Refused, match=r"^nickname 'bob' is in use; choose another$"):
        Bot("bob").run("127.0.0.1", chat.port, wait=True)


def test_a_bot_that_need_not_wait_says_why(chat: ChatHarness) -> None:
    """And for how long it would be."""
    network, bob = chat.network(), chat.join("bob")
    lose(chat.join("helper", via=network), network, bob)

    with pytest.raises(Refused, match=r"^nickname 'helper' is reserved for") as caught:
        Bot("helper").run("127.0.0.1", chat.port)

    assert caught.value.retry_after is not None


def test_a_bot_inside_a_server_has_no_state(chat: ChatHarness, path: Path) -> None:
    """There would be nothing to come back to."""
    with pytest.raises(LocalProtocolError, match="a bot inside a server cannot have a state file"):
        chat.server.add_bot(Bot("helper", state=path))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_bot(chat: ChatHarness, number: signal.Signals) -> None:
    """Also while a function runs; `run` returns, the bot has left the chat, and the signal is what it was."""
    before, bob, bot = signal.getsignal(signal.SIGTERM), chat.session("bob"), Bot("helper")
    bot.every(0.01)(lambda: signal.raise_signal(number))

    bot.run("127.0.0.1", chat.port)

    assert bob.next(Disconnected, DEADLINE).reason == "quit"
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_on_the_way_in_leaves_no_nickname(chat_server: MakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server lets the bot in when the bot gives up: it says goodbye, so its nickname is not kept for it."""
    monkeypatch.setattr(wire, "_LEAVE_SECONDS", DEADLINE)  # so long it waits for the server, which may be slow
    main = threading.main_thread()

    class Interrupts(Handler):
        def before_nick(self, session: Session, nickname: str) -> str:
            if nickname == "helper" and main.ident is not None:
                signal.pthread_kill(main.ident, signal.SIGTERM)
            return nickname

    chat = chat_server(handlers=[Interrupts(), JoinLeaveNotices(), Broadcast()])
    bob = chat.session("bob")

    Bot("helper").run("127.0.0.1", chat.port)

    assert bob.next(Disconnected, DEADLINE).reason == "quit"


def test_a_program_that_handles_sigterm_itself_goes_on_doing_so(chat: ChatHarness) -> None:
    """The bot leaves that alone."""
    bot = Bot("helper")
    handled: list[int] = []

    def handle(number: int, frame: object) -> None:
        handled.append(number)
        bot.stop()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        bot.every(0.01)(lambda: signal.raise_signal(signal.SIGTERM))
        bot.run("127.0.0.1", chat.port)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert handled


# pychat connect


def test_connect_has_its_nickname_back_after_a_kill(pychat: Programs, clients: Clients) -> None:
    """At once, and in its rooms; what is kept for that is for nobody else to read."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    ann = pychat.connect(port, "ann", "--json", "--room", "ops")
    ann.read_object("members")
    sessions = pychat.directory / "state" / "pychat" / "sessions"
    assert stat.S_IMODE(sessions.stat().st_mode) == 0o700
    (file,) = sessions.iterdir()
    assert file.name == f"127.0.0.1-{port}-ann.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ann.signal(signal.SIGKILL)
    bob.until("disconnected", nick="ann")

    again = pychat.connect(port, "ann", "--json")

    assert again.read_object("members")["room"] == "ops"
    again.send('{"type":"quit"}')
    assert again.wait() == 0
    assert [*sessions.iterdir()] == []


def test_a_second_connect_does_not_put_out_the_first(pychat: Programs) -> None:
    """They would do so in turns for ever."""
    _, port = pychat.serve()
    ann = pychat.connect(port, "ann", "--json")
    ann.read_object("members")

    second = pychat.run("connect", "--json", "--nick", "ann", "--port", str(port), input="")

    assert (second.returncode, second.stderr) == (4, "Error: nickname 'ann' is in use; choose another\n")
    ann.send('{"type":"who","ref":1}')
    assert ann.read_object("members")["ref"] == 1
