"""Addresses to listen on: how people reach a server there, and why one cannot be had."""

from __future__ import annotations

import errno
import socket
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


def how_to_join(name: str, host: str, port: int, room: str, access: Access) -> list[str]:
    """
    The lines that tell people how to join a server.

    Args:
        name: What it calls itself.
        host: Where it listens.
        room: Where everybody comes in.
    """
    where = f"{name} listens on {host or '0.0.0.0'} port {port}"
    if access.proxied:
        lines = [f"{where}. From this machine it takes proxies only: join it through yours."]
    else:
        lines = [f"{where}. Join it from another terminal:", *commands(near(host), port, access)]
    if host in EVERYWHERE:
        lines += ["Join it from another machine:" if access.proxied else "or from another machine:"]
        lines += [*commands(socket.gethostname(), port, access)]
    if access.proxied:
        lines.append(f"In an IRC client, then type: /join #{room}")
    elif access.tls_required:
        password = " PASSWORD" if access.has_password else ""
        lines.append(f"In irssi, type: /connect -tls {near(host)} {port}{password}, then: /join #{room}")
    else:
        lines.append(f"In irssi, or any other IRC client without TLS, then type: /join #{room}")
    if access.has_password:
        asks = "openssl" if access.tls_required else "nc"
        lines.append(f"It wants its password: {asks} and pychat connect ask for it.")
    return lines


def near(host: str) -> str:
    """The address by which this machine itself reaches a server that listens there."""
    return "::1" if host == "::" else "127.0.0.1" if host in EVERYWHERE else host


def commands(host: str, port: int, access: Access) -> list[str]:
    """What to type, at an address that can be reached."""
    plain = [
        f"    nc {host} {port}",
        f"    pychat connect --nick NAME{place(host, port)}",
        f"    irssi -c {host} -p {port}" + (" -w PASSWORD" if access.has_password else ""),
    ]
    if access.fingerprint is None:
        return plain
    over_tls = [
        f"    pychat connect --nick NAME{place(host, port)} --tls-fingerprint {access.fingerprint}",
        f"    openssl s_client -quiet -connect {f'[{host}]' if ':' in host else host}:{port}",
    ]
    return over_tls if access.tls_required else [*plain, "or, so that nobody on the way can listen:", *over_tls]


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
