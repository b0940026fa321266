"""`FloodControl`: held back, refused, disconnected; with a clock that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, get_args

import pytest

from pychat import Chat, Limits
from pychat.core.local_session import LocalSession
from pychat.core.price import charge
from pychat.handlers import Broadcast, FloodControl
from pychat.model import queries, verbs
from pychat.model.events import Event
from pychat.model.replies import Failure, PongReply, Reply
from pychat.model.verbs import Say
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
        self.session.last_input_time = self.clock.monotonic()
        self.answers.clear()
        self.chat.perform(self.session, sent)
        return list(self.answers)


class _Session(LocalSession):
    """Its answers go to the test; it is no session of the program itself."""

    is_local = False

    def __init__(self, flooder: Flooder) -> None:
        super().__init__(flooder.chat)
        self._flooder = flooder

    def deliver(self, items: Sequence[Event | Reply]) -> None:
        self._flooder.answers += items


@pytest.fixture
def flooder() -> Callable[..., Flooder]:
    """Return a function that makes one, with other limits."""
    return lambda **limits: Flooder(Limits(**limits))


@pytest.fixture(autouse=True)
def work_takes_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What verbs cost by their work is only what a test says, and not what the machine needs at the moment."""
    monkeypatch.setattr("pychat.core.price.time.thread_time", lambda: 0.0)


MakeFlooder = Callable[..., Flooder]


def test_a_pasted_block_of_ten_lines_passes_at_once(flooder: MakeFlooder) -> None:
    """The burst: nobody waits, nothing is refused."""
    ann = flooder()
    ann.clock.advance(60)

    assert ann.send(*[Say("x")] * 10) == []
    assert ann.clock.waits == []
    assert len(ann.chat.default_room.history()) == 10


def test_the_next_ones_are_held_back_up_to_30_seconds_and_then_refused(flooder: MakeFlooder) -> None:
    """Two a second: 60 more wait half a second each, one more would wait too long."""
    ann = flooder()
    ann.clock.advance(60)

    answers = ann.send(*[Say("x")] * 71)

    assert ann.clock.waits == pytest.approx([0.5] * 60)
    assert [(answer.code, answer.text) for answer in answers] == [
        ("flood", "too fast: at most 10 at once, then 2 a second")
    ]
    assert len(ann.chat.default_room.history(limit=100)) == 70


def test_what_only_asks_costs_less(flooder: MakeFlooder) -> None:
    """Four questions count as one message: 40 at once, then 240 that wait."""
    ann = flooder()
    ann.clock.advance(60)

    answers = ann.send(*[queries.GetModes("lobby")] * 281)

    assert [answer.code for answer in answers if isinstance(answer, Failure)] == ["flood"]
    assert sum(ann.clock.waits) == pytest.approx(30.0)


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


def test_each_session_has_its_own_bucket(flooder: MakeFlooder) -> None:
    """One flooder takes nothing from the others."""
    ann = flooder(delay_seconds=0.0)
    bob = _Session(ann)
    ann.chat.perform(bob, [verbs.Hello("bob")])
    ann.send(*[Say("x")] * 50)

    ann.answers.clear()
    ann.chat.perform(bob, [Say("x")])
    assert ann.answers == []


def test_characters_count_as_the_bytes_that_they_have(flooder: MakeFlooder) -> None:
    """A text of four-byte characters is held back as long as one of four times as many letters."""

    def pauses(text: str) -> list[float]:
        sender = flooder(text_bytes=100, bytes_per_second=50)
        sender.send(*[Say(text)] * 11)
        return sender.clock.waits

    assert pauses("\N{GRINNING FACE}" * 25) == pauses("x" * 100) == [0.5, 1.5]


def test_work_is_paid_for_by_waiting_and_nothing_is_refused_for_it(flooder: MakeFlooder) -> None:
    """A burst of work passes; what is over it holds back the next verb, and a paste behind that passes as ever."""
    ann = flooder()
    ann.clock.advance(60)
    ann.session.owes = 14.0

    answers = ann.send(*[Say("x")] * 14)

    assert answers == []
    assert ann.clock.waits == pytest.approx([2.0, 0.5, 0.5, 0.5, 0.5])
    assert ann.session.owes == 0.0


