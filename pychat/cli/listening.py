"""What a client hears, for as long as somebody reads what is printed of it, and where it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pychat.cli.streams import Output, say_on_stderr
from pychat.client import ChatClient, Dropped, Heard
from pychat.model.errors import LocalProtocolError
from pychat.model.events import Event
from pychat.model.replies import Bye, Failure, Gap, Reply

_LOOK_SECONDS: Final = 1.0
"""How long it may take until it is noticed that the reader is gone, while there is nothing to print."""


def listen(client: ChatClient, output: Output) -> Iterator[Heard]:
    """
    Yield what is heard, until the client is closed.

    Raises:
        ClosedPipe: Nobody reads the output any more.
        ConnectionLost: The connection is lost for good.
    """
    while True:
        try:
            heard = client.take(_LOOK_SECONDS)
        except LocalProtocolError:
            return
        if heard is None:
            output.check()
        else:
            yield heard


def tell(heard: Heard | Reply, lines: Sequence[str], output: Output, *, quiet: bool) -> None:
    """
    Write what was said and what has happened to stdout, and to stderr what concerns this client alone.

    Args:
        lines: What tells of it, for people.
        quiet: Whether only what is wrong or missing goes to stderr.
    """
    if isinstance(heard, Event):
        output.write(lines)
    elif isinstance(heard, Failure | Gap | Dropped) or not (quiet or isinstance(heard, Bye)):
        # A goodbye is the reason of what comes next: an error, a try to come back, or the end that was asked for.
        for line in lines:
            say_on_stderr(line)
