"""`Limits`: their defaults, where they can be set, and that what they say is what happens."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_clients import Clients
from click.testing import CliRunner

from pychat import Chat, ChatServer, Limits, Refused
from pychat.cli import cli
from pychat.cli.server import serve as daemon
from pychat.cli.server.options import Plan
from pychat.handlers import Broadcast, FloodControl, JoinLeaveNotices
from pychat.protocols.jsonl.fields import Fields, read_limits

MakeServer = Callable[..., ChatServer]

DEFAULTS: dict[str, float] = {
    "line_bytes": 4096,
    "unfinished_bytes": 16 * 1024,
    "send_queue_bytes": 256 * 1024,
    "stall_seconds": 10,
    "detection_seconds": 10,
    "registration_seconds": 60,
    "registration_lines": 60,
    "ping_seconds": 60,
    "silence_seconds": 90,
    "keepalive_seconds": 60,
    "keepalive_interval_seconds": 15,
    "keepalive_probes": 4,
    "connections_per_address": 100,
    "new_connections_per_minute": 120,
    "max_connections": 10_000,
    "waiting_threads": 1000,
    "message_burst": 10,
    "messages_per_second": 2,
    "delay_seconds": 30,
    "refusals_per_minute": 30,
    "bytes_per_second": 8 * 1024,
    "nickname_chars": 32,
    "room_name_chars": 64,
    "rooms_per_session": 20,
    "max_rooms": 1000,
    "short_text_chars": 390,
    "history_events": 1000,
    "history_page": 500,
    "replay_messages": 20,
    "irc_replay_messages": 20,
}
"""Those that were chosen beside the limits of other chat servers."""

CHANGED = {field.name: getattr(Limits(), field.name) + 1 for field in dataclasses.fields(Limits)}
"""All of them, a little different."""


def test_defaults_are_those_that_were_chosen() -> None:
    """Nobody changes one by the way."""
    assert {name: getattr(Limits(), name) for name in DEFAULTS} == DEFAULTS


# Where they can be set


@pytest.mark.parametrize("source", ["options", "environment", "file"])
def test_every_limit_reaches_the_server(source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the command line, the environment and a file."""
    plans: list[Plan] = []
    monkeypatch.setattr(daemon, "run", lambda plan, *more: plans.append(plan))
    arguments = ["serve"]
    if source == "file":
        keys = [f"{name.replace('_', '-')} = {value}" for name, value in CHANGED.items()]
        (tmp_path / "pychat.toml").write_text("\n".join(["[serve]", *keys]))
        arguments += ["--config", str(tmp_path / "pychat.toml")]
    for name, value in CHANGED.items():
        if source == "environment":
            monkeypatch.setenv(f"PYCHAT_SERVE_{name.upper()}", str(value))
        elif source == "options":
            arguments += [f"--{name.replace('_', '-')}", str(value)]

    result = CliRunner().invoke(cli, arguments, auto_envvar_prefix="PYCHAT")

    assert (result.exit_code, result.output) == (0, "")
    assert plans[0].limits == Limits(**CHANGED)


@pytest.mark.parametrize("name", ["messages_per_second", "bytes_per_second"])
def test_a_rate_of_nothing_is_refused(name: str) -> None:
    """Whoever wants silence closes the room."""
    with pytest.raises(ValueError, match=f"limit {name} must be a (whole )?number over 0, not 0"):
        Limits(**{name: 0})


def test_limits_of_a_server_are_read_whatever_they_are() -> None:
    """A client takes what it is told, as far as it can be a limit at all."""
    assert read_limits(Fields({"limits": {"text_lines": 0, "message_burst": 0}})).text_lines == 0


# What they say is what happens


@pytest.mark.parametrize(
    ("limits", "verb", "problem"),
    [
        ({"text_lines": 2}, lambda ann: ann.say("1\n2\n3"), "message: at most 2 lines"),
        ({"text_bytes": 5}, lambda ann: ann.say("äöü"), "message: at most 5 bytes"),
        ({"short_text_chars": 3}, lambda ann: ann.set_topic("tea!"), "topic: at most 3 characters"),
        ({"short_text_chars": 3}, lambda ann: ann.set_away("tea!"), "away text: at most 3 characters"),
        (
            {"room_name_chars": 3},
            lambda ann: ann.join("room"),
            "room 'room': it is longer than 3 characters; use 1 to 3 letters, digits, emoji or -_.#+&'/@:[]{}|^\\`",
        ),
        ({"rooms_per_session": 1}, lambda ann: ann.join("ops"), "rooms that you are in: at most 1 room"),
    ],
)
def test_what_is_over_a_limit_is_refused(limits: dict[str, Any], verb: Callable[[Any], object], problem: str) -> None:
    """The refusal says which one, and how much is allowed."""
    ann = Chat([Broadcast()], limits=Limits(**limits), default_room="hub").session("ann")

    with pytest.raises(Refused) as caught:
        verb(ann)

    assert str(caught.value) == problem


def test_tries_and_lines_before_the_nickname(server: MakeServer, clients: Clients) -> None:
    """Both have numbers of their own."""
    running = server(limits=Limits(registration_tries=2, registration_lines=3))
    tries, lines = clients.raw(running), clients.raw(running)

    tries.send("a b\n" * 3)
    lines.send("/who\n" * 4)

    assert tries.read_rest().decode().splitlines()[-1] == "-- goodbye: 2 nicknames were refused"
    assert lines.read_rest().decode().splitlines()[-1] == "-- goodbye: no nickname accepted in 3 lines"


@pytest.mark.parametrize(
    ("hello", "unknown", "answer", "end"),
    [
        (
            "ann\n",
            "/dance\n",
            "! unknown command /dance; /help lists the commands, //dance sends it as text",
            "-- goodbye: flooding",
        ),
        (
            '{"type":"hello","nick":"ann"}\n',
            '{"type":"dance"}\n',
            '{"type":"error","code":"unknown_type","text":"unknown type \'dance\'; ',
            '{"type":"bye","reason":"flooding"}',
        ),
        (
            "NICK ann\r\nUSER ann 0 * :Ann\r\n",
            "DANCE\r\n",
            ":irc.pychat 421 ann DANCE :Unknown command",
            "ERROR :Closing link: flooding",
        ),
    ],
    ids=["text", "json", "irc"],
)
def test_unknown_commands_count_as_messages(
    server: MakeServer, clients: Clients, hello: str, unknown: str, answer: str, end: str
) -> None:
    """Each is answered, and takes of the burst what a message takes; who sends nothing else is a flooder."""
    handlers = [FloodControl(), JoinLeaveNotices(), Broadcast()]
    limits = Limits(message_burst=5, delay_seconds=0.0, messages_per_second=0.001, refusals_per_minute=10)
    running = server(handlers=handlers, limits=limits)
    ann = clients.raw(running)

    ann.send(hello + unknown * 14)

    lines = ann.read_rest().decode().splitlines()
    assert sum(line.startswith(answer) for line in lines) >= 3
    assert lines[-1] == end


def test_the_system_asks_after_the_other_end(server: MakeServer, clients: Clients) -> None:
    """The keepalive of TCP finds those who are gone and speak a language without pings."""
    options = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
    running = server()
    changed = server(
        limits=Limits(keepalive_seconds=600, keepalive_interval_seconds=150, keepalive_probes=9),
    )
    for which in (running, changed):
        clients.text(which, "ann")
    (first,), (second,) = running._connections._links, changed._connections._links

    assert first.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert {name: first.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in options} == options
    values = [second.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in options]
    assert values == [600, 150, 9]
