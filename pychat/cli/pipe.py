"""
`pychat connect` where nobody sits in front of it: lines from stdin are said, what is heard goes to stdout.

The main thread shows what is heard; a thread of its own reads stdin and says each line when the one before is
acknowledged. The end of stdin ends the program, when everything was acknowledged.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Final

from pychat.cli.exits import REFUSED, UNACKNOWLEDGED
from pychat.cli.listening import listen
from pychat.cli.streams import Output, say_on_stderr
from pychat.client import ChatClient, Heard
from pychat.core.errors import AckTimeout, ChatError, ConnectionLost, LocalProtocolError, Refused
from pychat.core.limits import Limits
from pychat.core.replies import Failure, Reply
from pychat.core.text import clean_line
from pychat.core.verbs import Invalid, Quit, Say, Verb
from pychat.display import Lines, show_json, with_ref
from pychat.protocols.json_verbs import read_verb
from pychat.protocols.lines import LineBuffer, Run

_LONGEST_LINE: Final = 2**20
_READ_BYTES: Final = 65_536
_STDIN: Final = 0


class Pipe:
    """One run. `as_json` tells whether lines are JSON, both ways."""

    def __init__(self, client: ChatClient, *, as_json: bool) -> None:
        self._client = client
        self._as_json = as_json
        self._lines = Lines()
        self._output = Output()
        self._exit_code = 0
        self._failure: ChatError | None = None
        """What ended the other thread."""

    def run(self) -> int:
        """
        Talk until stdin ends; return the exit code: of what was refused, 0 if nothing was.

        Raises:
            ConnectionLost: The connection is lost for good.
            AckTimeout: The server does not answer any more.
            ClosedPipe: Nobody reads the output any more.
            CannotWrite: The output cannot be written.
        """
        try:
            self._write(self._client.welcome)
            threading.Thread(target=self._talk, name="pychat-stdin", daemon=True).start()
            for heard in listen(self._client, self._output):
                self._write(heard)
        finally:
            self._client.close()
        if self._failure is not None:
            raise self._failure
        return self._exit_code

    # The other thread

    def _talk(self) -> None:
        number = 0
        try:
            for number, line in enumerate(_read_lines(), 1):
                if line is None:
                    self._report(number, Refused(f"a line can have {_LONGEST_LINE} bytes"), None)
                elif line and not line.isspace():
                    self._client.wait_connected()
                    self._perform(number, read_verb(line) if self._as_json else Say(line))
        except LocalProtocolError:
            pass  # closed, by the main thread or by a quit
        except AckTimeout as error:
            self._failure = AckTimeout(f"line {number}: {error}; it may or may not have been accepted")
        except ChatError as error:  # lost for good, or the output cannot be written
            self._failure = error
        finally:
            self._client.close()

    def _perform(self, number: int, verb: Verb) -> None:
        try:
            if isinstance(verb, Invalid):
                raise Refused(verb.text, code=verb.code)
            answer = self._client.ask(verb)
        except Refused as error:
            self._report(number, error, verb)
        except ConnectionLost as error:
            self._client.wait_connected()  # raises if it is lost for good
            self._report(number, error, verb)
        else:
            if self._as_json and not isinstance(verb, Quit):
                self._write(with_ref(answer, verb.ref))

    def _report(self, number: int, error: Refused | ConnectionLost, verb: Verb | None) -> None:
        """A line was not said, or nobody knows; those that follow may be."""
        # Of a connection that came back, what matters is that this was not acknowledged.
        self._exit_code = max(self._exit_code, REFUSED if isinstance(error, Refused) else UNACKNOWLEDGED)
        if self._as_json:
            ref = None if verb is None else verb.ref
            lost = Failure(ref, "connection_lost", str(error))
            self._write(Failure.of(error, ref) if isinstance(error, Refused) else lost)
        else:
            say_on_stderr(f"Error: line {number}: {clean_line(str(error))}")

    # Both

    def _write(self, heard: Heard | Reply) -> None:
        lines = [show_json(heard)] if self._as_json else self._lines.show(heard)
        self._output.write([line for line in lines if line])


def _read_lines() -> Iterator[str | None]:
    """
    Yield the lines of stdin; None for one that is too long.

    It reads the descriptor and not `sys.stdin`: a daemon thread that waits in there aborts the interpreter at exit.
    """
    if sys.stdin is None:  # it is closed, and its descriptor may be something else now
        return
    buffer = LineBuffer(Limits(line_bytes=_LONGEST_LINE, unfinished_bytes=16 * _LONGEST_LINE))
    while not buffer.broken:
        try:
            data = os.read(_STDIN, _READ_BYTES)
        except OSError:
            data = b""
        yield from _split(buffer.receive(data) if data else buffer.receive_eof())
        if not data:
            return
    yield None


def _split(runs: list[Run]) -> Iterator[str | None]:
    for run in runs:
        if run is None:
            yield None
        else:
            yield from run.decode(errors="replace").split("\n")
