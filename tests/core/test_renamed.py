"""Old names of public attributes, methods and classes: they work, and say what the new ones are."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from remote import come

from pychat import Bot, Chat, LocalProtocolError, LocalSession, command
from pychat.bot import BotContext
from pychat.core.log.log import Log, MemoryLog
from pychat.core.rooms.room import Room
from pychat.core.session import Session
from pychat.model import verbs
from pychat.model.participant import Participant
from pychat.renamed import find_renamed, old_names

RENAMED = [
    (Log, "keep_account", "save_account"),
    (Log, "keep_ban", "save_ban"),
    (Log, "keep_room", "save_room"),
    (Log, "keep_session", "save_session"),
    (Log, "kept_accounts", "load_accounts"),
    (Log, "kept_bans", "load_bans"),
    (Log, "kept_room", "load_room"),
    (Log, "kept_rooms", "load_rooms"),
    (Log, "kept_sessions", "load_sessions"),
    (Log, "trouble", "storage_error"),
    (Chat, "put_out", "begin_disconnect"),
    (Room, "alone", "as_tuple"),
    (Session, "borrows_until", "grace_until"),
    (Session, "end", "disconnect_self"),
    (Session, "expel", "request_close"),
    (Session, "heard", "last_input_time"),
    (Session, "kick", "disconnect"),
    (Session, "over", "on_closed"),
    (Session, "put_out", "disconnect_reason"),
    (Session, "quits", "quit_by_client"),
    (Session, "spoke", "last_message_time"),
    (Session, "unwanted", "must_not_return"),
]


@old_names(colour="color", paint="draw")
class Shape:
    """A base class of the library, with an attribute and a method that were renamed."""

    color = "black"

    def draw(self, what: str) -> str:
        return f"{self.color} {what}"


class Square(Shape):
    """A class of the library that knows the new names only."""

    def draw(self, what: str) -> str:
        return f"{super().draw(what)}, with corners"


def says(old: str, new: str) -> Any:
    """What a use of an old name warns of."""
    return pytest.warns(DeprecationWarning, match=f"^{old} is now {new}; the old name works until pychat 1.0$")


def old(value: object) -> Any:
    """The same value, of which type checkers do not know that these names are no more."""
    return value


@pytest.mark.parametrize(("owner", "before", "now"), RENAMED, ids=lambda part: getattr(part, "__name__", part))
def test_an_old_name_stands_for_the_new_one(owner: type, before: str, now: str) -> None:
    """Reading and writing it does so to the attribute of the new name."""
    chat = Chat()
    value: Any = {Chat: chat, Log: chat.log, Room: chat.default_room, Session: type("Own", (Session,), {})(chat)}[owner]

    with says(f"{owner.__name__}.{before}", now):
        assert getattr(value, before) == getattr(value, now)
    with says(f"{owner.__name__}.{before}", now):
        setattr(value, before, "other")
    assert getattr(value, now) == "other"


def test_the_warning_shows_the_line_that_uses_the_name() -> None:
    """For attributes, calls and definitions of subclasses, also those that are abstract."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        old(Square()).paint("square")
        old(Square()).colour = "red"
        type("Own", (Shape,), {"paint": lambda self, what: what})
        type("OwnLog", (MemoryLog,), {"trouble": "always"})

    assert [Path(warning.filename).name for warning in warned] == [Path(__file__).name] * 4
    assert len({warning.lineno for warning in warned}) == 4


def test_a_method_is_called_by_its_old_name() -> None:
    """The one of the object's own class is called."""
    with says("Shape.paint", "draw"):
        assert old(Square()).paint("square") == "black square, with corners"
    with says("Shape.paint", "draw"):
        assert old(Square).paint(Square(), "square") == "black square, with corners"


def test_a_method_is_overridden_by_its_old_name() -> None:
    """Those who call the new one reach it, and it reaches what it overrides."""
    with says("Own.paint", "draw"):

        class Own(Square):
            def paint(self, what: str) -> str:
                return f"my {old(super()).paint(what)}"

    class Later(Own):
        def draw(self, what: str) -> str:
            return f"{super().draw(what)}!"

    with says("Shape.paint", "draw"):
        assert Own().draw("square") == "my black square, with corners"
    with says("Shape.paint", "draw"):
        assert Later().draw("square") == "my black square, with corners!"


def test_classes_may_have_options_of_their_own() -> None:
    """For another base class, which takes them."""

    class Sized:
        size = 0

        def __init_subclass__(cls, size: int) -> None:
            cls.size = size

    class Own(Shape, Sized, size=5):
        pass

    assert Own.size == 5


def test_a_class_for_old_and_new_versions_is_not_warned() -> None:
    """It has both names, and the new one counts."""

    class Both(Shape):
        def draw(self, what: str) -> str:
            return f"both {what}"

        paint = draw

    assert Both().draw("square") == Both().paint("square") == "both square"


def test_an_attribute_is_declared_by_its_old_name() -> None:
    """By a class, whose objects may set it; as a property as well."""
    with says("Red.colour", "color"):

        class Red(Shape):
            colour = "red"

    with says("Green.colour", "color"):

        class Green(Shape):
            @property
            def colour(self) -> str:
                return "green"

    red = Red()
    assert (red.draw("square"), Green().draw("square")) == ("red square", "green square")
    with says("Shape.colour", "color"):
        red.colour = "pink"
    assert red.draw("square") == "pink square"


def test_a_log_of_ones_own_tells_its_trouble_by_the_old_name() -> None:
    """What cannot be stored is refused, as before."""
    with says("Full.trouble", "storage_error"):

        class Full(MemoryLog):
            trouble: str | None = None

    log = Full()
    with says("Log.trouble", "storage_error"):
        log.trouble = "the disk is full"

    assert log.storage_error == "the disk is full"


