"""`Chat`: what verbs cause and how they are answered, without any server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from recorder import USERHOST, Recorder, enter, make_chat, member

from pychat import Chat, Handler, Limits, LocalSession, Refused, Room, Session
from pychat.core.accounts import hello as arriving
from pychat.core.verb_table import authorize
from pychat.handlers import Broadcast, Commands
from pychat.model import queries, replies, server_ban, verbs
from pychat.model.errors import InternalFailure, LocalProtocolError, NotHere, NotRegistered
from pychat.model.events import (
    AwayChanged,
    Disconnected,
    Event,
    Joined,
    Left,
    Message,
    Notice,
    Renamed,
    TopicChanged,
)
from pychat.model.modes import ModeChange
from pychat.model.replies import Bye, Failure, HistoryPage, Lines, Members, Ok, PersonAway, PongReply, Profile
from pychat.model.verbs import Hello, Join, ListIgnored, Say, SetIgnored

ALL_VERBS: list[verbs.Verb] = [
    verbs.Hello("ann"),
    verbs.Say("x"),
    verbs.Direct("x", "bob"),
    verbs.Tag("+typing=active", "lobby"),
    verbs.Join("ops"),
    verbs.SetModes((ModeChange(True, "m"),)),
    verbs.Invite("bob"),
    verbs.Kick("ann"),
    verbs.Ban("eve"),
    SetIgnored(("eve",)),
    ListIgnored(),
    verbs.Unban("eve"),
    verbs.Join("ops"),
    verbs.Leave(),
    queries.ListInvitations(),
    queries.GetModes(),
    queries.ListMasks("b"),
    verbs.SetNickname("anna"),
    verbs.SetTopic("x"),
    queries.GetTopic(),
    verbs.SetAway("x"),
    queries.ListMembers(),
    queries.ListRooms(),
    queries.WhoIs("bob"),
    queries.ListPeople("b*"),
    queries.FindPeople(("bob",)),
    queries.WhoWas("bob"),
    verbs.Watch(("bob",)),
    queries.ListWatched(),
    queries.CountPeople(),
    queries.GetMotd(),
    verbs.SetUserModes((ModeChange(True, "i"),)),
    queries.GetUserModes(),
    verbs.SetRealname("x"),
    verbs.BecomeOperator("x", "x"),
    verbs.LogOut(),
    verbs.LogIn("x"),
    verbs.Authenticate("PLAIN", b""),
    verbs.Register("x"),
    verbs.ChangePassword("x", "y"),
    verbs.DropAccount("x"),
    verbs.Regain("x"),
    verbs.Kill("bob"),
    server_ban.AddServerBan("192.0.2.9"),
    server_ban.RemoveServerBan("192.0.2.9"),
    server_ban.ListServerBans(),
    queries.ReadAudit(),
    queries.GetStats(),
    verbs.SendWallops("x"),
    verbs.Announce("x"),
    queries.ReadHistory(),
    queries.ListHistory((queries.Moment(0.0), queries.Moment(1.0))),
    verbs.Command("help"),
    verbs.Help("x"),
    verbs.Ping("x"),
    verbs.Pong(),
    verbs.LeaveAll(),
    verbs.Quit(),
    verbs.Invalid("bad_request", "x"),
    verbs.Abort("line_too_long", "x"),
]
UNANSWERED: list[verbs.Verb] = [verbs.SayAll(["x"]), verbs.Answer((Ok("x"),))]


def failure(items: list[Any]) -> tuple[str, str]:
    """The code and the text of the only item, a refusal."""
    (item,) = items
    assert isinstance(item, Failure)
    return item.code, item.text


# Coming in


def test_hello_is_answered_by_a_welcome_and_the_members_of_the_room() -> None:
    """A session without rooms goes to the default one."""
    chat = make_chat()
    enter(chat, "bob")
    ann = Recorder(chat)
    chat.open(ann)

    welcome, motd, members = ann.do(Hello("ann", ref=7))

    assert (welcome.ref, welcome.server, welcome.nickname, welcome.limits) == (7, "pychat", "ann", chat.limits)
    assert motd == replies.Motd(None, ())
    (arrival,) = chat.log.read_before("lobby", None, 1).events
    assert isinstance(arrival, Joined)
    infos = (member("bob"), member("ann"))
    assert members == Members(None, "lobby", "", infos, joined=True, arrival=arrival, place=arrival.id)
    assert ann.current is chat.default_room


def test_the_others_hear_who_comes_and_goes() -> None:
    """Joined, Left and Disconnected, by `JoinLeaveNotices`; a disconnect is one event for all rooms."""
    chat = make_chat()
    bob = enter(chat, "bob", "lobby", "ops")

    ann = enter(chat, "ann", "lobby", "ops")
    ann.do(verbs.Leave("ops", "lunch"), Join("ops"), verbs.Quit("tired"))

    events = bob.take()
    assert [type(event) for event in events] == [Joined, Joined, Left, Joined, Disconnected]
    assert (events[2].room, events[2].nickname, events[2].reason) == ("ops", "ann", "lunch")
    assert (events[4].rooms, events[4].nickname, events[4].reason) == (("lobby", "ops"), "ann", "tired")
    assert [event.id for event in events] == sorted({event.id for event in events})


@pytest.mark.parametrize("verb", [verbs.SetAway("lunch"), verbs.Direct("psst", "bob"), Say("psst"), Join("ops")])
def test_a_hook_that_ends_the_session_ends_its_verb(verb: verbs.Verb) -> None:
    """Nobody hears of somebody who is gone."""

    class Ends(Handler):
        def before_verb(self, session: Session, asked: verbs.Verb) -> None:
            if asked is verb:
                session.disconnect_self("enough")

    chat = make_chat(Ends())
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    items = ann.do(verb, verb)

    assert [type(item) for item in items] == [Joined, Bye]
    assert [type(event) for event in bob.take()] == [Disconnected]
    assert chat.find_room("ops") is None


def test_who_is_ended_at_this_moment_is_not_away() -> None:
    """Another thread may end the session of this process while it performs a verb."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    chat.close(ann, "enough")

    with pytest.raises(NotHere, match="you are not connected any more"):
        arriving.set_away(chat, ann, verbs.SetAway("lunch"))

    assert [type(event) for event in bob.take()] == [Disconnected]


