"""Pages by key."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from certify.core.access.roles import Role
from certify.core.foundation.errors import Invalid
from certify.platform.web.paging import Key, page_of, read_cursor, read_limit, write_cursor
from tests.builders import make_person, sign_in

keepable = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
key_parts = st.one_of(st.text(keepable, max_size=30), st.integers(-(2**53), 2**53), st.none())


@given(st.lists(key_parts, min_size=1, max_size=4), st.booleans())
def test_a_cursor_gives_back_the_key_it_was_made_of(parts: list[str | int | None], back: bool) -> None:
    shape = [str | int | None] * len(parts)
    assert read_cursor(write_cursor(tuple(parts), back=back), shape) == (tuple(parts), back)


@given(st.text(max_size=60))
def test_no_text_makes_a_cursor_fail_otherwise_than_clearly(text: str) -> None:
    with suppress(Invalid):
        key, _ = read_cursor(text, (str, int))
        assert len(key) == 2


@pytest.mark.parametrize(
    "key", [("lake", 1.5), ("lake", "1"), (1, 1), ("lake", True), ("lake", None), ("lake",), ([], 1)]
)
def test_a_cursor_holds_the_kinds_its_list_sorts_by(key: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        read_cursor(write_cursor(key), (str, int))
    assert [e.field for e in refusal.value.errors] == ["cursor"]


LISTS = {
    1: ["/mail?", "/cases?", "/calibration?", "/api/v1/cases?"],
    2: ["/people?", "/practices?", "/register?", "/invoices?", "/today?", "/api/v1/practices?", "/api/v1/register?"],
}
FOREIGN = {1: [("abc",), (None,), (True,), ([],)], 2: [(1, 1), ("a", "b"), (True, 1), ("a", None)]}


@pytest.mark.parametrize(
    ("address", "key"), [(address, key) for parts in LISTS for address in LISTS[parts] for key in FOREIGN[parts]]
)
def test_no_list_takes_the_cursor_of_another(client: FlaskClient, session: Session, address: str, key: Any) -> None:
    sign_in(client, make_person(session, Role.ADMINISTRATOR, Role.PROGRAM_STAFF, Role.FINANCE))
    answer = client.get(f"{address}cursor={write_cursor(key)}")
    assert answer.status_code == 422


@given(st.integers(0, 60), st.integers(1, 10))
def test_walking_forward_and_back_shows_every_row_once(size: int, limit: int) -> None:
    rows = list(range(size))

    def fetch(key: Key | None, back: bool, most: int) -> list[int]:
        if key is None:
            return rows[:most]
        at = int(key[0] or 0)
        return [r for r in reversed(rows) if r < at][:most] if back else [r for r in rows if r > at][:most]

    seen, pages = [], []
    page = page_of(fetch, lambda r: (r,), cursor=None, shape=(int,), limit=limit)
    pages.append(list(page.items))
    while page.next:
        page = page_of(fetch, lambda r: (r,), cursor=page.next, shape=(int,), limit=limit)
        pages.append(list(page.items))
    seen = [r for p in pages for r in p]
    assert seen == rows
    back_pages = [list(page.items)]
    while page.previous:
        page = page_of(fetch, lambda r: (r,), cursor=page.previous, shape=(int,), limit=limit)
        back_pages.insert(0, list(page.items))
    assert [r for p in back_pages for r in p] == rows


@pytest.mark.parametrize("text", ["0", "-1", "201", "x", "1.5", "９", "9" * 40])
def test_a_limit_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_limit(text)


def test_a_limit_left_out_is_a_page() -> None:
    assert read_limit(None) == read_limit("") == 20
    assert read_limit("200") == 200