def test_work_delays_no_answer_to_a_ping_and_no_goodbye(flooder: MakeFlooder) -> None:
    """Who leaves need not pay first."""
    ann = flooder()
    ann.session.owes = 1000.0

    ann.send(verbs.Ping("x"), verbs.Quit())

    assert ann.clock.waits == []
    assert ann.session.closed


def test_a_session_can_take_a_twentieth_of_a_processor(flooder: MakeFlooder) -> None:
    """In the long run, whatever it asks."""
    ann = flooder()
    ann.clock.advance(60)
    began = ann.clock.monotonic()

    for _ in range(100):
        charge(ann.session, 0.2)
        ann.send(queries.GetModes("lobby"))

    assert 100 * 0.2 / (ann.clock.monotonic() - began) == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("question", get_args(queries.Query))
def test_each_question_costs_what_it_works(
    question: type[Any], flooder: MakeFlooder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of a second of a processor is four messages; it costs that, too, if the question is refused."""
    ann = flooder()
    ann.session.person.modes = "o"
    ticks = count(0, 0.1)
    monkeypatch.setattr("pychat.core.price.time.thread_time", lambda: next(ticks))
    fields = {field: "lobby" for field in question._fields if field not in question._field_defaults}
    verb = question(**fields)
    if question is queries.ListHistory:
        verb = queries.ListHistory((queries.Moment(0.0), queries.Moment(1.0)))

    ann.send(verb)

    assert ann.session.owes >= 3.75


@pytest.mark.parametrize("verb", [verbs.Ping("x"), verbs.Pong(), verbs.Answer((PongReply(None, "x"),))])
def test_verbs_that_cost_nothing(flooder: MakeFlooder, verb: verbs.Verb) -> None:
    """Threat "verbs that cost nothing": whatever it is, 200 lines pass at once, then 20 a second, for ever."""
    ann = flooder()
    ann.clock.advance(60)

    ann.send(*[verb] * 200)
    start = ann.clock.monotonic()
    ann.send(*[verb] * 1000)

    assert ann.clock.monotonic() - start == pytest.approx(50.0, abs=0.1)
    assert not ann.session.closed


def test_answers_of_a_language_cost_their_bytes(flooder: MakeFlooder) -> None:
    """160 KiB pass at once, then 16 KiB a second."""
    ann = flooder()
    ann.clock.advance(60)
    long = verbs.Answer((PongReply(None, "x" * 8092),))

    ann.send(*[long] * 20)
    assert ann.clock.waits == []
    ann.send(*[long] * 20)

    assert sum(ann.clock.waits) == pytest.approx(10.0)


def test_bytes_that_are_no_verbs_cost_as_well(flooder: MakeFlooder) -> None:
    """Blank lines, say: they are counted when the next verb comes, which waits for them."""
    ann = flooder()
    ann.clock.advance(60)
    ann.session.uncounted = 163_840 + 32_768

    ann.send(verbs.Pong())

    assert ann.clock.waits == pytest.approx([2.0])


def test_sessions_of_the_program_itself_are_never_held_back(clock: FakeClock) -> None:
    """A bot inside the process, or whoever speaks for a program, knows what it does."""
    chat = Chat([FloodControl(), Broadcast()], clock=clock)
    bot = chat.session("bot")

    for number in range(1000):
        bot.say(str(number))

    assert clock.waits == []


def test_rooms_that_come_with_the_nickname_cost_what_they_cost_one_by_one() -> None:
    """But who comes back into twenty at once does not wait, nor for what it says then."""
    flooder = Flooder(Limits(rooms_per_session=100))
    many = _Session(flooder)
    flooder.chat.perform(many, [verbs.Hello("bob", tuple(f"r{number}" for number in range(20)))])
    assert (len(many.rooms), many.owes) == (20, 9.5)
    flooder.chat.perform(many, [Say("x")] * 9)
    assert flooder.clock.waits == []

    more = _Session(flooder)
    flooder.chat.perform(more, [verbs.Hello("eve", tuple(f"r{number}" for number in range(61)))])
    flooder.chat.perform(more, [Say("x")])
    assert flooder.clock.waits == [10.0]
