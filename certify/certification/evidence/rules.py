"""What counts where: evidence of a site over that of all sites, before the lock, and how far an edition is covered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from certify.core.foundation.errors import FieldError

MAX_PAGES_TEXT = 120
MAX_USES = 300


class Standing(StrEnum):
    """How a document stands to a site."""

    OWN = "own"  # mapped to this very site
    INHERITED = "inherited"  # mapped to all sites
    OVERRIDDEN = "overridden"  # mapped to all sites, but this site has its own for the same item


@dataclass(frozen=True)
class Use:
    """What a document is to prove: a standard or one of its elements, at a site or (None) at all."""

    standard: str
    element: str | None = None
    site_id: int | None = None
    pages: str = ""

    @property
    def item(self) -> str:
        """The element, or the standard when it is meant as a whole."""
        return self.element or self.standard

    @property
    def target(self) -> tuple[str, str | None, int | None]:
        """What makes two uses of one document the same use."""
        return (self.standard, self.element, self.site_id)


@dataclass(frozen=True)
class StandardCoverage:
    """How far one standard of the edition is covered by documents."""

    code: str
    title: str
    critical: bool
    elements: int
    covered: int
    documents: int
    not_applicable: str = ""  # the reason stated
    gaps: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether at least one document is there, or the standard is stated not applicable."""
        return self.documents > 0 or bool(self.not_applicable)


def standings(uses: Iterable[tuple[str, int | None]], site_id: int) -> dict[tuple[str, int | None], Standing]:
    """Return how each (item, site) stands to a site; uses of other sites are left out.

    >>> standings([("7.3.a", None), ("7.3.a", 2), ("7.3.b", None)], 2)[("7.3.a", None)].value
    'overridden'
    """
    given = set(uses)
    own = {item for item, site in given if site == site_id}
    found: dict[tuple[str, int | None], Standing] = {}
    for item, site in given:
        if site == site_id:
            found[item, site] = Standing.OWN
        elif site is None:
            found[item, site] = Standing.OVERRIDDEN if item in own else Standing.INHERITED
    return found


def use_errors(
    uses: Sequence[Use], elements: Mapping[str, Collection[str]], sites: Collection[int], *, field: str = "uses"
) -> list[FieldError]:
    """Return what is wrong with a mapping.

    Args:
        elements: standard code -> element ids of the case's edition.
        sites: the practice's sites.
    """
    if not uses:
        return [FieldError(field, "Choose at least one standard or element that the file proves.")]
    if len(uses) > MAX_USES:
        return [FieldError(field, f"A file can be mapped to at most {MAX_USES} items at once.")]
    errors: list[FieldError] = []
    for use in uses:
        if use.standard not in elements:
            errors.append(FieldError(field, f"{use.standard[:20]} is not a standard of this edition."))
        elif use.element is not None and use.element not in elements[use.standard]:
            errors.append(FieldError(field, f"{use.element[:20]} is not an element of standard {use.standard}."))
        if use.site_id is not None and use.site_id not in sites:
            errors.append(FieldError("site", "That site is not one of the practice's sites."))
        if len(use.pages) > MAX_PAGES_TEXT:
            errors.append(
                FieldError("pages", f"Say where to look in at most {MAX_PAGES_TEXT} characters, for example “p. 4-6”.")
            )
    return list(dict.fromkeys(errors))


def period_errors(effective_from: date | None, effective_to: date | None) -> list[FieldError]:
    """Return what is wrong with the period a document proves."""
    if effective_from and effective_to and effective_to < effective_from:
        return [FieldError("effective_to", "The period ends before it begins. Give the later date as its end.")]
    return []


def counts_at_lock(uploaded_at: datetime, locked_at: datetime | None, released_at: datetime | None) -> bool:
    """Whether what was added at that instant belongs to what the survey judges; after the release everything does."""
    return locked_at is None or released_at is not None or uploaded_at <= locked_at


def percent_covered(rows: Iterable[StandardCoverage]) -> int:
    """Return the settled share of the standards as whole percent, 0 for none."""
    rows = list(rows)
    return 100 * sum(r.settled for r in rows) // len(rows) if rows else 0
