"""JSON lines there and back: what one side writes the other reads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import chunked

from pychat.model import events as e
from pychat.model import queries
from pychat.model import replies as r
from pychat.model import verbs as v
from pychat.model.errors import LocalProtocolError, RemoteProtocolError
from pychat.model.limits import Limits
from pychat.model.modes import ALL, LISTS, WHEN_SET, WITH_ARGUMENT, MaskEntry, ModeChange
from pychat.model.names import has_mark_of_irc
from pychat.protocols.base import Item
from pychat.protocols.jsonl.fields import Fields, load_object
from pychat.protocols.jsonl.items import EVENT_TYPES, ITEMS
from pychat.protocols.jsonl.protocol import JsonClientProtocol, JsonDialect, JsonProtocol, encode_verb
from pychat.protocols.jsonl.shapes import Shape
from pychat.protocols.jsonl.verbs import REQUESTS

T = TypeVar("T")

_text = st.text(st.characters(), max_size=20) | st.sampled_from(["", "\ud800", "\r\n\0", '"\\', "\u2028", "😀"])
_maybe = st.none() | _text
_ref = st.none() | st.text(max_size=64) | st.integers(-(2**63), 2**63 - 1)
_id = st.integers(0, 2**64 - 1)
_flag = st.booleans()
_texts = st.lists(_text, max_size=3).map(tuple)
_time = st.integers(0, 4_000_000_000_000).map(lambda milliseconds: milliseconds / 1000)


def _build(
    kind: Callable[..., T], *values: st.SearchStrategy[Any], **more: st.SearchStrategy[Any]
) -> st.SearchStrategy[T]:
    """What `st.builds` does, but fields that are not given have their defaults."""
    return st.builds(lambda *args, **fields: kind(*args, **fields), *values, **more)


_changes = _build(
    lambda adding, mode, argument: ModeChange(
        adding, mode, argument if mode in WITH_ARGUMENT or (mode in WHEN_SET and adding) else None
    ),
    _flag,
    st.sampled_from(ALL),
    _text,
)

_one = _text.map(lambda text: (text,))
_own_changes = st.lists(_build(ModeChange, _flag, st.sampled_from("Biwx")), max_size=9).map(tuple)
_BY_ATTRIBUTE: dict[tuple[type[Any], str], st.SearchStrategy[Any]] = {
    (v.Hello, "rooms"): st.none() | _texts,
    (v.Join, "room"): _text.filter(lambda room: not has_mark_of_irc(room)),
    (v.Direct, "to"): _text,
    (v.SetIgnored, "add"): _one,
    (v.SetIgnored, "remove"): _one,
    (v.SetUserModes, "changes"): _own_changes,
}
"""What a request can have, where it is less than the type of the attribute allows."""
_BY_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "str": _text,
    "str | None": _maybe,
    "bool": _flag,
    "Ref": _ref,
    "int | None": st.none() | st.integers(1, 999),
    "float | None": st.none() | st.integers(1, 999),
    "Position | None": st.none() | _id,
    "tuple[str, ...]": _texts,
    "tuple[str, ...] | None": st.none() | _texts,
    "Mapping[str, str]": st.dictionaries(_text, _text, max_size=3),
    "tuple[ModeChange, ...]": st.lists(_changes, max_size=20).map(tuple),
    "tuple[type[Event], ...]": st.sets(st.sampled_from([*EVENT_TYPES.values()]), max_size=3).map(
        lambda kinds: tuple(kind for kind in EVENT_TYPES.values() if kind in kinds)
    ),
}


def _of_shape(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of the class of a shape: what it has fields for is anything, the rest has its defaults."""
    types = {name: shape.value.__annotations__[name].__forward_arg__ for name in shape.fields}
    return _build(
        shape.value,
        **{
            name: _BY_ATTRIBUTE[shape.value, name] if (shape.value, name) in _BY_ATTRIBUTE else _BY_TYPE[type]
            for name, type in types.items()
        },
    )