def test_a_session_is_disconnected_by_the_old_name() -> None:
    """As handlers do it to sessions of clients."""
    chat = Chat()
    session = come(chat, "bob")

    with says("Session.kick", "disconnect"):
        old(session).kick("spam")

    assert (session.kicked, session.closed) == (["spam"], True)


def test_a_session_is_ended_by_the_old_name() -> None:
    """As its own hooks do."""
    chat = Chat()
    session = come(chat, "bob")

    with says("Session.end", "disconnect_self"):
        old(session).end("enough")

    assert session.closed


def test_a_session_of_ones_own_is_told_its_end_by_the_old_name() -> None:
    """It goes on by `super()`, as before."""
    with says("Own.over", "on_closed"):

        class Own(LocalSession):
            told = 0

            def over(self) -> None:
                self.told += 1
                old(super()).over()

    chat = Chat()
    own = Own(chat)
    chat.admit(own, "bob")

    with says("Session.over", "on_closed"):
        own.close()

    assert own.told == 1


@pytest.mark.parametrize("reason", ["spam", "bob"])
def test_a_session_of_this_process_is_not_ended_by_the_old_name(reason: str) -> None:
    """There `kick` is the verb; whoever has the reason for a nickname is not removed for it."""
    chat = Chat()
    ann, bob = chat.session("ann", ["tea"]), chat.session("bob", ["tea"])

    with pytest.raises(LocalProtocolError) as caught:
        ann.kick(reason)
    with pytest.raises(LocalProtocolError):
        ann.kick(reason=reason)

    assert str(caught.value) == (
        "kick() removes somebody from a room, as in kick('bob', 'lobby'); to end the session of 'ann' itself, use "
        "disconnect(reason)"
    )
    assert (ann.closed, bob.room_names) == (False, ("tea",))


def test_a_session_of_this_process_removes_somebody() -> None:
    """With a room or a reason, as no call of the old meaning has; by the old name in any case."""
    chat = Chat()
    ann, bob = chat.session("ann", ["tea"]), chat.session("bob", ["tea"])

    ann.kick("bob", "tea")
    bob.join("tea")
    ann.kick("bob", reason="enough")
    bob.join("tea")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        ann.remove("bob")

    assert bob.room_names == ()
    assert [(str(warning.message), warning.filename) for warning in warned] == [
        ("Participant.remove is now kick; the old name works until pychat 1.0", __file__)
    ]


def test_a_participant_removes_somebody_by_the_old_name() -> None:
    """As clients and bots do."""
    asked: list[verbs.Verb] = []

    class Own(Participant):
        def ask(self, verb: verbs.Verb) -> Any:
            asked.append(verb)

    with says("Participant.remove", "kick"):
        old(Own()).remove("bob", "tea", reason="enough")

    assert asked == [verbs.Kick("bob", "tea", "enough")]


def test_whoever_looks_for_commands_uses_no_old_name() -> None:
    """A bot may be a group of commands itself, and has old names."""

    class Own(Bot):
        @command("roll")
        def roll(self, context: BotContext) -> str:
            return "4"

    own = Own("dice")
    own.add(own)


def test_a_log_of_ones_own_saves_and_loads_by_the_old_names() -> None:
    """What it keeps is restored, and what it does not define itself is done by the log that it is made of."""
    saved: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")

        class Own(MemoryLog):
            lasts = True

            def keep_room(self, room: str, kept: Any, masks: Any, holds: object = None, source: Any = None) -> None:
                old(super()).keep_room(room, kept, masks, holds, source)
                saved[room] = kept

            def kept_rooms(self) -> list[Any]:
                return list(saved.values())

        chat = Chat(log=Own())
        chat.session("ann", ["tea"]).ask(verbs.SetTopic("cups"))
        again = Chat(log=Own())
        room = again.find_room("tea")
        chat.end()  # later, somebody else would hear what their alarms warn of
        again.end()

    assert room is not None
    assert room.topic == "cups"
    assert {str(warning.message).partition(" is ")[0] for warning in warned} == {
        "Own.keep_room",
        "Own.kept_rooms",
        "Log.keep_room",
    }


@pytest.mark.parametrize(
    ("module", "before", "now"),
    [
        ("pychat", "KeptAccounts", "StoredAccounts"),
        ("pychat.core.accounts.stored", "KeptAccount", "StoredAccount"),
        ("pychat.core.accounts.stored", "KeptAccounts", "StoredAccounts"),
        ("pychat.core.log.log", "Storing", "PendingWrite"),
        ("pychat.core.log.snapshots", "KeptMasks", "MaskChanges"),
        ("pychat.core.log.snapshots", "KeptRoom", "RoomSnapshot"),
        ("pychat.core.log.snapshots", "KeptSession", "SessionSnapshot"),
    ],
)
def test_a_class_is_imported_by_its_old_name(module: str, before: str, now: str) -> None:
    """The warning shows the line that imports it."""
    names: dict[str, Any] = {}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        exec(compile(f"from {module} import {before}, {now}", "own.py", "exec"), names)

    assert names[before] is names[now]
    assert {warning.filename for warning in warned} == {"own.py"}
    assert str(warned[0].message) == f"{module}.{before} is now {now}; the old name works until pychat 1.0"


def test_a_module_finds_an_old_name() -> None:
    """What it never had is an error as of any module."""
    find = find_renamed(__name__, {"Form": "Shape"})

    with says(f"{__name__}.Form", "Shape"):
        assert find("Form") is Shape
    with pytest.raises(AttributeError, match=f"^module '{__name__}' has no attribute 'Shap'$"):
        find("Shap")
