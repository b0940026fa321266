"""The command line itself: options and where they come from, help, errors, exit codes."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import socket
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
from chat_programs import CALLED, PYCHAT, Programs, plan, pychat
from click.testing import CliRunner
from terminal_screen import Terminals, terminals

import pychat as package
from pychat.cli import addresses, cli
from pychat.cli.addresses import Access, how_to_join
from pychat.cli.click_app import Checked
from pychat.cli.config_file import limit_fields
from pychat.cli.exit_codes import MEANINGS
from pychat.cli.invocation import called_as
from pychat.cli.option_help import options_of
from pychat.cli.server import build as building
from pychat.cli.server import machine
from pychat.cli.server import serve as daemon
from pychat.cli.server.options import CannotServe, NoHandler, Plan
from pychat.cli.show_config import OptionInfo, misspelt
from pychat.model.limits import Limits

__all__ = ["pychat", "terminals"]  # the fixtures

OPTIONS = list(options_of(cli))
COMMANDS = list(cli.commands)
TABLES = "[serve], [connect], [send], [tail], [announce], [history], [cert], [doctor], [client]"


MINE = """
from pychat import Handler

class Broken(Handler):
    def __init__(self, argument):
        pass

class Misspelt(Handler):
    def on_massage(self):
        pass
"""
"""A module in the directory in which `pychat` runs."""


# Options


@pytest.mark.parametrize("info", OPTIONS, ids=lambda info: f"{info.command}{info.option}")
def test_option_has_help_and_its_own_variable(info: OptionInfo) -> None:
    """Every option of every command says what it does, and can be set by one variable."""
    assert info.help.strip().endswith(".")
    assert info.option.startswith("--")
    assert info.variable == "_".join(filter(None, ["PYCHAT", info.command, info.option[2:]])).upper().replace("-", "_")
    assert [other.variable for other in OPTIONS].count(info.variable) == 1


@pytest.mark.parametrize("info", [info for info in OPTIONS if info.command], ids=lambda info: info.variable)
def test_variable_reaches_its_option(info: OptionInfo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable that is documented is the one that Click reads."""
    command = cli.commands[info.command]
    param = next(param for param in command.params if info.option in param.opts)
    file = tmp_path / "config.toml"
    file.touch()
    checked = {
        "--keep": "1GB",
        "--proxy-from": "192.0.2.1",
        "--since": "1a203b2e5c000000",
        "--host": "::1",
        "--tls-fingerprint": "9f" * 32,
    }.get(info.option, "1h")
    texts: dict[type, str] = {click.Path: str(file), Checked: checked}
    text = next((text for kind, text in texts.items() if isinstance(param.type, kind)), "1")
    if isinstance(param.type, click.Choice):
        text = str(param.type.choices[-1])
    seen: dict[str, Any] = {}
    monkeypatch.setenv(info.variable, text)
    monkeypatch.setattr(command, "callback", lambda **values: seen.update(values))

    result = CliRunner().invoke(cli, [info.command], auto_envvar_prefix="PYCHAT")

    assert result.exit_code == 0, result.output
    if param.expose_value:
        value = seen[str(param.name)]
        assert value in (1, True, text, Path(text), (text,)), value
    else:
        assert param.name == "config"


