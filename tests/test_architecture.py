"""The shape of the package: who imports whom, through which door third parties come in, where locks are."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import pychat
from pychat import Handler
from pychat.core.accounts.state import LoginState
from pychat.core.moderation.state import ServerBanState
from pychat.core.people.state import PeopleState, Person
from pychat.core.rooms.state import RoomState

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pychat"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {"version": 0, "renamed": 0, "model": 0, "core": 1, "handlers": 2, "protocols": 2, "transport": 3, "stores": 3}
LAYERS |= {"client": 4, "server": 5, "bot": 5, "testing": 5}
TOP = 6
"""What is not named above: the command line, the terminal and what serves them."""

PLUGIN = ROOT / "pytest_pychat.py"
"""What pytest loads; it lies beside the package, so that loading it imports nothing of that."""

DOORS = {"click", "prompt_toolkit", "precis_i18n", "confusable_homoglyphs", "pytest"}
NOT_LOADED = {
    *DOORS,
    "asyncio",
    "pychat.cli",
    "pychat.terminal",
    "pychat.testing",
    "ssl",
    "http",
    "sqlite3",
    "multiprocessing",
}


def layer_of(module: str) -> int:
    """How high a module of the package is; it may import what is not higher."""
    parts = module.split(".")
    return LAYERS.get(parts[1], TOP) if len(parts) > 1 else TOP


def name_of(path: Path) -> str:
    """The dotted name of a module of the package."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text())


@pytest.fixture(scope="module", autouse=True)
def forget_trees() -> Iterator[None]:
    """The garbage collector walks through all of them as long as there are any."""
    yield
    tree_of.cache_clear()


