"""
A chat inside another program: a quiz has a thread of its own and speaks in a room; the chat serves beside it.

Try it: run `python examples/game_server.py`, then `nc 127.0.0.1 55555`. After your nickname, type `!answer 42`, or
whatever is right. Ctrl-C ends the game, and with it the chat.
"""

from __future__ import annotations

import queue
import random
import sys
from contextlib import suppress

from pychat import ChatServer
from pychat.handlers import Context


class Quiz:
    """Knows the chat, but is no part of it: `play` runs on a thread of the program, `answer` on those of players."""

    def __init__(self, port: int) -> None:
        self.server = ChatServer(port=port, name="quiz", default_room="quiz")
        self.room = self.server.room("quiz")
        self._answers: queue.Queue[tuple[str, int]] = queue.Queue()
        self.server.command("answer")(self.answer)

    def answer(self, ctx: Context, number: int) -> None:
        """Answer the question."""
        self._answers.put((ctx.nickname, number))

    def play(self, seconds: float = 30.0) -> None:
        """Ask one question, and tell who was the first to know, or that nobody was."""
        one, other = random.randint(2, 12), random.randint(2, 12)
        self.room.announce(f"what is {one} x {other}?")
        try:
            while True:
                nickname, number = self._answers.get(timeout=seconds)
                if number == one * other:
                    self.room.announce(f"{number} is right, {nickname}!")
                    return
        except queue.Empty:
            self.room.announce(f"nobody knew: {one * other}")


def main(port: int = 55555) -> None:
    """Play until Ctrl-C."""
    quiz = Quiz(port)
    with quiz.server.start() as server, suppress(KeyboardInterrupt):
        print(f"nc 127.0.0.1 {server.port}", flush=True)
        while True:
            quiz.play()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
