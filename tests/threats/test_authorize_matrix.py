"""
Threat "authentication bypass by another door": who may do what is the same in every language.

Each command of each language is said by everybody who may come (`matrix_people.py`), in an open and in a closed room,
and what comes of it is compared with one table (`matrix_rules.py`). `program` is a session inside the process, which
has every verb at hand.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import pytest
from matrix_door import YES, Outcome, ask
from matrix_languages import CLASSIC, INSIDE, IRC, IRC_LINES, JSON, JSON_LINES, NOTHING, PROGRAM, SLASH, TEXT, Spelling
from matrix_people import ACCOUNT, BANNED, OUTSIDER, PEOPLE, ROOM, SAID, STRANGERS, TOPIC, World
from matrix_rules import CODES, ROWS, RULES, verb_of

from pychat.core.verb_table import VERBS, authorize
from pychat.model.errors import LocalProtocolError
from pychat.model.queries import Query
from pychat.model.replies import Failure
from pychat.model.verbs import Verb
from pychat.protocols import registry
from pychat.protocols.irc.commands.table import COMMANDS as IRC_COMMANDS
from pychat.protocols.jsonl import verbs as json_verbs
from pychat.protocols.text import slash_commands as slash

LANGUAGES: dict[str, list[Spelling]] = {
    TEXT: SLASH,
    CLASSIC: [spelling for spelling in SLASH if spelling.row != "SayAll"],  # whose lines are as many messages
    JSON: JSON_LINES,
    IRC: IRC_LINES,
    PROGRAM: [Spelling(row, row, row) for row in INSIDE],
}
CASES = [(language, spelling) for language, spellings in LANGUAGES.items() for spelling in spellings]
OUTSIDE = (OUTSIDER, BANNED)
NO_ROOM_OF_ITS_OWN = (*OUTSIDE, "root")
NEVER_ANSWERED = ("NOTICE", "NAMES")
"""Commands of IRC whose refusals are not told, or look like an empty answer."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Some verbs are logged, thousands of times."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def expected(spelling: Spelling, who: str, *, closed: bool) -> str | None:
    """What the table says; None: this is not asked."""
    row = spelling.row
    if who in STRANGERS:
        if spelling.early is None:
            return None
        row = spelling.early or row
    elif spelling.here and who in NO_ROOM_OF_ITS_OWN:
        return "not_a_member"
    return RULES[row, closed, who]


def wrong_words(language: str, spelling: Spelling, outcome: Outcome) -> str:
    """Return what is wrong with how a refusal was written; empty if nothing is."""
    if outcome.code == YES or language == PROGRAM or spelling.command in NEVER_ANSWERED:
        return ""
    lines = outcome.written.decode().split("\n")
    if lines.pop() != "" or not lines or max(map(len, lines)) > 4096:
        return f"no lines: {outcome.written!r}"
    if language == JSON:
        return "" if all(json.loads(line)["code"] == outcome.code for line in lines[:1]) else lines[0]
    start = ":irc.pychat " if language == IRC else "! "
    return "" if all(line.startswith(start) for line in lines) else f"{outcome.written!r}"


def leaks(spelling: Spelling, who: str, outcome: Outcome, *, closed: bool) -> bool:
    """
    Whether somebody outside heard what is for members: what was said, and of a closed room anything.

    Who asks for it by its name is told that name, and not who is there.
    """
    if who not in (*OUTSIDE, *STRANGERS):
        return False
    told = repr([item for item in outcome.heard if not isinstance(item, Failure)])
    asked = spelling.said if spelling.row != spelling.said else repr(INSIDE[spelling.row]())
    secrets = [TOPIC, *(["bob", "chief"] if ROOM in asked else [f"'{ROOM}'"])] if closed else []
    return any(secret in told for secret in [SAID, *secrets])


LIKE_BEFORE = {CODES[cell] for cell in ("nick", "in", "hid", "op", "root", "mute", "ban", "inv", "acc")}
QUESTIONS = {kind.__name__ for kind in get_args(Query)}
_WORLDS: dict[tuple[str, bool], tuple[World, object]] = {}
"""By who asks, and whether the room is closed: worlds in which nothing has happened yet, and their state."""


def new_world(who: str, *, closed: bool) -> tuple[World, object]:
    """Return a world and its state."""
    world = World(who, closed=closed)
    return world, world.state()


def wrong(language: str, spelling: Spelling, who: str, *, closed: bool) -> list[str]:
    """Let one say it; return what is not as it should be."""
    wanted = expected(spelling, who, closed=closed)
    if wanted is None:
        return []
    world, before = _WORLDS.pop((who, closed)) if (who, closed) in _WORLDS else new_world(who, closed=closed)
    outcome = ask(world, language, spelling)
    verb = verb_of(spelling.row)
    problems = []
    if outcome.code != wanted:
        problems.append(f"is {outcome.code}, not {wanted}")
    elif verb[0].isupper() and who not in STRANGERS and verb not in outcome.verbs:
        problems.append(f"means {outcome.verbs}, not {verb}")
    if outcome.code != YES and verb not in ("Abort", "BecomeOperator") and world.state() != before:
        problems.append("was refused and has changed something")
    if outcome.code != YES and verb != "Abort" and (heard := world.others_heard()):
        problems.append(f"was refused and heard by others: {heard}")
    if leaks(spelling, who, outcome, closed=closed):
        problems.append(f"tells what is for members: {outcome.heard}")
    if words := wrong_words(language, spelling, outcome):
        problems.append(f"is refused in wrong words: {words}")
    if not problems and (outcome.code in LIKE_BEFORE or (outcome.code == YES and verb in QUESTIONS)):
        _WORLDS[who, closed] = world, before
    return [f"{who}, {'closed' if closed else 'open'} room: {problem}" for problem in problems]


