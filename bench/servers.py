"""Programs under measurement: started, watched (processor time, memory), stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Running:
    """A server and all its workers."""

    process: subprocess.Popen[bytes]
    url: str
    first_answer_seconds: float

    def pids(self) -> list[int]:
        """The server's process and all below it."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    after = (entry / "stat").read_text().rpartition(")")[2].split()
                    children.setdefault(int(after[1]), []).append(int(entry.name))
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += children.get(pid, [])
        return found

    def cpu_seconds(self) -> float:
        """Processor time used so far by server and workers, those that have ended included."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += int(after[11]) + int(after[12])
                if pid == self.process.pid:
                    total += int(after[13]) + int(after[14])
        return total / TICK

    def settled_memory_mb(self, seconds: float = 20) -> float:
        """Memory once it has stopped changing: two looks in a row that agree to half a megabyte."""
        until, before, memory = time.monotonic() + seconds, -1.0, self.memory_mb()
        while abs(memory - before) > 0.5 and time.monotonic() < until and not ended(self.process, 0.5):
            before, memory = memory, self.memory_mb()
        return memory

    def memory_mb(self) -> float:
        """Memory of server and workers; what they share is counted once."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total / 1024


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the process to end, at most that long, and say whether it has: looking again is not waiting blindly."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.poll() is not None


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(arguments: list[str], path: str, environment: dict[str, str], log: Path) -> Iterator[Running]:
    """Start a program (`{port}` in its arguments is filled in), wait for its first good answer, stop it at the end."""
    port = free_port()
    begun = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, *(argument.replace("{port}", str(port)) for argument in arguments)],
            cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=out,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            if ended(process, 0):
                raise RuntimeError(f"the server did not start; see {log}")
            with (
                contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
                urllib.request.urlopen(url + path, timeout=5) as answer,  # noqa: S310 - our own address
            ):
                if answer.status == 200:
                    break
            if time.perf_counter() - begun > 120:
                raise RuntimeError(f"the server does not answer; see {log}")
            ended(process, 0.02)
        yield Running(process, url, time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
