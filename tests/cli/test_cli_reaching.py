"""Which server a command means: an address, options, variables and tables, and which of them counts."""

from __future__ import annotations

import pytest
from chat_clients import DEADLINE, Clients
from chat_programs import Programs, pychat

from pychat.cli.addresses import BadAddress, Target, check_host, parse_target

__all__ = ["pychat"]  # the fixture


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("chat.example", Target(None, "chat.example", None)),
        ("chat.example:6000", Target(None, "chat.example", 6000)),
        ("ann@chat.example", Target("ann", "chat.example", None)),
        ("ann@192.0.2.1:6000", Target("ann", "192.0.2.1", 6000)),
        ("::1", Target(None, "::1", None)),
        ("[::1]:6000", Target(None, "::1", 6000)),
        ("fe80::1%eth0", Target(None, "fe80::1%eth0", None)),
        ("ann@[::1]", Target("ann", "::1", None)),
        ("unix:/run/a@b:c", Target(None, "/run/a@b:c", None, is_unix=True)),
        ("ann@unix:chat.sock", Target("ann", "chat.sock", None, is_unix=True)),
    ],
)
def test_an_address_is_read(text: str, target: Target) -> None:
    """As people write it."""
    assert parse_target(text) == target


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not the address of a server; write HOST, HOST:PORT, NICK@HOST:PORT or unix:PATH"),
        ("unix:", "'unix:' is not the address of a server; write HOST, HOST:PORT, NICK@HOST:PORT or unix:PATH"),
        ("h:x", "'h:x' is not the address of a server; write HOST, HOST:PORT, NICK@HOST:PORT or unix:PATH"),
        ("http://h", "'http://h' is not the address of a server; write HOST, HOST:PORT, NICK@HOST:PORT or unix:PATH"),
        (
            "ircs://h:1",
            "'ircs://h:1' is not the address of a server; write HOST, HOST:PORT, NICK@HOST:PORT or unix:PATH",
        ),
        ("h:0", "there is no port 0; ports are 1 to 65535"),
        ("h:65536", "there is no port 65536; ports are 1 to 65535"),
        ("@h", "there is no nickname in '@h'; write it as NICK@HOST"),
    ],
)
def test_what_is_no_address_is_told(text: str, problem: str) -> None:
    """With what would be one."""
    with pytest.raises(BadAddress) as caught:
        parse_target(text)

    assert str(caught.value) == problem


def test_a_host_has_no_port() -> None:
    """Whoever writes one is told what to write; an address of IPv6 has colons, too."""
    check_host("::1")
    check_host("fe80::1")
    with pytest.raises(BadAddress) as caught:
        check_host("[::1]:6000")
    assert str(caught.value) == "'[::1]:6000' has a port in it; write: --host ::1 --port 6000"


def test_a_host_is_not_empty() -> None:
    """A variable of a shell that was never set does not let a server listen everywhere."""
    with pytest.raises(BadAddress) as caught:
        check_host("")
    assert str(caught.value) == "it is empty; give an address, or leave out --host"


def test_an_argument_names_the_server_and_the_nickname(pychat: Programs, clients: Clients) -> None:
    """Of `connect`, as of `tail` and `doctor`."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")

    result = pychat.run("connect", "-q", f"ann@127.0.0.1:{port}", input="hi\n")

    assert (result.returncode, result.stderr) == (0, "")
    assert (message := bob.next("message"))["nick"] == "ann", message
    pychat.change("pychat.cli.doctor", _ANSWER_SECONDS=DEADLINE)
    assert pychat.run("doctor", f"127.0.0.1:{port}").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["ann@h:1", "--nick", "bob"],
        ["h:1", "--port", "2"],
        ["h", "--host", "i"],
        ["unix:s", "--unix", "t"],
        ["unix:s", "--port", "2"],
    ],
)
def test_nothing_is_said_twice(pychat: Programs, arguments: list[str]) -> None:
    """Exit code 2: one of them would be ignored."""
    result = pychat.run("connect", *arguments)

    assert result.returncode == 2
    assert result.stderr.endswith(f"{arguments[0]!r} and {arguments[1]} name the same thing; leave out one of them\n")


def test_a_variable_is_for_all_that_connect(pychat: Programs, clients: Clients) -> None:
    """That of the command counts before it."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")

    assert pychat.run("send", "one", PYCHAT_PORT=str(port)).returncode == 0
    assert pychat.run("send", "two", PYCHAT_PORT="1", PYCHAT_SEND_PORT=str(port)).returncode == 0

    assert [bob.next("message")["text"] for _ in "ab"] == ["one", "two"]
    assert f"port = {port} " in pychat.run("config", "tail", PYCHAT_PORT=str(port)).stdout
    assert "# environment: PYCHAT_PORT" in pychat.run("config", "tail", PYCHAT_PORT=str(port)).stdout


def test_a_table_is_for_all_that_connect(pychat: Programs, clients: Clients) -> None:
    """That of the command counts before it; what is wrong in it is told with its line."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    file = pychat.directory / "c.toml"
    file.write_text(f"[client]\nport = {port}\n[tail]\nport = 1\n")

    assert pychat.run("send", "--config", "c.toml", "one").returncode == 0
    assert bob.next("message")["text"] == "one"
    assert pychat.run("tail", "--config", "c.toml").returncode == 3
    file.write_text("[client]\nport = 0\n")
    assert "(file: c.toml, line 2)" in pychat.run("send", "--config", "c.toml", "one").stderr
    file.write_text("[client]\nnick = 'ann'\n")
    assert "line 2: [client] has no option 'nick'" in pychat.run("send", "--config", "c.toml", "one").stderr


def test_the_nearest_place_counts(pychat: Programs, clients: Clients) -> None:
    """A socket in a file is not meant by whoever names a port; in the same file it is."""
    _, port = pychat.serve()
    bob = clients.json(("127.0.0.1", port), "bob")
    (pychat.directory / "c.toml").write_text("[client]\nunix = 'nowhere'\nport = 1\n")

    assert pychat.run("send", "--config", "c.toml", "--port", str(port), "one").returncode == 0
    assert bob.next("message")["text"] == "one"
    assert "the Unix socket 'nowhere'" in pychat.run("send", "--config", "c.toml", "two").stderr


def test_it_waits_for_a_server(pychat: Programs, clients: Clients) -> None:
    """It says so once on stderr, and comes in when there is one."""
    path = pychat.directory / "chat.sock"
    tail = pychat("tail", "--wait", "--unix", str(path))
    assert tail.stderr.read_line().endswith("; waiting for a server there")

    pychat("serve", "--unix", str(path)).stdout.read_until("Ctrl-C")
    done = pychat.run("send", "--wait", "--unix", str(path), "hi")

    assert done.returncode == 0
    assert tail.stdout.read_until("hi")[-1].endswith(": hi")
