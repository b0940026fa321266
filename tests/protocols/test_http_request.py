"""Requests of HTTP are never anything else, whatever a web page puts into them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from protocol_strategies import chunked, converse

from pychat.model.limits import Limits
from pychat.model.verbs import Abort, Answer, Authenticate, Hello, Invalid, Ping, Pong, Quit, Say, Verb
from pychat.protocols.base import Protocol
from pychat.protocols.detect import Detector, Language
from pychat.protocols.http.request import BROWSER
from pychat.protocols.irc.commands.table import COMMANDS
from pychat.protocols.irc.dialect import IrcDialect
from pychat.protocols.irc.protocol import IrcProtocol
from pychat.protocols.jsonl.protocol import JsonDialect, JsonProtocol
from pychat.protocols.jsonl.verbs import REQUESTS
from pychat.protocols.text.protocol import ClassicDialect, ClassicProtocol, TextDialect, TextProtocol

_TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BODY = "NICK evil\r\nUSER e 0 * :e\r\nJOIN #lobby\r\nPRIVMSG #lobby :evil\r\n"
_BODIES = [_BODY, '{"type":"hello","nick":"evil"}\n{"type":"say","text":"evil"}\n', "evil\nI am evil\n", "\r\n" * 30]

methods = st.sampled_from([*COMMANDS, *REQUESTS.types, "get", "ann"]) | st.text(_TOKEN, min_size=1, max_size=20)
targets = st.builds(
    str.__add__,
    st.sampled_from(["/", "/NICK", "/#lobby", "http://evil.example:55555/", "wss://evil.example/", "/" + "x" * 4096]),
    st.text(_TOKEN + "/?:@=", max_size=20),
)
names = st.sampled_from(["X-Header", "NICK", "User-Agent", "Cookie", "Content-Length"])
headers = st.lists(st.builds("{}: {}\r\n".format, names, st.text(_TOKEN + " :{}/", max_size=20)), max_size=25).map(
    "".join
)
heads = st.builds(
    "{} {} HTTP/1.{}\r\n{}: evil.example:55555\r\n{}\r\n".format,
    methods,
    targets,
    st.sampled_from("0119"),
    st.sampled_from(["Host", "host", "HOST"]),
    headers,
)
bodies = st.lists(st.sampled_from(_BODIES) | st.text(max_size=10), max_size=4).map("".join)
requests = st.builds(str.__add__, heads, bodies).map(str.encode)


def of(language: Language) -> Protocol:
    """A connection that was just made."""
    if language is Language.IRC:
        return IrcProtocol(Limits(), IrcDialect("pychat", Limits()))
    if language is Language.JSON:
        return JsonProtocol(Limits(), JsonDialect())
    return TextProtocol(Limits(), TextDialect())


def is_heard(verb: Verb) -> bool:
    """Whether a verb is more than a complaint, a nickname that nobody can have, or what strangers may ask for."""
    if isinstance(verb, Hello):
        return bool(verb.nickname) and " " not in verb.nickname
    return not isinstance(verb, Invalid | Answer | Authenticate | Ping | Pong | Quit)


@given(chunked(requests))
def test_a_request_is_http_in_any_chunks(case: tuple[bytes, list[bytes]]) -> None:
    """Any method, any path however long, any header, any body: from the first line on, and for ever."""
    _, chunks = case
    detector = Detector(Limits())
    for chunk in chunks:
        detector.receive(chunk)

    assert detector.eof() is Language.HTTP


@pytest.mark.parametrize("language", [Language.IRC, Language.JSON, Language.TEXT])
@given(chunked(st.builds(bytes.__add__, st.sampled_from([b"", b"\r\n", b"\n\n", b"x" * 5000]), requests)))
@example((b"", [b"NICK / HTTP/1.1\r\nHOST:x\r\n", _BODY.encode()]))
def test_nothing_of_a_request_is_heard(language: Language, case: tuple[bytes, list[bytes]]) -> None:
    """Should something stand before the request, or the method be endless, the line of `Host` ends it in time."""
    _, chunks = case

    verbs = converse(of(language), chunks, refused=10_000)

    assert BROWSER in verbs
    assert [verb for verb in verbs[: verbs.index(BROWSER)] if is_heard(verb)] == []


def test_nothing_of_a_request_is_heard_of_the_classic_client() -> None:
    """It is what one `recv` returns."""
    protocol = ClassicProtocol(Limits(), ClassicDialect())

    verbs = converse(protocol, [b"x\r\nHost: evil.example\r\n\r\nevil\r\n"], refused=10_000)

    assert verbs[:2] == [Hello("x", replay=True), BROWSER]


@pytest.mark.parametrize("line", ["Host: x", "host:x", "HOST:", "hOsT: evil.example:55555"])
@pytest.mark.parametrize("language", [Language.IRC, Language.JSON, Language.TEXT])
def test_a_line_of_host_ends_the_connection_before_there_is_a_nickname(language: Language, line: str) -> None:
    """In any case, however it goes on."""
    protocol = of(language)
    protocol.receive(f"{line}\r\n".encode())

    assert protocol.take_verbs() == [
        Abort("bad_request", "web browsers cannot chat here; use nc, an IRC client or 'pychat connect' instead")
    ]


@pytest.mark.parametrize("language", [Language.IRC, Language.JSON, Language.TEXT])
def test_members_may_say_host(language: Language) -> None:
    """With a nickname it is a line like any other."""
    protocol = of(language)
    protocol.registered("ann")
    protocol.receive({Language.IRC: "PRIVMSG #lobby :Host: x\n"}.get(language, "Host: x\n").encode())

    verbs = protocol.take_verbs()

    assert BROWSER not in verbs
    assert language is Language.JSON or verbs[0][:2] in (("Host: x", None), ("Host: x", "lobby"))


def test_a_nickname_and_a_message_that_come_together() -> None:
    """What waits for a nickname is said with it: `printf 'ann\\nHost: x\\n' | nc` is no browser."""
    assert converse(of(Language.TEXT), [b"ann\nHost: x\n"]) == [Hello("ann", replay=True), Say("Host: x")]


@pytest.mark.parametrize("nickname", ["Host", "hostess", "host-1"])
def test_nicknames_may_begin_with_host(nickname: str) -> None:
    """Without the colon, which no nickname has."""
    assert converse(of(Language.TEXT), [f"{nickname}\n".encode()]) == [Hello(nickname, replay=True)]
