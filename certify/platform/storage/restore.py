"""Read a backup back into an empty database, after every byte of it was checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from certify.db import db
from certify.platform.storage.backup import FORMAT, MANIFEST, MANIFEST_DIGEST, BackupRefused, digest_of
from certify.platform.storage.operations import store
from certify.platform.storage.rows import BATCH, from_plain, points_to_itself


def checked_manifest(source: Path) -> dict[str, Any]:
    """Return the manifest of a backup that is whole.

    Raises: BackupRefused, naming the file that is missing, added or changed.
    """
    try:
        text = (source / MANIFEST).read_text(encoding="utf-8")
        expected = (source / MANIFEST_DIGEST).read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as missing:
        raise BackupRefused(f"{source} is not a backup: its {MANIFEST} cannot be read.") from missing
    if hashlib.sha256(text.encode()).hexdigest() != expected:
        raise BackupRefused(f"The backup is damaged: {MANIFEST} was changed.")
    manifest: dict[str, Any] = json.loads(text)
    if manifest["format"] != FORMAT:
        raise BackupRefused(f"The backup is of format {manifest['format']}, which this version does not read.")
    listed = set(manifest["sha256"])
    there = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    for name in sorted(listed - there):
        raise BackupRefused(f"The backup is damaged: {name} is missing.")
    for name in sorted(there - listed - {MANIFEST, MANIFEST_DIGEST}):
        raise BackupRefused(f"The backup is damaged: {name} does not belong to it.")
    for name in sorted(listed):
        if digest_of(source / name) != manifest["sha256"][name]:
            raise BackupRefused(f"The backup is damaged: {name} was changed.")
    return manifest


def holds_rows(session: Session) -> bool:
    """Whether any table has a row."""
    return any(
        session.execute(sa.select(sa.literal(1)).select_from(t).limit(1)).first() for t in db.metadata.sorted_tables
    )


def restore(session: Session, source: Path, manifest: dict[str, Any], *, progress: Callable[[str], None]) -> None:
    """Fill the empty tables and the file store from a checked backup; flushes, never commits.

    Files go first: a stored file that no row names does no harm, the other way round would.
    """
    for name in manifest["sha256"]:
        if name.startswith("files/"):
            store((source / name).read_bytes())
    for table in db.metadata.sorted_tables:
        _fill(session, table, source / "tables" / f"{table.name}.jsonl")
        progress(f"{table.name}: {manifest['rows'].get(table.name, 0)}")
    if session.get_bind().dialect.name == "postgresql":
        _move_sequences_on(session)


def _fill(session: Session, table: sa.Table, path: Path) -> None:
    later = points_to_itself(table)
    pending: list[dict[str, Any]] = []
    keys = [column.name for column in table.primary_key.columns]
    for batch in _batches(table, path):
        for row in batch:
            if any(row.get(name) is not None for name in later):
                pending.append({f"key_{k}": row[k] for k in keys} | {f"new_{n}": row[n] for n in later})
                row.update(dict.fromkeys(later))
        session.execute(sa.insert(table), batch)
    if pending:
        matches = [table.c[k] == sa.bindparam(f"key_{k}") for k in keys]
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in later}
        session.connection().execute(sa.update(table).where(*matches).values(values), pending)


def _batches(table: sa.Table, path: Path) -> Iterator[list[dict[str, Any]]]:
    columns = {column.name: column for column in table.columns}
    batch: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            batch.append({name: from_plain(columns[name], value) for name, value in json.loads(line).items()})
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _move_sequences_on(session: Session) -> None:
    for table in db.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        sequence = session.scalar(sa.select(sa.func.pg_get_serial_sequence(f'"{table.name}"', column.name)))
        if sequence is not None:
            highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            session.execute(sa.select(sa.func.setval(sequence, highest, False)))
