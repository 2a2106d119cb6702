"""Asks each page inside this process and looks at the plan of every statement it sends.

Reads pages as JSON on stdin, answers with what it found as JSON on stdout; `bench.queries` counts, this explains.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import Any, Protocol

import psycopg
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from bench.data import DEMO_PASSWORD
from certify.app import create_app
from certify.db import db, write_intent

LARGE = 1000  # rows; a smaller table may be read from end to end
SLOW_MS = 5.0
NEXT = re.compile(r'href="([^"]*[?&;]cursor=[^"]*)"')
NAMED = re.compile(r'(?:FROM|JOIN)\s+"?(\w+)"?\s+AS\s+"?(\w+)"?', re.IGNORECASE)


class Sent(list[tuple[str, Any]]):
    """Statements with what was given to them, in order."""


class Explainer(Protocol):
    """Says how a database walks through a statement."""

    def sizes(self, tables: list[str]) -> dict[str, int]: ...

    def plan(self, statement: str, given: Any) -> list[str]:
        """The plan, a line a step."""

    def walks(self, statement: str, given: Any) -> Iterator[tuple[str, str]]:
        """The tables read from end to end, each with how."""

    def milliseconds(self, statement: str, given: Any) -> float: ...


class Sqlite:
    """SQLite."""

    def __init__(self, url: sa.URL) -> None:
        self.connection = sqlite3.connect(str(url.database))

    def sizes(self, tables: list[str]) -> dict[str, int]:
        return {t: self.connection.execute(f'select count(*) from "{t}"').fetchone()[0] for t in tables}  # noqa: S608

    def plan(self, statement: str, given: Any) -> list[str]:
        return [row[3] for row in self.connection.execute("EXPLAIN QUERY PLAN " + statement, given)]

    def walks(self, statement: str, given: Any) -> Iterator[tuple[str, str]]:
        aliases = {alias: table for table, alias in NAMED.findall(statement)}
        for line in self.plan(statement, given):
            scan = re.match(r"SCAN (\w+)(?: USING (COVERING )?INDEX (\w+))?", line)
            if scan:
                how = f"whole index {scan[3]}" if scan[3] else "whole table"
                yield aliases.get(str(scan[1]), str(scan[1])), how

    def milliseconds(self, statement: str, given: Any) -> float:
        begun = time.perf_counter()
        self.connection.execute(statement, given).fetchall()
        return (time.perf_counter() - begun) * 1000


class Postgres:
    """PostgreSQL."""

    def __init__(self, url: sa.URL) -> None:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(plain, autocommit=True, cursor_factory=psycopg.ClientCursor)

    def sizes(self, tables: list[str]) -> dict[str, int]:
        return {t: self.connection.execute(f'select count(*) from "{t}"').fetchone()[0] for t in tables}  # type: ignore[index] # noqa: S608

    def plan(self, statement: str, given: Any) -> list[str]:
        rows = self.connection.execute("EXPLAIN (COSTS OFF) " + statement, given).fetchall()
        return [row[0].strip() for row in rows]

    def walks(self, statement: str, given: Any) -> Iterator[tuple[str, str]]:
        row = self.connection.execute("EXPLAIN (FORMAT JSON) " + statement, given).fetchone()
        assert row is not None
        waiting = [row[0][0]["Plan"]]
        while waiting:
            node = waiting.pop()
            waiting += node.get("Plans", [])
            if node["Node Type"] == "Seq Scan":
                yield node["Relation Name"], "whole table"
            elif node["Node Type"] in ("Index Scan", "Index Only Scan") and "Index Cond" not in node:
                yield node["Relation Name"], f"whole index {node['Index Name']}"

    def milliseconds(self, statement: str, given: Any) -> float:
        begun = time.perf_counter()
        self.connection.execute(statement, given).fetchall()
        return (time.perf_counter() - begun) * 1000


def explainer(url: sa.URL) -> Explainer:
    """The one for this database."""
    return Sqlite(url) if url.drivername.startswith("sqlite") else Postgres(url)


def listen(engine: sa.Engine, sent: Sent) -> None:
    """Write down what is sent to the database."""

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _note(_conn: Any, _cursor: Any, statement: str, given: Any, _context: Any, many: bool) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            sent.append((statement, given[0] if many and isinstance(given, list) else given))


class Readers:
    """For each person, by email, a client signed in as that person; nobody for an empty email."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.kept: dict[str, FlaskClient] = {}

    def client(self, who: str) -> FlaskClient:
        """The client of this person."""
        if who not in self.kept:
            client = self.kept[who] = self.app.test_client()
            if who:
                token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
                assert token is not None, "/sign-in has no form"
                form = {"csrf_token": token[1], "email": who, "password": DEMO_PASSWORD}
                assert client.post("/sign-in", data=form).status_code == 302, who
        return self.kept[who]


def look(ask: Explainer, sent: list[tuple[str, Any]], sizes: dict[str, int]) -> list[dict[str, Any]]:
    """What is worth saying of these statements: a large table walked from end to end, or a slow answer."""
    found = []
    for statement, given in {s: (s, g) for s, g in sent}.values():
        reads = statement.lstrip().upper().startswith(("SELECT", "WITH"))
        spent = ask.milliseconds(statement, given) if reads else 0.0
        if spent > SLOW_MS:  # once is chance
            spent = min(ask.milliseconds(statement, given) for _ in range(5))
        ends = " LIMIT " in statement.replace("\n", " ").upper()
        walked = [(t, how) for t, how in ask.walks(statement, given) if sizes.get(t, 0) > LARGE]
        for table, how in walked or ([("", "slow")] if spent > SLOW_MS else []):
            found.append(
                {
                    "table": table, "rows": sizes.get(table, 0), "how": how + (", until the page is full" if ends and table else ""),
                    "ms": round(spent, 2), "statement": " ".join(statement.split()),
                }
            )  # fmt: skip
    return found


def main() -> None:
    """Explain every page, then every job of the clock."""
    from certify.scheduler import JOBS, ProgramClock, run_job

    app = create_app()
    sent = Sent()
    said: list[dict[str, Any]] = []
    with app.app_context():
        engine, tables = db.engine, [t.name for t in db.metadata.sorted_tables]
        listen(engine, sent)
    ask = explainer(engine.url)
    sizes = ask.sizes(tables)
    readers = Readers(app)
    for page in json.load(sys.stdin):
        client, path = readers.client(page["who"]), page["path"]
        for part in ("", ", second page") if page["more"] else ("",):
            sent.clear()
            answer = client.get(path)
            if answer.status_code != 200:
                if answer.status_code >= 500:
                    said.append({"page": page["name"], "status": answer.status_code, "found": []})
                break
            queries = list(sent)
            said.append({"page": page["name"] + part, "status": 200, "queries": len(queries), "found": look(ask, queries, sizes)})  # fmt: skip
            following = NEXT.search(answer.text)
            if following is None:
                break
            path = following[1].replace("&amp;", "&")
    with app.app_context():
        write_intent.set(True)
        for name, job, _ in JOBS:
            run_job(job, ProgramClock())  # what is due now is done; what follows is an idle look
            sent.clear()
            run_job(job, ProgramClock())
            said.append({"page": f"clock: {name}", "status": 200, "queries": len(sent), "found": look(ask, list(sent), sizes)})  # fmt: skip
    print(json.dumps({"sizes": sizes, "pages": said}))


if __name__ == "__main__":
    main()
