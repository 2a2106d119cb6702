"""From JSON values back to content: rooms keep what a document says as JSON, writers want objects."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def read(kind: type[T], data: Mapping[str, Any]) -> T:
    """Return a content object from its `plain_data` form; keys it does not know are left out.

    Raises: KeyError naming a field that must be there, ValueError for a value that does not fit.
    """
    values = {}
    for name, (hint, required) in _fields(typing.cast(Any, kind)).items():
        if name in data:
            values[name] = _value(hint, data[name])
        elif required:
            raise KeyError(f"{kind.__name__}.{name}")
    return kind(**values)


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    hints = typing.get_type_hints(kind)
    return {
        field.name: (
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
    }


def _value(hint: Any, value: Any) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        return _value(next(part for part in typing.get_args(hint) if part is not type(None)), value)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_value(inner, item) for item in value)
    if dataclasses.is_dataclass(hint):
        return read(typing.cast(type, hint), value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if hint is date:
        return date.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
