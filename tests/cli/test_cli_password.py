"""The password of a server, from the command lines of both sides."""

from __future__ import annotations

import pytest
from chat_clients import Clients
from chat_programs import PYCHAT, Program, Programs, plan, pychat
from terminal_screen import CTRL_D, ENTER, Terminals, terminals

from pychat.cli.addresses import Access
from pychat.cli.server import serve as daemon

__all__ = ["pychat", "terminals"]  # the fixtures

PASSWORD = "open, sesame"


def serve(pychat: Programs) -> tuple[Program, int]:
    """A server with a password."""
    server = pychat("serve", "--port", "0", PYCHAT_SERVE_PASSWORD=PASSWORD)
    return server, server.read_port()


def write(pychat: Programs, text: str = f"{PASSWORD}\n", mode: int = 0o600) -> str:
    """A file with a password; its name."""
    path = pychat.directory / "password"
    path.write_text(text)
    path.chmod(mode)
    return path.name


# The server


def asked(port: int) -> str:
    """Return the question for the password of the server."""
    return f"Password of the server at 127.0.0.1 port {port}:"


def test_a_server_has_its_password_from_a_file(pychat: Programs, clients: Clients) -> None:
    """It says so, and not which."""
    server = pychat("serve", "--port", "0", "--password-file", write(pychat))
    port = server.read_port()

    assert (
        server.stdout.read_until("password")[-1] == "The server requires a password: nc and pychat connect ask for it."
    )
    ann = clients.new_json(("127.0.0.1", port))
    assert ann.answer("hello", nick="ann")["code"] == "password_required"
    assert ann.answer("hello", nick="ann", password=PASSWORD)["type"] == "welcome"


def test_the_variable_of_a_server_counts_before_its_file(pychat: Programs, clients: Clients) -> None:
    """As with all options."""
    server = pychat("serve", "--port", "0", "--password-file", write(pychat, "other"), PYCHAT_SERVE_PASSWORD=PASSWORD)
    ann = clients.new_json(("127.0.0.1", server.read_port()))

    assert ann.answer("hello", nick="ann", password=PASSWORD)["type"] == "welcome"


@pytest.mark.parametrize(
    ("arguments", "variable", "problem"),
    [
        (["--password-file", "missing"], "x", "Invalid value for '--password-file': File 'missing' does not exist."),
        (["--password-file", "password"], None, "password file 'password': a password must be one line, "),
        ([], "", "PYCHAT_SERVE_PASSWORD: it contains no password"),
        (["--password", "secret"], "x", "No such option '--password'."),
    ],
)
def test_a_password_that_cannot_be_is_exit_code_2(
    pychat: Programs, arguments: list[str], variable: str | None, problem: str
) -> None:
    """A server that was to be closed is not open instead; and no option takes a password."""
    write(pychat, "secret\nsecret\n")
    environment = {} if variable is None else {"PYCHAT_SERVE_PASSWORD": variable}

    result = pychat.run("serve", "--port", "0", *arguments, **environment)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"Error: {problem}")


def test_the_warnings_of_a_server_that_listens_everywhere(pychat: Programs) -> None:
    """With a password it is about being overheard; and the file is nobody else's business."""
    path = pychat.directory / write(pychat, mode=0o644)
    what = plan(
        host="0.0.0.0",
        password_file=path,
    )

    assert daemon.warnings(what, Access(has_password=True)) == [
        (
            "everybody who can reach this machine and has the password can join: pychat listens on all its addresses "
            "(0.0.0.0) without TLS, so it can be overheard"
        ),
        (
            f"everybody on this machine can read the passwords in {str(path)!r}; make it readable only for yourself: "
            "chmod 600"
        ),
    ]
    assert daemon.warnings(what._replace(host="127.0.0.1", password_file=None), Access()) == []


# The clients


