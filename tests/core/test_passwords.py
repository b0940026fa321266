"""The server's password: checked in one place, before anything else of a stranger is."""

from __future__ import annotations

import logging

import pytest
from recorder import Recorder, make_chat

from pychat.core.accounts.server_password import Password, require_password
from pychat.core.chat import Chat
from pychat.core.session import Session
from pychat.handlers import Broadcast
from pychat.model.errors import Refused
from pychat.model.replies import Failure
from pychat.model.verbs import Hello


def test_a_password_fits_itself_alone() -> None:
    """Whatever it is made of."""
    password = Password("grüße, 世界 ")

    assert password.fits("grüße, 世界 ")
    assert not any(password.fits(text) for text in ("", "grüße, 世界", "GRÜSSE, 世界 ", "\ud800"))
    assert not Password("caf\udce9").fits("caf?")  # read from a file that is not UTF-8


def test_a_password_is_not_kept() -> None:
    """Nothing that shows an object can show it."""
    password = Password("sesame")

    assert "sesame" not in repr(vars(password)) + repr(password)


def test_an_empty_password_is_none() -> None:
    """A server that was to be closed would be open."""
    with pytest.raises(ValueError, match=r"^the password is empty$"):
        Chat(password="")


@pytest.mark.parametrize(
    ("given", "code"), [(None, "password_required"), ("", "wrong_password"), ("Sesame", "wrong_password")]
)
def test_a_stranger_needs_the_password(given: str | None, code: str) -> None:
    """What is wrong is told; the session knows that it lacks it."""
    session = Session(Chat(password="sesame"), "192.0.2.1")

    with pytest.raises(Refused) as caught:
        require_password(session, given)

    assert caught.value.code == code
    assert session.lacks_password


def test_who_gives_it_lacks_it_no_more() -> None:
    """Also after a wrong one."""
    session = Session(Chat(password="sesame"))
    session.lacks_password = True

    require_password(session, "sesame")

    assert not session.lacks_password


@pytest.mark.parametrize("given", [None, "anything"])
def test_a_server_without_a_password_takes_any(given: str | None) -> None:
    """Who has one in a file can use it everywhere."""
    session = Session(Chat())

    require_password(session, given)

    assert not session.lacks_password


def test_who_lives_in_this_process_needs_none() -> None:
    """A bot of the server's own program."""
    chat = Chat([Broadcast()], password="sesame")

    assert chat.session("helper").nickname == "helper"


def test_a_wrong_password_is_logged_with_the_address_and_without_itself(caplog: pytest.LogCaptureFixture) -> None:
    """So that who guesses can be found."""
    session = Session(Chat(password="sesame"), "192.0.2.1")

    with caplog.at_level(logging.WARNING, "pychat"), pytest.raises(Refused):
        require_password(session, "guess")

    assert [record.getMessage() for record in caplog.records] == [
        "somebody from 192.0.2.1 gave a wrong password for the server"
    ]


class _Stranger(Recorder):
    """One that comes over the network, as far as the chat can see."""

    is_local = False


def test_without_the_password_nobody_learns_who_is_there() -> None:
    """The answer is the same for nicknames that are free, in use, or none."""
    chat = make_chat()
    chat.password = Password("sesame")
    chat.session("taken")
    stranger = _Stranger(chat)
    chat.open(stranger)

    answers = [stranger.do(Hello(nickname, password="guess", ref=1)) for nickname in ("free", "taken", "a b")]

    assert answers == [[Failure(1, "wrong_password", "wrong password")]] * 3
    assert stranger.nickname is None
