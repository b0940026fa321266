"""`FaultySocket` and `Network`: what misbehaves on command, and is well again."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from chat_clients import DEADLINE, free_port

from pychat import Disconnected, Joined, Limits, Message
from pychat.client import Reconnected, Reconnecting
from pychat.model.errors import ConnectFailed, ConnectionLost
from pychat.testing import ChatHarness, FaultySocket, MakeChat, Network

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def pair() -> Iterator[tuple[FaultySocket, socket.socket]]:
    """A socket that misbehaves, and its well-behaved peer, connected by TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = FaultySocket(socket.create_connection(listener.getsockname(), DEADLINE))
        far, _ = listener.accept()
    far.settimeout(DEADLINE)
    yield near, far
    near.close()
    far.close()


Pair = tuple[FaultySocket, socket.socket]


# FaultySocket


def test_a_faulty_socket_is_a_socket(pair: Pair) -> None:
    """As long as nothing else is commanded."""
    near, far = pair

    near.sendall(b"hello")
    assert far.recv(100) == b"hello"
    far.sendall(b"hi")
    assert near.recv(100) == b"hi"
    assert near.getpeername() == far.getsockname()


def test_a_trickle_of_nothing_is_a_mistake(pair: Pair, chat: ChatHarness) -> None:
    """Who sends would try for ever, and what a network has would be lost."""
    for wire in (pair[0], chat.network()):
        with pytest.raises(ValueError, match=r"^pieces of 0 bytes: use stall\(\) to let nothing through$"):
            wire.trickle(0)


def test_a_trickle_makes_short_writes_and_short_reads(pair: Pair) -> None:
    """A few bytes at a time, whatever is asked for; what is sent is sent all the same."""
    near, far = pair
    near.trickle(2)
    far.sendall(b"hello")
    buffer = bytearray(10)

    assert near.send(b"hello") == 2
    near.sendall(b"y, world")
    assert near.recv(100) == b"he"
    assert near.recv_into(buffer) == 2
    assert buffer[:2] == b"ll"
    near.resume()
    assert near.recv(100) == b"o"
    assert far.recv(10, socket.MSG_WAITALL) == b"hey, world"


def test_who_uses_a_stalled_socket_waits(pair: Pair) -> None:
    """Until it is resumed."""
    near, far = pair
    near.stall()
    far.sendall(b"hello")

    with ThreadPoolExecutor(2) as pool:
        receiving, sending = pool.submit(near.recv, 100), pool.submit(near.sendall, b"hi")
        assert not receiving.done()
        near.resume()

        assert receiving.result(DEADLINE) == b"hello"
        sending.result(DEADLINE)
    assert far.recv(100) == b"hi"


def test_who_may_not_wait_for_a_stalled_socket_is_told(pair: Pair) -> None:
    """As a socket tells it: at once, or after its timeout."""
    near, far = pair
    near.stall()
    far.sendall(b"hello")

    with pytest.raises(BlockingIOError):
        near.send(b"hi", socket.MSG_DONTWAIT)
    near.setblocking(False)
    with pytest.raises(BlockingIOError):
        near.recv(100)
    near.settimeout(0.01)
    with pytest.raises(TimeoutError, match=r"^timed out$"):
        near.recv(100)


def test_a_cut_is_an_end_for_both_sides(pair: Pair) -> None:
    """Also for one who waits because it is stalled."""
    near, far = pair
    near.stall()
    with ThreadPoolExecutor(1) as pool:
        receiving = pool.submit(near.recv, 100)

        near.cut()

        assert receiving.result(DEADLINE) == b""
    assert far.recv(100) == b""


def test_a_reset_is_an_error_for_both_sides(pair: Pair) -> None:
    """Not an end."""
    near, far = pair

    near.reset()

    with pytest.raises(ConnectionResetError):
        far.recv(100)
    with pytest.raises(ConnectionResetError):
        near.recv(100)
    with pytest.raises(ConnectionResetError):
        near.send(b"hi", socket.MSG_DONTWAIT)


def test_who_waits_for_a_socket_that_is_reset_is_told(pair: Pair) -> None:
    """It does not wait for ever."""
    near, _ = pair
    near.settimeout(None)
    with ThreadPoolExecutor(1) as pool:
        near.stall()
        receiving = pool.submit(near.recv, 100)

        near.reset()

        with pytest.raises(ConnectionResetError):
            receiving.result(DEADLINE)


# As the wire of a client


@pytest.mark.usefixtures("unprompted")
def test_a_server_takes_what_comes_byte_by_byte(chat: ChatHarness) -> None:
    """A character of four bytes, too."""
    ann, nc = chat.join("ann"), chat.connect()
    nc.socket.trickle()

    nc.send("nc\nhello \N{GRINNING FACE}\n")

    assert ann.next(Message).text == "hello \N{GRINNING FACE}"


def test_a_server_sees_that_a_peer_is_gone(chat: ChatHarness) -> None:
    """Cut or reset, the others hear of it."""
    ann = chat.join("ann")
    for command in (FaultySocket.cut, FaultySocket.reset):
        nc = chat.connect()
        nc.send("nc\n")
        ann.next(Joined)

        command(nc.socket)

        # Of one that had something to read, the system says that it was reset.
        assert ann.next(Disconnected).reason in ("connection closed", "connection reset")


# Network


