"""`python -m benchmarks hostile`: every attack attacks, and whatever honest members notice is found."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from chat_clients import make_accounts

from benchmarks import honest, honest_clients
from benchmarks.__main__ import main
from benchmarks.attacker import Loop, Spent, Task
from benchmarks.attacker_peer import Attacker, AttackFunction, Steps
from benchmarks.attacks import ATTACKS, MIX
from benchmarks.honest import Conversation, Noticed, Party
from benchmarks.honest_clients import ACCOUNT, PASSWORD, Client, Hearing, look_into_vault
from benchmarks.hostile import judged
from benchmarks.wire import Address
from pychat import ChatServer, Handler, Limits, Message, Refused, Session
from pychat.handlers import Broadcast, History, NicknameValidator
from pychat.testing import DEADLINE

ROOMS = ("lobby", "tea")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """One that takes proxies, without flood control."""
    handlers = [NicknameValidator(), Broadcast(), History()]
    with ChatServer(port=0, proxies=["127.0.0.1"], handlers=handlers, accounts=make_accounts()) as running:
        running.room("tea")
        yield running.start()


def address_of(server: ChatServer) -> Address:
    """Where it listens."""
    return "127.0.0.1", server.port


def attack_until(server: ChatServer, run: AttackFunction, done: Callable[[Spent], bool]) -> Spent:
    """Let two attackers do this until it is done."""
    task = Task(address_of(server), ["it"], ["198.51.100.1"], 2, 1, ["h0"], ROOMS)
    loop = Loop(task, {"it": run})
    give_up = time.monotonic() + DEADLINE
    try:
        while not done(loop.spent):
            assert time.monotonic() < give_up, loop.spent
            loop.turn()
    finally:
        loop.close()
    return loop.spent


def test_all_attacks_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Each of them begins and makes no mistake, while honest members talk in three languages."""
    # Long enough for members of each language to talk even if the machine stops for half of it.
    arguments = ["--seconds", "4", "--members", "12", "--addresses", "40", "--record", "200", "--json"]

    code = main(["hostile", *arguments])

    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["server"], result["errors"]) == ("all", {})
    assert set(result["turns"]) == set(MIX)
    assert result["attacker_sent"] > 100_000
    assert result["said"] > 0
    assert all(one["count"] for one in (result["echo"], *result["languages"].values()))
    assert code == (1 if result["broken"] else 0)


