"""
Threat "one bad client ends the server": every command of every language, with whatever parameters.

Most of it is without sockets, so that it can be much: an exception that gets out of `Chat.perform` or of a dialect
would have ended the connection, or the writer of all of them. The last test is about a server, over sockets.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from chat_clients import Clients, full_chain, wait_until
from hostile import WORDS, fields_of, irc_lines, requests, slash_lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from irc_peer import irc
from matrix_door import DIALECTS, protocol_of, say
from matrix_languages import CLASSIC, IRC, JSON, TEXT
from matrix_people import MEMBER, OPERATOR, ROOT_IN_ROOM, STRANGER, Someone, World

from pychat import ChatServer, Limits
from pychat.core.accounts.password_hash import Cost
from pychat.core.accounts.stored import StoredAccounts
from pychat.model.events import Message
from pychat.model.verbs import Hello, Say
from pychat.protocols.base import Dialect
from pychat.protocols.irc.commands.table import COMMANDS as IRC_COMMANDS
from pychat.protocols.irc.dialect import WRITTEN, IrcDialect
from pychat.protocols.jsonl import verbs as json_verbs
from pychat.protocols.text import slash_commands as slash

MakeServer = Callable[..., ChatServer]

callers = st.sampled_from([STRANGER, MEMBER, OPERATOR, ROOT_IN_ROOM])
MOST_ANSWERED = 65_536
"""Bytes that a few lines may be answered with in a world of four people and two rooms."""

# The same lines every time: what was found once is found by everybody, and nothing else is by chance.
fuzzed = settings(
    derandomize=True, max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """Some verbs are logged, thousands of times; what a server logs as an error is looked at nevertheless."""
    if "server" not in request.fixturenames:
        logging.disable()
    yield
    logging.disable(logging.NOTSET)


_UNCLEAN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_IRC = re.compile(r"(?:@[^ \r\n\0]{1,8190} )?(?P<body>(?::[!-~]\S* )?[A-Z0-9]+(?: [^\r\n\0]*)?)")


def check_lines(language: str, written: bytes) -> None:
    """What is written in a language is whole lines of it, and nothing that people should not see."""
    text = written.decode("ascii" if language == CLASSIC else "utf-8")
    assert text == "" or text.endswith("\r\n" if language == IRC else "\n")
    for line in text.split("\n")[:-1]:
        if language == IRC:
            found = _IRC.fullmatch(line.removesuffix("\r"))
            assert found, line
            assert len(found["body"].encode()) <= 510, line
        elif language == JSON:
            assert isinstance(json.loads(line)["type"], str)
        else:
            assert not _UNCLEAN.search(line), line


def check_heard(dialects: dict[str, Dialect], person: Someone, items: Sequence[Any]) -> int:
    """Write what somebody heard, alone and together; return how many bytes that were at most."""
    most = 0
    for language, dialect in dialects.items():
        written = dialect.encode_private(items, person.nickname)
        check_lines(language, written)
        most = max(most, len(written))
    return most


def check_life(world: World) -> None:
    """Two who have had nothing to do with it come in and talk."""
    one, other = Someone(world.chat), Someone(world.chat)
    world.do(one, Hello("harbour-one", ("harbour",)))
    world.do(other, Hello("harbour-two", ("harbour",)))
    one.take()
    world.do(other, Say("are you there?", "harbour"))
    assert [item.text for item in one.take() if isinstance(item, Message)] == ["are you there?"]


def bear(language: str, lines: Sequence[bytes], who: str, *, closed: bool) -> None:
    """Let somebody say these lines, and look at everything that comes of it."""
    world, protocol = World(who, closed=closed), protocol_of(language)
    for line in lines:
        say(world, protocol, line + (b"" if language == CLASSIC else b"\n"))
    dialect = protocol.dialect
    own = dialect.with_capabilities(WRITTEN) if isinstance(dialect, IrcDialect) else dialect
    assert check_heard({language: own}, world.caller, world.caller.take()) < MOST_ANSWERED
    for person in (world.chief, world.bob, world.zoe):
        check_heard(DIALECTS, person, person.take())
    check_life(world)


@pytest.mark.parametrize("command", IRC_COMMANDS)
def test_any_parameters_of_a_command_of_irc(command: str) -> None:
    """Also with tags, before registration and after it."""

    @fuzzed
    @given(st.lists(irc_lines(command), min_size=1, max_size=4), callers, st.booleans())
    def fuzz(lines: list[bytes], who: str, closed: bool) -> None:
        bear(IRC, lines, who, closed=closed)

    fuzz()


@pytest.mark.parametrize("command", slash.COMMANDS)
def test_any_arguments_of_a_slash_command(command: str) -> None:
    """In both languages that have them."""

    @fuzzed
    @given(
        st.lists(slash_lines(command), min_size=1, max_size=4), callers, st.booleans(), st.sampled_from([TEXT, CLASSIC])
    )
    def fuzz(lines: list[bytes], who: str, closed: bool, language: str) -> None:
        bear(language, lines, who, closed=closed)

    fuzz()


@pytest.mark.parametrize("type", json_verbs.REQUESTS.types)
def test_any_fields_of_a_request(type: str) -> None:
    """Fields that belong to it or to others, with values of any type."""

    @fuzzed
    @given(st.lists(requests(type), min_size=1, max_size=4), callers, st.booleans())
    def fuzz(lines: list[bytes], who: str, closed: bool) -> None:
        bear(JSON, lines, who, closed=closed)

    fuzz()


# The same to a server


def with_words(command: str) -> list[bytes]:
    """The command with each word, and with each two of them."""
    pairs = zip(WORDS, [*WORDS[1:], b""], strict=True)
    return [b" ".join([command.encode(), *words]) for pair in pairs for words in (pair[:1], pair)]


def with_values(type: str) -> list[bytes]:
    """A request of this type with each word in all of its fields, and one number."""
    values = [*(word.decode(errors="replace") for word in WORDS), 1]
    return [json.dumps({"type": type, **dict.fromkeys(fields_of(type), value)}).encode() for value in values]


def bombard(server: ChatServer, clients: Clients, opening: str, lines: Sequence[bytes]) -> int:
    """Come in and say these lines; return how many bytes the answers to all of them have, up to the end."""
    peer = clients.raw(server)
    try:
        peer.send(opening)
        peer.send(b"\n".join(lines) + b"\n")
        peer.end_sending()
        return len(peer.read_rest())
    except ConnectionError:  # whoever is ended, or does not listen while so much is answered
        return 0
    finally:
        peer.close()


LINES = {
    "IRC": ("NICK ann\r\nUSER ann 0 * :Ann\r\nJOIN #den\r\n", [with_words(name) for name in IRC_COMMANDS]),
    "text": ("ann\n", [with_words(f"/{name}") for name in slash.COMMANDS]),
    "JSON": ('{"type":"hello","nick":"ann"}\n', [with_values(name) for name in json_verbs.REQUESTS.types]),
}


@pytest.mark.parametrize("language", LINES)
def test_a_server_bears_every_command(server: MakeServer, clients: Clients, language: str) -> None:
    """One after the other; who is there meanwhile hears it all, and can still talk. No error is logged."""
    cheap = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    running = server(handlers=full_chain(), limits=Limits(resume_seconds=0.0), accounts=cheap)
    one, other = clients.text(running, "one"), irc(clients, running, "other", "#lobby")
    opening, commands = LINES[language]

    answered = []
    for lines in commands:
        answered.append(bombard(running, clients, opening, lines))
        wait_until(lambda: running.chat.find("ann") is None, "its nickname is free again")

    assert sum(size > 1000 for size in answered) > len(commands) / 2, answered
    one.send("are you there?\n")
    assert other.read_until("are you there?")
    wait_until(lambda: running.connections == 2, "all of them are gone")
