"""What the clock costs when nothing is due, and claiming what is due, inside this process; JSON on stdout.

python -m bench.clock, with the environment of a copy into which deadlines and mails were put.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bench.plans import Explainer, Sent, explainer, listen
from certify.app import create_app
from certify.core.foundation.clock import now
from certify.db import db, write_intent
from certify.platform.mail.jobs import claim
from certify.scheduler import JOBS, ProgramClock, run_job

IDLE_LOOKS, CLAIMS, DUE = 15, 5, 200
SETTLE_ROUNDS = 40  # what is due at first, done in batches
BARE, SHOWN = "bare_due", 2


def milliseconds(act: Callable[[], Any]) -> float:
    """How long one act takes."""
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def costliest(ask: Explainer, statements: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """The statements that take longest, with their plans."""
    found = []
    for statement, given in dict(statements).items():
        reads = statement.startswith("SELECT")
        spent = min(ask.milliseconds(statement, given) for _ in range(3)) if reads else 0.0
        words = " ".join(statement.split())
        found.append({"statement": words[max(0, words.find(" FROM ")) :].strip(), "ms": spent, "plan": ask.plan(statement, given)})  # fmt: skip
    return sorted(found, key=lambda one: -float(str(one["ms"])))[:SHOWN]


def idle_jobs(sent: Sent) -> list[dict[str, Any]]:
    """Each job when there is nothing for it to do, with the plan of every statement it sends then."""
    ask, said = explainer(db.engine.url), []
    for name, job, _ in JOBS:
        rounds = 0
        while run_job(job, ProgramClock()) and rounds < SETTLE_ROUNDS:
            rounds += 1
        sent.clear()
        run_job(job, ProgramClock())
        statements = list(sent)
        times = [milliseconds(lambda job=job: run_job(job, ProgramClock())) for _ in range(IDLE_LOOKS)]  # type: ignore[misc]
        said.append(
            {
                "job": name, "statements": len(statements), "p50": statistics.median(times), "most": max(times),
                "plans": costliest(ask, statements),
            }
        )  # fmt: skip
    return said


def bare_table(rows: int, at: datetime) -> sa.Table:
    """The least that can be claimed from: as many rows, one partial index."""
    running = sa.text("state = 'pending'")
    table = sa.Table(
        BARE, sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("state", sa.String(10)), sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Index("ix_bare_due", "due_at", sqlite_where=running, postgresql_where=running),
    )  # fmt: skip
    series = (
        f"(with recursive k(k) as (select 1 union all select k + 1 from k where k < {rows}) select k from k) k"  # noqa: S608
        if db.engine.dialect.name == "sqlite"
        else f"generate_series(1, {rows}) k(k)"
    )
    later = (
        "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '+' || (1440 + k.k) || ' minutes')"
        if db.engine.dialect.name == "sqlite"
        else "now() + (1440 + k.k) * interval '1 minute'"
    )
    with db.engine.begin() as connection:
        table.drop(connection, checkfirst=True)
        table.create(connection)
        connection.execute(
            sa.text(f"insert into {BARE} (id, state, due_at) select k.k, 'pending', {later} from {series}")  # noqa: S608
        )
        connection.execute(table.update().where(table.c.id <= DUE * CLAIMS).values(due_at=at))
    return table


def claims(sent: Sent) -> dict[str, Any]:
    """Claim 200 due mails, and 200 bare rows, in turns."""
    at = now()
    count = db.session().scalar(sa.text("select count(*) from outbox"))
    db.session.remove()
    bare = bare_table(int(count or 0), at)
    due = sa.select(bare.c.id).where(bare.c.state == "pending", bare.c.due_at <= at).order_by(bare.c.due_at).limit(DUE)
    if db.engine.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    take = bare.update().where(bare.c.id.in_(due.scalar_subquery())).values(state="claimed").returning(bare.c.id)
    ours: list[float] = []
    floor: list[float] = []
    taken = []

    def claim_bare() -> None:
        with db.engine.begin() as connection:
            assert len(connection.execute(take).all()) == DUE

    for _ in range(CLAIMS):
        session = db.session()
        sent.clear()
        ours.append(milliseconds(lambda session=session: taken.append(claim(session, at, limit=DUE)[1])))  # type: ignore[misc]
        db.session.remove()
        floor.append(milliseconds(claim_bare))
    ids = [mail for some in taken for mail in some]
    assert len(ids) == len(set(ids)) == DUE * CLAIMS, "each due mail is claimed once"
    plan = explainer(db.engine.url).plan(*sent[0])
    ratio = statistics.median(a / b for a, b in zip(ours, floor, strict=True))
    return {
        "rows": count,
        "ours": statistics.median(ours),
        "floor": statistics.median(floor),
        "ratio": ratio,
        "plan": plan,
    }


def main() -> None:
    """Claims first: the jobs would send what is due."""
    app, sent = create_app(), Sent()
    with app.app_context():
        write_intent.set(True)
        listen(db.engine, sent)
        claimed = claims(sent)
        said = {"claim": claimed, "jobs": idle_jobs(sent)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
