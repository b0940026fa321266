"""Peers that are slow, broken or evil, and what the others notice of them: nothing but that they left."""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from chat_clients import DEADLINE, Clients, Peer, full_chain, pychat_threads, wait_until

from pychat import ChatServer, Handler, Limits, LocalProtocolError, Message, Refused, Room, Session
from pychat.handlers import Broadcast, FloodControl, JoinLeaveNotices
from pychat.testing import FakeClock
from pychat.transport.link import WireSession

MakeServer = Callable[..., ChatServer]


def spoken(server: ChatServer) -> list[str]:
    """What was said in the lobby."""
    return [event.text for event in server.room("lobby").history() if isinstance(event, Message)]


def last_words(peer: Peer) -> list[str]:
    """The lines up to the end of the stream."""
    return peer.read_rest().decode().splitlines()


# Slow, gone, silent


def test_slow_reader_is_cut_off_and_the_others_see_why(server: MakeServer, clients: Clients) -> None:
    """Threat "slow reader": it costs its queue, then it goes; the others lose nothing and hear the reason."""
    running = server(limits=Limits(send_queue_bytes=65_536))
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    slow = clients.text(running, "slow", receive_buffer=4096)
    ann.read_until("slow joined")
    bob.read_until("slow joined")

    heard: list[str] = []
    for block in range(30):  # a block fits the buffers of one who reads
        ann.send("".join(f"{block:02} {number:02} {'x' * 990}\n" for number in range(100)))
        heard += bob.read_until(f"ann: {block:02} 99")
    told = "<-- slow left (too slow: more than 65536 bytes were waiting)"
    assert ann.read_line() == told
    if told not in heard:  # its thread may end later than all blocks are said
        heard += bob.read_until(told)

    heard.remove(told)
    assert [line[5:10] for line in heard] == [f"{block:02} {number:02}" for block in range(30) for number in range(100)]
    wait_until(lambda: running.connections == 2, "slow is gone")
    assert len(slow.read_rest()) < 1_000_000


def test_a_reader_that_stalls_is_cut_off_after_the_time_for_that(server: MakeServer, clients: Clients) -> None:
    """A queue that is not full, but of which nothing is taken, waits ten seconds by default, here a quarter of one."""
    running = server(limits=Limits(stall_seconds=0.25, send_queue_bytes=1_000_000))
    ann = clients.text(running, "ann")
    clients.text(running, "slow", receive_buffer=4096)
    ann.read_until("slow joined")

    slow = running.chat.find("slow")
    assert isinstance(slow, WireSession)
    told = "<-- slow left (too slow: nothing was read for 0.25 seconds)"
    heard: list[str] = []
    while told not in heard:
        if not (slow.link.queue or slow.link.dead):  # also if the system has found room for what waited
            ann.send(("x" * 4000 + "\n") * 10)
        ann.send("/who\n")
        heard += ann.read_until("-- in lobby")


def test_a_reset_in_the_middle_of_a_line_says_nothing_of_that_line(server: MakeServer, clients: Clients) -> None:
    """Who is cut off while writing "delete nothing" must not be heard to say "delete"; the others see the leave."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    bob.send("whole line\ndelete")
    assert ann.read_line() == "bob: whole line"
    bob.reset()

    assert re.fullmatch(r"<-- bob left \(connection (closed|reset)\)", ann.read_line())
    assert spoken(running) == ["whole line"]


def test_a_member_that_vanishes_leaves_its_nickname_free(server: MakeServer, clients: Clients) -> None:
    """Text clients have no token: nothing is kept for them."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    bob.close()
    assert ann.read_line() == "<-- bob left (connection closed)"
    wait_until(lambda: running.chat.find("bob") is None, "the nickname is free")
    bob_again = clients.text(running, "bob")

    assert ann.read_line() == "--> bob joined lobby"
    bob_again.send("it is me\n")
    assert ann.read_line() == "bob: it is me"


