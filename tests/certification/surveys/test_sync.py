"""The seven rules of the contract's survey sync, on a real database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from certify.certification.reports.history import count_settled, differences_of
from certify.certification.surveys.changes import digest_of
from certify.certification.surveys.journal import Tally, Word, canonical, fold, tally
from certify.certification.surveys.models import SurveyAnswer, SurveyOp, SurveyProgress
from certify.certification.surveys.queries import answers_of, checklist, open_conflicts, places
from certify.certification.surveys.sync import sync
from certify.core.catalogue.survey import NEEDS
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotAllowed, NotFound
from certify.core.rulebook.current import current
from certify.platform.audit.models import Event
from certify.platform.audit.queries import verify_chain
from tests.certification.surveys.visits import OTHER_TABLET, TABLET, Visit, journal, make_surveyor, visit_under_way
from tests.outlets.test_query_budget import counting
from tests.support.worlds import LiveServer


@pytest.fixture
def visit(session: Session, clock: FixedClock) -> Visit:
    return visit_under_way(session, clock)


def statuses(answer: dict[str, Any]) -> list[str]:
    return [ack["status"] for ack in answer["acks"]]


def test_what_is_acknowledged_is_stored_and_given_back(visit: Visit) -> None:
    op = visit.op(value="no")
    answer = visit.send(op)
    assert answer["acks"] == [{"op": op["op"], "status": "applied", "seq": 1, "reason": None}]
    assert answer["seq"] == 1
    assert [(c["op"], c["value"], c["element"], c["device"]) for c in answer["changes"]] == [
        (op["op"], "no", "1.1.a", TABLET)
    ]
    assert [(a.element, a.value) for a in answers_of(visit.session, visit.survey.id)] == [("1.1.a", "no")]


def test_the_same_op_again_is_a_duplicate_with_the_first_seq(visit: Visit) -> None:
    op = visit.op()
    visit.send(op)
    again = visit.send(op, op, visit.op("1.1.b"), device=OTHER_TABLET)
    assert [(a["status"], a["seq"]) for a in again["acks"]] == [("duplicate", 1), ("duplicate", 1), ("applied", 2)]
    assert visit.session.scalar(select(func.count()).select_from(SurveyOp)) == 2


def test_an_op_twice_in_one_call_is_stored_once(visit: Visit) -> None:
    op = visit.op()
    assert statuses(visit.send(op, op)) == ["applied", "duplicate"]
    assert len(journal(visit.session, SurveyOp, visit.survey.id)) == 1


def test_the_id_of_an_op_with_other_content_is_not_taken_for_stored(visit: Visit) -> None:
    op = visit.op(value="yes")
    visit.send(op)
    assert statuses(visit.send(op | {"value": "no"})) == ["rejected"]


def test_other_fields_elements_and_sites_never_conflict(visit: Visit) -> None:
    one = [visit.op(), visit.op(field="note", value="seen"), visit.op("1.1.b")]
    two = [
        visit.op("1.1.c"),
        visit.op(site=visit.site_ids[1], value="no"),
        visit.op(field="seen_data", value={"what": "chart"}),
    ]
    two[2]["element"] = "1.2.a"
    assert statuses(visit.send(*one)) == ["applied"] * 3
    assert statuses(visit.send(*two, device=OTHER_TABLET)) == ["applied"] * 3


def test_a_clash_keeps_both_values_with_author_and_time_until_it_is_settled(visit: Visit) -> None:
    visit.send(visit.op(value="yes"))
    clash = visit.send(visit.op(value="no"), device=OTHER_TABLET)
    assert statuses(clash) == ["conflict"]
    (conflict,) = clash["conflicts"]
    assert (conflict["site"], conflict["element"], conflict["field"]) == (visit.site_ids[0], "1.1.a", "rating")
    assert [(v["value"], v["by"]) for v in conflict["values"]] == [
        ("yes", visit.surveyor.name),
        ("no", visit.surveyor.name),
    ]
    settled = visit.send(visit.op(value="no", base=max(v["seq"] for v in conflict["values"])))
    assert statuses(settled) == ["applied"]
    assert settled["conflicts"] == []
    assert [a.value for a in answers_of(visit.session, visit.survey.id)] == ["no"]
    assert len(journal(visit.session, SurveyOp, visit.survey.id)) == 3


def test_a_tablet_that_saw_the_present_value_changes_it_without_conflict(visit: Visit) -> None:
    first = visit.send(visit.op(value="yes"))
    assert statuses(visit.send(visit.op(value="no", base=first["seq"]), device=OTHER_TABLET)) == ["applied"]


def test_a_change_that_saw_what_two_tablets_agreed_on_clashes_with_neither(visit: Visit) -> None:
    """What is shown is the newest word of all who say the same: contract, section 6, rule 3."""
    visit.send(visit.op(value="no"))
    second = visit.send(visit.op(value="no"), device=OTHER_TABLET)
    assert [(c["seq"], c["stands"]) for c in second["changes"]] == [(1, False), (2, True)]
    (shown,) = checklist(visit.session, visit.survey.id, visit.actor("surveyor"), now())["answers"]
    assert shown["seq"] == 2
    third = visit.send(visit.op(value="yes", base=shown["seq"]), device=str(uuid4()), since=2)
    assert statuses(third) == ["applied"]
    assert third["conflicts"] == []
    assert [(c["seq"], c["stands"]) for c in visit.send()["changes"]] == [(1, False), (2, False), (3, True)]


def test_that_two_differed_is_told_alike_whatever_came_first(visit: Visit) -> None:
    """Rule 4: a tablet that changed its mind before the other's word arrived has differed all the same."""
    a_yes = visit.op(value="yes")
    a_no = visit.op(value="no", at=(now() + timedelta(minutes=1)).isoformat())
    b_no = visit.op(value="no", at=(now() + timedelta(minutes=2)).isoformat())
    for order in ([a_yes, b_no, a_no], [a_yes, a_no, b_no], [b_no, a_no, a_yes]):
        wipe(visit)
        for op in order:
            visit.send(op, device=OTHER_TABLET if op is b_no else TABLET)
        (found,) = differences_of(visit.session, visit.survey)
        assert [v.value for v in found.values] == ["yes", "no"]
        assert found.settled is not None
        assert found.settled.at == now() + timedelta(minutes=1)
        assert count_settled(visit.session, visit.survey.id) == 1


