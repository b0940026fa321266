"""
Tools for testing programs that use a chat. With pytest, there are the fixtures `chat`, `chat_server` and `clock`.

docs/testing.md explains how to use them; the types are here. pytest loads `pytest_pychat.py`.
"""

from pychat.testing.clock import FakeClock
from pychat.testing.harness import ChatHarness, MakeChat, chat_servers
from pychat.testing.members import LocalMember, Member
from pychat.testing.network import Network
from pychat.testing.sockets import FaultySocket, Peer
from pychat.testing.waiting import DEADLINE, wait_until

__all__ = [
    "DEADLINE",
    "ChatHarness",
    "FakeClock",
    "FaultySocket",
    "LocalMember",
    "MakeChat",
    "Member",
    "Network",
    "Peer",
    "chat_servers",
    "wait_until",
]