def test_no_nickname_in_time(server: MakeServer, clients: Clients) -> None:
    """Threat "slow start": silent, or one byte now and then, it ends when the time to register is over."""
    running = ChatServer(port=0, limits=Limits(registration_seconds=1.0, detection_seconds=0.1))
    running.bind()
    as_json = clients.new_json(running)
    as_json.send("{")
    slow = clients.raw(running)
    slow.send("a")
    silent = clients.raw(running)
    server(server=running)  # only now, so that all has been said when the time begins

    reason = "no nickname within 1 seconds"
    assert last_words(silent)[-1] == f"-- goodbye: {reason}"
    assert last_words(slow)[-1] == f"-- goodbye: {reason}"
    assert as_json.next("bye") == {"type": "bye", "reason": reason}


def test_a_json_client_that_is_silent_is_asked_and_then_ended(server: MakeServer, clients: Clients) -> None:
    """Who answers the ping stays; who does not is taken for lost. A text client cannot be asked, and stays."""
    running = server(limits=Limits(ping_seconds=0.1, silence_seconds=4.0))
    text, alive = clients.text(running, "text"), clients.json(running, "alive")
    stay = threading.Event()

    def answer_pings() -> None:
        while not stay.is_set():
            if alive.read()["type"] == "ping":
                alive.ask("pong")

    answering = threading.Thread(target=answer_pings)
    answering.start()
    lost = clients.json(running, "lost")
    text.read_until("lost joined")
    assert lost.next("ping") == {"type": "ping"}
    assert lost.next("bye") == {"type": "bye", "reason": "no answer for 4 seconds"}
    assert text.read_line() == "<-- lost left (no answer for 4 seconds)"
    stay.set()
    text.send("go on\n")
    answering.join(DEADLINE)

    text.send("/who\n")
    assert text.read_line() == "-- in lobby: text, alive"


# Nicknames


