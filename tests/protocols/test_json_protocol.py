"""JSON lines as a server reads and writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_strategies import SMALL, chunked, converse

from pychat.model import events as e
from pychat.model import queries
from pychat.model import replies as r
from pychat.model import verbs as v
from pychat.model.limits import Limits
from pychat.model.modes import MaskEntry, ModeChange
from pychat.model.replies import Ignored
from pychat.model.verbs import Ban, ListIgnored, LogIn, SetIgnored, Unban
from pychat.protocols.jsonl.protocol import JsonDialect, JsonProtocol
from pychat.protocols.jsonl.verbs import REQUESTS

AT = 1795359845.123
STAMP = {"id": "000000000000002a", "time": "2026-11-22T15:04:05.123Z"}


def new(limits: Limits = Limits()) -> JsonProtocol:  # noqa: B008 -- immutable
    """A connection that was just made."""
    return JsonProtocol(limits, JsonDialect())


def read(line: str | dict[str, Any]) -> v.Verb:
    """The verb of one line."""
    protocol = new()
    protocol.receive((line if isinstance(line, str) else json.dumps(line)).encode() + b"\n")
    (verb,) = protocol.take_verbs()
    return verb


@pytest.mark.parametrize(
    ("request_", "verb"),
    [
        ({"type": "hello", "nick": "ann"}, v.Hello("ann")),
        ({"type": "hello", "nick": "ann", "password": None, "account": None}, v.Hello("ann")),
        ({"type": "hello", "nick": "ann", "password": " p"}, v.Hello("ann", password=" p")),
        (
            {"type": "hello", "nick": "ann", "rooms": ["a", "b"], "replay": True, "resume": {"token": "t"}, "ref": 1},
            v.Hello("ann", ("a", "b"), True, "t", None, 1),
        ),
        (
            {"type": "hello", "nick": "ann", "resume": {"after": "00000000000000ff"}},
            v.Hello("ann", after=255),
        ),
        ({"type": "say", "text": "hi"}, v.Say("hi")),
        ({"type": "say", "text": "hi", "room": "ops", "action": True, "ref": "x"}, v.Say("hi", "ops", True, "x")),
        ({"type": "say", "text": "hi", "room": None, "colour": "red"}, v.Say("hi")),
        ({"type": "direct", "to": "bob", "text": "hi"}, v.Direct("hi", "bob")),
        ({"type": "say", "text": "beep", "notice": True}, v.Say("beep", notice=True)),
        ({"type": "direct", "to": "bob", "text": "beep", "notice": True}, v.Direct("beep", "bob", notice=True)),
        ({"type": "hello", "nick": "ann", "rooms": []}, v.Hello("ann", ())),
        ({"type": "hello", "nick": "helper", "bot": True}, v.Hello("helper", bot=True)),
        ({"type": "join", "room": "#ops"}, v.Join("#ops", create=False)),
        ({"type": "join", "room": "ops", "key": "sesame", "ref": 1}, v.Join("ops", 1, "sesame")),
        ({"type": "leave"}, v.Leave()),
        ({"type": "leave", "room": "ops", "reason": "lunch"}, v.Leave("ops", "lunch")),
        ({"type": "nick", "nick": "anna"}, v.SetNickname("anna")),
        ({"type": "topic"}, queries.GetTopic()),
        ({"type": "topic", "room": "ops", "topic": ""}, v.SetTopic("", "ops")),
        ({"type": "away", "text": "lunch"}, v.SetAway("lunch")),
        ({"type": "away"}, v.SetAway(None)),
        ({"type": "who", "room": "ops"}, queries.ListMembers("ops")),
        ({"type": "rooms"}, queries.ListRooms()),
        ({"type": "whois", "nick": "bob"}, queries.WhoIs("bob")),
        ({"type": "history", "room": "ops", "limit": 5}, queries.ReadHistory("ops", limit=5)),
        (
            {"type": "login", "account": "correct", "password": "horse", "typed": True},
            LogIn("horse", "correct", typed=True),
        ),
        ({"type": "history", "without": ["away"]}, queries.ReadHistory(without=(e.AwayChanged,))),
        ({"type": "history", "search": "tea cake"}, queries.ReadHistory(search="tea cake")),
        ({"type": "history", "around": "0000000000000010", "limit": 5}, queries.ReadHistory(around=16, limit=5)),
        (
            {"type": "history", "before": "0000000000000010", "after": "0000000000000001", "search": None},
            queries.ReadHistory(before=16, after=1),
        ),
        ({"type": "kick", "nick": "bob"}, v.Kick("bob")),
        ({"type": "kick", "nick": "bob", "room": "ops", "reason": "loud", "ref": 1}, v.Kick("bob", "ops", "loud", 1)),
        ({"type": "ban", "target": "bob"}, Ban("bob")),
        (
            {"type": "ban", "target": "a:bob", "room": "ops", "seconds": 60, "reason": "x", "mute": True, "ref": 1},
            Ban("a:bob", "ops", 60, "x", mute=True, ref=1),
        ),
        ({"type": "unban", "target": "bob", "mute": True, "ref": 1}, Unban("bob", mute=True, ref=1)),
        ({"type": "ignore", "ref": 1}, ListIgnored(1)),
        ({"type": "ignore", "mask": "bob", "ref": 1}, SetIgnored(("bob",), (), 1)),
        ({"type": "unignore", "mask": "bob"}, SetIgnored((), ("bob",))),
        ({"type": "invite", "nick": "bob", "room": "ops"}, v.Invite("bob", "ops")),
        ({"type": "invite", "ref": 1}, queries.ListInvitations(1)),
        ({"type": "mode"}, queries.GetModes()),
        (
            {"type": "mode", "room": "ops", "modes": "+mo-b", "args": ["bob", "eve!*@*"], "ref": 1},
            v.SetModes(
                (ModeChange(True, "m"), ModeChange(True, "o", "bob"), ModeChange(False, "b", "eve!*@*")), "ops", 1
            ),
        ),
        ({"type": "masks", "mode": "b", "room": "ops"}, queries.ListMasks("b", "ops")),
        ({"type": "user_mode"}, queries.GetUserModes()),
        ({"type": "user_mode", "modes": "+B-w"}, v.SetUserModes((ModeChange(True, "B"), ModeChange(False, "w")))),
        ({"type": "wallops", "text": "tea", "ref": 1}, v.SendWallops("tea", 1)),
        ({"type": "announce", "text": "tea", "ref": 1}, v.Announce("tea", 1)),
        ({"type": "stats", "ref": 1}, queries.GetStats(1)),
        ({"type": "oper", "name": "ann", "password": "p"}, v.BecomeOperator("ann", "p")),
        ({"type": "kill", "nick": "bob", "reason": "spam"}, v.Kill("bob", "spam")),
        ({"type": "motd", "ref": 1}, queries.GetMotd(1)),
        ({"type": "command", "name": "roll", "args": ["2d6"], "room": "ops"}, v.Command("roll", ("2d6",), "ops")),
        ({"type": "ping"}, v.Ping()),
        ({"type": "ping", "token": "x", "ref": 2}, v.Ping("x", 2)),
        ({"type": "pong"}, v.Pong()),
        ({"type": "quit", "reason": "bye"}, v.Quit("bye")),
    ],
)
def test_what_a_request_means(request_: dict[str, Any], verb: v.Verb) -> None:
    """Every type, with and without its optional fields; null is as good as absent, unknown fields are ignored."""
    assert read(request_) == verb


def test_help_lists_the_types() -> None:
    """A person with nc can find out what there is."""
    assert read({"type": "help", "ref": 1}) == v.Help(f"types of requests: {', '.join(REQUESTS.types)}", 1)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("hello", "not JSON: Expecting value at character 1"),
        ('{"type":"rooms"} x', "not JSON: Extra data at character 17"),
        ('{"type":', "not JSON: Expecting value at character 9"),
        ("[]", 'not a JSON object; send {"type": ...}'),
        ("7", 'not a JSON object; send {"type": ...}'),
        ('{"type":"say","text":NaN}', "not JSON that can be read: NaN is not a number"),
        ("[" * 33, "not JSON that can be read: nested deeper than 32"),
        ('{"a":' * 800, "not JSON that can be read: nested deeper than 32"),
        ("{}", "'type' must be a string"),
        ('{"type":["say"]}', "'type' must be a string"),
        ('{"type":"say"}', "'text' must be a string"),
        ('{"type":"say","text":7}', "'text' must be a string"),
        ('{"type":"say","text":"x","room":["a"]}', "'room' must be a string"),
        ('{"type":"say","text":"x","action":1}', "'action' must be true or false"),
        ('{"type":"direct","text":"x"}', "'to' must be a string"),
        ('{"type":"hello","nick":"a","rooms":"b"}', "'rooms' must be an array of strings"),
        ('{"type":"hello","nick":"a","rooms":[1]}', "'rooms' must be an array of strings"),
        ('{"type":"hello","nick":"a","resume":"t"}', "'resume' must be an object"),
        ('{"type":"mode","modes":7}', "'modes' must be a string"),
        ('{"type":"mode","modes":"+o","args":"bob"}', "'args' must be an array of strings"),
        ('{"type":"kick"}', "'nick' must be a string"),
        ('{"type":"oper","name":"ann"}', "'password' must be a string"),
        ('{"type":"history","before":12}', "'before' must be an event id: 16 digits 0-9 a-f"),
        ('{"type":"history","after":"00000000000000FF"}', "'after' must be an event id: 16 digits 0-9 a-f"),
        ('{"type":"history","limit":0}', "'limit' must be an integer, at least 1"),
        ('{"type":"history","limit":true}', "'limit' must be an integer, at least 1"),
        ('{"type":"history","limit":1.5}', "'limit' must be an integer, at least 1"),
        ('{"type":"rooms","ref":1.5}', "'ref' must be a string of at most 64 characters or an integer of 64 bits"),
        ('{"type":"rooms","ref":true}', "'ref' must be a string of at most 64 characters or an integer of 64 bits"),
        (
            f'{{"type":"rooms","ref":"{"x" * 65}"}}',
            "'ref' must be a string of at most 64 characters or an integer of 64 bits",
        ),
        (
            f'{{"type":"rooms","ref":{2**63}}}',
            "'ref' must be a string of at most 64 characters or an integer of 64 bits",
        ),
    ],
)
def test_a_bad_request_is_told_what_is_allowed(line: str, text: str) -> None:
    """The answer names the field."""
    assert read(line) == v.Invalid("bad_request", text)


def test_brackets_in_a_string_are_no_nesting() -> None:
    """A text may have as many as it likes, behind escaped quotes, too."""
    text = '\\"[{' * 50
    assert read({"type": "say", "text": text}) == v.Say(text)


def test_a_number_of_too_many_digits_is_no_request() -> None:
    """Python refuses to convert it, and the peer is told."""
    protocol = new(Limits(line_bytes=10_000))
    protocol.receive(b'{"type":"say","text":' + b"9" * 5000 + b"}\n")

    (verb,) = protocol.take_verbs()
    assert isinstance(verb, v.Invalid)
    assert verb.text.startswith("not JSON that can be read: Exceeds the limit (4300 digits)")


def test_a_bad_request_is_answered_with_its_ref() -> None:
    """Whoever asked learns which question it was."""
    assert read({"type": "say", "ref": 7}) == v.Invalid("bad_request", "'text' must be a string", 7)


def test_too_many_changes_of_modes_at_once_are_refused() -> None:
    """The answer says how many may be."""
    assert read({"type": "mode", "modes": "+" + "m" * 21, "ref": 1}) == v.Invalid(
        "limit_exceeded", "modes at once: at most 20 with an argument, 20 without", 1
    )


def test_an_unknown_type_is_refused() -> None:
    """The answer lists what there is, and repeats no more than the beginning of what came."""
    verb = read({"type": "x" * 99, "ref": "r"})

    assert verb == v.Invalid(
        "unknown_type",
        f"unknown type '{'x' * 32}'; use one of {', '.join(REQUESTS.types)}",
        "r",
    )


def test_lines_that_are_no_requests_keep_their_place() -> None:
    """Empty lines are nothing; a long line and bad UTF-8 are refused between their neighbours."""
    protocol = new(Limits(line_bytes=20, text_bytes=10))
    protocol.receive(b'{"type":"rooms"}\n\r\n \n' + b"x" * 41 + b'\n{"type":"say","text":"caf\xe9"}\n')

    assert protocol.take_verbs() == [
        queries.ListRooms(),
        v.Invalid("line_too_long", "line too long: at most 40 bytes"),
        v.Invalid("bad_utf8", "this is not UTF-8: unreadable bytes were replaced by \ufffd"),
        v.Say("caf\ufffd"),
    ]


def test_an_endless_line_ends_the_session_once() -> None:
    """The session is told why."""
    protocol = new(SMALL)
    protocol.receive(b"x" * 31)

    assert protocol.take_verbs() == [v.Abort("line_too_long", "no newline in 30 bytes")]
    assert protocol.take_verbs() == []


def test_json_clients_are_pinged_and_resume_and_get_no_replay_unasked() -> None:
    """The protocol's answers to what the server wants to know of it."""
    assert JsonProtocol.pings
    assert JsonProtocol.resumes
    assert not JsonProtocol.replays
    assert JsonProtocol.asks_again


