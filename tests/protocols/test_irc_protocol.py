"""IRC as bytes: where a line ends, how long it may be, what is wrong with it, and labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from irc_input import member, new, read, refused
from protocol_strategies import chunked, converse

from pychat.model.limits import Limits
from pychat.model.replies import ResponseEnd, ResponseStart
from pychat.model.verbs import Abort, Answer, Hello, Invalid, Ping, Pong, Quit, Say, SayAll, SetAway, Verb
from pychat.protocols.irc.asked import Asked, Line, Numeric
from pychat.protocols.irc.dialect import IrcDialect
from pychat.protocols.irc.protocol import IrcProtocol

TOO_LONG = Numeric("417", ("Input line was too long: at most 510 bytes, and 4094 of tags",))
COMING_IN = b"NICK ann\r\nUSER a 0 * :Ann\r\n"
BROKEN = "The line was ignored: it contains a NUL or a CR"
NOT_UTF8 = "Message rejected: your IRC client must use UTF-8 here"

_PIECES = [
    *(b"\n", b"\r\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3", "é".encode(), b" ", b":", b"@label=1 ", b"@+x "),
    *(
        b"NICK ann\r\n",
        b"NICK bob\n",
        b"USER a 0 * :A\r\n",
        b"CAP LS 302\r\n",
        b"CAP END\r\n",
        b"PASS x\r\n",
        b"QUIT\r\n",
    ),
    *(
        b"CAP REQ :batch labeled-response message-tags\n",
        b"PRIVMSG #a :x\r\n",
        b"PRIVMSG #a :y\n",
        b"PRIVMSG #b :",
        b"MODE ann\n",
    ),
    *(b"JOIN #a,#b\n", b"PING x\n", b"WHAT\n", b"x" * 511, b"y" * 5000, b"#a", b"AWAY"),
]
streams = st.lists(st.sampled_from(_PIECES) | st.binary(max_size=6), max_size=25).map(b"".join)


def flat(verbs: list[Verb]) -> list[Verb]:
    """The verbs with each text said by one of its own: how many come at once depends on the chunks."""
    found: list[Verb] = []
    for verb in verbs:
        found += [Say(text, verb.room) for text in verb.texts] if isinstance(verb, SayAll) else [verb]
    return found


@given(chunked(streams), st.booleans(), st.integers(0, 2))
def test_any_bytes_in_any_chunks_mean_the_same(data: tuple[bytes, list[bytes]], inside: bool, refused: int) -> None:
    """Where the network cuts the stream changes nothing, before registration and after it."""
    stream, chunks = data
    start = COMING_IN if inside else b""

    whole = converse(new(), [start + stream], refused=refused)
    cut = converse(new(), [start, *chunks] if start else chunks, refused=refused)

    assert flat(cut) == flat(whole)


def test_lines_may_end_with_lf_alone() -> None:
    """Modern IRC, "Message Format": servers shall accept it; an empty line means nothing."""
    assert read(member(), b"PING a\nPING b\r\n\r\n\nPING c") == [Ping(x, Asked("PING", (x,))) for x in "abc"]


def test_the_last_line_needs_no_end() -> None:
    """A client that sends QUIT and closes has said it."""
    protocol = new()
    protocol.receive(b"QUIT :bye")
    protocol.receive_eof()

    assert protocol.take_verbs() == [Quit("bye", Asked("QUIT"))]


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        (b"AWAY :" + b"x" * 504, True),
        (b"AWAY :" + b"x" * 505, False),
        (b"AWAY :" + "é".encode() * 252, True),
        (b"AWAY :" + "é".encode() * 253, False),
        (b"@+a=" + b"x" * 4091 + b" AWAY :" + b"x" * 504, True),
        (b"@+a=" + b"x" * 4092 + b" AWAY", False),
        (b"@+a=x AWAY :" + b"x" * 505, False),
        (b":ann AWAY :" + b"x" * 500, False),
        (b"AWAY :" + b"x" * 10_000, False),
    ],
)
def test_how_long_a_line_may_be(line: bytes, fits: bool) -> None:
    """510 bytes and 4094 bytes of tags, not a byte more (RFC 1459 section 2.3; message-tags, "Size limit")."""
    (verb,) = read(member("message-tags"), line)

    assert isinstance(verb, SetAway) if fits else refused([verb]) == [TOO_LONG]


def test_what_follows_a_long_line_is_heard() -> None:
    """The line is refused, not the client."""
    verbs = read(member(), b"AWAY :" + b"x" * 9000, b"PING x")

    assert refused(verbs[:1]) == [TOO_LONG]
    assert verbs[1:] == [Ping("x", Asked("PING", ("x",)))]


def test_a_list_of_channels_of_100_kb() -> None:
    """One refusal, in one line, and the connection goes on."""
    channels = ",".join(f"#channel{number}" for number in range(10_000))

    verbs = read(member(), f"JOIN {channels}", "PING x")

    assert refused(verbs[:1]) == [TOO_LONG]
    assert verbs[1:] == [Ping("x", Asked("PING", ("x",)))]


def test_a_line_without_an_end() -> None:
    """It ends the connection, once, before it costs anything."""
    protocol = member()
    for _ in range(100):
        protocol.receive(b"x" * 65_536)

    (verb,) = protocol.take_verbs()

    assert verb == Abort("line_too_long", "no newline in 262144 bytes", TOO_LONG)
    assert protocol.take_verbs() == []


def test_a_broken_line_is_refused() -> None:
    """NUL and a lone CR are in no line (RFC 1459 section 2.3.1), nor can they be in a channel's name."""
    assert refused(read(member(), b"JOIN #a\0b", b"JOIN #a\rQUIT", b"J\0IN #a", b"\0", b"\rPING x")) == [
        Numeric("400", ("JOIN", BROKEN)),
        Numeric("400", ("JOIN", BROKEN)),
        Numeric("400", ("*", BROKEN)),
        Numeric("400", ("*", BROKEN)),
        Numeric("400", ("*", BROKEN)),
    ]


