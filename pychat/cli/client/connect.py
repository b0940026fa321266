"""
`pychat connect` in a pipe: sends lines from stdin, and writes messages and events to stdout.

The main thread writes received items; another thread reads stdin and sends each line when the one before is
acknowledged. The program ends at the end of stdin, once everything is acknowledged.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Final

from pychat.cli.client.display import Lines, show_json, with_ref
from pychat.cli.client.listening import listen, tell
from pychat.cli.exit_codes import REFUSED, UNACKNOWLEDGED
from pychat.cli.streams import Output, say_on_stderr
from pychat.client import ChatClient, Heard
from pychat.model.errors import AckTimeout, ChatError, ConnectionLost, LocalProtocolError, NotConnected, Refused
from pychat.model.replies import Failure, Reply
from pychat.model.text import clean_line
from pychat.model.verbs import Invalid, Quit, Verb
from pychat.protocols.jsonl.verbs import read_verb
from pychat.protocols.lines import LineBuffer, Run
from pychat.protocols.text.confidential import not_a_command

_LONGEST_LINE: Final = 2**20
_READ_BYTES: Final = 65_536
_STDIN: Final = 0


class Pipe:
    """One run of the command."""

    def __init__(self, client: ChatClient, room: str | None = None, *, as_json: bool, quiet: bool = False) -> None:
        """
        Args:
            room: The room for all lines, even if the client leaves it; None for the current room.
            as_json: True if lines are JSON, in both directions.
            quiet: True to write only problems to stderr.
        """
        self._client = client
        self._room = next(reversed(client.rooms), None) if room is None else room
        self._as_json, self._quiet = as_json, quiet
        self._lines = Lines()
        self._output = Output()
        self._exit_code = 0
        self._failure: ChatError | None = None
        """The error that ended the other thread."""

    def run(self) -> int:
        """
        Send until stdin ends; return the exit code: of refused lines, 0 if there were none.

        Raises:
            ConnectionLost: If the connection is lost for good.
            AckTimeout: If the server does not answer any more.
            ClosedPipe: If the output was closed.
            CannotWrite: If the output cannot be written.
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
                    self._report(number, Refused(f"a line can have at most {_LONGEST_LINE} bytes"), None)
                elif line and not line.isspace():
                    self._client.wait_connected()
                    self._perform(number, line)
        except LocalProtocolError:
            pass  # closed, by the main thread or by a quit
        except AckTimeout as error:
            self._failure = AckTimeout(f"line {number}: {error}")
        except ChatError as error:  # lost for good, or the output cannot be written
            self._failure = error
        finally:
            self._client.close()

    def _perform(self, number: int, line: str) -> None:
        verb: Verb | None = None
        try:
            verb = read_verb(line) if self._as_json else not_a_command(line)._replace(room=self._room)
            if isinstance(verb, Invalid):
                raise Refused(verb.text, code=verb.code)
            answer = self._ask(verb)
        except Refused as error:
            self._report(number, error, verb)
        except ConnectionLost as error:
            self._client.wait_connected()  # raises if it is lost for good
            self._report(number, error, verb)
        else:
            if self._as_json and not isinstance(verb, Quit):
                self._write(with_ref(answer, verb.ref))

    def _ask(self, verb: Verb) -> Reply:
        """Send a verb, if need be when there is a connection again, and return its answer."""
        while True:
            with contextlib.suppress(NotConnected):  # lost since the last look, so nothing was sent
                return self._client.ask(verb)
            self._client.wait_connected()

    def _report(self, number: int, error: Refused | ConnectionLost, verb: Verb | None) -> None:
        """Report a line that was refused or not acknowledged; later lines may still succeed."""
        # After a reconnect, the relevant fact is that this line was not acknowledged.
        self._exit_code = max(self._exit_code, REFUSED if isinstance(error, Refused) else UNACKNOWLEDGED)
        if self._as_json:
            ref = None if verb is None else verb.ref
            lost = Failure(ref, "connection_lost", str(error))
            self._write(Failure.of(error, ref) if isinstance(error, Refused) else lost)
        else:
            say_on_stderr(f"Error: line {number}: {clean_line(str(error))}")

    # Both

    def _write(self, heard: Heard | Reply) -> None:
        if self._as_json:
            self._output.write([line for line in [show_json(heard)] if line])
        else:
            tell(heard, [line for line in self._lines.show(heard) if line], self._output, quiet=self._quiet)


def _read_lines() -> Iterator[str | None]:
    """
    Yield the lines of stdin; None for one that is too long.

    It reads the descriptor and not `sys.stdin`: a daemon thread blocked in that aborts the interpreter at exit.
    """
    if sys.stdin is None:  # stdin is closed, and its descriptor may be another file now
        return
    buffer = LineBuffer(_LONGEST_LINE, 16 * _LONGEST_LINE)
    first = True
    while not buffer.broken:
        try:
            data = os.read(_STDIN, _READ_BYTES)
        except OSError:
            data = b""
        data, first = data.removeprefix(BOM_UTF8) if first else data, False
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
