"""Days, money and counts read the same on every page."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime

import pytest

from certify.platform.web import formats


def test_the_examples_of_the_docstrings_hold() -> None:
    assert doctest.testmod(formats).failed == 0


def test_an_instant_is_shown_on_the_local_day_of_the_zone() -> None:
    late = datetime(2026, 12, 5, 4, 30, tzinfo=UTC)

    assert formats.moment(late, "America/Chicago") == "Fri 4 Dec 2026, 22:30"
    assert formats.moment(late, "America/New_York") == "Fri 4 Dec 2026, 23:30"
    assert formats.moment(late) == "Sat 5 Dec 2026, 04:30 UTC"


@pytest.mark.parametrize("write", [formats.day, formats.day_brief, formats.day_long, formats.moment, formats.money])
def test_nothing_is_written_as_nothing(write: object) -> None:
    assert callable(write)
    assert write(None) == ""


def test_a_leap_day_keeps_its_name() -> None:
    assert formats.day_long(date(2028, 2, 29)) == "Tuesday 29 February 2028"


def test_money_below_zero_shows_its_sign() -> None:
    assert formats.money(-50) == "−$0.50"
