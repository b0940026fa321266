"""The file of a Unix socket: whose it is, who may use it, and when one that is there already is replaced."""

from __future__ import annotations

import errno
import os
import re
import socket
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pychat.transport.unix import SocketFile, check_free


def listener() -> socket.socket:
    """What will listen."""
    return socket.socket(socket.AF_UNIX)


def leave_dead_socket(path: Path) -> None:
    """As a server does that was killed."""
    with listener() as sock:
        sock.bind(str(path))
        sock.listen()


def test_owner_and_group_may_connect(tmp_path: Path) -> None:
    """Whatever the umask is; the others may not."""
    with listener() as sock:
        SocketFile(tmp_path / "s").listen(sock, 5)

        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    """A service has one that lets nobody in."""
    before = os.umask(umask)
    try:
        with listener() as sock:
            SocketFile(tmp_path / "s").listen(sock, 5)
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o660
    finally:
        os.umask(before)


class Swapped(socket.socket):
    """A socket whose file is replaced as soon as it is made, by somebody else who can write to the directory."""

    def __init__(self, swap: Callable[[Path], object]) -> None:
        super().__init__(socket.AF_UNIX)
        self.swap = swap

    def bind(self, address: str) -> None:  # type: ignore[override]  # a path, and nothing else
        super().bind(address)
        Path(address).unlink()
        self.swap(Path(address))


@pytest.mark.parametrize("by", ["symbolic link", "hard link", "file", "nothing"])
def test_what_is_put_in_its_place_keeps_its_mode(tmp_path: Path, by: str) -> None:
    """A file of the one who starts the server, to which the name leads by now, is for nobody else."""
    secret = tmp_path / "secret"
    secret.touch(0o600)
    swaps: dict[str, Callable[[Path], object]] = {
        "symbolic link": lambda path: path.symlink_to(secret),
        "hard link": lambda path: path.hardlink_to(secret),
        "file": lambda path: path.touch(0o600),
        "nothing": lambda path: None,
    }

    with Swapped(swaps[by]) as sock, pytest.raises(OSError, match=r"somebody else has replaced it|No such file"):
        SocketFile(tmp_path / "s").listen(sock, 5)

    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert not (tmp_path / "s").exists() or stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


def test_a_dead_socket_is_replaced(tmp_path: Path) -> None:
    """A server that was killed does not keep the next one from starting."""
    leave_dead_socket(tmp_path / "s")

    with listener() as sock, listener() as client:
        SocketFile(tmp_path / "s").listen(sock, 5)
        client.connect(str(tmp_path / "s"))


def test_one_that_is_in_use_is_not(tmp_path: Path) -> None:
    """Also if so many wait there that nobody else can."""
    with listener() as sock, listener() as other:
        SocketFile(tmp_path / "s").listen(sock, 0)
        with pytest.raises(OSError, match="in use") as caught:
            SocketFile(tmp_path / "s").listen(other, 5)
        with pytest.raises(OSError, match="in use"):
            check_free(tmp_path / "s")

    assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: path.symlink_to("elsewhere")])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A path may be mistyped."""
    make(tmp_path / "s")

    with listener() as sock, pytest.raises(OSError, match="it is not a socket") as caught:
        SocketFile(tmp_path / "s").listen(sock, 5)

    assert caught.value.errno == errno.EEXIST
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_only_ours_is_removed(tmp_path: Path) -> None:
    """When another server has taken the path, its file stays."""
    first, second = SocketFile(tmp_path / "s"), SocketFile(tmp_path / "s")
    with listener() as sock, listener() as other:
        first.listen(sock, 5)
        sock.shutdown(socket.SHUT_RDWR)
        second.listen(other, 5)
        first.remove()
        assert (tmp_path / "s").is_socket()

        second.remove()
        second.remove()
        assert not (tmp_path / "s").exists()


def test_of_many_that_find_a_dead_socket_one_gets_it(tmp_path: Path) -> None:
    """And whoever connects reaches that one: no two replace it one after the other."""
    leave_dead_socket(tmp_path / "s")
    start, winners, problems = threading.Barrier(8), list[int](), list[int | None]()
    sockets = [listener() for _ in range(8)]

    def take(number: int) -> None:
        start.wait()
        try:
            SocketFile(tmp_path / "s").listen(sockets[number], 64)
        except OSError as error:
            problems.append(error.errno)
        else:
            winners.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(winners) == 1
    assert problems == [errno.EADDRINUSE] * 7
    with listener() as client:
        client.connect(str(tmp_path / "s"))
        sockets[winners[0]].settimeout(10)
        sockets[winners[0]].accept()[0].close()
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("path", ["", "\0pychat"])
def test_a_name_without_permissions_is_refused(path: str) -> None:
    """An abstract socket could be used by everybody on the machine."""
    with pytest.raises(ValueError, match=re.escape(f"a Unix socket needs a path, not {path!r}")):
        SocketFile(path)
