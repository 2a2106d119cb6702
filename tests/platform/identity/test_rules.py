"""What a good password and a good address are, and how long failures make one wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.access.roles import Role
from certify.platform.identity.rules import (
    LONGEST_WAIT,
    email_problem,
    password_problems,
    role_place_problem,
    waits_until,
)

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "password", ["seven quiet herons", "correct battery staple 9", "ünïcode wörds here", "x9$kQ2!vLp0z"]
)
def test_long_passwords_that_are_not_widely_known_will_do(password: str) -> None:
    assert password_problems(password, email="dana@lakeside.example", name="Dana Moss") == []


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "at least 12"),
        ("x" * 201, "at most 200"),
        ("dana@lakeside.example", "own name or email"),
        ("DANAMOSS2026", "own name or email"),
        ("passwordpassword", "first that are tried"),
        ("Chemotherapy123", "first that are tried"),
        ("aaaaaaaaaaaa", "first that are tried"),
        ("correct horse battery staple", "first that are tried"),
    ],
)
def test_a_weak_password_is_told_what_is_wrong_with_it(password: str, says: str) -> None:
    messages = [p.message for p in password_problems(password, email="dana@lakeside.example", name="Dana Moss")]
    assert any(says in m for m in messages), messages


@pytest.mark.parametrize("email", ["dana@lakeside.example", "d.m+x@sub.lakeside.org", "o'neil@x-y.com"])
def test_addresses_that_people_have_are_taken(email: str) -> None:
    assert email_problem(email) == ""


@pytest.mark.parametrize(
    "email",
    [
        "",
        "dana",
        "dana@",
        "@x.org",
        "dana@localhost",
        "a b@x.org",
        "a@x..org",
        "a..b@x.org",
        ".a@x.org",
        "a@x.org\nBcc: b@x.org",
        f"{'a' * 250}@x.org",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    assert email_problem(email) != ""


def test_the_first_failures_cost_nothing_and_later_ones_ever_more() -> None:
    failures = [NOON - timedelta(seconds=n) for n in range(20)]
    assert waits_until(failures[:4], tries=5) is None
    waits = [waits_until(failures[:n], tries=5) for n in range(5, 20)]
    spans = [w - NOON for w in waits if w is not None]
    assert spans[0] == timedelta(seconds=15)
    assert spans == sorted(spans)
    assert spans[-1] == LONGEST_WAIT


@given(st.lists(st.integers(0, 3600), max_size=40))
def test_nobody_ever_waits_longer_than_the_longest_wait(ages: list[int]) -> None:
    until = waits_until([NOON - timedelta(seconds=a) for a in ages], tries=5)
    assert until is None or until <= NOON + LONGEST_WAIT


def test_practice_roles_need_a_practice_and_program_roles_none() -> None:
    assert role_place_problem(Role.PRACTICE_ADMIN, None)
    assert role_place_problem(Role.COUNCIL, 3)
    assert role_place_problem(Role.SYSTEM, None)
    assert not role_place_problem(Role.PRACTICE_STAFF, 3)
    assert not role_place_problem(Role.SURVEYOR, None)
