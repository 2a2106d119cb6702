"""Severity and scope of findings: where one stands in the matrix, and the matrix as a report prints it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from certify.core.catalogue.survey import SurveyRules


class Risk(NamedTuple):
    """The place of a finding in the matrix: how likely harm is, how far it reaches."""

    harm: str
    scope: str


def read_risk(rules: SurveyRules, value: Any) -> Risk | None:
    """Return a place as the survey's journal holds it, None for anything that is no place of the matrix."""
    if not isinstance(value, Mapping) or not rules.is_place(value.get("harm"), value.get("scope")):
        return None
    return Risk(value["harm"], value["scope"])


def worst(rules: SurveyRules, risks: Iterable[Risk]) -> Risk | None:
    """Return the worst harm and the widest scope of several places, None without any."""
    found = rules.worst([risk for risk in risks if rules.is_place(*risk)])
    return Risk(*found) if found else None


def placed(rules: SurveyRules | None, risk: Risk | None) -> dict[str, Any] | None:
    """Return a finding's place as JSON values: the keys, the level, and both in words; None when it was not placed."""
    if rules is None or risk is None or not rules.is_place(*risk):
        return None
    level = rules.level(*risk)
    harm = next(step.label for step in rules.harm if step.key == risk.harm)
    scope = next(step.label for step in rules.scope if step.key == risk.scope)
    return {
        "harm": risk.harm,
        "scope": risk.scope,
        "level": level.key,
        "level_words": level.label,
        "words": f"{harm} likelihood of harm, {scope.lower()}",
        "demands": list(level.demands),
    }


def places_in(rules: SurveyRules) -> list[tuple[str, str]]:
    """Return every place of the matrix, the worst harm first, as (`high/pattern`, its words)."""
    found = []
    for harm in reversed(rules.harm):
        for scope in rules.scope:
            said = placed(rules, Risk(harm.key, scope.key))
            if said is not None:
                found.append((f"{harm.key}/{scope.key}", f"{said['words']}: {said['level_words'].lower()}"))
    return found


def grid(rules: SurveyRules | None, findings: Sequence[tuple[str, Risk | None]]) -> dict[str, Any] | None:
    """Return the matrix with the numbers of its findings, the worst harm first; None when no finding was placed.

    Args:
        findings: number and place of each requirement, in the order of the report.
    """
    if rules is None or not any(placed(rules, risk) for _, risk in findings):
        return None
    rows = []
    for harm in reversed(rules.harm):
        cells = []
        for scope in rules.scope:
            level = rules.level(harm.key, scope.key)
            here = [number for number, risk in findings if risk == (harm.key, scope.key)]
            cells.append({"scope": scope.key, "level": level.key, "level_words": level.label, "findings": here})
        rows.append({"harm": harm.key, "label": harm.label, "cells": cells})
    statements = {statement.key: statement.label for statement in rules.statements}
    return {
        "scopes": [{"key": step.key, "label": step.label} for step in rules.scope],
        "rows": rows,
        "levels": [
            {"key": level.key, "label": level.label, "demands": [statements.get(d, d) for d in level.demands]}
            for level in rules.levels
        ],
        "unplaced": [number for number, risk in findings if placed(rules, risk) is None],
    }
