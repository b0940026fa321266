"""
The reference: how much the kernel lets a Python process send, with almost no chat around it.

It has one thread. Each read from a member becomes one block (its nickname is added before each line by a single
`replace`), and each other member gets the block with one `sendall`. Nothing is parsed, checked, numbered or recorded, a
member that does not read blocks it, and joins and leaves are not announced: no chat server can do less, so its figures
are a ceiling, not a competitor.

Run it with `python -m benchmarks.blast_server`; it prints its address, and SIGTERM ends it.
"""

from __future__ import annotations

import select
import socket

_BACKLOG = 1024
_READ_BYTES = 262_144


class _Client:
    """A member, or a connection that is about to be one."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.prefix = b""
        self.tail = b""

    def block(self) -> bytes | None:
        """Read, and return the bytes for the others; None at the end of the stream."""
        data = self.socket.recv(_READ_BYTES)
        if not data:
            return None
        if self.tail:
            data = self.tail + data
        end = data.rfind(b"\n") + 1
        self.tail = data[end:]
        lines = data[:end]
        if not lines:
            return b""
        if not self.prefix:
            nickname, _, lines = lines.partition(b"\n")
            self.prefix = nickname + b": "
            self.socket.sendall(b"Connected to the server!\n")
            if not lines:
                return b""
        return self.prefix + lines[:-1].replace(b"\n", b"\n" + self.prefix) + b"\n"


def main() -> None:
    """Serve until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    print(f"nc 127.0.0.1 {listener.getsockname()[1]}", flush=True)
    clients: dict[int, _Client] = {}
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
    while True:
        for descriptor, _ in epoll.poll():
            if descriptor == listener.fileno():
                sock, _address = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                clients[sock.fileno()] = _Client(sock)
                epoll.register(sock, select.EPOLLIN)
                sock.sendall(b"NICK")
                continue
            _serve(descriptor, clients, epoll)


def _serve(descriptor: int, clients: dict[int, _Client], epoll: select.epoll) -> None:
    sender = clients[descriptor]
    try:
        block = sender.block()
    except OSError:
        block = None
    if block is None:
        epoll.unregister(descriptor)
        del clients[descriptor]
        sender.socket.close()
        return
    if block:
        for client in clients.values():
            if client is not sender and client.prefix:
                try:
                    client.socket.sendall(block)
                except OSError:
                    continue  # its own turn will find the end of its stream


if __name__ == "__main__":
    main()