def test_a_tablet_on_a_weak_link_hears_the_changes_in_portions_and_others_hear_all(visit: Visit) -> None:
    elements = list(places(visit.survey)[0])[:7]
    visit.send(*(visit.op(element) for element in elements))
    told, since, more, calls = [], 0, True, 0
    while more:
        body = {"device": OTHER_TABLET, "since": since, "ops": [], "most": 3}
        answer = sync(visit.session, visit.survey.id, body, actor=visit.actor("surveyor"), at=now())
        told += [c["element"] for c in answer["changes"]]
        since, more, calls = answer["seq"], answer.get("more", False), calls + 1
    assert (told, since, calls) == (elements, 7, 3)
    # Contract, section 6, rule 7: who asks for no portions is told all.
    whole = visit.send(since=0)
    assert ([c["seq"] for c in whole["changes"]], whole["seq"]) == ([1, 2, 3, 4, 5, 6, 7], 7)
    assert "more" not in whole


def test_a_base_that_was_never_given_hides_nothing(visit: Visit) -> None:
    visit.send(visit.op(value="yes"))
    assert statuses(visit.send(visit.op(value="no", base=999_999_999_999), device=OTHER_TABLET)) == ["conflict"]


def test_a_tablet_put_back_in_time_keeps_its_newest_word(visit: Visit) -> None:
    at = now()
    first = visit.send(visit.op(value="yes", at=at.isoformat()))
    visit.send(visit.op(value="na", at=(at + timedelta(minutes=1)).isoformat(), base=first["seq"]))
    visit.send(visit.op(value="no", at=(at - timedelta(days=1)).isoformat(), base=2))
    visit.send(visit.op(value="yes", at=(at - timedelta(hours=30)).isoformat(), base=1))
    assert [a.value for a in answers_of(visit.session, visit.survey.id)] == ["no"]


def test_changes_since_let_another_tablet_take_over(visit: Visit) -> None:
    sent = [visit.op("1.1.a"), visit.op("1.1.b", value="no"), visit.op("1.1.b", "note", "The rota was missing.")]
    seq = visit.send(*sent)["seq"]
    visit.send(visit.op("1.1.c"), device=OTHER_TABLET)
    fresh = visit.send(device=str(uuid4()), since=0)
    assert [c["op"] for c in fresh["changes"]][:3] == [o["op"] for o in sent]
    assert fresh["seq"] == seq + 1
    assert len(visit.send(device=str(uuid4()), since=seq)["changes"]) == 1
    assert visit.send(since=seq + 1)["changes"] == []
    # A server that was restored from a backup knows fewer numbers than the tablet: it tells all it has.
    assert len(visit.send(since=1_000_000)["changes"]) == 4


