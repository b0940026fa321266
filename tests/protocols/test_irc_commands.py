"""The commands of IRC but for messages, registration and history: what each one asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from irc_input import member, new, read, refused, words

from pychat.model import queries as q
from pychat.model import verbs as v
from pychat.model.limits import Limits
from pychat.model.modes import ModeChange
from pychat.model.queries import RoomFilter
from pychat.model.verbs import Ban, Invalid, ListIgnored, SetIgnored, Verb
from pychat.protocols.irc.asked import Asked, Numeric
from pychat.protocols.irc.commands.table import COMMANDS


def asked(line: str) -> Asked:
    """The ref of a line that has one verb."""
    command, *params = line.split(" ")
    return Asked(command, tuple(params))


@pytest.mark.parametrize(
    ("line", "verbs"),
    [
        ("JOIN #a", [v.Join("a", asked("JOIN #a"))]),
        ("join :#a", [v.Join("a", asked("JOIN #a"))]),
        (
            "JOIN #a,#b,#c one,,two,three",
            [
                v.Join("a", asked("JOIN #a"), "one"),
                v.Join("b", asked("JOIN #b")),
                v.Join("c", asked("JOIN #c"), "two"),
            ],
        ),
        ("JOIN 0", [v.LeaveAll(ref=asked("JOIN 0"))]),
        ("PART #a,#b :so long", [v.Leave("a", "so long", asked("PART #a")), v.Leave("b", "so long", asked("PART #b"))]),
        ("PART #a", [v.Leave("a", "", asked("PART #a"))]),
        ("TOPIC #a", [q.GetTopic("a", asked("TOPIC #a"))]),
        ("TOPIC #a :", [v.SetTopic("", "a", asked("TOPIC #a "))]),
        ("TOPIC #a :tea at 4", [v.SetTopic("tea at 4", "a", Asked("TOPIC", ("#a", "tea at 4")))]),
        ("NAMES #a,#b", [q.ListMembers("a", asked("NAMES #a")), q.ListMembers("b", asked("NAMES #b"))]),
        ("LIST", [q.ListRooms(Asked("LIST"))]),
        ("LIST #a,*b*", [q.ListRooms(asked("LIST #a,*b*"), RoomFilter(("a", "*b*")))]),
        ("LIST !#a*", [q.ListRooms(asked("LIST !#a*"), RoomFilter(not_masks=("a*",)))]),
        ("LIST >3,<10", [q.ListRooms(asked("LIST >3,<10"), RoomFilter(more_than=3, less_than=10))]),
        (
            "LIST C>60,c<90,T>5,T<7",
            [
                q.ListRooms(
                    asked("LIST C>60,c<90,T>5,T<7"), RoomFilter((), (), None, None, 3600.0, 5400.0, 300.0, 420.0)
                )
            ],
        ),
        ("LIST * >3", [q.ListRooms(asked("LIST * >3"), RoomFilter(("*",), more_than=3))]),
        ("LIST >x", [q.ListRooms(asked("LIST >x"), RoomFilter((">x",)))]),
        ("INVITE", [q.ListInvitations(Asked("INVITE"))]),
        ("INVITE bob #a", [v.Invite("bob", "a", asked("INVITE bob #a"))]),
        ("KICK #a bob", [v.Kick("bob", "a", "", asked("KICK #a bob"))]),
        (
            "KICK #a bob,eve :go away",
            [v.Kick("bob", "a", "go away", asked("KICK #a bob")), v.Kick("eve", "a", "go away", asked("KICK #a eve"))],
        ),
        (
            "KICK #a,#b bob,eve",
            [v.Kick("bob", "a", "", asked("KICK #a bob")), v.Kick("eve", "b", "", asked("KICK #b eve"))],
        ),
    ],
)
def test_channels(line: str, verbs: list[Verb]) -> None:
    """Modern IRC, "Channel Operations"; RFC 2812 section 3.2."""
    assert read(member(), line) == verbs


@pytest.mark.parametrize(
    ("line", "verbs"),
    [
        ("MODE #a", [q.GetModes("a", asked("MODE #a"))]),
        ("MODE #a +m", [v.SetModes((ModeChange(True, "m"),), "a", asked("MODE #a +m"))]),
        (
            "MODE #a +o-v+l ann bob 5",
            [
                v.SetModes(
                    (ModeChange(True, "o", "ann"), ModeChange(False, "v", "bob"), ModeChange(True, "l", "5")),
                    "a",
                    asked("MODE #a +o-v+l ann bob 5"),
                )
            ],
        ),
        ("MODE #a b", [q.ListMasks("b", "a", asked("MODE #a b"))]),
        ("MODE #a +bbe", [q.ListMasks("b", "a", asked("MODE #a b")), q.ListMasks("e", "a", asked("MODE #a e"))]),
        (
            "MODE #a +bI eve!*@*",
            [
                v.SetModes((ModeChange(True, "b", "eve!*@*"),), "a", asked("MODE #a +bI eve!*@*")),
                q.ListMasks("I", "a", asked("MODE #a I")),
            ],
        ),
        ("SILENCE", [ListIgnored(asked("SILENCE"))]),
        ("SILENCE ann", [ListIgnored(asked("SILENCE"))]),
        ("SILENCE +bob,-eve,*@x", [SetIgnored(("bob", "*@x"), ("eve",), asked("SILENCE +bob,-eve,*@x"))]),
        ("TBAN #a 1h eve :too loud", [Ban("eve", "a", 3600, "too loud", ref=asked("TBAN #a 1h eve"))]),
        ("TBAN #a 90 m:eve!*@*", [Ban("m:eve!*@*", "a", 90, ref=asked("TBAN #a 90 m:eve!*@*"))]),
        ("MODE #a +X", [v.SetModes((ModeChange(True, "X"),), "a", asked("MODE #a +X"))]),
        ("MODE #a +", []),
        ("MODE ann", [q.GetUserModes(asked("MODE ann"))]),
        ("MODE ANN", [q.GetUserModes(asked("MODE ANN"))]),
        (
            "MODE ann +iw-B",
            [
                v.SetUserModes(
                    (ModeChange(True, "i"), ModeChange(True, "w"), ModeChange(False, "B")), asked("MODE ann +iw-B")
                )
            ],
        ),
        ("MODE ann -o ann", [v.SetUserModes((ModeChange(False, "o"),), asked("MODE ann -o ann"))]),
    ],
)
def test_modes(line: str, verbs: list[Verb]) -> None:
    """Modern IRC, "MODE message": channels, lists without a mask, oneself."""
    assert read(member(), line) == verbs


def test_modes_of_others() -> None:
    """What is wrong depends on whether there is such a person; after a new nickname it is the new one that is ours."""
    protocol = member()
    protocol.receive(b"NICK anna\r\nMODE anna\r\nMODE ann\r\n")

    assert protocol.take_verbs() == [v.SetNickname("anna", asked("NICK anna"))]
    protocol.registered("anna")
    mine, other = protocol.take_verbs()

    assert mine == q.GetUserModes(asked("MODE anna"))
    assert other == q.FindPeople(("ann",), asked("MODE ann"))


def test_thousands_of_modes() -> None:
    """Nothing is changed then, and the refusal says how many may be."""
    assert refused(read(member(), "MODE #a +" + "m" * 400)) == [
        Numeric("400", ("MODE", "modes at once: at most 20 with an argument, 20 without"))
    ]


@pytest.mark.parametrize(
    ("line", "verbs"),
    [
        ("AWAY :out to lunch", [v.SetAway("out to lunch", Asked("AWAY", ("out to lunch",)))]),
        ("AWAY", [v.SetAway(None, Asked("AWAY"))]),
        ("AWAY :", [v.SetAway(None, Asked("AWAY"))]),
        ("SETNAME :Ann B.", [v.SetRealname("Ann B.", Asked("SETNAME", ("Ann B.",)))]),
        ("WHO #a", [q.ListPeople(room="a", ref=asked("WHO #a"))]),
        ("WHO", [q.ListPeople(ref=asked("WHO *"))]),
        ("WHO 0 o", [q.ListPeople("*", operators=True, ref=asked("WHO 0 o"))]),
        ("WHO b* %tcuhnar,42", [q.ListPeople("b*", ref=asked("WHO b* %tcuhnar,42"))]),
        ("WHO #a o%n", [q.ListPeople(room="a", operators=True, ref=asked("WHO #a o%n"))]),
        ("WHO #a %no", [q.ListPeople(room="a", ref=asked("WHO #a %no"))]),
        ("WHOIS bob", [q.WhoIs("bob", asked("WHOIS bob"))]),
        ("WHOIS irc.pychat bob", [q.WhoIs("bob", asked("WHOIS bob"))]),
        ("WHOWAS bob", [q.WhoWas("bob", None, asked("WHOWAS bob"))]),
        ("WHOWAS bob 3", [q.WhoWas("bob", 3, asked("WHOWAS bob"))]),
        ("WHOWAS bob 0", [q.WhoWas("bob", None, asked("WHOWAS bob"))]),
        ("WHOWAS bob -1", [q.WhoWas("bob", None, asked("WHOWAS bob"))]),
        ("USERHOST bob eve", [q.FindPeople(("bob", "eve"), asked("USERHOST bob eve"))]),
        ("USERHOST a b c d e f", [q.FindPeople(tuple("abcde"), asked("USERHOST a b c d e"))]),
        ("ISON bob :eve  ann", [q.FindPeople(("bob", "eve", "ann"), asked("ISON bob eve ann"))]),
        ("MONITOR + bob,eve", [v.Watch(("bob", "eve"), ref=asked("MONITOR +"))]),
        ("MONITOR - bob", [v.Watch(remove=("bob",), ref=asked("MONITOR -"))]),
        ("MONITOR c", [v.Watch(clear=True, ref=asked("MONITOR C"))]),
        ("MONITOR L", [q.ListWatched(asked("MONITOR L"))]),
        ("MONITOR s", [q.ListWatched(asked("MONITOR S"))]),
    ],
)
def test_people(line: str, verbs: list[Verb]) -> None:
    """Modern IRC, "User-Based Queries"; IRCv3 whox, monitor and setname."""
    assert read(member(), line) == verbs


@pytest.mark.parametrize(
    ("line", "verbs"),
    [
        ("PING x", [v.Ping("x", asked("PING x"))]),
        ("PING x irc.pychat", [v.Ping("x", asked("PING x"))]),
        ("PONG", [v.Pong()]),
        ("QUIT", [v.Quit("", Asked("QUIT"))]),
        ("QUIT :bye all", [v.Quit("bye all", Asked("QUIT"))]),
        ("ERROR :x", []),
        ("LUSERS", [q.CountPeople(Asked("LUSERS"))]),
        ("LUSERS * irc.pychat", [q.CountPeople(Asked("LUSERS"))]),
        ("MOTD", [q.GetMotd(Asked("MOTD"))]),
        ("MOTD IRC.*", [q.GetMotd(Asked("MOTD"))]),
        ("OPER ann secret", [v.BecomeOperator("ann", "secret", asked("OPER ann"))]),
        ("KILL bob :spam, spam", [v.Kill("bob", "spam, spam", asked("KILL bob"))]),
        ("WALLOPS :we restart", [v.SendWallops("we restart", Asked("WALLOPS"))]),
        ("ANNOUNCE :we restart", [v.Announce("we restart", Asked("ANNOUNCE"))]),
        ("STATS u", [q.GetStats(Asked("STATS", ("u",)))]),
    ],
)
def test_the_server(line: str, verbs: list[Verb]) -> None:
    """Modern IRC, "Server Queries" and "Operator Messages"; a password is in no ref."""
    assert read(member(), line) == verbs


@pytest.mark.parametrize("command", ["VERSION", "TIME", "INFO", "LINKS"])
def test_what_the_dialect_knows(command: str) -> None:
    """It is asked by `Words`; another server than this one there is not."""
    elsewhere = f"{command} irc.example *" if command == "LINKS" else f"{command} irc.example"

    assert words(read(member(), command)) == [Asked(command)]
    assert words(read(member(), f"{command} irc.pychat")) == [Asked(command)]
    assert words(read(member(), f"{command} ann")) == [Asked(command)]
    assert refused(read(member(), elsewhere)) == [Numeric("402", ("irc.example", "No such server"))]


def test_help() -> None:
    """All commands, one of them, and none."""
    (everything,) = read(member(), "HELP")
    assert isinstance(everything, v.Help)
    assert [line.split(" ")[0] for line in everything.text.split("\n")] == list(COMMANDS)
    assert everything.ref == Asked("HELP")

    assert read(member(), "HELP away") == [v.Help("AWAY [text]", asked("HELP AWAY"), about="AWAY")]
    assert refused(read(member(), "HELP me")) == [
        Numeric("524", ("ME", "There is no help about this; HELP lists the commands"))
    ]


@pytest.mark.parametrize(
    ("line", "numeric"),
    [
        ("JOIN a", Numeric("403", ("a", "No such channel: channel names begin with #"))),
        ("JOIN :a b", Numeric("403", ("a", "No such channel: channel names begin with #"))),
        ("PART &a", Numeric("403", ("&a", "No such channel: channel names begin with #"))),
        ("TOPIC a", Numeric("403", ("a", "No such channel: channel names begin with #"))),
        ("INVITE #a bob", Numeric("403", ("bob", "No such channel: channel names begin with #"))),
        ("KICK a bob", Numeric("403", ("a", "No such channel: channel names begin with #"))),
        ("KICK #a,#b,#c bob,eve", Numeric("461", ("KICK", "Not enough parameters"))),
        ("KICK #a ,", Numeric("461", ("KICK", "Not enough parameters"))),
        ("INVITE bob", Numeric("461", ("INVITE", "Not enough parameters"))),
        ("JOIN :", Numeric("461", ("JOIN", "Not enough parameters"))),
        ("PART ,,", Numeric("461", ("PART", "Not enough parameters"))),
        ("USERHOST", Numeric("461", ("USERHOST", "Not enough parameters"))),
        ("ISON :  ", Numeric("461", ("ISON", "Not enough parameters"))),
        ("MONITOR +", Numeric("461", ("MONITOR", "Not enough parameters"))),
        ("MONITOR x", Numeric("461", ("MONITOR", "Not enough parameters"))),
        ("PING", Numeric("409", ("No origin specified",))),
        ("PING :", Numeric("409", ("No origin specified",))),
        ("WHOIS", Numeric("431", ("No nickname given",))),
        ("WHOWAS", Numeric("431", ("No nickname given",))),
        ("NICK :", Numeric("431", ("No nickname given",))),
        ("NAMES x", None),
        ("dance now", Numeric("421", ("DANCE", "Unknown command"))),
        ("WHOIS a,b", None),
    ],
)
def test_wrong_parameters(line: str, numeric: Numeric | None) -> None:
    """The specification's numeric, with a subject that can stand in it; never a disconnect."""
    verbs = read(member(), line)
    if numeric is not None:
        assert refused(verbs) == [numeric]
    else:
        assert verbs


