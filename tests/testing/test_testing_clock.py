"""`FakeClock`: a time that stands still, for handlers, for those who wait, and for the server's own timers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from chat_clients import DEADLINE

from pychat import Disconnected, Handler, Limits, Message, Notice, Refused, Session
from pychat.client import Reconnecting
from pychat.handlers import Broadcast, Context, FloodControl
from pychat.model.clock import SYSTEM_CLOCK
from pychat.testing import FakeClock, MakeChat


def test_time_stands_still_until_it_is_moved(clock: FakeClock) -> None:
    """Both clocks move together, and never back."""
    before = clock.monotonic(), clock.time()
    assert (clock.monotonic(), clock.time()) == before

    clock.advance(1.5)

    assert (clock.monotonic(), clock.time()) == (before[0] + 1.5, before[1] + 1.5)
    with pytest.raises(ValueError, match=r"^time does not go back, not even 1 s$"):
        clock.advance(-1)


def test_the_moment_at_which_it_stands_can_be_chosen() -> None:
    """POSIX seconds, for handlers that look at the calendar."""
    assert FakeClock(start=0.0).time() == 0.0


def test_who_waits_goes_on_when_it_is_time(clock: FakeClock) -> None:
    """Not before, and each at its own time."""
    never = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        short, long = pool.submit(clock.wait, never, 1.0), pool.submit(clock.wait, never, 60.0)
        clock.wait_for_waiters(2)

        clock.advance(59.0)
        assert short.result(DEADLINE) is False
        assert not long.done()
        clock.advance(1.0)

        assert long.result(DEADLINE) is False
    assert sorted(clock.waits) == [1.0, 60.0]


def test_who_waits_goes_on_when_the_event_is_set(clock: FakeClock) -> None:
    """Whoever sets it knows nothing of the clock."""
    event = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(clock.wait, event, 60.0)
        clock.wait_for_waiters()

        event.set()

        assert waiting.result(DEADLINE) is True


def test_a_clock_that_jumps_lets_nobody_wait() -> None:
    """The time is over at once, and is counted."""
    clock = FakeClock(jumps=True)
    before = clock.monotonic()

    assert clock.wait(threading.Event(), 60.0) is False

    assert clock.monotonic() == before + 60.0
    assert clock.waits == [60.0]


def test_nobody_who_waits_is_an_error(clock: FakeClock) -> None:
    """Within a time that is real."""
    with pytest.raises(AssertionError, match=r"^0 threads wait by the clock after 0.05 s, not 1$"):
        clock.wait_for_waiters(timeout=0.05)


def test_who_has_waited_long_enough_waits_no_more(clock: FakeClock) -> None:
    """Also if it has not noticed yet: the next one to wait is another."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(clock.wait, threading.Event(), 1.0)
        clock.wait_for_waiters()

        clock.advance(1.0)

        with pytest.raises(AssertionError):
            clock.wait_for_waiters(timeout=0.0)
        waiting.result(DEADLINE)


def test_whose_event_is_set_waits_no_more(clock: FakeClock) -> None:
    """Also if it has not noticed yet: it may look at the clock, and wait for something else."""
    event = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(clock.wait, event, 1.0)
        clock.wait_for_waiters()

        event.set()

        with pytest.raises(AssertionError):
            clock.wait_for_waiters(timeout=0.0)
        waiting.result(DEADLINE)


def test_the_systems_clock_waits_for_events() -> None:
    """What a chat has if nothing else is wanted."""
    event = threading.Event()

    assert SYSTEM_CLOCK.wait(event, 0.0) is False
    event.set()
    assert SYSTEM_CLOCK.wait(event, DEADLINE) is True


# With a server


def test_a_member_who_sends_too_fast_is_held_back(chat_server: MakeChat, clock: FakeClock) -> None:
    """Two a second after the first: the next one passes when half a second is over, not earlier."""
    limits = Limits(message_burst=1, messages_per_second=2)
    chat = chat_server(handlers=[FloodControl(), Broadcast()], limits=limits, clock=clock)
    ann, bob = chat.join("ann"), chat.join("bob")
    clock.advance(60)
    ann.say("one")

    with ThreadPoolExecutor(1) as pool:
        saying = pool.submit(ann.say, "two")
        clock.wait_for_waiters()
        assert [message.text for message in bob.received(Message)] == ["one"]
        clock.advance(0.5)
        saying.result(DEADLINE)

    assert bob.next(Message).text == "two"
    assert set(clock.waits) == {0.5}


