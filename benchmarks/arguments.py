"""Parse arguments of the command line; errors say what is allowed."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

from benchmarks.attacks import ATTACKS, MIX
from benchmarks.load import Shape
from benchmarks.wire import Address

ALL_SHAPES = "100x1,100x10,1000x10,10x10,1x1"
SMALLEST_TEXT = 32


def positive(text: str) -> int:
    """Return an integer from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def text_bytes(text: str) -> int:
    """Return the length of a text."""
    if positive(text) < SMALLEST_TEXT:
        raise argparse.ArgumentTypeError(f"at least {SMALLEST_TEXT}, because a number or a time must fit")
    return int(text)


def shapes(text: str) -> list[Shape]:
    """Return shapes, such as `100x1,10x10`."""
    try:
        pairs = [part.split("x") for part in (ALL_SHAPES if text == "all" else text).split(",")]
        return [Shape(positive(members), positive(senders)) for members, senders in pairs]
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"{text!r} is not all, nor shapes like 100x1,100x10") from None


def numbers(text: str) -> list[int]:
    """Return numbers separated by commas."""
    return [positive(part) for part in text.split(",")]


def rates(text: str) -> list[float]:
    """Return positive numbers separated by commas."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [0.0]
    if not all(0 < rate < math.inf for rate in found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0, nor several like 20,100")
    return found


def server_names(known: Sequence[str], text: str) -> list[str]:
    """Return names of known servers."""
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
    return names


def attacks(text: str) -> str | tuple[str, ...]:
    """Return names of attacks, or `each`."""
    if text == "each":
        return text
    if text == "all":
        return MIX
    names = tuple(text.split(","))
    for name in names:
        if name not in ATTACKS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(ATTACKS)}, nor all or each")
    return names


def address(text: str) -> Address:
    """Return a host and a port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)