def test_every_limit_has_an_option() -> None:
    """With the default of `Limits`, and the text below its field as help."""
    options = {param.name: param for param in cli.commands["serve"].params}

    for field in dataclasses.fields(Limits):
        param = options[field.name]
        assert isinstance(param, click.Option)
        assert (param.default, param.metavar) == (field.default, "N")
    help_texts = {field.name: field.help for field in limit_fields()}
    assert help_texts["message_burst"] == "Messages and commands that one member may send at once."
    assert all(help_texts.values())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--ping-seconds", "inf"], "Invalid value for '--ping-seconds': inf is not in the range 0<x<=1000000000.0."),
        (["--ping-seconds", "nan"], "Invalid value for '--ping-seconds': 'nan' is not a number"),
        (["--ping-seconds", "0"], "Invalid value for '--ping-seconds': 0.0 is not in the range 0<x<=1000000000.0."),
        (["--message-burst", "0"], "Invalid value for '--message-burst': 0 is not in the range x>=1."),
        (["--message-burst", "many"], "Invalid value for '--message-burst': 'many' is not a valid whole number."),
        (["--port", "65536"], "Invalid value for '--port': 65536 is not in the range 0<=x<=65535."),
        (["--motd", "missing"], "Invalid value for '--motd': File 'missing' does not exist."),
        (["--prot", "1"], "No such option '--prot'. (Did you mean one of: '--motd', '--port', '--room'?)"),
        (
            ["--room", "a b"],
            "room 'a b': spaces are not allowed; use 1 to 64 letters, digits, emoji or -_.#+&'/@:[]{}|^\\`",
        ),
        (
            ["--proxy-from", "localhost"],
            "Invalid value for '--proxy-from': proxy 'localhost': it is not an address; use ",
        ),
        (["--handler", "x"], "handler 'x': write it as package.module:Class"),
        (
            ["--handler", "no_such:Thing"],
            "handler 'no_such:Thing': it cannot be imported: ModuleNotFoundError: No module named 'no_such'",
        ),
        (["--handler", "json:loads"], "handler 'json:loads': it is not a class derived from pychat.Handler"),
        (
            ["--handler", "mine:Broken"],
            "handler 'mine:Broken': Broken.__init__() missing 1 required positional argument: 'argument'",
        ),
        (
            ["--handler", "mine:Misspelt"],
            "handler 'mine:Misspelt': Misspelt.on_massage is not a hook; did you mean on_message?",
        ),
    ],
)
def test_wrong_options_are_exit_code_2(pychat: Programs, arguments: list[str], problem: str) -> None:
    """The last line says what is wrong and what is allowed."""
    (pychat.directory / "mine.py").write_text(MINE)

    result = pychat.run("serve", "--port", "0", *arguments)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"Error: {problem}")


# Variables that are nearly ours


def test_a_misspelt_variable_is_told(pychat: Programs) -> None:
    """By every command, once, with the one that was meant; those that belong to other programs are not."""
    variables = {"PYCHAT_PROT": "5", "PYCHAT_ACCOUNT_ADD_DBB": "x", "PYCHAT_MY_BOT": "x", "PYCHAT_SEND_PROT": "5"}

    for command, last in ((["version"], []), (["tail", "--port", "1"], ["Error: cannot connect to 127.0.0.1 port 1"])):
        told = pychat.run(*command, **variables).stderr.splitlines()
        assert told[:3] == [
            "warning: the variable PYCHAT_ACCOUNT_ADD_DBB sets nothing; did you mean PYCHAT_ACCOUNT_ADD_DB?",
            "warning: the variable PYCHAT_PROT sets nothing; did you mean PYCHAT_PORT?",
            "warning: the variable PYCHAT_SEND_PROT sets nothing; did you mean PYCHAT_SEND_PORT?",
        ]
        assert [line.partition(": Connection")[0] for line in told[3:]] == last


def test_a_misspelt_variable_of_the_command_is_an_error(pychat: Programs) -> None:
    """As before, and told once."""
    done = pychat.run("send", "--port", "1", "hi", PYCHAT_SEND_PROT="5")

    problem = "the variable PYCHAT_SEND_PROT sets no option; did you mean PYCHAT_SEND_PORT?"
    assert (done.returncode, done.stderr) == (2, f"Error: {problem}\n")


def test_a_server_warns_in_its_own_way(pychat: Programs) -> None:
    """What reads its log as JSON finds nothing else there."""
    text = "the variable PYCHAT_PROT sets nothing; did you mean PYCHAT_PORT?"
    for arguments in ([], ["--log-format", "json"]):
        server = pychat("serve", "--port", "0", *arguments, PYCHAT_PROT="5")
        server.read_port()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        line, *rest = server.stderr.read_rest()
        assert rest == []
        assert (json.loads(line)["text"] if arguments else line) == (text if arguments else f"warning: {text}")


