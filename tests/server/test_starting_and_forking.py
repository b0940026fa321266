"""One process serves, once: starting twice, in whatever order, and copies of servers and clients in forked children."""

from __future__ import annotations

import os
import signal
import socket
import threading
import traceback
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from chat_clients import DEADLINE, free_port, pychat_threads, wait_until

from pychat import Bot, ChatClient, ChatServer, Handler, Message, Session
from pychat.core.chat import Chat
from pychat.handlers import Broadcast
from pychat.model.errors import ConnectFailed, LocalProtocolError
from pychat.stores import SqliteLog
from pychat.testing import ChatHarness, MakeChat
from pychat.transport import unserved

ALREADY = "the server is serving already; call start() or serve_forever(), not both"


def assert_no_thread_is_left() -> None:
    """All threads of pychat end."""
    for thread in pychat_threads():
        thread.join(DEADLINE)
    assert pychat_threads() == []


def fork() -> int:
    """As `os.fork`, which warns since Python 3.12 where there are threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def in_child(function: Callable[[], None]) -> str:
    """Run a function in the child of a fork, and return what it raised; empty: nothing."""
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        try:
            os.close(reading)
            try:
                function()
            except BaseException:
                os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return said.decode()


# Starting twice


def test_start_twice_is_like_once(chat_server: MakeChat) -> None:
    """One thread accepts, and stop ends it."""
    server = chat_server().server

    assert server.start() is server

    assert [thread.name for thread in pychat_threads()].count("pychat-accept") == 1
    server.stop()
    assert_no_thread_is_left()


def test_start_by_many_threads_at_once_is_like_once() -> None:
    """Whoever is first starts it."""
    server = ChatServer(port=0)
    server.bind()
    together = threading.Barrier(8)

    def start() -> None:
        together.wait(DEADLINE)
        server.start()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert [thread.name for thread in pychat_threads()].count("pychat-accept") == 1
    server.stop()
    assert_no_thread_is_left()


def test_serve_forever_after_start_says_that_it_serves_already(chat_server: MakeChat) -> None:
    """A second loop on the same listener would go on for ever behind the first one."""
    chat = chat_server()

    with pytest.raises(LocalProtocolError) as caught:
        chat.server.serve_forever()

    assert str(caught.value) == ALREADY
    assert chat.join("ann").members()[0].nickname == "ann"


def test_start_while_serve_forever_serves_does_nothing(chat_server: MakeChat) -> None:
    """The other order: it serves on somebody's thread, and start has nothing to do."""
    with ChatServer(port=0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        wait_until(lambda: not unserved._unserved, "it serves")
        with ChatClient("127.0.0.1", server.port, nick="ann"):  # so it serves
            server.start()
            with pytest.raises(LocalProtocolError, match=r"the server is serving already"):
                server.serve_forever()
        server.stop()
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert_no_thread_is_left()


def test_serve_forever_can_be_called_again_after_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends serving, not the server: that does stop, or the end of with."""
    server = ChatServer(port=0)

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "service_actions", interrupt)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            server.serve_forever(poll_interval=0)
    server.stop()
    assert_no_thread_is_left()


NOT_STARTED = "the server there belongs to this program, which has not started it; call its start()"


@pytest.mark.parametrize("way", ["port", "anywhere", "unix"])
def test_a_client_of_a_server_that_was_not_started_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    """`with` only binds, and the client would wait for nobody; the next one, of a server that was started, comes in."""
    monkeypatch.setattr(unserved, "_START_SECONDS", 0.01)
    path = str(tmp_path / "chat.sock")
    options: dict[str, Any] = {"unix": path} if way == "unix" else {"port": 0}
    if way == "anywhere":
        options["host"] = "0.0.0.0"
    with ChatServer(**options) as server:
        there = {"unix": path} if way == "unix" else {"host": "127.0.0.1", "port": server.port}

        with pytest.raises(ConnectFailed) as caught:
            ChatClient(nick="ann", **there)
        with pytest.raises(ConnectFailed):
            Bot("helper").run(**there)

        assert str(caught.value).endswith(f": {NOT_STARTED}")
        server.start()
        ChatClient(nick="ann", **there).close()
    assert not unserved._unserved


def test_a_client_waits_for_a_server_that_is_about_to_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program may do that on another thread."""
    monkeypatch.setattr(unserved, "_START_SECONDS", DEADLINE)  # however slow that one is
    with ChatServer(port=0) as server, ThreadPoolExecutor() as pool:
        coming = pool.submit(ChatClient, "127.0.0.1", server.port, nick="ann")
        server.start()

        coming.result(DEADLINE).close()


def test_a_server_that_was_bound_and_ended_is_none() -> None:
    """Nothing is left of it for those who connect there later."""
    with ChatServer(port=0) as server:
        assert unserved._unserved.keys() == {server.server_address}

    assert not unserved._unserved


def test_a_child_knows_nothing_of_servers_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent may have started it since."""
    monkeypatch.setattr(unserved, "_START_SECONDS", 0.0)
    with ChatServer(port=0) as server:

        def come() -> None:
            assert not unserved._unserved

        assert in_child(come) == ""
        assert unserved._unserved.keys() == {server.server_address}


def test_a_port_in_use_is_named_and_the_server_does_not_try_again(chat_server: MakeChat) -> None:
    """The error says which address it is; a second attempt says what to do."""
    chat = chat_server()
    server = ChatServer(port=chat.port)

    with pytest.raises(OSError, match=f"Address already in use: '127.0.0.1 port {chat.port}'"):
        server.start()
    for again in (server.start, server.serve_forever, server.bind):
        with pytest.raises(LocalProtocolError) as caught:
            again()
        assert str(caught.value) == "the server could not listen and cannot try again; create a new one"
    server.stop()


# Forks


def test_stop_in_a_child_does_not_touch_the_server_of_the_parent(chat: ChatHarness) -> None:
    """The copy has closed its descriptors, and ends at once; the parent goes on, with everybody in it."""
    ann = chat.join("ann")

    def child() -> None:
        descriptors = [chat.server.socket, *chat.server._connections._links]
        assert [each.fileno() for each in descriptors] == [-1] * 2
        with chat.server:  # as whoever has it in a with block
            chat.server.stop()

    said = in_child(child)

    assert "this chat belongs to process" in said  # with binds
    assert in_child(chat.server.stop) == ""
    chat.join("bob").say("still there?")
    assert ann.next(Message).text == "still there?"


def test_the_copy_of_a_chat_in_a_child_says_whose_it_is(chat: ChatHarness) -> None:
    """Whatever would need the parent's threads is refused at once, and waits for no lock."""
    guide, ann, room = chat.session("guide"), chat.join("ann"), chat.room("lobby")
    wire = chat.server.chat.find("ann")
    assert wire is not None
    bot = chat.server.bot("helper")

    calls: list[Callable[[], object]] = [
        lambda: room.announce("hello"),
        lambda: room.history(),
        lambda: guide.say("hello"),
        lambda: guide.next(Message),
        lambda: list(guide.events()),
        lambda: guide.close(),
        lambda: guide.disconnect("go"),
        lambda: guide.notice("hello"),
        lambda: bot.say("hello"),
        lambda: wire.disconnect("go"),
        lambda: chat.server.room("other"),
        lambda: chat.server.session("bob"),
        lambda: chat.server.bot("bobot"),
        lambda: chat.server.chat.sessions(),
        lambda: chat.server.start(),
        lambda: chat.server.serve_forever(),
    ]

    def child() -> None:
        for call in calls:
            with pytest.raises(LocalProtocolError) as caught:
                call()
            assert str(caught.value) == f"this chat belongs to process {os.getppid()}"

    assert in_child(child) == ""
    guide.say("hello")
    assert ann.next(Message).text == "hello"


def test_people_of_two_forks_have_other_identities() -> None:
    """A supervisor may load the program once, and fork it again after a crash: the record knows people by identity."""

    chat = Chat()

    def child() -> None:
        raise AssertionError(chat.session("ann").identity)

    assert in_child(child) != in_child(child)


def test_a_fork_while_the_locks_are_held_waits_for_nobody(chat: ChatHarness) -> None:
    """The thread that would release a lock is not in the child."""
    guide, room = chat.session("guide"), chat.room("lobby")

    def child() -> None:
        calls: list[Callable[[], object]] = [lambda: room.announce("hello"), lambda: guide.say("hello"), guide.close]
        for call in calls:
            with pytest.raises(LocalProtocolError):
                call()
        chat.server.stop()

    with chat.server.chat.order.lock, chat.server.service.write_queue._flow, guide._arrived, chat.server._life:
        assert in_child(child) == ""


def test_a_server_that_was_not_started_can_be_started_in_a_child() -> None:
    """As in a worker of a program that was loaded before it forked."""
    server = ChatServer(port=0)

    def child() -> None:
        with server.start(), ChatClient("127.0.0.1", server.port, nick="ann") as ann:
            assert ann.members()[0].nickname == "ann"

    assert in_child(child) == ""
    server.stop()


def test_a_record_in_a_file_stays_with_the_parent(chat_server: MakeChat, tmp_path: Path) -> None:
    """Neither stop nor the end of the child gives its lock away, and the parent goes on storing."""
    chat = chat_server(log=SqliteLog(tmp_path / "chat.db"))
    ann = chat.join("ann")

    def child() -> None:
        chat.server.stop()
        with pytest.raises(Exception, match="a server uses it"):
            SqliteLog(tmp_path / "chat.db")

    assert in_child(child) == ""
    with pytest.raises(Exception, match="a server uses it"):
        SqliteLog(tmp_path / "chat.db")
    ann.say("kept")
    assert [event.text for event in chat.room().history() if isinstance(event, Message)] == ["kept"]


def test_a_child_does_not_keep_connections_open(chat_server: MakeChat) -> None:
    """When the parent closes a connection, the peer learns it, although the child still lives."""
    chat = chat_server(port=free_port())
    peer = chat.connect()
    peer.send("ann\n")
    peer.read_line()
    reading, writing = os.pipe()
    child = fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)  # until the parent is done
        os._exit(0)
    os.close(reading)
    try:
        chat.server.stop()
        peer.read_rest()
        with socket.create_server(("127.0.0.1", chat.port)):
            pass
    finally:
        os.close(writing)
        os.waitpid(child, 0)