def test_names_of_nothing() -> None:
    """Modern IRC, "NAMES message": no error, but an end."""
    assert words(read(member(), "NAMES")) == [Numeric("366", ("*", "End of /NAMES list"))]
    assert words(read(member(), "NAMES x")) == [Numeric("366", ("x", "End of /NAMES list"))]


@pytest.mark.parametrize("command", [name for name, rule in COMMANDS.items() if rule.least])
def test_too_few_parameters(command: str) -> None:
    """ERR_NEEDMOREPARAMS, as the table says, with the name of the command."""
    protocol = member()
    line = " ".join([command, *["x"] * (COMMANDS[command].least - 1)])

    assert refused(read(protocol, line)) == [Numeric("461", (command, "Not enough parameters"))]


@pytest.mark.parametrize("command", [name for name, rule in COMMANDS.items() if not rule.early])
def test_most_commands_need_a_nickname(command: str) -> None:
    """ERR_NOTREGISTERED, whatever else is wrong."""
    assert refused(read(new(), command)) == [Numeric("451", ("You have not registered",))]


@pytest.mark.parametrize(
    ("line", "most"),
    [
        ("JOIN {}", 20),
        ("PART {}", 20),
        ("NAMES {}", 20),
        ("KICK #a {}", 4),
        ("LIST {}", 1),
        ("WHOIS {}", 1),
        ("WHOWAS {}", 1),
    ],
)
def test_lists_are_bounded(line: str, most: int) -> None:
    """ERR_TOOMANYTARGETS names the first that was left out; the others are done (Modern IRC, "TARGMAX Parameter")."""
    command = line.split(" ")[0]
    names = [f"#{number}" for number in range(100)]

    verbs = read(member(), line.format(",".join(names)))

    assert len(verbs) == most + 1
    limit = 20 if command == "LIST" else most
    assert refused(verbs[most:]) == [Numeric("407", (names[limit], f"Too many targets: {command} takes {limit}"))]


