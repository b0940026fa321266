"""A room is a channel: IRC clients beside text and JSON, and what each of them sees of the others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from chat_clients import DEADLINE, Clients
from irc_peer import Heard, IrcPeer, irc, take_apart

from pychat import ChatServer
from pychat.protocols.detect import HINT_BYTES
from pychat.transport.link import Link
from pychat.transport.send_queue import SendQueues

MakeServer = Callable[..., ChatServer]

CAPS = "server-time message-tags batch labeled-response echo-message away-notify setname"


def said(lines: list[Heard]) -> list[tuple[str, str]]:
    """Who said what."""
    return [(line.nickname, line.params[-1]) for line in lines if line.command in ("PRIVMSG", "NOTICE")]


def test_all_languages_talk_in_one_room(server: MakeServer, clients: Clients) -> None:
    """Messages and actions go in every direction."""
    running = server()
    ann = irc(clients, running, "ann", "#lobby")
    bob, cem = clients.text(running, "bob"), clients.json(running, "cem")
    bob_joins, cem_joins = ann.next("JOIN"), ann.next("JOIN")
    assert (bob_joins.nickname, cem_joins.nickname) == ("bob", "cem")
    bob.read_until("cem joined")

    ann.say("PRIVMSG #lobby :hello", "PRIVMSG #lobby :\x01ACTION waves\x01", "PRIVMSG #lobby :\x02bold\x02 \x0304red")

    assert [bob.read_line() for _ in range(3)] == ["ann: hello", "* ann waves", "ann: bold red"]
    first, second, third = (cem.next("message") for _ in range(3))
    assert (first["text"], second["text"], second["action"], third["text"]) == ("hello", "waves", True, "bold red")
    bob.send("hi ann\n/me bows\n")
    lines = [ann.next("PRIVMSG") for _ in range(2)]
    cem.ask("say", text="two\nlines")
    lines += [ann.next("PRIVMSG") for _ in range(2)]
    assert said(lines) == [("bob", "hi ann"), ("bob", "\x01ACTION bows\x01"), ("cem", "two"), ("cem", "lines")]
    assert all(line.params[0] == "#lobby" for line in lines)


@pytest.mark.parametrize("first", ["JOIN :", "CAP LS 302", "@label=1 CAP LS 302", "PASS secret", "cap ls"])
@pytest.mark.parametrize("prompted", [False, True])
def test_irc_is_known_by_its_first_line(server: MakeServer, clients: Clients, first: str, prompted: bool) -> None:
    """Also by the empty JOIN that irssi begins with, and from a client that the server had to ask for its nickname."""
    ann = clients.add(IrcPeer(server()))
    if prompted:
        assert ann.read_exactly(4) == b"NICK"

    ann.say(first, "NICK ann", "USER ann 0 * :Ann", "CAP END")

    assert ann.next("001").params[0] == "ann"


def test_the_prompt_is_a_line_of_its_own(server: MakeServer, clients: Clients) -> None:
    """A slow client was asked for its nickname: that is no command that it knows, and what follows is whole."""
    ann = clients.add(IrcPeer(server()))
    assert ann.read_exactly(4) == b"NICK"

    ann.say("NICK ann", "USER ann 0 * :Ann")

    asked = f"NICK{ann.read_exactly(len(HINT_BYTES)).decode()}".removesuffix("\r\n")
    assert take_apart(asked) == Heard({}, "", "NICKNAME", ("wanted:", "type", "one", "and", "press", "Enter"))
    assert ann.read().command == "001"


def test_no_source_shows_an_address(server: MakeServer, clients: Clients) -> None:
    """user@host is a cloak (SAFETY: addresses are never shown to members)."""
    running = server()
    ann = irc(clients, running, "ann", "#lobby")
    clients.text(running, "bob").send("hi\n")

    heard = [*ann.until("PRIVMSG"), *ann.ask("WHOIS bob", "WHO #lobby", "WHOIS ann", "USERHOST ann bob")]

    assert not [line for line in heard if "127.0.0.1" in repr(line)]
    assert re.fullmatch(r"bob![^@ ]+@[^@ ]+", next(line.source for line in heard if line.command == "PRIVMSG"))


def test_a_rename_is_one_line_for_everybody_who_shares_a_room(server: MakeServer, clients: Clients) -> None:
    """Once, however many rooms are shared, whatever the language of the one who is renamed."""
    running = server()
    ann = irc(clients, running, "ann", "#lobby", "#ops")
    bob = clients.text(running, "bob")
    bob.send("/join ops\n/nick robert\n/nick rob\n")
    bob.read_until("robert is now rob")

    lines = [line for line in ann.until("NICK", "rob") if line.command == "NICK"]

    assert [(line.nickname, line.params) for line in lines] == [("bob", ("robert",)), ("robert", ("rob",))]


def test_private_messages_cross_languages(server: MakeServer, clients: Clients) -> None:
    """And who is away says so (301 RPL_AWAY)."""
    running = server()
    ann, bob = irc(clients, running, "ann"), clients.text(running, "bob")
    bob.send("/away lunch\n/msg ann psst\n")

    assert said([ann.next("PRIVMSG")]) == [("bob", "psst")]
    answers = ann.ask("PRIVMSG bob :what?")

    assert [line.params for line in answers if line.command == "301"] == [("ann", "bob", "lunch")]
    assert bob.read_until("what?")[-1] == "[ann -> bob] what?"


def test_who_is_in_a_room_does_not_join_it_again(server: MakeServer, clients: Clients) -> None:
    """A second JOIN is no error, and nothing happens."""
    ann = irc(clients, server(), "ann", "#lobby")

    assert ann.ask("JOIN #lobby", "JOIN #LOBBY") == []


def test_moderation_is_the_same_for_all(server: MakeServer, clients: Clients) -> None:
    """An IRC operator moderates text and JSON members, and a text operator moderates IRC."""
    running = server()
    ann = irc(clients, running, "ann", "#ops")
    bob, cem = clients.text(running, "bob"), clients.json(running, "cem", rooms=["ops"])
    bob.send("/join ops\n")
    bob.read_until("you are in ops")
    ann.ask("MODE #ops +m", "MODE #ops +v bob", "TOPIC #ops :order")
    bob.send("may I?\n")
    assert said([ann.next("PRIVMSG")]) == [("bob", "may I?")]
    assert cem.answer("say", room="ops", text="and I?")["code"] == "cannot_speak"

    ann.say("KICK #ops cem :shouting")
    assert cem.next("kicked")["reason"] == "shouting"
    assert bob.read_until("cem was")[-1] == "<-- cem was removed from ops by ann (shouting)"
    ann.ask("MODE #ops +b cem!*@*")
    assert cem.answer("join", room="ops")["code"] == "banned"
    ann.ask("MODE #ops +o bob", "MODE #ops -m")
    bob.send("/kick ann\n")
    kick = ann.next("KICK")
    assert (kick.nickname, kick.params[:2]) == ("bob", ("#ops", "ann"))
    assert [line.command for line in ann.ask("PRIVMSG #ops :hello?")] == ["404"]


def test_a_label_marks_all_that_its_command_causes(server: MakeServer, clients: Clients) -> None:
    """IRCv3 labeled-response: nothing, one line, several lines, an echo; what others say stays outside."""
    running = server()
    ann = irc(clients, running, "ann", caps=CAPS)
    bob = irc(clients, running, "bob", "#lobby")

    join = ann.ask("@label=a1 JOIN #lobby")
    batch = join[0]
    assert (batch.command, batch.tags["label"], batch.params[1]) == ("BATCH", "a1", "labeled-response")
    assert {line.tags["batch"] for line in join[1:-1]} == {batch.params[0][1:]}
    assert [line.command for line in join[1:-1]] == ["JOIN", "353", "366"]
    assert join[-1].params == ("-" + batch.params[0][1:],)

    (pong,) = [line for line in ann.ask("@label=a2 PING tok") if line.command == "PONG" and "tok" in line.params]
    assert pong.tags["label"] == "a2"
    (echo,) = ann.ask("@label=a3 PRIVMSG #lobby :hi")
    assert (echo.tags["label"], echo.params) == ("a3", ("#lobby", "hi"))
    assert "msgid" in echo.tags
    assert [(line.command, line.tags["label"]) for line in ann.ask("@label=a4 PONG x")] == [("ACK", "a4")]
    bob.ask("PRIVMSG #lobby :unrelated")
    assert "label" not in ann.next("PRIVMSG").tags
    (refusal,) = ann.ask("@label=a5 PRIVMSG #nowhere :hi")
    assert refusal.tags["label"] == "a5"


def test_capabilities_change_what_a_member_of_a_room_gets(server: MakeServer, clients: Clients) -> None:
    """CAP REQ in the middle: tags and echo begin right there and end again."""
    running = server()
    ann, bob = irc(clients, running, "ann", "#lobby"), irc(clients, running, "bob", "#lobby")

    ann.ask("PRIVMSG #lobby :no echo")
    ann.say("CAP REQ :echo-message message-tags server-time", "PRIVMSG #lobby :echo", "CAP REQ -echo-message")
    heard = ann.ask("PRIVMSG #lobby :none again")
    bob.say("PRIVMSG #lobby :hi")

    heard = [line for line in [*heard, ann.next("PRIVMSG")] if line.command == "PRIVMSG"]
    assert said(heard) == [("ann", "echo"), ("bob", "hi")]
    assert all(line.tags["msgid"] and line.tags["time"] for line in heard)
    assert said([bob.next("PRIVMSG") for _ in range(3)]) == [
        ("ann", "no echo"),
        ("ann", "echo"),
        ("ann", "none again"),
    ]


def test_what_a_command_causes_is_sent_before_its_answer(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the sender has its next reply, what the command caused is on its way to every recipient."""
    running = server()
    ann, bob = irc(clients, running, "ann", "#lobby"), irc(clients, running, "bob", "#lobby")
    ann.sync()
    sent: list[tuple[str | None, bytes]] = []
    send = SendQueues.send

    def noted(sender: SendQueues, link: Link, data: bytes) -> None:
        sent.append((None if link.session is None else link.session.nickname, data))
        send(sender, link, data)

    monkeypatch.setattr(SendQueues, "send", noted)
    for number in range(50):
        ann.say(f"PRIVMSG #lobby :{number}", f"PING done{number}")
        ann.next("PONG", f"done{number}")

        (caused,) = (at for at, (who, data) in enumerate(sent) if who == "bob" and b":%d\r\n" % number in data)
        (answered,) = (at for at, (who, data) in enumerate(sent) if who == "ann" and b"done%d\r\n" % number in data)
        assert caused < answered
        assert bob.next("PRIVMSG").params[-1] == f"{number}"


