"""`pychat connect` in a pipe, as a process: what it says, what it prints, its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients, free_port
from chat_networks import WELCOME, Script, script
from chat_programs import CALLED, PYCHAT, Programs, pychat

from pychat import Message
from pychat.cli.client.connect import Pipe
from pychat.model.errors import NotConnected
from pychat.model.replies import Bye, MemberInfo, Members, Ok
from pychat.model.verbs import Say

__all__ = ["pychat", "script"]  # the fixtures


def lines_of(text: str) -> list[dict[str, object]]:
    """The objects that a program has printed."""
    return [json.loads(line) for line in text.splitlines()]


# Lines


def test_each_line_is_said_and_acknowledged(pychat: Programs, clients: Clients) -> None:
    """In order; the exit code is 0 when the last one was accepted. An empty line says nothing."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")

    result = pychat.run(
        "connect", "-q", "--nick", "ci", "--port", str(port), input="hi\n\n//quit is no command\r\nlast"
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert bob.read_until("<--") == [
        "--> ci joined lobby",
        "ci: hi",
        "ci: /quit is no command",
        "ci: last",
        "<-- ci left (quit)",
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_line(pychat: Programs, clients: Clients) -> None:
    """Programs of Windows put one before what they write; a line of JSON is one all the same."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")

    for arguments, line in ([], "hi"), (["--json"], '{"type":"say","text":"hi"}'):
        result = pychat.run(
            *("connect", "-q", "--nick", "ci", "--port", str(port), *arguments), input=f"\ufeff{line}\n", PYTHONUTF8="1"
        )

        assert (result.returncode, result.stderr) == (0, "")
        assert bob.read_until("<--") == ["--> ci joined lobby", "ci: hi", "<-- ci left (quit)"]


@pytest.mark.parametrize(
    "line",
    [
        "/login hunter2",
        "/LOGIN hunter2",
        "  /oper root hunter2",
        "\t/msg bob hunter2",
        "/lgoin hunter2",
        "/dev/sda is full",
    ],
)
def test_what_begins_with_a_slash_is_not_said(pychat: Programs, clients: Clients, line: str) -> None:
    """Somebody may think that a pipe has commands; the others are told nothing, and stderr not what it was."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")

    result = pychat.run("connect", "-q", "--nick", "ci", "--port", str(port), input=f"one\n{line}\ntwo")
    sent = pychat.run("send", "--nick", "ci2", "--port", str(port), line)

    assert bob.read_until("<--")[1:-1] == ["ci: one", "ci: two"]
    assert (result.returncode, sent.returncode) == (4, 4)
    assert result.stderr.startswith("Error: line 2: ")
    assert "hunter2" not in result.stderr + sent.stderr
    assert "no" in sent.stderr


def test_a_command_in_the_middle_of_a_message_is_not_said(pychat: Programs) -> None:
    """All lines of stdin are one message for `pychat send`."""
    _, port = pychat.serve()

    sent = pychat.run("send", "--nick", "ci", "--port", str(port), input="log in with\n/login hunter2\n")

    assert (sent.returncode, sent.stderr) == (
        4,
        "Error: there is a line with /login in it: nothing was done, and nothing was sent\n",
    )


def test_a_pipe_talks_in_its_room_or_nowhere(pychat: Programs, clients: Clients) -> None:
    """Whoever is put out of it does not go on in another one."""
    _, port = pychat.serve()
    ann = clients.json(("127.0.0.1", port), "ann", rooms=["ops", "lobby"])
    ci = pychat.connect(port, "ci", "--room", "lobby", "--room", "ops")
    ci.stderr.read_until("you are in ops")

    ann.ask("kick", room="ops", nick="ci")
    ci.stdout.read_until("ci was removed from ops")
    ci.send("a secret of ops")
    ci.stdin.close()

    assert ci.wait() == 4
    assert ci.stderr.read_rest() == ["Error: line 1: you are not in room 'ops'; join it first"]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_room_that_is_refused_ends_it(pychat: Programs, clients: Clients, arguments: list[str]) -> None:
    """It does not talk in another one."""
    _, port = pychat.serve()
    ann = clients.json(("127.0.0.1", port), "ann", rooms=["vault"])
    assert ann.answer("mode", room="vault", modes="+k", args=["sesame"])["type"] == "ok"

    result = pychat.run(
        "connect", "--nick", "ci", "--port", str(port), "--room", "lobby", "--room", "vault", *arguments, input="hi"
    )

    assert (result.returncode, result.stdout) == (4, "")
    assert result.stderr == "Error: room 'vault' requires a key; it is missing or wrong\n"


def test_what_is_heard_is_printed_as_it_comes(pychat: Programs, clients: Clients) -> None:
    """Without colour or prompt, and clean, whoever sent it."""
    _, port = pychat.serve()
    ann = pychat.connect(port, "ann", "--room", "ops", "--create")
    assert ann.stderr.read_until("you are in") == ["-- welcome to pychat, ann", "-- you are in ops: @ann"]

    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    bob.ask("say", text="one\n\x1b[2Jtwo")

    assert ann.stdout.read_until("two") == ["--> bob joined ops", "bob: one", "bob: \ufffd[2Jtwo"]


@pytest.mark.parametrize(
    ("arguments", "told"), [([], ["-- welcome to pychat, ci", "-- you are in lobby: ci"]), (["--quiet"], [])]
)
def test_no_input_is_no_error(pychat: Programs, arguments: list[str], told: list[str]) -> None:
    """It comes, and goes; what it says itself is no data, and one may do without it."""
    _, port = pychat.serve()

    result = pychat.run("connect", "--nick", "ci", "--port", str(port), *arguments)

    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.splitlines() == told


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_room_that_is_not_there_is_made_only_if_that_is_wanted(
    pychat: Programs, clients: Clients, arguments: list[str]
) -> None:
    """Its name may be mistyped, and nobody would hear what is said there."""
    _, port = pychat.serve()
    command = ["connect", "-q", "--port", str(port), "--room", "lobby", "--room", "opps", *arguments]

    refused = pychat.run(*command, "--nick", "ci", input="hi")
    ann = clients.json(("127.0.0.1", port), "ann")
    rooms = [room["room"] for room in ann.answer("rooms")["rooms"]]
    made = pychat.run(*command, "--nick", "ci2", "--create")

    assert (refused.returncode, refused.stdout) == (4, "")
    assert refused.stderr == "Error: there is no room 'opps'; to create it, add --create\n"
    assert rooms == ["lobby"]
    assert (made.returncode, made.stderr) == (0, "")


def test_a_long_paste_is_not_flooding(pychat: Programs, clients: Clients) -> None:
    """Each line waits for the acknowledgement of the one before, so the server never has to refuse one."""
    _, port = pychat.serve("--messages-per-second", "100")
    bob = clients.text(("127.0.0.1", port), "bob")

    paste = "".join(f"{n}\n" for n in range(60))
    result = pychat.run("connect", "-q", "--nick", "ci", "--port", str(port), input=paste)

    assert (result.returncode, result.stderr) == (0, "")
    assert bob.read_until("<--")[1:-1] == [f"ci: {n}" for n in range(60)]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_hostile_server_does_not_reach_the_terminal(
    pychat: Programs, script: Callable[..., Script], arguments: list[str]
) -> None:
    """It may send what no honest one lets in; for programs it is escaped, and still the same."""
    members = Members(None, "lobby", "", (MemberInfo("ci"),), joined=True)
    message = Message(1, 0.0, "lobby", "e\x1b[2Jve", "a\x9b2J\x7f\u202eb\x1b]0;x\x07\u2028")
    server = script(WELCOME, members, message, Bye("\x9b1m"))

    result = pychat.run("connect", "--nick", "ci", "--no-reconnect", "--port", str(server.port), *arguments)

    assert [line for line in result.stdout.splitlines() if "2J" in line] == [
        '{"type":"message","id":"0000000000000001","time":"1970-01-01T00:00:00.000Z","room":"lobby",'
        r'"nick":"e\u001b[2Jve","text":"a\u009b2J\u007f\u202eb\u001b]0;x\u0007\u2028"}'
        if arguments
        else "e\ufffd[2Jve: a\ufffd2J\ufffd\ufffdb\ufffd]0;x\ufffd\ufffd"
    ]
    assert (result.stdout + result.stderr).replace("\n", "").isprintable()


# Exit codes


def test_1_for_what_is_wrong_here_and_2_for_the_command_line(pychat: Programs) -> None:
    """Without a terminal there is nobody to ask for a nickname."""
    result = pychat.run("connect")

    assert result.returncode == 2
    assert result.stderr.endswith("Error: give a nickname with --nick: there is no terminal to ask for one\n")


def test_3_when_there_is_no_server(pychat: Programs) -> None:
    """The line says what to do."""
    result = pychat.run("connect", "--nick", "ci", "--port", "1", input="hi")

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        "Error: cannot connect to 127.0.0.1 port 1: Connection refused; is the server running, and is this its "
        f"address? Start one with: {CALLED} serve --port 1\n"
    )


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "an HTTP server answers there: 'HTTP/1.1 400 Bad Request'"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "an SSH server answers there: 'SSH-2.0-OpenSSH_9.6'"),
        (b":irc.x NOTICE * :*** Looking up\x1b[2J\r\n", "an IRC server answers there: ':irc.x NOTICE * :*** Lo"),
    ],
)
def test_3_when_the_server_is_no_pychat(
    pychat: Programs, script: Callable[..., Script], answer: bytes, text: str
) -> None:
    """The line says what it is, without what a terminal would obey."""
    port = script(raw=answer).port

    result = pychat.run("connect", "--nick", "ci", "--port", str(port), input="hi")

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.startswith(f"Error: cannot connect to 127.0.0.1 port {port}: {text}")
    assert result.stderr.endswith("; is this the port of a pychat server? Give another with --port\n")
    assert "\x1b" not in result.stderr


