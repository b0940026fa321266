"""What the public suites for IRC servers check, over raw sockets: registration, channels, people, operators."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from chat_clients import Clients, Peer
from irc_peer import Heard, IrcPeer, irc

from pychat import ChatServer
from pychat.handlers import Broadcast
from pychat.protocols.irc.capabilities import OFFERED
from pychat.version import __version__

MakeServer = Callable[..., ChatServer]

EVERYTHING = "batch echo-message labeled-response message-tags server-time"


def codes(lines: list[Heard]) -> list[str]:
    """The commands and numerics."""
    return [line.command for line in lines]


def params(lines: list[Heard], command: str) -> list[tuple[str, ...]]:
    """The parameters of the lines of one command, without the nickname that numerics begin with."""
    return [line.params[1:] if command.isdigit() else line.params for line in lines if line.command == command]


# Registration


@pytest.mark.parametrize(
    "lines",
    [
        ["NICK ann", "USER ann 0 * :Ann"],
        ["USER ann * * :Ann", "nick ann"],
        ["PASS x", "USER ann a b c", "NICK :ann"],
        ["CAP LS 302", "NICK ann", "USER ann 0 * :Ann", "CAP END"],
        ["CAP LS", "CAP REQ :nope", "CAP REQ :batch", "USER ann 0 * :Ann", "CAP END", "NICK ann"],
        ["NICK *", "USER ann 0 * :Ann", "NICK :", "NICK a,b", "NICK taken", "NICK ann"],
        ["USER ann 0 * :", "USER ann 0 *", "NICK ann", "JOIN #x", "PING x", "USER :  0 * y", "USER ann 0 * :Ann"],
    ],
)
def test_registration(server: MakeServer, clients: Clients, lines: list[str]) -> None:
    """In any order, whatever goes wrong before; the burst is whole and in its order."""
    running = server()
    irc(clients, running, "taken")
    ann = clients.add(IrcPeer(running))

    ann.say(*lines)
    ann.next("001", "ann")
    burst = ann.until("422")

    assert codes(burst) == ["002", "003", "004", *["005"] * 3, "251", "254", "255", "265", "266", "422"]
    assert {line.params[0] for line in burst} == {"ann"}
    assert f"pychat-{__version__}" in burst[0].params[1]
    assert burst[2].params[2] == f"pychat-{__version__}"


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("NICK", ("431",)),
        ("NICK 1a", ("432", "1a")),
        ("NICK taken", ("433", "taken")),
        ("USER x 0 * :", ("461", "USER")),
        ("JOIN #a", ("451",)),
        ("CAP", ("461", "CAP")),
        ("CAP NOPE", ("410", "NOPE")),
        ("XYZZY", ("421", "XYZZY")),
        ("PING", ("409",)),
    ],
)
def test_refusals_before_registration_name_a_star(
    server: MakeServer, clients: Clients, line: str, refusal: tuple[str, ...]
) -> None:
    """Modern IRC, "Numeric Replies"; each is one line, and registration goes on."""
    running = server()
    irc(clients, running, "taken")
    ann = clients.add(IrcPeer(running))
    ann.say("USER ann 0 * :Ann" if line.startswith("NICK") else "NICK ann", line)

    heard = ann.read()

    assert (heard.command, *heard.params[:-1]) == (refusal[0], "*", *refusal[1:])
    ann.say("NICK ann" if line.startswith("NICK") else "USER ann 0 * :Ann")
    ann.next("001", "ann")


def test_capabilities_are_changed_as_a_whole(server: MakeServer, clients: Clients) -> None:
    """IRCv3 capability-negotiation, "The CAP REQ subcommand"; CAP LIST tells what holds."""
    ann = irc(clients, server(), "ann")

    def cap(line: str) -> list[tuple[str, ...]]:
        return params(ann.ask(f"CAP {line}"), "CAP")

    assert cap("LIST") == [("ann", "LIST", "")]
    assert cap("REQ :foo multi-prefix bar") == [("ann", "NAK", "foo multi-prefix bar")]
    assert cap("REQ :multi-prefix setname") == [("ann", "ACK", "multi-prefix setname")]
    assert cap("REQ :-setname batch") == [("ann", "ACK", "-setname batch")]
    assert cap("LIST") == [("ann", "LIST", "batch multi-prefix")]
    assert "=" not in cap("LS")[0][2]
    assert ann.ask("CAP END") == []


def test_everything_has_a_time_once_it_was_asked_for(server: MakeServer, clients: Clients) -> None:
    """IRCv3 server-time: also what is not an event, and what belongs to an answer with a label."""
    running = server()
    ann = irc(clients, running, "ann", caps=f"{EVERYTHING} draft/chathistory")
    bob = irc(clients, running, "bob", "#a")
    bob.ask("PRIVMSG #a :hi")

    heard = ann.ask(
        "JOIN #a",
        "@label=1 JOIN #b",
        "@label=2 PONG",
        "NAMES #a",
        "CHATHISTORY LATEST #a * 9",
        "CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 9",
        "TOPIC #a :x",
        "MODE ann +i",
        "LUSERS",
        "VERSION",
        "NOTHING",
        "PRIVMSG #a :x",
        "CAP LIST",
    )
    assert len(heard) > 30
    assert {re.sub(r"\d", "0", line.tags.get("time", "none")) for line in heard} == {"0000-00-00T00:00:00.000Z"}
    ann.ask("CAP REQ -server-time")
    assert "time" not in ann.ask("CAP LIST")[0].tags
    assert {len(line.tags) for line in bob.ask("VERSION")} == {0}


# Channels


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("JOIN", ("461", "JOIN")),
        ("JOIN :", ("461", "JOIN")),
        ("JOIN nope", ("403", "nope")),
        ("JOIN #" + "x" * 65, ("403", "#" + "x" * 65)),
        ("JOIN #key wrong", ("475", "#key")),
        ("JOIN #full", ("471", "#full")),
        ("JOIN #inv", ("473", "#inv")),
        ("JOIN #ban", ("474", "#ban")),
        ("PART", ("461", "PART")),
        ("PART #nope", ("403", "#nope")),
        ("PART #theirs", ("442", "#theirs")),
        ("TOPIC", ("461", "TOPIC")),
        ("TOPIC #nope", ("403", "#nope")),
        ("TOPIC #nope :x", ("403", "#nope")),
        ("TOPIC #theirs :x", ("442", "#theirs")),
        ("TOPIC #t :x", ("482", "#t")),
        ("TOPIC #secret", ("403", "#secret")),
        ("KICK #nope bob", ("403", "#nope")),
        ("KICK #theirs bob", ("442", "#theirs")),
        ("KICK #t bob", ("482", "#t")),
        ("KICK #mine bob", ("441", "bob", "#mine")),
        ("KICK #mine nobody", ("401", "nobody")),
        ("KICK #mine", ("461", "KICK")),
        ("INVITE bob #nope", ("403", "#nope")),
        ("INVITE bob #theirs", ("442", "#theirs")),
        ("INVITE ann #mine", ("443", "ann", "#mine")),
        ("INVITE nobody #mine", ("401", "nobody")),
        ("INVITE bob", ("461", "INVITE")),
        ("MODE", ("461", "MODE")),
        ("MODE #nope", ("403", "#nope")),
        ("MODE #nope +o ann", ("403", "#nope")),
        ("MODE #nope b", ("403", "#nope")),
        ("MODE #theirs +m", ("442", "#theirs")),
        ("MODE #t +m", ("482", "#t")),
        ("MODE #t e", ("482", "#t")),
        ("MODE #mine +o nobody", ("401", "nobody")),
        ("MODE #mine +o bob", ("441", "bob", "#mine")),
        ("MODE #mine +o", ("696", "#mine", "o", "*")),
        ("MODE #mine +k :a b", ("696", "#mine", "k", "*")),
        ("MODE #mine +k " + "long" * 10, ("696", "#mine", "k", "*")),
        ("MODE #mine +k :", ("696", "#mine", "k", "*")),
        ("MODE #mine +l x", ("696", "#mine", "l", "x")),
        ("MODE #mine +l -1", ("696", "#mine", "l", "-1")),
        ("MODE #mine +z", ("472", "z")),
        ("MODE #mine +" + "n" * 490, ("400", "MODE")),
        ("MODE ann +Z", ("501",)),
        ("MODE bob", ("502",)),
        ("MODE bob +i", ("502",)),
        ("MODE nobody", ("401", "nobody")),
        ("PRIVMSG", ("411",)),
        ("PRIVMSG bob", ("412",)),
        ("PRIVMSG bob :", ("412",)),
        ("PRIVMSG bob :   ", ("412",)),
        ("PRIVMSG nobody :x", ("401", "nobody")),
        ("PRIVMSG #nope :x", ("404", "#nope")),
        ("PRIVMSG #theirs :x", ("404", "#theirs")),
        ("PRIVMSG @#theirs :x", ("404", "#theirs")),
        ("PRIVMSG #moderated :x", ("404", "#moderated")),
        ("PRIVMSG #noctcp :\x01VERSION\x01", ("404", "#noctcp")),
        ("OPER root", ("461", "OPER")),
        ("OPER nobody x", ("464",)),
        ("KILL bob :x", ("481",)),
        ("KILL IRC.pychat :x", ("483",)),
        ("WALLOPS :x", ("481",)),
        ("WHOIS", ("431",)),
        ("WHOWAS", ("431",)),
        ("USERHOST", ("461", "USERHOST")),
        ("ISON", ("461", "ISON")),
        ("MONITOR", ("461", "MONITOR")),
        ("MONITOR +", ("461", "MONITOR")),
        ("HELP XYZZY", ("524", "XYZZY")),
        ("INFO nope.example", ("402", "nope.example")),
        ("NICK bob", ("437", "#moderated")),
        ("NICK 1", ("432", "1")),
        ("USER a b c d", ("462",)),
        ("PASS x", ("462",)),
        ("STATS u", ("481",)),
        ("x" * 511, ("417",)),
        ("PRIVMSG #mine :a\rb", ("400", "PRIVMSG")),
        ("PRIVMSG #mine :a\0b", ("400", "PRIVMSG")),
    ],
)
def test_refusals(server: MakeServer, clients: Clients, line: str, refusal: tuple[str, ...]) -> None:
    """One line each, with the parameters of the specification; nobody else hears anything, and the session goes on."""
    running = server(operators={"root": "secret"})
    theirs = "#theirs #t #key #full #inv #ban #secret #moderated #noctcp"
    bob = irc(clients, running, "bob", *theirs.split(" "))
    ann = irc(clients, running, "ann", "#mine", "#t", "#moderated", "#noctcp")
    bob.ask(
        *("MODE #t +t", "MODE #key +k right", "MODE #full +l 1", "MODE #inv +i", "MODE #ban +b ann"),
        *("MODE #secret +s", "MODE #moderated +m", "MODE #noctcp +C"),
    )
    ann.sync()
    bob.sync()

    heard = ann.ask(line)

    assert [(line.command, *line.params[:-1]) for line in heard] == [(refusal[0], "ann", *refusal[1:])]
    assert bob.sync() == []


@pytest.mark.parametrize(
    "line",
    [
        *("NOTICE", "NOTICE bob", "NOTICE nobody :x", "NOTICE #nope :x", "NOTICE #moderated :x", "NOTICE bob :"),
        *("", "   ", ":", ":x", "@a=b", "PONG", "ERROR :x", "MONITOR C", "PONG :x", "CAP END"),
    ],
)
def test_what_is_never_answered(server: MakeServer, clients: Clients, line: str) -> None:
    """RFC 2812 sections 2.3.1 and 3.3.2."""
    running = server()
    bob = irc(clients, running, "bob", "#moderated")
    bob.ask("MODE #moderated +m")
    ann = irc(clients, running, "ann", "#moderated")

    assert ann.ask(line) == []


def test_a_topic_and_a_mask_name_who_set_them(server: MakeServer, clients: Clients) -> None:
    """As a whole mask (333, 367, 348, 346), also when that person has gone."""
    running = server()
    ann, bob = irc(clients, running, "ann", "#a"), irc(clients, running, "bob", "#a")
    ann.ask("TOPIC #a :tea", "MODE #a +bee x y z", "MODE #a +I w", "MODE #a +o bob", "NICK anna")
    ann.say("QUIT")
    bob.next("QUIT")

    heard = bob.ask("TOPIC #a", "MODE #a b", "MODE #a e", "MODE #a I")

    setters = [line.params[-2] for line in heard if line.command in ("333", "367", "348", "346")]
    assert len(setters) == 5
    assert all(re.fullmatch(r"ann!~ann@\w+\.ip", setter) for setter in setters)


def test_what_a_channel_is_for_strangers(server: MakeServer, clients: Clients) -> None:
    """LIST and NAMES have no channel that is secret, or that nobody is in."""
    running = server()
    bob = irc(clients, running, "bob", "#open", "#hidden")
    bob.ask("MODE #hidden +s")
    ann = irc(clients, running, "ann")

    assert params(ann.ask("LIST"), "322") == [("#open", "1", "")]
    assert params(ann.ask("LIST #hidden,#lobby,#nope"), "322") == []
    for name in ("#hidden", "#nope", "nope"):
        assert params(ann.ask(f"NAMES {name}"), "366") == [(name, "End of /NAMES list")]
        assert codes(ann.ask(f"WHO {name}")) == ["315"]


def test_an_unhandled_part_or_kick_reaches_those_concerned(server: MakeServer, clients: Clients) -> None:
    """Also where no handler tells the others."""
    running = server(handlers=[Broadcast()])
    ann, bob = irc(clients, running, "ann", "#a"), irc(clients, running, "bob", "#a")

    assert params(bob.ask("PART #a :bye"), "PART") == [("#a", "bye")]
    bob.ask("JOIN #a")
    assert params(ann.ask("KICK #a bob :out"), "KICK") == [("#a", "bob", "out")]
    assert bob.next("KICK").params == ("#a", "bob", "out")


def test_too_long_reasons_are_cut(server: MakeServer, clients: Clients) -> None:
    """Nobody has to stay because the last words are too long; TOPICLEN, KICKLEN and AWAYLEN are what is left."""
    running = server()
    ann, bob = irc(clients, running, "ann", "#a"), irc(clients, running, "bob", "#a")
    ann.sync()

    (topic,) = params(ann.ask("TOPIC #a :" + "x" * 450), "TOPIC")
    (kick,) = params(ann.ask("KICK #a bob :" + "x" * 450), "KICK")
    assert (len(topic[-1]), len(kick[-1])) == (390, 390)
    bob.ask("JOIN #a", "AWAY :" + "x" * 450)
    assert len(params(ann.ask("PRIVMSG bob :hi"), "301")[0][-1]) == 390
    bob.ask("PART #a :" + "x" * 450)
    assert len(ann.next("PART").params[-1]) == 390
    bob.ask("JOIN #a")
    bob.say("QUIT :" + "x" * 450)
    assert len(ann.next("QUIT").params[-1].removeprefix("Quit: ")) == 390
    assert b"ERROR" in bob.read_rest()


def test_texts_beside_messages_have_no_formatting(server: MakeServer, clients: Clients) -> None:
    """Colours and the like are taken away from topics, reasons and names, and nothing is put in their place."""
    running = server()
    ann, bob = irc(clients, running, "ann", "#a"), irc(clients, running, "bob", "#a")
    bob.ask("CAP REQ setname")

    ann.ask("TOPIC #a :\x02tea\x02 at \x0304,01five\x0f", "KICK #a bob :\x1fout\x1f")

    assert [line.params[-1] for line in bob.sync() if line.command in ("TOPIC", "KICK")] == ["tea at five", "out"]
    assert params(bob.ask("SETNAME :\x11Bob\x11"), "SETNAME") == [("Bob",)]
    bob.ask("AWAY :\x16away\x16")
    assert params(ann.ask("PRIVMSG bob :hi"), "301") == [("bob", "away")]


def test_statusmsg(server: MakeServer, clients: Clients) -> None:
    """Each role hears what is for it or for those below it, with the target as it was written."""
    running = server()
    ops, voiced, bob = (irc(clients, running, name, "#a") for name in ("ops", "voiced", "bob"))
    ops.ask("MODE #a +v voiced")
    bob.ask("PRIVMSG @#a :one", "PRIVMSG +#a :two", "NOTICE @+#a :three", "PRIVMSG #a,#A :four")

    def heard(peer: IrcPeer) -> list[tuple[str, ...]]:
        return [line.params for line in peer.sync() if line.command in ("PRIVMSG", "NOTICE")]

    below = [("+#a", "two"), ("+#a", "three"), ("#a", "four")]
    assert (heard(ops), heard(voiced), heard(bob)) == ([("@#a", "one"), *below], below, [])


# People


def test_who_was_here_for_a_moment(server: MakeServer, clients: Clients) -> None:
    """WHOWAS tells of the last one first, and of as many as are wanted."""
    running = server()
    ann = irc(clients, running, "ann")
    for username in ("one", "two"):
        bob = clients.add(IrcPeer(running))
        bob.say("NICK bob", f"USER {username} 0 * :Bob", "QUIT")
        bob.read_rest()

    def users(line: str) -> list[str]:
        heard = ann.ask(line)
        assert heard[-1].command == "369"
        return [found[1] for found in params(heard, "314")]

    assert users("WHOWAS bob") == users("WHOWAS BOB 0") == users("WHOWAS bob -1") == ["~two", "~one"]
    assert users("WHOWAS bob 1") == ["~two"]
    assert codes(ann.ask("WHOWAS nobody")) == ["406", "369"]


def test_monitor(server: MakeServer, clients: Clients) -> None:
    """IRCv3 monitor: coming, a new nickname, going; a change of case is nothing."""
    running = server()
    ann = irc(clients, running, "ann")
    assert [(line.command, line.params[1]) for line in ann.ask("MONITOR + bob,carl,*!*@x")] == [
        ("731", "bob,carl,*!*@x")
    ]

    bob = irc(clients, running, "bob")
    bob.say("NICK BOB", "NICK carl", "QUIT")
    bob.read_rest()

    news = [(line.command, line.params[1].partition("!")[0]) for line in ann.sync()]
    assert news == [("730", "bob"), ("731", "BOB"), ("730", "carl"), ("731", "carl")]
    assert params(ann.ask("MONITOR - bob", "MONITOR L"), "732") == [("carl",)]


def test_operators(server: MakeServer, clients: Clients) -> None:
    """OPER, WALLOPS and KILL; a password that is wrong three times ends the session."""
    running = server(operators={"root": "secret"})
    root, bob = irc(clients, running, "boss", "#a"), irc(clients, running, "bob", "#a", caps="chghost")
    bob.ask("MODE bob +w")

    assert codes(root.ask("OPER root secret")) == ["JOIN", "MODE", "381"]
    root.ask("WALLOPS :hello")
    assert [(line.command, line.params[-1]) for line in bob.sync()] == [
        ("CHGHOST", "operator.irc.pychat"),
        ("WALLOPS", "hello"),
    ]
    assert params(root.ask("WHO * o"), "352")[0][5] == "H*@"
    root.say("KILL bob :too loud")
    killed, end = bob.until("ERROR")[-2:]
    assert (killed.command, killed.nickname, killed.params) == ("KILL", "boss", ("bob", "too loud"))
    assert end.params[0] == "Closing link: killed by boss (too loud)"
    assert root.next("QUIT").nickname == "bob"
    assert codes(root.ask("WALLOPS :", "MODE boss -o", "KILL boss :x")) == ["461", "MODE", "481"]

    eve = irc(clients, running, "eve")
    eve.say("OPER root 1", "OPER root 2", "OPER x 3", "OPER root secret")
    assert codes(eve.until("ERROR")) == ["464", "464", "464", "ERROR"]


# Messages


@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE", "TAGMSG"])
def test_what_one_says_to_oneself_has_the_label_once(server: MakeServer, clients: Clients, command: str) -> None:
    """IRCv3 labeled-response: the echo answers, the message itself is as for anybody."""
    ann = irc(clients, server(), "ann", caps=EVERYTHING)
    text = "" if command == "TAGMSG" else " :hi"

    heard = ann.ask(f"@label=x;+a=b {command} ann{text}")

    assert [(line.command, line.tags.get("label")) for line in heard] == [(command, None), (command, "x")]
    assert {line.tags["+a"] for line in heard} == {"b"}


def test_each_capability_may_be_asked_for_by_a_request_of_its_own(server: MakeServer, clients: Clients) -> None:
    """As senpai does it; that is no stranger who wastes our time."""
    ann = clients.add(IrcPeer(server()))
    ann.say("CAP LS 302", "NICK ann", "USER ann 0 * :Ann", *(f"CAP REQ {name}" for name in OFFERED), "CAP END")

    assert ann.next("001").params[0] == "ann"


@pytest.mark.parametrize("targets", ["ann", "ann,bob"])
@pytest.mark.parametrize("command", ["PRIVMSG", "NOTICE", "TAGMSG"])
def test_without_an_echo_what_one_says_to_oneself_has_no_label(
    server: MakeServer, clients: Clients, command: str, targets: str
) -> None:
    """IRCv3 labeled-response, "Tags": the label is for the acknowledgement only."""
    running = server()
    ann, _ = irc(clients, running, "ann", caps="labeled-response batch message-tags"), irc(clients, running, "bob")

    heard = ann.ask(f"@label=x;+a=b {command} {targets}{'' if command == 'TAGMSG' else ' :hello'}")

    assert [(line.command, line.tags.get("label")) for line in heard] == [(command, None), ("ACK", "x")]


@pytest.mark.parametrize("character", ["a", "é", "語", "😃"])
@pytest.mark.parametrize("step", [0, 1])
def test_every_split_of_the_stream_gives_the_same(
    server: MakeServer, clients: Clients, character: str, step: int
) -> None:
    """Whole or byte by byte; what is too long for one line is cut between characters, and all of it arrives."""
    running = server()
    ann, bob = irc(clients, running, "ann"), irc(clients, running, "bob")
    head = "PRIVMSG bob :"
    for extra in range(4):
        text = "a" * extra + character * ((510 - len(head) - extra) // len(character.encode()))
        line = f"{head}{text}\r\n".encode()
        for part in [line] if not step else [line[at : at + step] for at in range(0, len(line), step)]:
            ann.send(part)
        raw = [Peer.read_line(bob)]
        while len("".join(part.removesuffix("\r").partition(" :")[2] for part in raw)) < len(text):
            raw.append(Peer.read_line(bob))
        assert "".join(part.removesuffix("\r").partition(" :")[2] for part in raw) == text
        assert max(len(f"{part}\n".encode()) for part in raw) <= 512