def test_a_nickname_is_free_when_the_others_hear_that_its_owner_has_left() -> None:
    """Who sees the leave and takes the nickname at once must not be told that it is in use."""
    free: list[bool] = []

    class Watches(Recorder):
        def deliver(self, items: Sequence[Event | replies.Reply]) -> None:  # under the order lock
            if any(isinstance(item, Disconnected) for item in items):
                free.append(chat.nicknames.find("ann") is None)

    chat = make_chat()
    bob = Watches(chat)
    chat.open(bob)
    bob.do(Hello("bob"))
    ann = enter(chat, "ann")

    ann.do(verbs.Quit())

    assert free == [True]


def test_a_second_hello_is_refused() -> None:
    """There is another verb for another nickname."""
    ann = enter(make_chat(), "ann")

    assert failure(ann.do(Hello("anna"))) == ("bad_request", "you are already 'ann'; use nick to change your nickname")


@pytest.mark.parametrize("verb", ALL_VERBS, ids=lambda verb: type(verb).__name__)
def test_every_verb_is_authorized_and_answered_once(verb: Any) -> None:
    """Before and after registration, whatever it is: one reply carries the ref, never two and never none."""
    chat = make_chat(Commands())
    bob = enter(chat, "bob")
    nobody = Recorder(chat)
    chat.open(nobody)

    for session in (nobody, bob):
        if not session.closed:
            items = session.do(verb._replace(ref="mark"))
            assert len([item for item in items if getattr(item, "ref", None) == "mark"]) == 1


