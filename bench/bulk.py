"""Rows in numbers that walking the program's own operations would take hours to make: copies of its rows, by SQL.

What is copied was made by the program; ids move by a whole number of the table's own range, so everything that points
points to its own copy. It is only ever done to a copy of the dataset.
"""

from __future__ import annotations

import sqlalchemy as sa

from bench.data import Dataset

# Table: its columns that point to copied tables, those that must stay unique with how a copy's is written, and which rows.
OF_CASE, OF_SURVEY = "case_id in ({cases})", "survey_id in (select id from survey where case_id in ({cases}))"
IN_PRACTICE = 'in (select practice_id from "case" where id in ({cases}))'
COPIED: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "practice": ({}, {"legal_name": "legal_name || ' ' || k.k", "name_key": "name_key || ' ' || k.k"}, f"id {IN_PRACTICE}"),
    "site": ({"practice_id": "practice"}, {}, f"practice_id {IN_PRACTICE}"),
    "case": ({"practice_id": "practice"}, {"ref": "'CO-' || k.k || '-' || id"}, "id in ({cases})"),
    "case_deadline": ({"case_id": "case"}, {}, OF_CASE),
    "case_member": ({"case_id": "case"}, {}, OF_CASE),
    "answer": ({"case_id": "case"}, {}, OF_CASE),
    "answer_change": ({"case_id": "case"}, {}, OF_CASE),
    "survey": ({"case_id": "case"}, {}, OF_CASE),
    "survey_site": ({"survey_id": "survey", "site_id": "site"}, {}, OF_SURVEY),
    "survey_op": ({"survey_id": "survey", "site_id": "site"}, {}, OF_SURVEY),
    "survey_answer": ({"survey_id": "survey", "site_id": "site"}, {}, OF_SURVEY),
    "survey_progress": ({"survey_id": "survey", "site_id": "site"}, {}, OF_SURVEY),
}  # fmt: skip
IN_PROGRESS = "state = 'survey_in_progress'"
ANSWERED = 'exists (select 1 from survey s join survey_answer a on a.survey_id = s.id where s.case_id = "case".id)'


def number(data: Dataset, query: str) -> int:
    """One whole number."""
    return int(str(data.rows(query)[0][0] or 0))


def numbers(data: Dataset, count: int) -> str:
    """The whole numbers from 1 on, as a table `k(k)` of a FROM."""
    if data.kind == "sqlite":
        return f"(with recursive k(k) as (select 1 union all select k + 1 from k where k < {count}) select k from k) k"  # noqa: S608
    return f"generate_series(1, {count}) k(k)"


def columns_of(data: Dataset, table: str) -> list[str]:
    """The columns of a table."""
    engine = sa.create_engine(data.url, poolclass=sa.pool.NullPool)
    return [column["name"] for column in sa.inspect(engine).get_columns(table)]


def answers_in(data: Dataset) -> int:
    """How many answers of surveyors there are."""
    return number(data, "select count(*) from survey_answer")


def multiply_answers(data: Dataset, answers: int) -> None:
    """Copy every case with answers of a surveyor until there are about that many."""
    have = answers_in(data)
    multiply(data, ANSWERED, max(1, round((answers - have) / have)))


def multiply(data: Dataset, condition: str, times: int) -> None:
    """Copy the cases for which this holds, that often, with their practices, sites, surveys and answers."""
    spans = {table: number(data, f'select max(id) from "{table}"') for table in COPIED}  # noqa: S608
    cases = ", ".join(str(row[0]) for row in data.rows(f'select id from "case" where {condition}'))  # noqa: S608
    # Rows that are copies themselves are above the span of their table: only what was there before is copied.
    statements = []
    for table, (pointers, unique, which) in COPIED.items():
        columns = columns_of(data, table)
        written = [
            f"id + k.k * {spans[table]}" if name == "id"
            else f'"{name}" + k.k * {spans[pointers[name]]}' if name in pointers
            else unique.get(name, f'"{name}"')
            for name in columns
        ]  # fmt: skip
        names = ", ".join(f'"{name}"' for name in columns)
        statements.append(
            f'insert into "{table}" ({names}) select {", ".join(written)} from "{table}", {numbers(data, times)} '  # noqa: S608
            f"where id <= {spans[table]} and {which.format(cases=cases)} order by k.k, id"
        )
    data.run(*statements)
    settle(data, list(COPIED))


def settle(data: Dataset, tables: list[str]) -> None:
    """Let the running numbers go on after the copies, and the planner know of them."""
    if data.kind == "postgresql":
        data.run(
            *(f"select setval(pg_get_serial_sequence('\"{t}\"', 'id'), max(id)) from \"{t}\"" for t in tables),  # noqa: S608
            "analyze",
        )


def post_mails(data: Dataset, waiting: int, due: int) -> None:
    """Put mails into the outbox: so many for later, and so many that are due now."""
    span = number(data, "select max(id) from outbox")
    total = waiting + due
    if data.kind == "sqlite":
        at = f"strftime('%Y-%m-%d %H:%M:%S.000000', 'now', case when k.k > {waiting} then '-1 minutes' else '+' || (1440 + k.k) || ' minutes' end)"
    else:
        at = f"now() + case when k.k > {waiting} then -1 else 1440 + k.k end * interval '1 minute'"
    own = {
        "id": f"{span} + k.k", "dedupe_key": "'copy:' || k.k", "due_at": at, "state": "'pending'", "sent_at": "null", "attempts": "0",
        "lease_until": "null", "lease_token": "null", "reminder_key": "'copy:' || k.k / 2",
    }  # fmt: skip
    columns = columns_of(data, "outbox")
    written = ", ".join(own.get(name, f'o."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    data.run(
        "update outbox set state = 'sent'",
        f"insert into outbox ({names}) select {written} from {numbers(data, total)}, (select * from outbox order by id limit 1) o",  # noqa: S608
    )
    settle(data, ["outbox"])


def set_deadlines(data: Dataset, count: int) -> None:
    """Let that many deadlines run, all of them far off, spread over the cases."""
    span, cases = number(data, "select max(id) from case_deadline"), number(data, 'select max(id) from "case"')
    if data.kind == "sqlite":
        at, on = "strftime('%Y-%m-%d %H:%M:%S.000000', 'now', '+' || (200000 + k.k) || ' minutes')", "date('now', '+' || (200000 + k.k) || ' minutes')"  # fmt: skip
    else:
        at, on = "now() + (200000 + k.k) * interval '1 minute'", "current_date + (200000 + k.k) / 1440"
    own = {
        "id": f"{span} + k.k", "case_id": f"1 + k.k % {cases}", "due_at": at, "due_on": on, "ended_at": "null",
    }  # fmt: skip
    columns = columns_of(data, "case_deadline")
    written = ", ".join(own.get(name, f'o."{name}"') for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    data.run(
        f"insert into case_deadline ({names}) select {written} from {numbers(data, count)}, "  # noqa: S608
        "(select * from case_deadline order by id limit 1) o"
    )
    settle(data, ["case_deadline"])