_verbs = st.one_of([_of_shape(shape) for shape in REQUESTS if shape.type != "help"])
_tags = st.sampled_from(["", "bot"])
_room_messages = _build(
    e.Message, _id, _time, _text, _text, _text, _flag, st.none(), st.none(), _flag, tags=_tags, role=_text
)
_events = st.one_of(
    _room_messages,
    _build(e.Message, _id, _time, st.none(), _text, _text, _flag, _text, st.none(), _flag, tags=_tags),
    _build(e.Joined, _id, _time, _text, _text, away=st.none() | _text.filter(len)),
    _build(e.Kicked, _id, _time, _text, _text, _text, _text),
    _build(e.ModesChanged, _id, _time, _text, _text, st.lists(_changes, max_size=25).map(tuple)),
    _build(e.Invited, _id, _time, _text, _text, _text),
    _build(e.ProfileChanged, _id, _time, st.just(()), _text, st.just(""), _text, _maybe),
    _build(e.Left, _id, _time, _text, _text, _text),
    _build(e.Disconnected, _id, _time, st.just(()), _text, _text),
    _build(e.Renamed, _id, _time, st.just(()), _text, _text),
    _build(e.AwayChanged, _id, _time, st.just(()), _text, _maybe),
    _build(e.TopicChanged, _id, _time, _text, _text, _text),
    _build(e.Notice, _id, _time, _maybe, _text),
)
_records = st.lists(_events, max_size=3).map(tuple)
_replies = st.one_of(
    _build(r.Ok, _ref.filter(lambda ref: ref is not None), st.none() | _id),
    _build(r.Failure, _ref, _text, _text, st.none() | _text.filter(len), _texts),
    _build(r.Welcome, _ref, _text, _text, _text, st.builds(Limits, line_bytes=st.integers(1, 9999))),
    _build(
        r.Members,
        _ref,
        _text,
        _text,
        st.lists(_build(r.MemberInfo, _text, _maybe, roles=_text), max_size=3).map(tuple),
        _flag,
    ),
    _build(r.Topic, _ref, _text, _text),
    _build(r.Rooms, _ref, st.lists(_build(r.RoomInfo, _text, st.integers(0, 99), _text), max_size=3).map(tuple)),
    _build(r.Profile, _ref, _text, _texts, _maybe, st.integers(0, 10**9), _text, modes=_text),
    _build(r.Modes, _ref, _text, _text, _texts, st.just(0.0)),
    _build(
        r.Masks,
        _ref,
        _text,
        st.sampled_from(LISTS),
        st.lists(_build(MaskEntry, _text, _text, _time), max_size=3).map(tuple),
    ),
    _build(r.Inviting, _ref, _text, _text),
    _build(r.Invitations, _ref, _texts),
    _build(r.UserModes, _ref, _text),
    _build(r.PersonAway, st.none(), _text, _text),
    _build(r.Wallops, _text, st.just(""), _text),
    _build(r.HistoryPage, _ref, _text, _records, _flag, _text, st.none() | _id),
    _build(r.Replay, _text, _records),
    _build(r.Gap, _text, _id),
    _build(r.Lines, _ref, _texts),
    _build(r.PingRequest),
    _build(r.PongReply, _ref, _text),
    _build(r.Bye, _text),
)
_items = st.lists(_events | _replies, max_size=6)


@given(st.lists(_verbs, max_size=6))
def test_verbs_come_through(verbs: list[v.Verb]) -> None:
    """What a client writes, a server reads; no verb needs more than its line."""
    lines = [encode_verb(verb) for verb in verbs]
    protocol = JsonProtocol(Limits(), JsonDialect())
    protocol.receive(b"".join(lines))

    assert protocol.take_verbs() == verbs
    for line in lines:
        assert line.count(b"\n") == 1
        assert not set(line) & set(b"\r\0")


@given(_items)
def test_items_come_through(items: list[Item]) -> None:
    """What a server writes, a client reads."""
    data = JsonDialect().encode(items)

    assert JsonClientProtocol().receive(data) == items
    assert data.count(b"\n") == len(items)
    assert not set(data) & set(b"\r\0")


@given(chunked(_items.map(JsonDialect().encode)))
def test_any_chunks_give_the_same_items(case: tuple[bytes, list[bytes]]) -> None:
    """A stream may be cut anywhere."""
    stream, chunks = case
    client = JsonClientProtocol()

    assert [item for chunk in chunks for item in client.receive(chunk)] == JsonClientProtocol().receive(stream)


