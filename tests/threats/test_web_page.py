"""Web pages, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chat_clients import Clients
from chat_tls import certificate
from web_page import BODIES, IRC, JSON, TEXT, web_page

from pychat import Certificate, ChatServer
from pychat.protocols.irc.commands.table import COMMANDS
from pychat.protocols.jsonl import verbs as json_verbs
from pychat.protocols.text.slash_commands import COMMANDS as SLASH

__all__ = ["certificate"]

MakeServer = Callable[..., ChatServer]

METHODS = ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "patch", "PRI", "ACL", "PROPFIND", "M-SEARCH", "evil"]
"""What a page may send with a body, beside what means something in a chat."""
REQUESTS: list[tuple[str, str | None]] = [
    *((method, body) for method in METHODS for body in BODIES),
    *((command, IRC) for command in COMMANDS),
    *((type, JSON) for type in json_verbs.REQUESTS.types),
    *((command, TEXT) for command in SLASH),
    ("GET", None),
    ("HEAD", None),
]


@pytest.mark.usefixtures("unprompted")  # a browser that is slow to send would take it for an answer
def test_a_web_page_cannot_chat(server: MakeServer, clients: Clients, certificate: Certificate, tmp_path: Path) -> None:
    """Threat "DNS rebinding": a page tries all that a browser can send, plain and over TLS, and nothing is heard."""
    with web_page(tmp_path, certificate, REQUESTS) as page:
        page.leave_ports()
        chats = [server(port=port, tls=certificate) for port in page.ports]
        members = [clients.text(chat, "bob") for chat in chats]
        reports = page.attack()

    for chat, bob in zip(chats, members, strict=True):
        ann = clients.text(chat, "ann")
        ann.send("nobody else was here\n")
        assert [bob.read_line(), bob.read_line()] == ["--> ann joined lobby", "ann: nobody else was here"]
    for report in reports:
        assert report["error"] is None
        others = {asked: status for asked, status in report["answers"].items() if status != 501}
        assert set(others.values()) == {200}  # the page that tells how to join
        assert {asked.removeprefix("XMLHttpRequest ").strip() for asked in others} <= {"GET", "HEAD"}
        assert len(report["answers"]) > len({(method, body) for method, body in REQUESTS})