def test_4_when_the_nickname_is_refused(pychat: Programs) -> None:
    """With the server's reason."""
    _, port = pychat.serve()

    result = pychat.run("connect", "--nick", "c i", "--port", str(port), input="hi")

    assert (result.returncode, result.stdout) == (4, "")
    assert result.stderr == (
        "Error: nickname 'c i': spaces are not allowed; use 1 to 32 letters, digits or -_[]{}|^\\`\n"
    )


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize("rooms", [["lobby", "ops"], ["OPS", "lobby"], ["ops"]])
def test_4_when_a_room_is_refused(pychat: Programs, clients: Clients, rooms: list[str], more: list[str]) -> None:
    """Nothing is said, least of all in another room."""
    _, port = pychat.serve()
    ann = clients.text(("127.0.0.1", port), "ann")
    ann.send("/join ops\n/mode +i\n/join lobby\n")
    ann.read_until("-- you are in lobby")
    named = [word for room in rooms for word in ("--room", room)]

    result = pychat.run("connect", "--nick", "ci", "--port", str(port), *named, *more, input="hi")

    assert (result.returncode, result.stdout) == (4, "")
    assert result.stderr.startswith("Error: room 'ops' is invite-only")
    ann.send("/who lobby\n")
    assert "ci: hi" not in " ".join(ann.read_until("in lobby"))


