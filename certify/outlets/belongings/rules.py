"""What belongs to a practice: the tables, the way from one to the next, and what in them is not the practice's to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

# Table -> (its column, the table that column points to). Read in this order, so that what is pointed to comes first.
# Not here: surveyors' notes and declarations, comments among reviewers, reasons against an award that are still being
# written (a decision holds those it gave), who read what; they are the program's.
BELONGINGS: dict[str, tuple[str, str]] = {
    "site": ("practice_id", "practice"),
    "provider": ("practice_id", "practice"),
    "role_grant": ("practice_id", "practice"),
    "webinar_attendance": ("practice_id", "practice"),
    "evidence": ("practice_id", "practice"),
    "evidence_version": ("evidence_id", "evidence"),
    "case": ("practice_id", "practice"),
    "case_deadline": ("case_id", "case"),
    "answer": ("case_id", "case"),
    "answer_change": ("case_id", "case"),
    "agreement_signature": ("case_id", "case"),
    "information_question": ("case_id", "case"),
    "change_request": ("case_id", "case"),
    "evidence_use": ("case_id", "case"),
    "evidence_lock": ("case_id", "case"),
    "evidence_gap": ("case_id", "case"),
    "not_applicable_statement": ("case_id", "case"),
    "invoice": ("case_id", "case"),
    "invoice_line": ("invoice_id", "invoice"),
    "payment": ("invoice_id", "invoice"),
    "refund": ("case_id", "case"),
    "message": ("case_id", "case"),
    "report": ("case_id", "case"),
    "finding": ("case_id", "case"),
    "report_objection": ("case_id", "case"),
    "corrective_action_plan": ("case_id", "case"),
    "plan_item": ("finding_id", "finding"),
    "correction": ("finding_id", "finding"),
    "correction_evidence": ("correction_id", "correction"),
    "correction_judgement": ("finding_id", "finding"),
    "decision": ("case_id", "case"),
    "certificate": ("case_id", "case"),
}

SECRET_COLUMNS = frozenset({"version", "name_key", "search_text"})
ISSUED = {"issued", "replaced"}


def may_be_taken(table: str, row: Mapping[str, Any]) -> bool:
    """Whether a row of such a table is the practice's to read: no drafts of a report, no talk within the program."""
    if table == "report":
        return str(row["state"]) in ISSUED
    if table == "finding":
        # A remark that was dropped before the issue never reached the practice.
        return str(row["status"]) not in ("draft", "dropped")
    if table == "message":
        return str(row["audience"]) == "practice_and_program"
    return True


# What of a row is the program's alone: always, or as long as its judgement is not sent.
ALWAYS_WITHHELD: dict[str, dict[str, Any]] = {"decision": {"comment": ""}}
UNTIL_SENT: dict[str, dict[str, Any]] = {
    "plan_item": {"state": "sent", "comment": "", "judged_by_name": "", "judged_at": None},
    "correction": {"state": "sent", "judgement": "", "judged_by_id": None, "judged_by_name": "", "judged_at": None},
}


def as_told(table: str, row: Mapping[str, Any], unsent: Collection[int]) -> dict[str, Any]:
    """Return a row as the practice may read it: a judgement that is still a draft of the program is left out."""
    withheld = ALWAYS_WITHHELD.get(table, {})
    if table in UNTIL_SENT and row["id"] in unsent:
        withheld = withheld | UNTIL_SENT[table]
    return dict(row) | withheld


def spreadsheet_cell(value: Any) -> Any:
    """Return a value as a spreadsheet may hold it: text that would run as a formula is kept from doing so."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value
