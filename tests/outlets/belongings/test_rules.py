"""What a practice takes along, and what stays with the program."""

from __future__ import annotations

import pytest

import certify.models_index  # noqa: F401 - makes the metadata whole
from certify.db import db
from certify.outlets.belongings.rules import BELONGINGS, as_told, may_be_taken, spreadsheet_cell


@pytest.mark.parametrize(("table", "column", "parent"), [(t, c, p) for t, (c, p) in BELONGINGS.items()])
def test_every_way_from_table_to_table_is_a_foreign_key(table: str, column: str, parent: str) -> None:
    targets = {key.column.table.name for key in db.metadata.tables[table].c[column].foreign_keys}
    assert targets == {parent}


def test_drafts_and_talk_within_the_program_stay() -> None:
    assert not may_be_taken("report", {"state": "in_review"})
    assert may_be_taken("report", {"state": "issued"})
    assert not may_be_taken("finding", {"status": "draft"})
    assert not may_be_taken("finding", {"status": "dropped"})
    assert may_be_taken("finding", {"status": "open"})
    assert "denial_reason" not in BELONGINGS
    assert not may_be_taken("message", {"audience": "survey_team"})
    assert may_be_taken("message", {"audience": "practice_and_program"})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_runs_as_a_formula(text: str) -> None:
    assert spreadsheet_cell(text) == "'" + text


def test_other_values_stay_as_they_are() -> None:
    assert [spreadsheet_cell(value) for value in ("Lakeside", -1, None)] == ["Lakeside", -1, None]


def test_a_judgement_that_is_not_sent_is_left_out_of_its_row() -> None:
    item = {
        "id": 7,
        "state": "returned",
        "comment": "Who?",
        "judged_by_name": "S",
        "judged_at": "now",
        "action": "Train.",
    }
    told = {"id": 7, "state": "sent", "comment": "", "judged_by_name": "", "judged_at": None, "action": "Train."}
    assert as_told("plan_item", item, {7}) == told
    assert as_told("plan_item", item, {8}) == item


def test_what_the_council_notes_for_itself_is_never_taken_along() -> None:
    assert as_told("decision", {"id": 1, "comment": "Between us."}, ()) == {"id": 1, "comment": ""}
