"""The one SQLAlchemy object, the column types of the house, and how each database is spoken to."""

from __future__ import annotations

import fcntl
import threading
import weakref
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Ancestor of every table."""

    metadata = sa.MetaData(naming_convention=NAMING)


if TYPE_CHECKING:

    class _Scoped(Session):
        """What a checker is to know: the registry passes on everything a session does, and gives the session when called."""

        def __call__(self) -> Session: ...
        def remove(self) -> None: ...

    class _Database(SQLAlchemy):
        session: _Scoped  # type: ignore[assignment]

    Model = Base
    db: _Database
else:
    db = SQLAlchemy(model_class=Base)
    Model = db.Model


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: refuses naive values, stores UTC, gives aware UTC back on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone must not be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def plain(session: Session, query: sa.Select[*tuple[Any, ...]], params: Mapping[str, Any] | None = None) -> list[Any]:
    """Return rows of columns past the object mapper, which costs as much again as a short statement.

    For what every request reads. It does not write waiting changes first, so it is not for reading what one has just changed.
    """
    return list(session.connection().execute(query, params).all())


# Reassign to change: `row.data = {**row.data, "k": v}`; in-place changes are not saved.
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def SortKey(length: int) -> sa.types.TypeEngine[str]:
    """Text that both databases sort and range over by its bytes, whatever the server's collation."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


# GET, HEAD and OPTIONS read under plain BEGIN; everything else takes the write lock at once (a request as soon as its
# body is here), because on SQLite a reader that turns writer fails in spite of any time-out.
write_intent: ContextVar[bool] = ContextVar("write_intent", default=True)


# The write lock that this thread holds.
_writing = threading.local()


def prepare_sqlite(engine: Engine, lock_path: Path | None) -> None:
    """Set the pragmas of each new connection and say BEGIN ourselves.

    A file lock queues writers of several processes fairly; SQLite's own waiting sleeps in growing steps.
    """

    @sa.event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "journal_size_limit=67108864",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if not write_intent.get():
            connection.exec_driver_sql("BEGIN")
            return
        if lock_path is not None and "write_lock" not in connection.info:
            held = _writing.handle() if hasattr(_writing, "handle") else None
            if held is not None and not held.closed:
                # It would wait for itself for ever: one connection of this thread holds the lock already.
                raise sa.exc.OperationalError(
                    "BEGIN IMMEDIATE", None, RuntimeError("this thread writes on another connection")
                )
            handle = open(lock_path, "a")  # noqa: SIM115 - closed when the connection goes back to the pool
            fcntl.flock(handle, fcntl.LOCK_EX)
            connection.info["write_lock"] = handle
            _writing.handle = weakref.ref(handle)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @sa.event.listens_for(engine, "checkin")
    def _checkin(_dbapi: Any, record: Any) -> None:
        handle = record.info.pop("write_lock", None)
        if handle is not None:
            handle.close()