@pytest.mark.parametrize("command", ["connect", "send"])
def test_a_client_has_the_password_from_a_file_or_a_variable(pychat: Programs, clients: Clients, command: str) -> None:
    """Both are good for every command that connects."""
    _, port = serve(pychat)
    bob = clients.json(("127.0.0.1", port), "bob", password=PASSWORD)
    arguments = [command, "--quiet", "--port", str(port)]

    by_file = pychat.run(*arguments, "--nick", "ci", "--password-file", write(pychat), input="one")
    by_variable = pychat.run(*arguments, "--nick", "ci2", input="two", PYCHAT_PASSWORD=PASSWORD)

    assert (by_file.returncode, by_file.stderr) == (by_variable.returncode, by_variable.stderr) == (0, "")
    assert [bob.next("message")["text"] for _ in range(2)] == ["one", "two"]


def test_tail_gives_the_password(pychat: Programs, clients: Clients) -> None:
    """It follows, too."""
    _, port = serve(pychat)
    bob = clients.json(("127.0.0.1", port), "bob", password=PASSWORD)
    bob.answer("say", text="begin")
    tail = pychat("tail", "--nick", "eye", "--port", str(port), PYCHAT_PASSWORD=PASSWORD)
    tail.stdout.read_until("begin")

    bob.answer("say", text="hi")

    assert tail.stdout.read_until("hi")[-1][8:] == "bob: hi"


@pytest.mark.parametrize("command", ["connect", "send", "tail"])
def test_without_a_password_or_with_a_wrong_one_it_is_exit_code_4(pychat: Programs, command: str) -> None:
    """In a pipe nobody can be asked; the line says how to give it."""
    _, port = serve(pychat)
    arguments = [command, "--nick", "ci", "--port", str(port)]

    missing = pychat.run(*arguments, input="hi")
    wrong = pychat.run(*arguments, input="hi", PYCHAT_PASSWORD="guess")

    how = "give it with --password-file FILE or in PYCHAT_PASSWORD"
    assert (missing.returncode, missing.stderr) == (4, f"Error: this server requires a password; {how}\n")
    assert (wrong.returncode, wrong.stderr) == (4, f"Error: wrong password; {how}\n")


# A person at a terminal


def test_a_person_is_asked_and_the_password_is_not_shown(
    pychat: Programs, clients: Clients, terminals: Terminals
) -> None:
    """A mistyped one is asked for again."""
    _, port = serve(pychat)
    bob = clients.json(("127.0.0.1", port), "bob", password=PASSWORD)
    ann = terminals.start(*PYCHAT, "send", "--nick", "ann", "--port", str(port), "hi")
    ann.see_line(asked(port))

    ann.type(f"guess{ENTER}")
    ann.see("wrong password; try again")
    ann.see_line(asked(port))
    ann.type(f"{PASSWORD}{ENTER}")

    assert bob.next("message")["text"] == "hi"
    assert ann.wait() == 0
    assert ann.screen.rows() == [asked(port), "wrong password; try again", asked(port)]


def test_a_person_is_asked_three_times(pychat: Programs, terminals: Terminals) -> None:
    """Then it is a refusal as any other."""
    _, port = serve(pychat)
    ann = terminals.start(*PYCHAT, "send", "--nick", "ann", "--port", str(port), "hi")

    for number in range(1, 4):
        ann.wait_for(lambda number=number: ann.written.count(b"Password of the server at ") == number, "the question")  # type: ignore[misc]
        ann.type(f"guess{ENTER}")

    assert ann.wait() == 4
    assert ann.text()[-1].startswith("Error: wrong password; ")


def test_a_person_who_does_not_answer_is_refused(pychat: Programs, terminals: Terminals) -> None:
    """Ctrl-D says that there is no password."""
    _, port = serve(pychat)
    ann = terminals.start(*PYCHAT, "send", "--nick", "ann", "--port", str(port), "hi")
    ann.see_line(asked(port))

    ann.type(CTRL_D)

    assert ann.wait() == 4


def test_connect_asks_before_the_chat_begins(pychat: Programs, terminals: Terminals) -> None:
    """The same question in front of the client that takes the whole terminal."""
    _, port = serve(pychat)
    ann = terminals(port, "--nick", "ann")
    ann.see_line(asked(port))

    ann.type(f"{PASSWORD}{ENTER}")

    ann.see("-- you are in lobby: ann")
    assert PASSWORD not in ann.written.decode()
