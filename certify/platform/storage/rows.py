"""Rows as lines of JSON and back, the same for both databases."""

from __future__ import annotations

import base64
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from certify.db import UtcDateTime

BATCH = 1000


def to_plain(value: Any) -> Any:
    """Return a column's value as JSON can hold it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def from_plain(column: sa.Column[Any], value: Any) -> Any:
    """Return what `to_plain` was given, by the column's type."""
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime | sa.DateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return date.fromisoformat(value)
    if isinstance(column.type, sa.Numeric):
        return Decimal(value)
    if isinstance(column.type, sa.LargeBinary):
        return base64.b64decode(value)
    return value


def plain_row(row: sa.RowMapping) -> dict[str, Any]:
    """Return one row as JSON can hold it, by column name."""
    return {str(key): to_plain(value) for key, value in row.items()}


def in_order(table: sa.Table) -> sa.Select[Any]:
    """Return all columns of a table, ordered by its key, read in batches."""
    return sa.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)


def points_to_itself(table: sa.Table) -> list[str]:
    """Return the columns through which a row names another row of its own table: they are filled in afterwards."""
    return [key.parent.name for key in table.foreign_keys if key.column.table is table]
