"""`model/masks.py`: who is described by a mask."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pychat.model.errors import Refused
from pychat.model.hostmask import Hostmask, hostmask_of
from pychat.model.masks import MASK_BYTES, MaskList, _glob, describes, fits, normal_mask
from pychat.model.modes import MaskEntry

few = st.text(st.sampled_from("ab*?\\["), max_size=10)


def slow_fits(mask: str, text: str) -> bool:
    """The same by the definition of the wildcards, without any trick."""
    reached = {0}
    for sign in mask:
        if sign == "*":
            reached = set(range(min(reached, default=len(text) + 1), len(text) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(text) and sign in ("?", text[at])}
    return len(text) in reached


@given(few, st.text(st.sampled_from("ab\\[\n"), max_size=12))
@example("a\\?", "a\\b")
@example("*?*", "")
@example("*???*", "ab")
@example("*a*?b*", "aab")
def test_wildcards(mask: str, text: str) -> None:
    """`*` is any characters, also none, `?` is exactly one; everything else is itself."""
    assert fits(mask, text) == slow_fits(mask, text)
    assert _glob(mask, text) == slow_fits(mask, text)


part = st.sampled_from(["*", "a", "ab", "a?", "b*", "A"])


@given(part, part, part, st.tuples(*[st.sampled_from(["a", "ab", "b", "aB"])] * 3))
def test_tables_and_patterns_say_the_same(nickname: str, user: str, host: str, person: tuple[str, str, str]) -> None:
    """What a list looks up, because there are no wildcards in it, is what the pattern would describe."""
    mask, whole = f"{nickname}!{user}@{host}", "{}!{}@{}".format(*person)
    masks = MaskList([entry(mask)])

    fitting = slow_fits(mask.lower(), whole.lower())

    assert describes(mask, hostmask(whole)) == fitting
    assert fit(masks, whole) == fitting


def test_case_does_not_matter_in_any_script() -> None:
    """As for nicknames."""
    assert fits("Bob!*@*.EXAMPLE", "bOB!~b@gw.example")
    assert fits("ЖАНна!*", "жанНА!~u@h")
    assert not fits("bob!*@*", "bobby!~b@h")


def test_a_mask_that_is_made_to_be_slow_is_not() -> None:
    """Many `*` do not multiply (a regular expression of `.*` would take years), and what is too long fits nothing."""
    began = time.thread_time()

    assert not fits("*a" * 250 + "b", "a" * 5000)
    assert not fits("*a?" * 150 + "b", "a" * 5000)
    assert not _glob("*a" * 250 + "b", "a" * 5000)
    assert not _glob("*a?" * 150 + "b", "a" * 5000)
    assert not _glob("*" + "a?" * 80 + "b*", "a" * 200)
    assert not fits("*" * 513, "a")
    assert fits("*" * 512, "a")
    assert time.thread_time() - began < 5


@pytest.mark.parametrize(
    ("raw", "mask"),
    [
        ("bob", "bob!*@*"),
        ("*@host", "*!*@host"),
        ("~u@host", "*!~u@host"),
        ("@host", "*!*@host"),
        ("bob!", "bob!*@*"),
        ("bob!~u", "bob!~u@*"),
        ("bob!~u@host", "bob!~u@host"),
        ("!@", "*!*@*"),
        ("m:bob", "m:bob!*@*"),
        ("ЖАН*", "ЖАН*!*@*"),
    ],
)
def test_a_mask_gets_all_its_parts(raw: str, mask: str) -> None:
    """Whatever is missing may be anything; doing it twice changes nothing more."""
    assert normal_mask(raw) == mask
    assert normal_mask(mask) == mask


@pytest.mark.parametrize("raw", ["", "m:", "a b", "a\nb", "a\x00", "a\u202eb", "a\u3000b", "x" * 161, "ж" * 80])
def test_masks_that_are_refused(raw: str) -> None:
    """Empty, with a space or what cannot be seen, too long for one line of IRC."""
    with pytest.raises(Refused) as caught:
        normal_mask(raw)

    assert caught.value.code == "bad_mode_argument"


def test_a_mask_is_as_long_as_allowed() -> None:
    """With the parts that were added."""
    assert len(normal_mask("x" * (MASK_BYTES - 4))) == MASK_BYTES
    with pytest.raises(Refused, match="a mask can have at most 160 bytes"):
        normal_mask("x" * (MASK_BYTES - 3))


def entry(mask: str) -> MaskEntry:
    """Somebody has set it."""
    return MaskEntry(mask, "ann", 1.0)


def hostmask(person: str, account: str | None = None) -> Hostmask:
    """Of somebody who is given as "nickname!user@host"."""
    nickname, _, userhost = person.partition("!")
    return hostmask_of(nickname, userhost, account)


def fit(masks: MaskList, person: str, account: str | None = None, now: float = 100.0, *, mutes: bool = False) -> bool:
    """Whether an entry describes that person."""
    return masks.find(hostmask(person, account), now, mutes=mutes) is not None


def test_a_list_keeps_masks_in_order_and_each_once() -> None:
    """Case does not make another one; the one that is removed is named as it was added."""
    masks = MaskList()
    for mask in ("Bob!*@*", "eve!*@*"):
        masks.add(entry(mask))

    assert [one.mask for one in masks] == ["Bob!*@*", "eve!*@*"]
    assert "BOB!*@*" in masks
    assert masks.remove("bob!*@*") == "Bob!*@*"
    assert masks.remove("bob!*@*") is None
    assert len(masks) == 1


def test_a_list_answers_for_each_person_as_it_is_now() -> None:
    """What is remembered of an answer is forgotten with each change."""
    masks = MaskList()
    bob = "bob!~b@host"
    assert not fit(masks, bob)

    masks.add(entry("b?b!*@*"))
    assert fit(masks, bob)
    assert fit(masks, bob)
    assert not fit(masks, "eve!~b@host")

    masks.remove("b?b!*@*")
    assert not fit(masks, bob)


def test_mutes_count_only_where_they_are_asked_for() -> None:
    """A mute keeps nobody out."""
    masks = MaskList()
    masks.add(entry("m:bob!*@*"))

    assert not fit(masks, "bob!~b@host")
    assert fit(masks, "bob!~b@host", mutes=True)
    assert not fit(masks, "m:bob!~b@host")


def test_what_is_known_of_people_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many nicknames somebody tries, and answers stay right."""
    monkeypatch.setattr("pychat.model.masks._KNOWN_ANSWERS", 10)
    bans = MaskList()
    bans.add(entry("bob!*@*"))

    for number in range(100):
        assert not fit(bans, f"ann{number}!~a@host")
        assert fit(bans, "bob!~b@host")

    assert len(bans._index.known) <= 10


