"""Drawing, scoring blind and comparing, as staff and the second surveyor meet it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.calibration.models import CalibrationSample, CalibrationScore
from certify.certification.calibration.operations import draw_sample, finish_sample, save_scores, withdraw_sample
from certify.certification.calibration.queries import compared, program_page, scores_of
from certify.certification.cases.operations import add_member
from certify.certification.surveys.sync import sync
from certify.core.access.roles import Actor, Role
from certify.core.foundation.clock import FixedClock, now
from certify.core.foundation.errors import Invalid, NotOpen, RulesUnmet
from certify.platform.audit.queries import list_events
from certify.platform.identity.models import Person
from certify.platform.identity.queries import actor_as
from tests.builders import make_person, sign_in
from tests.certification.surveys.visits import OTHER_TABLET, Visit, visit_under_way


class Team:
    """A visit under way with a second surveyor on the team."""

    def __init__(self, session: Session, clock: FixedClock) -> None:
        self.session = session
        self.visit: Visit = visit_under_way(session, clock)
        self.second: Person = make_person(session, Role.SURVEYOR, name="Sam Second")
        add_member(session, self.visit.case, self.second.id, "surveyor", at=now())
        clock.move(by=timedelta(minutes=5))

    @property
    def scorer(self) -> Actor:
        return actor_as(self.session, self.second)

    @property
    def url(self) -> str:
        return f"/surveys/{self.visit.survey.id}/calibration"

    def draw(self, share: int = 10, seed: str = "lot") -> CalibrationSample:
        visit = self.visit
        return draw_sample(
            self.session,
            visit.case,
            visit.survey,
            self.second.id,
            share,
            actor=visit.actor("staff"),
            at=now(),
            seed=seed,
        )

    def rows(self, sample: CalibrationSample) -> list[CalibrationScore]:
        return scores_of(self.session, [sample.id])[sample.id]

    def first_rates(self, rows: list[CalibrationScore], *ratings: str) -> None:
        ops = [
            self.visit.op(row.element, value=rating, site=row.site_id)
            for row, rating in zip(rows, ratings, strict=True)
        ]
        self.visit.send(*ops)

    def second_scores(self, sample: CalibrationSample, *ratings: str) -> None:
        given = {row.id: (rating, "") for row, rating in zip(self.rows(sample), ratings, strict=True)}
        save_scores(self.session, self.visit.case, sample, given, actor=self.scorer, at=now())

    def finish(self, sample: CalibrationSample) -> None:
        finish_sample(self.session, self.visit.case, sample, actor=self.scorer, at=now())


@pytest.fixture
def team(session: Session, clock: FixedClock) -> Team:
    return Team(session, clock)


def test_a_share_of_each_domain_is_drawn_and_leaves_an_event(session: Session, team: Team) -> None:
    sample = team.draw()
    rows = team.rows(sample)
    assert {row.domain for row in rows} == {1, 2, 3, 4, 5, 6, 7}
    assert all(row.rating == "" for row in rows)
    event = list_events(session, f"case:{team.visit.case.ref}")[0]
    assert (event.kind, event.data["seed"], event.internal) == ("calibration.drawn", "lot", True)
    with pytest.raises(NotOpen, match="not finished"):
        team.draw()


def test_what_she_rated_herself_is_never_drawn(session: Session, team: Team) -> None:
    own = team.visit.op("1.1.a")
    team.visit.session.flush()
    sync(session, team.visit.survey.id, {"device": OTHER_TABLET, "since": 0, "ops": [own]}, actor=team.scorer, at=now())
    drawn = {(row.site_id, row.element) for row in team.rows(team.draw(100))}
    assert (own["site"], "1.1.a") not in drawn
    assert (own["site"], "1.1.b") in drawn


def test_only_someone_of_the_team_and_a_share_that_is_one(session: Session, team: Team) -> None:
    visit = team.visit
    stranger = make_person(session, Role.SURVEYOR)
    for person, share in ((stranger.id, 10), (team.second.id, 0), (team.second.id, 101)):
        with pytest.raises(Invalid):
            draw_sample(session, visit.case, visit.survey, person, share, actor=visit.actor("staff"), at=now())


def test_she_sees_nothing_of_the_survey_until_she_has_scored(
    session: Session, team: Team, new_client: Callable[[], FlaskClient]
) -> None:
    survey = team.visit.survey.id
    sample = team.draw()
    rows = team.rows(sample)
    team.first_rates(rows, *["no"] * len(rows))
    client = sign_in(new_client(), team.second)
    site, code = rows[0].site_id, rows[0].element.rpartition(".")[0]
    for path in (f"/surveys/{survey}", f"/surveys/{survey}/sites/{site}/standards/{code}"):
        led = client.get(path)
        assert (led.status_code, led.location) == (302, f"{team.url}/score"), path
    refused = client.get(f"/surveys/{survey}/checklist.json")
    assert refused.status_code == 422
    assert f"/surveys/{survey}/calibration/score" in refused.text
    page = client.get(f"{team.url}/score")
    assert page.status_code == 200
    assert " checked>" not in page.text
    # Her tablet still sends, and gets nothing of the others' until she has finished.
    op = team.visit.op("2.1.a", "note", "Seen by me.", site=team.visit.site_ids[1])
    body = {"device": OTHER_TABLET, "since": 0, "ops": [op]}
    answer = sync(session, survey, body, actor=team.scorer, at=now())
    assert [ack["status"] for ack in answer["acks"]] == ["applied"]
    assert (answer["seq"], answer["changes"], answer["conflicts"]) == (0, [], [])
    data = {f"rating-{row.id}": "no" for row in rows} | {"go": "finish"}
    assert client.post(f"{team.url}/score", data=data).status_code == 302
    assert client.get(f"/surveys/{survey}").status_code == 200
    answer = sync(session, survey, body | {"ops": []}, actor=team.scorer, at=now())
    assert len(answer["changes"]) == len(rows) + 1


def test_the_draft_report_is_closed_to_her_too(
    session: Session, team: Team, new_client: Callable[[], FlaskClient]
) -> None:
    from certify.certification.reports.operations import begin_draft

    team.draw()
    team.visit.survey.finished_at = now()
    begin_draft(session, team.visit.case, actor=team.visit.actor("surveyor"), at=now())
    client = sign_in(new_client(), team.second)
    for path, status in (("report", 302), ("report/audit", 422), ("documents/survey-report.docx?draft=1", 422)):
        assert client.get(f"/cases/{team.visit.case.ref}/{path}").status_code == status, path


def test_nothing_is_finished_half_and_nothing_changes_after(session: Session, team: Team) -> None:
    sample = team.draw()
    rows = team.rows(sample)
    save_scores(session, team.visit.case, sample, {rows[0].id: ("yes", "Two people.")}, actor=team.scorer, at=now())
    with pytest.raises(Invalid) as refusal:
        team.finish(sample)
    assert len(refusal.value.errors) == len(rows) - 1
    team.second_scores(sample, *["yes"] * len(rows))
    team.finish(sample)
    with pytest.raises(NotOpen):
        team.second_scores(sample, *["no"] * len(rows))
    with pytest.raises(NotOpen):
        withdraw_sample(session, team.visit.case, sample, "Why", actor=team.visit.actor("staff"), at=now())


def test_nobody_scores_for_another(session: Session, team: Team) -> None:
    sample = team.draw()
    with pytest.raises(NotOpen):
        save_scores(session, team.visit.case, sample, {}, actor=team.visit.actor("surveyor"), at=now())
    with pytest.raises(Invalid):
        save_scores(session, team.visit.case, sample, {0: ("yes", "")}, actor=team.scorer, at=now())


def test_staff_read_kappa_its_interval_and_where_the_two_differ(
    session: Session, team: Team, new_client: Callable[[], FlaskClient]
) -> None:
    sample = team.draw()
    rows = team.rows(sample)
    half = len(rows) // 2
    team.first_rates(rows, *["yes"] * half, *["no"] * (len(rows) - half))
    team.second_scores(sample, *["yes"] * (half - 1), *["no"] * (len(rows) - half + 1))
    team.finish(sample)
    (found,) = compared(session, team.visit.survey)
    assert (found.agreement.pairs, found.agreement.alike) == (len(rows), len(rows) - 1)
    assert found.agreement.kappa is not None
    assert [(pair.element, pair.first, pair.second) for pair in found.differing] == [
        (rows[half - 1].element, "yes", "no")
    ]
    client = sign_in(new_client(), team.visit.staff)
    page = client.get(team.url).text
    assert f"κ = {found.agreement.kappa:.2f} (95 % interval" in page
    assert rows[half - 1].element in page
    assert "Sam Second" in client.get("/calibration").text
    total = program_page(session)
    assert total.total == found.agreement
    assert len(total.domains) == 7


def test_her_own_later_word_does_not_count_as_the_first(session: Session, team: Team) -> None:
    sample = team.draw()
    rows = team.rows(sample)
    team.first_rates(rows, *["yes"] * len(rows))
    team.second_scores(sample, *["no"] * len(rows))
    team.finish(sample)
    op = team.visit.op(rows[0].element, value="no", site=rows[0].site_id, base=10_000)
    sync(session, team.visit.survey.id, {"device": OTHER_TABLET, "since": 0, "ops": [op]}, actor=team.scorer, at=now())
    (found,) = compared(session, team.visit.survey)
    assert found.agreement.alike == 0


def test_the_comparison_is_with_what_stood_and_does_not_change_afterwards(session: Session, team: Team) -> None:
    """Not with the op that happened to arrive last: an older word of the same tablet that comes late stands nowhere."""
    sample = team.draw()
    rows = team.rows(sample)
    older = [team.visit.op(r.element, value="no", site=r.site_id, at=(now() - timedelta(hours=1)).isoformat()) for r in rows]  # fmt: skip
    team.first_rates(rows, *["yes"] * len(rows))
    team.visit.send(*older)
    # On the first of them two others differ: there is no first rating to compare with.
    clash = team.visit.op(rows[0].element, value="na", site=rows[0].site_id)
    team.visit.send(clash, device=str(uuid4()))
    team.second_scores(sample, *["yes"] * len(rows))
    team.finish(sample)
    for _ in range(2):
        session.flush()
        session.expire_all()
        (found,) = compared(session, team.visit.survey)
        assert (found.agreement.pairs, found.agreement.alike, found.unrated) == (len(rows) - 1, len(rows) - 1, 1)
        team.first_rates(rows, *["no"] * len(rows))
    assert program_page(session).total.alike == len(rows) - 1


def test_the_programs_list_comes_page_by_page_and_its_total_is_of_all(
    session: Session, team: Team, new_client: Callable[[], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        sample = team.draw(5, seed=f"lot {number}")
        rows = team.rows(sample)
        team.first_rates(rows, *["yes"] * len(rows))
        team.second_scores(sample, *["yes"] * len(rows))
        team.finish(sample)
    pairs = program_page(session).total.pairs
    first = program_page(session, limit=2)
    assert first.total.pairs == pairs
    ids = [row.id for row in first.rows]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 2
    assert [row.id for row in program_page(session, before=ids[-1]).rows] == [min(ids) - 1]
    assert [row.id for row in program_page(session, after=min(ids) - 1).rows] == sorted(ids)
    page = sign_in(new_client(), team.visit.staff).get("/calibration")
    assert page.text.count("Sam Second") == 3


def test_what_is_taken_back_counts_nowhere_and_opens_the_survey(
    session: Session, team: Team, new_client: Callable[[], FlaskClient]
) -> None:
    sample = team.draw()
    with pytest.raises(Invalid):
        withdraw_sample(session, team.visit.case, sample, " ", actor=team.visit.actor("staff"), at=now())
    staff = sign_in(new_client(), team.visit.staff)
    assert staff.post(f"{team.url}/{sample.id}/withdraw", data={"reason": "She fell ill."}).status_code == 302
    assert "She fell ill." in staff.get(team.url).text
    assert program_page(session).rows == ()
    assert sign_in(new_client(), team.second).get(f"/surveys/{team.visit.survey.id}").status_code == 200
    assert session.scalars(select(CalibrationScore)).first() is not None


def test_surveyors_and_practice_do_not_read_the_comparison(team: Team, new_client: Callable[[], FlaskClient]) -> None:
    for person in (team.second, team.visit.surveyor, team.visit.head):
        client = sign_in(new_client(), person)
        assert client.get(team.url).status_code == 403
        assert client.get("/calibration").status_code == 403


def test_without_anything_drawn_the_score_page_says_so(team: Team, new_client: Callable[[], FlaskClient]) -> None:
    client = sign_in(new_client(), team.second)
    assert "Nothing to score" in client.get(f"{team.url}/score").text
    assert client.post(f"{team.url}/score", data={}).status_code == 409


def test_the_survey_is_closed_by_a_refusal_that_leads_on(session: Session, team: Team) -> None:
    from certify.certification.surveys.queries import checklist

    team.draw()
    with pytest.raises(RulesUnmet) as refusal:
        checklist(session, team.visit.survey.id, team.scorer, now())
    assert [u.link for u in refusal.value.unmet] == [f"{team.url}/score"]
