"""
A real browser, and a web page that tries everything to be heard in a chat.

The page is served under the name `evil.example`, which leads to this machine, and then the server of that page goes and
a chat server takes its port: that is what DNS rebinding comes to. From then on the browser lets the page send to the
chat whatever a page may send to its own server.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any, Final

from chat_clients import free_port

from pychat import Certificate

PATIENCE: Final = 120.0
"""Seconds that a browser may take: three of them at once, on a slow machine that also runs all other tests."""
NAME: Final = "evil.example"

IRC: Final = "NICK evil\r\nUSER e 0 * :e\r\nJOIN #lobby\r\nPRIVMSG #lobby :I am evil\r\n"
JSON: Final = '{"type":"hello","nick":"evil"}\r\n{"type":"say","text":"I am evil"}\r\n'
TEXT: Final = "evil\r\nI am evil\r\n"
BODIES: Final = [IRC, JSON, TEXT]

_FLAGS: Final = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-breakpad",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-features=HttpsUpgrades,LocalNetworkAccessChecks,Translate,OptimizationHints",
    "--no-first-run",
    "--no-proxy-server",
    "--ignore-certificate-errors",
    f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
]

_FRAMES: Final = "<!doctype html><title>both</title>{}"
_FRAME: Final = '<iframe src="{}"></iframe>'

_PAGE: Final = r"""<!doctype html><meta charset="utf-8"><title>evil</title>
<iframe name="sink"></iframe>
<script>
const {control, requests, bodies} = DATA;
const socket = location.origin.replace("http", "ws");
const answers = {};

async function ask(method, body) {
    const key = method + " " + (body || "").slice(0, 4);
    try { answers[key] = (await fetch("/", {method, body})).status; } catch (error) { answers[key] = String(error); }
}

function settled(object, ...events) {
    return new Promise(done => events.forEach(event => object.addEventListener(event, () => done(event))));
}

function added(name, properties) {
    const element = Object.assign(document.createElement(name), properties);
    const end = settled(element, "load", "error");
    document.body.append(element);
    return end;
}

async function submitted(enctype, method, fields) {
    const form = Object.assign(document.createElement("form"), {action: "/", method, enctype, target: "sink"});
    for (const [name, value] of fields) form.append(Object.assign(document.createElement("textarea"), {name, value}));
    document.body.append(form);
    const end = settled(document.querySelector("iframe"), "load", "error");
    form.submit();
    await end;
}

async function asked(method, body) {
    const request = new XMLHttpRequest();
    request.open(method, "/");
    const end = settled(request, "loadend");
    request.send(body);
    await end;
    answers["XMLHttpRequest " + method] = request.status;
}

async function quiet(promise) { try { await promise; } catch (error) {} }

async function attack() {
    await Promise.all(requests.map(([method, body]) => ask(method, body)));
    for (const text of bodies) {
        await Promise.all(["NICK", "USER", "JOIN", "hello", "evil"].map(method => asked(method, text)));
        for (const enctype of ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]) {
            await submitted(enctype, "post", [[text, text], ["x", text]]);
        }
        await submitted("", "get", [["x", text]]);
        navigator.sendBeacon("/", text);
        navigator.sendBeacon("/", new Blob([text], {type: "application/x-irc"}));
        await Promise.all([
            fetch("/", {method: "POST", mode: "no-cors", body: text}),
            fetch("/", {method: "NICK", keepalive: true, body: text}),
            fetch("/", {method: "NICK", headers: {NICK: "evil", evil: text.replaceAll("\r\n", " ")}, body: text}),
            fetch("/", {method: "NICK", headers: {"Content-Type": "x/evil", Accept: ":evil"}, body: text}),
            fetch("/" + encodeURIComponent("\r\n" + text), {method: "NICK", body: text}),
            fetch("/" + "x".repeat(5000), {method: "NICK", body: text}),
            fetch("/" + "x".repeat(100000), {method: "USER", body: text}),
            fetch("/", {method: "x".repeat(5000), body: text}),
            fetch("/", {method: "NICK", body: "\r\n".repeat(100000) + text}),
        ].map(quiet));
    }
    const events = new EventSource("/");
    await settled(events, "error");
    events.close();
    await settled(new WebSocket(socket + "/", ["NICK", "irc"]), "open", "error");
    await Promise.all(["img", "script", "iframe", "audio"].map(name => added(name, {src: "/NICK evil?" + name})));
    await added("link", {rel: "stylesheet", href: "/NICK evil"});
    await settled(new Worker("/NICK evil"), "error");
}

