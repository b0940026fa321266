"""Who may not talk in a room says nothing there in any other way either."""

from __future__ import annotations

from typing import Any

import pytest
from recorder import enter, make_chat

from pychat.core.events import Disconnected, Left
from pychat.core.modes import parse
from pychat.core.replies import Failure
from pychat.core.verbs import Leave, LeaveAll, Quit, SetModes, SetTopic, Verb


def mode(letters: str, *arguments: str) -> SetModes:
    """The verb of `/mode +b bob`."""
    return SetModes(tuple(parse(letters, arguments)))


def code(items: list[Any]) -> str | None:
    """That of the last item, if it is a refusal."""
    return items[-1].code if items and isinstance(items[-1], Failure) else None


@pytest.mark.parametrize("rule", [mode("+b", "m:bob!*@*"), mode("+b", "bob!*@*"), mode("+m")])
def test_the_topic_is_for_those_who_may_talk(rule: SetModes) -> None:
    """Neither for who is muted or banned, nor for a member without voice in a moderated room; voice helps."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    ann.do(rule)

    assert code(bob.do(SetTopic("buy here"))) == "cannot_speak"
    ann.do(mode("+v", "bob"))
    assert code(bob.do(SetTopic("tea at four"))) is None

    assert ann.current is not None
    assert ann.current.topic == "tea at four"


@pytest.mark.parametrize("going", [Leave(None, "buy here"), LeaveAll("buy here"), Quit("buy here")])
def test_who_may_not_talk_goes_without_a_word(going: Verb) -> None:
    """Else one could come back and go again; with voice the reason is told."""
    chat = make_chat()
    ann, bob, carl = (enter(chat, nickname, "ops") for nickname in ("ann", "bob", "carl"))
    ann.do(mode("+m"), mode("+v", "carl"))

    bob.do(going)
    carl.do(going)

    gone = [event.reason for event in ann.take() if isinstance(event, Left | Disconnected)]
    assert gone == ["quit" if isinstance(going, Quit) else "", "buy here"]
