"""Bare Flask programs: no sign-in, no permission, no event; the least that each kind of request costs on this stack.

python -m bench.floors PORT DATABASE_URL
"""

from __future__ import annotations

import gc
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.paper_floor import row_by_row

CASES = 2000
ITEMS = 240


class Base(DeclarativeBase):
    """Ancestor of the floor's tables."""


class FloorCase(Base):
    """A line of the list."""

    __tablename__ = "floor_case"
    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(sa.String(20), unique=True)
    practice: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[str] = mapped_column(sa.String(40), index=True)
    due_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), index=True)


class FloorAnswer(Base):
    """One item of a checklist; a client has a checklist of its own."""

    __tablename__ = "floor_answer"
    id: Mapped[int] = mapped_column(primary_key=True)
    survey: Mapped[int] = mapped_column(index=True)
    item: Mapped[int] = mapped_column()
    value: Mapped[str] = mapped_column(sa.Text)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}


class FloorHistory(Base):
    """What an answer was before."""

    __tablename__ = "floor_history"
    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(sa.ForeignKey("floor_answer.id"), index=True)
    value: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


def make_engine(url: str) -> sa.Engine:
    """The same settings as the program's own database."""
    engine = (
        sa.create_engine(url)
        if url.startswith("sqlite")
        else sa.create_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True)
    )
    if url.startswith("sqlite"):

        @sa.event.listens_for(engine, "connect")
        def _connect(dbapi: Any, _record: Any) -> None:
            dbapi.isolation_level = None
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
                dbapi.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql(
                "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN"
            )

    return engine


def fill(engine: sa.Engine) -> None:
    """Make the floor's tables afresh."""
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with Session(engine) as session:
        session.add_all(
            FloorCase(ref=f"FL-{n:05d}", practice=f"Practice {n}", state="submitted", due_at=at) for n in range(CASES)
        )
        session.add_all(FloorAnswer(survey=s, item=i, value="yes") for s in range(32) for i in range(ITEMS))
        session.commit()


def create_floor(url: str) -> Flask:
    """Build the floor."""
    app = Flask("floor", template_folder=str(Path(__file__).resolve().parent / "templates"))
    engine = make_engine(url)
    fill(engine)
    engine.dispose()

    @app.get("/empty")
    def empty() -> ResponseReturnValue:
        return "ok"

    @app.get("/cases")
    def cases() -> ResponseReturnValue:
        with Session(engine) as session:
            after = request.args.get("after", 0, int)
            rows = session.scalars(
                sa.select(FloorCase).where(FloorCase.id > after).order_by(FloorCase.id).limit(20)
            ).all()
            return render_template("cases.html", rows=rows)

    @app.get("/checklist/<int:survey>")
    def checklist(survey: int) -> ResponseReturnValue:
        with Session(engine) as session:
            rows = session.scalars(
                sa.select(FloorAnswer).where(FloorAnswer.survey == survey).order_by(FloorAnswer.item)
            ).all()
            return render_template("checklist.html", rows=rows, values=("yes", "no", "na", "later"))

    @app.get("/checklist/<int:survey>.json")
    def checklist_json(survey: int) -> ResponseReturnValue:
        with Session(engine) as session:
            rows = session.execute(
                sa.select(FloorAnswer.item, FloorAnswer.value, FloorAnswer.version).where(FloorAnswer.survey == survey)
            ).all()
            return jsonify([list(row) for row in rows])

    @app.post("/answers/<int:survey>")
    def answers(survey: int) -> ResponseReturnValue:
        given = json.loads(request.data)
        at = datetime.now(UTC)
        with Session(engine.execution_options(writes=True)) as session:
            found = session.scalars(
                sa.select(FloorAnswer).where(
                    FloorAnswer.survey == survey, FloorAnswer.item.in_([entry["item"] for entry in given])
                )
            )
            values = {entry["item"]: entry["value"] for entry in given}
            for answer in found:
                session.add(FloorHistory(answer_id=answer.id, value=answer.value, at=at))
                answer.value = values[answer.item]
            session.commit()
        return jsonify({"saved": len(given)})

    @app.get("/report.docx")
    def report() -> ResponseReturnValue:
        return row_by_row(), 200, {"Content-Type": "application/octet-stream"}

    return app


def main(port: int, url: str) -> None:
    """Serve the floor on the same server with the same number of workers and threads."""
    from gunicorn.app.base import BaseApplication

    from certify.cli.serve import memory_folder

    app = create_floor(url)

    def before_fork(_server: Any, _worker: Any) -> None:
        gc.collect()
        gc.freeze()

    class Floor(BaseApplication):  # type: ignore[misc]
        """gunicorn as `certify serve` has it."""

        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": [f"127.0.0.1:{port}"], "workers": 2, "worker_class": "gthread", "threads": 4, "preload_app": True,
                "control_socket_disable": True, "worker_tmp_dir": memory_folder(), "loglevel": "warning", "pre_fork": before_fork,
            }  # fmt: skip
            for key, value in options.items():
                self.cfg.set(key, value)

        def load(self) -> Flask:
            return app

    Floor().run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
