"""What the tests of the dialect of IRC share: lines of items, and items of every type that core has."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from pychat.model import events as e
from pychat.model import replies as r
from pychat.model.limits import Limits
from pychat.model.modes import ModeChange
from pychat.model.queries import Ref
from pychat.protocols.base import Item
from pychat.protocols.irc.asked import Asked, Line, Numeric
from pychat.protocols.irc.capabilities import OFFERED
from pychat.protocols.irc.commands.table import COMMANDS
from pychat.protocols.irc.dialect import IrcDialect

AT = 1795359845.123
"""2026-11-22 15:04:05.123 UTC."""
ANN, BOB = "~ann@k3.ip", "~bob@x2.ip"

EVENTS: tuple[type, ...] = typing.get_args(e.Event)
REPLIES: tuple[type, ...] = typing.get_args(r.Reply)


def irc(*capabilities: str) -> IrcDialect:
    """The dialect of a server called "pychat"."""
    return IrcDialect("pychat", Limits(), frozenset(capabilities), clock=lambda: AT)


def heard(item: Item, *capabilities: str) -> list[str]:
    """The lines of what a room hears."""
    return _lines(irc(*capabilities).encode([item]))


def told(item: Item, *capabilities: str, nickname: str | None = "ann") -> list[str]:
    """The lines of what one session hears."""
    return _lines(irc(*capabilities).encode_private([item], nickname))


def _lines(data: bytes) -> list[str]:
    assert not data or data.endswith(b"\r\n")
    return data.decode().split("\r\n")[:-1]


MEMBERS = (
    r.MemberInfo("bob", None, BOB, "ov"),
    r.MemberInfo("eve", "lunch", "~e@q.ip", "v"),
    r.MemberInfo("ann", None, ANN),
)


def numerics(*lines: str) -> list[str]:
    """Lines of numerics: with the server before the code, and "ann", who reads them, behind it."""
    return [re.sub(r"^(\S+)", r":irc.pychat \1 ann", line) for line in lines]


def asked(command: str, *params: str) -> Asked:
    """The `ref` of what answers a command."""
    return Asked(command, params)


# One item of a type, and items of any type with anything in them

_SAMPLES: dict[Any, Any] = {
    int: 1,
    float: AT,
    str: "x",
    str | None: "x",
    tuple[str, ...]: ("x",),
    tuple[ModeChange, ...]: (ModeChange(True, "m"),),
}


def sample(kind: type) -> Any:
    """An item of a type, with something in each of the fields that it must have."""
    hints, defaults = typing.get_type_hints(kind), getattr(kind, "_field_defaults", {})
    return kind(**{name: _SAMPLES[hint] for name, hint in hints.items() if name not in defaults})


NASTY = st.sampled_from(
    ["", " ", ":", "\r", "\n", "\0", "\x01", ",", ";", "@", "#", "é", "\u200d", "👍🏽", "e\u0301", "\ud800", "|"]
)
texts = st.text(max_size=40) | st.lists(NASTY | st.text(max_size=6), max_size=8).map("".join)
long_texts = st.tuples(texts, st.integers(1, 300)).map(lambda parts: parts[0] * parts[1])
any_text = texts | long_texts

_commands = st.sampled_from([*COMMANDS, "XYZZY"])
_params = st.lists(any_text, max_size=4).map(tuple)
_asked = st.builds(Asked, _commands, _params)
_numerics = st.builds(Numeric, st.sampled_from(["461", "CAP", "NOTICE"]), _params)
_said = st.builds(Line, st.sampled_from(["FAIL", "NOTE"]), _params)
refs = st.none() | _asked | _asked | _numerics | _said | st.integers() | st.text(max_size=3)
capabilities = st.frozensets(st.sampled_from(OFFERED))

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: any_text,
    int: st.integers(0, 2**63 - 1),
    float: st.floats(0, 2**35),
    bool: st.booleans(),
    object: _asked | _numerics | _said | st.none(),
    Limits: st.just(Limits()),
    types.NoneType: st.none(),
}


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type as the fields of items have them."""
    if hint == Ref:
        return refs
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, types.UnionType):
        return st.one_of([_values(part) for part in typing.get_args(hint)])
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        assert parts[1:] == (...,), hint
        return st.lists(st.deferred(lambda: _values(parts[0])), max_size=4).map(tuple)
    if origin is frozenset:
        return st.frozensets(_values(parts[0]), max_size=3)
    return items_of(hint)


@cache
def items_of(kind: type) -> st.SearchStrategy[Any]:
    """Items of a type with anything in their fields."""
    return st.builds(kind, **{name: _values(hint) for name, hint in typing.get_type_hints(kind).items()})


def any_item(kinds: Iterable[type] = (*EVENTS, *REPLIES)) -> st.SearchStrategy[Any]:
    """Items of any of the types."""
    return st.one_of([items_of(kind) for kind in kinds])