def test_every_verb_has_a_rule() -> None:
    """The list above is complete, and the one place that is asked knows each of them."""
    every: list[Any] = [*ALL_VERBS, *UNANSWERED]
    assert {type(verb) for verb in every} == set(verbs.Verb.__args__)
    refused = set()
    for verb in every:
        try:
            authorize(Recorder(make_chat()), verb)
        except NotRegistered:
            refused.add(type(verb))
    passed = {verbs.Hello, verbs.Help, verbs.Ping, verbs.Pong, verbs.Quit, verbs.Invalid, verbs.Abort, verbs.Answer}
    passed |= {verbs.Register, verbs.LogIn, verbs.LogOut, verbs.Authenticate}
    assert refused == set(verbs.Verb.__args__) - passed


def test_one_of_several_rooms_may_be_refused() -> None:
    """The welcome has answered the hello; what could not be joined is told without a ref."""
    chat = make_chat()
    ann = Recorder(chat)
    chat.open(ann)

    items = ann.do(Hello("ann", ("a b", "ops"), ref=1))

    assert [type(item) for item in items] == [replies.Welcome, replies.Motd, Failure, Members]
    assert items[2].ref is None
    assert items[2].code == "bad_room"
    assert list(ann.rooms) == ["ops"]


def test_who_is_let_in_by_the_program_is_in_its_rooms_or_not_at_all() -> None:
    """The program is told why not; or of each room that is out of bounds, if it wants the others all the same."""
    chat = make_chat()
    for rooms in (["ops", "a b"], "ops"):
        with pytest.raises((Refused, TypeError)):
            chat.session("ann", rooms)
        assert chat.sessions() == []
        assert not chat.census.strangers
    told: list[Refused] = []

    ann = LocalSession(chat)
    chat.admit(ann, "ann", ["a b", "ops"], told=told.append)

    assert [error.code for error in told] == ["bad_room"]
    assert ann.room_names == ("ops",)


# Rooms


def test_join_of_a_room_that_one_is_in_makes_it_the_current_one() -> None:
    """Nobody is told, but the one who asked sees who is there."""
    chat = make_chat()
    ann = enter(chat, "ann", "lobby", "ops")

    assert isinstance(ann.do(Join("LOBBY", ref=1))[0], Members)

    assert ann.current is chat.default_room


def test_leaving_the_current_room_makes_the_last_other_one_current() -> None:
    """And without any room, a verb that names none is refused."""
    ann = enter(make_chat(), "ann", "lobby", "ops")

    ann.do(verbs.Leave())
    assert ann.current is not None
    assert ann.current.name == "lobby"
    ann.do(verbs.Leave())
    assert failure(ann.do(Say("x"))) == ("not_a_member", "you are not in a room; join one first")


def test_limits_of_rooms() -> None:
    """A session may be in so many, and a server have so many; the longest empty one makes place."""
    chat = make_chat(limits=Limits(max_rooms=3, rooms_per_session=2))
    ann, bob = enter(chat, "ann", "lobby", "a"), enter(chat, "bob", "lobby", "b")
    ann.take()

    assert failure(ann.do(Join("c"))) == ("too_many_rooms", "rooms that you are in: at most 2 rooms")
    carl = enter(chat, "carl", "lobby")
    assert failure(carl.do(Join("c"))) == ("limit_exceeded", "new rooms on this server: at most 3 rooms")

    bob.do(verbs.Leave("b"))
    carl.do(Join("c"))
    assert [room.name for room in chat.rooms()] == ["a", "c", "lobby"]


def test_a_room_that_is_removed_puts_its_members_out() -> None:
    """They are told, as if they had left; its record is gone."""
    chat = make_chat()
    ann = enter(chat, "ann", "lobby", "ops")
    ann.do(Say("x"))

    chat.remove_room("ops")
    chat.remove_room("nowhere")

    (left,) = ann.take()
    assert (left.room, left.reason) == ("ops", "the room was closed")
    assert list(ann.rooms) == ["lobby"]
    assert chat.find_room("ops") is None
    assert chat.room("ops").history() == []


