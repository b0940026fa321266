"""The plugin as other people have it: small test suites, run by a pytest of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

IMPORTS = """
import threading
import pytest
from pychat import Handler, Message, Refused
from pychat.handlers import Broadcast
from pychat.testing import wait_until
"""

FAILS = """
class Fails(Handler):
    def before_message(self, session, message):
        raise KeyError(message.text)
"""


DOCS = Path(__file__).parents[2] / "docs" / "testing.md"


def run(pytester: pytest.Pytester, tests: str, *arguments: str, apart: bool = False) -> pytest.RunResult:
    """Run tests, as strictly as can be; in a process of their own if they leave something behind."""
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config\n")
    pytester.makepyfile(IMPORTS + tests)
    start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
    return start("-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("without", [[], ["logging"], ["threadexception", "unraisableexception"]])
def test_the_fixtures_are_there(pytester: pytest.Pytester, without: list[str]) -> None:
    """Without a line of configuration, whatever other plugins are there."""
    result = run(
        pytester,
        """
def test_my_app(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    ann.say("hello")
    assert bob.next(Message).text == "hello"

class TestMore:
    def test_servers(self, chat_server, clock):
        one, other = chat_server(clock=clock), chat_server(handlers=[Broadcast()])
        assert one.port != other.port
        assert one.join("ann").nickname == other.session("ann").nickname
        one.server.stop()
""",
        *[word for name in without for word in ("-p", f"no:{name}")],
    )

    result.assert_outcomes(passed=2)


def test_the_fixtures_explain_themselves(pytester: pytest.Pytester) -> None:
    """`pytest --fixtures` shows what each is for."""
    result = run(pytester, "", "--fixtures")

    result.stdout.fnmatch_lines(
        [
            "chat_server -- *pytest_pychat.py:*",
            "    Return a function that starts chat servers, *",
            "chat -- *pytest_pychat.py:*",
            "    Run a chat server with the default handlers.",
            "clock -- *pytest_pychat.py:*",
            "    Return a clock that stands still until it is moved, *",
        ]
    )


def test_a_failing_assertion_is_readable(pytester: pytest.Pytester) -> None:
    """What was expected, what was heard; and nothing of pychat's inside."""
    result = run(
        pytester,
        """
def test_text(chat):
    ann, bob = chat.join("ann"), chat.join("bob")
    ann.say("hello")
    assert bob.next(Message).text == "goodbye"

def test_nothing_comes(chat_server):
    chat = chat_server()
    bob = chat.join("bob")
    bob.deadline = 0.1
    bob.received()
    chat.room().announce("tea")
    bob.members()  # whose answer comes behind it
    bob.next(Message)

def test_it_never_holds(chat_server):
    chat = chat_server()
    chat.deadline = 0.1
    chat.wait_until(lambda: False, "pigs fly")
""",
    )

    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "E       AssertionError: assert 'hello' == 'goodbye'",
            "E       TimeoutError: no Message within 0.1 s, but Notice(*text='tea')",
            "E       AssertionError: not within 0.1 s: pigs fly",
        ]
    )
    result.stdout.no_fnmatch_line("*members.py*")
    result.stdout.no_fnmatch_line("*waiting.py*")


def test_a_handler_that_fails_is_an_error(pytester: pytest.Pytester) -> None:
    """Although the test does not see it: with the traceback of the handler."""
    result = run(
        pytester,
        FAILS
        + """
def test_unnoticed(chat_server):
    ann = chat_server(handlers=[Fails(), Broadcast()]).join("ann")
    with pytest.raises(Refused):
        ann.say("oh")

def test_allowed(chat_server):
    chat = chat_server(handlers=[Fails(), Broadcast()])
    with pytest.raises(Refused):
        chat.join("ann").say("oh")
    assert "KeyError: 'oh'" in chat.errors.pop()

def test_others_do_not_care(chat):
    assert chat.errors == []
""",
    )

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_unnoticed*",
            "E*AssertionError: pychat has logged an error:",
            "E*handler hook Fails.before_message failed",
            "E*KeyError: 'oh'",
            "ERROR *::test_unnoticed*",
        ]
    )
    result.stdout.no_fnmatch_line("*leak_check.py*")


def test_a_thread_that_is_left_is_an_error(pytester: pytest.Pytester) -> None:
    """And it is told what it is doing."""
    result = run(
        pytester,
        """
gate = threading.Event()

class Waits(Handler):
    def on_join(self, session, room):
        gate.wait()

def test_leaves_a_thread(chat_server):
    chat = chat_server(handlers=[Waits()], deadline=0.5)
    chat.connect().send("ann\\n")
    wait_until(lambda: chat.room().members, "ann is in")
""",
        apart=True,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E*a thread of pychat is left: pychat-client", "E*in on_join", "E*gate.wait()"])


def test_the_plugin_can_be_turned_off(pytester: pytest.Pytester) -> None:
    """By its name, as every plugin."""
    result = run(pytester, "def test_my_app(chat): pass", "-p", "no:pychat")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'chat' not found"])


def test_fixtures_of_ones_own_come_first(pytester: pytest.Pytester) -> None:
    """Whoever has a `clock` or a `chat` already, keeps it."""
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef clock():\n    return 'my own'\n")

    run(pytester, "def test_clock(clock): assert clock == 'my own'").assert_outcomes(passed=1)


def test_a_suite_that_has_no_chat_does_not_pay_for_it(pytester: pytest.Pytester) -> None:
    """Of pychat nothing is imported, but the module of the fixtures."""
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            assert "pytest_pychat" in sys.modules
            assert [name for name in sys.modules if name.partition(".")[0] == "pychat"] == []
        """
    )

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


@pytest.mark.usefixtures("unprompted")  # a line that comes byte by byte
def test_the_documentation_tells_the_truth(pytester: pytest.Pytester) -> None:
    """All its examples together are a test suite that passes."""
    examples = re.findall(r"^```python test\n(.*?)^```$", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)

    result = run(pytester, "\n\n".join(examples))

    result.assert_outcomes(passed=sum(len(re.findall("^def test_", text, re.MULTILINE)) for text in examples))


def test_pytest_is_no_dependency() -> None:
    """`pychat.testing` works without it."""
    code = "import sys; sys.modules['pytest'] = None; import pychat.testing; print(pychat.testing.ChatHarness.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "ChatHarness\n"
