"""TLS on the command line: `pychat cert`, the options of `serve` and `connect`, and SIGHUP."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_clients import DEADLINE, Clients, Peer, wait_until
from chat_programs import CALLED, PYCHAT, Program, Programs, pychat
from chat_tls import TlsClients, certificate, new_certificate, secure

from pychat import Certificate
from pychat.cli.server.certificate import LOCAL_NAMES
from pychat.transport.tls import fingerprint_of

__all__ = ["certificate", "pychat"]  # the fixtures

Serve = Callable[..., tuple[Program, int]]
REFUSED = 4
NOT_CONNECTED = 3


@pytest.fixture
def serve(pychat: Programs, certificate: Certificate) -> Serve:
    """Return what starts a server with a certificate."""
    return lambda *options: pychat.serve(
        "--tls-cert", str(certificate.file), "--tls-key", str(certificate.key), *options
    )


def serve_tls_only(pychat: Programs, certificate: Certificate) -> tuple[list[str], int]:
    """Start a server that requires TLS; return how to join it, as it says, and its port."""
    files = ("--tls-cert", str(certificate.file), "--tls-key", str(certificate.key))
    listens, *lines = pychat("serve", "--port", "0", "--tls-required", *files).stdout.read_until("Ctrl-C")
    return lines, int(listens.partition(" port ")[2].partition(".")[0])


# pychat cert


def test_cert_makes_what_serve_and_connect_take(pychat: Programs) -> None:
    """Both commands that it prints work as they are, and the key is for nobody else."""
    (pychat.directory / "tls").mkdir()
    made = pychat.run("cert", "--out", "tls")
    lines = made.stdout.splitlines()
    shown = fingerprint_of(pychat.directory / "tls" / "cert.pem")

    assert made.returncode == 0
    names = ", ".join(LOCAL_NAMES)
    assert lines == [
        f"tls/cert.pem is a certificate for {names}, valid for 365 days; tls/key.pem is its secret key.",
        "Clients recognize your server by its SHA-256 fingerprint:",
        f"    {shown}",
        "Start a server with it:",
        f"    {CALLED} serve --tls-cert tls/cert.pem --tls-key tls/key.pem",
        "Join with:",
        f"    {CALLED} connect --nick NAME --tls-fingerprint {shown}",
    ]
    assert stat.S_IMODE((pychat.directory / "tls" / "key.pem").stat().st_mode) == 0o600
    _, port = pychat.serve(*lines[4].replace(CALLED, "pychat").split()[2:])
    joined = pychat.run(
        "connect",
        "--quiet",
        "--port",
        str(port),
        *lines[6].replace(CALLED, "pychat").replace("NAME", "ann").split()[2:],
        input="hi\n",
    )
    assert (joined.returncode, joined.stderr) == (0, "")


def test_cert_for_a_host_says_how_to_reach_it(pychat: Programs) -> None:
    """From elsewhere, so the server must listen everywhere."""
    lines = pychat.run("cert", "--host", "chat.example", "--host", "192.0.2.1", "--days", "30").stdout.splitlines()

    assert lines[0].startswith("cert.pem is a certificate for chat.example, 192.0.2.1, valid for 30 days; ")
    assert lines[4] == f"    {CALLED} serve --tls-cert cert.pem --tls-key key.pem --host 0.0.0.0"
    assert lines[6].startswith("    pychat connect --nick NAME --host chat.example --tls-fingerprint ")
    text = subprocess.run(
        ["openssl", "x509", "-in", pychat.directory / "cert.pem", "-noout", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "DNS:chat.example, IP Address:192.0.2.1" in text


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--host", "no name"], "'no name' is neither a host name nor an address"),
        (["--host", "a\nCN=b"], "'a\\nCN=b' is neither a host name nor an address"),
        (["--host", ""], "'' is neither a host name nor an address"),
        (["--out", "taken"], "'taken/key.pem' already exists; remove it, or name another directory with --out"),
        (["--out", "no"], "directory 'no' does not exist; create it first"),
        (["--out", "file/below"], "directory 'file/below' does not exist; create it first"),
        (["--out", "file"], "directory 'file' does not exist; create it first"),
    ],
)
def test_cert_says_what_is_wrong_and_leaves_no_file(pychat: Programs, arguments: list[str], problem: str) -> None:
    """In one line; nothing is overwritten."""
    (pychat.directory / "taken").mkdir()
    (pychat.directory / "taken" / "key.pem").write_text("mine")
    (pychat.directory / "file").touch()

    result = pychat.run("cert", *arguments)

    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"Error: {problem}\n")
    assert (pychat.directory / "taken" / "key.pem").read_text() == "mine"
    assert [path.name for path in pychat.directory.rglob("*.pem")] == ["key.pem"]


def test_cert_says_so_where_no_file_can_be_made(pychat: Programs) -> None:
    """Not even a temporary one; what it is called is known to nobody then."""
    limited = ["sh", "-c", 'ulimit -f 0 && exec "$@"', "sh", *PYCHAT, "cert"]

    result = subprocess.run(limited, env=pychat.environment, cwd=pychat.directory, capture_output=True, text=True)

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: cannot write a temporary file: No usable temporary directory found in ")


def test_cert_without_openssl_says_so(pychat: Programs) -> None:
    """It is the program that makes certificates."""
    result = pychat.run("cert", PATH=str(pychat.directory))

    assert result.returncode == 1
    assert result.stderr == "Error: the program openssl, which makes certificates, is not installed\n"


# pychat serve


def test_serve_says_how_to_join_over_tls(serve: Serve, certificate: Certificate) -> None:
    """Beside the ways without."""
    server, port = serve()
    shown = fingerprint_of(certificate.file)

    assert server.stdout.read_until("Ctrl-C") == [
        f"    {CALLED} connect --nick NAME --port {port}",
        f"    irssi -c 127.0.0.1 -p {port}",
        "or, encrypted with TLS:",
        f"    {CALLED} connect --nick NAME --port {port} --tls-fingerprint {shown}",
        f"    openssl s_client -quiet -connect 127.0.0.1:{port}",
        "In irssi, or any other IRC client without TLS, then type: /join #lobby",
        "Press Ctrl-C to stop it.",
    ]


def test_serve_with_tls_required_tells_no_other_way(pychat: Programs, certificate: Certificate) -> None:
    """They would be refused."""
    lines, port = serve_tls_only(pychat, certificate)

    assert lines == [
        f"    {CALLED} connect --nick NAME --port {port} --tls-fingerprint {fingerprint_of(certificate.file)}",
        f"    openssl s_client -quiet -connect 127.0.0.1:{port}",
        f"In irssi, type: /connect -tls 127.0.0.1 {port}, then: /join #lobby",
        "Press Ctrl-C to stop it.",
    ]
    refused = pychat.run("connect", "--port", str(port), "--nick", "ann")
    assert refused.returncode == REFUSED
    assert refused.stderr == "Error: this server requires TLS; add --tls, or --tls-fingerprint\n"


def test_a_certificate_that_cannot_be_used_is_one_line(pychat: Programs, certificate: Certificate) -> None:
    """At the start, not when somebody comes."""
    other = new_certificate(pychat.directory)

    result = pychat.run("serve", "--tls-cert", str(certificate.file), "--tls-key", str(other.key))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"Error: key '{other.key}': it does not belong to the certificate '{certificate.file}'\n"


@pytest.mark.parametrize("arguments", [["--tls-required"], ["--tls-key", "key.pem"]])
def test_tls_without_a_certificate_is_a_usage_error(pychat: Programs, arguments: list[str]) -> None:
    """With what to do next."""
    (pychat.directory / "key.pem").touch()

    result = pychat.run("serve", *arguments)

    assert result.returncode == 2
    problem = "--tls-key and --tls-required need --tls-cert; make a certificate with: pychat cert"
    assert result.stderr.endswith(f"Error: {problem}\n")


def test_a_key_that_everybody_can_read_is_warned_about(pychat: Programs) -> None:
    """It is no secret then."""
    files = new_certificate(pychat.directory)
    assert files.key is not None
    Path(files.key).chmod(0o644)
    server, _ = pychat.serve("--tls-cert", str(files.file), "--tls-key", str(files.key))

    assert server.stderr.read_line() == (
        f"warning: everybody on this machine can read the key in '{files.key}'; "
        "make it readable only for yourself: chmod 600"
    )


# SIGHUP


def test_sighup_reads_certificate_and_motd_again(pychat: Programs) -> None:
    """For those who come from now on; those who are there stay."""
    old, new = new_certificate(pychat.directory / "old"), new_certificate(pychat.directory / "new")
    motd = pychat.directory / "motd"
    motd.write_text("Be kind.\n")
    pychat.change("pychat.transport.greeting", PATIENT_SECONDS=DEADLINE)  # no prompt before the handshake
    server, port = pychat.serve("--tls-cert", str(old.file), "--tls-key", str(old.key), "--motd", str(motd))
    with TlsClients() as clients:
        ann = clients.text(("127.0.0.1", port), "ann")
        before = fingerprint_of(old.file)
        for source, target in zip(new, old, strict=True):
            shutil.copy(str(source), str(target))
        motd.write_text("Be brave.\n")

        server.signal(signal.SIGHUP)
        assert server.stderr.read_line().endswith(" INFO pychat: options and files were read again")

        after = pychat.run(
            *("connect", "--port", str(port), "--nick", "bob", "--tls-fingerprint", before), input="hello\n"
        )
        assert after.returncode == NOT_CONNECTED
        assert fingerprint_of(old.file) in after.stderr
        ann.send("/who\n")
        assert ann.read_line() == "-- in lobby: ann"
        carl = clients.add(secure(Peer(("127.0.0.1", port))))
        carl.send("carl\n/who\n")
        assert any("Be brave." in line for line in carl.read_until("-- in lobby: ann, carl"))

        Path(old.file).write_text("nonsense")
        server.signal(signal.SIGHUP)
        line = server.stderr.read_line()
        assert f" ERROR pychat: certificate '{old.file}': there is no certificate in PEM form in it; " in line
        assert line.endswith("; nothing was changed, and the earlier settings stay in use")
        ann.send("/who\n")
        assert ann.read_until("in lobby: ")[-1] == "-- in lobby: ann, carl"
        clients.text(("127.0.0.1", port), "dora")


def test_sighup_of_a_terminal_that_is_gone_ends_the_server(pychat: Programs, clients: Clients) -> None:
    """Who closes the window wants to end what runs in it; as before, everybody is told."""
    pychat.change("pychat.server", _STOP_SECONDS=DEADLINE)  # for the goodbye
    terminal, slave = pty.openpty()
    out, log = pychat.directory / "out", pychat.directory / "log"
    with out.open("w") as stdout, log.open("w") as stderr:
        process = subprocess.Popen(
            ["setsid", "--ctty", *PYCHAT, "serve", "--port", "0"],
            stdin=slave,
            stdout=stdout,
            stderr=stderr,
            env=pychat.environment,
            cwd=pychat.directory,
        )
    os.close(slave)
    try:
        wait_until(lambda: "Ctrl-C" in out.read_text(), "the server listens")
        ann = clients.text(("127.0.0.1", int(out.read_text().partition(" port ")[2].partition(".")[0])), "ann")
        process.send_signal(signal.SIGHUP)
        wait_until(lambda: "were read again" in log.read_text(), "the signal has arrived")
        ann.send("/who\n")
        assert ann.read_line() == "-- in lobby: ann"

        os.close(terminal)

        assert ann.read_until("goodbye")[-1] == "-- goodbye: the server is shutting down"
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait(DEADLINE)


# The clients


def test_connect_over_tls_as_each_option_says(pychat: Programs, serve: Serve, certificate: Certificate) -> None:
    """A fingerprint, or a file with the certificate; each of them means TLS."""
    _, port = serve()
    for number, trust in enumerate(
        [("--tls-fingerprint", fingerprint_of(certificate.file)), ("--tls-ca", str(certificate.file))]
    ):
        done = pychat.run("connect", "-q", "--port", str(port), "--nick", f"ann{number}", *trust, input="hello\n")
        assert (done.returncode, done.stderr) == (0, "")


def test_connect_names_the_fingerprint_that_nobody_vouches_for(
    pychat: Programs, serve: Serve, certificate: Certificate
) -> None:
    """One line, which says what to do if it is the right one."""
    _, port = serve()

    result = pychat.run("connect", "--port", str(port), "--nick", "ann", "--tls")

    assert result.returncode == NOT_CONNECTED
    assert result.stderr == (
        f"Error: cannot connect to 127.0.0.1 port {port}: its certificate is self-signed; "
        f"its fingerprint is {fingerprint_of(certificate.file)}; if that is your server's, add it with: "
        "--tls-fingerprint\n"
    )


def test_send_and_tail_speak_tls(pychat: Programs, certificate: Certificate) -> None:
    """With the same options, which a file can have, too."""
    _, port = serve_tls_only(pychat, certificate)
    shown = fingerprint_of(certificate.file)
    (pychat.directory / "pychat.toml").write_text(f"[tail]\ntls-fingerprint = {shown!r}\n")
    with TlsClients() as clients:
        ann = clients.text(("127.0.0.1", port), "ann")
        ann.send("begin\n")
        tail = pychat("tail", "--config", "pychat.toml", "--port", str(port), "--nick", "eye")
        tail.stdout.read_until("begin")

        done = pychat.run("send", "--port", str(port), "--nick", "ci", "--tls-ca", str(certificate.file), "built")

        assert (done.returncode, done.stderr) == (0, "")
        assert tail.stdout.read_until("built")[-1].endswith("ci: built")


@pytest.mark.parametrize(("command", "text"), [("connect", "9F:86"), ("send", ""), ("tail", "9F:86")])
def test_a_fingerprint_that_is_none_is_one_line(pychat: Programs, command: str, text: str) -> None:
    """Before anybody is talked to; an empty one, of a variable that nobody has set, does not mean: without TLS."""
    result = pychat.run(command, "--nick", "ann", "--tls-fingerprint", text, input="hi")

    problem = f"fingerprint {text!r}: a SHA-256 has 64 hexadecimal digits"
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"Error: Invalid value for '--tls-fingerprint': {problem}\n"


# pychat doctor


def test_doctor_looks_at_the_files_of_tls(pychat: Programs, certificate: Certificate) -> None:
    """Those that the environment and files name, for each command."""
    trusts = {f"PYCHAT_{command}_TLS_FINGERPRINT": fingerprint_of(certificate.file) for command in ("SEND", "TAIL")}

    result = pychat.run(
        "doctor",
        PYCHAT_SERVE_TLS_CERT=str(certificate.file),
        PYCHAT_SERVE_TLS_KEY=str(certificate.key),
        PYCHAT_CONNECT_TLS_CA=str(certificate.key),
        **trusts,
    )

    assert result.returncode == 1
    problem = "there is no certificate in PEM form in it"
    assert [line for line in result.stdout.splitlines() if line[9:].startswith("tls ")] == [
        f"ok       tls       pychat serve has the certificate with the fingerprint {fingerprint_of(certificate.file)}",
        f"wrong    tls       pychat connect: certificate '{certificate.key}': {problem}",
        "ok       tls       pychat send knows which server to trust",
        "ok       tls       pychat tail knows which server to trust",
    ]


def test_doctor_finds_a_server_that_wants_tls(pychat: Programs, certificate: Certificate) -> None:
    """It is not let in, and knows from the refusal that it is pychat."""
    _, port = serve_tls_only(pychat, certificate)
    pychat.change("pychat.cli.doctor", _ANSWER_SECONDS=DEADLINE)

    result = pychat.run("doctor", "--port", str(port))

    assert f"ok       port      a pychat server answers on 127.0.0.1 port {port}" in result.stdout.splitlines()
    fingerprint = fingerprint_of(certificate.file)
    assert result.stdout.splitlines()[-3:] == [
        "Join a server there with one of:",
        f"    {CALLED} connect --nick NAME --port {port} --tls-fingerprint {fingerprint}",
        f"    openssl s_client -quiet -connect 127.0.0.1:{port}",
    ]
