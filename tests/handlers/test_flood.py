"""`FloodControl`: held back, refused, disconnected; with a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pychat import Chat, Limits
from pychat.core import queries, verbs
from pychat.core.events import Event
from pychat.core.replies import Failure, PongReply, Reply
from pychat.core.session import LocalSession
from pychat.core.verbs import Say
from pychat.handlers import Broadcast, FloodControl
from pychat.testing import FakeClock


class Flooder:
    """Somebody who sends, at times that the test chooses, and what became of it."""

    def __init__(self, limits: Limits) -> None:
        self.clock = FakeClock(jumps=True)
        self.chat = Chat([FloodControl(), Broadcast()], limits=limits, clock=self.clock)
        self.answers: list[Any] = []
        self.session = _Session(self)
        self.send(verbs.Hello("ann"))
        self.answers.clear()

    def send(self, *sent: verbs.Verb) -> list[Any]:
        """Send verbs that arrive together; return what was answered."""
        self.session.heard = self.clock.monotonic()
        self.answers.clear()
        self.chat.perform(self.session, sent)
        return list(self.answers)


class _Session(LocalSession):
    """Its answers go to the test."""

    def __init__(self, flooder: Flooder) -> None:
        super().__init__(flooder.chat)
        self._flooder = flooder

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        self._flooder.answers += items


@pytest.fixture
def flooder() -> Callable[..., Flooder]:
    """Return a function that makes one, with other limits."""
    return lambda **limits: Flooder(Limits(**limits))


MakeFlooder = Callable[..., Flooder]


def test_a_pasted_block_of_ten_lines_passes_at_once(flooder: MakeFlooder) -> None:
    """The burst: nobody waits, nothing is refused."""
    ann = flooder()
    ann.clock.advance(60)

    assert ann.send(*[Say("x")] * 10) == []
    assert ann.clock.waits == []
    assert len(ann.chat.default_room.history()) == 10


def test_the_next_ones_are_held_back_up_to_two_seconds_and_then_refused(flooder: MakeFlooder) -> None:
    """Two a second: four more wait half a second each, the fifth would wait too long."""
    ann = flooder()
    ann.clock.advance(60)

    answers = ann.send(*[Say("x")] * 15)

    assert ann.clock.waits == pytest.approx([0.5, 0.5, 0.5, 0.5])
    assert [(answer.code, answer.text) for answer in answers] == [
        ("flood", "too fast: at most 10 at once, then 2 a second")
    ]
    assert len(ann.chat.default_room.history()) == 14


def test_what_only_asks_waits_longer_before_it_is_refused(flooder: MakeFlooder) -> None:
    """Four questions count as one message; they are held back up to ten seconds: 40 at once, then 80 that wait."""
    ann = flooder()
    ann.clock.advance(60)

    answers = ann.send(*[queries.GetModes("lobby")] * 121)

    assert [answer.code for answer in answers if isinstance(answer, Failure)] == ["flood"]
    assert sum(ann.clock.waits) == pytest.approx(10.0)


def test_who_waits_may_speak_again(flooder: MakeFlooder) -> None:
    """The bucket fills with two a second."""
    ann = flooder()
    ann.clock.advance(60)
    ann.send(*[Say("x")] * 10)

    ann.clock.advance(1.0)
    ann.send(*[Say("x")] * 2)
    assert ann.clock.waits == []
    ann.clock.advance(100.0)
    ann.send(*[Say("x")] * 10)
    assert ann.clock.waits == []


def test_a_steady_two_a_second_passes_for_ever(flooder: MakeFlooder) -> None:
    """The rate that is promised is never refused nor held back."""
    ann = flooder()

    for _ in range(200):
        ann.clock.advance(0.5)
        assert ann.send(Say("x")) == []
    assert ann.clock.waits == []


def test_30_refusals_in_a_minute_end_the_session(flooder: MakeFlooder) -> None:
    """The others see why."""
    ann = flooder(delay_seconds=0.0)
    ann.clock.advance(60)

    ann.send(*[Say("x")] * 39)
    assert not ann.session.closed
    answers = ann.send(Say("x"))

    assert ann.session.closed
    assert answers[-1].reason == "flooding"


def test_refusals_of_long_ago_do_not_count(flooder: MakeFlooder) -> None:
    """29 now and 29 a minute later are not 30 in a minute."""
    ann = flooder(delay_seconds=0.0)
    ann.clock.advance(60)

    for _ in range(3):
        ann.send(*[Say("x")] * 39)
        ann.clock.advance(61)

    assert not ann.session.closed


def test_bytes_are_counted_too(flooder: MakeFlooder) -> None:
    """After a burst of ten full messages, 8 KiB a second."""
    ann = flooder(messages_per_second=1000.0, message_burst=1000, text_bytes=100, bytes_per_second=50_000)
    ann.clock.advance(60)

    ann.send(*[Say("x" * 100)] * 1000)
    assert ann.clock.waits == []
    ann.send(Say("x" * 100))
    assert ann.clock.waits == pytest.approx([0.002])


def test_commands_and_garbage_count_and_goodbyes_do_not(flooder: MakeFlooder) -> None:
    """A flood of errors is a flood; who only answers is none."""
    ann = flooder(delay_seconds=0.0)
    ann.clock.advance(60)

    answers = ann.send(*[verbs.Command("x")] * 5, *[verbs.Invalid("bad_request", "x")] * 6)
    assert [answer.code for answer in answers[5:]] == ["bad_request"] * 5 + ["flood"]
    assert len(ann.send(*[verbs.Ping("x")] * 20)) == 20
    assert len(ann.send(*[verbs.Answer((PongReply(None, "x"),))] * 20)) == 20
    ann.send(verbs.Pong(), verbs.Quit())
    assert ann.session.closed


@pytest.mark.parametrize(
    ("verb", "passing"),
    [
        (queries.ListRooms(), 40),
        (queries.ListPeople(room="lobby"), 40),
        (queries.ListPeople("a*"), 10),
        (verbs.Join("lobby"), 20),
        (verbs.SetNickname("ann"), 10),
    ],
)
def test_what_nobody_hears_counts_less(flooder: MakeFlooder, verb: verbs.Verb, passing: int) -> None:
    """Clients ask a lot when they come in; but to look at everybody on the server is no small thing."""
    ann = flooder(delay_seconds=0.0)
    ann.clock.advance(60)

    answers = ann.send(*[verb] * (passing + 1))

    assert [index for index, answer in enumerate(answers) if isinstance(answer, Failure)] == [passing]
    assert answers[-1].code == "flood"


def test_each_session_has_its_own_bucket(clock: FakeClock) -> None:
    """One flooder takes nothing from the others."""
    chat = Chat([FloodControl(), Broadcast()], limits=Limits(delay_seconds=0.0), clock=clock)
    ann, bob = chat.session("ann"), chat.session("bob")
    chat.perform(ann, [Say("x")] * 50)

    assert bob.say("x")


def test_characters_count_as_the_bytes_that_they_have(flooder: MakeFlooder) -> None:
    """A text of four-byte characters is held back as long as one of four times as many letters."""

    def pauses(text: str) -> list[float]:
        sender = flooder(text_bytes=100, bytes_per_second=50)
        sender.send(*[Say(text)] * 11)
        return sender.clock.waits

    assert pauses("\N{GRINNING FACE}" * 25) == pauses("x" * 100) == [0.5, 1.5]
