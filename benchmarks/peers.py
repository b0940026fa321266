"""
The IRC servers in C and C++ that pychat is compared with, in Debian's packages: their configuration and command.

Everything that would delay or disconnect an honest fast sender is disabled or as large as possible: penalties, rates,
limits per address, queues. So are name lookups, and pings of members who are silent for less than an hour.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.errors import LoadError

_SYSTEM_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin")

_NGIRCD = """\
[Global]
Name = irc.benchmark.test
Info = benchmark
AdminEMail = nobody@benchmark.test
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = benchmark
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 30
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
IncludeDir = {directory}/included
"""
"""See ngircd.conf(5). 0 means no limit. The size of its queues cannot be set."""

_INSPIRCD = """\
<server name="irc.benchmark.test" description="benchmark" network="benchmark" id="001">
<admin name="nobody" nick="nobody" email="nobody@benchmark.test">
<path configdir="{directory}" datadir="{directory}" logdir="{directory}" runtimedir="{directory}">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="everybody" allow="*" timeout="600" pingfreq="1h" limit="1000000" localmax="1000000" globalmax="1000000"
 maxconnwarn="no" resolvehostnames="no" useident="no" fakelag="no" threshold="4000000" commandrate="4000000000"
 recvq="1G" softsendq="1G" hardsendq="1G">
<performance netbuffersize="{buffer_bytes}" somaxconn="1024" softlimit="1000000" clonesonconnect="no">
<options defaultmodes="nt" casemapping="ascii">
"""
"""
See the InspIRCd 3 documentation. Once `threshold` is reached, a command is delayed with fakelag, and the member is
disconnected without it: 4,000,000 commands per second, the largest number that its 32 bits (it counts thousandths) can
hold. `netbuffersize` is how much it reads at once: after a read that fills it, InspIRCd waits for its next timer; but
each command that it removes from its buffer moves the rest, so a smaller buffer can be faster. So two sizes are
measured.
"""


def _ngircd(directory: Path, port: int) -> list[str]:
    (directory / "included").mkdir()  # empty: otherwise it reads /etc/ngircd/ngircd.conf.d
    configuration = directory / "ngircd.conf"
    configuration.write_text(_NGIRCD.format(directory=directory, port=port))
    return [_find("ngircd"), "--nodaemon", "--config", str(configuration)]


def _inspircd(directory: Path, port: int, buffer_bytes: int) -> list[str]:
    configuration = directory / "inspircd.conf"
    configuration.write_text(_INSPIRCD.format(directory=directory, port=port, buffer_bytes=buffer_bytes))
    as_root = ["--runasroot"] if os.geteuid() == 0 else []  # ngIRCd becomes nobody by itself
    return [_find("inspircd"), "--nofork", "--nopid", "--nolog", *as_root, "--config", str(configuration)]


def _find(program: str) -> str:
    """Return the path of a program; servers may not be on PATH."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_DIRECTORIES))
    found = shutil.which(program, path=path)
    if found is None:
        raise LoadError(f"{program} is not installed (Debian: apt install {program})")
    return found


PEERS: dict[str, Callable[[Path, int], list[str]]] = {
    "ngircd": _ngircd,
    "inspircd": partial(_inspircd, buffer_bytes=10_240),  # its default
    "inspircd-64k": partial(_inspircd, buffer_bytes=65_534),  # its maximum
}
"""For each server, a function that writes its configuration for a port to a directory and returns its command."""
