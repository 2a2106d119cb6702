"""Reading a checklist page that was sent as a form: only what the person changed becomes an op."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from certify.core.foundation.ids import new_uuid

TEXTS = ("note", "na_reason", "strength", "recommendation", "standard_note")
SEEN = ("seen_documentation", "seen_observation", "seen_data")
RISK = "risk"  # on the page one radio a cell of the matrix: "high/pattern"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page showed for one field when it was opened: the seq it stood at, and whether two values stood."""

    base: int | None
    clash: bool


def name_of(field: str, about: str) -> str:
    """Return the name of a form field, `rating:7.3.b`."""
    return f"{field}:{about}"


def bases_in(form: Mapping[str, str], names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Shown]:
    """Return for each (element, field) what the page says it showed."""
    found = {}
    for about, field in names:
        text = form.get(f"base:{name_of(field, about)}", "")
        base = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
        found[(about, field)] = Shown(base, form.get(f"clash:{name_of(field, about)}") == "1")
    return found


def posted(form: Mapping[str, str], about: str, field: str) -> Any:
    """Return the value a form gives for a field, in the journal's own shape; None for empty."""
    name = name_of(field, about)
    if field == "rating":
        return form.get(name) if form.get(name) in ("yes", "no", "na") else None
    if field == RISK:
        harm, _, scope = form.get(name, "").partition("/")
        return {"harm": harm, "scope": scope} if harm and scope else None
    if field in SEEN:
        if form.get(name) != "on":
            return None
        what = form.get(name_of(field.replace("seen_", "what_"), about), "").replace("\r\n", "\n").strip()
        return {"what": what} if what else True
    text = form.get(name, "").replace("\r\n", "\n").strip()
    return text or None


def ops_of_form(
    form: Mapping[str, str], site: int, names: Iterable[tuple[str, str]], shown_values: Mapping[int, Any], at: str
) -> list[dict[str, Any]]:
    """Return the ops for what was changed on a page, each based on what the page showed.

    Args:
        names: the (element or standard, field) pairs the page carries.
        shown_values: seq -> value of the journal, to tell what was on the page from what was typed.
    """
    names = list(names)
    shown = bases_in(form, names)
    ops = []
    for about, field in names:
        was = shown[(about, field)]
        value = posted(form, about, field)
        before = None if was.base is None else shown_values.get(was.base)
        if field in SEEN and before is False:
            before = None
        if was.clash and value is None:
            continue
        if not was.clash and value == before:
            continue
        ops.append(
            {
                "op": new_uuid(),
                "site": site,
                "element": about,
                "field": field,
                "value": value,
                "base": was.base,
                "at": at,
            }
        )
    return ops
