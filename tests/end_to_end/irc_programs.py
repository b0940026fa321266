"""Real IRC clients as processes of their own, for the end-to-end tests: one interface, each driven as its users do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from chat_clients import DEADLINE, wait_until

BOTS = Path(__file__).with_name("irc_bots.py")


class IrcProgram(ABC):
    """
    An IRC client, started in a directory of its own, which is also its home.

    What a person would see is `heard()`; tests wait for lines in it, with words that come up nowhere else.
    """

    comes_back = True
    """Whether it connects again, and joins again, when it has lost the server. Others end."""

    def __init__(self, nickname: str, directory: Path) -> None:
        self.nickname = nickname
        self.directory = directory
        self._processes: list[subprocess.Popen[str]] = []

    @abstractmethod
    def start(self, port: int) -> None:
        """Start it, and wait until it is registered."""

    @abstractmethod
    def command(self, line: str) -> None:
        """Give it a line of its own language."""

    @abstractmethod
    def heard(self) -> str:
        """All that it has shown until now."""

    def join(self, channel: str) -> None:
        """Join a channel; return when it shows that it is in."""
        self.command(f"/join {channel}")
        self.wait_for(f"has joined {channel}")

    def say(self, target: str, text: str) -> None:
        """Say something in a channel, or to one person."""
        self.command(f"/msg {target} {text}")

    def set_nickname(self, nickname: str) -> None:
        """Change your nickname."""
        self.command(f"/nick {nickname}")

    def set_topic(self, channel: str, text: str) -> None:
        """Set the topic of a channel."""
        self.command(f"/topic {channel} {text}")

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        """Remove somebody from a channel."""
        self.command(f"/kick {channel} {nickname} {reason}")

    def quit(self, reason: str) -> None:
        """Leave the network, with a reason; the program ends."""
        self.command(f"/quit {reason}")

    def wait_for(self, *words: str) -> None:
        """Wait until it has shown a line with all of these."""

        def shown() -> bool:
            return any(all(word in line for word in words) for line in self.heard().splitlines())

        try:
            wait_until(shown, f"{words}")
        except AssertionError:
            pytest.fail(f"{type(self).__name__} did not show {words}, but:\n{self.heard()}")

    def wait_for_end(self) -> None:
        """Wait until the program has ended."""
        for process in self._processes:
            process.wait(DEADLINE)

    def close(self) -> None:
        """End what still runs."""
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(DEADLINE)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _run(self, *arguments: str, read: bool = False) -> subprocess.Popen[str]:
        """Start a program that knows nothing of its user's home and settings."""
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if read else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
            cwd=self.directory,
        )
        self._processes.append(process)
        return process

    def _environment(self) -> dict[str, str]:
        return {"HOME": str(self.directory), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm"}


class WeeChat(IrcProgram):
    """`weechat-headless`: commands go into the pipe of its plugin `fifo`, what it shows is in its logs."""

    options: tuple[str, ...] = ()
    """More of `/server add`."""

    def __init__(self, nickname: str, directory: Path) -> None:
        super().__init__(nickname, directory)
        self._pipe: IO[bytes] | None = None

    def start(self, port: int) -> None:
        added = f"/server add pychat 127.0.0.1/{port}"
        self._run(
            "weechat-headless",
            *("--dir", str(self.directory), "--plugins", "irc,fifo,logger", "--no-script"),
            *("--run-command", f"/set fifo.file.path {self.directory / 'fifo'}"),
            *("--run-command", "/set logger.file.flush_delay 0"),
            # It would send one command in 2 s, reconnect after 10, and leave out who comes and goes without a word.
            *("--run-command", " ".join([added, f"-nicks={self.nickname}", "-username=weechat", *self.options])),
            *("--run-command", "/set irc.server.pychat.autoreconnect_delay 1"),
            *("--run-command", "/set irc.server.pychat.anti_flood_prio_high 0"),
            *("--run-command", "/set irc.network.autoreconnect_delay_growing 1"),
            *("--run-command", "/set irc.look.smart_filter off"),
            *("--run-command", "/connect pychat"),
        )
        self.wait_for("Welcome to the ")

    def command(self, line: str) -> None:
        self._pipe = self._pipe or _open_pipe(self.directory / "fifo")
        self._pipe.write(f"irc.server.pychat *{line}\n".encode())

    def heard(self) -> str:
        return "".join(map(_read, self.directory.glob("logs/*.weechatlog")))

    def close(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        super().close()


class Irssi(IrcProgram):
    """`irssi` at a terminal, which is tmux's: a person types commands; what it shows is in its log."""

    tls = 'use_tls = "no";'
    sasl = ""

    def start(self, port: int) -> None:
        # It would send 5 commands at once and then one in 2.2 s, and reconnect after 5 minutes.
        (self.directory / "config").write_text(f"""
            servers = ({{ address = "127.0.0.1"; port = "{port}"; chatnet = "pychat"; {self.tls} }});
            chatnets = {{ pychat = {{ type = "IRC"; nick = "{self.nickname}"; {self.sasl} }}; }};
            settings = {{
              core = {{ server_reconnect_time = "1s"; }};
              "irc/core" = {{ cmds_max_at_once = "100"; cmd_queue_speed = "10msec"; }};
            }};
        """)
        (self.directory / "startup").write_text(f"/log open {self._log} ALL\n/connect pychat\n")
        self._tmux("new-session", "-d", "-x", "200", "-y", "50", "irssi", f"--home={self.directory}")
        self.wait_for("Welcome to the ")

    def command(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def heard(self) -> str:
        return _read(self._log) if self._log.exists() else ""

    def wait_for_end(self) -> None:
        wait_until(lambda: self._tmux("list-sessions", check=False) != 0, "irssi has ended")

    def close(self) -> None:
        self._tmux("kill-server", check=False)
        super().close()

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    def _tmux(self, *arguments: str, check: bool = True) -> int:
        command = ["tmux", "-u", "-S", str(self.directory / "tmux"), "-f", os.devnull, *arguments]
        done = subprocess.run(command, env=self._environment(), capture_output=True, check=check, timeout=DEADLINE)
        return done.returncode


class Ii(IrcProgram):
    """`ii`: a directory for each conversation, with a pipe to write into and a file to read."""

    comes_back = False

    def __init__(self, nickname: str, directory: Path) -> None:
        super().__init__(nickname, directory)
        self._pipes: dict[str, IO[bytes]] = {}

    def start(self, port: int) -> None:
        self._close_pipes()
        shown = self.heard().count("Welcome to the ")
        self._run("ii", "-s", "127.0.0.1", "-p", str(port), "-n", self.nickname, "-i", str(self.directory))
        wait_until(lambda: self.heard().count("Welcome to the ") > shown, "ii is registered")

    def command(self, line: str, channel: str = "") -> None:
        if channel not in self._pipes:
            self._pipes[channel] = _open_pipe(self._network / channel / "in")
        self._pipes[channel].write(f"{line}\n".encode())

    def heard(self) -> str:
        return "".join(map(_read, self._network.rglob("out")))

    def join(self, channel: str) -> None:
        self.command(f"/j {channel}")
        self.wait_for(f"has joined {channel}")

    def say(self, target: str, text: str) -> None:
        if target.startswith("#"):
            self.command(text, target)
        else:
            self.command(f"/j {target} {text}")

    def set_nickname(self, nickname: str) -> None:
        self.command(f"/n {nickname}")

    def set_topic(self, channel: str, text: str) -> None:
        self.command(f"/t {text}", channel)

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        self.command(f"/KICK {channel} {nickname} :{reason}")

    def quit(self, reason: str) -> None:
        self.command(f"/q {reason}")

    def close(self) -> None:
        self._close_pipes()
        super().close()

    @property
    def _network(self) -> Path:
        return self.directory / "127.0.0.1"

    def _close_pipes(self) -> None:
        for pipe in self._pipes.values():
            pipe.close()
        self._pipes.clear()


class PipedProgram(IrcProgram):
    """One that reads lines from its input, and writes lines to its output."""

    def __init__(self, nickname: str, directory: Path) -> None:
        super().__init__(nickname, directory)
        self._output: list[str] = []
        self._readers: list[threading.Thread] = []

    def command(self, line: str) -> None:
        stdin = self._processes[-1].stdin
        assert stdin is not None
        stdin.write(line + "\n")
        stdin.flush()

    def heard(self) -> str:
        return "".join(self._output)

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
        for reader in self._readers:
            reader.join(DEADLINE)
        super().close()

    def _run_in_pipes(self, *arguments: str) -> None:
        stdout = self._run(*arguments, read=True).stdout
        assert stdout is not None
        reader = threading.Thread(target=self._output.extend, args=(stdout,), daemon=True)
        self._readers.append(reader)
        reader.start()


class Sic(PipedProgram):
    """`sic`: little more than a socket with a prompt; what it does not know, it sends as it is."""

    comes_back = False

    def start(self, port: int) -> None:
        shown = self.heard().count("Welcome to the ")
        self._run_in_pipes("sic", "-h", "127.0.0.1", "-p", str(port), "-n", self.nickname)
        wait_until(lambda: self.heard().count("Welcome to the ") > shown, "sic is registered")

    def join(self, channel: str) -> None:
        self.command(f":j {channel}")
        self.wait_for(f" {channel})")  # of the list of names and its end

    def say(self, target: str, text: str) -> None:
        self.command(f":m {target} {text}")

    def set_nickname(self, nickname: str) -> None:
        self.command(f":NICK {nickname}")

    def set_topic(self, channel: str, text: str) -> None:
        self.command(f":TOPIC {channel} :{text}")

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        self.command(f":KICK {channel} {nickname} :{reason}")

    def quit(self, reason: str) -> None:
        self.command(f":QUIT :{reason}")


class Bot(PipedProgram):
    """A program that uses a Python library; it does what JSON lines say, and prints what happens."""

    library: str

    def start(self, port: int) -> None:
        self._run_in_pipes(sys.executable, str(BOTS), self.library, self.nickname, str(port))
        self.wait_for("is registered")

    def join(self, channel: str) -> None:
        self._do("join", channel)
        self.wait_for(f"has joined {channel}")

    def say(self, target: str, text: str) -> None:
        self._do("say", target, text)

    def set_nickname(self, nickname: str) -> None:
        self._do("set_nickname", nickname)

    def set_topic(self, channel: str, text: str) -> None:
        self._do("set_topic", channel, text)

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        self._do("kick", channel, nickname, reason)

    def quit(self, reason: str) -> None:
        self._do("quit", reason)

    def _do(self, *words: str) -> None:
        self.command(json.dumps(words))


class IrcBot(Bot):
    """The library `irc`."""

    library = "irc"


class PydleBot(Bot):
    """The library `pydle`."""

    library = "pydle"


class MiniircBot(Bot):
    """The library `miniirc`."""

    library = "miniirc"


IRC_PROGRAMS: list[type[IrcProgram]] = [WeeChat, Irssi, Ii, Sic, IrcBot, PydleBot, MiniircBot]


def _read(path: Path) -> str:
    """Return what a program has written to a file; it may be amid a character."""
    return path.read_text(errors="replace")


def _open_pipe(path: Path) -> IO[bytes]:
    """
    Open a named pipe for writing, when the program reads it.

    It should stay open: programs open it again at each end, and what is written in between is lost.
    """
    opened: list[int] = []

    def is_open() -> bool:
        with suppress(OSError):  # it is not there, or nobody reads it yet
            opened.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        return bool(opened)

    wait_until(is_open, f"{path} is read")
    return os.fdopen(opened[0], "wb", buffering=0)
