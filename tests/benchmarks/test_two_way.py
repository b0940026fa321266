"""Conversations in both directions over TLS: what the measurement finds, and that nothing is damaged under load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from chat_tls import certificate, tls_server

from benchmarks import two_way as module
from benchmarks.__main__ import main
from benchmarks.check import LineChecker
from benchmarks.errors import LoadError
from benchmarks.servers import Server
from benchmarks.two_way import two_way
from pychat import ChatServer, Handler, Message, Session
from pychat.handlers import Broadcast, JoinLeaveNotices, NicknameValidator

__all__ = ["certificate", "tls_server"]  # the fixtures

MakeServer = Callable[..., ChatServer]
TEXT_BYTES = 64
SECONDS = 1.0


@pytest.mark.parametrize("text_bytes", [TEXT_BYTES, 4000])
def test_twenty_talk_over_tls_and_nothing_is_damaged(tls_server: MakeServer, text_bytes: int) -> None:
    """Each hears all others, every line of them, in order, while it talks itself."""
    running = tls_server()

    result = two_way(Server("pychat", ("127.0.0.1", running.port)), 20, SECONDS, text_bytes, tls=True)

    assert result.messages >= 20
    assert result.deliveries == result.messages * 19


@dataclass
class Damage(Handler):
    """Changes one message among many."""

    left: int

    def before_message(self, session: Session, message: Message) -> Message:
        self.left -= 1
        return message._replace(text=message.text[:-1]) if self.left == 0 else message


@pytest.mark.parametrize("tls", [True, False])
def test_damage_is_found(tls_server: MakeServer, tls: bool) -> None:
    """One letter of one message is missing."""
    running = tls_server(handlers=[NicknameValidator(), JoinLeaveNotices(), Damage(100), Broadcast()])

    with pytest.raises(LoadError, match="was next, but"):
        two_way(Server("pychat", ("127.0.0.1", running.port)), 3, SECONDS, TEXT_BYTES, tls=tls)


def test_what_is_missing_at_the_end_is_found(tls_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member that has not heard everything is waited for, and the measurement fails then."""
    monkeypatch.setattr(module, "_STUCK_SECONDS", 0.5)
    monkeypatch.setattr(LineChecker, "feed", lambda self, data: None)
    running = tls_server()

    with pytest.raises(LoadError, match="it is stuck"):
        two_way(Server("pychat", ("127.0.0.1", running.port)), 2, 0.1, TEXT_BYTES, tls=True)


def test_the_command_measures_both(capsys: pytest.CaptureFixture[str]) -> None:
    """With a server of its own, and a certificate that is gone afterwards."""
    arguments = ["tls", "--seconds", "0.3", "--rounds", "1", "--members", "3", "--connections", "5"]

    assert main(arguments) == 0

    shown = capsys.readouterr().out
    assert "tls 3 members, both ways" in shown
    assert "pychat over TLS delivers " in shown