@pytest.mark.parametrize("waits", [False, True])
def test_a_child_that_a_hook_forked_and_forgot_ends(chat_server: MakeChat, waits: bool) -> None:
    """It would go on as the loop, with nothing to wait for and no end."""
    children: list[int] = []

    class Forks(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            if not children:
                children.append(fork())
            return message

    Forks.waits = waits
    chat = chat_server(handlers=[Forks(), Broadcast()])
    ann = chat.join("ann")

    ann.say("hello")

    try:
        wait_until(lambda: os.waitpid(children[0], os.WNOHANG)[0], "it ends")
    except BaseException:
        os.kill(children[0], signal.SIGKILL)
        raise
    ann.say("still here")


def test_the_copy_of_a_client_in_a_child_says_whose_it_is(chat: ChatHarness) -> None:
    """Two processes cannot talk over one connection; closing the copy leaves the connection alone."""
    ann, bob = chat.join("ann"), chat.join("bob")

    def child() -> None:
        for call in (lambda: ann.say("hello"), lambda: ann.next(Message), lambda: list(ann.events())):
            with pytest.raises(LocalProtocolError) as caught:
                call()
            assert str(caught.value) == f"this client belongs to process {os.getppid()}"
        ann.close()

    assert in_child(child) == ""
    ann.say("still there")
    assert bob.next(Message).text == "still there"
