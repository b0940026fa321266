"""
The client that chat tutorials teach, as `nc` of beginners: run it with a nickname and a port.

It is deliberately naive, and must stay so. It compares what one `recv` returned with exactly `NICK`, answers with its
bare nickname, sends `nickname: text` without a newline, decodes ASCII, and prints each chunk. One thread receives,
the other sends what it reads from standard input.
"""

import socket
import sys
import threading

nickname, port = sys.argv[1], int(sys.argv[2])
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", port))


def receive() -> None:
    while True:
        try:
            message = client.recv(1024).decode("ascii")
            if message == "NICK":
                client.send(nickname.encode("ascii"))
            elif not message:
                print("the server has closed the connection", flush=True)
                break
            else:
                print(message, flush=True)
        except (OSError, UnicodeDecodeError):
            print("an error occurred", flush=True)
            break
    client.close()


def write() -> None:
    for line in sys.stdin:
        text = line.rstrip("\n")
        client.send(f"{nickname}: {text}".encode("ascii"))


threading.Thread(target=receive, daemon=True).start()
write()
client.close()
