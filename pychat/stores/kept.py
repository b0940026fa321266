"""Rooms, sessions and accounts as they are written into a file: the fields of their values by name, in JSON."""

from __future__ import annotations

import json
from typing import Any

from pychat.core.hashing import Cost, PasswordHash
from pychat.core.kept_accounts import KeptAccount
from pychat.core.lasting import KeptRoom, KeptSession
from pychat.core.modes import MaskEntry
from pychat.core.scram import ScramKeys
from pychat.core.server_ban import ServerBan
from pychat.stores.records import Unreadable


def write_room(kept: KeptRoom) -> str:
    """Return what is written of a room."""
    return json.dumps({**kept._asdict(), "accounts": dict(kept.accounts)})


def write_session(kept: KeptSession) -> str:
    """Return what is written of a session."""
    return json.dumps(kept._asdict())


def read_room(text: str) -> KeptRoom:
    """
    Return what `write_room` was given.

    Raises:
        Unreadable: It is no such text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        lists, roles = fields["lists"], fields["roles"]
        fields["lists"] = {letter: tuple([MaskEntry(*mask) for mask in masks]) for letter, masks in lists.items()}
        fields["roles"] = {int(identity): letters for identity, letters in roles.items()}
        fields["invited"] = tuple(fields["invited"])
        return KeptRoom(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(f"not a room: {text[:40]!r}") from error


def read_session(text: str) -> KeptSession:
    """
    Return what `write_session` was given.

    Raises:
        Unreadable: It is no such text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["rooms"] = tuple(fields["rooms"])
        return KeptSession(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable(f"not a session: {text[:40]!r}") from error


def write_account(kept: KeptAccount) -> str:
    """Return what is written of an account: what is binary, in hexadecimal."""
    cost, salt, key = kept.password
    scram = kept.scram
    return json.dumps(
        {
            "name": kept.name,
            "created": kept.created,
            "scrypt": [*cost, salt.hex(), key.hex()],
            "scram-sha-256": [scram.iterations, scram.salt.hex(), scram.stored.hex(), scram.server.hex()],
        }
    )


def read_account(text: str) -> KeptAccount:
    """
    Return what `write_account` was given.

    Raises:
        Unreadable: It is no such text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        *cost, salt, key = fields["scrypt"]
        iterations, *parts = fields["scram-sha-256"]
        scram_salt, stored, server = map(bytes.fromhex, parts)
        return KeptAccount(
            fields["name"],
            PasswordHash(Cost(*map(int, cost)), bytes.fromhex(salt), bytes.fromhex(key)),
            ScramKeys(scram_salt, int(iterations), stored, server),
            float(fields["created"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable("not an account") from error


def write_ban(ban: ServerBan) -> str:
    """Return what is written of a ban from the server."""
    return json.dumps(ban._asdict())


def read_ban(text: str) -> ServerBan:
    """
    Return what `write_ban` was given.

    Raises:
        Unreadable: It is no such text.
    """
    try:
        return ServerBan(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise Unreadable(f"not a ban: {text[:40]!r}") from error
