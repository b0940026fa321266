"""Addresses to listen on: how people reach a server there, and why one cannot be had."""

from __future__ import annotations

import errno
import socket
from typing import Final

EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # what they mean is why they are here
"""Hosts that stand for all addresses of this machine."""


def how_to_join(name: str, host: str, port: int, room: str, *, has_password: bool) -> list[str]:
    """
    The lines that tell people how to join a server.

    Args:
        name: What it calls itself.
        host: Where it listens.
        room: Where everybody comes in.
    """
    lines = [f"{name} listens on {host or '0.0.0.0'} port {port}. Join it from another terminal:"]
    lines += commands(near(host), port, has_password)
    if host in EVERYWHERE:
        lines += ["or from another machine:", *commands(socket.gethostname(), port, has_password)]
    lines.append(f"In irssi, or any other IRC client without TLS, then type: /join #{room}")
    return [*lines, "It wants its password: nc and pychat connect ask for it."] if has_password else lines


def near(host: str) -> str:
    """The address by which this machine itself reaches a server that listens there."""
    return "::1" if host == "::" else "127.0.0.1" if host in EVERYWHERE else host


def commands(host: str, port: int, has_password: bool) -> list[str]:
    """What to type, at an address that can be reached."""
    return [
        f"    nc {host} {port}",
        f"    pychat connect --nick NAME{place(host, port)}",
        f"    irssi -c {host} -p {port}" + (" -w PASSWORD" if has_password else ""),
    ]


def place(host: str, port: int) -> str:
    """The options that name an address behind a command, as far as they are needed."""
    return ("" if host == "127.0.0.1" else f" --host {host}") + ("" if port == 55555 else f" --port {port}")


def why_not_bound(host: str, port: int, error: OSError | UnicodeError) -> str:
    """What is wrong with an address on which a server cannot listen, and what to do."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"no address is known for host {host!r}; use one of this machine, 127.0.0.1 or 0.0.0.0"
    advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
    return f"cannot listen on {host or '0.0.0.0'} port {port}: {advice}"


_ADVICE: Final = {
    errno.EADDRINUSE: "it is in use, perhaps by another pychat; choose another with --port, or 0 for any free one",
    errno.EACCES: "only the administrator may use ports below 1024; choose another with --port",
    errno.EADDRNOTAVAIL: "this machine does not have that address; use 127.0.0.1, or 0.0.0.0 for all that it has",
}
