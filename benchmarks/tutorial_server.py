"""
The baseline: the chat server of tutorials, with a thread for each client and a `sendall` for each member and message.

It asks each client for a nickname, announces joins and leaves, and relays each client's input to all others. Two things
differ from the tutorials, because the measurement needs them: messages are lines, so that they can be counted, and one
lock keeps two threads from mixing their lines.

Run it with `python -m benchmarks.tutorial_server`; it prints its address, and SIGTERM ends it.
"""

from __future__ import annotations

import contextlib
import socket
import threading

_BACKLOG = 1024


class TutorialServer:
    """Clients and their nicknames, and the accept loop."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.address: tuple[str, int] = self._listener.getsockname()
        # Guards the clients and, at a cost that tutorials accept, all sending.
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, str] = {}

    def serve_forever(self) -> None:
        """Accept until `close` is called."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Stop accepting and disconnect everybody."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):  # it left by itself
                    client.shutdown(socket.SHUT_RDWR)

    def _handle(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as lines:
            try:
                client.sendall(b"NICK")
                nickname = lines.readline().decode().strip()
                if not nickname:
                    return
                with self._lock:
                    self._clients[client] = nickname
                client.sendall(b"Connected to the server!\n")
                self._broadcast(f"{nickname} joined!\n", client)
                for line in lines:
                    self._broadcast(f"{nickname}: {line.decode()}", client)
            except OSError:
                pass  # it vanished; what follows is the same
            with self._lock:
                known = self._clients.pop(client, None)
            if known:
                self._broadcast(f"{known} left!\n", client)

    def _broadcast(self, text: str, sender: socket.socket) -> None:
        message = text.encode()
        with self._lock:
            for client in self._clients:
                if client is not sender:
                    try:
                        client.sendall(message)
                    except OSError:
                        continue  # its own thread removes it


def main() -> None:
    """Serve until the process is ended."""
    server = TutorialServer()
    print(f"nc 127.0.0.1 {server.address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
