"""Internal messages never reach the practice, whatever else a person may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.discussions.rules import (
    INTERNAL,
    Audience,
    item_url,
    message_errors,
    readable,
    side_of,
    writable,
)
from certify.core.access.roles import PRACTICE_ROLES, Role

ALL, PROGRAM, TEAM = Audience.PRACTICE_AND_PROGRAM, Audience.PROGRAM_ONLY, Audience.SURVEY_TEAM


@pytest.mark.parametrize(
    ("roles", "reads", "writes"),
    [
        ({Role.PRACTICE_ADMIN}, {ALL}, {ALL}),
        ({Role.PRACTICE_STAFF}, {ALL}, {ALL}),
        ({Role.PROGRAM_STAFF}, {ALL, PROGRAM, TEAM}, {ALL, PROGRAM, TEAM}),
        ({Role.SURVEYOR}, {ALL, TEAM}, {ALL, TEAM}),
        ({Role.COUNCIL}, {ALL, PROGRAM}, {ALL, PROGRAM}),
        ({Role.AUDITOR}, {ALL, PROGRAM, TEAM}, set()),
        ({Role.FINANCE}, set(), set()),
        ({Role.PRACTICE_ADMIN, Role.COUNCIL}, {ALL}, {ALL}),
        (set(), set(), set()),
    ],
)
def test_who_reads_and_who_writes(roles: set[Role], reads: set[Audience], writes: set[Audience]) -> None:
    assert readable(roles) == reads
    assert writable(roles) == writes


@given(st.sets(st.sampled_from(list(Role))))
def test_a_role_in_the_practice_shuts_every_internal_audience(roles: set[Role]) -> None:
    if roles & PRACTICE_ROLES:
        assert not readable(roles) & INTERNAL
    assert writable(roles) <= readable(roles)


@pytest.mark.parametrize(
    ("body", "audience", "fields"),
    [
        ("Hello", "practice_and_program", []),
        ("  ", "practice_and_program", ["body"]),
        ("x" * 10_001, "practice_and_program", ["body"]),
        ("Hello", "program_only", ["audience"]),
        ("Hello", "nonsense", ["audience"]),
    ],
)
def test_a_message_is_checked_before_it_is_sent(body: str, audience: str, fields: list[str]) -> None:
    assert [e.field for e in message_errors(body, audience, {Role.PRACTICE_ADMIN})] == fields


def test_each_side_is_named() -> None:
    assert [side_of({r}) for r in (Role.PRACTICE_STAFF, Role.PROGRAM_STAFF, Role.SURVEYOR, Role.COUNCIL)] == [
        "practice",
        "program",
        "surveyor",
        "council",
    ]


@pytest.mark.parametrize(
    ("item", "url"),
    [
        ("", "/cases/LO-1"),
        ("standard:7.3", "/cases/LO-1/evidence#s7.3"),
        ("element:7.3.b", "/cases/LO-1/evidence#s7.3"),
        ("requirement:12", "/cases/LO-1/corrections#r12"),
        ("section:sites", "/cases/LO-1/application/sites"),
    ],
)
def test_a_message_leads_to_what_it_is_about(item: str, url: str) -> None:
    assert item_url("LO-1", item) == url
