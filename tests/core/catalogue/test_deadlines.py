"""A deadline falls on the same day however it is reckoned: over weekends, holidays, leap days and the change of clocks."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.catalogue.deadlines import ANCHORS, Deadline, due_on
from certify.core.declarations.reading import Broken
from certify.core.foundation.days import end_of_day, is_business_day
from certify.core.rulebook.loading import load_rulebook
from certify.resources import WORKFLOWS

DEADLINES = load_rulebook(WORKFLOWS, guards=None).deadlines
DAYS = st.dates(date(2022, 1, 1), date(2035, 12, 31))


def on(key: str, anchor: date) -> date | None:
    return due_on(DEADLINES[key], {DEADLINES[key].anchor: anchor})


@pytest.mark.parametrize(
    ("key", "anchor", "due"),
    [
        # ten business days: over two weekends
        ("cap_business_days", date(2026, 11, 2), date(2026, 11, 17)),  # Veterans Day on 11 Nov lies between
        ("cap_business_days", date(2026, 9, 1), date(2026, 9, 16)),  # Labor Day on 7 Sep
        ("cap_business_days", date(2026, 12, 21), date(2027, 1, 6)),  # Christmas and New Year
        ("cap_business_days", date(2026, 6, 26), date(2026, 7, 13)),  # 4 July is a Saturday: Friday is kept
        ("cap_business_days", date(2026, 10, 30), date(2026, 11, 16)),  # begins on a Friday
        ("cap_business_days", date(2026, 10, 31), date(2026, 11, 16)),  # on a Saturday: the same
        ("conflict_answer_business_days", date(2026, 11, 23), date(2026, 12, 1)),  # Thanksgiving
        # calendar days take no notice of weekends, holidays or clocks
        ("documents_window_days", date(2026, 10, 5), date(2026, 11, 2)),  # clocks go back on 1 Nov
        ("documents_window_days", date(2027, 2, 20), date(2027, 3, 20)),  # and forward on 14 Mar
        ("pending_days", date(2027, 3, 1), date(2028, 2, 29)),  # into a leap year
        ("pending_days", date(2028, 2, 29), date(2029, 2, 28)),
        ("correction_new_days_before_anniversary", date(2026, 3, 2), date(2027, 2, 2)),  # 28 days before 2 Mar 2027
        ("evidence_due_before_survey_days", date(2027, 3, 31), date(2027, 3, 1)),
        ("survey_visit", date(2027, 3, 31), date(2027, 3, 31)),
        ("report_days", date(2026, 11, 20), date(2027, 1, 1)),  # the whole chain, holidays and all
    ],
)
def test_it_falls_on_the_day_the_rule_says(key: str, anchor: date, due: date) -> None:
    assert on(key, anchor) == due


@pytest.mark.parametrize(
    ("due", "zone", "ends"),
    [
        (date(2026, 10, 31), "America/New_York", "2026-11-01T03:59:59+00:00"),
        (date(2026, 11, 1), "America/New_York", "2026-11-02T04:59:59+00:00"),  # the day that has 25 hours
        (date(2027, 3, 14), "America/New_York", "2027-03-15T03:59:59+00:00"),  # the day that has 23
        (date(2027, 3, 14), "America/Phoenix", "2027-03-15T06:59:59+00:00"),  # where clocks do not change
        (date(2027, 3, 14), "Pacific/Honolulu", "2027-03-15T09:59:59+00:00"),
    ],
)
def test_it_ends_with_the_local_day_even_when_clocks_change(due: date, zone: str, ends: str) -> None:
    assert end_of_day(due, zone).isoformat() == ends


@given(st.sampled_from([d for d in DEADLINES.values() if d.kind == "business"]), DAYS)
def test_a_deadline_in_business_days_never_falls_on_a_free_day(deadline: Deadline, anchor: date) -> None:
    due = due_on(deadline, {deadline.anchor: anchor})
    assert due is not None
    assert is_business_day(due)
    between = [anchor + timedelta(days=n) for n in range(1, (due - anchor).days + 1)]
    assert sum(is_business_day(day) for day in between) == deadline.days


@given(st.sampled_from([d for d in DEADLINES.values() if d.kind == "calendar"]), DAYS)
def test_a_deadline_in_calendar_days_is_so_many_days_on(deadline: Deadline, anchor: date) -> None:
    due = due_on(deadline, {deadline.anchor: anchor})
    assert due is not None
    assert (due - anchor).days == deadline.days - deadline.minus_days


@given(st.sampled_from(list(DEADLINES.values())), DAYS, DAYS)
def test_a_later_anchor_never_makes_an_earlier_deadline(deadline: Deadline, one: date, other: date) -> None:
    first, second = (due_on(deadline, {deadline.anchor: day}) for day in sorted((one, other)))
    assert first is not None
    assert second is not None
    assert first <= second


def test_it_does_not_run_before_its_anchor_has_a_date() -> None:
    assert due_on(DEADLINES["report_days"], {"entered": date(2026, 11, 2)}) is None


@pytest.mark.parametrize(
    ("key", "kind", "days", "anchor", "minus"),
    [
        ("documents_window_days", "calendar", 28, "entered", 0),
        ("surveyor_notice_days", "calendar", 14, "entered", 0),
        ("survey_confirm_days", "calendar", 42, "entered", 0),
        ("evidence_due_before_survey_days", "calendar", 0, "survey_starts_on", 30),
        ("report_days", "calendar", 42, "survey_ended_on", 0),
        ("cap_business_days", "business", 10, "entered", 0),
        ("correction_new_days_before_anniversary", "calendar", 365, "pending_on", 28),
        ("pending_days", "calendar", 365, "pending_on", 0),
        ("correction_review_days", "calendar", 30, "entered", 0),
        ("answer_days", "calendar", 30, "entered", 0),
        ("payment_days", "calendar", 30, "entered", 0),
        ("decision_days", "calendar", 14, "entered", 0),
        ("objection", "business", 10, "report_issued_on", 0),
    ],
)
def test_the_numbers_are_those_of_the_process(key: str, kind: str, days: int, anchor: str, minus: int) -> None:
    found = DEADLINES[key]
    assert (found.kind, found.days, found.anchor, found.minus_days) == (kind, days, anchor, minus)
    assert found.anchor in ANCHORS


def test_documents_may_be_extended_once_by_a_fortnight() -> None:
    found = DEADLINES["documents_window_days"]
    assert (found.extend_days, found.extend_times) == (14, 1)


def test_a_deadline_moves_only_with_one_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "workflows"
    shutil.copytree(WORKFLOWS, folder)
    file = folder / "deadlines.yaml"
    file.write_text(file.read_text().replace("moves_with: pending_days", "moves_with: pending_day"))
    with pytest.raises(Broken, match=r"'moves_with' names 'pending_day'; did you mean pending_days\?"):
        load_rulebook(folder, guards=None)
