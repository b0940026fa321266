"""Registration: NICK, USER and PASS, in any order (Modern IRC, "Connection Registration")."""

from __future__ import annotations

from collections.abc import Sequence

from pychat.model.verbs import Hello, SetNickname, Verb
from pychat.protocols.irc.asked import CHATHISTORY, Asked
from pychat.protocols.irc.client_state import Client
from pychat.protocols.irc.commands.accounts import abort
from pychat.protocols.irc.commands.errors import already_registered, needs_parameters, refuse
from pychat.protocols.irc.formatting import strip_codes
from pychat.protocols.irc.grammar import ParsedLine


def nick(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle NICK: the first one is part of registration."""
    name = command.params[0] if command.params else ""
    if not name:
        return [refuse("431", "No nickname given", code="bad_nickname")]
    if client.nickname is None:
        client.wanted = name
        return hello_if_ready(client)
    client.waits = True  # MODE must know if it is about our own nickname
    return [SetNickname(name, Asked("NICK", (name,)))]


def user(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """Handle USER: user name, two parameters that are not used any more, real name."""
    if client.nickname is not None:
        return [already_registered()]
    username, _, _, realname = command.params[:4]
    if not username or not realname.strip():  # neither may be empty (Modern IRC, "USER message")
        return [needs_parameters("USER")]
    client.username, client.realname = username, strip_codes(realname)
    return hello_if_ready(client)


def password(client: Client, command: ParsedLine) -> Sequence[Verb]:
    """
    Handle PASS: the server password; the last one counts (Modern IRC, "PASS message").

    Some clients send blanks in it without a colon before it.
    """
    if client.nickname is not None:
        return [already_registered()]
    client.password = " ".join(command.params)
    return []


def hello_if_ready(client: Client) -> Sequence[Verb]:
    """Return the request for the nickname, once everything is known and CAP does not hold it back."""
    if client.nickname is not None or not client.wanted or not client.username or client.negotiating:
        return []
    # If the nickname is refused, the client tries another one: only NICK is missing then.
    name, client.wanted = client.wanted, ""
    client.waits = True
    most = client.limits.irc_replay_messages
    return [
        *abort(client),
        Hello(
            name,
            rooms=(),
            # A client with chathistory requests what it missed, and would receive everything twice.
            replay=most > 0 and CHATHISTORY not in client.capabilities,
            most_replayed=most,
            username=client.username,
            realname=client.realname,
            password=client.password,
            ref=Asked("NICK", (name,)),
        ),
    ]
