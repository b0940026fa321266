"""What IRC adds to messages: notices, formatting, tags, messages for those with a role, tags alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from recorder import Recorder, enter, make_chat, no_alarm_is_left

from pychat.core import order
from pychat.core.chat import Chat
from pychat.core.handler import Handler
from pychat.core.session import Session
from pychat.model import queries, verbs
from pychat.model.events import SAID, Message, Tagged
from pychat.model.modes import parse
from pychat.model.replies import Failure, Ok, PersonAway
from pychat.model.text import clean_formatted
from pychat.model.verbs import Direct, Say, SayAll, SetModes, Tag

__all__ = ["no_alarm_is_left"]


def pair(*first: Handler) -> tuple[Recorder, Recorder]:
    """Two in a room that the first one has made."""
    chat = make_chat(first=first)
    ann, bob = enter(chat, "ann", "ops"), enter(chat, "bob", "ops")
    ann.take()
    return ann, bob


def test_what_only_irc_knows_of_reaches_room_and_person() -> None:
    """Notice, formatting and tags; userhost is that of the sender."""
    ann, bob = pair()

    ann.do(
        Say("red", notice=True, formatted="\x0304red", tags="+a=b"),
        Direct("red", "bob", notice=True, formatted="\x0304red", tags="+a=b"),
    )

    for message in bob.take():
        assert (message.notice, message.formatted, message.tags) == (True, "\x0304red", "+a=b")
        assert message.userhost == ann.userhost


def test_formatting_is_cleaned() -> None:
    """Codes of formatting and CTCP stay; no line ends, nothing that moves a cursor."""
    kept = "\x01\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f"

    assert clean_formatted(f"a{kept}b") == f"a{kept}b"
    assert clean_formatted("a\r\nb\nc\td\re\x00f\x1bg\u202eh\ud800") == "a b c d\ufffde\ufffdf\ufffdg\ufffdh\ufffd"


def test_formatting_has_the_limit_of_texts() -> None:
    """It is as much a message."""
    ann, _ = pair()

    items = ann.do(Say("x", formatted="\x02" * 4097))

    assert items == [Failure(None, "limit_exceeded", "message: at most 4096 bytes", "ops")]


def test_a_handler_that_changes_the_text_takes_the_formatting_away() -> None:
    """Else IRC members would see what was censored."""

    class Censors(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            return message._replace(text=message.text.replace("damn", "d***"))

    ann, bob = pair(Censors())

    ann.do(Say("damn", formatted="\x02damn"), Say("fine", formatted="\x02fine"))

    assert [(event.text, event.formatted) for event in bob.take()] == [("d***", None), ("fine", "\x02fine")]


@pytest.mark.parametrize("verb", [Say("x", tags="+a b"), Direct("x", "bob", tags="+a\r"), Tag("+a\x00", "ops")])
def test_tags_that_would_end_themselves_are_refused(verb: verbs.Verb) -> None:
    """Whatever language they come from (IRCv3 message-tags)."""
    ann, _ = pair()

    (failure,) = ann.do(verb)

    assert (failure.code, failure.text) == ("bad_request", "message tags have no spaces and no control characters")


def test_tags_have_a_limit() -> None:
    """4094 bytes from a client (IRCv3 message-tags, "Size limit"); any script may be in them."""
    ann, bob = pair()

    assert ann.do(Tag("+ä" + "x" * 4092, "ops")) == [
        Failure(None, "limit_exceeded", "message tags: at most 4094 bytes")
    ]
    ann.do(Tag("+draft/react=👩\u200d🔬" + "x" * 4000, "ops"))
    assert len(bob.take()) == 1


def test_a_bot_is_marked() -> None:
    """IRCv3 bot mode: the tag is on all that it says."""
    ann, bob = pair()
    ann.person.modes = "B"

    ann.do(Say("x"), Say("x", tags="+a"), Direct("x", "bob"), Tag("+a", "ops"))

    assert [event.tags for event in bob.take()] == ["bot", "+a;bot", "bot", "+a;bot"]


@pytest.mark.parametrize(("room", "key"), [("VIP", "vip"), ("vip", "vip"), ("Ärger", "ärger"), (None, None)])
def test_a_message_tells_its_room_as_rooms_are_compared(room: str | None, key: str | None) -> None:
    """So a rule for one room cannot be passed by whoever makes it in capitals; `Room.key` is the same."""
    assert Message(1, 0.0, room, "ann", "hi", to="bob").room_key == key
    if room is not None:
        assert Chat().room(room).key == key


@pytest.mark.parametrize(("tags", "by_bot"), [("", False), ("bot", True), ("+a;bot", True), ("+bot;+a=bot", False)])
def test_a_message_tells_whether_a_bot_said_it(tags: str, by_bot: bool) -> None:
    """By the one tag that core gives; what a client writes in its own is no such thing."""
    assert Message(1, 0.0, "ops", "ann", "hi", tags=tags).by_bot is by_bot


def test_a_hello_may_say_that_it_is_from_a_bot() -> None:
    """Then it is marked from its first word on, and still if it comes back and says so again."""
    ann, _ = pair()
    bot = enter(ann.chat, "helper", "ops", bot=True)
    ann.take()
    bot.do(Say("one"), SayAll(["two", "three"]))
    bot.resumable = True
    ann.chat.close(bot, "lost", lost=True)

    again = enter(ann.chat, "helper", token=bot.token)
    again.do(Say("four"))

    said = [event for event in ann.take() if isinstance(event, Message)]
    assert [(event.text, event.by_bot) for event in said] == [
        ("one", True),
        ("two", True),
        ("three", True),
        ("four", True),
    ]


def test_tags_alone() -> None:
    """Nobody is answered but who wants it; no handler of messages sees them, and no history keeps them."""
    ann, bob = pair()

    items = ann.do(Tag("+typing=active", "OPS", ref=1), Tag("+typing=done", to="BOB", ref=2))

    in_room, private = bob.take()
    assert isinstance(in_room, Tagged)
    assert (in_room.room, in_room.to, in_room.sender, in_room.tags) == ("ops", None, "ann", "+typing=active")
    assert in_room.userhost == ann.userhost
    assert (private.room, private.to) == (None, "bob")
    assert items == [Ok(1, in_room.id), Ok(2, private.id)]
    assert [event for event in ann.do(queries.ReadHistory())[-1].events if isinstance(event, Tagged)] == []


def test_tags_for_nobody() -> None:
    """The same refusals as for messages."""
    ann, _ = pair()

    codes = [item.code for item in ann.do(Tag("+a", "nowhere"), Tag("+a", to="eve"), Tag("+a", "ops", role="x"))]

    assert codes == ["not_a_member", "no_such_nickname", "bad_request"]


def roles() -> tuple[Recorder, Recorder, Recorder, Recorder]:
    """An operator, one with voice, and two members like others, in one room."""
    chat = make_chat()
    ann, bob, carl, eve = (enter(chat, nickname, "ops") for nickname in ("ann", "bob", "carl", "eve"))
    ann.do(SetModes(tuple(parse("+v", ["bob"]))))
    for session in (ann, bob, carl, eve):
        session.take()
    return ann, bob, carl, eve


@pytest.mark.parametrize(
    ("role", "hearers"), [("operator", ["ann"]), ("voice", ["ann", "bob"]), ("", ["ann", "bob", "eve"])]
)
def test_messages_for_those_with_a_role(role: str, hearers: list[str]) -> None:
    """STATUSMSG (modern.ircdocs.horse): `@#ops` is for operators, `+#ops` for those with voice, too."""
    ann, bob, carl, eve = roles()

    items = carl.do(Say("psst", role=role, ref=1), Tag("+a", "ops", role=role, ref=2))

    heard: dict[str, Any] = {session.nickname or "": session.take() for session in (ann, bob, eve)}
    assert [nickname for nickname, events in heard.items() if events] == hearers
    assert [(type(event), event.role) for event in heard["ann"]] == [(Message, role), (Tagged, role)]
    assert [type(item) for item in items] == [Ok, Ok]


def test_history_of_messages_for_a_role() -> None:
    """Those who heard it, and who said it, find it there; others do not, whatever they become."""
    ann, bob, carl, eve = roles()
    carl.do(Say("psst", role="operator"))
    ann.do(SetModes(tuple(parse("+o", ["eve"]))))

    def texts(session: Recorder) -> list[str]:
        (page,) = [item for item in session.do(queries.ReadHistory(messages_only=True)) if hasattr(item, "more")]
        return [event.text for event in page.events]

    assert [texts(session) for session in (ann, bob, carl, eve)] == [["psst"], [], ["psst"], []]


def test_a_role_that_there_is_not() -> None:
    """Only IRC clients send roles, and their language knows which there are."""
    ann, _ = pair()

    assert ann.do(Say("x", role="king")) == [Failure(None, "bad_request", "role 'king': use operator or voice", "ops")]


def test_who_writes_to_somebody_away_is_told() -> None:
    """301 in IRC; never for a notice, which no program shall answer (RFC 2812 section 3.3.2)."""
    ann, bob = pair()
    bob.do(verbs.SetAway("lunch"))
    ann.take()

    assert ann.do(Direct("x", "bob"), Direct("x", "bob", notice=True)) == [PersonAway(None, "bob", "lunch")]


class Reaction(NamedTuple):
    """A kind of event that somebody has added, and nothing else."""

    id: int
    time: float
    room: str
    sender: str
    emoji: str
    userhost: str = ""
    account: str | None = None


def test_a_new_kind_of_event_that_is_said_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets a place and its sender like any other."""
    monkeypatch.setattr(order, "SAID", (*SAID, Reaction))

    class Reacts(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            reaction: Any = Reaction(0, 0.0, "ops", message.sender, message.text)
            session.chat.order.publish(reaction, (session.rooms["ops"],))
            return message

    ann, bob = pair(Reacts())

    ann.do(Say(":-)"))

    said = next(item for item in bob.take() if isinstance(item, Reaction))
    assert said.id > 0
    assert said[2:] == ("ops", "ann", ":-)", ann.userhost, None)
