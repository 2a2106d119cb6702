"""Kill -9 at any moment: after a restart every answered request's effect is there, and the chain verifies."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.worlds import Worlds

ROUNDS = 3
CLIENTS = 3
READY_SECONDS = 60


@dataclass
class Instance:
    """A program in processes of its own, reached by commands and over HTTP, which can be killed."""

    env: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> Any:
        """Run a command and return its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "certify", *words, "--json"],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, f"certify {' '.join(words)}: {done.stderr}"
        return json.loads(done.stdout)

    def start(self) -> None:
        """Start the server in a group of its own, and wait until it answers."""
        words = [
            sys.executable,
            "-m",
            "certify",
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--workers",
            "2",
        ]
        self.process = subprocess.Popen(
            words, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + READY_SECONDS
        pause = threading.Event()
        while time.monotonic() < until:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer,
            ):
                if answer.status == 200:
                    return
            pause.wait(0.1)
        pytest.fail(f"the server did not answer within {READY_SECONDS} seconds")

    def kill(self) -> None:
        """Kill every process of the server at once, without a word."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def call(self, method: str, path: str, token: str, body: Any = None) -> Any:
        """Send a call and return its JSON; raises OSError or HTTPException when no whole answer came."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server on loopback
            return json.loads(answer.read())


@dataclass
class Tablet:
    """A client that writes down what was acknowledged, and nothing else."""

    instance: Instance
    token: str
    survey: int
    places: list[tuple[int, str]]
    device: str = field(default_factory=lambda: str(uuid.uuid4()))
    acknowledged: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def work(self, stop: threading.Event) -> None:
        """Send notes one after the other until told to stop or until nobody answers."""
        while not stop.is_set():
            site, element = random.choice(self.places)
            text, op = f"note {uuid.uuid4()}", str(uuid.uuid4())
            entry = {
                "op": op,
                "site": site,
                "element": element,
                "field": "note",
                "value": text,
                "base": None,
                "at": "2030-01-01T10:00:00Z",
            }
            try:
                answer = self.instance.call(
                    "POST",
                    f"surveys/{self.survey}/sync",
                    self.token,
                    {"device": self.device, "since": 2**30, "ops": [entry]},
                )
            except urllib.error.HTTPError as refusal:
                self.refused.append(f"{refusal.code}: {refusal.read()[:300]!r}")
                return
            except (OSError, ValueError, http.client.HTTPException):
                return  # no whole answer, or one cut off half-way: nothing was promised
            for ack in answer["acks"]:
                assert ack["status"] in {"applied", "conflict"}, ack
                self.acknowledged[ack["op"]] = (site, element, text)


def made_instance(folder: Path, database_url: str) -> Instance:
    """Return an instance with the first three practices of the demo, the third of them being surveyed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {key: value for key, value in os.environ.items() if not key.startswith("CERTIFY_")}
    env |= {"CERTIFY_INSTANCE": str(folder / "instance"), "CERTIFY_DATABASE_URL": database_url}
    made = Instance(env, port)
    subprocess.run([sys.executable, "-m", "certify", "init"], env=env, check=True, capture_output=True, timeout=180)
    made.command("demo", "load", "--practices", "3")
    return made


@pytest.fixture
def instance(tmp_path: Path, database: str, worlds: Worlds) -> Iterator[Instance]:
    made = made_instance(tmp_path, worlds.empty_database(database))
    yield made
    made.kill()


def test_what_was_acknowledged_outlives_kill_9(instance: Instance) -> None:
    """Slow because real servers are started and killed; nothing smaller can show it."""
    case = instance.command("case", "list", "--state", "survey_in_progress")[0]
    surveyor = "surveyor4@demo.example"
    token = instance.command("token", "create", surveyor, "--name", "kill")["token"]
    checklist = instance.command("survey", "show", str(case["survey"]), "--as", surveyor)
    elements = [e["id"] for d in checklist["domains"] for s in d["standards"] for e in s["elements"]]
    sites = [s["id"] for s in checklist["sites"] if s["visited"]]
    chance = random.Random(7)
    tablets = [
        Tablet(instance, token, case["survey"], [(s, e) for s in sites for e in elements[n::CLIENTS]])
        for n in range(CLIENTS)
    ]
    for _round in range(ROUNDS):
        instance.start()
        stop = threading.Event()
        threads = [threading.Thread(target=tablet.work, args=(stop,)) for tablet in tablets]
        for thread in threads:
            thread.start()
        stop.wait(0.8 + chance.random())
        instance.kill()
        stop.set()
        for thread in threads:
            thread.join()
    assert [t.refused for t in tablets] == [[] for _ in tablets]

    instance.start()
    kept: dict[str, Any] = {}
    since = 0
    while True:
        answer = instance.call(
            "POST", f"surveys/{case['survey']}/sync", token, {"device": str(uuid.uuid4()), "since": since, "ops": []}
        )
        kept |= {change["op"]: (change["site"], change["element"], change["value"]) for change in answer["changes"]}
        last = max((change["seq"] for change in answer["changes"]), default=since)
        if last == since or last >= answer["seq"]:
            break
        since = last
    promised = {op: place for tablet in tablets for op, place in tablet.acknowledged.items()}
    assert len(promised) >= 10
    assert {op: kept.get(op) for op in promised} == promised
    assert instance.command("audit", "verify")["sound"] is True