def test_only_the_team_may_send(visit: Visit, session: Session) -> None:
    stranger, _ = make_surveyor(session, name="Someone Else")
    visit_stranger = visit.__class__(**(visit.__dict__ | {"surveyor": stranger}))
    with pytest.raises(NotFound):
        visit_stranger.send(visit.op())
    with pytest.raises(NotAllowed):
        visit.send(visit.op(), who="head")
    with pytest.raises(NotAllowed):
        visit.send(visit.op(), who="staff")


WRONG: list[Any] = [
    None, 7, "op", [], {}, {"op": "not-a-uuid"}, {"op": 5}, {"site": "1"}, {"site": None}, {"site": 10**30}, {"site": True}, {"element": "9.9.z"},
    {"element": 7}, {"element": ["1.1.a"]}, {"element": {}}, {"field": "secret"}, {"field": None}, {"field": {"a": 1}}, {"field": "strength"},
    {"value": "maybe"}, {"value": 1}, {"value": {"what": "x"}}, {"value": ["yes"]}, {"field": "note", "value": 5}, {"field": "note", "value": "a\u0000b"},
    {"field": "note", "value": "\ud800"}, {"field": "note", "value": "x" * 20_001}, {"field": "seen_data", "value": "yes"},
    {"field": "seen_data", "value": {"what": 1}}, {"field": "seen_data", "value": {"what": "x", "more": 1}}, {"base": "1"}, {"base": -1}, {"base": True},
    {"base": 1.5}, {"at": "yesterday"}, {"at": None}, {"at": 5}, {"at": "2026-03-05T14:00:00"}, {"at": "0001-01-01T00:00:00+14:00"},
    {"at": "9999-12-31T23:59:59-14:00"}, {"field": "attachment:nope", "value": {}}, {"element": None, "field": "rating"}, {"element": "1.1", "field": "rating"},
]  # fmt: skip


def test_a_wrong_op_is_rejected_with_its_reason_and_the_others_are_stored(visit: Visit) -> None:
    ops = [visit.op() | wrong if isinstance(wrong, dict) and wrong else wrong for wrong in WRONG]
    answer = visit.send(*ops, visit.op("1.1.b"))
    applied = [
        repr(ops[n])[:80]
        for n, ack in enumerate(answer["acks"][:-1])
        if ack["status"] != "rejected" or not ack["reason"]
    ]
    assert applied == []
    assert answer["acks"][-1]["status"] == "applied"


FRAMES: list[Any] = [
    None, [], "x", {}, {"device": "x", "ops": []}, {"device": TABLET, "ops": {}}, {"device": TABLET, "ops": [1] * 501},
    {"device": TABLET, "since": "a", "ops": []}, {"device": TABLET, "since": -1, "ops": []}, {"device": TABLET, "since": True, "ops": []},
]  # fmt: skip


def test_a_wrong_frame_is_refused_as_a_whole(visit: Visit) -> None:
    for body in FRAMES:
        with pytest.raises(Invalid):
            sync(visit.session, visit.survey.id, body, actor=visit.actor("surveyor"), at=now())


def test_notes_on_a_site_need_no_element_and_one_on_a_standard_names_it(visit: Visit) -> None:
    ops = [visit.op(None, "site_note", "Friendly."), visit.op("7.3", "strength", "A clear rota."), visit.op("7.3", "recommendation", "Write it down."),
           visit.op("7.3.a", f"attachment:{uuid4()}", {"caption": "The kit"})]  # fmt: skip
    assert statuses(visit.send(*ops)) == ["applied"] * 4


def test_one_event_a_call_holds_the_ids_and_a_digest_of_the_journal(visit: Visit) -> None:
    before = visit.session.scalar(select(func.count()).select_from(Event))
    ops = [visit.op("1.1.a"), visit.op("1.1.b")]
    visit.send(*ops)
    visit.send(*ops)
    visit.send()
    events = visit.session.scalars(select(Event).where(Event.kind == "survey.recorded")).all()
    assert visit.session.scalar(select(func.count()).select_from(Event)) == (before or 0) + 1
    assert events[-1].data["ops"] == [o["op"] for o in ops]
    rows = sorted(journal(visit.session, SurveyOp, visit.survey.id), key=lambda r: r.seq)
    assert events[-1].data["digest"] == digest_of(
        [{c.name: getattr(r, c.name) for c in SurveyOp.__table__.columns} for r in rows]
    )
    assert verify_chain(visit.session).sound


