"""
The attacks, each named after its threat: a generator that runs for ever, or is restarted when it ends.

To add one, write a function with `@attack("its-name", "what it is")`. It gets an `Attacker`, and yields seconds to
wait, or waits for output of the server (`Peer.until`, `Peer.ask`). An action that the server must never allow is
counted with `eve.won("...")`, and breaks its promises.
"""

from __future__ import annotations

import base64
import json
import ssl
from contextlib import suppress
from functools import cache, partial
from typing import Final

from benchmarks.attack_table import ATTACKS, OPERATOR, attack
from benchmarks.attacker_peer import Attacker, Peer, Steps

__all__ = ["ATTACKS", "MIX", "OPERATOR"]

_PASTE_SECONDS: Final = 0.05
_HOLD_SECONDS: Final = 30.0


@attack("calm", "nothing: what the figures are without an attack", alone=True)
def _calm(eve: Attacker) -> Steps:
    yield 3600.0


# Floods of cheap requests


def _flood(line: bytes, reads: bool, eve: Attacker) -> Steps:
    """Send one line of IRC again and again, with or without reading the answers."""
    peer = yield from eve.irc()
    peer.read_from_now_on(reads)
    while peer.alive:
        peer.send(line * (8192 // len(line)))
        yield _PASTE_SECONDS


for _name, _line in {"nickserv": "NICKSERV", "info": "INFO", "cap": "CAP LS 302", "ping": "PING x"}.items():
    for _suffix, _reads in (("", True), ("-unread", False)):
        _text = f"{_line} without end, by a client that {'reads' if _reads else 'does not read'}"
        attack(f"{_name}{_suffix}", _text)(partial(_flood, f"{_line}\r\n".encode(), _reads))


@attack("cheap-answers", "all other questions that look cheap, in each language")
def _cheap_answers(eve: Attacker) -> Steps:
    names = "HELP", "MOTD", "VERSION", "LUSERS", "LINKS", "TIME", "NAMES", "ISON a b c", "USERHOST a b c", "SILENCE"
    lines = {
        "irc": "".join(f"{name}\r\n" for name in (*names, "AUTHENTICATE x", "MONITOR L", "CAP LIST", "INVITE")),
        "json": '{"type":"help"}\n{"type":"motd"}\n{"type":"nothing"}\n{"type":"ping"}\n[]\n',
        "text": "/help\n/nothing\n/motd\n/away x y\n/help join\n",
    }
    peer: Peer = yield from eve.chance.choice((eve.irc, eve.json, eve.text))()
    language = eve.chance.choice(["irc", "json", "text"])  # the wrong language is an attack, too
    while peer.alive:
        peer.send(lines[language] * 20)
        yield _PASTE_SECONDS


@attack("paste", "megabytes of short lines, said in a room of members of every language")
def _paste(eve: Attacker) -> Steps:
    room = eve.room()
    peer = yield from eve.text(room)
    while peer.alive:
        peer.send(b"a\n" * 32_768)
        yield _PASTE_SECONDS


@attack("paste-long", "megabytes of the longest lines, said in a room")
def _paste_long(eve: Attacker) -> Steps:
    peer = yield from eve.json()
    line = json.dumps({"type": "say", "text": "\u20ac" * 1300}) + "\n"
    while peer.alive:
        peer.send(line * 4)
        yield _PASTE_SECONDS


@attack("presence", "away texts, nicknames, real names and topics, told to all rooms, at the rate that is allowed")
def _presence(eve: Attacker) -> Steps:
    peer = yield from eve.irc("setname", room=eve.room())
    peer.send(f"JOIN #{',#'.join(eve.task.rooms)}\r\n")
    number = 0
    while peer.alive:
        number += 1
        text = f"{number} ".ljust(380, "x")
        peer.send(f"AWAY :{text}\r\nNICK {eve.name()}\r\nSETNAME :{text[:120]}\r\nTOPIC #{eve.room()} :{text}\r\n")
        yield 1.5


@attack("direct", "direct messages, all of them to one honest member")
def _direct(eve: Attacker) -> Steps:
    peer = yield from eve.json()
    victim = eve.task.victims[0]
    while peer.alive:
        peer.say(type="direct", to=victim, text="x" * 4000)
        peer.say(type="invite", nick=victim)
        yield 0.7


@attack("tags", "TAGMSG and client-only tags, as large as they may be")
def _tags(eve: Attacker) -> Steps:
    room = eve.room()
    peer = yield from eve.irc("message-tags", "echo-message", room=room)
    tags = f"@+a={'x' * 4000}"
    while peer.alive:
        peer.send(f"{tags} TAGMSG #{room}\r\n{tags} PRIVMSG #{room} :x\r\n" * 2)
        yield 0.5


# Before registration


@attack("strangers-lines", "the shortest lines there are, before login, in each language")
def _strangers_lines(eve: Attacker) -> Steps:
    peer = eve.connect()
    peer.send(eve.chance.choice([b"{}\n" * 20_000, b"CAP LS\r\n" + b"x\n" * 30_000, b"/x\n" * 20_000, b"\n" * 60_000]))
    yield 1.0
    while peer.alive:
        peer.send(eve.chance.choice([b"{}\n", b"x\n", b"/x\n", b"\n", b"\r\n"]) * 4000)
        yield 0.2


@attack("strangers-memory", "as much in memory as a stranger can have, for as long as a stranger may stay")
def _strangers_memory(eve: Attacker) -> Steps:
    peer = eve.connect()
    for part in (b"{}\n" + b"\n" * 4000, b"\n" * 1024, b"\n" * 1024, b"\n" * 8192, b"\n" * 8192):
        peer.send(part)  # so that the server reads as much at once as it ever does
        yield 0.02
    peer.send(b"{}\n" * 5000 + b'{"a":' + b"[" * 8000)
    yield _HOLD_SECONDS


@attack("half-handshakes", "what has begun, of every language and of TLS, and does not go on")
def _half_handshakes(eve: Attacker) -> Steps:
    peer = eve.connect()
    hello = _client_hello()
    beginnings = (
        b"",
        b"NI",
        b"CAP LS 302\r\nNICK slow\r\nUSER slow 0 * :x\r\n",
        b'{"type":"hel',
        hello,
        hello[:20],
        b"\xff\xfd",
    )
    peer.send(eve.chance.choice(beginnings))
    yield 0.5 + 4 * eve.chance.random()


@cache
def _client_hello() -> bytes:
    """Return the beginning of a TLS handshake."""
    outgoing, context = ssl.MemoryBIO(), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


@attack("churn", "connections that come, say something and are reset")
def _churn(eve: Attacker) -> Steps:
    while True:
        peer = eve.connect()
        peer.send(
            eve.chance.choice([b"", f"{eve.name()}\n".encode(), f"NICK {eve.name()}\r\nUSER x 0 * x\r\n".encode()])
        )
        yield 0.2 * eve.chance.random()
        peer.reset()


@attack("http", "a web page that speaks IRC by its method")
def _http(eve: Attacker) -> Steps:
    peer = eve.connect()
    method = eve.chance.choice(["NICK", "JOIN", "USER", "CAP", "POST", "PING"])
    peer.send(f"{method} / HTTP/1.1\r\nHost: evil.example\r\n" + "X-Header: v\r\n" * 15 + "\r\n" + "\r\n" * 20_000)
    yield 1.0
    name = eve.name()
    heard = yield from peer.ask(f"NICK {name}\r\nUSER w 0 * :w\r\nJOIN #{eve.room()}\r\n", b" 366 ", 3.0)
    if heard is not None:
        eve.won("a web page came into a room")


# Rooms


@attack("rooms-by-join", "a new room, and out of it again, as fast as may be")
def _rooms_by_join(eve: Attacker) -> Steps:
    peer = yield from eve.json()
    while peer.alive:
        room = eve.name()
        peer.say(type="join", room=room)
        peer.say(type="leave", room=room)
        yield 0.25


@attack("rooms-by-hello", "twenty new rooms with each login")
def _rooms_by_hello(eve: Attacker) -> Steps:
    while True:
        peer = yield from eve.json(rooms=[eve.name() for _ in range(20)])
        yield 3.0
        peer.close()


@attack("private-room", "a room with a key, whose members lose the connection for a moment")
def _private_room(eve: Attacker) -> Steps:
    room = eve.name()
    ann, bob = (yield from eve.json(rooms=[room])), (yield from eve.json(rooms=[room]))
    set_key = json.dumps({"type": "mode", "room": room, "modes": "+k", "args": ["sesame"], "ref": "key"}) + "\n"
    closed = yield from ann.ask(set_key, b'"ok","ref":"key"')
    ann.reset()
    bob.reset()
    yield 1.0
    stranger = yield from eve.json()
    came = yield from stranger.ask(f'{{"type":"join","room":"{room}","ref":"in"}}\n', b'"ref":"in"')
    if closed is not None and came is not None and b'"members","ref":"in"' in came:
        eve.won("a stranger came into a room with a key")
    yield 2.0


@attack("masks", "a hundred bans, and modes that change, in rooms of the attacker's own")
def _masks(eve: Attacker) -> Steps:
    room = eve.name()
    peer = yield from eve.irc(room=room)
    number = 0
    while peer.alive:
        number += 1
        masks = " ".join(f"*{eve.garbage()}*!*?*@*{place}" for place in range(16))
        peer.send(f"MODE #{room} +{'b' * 16} {masks}\r\nMODE #{room} {'+-'[number % 2]}m\r\nMODE #{room} b\r\n")
        yield 1.5


# Passwords


@attack("passwords", "guesses by SASL before there is a nickname, and by login after it")
def _passwords(eve: Attacker) -> Steps:
    peer = eve.connect()
    guess = base64.b64encode(f"\0{eve.victim()}\0wrong-{eve.garbage(4)}".encode()).decode()
    yield from peer.ask(f"CAP REQ :sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {guess}\r\n", b" 904 ", 20.0)
    peer.send(f"AUTHENTICATE PLAIN\r\nAUTHENTICATE {guess}\r\n" * 5)
    yield 2.0
    other = yield from eve.json()
    while other.alive:
        other.say(type="login", account=eve.victim(), password=eve.garbage())
        other.say(type="oper", name=OPERATOR[0], password=eve.garbage())
        yield 2.0


@attack("logins", "accounts that are made, and logins by SCRAM that are begun and not ended")
def _logins(eve: Attacker) -> Steps:
    peer = yield from eve.json()
    yield from peer.ask('{"type":"register","password":"wicked-witch","ref":"new"}\n', b'"ref":"new"', 20.0)
    while peer.alive:
        other = eve.connect()
        first = base64.b64encode(f"n,,n={eve.victim()},r={eve.garbage(12)}".encode()).decode()
        other.send(f"CAP REQ :sasl\r\nAUTHENTICATE SCRAM-SHA-256\r\nAUTHENTICATE {first}\r\n")
        peer.say(type="change_password", password="wicked-witch", new_password="wicked-witch")
        yield 3.0


# History


@attack("resume", "the whole record without a token")
def _resume(eve: Attacker) -> Steps:
    while True:
        peer = yield from eve.json(rooms=list(eve.task.rooms), resume={"after": "0000000000000001"})
        yield 2.0
        peer.close()


@attack("resume-storm", "connections that are lost again and again, and come back with their token")
def _resume_storm(eve: Attacker) -> Steps:
    name, token = eve.name(), ""
    while True:
        peer = eve.connect()
        resume = {"token": token} if token else None
        hello = json.dumps({"type": "hello", "nick": name, "rooms": list(eve.task.rooms), "resume": resume}) + "\n"
        heard = yield from peer.ask(hello, b'"limits"')
        if heard is None:
            return
        token = heard.partition(b'"token":"')[2].partition(b'"')[0].decode()
        yield 1.5
        peer.reset()


def _ask_on(peer: Peer, line: str, seconds: float) -> Steps:
    while peer.alive:
        peer.send(line + "\r\n")
        yield seconds


@attack("targets", "CHATHISTORY TARGETS of all rooms")
def _targets(eve: Attacker) -> Steps:
    peer = yield from eve.irc("draft/chathistory", "batch", room=eve.room())
    peer.send(f"JOIN #{',#'.join(eve.task.rooms)}\r\n")
    times = "timestamp=2020-01-01T00:00:00.000Z timestamp=2040-01-01T00:00:00.000Z"
    yield from _ask_on(peer, f"CHATHISTORY TARGETS {times} 50", 0.3)


@attack("latest", "CHATHISTORY LATEST, where there is much that is no message")
def _latest(eve: Attacker) -> Steps:
    room = eve.room()
    peer = yield from eve.irc("draft/chathistory", "batch", room=room)
    yield from _ask_on(peer, f"CHATHISTORY LATEST #{room} * {eve.chance.choice([1, 500])}", 0.3)


@attack("search", "searches for beginnings of words, and for long phrases")
def _search(eve: Attacker) -> Steps:
    peer = yield from eve.json()
    the = " ".join(["w1"] * 500)
    queries = "n* t*", f'"{the}"', " ".join(f"{letter}*" for letter in "abcdefghijklmnopqrst"), "w1 w2 w3 w4", "w1*"
    while peer.alive:
        peer.say(type="history", search=eve.chance.choice(queries))
        yield 0.3


# People


@attack("who", "WHO, WHOIS and LIST with masks that fit nobody and cost much")
def _who(eve: Attacker) -> Steps:
    peer = yield from eve.irc()
    masks = "*" + "\u0130" * 40, "*a" * 40 + "b", "?" * 60, "*"
    while peer.alive:
        mask = eve.chance.choice(masks)
        peer.send(f"WHO {mask}\r\nWHOIS {mask[:40]}\r\nLIST {','.join([mask[:20]] * 20)}\r\nWHO #{eve.room()}\r\n")
        yield 0.5


@attack("watch", "nicknames that are watched, and masks of people to ignore")
def _watch(eve: Attacker) -> Steps:
    peer = yield from eve.irc(room=eve.room())
    while peer.alive:
        names = ",".join(eve.name() for _ in range(30))
        peer.send(f"MONITOR C\r\nMONITOR + {names}\r\nMONITOR S\r\nSILENCE +*{eve.garbage()}*!*@*{eve.garbage(4)}*\r\n")
        yield 0.7


@attack("slow-readers", "members of every room who take a byte now and then, or nothing")
def _slow_readers(eve: Attacker) -> Steps:
    peer = eve.connect(receive_buffer=4096)
    hello = {"type": "hello", "nick": eve.name(), "rooms": list(eve.task.rooms)}
    yield from peer.ask(json.dumps(hello) + "\n", b'"limits"')
    peer.read_from_now_on(False)
    while peer.alive:
        peer.send('{"type":"history"}\n')
        yield 0.5 + eve.chance.random()
        peer.read_from_now_on(True)
        yield 0.01
        peer.read_from_now_on(False)


# With an operator's password


@attack("oper-bans", "bans by a server operator that are garbage, for one whose password was stolen", alone=True)
def _oper_bans(eve: Attacker) -> Steps:
    peer = yield from eve.json()
    peer.say(type="oper", name=OPERATOR[0], password=OPERATOR[1])
    garbage = (
        "a:\ud800",
        "a:x\nFAKE\x1b]0;x",
        "a:" + "x" * 9000,
        "x" * 3000 + "!*@*",
        "a:\0",
        "*\ud800*!x@y",
        "203.0.113.256",
    )
    while peer.alive:
        peer.say(type="server_ban", target=eve.chance.choice(garbage), seconds=60, reason="\ud800\x1b")
        peer.say(type="server_ban", target=f"a:{eve.name()}", seconds=1, reason="x" * 380)
        peer.say(type="audit", limit=500)
        yield 0.7


MIX: Final = tuple(name for name, one in ATTACKS.items() if not one.alone)
"""All attacks that are possible for strangers."""