def test_a_network_lets_everything_through(chat: ChatHarness) -> None:
    """In both directions, and the end of each, too."""
    network, ann = chat.network(), chat.join("ann")
    bob = chat.join("bob", via=network)

    bob.say("x" * 4000)
    ann.say("y" * 4000)
    bob.close("bye")

    assert [message.text for message in bob.received(Message)] == ["y" * 4000]
    assert ann.next(Message).text == "x" * 4000
    assert ann.next(Disconnected).reason == "bye"


def test_a_network_that_is_cut_ends_connections(chat: ChatHarness) -> None:
    """Both sides see it; who comes again gets through."""
    network, ann = chat.network(), chat.join("ann")
    bob = chat.join("bob", via=network)

    network.cut()

    with pytest.raises(ConnectionLost, match=r"^the server closed the connection$"):
        bob.next(Message)
    assert ann.next(Disconnected).nickname == "bob"
    assert chat.join("carl", via=network).connected


def test_a_network_that_is_reset_breaks_connections(chat: ChatHarness) -> None:
    """Both sides get an error, also while much is on its way to one who does not read."""
    network = chat.network()
    with socket.create_connection(("127.0.0.1", network.port), DEADLINE) as peer:
        peer.sendall(b"nc\n")
        chat.wait_until(lambda: chat.room().members, "nc is in")
        for _ in range(100):
            chat.room().announce("x" * 4000)

        network.reset()

        with pytest.raises(ConnectionResetError):
            deque(iter(partial(peer.recv, 65_536), b""), maxlen=0)
    chat.wait_until(lambda: not chat.room().members, "the server knows it")


def test_a_network_that_is_down_lets_nobody_through(chat: ChatHarness) -> None:
    """Until it works again; then who comes back hears what it missed."""
    network, ann = chat.network(), chat.join("ann")
    bob = chat.join("bob", via=network, reconnect=True)

    network.down()
    bob.next(Reconnecting)
    ann.next(Disconnected)
    with pytest.raises(ConnectFailed):
        chat.join("carl", via=network)
    ann.say("still there?")
    network.resume()

    assert bob.next(Message).text == "still there?"
    assert bob.next(Reconnected) == Reconnected(missed=1)


def test_a_network_that_is_stalled_keeps_everything(chat: ChatHarness) -> None:
    """Nothing is lost, nothing is heard, until it is resumed."""
    network, ann = chat.network(), chat.join("ann")
    bob = chat.join("bob", via=network)
    network.stall()

    ann.say("late")
    with pytest.raises(TimeoutError, match=r"^no Message within 0.05 s, but Members"):
        bob.next(Message, timeout=0.05)
    network.resume()

    assert bob.next(Message).text == "late"


def test_a_member_behind_a_stalled_network_is_cut_off(chat_server: MakeChat) -> None:
    """When more waits for it than the server keeps; the others hear why, and lose nothing."""
    chat = chat_server(limits=Limits(send_queue_bytes=50_000))
    network, ann, carl = chat.network(), chat.join("ann"), chat.join("carl")
    chat.join("bob", via=network)
    network.stall()

    said = 0
    while len(chat.room().members) == 3:
        ann.say("x" * 4000)
        said += 1
    chat.wait_until(lambda: chat.server.chat.find("bob") is None, "the others are told")

    heard = carl.received()
    reasons = [event.reason for event in heard if isinstance(event, Disconnected)]
    assert reasons == ["too slow: more than 50000 bytes were waiting"]
    assert len([event for event in heard if isinstance(event, Message)]) == said


def test_a_network_that_trickles_changes_nothing_but_time(chat: ChatHarness) -> None:
    """Clients and servers put together what comes in pieces."""
    network = chat.network()
    network.trickle(3)
    ann, bob = chat.join("ann", via=network), chat.join("bob", via=network)

    for text in ("hello", "\N{GRINNING FACE}" * 100):
        ann.say(text)

    assert [message.text for message in bob.received(Message)] == ["hello", "\N{GRINNING FACE}" * 100]


def test_one_who_vanishes_is_gone_for_the_server_too(chat: ChatHarness) -> None:
    """The network passes a reset on."""
    network, ann = chat.network(), chat.join("ann")
    peer = socket.create_connection(("127.0.0.1", network.port), DEADLINE)
    peer.sendall(b"nc\n")
    ann.next(Joined)

    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()

    assert ann.next(Disconnected).nickname == "nc"


def test_a_network_without_a_server_ends_who_comes(chat_server: MakeChat) -> None:
    """As if the machine was there and the program was not."""
    chat = chat_server(port=free_port())
    network = chat.network()
    chat.server.stop()

    with socket.create_connection(("127.0.0.1", network.port), DEADLINE) as peer:
        assert peer.recv(100) == b""


@pytest.mark.parametrize("command", [Network.cut, Network.reset, Network.down, Network.close])
def test_a_network_leaves_no_thread_whatever_it_was_doing(
    chat: ChatHarness, command: Callable[[Network], None]
) -> None:
    """Stalled, in the middle of much."""
    network = chat.network()
    before = set(threading.enumerate())
    chat.join("bob", via=network)
    network.stall()
    for _ in range(20):
        chat.room().announce("x" * 4000)

    command(network)

    relays = [thread for thread in threading.enumerate() if thread.name == "pychat-relay" and thread not in before]
    for thread in relays:
        thread.join(DEADLINE)
    assert not any(thread.is_alive() for thread in relays)