@given(st.binary(max_size=60) | st.builds(bytes.__add__, _items.map(JsonDialect().encode), st.binary(max_size=9)))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """A client meets garbage with the declared error and no other."""
    client = JsonClientProtocol()
    with contextlib.suppress(RemoteProtocolError):
        client.receive(data + b"\n")


@pytest.mark.parametrize(
    ("verb", "line"),
    [
        (v.Say("né", ref=1), '{"type":"say","text":"né","ref":1}\n'),
        (v.Hello("ann"), '{"type":"hello","nick":"ann"}\n'),
        (v.Hello("helper", bot=True), '{"type":"hello","nick":"helper","bot":true}\n'),
        (v.Hello("ann", after=1), '{"type":"hello","nick":"ann","resume":{"after":"0000000000000001"}}\n'),
        (v.Help("mine"), '{"type":"help"}\n'),
        (
            v.SetModes((ModeChange(True, "o", "bob"), ModeChange(False, "m"))),
            '{"type":"mode","modes":"+o-m","args":["bob"]}\n',
        ),
        (queries.GetModes("ops"), '{"type":"mode","room":"ops"}\n'),
    ],
)
def test_a_verb_is_written_without_what_goes_without_saying(verb: v.Verb, line: str) -> None:
    """Defaults are left out."""
    assert encode_verb(verb) == line.encode()


_OF_IRC = {
    *(queries.CountPeople, queries.FindPeople, queries.ListHistory, queries.ListPeople, queries.ListWatched),
    *(queries.WhoWas, v.Authenticate, v.LeaveAll, v.SetRealname, v.Tag, v.Watch),
}
"""What JSON has no request for."""
_OF_PROTOCOLS = {v.Abort, v.Answer, v.Invalid, v.SayAll}
"""What no client asks for."""


def test_every_verb_has_a_request_or_is_known_to_have_none() -> None:
    """A new verb is not forgotten."""
    assert {shape.value for shape in REQUESTS} | _OF_IRC | _OF_PROTOCOLS == set(get_args(v.Verb))
    assert not {shape.value for shape in REQUESTS} & (_OF_IRC | _OF_PROTOCOLS)


def test_what_is_read_by_hand_is_what_the_table_says() -> None:
    """`say` is read without its row, for speed."""
    (shape,) = REQUESTS.writers(v.Say)
    fields = Fields({"type": "say", "text": "hi", "room": "ops", "action": True, "notice": True, "ref": 7})

    assert shape.read(fields) == Shape.read(shape, fields) == v.Say("hi", "ops", True, 7, notice=True)


@given(st.lists(_build(r.MemberInfo, _text, _maybe, roles=_text, account=_maybe, visits=_flag)).map(tuple))
def test_what_is_written_by_hand_is_what_the_table_says(members: tuple[r.MemberInfo, ...]) -> None:
    """Members are written without their row, for speed."""
    item = r.Members(1, "lobby", "tea", members, place=42)
    (shape,) = ITEMS.writers(r.Members)

    assert shape.encode(item) == Shape.encode(shape, item)


def test_what_is_not_for_clients_to_send_is_refused() -> None:
    """The error is the caller's."""
    with pytest.raises(LocalProtocolError, match=r"^Abort cannot be sent$"):
        encode_verb(v.Abort("bad_request", "y"))
    with pytest.raises(LocalProtocolError, match=r"^a direct message in JSON names its recipient: give Direct a 'to'$"):
        encode_verb(v.Direct("thanks"))


@pytest.mark.parametrize(
    ("verb", "text"),
    [
        (v.Say("for you", role="operator"), "'role' of Say cannot be sent"),
        (v.Hello("ann", realname="Ann"), "'realname' of Hello cannot be sent"),
        (queries.ReadHistory(between=(1, 2)), "'between' of ReadHistory cannot be sent"),
        (queries.ReadHistory(before=queries.Moment(1.0)), "a position in history must be an event id here, not a time"),
        (queries.ListRooms(filter=queries.RoomFilter(("x*",))), "'filter' of ListRooms cannot be sent"),
    ],
)
def test_what_json_has_no_word_for_is_refused(verb: v.Verb, text: str) -> None:
    """Left out, it would be another request: what is for the operators would be said to all."""
    with pytest.raises(LocalProtocolError) as refusal:
        encode_verb(verb)

    assert str(refusal.value) == text


