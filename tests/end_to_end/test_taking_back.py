"""The owner of a nickname comes back for it, while a connection that is lost, or as good as lost, still has it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients, JsonPeer, Peer, wait_until
from irc_peer import IrcPeer

from pychat import ChatServer, Handler, Limits, Message, Session, StoredAccounts
from pychat.core.accounts import reclaim as reclaiming
from pychat.core.accounts.password_hash import Cost
from pychat.testing import FakeClock
from pychat.transport.link import WireSession

MakeServer = Callable[..., ChatServer]

PASSWORD = "correct-horse"
KEPT = "nickname 'ann' is reserved for 25 s for somebody who lost the connection; try again then, or choose another"
ANSWERS = "nickname 'ann' is yours, but an active connection uses it; use regain to take it back"


@pytest.fixture
def clock() -> FakeClock:
    """One that stands still."""
    return FakeClock()


@pytest.fixture
def running(server: MakeServer, clock: FakeClock) -> ChatServer:
    """A server with an account `ann`, whose passwords cost nothing."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    accounts.register("ann", PASSWORD)
    return server(accounts=accounts, clock=clock, limits=Limits(nickname_grace_seconds=3600.0))


def lose(running: ChatServer, clients: Clients, nickname: str = "ann", **hello: str) -> None:
    """Come with a nickname and lose the connection; others hear of it when it is kept."""
    watcher = clients.json(running, "watcher")
    clients.json(running, nickname, **hello).close()
    watcher.until("disconnected", nick=nickname)
    watcher.close()


def log_in(nickname: str = "ann") -> dict[str, str]:
    """What a `hello` says to come as the owner."""
    return {"nick": nickname, "account": "ann", "account_password": PASSWORD}


@pytest.mark.parametrize("known", [True, False])
def test_the_owner_of_a_kept_nickname_has_it_at_once(running: ChatServer, clients: Clients, known: bool) -> None:
    """In JSON; also if whoever lost the connection had only borrowed it."""
    lose(running, clients, **({"account": "ann", "account_password": PASSWORD} if known else {}))
    ann = clients.new_json(running)

    ann.ask("hello", **log_in())

    assert ann.next("welcome")["nick"] == "ann"


def test_a_guest_reads_for_whom_and_how_long_it_is_kept(
    running: ChatServer, clients: Clients, clock: FakeClock
) -> None:
    """In each language; programs read the seconds as a number."""
    lose(running, clients)
    clock.advance(5.5)
    guest, text, irc = clients.new_json(running), clients.raw(running), clients.add(IrcPeer(running))
    refused = {"type": "error", "ref": "asked", "code": "nickname_in_use", "text": KEPT, "subject": ["ann"]}

    assert guest.answer("hello", nick="ann") == {**refused, "retry_after": 25}
    text.send("ann\n")
    assert text.read_until("! ")[-1] == f"! {KEPT}"
    irc.say("NICK ann", "USER a 0 * :a")
    assert irc.until("433")[-1].params == ("*", "ann", KEPT)


def test_who_looks_like_somebody_that_is_kept_waits_as_long(running: ChatServer, clients: Clients) -> None:
    """And one that looks like somebody who is there is in use."""
    lose(running, clients, "aec")
    clients.json(running, "oxp")
    guest = clients.new_json(running)

    assert guest.answer("hello", nick="аес")["retry_after"] == 30  # Cyrillic
    assert "retry_after" not in guest.answer("hello", nick="охр")


def test_text_logs_in_before_it_has_a_nickname(running: ChatServer, clients: Clients) -> None:
    """Then the nickname is its own."""
    lose(running, clients)
    ann = clients.raw(running)

    ann.send(f"/login ann {PASSWORD}\nann\n")

    ann.read_until("-- welcome to pychat, ann")


@pytest.mark.parametrize("lines", [f"/regain ann {PASSWORD}\n", f"/login ann {PASSWORD}\n/regain ann\n"])
def test_text_regains_before_it_has_a_nickname(running: ChatServer, clients: Clients, lines: str) -> None:
    """It is a way of coming in; whoever has it is put out, also if they are there."""
    old = clients.json(running, "ann", account="ann", account_password=PASSWORD)
    ann = clients.raw(running)

    ann.send(lines)

    ann.read_until("-- welcome to pychat, ann")
    assert old.next("bye") == {"type": "bye", "reason": "regained from elsewhere", "final": True}


