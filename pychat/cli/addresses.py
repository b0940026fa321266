"""Addresses to listen on: how to reach a server there, and why an address cannot be used."""

from __future__ import annotations

import contextlib
import errno
import re
import shlex
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

from pychat.cli.invocation import called_as
from pychat.model.errors import ChatError, no_directory

EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # this module is about what they mean
"""Hosts that stand for all addresses of this machine."""
_SOMEWHERE: Final = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
"""Addresses that nobody has (RFC 5737, RFC 3849), reached by the same route as all remote ones."""
_MOST_ADDRESSES: Final = 4


class BadAddress(ChatError):
    """A text is not the address of a server; `str(error)` says what is valid."""


class Target(NamedTuple):
    """An address as typed, with a nickname."""

    nick: str | None
    host: str
    port: int | None
    """None if it is not in the address."""
    is_unix: bool = False
    """True if `host` is the path of a Unix socket."""


_TARGET: Final = re.compile(r"(?:\[(?P<six>[^]]*)\]|(?P<host>[^:]*))(?::(?P<port>[0-9]{1,5}))?")
_SIX: Final = re.compile(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%.+)?")
"""An IPv6 address without a port."""


def parse_target(text: str) -> Target:
    """
    Parse `[NICK@]HOST[:PORT]` or `[NICK@]unix:PATH`; an IPv6 address is in brackets if a port follows.

    Raises:
        BadAddress: If it is neither.
    """
    nick, at, where = text.rpartition("@") if not text.startswith("unix:") else ("", "", text)
    if at and not nick:
        raise BadAddress(f"there is no nickname in {text!r}; write it as NICK@HOST")
    if where.startswith("unix:"):
        path = where.removeprefix("unix:")
        if path:
            return Target(nick or None, path, None, True)
    elif _SIX.fullmatch(where):
        return Target(nick or None, where, None)
    elif (match := _TARGET.fullmatch(where)) and (host := match["six"] or match["host"]) and "/" not in host:
        if match["port"] is None or 0 < int(match["port"]) < 2**16:
            return Target(nick or None, host, None if match["port"] is None else int(match["port"]))
        raise BadAddress(f"there is no port {match['port']}; ports are 1 to 65535")
    raise BadAddress(f"{text!r} is not the address of a server; write HOST, HOST:PORT, NICK@HOST:PORT or unix:PATH")


def check_host(text: str) -> None:
    """
    Check that a text may be a host without a port.

    Raises:
        BadAddress: If there is a port in it, or if it is empty, as an unset shell variable is.
    """
    if not text:
        raise BadAddress("it is empty; give an address, or leave out --host")
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and (":" not in host or host.endswith("]")):
        raise BadAddress(f"{text!r} has a port in it; write: --host {host.strip('[]')} --port {port}")


class Access(NamedTuple):
    """The requirements of a server for clients, and its identity."""

    has_password: bool = False
    fingerprint: str | None = None
    """The SHA-256 of its certificate; None if it does not speak TLS."""
    tls_required: bool = False
    proxied: bool = False
    """True if only proxies, which name their clients, connect from this machine."""


def how_to_join(name: str, host: str, port: int | None, room: str, access: Access) -> list[str]:
    """
    Return lines that explain how to join a server.

    Args:
        name: The server's name.
        host: The address on which it listens.
        port: None if `host` is the path of a Unix socket.
        room: The default room.
    """
    where = f"{name} listens on {address(host, port)}"
    if access.proxied:
        by = "There" if port is None else "From this machine"
        lines = [f"{where}. {by} it accepts only proxies: join through yours."]
    else:
        lines = [f"{where}. Join it from another terminal:", *commands(near(host), port, access)]
    if host in EVERYWHERE:
        first, *others = own_addresses(host) or [socket.gethostname()]
        also = f" (this one is also {', '.join(others)})" if others else ""
        lines += [f"{'Join it' if access.proxied else 'or'} from another machine{also}:"]
        lines += commands(first, port, access, program="pychat")
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
        lines.append(f"The server requires a password: {asks} and pychat connect ask for it.")
    return lines


def address(host: str, port: int | None) -> str:
    """Return a listening address in words."""
    return f"the Unix socket {host}" if port is None else f"{host or '0.0.0.0'} port {port}"


