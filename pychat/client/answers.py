"""Information that a client takes from answers, besides the success of its requests."""

from __future__ import annotations

import time

from pychat.model.events import Message
from pychat.model.names import fold
from pychat.model.replies import LoggedIn, Ok
from pychat.model.text import clean
from pychat.model.verbs import ChangePassword, Direct, Hello, LogIn, Register, Say, Verb
from pychat.protocols.base import Item


def own_message(verb: Say | Direct, answer: Ok, nickname: str, current: str) -> Message:
    """Return our own message as others receive it. `current` is the room of a message that does not name one."""
    room, to = (None, verb.to) if isinstance(verb, Direct) else (verb.room or current, None)
    text = clean(verb.text)
    return Message(answer.id or 0, time.time(), room, nickname, text, verb.action, to, notice=verb.notice)


def with_account(hello: Hello, verb: Verb, answer: Item) -> Hello:
    """Return the hello for the next reconnect: a restarted server forgets who is logged in."""
    match answer, verb:
        case LoggedIn(), LogIn(typed=True) if fold(answer.account) != fold(verb.account or ""):
            return hello._replace(account=answer.account, account_password=verb.typed_password)
        case LoggedIn(), LogIn() | Register():
            return hello._replace(account=answer.account, account_password=verb.password)
        case Ok(), ChangePassword() if hello.account is not None:
            return hello._replace(account_password=verb.new_password)
    return hello
