"""A case's events as lines a person reads: who did what, when, why, and what changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certify.platform.audit.models import Event


@dataclass(frozen=True)
class Line:
    """One line of the timeline."""

    seq: int
    at: datetime
    by: str
    text: str
    reason: str
    kind: str
    subject: str
    internal: bool
    hash: str
    changes: tuple[tuple[str, str, str], ...]


def lines(events: Iterable[Event]) -> list[Line]:
    """Turn events into lines, in the order given."""
    return [
        Line(
            e.seq,
            e.at,
            e.actor_name,
            _sentence(e.summary),
            e.reason,
            e.kind,
            e.subject,
            e.internal,
            e.hash,
            _changes(e.data),
        )
        for e in events
    ]


def _sentence(summary: str) -> str:
    return summary[:1].upper() + summary[1:]


def _changes(data: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Rows of what, before, after; a `before` and `after` that are records give a row for each field that differs."""
    if "before" not in data and "after" not in data:
        return ()
    before, after = data.get("before"), data.get("after")
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = before or {}, after or {}
        keys = [k for k in {**old, **new} if old.get(k) != new.get(k)]
        return tuple((k.replace("_", " ").capitalize(), _shown(old.get(k)), _shown(new.get(k))) for k in keys)
    what = str(data.get("field") or data.get("deadline") or "Value")
    return ((what.replace("_", " ").capitalize(), _shown(before), _shown(after)),)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(v) for v in value)
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_shown(v)}" for k, v in value.items())
    return str(value)