def near(host: str) -> str:
    """Return the address by which this machine itself reaches a server that listens there."""
    return "::1" if host == "::" else "127.0.0.1" if host in EVERYWHERE else host


def own_addresses(host: str) -> list[str]:
    """
    Return the network addresses of this machine, first the one that it uses for outgoing connections.

    Args:
        host: One of `EVERYWHERE`; `0.0.0.0` excludes IPv6.
    """
    found: dict[object, None] = {}
    for family, somewhere in _SOMEWHERE.items() if host == "::" else [(socket.AF_INET, _SOMEWHERE[socket.AF_INET])]:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((somewhere, 9))  # sends nothing, but selects the source address
            found[probe.getsockname()[0]] = None
        with contextlib.suppress(OSError, UnicodeError):
            for *_, known in socket.getaddrinfo(socket.gethostname(), None, family):
                found[known[0]] = None
    usable = [str(one) for one in found if not _is_near(str(one))]
    return sorted(usable, key=lambda one: ":" in one)[:_MOST_ADDRESSES]


def _is_near(text: str) -> bool:
    """Return whether an address is valid only on this machine or on its own link."""
    address = ip_address(text)
    return address.is_loopback or address.is_link_local


def commands(host: str, port: int | None, access: Access, program: str | None = None) -> list[str]:
    """
    Return the commands that join a server at an address.

    Args:
        program: The name of this program there; None for the name used here.
    """
    pychat = called_as() if program is None else program
    path = shlex.quote(host)
    # irssi recognises a Unix socket by its leading slash.
    irssi = shlex.quote(str(Path(host).absolute())) if port is None else f"{host} -p {port}"
    plain = [
        f"    nc -U {path}" if port is None else f"    nc {host} {port}",
        f"    {pychat} connect --nick NAME{place(host, port)}",
        f"    irssi -c {irssi}" + (" -w PASSWORD" if access.has_password else ""),
    ]
    if access.fingerprint is None:
        return plain
    where = f"-unix {path}" if port is None else f"-connect {f'[{host}]' if ':' in host else host}:{port}"
    over_tls = [
        f"    {pychat} connect --nick NAME{place(host, port)} --tls-fingerprint {access.fingerprint}",
        f"    openssl s_client -quiet {where}",
    ]
    return over_tls if access.tls_required else [*plain, "or, encrypted with TLS:", *over_tls]


def place(host: str, port: int | None) -> str:
    """Return the options that select an address, without those that equal the default."""
    if port is None:
        return f" --unix {shlex.quote(host)}"
    return ("" if host == "127.0.0.1" else f" --host {host}") + ("" if port == 55555 else f" --port {port}")


def why_not_bound(host: str, port: int | None, error: OSError | ValueError) -> str:
    """Return why a server cannot listen on an address, and what to do."""
    if port is None:
        number = getattr(error, "errno", None)  # missing, like the system's text, if the path is too long
        advice = _ADVICE_UNIX.get(number or 0) or getattr(error, "strerror", None) or str(error)
        advice = no_directory(Path(host).parent) if number == errno.ENOENT else advice
        return f"cannot listen on {address(host, port)}: {advice}"
    if isinstance(error, socket.gaierror | ValueError):
        return f"no address is known for host {host!r}; use one of this machine, 127.0.0.1 or 0.0.0.0"
    advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
    if error.errno == errno.EADDRINUSE and port in _OUTGOING:
        advice = advice.replace(";", ", or by an outgoing connection, which gets a port from 32768 to 60999;", 1)
    return f"cannot listen on {address(host, port)}: {advice}"


_OUTGOING: Final = range(32768, 61000)
"""The ports that Linux uses for outgoing connections."""
_ADVICE: Final = {
    errno.EADDRINUSE: "it is in use, perhaps by another pychat; choose another with --port, or 0 for any free one",
    errno.EACCES: "only the administrator may use ports below 1024; choose another with --port",
    errno.EADDRNOTAVAIL: "this machine does not have that address; use 127.0.0.1, or 0.0.0.0 for all of its addresses",
}
_ADVICE_UNIX: Final = {
    errno.EADDRINUSE: "another server listens there; stop that one, or choose another path",
    errno.EEXIST: "a file that is not a socket is there; choose another path",
    errno.EACCES: "this user may not create a file there; change the permissions of the directory",
}
