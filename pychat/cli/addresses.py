"""Addresses to listen on: how people reach a server there, and why one cannot be had."""

from __future__ import annotations

import errno
import shlex
import socket
from pathlib import Path
from typing import Final, NamedTuple

EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # what they mean is why they are here
"""Hosts that stand for all addresses of this machine."""


class Access(NamedTuple):
    """What a server wants of those who come in, and what they can rely on."""

    has_password: bool = False
    fingerprint: str | None = None
    """The SHA-256 of its certificate; None: it speaks no TLS."""
    tls_required: bool = False
    proxied: bool = False
    """Whether from this machine only proxies connect, that say whom they bring."""


def how_to_join(name: str, host: str, port: int | None, room: str, access: Access) -> list[str]:
    """
    The lines that tell people how to join a server.

    Args:
        name: What it calls itself.
        host: Where it listens.
        port: None: `host` is the path of a Unix socket.
        room: Where everybody comes in.
    """
    where = f"{name} listens on {address(host, port)}"
    if access.proxied:
        by = "There" if port is None else "From this machine"
        lines = [f"{where}. {by} it takes proxies only: join it through yours."]
    else:
        lines = [f"{where}. Join it from another terminal:", *commands(near(host), port, access)]
    if host in EVERYWHERE:
        lines += ["Join it from another machine:" if access.proxied else "or from another machine:"]
        lines += [*commands(socket.gethostname(), port, access)]
    if access.proxied:
        lines.append(f"In an IRC client, then type: /join #{room}")
    elif access.tls_required:
        if port is not None:
            password = " PASSWORD" if access.has_password else ""
            lines.append(f"In irssi, type: /connect -tls {near(host)} {port}{password}, then: /join #{room}")
    else:
        lines.append(f"In irssi, or any other IRC client without TLS, then type: /join #{room}")
    if access.has_password:
        asks = "openssl" if access.tls_required else "nc"
        lines.append(f"It wants its password: {asks} and pychat connect ask for it.")
    return lines


def address(host: str, port: int | None) -> str:
    """How people call an address at which a server listens."""
    return f"the Unix socket {host}" if port is None else f"{host or '0.0.0.0'} port {port}"


def near(host: str) -> str:
    """The address by which this machine itself reaches a server that listens there."""
    return "::1" if host == "::" else "127.0.0.1" if host in EVERYWHERE else host


def commands(host: str, port: int | None, access: Access) -> list[str]:
    """What to type, at an address that can be reached."""
    path = shlex.quote(host)
    # irssi knows a Unix socket by its first slash.
    irssi = shlex.quote(str(Path(host).absolute())) if port is None else f"{host} -p {port}"
    plain = [
        f"    nc -U {path}" if port is None else f"    nc {host} {port}",
        f"    pychat connect --nick NAME{place(host, port)}",
        f"    irssi -c {irssi}" + (" -w PASSWORD" if access.has_password else ""),
    ]
    if access.fingerprint is None:
        return plain
    where = f"-unix {path}" if port is None else f"-connect {f'[{host}]' if ':' in host else host}:{port}"
    over_tls = [
        f"    pychat connect --nick NAME{place(host, port)} --tls-fingerprint {access.fingerprint}",
        f"    openssl s_client -quiet {where}",
    ]
    return over_tls if access.tls_required else [*plain, "or, so that nobody on the way can listen:", *over_tls]


def place(host: str, port: int | None) -> str:
    """The options that name an address behind a command, as far as they are needed."""
    if port is None:
        return f" --unix {shlex.quote(host)}"
    return ("" if host == "127.0.0.1" else f" --host {host}") + ("" if port == 55555 else f" --port {port}")


def why_not_bound(host: str, port: int | None, error: OSError | UnicodeError) -> str:
    """What is wrong with an address on which a server cannot listen, and what to do."""
    if port is None:
        number = getattr(error, "errno", None)  # there is none, nor a text of the system, if the path is too long
        advice = _ADVICE_UNIX.get(number or 0) or getattr(error, "strerror", None) or str(error)
        return f"cannot listen on {address(host, port)}: {advice}"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"no address is known for host {host!r}; use one of this machine, 127.0.0.1 or 0.0.0.0"
    advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
    return f"cannot listen on {address(host, port)}: {advice}"


_ADVICE: Final = {
    errno.EADDRINUSE: "it is in use, perhaps by another pychat; choose another with --port, or 0 for any free one",
    errno.EACCES: "only the administrator may use ports below 1024; choose another with --port",
    errno.EADDRNOTAVAIL: "this machine does not have that address; use 127.0.0.1, or 0.0.0.0 for all that it has",
}
_ADVICE_UNIX: Final = {
    errno.EADDRINUSE: "another server listens there; stop that one, or choose another path",
    errno.EEXIST: "there is a file that is no socket; it stays as it is, choose another path",
    errno.ENOENT: "there is no such directory; make it first",
    errno.EACCES: "this user may not make a file there; change the permissions of the directory",
}
