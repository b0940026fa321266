"""`pychat config`: the value of each option, and where it comes from."""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path

import pytest
from chat_programs import PYCHAT, Programs, pychat
from click.testing import CliRunner

from pychat.cli import cli
from pychat.cli.show_config import Setting, table

__all__ = ["pychat"]  # the fixture

KNOWN = "serve, connect, send, tail, announce, history, cert, doctor"
"""The commands that a file can have a table for."""


def test_each_value_has_its_source(pychat: Programs) -> None:
    """The command line, the environment, a file, or the default; what has no value is a comment."""
    (pychat.directory / "my.toml").write_text('[serve]\nport = 1\nserver-name = "file"\nroom = ["hall", "den"]\n')

    result = pychat.run(
        "config", "serve", "--config", "my.toml", "--cpu", "0", PYCHAT_SERVE_PORT="2", PYCHAT_SERVE_NO_FLOOD_CONTROL="1"
    )

    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == "[serve]"
    for expected in (
        "port = 2                                  # environment: PYCHAT_SERVE_PORT",
        'host = "127.0.0.1"                        # default',
        'server-name = "file"                      # file: my.toml',
        'room = ["hall", "den"]                    # file: my.toml',
        "no-flood-control = true                   # environment: PYCHAT_SERVE_NO_FLOOD_CONTROL",
        "cpu = 0                                   # command line",
        "# motd =                                  # not set",
        "ping-seconds = 60.0                       # default",
    ):
        assert expected in lines


def test_what_it_prints_is_a_file_that_says_the_same(pychat: Programs) -> None:
    """All commands together, with which every one of them can be started."""
    path = Path(pychat.environment["XDG_CONFIG_HOME"]) / "pychat" / "config.toml"
    path.parent.mkdir(parents=True)
    first = pychat.run("config", PYCHAT_TAIL_SINCE="2a", PYCHAT_CONNECT_NICK='a"\\é', PYCHAT_SEND_ROOM="ops")
    path.write_text(first.stdout)

    second = pychat.run("config")

    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    tables = tomllib.loads(first.stdout)
    assert list(tables) == ["serve", "connect", "send", "tail", "announce", "history", "cert", "doctor"]
    assert (tables["tail"]["since"], tables["connect"]["nick"], tables["send"]["room"]) == ("2a", 'a"\\é', "ops")
    assert tomllib.loads(second.stdout) == tables
    assert second.stdout.count(f"# file: {path}") == sum(map(len, tables.values()))


def test_a_file_is_looked_at_by_all_commands(pychat: Programs, tmp_path: Path) -> None:
    """No command need be named for that."""
    path = tmp_path / "pychat.toml"
    path.write_text('[serve]\nroom = ["tea"]\n[client]\nport = 6000\n')

    result = pychat.run("config", "--config", str(path))

    assert (result.returncode, result.stderr) == (0, "")
    tables = tomllib.loads(result.stdout)
    assert (tables["serve"]["room"], tables["tail"]["port"]) == (["tea"], 6000)


def test_secrets_are_hidden(pychat: Programs) -> None:
    """It tells that there are some, and no more."""
    result = pychat.run(
        "config",
        PYCHAT_SERVE_PASSWORD="sesame",
        PYCHAT_SERVE_OPER="ann:sesame",
        PYCHAT_PASSWORD="sesame",
        PYCHAT_ACCOUNT_PASSWORD="sesame",
        PYCHAT_OPER_PASSWORD="sesame",
    )

    assert "sesame" not in result.stdout
    assert result.stdout.count("# PYCHAT_PASSWORD is in the environment") == 4
    assert result.stdout.count("# PYCHAT_ACCOUNT_PASSWORD is in the environment") == 4
    assert "# PYCHAT_OPER_PASSWORD is in the environment" in result.stdout
    assert "# PYCHAT_SERVE_PASSWORD is in the environment" in result.stdout
    assert "# PYCHAT_SERVE_OPER is in the environment" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["sevre"], f"'sevre' has no options to show; use one of: {KNOWN}"),
        (["--room", "tea"], f"'--room' has no options to show; use one of: {KNOWN}"),
        (["completion"], f"'completion' has no options to show; use one of: {KNOWN}"),
        (["serve", "--port", "x"], "Invalid value for '--port': 'x' is not a valid whole number."),
        (["serve", "--config", "missing.toml"], "config file 'missing.toml': No such file or directory"),
    ],
)
def test_what_would_be_wrong_for_the_command_is_wrong_here(
    pychat: Programs, arguments: list[str], problem: str
) -> None:
    """So it shows whether a command can be started with these arguments."""
    result = pychat.run("config", *arguments)

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == f"Error: {problem}"


def test_an_environment_that_is_no_text_is_no_traceback() -> None:
    """Nothing but text can be in a file of TOML."""
    lines = table("send", [Setting("nick", "a\x7f\udcff\x1b", "file: /\x7f\udcff")])

    assert [line.split() for line in lines] == [["[send]"], ["nick", "=", '"a??\\u001b"', "#", "file:", "/??"]]
    assert tomllib.loads("\n".join(lines)) == {"send": {"nick": "a??\x1b"}}


def test_a_reader_that_has_seen_enough_is_no_error(pychat: Programs) -> None:
    """It ends in silence, as if SIGPIPE had ended it."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as output:
        result = subprocess.run([*PYCHAT, "config"], stdout=output, stderr=subprocess.PIPE, env=pychat.environment)

    assert (result.returncode, result.stderr) == (141, b"")


# Completion


@pytest.mark.parametrize(
    ("shell", "sign"), [("bash", "complete -o nosort"), ("zsh", "#compdef pychat"), ("fish", "function ")]
)
def test_completion_prints_a_script(shell: str, sign: str) -> None:
    """For each shell its own; it asks pychat itself."""
    result = CliRunner().invoke(cli, ["completion", shell])

    assert result.exit_code == 0
    assert sign in result.output
    assert "_PYCHAT_COMPLETE" in result.output


def test_completion_completes(pychat: Programs) -> None:
    """What the script asks is answered: commands and options."""
    words = pychat.run(COMP_WORDS="pychat se", COMP_CWORD="1", _PYCHAT_COMPLETE="bash_complete")
    options = pychat.run(COMP_WORDS="pychat tail --si", COMP_CWORD="2", _PYCHAT_COMPLETE="bash_complete")

    assert words.stdout.split() == ["plain,serve", "plain,send"]
    assert options.stdout.split() == ["plain,--since"]


def test_another_shell_is_exit_code_2() -> None:
    """The error names those that there are."""
    result = CliRunner().invoke(cli, ["completion", "tcsh"])

    assert result.exit_code == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in result.output
