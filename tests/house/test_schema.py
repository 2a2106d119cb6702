"""The migrations give what the models say, on both databases, up and down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from certify import schema
from certify.db import db
from tests.support.worlds import Worlds


@pytest.fixture
def empty_app(worlds: Worlds, database: str) -> Iterator[Flask]:
    """The program on a database without any table, inside its application context."""
    app = worlds.new_app(worlds.empty_database(database))
    with app.app_context():
        yield app


def test_an_empty_database_is_refused_with_the_command_that_helps(empty_app: Flask) -> None:
    with pytest.raises(schema.SchemaNotCurrent, match="certify init"):
        schema.require_current()


def test_the_migrations_give_exactly_the_tables_of_the_models(empty_app: Flask) -> None:
    assert schema.upgrade() == (None, schema.head_revision())
    schema.check()
    schema.require_current()


def test_upgrading_twice_changes_nothing(empty_app: Flask) -> None:
    schema.upgrade()
    assert schema.upgrade() == (schema.head_revision(), schema.head_revision())


def test_every_migration_can_be_taken_back_and_made_again(empty_app: Flask) -> None:
    schema.upgrade()
    schema.downgrade("base")
    assert set(sa.inspect(db.engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade()
    schema.check()


def test_every_constraint_of_the_models_is_named(empty_app: Flask) -> None:
    schema.upgrade()
    inspector = sa.inspect(db.engine)
    nameless = [
        (table, found)
        for table in inspector.get_table_names()
        for found in (
            *inspector.get_foreign_keys(table),
            *inspector.get_unique_constraints(table),
            *inspector.get_check_constraints(table),
        )
        if not found["name"]
    ]
    assert nameless == []


def test_check_constraints_are_the_same_in_migrations_and_models(empty_app: Flask) -> None:
    """Alembic does not compare these by itself."""
    schema.upgrade()
    inspector = sa.inspect(db.engine)
    migrated = {(t, c["name"]) for t in inspector.get_table_names() for c in inspector.get_check_constraints(t)}
    declared = {
        (table.name, constraint.name)
        for table in db.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    assert migrated == declared


def test_a_newer_schema_is_refused(empty_app: Flask) -> None:
    schema.upgrade()
    with db.engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(schema.SchemaNotCurrent, match="newer"):
        schema.require_current()
