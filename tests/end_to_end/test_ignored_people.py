"""Who is ignored, over the network: what the writer sends to whom."""

from __future__ import annotations

from collections.abc import Callable

from chat_clients import Clients

from pychat import ChatServer

MakeServer = Callable[..., ChatServer]


def test_an_ignored_member_is_not_heard_by_one_and_by_all_others(server: MakeServer, clients: Clients) -> None:
    """In one order; what others say meanwhile is in its place."""
    started = server()
    ann, bob, carl = (clients.text(started, name) for name in ("ann", "bob", "carl"))
    ann.read_until("--> carl joined lobby")
    ann.send("/ignore bob\n")
    ann.read_until("-- you now ignore bob!*@*")

    bob.read_until("--> carl joined lobby")
    bob.send("one\ntwo\n/msg ann psst\n/me waves\n")
    assert carl.read_until("* bob waves")[-3:] == ["bob: one", "bob: two", "* bob waves"]
    carl.send("three\n")
    assert ann.read_line() == "carl: three"
    ann.send("/unignore bob\n")
    ann.read_until("-- you no longer ignore bob!*@*")
    bob.read_until("carl: three")
    bob.send("four\n")
    assert ann.read_line() == "bob: four"
