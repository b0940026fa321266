"""Why something was refused, as IRC clients are told: each numeric with its parameters (Modern IRC, "Numerics")."""

from __future__ import annotations

import pytest
from irc_items import told

from pychat.model.replies import Failure
from pychat.protocols.irc.asked import Asked, Line, Numeric


def refused(
    code: str, command: str = "", *params: str, room: str | None = None, about: tuple[str, ...] = ()
) -> Failure:
    """A refusal with the text "why" of what was asked for; without a command, of a message."""
    return Failure(Asked(command, params) if command else None, code, "why", room, about)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        # Messages
        (refused("not_a_member", room="ops"), "404 ann #ops :why"),
        (refused("cannot_speak", room="ops"), "404 ann #ops :why"),
        (refused("refused", room="ops"), "404 ann #ops :why"),
        (refused("no_such_room", room="ops"), "403 ann #ops :why"),
        (refused("bad_room", room="a:b"), "403 ann #a:b :why"),
        (refused("no_such_nickname", about=("bob",)), "401 ann bob :why"),
        (refused("not_a_member", "TAGMSG", "#ops", room="ops"), "404 ann #ops :why"),
        # Rooms
        (refused("not_a_member", "PART", "#ops", room="ops"), "442 ann #ops :why"),
        (refused("not_a_member", "TOPIC", "#ops"), "442 ann #ops :why"),
        (refused("cannot_speak", "TOPIC", "#ops", "tea", room="ops"), "482 ann #ops :why"),
        (refused("no_such_room", "JOIN", "#ops", room="ops"), "403 ann #ops :why"),
        (refused("banned", "JOIN", "#ops", room="ops"), "474 ann #ops :why"),
        (refused("invite_only", "JOIN", "#ops", room="ops"), "473 ann #ops :why"),
        (refused("bad_key", "JOIN", "#ops", room="ops"), "475 ann #ops :why"),
        (refused("room_full", "JOIN", "#ops", room="ops"), "471 ann #ops :why"),
        (refused("too_many_rooms", "JOIN", "#ops", room="ops"), "405 ann #ops :why"),
        (refused("bad_room", "JOIN", "#a\x01", room="a\x01"), "403 ann #a\x01 :why"),
        (refused("limit_exceeded", "JOIN", "#ops"), "437 ann #ops :why"),
        (refused("refused", "JOIN", "#ops"), "437 ann #ops :why"),
        (refused("user_not_in_room", "KICK", "#ops", "bob", room="ops", about=("bob",)), "441 ann bob #ops :why"),
        (refused("already_in_room", "INVITE", "bob", "#ops", room="ops", about=("bob",)), "443 ann bob #ops :why"),
        (refused("no_such_nickname", "INVITE", "bob", "#ops", about=("bob",)), "401 ann bob :why"),
        (refused("not_room_operator", "KICK", "#ops", "bob", room="ops"), "482 ann #ops :why"),
        # Modes
        (refused("unknown_mode", "MODE", "#ops", "+x", room="ops", about=("x",)), "472 ann x :why"),
        (refused("unknown_mode", "MODE", "ann", "+x", about=("x",)), "501 ann :why"),
        (
            refused("bad_mode_argument", "MODE", "#ops", "+l", "many", room="ops", about=("l", "many")),
            "696 ann #ops l many :why",
        ),
        (refused("bad_mode_argument", "MODE", "#ops", "+k", room="ops", about=("k", "")), "696 ann #ops k * :why"),
        (refused("list_full", "MODE", "#ops", "+b", "x!*@*", room="ops", about=("x!*@*", "b")), "478 ann #ops b :why"),
        # People
        (refused("bad_nickname", "NICK", "1x", about=("1x",)), "432 ann 1x :why"),
        (refused("bad_nickname", "NICK", "a b", about=("a b",)), "432 ann a :why"),
        (refused("bad_nickname", "NICK", "", about=("",)), "432 ann * :why"),
        (refused("nickname_in_use", "NICK", "bob", about=("bob",)), "433 ann bob :why"),
        (refused("refused", "NICK", "bob"), "432 ann bob :why"),
        (refused("not_server_operator", "KILL", "bob"), "481 ann :why"),
        (refused("wrong_password", "OPER", "root"), "464 ann :why"),
        (refused("too_many_watched", "MONITOR", "+", about=("bob", "eve")), "734 ann 100 bob,eve :why"),
        # The rest
        (refused("not_registered", "JOIN", "#ops"), "451 ann :why"),
        (refused("unknown_command", "XYZZY"), "421 ann XYZZY :why"),
        (refused("flood", "MOTD"), "263 ann MOTD :why"),
        (refused("flood", room="ops"), "263 ann PRIVMSG :why"),
        (refused("flood", "TAGMSG", "#ops", room="ops"), "263 ann TAGMSG :why"),
        (refused("flood", "JOIN", "#ops"), "263 ann JOIN :why"),
    ],
)
def test_numerics(item: Failure, line: str) -> None:
    """The numeric that the specification has for it; the text is core's own."""
    assert told(item) == [f":irc.pychat {line}"]


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (
            refused("no_such_nickname", "WHOIS", "bob", about=("bob",)),
            ["401 ann bob :why", "318 ann bob :End of /WHOIS list"],
        ),
        (refused("not_a_member", "NAMES", "#ops", room="ops"), ["366 ann #ops :End of /NAMES list"]),
        (refused("no_such_room", "WHO", "#ops", room="ops"), ["315 ann #ops :End of WHO list"]),
        (refused("flood", "LIST"), ["263 ann LIST :why", "323 ann :End of /LIST"]),
        (refused("flood", "WHOWAS", "bob"), ["263 ann WHOWAS :why", "369 ann bob :End of WHOWAS"]),
    ],
)
def test_lists_have_an_end(item: Failure, lines: list[str]) -> None:
    """Clients wait for it (Modern IRC, "WHOIS message": "even if they did not send any other numeric")."""
    assert told(item) == [f":irc.pychat {line}" for line in lines]


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (
            refused("not_a_member", "CHATHISTORY", "LATEST", "#ops", "*", "5", room="ops"),
            "FAIL CHATHISTORY INVALID_TARGET LATEST #ops :why",
        ),
        (
            refused("internal", "CHATHISTORY", "LATEST", "#ops", "*", "5"),
            "FAIL CHATHISTORY MESSAGE_ERROR LATEST #ops :why",
        ),
        (refused("limit_exceeded", "SETNAME", "x"), "FAIL SETNAME INVALID_REALNAME :why"),
        (refused("flood", "SETNAME", "x"), "FAIL SETNAME CANNOT_CHANGE_REALNAME :why"),
    ],
)
def test_specifications_that_bring_their_own_failures(item: Failure, line: str) -> None:
    """IRCv3 chathistory and setname use FAIL, whether or not standard-replies was negotiated."""
    assert told(item) == [f":irc.pychat {line}"]


