"""The codec of rooms, sessions and accounts: JSON with the fields of their values by name."""

from __future__ import annotations

import json
from typing import Any

from pychat.core.accounts.password_hash import Cost, PasswordHash
from pychat.core.accounts.scram import ScramKeys
from pychat.core.accounts.stored import StoredAccount
from pychat.core.log.snapshots import RoomSnapshot, SessionSnapshot
from pychat.model.modes import VALUES, MaskEntry
from pychat.model.server_ban import ServerBan
from pychat.stores.sqlite.event_codec import Unreadable


def write_room(snapshot: RoomSnapshot) -> str:
    """Return the text of a room, without its mask lists, which are written separately."""
    values = {mode.name: snapshot.values.get(letter) for letter, mode in VALUES.items()}
    fields = {**snapshot._asdict(), **values, "accounts": dict(snapshot.accounts)}
    del fields["lists"], fields["values"]
    return json.dumps(fields)


def write_mask(entry: MaskEntry) -> str:
    """Return the text of a mask, without its deadline, which is only valid in this process."""
    return json.dumps(entry[: MaskEntry._fields.index("deadline")])


def write_session(snapshot: SessionSnapshot) -> str:
    """Return the text of a session."""
    return json.dumps(snapshot._asdict())


def read_room(text: str) -> RoomSnapshot:
    """
    Return the room that `write_room` was given.

    Raises:
        Unreadable: If it is not such a text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        lists, roles = fields.get("lists", {}), fields["roles"]  # files of version 4 have the lists here
        fields["lists"] = {letter: tuple([MaskEntry(*mask) for mask in masks]) for letter, masks in lists.items()}
        fields["roles"] = {int(identity): letters for identity, letters in roles.items()}
        fields["values"] = _read_values(fields)
        fields["invited"] = tuple(fields["invited"])
        fields["welcome"] = tuple(fields.get("welcome", ()))
        return RoomSnapshot(**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unreadable(f"not a room: {text[:40]!r}") from error


def _read_values(fields: dict[str, Any]) -> dict[str, str]:
    """Take the values of modes out of the fields of a room."""
    values = {}
    for letter, mode in VALUES.items():
        stored = fields.pop(mode.name, None)
        if stored:  # 0 is the slow mode that is not set, in older files
            value = mode.parse(str(stored))
            if value is None:
                raise ValueError(f"mode {letter}: {mode.allowed}")
            values[letter] = value
    return values


def read_mask(text: str) -> MaskEntry:
    """
    Return the mask that `write_mask` was given.

    Raises:
        Unreadable: If it is not such a text.
    """
    try:
        fields: list[Any] = json.loads(text)
        fields[-1] = tuple(fields[-1])
        return MaskEntry(*fields)
    except (ValueError, TypeError, LookupError) as error:
        raise Unreadable(f"not a mask: {text[:40]!r}") from error


def read_session(text: str) -> SessionSnapshot:
    """
    Return the session that `write_session` was given.

    Raises:
        Unreadable: If it is not such a text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["rooms"] = tuple(fields["rooms"])
        return SessionSnapshot(**fields)
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable(f"not a session: {text[:40]!r}") from error


def write_account(account: StoredAccount) -> str:
    """Return the text of an account, with binary values in hexadecimal."""
    cost, salt, key = account.password
    scram = account.scram
    return json.dumps(
        {
            "name": account.name,
            "created": account.created,
            "scrypt": [*cost, salt.hex(), key.hex()],
            "scram-sha-256": [scram.iterations, scram.salt.hex(), scram.stored.hex(), scram.server.hex()],
        }
    )


def read_account(text: str) -> StoredAccount:
    """
    Return the account that `write_account` was given.

    Raises:
        Unreadable: If it is not such a text.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        *cost, salt, key = fields["scrypt"]
        iterations, *parts = fields["scram-sha-256"]
        scram_salt, stored, server = map(bytes.fromhex, parts)
        return StoredAccount(
            fields["name"],
            PasswordHash(Cost(*map(int, cost)), bytes.fromhex(salt), bytes.fromhex(key)),
            ScramKeys(scram_salt, int(iterations), stored, server),
            float(fields["created"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise Unreadable("not an account") from error


def write_ban(ban: ServerBan) -> str:
    """Return the text of a server ban, without its deadline, which is only valid in this process."""
    return json.dumps({name: value for name, value in ban._asdict().items() if name != "deadline"})


def read_ban(text: str) -> ServerBan:
    """
    Return the ban that `write_ban` was given.

    Raises:
        Unreadable: If it is not such a text.
    """
    try:
        return ServerBan(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise Unreadable(f"not a ban: {text[:40]!r}") from error
