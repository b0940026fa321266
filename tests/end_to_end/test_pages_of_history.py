"""A page of history has as many events as were asked for, of those that the reader's language shows."""

from __future__ import annotations

from collections.abc import Callable

from chat_clients import Clients, JsonPeer, full_chain, make_accounts
from irc_peer import Heard, IrcPeer, irc

from pychat import ChatServer, Limits

MakeServer = Callable[..., ChatServer]

PLAYBACK = "draft/chathistory draft/event-playback batch message-tags server-time"
HIDDEN = 3


def noisy(running: ChatServer, clients: Clients) -> JsonPeer:
    """Say two things in the lobby, and between and behind them much that IRC does not show of the past."""
    mia = clients.json(running, "mia")
    mia.answer("register", password="correct horse")
    for text in ("one", "two"):
        mia.answer("say", text=text)
        for _ in range(HIDDEN):
            mia.answer("away", text="tea")
            mia.answer("away")
            mia.answer("logout")
            mia.answer("login", password="correct horse")
        mia.answer("invite", nick="leo")
    return mia


def page(peer: IrcPeer, *words: str) -> list[Heard]:
    """Return the lines of a page, without those of its batch."""
    peer.say(" ".join(("CHATHISTORY", *words)))
    assert peer.next("BATCH").params[0] == "+history"
    return peer.until("BATCH", "-history")[:-1]


def test_irc_counts_what_it_shows(server: MakeServer, clients: Clients) -> None:
    """An empty batch is the end of the history for a client (IRCv3 chathistory, "Returned message content")."""
    running = server(handlers=full_chain(), accounts=make_accounts())
    leo = irc(clients, running, "leo", caps=PLAYBACK)
    noisy(running, clients)
    leo.ask("JOIN #lobby")

    pages = [page(leo, "LATEST", "#lobby", "*", "2")]
    while pages[-1]:
        pages.append(page(leo, "BEFORE", "#lobby", f"msgid={pages[-1][0].tags['msgid']}", "2"))

    shown = [(line.command, line.params[-1]) for part in reversed(pages) for line in part]
    assert [(command, text) for command, text in shown if command == "PRIVMSG"] == [
        ("PRIVMSG", "one"),
        ("PRIVMSG", "two"),
    ]
    assert [len(part) for part in pages[:-2]] == [2] * (len(pages) - 2)


def test_text_counts_what_it_shows(server: MakeServer, clients: Clients) -> None:
    """Who logs in and out is shown to nobody who reads text."""
    running = server(handlers=full_chain(), accounts=make_accounts())
    mia = clients.json(running, "mia")
    mia.answer("register", password="correct horse")
    mia.answer("say", text="one")
    for _ in range(HIDDEN):
        mia.answer("logout")
        mia.answer("login", password="correct horse")
    bob = clients.text(running, "bob")

    bob.send("/history 2\n")

    bob.read_until("-- last 2 events of lobby")
    assert [bob.read_line().partition("] ")[2] for _ in range(2)] == ["mia: one", "--> bob joined lobby"]


def test_json_leaves_out_what_a_client_does_not_show(server: MakeServer, clients: Clients) -> None:
    """By the types of events."""
    running = server(handlers=full_chain(), accounts=make_accounts())
    mia = noisy(running, clients)

    answer = mia.answer("history", limit=2, without=["away", "account"])

    assert [event.get("text") for event in answer["events"]] == ["one", "two"]
    assert answer["more"]
    assert mia.answer("history", limit=2)["events"][-1]["type"] == "account"


def test_json_knows_the_types_that_can_be_left_out(server: MakeServer, clients: Clients) -> None:
    """A slip is refused, with the types that there are."""
    mia = clients.json(server(), "mia")

    assert mia.answer("history", without=["aways"])["text"] == (
        "'without' must be an array of types of events: message, joined, left, kicked, disconnected, renamed, away, "
        "account, profile_changed, topic, modes, invited, notice"
    )


def test_irc_without_chathistory_gets_a_replay(server: MakeServer, clients: Clients) -> None:
    """As text does; those who can ask get nothing unasked, and hear nothing twice."""
    running = server(handlers=full_chain())
    clients.json(running, "mia").answer("say", text="tea is ready")

    heard = {
        caps: irc(clients, running, f"dan{number}", caps=caps).ask("JOIN #lobby")[-1]
        for number, caps in enumerate(("", "server-time", "server-time draft/chathistory"))
    }

    assert [(line.command, line.nickname) for line in heard.values()] == [
        ("NOTICE", "mia"),
        ("PRIVMSG", "mia"),
        ("366", "irc.pychat"),
    ]
    assert heard[""].params[-1].endswith("] tea is ready")
    assert heard["server-time"].params[-1] == "tea is ready"


def test_no_replay_for_bots_of_irc(server: MakeServer, clients: Clients) -> None:
    """They would answer again what was said long ago (IRCv3 bot-mode)."""
    running = server(handlers=full_chain())
    clients.json(running, "mia").answer("say", text="!tea")
    dan = irc(clients, running, "dan", caps="server-time")

    assert dan.ask("MODE dan +B", "JOIN #lobby")[-1].command == "366"


def test_no_replay_for_irc_if_the_server_is_told_so(server: MakeServer, clients: Clients) -> None:
    """Text still has one."""
    running = server(handlers=full_chain(), limits=Limits(irc_replay_messages=0))
    clients.json(running, "mia").answer("say", text="tea is ready")

    assert irc(clients, running, "dan").ask("JOIN #lobby")[-1].command == "366"
    bob = clients.raw(running)
    bob.send("bob\n")
    bob.read_until("tea is ready")