def test_an_account_is_banned_whatever_its_nickname() -> None:
    """And no guest that has the name of the account as nickname."""
    masks = MaskList()
    masks.add(entry(normal_mask("a:Bob")))

    assert fit(masks, "anybody!~x@host", "bob")
    assert not fit(masks, "bob!~b@host")
    assert not fit(masks, "a:bob!~b@host")
    assert not fit(masks, "anybody!~x@host", "bobby")


def test_an_account_can_be_muted() -> None:
    """Both prefixes, in this order."""
    masks = MaskList()
    masks.add(entry(normal_mask("m:a:b*")))

    assert not fit(masks, "x!~x@host", "bob")
    assert fit(masks, "x!~x@host", "bob", mutes=True)


def test_an_entry_follows_those_for_whom_it_was_made() -> None:
    """Whatever they are called now; nobody else."""
    masks = MaskList([entry("m:bob!*@*")._replace(follows=(7,))])
    robert = hostmask("robert!~b@host")

    assert masks.find(robert, 100.0, mutes=True, identity=7) is not None
    assert masks.find(robert, 100.0, identity=7) is None
    assert masks.find(robert, 100.0, mutes=True, identity=8) is None
    assert [one.mask for one in masks.all_about(robert, 7)] == ["m:bob!*@*"]


def test_what_has_ended_describes_nobody() -> None:
    """From that moment on, also for those about whom was asked before; another entry may be for them."""
    masks = MaskList()
    masks.add(entry("bob!*@*")._replace(deadline=50.0))
    masks.add(entry("b*!*@*")._replace(deadline=70.0))

    assert masks.find(hostmask("bob!~b@host"), 40.0) == entry("b*!*@*")._replace(deadline=70.0)
    assert fit(masks, "bob!~b@host", now=69.0)
    assert not fit(masks, "bob!~b@host", now=70.0)
    assert [one.mask for one in masks.ended(50.0)] == ["bob!*@*"]
