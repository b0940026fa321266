"""Tokens of lost sessions, and those who want them at the same moment."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial

import pytest
from chat_clients import Clients, JsonPeer, wait_until

from pychat import ChatServer, Handler, Session

MakeServer = Callable[..., ChatServer]

TOGETHER = 6


def has_members(server: ChatServer, nicknames: set[str]) -> bool:
    """Whether these are in the lobby, and nobody else."""
    return {member.nickname for member in server.room("lobby").members} == nicknames


@pytest.mark.parametrize("lost", [True, False])
def test_a_token_has_one_winner(server: MakeServer, clients: Clients, lost: bool) -> None:
    """
    Of six who come with the same token at once, one is who it was in the end, whether that one is still there or not.

    The token is good until its winner has said something, so another one may have been who it was before.
    """
    running = server()
    for number in range(10):
        owner = clients.new_json(running)
        owner.ask("hello", nick="ann")
        token = owner.next("welcome")["token"]
        if lost:
            owner.reset()
        peers = [clients.new_json(running) for _ in range(TOGETHER)]
        start = threading.Barrier(TOGETHER)

        def come(peer: JsonPeer, nick: str, token: str = token, start: threading.Barrier = start) -> None:
            start.wait()
            peer.ask("hello", nick=nick, resume={"token": token})

        threads = [
            threading.Thread(target=come, args=(peer, f"other-{number}-{which}")) for which, peer in enumerate(peers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        answers = [peer.read() for peer in peers]

        names = [answer["nick"] for answer in answers if answer["type"] == "welcome"]
        assert "ann" in names
        assert {answer.get("code") for answer in answers} <= {None, "nickname_in_use"}
        wait_until(partial(has_members, running, set(names)), "all of them are there, and nobody else")
        for peer in peers:
            with contextlib.suppress(OSError):  # of those who are put out already
                peer.ask("quit")
        # Whoever is out of the lobby may still have the nickname for a moment.
        wait_until(lambda: not running.chat.sessions(), "nobody is left over")


class Hesitates(Handler):
    """Holds up the second one who comes, until a third one has a nickname or has put it out."""

    def __init__(self) -> None:
        self.names = 0
        self.coming = threading.Event()

    def on_nick(self, session: Session, old: str | None, new: str) -> None:
        """The session has its nickname, and not yet its welcome."""
        self.names += 1
        if self.names == 2:
            self.coming.set()
            wait_until(lambda: self.names == 3 or session.disconnect_reason is not None, "a third one comes")


def test_the_token_of_one_who_is_coming_back_is_that_ones(server: MakeServer, clients: Clients) -> None:
    """Whoever brings the token meanwhile takes its place: nobody comes under a new name for which it is good, too."""
    hesitates = Hesitates()
    running = server(handlers=[hesitates])
    owner = clients.new_json(running)
    owner.ask("hello", nick="ann")
    token = owner.next("welcome")["token"]
    owner.reset()
    first, second = clients.new_json(running), clients.new_json(running)
    first.ask("hello", nick="first", resume={"token": token})
    wait_until(hesitates.coming.is_set, "the first one has its nickname")

    second.ask("hello", nick="second", resume={"token": token})

    assert second.next("welcome")["nick"] == "ann"


def test_a_welcome_that_was_lost_costs_nothing(server: MakeServer, clients: Clients) -> None:
    """The same hello again gives nickname and role back at once, whether the server knows of the loss or not."""
    running = server()
    owner = clients.new_json(running)
    owner.ask("hello", nick="ann", rooms=["ops"])
    token = owner.next("welcome")["token"]
    owner.reset()
    for _ in range(3):
        deaf = clients.new_json(running)
        deaf.ask("hello", nick="ann", resume={"token": token})
        deaf.next("welcome")  # which the client does not get, let us say

    again = clients.new_json(running)
    again.ask("hello", nick="ann", resume={"token": token})

    assert again.next("welcome")["nick"] == "ann"
    assert again.next("members")["members"][0] == {"nick": "ann", "roles": "o"}
