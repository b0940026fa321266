"""Coming in by IRC, and what CAP negotiates."""

from __future__ import annotations

from itertools import permutations

import pytest
from irc_input import FakeDialect, member, new, read, refused, words

from pychat.model.limits import Limits
from pychat.model.verbs import Hello, Ping, Pong, Quit, SetNickname
from pychat.protocols.irc import capabilities
from pychat.protocols.irc.asked import Asked, Numeric
from pychat.protocols.irc.protocol import IrcProtocol

HELLO = Hello("ann", (), replay=True, most_replayed=20, username="a", realname="Ann Other", ref=Asked("NICK", ("ann",)))
ALL = " ".join(capabilities.OFFERED)
WITH_VALUES = ALL.replace("sasl", "sasl=PLAIN,SCRAM-SHA-256").replace(
    "account-registration", "account-registration=before-connect,custom-account-name"
)


def negotiated(protocol: IrcProtocol) -> frozenset[str]:
    """What the dialect of the connection writes."""
    dialect: object = protocol.dialect
    assert isinstance(dialect, FakeDialect)
    return dialect.capabilities


ORDERS = list(permutations(["NICK ann", "USER a 0 * :Ann Other", "PASS secret"]))


@pytest.mark.parametrize("lines", [lines for lines in ORDERS if lines[-1] != "PASS secret"])
def test_nick_user_and_pass_in_any_order(lines: tuple[str, ...]) -> None:
    """Modern IRC, "Connection Registration"; a password behind the others comes too late."""
    assert read(new(), *lines) == [HELLO._replace(password="secret")]


def test_the_last_password_counts() -> None:
    """Modern IRC, "PASS message"; it may have blanks."""
    rest = "NICK ann", "USER a 0 * :Ann Other"

    for line in ("PASS :second try", "PASS second try"):  # not every client writes the colon
        assert read(new(), "PASS first", line, *rest) == [HELLO._replace(password="second try")]


def test_who_can_ask_for_history_gets_no_replay() -> None:
    """Nor does anybody if the server is told so."""
    lines = "NICK ann", "USER a 0 * :Ann Other"

    assert read(new(), "CAP REQ draft/chathistory", *lines, "CAP END")[-1] == HELLO._replace(replay=False)
    without = HELLO._replace(replay=False, most_replayed=0)
    assert read(new(Limits(irc_replay_messages=0)), *lines) == [without]


def test_commands_in_any_case() -> None:
    """RFC 1459 section 2.3.1 does not care, and people type."""
    assert read(new(), "nick ann", "User a 0 * :Ann Other") == [HELLO]


def test_what_follows_the_nickname_waits_for_it() -> None:
    """The first nickname decides what a command means, so nothing behind it is read yet."""
    protocol = new()
    protocol.receive(b"USER a 0 * :Ann Other\r\nNICK ann\r\nAWAY\r\n")

    assert protocol.take_verbs() == [HELLO]
    assert refused(protocol.take_verbs()) == [Numeric("451", ("You have not registered",))]


def test_a_refused_nickname_is_followed_by_another_try() -> None:
    """Only NICK is missing then (Modern IRC, "NICK message")."""
    protocol = new()
    protocol.receive(b"NICK bob\r\nUSER a 0 * :Ann Other\r\n")
    assert protocol.take_verbs() == [HELLO._replace(nickname="bob", ref=Asked("NICK", ("bob",)))]

    protocol.receive(b"USER b 0 * :Bob\r\nUSER a 0 * :Ann Other\r\nNICK ann\r\n")

    assert protocol.take_verbs() == [HELLO]


