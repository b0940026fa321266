"""`pychat announce`: connect, become a server operator, send everybody one announcement, and disconnect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pychat.cli.client.access import ASKED, Entrance, as_any, ask_password
from pychat.client import ChatClient
from pychat.model.errors import AckTimeout, ConnectionLost, Refused
from pychat.model.verbs import Announce, BecomeOperator
from pychat.protocols.text.confidential import not_a_command

_HOW: Final = "give it with --oper-password-file FILE or in PYCHAT_OPER_PASSWORD"


class NotAnOperator(Refused):
    """The server does not accept us as an operator."""

    code = "wrong_operator"


def announce_once(entrance: Entrance, nicks: Sequence[str], name: str, password: str | None, text: str) -> None:
    """
    Send everybody a text, and return when the server has accepted it.

    Args:
        name: The name of a server operator.
        password: The operator's; None to ask at the terminal.

    Raises:
        ConnectFailed: If no server answers; nothing was sent.
        Refused: If the text begins with a slash or contains a confidential command, or the server refuses us or the
            text; `NotAnOperator` if name or password are wrong.
        AckTimeout: If it was sent, and may or may not have been accepted.
    """
    said, asked = not_a_command(text), password is None
    if password is None:
        problem = NotAnOperator(f"the operator {name!r} requires a password; {_HOW}")
        password = ask_password(problem, _whose(name), again=False)
    # No room needs to admit us: an announcement is for all of them.
    with as_any(nicks, lambda nick: entrance.connect(nick, visit=True)) as client:
        _become_operator(client, name, password, tries=ASKED if asked else 1)
        try:
            client.ask(Announce(said.text))
        except ConnectionLost as error:
            raise AckTimeout(str(error)) from error


def _become_operator(client: ChatClient, name: str, password: str, *, tries: int) -> None:
    """Become an operator. `tries` is how many passwords may be tried; all but the first are requested from the user."""
    while True:
        try:
            client.ask(BecomeOperator(name, password))
            return
        except Refused as error:
            if error.code != "wrong_password":
                raise
        tries -= 1
        problem = NotAnOperator("wrong operator name or password")
        if not tries:
            raise problem
        password = ask_password(problem, _whose(name), again=True)


def _whose(name: str) -> str:
    return f"of the operator {name}"
