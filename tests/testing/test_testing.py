"""`pychat.testing`: a server for a test, who takes part in it, and what may not be left behind."""

from __future__ import annotations

import threading

import pytest
from chat_clients import DEADLINE, pychat_threads, wait_until

from pychat import (
    Bot,
    ChatServer,
    Disconnected,
    Handler,
    Joined,
    Limits,
    LocalSession,
    Message,
    Notice,
    Refused,
    Room,
    Session,
)
from pychat.handlers import Broadcast, Context, History
from pychat.model.errors import ConnectionLost, LocalProtocolError
from pychat.model.replies import Replay
from pychat.model.verbs import Verb
from pychat.testing import ChatHarness, LocalMember, MakeChat, Member, chat_servers


class Fails(Handler):
    """Fails with what it hears."""

    def before_message(self, session: Session, message: Message) -> Message:
        raise KeyError(message.text)


# Members


def test_members_talk_over_real_sockets(chat: ChatHarness) -> None:
    """The example of the documentation's first lines."""
    ann, bob = chat.join("ann"), chat.join("bob")

    ident = ann.say("hello")

    message = bob.next(Message)
    assert (message.id, message.sender, message.text) == (ident, "ann", "hello")
    assert chat.server.connections == 2


def test_members_join_the_rooms_that_are_named(chat: ChatHarness) -> None:
    """Those of a socket, and those without."""
    ann, bob = chat.join("ann", "ops", "den"), chat.session("bob", "ops")

    assert ann.rooms == ("ops", "den")
    assert bob.room_names == ("ops",)
    assert [member.nickname for member in chat.room("ops").members] == ["ann", "bob"]
    assert chat.room().name == "lobby"


def test_a_session_in_the_process_hears_at_once(chat: ChatHarness) -> None:
    """It has the same verbs, and needs no socket."""
    ann, bob = chat.session("ann"), chat.session("bob")

    ann.say("hello")

    assert isinstance(bob, LocalSession)
    assert bob.next(Message).text == "hello"
    assert chat.server.connections == 0


def test_a_session_that_is_refused_leaves_nothing(chat: ChatHarness) -> None:
    """The nickname is somebody else's."""
    chat.session("ann")

    with pytest.raises(Refused, match=r"^nickname 'ann' is in use; choose another$"):
        chat.session("ann")

    assert len(chat.room().members) == 1


def test_options_of_the_client_are_passed_on(chat_server: MakeChat) -> None:
    """Here the replay of what was said before."""
    chat = chat_server(handlers=[History(), Broadcast()])
    chat.join("ann").say("before")

    bob = chat.join("bob", replay=True)

    assert [event.text for event in bob.next(Replay).events if isinstance(event, Message)] == ["before"]


@pytest.mark.parametrize("kind", [Member, LocalMember])
def test_next_tells_what_came_instead(chat_server: MakeChat, kind: type[Member | LocalMember]) -> None:
    """A test that fails says what happened, as far as it can be known."""
    chat = chat_server(deadline=DEADLINE)
    ann = chat.join("ann") if kind is Member else chat.session("ann")
    assert ann.deadline == DEADLINE
    ann.deadline = 0.1  # that of the server would be for its threads, too, when it ends
    ann.received()
    chat.room().announce("tea is ready")
    ann.members()  # whose answer comes behind it

    with pytest.raises(TimeoutError, match=r"^no Message within 0.1 s, but Notice\(.*text='tea is ready'\)$"):
        ann.next(Message)
    with pytest.raises(TimeoutError, match=r"^no Message within 0 s, but nothing at all$"):
        ann.next(Message, timeout=0)


@pytest.mark.parametrize("kind", [Member, LocalMember])
def test_what_was_received_is_all_that_was_sent(chat: ChatHarness, kind: type[Member | LocalMember]) -> None:
    """Nothing is waited for, so that nothing came is known at once."""
    ann = chat.join("ann") if kind is Member else chat.session("ann")
    bob = chat.join("bob")

    for number in range(100):
        bob.say(str(number))
    chat.room().announce("enough")

    received = ann.received()
    assert [type(event) for event in received] == [Joined, *[Message] * 100, Notice]
    assert ann.received() == []
    bob.say("more")
    chat.room().announce("enough!")
    assert [message.text for message in ann.received(Message)] == ["more"]
    assert ann.received() == []  # what is of another type was taken, too


def test_what_was_received_is_known_after_the_end(chat: ChatHarness) -> None:
    """Whoever is out has heard all that there was; `next` says that it is over."""
    ann, bob, carl = chat.join("ann"), chat.join("bob"), chat.session("carl")
    bob.say("last words")
    carl.close()
    chat.server.stop()

    chat.wait_until(lambda: not ann.connected, "ann is out")
    assert [message.text for message in ann.received(Message)] == ["last words"]
    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: the server is shutting down$"):
        ann.next(Message)
    assert [message.text for message in carl.received(Message)] == ["last words"]
    with pytest.raises(LocalProtocolError, match=r"^the session is closed$"):
        carl.next(Message)


def test_what_was_received_can_be_asked_where_nothing_is_allowed(chat_server: MakeChat) -> None:
    """A refusal is an answer, too."""

    class Closed(Handler):
        def before_verb(self, session: Session, verb: Verb) -> None:
            if session.rooms:
                raise Refused("closed")

    chat = chat_server(handlers=[Closed(), Broadcast()])
    ann = chat.session("ann")
    chat.room().announce("hello")

    assert [notice.text for notice in ann.received(Notice)] == ["hello"]