@pytest.mark.parametrize("registered", [True, False])
def test_a_nickname_is_free_before_its_owner_is_told_goodbye(
    server: MakeServer, clients: Clients, registered: bool
) -> None:
    """QUIT is answered by ERROR and a close, and by then another can have the nickname."""
    running = server()
    for _ in range(20):
        ann = irc(clients, running, "ann") if registered else irc(clients, running, "other")
        ann.say("QUIT :bye")
        assert ann.next("ERROR").params[0]
        assert ann.read_rest() == b""


def test_a_history_is_read_by_time_and_by_message(server: MakeServer, clients: Clients) -> None:
    """IRCv3 chathistory over what text clients said."""
    running = server()
    bob = clients.text(running, "bob")
    ann = irc(clients, running, "ann", "#lobby", caps=f"{CAPS} draft/chathistory")
    bob.send("".join(f"{number}\n" for number in range(10)))
    live = [ann.next("PRIVMSG") for _ in range(10)]

    def asked(command: str) -> list[str]:
        lines = ann.ask(f"CHATHISTORY {command}")
        assert (lines[0].command, lines[0].params[1:], lines[-1].command) == (
            "BATCH",
            ("chathistory", "#lobby"),
            "BATCH",
        )
        assert all(
            line in [old._replace(tags={**old.tags, "batch": line.tags["batch"]}) for old in live]
            for line in lines[1:-1]
        )
        return [line.params[-1] for line in lines[1:-1]]

    times = [line.tags["time"] for line in live]
    ids = [line.tags["msgid"] for line in live]
    assert len(set(times)) == len(set(ids)) == 10
    assert asked("LATEST #lobby * 3") == ["7", "8", "9"]
    assert asked(f"LATEST #lobby msgid={ids[7]} 5") == ["8", "9"]
    assert asked(f"BEFORE #lobby timestamp={times[3]} 2") == ["1", "2"]
    assert asked(f"AFTER #lobby timestamp={times[3]} 2") == ["4", "5"]
    assert asked(f"AFTER #lobby msgid={ids[3]} 2") == ["4", "5"]
    assert asked(f"BETWEEN #lobby msgid={ids[2]} timestamp={times[6]} 9") == ["3", "4", "5"]
    assert asked(f"BETWEEN #lobby msgid={ids[6]} msgid={ids[2]} 2") == ["4", "5"]
    assert asked(f"BETWEEN #lobby timestamp={times[6]} msgid={ids[2]} 2") == ["4", "5"]
    assert asked(f"BETWEEN #lobby msgid={ids[6]} timestamp={times[2]} 2") == ["4", "5"]
    assert asked(f"AROUND #lobby msgid={ids[5]} 3") == ["4", "5", "6"]
    refusal = ann.ask("CHATHISTORY LATEST #ops * 3")
    assert [line.command for line in refusal] == ["FAIL"]


def test_who_joins_sees_the_event_that_all_see(server: MakeServer, clients: Clients) -> None:
    """The same time and the same id for the one who joins, for the others, and in the history (msgid, server-time)."""
    running = server()
    caps = f"{CAPS} draft/chathistory draft/event-playback"
    ann = irc(clients, running, "ann", "#ops", caps=caps)
    bob = irc(clients, running, "bob", caps=caps)

    own = bob.ask("JOIN #ops")[0]
    _, old, _ = bob.ask("CHATHISTORY LATEST #ops * 1")

    assert own.tags.keys() == {"time", "msgid"}
    assert own == ann.next("JOIN", "#ops") == old._replace(tags={k: v for k, v in old.tags.items() if k != "batch"})


def test_the_server_says_goodbye_to_irc_clients(
    server: MakeServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that stops tells everybody, IRC clients with ERROR."""
    monkeypatch.setattr("pychat.server._STOP_SECONDS", DEADLINE)  # for the goodbye
    running = server()
    ann = irc(clients, running, "ann", "#lobby")

    running.stop()

    assert "shutting down" in ann.next("ERROR").params[0]
