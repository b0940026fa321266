"""Order in rooms, as people and programs of every language see it: operators, modes, kicks, bans and invitations."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from chat_clients import DEADLINE, Clients, full_chain
from chat_networks import MakeClient, join

from pychat import ChatServer, Message, Refused
from pychat.client import ChatClient, Reconnected
from pychat.core.local_session import LocalSession
from pychat.model.events import Invited, Kicked, ModesChanged
from pychat.model.modes import ModeChange
from pychat.model.queries import GetModes, GetMotd, ListInvitations
from pychat.model.replies import Invitations, Lines, Modes, PersonAway
from pychat.testing import ChatHarness, FakeClock

__all__ = ["join"]  # the fixture

MakeServer = Callable[..., ChatServer]
Member = ChatClient | LocalSession
Enter = Callable[[str, Iterable[str]], Member]


@pytest.fixture(params=["over a connection", "in the process"])
def enter(request: pytest.FixtureRequest, server: MakeServer, join: MakeClient) -> Enter:
    """Return what lets somebody in, in one of the two ways that have the same methods."""
    started = server(handlers=full_chain())
    if request.param == "in the process":
        return started.session
    return lambda nick, rooms: join(started.port, nick, rooms=rooms)


# The methods


def test_who_makes_a_room_is_its_operator_and_makes_others(enter: Enter) -> None:
    """Everybody hears of it, and sees it in the list of members."""
    ann, bob = enter("ann", ["ops"]), enter("bob", ["ops"])

    ann.set_modes("+vm", "bob")
    ann.set_modes("+o", "bob", room="ops")

    assert [(member.nickname, member.roles) for member in bob.members()] == [("ann", "o"), ("bob", "ov")]
    event = bob.next(ModesChanged, DEADLINE)
    assert (event.room, event.nickname) == ("ops", "ann")
    assert event.changes == (ModeChange(True, "v", "bob"), ModeChange(True, "m"))


def test_a_ban_keeps_somebody_silent_and_out(enter: Enter) -> None:
    """Until it ends."""
    ann, bob = enter("ann", ["ops"]), enter("bob", ["ops"])

    ann.ban("bob")
    with pytest.raises(Refused) as silenced:
        bob.say("hello?")
    ann.kick("bob", reason="enough")
    with pytest.raises(Refused) as kept_out:
        bob.join("ops")
    ann.unban("bob!*@*")
    bob.join("ops")

    assert (silenced.value.code, kept_out.value.code) == ("cannot_speak", "banned")
    assert kept_out.value.room == "ops"
    kicked = bob.next(Kicked, DEADLINE)
    assert (kicked.room, kicked.nickname, kicked.by, kicked.reason) == ("ops", "bob", "ann", "enough")


def test_an_invitation_opens_a_room_once(enter: Enter) -> None:
    """Who is invited hears of it, in no room of those who invite."""
    ann, bob = enter("ann", ["ops"]), enter("bob", ["lobby"])
    ann.set_modes("+i")
    with pytest.raises(Refused, match=r"^room 'ops' is invite-only$"):
        bob.join("ops")

    ann.invite("bob")

    event = bob.next(Invited, DEADLINE)
    assert (event.room, event.nickname, event.invited) == ("ops", "ann", "bob")
    invitations = bob.ask(ListInvitations())
    assert isinstance(invitations, Invitations)
    assert invitations.rooms == ("ops",)
    assert [member.nickname for member in bob.join("ops")] == ["ann", "bob"]


def test_a_key_is_asked_for(enter: Enter) -> None:
    """Who is in the room is told which one it is."""
    ann, bob = enter("ann", ["ops"]), enter("bob", ["lobby"])
    ann.set_modes("+k", "sesame")
    with pytest.raises(Refused) as refusal:
        bob.join("ops", "open")

    bob.join("ops", "sesame")

    assert refusal.value.code == "bad_key"
    modes = bob.ask(GetModes("ops"))
    assert isinstance(modes, Modes)
    assert (modes.letters, modes.arguments) == ("nk", ("sesame",))


def test_the_first_change_that_is_refused_is_raised(enter: Enter) -> None:
    """The others are made."""
    ann = enter("ann", ["ops"])

    with pytest.raises(Refused) as refusal:
        ann.set_modes("+mxo", "nobody")

    assert (refusal.value.code, refusal.value.room, refusal.value.subject) == ("unknown_mode", "ops", ("x",))
    modes = ann.ask(GetModes())
    assert isinstance(modes, Modes)
    assert modes.letters == "mn"


def test_a_member_like_others_changes_nothing(enter: Enter) -> None:
    """Every method says so."""
    enter("ann", ["ops"])
    bob = enter("bob", ["ops"])

    attempts: list[Callable[[], None]] = [
        lambda: bob.kick("ann", "ops"),
        lambda: bob.ban("ann"),
        lambda: bob.unban("ann"),
        lambda: bob.set_modes("+o", "bob"),
    ]
    for attempt in attempts:
        with pytest.raises(Refused, match=r"^only operators of room 'ops' may do that$"):
            attempt()


def test_a_notice_is_told_from_other_messages(enter: Enter) -> None:
    """So programs know what not to answer."""
    ann, bob = enter("ann", ["ops"]), enter("bob", ["ops"])

    ann.say("beep", notice=True)
    ann.direct("bob", "boop", notice=True)
    ann.say("hello")

    heard = [bob.next(Message, DEADLINE) for _ in range(3)]
    assert [(message.text, message.notice) for message in heard] == [("beep", True), ("boop", True), ("hello", False)]


# Clients


def test_a_client_knows_that_it_was_removed(server: MakeServer, join: MakeClient) -> None:
    """The room is none of its rooms any more, and the one before is the current one."""
    port = server().port
    ann, bob = join(port, "ann", rooms=["ops"]), join(port, "bob", rooms=["lobby", "ops"])

    ann.kick("bob")
    bob.next(Kicked, DEADLINE)

    assert bob.rooms == ("lobby",)
    assert ann.rooms == ("ops",)


def test_who_comes_back_in_time_needs_neither_key_nor_role_again(chat: ChatHarness) -> None:
    """A lost connection costs nothing."""
    network = chat.network()
    ann, bob = chat.join("ann", "ops", via=network, reconnect=True), chat.join("bob", "ops")
    ann.set_modes("+ik", "sesame")

    network.cut()
    ann.next(Reconnected)

    assert [(member.nickname, member.roles) for member in bob.members()] == [("bob", ""), ("ann", "o")]


def test_an_away_person_is_told_of(server: MakeServer, join: MakeClient) -> None:
    """Beside the answer, not instead of it."""
    port = server().port
    ann, bob = join(port, "ann", rooms=["ops"]), join(port, "bob")
    bob.set_away("lunch")

    assert ann.direct("bob", "hello") is not None
    ann.invite("bob")

    assert [ann.next(PersonAway, DEADLINE) for _ in range(2)] == [PersonAway(None, "bob", "lunch")] * 2


def test_the_message_of_the_day_can_be_asked_for(server: MakeServer, join: MakeClient) -> None:
    """Whether there is one or not."""
    ann, bob = join(server(motd=["be nice"]).port, "ann"), join(server().port, "bob")

    answers = [ann.ask(GetMotd()), bob.ask(GetMotd())]

    assert [answer.lines for answer in answers if isinstance(answer, Lines)] == [("be nice",), ()]


# Text


def test_commands_of_operators(server: MakeServer, clients: Clients) -> None:
    """What is typed, and what all see of it."""
    started = server(handlers=full_chain())
    ann, bob = clients.text(started, "ann"), clients.text(started, "bob")
    ann.send("/join ops\n")
    ann.read_until("-- you are in ops: @ann")
    bob.send("/join ops\n")
    bob.read_until("-- you are in ops: @ann, bob")
    ann.read_until("--> bob joined ops")

    ann.send("/voice bob\n/mode +ml 5\n/mode\n/ban eve\n/ban\n/unban eve\n/ban\n/devoice bob\n")
    assert ann.read_until("took voice") == [
        "-- ann gave bob voice in ops",
        "-- ann made ops moderated: only operators and members with voice can talk",
        "-- ann limited ops to 5 members",
        (
            "-- rules of ops: moderated: only operators and members with voice can talk (m); "
            "only members can talk (n); at most 5 members (l)"
        ),
        "-- ann banned eve from ops",
        "-- nobody here is called eve: the ban covers that nickname only",
        "-- banned from ops: eve!*@* (by ann)",
        "-- ann unbanned eve from ops",
        "-- banned from ops: nobody",
        "-- ann took voice from bob in ops",
    ]
    bob.send("hello?\n/kick ann\n/names\n")
    assert bob.read_until("in ops: ")[-3:] == [
        "! room 'ops' is moderated: only operators and members with voice can talk",
        "! only operators of room 'ops' may do that",
        "-- in ops: @ann, bob",
    ]
    ann.send("/kick bob too loud\n")
    assert bob.read_line() == "<-- bob was removed from ops by ann (too loud)"
    ann.read_until("<-- bob was removed from ops by ann (too loud)")
    bob.send("/away lunch\n/mode ops\n")
    assert bob.read_until("rules of ops") == [
        "-- bob is away: lunch",
        (
            "-- rules of ops: moderated: only operators and members with voice can talk (m); "
            "only members can talk (n); at most 5 members (l)"
        ),
    ]
    ann.send("/invite bob\n/mode +k sesame\n")
    assert ann.read_until("key of ops")[-3:] == [
        "-- ann invited bob to ops (/join ops)",
        "-- bob is away: lunch",
        "-- ann set the key of ops: sesame",
    ]
    bob.read_until("-- ann invited bob to ops (/join ops)")
    bob.send("/invite\n/join ops sesame\n")
    assert bob.read_line() == "-- you are invited to ops"
    assert bob.read_line() == "-- you are in ops: @ann, bob (away: lunch)"


def test_commands_of_server_operators(server: MakeServer, clients: Clients) -> None:
    """Who knows the password may do everything; who does not is told so."""
    options = {"operators": {"root": "open sesame"}, "motd": ["be nice"]}
    started = server(handlers=full_chain(), clock=FakeClock(), **options)  # to check a password may take a second
    ann, bob = clients.text(started, "ann"), clients.text(started, "bob")

    ann.send("/kill bob\n/oper root sesame\n/oper root open sesame\n/motd\n/whois ann\n/kill bob spam\n")

    lines = ann.read_until("<-- bob left")
    host = next(line for line in lines if line.startswith("-- ann (")).partition(")")[0]
    assert lines[-7:] == [
        "! only server operators may do that",
        "! wrong name or password",
        "-- you are a server operator",
        "-- be nice",
        f"{host}) is in lobby; silent for 0 s; a server operator; connected from 127.0.0.1",
        "-- bob is disconnected",
        "<-- bob left (killed by ann (spam))",
    ]
    assert bob.read_rest().decode().endswith("-- goodbye: killed by ann (spam)\n")


# JSON


def test_a_change_of_modes_may_have_several_answers(server: MakeServer, clients: Clients) -> None:
    """One error for each change that is refused; what is made is one event."""
    ann = clients.json(server(), "ann", rooms=["ops"])

    ann.ask("mode", modes="+xmlv", args=["many", "ann"], ref=1)
    ann.ask("ping")

    heard = ann.until("pong")[:-1]
    assert [(item["type"], item.get("code"), item.get("modes")) for item in heard] == [
        ("modes", None, "+mv"),
        ("error", "unknown_mode", None),
        ("error", "bad_mode_argument", None),
    ]
    assert [item.get("subject") for item in heard[1:]] == [["x"], ["l", "many"]]


def test_what_a_secret_room_tells(server: MakeServer, clients: Clients) -> None:
    """Nothing, to those who are not in it."""
    started = server()
    ann, bob = clients.json(started, "ann", rooms=["ops"]), clients.json(started, "bob")
    assert bob.answer("who", room="ops")["members"] == [{"nick": "ann", "roles": "o"}]

    assert ann.answer("mode", modes="+s")["type"] == "ok"

    assert [room["room"] for room in bob.answer("rooms")["rooms"]] == ["lobby"]
    assert bob.answer("mode", room="ops")["code"] == "no_such_room"
    assert [room["room"] for room in ann.answer("rooms")["rooms"]] == ["lobby", "ops"]
