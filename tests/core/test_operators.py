"""User modes, real names, and server operators: how one becomes one, and what these may do."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from recorder import USERHOST, Recorder, enter, make_chat

from pychat import Chat
from pychat.core.accounts.operators import Operators
from pychat.handlers import Broadcast, JoinLeaveNotices
from pychat.model import queries, verbs
from pychat.model.cloaks import REALNAME_CHARS
from pychat.model.events import Message, ProfileChanged
from pychat.model.modes import ModeChange
from pychat.model.queries import GetStats
from pychat.model.replies import Bye, Failure, Killed, Ok, UserModes, Wallops
from pychat.model.verbs import Announce, BecomeOperator, Kill, Say, SendWallops, SetRealname, SetUserModes

PASSWORD = "correct horse"
OPERATOR_USERHOST = "~user@operator.irc.pychat"
PLUS_O = ModeChange(True, "o")


def make_chat_with_operator() -> Chat:
    """One may become a server operator here, as "boss"."""
    return Chat([JoinLeaveNotices(), Broadcast()], operators={"boss": PASSWORD})


def enter_operator(chat: Chat, nickname: str) -> Recorder:
    """Let a server operator in."""
    session = enter(chat, nickname)
    session.do(BecomeOperator("boss", PASSWORD))
    assert session.modes == "o"
    return session


def change(letters: str) -> SetUserModes:
    """The verb for "+iw" or "-o"."""
    return SetUserModes(tuple(ModeChange(letters[0] == "+", letter) for letter in letters[1:]))


# User modes


def test_user_modes_are_set_and_removed() -> None:
    """Answered with what is set now and what has really changed."""
    ann = enter(make_chat(), "ann")

    assert ann.do(queries.GetUserModes(ref=1)) == [UserModes(1, "")]
    assert ann.do(change("+wi")) == [UserModes(None, "iw", (ModeChange(True, "w"), ModeChange(True, "i")))]
    assert ann.do(change("+Bi")) == [UserModes(None, "Biw", (ModeChange(True, "B"),))]
    assert ann.do(change("-wB")) == [UserModes(None, "i", (ModeChange(False, "w"), ModeChange(False, "B")))]
    assert ann.do(queries.GetUserModes()) == [UserModes(None, "i")]


def test_the_last_of_contradicting_changes_counts() -> None:
    """`+i-i` is `-i`."""
    ann = enter(make_chat(), "ann")

    assert ann.do(SetUserModes((ModeChange(True, "i"), ModeChange(False, "i")))) == [UserModes(None, "")]


def test_nobody_becomes_an_operator_by_a_mode() -> None:
    """It is ignored, as RFC 2812 section 3.1.5 says; it can be removed."""
    chat = make_chat_with_operator()
    ann = enter(chat, "ann")

    assert ann.do(change("+oi")) == [UserModes(None, "i", (ModeChange(True, "i"),))]
    assert ann.do(change("-o")) == [UserModes(None, "i")]


def test_unknown_user_modes_are_refused_and_the_others_set() -> None:
    """Each letter once, however often it stands there."""
    ann = enter(make_chat(), "ann")

    unknown, answer = ann.do(change("+xxi")._replace(ref=1))
    assert unknown == Failure(1, "unknown_mode", "'x' is not a user mode; the modes are: B, i, o, w", None, ("x",))
    assert answer == UserModes(1, "i", (ModeChange(True, "i"),))
    assert [item.code for item in ann.do(change("+xy"))] == ["unknown_mode", "unknown_mode"]


# Real names


def test_a_real_name_is_changed_and_everybody_in_the_rooms_hears_it() -> None:
    """Once, also oneself (IRCv3 setname)."""
    chat = make_chat()
    ann, bob = enter(chat, "ann", "lobby", "ops"), enter(chat, "bob", "lobby", "ops")
    ann.take()

    event, ok = ann.do(SetRealname(" Ann\tA. ", ref=1))

    assert isinstance(event, ProfileChanged)
    assert event[2:7] == (("lobby", "ops"), "ann", USERHOST, USERHOST, "Ann A.")
    assert (ok, bob.take(), ann.realname) == (Ok(1), [event], "Ann A.")
    assert ann.do(SetRealname("Ann A.", ref=2)) == [Ok(2)]
    ann.do(SetRealname(""))
    assert ann.realname == "ann"


def test_a_real_name_is_bounded() -> None:
    """It is shown in many places."""
    ann = enter(make_chat(), "ann")

    (failure,) = ann.do(SetRealname("x" * (REALNAME_CHARS + 1)))

    assert (failure.code, failure.text) == ("limit_exceeded", "real name: at most 128 characters")


# Becoming an operator


def test_passwords_are_compared_and_not_kept() -> None:
    """Neither another password nor another name will do, and nothing shows the password."""
    operators = Operators({"boss": PASSWORD, "жук": "пароль"})

    assert operators.check("boss", PASSWORD)
    assert operators.check("жук", "пароль")
    assert not operators.check("boss", "пароль")
    assert not operators.check("boss", "")
    assert not operators.check("boss", "\ud800")
    assert not operators.check("Boss", PASSWORD)
    assert not Operators({}).check("", "")
    assert PASSWORD not in repr(vars(operators))


def test_with_the_password_one_becomes_an_operator(caplog: pytest.LogCaptureFixture) -> None:
    """With a host that everybody in the room sees (IRCv3 chghost); the log tells it, without the password."""
    caplog.set_level(logging.INFO)
    chat = make_chat_with_operator()
    bob, ann = enter(chat, "bob"), enter(chat, "ann")

    answer, event = ann.do(BecomeOperator("boss", PASSWORD, ref=1))

    assert answer == UserModes(1, "o", (PLUS_O,))
    assert isinstance(event, ProfileChanged)
    assert event[3:7] == ("ann", USERHOST, OPERATOR_USERHOST, None)
    assert bob.take()[-1] == event
    assert ann.info.userhost == ann.userhost == OPERATOR_USERHOST
    assert "became server operator boss" in caplog.text
    assert PASSWORD not in caplog.text
    assert ann.do(BecomeOperator("boss", PASSWORD, ref=2)) == [UserModes(2, "o")]


def test_who_is_an_operator_no_more_has_the_old_host() -> None:
    """That of its address."""
    chat = make_chat_with_operator()
    ann = enter_operator(chat, "ann")

    answer, event = ann.do(change("-o"))

    assert answer == UserModes(None, "", (ModeChange(False, "o"),))
    assert (event.userhost, event.new_userhost, ann.userhost) == (OPERATOR_USERHOST, USERHOST, USERHOST)


def test_what_an_operator_says_has_the_new_host() -> None:
    """Also in the same chunk."""
    chat = make_chat_with_operator()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")

    ann.do(Say("before"), BecomeOperator("boss", PASSWORD), Say("after"))

    said = [(item.text, item.userhost) for item in bob.take() if isinstance(item, Message)]
    assert said == [("before", USERHOST), ("after", OPERATOR_USERHOST)]


@pytest.mark.parametrize("name", ["boss", "nobody"])
def test_three_wrong_passwords_end_the_session(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """What was wrong is not told, and what was typed is not logged."""
    ann = enter(make_chat_with_operator(), "ann")
    wrong = Failure(1, "wrong_password", "wrong name or password")
    tries = [BecomeOperator(name, "sesame", ref=1)] * 3

    assert ann.do(*tries) == [wrong, wrong, wrong, Bye("3 wrong passwords")]
    assert ann.closed
    assert caplog.text.count("ann from inside gave a wrong operator password") == 3
    assert "sesame" not in caplog.text
    assert "nobody" not in caplog.text


def test_wrong_passwords_ahead_of_the_right_one_are_forgotten() -> None:
    """Three in a row are meant."""
    ann = enter(make_chat_with_operator(), "ann")
    wrong, right = BecomeOperator("boss", "x"), BecomeOperator("boss", PASSWORD)

    ann.do(wrong, wrong, right, wrong, wrong)

    assert not ann.closed


# What operators may do


@pytest.mark.parametrize("verb", [Kill("bob"), SendWallops("x"), Announce("x"), GetStats()])
def test_others_may_not(verb: verbs.Verb) -> None:
    """Only server operators."""
    chat = make_chat()
    ann, bob = enter(chat, "ann"), enter(chat, "bob")
    bob.do(change("+w"))
    ann.take()

    items: list[Any] = ann.do(verb)

    assert [item.code for item in items] == ["not_server_operator"]
    assert (bob.kicked, bob.take()) == ([], [])


def test_an_operator_disconnects_somebody() -> None:
    """Who hears by whom and why, and cannot come back with the token."""
    chat = make_chat_with_operator()
    ann, bob = enter_operator(chat, "ann"), enter(chat, "bob")
    bob.resumable = True
    ann.take()

    first, done, second, again = ann.do(Kill("BOB", "spam\n", ref=1), Kill("bob", ref=2))

    assert first.text == second.text == "bob is disconnected"
    assert (done, again) == (Ok(1), Ok(2))
    assert bob.take() == [Killed("ann", ann.userhost, "spam"), Killed("ann", ann.userhost, "")]

    assert bob.kicked == ["killed by ann (spam)", "killed by ann"]
    assert bob.must_not_return
    assert ann.do(Kill("eve"))[0].code == "no_such_nickname"


def test_wallops_go_to_those_who_want_them() -> None:
    """User mode `w`, wherever they are (RFC 2812 section 4.7)."""
    chat = make_chat_with_operator()
    ann, bob, carl = enter_operator(chat, "ann"), enter(chat, "bob", "ops"), enter(chat, "carl")
    bob.do(change("+w"))
    ann.take(), bob.take(), carl.take()

    assert ann.do(SendWallops(" attention\n", ref=1)) == [Ok(1)]

    assert bob.take() == [Wallops("ann", OPERATOR_USERHOST, "attention")]
    assert carl.take() == []
    assert ann.do(SendWallops(" "))[0].code == "empty"


def test_who_is_gone_is_no_operator_any_more() -> None:
    """Nor one of those who hear wallops."""
    chat = make_chat_with_operator()
    ann = enter_operator(chat, "ann")
    ann.do(change("+iw"), verbs.Quit())

    assert not any(chat.census.having.values())
