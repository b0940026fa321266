"""The address that a server listens on."""

from __future__ import annotations

import os
import socket
from typing import Final, NamedTuple

from pychat.model.arguments import given, whole_number, wrong
from pychat.transport.unix import SocketFile

_DEFAULT_ADDRESS: Final = "127.0.0.1", 55555


class Address(NamedTuple):
    """Host and port, or the file of a Unix socket."""

    family: socket.AddressFamily
    where: tuple[str, int] | str
    file: SocketFile | None = None


def check_address(address: object, host: object, port: object, unix: str | os.PathLike[str] | None) -> Address:
    """
    Return the address to listen on, from the arguments of `ChatServer`.

    Raises:
        TypeError: If it is not an address, or given twice.
        ValueError: If the port or the path is invalid.
    """
    if sum([address is not None, host is not None or port is not None, unix is not None]) > 1:
        raise TypeError("give server_address, or host and port, or unix: only one of them")
    if unix is not None:
        file = SocketFile(unix)
        return Address(socket.AF_UNIX, file.path, file)
    if address is not None:
        if not isinstance(address, tuple | list) or len(address) != 2:
            hint = f"port={address}" if isinstance(address, int) else "host=..., port=..."
            raise wrong("server_address", address, f"a host and a port, such as ('127.0.0.1', 55555), or give {hint}")
        host, port = address
    default_host, default_port = _DEFAULT_ADDRESS
    name = default_host if host is None else given("host", host, str, "a string, such as '127.0.0.1'")
    number = default_port if port is None else whole_number("port", port, 0, 65535)
    return Address(socket.AF_INET6 if ":" in name else socket.AF_INET, (name, number))
