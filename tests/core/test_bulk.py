"""Many messages at once: the same for everybody as one after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from recorder import Recorder, enter, make_chat

from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.handlers import Commands
from pychat.model.events import Message
from pychat.model.limits import Limits
from pychat.model.verbs import Leave, Say, SayAll

LIMITS = Limits(text_bytes=12)
lines = st.text(st.sampled_from("ab !\x07\u00e9\u202e"), max_size=14)


class Watcher(Handler):
    """Sees each message, and does nothing."""

    def on_message(self, session: Session, message: Message) -> None:
        """Nothing."""


def heard(session: Recorder) -> list[Any]:
    """What came, without places and times."""
    return [item._replace(id=0, time=0.0) if isinstance(item, Message) else item for item in session.take()]


def talk(chat: Chat, verbs: list[Any], *before: Any) -> tuple[list[Any], list[Any]]:
    """What the speaker and a listener hear of the verbs."""
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.do(*before)
    bob.take()
    answers = ann.do(*verbs)
    return answers, heard(bob)


@given(st.lists(lines, min_size=1, max_size=6), st.sampled_from(["none", "commands", "watcher"]))
def test_it_makes_no_difference(texts: list[str], handler: str) -> None:
    """Empty, too long, to be cleaned, a command: answered and heard as if each had come alone."""
    more: dict[str, list[Handler]] = {"none": [], "commands": [Commands()], "watcher": [Watcher()]}

    together = talk(make_chat(*more[handler], limits=LIMITS), [SayAll(texts)])
    alone = talk(make_chat(*more[handler], limits=LIMITS), [Say(text) for text in texts])

    assert together == alone


def test_it_makes_no_difference_outside_of_the_room() -> None:
    """Each text is refused."""
    texts = ["one", "two"]

    answers, _ = talk(make_chat(), [SayAll(texts)], Leave())

    assert answers == talk(make_chat(), [Say(text) for text in texts], Leave())[0]
    assert [answer.code for answer in answers] == ["not_a_member"] * 2


def test_messages_have_places_and_times_of_their_own() -> None:
    """Ids follow each other, times are milliseconds apart (IRCv3 server-time), and neither ever goes back."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(Say("before"), SayAll([str(number) for number in range(100)]), Say("after"))

    messages = bob.take()
    assert [message.text for message in messages] == ["before", *map(str, range(100)), "after"]
    assert [message.id - messages[0].id for message in messages] == list(range(102))
    milliseconds = [int(message.time * 1000) for message in messages]
    assert all(later > earlier for earlier, later in pairwise(milliseconds))


def test_times_do_not_run_away_from_the_clock() -> None:
    """Who writes faster than a message a millisecond gets shared times, at most a second ahead."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(SayAll(["x"] * 5000), SayAll(["y"] * 5000))

    times = [message.time for message in bob.take()]
    assert times == sorted(times)
    assert times[-1] - times[0] < 1.5