def test_cap_holds_registration_until_its_end() -> None:
    """IRCv3 capability-negotiation, "Connection Registration"."""
    protocol = new()

    listed = read(protocol, "CAP LS 302", "NICK ann", "USER a 0 * :Ann Other")
    asked = read(protocol, "CAP REQ :server-time echo-message")
    ended = read(protocol, "CAP END")

    assert words(listed) == [Numeric("CAP", ("LS", WITH_VALUES))]
    assert words(asked) == [Numeric("CAP", ("ACK", "server-time echo-message"))]
    assert ended == [HELLO]
    assert negotiated(protocol) == {"cap-notify", "server-time", "echo-message"}


def test_a_request_alone_holds_registration() -> None:
    """IRCv3 capability-negotiation, "The CAP REQ subcommand"."""
    protocol = new()
    words(read(protocol, "CAP REQ batch", "NICK ann", "USER a 0 * :Ann Other"))

    assert read(protocol, "CAP END") == [HELLO]


def test_listing_what_is_enabled_holds_nothing() -> None:
    """Only LS and REQ do."""
    (answer, hello) = read(new(), "CAP LIST", "NICK ann", "USER a 0 * :Ann Other")

    assert words([answer]) == [Numeric("CAP", ("LIST", ""))]
    assert hello == HELLO


@pytest.mark.parametrize(
    ("version", "notified"),
    [("", False), ("301", False), ("302", True), ("307", True), ("0", False), ("9" * 400, True), ("x", False)],
)
def test_version_302_implies_cap_notify(version: str, notified: bool) -> None:
    """IRCv3 capability-negotiation, "CAP LS Version"; the version is a number, higher ones include 302."""
    protocol = new()
    offered = WITH_VALUES if notified else ALL
    assert words(read(protocol, f"CAP LS {version}")) == [Numeric("CAP", ("LS", offered))]

    assert ("cap-notify" in negotiated(protocol)) is notified


@pytest.mark.parametrize("again", [(), ("CAP LS",), ("CAP LS 301",)])
def test_version_302_stays(again: tuple[str, ...]) -> None:
    """IRCv3 capability-negotiation, "CAP LS Version" and "cap-notify": it cannot be switched off, nor taken back."""
    protocol = new()
    answers = words(read(protocol, "CAP LS 302", *again))

    assert set(answers) == {Numeric("CAP", ("LS", WITH_VALUES))}
    assert words(read(protocol, "CAP REQ :batch -cap-notify", "CAP REQ :-batch", "CAP REQ cap-notify")) == [
        Numeric("CAP", ("NAK", "batch -cap-notify")),
        Numeric("CAP", ("ACK", "-batch")),
        Numeric("CAP", ("ACK", "cap-notify")),
    ]
    assert negotiated(protocol) == {"cap-notify"}


def test_cap_notify_of_an_older_version_is_like_the_others() -> None:
    """It was asked for, and can be taken back."""
    protocol = new()

    assert words(read(protocol, "CAP LS", "CAP REQ cap-notify", "CAP REQ -cap-notify"))[-1] == Numeric(
        "CAP", ("ACK", "-cap-notify")
    )
    assert negotiated(protocol) == frozenset()


def test_all_that_is_offered_fits_in_one_line() -> None:
    """Before version 302 there was no way to say that more follows."""
    assert len(ALL) < 390


def test_a_request_is_granted_as_a_whole_or_not_at_all() -> None:
    """IRCv3 capability-negotiation, "The CAP REQ subcommand"; there is no sts."""
    protocol = new()

    answers = words(read(protocol, "CAP REQ :batch sts", "CAP LIST"))

    assert answers == [Numeric("CAP", ("NAK", "batch sts")), Numeric("CAP", ("LIST", ""))]
    assert negotiated(protocol) == frozenset()


def test_capabilities_are_added_and_removed() -> None:
    """One that is there already, or not at all, is no error; the last word counts."""
    protocol = member("batch", "setname")

    answers = words(
        read(protocol, "CAP REQ :-batch setname -chghost away-notify ", "cap list", "CAP REQ :batch -batch")
    )

    assert answers == [
        Numeric("CAP", ("ACK", "-batch setname -chghost away-notify")),
        Numeric("CAP", ("LIST", "away-notify setname")),
        Numeric("CAP", ("ACK", "batch -batch")),
    ]
    assert negotiated(protocol) == {"away-notify", "setname"}


