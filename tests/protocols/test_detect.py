"""The first bytes tell the language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import chunked

from pychat.core.limits import Limits
from pychat.protocols.detect import PROMPT, PROMPT_BYTES, Detector, Language
from pychat.protocols.irc.commands import COMMANDS


def prompted() -> Detector:
    """A detector whose peer was silent and is asked for its nickname now."""
    detector = Detector(Limits())
    assert detector.silence() is PROMPT
    return detector


@pytest.mark.parametrize(
    ("data", "language"),
    [
        (b"\x16\x03\x01", Language.TLS),
        (b"{", Language.JSON),
        (b"GET / HTTP/1.1\r\n", Language.HTTP),
        (b"POST ", Language.HTTP),
        (b"PRI * HTTP/2.0\r\n", Language.HTTP),
        (b"CAP LS 302\r\n", Language.IRC),
        (b"nick ann\r\n", Language.IRC),
        (b"USER ", Language.IRC),
        (b"Pass x", Language.IRC),
        (b"QUIT\r\n", Language.IRC),
        (b"quit :bye\n", Language.IRC),
        (b"JOIN :\r\n", Language.IRC),
        (b"@label=1 CAP LS\r\n", Language.IRC),
        (b"join #lobby\n", Language.IRC),
        (b"PING x\n", Language.IRC),
        (b":ann NICK ann\r\n", Language.IRC),
        (b"@label=1  :ann  CAP LS\r\n", Language.IRC),
        (b":ann hi\n", Language.TEXT),
        (b":NICK ann\n", Language.TEXT),
        (b"ERROR", None),
        (b"join us\n", Language.TEXT),
        (b"@ann hi\n", Language.TEXT),
        (b"ann\n", Language.TEXT),
        (b"\r\n", Language.TEXT),
        (b"get lost\n", Language.TEXT),
        (b"GET\n", Language.TEXT),
        (b"nick\n", Language.TEXT),
        (b"quitter\n", Language.TEXT),
        (b"/help\n", Language.TEXT),
        (b"\xff\xfb\x01ann\n", Language.TEXT),
        (b"\xff\xfb\x01{", Language.JSON),
        (b"x" * 4096, Language.TEXT),
        (b"ann", None),
        (b"GE", None),
        (b"NICK", None),
        (b"QUIT", None),
        (b"@label=1", None),
        (b"\xff\xfb\x01", None),
        (b"x" * 4095, None),
    ],
)
@pytest.mark.parametrize("asked", [False, True])
def test_the_first_bytes_tell(asked: bool, data: bytes, language: Language | None) -> None:
    """The table of languages, before and after the prompt."""
    detector = prompted() if asked else Detector(Limits())

    assert detector.receive(data) is language
    assert detector.buffer == data


@pytest.mark.parametrize("name", [name for name, rule in COMMANDS.items() if rule.early])
def test_what_irc_has_before_registration_is_irc(name: str) -> None:
    """Whatever a client begins with."""
    assert Detector(Limits()).receive(f"{name} x\r\n".encode()) is Language.IRC


def test_patience_is_how_long_silence_may_be() -> None:
    """Before the prompt; behind it, the answer decides as ever."""
    detector = Detector(Limits(), patience=1.0)

    assert detector.wait == 1.0
    assert detector.silence() is PROMPT
    assert detector.wait is None


def test_inside_tls_there_is_no_tls() -> None:
    """The byte 0x16 is text there."""
    assert Detector(Limits(), tls=False).receive(b"\x16\n") is Language.TEXT


def test_a_silent_peer_is_asked_once() -> None:
    """After 0.3 s the prompt is due; then silence tells nothing until something comes."""
    detector = Detector(Limits())

    assert detector.wait == 0.3
    assert not detector.prompted
    assert detector.silence() is PROMPT
    assert detector.prompted
    assert detector.wait is None
    assert detector.silence() is None
    assert PROMPT_BYTES == b"NICK"


def test_a_peer_that_only_negotiates_telnet_is_asked() -> None:
    """Telnet commands are no answer, and they stay in the buffer."""
    detector = Detector(Limits())

    assert detector.receive(b"\xff\xfb\x1f\xff\xfb\x20") is None
    assert detector.wait == 0.3
    assert detector.silence() is PROMPT
    assert detector.receive(b"ann\r\n") is Language.TEXT
    assert detector.buffer == b"\xff\xfb\x1f\xff\xfb\x20ann\r\n"


def test_nobody_is_asked_where_only_tls_is_allowed() -> None:
    """Without the prompt there is nothing to wait for."""
    detector = Detector(Limits(), prompt=False)

    assert detector.wait is None
    assert detector.silence() is None
    assert not detector.prompted


def test_an_answer_without_a_newline_is_the_classic_client() -> None:
    """It is decided when 0.2 s pass behind the answer, although it came in pieces."""
    detector = prompted()

    assert detector.receive(b"an") is None
    assert detector.wait == 0.2
    assert detector.receive(b"n") is None
    assert detector.wait == 0.2
    assert detector.silence() is Language.CLASSIC
    assert detector.wait is None
    assert detector.buffer == b"ann"


def test_an_answer_with_a_newline_is_text() -> None:
    """What a person types into nc."""
    assert prompted().receive(b"ann\n") is Language.TEXT


@pytest.mark.parametrize("keys", [[b"a", b"n", b"n"], ["é".encode(), "日".encode()]])
def test_single_keys_are_somebody_typing(keys: list[bytes]) -> None:
    """Windows' telnet sends every key by itself, and a key can be three bytes: silence waits for the next one."""
    detector = prompted()
    for key in keys:
        assert detector.receive(key) is None
        assert detector.wait is None
        assert detector.silence() is None

    assert detector.receive(b"\r\n") is Language.TEXT


def test_a_slow_line_that_nobody_asked_for_is_text() -> None:
    """Only an answer to the prompt can be the classic client's: it sends nothing before."""
    detector = Detector(Limits())

    assert detector.receive(b"ann") is None
    assert detector.wait is None
    assert detector.silence() is None
    assert detector.receive(b"a\n") is Language.TEXT


@pytest.mark.parametrize(("data", "language"), [(b"", None), (b"ann", Language.TEXT), (b"GE", Language.TEXT)])
def test_at_the_end_what_is_there_is_text(data: bytes, language: Language | None) -> None:
    """An end of the stream, or of the time: bytes are text, and nothing is nothing."""
    detector = Detector(Limits())
    detector.receive(data)

    assert detector.eof() is language


_STARTS = [b"GET ", b"NICK ", b"QUIT\n", b"{", b"\x16", b"ann", b"\n", b"\xff", b"\xff\xfa", b"\xff\xf0", b"x" * 4095]


@given(chunked(st.lists(st.sampled_from(_STARTS) | st.binary(max_size=5), max_size=8).map(b"".join)))
def test_any_chunks_give_the_same_language(case: tuple[bytes, list[bytes]]) -> None:
    """Without silences the language depends on the bytes only, and every byte is kept for the protocol."""
    stream, chunks = case
    whole, pieces = Detector(Limits()), Detector(Limits())

    expected = whole.receive(stream)
    for chunk in chunks:
        pieces.receive(chunk)

    assert pieces.eof() is whole.eof()
    assert expected in (None, whole.eof())
    assert pieces.buffer == stream
