"""The first bytes tell the language."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import chunked

from pychat.model.limits import Limits
from pychat.protocols import registry
from pychat.protocols.detect import HINT_BYTES, PROMPT_BYTES, Ask, Detector, Language, behind_prompt
from pychat.protocols.irc.commands.table import COMMANDS


def prompted() -> Detector:
    """A detector whose peer was silent and is asked for its nickname now."""
    detector = Detector(Limits())
    assert detector.silence() is Ask.PROMPT
    return detector


def hinted() -> Detector:
    """A detector whose peer was told what to type, too."""
    detector = prompted()
    assert detector.silence() is Ask.HINT
    return detector


@pytest.mark.parametrize(
    ("data", "language"),
    [
        (b"\x16\x03\x01", Language.TLS),
        (b"{", Language.JSON),
        (b"GET / HTTP/1.1\r\n", Language.HTTP),
        (b"POST ", Language.HTTP),
        (b"PRI * HTTP/2.0\r\n", Language.HTTP),
        (b"GET /\r\n", Language.HTTP),  # HTTP/0.9
        (b"NICK / HTTP/1.1\r\n", Language.HTTP),
        (b"nick / http/1.1\n", Language.HTTP),
        (b"join #lobby HTTP/1.0\r\n", Language.HTTP),
        (b"CAP http://evil.example/ HTTP/1.1 \r\n", Language.HTTP),
        (b"ann / HTTP/1.1\r\n", Language.HTTP),
        (b"patch / HTTP/1.1\r\nHost: evil.example\r\n\r\nNICK evil\r\n", Language.HTTP),
        (b"QUIT / HTTP/1.1\r\n", Language.HTTP),
        (b"ann / HTTP/3\r\n", Language.HTTP),
        (b"NICK /" + b"x" * 4090, Language.HTTP),
        (b"ann https://evil.example/" + b"x" * 4090, Language.HTTP),
        (b"NICK " + b"x" * 4091, Language.IRC),
        (b"NICK HTTP/1.1.1\r\n", Language.IRC),
        (b"NICK xHTTP/1.1\r\n", Language.IRC),
        (b"DESCRIBE rtsp://evil.example/ RTSP/1.0\r\n", Language.HTTP),
        (b"*2\r\n$4\r\nAUTH\r\n$6\r\nsesame\r\n", Language.FOREIGN),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Language.FOREIGN),
        (b"\0\0\0\x08\x04\xd2\x16\x2f", Language.FOREIGN),
        (b"\x10\x1a\0\x04MQTT", Language.FOREIGN),
        (b"ann\0", Language.FOREIGN),
        (b"NICK ann\0\r\n", Language.IRC),
        (b"ann\n\0", Language.TEXT),
        (b"\xff\xfd\0ann\n", Language.TEXT),  # an option of telnet
        (b"\r\nNICK / HTTP/1.1\r\n", Language.TEXT),
        (b"Host: evil.example\r\n", Language.TEXT),
        (b"CAP LS 302\r\n", Language.IRC),
        (b"nick ann\r\n", Language.IRC),
        (b"USER u 0 * :u\n", Language.IRC),
        (b"Pass x\n", Language.IRC),
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
        (b"QUIT ", None),
        (b"USER ", None),
        (b"NICK / HTTP/1.1", None),
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


@pytest.mark.parametrize(
    ("data", "language"),
    [(b"{", Language.JSON), (b"NICK ann\r\n", Language.IRC), (b"ann\n", Language.TEXT), (b"ann", None)],
)
def test_a_byte_order_mark_is_no_part_of_what_is_said(data: bytes, language: Language | None) -> None:
    """Programs of Windows put one before what they write."""
    detector = Detector(Limits())

    assert detector.receive(codecs.BOM_UTF8[:2]) is None
    assert detector.receive(codecs.BOM_UTF8[2:] + data) is language
    assert detector.buffer == data


@pytest.mark.parametrize("name", [name for name, rule in COMMANDS.items() if rule.early])
def test_what_irc_has_before_registration_is_irc(name: str) -> None:
    """Whatever a client begins with."""
    assert Detector(Limits()).receive(f"{name} x\r\n".encode()) is Language.IRC


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_is_a_method(name: str) -> None:
    """A web page chooses the method of a request, but not how the line ends."""
    assert Detector(Limits()).receive(f"{name} / HTTP/1.1\r\n".encode()) is Language.HTTP


def test_patience_is_how_long_silence_may_be() -> None:
    """Before the prompt; behind it, the answer decides as ever."""
    detector = Detector(Limits(), patience=1.0)

    assert detector.wait == 1.0
    assert detector.silence() is Ask.PROMPT
    assert detector.wait == 2.5
    assert detector.silence() is Ask.HINT
    assert detector.wait is None


def test_inside_tls_there_is_no_tls() -> None:
    """The byte 0x16 is text there."""
    assert Detector(Limits(), tls=False).receive(b"\x16\n") is Language.TEXT


def test_a_silent_peer_is_asked_once_and_told_once_what_to_type() -> None:
    """After 0.3 s the prompt is due, 2.5 s later a hint; then silence tells nothing until something comes."""
    detector = Detector(Limits())

    assert detector.wait == 0.3
    assert not detector.prompted
    assert detector.silence() is Ask.PROMPT
    assert (detector.prompted, detector.hinted) == (True, False)
    assert detector.wait == 2.5
    assert detector.silence() is Ask.HINT
    assert detector.hinted
    assert detector.wait is None
    assert detector.silence() is None
    assert (Ask.PROMPT.value, Ask.HINT.value) == (b"NICK", b"NAME wanted: type one and press Enter\r\n")


def test_a_peer_that_only_negotiates_telnet_is_asked() -> None:
    """Telnet commands are no answer, and they stay in the buffer."""
    detector = Detector(Limits())

    assert detector.receive(b"\xff\xfb\x1f\xff\xfb\x20") is None
    assert detector.wait == 0.3
    assert detector.silence() is Ask.PROMPT
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


def test_a_line_of_the_classic_client_behind_the_hint_is_its_own() -> None:
    """It was late, and took prompt and hint for a message; whoever has read the prompt answers with a nickname."""
    assert hinted().receive(b"zoe: hello\n") is Language.CLASSIC
    assert prompted().receive(b"zoe: hello\n") is Language.TEXT

    without_newline = hinted()
    assert without_newline.receive(b"zoe: hello") is None
    assert without_newline.silence() is Language.CLASSIC


@pytest.mark.parametrize("line", [b"zoe\n", b"my name: zoe\n", b"/msg bob: hi\n", b": hi\n"])
def test_other_lines_behind_the_hint_are_text(line: bytes) -> None:
    """What people type."""
    assert hinted().receive(line) is Language.TEXT


_ASKED = PROMPT_BYTES + HINT_BYTES


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        *[(_ASKED[:end], b"") for end in range(len(_ASKED) + 1)],
        (b"NICK{}", b"{}"),
        (_ASKED + b"{}", b"{}"),
        (b"server full\r\n", b"server full\r\n"),
    ],
)
def test_what_a_server_says_behind_its_prompt(start: bytes, rest: bytes) -> None:
    """Clients that were late hear that first, in any pieces."""
    assert behind_prompt(start) == rest


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


@pytest.mark.parametrize("data", [b"NICK ann", b"NICK /", b"PING ", b"cap ls"])
def test_a_line_of_another_language_is_not_the_classic_client(data: bytes) -> None:
    """The rest of the line may come later; it decides."""
    detector = prompted()

    assert detector.receive(data) is None
    assert detector.wait is None
    assert detector.silence() is None


_UNFINISHED = [
    (b"", None),
    (b"ann", Language.TEXT),
    (b"GE", Language.TEXT),
    (b"NICK ann", Language.IRC),
    (b"NICK /x", Language.HTTP),
]


@pytest.mark.parametrize(("data", "language"), _UNFINISHED)
def test_at_the_end_what_is_there_decides(data: bytes, language: Language | None) -> None:
    """An end of the stream, or of the time: what the line begins with tells, and nothing is nothing."""
    detector = Detector(Limits())
    detector.receive(data)

    assert detector.eof() is language


_STARTS = [b"GET ", b"NICK ", b"QUIT\n", b"{", b"\x16", b"ann", b"\n", b"\xff", b"\xff\xfa", b"\xff\xf0", b"x" * 4095]
_STARTS += [b"/", b" HTTP/1.1", b"\r\n", b" ", b"\r", b"\0", b"*1", b"PING"]


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


def test_every_language_that_is_detected_has_a_protocol() -> None:
    """But for those that are answered or decrypted before."""
    assert set(registry.LANGUAGES) == set(Language) - {Language.HTTP, Language.TLS, Language.FOREIGN}
