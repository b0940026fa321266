"""
For the tests of programs with a chat in them. With pytest, the fixtures `chat`, `chat_server` and `clock` are there.

docs/testing.md tells how to use them; the types are here. `pytest_pychat.py` is what pytest loads.
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
