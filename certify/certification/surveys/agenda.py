"""The agenda of a visit: one day a site, from the opening to the closing meeting (process.md, step 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from typing import Any

from certify.core.foundation.days import add_business_days
from certify.core.foundation.errors import FieldError, Invalid

DAY: tuple[tuple[str, str, str], ...] = (
    ("08:00", "08:30", "Opening meeting with the practice's leaders"),
    ("08:30", "10:00", "Pharmacy: storage, preparation, checks"),
    ("10:00", "12:00", "Infusion suite: follow patients through their treatment"),
    ("12:45", "13:30", "Triage desk and telephone line"),
    ("13:30", "15:00", "Review of records"),
    ("15:00", "16:00", "Interviews with staff and patients"),
    ("16:00", "16:30", "Closing meeting"),
)
MOST_LINES = 200


def default_agenda(starts_on: date, sites: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
    """Return one day for each site to visit, on business days from the first."""
    found: list[dict[str, Any]] = []
    day = starts_on
    for number, (site_id, _name) in enumerate(sites):
        if number:
            day = add_business_days(day, 1)
        found += [
            {"on": day.isoformat(), "from": start, "to": end, "site": site_id, "what": what} for start, end, what in DAY
        ]
    return found


def read_agenda(items: Iterable[dict[str, str]], sites: set[int]) -> list[dict[str, Any]]:
    """Return agenda lines in order of time. Raises: Invalid with each line that is wrong."""
    lines: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for row, item in enumerate(items, start=1):
        if not any(str(item.get(key, "")).strip() for key in ("what", "from", "to")):
            continue
        try:
            on, start, end = (
                date.fromisoformat(item["on"]),
                time.fromisoformat(item["from"]),
                time.fromisoformat(item["to"]),
            )
            site, what = int(item["site"]), item["what"].strip()
        except (KeyError, ValueError):
            errors.append(FieldError("agenda", f"Line {row}: give day, from, to, site and what happens.", row=row))
            continue
        if start.tzinfo is not None or end.tzinfo is not None:
            errors.append(
                FieldError("agenda", f"Line {row}: give times of the practice's day, such as 08:30.", row=row)
            )
            continue
        if end <= start or site not in sites or not what or len(what) > 200:
            errors.append(
                FieldError(
                    "agenda",
                    f"Line {row}: the end must come after the beginning, and something must happen at a site.",
                    row=row,
                )
            )
            continue
        lines.append({"on": on.isoformat(), "from": f"{start:%H:%M}", "to": f"{end:%H:%M}", "site": site, "what": what})
    if len(lines) > MOST_LINES:
        errors.append(FieldError("agenda", f"At most {MOST_LINES} lines fit."))
    if errors:
        raise Invalid(errors)
    return sorted(lines, key=lambda line: (line["on"], line["from"], line["to"]))
