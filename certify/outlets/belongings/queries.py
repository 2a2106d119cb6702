"""Reading everything a practice owns and packing it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO

import sqlalchemy as sa
from sqlalchemy.orm import Session

from certify.certification.corrections.queries import unsent_in_corrections, unsent_in_plans
from certify.core.foundation.errors import NotFound
from certify.db import db
from certify.outlets.belongings.rules import BELONGINGS, SECRET_COLUMNS, as_told, may_be_taken, spreadsheet_cell
from certify.platform.storage.operations import path_of
from certify.platform.storage.rows import plain_row

Rows = list[dict[str, Any]]
# Databases limit how many values one question may hold.
AT_ONCE = 500


def pack_practice(session: Session, practice_id: int, target: BinaryIO) -> dict[str, int]:
    """Write a ZIP of JSON, CSV, files and events; returns how many rows of each kind went in.

    Raises: NotFound.
    """
    tables = _collect(session, practice_id)
    tables["event"] = _events(session, practice_id, [str(case["ref"]) for case in tables["case"]])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, rows in tables.items():
            pack.writestr(f"json/{name}.json", json.dumps(rows, indent=1, ensure_ascii=False))
            pack.writestr(f"csv/{name}.csv", _as_csv(rows))
        # The same bytes may be several documents; they are one file.
        for key in dict.fromkeys(str(version["file_key"]) for version in tables["evidence_version"]):
            pack.write(path_of(key), f"files/{key}")
    return {name: len(rows) for name, rows in tables.items()}


def _collect(session: Session, practice_id: int) -> dict[str, Rows]:
    practice = _rows(session, "practice", "id", [practice_id])
    if not practice:
        raise NotFound(f"There is no practice {practice_id}.")
    tables: dict[str, Rows] = {"practice": practice}
    for name, (column, parent) in BELONGINGS.items():
        tables[name] = _rows(session, name, column, [row["id"] for row in tables[parent]])
    cases = [int(row["id"]) for row in tables["case"]]
    unsent = {
        "plan_item": unsent_in_plans(session, cases),
        "correction": unsent_in_corrections(session, cases),
    }
    return {name: [as_told(name, row, unsent.get(name, ())) for row in rows] for name, rows in tables.items()}


def _rows(session: Session, name: str, column: str, keys: Sequence[int]) -> Rows:
    table = db.metadata.tables[name]
    found: Rows = []
    for start in range(0, len(keys), AT_ONCE):
        query = (
            sa.select(table)
            .where(table.c[column].in_(keys[start : start + AT_ONCE]))
            .order_by(*table.primary_key.columns)
        )
        found += [
            {key: value for key, value in plain_row(row).items() if key not in SECRET_COLUMNS}
            for row in session.execute(query).mappings()
            if may_be_taken(name, dict(row))
        ]
    return found


def _events(session: Session, practice_id: int, refs: Sequence[str]) -> Rows:
    table = db.metadata.tables["event"]
    streams = [f"practice:{practice_id}", *(f"case:{ref}" for ref in refs)]
    query = (
        sa.select(table)
        .where(table.c.stream.in_(streams), table.c.internal.is_(False))
        .order_by(table.c.stream, table.c.seq)
    )
    return [plain_row(row) for row in session.execute(query).mappings()]


def _as_csv(rows: Rows) -> str:
    out = io.StringIO()
    if rows:
        writer = csv.writer(out)
        writer.writerow(rows[0])
        for row in rows:
            cells = (json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for v in row.values())
            writer.writerow([spreadsheet_cell(cell) for cell in cells])
    return out.getvalue()
