"""Passwords at the terminal: they are read without echo, and input that contains one is not stored."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from pychat.core.accounts.stored import MOST_PASSWORD_CHARS
from pychat.model.verbs import (
    BecomeOperator,
    ChangePassword,
    DropAccount,
    Join,
    LogIn,
    Regain,
    Register,
    SetModes,
    Verb,
)
from pychat.protocols.text.confidential import WITH_PASSWORD
from pychat.terminal.interfaces import Screen
from pychat.terminal.view import visible_line

_LEAST: Final = 8
"""Minimum length of a password; if a server's own accounts allow shorter ones, these are given in the command."""
_CLOSE: Final = 0.7
"""How similar a mistyped command must be to one that takes a password."""


class _Question(NamedTuple):
    """The question for a field of a verb that is empty."""

    field: str
    text: Callable[[Any], str]
    twice: bool = False
    """True if it is asked twice: a typing error in hidden input would lock the user out."""


def _new(verb: Verb) -> str:
    return f"new password ({_LEAST} to {MOST_PASSWORD_CHARS} characters): "


_QUESTIONS: Final[dict[type, tuple[_Question, ...]]] = {
    BecomeOperator: (_Question("password", lambda verb: f"password of {visible_line(verb.name)}: "),),
    Register: (_Question("password", _new, twice=True),),
    LogIn: (_Question("password", lambda verb: "password: "),),
    DropAccount: (_Question("password", lambda verb: "password of the account to be deleted: "),),
    ChangePassword: (
        _Question("password", lambda verb: "old password: "),
        _Question("new_password", _new, twice=True),
    ),
}


def ask_secrets(screen: Screen, verb: Verb, done: Callable[[Verb], None], tell: Callable[[str], None]) -> bool:
    """
    Ask for the missing passwords of a verb, one after the other; return False if none are missing.

    Args:
        done: Called with the complete verb.
        tell: Called with error texts.
    """
    question = next((q for q in _QUESTIONS.get(type(verb), ()) if not getattr(verb, q.field)), None)
    if question is None:
        return False

    def answered(password: str) -> None:
        if question.twice and not _LEAST <= len(password) <= MOST_PASSWORD_CHARS:
            again(f"a password must have {_LEAST} to {MOST_PASSWORD_CHARS} characters")
        elif question.twice:
            screen.ask_secret("repeat it: ", lambda second: compared(password, second))
        else:
            filled(password)

    def compared(password: str, second: str) -> None:
        if password == second:
            filled(password)
        else:
            again("the passwords differ")

    def again(problem: str) -> None:
        # Ask at once, so that a person who types on does not send the next password to the room.
        tell(f"! {problem}; try again, or press Enter to give up")
        ask_secrets(screen, verb, done, tell)

    def filled(password: str) -> None:
        asked: Verb = verb._replace(**{question.field: password})  # type: ignore[arg-type]  # it has the field
        if not ask_secrets(screen, asked, done, tell):
            done(asked)

    screen.ask_secret(question.text(verb), answered)
    return True


def has_secret(verb: object) -> bool:
    """Return whether a verb contains a secret that must not be stored: a password, a room key."""
    if isinstance(verb, SetModes):
        return any(change.mode == "k" and change.argument for change in verb.changes)
    if isinstance(verb, Join):
        return bool(verb.key)
    if isinstance(verb, Regain):
        return bool(verb.password)
    return any(getattr(verb, question.field) for question in _QUESTIONS.get(type(verb), ()))


def is_like_a_secret(line: str) -> bool:
    """Return whether an invalid command may be meant as one with a password: "/lgoin sesame"."""
    name, _, rest = line.removeprefix("/").partition(" ")
    return bool(rest and difflib.get_close_matches(name.lower(), WITH_PASSWORD, n=1, cutoff=_CLOSE))
