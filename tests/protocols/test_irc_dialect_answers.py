"""What IRC clients are answered: each numeric to the letter (Modern IRC, "Numerics")."""

from __future__ import annotations

import re

import pytest
from irc_items import ANN, AT, BOB, MEMBERS, asked, numerics, told

from pychat.model import replies as r
from pychat.model.events import Joined
from pychat.model.limits import Limits
from pychat.model.modes import MaskEntry
from pychat.protocols.base import Item
from pychat.protocols.irc.asked import Asked, Line, Numeric
from pychat.protocols.jsonl.fields import format_time

AT_TEXT = str(int(AT))


# Coming in


def test_welcome() -> None:
    """001 to 005, and LUSERS (Modern IRC, "Connection Registration")."""
    counts = r.Counts(None, 3, 1, 1, 0, 2, 5)
    item = r.Welcome(asked("NICK", "ann"), "pychat", "ann", "secret", Limits(), ANN, AT, counts)

    lines = told(item, nickname="ann")

    assert lines[:4] == numerics(
        "001 :Welcome to the pychat Network, ann",
        "002 :Your host is irc.pychat, running version pychat",
        "003 :This server was created Sun Nov 22 15:04:05 2026 UTC",
        "004 irc.pychat pychat Biow CIWbeiklmnostv IWbeklov",
    )
    assert [line.split()[1] for line in lines[4:]] == ["005", "005", "005", *["251", "252", "254", "255", "265", "266"]]
    assert "secret" not in " ".join(lines)


def test_isupport() -> None:
    """At most 13 tokens in a line, each with its value as the limits have it (Modern IRC, "RPL_ISUPPORT (005)")."""
    lines = [line for line in told(r.Welcome(None, "p", "ann", "", Limits())) if " 005 " in line]

    found = [re.fullmatch(r":irc\.pychat 005 ann (.*) :are supported by this server", line) for line in lines]
    tokens = [match[1].split(" ") for match in found if match]
    assert len(tokens) == len(lines)
    assert all(len(line) <= 13 for line in tokens)
    assert [token for line in tokens for token in line] == [
        "ACCOUNTEXTBAN=a",
        "AWAYLEN=390",
        "BOT=B",
        "CASEMAPPING=ascii",
        "CHANLIMIT=#:20",
        "CHANMODES=Ibe,k,lW,Cimnst",
        "CHANNELLEN=65",
        "CHANTYPES=#",
        "CHATHISTORY=500",
        "ELIST=CMNTU",
        "EXCEPTS=e",
        "EXTBAN=,am",
        "INVEX=I",
        "KEYLEN=32",
        "KICKLEN=390",
        "MAXLIST=Ibe:100",
        "MODES=20",
        "MONITOR=100",
        "MSGREFTYPES=msgid,timestamp",
        "NAMELEN=128",
        "NETWORK=pychat",
        "NICKLEN=32",
        "PREFIX=(ov)@+",
        "SAFELIST",
        "SILENCE=100",
        "STATUSMSG=@+",
        "TARGMAX=JOIN:20,KICK:4,LIST:20,NAMES:20,NOTICE:4,PART:20,PRIVMSG:4,TAGMSG:4,USERHOST:5,WHOIS:1,WHOWAS:1",
        "TOPICLEN=390",
        "USERLEN=18",
        "UTF8ONLY",
        "WHOX",
    ]


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (
            r.Counts(None, 3, 1, 1, 2, 4, 9),
            numerics(
                "251 :There are 2 users and 1 invisible on 1 servers",
                "252 1 :operator(s) online",
                "253 2 :unknown connection(s)",
                "254 4 :channels formed",
                "255 :I have 3 clients and 0 servers",
                "265 3 9 :Current local users 3, max 9",
                "266 3 9 :Current global users 3, max 9",
            ),
        ),
        (
            r.Motd(None, ("hello", "world")),
            numerics(
                "375 :- irc.pychat Message of the day - ",
                "372 :- hello",
                "372 :- world",
                "376 :End of /MOTD command",
            ),
        ),
        (r.Motd(None, ()), numerics("422 :There is no message of the day")),
        (r.PingRequest(), ["PING :irc.pychat"]),
        (r.PongReply(asked("PING", "a b"), "a b"), [":irc.pychat PONG irc.pychat :a b"]),
        (r.PongReply(None, ""), [":irc.pychat PONG irc.pychat :"]),
        (r.Bye("goodbye"), ["ERROR :Closing link: goodbye"]),
        (r.Wallops("ann", ANN, "hear hear"), [f":ann!{ANN} WALLOPS :hear hear"]),
        (r.Killed("bob", BOB, "spam"), [f":bob!{BOB} KILL ann :spam"]),
        (r.Lines(None, ("a", "b")), numerics("NOTICE :a", "NOTICE :b")),
        (
            r.Lines(asked("HELP"), ("JOIN #channel", "PART #channel")),
            numerics("704 * :JOIN #channel", "705 * :PART #channel", "706 * :End of /HELP"),
        ),
        (r.Lines(asked("HELP", "JOIN"), ("JOIN #a",)), numerics("704 JOIN :JOIN #a", "706 JOIN :End of /HELP")),
        (r.Ok(asked("AWAY", "lunch")), numerics("306 :You have been marked as being away")),
        (r.Ok(asked("AWAY")), numerics("305 :You are no longer marked as being away")),
        (r.Ok(asked("TOPIC", "#lobby", "x"), 7), []),
        (r.Ok(asked("NOTICE"), 7), []),
        (r.Ok(None), []),
        (r.ResponseStart("x"), []),
        (r.ResponseEnd(), []),
    ],
)
def test_server(item: Item, lines: list[str]) -> None:
    """What is said of the server and the connection (Modern IRC, "Server Queries and Commands"; HELP: 704 to 706)."""
    assert told(item) == lines


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (Numeric("CAP", ("LS", "*", "a b")), [":irc.pychat CAP ann LS * :a b"]),
        (Numeric("461", ("JOIN", "Not enough parameters")), [":irc.pychat 461 ann JOIN :Not enough parameters"]),
        (Numeric("CAP", ("LIST", "")), [":irc.pychat CAP ann LIST :"]),
        (Numeric("366", ("*", ":x")), [":irc.pychat 366 ann * ::x"]),
        (Line("FAIL", ("JOIN", "X", "y")), [":irc.pychat FAIL JOIN X y"]),
        (
            Asked("LINKS"),
            numerics(
                "364 irc.pychat irc.pychat :0 a chat server for all clients on one port",
                "365 * :End of /LINKS list",
            ),
        ),
        (Asked("XYZZY"), []),
        ("anything else", []),
    ],
)
def test_words(value: object, lines: list[str]) -> None:
    """What the protocol says by itself: a colon only where one is needed (RFC 1459 section 2.3.1)."""
    assert told(r.Words(value)) == lines


