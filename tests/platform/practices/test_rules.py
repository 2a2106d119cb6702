"""What a practice, a site and a provider must look like."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.platform.practices.rules import (
    STATES,
    practice_problems,
    provider_problems,
    site_problems,
    tax_id_problem,
    tidy_tax_id,
)

PRACTICE: dict[str, Any] = {
    "legal_name": "Lakeside Oncology", "setting": "community", "tax_ids": ["36-1234567"], "ownership": "physician-owned",
    "address": "1 Lake St", "city": "Chicago", "state": "IL", "postal_code": "60601", "phone": "(312) 555-0100", "time_zone": "America/Chicago",
}  # fmt: skip
SITE: dict[str, Any] = {
    "name": "Main", "services": ["infusion"], "physician_fte": Decimal("2.5"), "app_fte": Decimal(1), "nurse_fte": Decimal("8.25"),
    "pharmacist_fte": Decimal(0), "infusion_chairs": 12, "state": "IL", "postal_code": "60601-1234", "opened_on": None,
}  # fmt: skip
PROVIDER: dict[str, Any] = {"name": "Dana Moss", "profession": "physician", "credentials": "MD", "fte": Decimal("0.8")}


def fields(problems: list[Any]) -> set[str]:
    """Return which fields are complained about."""
    return {p.field for p in problems}


def test_what_is_right_is_taken() -> None:
    assert practice_problems(PRACTICE) == []
    assert site_problems(SITE) == []
    assert provider_problems(PROVIDER) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_name", ""), ("legal_name", "x" * 201), ("legal_name", "two\nlines"), ("setting", "moon"), ("tax_ids", ["12"]),
        ("tax_ids", ["36-1234567", "36-1234567"]), ("tax_ids", ["00-1234567"]), ("state", "ZZ"), ("postal_code", "1234"),
        ("postal_code", "606011234"), ("phone", "call me"), ("time_zone", "Mars/Olympus"), ("time_zone", ""), ("time_zone", "../../etc/passwd"),
        ("ownership", "x" * 61), ("city", "x" * 101), ("address", "x" * 301),
    ],
)  # fmt: skip
def test_each_wrong_field_of_a_practice_is_named(field: str, value: object) -> None:
    assert fields(practice_problems({**PRACTICE, field: value})) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("services", ["infusion", "teleport"]), ("services", ["infusion", "infusion"]), ("physician_fte", Decimal(-1)),
        ("nurse_fte", Decimal("1000")), ("app_fte", Decimal("1.234")), ("pharmacist_fte", Decimal("NaN")), ("physician_fte", Decimal("Infinity")),
        ("physician_fte", None), ("infusion_chairs", -1), ("infusion_chairs", 501), ("infusion_chairs", None), ("state", "XX"),
    ],
)  # fmt: skip
def test_each_wrong_field_of_a_site_is_named(field: str, value: object) -> None:
    assert fields(site_problems({**SITE, field: value})) == {field}


def test_chairs_without_infusion_are_a_contradiction() -> None:
    assert fields(site_problems({**SITE, "services": []})) == {"services"}
    assert site_problems({**SITE, "services": [], "infusion_chairs": 0}) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("profession", "wizard"), ("fte", Decimal(0)), ("fte", Decimal("1.51")), ("fte", None)],
)
def test_each_wrong_field_of_a_provider_is_named(field: str, value: object) -> None:
    assert fields(provider_problems({**PROVIDER, field: value})) == {field}


def test_the_states_are_those_of_the_postal_service() -> None:
    assert len(STATES) == 56
    assert {"DC", "PR", "GU"} <= STATES.keys()


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_a_tidied_number_is_right_or_says_why(digits: str) -> None:
    tidy = tidy_tax_id(f" {digits[:2]} {digits[2:]} ")
    assert tidy == f"{digits[:2]}-{digits[2:]}"
    problem = tax_id_problem(tidy)
    assert problem == "" or digits[:2] in problem
