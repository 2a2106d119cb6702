"""Writes of the corrective action plan: its items, how each is judged, what each step of the case does to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from certify.certification.cases.events import CaseAdvanced
from certify.certification.cases.models import Case
from certify.certification.cases.operations import record_on
from certify.certification.cases.queries import zone_of
from certify.certification.corrections.models import (
    CorrectionJudgement,
    CorrectiveActionPlan,
    PlanItem,
)
from certify.certification.corrections.queries import current_plan, items_of, judged_in_this_round
from certify.certification.reports.models import Finding
from certify.certification.reports.queries import due_after_issue, label_of, requirement_for, requirements_of
from certify.core.access.roles import Actor
from certify.core.foundation.days import local_date
from certify.core.foundation.errors import FieldError, Invalid, NotOpen, Stale

MAX_TEXT, MAX_NAME = 5000, 200
PLAN_FIELDS = ("action", "owner", "due_on", "evidence", "leadership", "prevention")
TEXTS = (
    ("action", MAX_TEXT),
    ("owner", MAX_NAME),
    ("evidence", MAX_TEXT),
    ("leadership", MAX_TEXT),
    ("prevention", MAX_TEXT),
)


def begin_plan(session: Session, case: Case, *, at: datetime) -> CorrectiveActionPlan:
    """Begin a plan with an item for each open requirement; what an earlier plan said of one still open is taken over."""
    before = items_of(session, current_plan(session, case.id))
    plan = CorrectiveActionPlan(case_id=case.id, created_at=at)
    session.add(plan)
    session.flush()
    carried = {f.carried_to_id: f.id for f in requirements_of(session, case.id) if f.carried_to_id is not None}
    for finding in requirements_of(session, case.id, open_only=True):
        old = before.get(finding.id) or before.get(carried.get(finding.id, 0))
        session.add(
            PlanItem(
                plan_id=plan.id,
                finding_id=finding.id,
                action=old.action if old else "",
                owner=old.owner if old else "",
                due_on=None,
                evidence=old.evidence if old else "",
                leadership=old.leadership if old else "",
                prevention=old.prevention if old else "",
            )
        )
    session.flush()
    return plan


def write_item(
    session: Session,
    case: Case,
    finding_id: int,
    given: Mapping[str, Any],
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> PlanItem:
    """Save what the practice plans for one requirement; half-filled is fine until the plan is sent.

    Args:
        given: any of action, owner, due_on (a date or ISO text), evidence, leadership, prevention.
    Raises: NotFound, NotOpen when the item is not open for writing, Stale when someone saved something else after `version`, Invalid.
    """
    finding = requirement_for(session, case, finding_id)
    item = items_of(session, current_plan(session, case.id)).get(finding.id)
    if item is None or case.state != "plan_due":
        raise NotOpen("The plan is not open for writing.")
    if item.state not in ("draft", "returned"):
        raise NotOpen(f"The plan for {label_of(finding)} is accepted; only what was returned can be changed.")
    values = _plan_values(finding, given)
    before = {key: _plain(getattr(item, key)) for key in values}
    changed = {key: value for key, value in values.items() if getattr(item, key) != value}
    if changed and version is not None and version != item.version:
        raise Stale(
            "Someone else saved this requirement after you opened it. Open the page again to see what they wrote."
        )
    for key, value in changed.items():
        setattr(item, key, value)
    if changed:
        item.saved_at, item.saved_by_name = at, actor.name
        session.flush()
        after = {key: _plain(value) for key, value in values.items()}
        record_on(
            session, case, "correction.planned", f"wrote the plan for {label_of(finding)}", actor=actor, at=at,
            subject=link_to(case, finding), data={"before": before, "after": after},
        )  # fmt: skip
    return item


def judge_item(
    session: Session,
    case: Case,
    finding_id: int,
    verdict: str,
    comment: str,
    *,
    actor: Actor,
    at: datetime,
    version: int | None = None,
) -> PlanItem:
    """Accept the plan for one requirement, or return it with a comment; may be changed until the plan as a whole is answered.

    The same judgement again changes nothing, whoever gives it and whatever `version` they saw.
    Raises: NotFound, NotOpen, Stale when it was judged otherwise after `version`, Invalid.
    """
    finding = requirement_for(session, case, finding_id)
    item = items_of(session, current_plan(session, case.id)).get(finding.id)
    if item is None or case.state != "plan_review" or finding.status != "open":
        raise NotOpen("The plan is not with the program for review.")
    if verdict not in ("accept", "return"):
        raise Invalid("Choose accept or return.", f"r{finding_id}-verdict")
    comment = written(f"r{finding_id}-comment", comment)
    if verdict == "return" and not comment:
        raise Invalid(f"{label_of(finding)}: say what is not adequate yet.", f"r{finding_id}-comment")
    state = "accepted" if verdict == "accept" else "returned"
    if (item.state, item.comment) == (state, comment):
        return item
    if version is not None and version != item.version:
        raise judged_meanwhile(finding, item.judged_by_name)
    item.state, item.comment, item.judged_at, item.judged_by_name = state, comment, at, actor.name
    session.flush()
    word = "accepted" if verdict == "accept" else "returned"
    # The practice reads the judgements together, when the plan is answered.
    record_on(
        session, case, "correction.plan_judged", f"{word} the plan for {label_of(finding)}", actor=actor, at=at, reason=comment,
        subject=link_to(case, finding), internal=True,
    )  # fmt: skip
    return item


def prepare_submit_plan(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `submit_plan`: write the items that came with it; a requirement without an item gets one."""
    if current_plan(session, case.id) is None:
        begin_plan(session, case, at=at)
    for row in inputs.get("items") or ():
        given = {key: row[key] for key in PLAN_FIELDS if key in row}
        write_item(session, case, requirement_id(row), given, actor=actor, at=at)