@pytest.mark.parametrize(
    ("item", "fail", "notice"),
    [
        (refused("internal", "TOPIC", "#ops"), "FAIL TOPIC INTERNAL :why", "NOTICE ann :TOPIC: why"),
        (refused("limit_exceeded", "AWAY", "x"), "FAIL AWAY LIMIT_EXCEEDED :why", "NOTICE ann :AWAY: why"),
        (refused("refused", "TOPIC", "#ops", room="ops"), "FAIL TOPIC REFUSED #ops :why", "NOTICE ann :TOPIC: why"),
        (refused("internal"), "FAIL * INTERNAL :why", "NOTICE ann :why"),
    ],
)
def test_what_has_no_numeric(item: Failure, fail: str, notice: str) -> None:
    """A standard reply for those who know them, a notice for the others (IRCv3 standard-replies)."""
    assert told(item, "standard-replies") == [f":irc.pychat {fail}"]
    assert told(item) == [f":irc.pychat {notice}"]


def test_a_notice_is_never_answered() -> None:
    """RFC 2812 section 3.3.2."""
    assert told(refused("not_a_member", "NOTICE", room="ops")) == []


def test_what_the_protocol_refuses_by_itself() -> None:
    """Its numeric comes back as the `ref` of the failure."""
    assert told(Failure(Numeric("461", ("JOIN", "Not enough parameters")), "bad_request", "x")) == [
        ":irc.pychat 461 ann JOIN :Not enough parameters"
    ]
    assert told(Failure(Line("FAIL", ("PRIVMSG", "INVALID_UTF8", "use UTF-8")), "bad_utf8", "x")) == [
        ":irc.pychat FAIL PRIVMSG INVALID_UTF8 :use UTF-8"
    ]


def test_before_registration() -> None:
    """There is no nickname to name (Modern IRC, "ERR_NICKNAMEINUSE (433)")."""
    item = refused("nickname_in_use", "NICK", "bob", about=("bob",))

    assert told(item, nickname=None) == [":irc.pychat 433 * bob :why"]
