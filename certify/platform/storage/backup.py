"""A consistent copy of database, files, templates and settings while the program runs; either database can read it back.

The rows are one snapshot. A stored file is never changed and is written before the row that names it, so copying the
files after the snapshot was taken gives every file the rows speak of.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine

from certify.core.foundation.errors import Refusal
from certify.db import db, write_intent
from certify.platform.storage.instance import copy_own
from certify.platform.storage.rows import in_order, plain_row

FORMAT = 1
MANIFEST = "manifest.json"
MANIFEST_DIGEST = "manifest.sha256"
READING = 1 << 20


class BackupRefused(Refusal):
    """The copy cannot be made or is not to be trusted."""


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READING):
            found.update(block)
    return found.hexdigest()


def back_up(
    engine: Engine, instance: Path, target: Path, *, schema: str, at: datetime, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Write everything into `target`, which must not exist or be empty, and return the manifest.

    `instance` is the folder with the stored files, the program's own templates and its settings.

    Nothing lies at `target` until the copy is complete.

    Raises: BackupRefused.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BackupRefused(f"{target} is not an empty folder: name a new one for each backup.")
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        (partial / "tables").mkdir(parents=True)
        counts = _write_tables(engine, partial / "tables", progress)
        _copy_files(instance / "files", partial / "files", progress)
        progress(f"templates and settings: {len(copy_own(instance, partial))}")
        manifest = _write_manifest(partial, counts, schema=schema, at=at)
    except OSError as problem:
        shutil.rmtree(partial, ignore_errors=True)
        raise BackupRefused(f"The backup could not be written: {problem}.") from problem
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if target.exists():
        target.rmdir()
    os.replace(partial, target)
    return manifest


def read_snapshot(engine: Engine) -> Connection:
    """Return a connection whose reads all see the same moment; the caller closes it."""
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return connection


def _write_tables(engine: Engine, folder: Path, progress: Callable[[str], None]) -> dict[str, int]:
    counts: dict[str, int] = {}
    # Readers do not queue for the write lock of SQLite.
    intent = write_intent.set(False)
    try:
        with read_snapshot(engine) as connection:
            for table in db.metadata.sorted_tables:
                with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8") as out:
                    count = 0
                    for row in connection.execute(in_order(table)).mappings():
                        out.write(json.dumps(plain_row(row), ensure_ascii=False, separators=(",", ":")) + "\n")
                        count += 1
                counts[table.name] = count
                progress(f"{table.name}: {count}")
    finally:
        write_intent.reset(intent)
    return counts


def _copy_files(files: Path, target: Path, progress: Callable[[str], None]) -> None:
    target.mkdir()
    count = 0
    for path in sorted(files.rglob("*")) if files.is_dir() else ():
        if path.is_file() and len(path.name) == 64:
            copy = target / path.relative_to(files)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            if digest_of(copy) != path.name:
                raise BackupRefused(f"The stored file {path.name} is damaged: its content does not fit its name.")
            count += 1
    progress(f"files: {count}")


def _write_manifest(folder: Path, counts: dict[str, int], *, schema: str, at: datetime) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "schema": schema,
        "made_at": at.isoformat(),
        "rows": counts,
        "sha256": {
            path.relative_to(folder).as_posix(): digest_of(path) for path in sorted(folder.rglob("*")) if path.is_file()
        },
    }
    text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    (folder / MANIFEST_DIGEST).write_text(hashlib.sha256(text.encode()).hexdigest() + "\n", encoding="ascii")
    return manifest