@pytest.mark.parametrize("command", ["JOIN", "PART", "NAMES"])
def test_all_own_channels_fit_one_line(command: str) -> None:
    """However many the server allows: clients join all of them by one line, and do not look at TARGMAX."""
    protocol = member(limits=Limits(rooms_per_session=60))

    verbs = read(protocol, f"{command} {','.join(f'#{number}' for number in range(60))}")

    assert len(verbs) == 60
    assert not any(isinstance(verb, Invalid) for verb in verbs)
    assert len(read(protocol, f"{command} {','.join(f'#{number}' for number in range(61))}")) == 61


@given(
    st.sampled_from(sorted(COMMANDS)),
    st.lists(st.text(st.sampled_from("#@+-,:*%=<>!0a9 é\x01\x02\x1b"), max_size=12), max_size=5),
)
def test_no_parameters_are_too_strange(command: str, params: list[str]) -> None:
    """Any command with any parameters gives verbs, and what is refused can be written as it is."""
    protocol = member("message-tags", "labeled-response")
    line = " ".join([f"@label=x;+a=b {command}", *params])

    for verb in read(protocol, line):
        if isinstance(verb, v.Invalid):
            (ref,) = refused([verb])
            assert all(param and " " not in param and not param.startswith(":") for param in ref.params[:-1])
