"""What a message may be about: only what is there in its very case."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from certify.certification.applications.queries import questionnaire_of
from certify.certification.cases.models import Case
from certify.certification.discussions.rules import ITEM_FORM
from certify.certification.evidence.models import Evidence
from certify.certification.fees.models import Invoice
from certify.certification.reports.models import Finding
from certify.core.rulebook.current import current
from certify.platform.practices.models import Site


def is_there(session: Session, case: Case, item: str) -> bool:
    """Whether the item is one of this case, or "" for the case itself; another practice's is as good as none."""
    if not item:
        return True
    if not ITEM_FORM.fullmatch(item):
        return False
    kind, _, key = item.partition(":")
    edition = current().editions[case.edition]
    in_rules: dict[str, Collection[str]] = {
        "standard": edition.standards,
        "element": edition.elements,
        "section": _sections(case),
    }
    if kind in in_rules:
        return key in in_rules[kind]
    return session.scalar(_row(case, kind, key)) is not None


def _sections(case: Case) -> frozenset[str]:
    return frozenset(section.key for section in questionnaire_of(case).sections)


def _row(case: Case, kind: str, key: str) -> Select[Any]:
    number = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else 0
    queries: dict[str, Select[Any]] = {
        "evidence": select(Evidence.id).where(Evidence.uuid == key, Evidence.practice_id == case.practice_id),
        "site": select(Site.id).where(Site.id == number, Site.practice_id == case.practice_id),
        "invoice": select(Invoice.id).where(Invoice.number == key, Invoice.case_id == case.id),
        # A number is given when the report is issued; before that a requirement is nobody's to speak of.
        "requirement": select(Finding.id).where(
            Finding.id == number, Finding.case_id == case.id, Finding.number.is_not(None)
        ),
    }
    return queries[kind]
