"""Searches by the beginning of a name or address go by an index, however many people, invoices and mails there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from certify.certification.fees.queries import list_invoices
from certify.core.access.roles import Role
from certify.core.foundation.clock import now
from certify.outlets.home.queries import search as search_everything
from certify.platform.identity.queries import list_people
from certify.platform.mail.queries import list_mail
from tests.builders import make_actor, make_person


def test_people_are_found_by_the_beginning_of_name_or_address_without_accents_or_case(session: Session) -> None:
    zoe = make_person(session, Role.FINANCE, name="Zoë Ångström", email="z.angstrom@people.example")
    other = make_person(session, Role.FINANCE, name="Ann Zoe", email="ann@people.example")

    def found(text: str) -> list[int]:
        return [p.id for p in list_people(session, text=text, after=None, back=False, limit=9)]

    assert found("zoe å") == found("ZOË") == found("Z.ANG") == [zoe.id]
    assert other.id in found("ann")
    assert found("gstrom") == found("%") == found("_.ang") == []


@pytest.mark.parametrize(
    ("search", "walked"),
    [
        (lambda s: list_people(s, text="Zo", after=None, back=False, limit=9), {"person"}),
        (lambda s: list_mail(s, text="Zo"), {"outbox"}),
        (lambda s: list_invoices(s, make_actor(s, Role.FINANCE), now(), text="Zo"), {"invoice", "practice"}),
        (lambda s: search_everything(s, make_actor(s, Role.ADMINISTRATOR), "Zo"), {"person"}),
    ],
    ids=["people", "mail", "invoices", "everything"],
)
def test_no_search_reads_a_whole_table(session: Session, search: Callable[[Session], object], walked: set[str]) -> None:
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return  # PostgreSQL plans by the rows there are, and here are none; the statements and indexes are the same
    asked: list[tuple[str, object]] = []

    def keep(_c: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(connection, "before_cursor_execute", keep)
    search(session)
    sa.event.remove(connection, "before_cursor_execute", keep)
    statements = [one for one in asked if one[0].startswith("SELECT") and any(f"FROM {t}" in one[0] for t in walked)]
    assert statements
    for statement, parameters in statements:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
        whole = [row[3] for row in plan if row[3].startswith("SCAN") and row[3].split()[1] in walked]
        assert not whole, (whole, statement)
        assert any(row[3].startswith("SEARCH") for row in plan), plan
