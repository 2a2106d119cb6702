"""Identifiers and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from certify.core.foundation.clock import FixedClock, now, parse_instant, standing_at
from certify.core.foundation.ids import READABLE, digest, initials, new_secret, readable_code


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Lakeside Oncology", "LO"),
        ("St. Brendan Infusion", "SB"),
        ("mercy", "PR"),
        ("Ärzte Köln", "PR"),
        ("A", "AX"),
        ("", "PR"),
    ],
)
def test_a_practice_s_name_gives_two_capital_letters(name: str, letters: str) -> None:
    found = initials(name)
    assert len(found) == 2
    assert found.isascii()
    assert found.isupper()
    if letters != "PR":
        assert found == letters


def test_a_code_is_read_aloud_without_doubt() -> None:
    code = readable_code()
    assert [len(part) for part in code.split("-")] == [4, 4, 4]
    assert set(code) <= set(READABLE) | {"-"}
    assert not set(READABLE) & set("01OIL")


def test_secrets_differ_and_are_stored_as_digests() -> None:
    assert new_secret() != new_secret()
    assert len(digest("x")) == 64


def test_the_clock_stands_where_it_is_put() -> None:
    at = datetime(2026, 3, 5, 14, tzinfo=UTC)
    with standing_at(at) as clock:
        assert now() == at
        clock.move(by=timedelta(days=1))
        assert now() == at + timedelta(days=1)


@pytest.mark.parametrize("text", ["2026-03-05T14:00:00", "yesterday", ""])
def test_an_instant_needs_a_zone(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text)


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        FixedClock(datetime(2026, 3, 5))  # noqa: DTZ001 - the very mistake