def test_each_attack_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, and a control without any."""
    for name in set(ATTACKS) - {"calm", "churn"}:
        monkeypatch.delitem(ATTACKS, name)

    code = main(["hostile", "--attacks", "each", "--seconds", "3", "--members", "6", "--connections", "3", "--no-db"])

    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if line.strip().startswith(("calm ", "churn "))]
    assert [row[0] for row in rows] == ["calm", "churn"]
    assert code == int("broken: " in shown)


def test_unknown_attack_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        main(["hostile", "--attacks", "ping,magic"])

    assert f"'magic' is none of {', '.join(ATTACKS)}, nor all or each" in capsys.readouterr().err


def test_an_attack_waits_for_what_the_server_says(server: ChatServer) -> None:
    """It comes in by each language, asks, hears, and loses a connection."""

    def run(eve: Attacker) -> Steps:
        for peer in ((yield from eve.json()), (yield from eve.text("tea")), (yield from eve.irc(room="tea"))):
            assert peer.alive
        heard = yield from peer.ask("PING token\r\n", b" PONG ")
        assert heard is not None
        peer.reset()
        assert (yield from peer.until(b"more")) is None
        eve.won("everything")

    spent = attack_until(server, run, lambda spent: spent.won["everything"] >= 2)

    assert spent.errors == Counter()
    assert spent.connections >= 6
    assert spent.received > 1000


def test_an_attack_with_a_mistake_is_told_and_ends_no_other(server: ChatServer) -> None:
    """It is begun again."""

    def run(eve: Attacker) -> Steps:
        yield 0.0
        raise ValueError("oops")

    spent = attack_until(server, run, lambda spent: spent.errors.total() >= 3)

    assert set(spent.errors) == {"it: ValueError('oops')"}


def test_refused_connections_are_counted() -> None:
    """From one address there are 50 at a time, and in a minute as many as it likes: a minute may end meanwhile."""
    limits = Limits(connections_per_address=50, new_connections_per_minute=100_000)

    def run(eve: Attacker) -> Steps:
        for peer in [eve.connect() for _ in range(40)]:
            yield from peer.until(b"too many connections", 0.1)

    with ChatServer(port=0, proxies=["127.0.0.1"], limits=limits) as server:
        spent = attack_until(server.start(), run, lambda spent: spent.refused >= 30)

    assert spent.errors == Counter()


class Conversing:
    """Honest members in this process."""

    def __init__(self, server: ChatServer, members: int) -> None:
        ours, theirs = socket.socketpair()
        self._sockets = ours, theirs
        self._conversation = Conversation(Party(address_of(server), members, ROOMS[:1], 1), ours)
        self._echo = threading.Thread(target=self._send_back, args=(theirs,))
        self._echo.start()
        self._conversation.come_in()
        self._conversation.begin()

    def _send_back(self, echo: socket.socket) -> None:
        while data := echo.recv(8):
            echo.send(data)

    def until(self, enough: Callable[[Noticed], object]) -> Noticed:
        """Let them talk until it is enough; return what they noticed."""
        give_up = time.monotonic() + 3 * DEADLINE
        while not enough(self._conversation.noticed):
            assert time.monotonic() < give_up, self._conversation.noticed
            self._conversation.turn()
        return self._conversation.finish()

    def close(self) -> None:
        """End the echo."""
        self._sockets[0].close()
        self._echo.join(DEADLINE)
        self._sockets[1].close()


@pytest.fixture
def converse(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Conversing]]:
    """Return a function that lets honest members in who talk a lot."""
    monkeypatch.setattr(honest_clients, "_SAY_SECONDS", (0.05, 0.1))
    monkeypatch.setattr(honest_clients, "_REST_CHANCE", 0.0)
    with ExitStack() as stack:

        def begin(members: int) -> Conversing:
            conversing = Conversing(server, members)
            stack.callback(conversing.close)
            return conversing

        yield begin


def test_honest_members_notice_nothing_where_nothing_is_wrong(converse: Callable[[int], Conversing]) -> None:
    """They talk, newcomers come in, one of them with an account whose room is as it was."""
    noticed = converse(6).until(
        lambda noticed: noticed.comings and noticed.logins and noticed.echoes and all(noticed.latencies.values())
    )

    result = judged(noticed, Spent(), 1.0, 0.5, 0)
    assert [promise for promise in result.broken if not promise.startswith("p99")] == []  # the machine may be busy
    assert result.cpu_percent == 50
    assert 0 < result.latency.p50 <= result.latency.p99 <= result.latency.worst


@dataclass
class Trouble(Handler):
    """Puts one out, refuses what another one says, and changes a number of a third."""

    changed: bool = False

    def before_message(self, session: Session, message: Message) -> Message:
        if session.nickname == "h0":
            session.disconnect_self("go away")
        if session.nickname == "h1":
            raise Refused("not you")
        if session.nickname == "h2" and not self.changed:
            self.changed = True
            return message._replace(text=message.text.replace("number 0", "number 1"))
        return message


def test_whatever_members_notice_breaks_a_promise(
    server: ChatServer, converse: Callable[[int], Conversing], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was cut off and what was refused is named, with what was heard."""
    monkeypatch.setattr(honest, "_DRAIN_SECONDS", 0.1)
    server.add_handler(Trouble())

    noticed = converse(4).until(
        lambda noticed: noticed.cut_off and noticed.refused and len(noticed.latencies["json"]) >= 8
    )

    result = judged(noticed, Spent(), 1.0, 0.5, 64 * 1024)
    assert noticed.cut_off == ['h0 (json): {"type":"bye","reason":"go away"}']
    assert noticed.lost > 0
    assert [promise for promise in result.broken if "p99" not in promise][:2] == [
        "memory grew by 64 MiB, not by less than 64",
        f"{noticed.lost} deliveries lost",
    ]
    assert "1 members cut off, first " + noticed.cut_off[0] in result.broken
    assert any(
        promise.startswith(f"{len(noticed.refused)} messages refused, first h1 (text)") for promise in result.broken
    )


def test_a_room_that_is_lost_is_found(server: ChatServer) -> None:
    """Here it is as if it had never been."""
    keeper = Client(address_of(server), "192.0.2.1", ACCOUNT, "json")
    keeper.wait_for(b'"limits"')
    keeper.send(f'{{"type":"register","password":"{PASSWORD}"}}\n')
    keeper.wait_for(b'"registered":true')
    keeper.close()

    assert look_into_vault(address_of(server)) == "what was said in a room that nobody was in is lost"


@pytest.mark.parametrize(
    ("numbers", "missing", "repeated", "out_of_order"),
    [
        ([0, 1, 2], 0, 0, 0),
        ([0, 2], 1, 0, 0),
        ([0, 1], 1, 0, 0),
        ([0, 2, 1], 0, 0, 1),
        ([0, 1, 1, 2], 0, 1, 0),
        ([2, 0, 1, 0], 0, 1, 2),
    ],
)
def test_what_comes_is_counted(numbers: list[int], missing: int, repeated: int, out_of_order: int) -> None:
    """What was skipped is missing until it comes, and then it was out of order."""
    hearing = Hearing()

    for number in numbers:
        hearing.hear("h1", number)

    assert (hearing.missing("h1", 3), hearing.repeated, hearing.out_of_order) == (missing, repeated, out_of_order)


def test_what_should_not_be_possible_breaks_a_promise() -> None:
    """So do a slow answer, mistakes of the attacks, and silence."""
    noticed = Noticed(latencies={"json": [1.0] * 50 + [250.0]}, record="the room is gone")
    spent = Spent(won=Counter({"a stranger came in": 2}), errors=Counter({"ping: oops": 1}))

    assert judged(noticed, spent, 1.0, 0.5, 0).broken == [
        "p99 of honest members is 250 ms, not under 250",
        "a stranger came in (2 times)",
        "the attack itself failed: ping: oops (1 times)",
        "nobody honest said anything",
        "the room is gone",
    ]
