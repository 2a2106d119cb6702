"""What a call says of each op it was sent (contract, section 6, rules 1, 2 and 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certify.certification.surveys.journal import canonical
from certify.certification.surveys.values import plain

REASONS = {
    "conflict": "Another tablet gave another value; both are kept until one of you settles it.",
    "late": "The survey was finished before this arrived; it is kept for the lead surveyor and the program to accept.",
}


def final(ack: dict[str, Any], stored: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return an ack in its last form: one that waited for its op to be stored gets what became of it."""
    if "raw" not in ack:
        return ack
    row = stored[ack.get("first") or ack["again"]]
    if "again" in ack:
        return repeated(ack["raw"], row)
    return acknowledged(ack["raw"], row["status"], row["seq"], REASONS.get(row["status"]))


def repeated(raw: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ack of an id that is stored already: a duplicate, unless its content is another and must not be taken for stored."""
    about = (raw.get("site"), raw.get("element") or "", raw.get("field"))
    if about == (row["site_id"], row["element"], row["field"]) and _same(
        plain(raw.get("field"), raw.get("value")), row["value"]
    ):
        return acknowledged(raw, "duplicate", row["seq"], None)
    return acknowledged(
        raw, "rejected", None, "op: this id was already used for another entry; give the entry a new one."
    )


def acknowledged(raw: Any, status: str, seq: int | None, reason: str | None) -> dict[str, Any]:
    """Return one ack as the contract shapes it."""
    return {"op": raw.get("op") if isinstance(raw, dict) else None, "status": status, "seq": seq, "reason": reason}


def _same(one: Any, other: Any) -> bool:
    try:
        return canonical(one) == canonical(other)
    except (TypeError, ValueError, RecursionError):
        return False