@cache
def imports(path: Path) -> frozenset[str]:
    """The modules that a file imports anywhere, also inside of functions, but not for type checkers only."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    tree = tree_of(path)
    unreal = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in unreal:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_down(path: Path) -> None:
    """cli, terminal -> server, bot -> client -> transport, stores -> protocols, handlers -> core -> model."""
    module = name_of(path)
    if module == "pychat":
        return  # the public names
    for imported in imports(path):
        if imported == "pychat":  # __version__ and the public names are at the top
            assert layer_of(module) == TOP, f"{module} imports the package itself"
        elif imported.startswith("pychat."):
            assert layer_of(imported) <= layer_of(module), f"{module} imports {imported}"


@pytest.mark.parametrize(
    ("folder", "may"),
    [
        ("model", {"model", "renamed"}),
        ("protocols", {"model", "protocols", "version"}),
        ("handlers", {"model", "core", "handlers"}),
        ("client", {"model", "protocols", "client", "transport"}),
        ("stores", {"model", "core", "stores"}),
    ],
)
def test_languages_and_clients_know_only_the_model(folder: str, may: set[str]) -> None:
    """What somebody says and hears is values; state, rules and threads are behind them."""
    for path in (PACKAGE / folder).rglob("*.py"):
        for imported in imports(path):
            if imported.startswith("pychat."):
                assert imported.split(".")[1] in may, f"{name_of(path)} imports {imported}"


TOPICS = {"log": 0, "people": 1, "rooms": 2, "messages": 3, "history": 3, "moderation": 4, "accounts": 5}
"""The folders of `core/`; each may import what is lower. Modules beside them are for all."""


def test_topics_of_the_core_point_one_way() -> None:
    """A member of a room is a person; whose account it is, is known above."""
    for path in (PACKAGE / "core").rglob("*.py"):
        level = TOPICS.get(path.parent.name)
        for imported in imports(path):
            topic = [*imported.split("."), ""][2] if imported.startswith("pychat.core.") else ""
            if level is not None and topic in TOPICS and topic != path.parent.name:
                assert TOPICS[topic] < level, f"{name_of(path)} imports {imported}"


def test_a_public_class_has_a_name_of_its_own() -> None:
    """One word, one thing: whoever searches for a class finds one."""
    where: dict[str, list[str]] = {}
    for folder in ("model", "core", "protocols", "transport", "stores", "client"):
        for path in (PACKAGE / folder).rglob("*.py"):
            for node in tree_of(path).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    where.setdefault(node.name, []).append(name_of(path))

    assert {name: modules for name, modules in where.items() if len(modules) > 1} == {}


def test_every_file_that_is_named_is_there() -> None:
    """Paths in docs, docstrings and comments; from the root, the package, the folder of the file or one above it."""

    def folders(file: Path) -> list[Path]:
        """In which the names of this file may be meant."""
        return [PACKAGE, ROOT / "docs", ROOT / "tests", *[ROOT / parent for parent in file.relative_to(ROOT).parents]]

    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*")]
    files = [*pages, *MODULES, *(ROOT / "tests").rglob("*.py")]
    missing = {
        (str(file.relative_to(ROOT)), named)
        for file in files
        if file.suffix in {".md", ".py"}
        for named in re.findall(r"`([\w/]+\.(?:py|md))(?:::\w+)?`", file.read_text())
        if not any((folder / named).exists() for folder in folders(file))
        and not ("/" not in named and any(path.name == named for path in MODULES))
    }

    assert missing == set()


def test_each_third_party_package_has_one_door() -> None:
    """So that it can be replaced, and so that it is clear who pays for it."""
    doors: dict[str, list[str]] = {}
    for path in [*MODULES, PLUGIN]:
        for top in {imported.partition(".")[0] for imported in imports(path)}:
            if top not in sys.stdlib_module_names and top != "pychat":
                doors.setdefault(top, []).append(name_of(path))

    assert doors.keys() <= DOORS
    assert {package: modules for package, modules in doors.items() if len(modules) > 1} == {}
    assert doors["precis_i18n"] == doors["confusable_homoglyphs"] == ["pychat.model.names"]
    assert doors["pytest"] == ["pytest_pychat"]


def test_one_module_knows_sqlite() -> None:
    """Everything else of the stores could be over another database."""
    assert [name_of(path) for path in MODULES if "sqlite3" in imports(path)] == ["pychat.stores.sqlite.database"]


def test_handlers_ask_the_chat_what_time_it_is() -> None:
    """So that whoever tests them needs not wait."""
    for path in (PACKAGE / "handlers").glob("*.py"):
        assert {"time", "datetime"}.isdisjoint(imports(path)), path


def test_tls_has_one_door() -> None:
    """What two threads may not do with ssl is watched over in one place; `import pychat` does not load it."""
    assert [name_of(path) for path in MODULES if "ssl" in imports(path)] == ["pychat.transport.tls"]


def test_core_knows_no_sockets() -> None:
    """State and rules; no bytes on a wire, no process, no file."""
    for path in [*(PACKAGE / "core").rglob("*.py"), *(PACKAGE / "model").rglob("*.py")]:
        assert {"socket", "select", "selectors", "socketserver", "subprocess", "os", "io"}.isdisjoint(imports(path))


def test_protocols_know_neither_socket_nor_thread() -> None:
    """Sans-I/O: every edge case is a test of bytes in, verbs out."""
    for path in (PACKAGE / "protocols").rglob("*.py"):
        assert {"socket", "select", "selectors", "threading", "logging", "asyncio"}.isdisjoint(imports(path)), path


def test_a_client_loads_nothing_of_the_core() -> None:
    """A program that only connects does not pay for a server."""
    assert [
        name for name in loaded_by("import pychat.client") if name.startswith(("pychat.core", "pychat.server"))
    ] == []


def test_import_pychat_loads_only_what_a_server_needs() -> None:
    """In a fresh interpreter: no command line, no terminal, no tables of Unicode, no asyncio."""
    loaded = loaded_by("from pychat import *")

    assert "pychat.server" in loaded
    assert loaded & NOT_LOADED == set()


@pytest.mark.parametrize("statement", ["from pychat import ChatClient", "import pychat.cli, pychat.terminal"])
def test_a_client_loads_no_server(statement: str) -> None:
    """Who types `pychat connect` waits for all that is loaded."""
    loaded = loaded_by(statement)

    assert "pychat.client" in loaded
    assert loaded & {"pychat.server", "pychat.core.chat", "pychat.protocols.irc", "pychat.stores", "sqlite3"} == set()


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_type_checkers_know_the_same_public_names() -> None:
    """They read the imports, and programs get the names by a table."""
    known = {
        name.asname or name.name: node.module
        for block in tree_of(PACKAGE / "__init__.py").body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }

    assert known == pychat._WHERE


def test_public_names_are_where_they_are_said_to_be() -> None:
    """They are imported on first use; others are no names of the package."""
    assert [name for name in pychat.__all__ if not hasattr(pychat, name)] == []
    assert set(pychat.__all__) <= set(dir(pychat))
    with pytest.raises(AttributeError, match=r"^module 'pychat' has no attribute 'Chatserver'$"):
        pychat.Chatserver  # type: ignore[attr-defined]  # noqa: B018  # misspelt, that is the point


def test_a_lock_is_made_where_a_comment_says_what_it_guards() -> None:
    """Each lock has its comment right before it."""
    made = re.compile(r"threading\.(?:R?Lock|Condition)\(")
    found = 0
    for path in MODULES:
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if made.search(line):
                found += 1
                comment = " ".join(
                    text.strip()
                    for text in lines[max(0, number - 4) : number]
                    if text.strip().startswith(("#", '"""')) or text.strip().endswith('"""')
                )
                assert re.search("[Gg]uards|[Hh]eld|[Nn]othing", comment), f"{path}:{number + 1} {line.strip()}"
    assert found >= 4


def test_helpers_that_need_a_lock_are_called_under_one() -> None:
    """What ends in `_locked` is called inside of `with` a lock, or by a function that is called under one."""
    made = re.compile(r"self\.(\w+) = threading\.(?:R?Lock|Condition)\(")
    locks = {name for path in MODULES for name in made.findall(path.read_text())}
    for path in MODULES:
        tree = tree_of(path)
        allowed: set[ast.AST] = set()
        for node in ast.walk(tree):
            under = isinstance(node, ast.With) and any(
                (held := ast.unparse(item.context_expr)).rpartition(".")[2] in locks or ".change(" in held
                for item in node.items
            )
            if under or (isinstance(node, ast.FunctionDef) and re.fullmatch("apply_.*|.*_locked", node.name)):
                allowed.update(ast.walk(node))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr.endswith("_locked")
            ):
                assert node in allowed, f"{path}:{node.lineno} {ast.unparse(node)}"


HOLD_THE_LOCK = {
    "apply proposals": {"sequencer.propose"},
    "let newcomers act, as they are at that moment": {"accounts.hello._enter", "accounts.reclaim.regain"},
    "end a session, together with the events that tell of it": {
        *("chat.close", "chat.begin_disconnect", "rooms.membership.remove_everywhere")
    },
    "give events their positions": {
        *("order.change", "order.send", "order.flush", "order.say_all", "moderation.audit.note"),
        *("accounts.operators.announce", "accounts.operators.send_wallops"),
    },
    "subscribe a session": {"rooms.catch_up._go_live", "rooms.catch_up._bring_page"},
    "restore the state, and store it at the end": {"persistence.restore", "persistence.save_ends"},
    "change what only this server knows": {
        *("chat.add_handler", "chat.remove_handler", "chat.let_wait", "accounts.logins.changing"),
        "moderation.server_bans.arrive",
        *("accounts.authentication.attempt", "accounts.hello._log_in", "accounts.hello._take_over"),
        *("accounts.actions.become", "accounts.reclaim.end_old"),
    },
    "read several things at once": {
        *("chat.rooms", "chat.find", "chat.sessions", "chat.everybody", "chat.reservations", "chat.counts"),
        *("accounts.actions.register", "accounts.actions.change_password"),
        *("accounts.authentication._count_of", "messages.actions._addressed", "people.actions._candidates"),
        *("people.monitor.list_watched",),
    },
}
"""The functions of the core that hold the order lock, by what for; docs/architecture.md says more of them."""


def test_few_hold_the_order_lock() -> None:
    """All shared state changes where proposals are applied; these are the others, and there are no more of them."""
    found = set()
    for path in MODULES:
        if not path.is_relative_to(PACKAGE / "core"):
            continue
        for function in ast.walk(tree_of(path)):
            items = [
                ast.unparse(item.context_expr)
                for node in ast.walk(function)
                if isinstance(function, ast.FunctionDef) and isinstance(node, ast.With)
                for item in node.items
            ]
            own = path.name == "order.py" and "self.lock" in items
            if own or any(re.search(r"\border\.(lock$|change\()", item) for item in items):
                assert isinstance(function, ast.FunctionDef)
                found.add(f"{name_of(path).removeprefix('pychat.core.')}.{function.name}")

    assert found == set().union(*HOLD_THE_LOCK.values())


STATES = (LoginState, PeopleState, Person, RoomState, ServerBanState)
"""The classes of shared state."""
MUTATORS = {"add", "append", "clear", "discard", "pop", "popitem", "remove", "setdefault", "update"}


def changed_attributes(tree: ast.AST) -> Iterator[ast.Attribute]:
    """The attributes of other objects that code assigns, deletes, or changes by an item or a method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            found: ast.expr = node
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            found = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
            found = node.func.value
        else:
            continue
        while isinstance(found, ast.Subscript):
            found = found.value
        if isinstance(found, ast.Attribute) and ast.unparse(found.value) != "self":
            yield found