def test_regaining_with_the_password_of_the_server(server: MakeServer, clients: Clients) -> None:
    """It is asked for as of anybody who comes, and nothing has to be said twice."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    accounts.register("ann", PASSWORD)
    running = server(accounts=accounts, password="sesame")
    ann = clients.raw(running)

    ann.send(f"/regain ann {PASSWORD}\nsesame\n")

    ann.read_until("-- this server requires a password")
    ann.read_until("-- welcome to pychat, ann")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("ann", "! you are not logged in; use login, or register"),
        ("ann wrong", "! wrong account or password"),
        ("nobody", "! you are not logged in; use login, or register"),
        ("nobody wrong", "! wrong account or password"),
    ],
)
def test_regaining_what_is_not_ones_own(running: ChatServer, clients: Clients, words: str, answer: str) -> None:
    """It is not told which nicknames belong to accounts, and the next line may be another nickname."""
    peer = clients.raw(running)

    peer.send(f"/regain {words}\nbob\n")

    assert peer.read_until("! ")[-1] == answer
    peer.read_until("-- welcome to pychat, bob")


def test_irc_with_sasl_has_it_at_once(running: ChatServer, clients: Clients) -> None:
    """The nickname that it asks for is the one it gets."""
    lose(running, clients)
    ann = clients.add(IrcPeer(running))
    response = base64.b64encode(f"\0ann\0{PASSWORD}".encode()).decode()

    ann.say("CAP REQ :sasl", "NICK ann", "USER ann 0 * :ann", "AUTHENTICATE PLAIN", f"AUTHENTICATE {response}")
    ann.say("CAP END")

    assert ann.until("001")[-1].params[0] == "ann"


def test_a_change_of_nickname_is_a_way_back_as_well(running: ChatServer, clients: Clients) -> None:
    """Who came as somebody else and is logged in."""
    lose(running, clients)
    ann = clients.json(running, "anna", account="ann", account_password=PASSWORD)

    assert ann.answer("nick", nick="ann")["type"] == "ok"


def silent(running: ChatServer, clients: Clients, language: str) -> Peer:
    """Somebody who is logged in as ann, has that nickname, and answers nothing any more."""
    if language == "JSON":
        return clients.json(running, "ann", account="ann", account_password=PASSWORD)
    peer = clients.raw(running)
    peer.send(f"NICK ann\r\nUSER ann 0 * :ann\r\nNICKSERV IDENTIFY {PASSWORD}\r\n")
    peer.read_until(":irc.pychat 900")
    return peer


@pytest.mark.parametrize("language", ["JSON", "IRC"])
def test_a_connection_that_does_not_answer_makes_way(
    running: ChatServer, clients: Clients, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """It was asked first; it is told, should it live after all, and does not come back by itself."""
    monkeypatch.setattr(reclaiming, "_ANSWER_SECONDS", 0.3)
    old = silent(running, clients, language)
    session = running.chat.find("ann")
    assert isinstance(session, WireSession)
    wait_until(lambda: not session.performing, "the server reads what it says")
    ann = clients.new_json(running)

    ann.ask("hello", **log_in())

    assert ann.next("welcome")["nick"] == "ann"
    if language == "JSON":
        assert isinstance(old, JsonPeer)
        assert [item["type"] for item in old.until("bye")][-2:] == ["ping", "bye"]
    else:
        lines = old.read_rest().decode().splitlines()
        assert lines[-2:] == ["PING :irc.pychat", "ERROR :Closing link: regained from elsewhere"]


def test_a_connection_that_answers_keeps_the_nickname(
    running: ChatServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two devices do not put each other out for ever; a person may still take it."""
    monkeypatch.setattr(reclaiming, "_ANSWER_SECONDS", DEADLINE)  # so long the answer may take
    old, ann = clients.json(running, "ann", account="ann", account_password=PASSWORD), clients.new_json(running)
    ann.ask("hello", **log_in(), ref=1)
    old.next("ping")
    old.ask("pong")

    refused = ann.next("error")
    assert (refused["code"], refused["text"]) == ("nickname_in_use", ANSWERS)
    assert old.answer("who")["type"] == "members"
    ann.ask("hello", **log_in(), regain=True)
    assert ann.next("welcome")["nick"] == "ann"
    assert old.next("bye")["reason"] == "regained from elsewhere"


def test_a_connection_that_ends_while_it_is_asked_makes_way(running: ChatServer, clients: Clients) -> None:
    """Whoever waits for its answer waits no longer."""
    old, ann = clients.json(running, "ann", account="ann", account_password=PASSWORD), clients.new_json(running)
    ann.ask("hello", **log_in(), ref=1)
    old.next("ping")
    old.close()

    assert ann.next("welcome")["nick"] == "ann"


def test_who_cannot_be_asked_keeps_the_nickname(running: ChatServer, clients: Clients) -> None:
    """A person with `nc` answers no ping, and is not put out for that."""
    old, ann = clients.text(running, "ann"), clients.new_json(running)
    old.send(f"/login {PASSWORD}\n")
    old.read_until("-- you are logged in as ann")

    assert ann.answer("hello", **log_in())["text"] == ANSWERS


def test_who_is_kept_waiting_by_the_server_keeps_the_nickname(
    running: ChatServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sends is not read meanwhile, so it cannot answer."""
    monkeypatch.setattr(reclaiming, "_ANSWER_SECONDS", 0.05)
    gate = Gate()
    running.add_handler(gate)
    old, ann = clients.json(running, "ann", account="ann", account_password=PASSWORD), clients.new_json(running)
    old.ask("say", text="wait")
    assert gate.entered.wait(DEADLINE)

    refused = ann.answer("hello", **log_in())

    gate.opened.set()
    assert refused["text"] == ANSWERS


class Gate(Handler):
    """Holds back whoever says something."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def before_message(self, session: Session, message: Message) -> Message:
        """Wait until it is opened."""
        self.entered.set()
        assert self.opened.wait(DEADLINE)
        return message
