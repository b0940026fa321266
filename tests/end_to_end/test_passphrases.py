"""Passwords with blanks, in every language and with every command that takes one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chat_clients import Clients, Peer
from irc_peer import IrcPeer, irc

from pychat import ChatServer, StoredAccounts
from pychat.core.accounts.password_hash import Cost

MakeServer = Callable[..., ChatServer]

PHRASE, OTHER = "correct horse battery", "staple  on two"


@pytest.fixture
def running(server: MakeServer) -> ChatServer:
    """A server whose accounts cost nothing, with an operator."""
    return server(accounts=StoredAccounts(cost=Cost(2, 1, 1), iterations=1), operators={"root": PHRASE})


def typed(peer: Peer, line: str) -> str:
    """Type a line in text; return the first line that comes of it, whoever comes and goes meanwhile."""
    peer.send(f"{line}\n/list\n")
    lines = peer.read_until("-- lobby: ")
    return next(told for told in lines if not told.startswith(("-->", "<--")))


def to_nickserv(peer: IrcPeer, text: str) -> list[str]:
    """Write to NickServ; return what comes of it: numerics, and the texts of notices."""
    heard = peer.ask(f"PRIVMSG NickServ :{text}")
    return [line.params[-1] if line.command == "NOTICE" else line.command for line in heard]


def register_ann(running: ChatServer, clients: Clients) -> None:
    """Make the account of ann, who is not there."""
    tim = clients.json(running, "tim")
    assert tim.answer("register", password=PHRASE, account="ann")["type"] == "logged_in"


@pytest.mark.parametrize("words", [PHRASE, f'"{PHRASE}"', f"  {PHRASE} ", f"ann {PHRASE}", f'ann "{PHRASE}"'])
def test_text_logs_in(running: ChatServer, clients: Clients, words: str) -> None:
    """With the account before the password or without it, with quotes or without them."""
    register_ann(running, clients)
    ann = clients.text(running, "ann")

    ann.send(f"/login {words}\n")

    ann.read_until("-- you are logged in as ann")


def test_text_has_every_command(running: ChatServer, clients: Clients) -> None:
    """Two passwords in one line are told apart by quotes."""
    ann = clients.text(running, "ann")

    assert typed(ann, f"/register {PHRASE}") == "-- the account ann is yours now; you are logged in"
    assert typed(ann, f"/password {PHRASE} {OTHER}") == (
        '! passwords with blanks: put each of them into double quotes, "like this one"'
    )
    assert typed(ann, f'/password "{PHRASE}" "{OTHER}"') == "-- the password of the account ann was changed"
    bob = clients.text(running, "bob")
    bob.send(f"/regain ann {OTHER}\n")
    bob.read_until("bob is now ann")
    assert typed(bob, f"/oper root {PHRASE}") == "-- you are a server operator"
    assert typed(bob, f"/drop {OTHER}") == "-- the account ann was deleted"


def test_nickserv_has_every_command(running: ChatServer, clients: Clients) -> None:
    """As in text; behind REGISTER may be an address, and the nickname before what DROP wants."""
    ann = irc(clients, running, "ann")

    assert "900" in to_nickserv(ann, f"REGISTER {PHRASE}")
    assert "901" in to_nickserv(ann, "LOGOUT")
    assert "900" in to_nickserv(ann, f"IDENTIFY {PHRASE}")
    to_nickserv(ann, "LOGOUT")
    assert "900" in to_nickserv(ann, f"IDENTIFY ann {PHRASE}")
    assert to_nickserv(ann, f"PASSWD {PHRASE} {OTHER}") == [
        'NickServ: passwords with blanks: put each of them into double quotes, "like this one"'
    ]
    assert "the password of the account ann was changed" in to_nickserv(ann, f'PASSWD "{PHRASE}" "{OTHER}"')
    bob = irc(clients, running, "bob")
    assert "900" in to_nickserv(bob, f"REGAIN ann {OTHER}")
    assert "the account ann was deleted" in to_nickserv(bob, f"DROP ann {OTHER}")
    assert "900" in to_nickserv(bob, "REGISTER sesame12 bob@example.org")
    assert "the account ann was deleted" in to_nickserv(bob, "DROP sesame12")


@pytest.mark.parametrize("colon", ["", ":"])
def test_commands_of_irc_take_them(running: ChatServer, clients: Clients, colon: str) -> None:
    """Also without a colon, as people type them."""
    ann = irc(clients, running, "ann")

    assert "REGISTER" in [line.command for line in ann.ask(f"REGISTER * * {colon}{PHRASE}")]
    assert "381" in [line.command for line in ann.ask(f"OPER root {colon}{PHRASE}")]
    bob = clients.text(running, "bob")
    assert typed(bob, f"/login ann {PHRASE}") == "-- you are logged in as ann"


def test_the_password_of_the_server_may_have_blanks(server: MakeServer, clients: Clients) -> None:
    """In text it is asked for, IRC has PASS."""
    running = server(password=PHRASE)
    text = clients.raw(running)
    text.send("ann\n")
    text.read_until("password")

    text.send(f"{PHRASE}\n")

    text.read_until("welcome to")
    for number, colon in enumerate(("", ":")):
        bob = clients.add(IrcPeer(running))
        bob.say(f"PASS {colon}{PHRASE}")
        bob.register(f"bob{number}")


def test_the_password_of_the_server_may_be_long(server: MakeServer, clients: Clients) -> None:
    """Longer than other lines of IRC may be."""
    long = "correct horse " * 36 + "battery!"
    bob = clients.add(IrcPeer(server(password=long)))

    bob.say(f"PASS :{long}")

    assert bob.register("bob")[0].command == "001"


def test_the_first_word_may_be_somebody(running: ChatServer, clients: Clients) -> None:
    """Then it is the account, and quotes tell that it is not."""
    register_ann(running, clients)
    correct = clients.json(running, "correct")
    assert correct.answer("register", password="another word")["type"] == "logged_in"
    ann = clients.text(running, "ann")

    ann.send(f"/login {PHRASE}\n")
    ann.read_until("! wrong account or password")
    ann.send(f'/login "{PHRASE}"\n')
    ann.read_until("-- you are logged in as ann")


def test_a_new_password_is_one_that_can_be_typed(running: ChatServer, clients: Clients) -> None:
    """Blanks at its ends are lost in most places, and who names the nickname before it means another command."""
    ann = clients.json(running, "ann")

    for password in (f" {PHRASE}", f"{PHRASE} "):
        answer = ann.answer("register", password=password)
        assert (answer["code"], answer["text"]) == ("bad_password", "a password must not begin or end with a blank")
    text = clients.text(running, "Bob")
    assert typed(text, f"/register bob {PHRASE}") == ("! the password begins with the nickname; type only the password")


def test_quotes_are_part_of_a_password_without_blanks(running: ChatServer, clients: Clients) -> None:
    """As they always were."""
    ann = clients.text(running, "ann")

    ann.send('/register "sesame12"\n')
    ann.read_until("you are logged in")

    bob = clients.json(running, "bob")
    assert bob.answer("login", account="ann", password='"sesame12"')["type"] == "logged_in"


def test_a_client_can_hand_on_what_was_typed(running: ChatServer, clients: Clients) -> None:
    """As `pychat connect` does; without `typed` an account is what it is."""
    register_ann(running, clients)
    ann = clients.json(running, "ann")
    first, _, rest = PHRASE.partition(" ")

    assert ann.answer("login", account=first, password=rest)["code"] == "bad_credentials"
    assert ann.answer("login", account=first, password=rest, typed=True)["account"] == "ann"


def test_a_password_may_have_512_characters(running: ChatServer, clients: Clients) -> None:
    """And no more. A line of IRC may be as long as one of text."""
    long = "correct horse " * 36 + "battery!"
    assert len(long) == 512
    ann = irc(clients, running, "ann")

    assert "REGISTER" in [line.command for line in ann.ask(f"REGISTER * * :{long}")]

    bob = clients.json(running, "bob")
    assert bob.answer("login", account="ann", password=long)["type"] == "logged_in"
    bob.answer("logout")
    assert bob.answer("register", password=f"{long}!")["text"] == "a password must have 8 to 512 characters"
