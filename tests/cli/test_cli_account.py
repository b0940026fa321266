"""Logging in from the command line, at the terminal, and from a program that comes back."""

from __future__ import annotations

import pytest
from chat_clients import Clients, JsonPeer, free_port
from chat_programs import PYCHAT, Programs, pychat
from irc_peer import IrcPeer
from terminal_screen import ARROW_UP, ENTER, Terminals, terminals

from pychat import ChatServer, StoredAccounts
from pychat.client import ChatClient, Reconnected
from pychat.core.accounts.password_hash import Cost
from pychat.testing import MakeChat

__all__ = ["pychat", "terminals"]  # the fixtures

PASSWORD = "correct-horse"


@pytest.fixture
def running(chat_server: MakeChat) -> ChatServer:
    """A server where ann has an account."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    accounts.register("ann", PASSWORD)
    return chat_server(accounts=accounts).server


@pytest.fixture
def bob(running: ChatServer, clients: Clients) -> JsonPeer:
    """Somebody who sees who comes."""
    return clients.json(running, "bob")


def write(pychat: Programs, text: str) -> str:
    """A file with a password; its name."""
    path = pychat.directory / "account-password"
    path.write_text(text)
    path.chmod(0o600)
    return path.name


@pytest.mark.parametrize("command", ["connect", "send"])
def test_a_command_logs_in(pychat: Programs, running: ChatServer, bob: JsonPeer, command: str) -> None:
    """By a file or a variable; `connect` is called like the account."""
    arguments = [command, "--quiet", "--account", "ann", "--port", str(running.port)]
    nick = [] if command == "connect" else ["--nick", "ann"]

    by_file = pychat.run(*arguments, *nick, "--account-password-file", write(pychat, PASSWORD), input="one")
    by_variable = pychat.run(*arguments, "--nick", "tim", input="two", PYCHAT_ACCOUNT_PASSWORD=PASSWORD)

    assert (by_file.returncode, by_file.stderr) == (by_variable.returncode, by_variable.stderr) == (0, "")
    said = [bob.next("message") for _ in range(2)]
    assert [(one["nick"], one["account"], one["text"]) for one in said] == [
        ("ann", "ann", "one"),
        ("tim", "ann", "two"),
    ]


def test_a_wrong_or_missing_password_is_exit_code_4(pychat: Programs, running: ChatServer) -> None:
    """In a pipe nobody can be asked; the line says how to give it."""
    arguments = ["send", "--account", "ann", "--port", str(running.port), "hi"]

    missing = pychat.run(*arguments)
    wrong = pychat.run(*arguments, PYCHAT_ACCOUNT_PASSWORD="guess-guess")

    how = "give it with --account-password-file FILE or in PYCHAT_ACCOUNT_PASSWORD"
    assert (missing.returncode, missing.stderr) == (4, f"Error: the account 'ann' requires its password; {how}\n")
    assert (wrong.returncode, wrong.stderr) == (4, f"Error: wrong account or password; {how}\n")


def test_a_person_is_asked(running: ChatServer, bob: JsonPeer, terminals: Terminals) -> None:
    """A mistyped one is asked for again, and nobody sees it."""
    ann = terminals.start(*PYCHAT, "send", "--account", "ann", "--port", str(running.port), "hi")
    ann.see_line("Password of ann:")
    ann.type(f"guess{ENTER}")
    ann.see("wrong account or password; try again")
    ann.see_line("Password of ann:")
    ann.type(f"{PASSWORD}{ENTER}")

    assert bob.next("message")["account"] == "ann"
    assert ann.wait() == 0
    assert PASSWORD not in ann.written.decode()


def test_an_account_is_made_at_the_terminal(running: ChatServer, terminals: Terminals, pychat: Programs) -> None:
    """The password is asked for twice, is never on the screen, and never in the history."""
    tim = terminals.join(running.port, "tim")
    tim.type(f"/register{ENTER}")
    tim.see_line("new password (8 to 512 characters):")
    tim.type(f"battery-staple{ENTER}")
    tim.see_line("repeat it:")
    tim.type(f"battery-stable{ENTER}")
    tim.see("! the passwords differ; try again, or press Enter to give up")
    tim.see_line("new password (8 to 512 characters):")
    tim.type(f"staple{ENTER}")
    tim.see("! a password must have 8 to 512 characters; try again, or press Enter to give up")
    for question in ("new password (8 to 512 characters):", "repeat it:"):
        tim.see_line(question)
        tim.type(f"battery-staple{ENTER}")
    tim.see("-- the account tim is yours now; you are logged in")

    tim.type(f"/logout{ENTER}")
    tim.see("-- you are logged out")
    tim.type(f"/login battery-staple{ENTER}")
    tim.see("-- you are logged in as tim")
    tim.type(f"/lgoin battery-staple{ENTER}")
    tim.see("! unknown command /lgoin; did you mean /login? /help lists the commands")
    tim.type(f"/password{ENTER}")
    for question, answer in (
        ("old password:", "battery-staple"),
        ("new password (8 to 512 characters):", PASSWORD),
    ):
        tim.see_line(question)
        tim.type(f"{answer}{ENTER}")
    tim.see_line("repeat it:")
    tim.type(f"{PASSWORD}{ENTER}")
    tim.see("-- the password of the account tim was changed")
    tim.type(ARROW_UP)
    tim.see_line("[lobby] /password")

    assert "battery" not in "".join(tim.text())
    (file,) = (pychat.directory / "state" / "pychat" / "history").iterdir()
    assert file.read_text() == '"/register"\n"/logout"\n"/password"\n'


def test_a_client_logs_in_again_when_it_comes_back(chat_server: MakeChat) -> None:
    """Also to a server that was started anew, and also if it has logged in, or changed the password, on the way."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    accounts.register("ann", PASSWORD)
    first = chat_server(accounts=accounts, port=free_port())
    with (
        ChatClient(port=first.port, nick="ann", account="ann", account_password=PASSWORD, reconnect=True) as ann,
        ChatClient(port=first.port, nick="tim", reconnect=True) as tim,
    ):
        tim.register("battery-staple")
        tim.change_password("battery-staple", "staple-battery")
        first.server.stop()
        accounts.registers = False
        second = chat_server(accounts=accounts, port=first.port)
        for client in (ann, tim):
            client.next(Reconnected, timeout=30)

        sessions = {name: second.server.chat.find(name) for name in ("ann", "tim")}
        assert {name: session and session.account for name, session in sessions.items()} == {"ann": "ann", "tim": "tim"}
        assert tim.log_in("staple-battery") == "tim"
        tim.log_out()
        ann.drop_account(PASSWORD)