def test_4_when_a_line_is_refused_and_the_others_are_said(pychat: Programs, clients: Clients) -> None:
    """Each refusal is told with the number of the line."""
    _, port = pychat.serve("--text-bytes", "100")
    bob = clients.text(("127.0.0.1", port), "bob")
    lines = ["one", "x" * 101, "y" * 5000, "z" * (2**20 + 1), "two"]

    result = pychat.run("connect", "-q", "--nick", "ci", "--port", str(port), input="\n".join(lines))

    assert result.returncode == 4
    assert result.stderr.splitlines() == [
        "Error: line 2: message: at most 100 bytes",
        "Error: line 3: message: at most 100 bytes",
        "Error: line 4: a line can have at most 1048576 bytes",
    ]
    assert bob.read_until("<--")[1:-1] == ["ci: one", "ci: two"]


def test_5_when_the_connection_is_lost_for_good(pychat: Programs) -> None:
    """With --no-reconnect, the server's goodbye is the end."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    server, port = pychat.serve()
    ann = pychat.connect(port, "ann", "--no-reconnect")
    ann.stderr.read_until("you are in")

    server.signal(signal.SIGTERM)

    assert ann.wait() == 5
    assert ann.stdout.read_rest() == []
    assert ann.stderr.read_rest() == ["Error: the server said goodbye: the server is shutting down"]


def test_6_when_nobody_acknowledges(pychat: Programs) -> None:
    """The server was killed between a line and its acknowledgement; nobody sends the line again."""
    (pychat.directory / "mine.py").write_text(
        "import os, signal\n"
        "from pychat import Handler\n"
        "class Die(Handler):\n"
        "    def on_message(self, session, message):\n"
        "        if message.text == 'die':\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    server, port = pychat.serve("--handler", "mine:Die", port=free_port())
    ann = pychat.connect(port, "ann")
    ann.send("die")
    ann.stdin.close()
    told = ann.stderr.read_until("reconnecting")
    server.wait()
    pychat.serve(port=port)

    assert ann.wait() == 6
    told += ann.stderr.read_rest()
    error = "Error: line 1: the server closed the connection; it may or may not have been accepted"
    assert [line for line in told if not line.startswith("-- ")] == [error]


def test_130_and_silence_when_interrupted(pychat: Programs, clients: Clients) -> None:
    """Ctrl-C says goodbye to the server, and nothing else."""
    _, port = pychat.serve()
    bob = clients.text(("127.0.0.1", port), "bob")
    ann = pychat.connect(port, "ann")
    ann.stderr.read_until("you are in")

    ann.signal(signal.SIGINT)

    assert ann.wait() == 130
    assert ann.stderr.read_rest() == []
    assert bob.read_until("<--")[-1] == "<-- ann left (quit)"


def test_141_and_silence_when_nobody_reads(pychat: Programs) -> None:
    """As a program that a closed pipe has ended."""
    _, port = pychat.serve()
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [*PYCHAT, "connect", "-q", "--nick", "ann", "--port", str(port)],
        stdin=subprocess.PIPE,
        stdout=writing,
        stderr=subprocess.PIPE,
        env=pychat.environment,
        cwd=pychat.directory,
    )
    os.close(writing)
    with process:
        assert process.stderr
        assert process.wait(DEADLINE) == 141
        assert process.stderr.read() == b""


def test_141_when_the_reader_is_gone_and_nothing_is_said(pychat: Programs) -> None:
    """It looks now and then, also while its input goes on."""
    _, port = pychat.serve()
    with subprocess.Popen(
        [*PYCHAT, "connect", "--nick", "ann", "--port", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=pychat.environment,
        cwd=pychat.directory,
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stderr.readline() == b"-- welcome to pychat, ann\n"
        process.stdout.close()
        assert process.wait(DEADLINE) == 141
        assert process.stderr.read() in (b"", b"-- you are in lobby: ann\n")


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--nick", "x", "--host", "\udcff"], 3, "cannot connect to \ufffd port 1: this is not a valid host name"),
        (["--nick", "x", "--host", "a..b"], 3, "cannot connect to a..b port 1: this is not a valid host name"),
        (["--nick", "\udcff", "--host", "127.0.0.1"], 3, "cannot connect to 127.0.0.1 port 1: Connection refused"),
    ],
)
def test_bytes_that_are_no_text_are_told(pychat: Programs, arguments: list[str], code: int, problem: str) -> None:
    """A command line may have any; what is no name is no unexpected error."""
    result = pychat.run("connect", "--port", "1", *arguments)

    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.startswith(f"Error: {problem}; is ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")  # noqa: PTH110
def test_1_when_the_output_cannot_be_written(pychat: Programs) -> None:
    """A full disk is not somebody who has read enough."""
    _, port = pychat.serve()
    command = 'echo hi | "$@" > /dev/full'
    arguments = ["sh", "-c", command, "sh", *PYCHAT, "connect", "--json", "--nick", "ci", "--port", str(port)]

    result = subprocess.run(arguments, env=pychat.environment, capture_output=True, text=True, timeout=DEADLINE)

    assert (result.returncode, result.stderr) == (1, "Error: cannot write to stdout: No space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_descriptors_are_no_traceback(pychat: Programs, closed: str) -> None:
    """Neither of them is needed."""
    _, port = pychat.serve()
    command = f'echo hi | "$@" {closed}' if closed == ">&-" else f'"$@" {closed}'

    result = subprocess.run(
        ["sh", "-c", command, "sh", *PYCHAT, "connect", "-q", "--nick", "ann", "--port", str(port)],
        stderr=subprocess.PIPE,
        env=pychat.environment,
        cwd=pychat.directory,
        timeout=DEADLINE,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, b"")


# JSON


def test_json_is_the_protocol(pychat: Programs) -> None:
    """Requests in, answers with their marks and events out, each on its line; no secret, no ref of the client's own."""
    _, port = pychat.serve()
    pychat.change("pychat.client.reconnect", _CLOSE_SECONDS=DEADLINE)  # for the goodbye
    requests = [
        '{"type":"say","text":"hi","ref":7}',
        '{"type":"who","ref":"w"}',
        "",
        "nonsense",
        '{"type":"sya"}',
        '{"type":"direct","to":"zed","text":"psst","ref":8}',
        '{"type":"register","password":"short","ref":9}',
        '{"type":"ping","token":"x"}',
    ]

    result = pychat.run("connect", "--json", "--nick", "ci", "--port", str(port), input="\n".join(requests))

    items = {str(item.get("ref", item["type"])): item for item in lines_of(result.stdout)}
    assert result.returncode == 4
    assert result.stderr == ""
    assert items["welcome"]["token"] == ""
    assert items["members"]["joined"] is True
    assert items["7"]["type"] == "ok"
    assert items["w"]["members"] == [{"nick": "ci"}]
    assert (items["8"]["code"], items["9"]["code"]) == ("no_such_nickname", "bad_password")
    assert items["pong"]["token"] == "x"
    errors = [item for item in lines_of(result.stdout) if item["type"] == "error" and "ref" not in item]
    assert [error["code"] for error in errors] == ["bad_request", "unknown_type"]
    assert items["bye"]["reason"] == "quit"


