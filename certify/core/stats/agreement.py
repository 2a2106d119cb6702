"""How far two people who rated the same things agree beyond chance."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """Two raters over the same things: how many, how many alike, and kappa with its interval.

    `kappa` is None when it cannot be told: nothing was rated, or both gave one and the same rating to everything, so
    that all agreement may be chance. `interval` is None as well when one of the two gave everything the same rating:
    kappa is 0 then whatever the other said, and the formula's interval, of no width, would feign certainty.
    """

    pairs: int
    alike: int
    kappa: float | None = None
    interval: Interval | None = None

    @property
    def share(self) -> float:
        """The share rated alike, in [0, 1]; 0 without any pair."""
        return self.alike / self.pairs if self.pairs else 0.0


def cohens_kappa(
    pairs: Iterable[tuple[Hashable, Hashable]] | Mapping[tuple[Hashable, Hashable], int], confidence: float = 0.95
) -> Agreement:
    """Return Cohen's kappa of two raters with its large-sample confidence interval.

    Args:
        pairs: what the first and the second rater said of each thing, or how often each pair was said; categories
            without order or weight.
        confidence: coverage as a fraction, 0 < confidence < 1.
    Returns: Agreement; the interval is cut off at -1 and 1.
    Raises: ValueError for a confidence out of range.
    Source: Cohen (1960), Educational and Psychological Measurement 20(1), 37-46, for kappa; Fleiss, Cohen and Everitt
        (1969), Psychological Bulletin 72(5), 323-327, formula 13, for its standard error.

    >>> result = cohens_kappa([("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15)
    >>> round(result.kappa, 2), round(result.share, 2)
    (0.4, 0.7)
    """
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie between 0 and 1.")
    counts: Counter[tuple[Hashable, Hashable]] = Counter(pairs)
    total = sum(counts.values())
    alike = sum(count for (first, second), count in counts.items() if first == second)
    if not total:
        return Agreement(0, 0)
    firsts, seconds = Counter[Hashable](), Counter[Hashable]()
    for (first, second), count in counts.items():
        firsts[first] += count
        seconds[second] += count
    # In counts: one rounding less, and "everything the same" is recognised exactly.
    by_chance = sum(firsts[category] * seconds[category] for category in firsts)
    if by_chance == total * total:
        return Agreement(total, alike)
    observed, expected = alike / total, by_chance / total**2
    kappa = (observed - expected) / (1 - expected)
    if min(len(firsts), len(seconds)) == 1:
        return Agreement(total, alike, 0.0)
    error = math.sqrt(max(_variance(counts, firsts, seconds, total, kappa, expected), 0.0))
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return Agreement(total, alike, kappa, Interval(max(kappa - reach, -1.0), min(kappa + reach, 1.0)))


def _variance(
    counts: Counter[tuple[Hashable, Hashable]],
    firsts: Counter[Hashable],
    seconds: Counter[Hashable],
    total: int,
    kappa: float,
    expected: float,
) -> float:
    """Return the large-sample variance of kappa where kappa is not taken to be 0 (Fleiss, Cohen and Everitt 1969)."""
    rest = 1 - kappa
    same = other = 0.0
    for (first, second), count in counts.items():
        share = count / total
        if first == second:
            margins = (firsts[first] + seconds[first]) / total
            same += share * (1 - margins * rest) ** 2
        else:
            margins = (seconds[first] + firsts[second]) / total
            other += share * margins**2
    return (same + rest**2 * other - (kappa - expected * rest) ** 2) / (total * (1 - expected) ** 2)