def prepare_judge_plan(session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None:
    """Before `approve_plan` and `return_plan`: write the judgements that came with it."""
    for row in inputs.get("items") or ():
        judge_item(
            session, case, requirement_id(row), row.get("verdict", ""), row.get("comment", ""), actor=actor, at=at
        )


def plan_opened(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Begin the plan when it is asked for."""
    begin_plan(session, case, at=event.at)


def plan_sent(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Mark what was open for writing as sent."""
    plan = current_plan(session, case.id)
    if plan is None:
        return
    plan.submitted_at = event.at
    for item in items_of(session, plan).values():
        if item.state in ("draft", "returned"):
            item.state, item.answer_due_on = "sent", None
    session.flush()


def plan_returned(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Count the round; each returned item gets its own date, an item nobody judged stays as it was sent."""
    plan = current_plan(session, case.id)
    if plan is None:
        return
    plan.rounds += 1
    due_on = due_after_issue(session, case, "plan_due", local_date(event.at, zone_of(session, case)))
    for item in items_of(session, plan).values():
        if item.state == "returned":
            item.answer_due_on = due_on
    _keep_judgements(session, plan)


def plan_approved(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Keep when the plan was approved."""
    plan = current_plan(session, case.id)
    if plan is not None:
        plan.approved_at = event.at
        _keep_judgements(session, plan)


def plan_unanswered(session: Session, case: Case, event: CaseAdvanced) -> None:
    """Drop the judgements of a plan that the program no longer answers: the practice was never told them."""
    plan = current_plan(session, case.id)
    for item in items_of(session, plan).values():
        if plan and judged_in_this_round(plan, item):
            item.state, item.comment, item.judged_at, item.judged_by_name = "sent", "", None, ""
    session.flush()


def _keep_judgements(session: Session, plan: CorrectiveActionPlan) -> None:
    """Add what the practice is told of each item to the judgements that stay readable."""
    for item in items_of(session, plan).values():
        if judged_in_this_round(plan, item):
            session.add(
                CorrectionJudgement(
                    finding_id=item.finding_id, about="plan", verdict=item.state, text=item.comment,
                    person_name=item.judged_by_name, at=item.judged_at,
                )
            )  # fmt: skip
    session.flush()


def _plan_values(finding: Finding, given: Mapping[str, Any]) -> dict[str, Any]:
    errors: list[FieldError] = []
    values: dict[str, Any] = {}
    for key, limit in TEXTS:
        if key in given:
            text = str(given[key] or "").replace("\r\n", "\n").strip()
            if len(text) > limit:
                errors.append(
                    FieldError(f"r{finding.id}-{key}", f"This is {len(text):,} characters; at most {limit:,} fit.")
                )
            values[key] = text
    if "due_on" in given:
        raw = given["due_on"]
        try:
            values["due_on"] = raw if isinstance(raw, date) else date.fromisoformat(str(raw).strip()) if raw else None
        except ValueError:
            errors.append(FieldError(f"r{finding.id}-due_on", "Write a date like 2026-03-05."))
    if errors:
        raise Invalid(errors)
    return values


def judged_meanwhile(finding: Finding, by_name: str) -> Stale:
    """Return the refusal of a judgement that would replace one its author did not see."""
    who = by_name or "Someone else"
    return Stale(
        f"{who} judged {label_of(finding)} after you opened it. Open the page again to see how, then judge it."
    )


def requirement_id(row: Mapping[str, str]) -> int:
    """Return the requirement a record names. Raises: Invalid."""
    raw = str(row.get("requirement", ""))
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise Invalid("Each item names its requirement by its id.", "items")
    return int(raw)


def written(field: str, raw: str) -> str:
    """Return a text as it is stored. Raises: Invalid when it is too long."""
    text = raw.replace("\r\n", "\n").strip()
    if len(text) > MAX_TEXT:
        raise Invalid(f"This is {len(text):,} characters; at most {MAX_TEXT:,} fit.", field)
    return text


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def link_to(case: Case, finding: Finding) -> str:
    """Return where a requirement stands on the page."""
    return f"/cases/{case.ref}/corrections#r{finding.id}"
