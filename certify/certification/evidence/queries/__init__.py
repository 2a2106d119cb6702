"""Reads of evidence: the library of a practice, what a case uses, what the survey sees."""

from certify.certification.evidence.queries.coverage import counts_for, coverage_of
from certify.certification.evidence.queries.documents import (
    Document,
    VersionRow,
    document_for,
    documents_of,
    quarantined_in,
    sites_of,
    unused_documents_of,
    uses_of,
    version_for,
    versions_of,
)
from certify.certification.evidence.queries.sight import (
    CLEAR,
    QUARANTINED,
    held_by_lock,
    lock_of,
    locked_case_of,
    may_open_quarantined,
    sees_quarantine,
)
from certify.certification.evidence.queries.survey import (
    ElementEvidence,
    evidence_for_elements,
    evidence_for_standard,
    evidence_of_case,
)

__all__ = [
    "CLEAR",
    "QUARANTINED",
    "Document",
    "ElementEvidence",
    "VersionRow",
    "counts_for",
    "coverage_of",
    "document_for",
    "documents_of",
    "evidence_for_elements",
    "evidence_for_standard",
    "evidence_of_case",
    "held_by_lock",
    "lock_of",
    "locked_case_of",
    "may_open_quarantined",
    "quarantined_in",
    "sees_quarantine",
    "sites_of",
    "unused_documents_of",
    "uses_of",
    "version_for",
    "versions_of",
]
