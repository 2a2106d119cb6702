"""What every command does the same way: open the program, commit or not, print for people or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import click
from flask import Flask
from sqlalchemy.orm import Session

from certify.core.foundation.errors import Invalid

json_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)

row_number = click.IntRange(1, 2**31 - 1)  # as far as rows are numbered


@contextmanager
def open_app() -> Iterator[Flask]:
    """Give the program inside its application context; its database is at the newest schema.

    Raises: Refusal when the database is missing or at another schema.
    """
    from certify.schema import require_current

    with open_unchecked() as app:
        require_current()
        yield app


@contextmanager
def open_unchecked() -> Iterator[Flask]:
    """Give the program whatever the state of its database; its connections are closed at the end."""
    from certify.app import create_app
    from certify.db import db

    app = create_app()
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


@contextmanager
def open_session(*, commit: bool = False) -> Iterator[Session]:
    """Give a session for one command: committed at the end when asked for, rolled back when anything is refused.

    A command that only reads sees one moment of the database throughout, and holds up nobody who writes.
    """
    from certify.db import db, write_intent

    with open_app():
        session: Session = db.session()
        intent = write_intent.set(commit)
        try:
            if not commit and db.engine.dialect.name == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session
            if commit:
                session.commit()
        finally:
            session.rollback()
            write_intent.reset(intent)


def read_json(text: str) -> Any:
    """Read a JSON document that a person or a script has written. Raises: ValueError, Invalid."""
    from certify.platform.web.texts import unstorable

    try:
        value = json.loads(text)
    except RecursionError as endless:
        raise ValueError("it is nested too deeply") from endless
    wrong = tuple(unstorable(value))
    if wrong:
        raise Invalid(wrong)
    return value


def print_json(value: Any) -> None:
    """Print one JSON document; dates and instants in ISO form."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def print_table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    """Print columns aligned for reading; a None is an empty cell."""
    lines = [[str(h) for h in headings], *[["" if cell is None else str(cell) for cell in row] for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(value: object) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
