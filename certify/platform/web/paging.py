"""Pages by key, not by number: the next page starts after the last row, however long the list."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa

from certify.core.foundation.errors import Invalid
from certify.platform.web.texts import storable

Row = TypeVar("Row")
Key = tuple[str | int | None, ...]
Shape = Sequence[type | UnionType]

PAGE = 20
MOST = 200


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list and the cursors of the pages beside it (None where there is none)."""

    items: Sequence[Row]
    next: str | None = None
    previous: str | None = None
    next_url: str | None = field(default=None, compare=False)
    previous_url: str | None = field(default=None, compare=False)
    summary: str = ""


def write_cursor(key: Key, *, back: bool = False) -> str:
    """Return the sort key of a row as text for an address.

    >>> read_cursor(write_cursor(("lakeside", 12)), (str, int))
    (('lakeside', 12), False)
    """
    text = json.dumps([int(back), *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, shape: Shape) -> tuple[Key, bool]:
    """Return the key a cursor holds, and whether it leads backwards.

    `shape` says what each part is, such as `(str, int)`: PostgreSQL compares no name with a number.
    Raises: Invalid when it is not one of this list.
    """
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        back, *key = body
        if len(key) != len(shape) or back not in (0, 1) or not all(map(_fits, key, shape)):
            raise ValueError("not our shape")
        if any(isinstance(k, int) and abs(k) > 2**53 for k in key):
            raise ValueError("not our numbers")
        if not all(storable(k) for k in key if isinstance(k, str)):
            raise ValueError("not our texts")
    except (ValueError, TypeError, RecursionError) as wrong:
        raise Invalid("The cursor is not one that this list gave out; start from the first page.", "cursor") from wrong
    return tuple(key), bool(back)


def _fits(part: object, kind: type | UnionType) -> bool:
    return isinstance(part, kind) and not isinstance(part, bool)


def page_of(
    fetch: Callable[[Key | None, bool, int], Sequence[Row]],
    key_of: Callable[[Row], Key],
    *,
    cursor: str | None,
    shape: Shape,
    limit: int = PAGE,
) -> Page[Row]:
    """Return one page.

    Args:
        fetch: gives up to so many rows after a key (before it, nearest first, when backwards).
        key_of: gives the sort key of a row; the last part is unique.
        shape: what each part of a key is, as `read_cursor` takes it.
    """
    key, back = read_cursor(cursor, shape) if cursor else (None, False)
    rows = list(fetch(key, back, limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    if back:
        rows.reverse()
    before = bool(rows) and (more if back else key is not None)
    after = bool(rows) and (True if back else more)
    return Page(
        rows,
        next=write_cursor(key_of(rows[-1])) if after else None,
        previous=write_cursor(key_of(rows[0]), back=True) if before else None,
    )


def keyset(columns: Sequence[Any], key: Key | None, *, back: bool = False) -> tuple[Any, list[Any]]:
    """Return the predicate and the order of a list sorted by `columns` rising, beyond `key`."""
    order = [c.desc() if back else c.asc() for c in columns]
    if key is None:
        return sa.true(), order
    bound = sa.tuple_(*[sa.literal(k) for k in key])
    row = sa.tuple_(*columns)
    return (row < bound if back else row > bound), order


def linked(page: Page[Row], path: str, query: dict[str, str | None], summary: str = "") -> Page[Row]:
    """Return the page with the addresses of its neighbours; the filter stays in the address."""

    def url(cursor: str | None) -> str | None:
        given = {k: v for k, v in {**query, "cursor": cursor}.items() if v}
        return f"{path}?{urlencode(given)}" if cursor else None

    return Page(page.items, page.next, page.previous, url(page.next), url(page.previous), summary)


def read_limit(text: str | None, *, default: int = PAGE, most: int = MOST) -> int:
    """Return how many rows a caller asks for.

    Raises: Invalid unless it is a whole number from 1 to `most`.
    """
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise Invalid(f"limit must be a whole number from 1 to {most}.", "limit")
    return int(text)
