"""A network that does its worst, between a browser and the live server: what it does to each request a seed decides."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# What only the tablet's own calls meet; pages, scripts and the sign-in pass, for a browser loads them before it leaves.
MEANT = ("/sync", "/attachments/", "/tablet/me.json", "/pack.json")
FAULTS = ("drop", "delay", "duplicate", "cut", "500", "503", "portal", "sign-in", "truncate")
PORTAL = b"<!DOCTYPE html><html><body><h1>Welcome to Guest Wi-Fi</h1><form><button>Accept</button></form></body></html>"
HOP = {"connection", "keep-alive", "transfer-encoding", "proxy-connection", "content-length", "date", "server"}
Answer = tuple[int, list[tuple[str, str]], bytes]


class FaultProxy:
    """Passes requests on to `target`, or does to them what its plan says. One for each tablet, so that plans stay apart."""

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.met: Counter[str] = Counter()
        self._plan: random.Random | None = None
        self._share = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Listener(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://localhost:{self._server.server_port}"

    def begin(self, seed: str, share: float) -> None:
        """From now on do harm to this share of the requests, as the seed decides."""
        with self._lock:
            self._plan, self._share = random.Random(seed), share
            self._ended.clear()

    def end(self) -> None:
        """Pass everything on from now on; what is being held up goes on at once."""
        with self._lock:
            self._plan = None
            self._ended.set()

    def close(self) -> None:
        """Stop listening."""
        self.end()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fate(self, path: str) -> tuple[str, float]:
        """Return what happens to the next request, and a number between 0 and 1 that says how."""
        with self._lock:
            if self._plan is None or not any(part in path for part in MEANT):
                return "pass", 0.0
            # Both are drawn each time, so that the plan of the requests after this one does not hang on its fate.
            harmed, fault, how = self._plan.random() < self._share, self._plan.choice(FAULTS), self._plan.random()
            name = fault if harmed else "pass"
            self.met[name] += 1
            return name, how

    def wait(self, seconds: float) -> None:
        """Hold something up, until the faults end at the latest."""
        self._ended.wait(seconds)

    def ask(self, method: str, path: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        """Pass a request on and return the whole answer."""
        connection = http.client.HTTPConnection(self.target, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Connection", "close")
            if body or method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away is what this is about."""


def _handler(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_what: object) -> None:
            pass

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP]
            fault, how = proxy.fate(self.path)

            def ask() -> Answer:
                return proxy.ask(self.command, self.path, headers, body)

            treatment: Callable[[], Answer | None] = {
                "pass": ask,
                "drop": lambda: None,
                "delay": lambda: self._late(ask, how),
                "duplicate": lambda: self._twice(ask, how),
                "cut": lambda: self._unheard(ask),
                "500": lambda: (500, [("Content-Type", "text/html")], b"<h1>Internal Server Error</h1>"),
                "503": lambda: (503, [("Content-Type", "application/json"), ("Retry-After", "1")], b'{"status":503}'),
                "portal": lambda: (200, [("Content-Type", "text/html; charset=utf-8")], PORTAL),
                "sign-in": lambda: (302, [("Location", "/sign-in?next=/tablet"), ("Content-Type", "text/html")], b""),
                "truncate": lambda: self._half(ask(), how),
            }[fault]
            with suppress(OSError, http.client.HTTPException):
                answer = treatment()
                if answer is None:
                    self._reset()
                else:
                    self._say(*answer)

        do_GET = do_POST = do_PUT = do_HEAD = _handle

        def _late(self, ask: Callable[[], Answer], how: float) -> Answer:
            """Hold up the request or its answer: others overtake it."""
            if how < 0.5:
                proxy.wait(how / 5)
                return ask()
            answer = ask()
            proxy.wait((how - 0.5) / 5)
            return answer

        def _twice(self, ask: Callable[[], Answer], how: float) -> Answer:
            """Let the server get it twice, at once or one after the other; the browser hears one of the answers."""
            if how < 0.5:
                first, second = ask(), ask()
                return first if how < 0.25 else second

            def again() -> None:
                with suppress(OSError, http.client.HTTPException):
                    ask()

            other = threading.Thread(target=again)
            other.start()
            answer = ask()
            other.join()
            return answer

        def _unheard(self, ask: Callable[[], Answer]) -> None:
            """The server has done it; the browser never hears."""
            ask()

        def _half(self, answer: Answer, how: float) -> Answer:
            status, headers, body = answer
            kept = [(name, value) for name, value in headers if name.lower() != "content-encoding"]
            return status, kept, body[: int(len(body) * how)]

        def _reset(self) -> None:
            """Close as a dead link does, without a word."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def _say(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in HOP:
                    self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD" and status not in (204, 304):
                self.wfile.write(body)

    return Handler