def test_no_variable_of_ours_is_misspelt() -> None:
    """Each that is documented is known."""
    variables = [info.variable for info in OPTIONS if info.command]

    assert misspelt(variables, (), dict.fromkeys([*variables, "PYCHAT_PASSWORD", "PYCHAT_OPER_PASSWORD"], "x")) == []


def test_how_a_command_is_called_is_not_told_to_a_log(pychat: Programs, terminals: Terminals) -> None:
    """One line goes to a journal; a person at a terminal is told how to find out more."""
    (pychat.directory / "my.toml").write_text("[serve]\nprot = 1\n")
    line = "Error: config file 'my.toml', line 2: [serve] has no option 'prot'; did you mean 'port'?"
    arguments = ["serve", "--config", str(pychat.directory / "my.toml")]

    done = pychat.run("serve", "--config", "my.toml")

    assert (done.returncode, done.stderr) == (2, f"{line}\n")
    terminals.start(*PYCHAT, *arguments).see("Try 'pychat serve --help' for help.")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pychat config s", ["serve", "send"]),
        ("pychat config co", ["connect"]),
        ("pychat help co", ["connect", "config", "completion"]),
        ("pychat help a", ["announce", "account"]),
        ("pychat account re", ["reset"]),
    ],
)
def test_names_of_commands_are_completed(pychat: Programs, words: str, expected: list[str]) -> None:
    """Also where a command is an argument of another one."""
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_PYCHAT_COMPLETE": "bash_complete"}
    code = "from pychat.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**pychat.environment, **variables},
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == [f"plain,{name}" for name in expected]


# Help


def test_help_is_for_strangers() -> None:
    """It says how to begin, and lists the commands, what most people want first."""
    text = CliRunner().invoke(cli, ["--help"]).output

    assert 'Start a server with "pychat serve". Join it with "pychat connect --nick NAME"' in " ".join(text.split())
    listed = [line.split()[0] for line in text.partition("\nCommands:\n")[2].splitlines()]
    expected = ["serve", "connect", "send", "tail", "announce", "history", "db", "account", "cert"]
    expected += ["config", "doctor", "completion", "help", "version"]
    assert listed == COMMANDS == expected


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_each_command_has_help(command: str, option: str) -> None:
    """What it does in a sentence; where options can come from, and what exit codes mean, if it has such."""
    result = CliRunner().invoke(cli, [command, option])

    assert result.exit_code == 0
    usage, does = result.output.split("\n\n")[:2]
    assert usage.startswith(f"Usage: cli {command} [OPTIONS]")
    assert does.strip().endswith(".")
    words = " ".join(result.output.split())
    has_file = "--config" in words and command != "config"
    assert (f"or in the table [{command}] of a TOML file" in words) == has_file
    assert (f"PYCHAT_{command.upper()}_" in words) == has_file
    assert ("3 cannot connect" in words) == (command in ("connect", "send", "tail", "announce"))


def test_exit_codes_are_documented() -> None:
    """As they are in help."""
    text = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()

    assert dict(re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE)) == {
        str(code): meaning for code, meaning in MEANINGS.items()
    }


def test_limits_are_a_section_of_their_own() -> None:
    """What most people want is not lost among what few people need."""
    short = CliRunner().invoke(cli, ["serve", "--help"]).output
    text = CliRunner().invoke(cli, ["serve", "--help-all"]).output

    assert "--message-burst" not in short
    assert f"and {len(limit_fields())} limits" in short
    options, limits = text.split("\nLimits:\n")
    assert "--port" in options
    assert "--message-burst" not in options
    assert "--message-burst N" in limits


@pytest.mark.parametrize("start", [["-m", "pychat"], ["-c", "from pychat.cli import main; main()"]])
def test_version(start: list[str]) -> None:
    """`python -m pychat` is `pychat`."""
    result = subprocess.run([sys.executable, *start, "--version"], capture_output=True, text=True, check=True)

    assert result.stdout == f"pychat {package.__version__}\n"


