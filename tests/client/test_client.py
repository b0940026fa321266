"""`ChatClient`: verbs and their answers, what it hears, and its end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_clients import DEADLINE, wait_until
from chat_networks import WELCOME, MakeClient, Script, join, script

from pychat import ChatServer, Disconnected, Handler, Joined, Limits, Message, Notice, Refused, Session
from pychat.client import ChatClient, Dropped, Reconnecting, reconnect
from pychat.client.inbox import Inbox
from pychat.handlers import Broadcast, History, JoinLeaveNotices
from pychat.model.errors import AckTimeout, ConnectionLost, LimitExceeded, LocalProtocolError
from pychat.model.queries import WhoIs
from pychat.model.replies import Bye, Failure, Lines, Members, PingRequest, Profile, Replay
from pychat.model.verbs import BecomeOperator, Direct, Kill, Quit

__all__ = ["join", "script"]  # the fixtures

MakeServer = Callable[..., ChatServer]


def cut_off(server: ChatServer, nickname: str, reason: str = "cut off by the test") -> None:
    """Let the server end somebody's connection, saying why."""
    session = server.chat.find(nickname)
    assert session is not None
    session.disconnect(reason)


# Verbs


def test_a_message_is_acknowledged_with_its_id_and_reaches_the_other(server: MakeServer, join: MakeClient) -> None:
    """`say` returns the id under which the others hear it."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")

    ident = ann.say("hello")

    message = bob.next(Message, timeout=DEADLINE)
    assert (message.id, message.sender, message.text, message.room) == (ident, "ann", "hello", "lobby")


def test_the_methods_are_those_of_a_session_in_the_process(server: MakeServer, join: MakeClient) -> None:
    """What is asked over the wire has the same answers."""
    started = server()
    ann, bob = join(started.port, "ann", rooms=["lobby", "ops"]), started.session("bob", ["lobby", "ops"])

    assert ann.members() == ann.members("ops")
    assert ann.members() == tuple(member._replace(userhost="") for member in bob.members())  # which is for IRC
    rooms = tuple(room._replace(created=0.0, topic_time=0.0) for room in bob.list_rooms())
    assert ann.list_rooms() == rooms
    ann.set_topic("tea", "lobby")
    ann.set_away("lunch")
    assert [event.id for event in ann.history("ops")] == [event.id for event in bob.history("ops")]
    assert [member.nickname for member in ann.join("den")] == ["ann"]
    assert ann.direct("bob", "psst") == bob.next(Message, DEADLINE).id


def test_own_messages_are_heard_in_their_place(server: MakeServer, join: MakeClient) -> None:
    """Who asks for them hears the same in the same order as everybody else."""
    port = server().port
    clients = [join(port, nick, own_messages=True) for nick in ("ann", "bob")]

    def talk(client: ChatClient) -> list[int | None]:
        return [client.say(f"{number}") for number in range(100)]

    with ThreadPoolExecutor() as pool:
        said = sorted(ident for idents in pool.map(talk, clients) for ident in idents if ident is not None)

    for client in clients:
        heard = [client.next(Message, DEADLINE) for _ in said]
        assert [message.id for message in heard] == said
        assert {message.sender for message in heard} == {"ann", "bob"}


def test_an_own_message_to_one_person_names_them(server: MakeServer, join: MakeClient) -> None:
    """Also if it answers whoever wrote last."""
    port = server().port
    ann, bob = join(port, "ann", own_messages=True), join(port, "bob")
    bob.direct("ann", "psst")
    ann.next(Message, DEADLINE)

    ann.ask(Direct("what?", action=True))

    message = ann.next(Message, DEADLINE)
    heard = bob.next(Message, DEADLINE)
    assert message._replace(time=heard.time) == heard


def test_a_refusal_is_raised_with_its_code(server: MakeServer, join: MakeClient) -> None:
    """The server's reason is the error's text."""
    port = server().port
    join(port, "ann")
    bob = join(port, "bob")

    with pytest.raises(Refused) as caught:
        bob.set_nickname("ann")

    assert (str(caught.value), caught.value.code) == ("nickname 'ann' is in use; choose another", "nickname_in_use")


def test_a_refused_nickname_is_raised_when_connecting(server: MakeServer, join: MakeClient) -> None:
    """A client is made registered, or not at all."""
    port = server().port
    join(port, "ann")

    with pytest.raises(Refused, match=r"^nickname 'ann' is in use; choose another$"):
        join(port, "ann")


def test_what_a_handler_says_before_a_nickname_is_raised_when_connecting(server: MakeServer, join: MakeClient) -> None:
    """A refusal of the connection itself has its reason and code, too."""

    class Closed(Handler):
        def before_connect(self, session: Session) -> None:
            raise Refused("come back tomorrow", code="closed")

    port = server(handlers=[Closed()]).port

    with pytest.raises(Refused, match=r"^come back tomorrow$") as caught:
        join(port, "ann")
    assert caught.value.code == "closed"


def test_ask_takes_any_verb(server: MakeServer, join: MakeClient) -> None:
    """What has no method has an answer, too."""
    ann = join(server().port, "ann")

    answer = ann.ask(WhoIs("ann", ref="mine"))

    assert isinstance(answer, Profile)
    assert (answer.nickname, answer.rooms) == ("ann", ("lobby",))


def test_a_reply_goes_to_whoever_wrote_last(server: MakeServer, join: MakeClient) -> None:
    """The wire has no "reply"; the client knows who it was."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")
    with pytest.raises(Refused, match=r"^nobody has written to you yet$"):
        ann.ask(Direct("hello?"))
    bob.direct("ann", "psst")
    ann.next(Message, DEADLINE)

    ann.ask(Direct("yes?"))

    assert bob.next(Message, DEADLINE).text == "yes?"