# The property: any order, any split, any number of times, from several tablets, gives the same answers.

NOTE = "note:0b8a3a52-9d3c-4a9a-8a55-6a4a40d5d0c1"
FIELDS = ("rating", "note", "na_reason", "risk", NOTE, "signature:leader")
TABLETS = (TABLET, OTHER_TABLET, "7e5f4552-091a-4f5f-8d9b-6ec1d7a1e3a1")
VALUES = {"rating": ["yes", "no", "na", None], "note": ["seen", "not seen", None], "na_reason": ["none given", None],
          "risk": [{"harm": "low", "scope": "pattern"}, {"harm": "high", "scope": "limited"}, None],
          NOTE: [{"kind": "tracer", "text": "Came at nine.", "about": about, "pseudonym": "P-1"} for about in ([], ["1.1.a"], ["1.1.a", "7.9"])],
          "signature:leader": [{"name": name, "title": "MD", "strokes": "", "digest": "0" * 64} for name in ("Ada", "Bob")]}  # fmt: skip


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[tuple[str, dict[str, Any]]], int]:
    """A first part that every tablet has seen, then what each says without seeing the others."""
    said: list[tuple[str, dict[str, Any]]] = []
    count = draw(st.integers(1, 10))
    shared = draw(st.integers(0, 3))
    for number in range(count):
        field = draw(st.sampled_from(FIELDS))
        element = None if ":" in field else draw(st.sampled_from(["1.1.a", "7.9.b"]))
        op = {"op": str(draw(st.uuids(version=4))), "element": element, "field": field, "value": draw(st.sampled_from(VALUES[field])),
              "minute": draw(st.integers(0, 5)), "base": draw(st.one_of(st.none(), st.integers(0, shared))) if number >= shared else None}  # fmt: skip
        if op["op"] not in {other["op"] for _, other in said}:
            said.append((draw(st.sampled_from(TABLETS)), op))
    return said, min(shared, len(said))


def wipe(visit: Visit) -> None:
    for model in (SurveyOp, SurveyAnswer):
        visit.session.execute(delete(model).where(model.survey_id == visit.survey.id))
    for row in journal(visit.session, SurveyProgress, visit.survey.id):
        row.met = row.not_met = row.not_applicable = row.conflicts = row.without_note = row.without_reason = 0
    visit.survey.seq = visit.survey.clashes = 0
    visit.session.flush()


def play(visit: Visit, calls: list[tuple[str, list[dict[str, Any]]]]) -> None:
    start = now()
    for device, ops in calls:
        made = []
        for op in ops:
            body = {k: v for k, v in op.items() if k != "minute"}
            made.append(body | {"site": visit.site_ids[0], "at": (start + timedelta(minutes=op["minute"])).isoformat()})
        answer = visit.send(*made, device=device)
        assert set(statuses(answer)) <= {"applied", "conflict", "duplicate"}


def told(visit: Visit) -> dict[str, Any]:
    """What the server holds, without seq numbers and without which of two clashing values stands first."""
    session, survey_id = visit.session, visit.survey.id
    conflicts = {
        (c["site"], c["element"], c["field"]): frozenset(
            (v["op"], canonical(v["value"]), v["device"]) for v in c["values"]
        )
        for c in open_conflicts(session, survey_id)
    }
    answers = {(a.site_id, a.element, a.field): (a.value, a.at) for a in answers_of(session, survey_id) if not a.clash}
    history = {
        (o.op, o.device, o.element, o.field, canonical(o.value), o.at) for o in journal(session, SurveyOp, survey_id)
    }
    counters = {(p.site_id, p.domain): counters_of(p) for p in journal(session, SurveyProgress, survey_id)}
    differed = [
        (d.element, d.name, [(v.value, v.at) for v in d.values], d.settled and (d.settled.value, d.settled.at))
        for d in differences_of(session, visit.survey)
    ]
    return {"conflicts": conflicts, "answers": answers, "history": history, "counters": counters, "differed": differed}


def counters_of(p: SurveyProgress) -> Tally:
    return Tally(p.met, p.not_met, p.not_applicable, p.conflicts, p.without_note, p.without_reason)


