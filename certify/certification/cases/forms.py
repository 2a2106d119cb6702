"""Reading what the generic action page sends: every input of a trigger, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from werkzeug.datastructures import MultiDict

from certify.core.workflow.machine import Input

RECORD_KINDS = {"questions": ("field", "question"), "gaps": ("standard", "gap")}
LIST_KINDS = {"standards", "sites"}


def read_form(inputs: Iterable[Input], form: MultiDict[str, str]) -> dict[str, Any]:
    """Return the inputs as `take` reads them; rows of questions come as `questions-0-field`, `questions-0-question`, …"""
    data: dict[str, Any] = {}
    for one in inputs:
        if one.kind in RECORD_KINDS:
            data[one.key] = _records(one, form)
        elif one.kind in LIST_KINDS:
            data[one.key] = [value for value in form.getlist(one.key) if value.strip()]
        else:
            data[one.key] = form.get(one.key, "")
    return data


def _records(one: Input, form: MultiDict[str, str]) -> list[dict[str, str]]:
    about, text = RECORD_KINDS[one.kind]
    rows = []
    for number in range(50):
        record = {part: form.get(f"{one.key}-{number}-{part}", "").strip() for part in (about, text)}
        if record[text]:
            rows.append(record)
    return rows