def test_what_follows_new_capabilities_is_written_with_them() -> None:
    """The dialect changes between two calls, so that each call's verbs have one."""
    protocol = member()
    protocol.receive(b"PONG\r\nCAP REQ echo-message\r\nPING x\r\n")

    first = protocol.take_verbs()
    assert first[0] == Pong()
    assert words(first[1:]) == [Numeric("CAP", ("ACK", "echo-message"))]
    assert negotiated(protocol) == {"echo-message"}
    assert protocol.take_verbs() == [Ping("x", Asked("PING", ("x",)))]


def test_a_long_request_is_answered_in_lines_that_fit() -> None:
    """What is named often is answered once; what is refused is named as far as it fits."""
    protocol = member()
    (granted,) = words(read(protocol, "CAP REQ :" + "batch " * 80))
    (denied,) = words(read(protocol, "CAP REQ :" + "x" * 200 + " " + "y" * 200))

    assert granted == Numeric("CAP", ("ACK", "batch"))
    assert denied == Numeric("CAP", ("NAK", "x" * 200))


def test_an_empty_request_is_granted() -> None:
    """It changes nothing."""
    assert words(read(member(), "CAP REQ :", "CAP REQ")) == [Numeric("CAP", ("ACK", ""))] * 2


@pytest.mark.parametrize("subcommand", ["ACK", "NEW", "CLEAR", "x"])
def test_other_subcommands_are_refused(subcommand: str) -> None:
    """ERR_INVALIDCAPCMD, also before registration."""
    refusal = Numeric("410", (subcommand, "Invalid CAP command"))
    assert refused(read(new(), f"CAP {subcommand} :x")) == [refusal]
    assert refused(read(member(), f"CAP {subcommand}")) == [refusal]


def test_cap_end_is_ignored_once_registered() -> None:
    """IRCv3 capability-negotiation, "The CAP END subcommand"; LS does not hold anything then."""
    protocol = member()

    words(read(protocol, "CAP LS 302"))
    assert read(protocol, "CAP END", "NICK anna") == [SetNickname("anna", Asked("NICK", ("anna",)))]


def test_commands_before_registration() -> None:
    """What needs a nickname is refused by 451; PING, PONG and QUIT work; ERROR is nothing to answer."""
    needs = Numeric("451", ("You have not registered",))

    assert refused(read(new(), "JOIN :", "PRIVMSG #lobby :hi", "MODE x", "OPER a b")) == [needs] * 4
    assert refused(read(new(), "WHAT")) == [Numeric("421", ("WHAT", "Unknown command"))]
    assert read(new(), "PING :a b", "PONG x", "ERROR :x", "QUIT :bye") == [
        Ping("a b", Asked("PING", ("a b",))),
        Pong(),
        Quit("bye", Asked("QUIT")),
    ]


def test_registering_again() -> None:
    """ERR_ALREADYREGISTERED."""
    again = Numeric("462", ("You may not reregister",))

    assert refused(read(member(), "USER a 0 * :b", "PASS x")) == [again, again]


def test_registering_with_too_little() -> None:
    """ERR_NONICKNAMEGIVEN and ERR_NEEDMOREPARAMS."""
    assert refused(read(new(), "NICK", "NICK :", "USER", "USER a 0 *", "USER : 0 * :x", "PASS", "CAP")) == [
        Numeric("431", ("No nickname given",)),
        Numeric("431", ("No nickname given",)),
        Numeric("461", ("USER", "Not enough parameters")),
        Numeric("461", ("USER", "Not enough parameters")),
        Numeric("461", ("USER", "Not enough parameters")),
        Numeric("461", ("PASS", "Not enough parameters")),
        Numeric("461", ("CAP", "Not enough parameters")),
    ]
