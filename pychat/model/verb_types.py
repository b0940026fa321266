"""Type checks of verbs that programs send, with the same errors here and in the network client."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from pychat.model.arguments import wrong
from pychat.model.verbs import Answer, Verb

_PLAIN: Final = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    bytes: "bytes",
    type(None): "None",
}
"""The types that are checked, with their names; the chat checks other fields."""


def check_verb(verb: object) -> None:
    """
    Check that a value is a verb with fields of the right types.

    Raises:
        TypeError: If it is not a verb, or a field has the wrong type.
    """
    if type(verb) not in _verbs():
        raise TypeError(f"ask for a verb, such as WhoIs('ann') of pychat.model.queries, not {verb!r}")
    assert isinstance(verb, tuple)
    for at, name, kinds in _fields(type(verb)):
        value = verb[at]
        if name == "room" and isinstance(called := getattr(value, "name", None), str):
            raise TypeError(f"room must be the name of a room, {called!r}, not the room")
        if not isinstance(value, (*kinds, int) if float in kinds else kinds):
            raise wrong(name, value, " or ".join([_PLAIN[kind] for kind in kinds]))


def kind_name(kind: Any) -> str:
    """
    Return the name of an event type, or of several.

    Raises:
        TypeError: If it is not a type.
    """
    kinds = kind if isinstance(kind, tuple) else get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if not kinds or not all(isinstance(each, type) for each in kinds):
        raise TypeError(f"name a type of events, such as next(Message), not {kind!r}")
    return " or ".join([each.__name__ for each in kinds])


@functools.cache
def _verbs() -> frozenset[type]:
    return frozenset(get_args(Verb))


@functools.cache
def _fields(verb: type) -> tuple[tuple[int, str, tuple[type, ...]], ...]:
    """Return the index, name and types of those fields whose types are plain."""
    if verb is Answer:  # programs do not send it
        return ()
    hints = get_type_hints(verb)
    found = []
    for at, name in enumerate(verb._fields):  # type: ignore[attr-defined]  # it is a named tuple
        kinds = tuple(_members(hints[name]))
        if name != "ref" and all(kind in _PLAIN for kind in kinds):
            found.append((at, name, kinds))
    return tuple(found)


def _members(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Union or isinstance(hint, types.UnionType):
        for member in get_args(hint):
            yield from _members(member)
    else:
        yield hint
