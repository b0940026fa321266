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
    "--room-key-file", type=FILE, metavar="FILE", help="Keys of rooms are in this file: a line ROOM:KEY for each."
)


def _server_options(function: Callable[..., Any], *, with_keys: bool = True) -> Callable[..., Any]:
    """Add the options for the server and for connecting to it; with `with_keys`, also for room keys."""
    for add in (
        config_option,
        shared_option(
            "--tls-fingerprint",
            type=Checked("fingerprint", read_fingerprint),
            metavar="SHA256",
            help="Speak TLS, with the server that has this certificate.",
        ),
        shared_option(
            "--tls-ca",
            type=FILE,
            metavar="FILE",
            help="Speak TLS, and trust the certificates in this PEM file instead of the system's authorities.",
        ),
        shared_option("--tls", is_flag=True, help="Speak TLS with the server, whose certificate must be valid."),
        shared_option("--account-password-file", type=FILE, metavar="FILE", help="Its password is in this file."),
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
    help="Room to join; default: the one that everybody joins. Can be repeated: you talk in the last one.",
)
@option("--create", is_flag=True, help="In a pipe: create rooms that do not exist; otherwise they are refused.")
@option("--json", is_flag=True, help="Write events as JSON lines, and read requests as such.")
@option("--no-reconnect", is_flag=True, help="End when the connection is lost.")
@option("--no-color", is_flag=True, help="Use no colors at a terminal.")
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
    Join a chat, at [NICK@]HOST[:PORT] or unix:PATH; otherwise where --host and --port say.

    At a terminal, type a line and Enter to say it; /help lists what else you can do. In a pipe, each line of the
    input is said, and the command ends when the last one is acknowledged: "echo hi | pychat connect --nick ci". There
    are no commands then: a line that begins with a slash is refused, and "//etc/hosts" says "/etc/hosts". What others
    say goes to stdout, all else to stderr. With --json, each line is a request of the protocol, for programs: {"type":
    "say", "text": "hi"}.
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
@option("--nick", "-n", metavar="NAME", help="Your nickname; default: your name on this machine, or one like it.")
@option("--room", type=room_name, metavar="NAME", help="Room to say it in; default: the one that everybody joins.")
@option("--create", is_flag=True, help="Create the room if it does not exist; otherwise it is refused.")
@option("--split", is_flag=True, help="Split a text that is too long for one message into several.")
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
    Say one thing, and go; nobody is told that you come and go.

    Several words are one text. Without any, or with "-", all lines of the input are one message: "git log -1 |
    pychat send --room ops". The command ends when the server has accepted it.
    """
    entrance = _entrance(**server)
    try:
        what = text_of(text)
    except NothingToSay as error:
        raise UsageError(str(error)) from error
    if split and tail:
        raise UsageError("--split says all of it, and --tail the end: give one of them")
    too_long = TooLong.SPLIT if split else TooLong.TAIL if tail else TooLong.REFUSE
    nicks = own_nicknames() if nick is None else [nick]
    say_once(entrance, nicks, room, what, create=create, too_long=too_long)


@command(cls=ClientCommand)
@option("--oper", metavar="NAME", help="The name of a server operator.")
@option("--oper-password-file", type=FILE, metavar="FILE", help="The password of this operator is in this file.")
@option("--nick", "-n", metavar="NAME", help="Your nickname; default: your name on this machine, or one like it.")
@partial(_server_options, with_keys=False)
@argument("text", nargs=-1)
def announce(
    oper: str | None, oper_password_file: Path | None, nick: str | None, text: tuple[str, ...], **server: Any
) -> None:
    """
    Tell everybody on the server something, in the server's name: "pychat announce --oper root restart at noon".

    It takes the name and the password of a server operator. Several words are one text. Without any, or with "-", it is
    read from the input. Nobody is told that you come and go.
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
@option("--nick", metavar="NAME", help="Your nickname; default: your name on this machine, followed by -tail.")
@option("--room", type=room_name, metavar="NAME", help="The room; default: the one that everybody joins.")
@option(
    "--lines", "-n", default=10, type=IntRange(0, 10**9), metavar="N", help="Begin with this many of the last messages."
)
@option("--all", is_flag=True, help="Begin with joins and other events, too, and count them.")
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
    Print what happens in a room, until Ctrl-C. The server is at [NICK@]HOST[:PORT], or where --host and --port say.

    It says nothing, and nobody is told that it comes and goes; /who names it. When the connection is lost, it comes
    back, and prints what was missed.
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
