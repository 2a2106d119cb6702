"""Pages by key."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.foundation.errors import Invalid
from certify.platform.web.paging import Key, page_of, read_cursor, read_limit, write_cursor

keepable = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
key_parts = st.one_of(st.text(keepable, max_size=30), st.integers(-(2**53), 2**53), st.none())


@given(st.lists(key_parts, min_size=1, max_size=4), st.booleans())
def test_a_cursor_gives_back_the_key_it_was_made_of(parts: list[str | int | None], back: bool) -> None:
    assert read_cursor(write_cursor(tuple(parts), back=back), len(parts)) == (tuple(parts), back)


@given(st.text(max_size=60))
def test_no_text_makes_a_cursor_fail_otherwise_than_clearly(text: str) -> None:
    with suppress(Invalid):
        key, _ = read_cursor(text, 2)
        assert len(key) == 2


@given(st.integers(0, 60), st.integers(1, 10))
def test_walking_forward_and_back_shows_every_row_once(size: int, limit: int) -> None:
    rows = list(range(size))

    def fetch(key: Key | None, back: bool, most: int) -> list[int]:
        if key is None:
            return rows[:most]
        at = int(key[0] or 0)
        return [r for r in reversed(rows) if r < at][:most] if back else [r for r in rows if r > at][:most]

    seen, pages = [], []
    page = page_of(fetch, lambda r: (r,), cursor=None, parts=1, limit=limit)
    pages.append(list(page.items))
    while page.next:
        page = page_of(fetch, lambda r: (r,), cursor=page.next, parts=1, limit=limit)
        pages.append(list(page.items))
    seen = [r for p in pages for r in p]
    assert seen == rows
    back_pages = [list(page.items)]
    while page.previous:
        page = page_of(fetch, lambda r: (r,), cursor=page.previous, parts=1, limit=limit)
        back_pages.insert(0, list(page.items))
    assert [r for p in back_pages for r in p] == rows


@pytest.mark.parametrize("text", ["0", "-1", "201", "x", "1.5", "９", "9" * 40])
def test_a_limit_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_limit(text)


def test_a_limit_left_out_is_a_page() -> None:
    assert read_limit(None) == read_limit("") == 20
    assert read_limit("200") == 200
