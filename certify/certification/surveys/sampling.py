"""Which sites are visited: the rule of process.md, step 2, with a stored seed, so that the drawing can be repeated."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

SERVICES_THAT_COUNT = ("intrathecal", "pediatric", "home")

REASONS = {
    "all": "every site is visited, because there are only a few",
    "largest_infusion": "largest infusion site",
    "intrathecal": "gives intrathecal therapy, which other sites lack",
    "pediatric": "treats children, which other sites lack",
    "home": "gives treatment at home, which other sites lack",
    "new": "new since the last survey",
    "drawn": "drawn by lot",
    "named": "named for the repeat visit",
}


@dataclass(frozen=True)
class SiteFacts:
    """A site as far as the choice is concerned."""

    site_id: int
    name: str
    services: frozenset[str]
    infusion_chairs: int
    is_new: bool = False


@dataclass(frozen=True)
class Choice:
    """Whether a site is visited, and the keys of REASONS why."""

    site_id: int
    visited: bool
    reasons: tuple[str, ...]


def sample_size(sites: int, all_up_to: int = 3) -> int:
    """Return how many sites are visited at least: all when few, else ceil(sqrt(n)) + 1.

    >>> [sample_size(n) for n in (1, 3, 4, 9, 10, 25)]
    [1, 3, 3, 4, 5, 6]
    """
    return sites if sites <= all_up_to else min(sites, math.ceil(math.sqrt(sites)) + 1)


def draw_sample(sites: Iterable[SiteFacts], seed: str, *, all_up_to: int = 3) -> list[Choice]:
    """Choose the sites to visit; the same sites and seed give the same choice, in whatever order the sites come.

    Always: the largest infusion site, every site with a service that not every other site has (intrathecal,
    pediatric, home), every site new since last time. The rest is drawn by lot: each site's lot is the SHA-256 of the
    seed and its number, the lowest lots win. Where more sites must be visited than the size asks for, all of them are.
    """
    ordered = sorted(sites, key=lambda s: s.site_id)
    if len(ordered) <= all_up_to:
        return [Choice(s.site_id, True, ("all",)) for s in ordered]
    reasons: dict[int, list[str]] = {s.site_id: [] for s in ordered}
    infusing = [s for s in ordered if "infusion" in s.services] or ordered
    reasons[max(infusing, key=lambda s: (s.infusion_chairs, -s.site_id)).site_id].append("largest_infusion")
    for service in SERVICES_THAT_COUNT:
        giving = [s for s in ordered if service in s.services]
        if len(giving) < len(ordered):
            for site in giving:
                reasons[site.site_id].append(service)
    for site in ordered:
        if site.is_new:
            reasons[site.site_id].append("new")
    left = sample_size(len(ordered), all_up_to) - sum(1 for found in reasons.values() if found)
    lots = sorted((s.site_id for s in ordered if not reasons[s.site_id]), key=lambda site_id: lot(seed, site_id))
    for site_id in lots[: max(0, left)]:
        reasons[site_id].append("drawn")
    return [Choice(s.site_id, bool(reasons[s.site_id]), tuple(reasons[s.site_id])) for s in ordered]


def lot(seed: str, site_id: int) -> str:
    """Return a site's lot, which anyone can recompute: SHA-256 of `seed:site`, in hex."""
    return hashlib.sha256(f"{seed}:{site_id}".encode()).hexdigest()