@pytest.mark.parametrize(
    ("language", "spelling"), CASES, ids=[f"{language}: {spelling.said[:40]}" for language, spelling in CASES]
)
def test_authentication_bypass_by_another_door(language: str, spelling: Spelling) -> None:
    """Everybody says it, in both rooms, and each outcome is that of the table; a refusal changes nothing."""
    assert [
        problem
        for closed in (False, True)
        for who in PEOPLE
        for problem in wrong(language, spelling, who, closed=closed)
    ] == []


# That the matrix has everything


def names(verbs: Any) -> set[str]:
    """The names of the verbs of a union."""
    return {kind.__name__ for kind in get_args(verbs)}


def without_rule(verbs: Any) -> set[str]:
    """The verbs that no row is about, or that no program asks for in `INSIDE`."""
    return names(verbs) - ({verb_of(row) for row in ROWS} & {verb_of(row) for row in INSIDE})


def test_the_matrix_has_every_verb() -> None:
    """To add one, add a row to `matrix_rules.TABLE`, an example to `INSIDE`, and its spellings."""
    assert without_rule(Verb) == set()
    assert {verb_of(row) for row in ROWS if row[0].isupper()} == names(Verb), "a row is about no verb"
    assert set(INSIDE) <= set(ROWS)


def test_the_matrix_has_every_language() -> None:
    """One that is new needs its spellings, in `LANGUAGES`."""
    assert {name.lower() for name in LANGUAGES} - {PROGRAM} == {
        language.name.lower() for language in registry.LANGUAGES
    }


@pytest.mark.parametrize(
    ("spellings", "table"),
    [
        (SLASH, {command.name for command in slash.COMMANDS.values()}),
        (JSON_LINES, set(json_verbs.REQUESTS.types)),
        (IRC_LINES, set(IRC_COMMANDS)),
    ],
    ids=["slash commands", "JSON", "IRC"],
)
def test_the_matrix_has_every_command(spellings: list[Spelling], table: set[str]) -> None:
    """To add one, add a line to `matrix_languages.py`."""
    assert {spelling.command for spelling in spellings} - {""} == table


def test_the_matrix_has_no_row_that_nobody_asks_for() -> None:
    """And every code of it is used."""
    asked = {row for _, spelling in CASES for row in (spelling.row, spelling.early)}
    assert set(ROWS) - asked == set()
    assert set(CODES.values()) == set(RULES.values())


def test_the_matrix_has_its_size(capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed, as a number that shrinks by accident would be seen."""
    cases = sum(
        expected(spelling, who, closed=closed) is not None
        for _, spelling in CASES
        for who in PEOPLE
        for closed in (False, True)
    )
    with capsys.disabled():
        print(
            f"\nmatrix: {len(LANGUAGES)} languages, {len(CASES)} commands, {len(names(Verb))} verbs, "
            f"{len(PEOPLE)} states and roles, 2 rooms = {cases} cases"
        )
    assert cases > 5000


class Surprise(NamedTuple):
    """A verb that somebody has added, and nothing else."""

    ref: object = None


def test_a_verb_without_a_rule_fails_the_matrix() -> None:
    """It is not forgotten."""
    assert without_rule(Verb | Surprise) == {"Surprise"}


@pytest.mark.parametrize("who", PEOPLE)
def test_a_verb_without_a_rule_is_for_nobody(who: str) -> None:
    """Not even for a server operator."""
    world = World(who, closed=False)

    with pytest.raises(LocalProtocolError, match="Surprise has no rule"):
        world.chat.perform(world.caller, [Surprise()])  # type: ignore[list-item]  # that is what it is about


@pytest.mark.parametrize("kind", get_args(Verb), ids=lambda kind: kind.__name__)
def test_every_verb_has_a_rule(kind: Any) -> None:
    """For whomever it is."""
    assert kind in VERBS
    world = World("root in room", closed=False)
    authorize(world.caller, next(make for row, make in INSIDE.items() if verb_of(row) == kind.__name__)())


def test_the_world_is_what_the_table_thinks() -> None:
    """The room is closed to all that it can be closed to, and the one who is silenced is in it."""
    world = World("silenced", closed=True)
    room = world.chat.find_room(ROOM)
    assert room is not None
    assert room.state.letters == "imnstk"
    assert room.topic == TOPIC
    assert world.caller in room
    assert world.chat.accounts.owner(ACCOUNT) == ACCOUNT
    assert NOTHING in ROWS