def test_json_is_not_buffered(pychat: Programs, clients: Clients) -> None:
    """A program sees each event when it happens."""
    _, port = pychat.serve()
    ann = pychat.connect(port, "ann", "--json")
    ann.read_object("members")

    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("hello\n")

    message = ann.read_object("message")
    assert (message["nick"], message["text"], message["room"]) == ("bob", "hello", "lobby")
    ann.send('{"type":"quit","reason":"done"}')
    assert ann.wait() == 0
    assert bob.read_until("<--")[-1] == "<-- ann left (done)"


# Coming back


def test_a_server_that_is_killed_and_restarted_is_found_again(pychat: Programs, clients: Clients) -> None:
    """By the same nickname, in the same rooms; what happens to the connection is told in JSON, too."""
    server, port = pychat.serve(port=free_port())
    ann = pychat.connect(port, "ann", "--json", "--room", "ops", "--create")
    ann.send('{"type":"say","text":"before","ref":1}')
    ann.read_object("ok")

    server.kill()
    lost = ann.read_object("reconnecting")
    assert (lost["attempt"], lost["reason"]) == (1, "the server closed the connection")
    assert 0 <= lost["delay"] <= 0.5
    pychat.serve(port=port)

    assert ann.read_object("members")["room"] == "ops"
    assert ann.read_object("gap")["room"] == "ops"
    assert ann.read_object("reconnected") == {"type": "reconnected", "missed": 0}
    bob = clients.json(("127.0.0.1", port), "bob", rooms=["ops"])
    ann.send('{"type":"say","text":"after","ref":2}')
    assert ann.read_object("ok")["ref"] == 2
    assert bob.next("message")["text"] == "after"