def test_a_bot_may_come_over_a_socket(chat: ChatHarness) -> None:
    """Through a network that breaks, too; a nickname that is refused is told."""
    network, ann = chat.network(), chat.join("ann")
    bot = Bot("helper")

    @bot.command("ping")
    def ping(ctx: Context) -> None:
        ctx.reply("pong")

    assert chat.run_bot(bot, via=network) is bot
    network.reset()
    ann.next(Disconnected)
    ann.next(Joined)
    ann.say("!ping")
    assert ann.next(Message).text == "pong"
    with pytest.raises(Refused, match="nickname 'ann' is in use"):
        chat.run_bot(Bot("ann"))


def test_a_socket_that_knows_nothing_of_chats(chat: ChatHarness) -> None:
    """Lines in, lines out."""
    ann, nc = chat.join("ann"), chat.connect()

    nc.send("nc\n/who\n")
    nc.read_until("-- in lobby: ann, nc")
    ann.say("hello")

    assert nc.read_line() == "ann: hello"
    nc.end_sending()
    assert nc.read_rest() == b""


# Servers


def test_servers_have_handlers_limits_and_options(chat_server: MakeChat) -> None:
    """Whatever `ChatServer` takes."""
    chat = chat_server(handlers=[Broadcast()], limits=Limits(nickname_chars=3), name="arena", default_room="pit")

    assert [type(handler) for handler in chat.server.chat.handlers] == [Broadcast]
    assert chat.join("ann").welcome.server == "arena"
    assert chat.room("pit").members[0].nickname == "ann"
    with pytest.raises(Refused, match=r"^nickname 'anna': it is longer than 3 characters"):
        chat.join("anna")


def test_a_server_of_a_program_can_be_tested(chat_server: MakeChat) -> None:
    """It was made elsewhere, and is started here."""
    server = ChatServer(port=0, name="shop")

    chat = chat_server(server)

    assert chat.server is server
    assert chat.join("ann").welcome.server == "shop"


def test_a_server_of_a_program_has_its_options_already(chat_server: MakeChat) -> None:
    """What could not be done is not done in silence."""
    with ChatServer(port=0) as server, pytest.raises(TypeError) as caught:
        chat_server(server, name="shop", limits=Limits())
    assert str(caught.value) == "the server was already created, without name, limits"


def test_several_servers_are_chats_of_their_own(chat_server: MakeChat) -> None:
    """Nobody hears anything of the other one."""
    one, other = chat_server(), chat_server()
    ann, bob = one.join("ann"), other.join("ann")

    ann.say("hello")

    assert ann.connected
    assert bob.received() == []


def test_a_server_may_use_ipv6(chat_server: MakeChat) -> None:
    """Members and sockets find it."""
    chat = chat_server(host="::1")
    ann, nc = chat.join("ann"), chat.connect()
    nc.send("nc\n/who\n")

    nc.read_until("-- in lobby: ann, nc")

    assert ann.next(Joined).nickname == "nc"


def test_waiting_has_an_end(chat_server: MakeChat) -> None:
    """What never holds is an error that names it."""
    chat = chat_server()
    chat.deadline = 0.05

    with pytest.raises(AssertionError, match=r"^not within 0.05 s: pigs fly$"):
        chat.wait_until(lambda: False, "pigs fly")


# The end


def test_everything_is_closed_at_the_end() -> None:
    """Members, sockets, networks, servers: no thread is left."""
    with chat_servers() as make:
        chat = make()
        network = chat.network()
        members = chat.join("ann"), chat.join("bob", via=network, reconnect=True), chat.session("carl")
        peer = chat.connect()
        network.stall()

    with pytest.raises(LocalProtocolError):
        members[0].say("hello")
    assert members[2].closed
    assert peer.socket.fileno() == -1
    assert pychat_threads() == []


def leave_an_error() -> None:
    """A test whose handler fails, unnoticed."""
    with chat_servers() as make:
        chat = make(handlers=[Fails()])
        with pytest.raises(Refused, match=r"^internal error$"):
            chat.join("ann").say("oh")


def test_a_handler_that_failed_fails_the_test() -> None:
    """With the traceback, because nobody else has seen it."""
    with pytest.raises(AssertionError) as caught:
        leave_an_error()

    text = str(caught.value)
    assert text.startswith("pychat has logged an error:\nhandler hook Fails.before_message failed\nTraceback ")
    assert "KeyError: 'oh'" in text


def test_errors_that_the_test_looks_at_are_allowed(chat_server: MakeChat) -> None:
    """Whoever clears the list, wanted them."""
    chat = chat_server(handlers=[Fails()])
    with pytest.raises(Refused, match=r"^internal error$"):
        chat.join("ann").say("oh")

    (error,) = chat.errors

    assert error.endswith("KeyError: 'oh'")
    chat.errors.clear()


def test_an_error_of_the_test_itself_comes_first() -> None:
    """What is left behind is no news then."""

    def fail() -> None:
        with chat_servers() as make:
            with pytest.raises(Refused):
                make(handlers=[Fails()]).join("ann").say("oh")
            raise ValueError("the test")

    with pytest.raises(ValueError, match="the test"):
        fail()


def test_a_thread_that_is_left_fails_the_test() -> None:
    """And the error tells what it is doing."""
    gate = threading.Event()

    class Waits(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            gate.wait(DEADLINE)

    def leave_a_thread() -> None:
        with chat_servers() as make:
            chat = make(handlers=[Waits()], deadline=0.5)
            nc = chat.connect()
            nc.send("ann\n")
            wait_until(lambda: chat.room().members, "ann is in")

    try:
        with pytest.raises(AssertionError) as caught:
            leave_a_thread()
    finally:
        gate.set()

    text = str(caught.value)
    assert "a thread of pychat is left: pychat-client\n" in text  # others may only be late
    assert "in on_join\n    gate.wait(DEADLINE)" in text
