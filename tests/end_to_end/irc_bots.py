"""
Bots made with IRC libraries for Python: run it with the name of the library, a nickname and the port of a server.

Each reads its orders from standard input, one JSON array in a line (`["say", "#lobby", "hello"]`), and prints a line
for what happens to it. When the server is lost, it is looked for again, and the same channels are joined.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

HOST = "127.0.0.1"
PAUSE = 0.1
"""Seconds between two tries to reach the server again."""


def show(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


class Bot(ABC):
    """What each of them can be told to do."""

    def __init__(self, nickname: str, port: int) -> None:
        self.nickname = nickname
        self.port = port
        self.channels: list[str] = []

    @abstractmethod
    def run(self) -> None:
        """Connect, and go on until `quit`."""

    @abstractmethod
    def join(self, channel: str) -> None:
        """Join, now and after each reconnection."""

    @abstractmethod
    def say(self, target: str, text: str) -> None:
        """Say something in a channel, or to a person."""

    @abstractmethod
    def set_nickname(self, nickname: str) -> None:
        """Change your nickname."""

    @abstractmethod
    def set_topic(self, channel: str, text: str) -> None:
        """Set a topic."""

    @abstractmethod
    def kick(self, channel: str, nickname: str, reason: str) -> None:
        """Remove somebody."""

    @abstractmethod
    def quit(self, reason: str) -> None:
        """Leave, and end."""

    def obey(self) -> None:
        """Do what standard input says; in a thread of its own."""
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            getattr(self, name)(*arguments)


class IrcBot(Bot):
    """One of the library `irc`: callbacks in one thread, calls from any."""

    def run(self) -> None:
        from irc.bot import ExponentialBackoff, SingleServerIRCBot

        channels = self.channels

        class Client(SingleServerIRCBot):  # type: ignore[misc]  # the library has no types
            def on_welcome(self, connection: Any, event: Any) -> None:
                show(f"{connection.get_nickname()} is registered")
                for channel in channels:
                    connection.join(channel)

            def on_join(self, connection: Any, event: Any) -> None:
                show(f"{event.source.nick} has joined {event.target}")

            def on_pubmsg(self, connection: Any, event: Any) -> None:
                show(f"{event.source.nick} in {event.target}: {event.arguments[0]}")

            def on_privmsg(self, connection: Any, event: Any) -> None:
                show(f"{event.source.nick} in private: {event.arguments[0]}")

            def on_nick(self, connection: Any, event: Any) -> None:
                show(f"{event.source.nick} is now {event.target}")

            def on_topic(self, connection: Any, event: Any) -> None:
                show(f"{event.source.nick} has set the topic of {event.target}: {event.arguments[0]}")

            def on_currenttopic(self, connection: Any, event: Any) -> None:
                channel, topic = event.arguments
                show(f"the topic of {channel} is: {topic}")

            def on_kick(self, connection: Any, event: Any) -> None:
                kicked, reason = event.arguments
                show(f"{event.source.nick} has kicked {kicked} from {event.target}: {reason}")

        again = ExponentialBackoff(min_interval=PAUSE, max_interval=PAUSE)
        self._client = Client([(HOST, self.port)], self.nickname, self.nickname, recon=again)
        threading.Thread(target=self.obey, daemon=True).start()
        self._client.start()

    def join(self, channel: str) -> None:
        self.channels.append(channel)
        self._client.connection.join(channel)

    def say(self, target: str, text: str) -> None:
        self._client.connection.privmsg(target, text)

    def set_nickname(self, nickname: str) -> None:
        self._client.connection.nick(nickname)

    def set_topic(self, channel: str, text: str) -> None:
        self._client.connection.topic(channel, text)

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        self._client.connection.kick(channel, nickname, reason)

    def quit(self, reason: str) -> None:
        # In the thread of its callbacks, so that it ends that one.
        self._client.reactor.scheduler.execute_after(0, lambda: self._client.die(reason))


class PydleBot(Bot):
    """One of the library `pydle`: coroutines in one loop."""

    def run(self) -> None:
        import pydle

        channels = self.channels

        class Client(pydle.Client):  # type: ignore[misc]  # the library has no types
            async def on_connect(self) -> None:
                await super().on_connect()
                # Each line has a task of its own, and this one is sometimes ahead of the one that learns the nickname.
                while self.nickname == pydle.client.DEFAULT_NICKNAME:
                    await asyncio.sleep(PAUSE / 10)
                show(f"{self.nickname} is registered")
                for channel in channels:
                    await self.join(channel)

            async def on_disconnect(self, expected: bool) -> None:
                # Instead of its own way, which gives up when the first try is refused.
                while not expected and not self.connected:
                    await asyncio.sleep(PAUSE)
                    with suppress(OSError):
                        await self.connect(reconnect=True)

            async def on_join(self, channel: str, user: str) -> None:
                await super().on_join(channel, user)
                show(f"{user} has joined {channel}")

            async def on_channel_message(self, target: str, by: str, message: str) -> None:
                show(f"{by} in {target}: {message}")

            async def on_private_message(self, target: str, by: str, message: str) -> None:
                show(f"{by} in private: {message}")

            async def on_nick_change(self, old: str, new: str) -> None:
                show(f"{old} is now {new}")

            async def on_topic_change(self, channel: str, message: str, by: str) -> None:
                show(f"{by} has set the topic of {channel}: {message}")

            async def on_raw_332(self, message: Any) -> None:
                await super().on_raw_332(message)
                channel = message.params[1]
                show(f"the topic of {channel} is: {self.channels[channel]['topic']}")

            async def on_kick(self, channel: str, target: str, by: str, reason: str | None = None) -> None:
                show(f"{by} has kicked {target} from {channel}: {reason}")

        async def go() -> None:
            self._loop = asyncio.get_running_loop()
            self._done = asyncio.Event()
            self._client = Client(self.nickname)
            await self._client.connect(HOST, self.port)
            threading.Thread(target=self.obey, daemon=True).start()
            await self._done.wait()

        asyncio.run(go())

    def join(self, channel: str) -> None:
        self.channels.append(channel)
        self._do(self._client.join(channel))

    def say(self, target: str, text: str) -> None:
        self._do(self._client.message(target, text))

    def set_nickname(self, nickname: str) -> None:
        self._do(self._client.set_nickname(nickname))

    def set_topic(self, channel: str, text: str) -> None:
        self._do(self._client.set_topic(channel, text))

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        self._do(self._client.kick(channel, nickname, reason))

    def quit(self, reason: str) -> None:
        self._do(self._client.quit(reason))
        self._loop.call_soon_threadsafe(self._done.set)

    def _do(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


class MiniircBot(Bot):
    """One of the library `miniirc`: handlers in threads; one of them here, so that they keep the order."""

    def run(self) -> None:
        import miniirc

        client = miniirc.IRC(HOST, self.port, self.nickname, auto_connect=False, executor=ThreadPoolExecutor(1))
        self._client = client

        @client.Handler("001", colon=False)  # type: ignore[untyped-decorator]  # the library has no types
        def on_welcome(irc: Any, source: Any, words: list[str]) -> None:
            show(f"{irc.current_nick} is registered")

        @client.Handler("JOIN", colon=False)  # type: ignore[untyped-decorator]
        def on_join(irc: Any, source: Any, words: list[str]) -> None:
            show(f"{source[0]} has joined {words[0]}")

        @client.Handler("PRIVMSG", colon=False)  # type: ignore[untyped-decorator]
        def on_message(irc: Any, source: Any, words: list[str]) -> None:
            show(f"{source[0]} in {words[0]}: {words[1]}")

        @client.Handler("NICK", colon=False)  # type: ignore[untyped-decorator]
        def on_nick(irc: Any, source: Any, words: list[str]) -> None:
            show(f"{source[0]} is now {words[0]}")

        @client.Handler("TOPIC", colon=False)  # type: ignore[untyped-decorator]
        def on_topic(irc: Any, source: Any, words: list[str]) -> None:
            show(f"{source[0]} has set the topic of {words[0]}: {words[1]}")

        @client.Handler("332", colon=False)  # type: ignore[untyped-decorator]
        def on_current_topic(irc: Any, source: Any, words: list[str]) -> None:
            _, channel, topic = words
            show(f"the topic of {channel} is: {topic}")

        @client.Handler("KICK", colon=False)  # type: ignore[untyped-decorator]
        def on_kick(irc: Any, source: Any, words: list[str]) -> None:
            channel, kicked, reason = words
            show(f"{source[0]} has kicked {kicked} from {channel}: {reason}")

        client.connect()
        threading.Thread(target=self.obey, daemon=True).start()
        client.wait_until_disconnected()

    def join(self, channel: str) -> None:
        self._client.channels.add(channel)  # it joins them again by itself
        self._client.quote("JOIN", channel)

    def say(self, target: str, text: str) -> None:
        self._client.msg(target, text)

    def set_nickname(self, nickname: str) -> None:
        self._client.quote("NICK", nickname)

    def set_topic(self, channel: str, text: str) -> None:
        self._client.send("TOPIC", channel, text)

    def kick(self, channel: str, nickname: str, reason: str) -> None:
        self._client.send("KICK", channel, nickname, reason)

    def quit(self, reason: str) -> None:
        self._client.disconnect(reason)


BOTS: dict[str, Callable[[str, int], Bot]] = {"irc": IrcBot, "pydle": PydleBot, "miniirc": MiniircBot}

if __name__ == "__main__":
    library, nickname, port = sys.argv[1:]
    BOTS[library](nickname, int(port)).run()
