"""The documentation tells the truth: its code runs, its links lead somewhere, its tables are complete."""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, get_args

import click
import pytest

import pychat
from pychat import ChatServer, Handler, Limits
from pychat.cli import cli
from pychat.cli.option_help import options_of
from pychat.cli.show_config import OptionInfo
from pychat.core.handler import check_handler
from pychat.handlers import Broadcast, Commands, History, JoinLeaveNotices, NicknameValidator
from pychat.model import events, modes, replies
from pychat.model.codes import CODES
from pychat.protocols.jsonl import fields as json_values
from pychat.protocols.jsonl import items as json_items
from pychat.protocols.jsonl import verbs as json_verbs
from pychat.protocols.text import slash_commands as slash

DEADLINE = 10.0
"""Seconds after which a test fails that would wait for ever."""

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
HOOKS = [name for name, value in vars(Handler).items() if inspect.isfunction(value)]


def name_of(path: Path) -> str:
    """How a test names a page."""
    return str(path.relative_to(ROOT))


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text("utf-8")


def blocks(path: Path, kind: str) -> Iterator[str]:
    """The fenced blocks of a page whose opening line is exactly this."""
    for match in re.finditer(rf"^```{kind}\n(.*?)^```$", read(path), re.MULTILINE | re.DOTALL):
        yield match[1]


def section(path: Path, heading: str) -> str:
    """The text below a heading, up to the next one of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", read(path), re.MULTILINE | re.DOTALL)
    assert match, f"{name_of(path)} has no section {heading!r}"
    return match[1]


def first_column(table: str) -> list[str]:
    """What stands in backquotes at the beginning of the rows."""
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


# Code and links


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_python_compiles(path: Path) -> None:
    """Every block of Python is Python."""
    for kind in ("python", "python run"):
        for code in blocks(path, kind):
            compile(code, name_of(path), "exec")


@pytest.mark.parametrize("path", [path for path in PAGES if any(blocks(path, "python run"))], ids=name_of)
def test_python_runs(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks that are marked `run` run, one after the other, and every handler in them can be added to a chat."""
    names: dict[str, Any] = {}
    try:
        for code in blocks(path, "python run"):
            exec(compile(code, name_of(path), "exec"), names)  # our own pages
        for value in names.values():
            if isinstance(value, type) and issubclass(value, Handler):
                check_handler(value.__new__(value))
    finally:
        for value in names.values():
            if isinstance(value, ChatServer):
                value.stop()


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file that exists, and a heading of it if it has a fragment."""
    prose = re.sub(r"^```.*?^```$", "", read(path), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match("[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        page = (path.parent / file).resolve() if file else path
        assert page.exists(), f"{target} does not exist"
        if fragment:
            assert fragment in anchors(page), f"{target}: no such heading"


def test_what_pages_link_to_is_in_the_source_distribution() -> None:
    """Whoever has the source from an index finds every page and file that the pages name."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    included = [ROOT / each.removeprefix("/") for each in build["include"]]
    linked = {
        (path.parent / target.partition("#")[0]).resolve()
        for path in PAGES
        for target in re.findall(r"\]\(([^)\s#]+[^)\s]*)\)", read(path))
        if not re.match("[a-z]+:", target)
    }

    assert [file for file in sorted({*linked, *PAGES}) if not any(file.is_relative_to(each) for each in included)] == []


