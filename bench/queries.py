"""How many statements each page sends to the database: reads requests as JSON on stdin, answers name -> count on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any

import sqlalchemy as sa

from certify.app import create_app
from certify.db import db


def main() -> None:
    """Count."""
    app = create_app()
    counted = {}
    with app.app_context():
        engine = db.engine
    sent: list[str] = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            sent.append(statement)

    for asked in json.load(sys.stdin):
        client = app.test_client(use_cookies=False)
        headers = {"Cookie": asked["cookie"], "Sec-Fetch-Site": "same-origin"}
        for _ in range(2):  # the second time everything that is read once a process has been read
            sent.clear()
            answer = client.open(
                asked["path"],
                method=asked["method"],
                data=asked["body"] or None,
                content_type=asked["type"] or None,
                headers=headers,
            )
            if answer.status_code != 200:
                print(f"{asked['path']}: {answer.status_code} {answer.text[:300]}", file=sys.stderr)
                break
        else:
            counted[asked["name"]] = len(sent)
    print(json.dumps(counted))


if __name__ == "__main__":
    main()
