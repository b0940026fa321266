"""What the tests of IRC's input share: a client that speaks, and the verbs that come of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from pychat.model.limits import Limits
from pychat.model.replies import Words
from pychat.model.verbs import PLAIN, SCRAM, Answer, Hello, Invalid, Verb
from pychat.protocols.base import Dialect, Item
from pychat.protocols.irc.asked import Line, Numeric
from pychat.protocols.irc.protocol import IrcProtocol

if TYPE_CHECKING:
    from pychat.protocols.irc.dialect import IrcDialect


class FakeDialect(Dialect):
    """What the protocol needs of the real one."""

    name: ClassVar[str] = "irc"
    source = "irc.pychat"
    mechanisms = (PLAIN, SCRAM)
    registers = registers_early = True

    def __init__(self, capabilities: frozenset[str] = frozenset()) -> None:
        self.capabilities = capabilities

    def with_capabilities(self, capabilities: frozenset[str]) -> FakeDialect:
        """Another one, that knows what was negotiated."""
        return FakeDialect(capabilities)

    def encode(self, items: Sequence[Item]) -> bytes:
        """Nothing is ever written here."""
        return b""


def new(limits: Limits = Limits()) -> IrcProtocol:  # noqa: B008 -- immutable
    """A connection that was just made."""
    return IrcProtocol(limits, cast("IrcDialect", FakeDialect()))


def read(protocol: IrcProtocol, *lines: str | bytes) -> list[Verb]:
    """The verbs of lines, as the server takes them: nicknames are accepted, so are new ones."""
    for line in lines:
        protocol.receive((line.encode() if isinstance(line, str) else line) + b"\r\n")
    verbs: list[Verb] = []
    while taken := protocol.take_verbs():
        verbs += taken
        for verb in taken:
            if isinstance(verb, Hello):
                protocol.registered(verb.nickname)
    return verbs


def member(*capabilities: str, limits: Limits = Limits()) -> IrcProtocol:  # noqa: B008 -- immutable
    """A connection of ann, who is in."""
    protocol = new(limits)
    if capabilities:
        read(protocol, f"CAP REQ :{' '.join(capabilities)}", "CAP END")
    read(protocol, "NICK ann", "USER ann 0 * :Ann")
    return protocol


def refused(verbs: Iterable[Verb]) -> list[Numeric | Line]:
    """The refusals among the verbs: all there are, as they will be written."""
    found: list[Numeric | Line] = []
    for verb in verbs:
        assert isinstance(verb, Invalid), verb
        assert isinstance(verb.ref, Numeric | Line), verb
        found.append(verb.ref)
    return found


def words(verbs: Iterable[Verb]) -> list[object]:
    """What the protocol answered by itself: all there is."""
    found: list[object] = []
    for verb in verbs:
        assert isinstance(verb, Answer), verb
        for item in verb.items:
            assert isinstance(item, Words), item
            found.append(item.value)
    return found