def test_nothing_to_do_is_help(pychat: Programs) -> None:
    """`pychat` alone shows what it can do."""
    result = pychat.run()

    assert (result.returncode, result.stderr) == (0, "")
    assert "Usage: pychat [OPTIONS] COMMAND [ARGS]..." in result.stdout
    assert pychat.run("help").stdout == result.stdout


@pytest.mark.parametrize(("other", "name"), [("join", "connect"), ("start", "serve"), ("say", "send")])
def test_a_command_that_other_programs_have_is_told(pychat: Programs, other: str, name: str) -> None:
    """With the name that it has here."""
    result = pychat.run(other, "127.0.0.1")

    assert result.returncode == 2
    assert result.stderr.endswith(f"Error: No such command {other!r}. Did you mean {name!r}?\n")


# Where values come from


def test_file_then_environment_then_command_line(pychat: Programs) -> None:
    """The nearer source wins, and lists work in all of them."""
    (pychat.directory / "my.toml").write_text(
        '[serve]\nport = 0\nserver-name = "file"\nroom = ["hall", "den"]\nno_flood_control = true\nmotd = "motd.txt"\n'
        "[connect]\nport = 1\n"
    )
    (pychat.directory / "motd.txt").write_text("be nice\nand brief\n")

    first = pychat("serve", "--config", "my.toml")
    port = first.read_port()
    second = pychat("serve", "--server-name", "line", PYCHAT_SERVE_CONFIG="my.toml", PYCHAT_SERVE_SERVER_NAME="middle")
    third = pychat("serve", PYCHAT_SERVE_CONFIG="my.toml", PYCHAT_SERVE_SERVER_NAME="middle")

    assert second.stdout.read_line().startswith("line listens on 127.0.0.1 port ")
    assert third.stdout.read_line().startswith("middle listens on 127.0.0.1 port ")
    ann = pychat.connect(port, "ann", "--json")
    assert ann.read_object("welcome")["server"] == "file"
    assert ann.read_object("lines")["lines"] == ["be nice", "and brief"]
    assert ann.read_object("members")["room"] == "hall"
    ann.send('{"type":"rooms"}')
    assert [room["room"] for room in ann.read_object("rooms")["rooms"]] == ["den", "hall"]


def test_the_default_file_is_read(pychat: Programs) -> None:
    """It is where Click says that settings are."""
    config = Path(pychat.environment["XDG_CONFIG_HOME"]) / "pychat"
    config.mkdir(parents=True)
    (config / "config.toml").write_text('[connect]\nnick = "ann"\nport = 1\n')

    result = pychat.run("connect")

    assert result.returncode == 3
    assert result.stderr.startswith("Error: cannot connect to 127.0.0.1 port 1: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[serve", ": not TOML: Expected ']' at the end of a table declaration (at end of document)"),
        ("\udcff", ": not TOML: "),
        ("[server]\n", ", line 1: 'server' is not a table that pychat knows; did you mean [serve]?"),
        ("[x]\n", f", line 1: 'x' is not a table that pychat knows; use {TABLES}"),
        ("serve = 1\n", f", line 1: 'serve' is not a table that pychat knows; use {TABLES}"),
        ("[serve]\nprot = 1\n", ", line 2: [serve] has no option 'prot'; did you mean 'port'?"),
        (
            "[serve]\nmessage-brust = 1\n",
            ", line 2: [serve] has no option 'message-brust'; did you mean 'message-burst'?",
        ),
        ("[serve]\nconfig = 'x'\n", ", line 2: [serve] has no option 'config'"),
        ("[serve]\nport = true\n", ", line 2: 'port' must be a whole number, not True"),
        ("[serve]\nport = 1.5\n", ", line 2: 'port' must be a whole number, not 1.5"),
        ("[serve]\nping-seconds = false\n", ", line 2: 'ping-seconds' must be a number, not False"),
        ("[serve]\nroom = 5\n", ", line 2: 'room' must be a list of strings, not 5"),
        ("[serve]\nserver-name = 5\n", ", line 2: 'server-name' must be a string, not 5"),
        ("[serve]\nport = 'http'\n", ", line 2: 'port' must be a whole number, not 'http'"),
        (
            "[connect]\nnick = 'ann'\n\n[serve]\nroom = [\n  'a',\n  7,\n]\n",
            ", line 8: 'room' must be a list of strings",
        ),
        ("serve.tls_required = 1\n", ", line 1: 'tls-required' must be true or false, not 1"),
        ("[serve.port]\nx = 1\n", ", line 1: 'port' in [serve] must be a value, not a table"),
    ],
)
def test_a_config_file_that_is_wrong_says_what(pychat: Programs, text: str, problem: str) -> None:
    """A typo is an error, not an option that is silently ignored."""
    (pychat.directory / "my.toml").write_bytes(text.encode("utf-8", "surrogateescape"))

    result = pychat.run("serve", "--config", "my.toml")

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith(f"Error: config file 'my.toml'{problem}")