def test_an_answer_of_irc_is_not_sent() -> None:
    """A page of history has what is left."""
    tagged, message = e.Tagged(1, 0.0, "ops", "ann", "+typing=active"), e.Message(2, 0.0, "ops", "ann", "hello")
    page = r.HistoryPage(None, "ops", (tagged, message), False)

    assert JsonDialect().encode([tagged, r.Words("x"), r.ResponseStart("l"), r.Watched(None), r.ResponseEnd()]) == b""
    assert JsonClientProtocol().receive(JsonDialect().encode([page])) == [page._replace(events=(message,))]


def test_a_message_of_the_day_is_lines() -> None:
    """Who did not ask for it is not told that there is none."""
    sent = JsonDialect().encode([r.Motd(None, ("be nice",)), r.Motd(None, ()), r.Motd(1, ())])

    assert JsonClientProtocol().receive(sent) == [r.Lines(None, ("be nice",)), r.Lines(1, ())]


@pytest.mark.parametrize("chunks", [[b'NICK{"type":"ping"}\n'], [b"NI", b'CK{"type":"ping"}', b"\n"]])
def test_the_prompt_before_the_first_line_is_dropped(chunks: list[bytes]) -> None:
    """A client that was slow to begin was asked for its nickname as the classic client is."""
    client = JsonClientProtocol()

    assert [item for chunk in chunks for item in client.receive(chunk)] == [r.PingRequest()]


def test_what_a_later_version_sends_is_ignored() -> None:
    """Unknown types and fields are for others."""
    client = JsonClientProtocol()

    assert client.receive(b'{"type":"typing","nick":"bob"}\n\n{"type":"ping","x":1}\n') == [r.PingRequest()]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("server full", "the server sent 'server full': not JSON: Expecting value at character 1"),
        ('{"type":"bye"}', "the server sent '{\"type\":\"bye\"}': 'reason' must be a string"),
        (
            '{"type":"notice","time":"2026-13-22T15:04:05.123Z"}',
            (
                'the server sent \'{"type":"notice","time":"2026-13-22T15:04:05.123Z"}\': \'time\' must be a time like '
                "2026-11-22T15:04:05.123Z"
            ),
        ),
        (
            '{"type":"replay","room":"a","events":[{"type":"ping"}]}',
            'the server sent \'{"type":"replay","room":"a","events":[{"type":"ping"}]}\': \'ping\' is not an event',
        ),
        (
            '{"type":"welcome","protocol":2}',
            'the server sent \'{"type":"welcome","protocol":2}\': \'protocol\' must be 1',
        ),
    ],
)
def test_a_server_of_another_kind_is_refused(line: str, text: str) -> None:
    """The error shows what came."""
    with pytest.raises(RemoteProtocolError) as refusal:
        JsonClientProtocol().receive(line.encode() + b"\n")

    assert str(refusal.value) == text


def test_a_line_that_is_too_long_is_refused() -> None:
    """A server cannot make a client keep more than it is ready to."""
    with pytest.raises(RemoteProtocolError, match=r"^the server sent a line that is too long$"):
        JsonClientProtocol(line_bytes=10).receive(b"x" * 11)


def test_deep_nesting_is_refused_in_a_thread_with_a_small_stack() -> None:
    """
    A line of brackets is refused before Python's parser, which would end the process: it recurses in C, and looks
    for the end of the stack too late (3.13 with 512 KiB).
    """
    errors: list[str] = []

    def parse() -> None:
        for line in ("[" * 4096, '{"a":' * 800, '"' + "\\" * 999 + "[" * 4096, "[[]," * 1000):
            with pytest.raises(RemoteProtocolError) as refusal:
                load_object(line)
            errors.append(str(refusal.value))

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=parse)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()

    deep = "not JSON that can be read: nested deeper than 32"
    assert [errors[0], errors[1], errors[3]] == [deep] * 3
    assert len(errors) == 4
