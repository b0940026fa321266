"""Receive items while somebody reads the output, and choose the stream for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pychat.cli.streams import Output, say_on_stderr
from pychat.client import ChatClient, Dropped, Heard
from pychat.model.errors import LocalProtocolError
from pychat.model.events import Event
from pychat.model.replies import Bye, Failure, Gap, Reply

_LOOK_SECONDS: Final = 1.0
"""How long it may take to notice that the reader is gone, while there is nothing to print."""


def listen(client: ChatClient, output: Output) -> Iterator[Heard]:
    """
    Yield received items, until the client is closed.

    Raises:
        ClosedPipe: If the output was closed.
        ConnectionLost: If the connection is lost for good.
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
    Write events to stdout, and items that concern only this client to stderr.

    Args:
        lines: The lines that describe the item, for people.
        quiet: True to write only problems and gaps to stderr.
    """
    if isinstance(heard, Event):
        output.write(lines)
    elif isinstance(heard, Failure | Gap | Dropped) or not (quiet or isinstance(heard, Bye)):
        # A goodbye is only the reason of the next item: an error, a reconnect, or the end that the user requested.
        for line in lines:
            say_on_stderr(line)