@pytest.mark.parametrize(
    ("item", "sent"),
    [
        (
            e.Message(42, AT, "lobby", "ann", 'a "b"\n\u2028é\ud800'),
            {"type": "message", **STAMP, "room": "lobby", "nick": "ann", "text": 'a "b"\n\u2028é\ud800'},
        ),
        (
            e.Message(42, AT, None, "ann", "waves", True, "bob", frozenset({1})),
            {"type": "message", **STAMP, "to": "bob", "nick": "ann", "text": "waves", "action": True},
        ),
        (
            e.Message(42, AT, "ops", "ann", "beep", notice=True, role="operator", userhost="a@b", tags="+x"),
            {
                "type": "message",
                **STAMP,
                "room": "ops",
                "nick": "ann",
                "text": "beep",
                "notice": True,
                "role": "operator",
            },
        ),
        (
            e.Message(42, AT, "lobby", "helper", "4", tags="+x;bot"),
            {"type": "message", **STAMP, "room": "lobby", "nick": "helper", "text": "4", "bot": True},
        ),
        (
            e.Kicked(42, AT, "ops", "bob", "ann", "too loud", "a@b"),
            {"type": "kicked", **STAMP, "room": "ops", "nick": "bob", "by": "ann", "reason": "too loud"},
        ),
        (
            e.ModesChanged(42, AT, "ops", "ann", (ModeChange(True, "o", "bob"), ModeChange(False, "m")), "a@b"),
            {"type": "modes", **STAMP, "room": "ops", "nick": "ann", "modes": "+o-m", "args": ["bob"]},
        ),
        (
            e.Invited(42, AT, "ops", "ann", "bob", "a@b"),
            {"type": "invited", **STAMP, "room": "ops", "nick": "ann", "invited": "bob"},
        ),
        (
            e.ProfileChanged(42, AT, ("secret",), "ann", "a@b", "a@c", "Ann"),
            {"type": "profile_changed", **STAMP, "nick": "ann", "userhost": "a@c", "realname": "Ann"},
        ),
        (
            e.Joined(42, AT, "lobby", "ann", "a@b", "lunch"),
            {"type": "joined", **STAMP, "room": "lobby", "nick": "ann", "away": "lunch"},
        ),
        (e.Joined(42, AT, "lobby", "ann"), {"type": "joined", **STAMP, "room": "lobby", "nick": "ann"}),
        (e.Left(42, AT, "lobby", "ann"), {"type": "left", **STAMP, "room": "lobby", "nick": "ann"}),
        (
            e.Left(42, AT, "lobby", "ann", "bye"),
            {"type": "left", **STAMP, "room": "lobby", "nick": "ann", "reason": "bye"},
        ),
        (
            e.Disconnected(42, AT, ("secret",), "ann", "bye"),
            {"type": "disconnected", **STAMP, "nick": "ann", "reason": "bye"},
        ),
        (
            e.Renamed(42, AT, ("secret",), "ann", "anna"),
            {"type": "renamed", **STAMP, "nick": "ann", "new": "anna"},
        ),
        (e.AwayChanged(42, AT, ("secret",), "ann", None), {"type": "away", **STAMP, "nick": "ann", "text": None}),
        (
            e.TopicChanged(42, AT, "lobby", "ann", "cats"),
            {"type": "topic", **STAMP, "room": "lobby", "nick": "ann", "topic": "cats"},
        ),
        (e.Notice(42, AT, "lobby", "x"), {"type": "notice", **STAMP, "room": "lobby", "text": "x"}),
        (e.Notice(0, AT, None, "x"), {"type": "notice", "time": STAMP["time"], "text": "x"}),
        (r.Ok(7), {"type": "ok", "ref": 7}),
        (r.Ok("a", 42), {"type": "ok", "ref": "a", "id": STAMP["id"]}),
        (r.Failure(None, "refused", "no"), {"type": "error", "code": "refused", "text": "no"}),
        (
            r.Members(1, "lobby", "", (r.MemberInfo("ann"), r.MemberInfo("bob", "lunch")), True),
            {
                "type": "members",
                "ref": 1,
                "room": "lobby",
                "topic": "",
                "joined": True,
                "members": [{"nick": "ann"}, {"nick": "bob", "away": "lunch"}],
            },
        ),
        (
            r.Failure(1, "user_not_in_room", "no", "ops", ("bob",)),
            {"type": "error", "ref": 1, "code": "user_not_in_room", "text": "no", "room": "ops", "subject": ["bob"]},
        ),
        (
            r.Members(None, "ops", "", (r.MemberInfo("ann", None, "a@b", "ov"),), topic_by="ann", secret=True),
            {"type": "members", "room": "ops", "topic": "", "members": [{"nick": "ann", "roles": "ov"}]},
        ),
        (
            r.Modes(1, "ops", "nk", ("*",), AT),
            {"type": "modes", "ref": 1, "room": "ops", "modes": "+nk", "args": ["*"]},
        ),
        (
            r.Masks(1, "ops", "b", (MaskEntry("bob!*@*", "ann", AT), MaskEntry("a:x", "y", AT, "", AT, "z"))),
            {
                "type": "masks",
                "ref": 1,
                "room": "ops",
                "mode": "b",
                "masks": [
                    {"mask": "bob!*@*", "by": "ann", "time": STAMP["time"]},
                    {"mask": "a:x", "by": "y", "time": STAMP["time"], "until": STAMP["time"], "reason": "z"},
                ],
            },
        ),
        (Ignored(1, ("bob!*@*",)), {"type": "ignored", "ref": 1, "masks": ["bob!*@*"]}),
        (r.Inviting(1, "ops", "bob"), {"type": "inviting", "ref": 1, "room": "ops", "nick": "bob"}),
        (r.Invitations(1, ("ops",)), {"type": "invitations", "ref": 1, "rooms": ["ops"]}),
        (r.UserModes(1, "ow", (ModeChange(True, "o"),)), {"type": "user_modes", "ref": 1, "modes": "+ow"}),
        (r.PersonAway(1, "bob", "lunch"), {"type": "person_away", "nick": "bob", "text": "lunch"}),
        (r.Wallops("root", "r@h", "tea"), {"type": "wallops", "nick": "root", "text": "tea"}),
        (r.Motd(1, ("a",)), {"type": "lines", "ref": 1, "lines": ["a"]}),
        (r.Topic(None, "lobby", ""), {"type": "topic", "room": "lobby", "topic": ""}),
        (
            r.Rooms(None, (r.RoomInfo("lobby", 2, "cats"),)),
            {"type": "rooms", "rooms": [{"room": "lobby", "members": 2, "topic": "cats"}]},
        ),
        (
            r.Profile(None, "bob", ("lobby",), None, 3.7),
            {"type": "profile", "nick": "bob", "rooms": ["lobby"], "away": None, "idle": 3},
        ),
        (
            r.Profile(None, "bob", (), None, 3.7, "~bob@x.ip", "Bob", "oB", AT),
            {
                "type": "profile",
                "nick": "bob",
                "rooms": [],
                "away": None,
                "idle": 3,
                "userhost": "~bob@x.ip",
                "modes": "oB",
            },
        ),
        (
            r.HistoryPage(1, "lobby", (e.Joined(42, AT, "lobby", "ann"),) * 2, True),
            {
                "type": "history",
                "ref": 1,
                "room": "lobby",
                "events": [{"type": "joined", **STAMP, "room": "lobby", "nick": "ann"}] * 2,
                "more": True,
            },
        ),
        (
            r.HistoryPage(None, "lobby", (), True, "tea", 42),
            {
                "type": "history",
                "room": "lobby",
                "search": "tea",
                "events": [],
                "more": True,
                "next": STAMP["id"],
            },
        ),
        (r.Replay("lobby", ()), {"type": "replay", "room": "lobby", "events": []}),
        (r.Gap("lobby", 42), {"type": "gap", "room": "lobby", "after": STAMP["id"]}),
        (r.Lines(1, ("a", "b")), {"type": "lines", "ref": 1, "lines": ["a", "b"]}),
        (r.PingRequest(), {"type": "ping"}),
        (r.PongReply(None, "t"), {"type": "pong", "token": "t"}),
        (r.Bye("stop"), {"type": "bye", "reason": "stop"}),
    ],
)
def test_what_is_sent(item: Any, sent: dict[str, Any]) -> None:
    """Every item, field by field; rooms of people and audiences stay here."""
    data = JsonDialect().encode([item])

    assert json.loads(data) == sent
    assert data.count(b"\n") == 1


