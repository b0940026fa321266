"""What a client hears, for as long as somebody reads what is printed of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pychat.cli.streams import Output
from pychat.client import ChatClient, Heard
from pychat.core.errors import LocalProtocolError

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