def test_before_registration_the_nickname_is_a_star() -> None:
    """Modern IRC, "Numeric Replies"."""
    assert told(r.Words(Numeric("451", ("You have not registered",))), nickname=None) == [
        ":irc.pychat 451 * :You have not registered"
    ]


def test_version_and_info() -> None:
    """RPL_VERSION (351) with RPL_ISUPPORT; RPL_INFO (371) and its end (374)."""
    version, info = told(r.Words(Asked("VERSION"))), told(r.Words(Asked("INFO")))

    assert version[0] == ":irc.pychat 351 ann pychat irc.pychat :a chat server for all clients on one port"
    assert [line.split(" ")[1] for line in version] == ["351", "005", "005", "005"]
    assert [line.split(" ")[1] for line in info] == ["371", "371", "374"]


def test_time() -> None:
    """RPL_TIME (391): of the moment when it is written."""
    lines = told(r.Words(Asked("TIME")))

    assert lines == numerics(f"391 irc.pychat {AT_TEXT} 0 :Sun Nov 22 15:04:05 2026 UTC")


# Rooms


@pytest.mark.parametrize(
    ("item", "lines"),
    [
        (
            r.Members(asked("NAMES", "#lobby"), "lobby", "cats", MEMBERS),
            numerics("353 = #lobby :@bob +eve ann", "366 #lobby :End of /NAMES list"),
        ),
        (
            r.Members(asked("NAMES", "#ops"), "ops", "", MEMBERS[2:], secret=True),
            numerics("353 @ #ops :ann", "366 #ops :End of /NAMES list"),
        ),
        (r.Members(asked("JOIN", "#lobby"), "lobby", "cats", MEMBERS, joined=True, again=True), []),
        (r.Topic(None, "lobby", ""), numerics("331 #lobby :No topic is set")),
        (r.Topic(None, "lobby", "cats"), numerics("332 #lobby :cats")),
        (r.Topic(None, "lobby", "cats", "bob", AT), numerics("332 #lobby :cats", f"333 #lobby bob {AT_TEXT}")),
        (
            r.Rooms(None, (r.RoomInfo("lobby", 2, "cats and dogs"), r.RoomInfo("ops", 1, ""))),
            numerics(
                "321 Channel :Users  Name",
                "322 #lobby 2 :cats and dogs",
                "322 #ops 1 :",
                "323 :End of /LIST",
            ),
        ),
        (
            r.Rooms(None, (r.RoomInfo("lobby", 2, ""),), more=True),
            numerics(
                "321 Channel :Users  Name",
                "322 #lobby 2 :",
                "416 LIST :there are more channels; ask for fewer",
                "323 :End of /LIST",
            ),
        ),
        (r.Modes(None, "lobby", "nt", (), AT), numerics("324 #lobby +nt", f"329 #lobby {AT_TEXT}")),
        (r.Modes(None, "lobby", "klm", ("*", "20"), 0.0), numerics("324 #lobby +klm * 20")),
        (
            r.Masks(None, "lobby", "b", (MaskEntry("bob!*@*", "ann", AT),)),
            numerics(f"367 #lobby bob!*@* ann {AT_TEXT}", "368 #lobby :End of channel ban list"),
        ),
        (
            r.Masks(None, "lobby", "e", (MaskEntry("bob!*@*", "ann", AT),)),
            numerics(f"348 #lobby bob!*@* ann {AT_TEXT}", "349 #lobby :End of channel exception list"),
        ),
        (
            r.Masks(None, "lobby", "I", (MaskEntry("bob!*@*", "ann", AT),)),
            numerics(f"346 #lobby bob!*@* ann {AT_TEXT}", "347 #lobby :End of channel invite exception list"),
        ),
        (r.Inviting(None, "ops", "bob"), numerics("341 bob #ops")),
        (r.Invitations(None, ("ops", "dev")), numerics("336 #ops", "336 #dev", "337 :End of /INVITE list")),
        (r.Invitations(None, ()), numerics("337 :End of /INVITE list")),
    ],
)
def test_rooms(item: Item, lines: list[str]) -> None:
    """What is answered about channels (Modern IRC, "Channel Operations" and "Numerics")."""
    assert told(item) == lines