# Talking


def test_a_message_goes_to_all_others_in_the_room_with_the_nickname_of_its_sender() -> None:
    """The sender hears its id instead; who is elsewhere hears nothing."""
    chat = make_chat()
    ann, bob, carl = enter(chat, "ann"), enter(chat, "bob"), enter(chat, "carl", "ops")
    ann.take(), bob.take()

    (ok,) = ann.do(Say("hello", ref="r"))

    (message,) = bob.take()
    assert ok == Ok("r", message.id)
    assert message[2:8] == ("lobby", "ann", "hello", False, None, None)
    assert message.userhost == USERHOST
    assert carl.take() == []


def test_direct_messages_and_replies() -> None:
    """They reach one person, who can answer without saying to whom; an absent one is known to be away."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob", "ops")
    bob.do(verbs.SetAway("lunch"))

    ok, away = ann.do(verbs.Direct("psst", "BOB", ref=1))
    (message,) = bob.take()
    assert (message.room, message.sender, message.to, message.text) == (None, "ann", "bob", "psst")
    assert ok == Ok(1, message.id)
    assert away == PersonAway(None, "bob", "lunch")

    bob.do(verbs.Direct("what?"))
    assert ann.take()[0].text == "what?"
    assert chat.default_room.history() == []


def test_direct_messages_to_nobody() -> None:
    """The refusal says which name it was."""
    ann = enter(make_chat(), "ann")

    assert failure(ann.do(verbs.Direct("x", "bob"))) == ("no_such_nickname", "nobody here is called 'bob'")
    assert failure(ann.do(verbs.Direct("x"))) == ("bad_request", "nobody has written to you yet")


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("", "empty", "the message is empty"),
        (" \t\n ", "empty", "the message is empty"),
        ("ä" * 2049, "limit_exceeded", "message: at most 4096 bytes"),
        ("\n".join("x" * 51), "limit_exceeded", "message: at most 50 lines"),
    ],
)
def test_texts_that_are_refused(text: str, code: str, reason: str) -> None:
    """The exact limit is in the refusal."""
    ann = enter(make_chat(), "ann")

    assert failure(ann.do(Say(text))) == (code, reason)


def test_texts_at_the_limit_pass() -> None:
    """4096 bytes and 50 lines are allowed."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(Say("ä" * 2048), Say("\n".join("x" * 50)))

    assert [len(message.text) for message in bob.take()] == [2048, 99]


@pytest.mark.parametrize("verb", [verbs.SetTopic("x" * 391), verbs.SetAway("x" * 391), verbs.Quit("x" * 391)])
def test_short_texts_that_are_too_long(verb: verbs.Verb) -> None:
    """Topics, away texts and reasons have 390 characters."""
    code, text = failure(enter(make_chat(), "ann").do(verb))

    assert code == "limit_exceeded"
    assert text.endswith(": at most 390 characters")


# Being somebody


def test_a_rename_is_one_event_for_all_rooms_and_the_next_message_has_the_new_name() -> None:
    """Also the one who asked hears of it."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "lobby", "ops"), enter(chat, "bob", "lobby", "ops")
    ann.take()

    renamed, ok = ann.do(verbs.SetNickname("anna", ref=1))
    ann.do(Say("it is me"))

    first, second = bob.take()
    assert first == renamed
    assert isinstance(first, Renamed)
    assert (first.rooms, first.old, first.new) == (("lobby", "ops"), "ann", "anna")
    assert ok == Ok(1)
    assert second.sender == "anna"
    assert chat.find("ann") is None
    assert chat.find("ANNA") is ann


def test_away_and_back() -> None:
    """Told once, and shown in the list of members."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(verbs.SetAway(" lunch\n"), verbs.SetAway("lunch"), verbs.SetAway(None))

    assert [(type(event), event.text) for event in bob.take()] == [(AwayChanged, "lunch"), (AwayChanged, None)]
    bob.do(verbs.SetAway(""))
    assert ann.do(queries.ListMembers())[-1].members == (member("ann"), member("bob", "away"))


