"""Drawing the part that is scored a second time: by lot, a share of every domain, the same for the same seed."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SHARES = (5, 10, 20, 30, 50, 100)


@dataclass(frozen=True, slots=True, order=True)
class Drawable:
    """An element at a visited site."""

    domain: int
    site_id: int
    element: str


def draw(candidates: Iterable[Drawable], share: int, seed: str) -> list[Drawable]:
    """Return a share of every domain, at least one element of each; the lowest lots win.

    Args:
        share: percent, 1 to 100.
        seed: the same candidates and seed give the same choice, in whatever order the candidates come.

    >>> len(draw([Drawable(1, 1, f"1.1.{n}") for n in range(20)] + [Drawable(2, 1, "2.1.a")], 10, "s"))
    3
    """
    by_domain: dict[int, list[Drawable]] = defaultdict(list)
    for candidate in set(candidates):
        by_domain[candidate.domain].append(candidate)
    chosen: list[Drawable] = []
    for found in by_domain.values():
        count = max(1, (len(found) * share + 50) // 100)
        chosen += sorted(found, key=lambda one: (lot(seed, one), one))[:count]
    return sorted(chosen)


def lot(seed: str, candidate: Drawable) -> str:
    """Return an element's lot, which anyone can recompute: SHA-256 of `seed:site:element`, in hex."""
    return hashlib.sha256(f"{seed}:{candidate.site_id}:{candidate.element}".encode()).hexdigest()