def test_a_value_in_a_file_is_checked_like_any_other(pychat: Programs) -> None:
    """A port that cannot be is a usage error."""
    (pychat.directory / "my.toml").write_text("[serve]\nport = 70000\n")

    result = pychat.run("serve", "--config", "my.toml")

    assert result.returncode == 2
    assert result.stderr.endswith(
        "Error: Invalid value for '--port' (file: my.toml, line 2): 70000 is not in the range 0<=x<=65535.\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("PORT", "http", "Invalid value for '--port' ({}): 'http' is not a valid whole number."),
        ("TLS_REQUIRED", "perhaps", "Invalid value for '--tls-required' ({}): 'perhaps' is not a valid boolean."),
        ("PING_SECONDS", "-1", "Invalid value for '--ping-seconds' ({}): -1.0 is not in the range 0<x<=1000000000.0."),
        ("PROT", "1", "the variable PYCHAT_SERVE_PROT sets no option; did you mean PYCHAT_SERVE_PORT?"),
        ("PASWORD", "x", "the variable PYCHAT_SERVE_PASWORD sets no option; did you mean PYCHAT_SERVE_PASSWORD?"),
        ("WWWWWWWWWW", "1", "the variable PYCHAT_SERVE_WWWWWWWWWW sets no option; remove it from the environment"),
    ],
)
def test_a_variable_that_is_wrong_says_which(pychat: Programs, name: str, value: str, problem: str) -> None:
    """A password whose name is mistyped would protect nobody; the value of such a variable is not printed."""
    result = pychat.run("serve", **{f"PYCHAT_SERVE_{name}": value})

    assert (result.returncode, result.stdout) == (2, "")
    what = problem.format(f"environment: PYCHAT_SERVE_{name}")
    assert result.stderr.splitlines()[-1].startswith(f"Error: {what[:-1]}")


def test_a_config_file_that_is_missing_is_an_error(pychat: Programs) -> None:
    """Unlike the default one, which need not be there."""
    result = pychat.run("serve", "--config", "my.toml")

    assert result.returncode == 2
    assert result.stderr.endswith("Error: config file 'my.toml': No such file or directory\n")


# Errors


def test_an_error_is_one_line_and_debug_shows_more(pychat: Programs) -> None:
    """What went wrong is for everybody, where in the code is for those who ask."""
    arguments = ["connect", "--port", "1", "--nick", "ann"]

    plain, debug = pychat.run(*arguments), pychat.run("--debug", *arguments)

    assert plain.stderr == (
        "Error: cannot connect to 127.0.0.1 port 1: Connection refused; is the server running, and is this its "
        f"address? Start one with: {CALLED} serve --port 1\n"
    )
    assert "Traceback (most recent call last)" in debug.stderr
    assert debug.stderr.endswith(plain.stderr)
    assert (plain.returncode, debug.returncode) == (3, 3)