def test_away_takes_its_place_behind_what_was_said_before() -> None:
    """Also if both came in one chunk."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(Say("before"), verbs.SetAway("lunch"), Say("after"))

    assert [event.text for event in bob.take()] == ["before", "lunch", "after"]


def test_topics() -> None:
    """Set, asked for, shown on join, removed."""
    chat = make_chat()
    ann = enter(chat, "ann")

    event, ok = ann.do(verbs.SetTopic("tea\nat five", ref=1))
    assert isinstance(event, TopicChanged)
    assert (event.topic, ok) == ("tea at five", Ok(1, event.id))
    assert ann.do(queries.GetTopic()) == [replies.Topic(None, "lobby", "tea at five", "ann", event.time, ann.userhost)]
    assert ann.do(Join("lobby"))[0].topic == "tea at five"
    ann.do(verbs.SetTopic(""))
    assert chat.default_room.topic == ""


def test_whois_and_rooms_and_ping() -> None:
    """What may be known of a person; which rooms there are, the empty ones left out; that the server lives."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob", "lobby", "ops")
    bob.do(Join("empty"), verbs.Leave("empty"))
    ann.take()

    profile, rooms, pong = ann.do(queries.WhoIs("BOB", ref=1), queries.ListRooms(ref=2), verbs.Ping("t", ref=3))

    assert isinstance(profile, Profile)
    assert (profile.nickname, profile.rooms, profile.away, 0 <= profile.idle < 10) == ("bob", ("lobby",), None, True)
    assert [room[:3] for room in rooms.rooms] == [("lobby", 2, ""), ("ops", 1, "")]
    assert pong == PongReply(3, "t")
    assert failure(ann.do(queries.WhoIs("x"))) == ("no_such_nickname", "nobody here is called 'x'")


def test_history_in_pages() -> None:
    """Backwards from the end or forwards from an id, with the word whether there is more."""
    chat = make_chat(limits=Limits(history_page=3))
    ann = enter(chat, "ann")
    ids = [item.id for item in ann.do(*[Say(str(number), ref=number) for number in range(7)])]

    def page(**asked: Any) -> tuple[list[str], bool]:
        (answer,) = ann.do(queries.ReadHistory(**asked))
        assert isinstance(answer, HistoryPage)
        return [event.text for event in answer.events if isinstance(event, Message)], answer.more

    assert page() == (["4", "5", "6"], True)
    assert page(before=ids[4], limit=2) == (["2", "3"], True)
    assert page(after=ids[3]) == (["4", "5", "6"], False)
    assert page(after=ids[0], limit=2) == (["1", "2"], True)
    assert page(before=ids[2]) == (["0", "1"], False)
    assert failure(ann.do(queries.ReadHistory(limit=4))) == ("bad_request", "history limit 4: use 1 to 3 events")
    assert failure(ann.do(queries.ReadHistory(before=1, around=1))) == (
        "bad_request",
        "history can have either around, or before and after",
    )


def test_invalid_and_abort() -> None:
    """What was no verb is refused with its own code; what cannot be followed ends the session."""
    ann = enter(make_chat(), "ann")

    assert failure(ann.do(verbs.Invalid("bad_request", "not JSON"))) == ("bad_request", "not JSON")
    assert ann.do(verbs.Abort("line_too_long", "too much"), Say("x")) == [
        Failure(None, "line_too_long", "too much"),
        Bye("too much"),
    ]
    assert ann.closed