def test_lines_wait_while_there_is_no_connection(pychat: Programs, clients: Clients) -> None:
    """What was not sent yet is sent when the client is back, once."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    server, port = pychat.serve(port=free_port())
    ann = pychat.connect(port, "ann")
    ann.stderr.read_until("you are in")
    server.signal(signal.SIGTERM)
    assert ann.stderr.read_until("reconnecting")[-1] == (
        "-- the server said goodbye: the server is shutting down; reconnecting"
    )
    ann.send("one")
    ann.send("two")
    ann.stdin.close()
    server.wait()

    pychat.serve("--room", "lobby", port=port)

    assert ann.wait() == 0
    assert "-- reconnected" in ann.stderr.read_rest()
    assert not any(line.startswith("-- ") for line in ann.stdout.read_rest())
    bob = clients.text(("127.0.0.1", port), "bob")
    bob.send("/history\n")
    said = [line.partition("] ")[2] for line in bob.read_until("bob joined lobby") if "ann: " in line]
    assert said[-2:] == ["ann: one", "ann: two"]


class Unsteady:
    """A client whose connection is lost just before a line is sent, once."""

    rooms = ("lobby",)

    def __init__(self) -> None:
        self.done: list[str] = []

    def ask(self, verb: Say) -> Ok:
        """Answer the second time."""
        self.done.append(f"ask {verb.text}")
        if len(self.done) == 1:
            raise NotConnected
        return Ok(None, 1)

    def wait_connected(self) -> bool:
        """Come back at once."""
        self.done.append("wait")
        return True


def test_a_line_that_was_not_sent_is_sent_when_there_is_a_connection(capsys: pytest.CaptureFixture[str]) -> None:
    """It may be lost between the last look and the sending; then nobody can have got the line."""
    client = Unsteady()
    pipe = Pipe(client, as_json=False)  # type: ignore[arg-type]  # all that it asks of a client

    pipe._perform(1, "hi")

    assert client.done == ["ask hi", "wait", "ask hi"]
    assert (pipe._exit_code, capsys.readouterr()) == (0, ("", ""))


def test_it_waits_for_the_network_in_silence(pychat: Programs) -> None:
    """Interrupted while there is no connection, it ends at once."""
    server, port = pychat.serve(port=free_port())
    ann = pychat.connect(port, "ann")
    ann.stderr.read_until("you are in")
    server.kill()
    ann.stderr.read_until("reconnecting")

    ann.signal(signal.SIGINT)

    assert ann.wait() == 130
    assert ann.stderr.read_rest() == []