def test_what_nobody_expected_is_one_line_too(pychat: Programs) -> None:
    """Even a bug is told in a line, with how to see more."""
    (pychat.directory / "sitecustomize.py").write_text(
        "from pychat.cli.server import serve\ndef fail(*arguments): raise KeyError('oh\\x1b[2J')\nserve.run = fail\n"
    )
    path = f"{pychat.directory}:{pychat.environment['PYTHONPATH']}"

    result = pychat.run("serve", PYTHONPATH=path)

    assert result.returncode == 1
    assert result.stderr == "Error: unexpected KeyError: 'oh\\x1b[2J'; see more with: pychat --debug serve\n"


# What `serve` prepares


def handlers_of(what: Plan) -> list[str]:
    """The names of the handlers' classes."""
    server = building.build(what)
    server.server_close()
    return [type(handler).__name__ for handler in server.chat.handlers]


def test_serve_uses_all_handlers() -> None:
    """Flood control can be left out; those that are named come last."""
    every = ["NicknameValidator", "FloodControl", "JoinLeaveNotices", "Broadcast", "History", "Commands"]

    assert handlers_of(plan()) == every
    every.remove("FloodControl")
    assert handlers_of(plan(handlers=("pychat:Handler",), flood_control=False)) == [*every, "Handler"]


def test_entry_points_are_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that is installed adds its handlers by itself; one that fails is named."""
    points = [EntryPoint("mine", "pychat:Handler", "pychat.handlers")]
    monkeypatch.setattr(building, "entry_points", lambda group: points if group == "pychat.handlers" else [])

    assert handlers_of(plan())[-1] == "Handler"
    points.append(EntryPoint("other", "pychat:Nothing", "pychat.handlers"))
    with pytest.raises(NoHandler) as caught:
        building.build(plan())
    assert str(caught.value) == (
        "handler 'pychat:Nothing': the entry point 'other' fails: module 'pychat' has no attribute 'Nothing'"
    )


def test_a_processor_that_is_not_there_is_named() -> None:
    """The error lists those that are."""
    with pytest.raises(CannotServe, match=r"^there is no processor 100000 here; --cpu can be: \d+(, \d+)*$"):
        machine.bind_to_processor(100_000)


def test_a_system_that_cannot_bind_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every system has it."""
    monkeypatch.delattr("os.sched_setaffinity")

    with pytest.raises(CannotServe, match=r"^this system cannot bind a process to a processor; leave out --cpu$"):
        machine.bind_to_processor(0)


def test_cli_imports_no_terminal() -> None:
    """prompt_toolkit is imported when there is a terminal to use it on, not before."""
    code = "import sys, json, pychat.cli; print(json.dumps([m for m in sys.modules if m.startswith('prompt_toolkit')]))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(result.stdout) == []


@pytest.mark.parametrize(
    ("known", "first", "also"),
    [
        (["192.0.2.7"], "192.0.2.7", ""),
        (["192.0.2.7", "198.51.100.7"], "192.0.2.7", " (this one is also 198.51.100.7)"),
        ([], socket.gethostname(), ""),
    ],
)
def test_everywhere_is_told_with_this_machines_addresses(
    monkeypatch: pytest.MonkeyPatch, known: list[str], first: str, also: str
) -> None:
    """Other machines of a network mostly do not know its name; that is told only if there is nothing else."""
    monkeypatch.setattr(addresses, "own_addresses", lambda host: known)

    assert how_to_join("home", "0.0.0.0", 6000, "lobby", Access()) == [
        "home listens on 0.0.0.0 port 6000. Join it from another terminal:",
        "    nc 127.0.0.1 6000",
        "    pychat connect --nick NAME --port 6000",
        "    irssi -c 127.0.0.1 -p 6000",
        f"or from another machine{also}:",
        f"    nc {first} 6000",
        f"    pychat connect --nick NAME --host {first} --port 6000",
        f"    irssi -c {first} -p 6000",
        "In irssi, or any other IRC client without TLS, then type: /join #lobby",
    ]