def test_only_changes_change_the_state() -> None:
    """So what holds between the parts of the state is kept in one place for each topic."""
    names = {"pinned", *[slot for state in STATES for slot in state.__slots__]}
    found = [
        f"{name_of(path)}: {ast.unparse(attribute)}"
        for path in MODULES
        if path.is_relative_to(PACKAGE / "core") and path.name not in ("changes.py", "rules.py")
        for attribute in changed_attributes(ast.parse(path.read_text()))
        if attribute.attr in names
    ]

    assert found == []


PLAIN = re.compile(
    r"""pychat\.model(\..*)?|__future__|collections.*|typing|math|pychat\.core\.(.*\.)?(changes|rules|state|outcome|permissions)
    |pychat\.core\.(people|rooms|moderation|accounts)|pychat\.core\.(people\.(directory|ignore|index)|log\.snapshots)""",
    re.VERBOSE,
)
"""What may be imported where state changes: values, state, and what only reads them."""


def test_where_the_state_changes_nothing_else_is_known() -> None:
    """No clock, chance, thread, session, room of a server, log, chat or handler, not even for types."""
    found = [
        f"{name_of(path)}: {module}"
        for path in MODULES
        if path.is_relative_to(PACKAGE / "core") and path.name in ("changes.py", "rules.py", "state.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names])
        if not PLAIN.fullmatch(module)
    ]

    assert found == []


def test_every_hook_is_documented() -> None:
    """docs/handlers.md has an entry for each."""
    text = (ROOT / "docs" / "handlers.md").read_text()
    hooks = [name for name, value in vars(Handler).items() if inspect.isfunction(value)]

    assert [hook for hook in hooks if hook not in text] == []


def lines_of_bodies(path: Path) -> Iterator[int]:
    """The lengths of the functions of a module, without their texts."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef):
            texts = [
                statement
                for statement in ast.walk(node)
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            ]
            numbers = {line for text in texts for line in range(text.lineno, (text.end_lineno or 0) + 1)}
            yield len(set(range(node.body[0].lineno, (node.end_lineno or 0) + 1)) - numbers)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    """A docstring each, and a size that can be read: more for one that only declares."""
    text = path.read_text()
    longest = max(lines_of_bodies(path), default=0)

    assert ast.get_docstring(tree_of(path))
    assert longest <= 50
    assert text.count("\n") <= (400 if longest > 6 else 550)


def test_a_folder_can_be_overlooked() -> None:
    """Whoever looks for something reads the names of the files in it."""
    modules = [path for path in MODULES if path.name != "__init__.py"]
    folders = {path.parent for path in modules}

    assert {
        name_of(folder): n for folder in folders if (n := sum(path.parent == folder for path in modules)) > 26
    } == {}


def test_windows_is_told_that_it_is_none_of_ours() -> None:
    """By one line that says what to do instead, before a module is missing of which nobody has heard."""
    code = "import sys; sys.platform = 'win32'; import pychat.cli"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert result.stderr.splitlines()[-1] == (
        "ImportError: pychat runs on POSIX systems only, such as Linux and macOS; on Windows, run it in WSL, or join a "
        "server with an IRC client such as HexChat, or with PuTTY"
    )
