"""Clients that ask over kept connections, as fast as the server answers, and write down how long each answer took."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit


@dataclass
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str]


@dataclass
class Request:
    """What to ask; `expect` is what a right answer has (checked for each one)."""

    path: str
    method: str = "GET"
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    contains: bytes = b""
    learn: Callable[[bytes], None] | None = None  # reads the answer, after the clock was stopped


class WrongAnswer(Exception):
    """The server did not answer what was expected: the figures would mean nothing."""


class Connection:
    """One client: a kept connection, its cookie or its token."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.cookie = self.token = ""
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: Request) -> Answer:
        """Send one request and read its answer; a connection the server has closed is opened anew."""
        lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        if self.cookie:
            lines.append(f"Cookie: {self.cookie}")
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        if request.method != "GET":
            lines += [f"Content-Length: {len(request.body)}", f"Content-Type: {request.content_type}"]
            lines += ["Sec-Fetch-Site: same-origin"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body
        for _ in range(2):
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(self.host, self.port, limit=1 << 22)
            try:
                self._writer.write(message)
                return await self._read()
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
        raise WrongAnswer(f"{request.path}: the server closes the connection")

    async def _read(self) -> Answer:
        assert self._reader is not None
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers, cookies = {}, []
        for line in head[1:]:
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
            if name.lower() == "set-cookie":
                cookies.append(value.split(";")[0])
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
                parts.append((await self._reader.readexactly(size + 2))[:-2])
            await self._reader.readexactly(2)
            body = b"".join(parts)
        else:
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(head[0].split()[1]), headers, body, cookies)

    async def sign_in(self, email: str, password: str) -> None:
        """Sign in as a person does: the page, its token, the form."""
        page = await self.ask(Request("/sign-in"))
        self.cookie = "; ".join(page.cookies)
        token = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', page.body)
        if token is None:
            raise WrongAnswer("/sign-in has no form")
        form = urlencode({"csrf_token": token.group(1).decode(), "email": email, "password": password}).encode()
        answer = await self.ask(Request("/sign-in", "POST", form, "application/x-www-form-urlencoded"))
        if answer.status not in (302, 303):
            raise WrongAnswer(f"{email} cannot sign in: {answer.status}")
        self.cookie = "; ".join(answer.cookies)

    def close(self) -> None:
        """Let go of the connection."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


@dataclass
class Timing:
    """How long answers took, in milliseconds, and how many came in a second."""

    times: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return len(self.times) / self.seconds

    def percentile(self, share: float) -> float:
        """The time within which that share of the answers came."""
        ordered = sorted(self.times)
        place = share * (len(ordered) - 1)  # between two answers in proportion, as numpy has it
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


Maker = Callable[[int, int], Request | None]


async def run(connections: list[Connection], make: Maker, seconds: float, faults: list[str] | None = None) -> Timing:
    """Let every connection ask what `make(client, number)` gives until the time is up, or it gives no more.

    A wrong answer ends it, unless `faults` is given: then it is written down there, and the client goes on.
    """
    times: list[float] = []
    begun = time.perf_counter()

    async def client(index: int, connection: Connection) -> None:
        number = 0
        while time.perf_counter() - begun < seconds:
            request = make(index, number)
            if request is None:
                return
            number += 1
            start = time.perf_counter()
            try:
                answer = await connection.ask(request)
                times.append((time.perf_counter() - start) * 1000)
                if answer.status != request.status or request.contains not in answer.body:
                    raise WrongAnswer(f"{request.method} {request.path}: {answer.status} {answer.body[:300]!r}")
                if request.learn is not None:
                    request.learn(answer.body)
            except WrongAnswer as wrong:
                if faults is None:
                    raise
                faults.append(str(wrong))

    async with asyncio.TaskGroup() as group:
        for index, connection in enumerate(connections):
            group.create_task(client(index, connection))
    return Timing(times, time.perf_counter() - begun)


def as_json(value: object) -> bytes:
    """A JSON body."""
    return json.dumps(value).encode()
