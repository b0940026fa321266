"""PRIVMSG, NOTICE and TAGMSG, and what becomes of formatting and CTCP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from irc_input import member, new, read, refused

from pychat.model.verbs import Direct, Ping, Say, SayAll, Tag, Verb
from pychat.protocols.irc.asked import Asked, Numeric
from pychat.protocols.irc.fast_path import read_run
from pychat.protocols.irc.formatting import Said, read_text, strip_codes

NOTICE = Asked("NOTICE")


def said(line: str | bytes, *capabilities: str) -> list[Verb]:
    """The verbs of one line; what is said plainly in one channel is `Say` again."""
    verbs: list[Verb] = []
    for verb in read(member(*capabilities), line):
        verbs += [Say(text, verb.room) for text in verb.texts] if isinstance(verb, SayAll) else [verb]
    return verbs


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("PRIVMSG #lobby :good morning", Say("good morning", "lobby")),
        ("PRIVMSG #lobby hi", Say("hi", "lobby")),
        (":eve PRIVMSG #lobby :hi", Say("hi", "lobby")),
        ("PRIVMSG ##a ::x", Say(":x", "#a")),
        ("PRIVMSG bob :hi", Direct("hi", "bob")),
        ("NOTICE #lobby :hi", Say("hi", "lobby", ref=NOTICE, notice=True)),
        ("NOTICE bob :hi", Direct("hi", "bob", ref=NOTICE, notice=True)),
        # STATUSMSG
        ("PRIVMSG @#ops :hi", Say("hi", "ops", role="operator")),
        ("NOTICE +#ops :hi", Say("hi", "ops", ref=NOTICE, notice=True, role="voice")),
        ("PRIVMSG @+#ops :hi", Say("hi", "ops", role="voice")),
        ("PRIVMSG @bob :hi", Direct("hi", "@bob")),
        # CTCP
        ("PRIVMSG #lobby :\x01ACTION waves\x01", Say("waves", "lobby", action=True)),
        ("PRIVMSG bob :\x01ACTION waves", Direct("waves", "bob", action=True)),
        (
            "PRIVMSG #lobby :\x01ACTION \x02waves\x01",
            Say("waves", "lobby", action=True, formatted="\x02waves"),
        ),
        ("PRIVMSG bob :\x01VERSION\x01", Direct("CTCP VERSION", "bob", formatted="\x01VERSION\x01")),
        (
            "NOTICE bob :\x01VERSION x 1\x01",
            Direct("CTCP reply VERSION x 1", "bob", ref=NOTICE, notice=True, formatted="\x01VERSION x 1\x01"),
        ),
        # Formatting
        (
            "PRIVMSG #lobby :\x02bold\x02 \x0304,12red\x0f",
            Say("bold red", "lobby", formatted="\x02bold\x02 \x0304,12red\x0f"),
        ),
    ],
)
def test_one_message(line: str, verb: Verb) -> None:
    """Modern IRC, "PRIVMSG message" and "NOTICE message"; CTCP, "Message Syntax"."""
    assert said(line) == [verb]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("\x02\x1d\x1f\x1e\x11\x16\x0f", ""),
        ("\x03red", "red"),
        ("\x033red", "red"),
        ("\x03031", "1"),
        ("\x0304,05x", "x"),
        ("\x0304,x", ",x"),
        ("\x03,4x", ",4x"),
        ("\x04ff0000red", "red"),
        ("\x04FF0000,00ff00red", "red"),
        ("\x04ff00red", "ff00red"),
        ("a\x07b\x1bc", "a\x07b\x1bc"),
    ],
)
def test_codes_are_taken_away(raw: str, text: str) -> None:
    """modern.ircdocs.horse/formatting; other control characters are for the core to replace."""
    assert strip_codes(raw) == text


@given(
    st.text(st.characters(exclude_characters="\0\r\n") | st.sampled_from("\x01\x02\x03\x04\x0f\x1d019,af"), max_size=20)
)
def test_who_has_no_colours_loses_nothing_else(raw: str) -> None:
    """`formatted` is there only when it says more; what was taken away were codes."""
    said = read_text(raw)

    if not raw.startswith("\x01"):
        assert said == Said(strip_codes(raw), False, raw if strip_codes(raw) != raw else None)
    elif not said.action:
        assert said.text.startswith("CTCP")
        assert said.formatted == raw
    else:
        assert said.formatted is None or said.formatted in raw
    assert not set(said.text) & set("\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f")


def test_several_targets() -> None:
    """TARGMAX: who is named twice gets one message; what is too much is refused and says what was left out."""
    verbs = said("PRIVMSG #a,bob,,#a,@#b,c,d,e :hi")

    assert verbs[:4] == [Say("hi", "a"), Direct("hi", "bob"), Say("hi", "b", role="operator"), Direct("hi", "c")]
    assert refused(verbs[4:]) == [Numeric("407", ("d", "Too many targets: PRIVMSG takes 4"))]


def test_too_little_for_a_message() -> None:
    """ERR_NORECIPIENT and ERR_NOTEXTTOSEND."""
    assert refused(said("PRIVMSG")) == [Numeric("411", ("No recipient given (PRIVMSG)",))]
    assert refused(said("PRIVMSG , :x")) == [Numeric("411", ("No recipient given (PRIVMSG)",))]
    assert refused(said("PRIVMSG #lobby")) == [Numeric("412", ("No text to send",))]
    assert refused(said("PRIVMSG #lobby :")) == [Numeric("412", ("No text to send",))]


@pytest.mark.parametrize("line", ["NOTICE", "NOTICE #lobby", "NOTICE , :x"])
def test_a_notice_is_never_answered(line: str) -> None:
    """RFC 2812 section 3.3.2: not even when it is wrong."""
    assert said(line) == []


def test_too_many_targets_of_a_notice() -> None:
    """They are left out without a word."""
    assert len(said("NOTICE a,b,c,d,e :x")) == 4


def test_tags_of_a_message() -> None:
    """IRCv3 message-tags: client-only tags travel, if the client has negotiated it."""
    line = r"@+draft/reply=a\sb;time=x;+typing PRIVMSG #lobby :hi"

    assert said(line, "message-tags") == [Say("hi", "lobby", tags=r"+draft/reply=a\sb;+typing")]
    assert said(line) == [Say("hi", "lobby")]


def test_tags_without_a_message() -> None:
    """TAGMSG (IRCv3 message-tags): to channels, to some of their members, to people."""
    assert said("@+typing=active;x=y TAGMSG #lobby,bob,+#ops", "message-tags") == [
        Tag("+typing=active", room="lobby", ref=Asked("TAGMSG", ("#lobby",))),
        Tag("+typing=active", to="bob", ref=Asked("TAGMSG", ("bob",))),
        Tag("+typing=active", room="ops", role="voice", ref=Asked("TAGMSG", ("+#ops",))),
    ]
    # What is not for other clients is left out; the rest is delivered, also if that is nothing.
    for line in ("TAGMSG #lobby", "@time=x TAGMSG #lobby"):
        assert said(line, "message-tags") == [Tag("", room="lobby", ref=Asked("TAGMSG", ("#lobby",)))]
    assert refused(said("TAGMSG", "message-tags")) == [Numeric("411", ("No recipient given (TAGMSG)",))]
    assert refused(said("@+x TAGMSG #lobby")) == [Numeric("421", ("TAGMSG", "Unknown command"))]


# Many lines at once

HEAD = b"PRIVMSG #lobby :"
texts = st.text(max_size=12).map(lambda text: text.replace("\n", "").encode("utf-8", "replace"))
plain = st.lists(texts.map(lambda text: HEAD + text), max_size=5)
other = st.sampled_from(
    [
        b"",
        b"PRIVMSG #ops :x",
        b"PRIVMSG #lobby x",
        b"privmsg #lobby :x",
        HEAD,
        HEAD + b" ",
        HEAD + b"\x02x",
        HEAD + b"\x01ACTION x\x01",
        HEAD + b"\xff",
        HEAD + b"x" * 494,
        HEAD + b"x" * 495,
        HEAD + "é".encode() * 248,
        HEAD + HEAD,
        b"@+x=y " + HEAD + b"x",
        b":eve " + HEAD + b"x",
        b"PRIVMSG #lobby,#ops :x",
        b"PRIVMSG # :x",
        b"AWAY",
    ]
)
blocks = st.builds(lambda a, b, c: a + b + c, plain, st.lists(other, max_size=2), plain)


@given(blocks)
def test_lines_mean_the_same_at_once_and_one_by_one(lines: list[bytes]) -> None:
    """What travels as `SayAll` is what the lines would have said one after the other."""
    together, single = member(), member()
    together.receive(b"".join(line + b"\r\n" for line in lines))
    one_by_one: list[Verb] = []
    for line in lines:
        verbs = read(single, line)
        one_by_one += [Say(v.texts[0], v.room) if isinstance(v, SayAll) else v for v in verbs]
    at_once: list[Verb] = []
    while taken := together.take_verbs():
        for verb in taken:
            at_once += [Say(text, verb.room) for text in verb.texts] if isinstance(verb, SayAll) else [verb]

    assert at_once == one_by_one


@given(texts.filter(bool))
def test_one_line_is_what_the_table_says(text: bytes) -> None:
    """The same line, once by the way for many and once by the way for one."""
    many = read_run(HEAD + text)
    if many is not None:
        one = read(member(), b":x " + HEAD + text)
        assert many == [SayAll([verb.text], verb.room) for verb in one if isinstance(verb, Say)]


def test_a_busy_chunk_is_a_few_verbs() -> None:
    """At most 512 texts each."""
    run = b"\r\n".join(HEAD + b"%d" % number for number in range(1000))

    verbs = read(member(), run)

    assert verbs == [
        SayAll([str(number) for number in range(512)], "lobby"),
        SayAll([str(number) for number in range(512, 1000)], "lobby"),
    ]


def test_what_stands_together_is_said_together() -> None:
    """Another line between them, or another channel, costs only itself."""
    lines = [HEAD + b"a", HEAD + b"b", b"PING x", b"PRIVMSG #ops :c", b"PRIVMSG #ops :d", HEAD + b"e", b""]

    assert read(member(), b"\r\n".join(lines)) == [
        SayAll(["a", "b"], "lobby"),
        Ping("x", Asked("PING", ("x",))),
        SayAll(["c", "d"], "ops"),
        Say("e", "lobby"),
    ]


def test_before_registration_nothing_is_said() -> None:
    """The way for many is for members only; a nickname that was refused does not make one."""
    protocol = new()
    protocol.receive(b"USER a 0 * :A\nNICK ann\n" + (HEAD + b"x\n") * 3)
    protocol.take_verbs()

    assert refused(protocol.take_verbs()) == [Numeric("451", ("You have not registered",))] * 3
