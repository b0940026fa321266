"""Parameters that nobody means well with, for the commands of every language."""

from __future__ import annotations

import json
from typing import Final

from hypothesis import strategies as st

from pychat.protocols.jsonl import verbs as json_verbs

# fmt: off
WORDS: Final = [
    *(b"", b"*", b"0", b"-1", b"99999999999999999999", b"1e999", b"\xd9\xa3", b"+", b"-", b":", b"::", b"@", b"="),
    *(b"#den", b"den", b"bob", b"ann", b"chief", b"zoe", b"smith", b"DEN", b"#attic", b"#new", b"new", b"pychat"),
    *(b"#", b"##", b"#a,#b,,#c", b"#den," * 100, b"bob," * 100, b"," * 300, b"@#den", b"%#den", b"+#den", b"NickServ"),
    *(b"#" + b"x" * 65, b"x" * 33, b"x" * 400, b"x" * 5000, b"+" + b"b" * 300, b"+ovklmnstiCbeI", b"-o+o-o+o", b"+l"),
    *(b"+k", b"+\xc3\xa9", b"b", b"a!b@c", b"*!*@*", b"m:", b"m:*", b"a:", b"a:smith", b"m:a:*", b"~q:x", b"*" * 60),
    *(b"?*" * 40, b"[" * 50, b"(" * 50, b"\x00", b"\r", b"\x01ACTION waves\x01", b"\x01VERSION\x01", b"\x02\x0304,05x"),
    *(b"\x1b[2J", b"\x7f", b"\x85", b"\xc2\x9b", "\u202e\u2066".encode(), "\u2028".encode(), "\u200b".encode()),
    *("аnn".encode(), "ａｎｎ".encode(), "🙂".encode() * 90, "é".encode() * 200, "e\u0301".encode() * 60),
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"10m", b"0m", b"999999999d", b"LATEST", b"BETWEEN"),
    *(b"AROUND", b"TARGETS", b"LS", b"REQ", b"END", b"302", b"C", b"L", b"S", b"msgid=zz", b"msgid=" + b"f" * 40),
    *(b"timestamp=2020-01-01T00:00:00.000Z", b"timestamp=9999-99-99T99:99:99Z", b"PLAIN", b"SCRAM-SHA-256", b"A" * 400),
    *(b"c21pdGgAc21pdGgAY29ycmVjdC1ob3JzZQ==", b"biwsbj1zbWl0aCxyPXg=", b"sesame", b"root", b"correct-horse"),
    *(b"o%tcuihsnfdlaor,999", b"<0", b">9", b"!*", b"C>1", b'"', b'"a b', b"OR", b"a*", b"NEAR(", "ﷺ".encode() * 60),
]
# fmt: on
"""As bytes, as not all of them are text."""

words = st.sampled_from(WORDS) | st.binary(max_size=12).map(lambda data: data.replace(b"\n", b""))
parameters = st.lists(words, max_size=6)
_WHETHER: Final[st.SearchStrategy[bool]] = st.booleans()

_TAGS: Final = [
    b"",
    b"",
    b"@label=x ",
    b"@+x=\\:\\s\\ ",
    b"@label=" + b"y" * 70 + b" ",
    b"@=;;= ",
    b"@" + b"t;" * 2500 + b" ",
    b"@a",
]
tags = st.sampled_from(_TAGS)


def fields_of(type: str) -> list[str]:
    """The fields that a request of this type can have, beside its type."""
    return json_verbs.REQUESTS.names(type)


_NUMBERS: Final[list[object]] = [-1, 0, 1, 2**31, 2**63, 10**30, 0.5, 1e308, -0.0]
_STRANGE: Final[list[object]] = [
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    ["x"] * 300,
    {"a": {"b": [1]}},
    {"token": "x", "after": "y"},
    "\ud800",
]
values = (
    st.sampled_from([*_NUMBERS, *_STRANGE])
    | words.map(lambda data: data.decode(errors="replace"))
    | st.lists(words.map(lambda data: data.decode(errors="replace")), max_size=3)
)


@st.composite
def requests(draw: st.DrawFn, type: str) -> bytes:
    """A line of JSON of this type, whose fields, and some of others, have values of any kind."""
    names = draw(st.lists(st.sampled_from([*fields_of(type) * 3, "room", "nick", "token"]), unique=True))
    fields = {name: draw(values) for name in names}
    return json.dumps({"type": type, **fields}).encode()


@st.composite
def irc_lines(draw: st.DrawFn, command: str) -> bytes:
    """A line of IRC with this command; its last parameter may have blanks."""
    given = draw(parameters)
    spaced = draw(_WHETHER)
    if given and spaced:
        given[-1] = b":" + given[-1] + b" " + draw(words)
    return draw(tags) + b" ".join([command.encode(), *given])


@st.composite
def slash_lines(draw: st.DrawFn, command: str) -> bytes:
    """A slash command with arguments."""
    return b" ".join([b"/" + command.encode(), *draw(parameters)])