def test_answers_find_their_questions(server: MakeServer, join: MakeClient) -> None:
    """Twenty threads that talk at once get the ids of their own messages."""
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")

    with ThreadPoolExecutor(20) as pool:
        said = dict(zip(map(str, range(200)), pool.map(lambda n: ann.say(str(n)), range(200)), strict=True))

    heard = [bob.next(Message, DEADLINE) for _ in range(200)]
    assert {message.text: message.id for message in heard} == said


def test_what_is_longer_than_the_server_takes_is_not_sent(server: MakeServer, join: MakeClient) -> None:
    """The server would skip the line, so nobody could answer it."""
    ann = join(server(limits=Limits(line_bytes=200, text_bytes=100)).port, "ann")

    with pytest.raises(LimitExceeded, match=r"^message: at most 100 bytes$"):
        ann.say("x" * 500)
    with pytest.raises(LimitExceeded, match=r"^request: at most 400 bytes$"):
        ann.join("x" * 500)

    assert ann.say("x" * 100)


@pytest.mark.parametrize("character", ["x", "é", "語", '"', "\\"])
@pytest.mark.parametrize("line_bytes", [4096, 100])
def test_any_text_that_is_not_too_long_can_be_said(
    server: MakeServer, join: MakeClient, character: str, line_bytes: int
) -> None:
    """To the last byte, whatever JSON makes of it."""
    port = server(limits=Limits(line_bytes=line_bytes)).port
    ann, bob = join(port, "ann"), join(port, "bob")
    text = character * (4096 // len(character.encode()))

    ann.say(text)

    assert bob.next(Message, DEADLINE).text == text
    with pytest.raises(Refused, match=r"^message: at most 4096 bytes$"):
        ann.say(text + character)


def test_no_answer_in_time_is_raised(server: MakeServer, join: MakeClient) -> None:
    """Who waits for a server that hangs is told, and can go on later."""
    gate = threading.Event()

    class Slow(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            gate.wait(DEADLINE)
            return message

    port = server(handlers=[Slow(), Broadcast()]).port
    ann = join(port, "ann")
    ann._line._timeout = 0.2  # from now on: to come in may take longer on a busy machine

    with pytest.raises(
        AckTimeout, match=r"^no answer from the server for 0\.2 s; the message may or may not have been accepted$"
    ):
        ann.say("hello")

    gate.set()
    assert join(port, "bob").say("hello")


def test_rooms_and_nickname_follow_what_happens(server: MakeServer, join: MakeClient) -> None:
    """The current room is the one joined last; renames and leaves count, whoever causes them."""
    started = server()
    ann = join(started.port, "ann", rooms=["lobby", "ops"])
    assert ann.rooms == ("lobby", "ops")

    ann.join("lobby")
    assert ann.rooms == ("ops", "lobby")
    ann.leave()
    assert list(ann.rooms) == ["ops"]
    ann.set_nickname("anna")
    assert ann.nickname == "anna"
    started.chat.remove_room("ops")
    wait_until(lambda: ann.rooms == (), "the room was closed")


def test_leaving_needs_no_notice(server: MakeServer, join: MakeClient) -> None:
    """Without `JoinLeaveNotices` nobody hears of a leave, but who left knows."""
    ann = join(server(handlers=[Broadcast()]).port, "ann", rooms=["Ops"])
    assert list(ann.rooms) == ["Ops"]

    ann.leave("ops")

    assert ann.rooms == ()


# Hearing


def test_what_is_said_unasked_is_heard(server: MakeServer, join: MakeClient) -> None:
    """The rooms one began with, a message of the day, the replay, a room that was refused."""
    handlers = [JoinLeaveNotices(), History(), Broadcast()]
    port = server(handlers=handlers, motd=["be nice", "to \x1b all"]).port
    join(port, "bob").say("before")

    ann = join(port, "ann", rooms=["lobby", "x" * 65], replay=True)

    assert ann.next(Lines, DEADLINE).lines == ("be nice", "to \ufffd all")
    assert ann.next(Members, DEADLINE).room == "lobby"
    assert [event.text for event in ann.next(Replay, DEADLINE).events if isinstance(event, Message)] == ["before"]
    assert ann.next(Failure, DEADLINE).code == "bad_room"


def test_the_message_of_the_day_comes_once(server: MakeServer, join: MakeClient) -> None:
    """Other rooms do not repeat it."""
    started = server(handlers=[Broadcast()], motd=["be nice"])
    ann = join(started.port, "ann", rooms=["lobby", "ops", "den"])

    started.room("den").announce("last")
    heard = []
    for item in ann.events(DEADLINE):
        heard.append(item)
        if isinstance(item, Notice):
            break

    assert [item for item in heard if isinstance(item, Lines)] == [Lines(None, ("be nice",))]


def test_next_drops_what_comes_before(server: MakeServer, join: MakeClient) -> None:
    """Whoever waits for one kind does not want the others."""
    port = server().port
    ann = join(port, "ann")
    bob = join(port, "bob")
    bob.say("hello")

    assert ann.next(Message, DEADLINE).text == "hello"
    with pytest.raises(TimeoutError, match=r"^no Joined within 0.0 s$"):
        ann.next(Joined, 0.0)


def test_events_end_when_nothing_comes(server: MakeServer, join: MakeClient) -> None:
    """The timeout is for each event, not for all."""
    ann = join(server().port, "ann")

    assert [type(heard) for heard in ann.events(0.1)] == [Members]


def test_a_full_inbox_drops_the_oldest_and_says_so() -> None:
    """Memory stays bounded, and nothing is lost in silence."""
    inbox = Inbox(most=2)
    for number in range(5):
        inbox.put(Lines(None, (str(number),)))

    assert [inbox.take(0), inbox.take(0), inbox.take(0), inbox.take(0)] == [
        Dropped(3),
        Lines(None, ("3",)),
        Lines(None, ("4",)),
        None,
    ]


def test_pings_are_answered(script: Callable[..., Script]) -> None:
    """The server asks whether we are there; nobody else needs to know."""
    server = script(WELCOME)
    with ChatClient(port=server.port, nick="ann") as ann:
        server.say(PingRequest(), Lines(None, ("next",)))

        assert server.lines.readline() == b'{"type":"pong"}\n'
        assert ann.take(DEADLINE) == Lines(None, ("next",))
        server.socket.shutdown(socket.SHUT_WR)


# The end


def test_close_says_goodbye_and_what_was_heard_can_be_taken(
    server: MakeServer, join: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others see the reason; then verbs and waiting are errors."""
    monkeypatch.setattr(reconnect, "_CLOSE_SECONDS", DEADLINE)  # so long it waits for the goodbye of the server
    port = server().port
    ann, bob = join(port, "ann"), join(port, "bob")

    ann.close("so long")
    ann.close("again")

    assert bob.next(Disconnected, DEADLINE).reason == "so long"
    assert [type(heard) for heard in ann.events()] == [Members, Joined, Bye]
    with pytest.raises(LocalProtocolError, match=r"^the client is closed$"):
        ann.say("hello")
    with pytest.raises(LocalProtocolError, match=r"^the client is closed$"):
        ann.next(Message)
    with pytest.raises(LocalProtocolError, match=r"^the client is closed$"):
        ann.wait_connected()


def test_quit_is_close(server: MakeServer, join: MakeClient) -> None:
    """Who asks to go does not come back by itself."""
    port = server().port
    ann, bob = join(port, "ann", reconnect=True), join(port, "bob")

    ann.ask(Quit("done"))

    assert bob.next(Disconnected, DEADLINE).reason == "done"
    assert not any(isinstance(heard, Reconnecting) for heard in ann.events())


def test_a_lost_connection_is_raised(server: MakeServer, join: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `reconnect`, the loss ends the client, with the server's reason."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # for the goodbye
    started = server()
    ann = join(started.port, "ann")

    started.stop()

    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: the server is shutting down$"):
        list(ann.events(DEADLINE))
    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: the server is shutting down$"):
        ann.say("hello")
    assert not ann.connected


def test_garbage_ends_the_connection(script: Callable[..., Script]) -> None:
    """What is not the protocol cannot be followed."""
    server = script(WELCOME)
    with ChatClient(port=server.port, nick="ann") as ann:
        server.say(raw=b"hello\n")

        with pytest.raises(
            ConnectionLost, match=r"^the server sent 'hello': not JSON: Expecting value at character 1$"
        ):
            ann.next(Message, DEADLINE)


def test_being_cut_off_is_a_loss_too(server: MakeServer, join: MakeClient) -> None:
    """The reason the server gives is what the client raises."""
    started = server()
    ann = join(started.port, "ann")

    cut_off(started, "ann", "no more of this")

    with pytest.raises(ConnectionLost, match=r"^the server said goodbye: no more of this$"):
        ann.next(Message, DEADLINE)


def test_a_client_that_was_killed_does_not_come_back(server: MakeServer, join: MakeClient) -> None:
    """An operator has put it out: it ends, with the reason, and does not try to come back."""
    running = server(operators={"root": "secret"})
    ann = running.session("ann")
    ann.ask(BecomeOperator("root", "secret"))
    bob = join(running.port, "bob")

    ann.ask(Kill("bob", "go away"))

    with pytest.raises(ConnectionLost, match=r"killed by ann \(go away\)"):
        bob.next(Reconnecting, DEADLINE)