(async () => {
    await fetch(control + "loaded", {method: "POST", body: location.protocol});
    await fetch(control + "go");
    let error = null;
    try { await attack(); } catch (problem) { error = String(problem); }
    await fetch(control + "done", {method: "POST", body: JSON.stringify({error, answers})});
})();
</script>"""


class _Server(ThreadingHTTPServer):
    """Serves pages on a port of its own until it is closed; what a page reports is in `reports`."""

    daemon_threads = True
    page = ""

    def __init__(self, port: int = 0, tls: Certificate | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.reports: Queue[tuple[str, str]] = Queue()
        self.go = threading.Event()
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.file, tls.key)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser hangs up when it likes."""

    def stop(self) -> None:
        """Let the port be free."""
        self.go.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Answer(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        if self.path == "/go":
            self.server.go.wait(PATIENCE)
        self._answer(self.server.page)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer("")
        self.server.reports.put((self.path, body))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self, page: str) -> None:
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)


def _port_for_browsers() -> int:
    """Return a port that stays free when its server goes; 10080 is one that browsers do not connect to."""
    while (port := free_port()) == 10080:
        pass
    return port


class WebPage:
    """
    An evil page in a browser, once under `http:` and once under `https:`.

    When it is `loaded`, take the `ports`, let chat servers listen there, and `attack`.
    """

    def __init__(self, certificate: Certificate, requests: list[tuple[str, str | None]]) -> None:
        self._control = _Server()
        self._pages = [_Server(_port_for_browsers()), _Server(_port_for_browsers(), certificate)]
        self.ports = [page.server_address[1] for page in self._pages]
        self.url = f"http://127.0.0.1:{self._control.server_address[1]}/"
        data = {
            "control": self.url,
            "requests": requests,
            "bodies": BODIES,
        }
        for page in self._pages:
            page.page = _PAGE.replace("DATA", json.dumps(data), 1)
        urls = [f"{scheme}://{NAME}:{port}/" for scheme, port in zip(("http", "https"), self.ports, strict=True)]
        self._control.page = _FRAMES.format("".join(map(_FRAME.format, urls)))

    def leave_ports(self) -> None:
        """Wait until both are loaded, then serve them no more."""
        loaded = {self._report("/loaded") for _ in self._pages}
        assert loaded == {"http:", "https:"}
        for page in self._pages:
            page.stop()

    def attack(self) -> list[dict[str, Any]]:
        """Let both try everything; return what each reports."""
        self._control.go.set()
        return [json.loads(self._report("/done")) for _ in self._pages]

    def close(self) -> None:
        """Stop all servers; it does not matter which were stopped already."""
        for server in (*self._pages, self._control):
            if server.fileno() >= 0:
                server.stop()

    def _report(self, path: str) -> str:
        at, body = self._control.reports.get(timeout=PATIENCE)
        assert at == path
        return body


@contextmanager
def web_page(directory: Path, certificate: Certificate, requests: list[tuple[str, str | None]]) -> Iterator[WebPage]:
    """Run a browser with an evil page that will also make these requests, each a method and a body."""
    page = WebPage(certificate, requests)
    try:
        with (directory / "chromium.log").open("wb") as log:
            # A group of its own, because it starts many processes that shall end with it.
            browser = subprocess.Popen(
                ["chromium", *_FLAGS, f"--user-data-dir={directory / 'profile'}", page.url],
                env={**os.environ, "HOME": str(directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield page
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()
    finally:
        page.close()
