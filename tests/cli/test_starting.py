"""`pychat` starts by its name; the forks of the tests do the same."""

from __future__ import annotations

import pytest
from chat_clients import refusing_port
from chat_programs import Programs, pychat

__all__ = ["pychat"]  # the fixture


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["version"],
        ["help", "connect"],
        ["serve", "--help-all"],
        ["serve", "--port", "x"],
        ["config", "--room", "tea"],
        ["completion", "zsh"],
        ["account", "list", "--db", "chat.db"],
        ["history", "--db", "chat.db"],
        ["db", "check", "chat.db"],
        ["cert", "--help"],
        ["doctor", "--port", "x"],
        ["connect", "--nick", "ann", "--port", "PORT"],
        ["send", "--nick", "\udcff", "--port", "PORT", "hi"],
        ["tail", "--port", "PORT"],
        ["announce", "--oper", "root", "--port", "PORT", "hi"],
    ],
    ids=lambda arguments: arguments[0] if arguments else "nothing",
)
def test_a_fork_does_what_a_program_does(pychat: Programs, arguments: list[str]) -> None:
    """Each command: the same output and exit code, without a traceback."""
    with refusing_port() as port:
        arguments = [str(port) if argument == "PORT" else argument for argument in arguments]
        forked = pychat.run(*arguments)
        executed = pychat.without_forks().run(*arguments)

    assert (forked.returncode, forked.stdout, forked.stderr) == (
        executed.returncode,
        executed.stdout,
        executed.stderr,
    )
    assert "Traceback" not in executed.stderr
