r"""
The grammar of lines.

The rules are those that the public test vectors for parsers test (github.com/ircdocs/parser-tests: msg-split,
msg-join), with examples of our own.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pychat.protocols.irc.asked import as_middle, format_msgid, parse_msgid
from pychat.protocols.irc.grammar import ParsedLine, client_tags, escape, parse_line, unescape, write_line


@pytest.mark.parametrize(
    ("line", "source", "command", "params"),
    [
        ("AWAY", "", "AWAY", ()),
        ("JOIN #ops key", "", "JOIN", ("#ops", "key")),
        (":ann JOIN #ops", "ann", "JOIN", ("#ops",)),
        (":ann AWAY", "ann", "AWAY", ()),
        # The last parameter: with or without its colon, empty, with colons and spaces of its own
        ("JOIN :#ops", "", "JOIN", ("#ops",)),
        ("MODE #ops +ov ann :bob", "", "MODE", ("#ops", "+ov", "ann", "bob")),
        ("PRIVMSG #ops :good morning", "", "PRIVMSG", ("#ops", "good morning")),
        ("PRIVMSG #ops :", "", "PRIVMSG", ("#ops", "")),
        ("PRIVMSG #ops ::-)", "", "PRIVMSG", ("#ops", ":-)")),
        ("PRIVMSG #ops :look: here :) ", "", "PRIVMSG", ("#ops", "look: here :) ")),
        ("PRIVMSG #ops :   ", "", "PRIVMSG", ("#ops", "   ")),
        ("PRIVMSG #ops a:b", "", "PRIVMSG", ("#ops", "a:b")),
        # Several spaces separate like one, and at the end they mean nothing
        ("MODE  #ops   +n", "", "MODE", ("#ops", "+n")),
        ("MODE #ops +n  ", "", "MODE", ("#ops", "+n")),
        (":ann   AWAY ", "ann", "AWAY", ()),
        ("  AWAY", "", "AWAY", ()),
        ("PRIVMSG #ops  :two", "", "PRIVMSG", ("#ops", "two")),
        # Nothing else separates
        (":an\tn JOIN #o\tps", "an\tn", "JOIN", ("#o\tps",)),
        ("JOIN #a\u00a0b\u2003c", "", "JOIN", ("#a\u00a0b\u2003c",)),
        (":ann!a@n\x0305e\x0ft PRIVMSG #ops hi", "ann!a@n\x0305e\x0ft", "PRIVMSG", ("#ops", "hi")),
        # More parameters than RFC 1459 allowed are no reason to lose one
        ("ISON " + " ".join("abcdefghijklmnopqrst"), "", "ISON", tuple("abcdefghijklmnopqrst")),
        # No command
        ("", "", "", ()),
        ("   ", "", "", ()),
        (":ann", "ann", "", ()),
    ],
)
def test_a_line_is_taken_apart(line: str, source: str, command: str, params: tuple[str, ...]) -> None:
    """One or more spaces separate; what begins with a colon is the last parameter (RFC 1459 section 2.3.1)."""
    assert parse_line(line) == ParsedLine({}, source, command, params)


@pytest.mark.parametrize(
    ("raw", "tags"),
    [
        ("a=1", {"a": "1"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a=1;b;+c/d=2", {"a": "1", "b": "", "+c/d": "2"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1;b=2;a=3", {"a": "3", "b": "2"}),
        ("a=1;x/a=2", {"a": "1", "x/a": "2"}),
        (";;a=1;", {"a": "1"}),
        ("=1", {}),
        # Escapes, one character at a time
        (r"a=\:\s\r\n\\", {"a": "; \r\n\\"}),
        (r"a=one\\\\two", {"a": r"one\\two"}),
        (r"a=x\\ny", {"a": r"x\ny"}),
        # What needs no escape loses its backslash, and one at the end is none
        (r"a=\b\é", {"a": "bé"}),
        ("a=x\\", {"a": "x"}),
    ],
)
def test_tags_are_read(raw: str, tags: dict[str, str]) -> None:
    """IRCv3 message-tags, "Format" and "Escaping values"."""
    assert parse_line(f"@{raw} :ann AWAY").tags == tags
    assert parse_line(f"@{raw}  AWAY") == ParsedLine(tags, "", "AWAY", ())


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (ParsedLine({}, "", "AWAY", ()), "AWAY"),
        (ParsedLine({}, "ann", "AWAY", ("",)), ":ann AWAY :"),
        (ParsedLine({}, "ann", "JOIN", ("#ops", "key")), ":ann JOIN #ops key"),
        (ParsedLine({}, "", "PRIVMSG", ("#ops", "two words")), "PRIVMSG #ops :two words"),
        (ParsedLine({}, "", "PRIVMSG", ("#ops", ":-)")), "PRIVMSG #ops ::-)"),
        (ParsedLine({}, "", "PRIVMSG", ("#ops", " ")), "PRIVMSG #ops : "),
        (ParsedLine({}, "", "JOIN", ("#o\tps", "b")), "JOIN #o\tps b"),
        (ParsedLine({"a": "", "b": "x;y z\\\r\n"}, "ann", "AWAY", ()), r"@a;b=x\:y\sz\\\r\n :ann AWAY"),
    ],
)
def test_a_command_is_written(command: ParsedLine, line: str) -> None:
    """A tag without a value has no `=`; only a last parameter that needs it has a colon."""
    assert write_line(command) == line


@pytest.mark.parametrize(
    "command",
    [
        ParsedLine({}, "", "", ()),
        ParsedLine({}, "", ":x", ()),
        ParsedLine({}, "", "@x", ()),
        ParsedLine({}, "", "A B", ()),
        ParsedLine({}, "a b", "AWAY", ()),
        ParsedLine({}, "", "JOIN", ("", "x")),
        ParsedLine({}, "", "JOIN", (":a", "x")),
        ParsedLine({}, "", "JOIN", ("a b", "x")),
        ParsedLine({}, "", "JOIN", ("a\nQUIT",)),
        ParsedLine({}, "", "JOIN", ("a\rQUIT", "x")),
        ParsedLine({}, "", "JOIN", ("a\0",)),
        ParsedLine({"a b": ""}, "", "AWAY", ()),
        ParsedLine({"a=": ""}, "", "AWAY", ()),
        ParsedLine({"": "x"}, "", "AWAY", ()),
        ParsedLine({"a": "\0"}, "", "AWAY", ()),
    ],
)
def test_what_would_be_misread_is_not_written(command: ParsedLine) -> None:
    """A part that would be another one, or end the line."""
    with pytest.raises(ValueError, match=r"."):
        write_line(command)


anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=8)
word = anything.map(lambda text: text.replace(" ", "")).filter(bool)
middle = word.filter(lambda text: not text.startswith(":"))
key = word.filter(lambda text: not set(text) & set(";=\\"))
value = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
commands = st.builds(
    lambda tags, source, name, params, last: ParsedLine(tags, source, name, (*params, *last)),
    st.dictionaries(key, value, max_size=3),
    st.just("") | word,
    middle.filter(lambda text: not text.startswith("@")),
    st.lists(middle, max_size=4),
    st.lists(anything, max_size=1),
)


@given(commands)
def test_reading_undoes_writing(command: ParsedLine) -> None:
    """Whatever can be written is read as what it was."""
    assert parse_line(write_line(command)) == command


@given(anything | st.text(st.sampled_from("@:; =\\ab+/"), max_size=20))
@example("@a :b c :d")
@example("@=;;x :: ::")
def test_writing_what_was_read_changes_nothing_more(line: str) -> None:
    """Any line can be read, and what was read of it can be written, unless it has no command."""
    command = parse_line(line)
    if command.command and not command.command.startswith((":", "@")):
        assert parse_line(write_line(command)) == command


@given(value)
def test_escaping_can_be_undone(text: str) -> None:
    """And what is escaped ends neither its tag nor the tags nor the line."""
    assert unescape(escape(text)) == text
    assert not set(escape(text)) & set("; \r\n")


def test_only_client_only_tags_reach_other_clients() -> None:
    """IRCv3 message-tags, "Client-only tags": time, account and label are for the server to say."""
    tags = parse_line(r"@time=now;+draft/reply=1\s2;label=x;+typing;+=y;+a/=z;+b_c=1;++d=2 TAGMSG x").tags

    assert client_tags(tags) == r"+draft/reply=1\s2;+typing"
    assert client_tags({}) == ""


@given(st.integers(0, 2**63 - 1))
def test_a_msgid_names_its_event(id: int) -> None:
    """IRCv3 message-ids; each piece of a long message names the whole."""
    assert parse_msgid(format_msgid(id)) == parse_msgid(f"{format_msgid(id)}-12") == id


@pytest.mark.parametrize("text", ["", "x", "-1", "1-", "1-2-3", "00000000000000001", "1 ", "é", "²", "0x1"])
def test_what_is_no_msgid(text: str) -> None:
    """It may be one of another server's."""
    assert parse_msgid(text) is None


@pytest.mark.parametrize(
    ("text", "param"), [("ann", "ann"), ("a b", "a"), ("", "*"), (" a", "*"), (":a", "*"), ("a:", "a:")]
)
def test_anything_can_be_named_in_the_middle(text: str, param: str) -> None:
    """What was wrong is told in a numeric, whatever it was."""
    assert as_middle(text) == param