ARRIVAL = Joined(255, AT, "lobby", "ann", ANN)


def test_join() -> None:
    """The JOIN itself, the topic, the names (Modern IRC, "JOIN message")."""
    item = r.Members(asked("JOIN", "#lobby"), "lobby", "cats", MEMBERS, True, "bob", AT, arrival=ARRIVAL)

    assert told(item) == [
        f":ann!{ANN} JOIN #lobby",
        *numerics(
            "332 #lobby :cats",
            f"333 #lobby bob {AT_TEXT}",
            "353 = #lobby :@bob +eve ann",
            "366 #lobby :End of /NAMES list",
        ),
    ]


@pytest.mark.parametrize("id", [0, 255])
def test_join_is_the_event_that_the_others_hear(id: int) -> None:
    """With its time and its id, so that who finds it in the history knows it; without an id if nobody is told."""
    item = r.Members(None, "lobby", "", MEMBERS, True, arrival=ARRIVAL._replace(id=id, away="lunch"))
    join, *_ = told(item, "server-time", "message-tags", "extended-join", "away-notify")

    msgid = ";msgid=00000000000000ff" if id else ""
    assert join == f"@time={format_time(AT)}{msgid} :ann!{ANN} JOIN #lobby * :ann"


def test_join_without_a_topic() -> None:
    """No 331: that is for who asks (Modern IRC, "JOIN message")."""
    codes = [line.split(" ")[1] for line in told(r.Members(None, "lobby", "", MEMBERS, True, arrival=ARRIVAL))]

    assert codes == ["JOIN", "353", "366"]


@pytest.mark.parametrize(
    ("capabilities", "names"),
    [
        (("multi-prefix",), "@+bob +eve ann"),
        (("userhost-in-names",), f"@bob!{BOB} +eve!~e@q.ip ann!{ANN}"),
        (("multi-prefix", "userhost-in-names"), f"@+bob!{BOB} +eve!~e@q.ip ann!{ANN}"),
    ],
)
def test_names_with_capabilities(capabilities: tuple[str, ...], names: str) -> None:
    """IRCv3 multi-prefix and userhost-in-names."""
    lines = told(r.Members(asked("NAMES", "#lobby"), "lobby", "", MEMBERS), *capabilities)

    assert lines[0] == f":irc.pychat 353 ann = #lobby :{names}"


def test_names_of_thousands() -> None:
    """As many lines as it takes, full ones, and everybody once."""
    members = tuple(r.MemberInfo(f"member{n}") for n in range(5000))

    *names, end = told(r.Members(asked("NAMES", "#lobby"), "lobby", "", members))

    assert [word for line in names for word in line.split(" :", 1)[1].split(" ")] == [m.nickname for m in members]
    assert all(495 <= len(line) <= 510 for line in names[:-1])
    assert end.endswith("366 ann #lobby :End of /NAMES list")
