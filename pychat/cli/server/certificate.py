"""
`pychat cert`: create a self-signed certificate, and explain how to use it.

The program `openssl` creates it. It is on nearly every system with Python, while a Python package for it would be a
dependency of some megabytes for a single command.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from pychat.cli.invocation import called_as
from pychat.model.errors import ChatError, no_directory
from pychat.transport.tls import fingerprint_of

CERTIFICATE: Final = "cert.pem"
KEY: Final = "key.pem"
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")
"""The names in a certificate if none are given."""

_NAME: Final = re.compile(r"(?:\*\.)?(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}")
_COMMON_NAME_CHARS: Final = 64
_SECONDS: Final = 30.0
_REQUEST: Final = """
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = {common_name}
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""
"""The content of the certificate, in full, because additions from the system's configuration would differ."""


class CannotCertify(ChatError):
    """The certificate cannot be created; `str(error)` says why and what to do."""


class Pair(NamedTuple):
    """The files that were created."""

    certificate: Path
    key: Path
    fingerprint: str


def make_certificate(hosts: Sequence[str], days: int, directory: Path) -> Pair:
    """
    Write a new certificate and its key, which only its owner can read, into a directory.

    Raises:
        CannotCertify: If the directory does not exist, a name is invalid, a file already exists or cannot be written,
            or openssl is missing.
    """
    names = ", ".join(map(_alternative_name, hosts))
    pair = Pair(directory / CERTIFICATE, directory / KEY, "")
    if not directory.is_dir():
        raise CannotCertify(no_directory(directory))
    for path in (pair.certificate, pair.key):
        if path.exists():  # checked before openssl runs in vain; `_write` never overwrites a file
            raise CannotCertify(f"{str(path)!r} already exists; remove it, or name another directory with --out")
    try:
        with TemporaryDirectory(prefix="pychat-cert-") as made_in:
            made = Path(made_in)
            (made / "request").write_text(_REQUEST.format(common_name=hosts[0][:_COMMON_NAME_CHARS], names=names))
            _run_openssl(made, days)
            _write(pair.key, (made / KEY).read_bytes(), 0o600)
            _write(pair.certificate, (made / CERTIFICATE).read_bytes(), 0o644)
    except OSError as error:
        # Without a name it was a temporary file or directory.
        what = "a temporary file" if error.filename is None else repr(error.filename)
        raise CannotCertify(f"cannot write {what}: {error.strerror or error}") from error
    return pair._replace(fingerprint=fingerprint_of(pair.certificate))


def how_to_use(pair: Pair, hosts: Sequence[str], days: int) -> list[str]:
    """Return the output of `pychat cert`."""
    certificate, key = shlex.quote(str(pair.certificate)), shlex.quote(str(pair.key))
    near = hosts[0] in LOCAL_NAMES
    where = "" if near else f" --host {hosts[0]}"
    return [
        f"{certificate} is a certificate for {', '.join(hosts)}, valid for {days} days; {key} is its secret key.",
        "Clients recognize your server by its SHA-256 fingerprint:",
        f"    {pair.fingerprint}",
        "Start a server with it:",
        f"    {called_as()} serve --tls-cert {certificate} --tls-key {key}{'' if near else ' --host 0.0.0.0'}",
        "Join with:",
        f"    {called_as() if near else 'pychat'} connect --nick NAME{where} --tls-fingerprint {pair.fingerprint}",
    ]


def _alternative_name(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        if not _NAME.fullmatch(host) or len(host) > 253:
            raise CannotCertify(f"{host!r} is neither a host name nor an address") from None
        return f"DNS:{host}"


def _run_openssl(directory: Path, days: int) -> None:
    command = ["openssl", "req", "-x509", "-config", "request", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-sha256", "-days", str(days)]
    command += ["-keyout", KEY, "-out", CERTIFICATE]
    try:
        done = subprocess.run(
            command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS
        )
    except FileNotFoundError:
        raise CannotCertify("the program openssl, which makes certificates, is not installed") from None
    except subprocess.TimeoutExpired:
        raise CannotCertify(f"the program openssl did not end within {_SECONDS:g} s") from None
    if done.returncode:
        raise CannotCertify(f"the program openssl failed: {done.stderr.strip() or done.returncode}")


def _write(path: Path, data: bytes, mode: int) -> None:
    """Create a file with its final mode from the beginning, so that it is never readable for more users."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