def anchors(path: Path) -> list[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", read(path), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("path", [*PAGES, *ROOT.glob("pychat/cli/*.py")], ids=name_of)
def test_nothing_installs_the_package_of_somebody_else(path: Path) -> None:
    """On the index, "pychat" is another project."""
    assert not re.search(r"\b(?:install|uvx|pipx run)(?: -\S+)* ['\"]?pychat\b(?!-server)", read(path))


# Handlers and limits


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_documented(hook: str) -> None:
    """Every hook has an entry with its parameters and an example that overrides it."""
    text = section(DOCS / "handlers.md", hook)
    parameters = ", ".join(Handler.__dict__[hook].__code__.co_varnames[1 : Handler.__dict__[hook].__code__.co_argcount])
    assert f"`{hook}({parameters})`" in text
    example = re.search(r"^```python run\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert example
    assert f"def {hook}(" in example[1]


def test_documented_hooks_exist() -> None:
    """There is no entry for a hook that does not exist."""
    assert re.findall(r"^### ([a-z_]+)$", read(DOCS / "handlers.md"), re.MULTILINE) == HOOKS


def test_limits_are_documented() -> None:
    """The table of limits has every field with its default."""
    rows = re.findall(r"^\| `(\w+)` \| ([0-9.]+) \|", section(DOCS / "architecture.md", "Limits"), re.MULTILINE)
    defaults = Limits()
    assert [name for name, _ in rows] == list(Limits.__dataclass_fields__)
    for name, value in rows:
        assert math.isclose(float(value), getattr(defaults, name)), name


def locks_in_source() -> set[str]:
    """Every attribute that is made a lock, with its class."""
    locks = set()
    for path in (ROOT / "pychat").rglob("*.py"):
        for kind in ast.walk(ast.parse(read(path))):
            if isinstance(kind, ast.ClassDef):
                made = re.findall(r"self\.(\w+) = threading\.(?:R?Lock|Condition)\(", ast.unparse(kind))
                locks |= {f"{kind.name}.{name}" for name in made}
    return locks


def test_locks_are_documented() -> None:
    """The architecture names every lock."""
    text = section(DOCS / "architecture.md", "Locks")
    assert {lock for lock in locks_in_source() if f"`{lock}`" not in text} == set()


# The protocol

PROTOCOL = DOCS / "protocol.md"


def test_client_types_are_documented() -> None:
    """The specification has every type that a server reads, and no other."""
    assert first_column(section(PROTOCOL, "What a client sends")) == list(json_verbs.REQUESTS.types)


def test_server_types_are_documented() -> None:
    """The specification has every type that a client reads, and no other; two are both an event and an answer."""
    rows = first_column(section(PROTOCOL, "What the server sends"))
    assert sorted(rows) == sorted([*json_items.ITEMS.types, "topic", "modes"])


def test_public_limits_are_documented() -> None:
    """The specification names all limits that a welcome has."""
    for name in json_values._PUBLIC_LIMITS:
        assert f"`{name}`" in section(PROTOCOL, "What the server sends")


def test_error_codes_are_documented() -> None:
    """The specification has exactly the codes of pychat."""
    rows = first_column(section(PROTOCOL, "Error codes"))
    assert rows == sorted(rows)
    assert set(rows) == CODES


class _Transcript:
    """Replays a transcript: what was different then, and may be, is bound to what it is now."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._peers: dict[str, tuple[socket.socket, TextIO]] = {}
        self._now: dict[str, str] = {}
        """Ids and tokens of the page, and what they are in this run."""
        self.types: set[str] = set()

    def step(self, line: str) -> None:
        """Do what a line says, or compare what comes with it."""
        name, _, rest = line.partition(" ")
        sign, _, text = rest.partition(" ")
        if sign == ">":
            for then, now in self._now.items():
                text = text.replace(then, now)
            self._peer(name)[0].sendall(text.encode() + b"\n")
        elif sign == "<":
            got = self._peer(name)[1].readline()
            self._compare(json.loads(text), json.loads(got), line)
        else:
            assert line == f"{name} x", line
            self._hang_up(name)

    def close(self) -> None:
        """Let everybody hang up."""
        for name in list(self._peers):
            self._hang_up(name)

    def _peer(self, name: str) -> tuple[socket.socket, TextIO]:
        if name not in self._peers:
            peer = socket.create_connection(("127.0.0.1", self._port), DEADLINE)
            self._peers[name] = (peer, peer.makefile("r", encoding="utf-8"))
        return self._peers[name]

    def _hang_up(self, name: str) -> None:
        for part in reversed(self._peers.pop(name)):
            part.close()

    def _compare(self, then: Any, now: Any, line: str, key: str = "") -> None:
        if then == "...":
            return
        assert type(then) is type(now), line
        if isinstance(then, dict):
            assert list(then) == list(now), line
            self.types.add(then.get("type", ""))
            for name, value in then.items():
                self._compare(value, now[name], line, name)
        elif isinstance(then, list):
            assert len(then) == len(now), line
            for one, other in zip(then, now, strict=True):
                self._compare(one, other, line)
        elif isinstance(then, str) and then.endswith(" ..."):
            assert now.startswith(then.removesuffix("...")), line
        elif key == "time":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now), line
        elif key == "idle":
            assert 0 <= now < DEADLINE, line
        elif key == "userhost":
            assert re.sub(r"\w+\.ip$", "", then) == re.sub(r"\w+\.ip$", "", now), line
        elif key in ("id", "next", "token") and len(then) > 8:
            assert self._now.setdefault(then, now) == now, line
        else:
            assert then == now, line

    def ids_in_order(self) -> bool:
        """Whether ids of this run sort like those of the page."""
        ids = {then: now for then, now in self._now.items() if re.fullmatch("[0-9a-f]{16}", then)}
        return sorted(ids.values()) == [ids[then] for then in sorted(ids)]


@pytest.mark.usefixtures("unprompted")
def test_transcript_replays() -> None:
    """A real server answers, line by line, what the transcript of the specification says."""
    (text,) = blocks(PROTOCOL, "transcript")
    handlers = [NicknameValidator(), JoinLeaveNotices(), Broadcast(), History(), Commands()]
    options: dict[str, Any] = {"motd": ["Be kind."], "operators": {"root": "sesame"}}
    with ChatServer(port=0, name="example", handlers=handlers, **options).start() as server:
        transcript = _Transcript(server.port)
        try:
            for line in text.splitlines():
                if line and not line.startswith("#"):
                    transcript.step(line)
        finally:
            transcript.close()
    assert transcript.ids_in_order()
    # What takes a minute of silence, or another handler, is not in it.
    assert set(json_items.ITEMS.types) - transcript.types == {"ping"}


# The command line


@pytest.mark.parametrize("info", list(options_of(cli)), ids=lambda info: f"{info.command}{info.option}")
def test_option_is_documented(info: OptionInfo) -> None:
    """Every option has a row, with its help, in the section of its command."""
    text = read(DOCS / "cli.md")
    if info.command:
        text = text.partition(f"## pychat {info.command}\n")[2]
    text = text.partition("\n## pychat ")[0]
    rows = [line for line in text.splitlines() if re.match(rf"\| `{info.option}[ `]", line)]
    assert len(rows) == 1
    assert rows[0].endswith(f"| {info.help} |")


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_named_options_exist(path: Path) -> None:
    """Whatever a page passes to `pychat COMMAND` is an option of it."""
    named = re.compile(r"\bpychat (serve|connect|send|tail|history|doctor)\b([^\n`\"|]*)")
    for command, arguments in named.findall(read(path)):
        known = {name for param in cli.commands[command].params for name in param.opts} | {"--help"}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", arguments)) <= known


def test_named_commands_exist() -> None:
    """The page of the command line has a section for each command, and no other."""
    named = re.findall(r"^## pychat (\w+)$", read(DOCS / "cli.md"), re.MULTILINE)
    assert named == list(cli.commands)
    assert all(isinstance(command, click.Command) for command in cli.commands.values())


def test_slash_commands_are_documented() -> None:
    """The quickstart has every slash command with its arguments and its other names."""
    text = section(DOCS / "quickstart.md", "What you can type")
    for command in slash.COMMANDS.values():
        row = next((line for line in text.splitlines() if line.startswith(f"| `{command.usage}` |")), "")
        assert row, f"{command.usage} is missing"
        for alias in command.aliases:
            assert f"`/{alias}`" in row
    assert len(re.findall(r"^\| `/[a-z]", text, re.MULTILINE)) == len(set(slash.COMMANDS.values()))


def test_items_have_a_type() -> None:
    """Every event and reply is written under a type that the specification has."""
    written = {shape.value for shape in json_items.ITEMS}

    assert written | set(replies.IRC_ONLY) == {*get_args(events.Event), *get_args(replies.Reply)}
    assert written & set(replies.IRC_ONLY) == set()


def test_every_event_is_a_public_name() -> None:
    """Handlers and bots get all of them."""
    assert {kind.__name__ for kind in get_args(events.Event)} <= set(pychat.__all__)


def test_what_holds_for_some_events_is_said_of_events() -> None:
    """Of those that there are, and what is never stored is not refused for that."""
    traits = (events.SAID, events.WITH_TEXT, events.NEVER_STORED)

    assert {kind for trait in traits for kind in trait} <= set(get_args(events.Event))
    assert set(events.NEVER_STORED) & set(events.WITH_TEXT) == set()
    assert {kind for kind in events.SAID if "text" in kind._fields} - set(events.NEVER_STORED) <= set(events.WITH_TEXT)


def test_modes_of_rooms_are_documented() -> None:
    """In the table of the protocol, for everybody who does not read about IRC."""
    (table,) = re.findall(r"\| Letter \| With \| Means \|\n((?:\|.*\n)+)", PROTOCOL.read_text())

    assert sorted(re.findall("`(.)`", "".join([row.split(" | ")[0] for row in table.splitlines()]))) == sorted(
        modes.ALL
    )
