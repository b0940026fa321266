"""Accounts as IRC clients know them: SASL, REGISTER, NickServ, and what others see."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest
from chat_clients import Clients
from irc_peer import Heard, IrcPeer, irc

from pychat import ChatServer, Limits, StoredAccounts
from pychat.core.accounts.password_hash import Cost

MakeServer = Callable[..., ChatServer]

PASSWORD = "correct-horse"
AS_BOB = f"bob\0ann\0{PASSWORD}"


@pytest.fixture
def running(server: MakeServer) -> ChatServer:
    """A server where ann has an account."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=64)
    accounts.register("ann", PASSWORD)
    return server(accounts=accounts)


def encoded(text: str) -> str:
    """In base64."""
    return base64.b64encode(text.encode()).decode()


def connect(clients: Clients, running: ChatServer, *lines: str) -> IrcPeer:
    """A connection that has begun to negotiate."""
    peer = clients.add(IrcPeer(running))
    peer.say("CAP LS 302", "CAP REQ :sasl", "NICK ann", "USER ann 0 * :Ann", *lines)
    peer.next("CAP", "ACK")
    return peer


def commands(lines: list[Heard]) -> list[str]:
    """What they are."""
    return [line.command for line in lines]


def test_sasl_plain(running: ChatServer, clients: Clients) -> None:
    """sasl-3.1: logged in before anybody sees the nickname; 900 and 903."""
    peer = connect(clients, running, "AUTHENTICATE PLAIN")
    assert peer.next("AUTHENTICATE").params == ("+",)

    peer.say(f"AUTHENTICATE {encoded(f'ann{chr(0)}ann{chr(0)}{PASSWORD}')}")

    assert peer.next("900").params == ("*", "*!*@*", "ann", "You are now logged in as ann")
    assert peer.next("903").params[0] == "*"
    peer.say("CAP END")
    heard = peer.until("422")
    assert "900" not in commands(heard)
    assert ("330", "ann") in [(line.command, line.params[2]) for line in peer.ask("WHOIS ann") if len(line.params) > 2]
    (reply,) = [line for line in peer.ask("WHO ann %na") if line.command == "354"]
    assert reply.params == ("ann", "ann", "ann")


def test_sasl_scram(running: ChatServer, clients: Clients) -> None:
    """RFC 7677: the password is never said; the server proves that it knows it, too."""
    peer = connect(clients, running, "AUTHENTICATE SCRAM-SHA-256")
    peer.next("AUTHENTICATE")
    bare = "n=ann,r=clientnonce"
    peer.say(f"AUTHENTICATE {encoded('n,,' + bare)}")
    first = base64.b64decode(peer.next("AUTHENTICATE").params[0]).decode()
    nonce, salt, iterations = (part[2:] for part in first.split(","))

    salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), base64.b64decode(salt), int(iterations))
    client = hmac.digest(salted, b"Client Key", "sha256")
    without = f"c=biws,r={nonce}"
    exchange = f"{bare},{first},{without}".encode()
    signature = hmac.digest(hashlib.sha256(client).digest(), exchange, "sha256")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, signature, strict=True))).decode()
    peer.say(f"AUTHENTICATE {encoded(f'{without},p={proof}')}")
    last = base64.b64decode(peer.next("AUTHENTICATE").params[0]).decode()
    peer.say("AUTHENTICATE +")

    server = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), exchange, "sha256")
    assert last == f"v={base64.b64encode(server).decode()}"
    assert peer.next("900").params[2] == "ann"
    assert peer.next("903")