def test_how_to_join_a_server_with_a_password() -> None:
    """Without the password: it is a secret, and IRC clients take it where everybody can see it."""
    assert how_to_join("home", "::", 55555, "hall", Access(has_password=True))[1:4] == [
        "    nc ::1 55555",
        "    pychat connect --nick NAME --host ::1",
        "    irssi -c ::1 -p 55555 -w PASSWORD",
    ]
    assert how_to_join("home", "127.0.0.1", 55555, "hall", Access(has_password=True))[-2:] == [
        "In irssi, or any other IRC client without TLS, then type: /join #hall",
        "The server requires a password: nc and pychat connect ask for it.",
    ]


def test_how_to_join_a_server_that_wants_tls_and_a_password() -> None:
    """No way is told that would be refused."""
    assert how_to_join("home", "::1", 55555, "hall", Access(True, "9F:86", tls_required=True))[1:] == [
        "    pychat connect --nick NAME --host ::1 --tls-fingerprint 9F:86",
        "    openssl s_client -quiet -connect [::1]:55555",
        "In irssi, type: /connect -tls ::1 55555 PASSWORD, then: /join #hall",
        "The server requires a password: openssl and pychat connect ask for it.",
    ]


def test_own_addresses_can_be_reached_by_others() -> None:
    """None of them is that of the machine itself, and those that were asked for come first."""
    found = addresses.own_addresses("0.0.0.0")

    assert not [one for one in found if one.startswith("127.") or ":" in one]
    assert set(found) <= {*addresses.own_addresses("::"), *found}


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        (["{bin}/pychat"], "{bin}/pychat"),
        (["bin/pychat"], "bin/pychat"),
        (["/usr/lib/python3/pychat/__main__.py"], "bin/python -m pychat"),
        (["/usr/bin/pytest"], "pychat"),
    ],
)
def test_it_knows_how_it_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], called: str
) -> None:
    """By its path, if a shell does not find it; by the interpreter; by its name in programs that use it."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pychat").touch(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "argv", [arguments[0].format(bin=tmp_path / "bin")])
    monkeypatch.setattr(sys, "orig_argv", ["bin/python", "-m", "pychat"])

    assert called_as() == called.format(bin=tmp_path / "bin")
    if "bin/pychat" in called:
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        assert called_as() == "pychat"


def test_how_to_join_a_server_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here only through that, so no other way is told; from elsewhere as always."""
    monkeypatch.setattr(addresses, "own_addresses", lambda host: ["192.0.2.7"])
    assert how_to_join("home", "127.0.0.1", 6000, "hall", Access(proxied=True)) == [
        "home listens on 127.0.0.1 port 6000. From this machine it accepts only proxies: join through yours.",
        "In an IRC client, then type: /join #hall",
    ]
    assert how_to_join("home", "0.0.0.0", 6000, "hall", Access(proxied=True))[1:3] == [
        "Join it from another machine:",
        "    nc 192.0.2.7 6000",
    ]


ANYBODY = "everybody who can reach this machine"


@pytest.mark.parametrize(
    ("access", "warning"),
    [
        (Access(), [f"{ANYBODY} can join: {{where}} without password or TLS"]),
        (Access(fingerprint="9F:86"), [f"{ANYBODY} can join: {{where}} without a password"]),
        (
            Access(has_password=True),
            [f"{ANYBODY} and has the password can join: {{where}} without TLS, so it can be overheard"],
        ),
        (Access(has_password=True, fingerprint="9F:86"), []),
    ],
)
def test_the_warning_names_what_is_missing(access: Access, warning: list[str]) -> None:
    """Of a server that listens everywhere."""
    where = "pychat listens on all its addresses (0.0.0.0)"

    assert daemon.warnings(plan(host="0.0.0.0"), access) == [text.format(where=where) for text in warning]