def test_nobody_does_anything_when_the_chat_ends() -> None:
    """Verbs are refused, sessions are not let in, and nothing is recorded any more."""
    chat = make_chat()
    ann = enter(chat, "ann")
    chat.stopping.set()

    assert failure(ann.do(Say("x"))) == ("shutting_down", "the server is shutting down")
    assert chat.default_room.history() == []
    with pytest.raises(Refused, match="the server is shutting down"):
        chat.session("bob")


# Handlers that fail or do more than one thing


HOOKS = [name for name in vars(Handler) if name.startswith(("before_", "on_"))]


def failing(hook: str) -> Handler:
    """A handler whose hook of this name raises."""

    def fail(*args: Any) -> Any:
        raise ValueError("oh")

    handler: Handler = type("Failing", (Handler,), {hook: fail})()
    return handler


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_hook_that_fails_is_logged_and_everything_is_answered_once(
    hook: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever hook it is, wherever the handler stands: each verb is answered by one reply, others hear the leave."""
    handler = failing(hook)
    chat = make_chat(*[handler, Commands()][place == "first" :], first=[handler][: place == "first"])
    bob = Recorder(chat)
    if hook == "before_connect":
        with pytest.raises(InternalFailure, match="internal error"):
            chat.open(bob)
        return
    chat.open(bob)

    asked = [*ALL_VERBS[:-3], verbs.Quit()]
    items = bob.do(*[verb._replace(ref=number) for number, verb in enumerate(asked)])

    answers = [item.ref for item in items if getattr(item, "ref", None) is not None]
    assert answers == list(range(len(asked)))
    assert "oh" in caplog.text
    others = [record for record in caplog.records if "password" not in record.message]
    assert all(record.levelno == logging.ERROR for record in others)


def test_a_leave_notice_comes_although_another_handler_fails() -> None:
    """A broken `on_leave` or `on_disconnect` of one handler does not keep the others from telling."""
    chat = make_chat(first=[failing("on_leave"), failing("on_disconnect")])
    ann, bob = enter(chat, "ann", "lobby", "ops"), enter(chat, "bob")
    ann.take()

    bob.do(verbs.Quit())

    (event,) = ann.take()
    assert isinstance(event, Disconnected)


def test_a_message_is_acknowledged_with_its_id_although_a_later_handler_fails() -> None:
    """It was accepted and published: the one answer says so, and the failure is told without a ref."""
    chat = make_chat(failing("on_message"))
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.take()

    items = ann.do(Say("x", ref=1))

    (message,) = bob.take()
    assert items == [Ok(1, message.id), Failure(None, "internal", "internal error")]


def test_a_handler_that_announces_before_broadcast_does_not_take_the_acknowledgement() -> None:
    """The id that the sender hears is that of its message, not of a notice that came first."""

    class Announces(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            session.chat.default_room.announce("attention")

    chat = make_chat(first=[Announces()])
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.take()

    items = ann.do(Say("x", ref=1))

    notice, message = bob.take()
    assert (type(notice), message.text) == (Notice, "x")
    assert items == [notice, Ok(1, message.id)]


def test_a_session_of_this_process_cannot_speak_in_the_hook_of_a_message() -> None:
    """Its answer would come before the question; the hook that tries has failed."""
    refused: list[str] = []

    class Answers(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            try:
                bot.say("I heard it")
            except LocalProtocolError as error:
                refused.append(str(error))

    chat = make_chat(first=[Answers()])
    bot = chat.session("bot")
    ann = enter(chat, "ann")

    items = ann.do(Say("x", ref=1), Say("y"))

    assert items == [Ok(1, bot.next(Message).id)]
    assert bot.next(Message).text == "y"
    bot.close()
    assert len(refused) == 2
    assert refused[0].startswith("'bot' cannot send requests from a hook for a message that is not published yet: ")


def test_a_session_of_this_process_that_speaks_behind_broadcast_is_heard_behind_it() -> None:
    """A handler that was added at the end is asked when the message has its place."""

    class Answers(Handler):
        def on_message(self, session: Session, message: Message) -> None:
            if session is not bot:
                assert bot.say("I heard it") is not None

    chat = make_chat()
    bot = chat.session("bot")
    chat.add_handler(Answers())
    ann, carl = enter(chat, "ann"), enter(chat, "carl")

    ann.do(Say("x", ref=1))

    assert [item.text for item in carl.take() if isinstance(item, Message)] == ["x", "I heard it"]


def test_a_message_that_no_handler_publishes_is_acknowledged_without_an_id() -> None:
    """Without `Broadcast` nobody hears anybody, but the sender is answered."""
    ann = enter(Chat(), "ann")

    assert ann.do(Say("x", ref=1)) == [Ok(1)]


@pytest.mark.parametrize("first", [True, False])
def test_what_others_say_about_a_leave_is_not_heard_by_the_one_who_left(first: bool) -> None:
    """Only its own `Left` is, before all that hooks publish, whatever the order of the handlers."""

    class Comments(Handler):
        def on_leave(self, session: Session, room: Room, reason: str) -> None:
            room.announce("what a pity")

    chat = make_chat(first=[Comments()]) if first else make_chat(Comments())
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.take()

    items = ann.do(verbs.Leave(ref=1))

    assert [type(item) for item in items] == [Left, Ok]
    assert [type(item) for item in bob.take()] == [Left, Notice]


def test_a_message_for_a_room_that_was_left_meanwhile_is_refused() -> None:
    """Publishing checks membership again: hooks take time, and the sender may have been put out."""

    class PutsOut(Handler):
        def before_message(self, session: Session, message: Message) -> Message:
            session.chat.membership.leave(session, session.chat.default_room, "out")
            return message

    chat = make_chat(first=[PutsOut()])
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    ann.take()

    items = ann.do(Say("x", ref=1))

    assert items[-1] == Failure(1, "not_a_member", "you are not in room 'lobby'; join it first", "lobby")
    assert [type(event) for event in bob.take()] == [Left]


def test_handlers_are_added_and_removed_while_the_chat_runs() -> None:
    """From the next verb on; before another one, or at the end."""

    class Says(Handler):
        def __init__(self, text: str) -> None:
            self.text = text

        def before_message(self, session: Session, message: Message) -> Message:
            return message._replace(text=message.text + self.text)

    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    first, second = Says("1"), Says("2")

    chat.add_handler(second)
    chat.add_handler(first, before=second)
    ann.do(Say("x"))
    chat.remove_handler(second)
    ann.do(Say("x"))
    chat.remove_handler(first)
    ann.do(Say("x"))

    assert [message.text for message in bob.take()] == ["x12", "x1", "x"]
    assert [type(handler) for handler in chat.handlers][1:] == [Broadcast]


def test_help_is_of_the_protocol_and_of_the_handlers() -> None:
    """Lines of the one, then of the others."""
    commands = Commands()

    @commands.command("roll")
    def roll(ctx: object, dice: str = "1d6") -> None:
        """Roll dice."""

    ann = enter(make_chat(commands), "ann")

    assert ann.do(verbs.Help("/quit\n/nick")) == [
        Lines(
            None, ("/quit", "/nick", "!help [COMMAND]  List the commands, or explain one.", "!roll [DICE]  Roll dice.")
        )
    ]


def test_a_page_of_history_that_is_all_for_others_is_skipped() -> None:
    """What one may not see counts neither for the limit nor as more."""
    chat = make_chat()
    ann, bob = chat.session("ann"), chat.session("bob")
    for number in range(3):
        ann.say(f"for all {number}")
    for number in range(5):
        chat.default_room.publish(Message(0, 0.0, "lobby", "ann", f"for ann {number}"), to=[ann])

    page = bob.ask(queries.ReadHistory(limit=2))

    assert isinstance(page, replies.HistoryPage)
    assert [event.text for event in page.events if isinstance(event, Message)] == ["for all 1", "for all 2"]
    assert page.more