def test_what_is_not_utf8_is_refused() -> None:
    """IRCv3 utf8only: the message is dropped, and the client told."""
    assert refused(read(member(), b"PRIVMSG #a :caf\xe9", b"PRIVMSG #a :caf\xe9", b"\xff\xfe x")) == [
        Line("FAIL", ("PRIVMSG", "INVALID_UTF8", NOT_UTF8)),
        Line("FAIL", ("PRIVMSG", "INVALID_UTF8", NOT_UTF8)),
        Line("FAIL", ("*", "INVALID_UTF8", NOT_UTF8)),
    ]
    assert flat(read(member(), "PRIVMSG #a :\ufffd")) == [Say("\ufffd", "a")]


def test_a_label_surrounds_what_is_answered() -> None:
    """IRCv3 labeled-response; what needs an escape in a tag has it."""
    protocol = member("batch", "labeled-response")
    end = Answer((ResponseEnd(),))

    assert read(protocol, "@label=a PING x") == [
        Answer((ResponseStart("a"),)),
        Ping("x", Asked("PING", ("x",))),
        end,
    ]
    assert read(protocol, r"@label=a\:\sb PRIVMSG #a :x") == [Answer((ResponseStart(r"a\:\sb"),)), Say("x", "a"), end]
    start, refusal, last = read(protocol, "@label=b WHAT")
    assert (start, last) == (Answer((ResponseStart("b"),)), end)
    assert refused([refusal]) == [Numeric("421", ("WHAT", "Unknown command"))]
    assert read(protocol, "@label=c ERROR") == [Answer((ResponseStart("c"),)), end]
    start, refusal, last = read(protocol, b"@label=d JOIN #\xff")
    assert (start, last) == (Answer((ResponseStart("d"),)), end)


@pytest.mark.parametrize(
    "tags", ["@label", "@label=", f"@label={'x' * 65}", f"@label={'é' * 33}", "@+label=a", "@other=a"]
)
def test_what_is_no_label(tags: str) -> None:
    """At most 64 bytes (IRCv3 labeled-response, "Tags")."""
    assert read(member("batch", "labeled-response"), f"{tags} PING x") == [Ping("x", Asked("PING", ("x",)))]


def test_labels_are_for_those_who_have_negotiated_them() -> None:
    """Else nobody would understand the answer."""
    assert read(member("message-tags"), "@label=a PING x") == [Ping("x", Asked("PING", ("x",)))]


def test_the_nickname_may_have_a_label() -> None:
    """The last verb of a list may be the mark behind the one that everything waits for."""
    protocol = new()
    read(protocol, "CAP REQ :batch labeled-response", "CAP END", "USER a 0 * :A")
    protocol.receive(b"@label=a NICK ann\r\nPING x\r\n")

    start, hello, end = protocol.take_verbs()

    assert isinstance(hello, Hello)
    assert (start, end) == (Answer((ResponseStart("a"),)), Answer((ResponseEnd(),)))


@given(streams)
def test_before_registration_nothing_but_what_may_be(stream: bytes) -> None:
    """No bytes make a verb that needs a nickname, while there is none."""
    allowed = (Hello, Ping, Pong, Quit, Invalid, Answer, Abort)
    protocol = new()
    protocol.receive(stream)
    protocol.receive_eof()

    while taken := protocol.take_verbs():
        assert all(isinstance(verb, allowed) for verb in taken)


def test_limits_of_other_languages_do_not_shorten_lines() -> None:
    """How long a line is belongs to IRC; that it has an end, to the server."""
    protocol = IrcProtocol(Limits(line_bytes=10, unfinished_bytes=20), new().dialect)

    assert read(protocol, "PING " + "x" * 100) == [Ping("x" * 100, Asked("PING", ("x" * 100,)))]


def test_the_real_dialect_is_told_what_was_negotiated() -> None:
    """It is another object then, and the same for all who negotiated the same."""
    dialect = IrcDialect("pychat", Limits())
    first, second = IrcProtocol(Limits(), dialect), IrcProtocol(Limits(), dialect)

    for protocol in (first, second):
        read(protocol, "CAP REQ :echo-message server-time")

    assert first.dialect is second.dialect is not dialect
    assert first.dialect.echoes
