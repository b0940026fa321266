"""The commands that connect to a server: their options and their help, as in `commands.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from pychat.cli.addresses import Target
from pychat.cli.click_app import (
    FILE,
    Checked,
    ClientCommand,
    Exit,
    IntRange,
    UsageError,
    argument,
    command,
    config_option,
    option,
    shared_option,
)
from pychat.cli.client.access import Entrance, own_nicknames, tell_if_alone
from pychat.cli.client.address import address_argument, address_options, place_of, target_of
from pychat.cli.client.announce import announce_once
from pychat.cli.client.connect import Pipe
from pychat.cli.client.send import NothingToSay, TooLong, say_once, text_of
from pychat.cli.client.tail import Tail
from pychat.cli.config_file import room_name
from pychat.cli.secrets import (
    ACCOUNT_PASSWORD_VARIABLE,
    OPERATOR_PASSWORD_VARIABLE,
    PASSWORD_VARIABLE,
    BadSecret,
    read_password,
    read_room_keys,
)
from pychat.cli.streams import Output, can_edit, is_terminal
from pychat.cli.units import check_event_id
from pychat.transport.trust import Trust, read_fingerprint

_key_option: Final = shared_option(
    "--room-key-file",
    type=FILE,
    metavar="FILE",
    help="Keys of rooms are in this file, one line ROOM:KEY for each room.",
)


def _server_options(function: Callable[..., Any], *, with_keys: bool = True) -> Callable[..., Any]:
    """Add the options for the server and for connecting to it; with `with_keys`, also for room keys."""
    for add in (
        config_option,
        shared_option(
            "--tls-fingerprint",
            type=Checked("fingerprint", read_fingerprint),
            metavar="SHA256",
            help="Use TLS, and trust only the certificate with this fingerprint.",
        ),
        shared_option(
            "--tls-ca",
            type=FILE,
            metavar="FILE",
            help="Use TLS, and trust the certificates in this PEM file instead of the system's authorities.",
        ),
        shared_option("--tls", is_flag=True, help="Use TLS; the server's certificate must be valid."),
        shared_option(
            "--account-password-file", type=FILE, metavar="FILE", help="The password of the account is in this file."
        ),
        shared_option("--account", metavar="NAME", help="Log in to this account."),
        *[_key_option] * with_keys,
        shared_option("--password-file", type=FILE, metavar="FILE", help="The server's password is in this file."),
        shared_option("--quiet", "-q", is_flag=True, help="Write only problems to stderr."),
        shared_option("--wait", is_flag=True, help="Wait until a server answers."),
        *address_options,
    ):
        function = add(function)
    return function


def _entrance(
    host: str,
    port: int,
    unix: Path | None,
    wait: bool,
    quiet: bool,
    password_file: Path | None,
    account: str | None,
    account_password_file: Path | None,
    tls: bool,
    tls_ca: Path | None,
    tls_fingerprint: str | None,
    room_key_file: Path | None = None,
    target: Target | None = None,
) -> Entrance:
    """Return the access to a server that the options of `_server_options` describe."""
    is_named = tls_ca is not None or tls_fingerprint is not None  # also for "", which must not disable TLS
    trust = Trust(tls_ca, tls_fingerprint) if is_named else tls
    try:
        return Entrance(
            *place_of(host, port, unix, target),
            read_password(password_file, PASSWORD_VARIABLE),
            trust,
            account=account,
            account_password=read_password(account_password_file, ACCOUNT_PASSWORD_VARIABLE),
            keys=read_room_keys(room_key_file),
            waits=wait,
            quiet=quiet,
        )
    except BadSecret as error:
        raise UsageError(str(error)) from error


@command(cls=ClientCommand)
@address_argument
@option("--nick", "-n", metavar="NAME", help="Your nickname; without it, you are asked for one at a terminal.")
@option(
    "--room",
    multiple=True,
    type=room_name,
    metavar="NAME",
    help="Room to join; default: the one that everybody joins. Can be repeated: messages go to the last one.",
)
@option(
    "--create", is_flag=True, help="In a pipe: create rooms that do not exist; without this option, they are refused."
)
@option("--json", is_flag=True, help="Write events and read requests as JSON lines.")
@option("--no-reconnect", is_flag=True, help="Exit when the connection is lost.")
@option("--no-color", is_flag=True, help="Do not use colors at a terminal.")
@_server_options
def connect(
    address: str | None,
    nick: str | None,
    room: tuple[str, ...],
    create: bool,
    json: bool,
    no_reconnect: bool,
    no_color: bool,
    **server: Any,
) -> None:
    """
    Join a chat at [NICK@]HOST[:PORT] or unix:PATH, or at --host and --port.

    At a terminal, type a line and press Enter to send it; /help lists the commands. In a pipe, each line of the input
    is sent as a message, and the command ends when the last one is acknowledged: "echo hi | pychat connect --nick ci".
    Commands do not work there: a line that begins with a slash is refused, and "//etc/hosts" sends "/etc/hosts".
    Messages go to stdout, everything else to stderr. With --json, each line is a request of the protocol, for programs:
    {"type": "say", "text": "hi"}.
    """
    target, nick = target_of(address, nick)
    entrance = _entrance(**server, target=target)
    nick = nick if nick is not None else entrance.account
    if not json and is_terminal(sys.stdin):  # a person's input has commands, wherever the output goes
        from pychat.terminal import run

        code = run(
            lambda name: entrance.connect(
                name, room, reconnect=not no_reconnect, replay=True, own_messages=True, keep_session=True
            ),
            nick,
            proposal=own_nicknames()[0],
            color=False if no_color else None,
            write=None if can_edit() else Output().write,
        )
    elif nick is None:
        raise UsageError("give a nickname with --nick: there is no terminal to ask for one")
    else:
        enter = entrance.connect if json and not room else entrance.connect_into
        client = enter(nick, room, reconnect=not no_reconnect, create=create, keep_session=True)
        code = Pipe(client, *room[-1:], as_json=json, quiet=entrance.quiet).run()
    raise Exit(code)


@command(cls=ClientCommand)
@option(
    "--nick", "-n", metavar="NAME", help="Your nickname; default: your user name on this machine, or a similar one."
)
@option("--room", type=room_name, metavar="NAME", help="Room to send to; default: the one that everybody joins.")
@option("--create", is_flag=True, help="Create the room if it does not exist; without this option, it is refused.")
@option("--split", is_flag=True, help="Send a text that is too long for one message as several messages.")
@option("--tail", is_flag=True, help="Send the last lines of a text that is too long for one message.")
@_server_options
@argument("text", nargs=-1)
def send(
    nick: str | None,
    room: str | None,
    create: bool,
    split: bool,
    tail: bool,
    text: tuple[str, ...],
    **server: Any,
) -> None:
    """
    Send one message and leave, without join and leave notices.

    Several words are one message; without words, or with "-", all lines of the input are one message: "git log -1 |
    pychat send --room ops". The command ends when the server has accepted the message.
    """
    entrance = _entrance(**server)
    try:
        what = text_of(text)
    except NothingToSay as error:
        raise UsageError(str(error)) from error
    if split and tail:
        raise UsageError("--split and --tail cannot be combined")
    too_long = TooLong.SPLIT if split else TooLong.TAIL if tail else TooLong.REFUSE
    nicks = own_nicknames() if nick is None else [nick]
    say_once(entrance, nicks, room, what, create=create, too_long=too_long)


@command(cls=ClientCommand)
@option("--oper", metavar="NAME", help="The name of a server operator.")
@option("--oper-password-file", type=FILE, metavar="FILE", help="The password of this operator is in this file.")
@option(
    "--nick", "-n", metavar="NAME", help="Your nickname; default: your user name on this machine, or a similar one."
)
@partial(_server_options, with_keys=False)
@argument("text", nargs=-1)
def announce(
    oper: str | None, oper_password_file: Path | None, nick: str | None, text: tuple[str, ...], **server: Any
) -> None:
    """
    Send a message to everybody on the server, in the server's name.

    For example: "pychat announce --oper root restart at noon". The command needs the name and the password of a server
    operator. Several words are one message; without words, or with "-", the message is read from the input. The command
    joins and leaves without notices.
    """
    if oper is None:
        raise UsageError("name a server operator with --oper; the server has them in its --oper-file")
    entrance = _entrance(**server)
    try:
        what, password = text_of(text), read_password(oper_password_file, OPERATOR_PASSWORD_VARIABLE)
    except (NothingToSay, BadSecret) as error:
        raise UsageError(str(error)) from error
    announce_once(entrance, own_nicknames() if nick is None else [nick], oper, password, what)


@command(cls=ClientCommand)
@address_argument
@option("--nick", metavar="NAME", help="Your nickname; default: your user name on this machine, followed by -tail.")
@option("--room", type=room_name, metavar="NAME", help="The room; default: the one that everybody joins.")
@option(
    "--lines", "-n", default=10, type=IntRange(0, 10**9), metavar="N", help="Begin with this many of the last messages."
)
@option("--all", is_flag=True, help="Include joins and other events, and count them, too.")
@option("--since", type=Checked("id", check_event_id), metavar="ID", help="Begin after the event with this id instead.")
@option("--json", is_flag=True, help="Write each event as a line of JSON, with its id.")
@_server_options
def tail(
    address: str | None,
    nick: str | None,
    room: str | None,
    lines: int,
    all: bool,
    since: str | None,
    json: bool,
    **server: Any,
) -> None:
    """
    Print what happens in a room, until Ctrl-C. The server is at [NICK@]HOST[:PORT], or at --host and --port.

    It sends no messages, and joins and leaves without notices; /who lists it. When the connection is lost, it
    reconnects, and prints what it has missed.
    """
    target, nick = target_of(address, nick)
    entrance = _entrance(**server, target=target)
    nicks = own_nicknames("-tail") if nick is None else [nick]
    with entrance.connect_as_any(nicks, room, reconnect=True, visit=True) as client:
        if room is not None and not entrance.quiet:
            tell_if_alone(client, room)
        Tail(client, as_json=json, quiet=entrance.quiet).follow(
            lines, None if since is None else int(since, 16), every=all
        )