def test_welcome_names_what_a_client_may_send() -> None:
    """The limits of the server's resources are its own business."""
    welcome = json.loads(
        JsonDialect().encode([r.Welcome(1, "srv", "ann", "tok", Limits(silence_seconds=float("inf")))])
    )

    assert welcome == {
        "type": "welcome",
        "ref": 1,
        "server": "srv",
        "protocol": 1,
        "nick": "ann",
        "token": "tok",
        "limits": {
            "line_bytes": 4096,
            "text_bytes": 4096,
            "text_lines": 50,
            "short_text_chars": 390,
            "nickname_chars": 32,
            "room_name_chars": 64,
            "rooms_per_session": 20,
            "history_page": 500,
            "ping_seconds": 60.0,
            "resume_seconds": 30.0,
        },
    }


def test_ok_without_ref_is_not_sent() -> None:
    """Nobody asked for it; what stands around it is sent."""
    assert JsonDialect().encode([r.Ok(None, 1)]) == b""
    assert JsonDialect().encode([r.PingRequest(), r.Ok(None), r.PingRequest()]) == b'{"type":"ping"}\n' * 2


def test_bytes_of_a_message() -> None:
    """UTF-8 as it is, in a fixed order of fields."""
    assert (
        JsonDialect().encode([e.Message(42, AT, "lobby", "ann", "né")])
        == (
            '{"type":"message","id":"000000000000002a","time":"2026-11-22T15:04:05.123Z","room":"lobby","nick":"ann",'
            '"text":"né"}\n'
        ).encode()
    )


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_types = [*REQUESTS.types, "account", "x"]
_names = [
    "nick",
    "text",
    "room",
    "rooms",
    "action",
    "to",
    "resume",
    "limit",
    "before",
    "after",
    "name",
    "args",
    "ref",
    "modes",
    "mode",
]
_requests = st.fixed_dictionaries(
    {"type": st.sampled_from(_types)}, optional=dict.fromkeys([*_names, "topic", "token", "key", "replay"], _values)
)


@given(
    chunked(st.lists(_requests.map(json.dumps).map(str.encode) | st.binary(max_size=20), max_size=4).map(b"\n".join))
)
def test_any_chunks_give_the_same_verbs(case: tuple[bytes, list[bytes]]) -> None:
    """Whatever comes, cut wherever: the same verbs and no exception."""
    stream, chunks = case

    assert converse(new(), chunks) == converse(new(), [stream])


@given(st.text(alphabet='{}[]":,\\ \ta1eE+-.utf8d\ud800\0é'))
def test_any_text_is_answered(text: str) -> None:
    """Text that is almost JSON gives at most a refusal."""
    protocol = new()
    protocol.receive(text.encode("utf-8", "surrogatepass").replace(b"\n", b"") + b"\n")

    for verb in protocol.take_verbs():
        assert isinstance(verb, v.Invalid)