def assert_counters_fit(visit: Visit) -> None:
    """The counters and what stands are what the journal, folded anew, gives."""
    session, survey = visit.session, visit.survey
    session.expire_all()
    keys: dict[tuple[int, str, str], list[tuple[Word, int | None]]] = {}
    for row in sorted(journal(session, SurveyOp, survey.id), key=lambda r: r.seq):
        if row.status != "late":
            word = Word(row.device, row.seq, row.op, row.value, row.at, row.order_at, row.by_name, row.by_id)
            keys.setdefault((row.site_id, row.element, row.field), []).append((word, row.base))
    standing = {key: fold(ops) for key, ops in keys.items()}
    stored = {(a.site_id, a.element, a.field): a for a in journal(session, SurveyAnswer, survey.id)}
    assert {k: (s.stands.value, s.clash, s.seq) for k, s in standing.items()} == {
        k: (a.value, a.clash, a.seq) for k, a in stored.items()
    }
    assert survey.clashes == sum(a.clash for a in stored.values())
    sums: dict[tuple[int, int], Tally] = {}
    elements, _ = places(survey)
    for site, element, field in standing:
        if field == "rating":
            rating = standing[(site, element, "rating")]
            texts = {f: standing[(site, element, f)].text for f in NEEDS if (site, element, f) in standing}
            one = tally(rating.stands.value, rating.clash, texts, current().survey.needs)
            place = (site, elements[element])
            sums[place] = sums.get(place, Tally()) + one
    for row in journal(session, SurveyProgress, survey.id):
        assert counters_of(row) == sums.get((row.site_id, row.domain), Tally())


@settings(max_examples=settings().max_examples * 2 // 3)
@given(stories(), st.data())
def test_any_order_split_and_repetition_gives_the_same_answers(visit: Visit, story: Any, data: st.DataObject) -> None:
    said, shared = story
    results = []
    for way in range(2):
        wipe(visit)
        play(visit, [(device, [deepcopy(op)]) for device, op in said[:shared]])
        rest = said[shared:] if way == 0 else data.draw(st.permutations(said[shared:]))
        calls: list[tuple[str, list[dict[str, Any]]]] = []
        for device, op in rest:
            repeated = way == 1 and data.draw(st.booleans())
            if calls and calls[-1][0] == device and data.draw(st.booleans()):
                calls[-1][1].append(deepcopy(op))
            else:
                calls.append((device, [deepcopy(op)]))
            if repeated:
                calls.append((device, [deepcopy(op)]))
        play(visit, calls)
        assert_counters_fit(visit)
        results.append(told(visit))
    assert results[0] == results[1]


def test_many_tablets_at_once_lose_nothing_and_number_every_op_once(live_server: LiveServer, clock: FixedClock) -> None:
    """Real commits from several threads: the survey's row is the queue."""
    with live_server.session() as session:
        visit = visit_under_way(session, clock)
        survey_id, site, actor = visit.survey.id, visit.site_ids[0], visit.actor("surveyor")
        elements = list(places(visit.survey)[0])

    def tablet(number: int) -> list[str]:
        device, found = str(uuid4()), []
        for turn in range(6):
            ops = [
                {
                    "op": str(uuid4()), "site": site, "element": elements[(number * 6 + turn + n) % 40], "field": "rating",
                    "value": ("yes", "no")[number % 2], "base": None, "at": now().isoformat(),
                }
                for n in range(3)
            ]  # fmt: skip
            with live_server.session() as own:
                answer = sync(own, survey_id, {"device": device, "since": 0, "ops": ops}, actor=actor, at=now())
            found += [ack["op"] for ack in answer["acks"] if ack["status"] in ("applied", "conflict")]
        return found

    with ThreadPoolExecutor(4) as pool:
        acknowledged = [op for ops in pool.map(tablet, range(4)) for op in ops]
    assert len(acknowledged) == 4 * 6 * 3
    with live_server.session() as session:
        rows = session.scalars(select(SurveyOp).order_by(SurveyOp.seq)).all()
        assert {r.op for r in rows} == set(acknowledged)
        assert [r.seq for r in rows] == list(range(1, len(rows) + 1))
        visit.session, visit.case = session, session.merge(visit.case)
        assert_counters_fit(visit)
        assert verify_chain(session).sound


def test_saving_one_answer_asks_the_database_as_little_as_ever(visit: Visit) -> None:
    """Twelve statements: the survey, the right, its sites, the op, what stands; journal, answer, counters, survey, and the event's three."""
    actor, survey_id = visit.actor("surveyor"), visit.survey.id
    seq = visit.send(visit.op("1.1.a"))["seq"]
    op = visit.op("1.1.b")
    visit.session.flush()
    visit.session.expire_all()
    with counting(visit.session) as sent:
        sync(visit.session, survey_id, {"device": TABLET, "since": seq, "ops": [op]}, actor=actor, at=now())
    assert len(sent) <= 12, sent
