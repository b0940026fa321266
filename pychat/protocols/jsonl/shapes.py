"""
Shapes: how a value is written as a JSON object and read from one, both from one row of a table.

A row names the object's type, the class of the value, and its fields in the order in which they are written:

    Shape("kick", Kick, room=TEXT, nickname=NICK, reason=TEXT, ref=REF)

An attribute with a default in its class is optional: the field is left out if the value is the default, and the other
way round. `items.py` and `verbs.py` have the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pychat.protocols.jsonl.fields import Fields, dump_object, format_id, format_time

_REQUIRED: Final[Any] = object()
_OF_CLASS: Final[Any] = object()
"""The default of a field is the one that the attribute has in its class, if any."""


def _write(fields: dict[str, Any], name: str, value: Any) -> None:
    fields[name] = value


class Field(NamedTuple):
    """The kind of a field."""

    read: Callable[[Fields, str], Any]
    """Takes the object's fields and the field's name; raises `BadField`."""
    write: Callable[[dict[str, Any], str, Any], None] = _write
    """Adds the field to an object, or several ones."""
    name: str = ""
    """The name in JSON; empty if it is the attribute's name."""
    inside: str = ""
    """The name of the object inside the object that has the field; empty if it is in the object itself."""
    default: Any = _OF_CLASS
    """What an absent field means."""

    def named(self, name: str, inside: str = "") -> Field:
        """Return the same kind under another name."""
        return self._replace(name=name, inside=inside)

    def required(self) -> Field:
        """Return the same kind without a default."""
        return self._replace(default=_REQUIRED)

    def or_else(self, default: Any) -> Field:
        """Return the same kind with this default."""
        return self._replace(default=default)

    def of(self, value: type[Any], attribute: str) -> Field:
        """Return the same kind with the name and the default that it has for an attribute of a class."""
        default = value._field_defaults.get(attribute, _REQUIRED) if self.default is _OF_CLASS else self.default
        return self._replace(name=self.name or attribute, default=default)


class Shape:
    """One type of object. A subclass reads or writes by hand what must be fast, or is no list of fields."""

    def __init__(
        self,
        type: str,
        value: type[Any],
        /,
        *,
        when: str = "",
        given: Mapping[str, Any] = MappingProxyType({}),
        **fields: Field,
    ) -> None:
        """
        Args:
            type: The object's type; empty for an object inside another one.
            value: The class of the value, a named tuple.
            when: The field that must be there if the type has several shapes; empty for the last of them.
            given: Attributes that do not exist in JSON, with the values that they get when the object is read.
            fields: For each attribute, the kind of its field.
        """
        self.type, self.value, self.when, self._given = type, value, when, given
        self.fields = {attribute: field.of(value, attribute) for attribute, field in fields.items()}
        defaults = value._field_defaults
        self._not_sent = {name: default for name, default in defaults.items() if name not in {*fields, *given}}

    @property
    def names(self) -> list[str]:
        """The names of its fields."""
        return list(dict.fromkeys(field.inside or field.name for field in self.fields.values()))

    def read(self, fields: Fields) -> Any:
        """
        Return the value of an object.

        Raises:
            BadField: If a field is missing or wrong.
        """
        has = fields.has
        values = dict(self._given)
        for attribute, (read, _, name, inside, default) in self.fields.items():
            if inside:
                part = fields.object(inside) or Fields({})
                values[attribute] = read(part, name) if part.has(name) else default
            elif default is _REQUIRED or has(name):
                values[attribute] = read(fields, name)
            else:
                values[attribute] = default
        return self.value(**values)

    def write(self, value: Any) -> dict[str, Any]:
        """Return the object of a value."""
        fields: dict[str, Any] = {"type": self.type} if self.type else {}
        for attribute, (_, write, name, inside, default) in self.fields.items():
            one = getattr(value, attribute)
            if default is _REQUIRED or one != default:
                write(fields.setdefault(inside, {}) if inside else fields, name, one)
        return fields

    def encode(self, value: Any) -> str:
        """Return the line of a value, without its newline; empty if there is nothing to send."""
        return dump_object(self.write(value))

    def lost(self, value: Any) -> list[str]:
        """Return the attributes that the object would not tell."""
        return [name for name, default in self._not_sent.items() if getattr(value, name) != default]


class Shapes:
    """A table of shapes."""

    def __init__(self, *shapes: Shape) -> None:
        """
        Args:
            shapes: If a type has several, the first whose field `when` is there reads it; if a class has several, the
                first that loses nothing writes it.
        """
        self._by_type: dict[str, list[Shape]] = {}
        self._by_class: dict[type[Any], list[Shape]] = {}
        for shape in shapes:
            self._by_type.setdefault(shape.type, []).append(shape)
            self._by_class.setdefault(shape.value, []).append(shape)

    def __iter__(self) -> Iterator[Shape]:
        return (shape for shapes in self._by_type.values() for shape in shapes)

    @property
    def types(self) -> list[str]:
        """The types of objects, in the order of the table."""
        return list(self._by_type)

    def names(self, type: str) -> list[str]:
        """Return the names of the fields that an object of the type may have."""
        return list(dict.fromkeys(name for shape in self._by_type[type] for name in shape.names))

    def reader(self, type: str, fields: Fields) -> Shape | None:
        """Return the shape that reads an object; None if its type is unknown."""
        shapes = self._by_type.get(type)
        if shapes is None:
            return None
        if len(shapes) == 1:
            return shapes[0]
        return next(shape for shape in shapes if not shape.when or fields.has(shape.when))

    def writers(self, value: type[Any]) -> list[Shape]:
        """Return the shapes that write values of a class; empty if they do not exist in JSON."""
        return self._by_class.get(value, [])


# Kinds of fields


def _write_id(fields: dict[str, Any], name: str, value: int) -> None:
    fields[name] = format_id(value)


def _write_time(fields: dict[str, Any], name: str, value: float) -> None:
    fields[name] = format_time(value)


TEXT: Final = Field(Fields.text)
TEXTS: Final = Field(Fields.texts)
NAME: Final = Field(Fields.name)
"""A name that a server sends: it was checked there, so a client only bounds its length."""
FLAG: Final = Field(Fields.flag)
COUNT: Final = Field(Fields.count)
ID: Final = Field(Fields.id, _write_id)
TIME: Final = Field(Fields.time, _write_time)
TEXT_OR_NULL: Final = Field(Fields.optional_text)
"""Null is a value of its own, and is written."""
REF: Final = Field(lambda fields, name: fields.ref(), default=None)


def objects(shape: Shape) -> Field:
    """Return the kind of an array of objects of this shape."""

    def read(fields: Fields, name: str) -> tuple[Any, ...]:
        return tuple(shape.read(part) for part in fields.objects(name))

    def write(fields: dict[str, Any], name: str, values: tuple[Any, ...]) -> None:
        fields[name] = [shape.write(value) for value in values]

    return Field(read, write)