def test_a_pause_ends_when_the_server_stops(chat_server: MakeChat, clock: FakeClock) -> None:
    """Whatever the clock says."""

    class Slow(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            session.pause(3600.0)
            return message

    chat = chat_server(handlers=[Slow(), Broadcast()], clock=clock)
    nc = chat.connect()
    nc.send("nc\nhello\n")
    clock.wait_for_waiters()

    chat.server.stop()

    assert nc.read_until("goodbye")[-1] == "-- goodbye: the server is shutting down"


def test_handlers_ask_the_chat_what_time_it_is(chat_server: MakeChat, clock: FakeClock) -> None:
    """The example of the documentation: a rule of one's own about time."""

    class OncePerMinute(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            now = session.chat.clock.monotonic()
            if now < session.memo.get(self, 0.0):
                raise Refused("once per minute")
            session.memo[self] = now + 60
            return message

    ann = chat_server(handlers=[OncePerMinute(), Broadcast()], clock=clock).join("ann")

    ann.say("one")
    clock.advance(59)
    with pytest.raises(Refused, match=r"^once per minute$"):
        ann.say("two")
    clock.advance(1)
    assert ann.say("three")


def test_events_have_the_time_of_the_clock(chat_server: MakeChat, clock: FakeClock) -> None:
    """To the millisecond, and they are a millisecond apart."""
    chat = chat_server(clock=clock)
    ann, bob = chat.join("ann"), chat.join("bob")
    clock.advance(3600.0)

    ann.say("one")
    ann.say("two")

    times = [round(message.time - clock.time(), 2) for message in bob.received(Message)]
    assert times == [0.0, 0.0]


def test_members_stay_however_far_the_time_jumps(chat_server: MakeChat, clock: FakeClock) -> None:
    """They could not answer meanwhile, so they are asked first whether they are there."""
    # Whoever is not in at the first look, within a second, is looked at again when the time to come in is over.
    limits = Limits(registration_seconds=10.0, ping_seconds=0.01)
    chat = chat_server(clock=clock, limits=limits, deadline=DEADLINE)
    ann, bob = chat.join("ann"), chat.connect()
    bob.send('{"type":"hello","nick":"bob"}\n')
    bob.read_until("members")

    clock.advance(24 * 3600)

    bob.read_until('{"type":"ping"}')
    assert ann.received(Disconnected) == []


def test_a_nickname_is_kept_until_it_is_time(chat_server: MakeChat, clock: FakeClock) -> None:
    """For 30 seconds after the connection was lost."""
    chat = chat_server(clock=clock)
    network, bob = chat.network(), chat.session("bob")
    ann = chat.join("ann", via=network, reconnect=True)
    network.down()
    ann.next(Reconnecting)
    bob.next(Disconnected)

    clock.advance(29.0)
    with pytest.raises(Refused, match=r"^nickname 'ann' is reserved for 1 s for somebody who lost the connection"):
        chat.session("ann")
    clock.advance(1.5)

    assert chat.session("ann").nickname == "ann"


def test_the_time_of_day_can_be_set(chat_server: MakeChat, clock: FakeClock) -> None:
    """As an operator does whose clock was wrong: nobody waits for a longer or a shorter time."""
    monotonic = clock.monotonic()
    ann = chat_server(clock=clock).join("ann")
    clock.set_time(2_000_000_000.0)

    ann.say("x")

    assert round(ann.history()[-1].time) == clock.time() == 2_000_000_000.0
    assert clock.monotonic() == monotonic


def test_a_bot_in_the_server_follows_the_clock(chat_server: MakeChat, clock: FakeClock) -> None:
    """Whatever is added later is due when the clock says so, and the cooldown of a command ends by it."""
    chat = chat_server(clock=clock)
    ann, bot = chat.join("ann"), chat.server.bot("helper")
    ready = 0.0

    @bot.every(3600)
    def rarely() -> None:
        bot.say("an hour")

    @bot.every(60)
    def often() -> None:
        bot.say("a minute")

    @bot.command("brew")
    def brew(ctx: Context) -> None:
        nonlocal ready
        if ctx.clock.monotonic() < ready:
            raise Refused("still hot")
        ready = ctx.clock.monotonic() + 100
        ctx.reply("tea")

    def say(text: str) -> str:
        ann.say(text)
        return ann.next(Message).text

    def pass_time(seconds: float) -> None:
        clock.wait_for_waiters()  # when the bot knows what is due next
        clock.advance(seconds)

    assert [say("!brew"), say("!brew")] == ["tea", "still hot"]
    for _ in range(2):
        pass_time(60)
        assert ann.next(Message).text == "a minute"
    assert say("!brew") == "tea"
    pass_time(3600)
    assert {ann.next(Message).text, ann.next(Message).text} == {"an hour", "a minute"}
    bot.off(often)
    pass_time(3600)
    assert ann.next(Message).text == "an hour"


def test_commands_of_a_server_follow_the_clock(chat_server: MakeChat, clock: FakeClock) -> None:
    """It is that of the chat."""
    chat = chat_server(clock=clock)

    @chat.server.command
    def now(ctx: Context) -> None:
        ctx.whisper(f"{ctx.clock.time():.0f}")

    ann = chat.join("ann")
    clock.advance(5)
    ann.say("!now")

    assert ann.next(Notice).text == "1000000005"