@pytest.mark.parametrize(
    ("lines", "numerics"),
    [
        (["AUTHENTICATE EXTERNAL"], ["908", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE *"], ["AUTHENTICATE", "906"]),
        (["AUTHENTICATE *"], ["906"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE !!"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE +"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", f"AUTHENTICATE {encoded('x' * 40)}"], ["AUTHENTICATE", "904"]),
        (
            ["AUTHENTICATE PLAIN", f"AUTHENTICATE {encoded(AS_BOB)}"],
            ["AUTHENTICATE", "904"],
        ),
        (["AUTHENTICATE PLAIN", f"AUTHENTICATE {encoded(chr(0) + 'ann' + chr(0) + 'wrong')}"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE " + "A" * 401], ["AUTHENTICATE", "905"]),
        (["AUTHENTICATE PLAIN", *["AUTHENTICATE " + "A" * 400] * 11], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE " + "A" * 400, "AUTHENTICATE +"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE SCRAM-SHA-256", f"AUTHENTICATE {encoded('n,,n=ann')}"], ["AUTHENTICATE", "904"]),
        (
            [
                "AUTHENTICATE SCRAM-SHA-256",
                f"AUTHENTICATE {encoded('n,,n=ann,r=x')}",
                f"AUTHENTICATE {encoded('c=biws,r=wrong,p=AAAA')}",
                "AUTHENTICATE EXTERNAL",
            ],
            ["AUTHENTICATE", "AUTHENTICATE", "904", "908", "904"],
        ),
        (["AUTHENTICATE"], ["461"]),
    ],
)
def test_what_fails(running: ChatServer, clients: Clients, lines: list[str], numerics: list[str]) -> None:
    """Each with its numeric; the connection stays, and a second try is as good as the first."""
    peer = connect(clients, running)

    assert commands(peer.ask(*lines)) == numerics

    peer.ask("AUTHENTICATE PLAIN")
    again = peer.ask(f"AUTHENTICATE {encoded(chr(0) + 'ann' + chr(0) + PASSWORD)}")
    assert commands(again) == ["900", "903"]


@pytest.mark.parametrize("part", [[], ["AUTHENTICATE " + "A" * 400]])
def test_who_comes_in_before_the_end_of_sasl(running: ChatServer, clients: Clients, part: list[str]) -> None:
    """sasl-3.1: the exchange is aborted (906), and the client is registered without it."""
    peer = connect(clients, running, "NICK tim", "AUTHENTICATE PLAIN", *part, "CAP END")

    heard = commands(peer.until("422"))

    assert heard[:3] == ["AUTHENTICATE", "906", "001"]
    assert "330" not in commands(peer.ask("WHOIS tim"))


@pytest.mark.parametrize("more", [[], ["AUTHENTICATE PLAIN"]])
def test_who_comes_in_instead_of_proving(running: ChatServer, clients: Clients, more: list[str]) -> None:
    """The same behind the first message of SCRAM, also if it begins anew; the proof is too late then."""
    peer = connect(clients, running, "NICK tim", "AUTHENTICATE SCRAM-SHA-256")
    peer.next("AUTHENTICATE")
    peer.say(f"AUTHENTICATE {encoded('n,,n=ann,r=clientnonce')}")
    peer.next("AUTHENTICATE")
    peer.say(*more, "CAP END")

    heard = commands(peer.until("422"))

    assert heard[: len(more) + 2] == ["AUTHENTICATE"] * len(more) + ["906", "001"]
    assert heard.count("906") == 1
    assert commands(peer.ask(f"AUTHENTICATE {encoded('c=biws,r=clientnonce,p=AAAA')}"))[-1] == "904"
    assert commands(peer.ask("NICK tom")) == ["NICK"]


def test_registering(running: ChatServer, clients: Clients) -> None:
    """draft/account-registration, before and after coming in."""
    bob = irc(clients, running, "bob")
    (login, done) = bob.ask(f"REGISTER * * {PASSWORD}")
    assert (login.command, done.command, done.params[:2]) == ("900", "REGISTER", ("SUCCESS", "bob"))
    early = clients.add(IrcPeer(running))
    early.say("CAP LS 302", "NICK tim", "USER tim 0 * :Tim")
    assert "draft/account-registration=before-connect,custom-account-name" in early.next("CAP").params[-1].split()
    assert early.ask(f"REGISTER tim tim@example.org {PASSWORD}")[-1].params[:2] == ("SUCCESS", "tim")


def test_nobody_registers_without_the_password_of_the_server(server: MakeServer, clients: Clients) -> None:
    """Else strangers could take nicknames for ever; who has come in has said it."""
    running = server(password="sesame", accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=64))
    for said in ((), ("PASS wrong",), ("PASS sesame",)):
        early = clients.add(IrcPeer(running))
        early.say("CAP LS 302", *said, "NICK tim", f"REGISTER tim * {PASSWORD}")
        assert "draft/account-registration=custom-account-name" in early.next("CAP").params[-1].split()
        assert early.next("FAIL").params[:3] == ("REGISTER", "COMPLETE_CONNECTION_REQUIRED", "tim")

    early.say("USER tim 0 * :Tim", "CAP END")
    early.until("422")
    assert early.ask(f"REGISTER * * {PASSWORD}")[-1].params[:2] == ("SUCCESS", "tim")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("REGISTER ann * battery-staple", ("FAIL", "REGISTER", "ACCOUNT_EXISTS", "ann")),
        ("REGISTER a:b * correct-horse", ("FAIL", "REGISTER", "BAD_ACCOUNT_NAME", "a:b")),
        ("REGISTER * * short", ("FAIL", "REGISTER", "UNACCEPTABLE_PASSWORD", "eve")),
        ("VERIFY eve 123", ("FAIL", "VERIFY", "INVALID_CODE", "eve")),
        ("REGISTER eve", ("461", "eve", "REGISTER", "Not enough parameters")),
    ],
)
def test_what_cannot_be_registered(running: ChatServer, clients: Clients, line: str, words: tuple[str, ...]) -> None:
    """With the codes of the specification."""
    eve = irc(clients, running, "eve")

    (reply,) = eve.ask(line)

    assert (reply.command, *reply.params)[: len(words)] == words


def test_others_see_accounts(running: ChatServer, clients: Clients) -> None:
    """account-tag, account-notify, extended-join: for those who have negotiated them, and for nobody else."""
    eve = irc(clients, running, "eve", "#lobby", caps="account-tag account-notify extended-join")
    old = irc(clients, running, "old", "#lobby")
    assert eve.next("JOIN", "*").params == ("#lobby", "*", "old of the tests")
    bob = irc(clients, running, "bob", "#lobby")
    bob.ask(f"NICKSERV IDENTIFY ann {PASSWORD}")
    assert eve.next("ACCOUNT").params == ("ann",)
    bob.ask("PRIVMSG #lobby :hello", "PART #lobby", "JOIN #lobby")

    assert eve.next("PRIVMSG").tags["account"] == "ann"
    assert eve.next("JOIN", "ann").params == ("#lobby", "ann", "bob of the tests")
    heard = old.until("PART")
    assert "ACCOUNT" not in commands(heard)
    assert not [line for line in heard if line.tags]
    assert old.next("JOIN", "#lobby").params == ("#lobby",)
    bob.ask("NICKSERV LOGOUT")
    assert eve.next("ACCOUNT").params == ("*",)


def test_whatever_a_person_does_tells_the_account_and_that_it_is_a_bot(running: ChatServer, clients: Clients) -> None:
    """account-tag and bot-mode: on all commands, live and in the history."""
    caps = "account-tag message-tags batch invite-notify away-notify setname chghost draft/chathistory"
    eve = irc(clients, running, "eve", "#ops", caps=f"{caps} draft/event-playback")
    bob = irc(clients, running, "bob", "#ops", caps="message-tags")
    eve.ask("MODE #ops +o bob", "MODE #ops +v eve")
    bob.ask(f"NICKSERV IDENTIFY ann {PASSWORD}", "MODE bob +B")
    eve.sync()

    bob.ask("TOPIC #ops :tea", "MODE #ops +m", "INVITE old #ops", "AWAY :lunch", "SETNAME :Bob", "@+x=1 TAGMSG #ops")
    bob.ask("PRIVMSG #ops :hi", "NOTICE #ops :hi", "PART #ops", "JOIN #ops", "NICK bobby", "PRIVMSG eve :hi")
    old = irc(clients, running, "old")
    bob.ask("INVITE old #ops")
    heard = eve.ask("MODE #ops +o bobby")
    bob.ask("KICK #ops eve")
    heard = [line for line in [*heard, *eve.sync()] if line.source.startswith("bob")]

    assert {line.command for line in heard} >= {"TOPIC", "MODE", "AWAY", "SETNAME", "TAGMSG", "PRIVMSG", "NOTICE"}
    assert {line.command for line in heard} >= {"PART", "JOIN", "NICK", "KICK"}
    assert [line for line in heard if line.tags.get("account") != "ann" or "bot" not in line.tags] == []
    assert old.next("INVITE").tags == {}


def test_what_is_said_to_nickserv(running: ChatServer, clients: Clients) -> None:
    """It does what it means, and nobody else ever gets it."""
    eve = irc(clients, running, "eve")
    assert commands(eve.ask("NICK NickServ")) == ["432"]

    assert commands(eve.ask("PRIVMSG NickServ :IDENTIFY ann wrong-horse")) == ["NOTICE"]
    assert [line.command for line in eve.ask(f"PRIVMSG NickServ :IDENTIFY ann {PASSWORD}")] == ["900"]
    assert commands(eve.ask("PRIVMSG nickserv :LOGOUT")) == ["901"]
    helped = eve.ask("PRIVMSG NickServ :what?", "NICKSERV")
    assert {line.params[-1].split(":")[0] for line in helped} == {"NickServ"}
    assert len(helped) == 12
    (done,) = eve.ask(f"NS REGAIN ann {PASSWORD}")
    assert done.command == "421"


def test_a_borrowed_nickname(server: MakeServer, clients: Clients) -> None:
    """The server says so after the welcome; who knows the password can take it back."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=64)
    accounts.register("ann", PASSWORD)
    running = server(accounts=accounts)
    eve = clients.add(IrcPeer(running))
    eve.register("ann")
    assert "belongs to an account" in eve.next("NOTICE").params[-1]

    bob = irc(clients, running, "bob")
    bob.ask(f"NICKSERV REGAIN ann {PASSWORD}")

    renamed = eve.next("NICK")
    assert renamed.nickname == "ann"
    assert renamed.params[0].startswith("guest-")
    assert {line.params[0] for line in bob.ask("WHOIS ann")} == {"ann"}


def test_who_was_renamed_registers_the_new_nickname(server: MakeServer, clients: Clients) -> None:
    """`REGISTER *` means the nickname that one has, also if it was the server that gave it."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=64)
    accounts.register("ann", PASSWORD)
    eve = clients.add(IrcPeer(server(accounts=accounts, limits=Limits(nickname_grace_seconds=0.01))))
    eve.register("ann")
    guest = eve.next("NICK").params[0]

    reply = eve.ask(f"REGISTER * * {PASSWORD}")[-1]

    assert (reply.command, reply.params[:2]) == ("REGISTER", ("SUCCESS", guest))
