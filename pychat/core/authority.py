"""Who may do what: the one place that is asked, whatever the protocol."""

from __future__ import annotations

from pychat.core import verbs
from pychat.core.errors import NotRegistered
from pychat.core.session import Session

_BEFORE_REGISTRATION = frozenset(
    {verbs.Hello, verbs.Help, verbs.Ping, verbs.Pong, verbs.Quit, verbs.Invalid, verbs.Abort}
)
_REGISTERED = frozenset(
    {
        verbs.Say,
        verbs.Direct,
        verbs.Join,
        verbs.Leave,
        verbs.SetNickname,
        verbs.SetTopic,
        verbs.GetTopic,
        verbs.SetAway,
        verbs.ListMembers,
        verbs.ListRooms,
        verbs.WhoIs,
        verbs.ReadHistory,
        verbs.Command,
    }
)


def authorize(session: Session, verb: verbs.Verb) -> None:
    """
    Return if the session may ask for this at all; what it may do in a room is checked where the room is known.

    Raises:
        NotRegistered: It needs a nickname first.
    """
    kind = type(verb)
    if session.nickname is not None or kind in _BEFORE_REGISTRATION:
        return
    assert kind in _REGISTERED, f"{kind.__name__} has no rule"
    raise NotRegistered
