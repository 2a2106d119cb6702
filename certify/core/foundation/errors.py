"""The ways in which the product says no; the edges turn each into one answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Unmet:
    """A condition that does not hold yet: its key, a sentence for a person, and where to mend it."""

    guard: str
    message: str
    link: str = ""


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field or row of what was sent, and what would be right."""

    field: str
    message: str
    row: int | None = None
    link: str = ""
    under: tuple[str, ...] = ()  # where in what was sent the field lies, outermost first


class Refusal(Exception):
    """Something the product will not do; nothing has changed."""

    members: Mapping[str, Any] = MappingProxyType({})  # what a program needs beside the words (RFC 9457, 3.2)


class NotFound(Refusal):
    """There is no such thing, or it is not this person's to see."""


class NotAllowed(Refusal):
    """The person may see the thing but not do this to it."""


class NotOpen(Refusal):
    """The step is not open in the present state."""


class Stale(Refusal):
    """The thing has changed since the person opened it."""


class Conflict(Refusal):
    """What was sent clashes with what is stored, such as the same id with other content."""


class RulesUnmet(Refusal):
    """One or more conditions of a step do not hold; carries all of them."""

    def __init__(self, unmet: Iterable[Unmet]) -> None:
        self.unmet = tuple(unmet)
        super().__init__(" ".join(u.message for u in self.unmet))


class Invalid(Refusal):
    """Something that was sent is wrong; carries every mistake with its field."""

    def __init__(self, errors: Iterable[FieldError] | str, field: str = "") -> None:
        self.errors = (FieldError(field, errors),) if isinstance(errors, str) else tuple(errors)
        super().__init__(" ".join(e.message for e in self.errors))