def test_nickname_theft_between_check_and_use(server: MakeServer, clients: Clients) -> None:
    """Threat of that name: 50 connections claim one nickname at the same moment, and exactly one gets it."""
    running = server()
    peers = [clients.raw(running) for _ in range(50)]
    barrier = threading.Barrier(50)
    first_lines: list[str] = []

    def claim(peer: Peer, nickname: str) -> None:
        barrier.wait(DEADLINE)
        peer.send(nickname + "\n")
        first_lines.append(peer.read_line())

    names = ["ann", "Ann", "ANN", "aNN", "anN"]
    threads = [threading.Thread(target=claim, args=(peer, names[n % 5])) for n, peer in enumerate(peers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    winners = [line for line in first_lines if line.startswith("-- welcome")]
    losers = [line for line in first_lines if re.fullmatch(r"! nickname '(?i:ann)' is in use; choose another", line)]
    assert (len(winners), len(losers)) == (1, 49)
    assert len(running.chat.sessions()) == 1


def test_five_refused_nicknames_end_the_connection(server: MakeServer, clients: Clients) -> None:
    """Each refusal says what was wrong and what is allowed; after the fifth there is no sixth."""
    running = server()
    clients.text(running, "taken")
    ann = clients.raw(running)

    ann.send("a b\n\n1st\ntaken\nserver\nann\n")

    allowed = "use 1 to 32 letters, digits or -_[]{}|^\\`"
    assert last_words(ann) == [
        f"! nickname 'a b': spaces are not allowed; {allowed}",
        f"! nickname '': it is empty; {allowed}",
        f"! nickname '1st': it may not begin with a digit; {allowed}",
        "! nickname 'taken' is in use; choose another",
        f"! nickname 'server': 'server' is reserved; {allowed}",
        "-- goodbye: 5 nicknames were refused",
    ]
    assert len(running.chat.sessions()) == 1


def test_five_refused_nicknames_in_one_chunk_of_json_end_the_connection(server: MakeServer, clients: Clients) -> None:
    """Nobody tries a thousand nicknames at once either."""
    running = server()
    ann = clients.new_json(running)

    ann.send('{"type":"hello","nick":"a b","ref":1}\n' * 5 + '{"type":"hello","nick":"ann"}\n')

    items = ann.until("bye")
    assert [item["type"] for item in items] == ["error"] * 5 + ["bye"]
    assert items[-1]["reason"] == "5 nicknames were refused"
    assert items[0] == {
        "type": "error",
        "ref": 1,
        "code": "bad_nickname",
        "text": "nickname 'a b': spaces are not allowed; use 1 to 32 letters, digits or -_[]{}|^\\`",
        "subject": ["a b"],
    }


def test_60_lines_without_a_nickname_end_the_connection(server: MakeServer, clients: Clients) -> None:
    """Commands before registration are no tries, but they are counted, too."""
    ann = clients.raw(server())

    ann.send("/who\n" * 60 + "ann\n")

    assert last_words(ann) == ["! choose a nickname first"] * 60 + ["-- goodbye: no nickname accepted in 60 lines"]


def test_look_alike_nicknames(server: MakeServer, clients: Clients) -> None:
    """Threat of that name: Cyrillic letters, full-width ones, another case, mixed scripts."""
    running = server()
    clients.text(running, "aec")
    ann = clients.raw(running)

    for name in ("аес", "ａｅｃ", "AEC", "aеc"):
        ann.send(name + "\n")

    allowed = "use 1 to 32 letters, digits or -_[]{}|^\\`"
    assert [ann.read_line() for _ in range(4)] == [
        "! nickname 'аес' is in use; choose another",
        "! nickname 'aec' is in use; choose another",
        "! nickname 'AEC' is in use; choose another",
        f"! nickname 'aеc': letters of different scripts are mixed; {allowed}",
    ]


# What may reach others


EVIL = "a\x1b]52;c;Zm9v\x07b\rc\x08d\x9be\u202ef\u2066g\u2028h\x85i\x0bj\x0ck\x1cl\x7fm\x00n"
CLEAN = "a\ufffd]52;c;Zm9v\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\ufffdg\ufffdh\ufffdi\ufffdj\ufffdk\ufffdl\ufffdm\ufffdn"


def test_terminal_escapes_in_messages(server: MakeServer, clients: Clients) -> None:
    """Threat of that name: nothing that moves a cursor, sets a title or turns text around reaches a terminal."""
    running = server()
    ann, bob, carl = clients.text(running, "ann"), clients.json(running, "bob"), clients.text(running, "carl")

    ann.send(EVIL + "\n")
    assert carl.read_line() == f"ann: {CLEAN}"
    bob.ask("say", text=EVIL)
    assert carl.read_line() == f"bob: {CLEAN}"
    bob.ask("topic", topic=EVIL)
    assert carl.read_line() == f"-- bob set the topic of lobby: {CLEAN}"
    bob.ask("away", text=EVIL)
    assert carl.read_line() == f"-- bob is away: {CLEAN}"
    bob.ask("direct", to="carl", text=EVIL)
    assert carl.read_line() == f"[bob -> carl] {CLEAN}"
    bob.ask("quit", reason=EVIL)
    assert carl.read_line() == f"<-- bob left ({CLEAN})"


def test_terminal_escapes_in_nicknames_and_room_names(server: MakeServer, clients: Clients) -> None:
    """Threat of that name: they are refused, and the refusal shows them escaped."""
    ann = clients.raw(server())

    ann.send("a\x1b[2Jb\nann\n/join x\x1b[2J\n")

    assert ann.read_line() == (
        "! nickname 'a\\x1b[2Jb': the character U+001B is not allowed; use 1 to 32 letters, digits or -_[]{}|^\\`"
    )
    assert ann.read_until("room")[-1] == (
        "! room 'x\\x1b[2J': the character U+001B is not allowed; "
        "use 1 to 64 letters, digits, emoji or -_.#+&'/@:[]{}|^\\`"
    )


def test_terminal_escapes_that_a_handler_lets_in(server: MakeServer, clients: Clients) -> None:
    """What a handler makes of a message is cleaned again: it is not to blame for what it repeats."""

    class Decodes(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            return message._replace(text=message.text.replace("ESC", "\x1b"))

    running = server(handlers=[Decodes(), Broadcast()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")

    ann.send("ESC[2J\n")

    assert bob.read_line() == "ann: \ufffd[2J"


def test_line_breaks_do_not_smuggle_protocol_lines(server: MakeServer, clients: Clients) -> None:
    """Threat "CR/LF smuggling": a message of several lines has its sender on each; nobody fakes another's line."""
    running = server()
    bob, carl = clients.json(running, "bob"), clients.text(running, "carl")

    bob.ask("say", text="hello\r\nann: I am stupid\n<-- ann left\r{}\x0bx\u2028y\n\n")

    assert [carl.read_line() for _ in range(5)] == [
        "bob: hello",
        "bob: ann: I am stupid",
        "bob: <-- ann left\ufffd{}\ufffdx\ufffdy",
        "bob:",
        "bob:",
    ]


def test_log_injection(server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture) -> None:
    """Threat of that name: nothing that a peer sends becomes a line of its own in a log message."""

    class Broken(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            raise ValueError("broken")

    caplog.set_level("DEBUG")
    running = server(handlers=[Broken()])
    ann = clients.json(running, "ann")

    assert ann.answer("say", text="x\nERROR all is lost")["code"] == "internal"
    assert ann.answer("command", name="x\nERROR", args=["y\nERROR"])["code"] == "unknown_command"
    nc = clients.raw(running)
    nc.send("x\nERROR\n")
    nc.read_until("! internal error")

    assert caplog.records
    assert not [record for record in caplog.records if "\n" in record.getMessage() or "ERROR" in record.getMessage()]


def test_a_browser_cannot_be_made_to_speak(server: MakeServer, clients: Clients) -> None:
    """Threat "browser posts to the chat port": HTTP once, HTTP for ever; the lines of its body are not verbs."""
    running = server()
    bob = clients.text(running, "bob")
    browser = clients.raw(running)

    body = 'evil\r\nI am bob\r\n{"type":"hello","nick":"evil"}\r\n'
    browser.send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    browser.end_sending()

    head, _, text = browser.read_rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(text) in head
    bob.send("/who\n")
    assert bob.read_line() == "-- in lobby: bob"


_EVIL_BODY = "NICK evil\r\nUSER e 0 * :e\r\nJOIN #lobby\r\nPRIVMSG #lobby :I am evil\r\n"


@pytest.mark.usefixtures("unprompted")
@pytest.mark.parametrize("method", ["NICK", "USER", "CAP", "PASS", "PING", "JOIN", "ann"])
def test_a_web_page_cannot_be_heard_by_a_method_that_is_a_command(
    server: MakeServer, clients: Clients, method: str
) -> None:
    """Threat "DNS rebinding": the page of a name that leads here now sends any method; it is HTTP by its first line."""
    running = server()
    bob, browser = clients.text(running, "bob"), clients.raw(running)

    for part in (method[:2], method[2:], " /", " HTTP/1", ".1", "\r\n", "Host: evil.example\r\n\r\n", _EVIL_BODY):
        browser.send(part)
    browser.end_sending()

    assert browser.read_rest().startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    bob.send("/who\n")
    assert bob.read_line() == "-- in lobby: bob"


@pytest.mark.parametrize("before", ["\r\n", "CAP LS 302\r\n", '{"type":"ping"}\r\n', "x" * 5000 + "\r\n"])
def test_a_header_of_http_ends_the_connection_of_whoever_has_no_nickname(
    server: MakeServer, clients: Clients, before: str
) -> None:
    """Whatever was said before it, in every language."""
    running = server()
    bob, browser = clients.text(running, "bob"), clients.raw(running)

    browser.send(f"{before}NICK / HTTP/1.1\r\nHost: evil.example\r\n\r\n{_EVIL_BODY}")

    assert "web browsers cannot chat here; use nc, an IRC client or 'pychat connect' instead" in last_words(browser)[-1]
    bob.send("/who\n")
    assert bob.read_line() == "-- in lobby: bob"


@pytest.mark.parametrize(
    "sent",
    [
        b"*2\r\n$4\r\nAUTH\r\n$6\r\nsesame\r\n",
        b"STOMP\nlogin:ann\npasscode:sesame\n\n\0",
        b"set session:1 0 3600 20\r\nann\r\nsesame\r\n",
        b"EHLO x\r\nMAIL FROM:<a@b.example>\r\nDATA\r\nsesame\r\n",
        b"CLIENT libcurl 7.88.1\r\nann\r\nQUIT\r\n",
        b"\0\x01\0\x50\x21\x12\xa4\x42\nann\nsesame\n",
        b"ann.\n\0\nann\nsesame\n",
    ],
)
def test_a_client_of_another_protocol_says_nothing(server: MakeServer, clients: Clients, sent: bytes) -> None:
    """Redis, STOMP, memcached, mail, DICT, STUN: a secret that was meant for another server is told to nobody."""
    running = server()
    bob, stray = clients.text(running, "bob"), clients.raw(running)

    stray.send(sent)
    stray.read_rest()

    bob.send("/who\n")
    assert bob.read_line() == "-- in lobby: bob"


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"*1\r\n$4\r\nPING\r\n", b"This is a chat. Use nc, an IRC client or pychat connect.\r\n"),
        (b"POST / HTTP/1.1\r\n\r\n", b"HTTP/1.1 501 Not Implemented\r\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n"),
        (b"\x16\x03\x01\x02\x00\x01\x00", b""),
    ],
)
def test_a_language_that_is_not_built_yet_is_refused_in_its_own_words(
    server: MakeServer, clients: Clients, sent: bytes, answer: bytes
) -> None:
    """HTTP gets a status, TLS a close."""
    peer = clients.raw(server())

    peer.send(sent)

    assert peer.read_rest()[: len(answer)] == answer


def test_memory_of_an_endless_line(server: MakeServer, clients: Clients) -> None:
    """Threat "memory": 20 MB without a newline end the connection after 16 KiB, and say so."""
    running = server()
    bob = clients.text(running, "bob")
    ann = clients.text(running, "ann")
    bob.read_until("ann joined")

    with suppress(OSError):  # it may be closed before everything is sent
        for _ in range(320):
            ann.send(b"x" * 65_536)
    ann.close()

    assert bob.read_line() == "<-- ann left (no newline in 16384 bytes)"
    wait_until(lambda: running.connections == 1, "the connection is closed")


def test_memory_of_an_endless_first_line(server: MakeServer, clients: Clients) -> None:
    """The same before there is a nickname, in text and in JSON."""
    running = server()
    text, json = clients.raw(running), clients.new_json(running)

    text.send(b"x" * 16_385)
    json.send(b'{"x":"' + b"x" * 16_385)

    assert last_words(text) == ["! no newline in 16384 bytes", "-- goodbye: no newline in 16384 bytes"]
    assert json.next("error")["code"] == "line_too_long"
    assert json.next("bye")["reason"] == "no newline in 16384 bytes"


def test_a_line_that_is_too_long_is_skipped(server: MakeServer, clients: Clients) -> None:
    """One error, then everything goes on with the next line."""
    running = server()
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    ann.send("x" * 5000 + "\nnext\n/who\n")

    assert bob.read_line() == "ann: next"
    assert ann.read_line() == "! line too long: at most 4096 bytes"


# One bad client, one bad handler


def test_one_bad_client_does_not_end_the_server(server: MakeServer, clients: Clients) -> None:
    """
    Threat of that name: 300 connections of random bytes that vanish.

    No thread, descriptor or member is left, and what two members say meanwhile arrives, all of it, in order.
    """
    running = server(handlers=full_chain())
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")
    files, threads = len(os.listdir("/proc/self/fd")), len(pychat_threads())  # noqa: PTH208
    dice = random.Random(2)
    heard: list[str] = []
    listener = threading.Thread(target=lambda: heard.extend(bob.read_until("ann: the end")))
    listener.start()

    starts = [b"", b"{", b"NICK x\r\n", b"GET / HTTP/1.1\r\n", b"\x16\x03", b"\xff\xfa", b"evil\n", b'{"type":"hello"']
    for number in range(300):
        peer = clients.raw(running)
        data = dice.choice(starts) + dice.randbytes(dice.randrange(8192))
        if dice.random() < 0.5:
            data = data.replace(b"\0", b"\n")
        with suppress(OSError):  # it may be cut off already
            peer.send(data)
        peer.reset() if dice.random() < 0.5 else peer.close()
        ann.send(f"m{number}\n")
    ann.send("the end\n")
    listener.join(DEADLINE)

    messages = [line for line in heard if re.fullmatch(r"ann: m\d+", line)]
    assert messages == [f"ann: m{number}" for number in range(300)]
    wait_until(lambda: running.connections == 2, "the connections are closed")
    assert sorted(session.nickname or "" for session in running.chat.sessions()) == ["ann", "bob"]
    wait_until(lambda: len(pychat_threads()) <= threads, "no thread could be started")
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= files, "no descriptor is left")  # noqa: PTH208


def test_a_handler_that_fails_hurts_only_the_message_it_handled(
    server: MakeServer, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """The sender is told "internal error", the log has the traceback, and the next message passes."""

    class Broken(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            if message.text == "crash":
                raise KeyError("oh")
            return message

    running = server(handlers=[Broken(), JoinLeaveNotices(), Broadcast()])
    ann, bob = clients.text(running, "ann"), clients.text(running, "bob")
    ann.read_until("bob joined")

    ann.send("crash\nhello\n")

    assert bob.read_line() == "ann: hello"
    assert ann.read_line() == "! internal error"
    assert "before_message failed" in caplog.text
    assert "KeyError: 'oh'" in caplog.text


def test_a_handler_may_refuse_a_connection(server: MakeServer, clients: Clients) -> None:
    """`before_connect` says no: the peer is told why, and no hook ever hears of the session again."""
    heard: list[str] = []

    class Closed(Handler):
        def before_connect(self, session: Session) -> None:
            raise Refused("we are closed, come back tomorrow")

        def on_connect(self, session: Session) -> None:
            heard.append("on_connect")

        def on_disconnect(self, session: Session, reason: str) -> None:
            heard.append("on_disconnect")

    running = server(handlers=[Closed()])
    text, json = clients.raw(running), clients.new_json(running)

    text.send("ann\n")
    assert last_words(text) == [
        "! we are closed, come back tomorrow",
        "-- goodbye: we are closed, come back tomorrow",
    ]
    json.ask("hello", nick="ann")
    assert json.next("error") == {"type": "error", "code": "refused", "text": "we are closed, come back tomorrow"}
    assert json.next("bye")["reason"] == "we are closed, come back tomorrow"
    text.close()
    json.close()
    wait_until(lambda: running.connections == 0, "both are gone")
    assert heard == []


def test_flooding(server: MakeServer, clients: Clients) -> None:
    """Ten lines pass at once; a thousand are refused with the rule, and end the session."""
    handlers = [FloodControl(), JoinLeaveNotices(), Broadcast()]
    running = server(handlers=handlers, limits=Limits(delay_seconds=0.0), clock=FakeClock())  # no time passes
    bob = clients.text(running, "bob")
    ann = clients.raw(running)

    ann.send("ann\n" + "".join(f"m{number}\n" for number in range(1000)))

    heard = bob.read_until("ann left")
    assert heard == ["--> ann joined lobby", *[f"ann: m{number}" for number in range(9)], "<-- ann left (flooding)"]
    lines = [line for line in last_words(ann) if not line.startswith("-- ")]
    assert set(lines) == {"! too fast: at most 10 at once, then 2 a second"}
    assert len(lines) == 29  # the thirtieth refusal is the goodbye


# Doors


REQUESTS: list[dict[str, Any]] = [
    {"type": "say", "text": "x"},
    {"type": "direct", "to": "bob", "text": "x"},
    {"type": "join", "room": "lobby"},
    {"type": "leave"},
    {"type": "nick", "nick": "ann"},
    {"type": "topic", "topic": "x"},
    {"type": "topic"},
    {"type": "away", "text": "x"},
    {"type": "who", "room": "lobby"},
    {"type": "rooms"},
    {"type": "whois", "nick": "bob"},
    {"type": "history", "room": "lobby"},
    {"type": "kick", "nick": "bob"},
    {"type": "invite", "nick": "bob"},
    {"type": "mode", "room": "lobby"},
    {"type": "mode", "modes": "+m"},
    {"type": "masks", "mode": "b", "room": "lobby"},
    {"type": "user_mode", "modes": "+o"},
    {"type": "oper", "name": "root", "password": "x"},
    {"type": "kill", "nick": "bob"},
    {"type": "wallops", "text": "x"},
    {"type": "motd"},
    {"type": "command", "name": "help"},
]
LINES = ["/join lobby", "/part", "/msg bob x", "/me x", "/who lobby", "/list", "/whois bob", "/topic x", "/topic"]
LINES += ["/away", "/back", "/history", "/reply x", "/invite bob", "/kick bob", "/ban bob", "/unban bob", "/op bob"]
LINES += ["/deop bob", "/voice bob", "/devoice bob", "/mode", "/mode +m", "/oper root x", "/kill bob", "/motd"]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["type"])
def test_authentication_bypass_by_json(server: MakeServer, clients: Clients, request_: dict[str, Any]) -> None:
    """Threat "bypass by another door": without a nickname nothing is answered but with that."""
    running = server(handlers=full_chain())
    bob = clients.text(running, "bob")

    error = clients.new_json(running).answer(**request_)

    assert (error["type"], error["code"], error["text"]) == ("error", "not_registered", "choose a nickname first")
    bob.send("/who\n")
    assert bob.read_line() == "-- in lobby: bob"


@pytest.mark.parametrize("line", LINES)
def test_authentication_bypass_by_text(server: MakeServer, clients: Clients, line: str) -> None:
    """The same for text: a command before the nickname is refused by the same rule."""
    ann = clients.raw(server(handlers=full_chain()))

    ann.send(line + "\n")

    assert ann.read_line() == "! choose a nickname first"


def test_data_visible_to_non_members(server: MakeServer, clients: Clients) -> None:
    """
    Threat of that name: who is not in a room sees nothing of what is said there, nor who is also in it; of one that is
    secret neither the members nor the topic.
    """
    running = server(handlers=full_chain())
    secret = clients.json(running, "secret", rooms=["lobby", "ops"])
    ann = clients.json(running, "ann")
    secret.answer("say", room="ops", text="the password is swordfish")
    secret.answer("topic", room="ops", topic="hush")
    assert ann.answer("history", room="ops")["code"] == "not_a_member"
    secret.answer("mode", room="ops", modes="+s")

    for kind in ("who", "history"):
        error = ann.answer(kind, room="ops")
        assert (error["code"], error["text"]) == ("not_a_member", "you are not in room 'ops'; join it first")
    error = ann.answer("topic", room="ops")
    assert (error["code"], error["text"]) == ("no_such_room", "there is no room 'ops'")
    assert ann.answer("say", room="ops", text="x")["code"] == "not_a_member"
    assert ann.answer("whois", nick="secret")["rooms"] == ["lobby"]
    secret.ask("nick", nick="known")
    secret.answer("away", text="lunch")
    secret.ask("quit")
    events = ann.until("disconnected")
    assert [sorted(event) for event in events] == [
        ["id", "new", "nick", "time", "type"],
        ["id", "nick", "text", "time", "type"],
        ["id", "nick", "reason", "time", "type"],
    ]


def test_a_message_for_a_few_is_seen_by_no_others_ever(server: MakeServer, clients: Clients) -> None:
    """A game's whisper: others see it neither live, nor in the history, nor replayed, nor on resume."""

    class ToSecretAgents(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            assert message.room is not None
            room = session.chat.room(message.room)
            agents = [member for member in room.members if (member.nickname or "").startswith("agent")]
            room.publish(message, to=agents if message.text.startswith("psst") else None)

    running = server(handlers=[JoinLeaveNotices(), *full_chain()[2:3], ToSecretAgents()])
    agent1, agent2 = clients.json(running, "agent1"), clients.json(running, "agent2")
    ann = clients.json(running, "ann")
    first = agent1.answer("say", text="hello")["id"]
    agent1.answer("say", text="psst, a secret")
    agent1.answer("say", text="bye")

    assert [agent2.next("message")["text"] for _ in range(3)] == ["hello", "psst, a secret", "bye"]
    assert [ann.next("message")["text"] for _ in range(2)] == ["hello", "bye"]

    def texts(events: list[dict[str, Any]]) -> list[str]:
        return [event["text"] for event in events if event["type"] == "message"]

    assert texts(ann.answer("history")["events"]) == ["hello", "bye"]
    assert texts(agent2.answer("history")["events"]) == ["hello", "psst, a secret", "bye"]
    late, back = clients.new_json(running), clients.new_json(running)
    late.ask("hello", nick="late", replay=True)
    assert texts(late.next("replay")["events"]) == ["hello", "bye"]
    back.ask("hello", nick="back", resume={"after": first})
    assert texts(back.until("message")) == ["bye"]
    assert "audience" not in str(agent2.answer("history"))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc", "..", "a/../b", "a/.b", "a//b", "a\\..\\b/", "~"])
def test_path_tricks_in_room_names(server: MakeServer, clients: Clients, name: str) -> None:
    """Threat of that name: what could be a path is no name, and names never become paths."""
    running = server()
    error = clients.json(running, "ann").answer("join", room=name)

    assert error["code"] == "bad_room"
    assert error["text"].endswith("; use 1 to 64 letters, digits, emoji or -_.#+&'/@:[]{}|^\\`")
    assert [room.name for room in running.chat.rooms()] == ["lobby"]


def test_deadlock_by_a_hook_under_a_lock(server: MakeServer, clients: Clients) -> None:
    """Threat "deadlock": while any hook of a session runs, other threads can do everything."""
    checked: set[str] = set()

    def others_can(name: str, session: Session) -> None:
        done = threading.Event()

        def act() -> None:
            session.chat.find("nobody")
            session.chat.rooms()
            with suppress(LocalProtocolError):  # at the end of the server, somebody still leaves
                session.chat.room("lobby").announce(name)
            done.set()

        threading.Thread(target=act, daemon=True).start()
        assert done.wait(DEADLINE), name
        checked.add(name)

    hooks = [name for name in vars(Handler) if name.startswith(("before_", "on_"))]

    def make_hook(name: str) -> Callable[..., Any]:
        def hook(self: Handler, session: Session, *args: Any) -> Any:
            others_can(name, session)
            return getattr(Handler, name)(self, session, *args)

        return hook

    everything = type("Everything", (Handler,), {name: make_hook(name) for name in hooks})()
    running = server(handlers=[everything])
    ann = clients.json(running, "ann")
    ann.answer("join", room="ops")
    clients.json(running, "bob", rooms=["ops"])
    ann.answer("kick", nick="bob", room="ops")
    for request in REQUESTS:
        ann.answer(**request)
    ann.answer("help")
    ann.ask("quit")
    wait_until(lambda: checked == set(hooks), "every hook has run")


def test_a_hook_may_do_everything_itself(server: MakeServer, clients: Clients) -> None:
    """Hooks run without a lock, so they may join rooms, announce, send notices and use other sessions."""

    class Busy(Handler):
        def on_join(self, session: Session, room: Room) -> None:
            if session.nickname == "ann":
                room.announce("ann is here")
                session.notice("be nice")
                bot.say(f"{len(room.members)} are here")
                session.chat.room("news").announce("ann came")

    running = server()
    bot = running.session("bot")
    running.add_handler(Busy())

    ann = clients.raw(running)
    ann.send("ann\n")

    assert ann.read_until("bot: ") == [
        "-- welcome to pychat, ann; /help lists the commands",
        "-- you are in lobby: bot, ann",
        "-- be nice",
        "-- ann is here",
        "bot: 2 are here",
    ]