def test_who_was_logged_out_comes_back_as_a_guest(chat_server: MakeChat) -> None:
    """With a password that somebody else has changed it would not come back at all."""
    accounts = StoredAccounts(cost=Cost(2, 1, 1), iterations=1)
    accounts.register("ann", PASSWORD)
    first = chat_server(accounts=accounts, port=free_port())
    with ChatClient(port=first.port, nick="tim", account="ann", account_password=PASSWORD, reconnect=True) as tim:
        owner = first.server.session("ann")
        owner.log_in(PASSWORD)
        owner.change_password(PASSWORD, "battery-staple")
        tim.members()  # its answer comes behind what was heard before
        first.server.stop()
        second = chat_server(accounts=accounts, port=first.port)

        tim.next(Reconnected, timeout=30)

        session = second.server.chat.find("tim")
        assert session is not None
        assert session.account is None


def test_a_server_where_nobody_can_make_an_account(pychat: Programs, clients: Clients) -> None:
    """It says so, in JSON and to IRC clients, which are not offered it."""
    server = pychat("serve", "--port", "0", "--no-registration")
    port = server.read_port()

    ann = clients.json(("127.0.0.1", port), "ann")
    assert ann.answer("register", password=PASSWORD)["code"] == "unsupported"
    eve = clients.add(IrcPeer(("127.0.0.1", port)))
    eve.say("CAP LS 302")
    assert "registration" not in eve.next("CAP").params[-1]
