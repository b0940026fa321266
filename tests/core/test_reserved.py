"""Nicknames that nobody can have, because they would be taken for the server or its operators."""

from __future__ import annotations

import pytest
from recorder import enter
from remote import Remote, come, no_alarm_is_left, open_chat

from pychat.model.replies import Failure
from pychat.model.reserved_names import RESERVED, reserved_word
from pychat.model.verbs import Hello, LogIn, Regain, Register, SetNickname

__all__ = ["no_alarm_is_left"]

ALLOWED = r"use 1 to 32 letters, digits or -_[]{}|^\`"


@pytest.mark.parametrize("word", RESERVED)
def test_words_are_reserved_in_any_case(word: str) -> None:
    """With punctuation around them as well, which people hardly see."""
    assert reserved_word(word) == reserved_word(word.upper()) == reserved_word(f"_{word}-") == word


@pytest.mark.parametrize(
    ("nickname", "word"),
    [
        ("NlckServ", "nickserv"),
        ("N1ckServ", "nickserv"),
        ("N|ckServ", "nickserv"),
        ("|NickServ|", "nickserv"),
        ("Nick-Serv", "nickserv"),
        ("MemoServ", "memoserv"),
        ("adrnin", "admin"),
        ("r00t", "root"),
        ("g1oba1", "global"),
        ("\u0455\u0443\u0455\u043e\u0440", "sysop"),
        ("\u0405\u0423\u0405\u041e\u0420", "sysop"),
        ("admi\u0307n", "admin"),
        ("ni\u0307ckserv", "nickserv"),
        ("p\u1ef9chat", None),
        ("PyChat", "pychat"),
        ("py-chat", "pychat"),
    ],
)
def test_what_looks_like_them_is_reserved(nickname: str, word: str | None) -> None:
    """In ASCII, too; and what the server calls itself."""
    assert reserved_word(nickname, "pychat") == word


_HONEST = (
    "administrator1 admin2 root-2 roots operators observer servus rooster staff help bot systems Ira Adrian ___ ||"
)


@pytest.mark.parametrize("nickname", _HONEST.split())
def test_honest_names_are_free(nickname: str) -> None:
    """What only begins like one of them, or means somebody who helps."""
    assert reserved_word(nickname, "pychat") is None
    assert reserved_word(nickname, "My Chat") is None


def test_a_server_without_a_usable_name_reserves_nothing_more() -> None:
    """Nor one whose name has only punctuation."""
    assert reserved_word("ann", "") is None
    assert reserved_word("ann", "---") is None


def refusals(person: Remote) -> list[tuple[str, str]]:
    """What was refused since the last time."""
    return [(item.code, item.text) for item in person.take() if isinstance(item, Failure)]


def test_nobody_comes_in_or_is_renamed_to_one() -> None:
    """Nor makes an account of it."""
    chat = open_chat()
    ann = come(chat, "ann")
    chat.perform(ann, [SetNickname("N1ckServ"), SetNickname("Root"), SetNickname("pychat")])
    chat.perform(ann, [Register("correct-horse", "ROOT")])

    assert refusals(ann) == [
        ("bad_nickname", f"nickname 'N1ckServ': it looks like 'nickserv', which is reserved; {ALLOWED}"),
        ("bad_nickname", f"nickname 'Root': 'root' is reserved; {ALLOWED}"),
        ("bad_nickname", f"nickname 'pychat': 'pychat' is reserved; {ALLOWED}"),
        ("bad_nickname", f"nickname 'ROOT': 'root' is reserved; {ALLOWED}"),
    ]


def test_programs_inside_are_called_what_they_like() -> None:
    """They are the server's own."""
    assert enter(open_chat(), "pychat").nickname == "pychat"


def test_an_account_of_before_keeps_its_name() -> None:
    """It may be borrowed for as long as any, logged in to and regained, and its token is worth as much as ever."""
    chat = open_chat()
    owner = enter(chat, "root")
    owner.do(Register("correct-horse"), SetNickname("else"))

    root, ann = come(chat, "root"), come(chat, "ann")
    assert (root.nickname, refusals(root)) == ("root", [])
    chat.perform(root, [LogIn("correct-horse")])
    root.resumable = True
    chat.close(root, "lost", lost=True)
    chat.accounts.drop("root")
    again = come(chat)
    chat.perform(again, [Hello("root", token=root.token)])
    assert (again.nickname, refusals(again)) == ("root", [])

    chat.close(again, "gone")
    enter(chat, "other").do(Register("correct-horse", "root"))
    chat.perform(ann, [LogIn("correct-horse", "root"), Regain("root")])
    assert (ann.nickname, refusals(ann)) == ("root", [])
