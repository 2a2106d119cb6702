"""The pack a tablet takes along: whole, small, asked for once, and only for who may see it."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certify.certification.surveys.operations import answer_all, begin_round
from certify.certification.surveys.queries.pack import pack
from certify.core.access.roles import Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import NotAllowed, NotFound
from certify.core.rulebook.current import current
from certify.platform.identity.queries import actor_as
from tests.builders import make_person, make_practice, sign_in
from tests.certification.surveys.visits import Visit, make_surveyor, visit_under_way
from tests.outlets.test_query_budget import counting

MOST_BYTES = 1_500_000
MOST_STATEMENTS = 24


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock, sites=3)


def taken(visit: Visit, who: str = "surveyor") -> dict[str, Any]:
    return pack(visit.session, visit.survey.id, visit.actor(who), now())


def fill(visit: Visit) -> int:
    """Answer every field of every element at every site; return how many elements that are."""
    elements = current().editions[visit.survey.edition].element_ids
    words = "Seen in the record of the second patient and heard from the charge nurse. " * 2
    for site in visit.site_ids:
        fields = (("rating", "no"), ("note", words), ("seen_documentation", {"what": "Policy 7.2"}), ("risk", {"harm": "low", "scope": "pattern"}))  # fmt: skip
        answer_all(
            visit.session, visit.survey.id, [(site, e, f, v) for e in elements for f, v in fields], actor=visit.actor("surveyor"), at=now()
        )  # fmt: skip
    return len(elements) * len(visit.site_ids)


def test_it_holds_all_that_the_visit_needs(visit: Visit) -> None:
    visit.send(visit.op("1.1.a", "rating", "no"))
    found = taken(visit)
    assert found["survey"]["practice"] == visit.practice.legal_name
    assert found["survey"]["zone"] == visit.practice.time_zone
    assert found["survey"]["lead"] == {"id": visit.surveyor.id, "name": visit.surveyor.name}
    assert found["survey"]["finished"] is False
    assert found["me"] == {"id": visit.surveyor.id, "name": visit.surveyor.name, "may_conduct": True}
    assert [s["id"] for s in found["sites"] if s["visited"]] == visit.site_ids
    standards = [s for d in found["domains"] for s in d["standards"]]
    assert {e["id"] for s in standards for e in s["elements"]} == set(current().editions["2021"].element_ids)
    assert {"code", "title", "requirement", "guidance", "critical", "modes"} <= set(standards[0])
    assert found["seq"] == 1
    assert [(a["element"], a["value"], a["seq"]) for a in found["answers"]] == [("1.1.a", "no", 1)]
    assert found["conflicts"] == []
    assert found["rules"] == current().survey.as_json
    assert found["identifiers"] == current().identifiers.as_json
    assert {line["site"] for line in found["agenda"]} == set(visit.site_ids)
    windows = next(a for s in found["questionnaire"] for a in s["answers"])
    assert windows["words"]
    assert [m["id"] for m in found["team"]] == [visit.surveyor.id]
    json.dumps(found)


def test_three_sites_answered_whole_stay_small_and_ask_the_database_little(visit: Visit) -> None:
    visit.case.edition = visit.survey.edition = "2025"
    visit.session.flush()
    with counting(visit.session) as sent:
        taken(visit)
    empty = len(sent)
    assert fill(visit) == 3 * 196
    visit.session.expire_all()
    with counting(visit.session) as sent:
        found = taken(visit)
    assert len(sent) <= MOST_STATEMENTS, sent
    assert len(sent) <= empty + 3
    size = len(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode())
    assert size <= MOST_BYTES, size


def test_findings_of_earlier_rounds_are_taken_along(visit: Visit) -> None:
    visit.send(
        visit.op("1.1.a", "rating", "no"),
        visit.op("1.1.a", "note", "Half of the charts."),
        visit.op("1.1.b", "rating", "yes"),
    )
    sites = visit.site_ids
    visit.survey.finished_at = now()
    again = begin_round(visit.session, visit.case, standards=["1.1"], sites=sites[:1], at=now() + timedelta(days=1))
    found = pack(visit.session, again.id, visit.actor("surveyor"), now())
    assert [(f["element"], f["note"], f["site"], f["round"]) for f in found["previous"]] == [
        ("1.1.a", "Half of the charts.", sites[0], 1)
    ]
    assert [s["code"] for d in found["domains"] for s in d["standards"]] == ["1.1"]


def test_no_one_takes_what_is_not_theirs(session: Session, visit: Visit) -> None:
    stranger, _ = make_surveyor(session, name="Other Surveyor")
    other = make_person(session, Role.PRACTICE_ADMIN, practice=make_practice(session))
    for person in (stranger, other):
        with pytest.raises(NotFound):
            pack(session, visit.survey.id, actor_as(session, person), now())
    with pytest.raises(NotAllowed):
        taken(visit, "head")
    assert taken(visit, "staff")["me"]["may_conduct"] is False


def test_another_practices_findings_never_come_along(session: Session, clock: FixedClock, visit: Visit) -> None:
    visit.send(visit.op("1.1.a", "rating", "no"))
    visit.survey.finished_at = now()
    session.flush()
    theirs = visit_under_way(session, clock)
    assert theirs.survey.id > visit.survey.id
    assert taken(theirs)["previous"] == []


def test_over_http_it_is_packed_small_and_not_sent_twice(client: FlaskClient, session: Session, visit: Visit) -> None:
    sign_in(client, visit.surveyor)
    address = f"/surveys/{visit.survey.id}/pack.json"
    whole = client.get(address)
    assert whole.status_code == 200
    assert whole.mimetype == "application/json"
    assert "Content-Encoding" not in whole.headers
    assert "private" in whole.headers["Cache-Control"]
    small = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(small.data)) == whole.get_json()
    assert len(small.data) < len(whole.data) / 3
    tag = small.headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304
    visit.send(visit.op())
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_what_stands_is_told_as_the_contract_tells_it(visit: Visit) -> None:
    visit.send(visit.op(None, "site_note", "Open on Saturdays."))
    answer = taken(visit)["answers"][0]
    assert set(answer) == {"site", "element", "field", "value", "seq", "by", "at", "conflict"}
    assert answer["element"] is None
