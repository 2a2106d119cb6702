"""Text that no database can keep, and JSON that nothing can read: refused at the door, so that no room meets it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.routing import IntegerConverter

from certify.core.foundation.errors import FieldError, Invalid, NotFound
from certify.platform.web.access import body_counts

# PostgreSQL keeps no NUL, and a lone half of a surrogate pair is no character that could be sent anywhere.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MESSAGE = "This holds characters that cannot be kept; type it again as plain text."
LARGEST_NUMBER = 2**31 - 1


class RowNumber(IntegerConverter):
    """A number in an address: as large as rows are numbered, so that a larger one is simply not there."""

    def __init__(self, map: Any, fixed_digits: int = 0, min: int | None = None, max: int | None = None) -> None:
        super().__init__(map, fixed_digits, min, LARGEST_NUMBER if max is None else max)


class ReadableJson(DefaultJSONProvider):
    """JSON as flask reads it; what is nested without end is no JSON either."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value; raises ValueError, which becomes 400."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def install_texts(app: Flask) -> None:
    """Check addresses, queries and forms of every request before anything reads them; JSON is checked by who reads it."""
    app.url_map.converters["int"] = RowNumber
    app.json = ReadableJson(app)
    app.before_request(_refuse_unstorable)


def storable(text: str) -> bool:
    """Whether every database can keep this text."""
    return _UNSTORABLE.search(text) is None


def unstorable(value: Any, path: str = "") -> Iterator[FieldError]:
    """Yield an error for each text, or key, within a JSON value that cannot be kept."""
    if isinstance(value, str):
        if not storable(value):
            yield FieldError(path, MESSAGE)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not storable(str(key)):
                yield FieldError(path, MESSAGE)
            else:
                yield from unstorable(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unstorable(inner, f"{path}.{number}" if path else str(number))


def _refuse_unstorable() -> None:
    if not storable(request.path):
        raise NotFound("There is no such address.")
    given = request.args.items(multi=True) if "%00" in request.query_string.decode("latin-1") else ()
    wrong = list(_wrong(given))
    if body_counts():
        wrong += _wrong(request.form.items(multi=True))
    if wrong:
        raise Invalid(wrong)


def _wrong(given: Iterable[tuple[str | None, str]]) -> Iterator[FieldError]:
    for name, value in given:
        # A part of a form may come without a name.
        if not storable(f"{name or ''}{value}"):
            yield FieldError(_UNSTORABLE.sub("", name or ""), MESSAGE)
