"""IRC: what the server says of its limits is true, and too much of anything is refused while the session goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from chat_clients import Clients, full_chain
from irc_peer import Heard, IrcPeer, irc

from pychat import ChatServer, Limits
from pychat.handlers import FloodControl

MakeServer = Callable[..., ChatServer]


def codes(lines: list[Heard]) -> list[str]:
    """The commands and numerics."""
    return [line.command for line in lines]


def tokens(lines: list[Heard]) -> dict[str, str]:
    """What 005 says."""
    words = (word for line in lines if line.command == "005" for word in line.params[1:-1])
    return {name: value for name, _, value in (word.partition("=") for word in words)}


# Every token of RPL_ISUPPORT is true


class Told:
    """A member that knows what the server says of itself, and a second one."""

    def __init__(self, clients: Clients, server: ChatServer) -> None:
        self.ann, self.bob = clients.add(IrcPeer(server)), irc(clients, server, "bob", "#a")
        burst = self.ann.register("ann")
        self.lines = [line for line in burst if line.command == "005"]
        self.tokens = tokens(burst)
        self.ann.ask("JOIN #mine")

    def number(self, name: str) -> int:
        """The value of a token that is a number."""
        return int(self.tokens[name])

    def says(self, line: str) -> list[str]:
        """The numerics and commands that answer a line."""
        return codes(self.ann.ask(line))


Claim = Callable[[Told], Iterator[bool]]


def _lengths(told: Told) -> Iterator[bool]:
    for name, line, fits, refused in (
        ("NICKLEN", "NICK {}", "NICK", "432"),
        ("CHANNELLEN", "JOIN #{}", "JOIN", "403"),
        ("KEYLEN", "MODE #mine +k {}", "MODE", "696"),
    ):
        size = told.number(name) - (name == "CHANNELLEN")
        yield told.says(line.format("x" * size))[0] == fits
        yield told.says(line.format("y" * (size + 1))) == [refused]


def _texts(told: Told) -> Iterator[bool]:
    for name, line in (("TOPICLEN", "TOPIC #mine :"), ("KICKLEN", "KICK #mine ann :")):
        yield told.ann.ask(line + "x" * 450)[0].params[-1] == "x" * told.number(name)
    told.bob.ask("AWAY :" + "x" * 450)
    yield told.ann.ask("PRIVMSG bob :hi")[0].params[-1] == "x" * told.number("AWAYLEN")


def _names(told: Told) -> Iterator[bool]:
    yield told.ann.ask("WHOIS ann")[0].params[2] == "~ann"
    told.ann.ask("CAP REQ setname")
    yield told.says("SETNAME :" + "x" * told.number("NAMELEN")) == ["SETNAME"]
    yield told.says("SETNAME :" + "y" * (told.number("NAMELEN") + 1)) == ["FAIL"]
    told.bob.say("QUIT")
    yield told.tokens["NETWORK"] == "pychat"


def _channels(told: Told) -> Iterator[bool]:
    most = int(told.tokens["CHANLIMIT"].removeprefix("#:"))
    yield told.says("JOIN " + ",".join(f"#{number}" for number in range(most - 1))).count("JOIN") == most - 1
    yield told.says("JOIN #more") == ["405"]
    yield told.tokens["CHANTYPES"] == "#"
    yield told.says("JOIN &x") == ["403"]


def _targets(told: Told) -> Iterator[bool]:
    targmax = {name: int(most) for name, most in (pair.split(":") for pair in told.tokens["TARGMAX"].split(","))}
    for command, rest in (("PRIVMSG", " :x"), ("PART", ""), ("WHOIS", ""), ("NAMES", ""), ("LIST", "")):
        names = [f"#n{number}" for number in range(targmax[command] + 1)]
        yield f"407 {names[-1]}" in [
            f"{line.command} {line.params[1]}" for line in told.ann.ask(f"{command} {','.join(names)}{rest}")
        ]
        yield "407" not in told.says(f"{command} {','.join(names[:-1])}{rest}")


def _modes(told: Told) -> Iterator[bool]:
    lists, always, when_set, never = told.tokens["CHANMODES"].split(",")
    for letter in lists:
        yield told.says(f"MODE #mine +{letter} x!*@*") == ["MODE"]
        yield told.says(f"MODE #mine {letter}")[0] in ("367", "348", "346")
    yield told.says(f"MODE #mine +{always} x") == told.says(f"MODE #mine -{always} x") == ["MODE"]
    for letter in when_set:
        yield told.says(f"MODE #mine +{letter} 5") == told.says(f"MODE #mine -{letter}") == ["MODE"]
    for letter in never.replace("n", ""):
        yield told.says(f"MODE #mine +{letter}") == ["MODE"]
    yield (told.tokens["EXCEPTS"], told.tokens["INVEX"]) == ("e", "I")
    most = told.number("MODES")
    yield told.says("MODE #mine -" + never * (most // len(never))) == ["MODE"]
    yield told.says("MODE #mine +" + "m" * (most + 1)) == ["400"]
    yield told.tokens["PREFIX"] == "(ov)@+"
    yield told.ann.ask("MODE #mine +v ann", "NAMES #mine")[1].params[-1] == "@ann"
    yield told.ann.ask("MODE #mine -o ann", "NAMES #mine")[1].params[-1] == "+ann"


def _lists(told: Told) -> Iterator[bool]:
    letters, most = told.tokens["MAXLIST"].split(":")
    masks = [f"MODE #mine +{letters[number % len(letters)]} x{number}" for number in range(int(most))]
    yield told.ann.ask(*masks) != []
    for letter in letters:
        yield told.ann.ask(f"MODE #mine +{letter} more")[0].command == "478"
    yield (told.tokens["EXTBAN"], told.tokens["ACCOUNTEXTBAN"]) == (",am", "a")
    yield told.ann.ask("MODE #mine -b x1", "MODE #mine +b m:a:eve")[-1].params[-1] == "m:a:eve"


def _silence(told: Told) -> Iterator[bool]:
    most = told.number("SILENCE")
    names = [f"+n{number}" for number in range(most)]
    for at in range(0, most, 20):
        yield told.says("SILENCE " + ",".join(names[at : at + 20])) == ["SILENCE"] * 20
    yield told.says("SILENCE +more") == ["511"]
    yield told.says("SILENCE") == ["271"] * most + ["272"]


def _monitor(told: Told) -> Iterator[bool]:
    most = told.number("MONITOR")
    for at in range(0, most, 20):
        yield told.says("MONITOR + " + ",".join(f"n{number}" for number in range(at, at + 20))) == ["731"]
    yield "734" in told.says("MONITOR + more")


def _case(told: Told) -> Iterator[bool]:
    yield told.tokens["CASEMAPPING"] == "ascii"
    yield told.ann.ask("NICK [a]")[0].command == "NICK"
    yield told.bob.ask("NICK {a}")[-1].command == "NICK"  # other servers, with rfc1459, take these for the same
    yield told.bob.ask("NICK [A]")[-1].command == "433"


def _others(told: Told) -> Iterator[bool]:
    yield told.says("WHO #mine %tn,7") == ["354", "315"]
    yield told.says("MODE ann +" + told.tokens["BOT"]) == ["MODE"]
    yield {"SAFELIST", "UTF8ONLY", "WHOX"} <= set(told.tokens)
    yield told.tokens["ELIST"] == "CMNTU"
    found = [told.ann.ask(f"LIST {item}") for item in ("C<5", "#m*", "!#m*", "T>5", ">0")]
    yield [codes(lines).count("322") for lines in found] == [2, 1, 1, 0, 2]
    yield (told.tokens["CHATHISTORY"], told.tokens["MSGREFTYPES"]) == ("500", "msgid,timestamp")
    yield told.tokens["STATUSMSG"] == "@+"
    told.ann.send(b"PRIVMSG bob :\xff\r\n")
    yield [line.params[:2] for line in told.ann.sync()] == [("PRIVMSG", "INVALID_UTF8")]


@pytest.mark.parametrize(
    "claim", [_lengths, _texts, _names, _channels, _targets, _modes, _lists, _silence, _monitor, _case, _others]
)
def test_every_token_is_true(server: MakeServer, clients: Clients, claim: Claim) -> None:
    """Modern IRC, "RPL_ISUPPORT Parameters": at the limit it works, one more is refused or cut."""
    assert all([*claim(Told(clients, server()))])


def test_tokens_fit_in_their_lines(server: MakeServer, clients: Clients) -> None:
    """At most 13 in a line, and none is cut, however long the names of the network and the reader are."""
    ann = clients.add(IrcPeer(server(name="The network of those who like very long names " * 2)))

    burst = ann.register("語" * 32)

    assert tokens(burst)["NETWORK"] == r"The\x20network\x20of\x20those\x20who\x20like\x20very\x20long\x20names\x20" * 2
    assert {"AWAYLEN", "TOPICLEN", "WHOX"} <= set(tokens(burst))
    lines = [line for line in burst if line.command == "005"]
    assert all(len(line.params) <= 15 and line.params[-1] == "are supported by this server" for line in lines)


# Too much


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        (b"JOIN " + b",".join(b"#%d" % number for number in range(10_000)), ["417"]),
        (b"JOIN " + b"," * 500, ["461"]),
        (b"JOIN " + b",".join(b"#%d" % number for number in range(90)), [*["JOIN", "353", "366"] * 20, "407"]),
        (b"PRIVMSG " + b",".join([b"n"] * 1000) + b" :x", ["417"]),
        (b"PRIVMSG " + b",".join(b"n%d" % number for number in range(100)) + b" :x", [*["401"] * 4, "407"]),
        (b"MODE #a +" + b"o" * 5000, ["417"]),
        (b"MODE #a +" + b"b" * 490, ["400"]),
        (b"MODE ann +" + b"i" * 490, ["400"]),
        (b"WHO " + b"*?" * 250, ["315"]),
        (b"LIST " + b",".join([b"*a*a*a*a*a*"] * 40), ["321", "323", "407"]),
        (b"ISON " + b"n " * 250, ["303"]),
        (b"@a=" + b"b" * 8000 + b" PING x", ["417"]),
        (b"@a=" + b"b" * 4093 + b" PING x", ["417"]),
        (b"@a=" + b"b" * 4092 + b" PING x", ["PONG"]),
        (b"@" + b"a;" * 2000 + b" PING x", ["PONG"]),
        (b"PING " + b"x" * 505, ["PONG"]),
        (b"PING " + b"x" * 506, ["417"]),
        (b"x" * 100_000, ["417"]),
        (b"\xff" * 500, ["FAIL"]),
        (b"\0" * 500, ["400"]),
        (b"PRIVMSG bob :\r\r\r", ["400"]),
    ],
)
def test_too_much_is_refused_and_the_session_goes_on(
    server: MakeServer, clients: Clients, sent: bytes, answers: list[str]
) -> None:
    """A clear refusal, and a bounded answer; others hear nothing of it."""
    running = server()
    bob = irc(clients, running, "bob", "#other")
    ann = irc(clients, running, "ann")

    ann.send(sent + b"\r\n")

    assert codes(ann.sync()) == answers
    assert bob.sync() == []


def test_a_line_without_an_end_is_the_end(server: MakeServer, clients: Clients) -> None:
    """It is refused, and then the connection is over: nothing behind it can be understood."""
    ann = irc(clients, server(), "ann")

    ann.send(b"x" * 300_000)

    assert codes(ann.until("ERROR")) == ["417", "ERROR"]
    assert ann.read_rest() == b""


# Flood control, as `pychat serve` has it


@pytest.mark.parametrize("at_once", [True, False])
def test_a_client_that_comes_back_into_its_rooms_loses_nothing(
    server: MakeServer, clients: Clients, at_once: bool
) -> None:
    """Irssi and WeeChat ask for modes, people and bans of each channel, as soon as they are in it."""
    running = server(
        handlers=[FloodControl(), *full_chain()], limits=Limits(messages_per_second=20.0, delay_seconds=0.2)
    )
    names = [f"#room{number}" for number in range(20)]
    ann = clients.add(IrcPeer(running))
    ann.register("ann", "server-time", "batch", "labeled-response")

    ann.say(
        "MODE ann +i", "MONITOR + bob,carl", *([f"JOIN {','.join(names)}"] if at_once else [f"JOIN {n}" for n in names])
    )
    for name in names:
        ann.say(f"MODE {name}", f"WHO {name} %tcuhnfar,1", f"MODE {name} b")
    heard = codes(ann.sync())

    wanted = ("JOIN", "353", "366", "324", "329", "354", "315", "368")
    assert {command: heard.count(command) for command in wanted} == dict.fromkeys(wanted, 20)
    assert set(heard) == {*wanted, "MODE", "731"}


# Names that are not ASCII


def test_names_of_any_script(server: MakeServer, clients: Clients) -> None:
    """One person, one channel, in whatever case; every line has the name as its owner wrote it."""
    running = server()
    jeanne = irc(clients, running, "Жанна", "#Кафе")
    bob = irc(clients, running, "bob", "#кафе")

    bob.ask("PRIVMSG #КАФЕ :всем", "PRIVMSG жанна :тебе", "MODE #кафе +v ЖАННА", "MONITOR + жАННА")
    heard = [line.params for line in jeanne.sync() if line.command == "PRIVMSG"]
    assert heard == [("#Кафе", "всем"), ("Жанна", "тебе")]
    assert codes(jeanne.ask("MODE жанна +i", "NICK жанна", "MODE #КАФЕ b")) == ["MODE", "NICK", "368"]
    assert codes(bob.ask("NICK ЖАННА")) == ["NICK", "433"]
    assert bob.ask("WHOIS ЖАННА")[0].params[1] == "жанна"


def test_labels_need_batches(server: MakeServer, clients: Clients) -> None:
    """IRCv3 labeled-response, "Dependencies": a client that knows no batch gets none."""
    ann = clients.add(IrcPeer(server()))
    ann.register("ann", "labeled-response")

    heard = ann.ask("@label=x WHOIS ann")

    assert heard[0].command == "311"
    assert "BATCH" not in [line.command for line in heard]
    assert all("label" not in line.tags for line in heard)
