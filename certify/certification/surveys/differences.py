"""Where surveyors differed, told from the set of entries alone: pure, and the same whatever order they came in.

Whether an op was acknowledged as a conflict depends on what had arrived by then. That two people differed does not:
each said something else on a tablet of their own, and neither had seen the other's word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from certify.certification.surveys.journal import Word, canonical, fold

Said = tuple[Word, int | None]  # an op and its base


@dataclass(frozen=True, slots=True)
class Difference:
    """Words on one key that contradict each other, and the word that settled it."""

    words: tuple[Word, ...]
    settled: Word | None


def differences(ops: Iterable[Said]) -> list[Difference]:
    """Return every difference in the journal of one key, first said first; those that hang together are one."""
    said = sorted(ops, key=lambda op: _place(op[0]))
    standing = fold(said)
    open_now = {word.op for word in standing.words} if standing.clash else set()
    found = []
    for group in _groups(said):
        ids = {word.op for word, _ in group}
        settled = None if ids & open_now else _settler(group, said, standing.stands)
        found.append(Difference(tuple(word for word, _ in group), settled))
    return found


def _groups(said: list[Said]) -> list[list[Said]]:
    """Return the ops that contradict each other, those linked by a third together."""
    values = [canonical(word.value) for word, _ in said]
    group_of = list(range(len(said)))
    linked = set()
    for i, one in enumerate(said):
        for j in range(i):
            if values[i] != values[j] and _apart(one, said[j]):
                linked |= {i, j}
                old, new = group_of[i], group_of[j]
                if old != new:
                    group_of = [new if g == old else g for g in group_of]
    groups: dict[int, list[Said]] = {}
    for i in sorted(linked):
        groups.setdefault(group_of[i], []).append(said[i])
    return list(groups.values())


def _apart(one: Said, other: Said) -> bool:
    """Whether two ops were made on two tablets, neither having seen the other."""
    return one[0].device != other[0].device and not _has_seen(one, other[0]) and not _has_seen(other, one[0])


def _has_seen(op: Said, word: Word) -> bool:
    return op[1] is not None and word.seq <= op[1]


def _settler(group: list[Said], said: list[Said], stands: Word) -> Word:
    """Return the first word that had seen, or on its own tablet followed, all that contradicts it."""
    ids = {word.op for word, _ in group}
    for op in said:
        word = op[0]
        against = [other for other, _ in group if canonical(other.value) != canonical(word.value)]
        if word.op not in ids and all(
            _has_seen(op, other) or (other.device == word.device and _place(other) < _place(word)) for other in against
        ):
            return word
    return stands


def _place(word: Word) -> tuple[datetime, str]:
    return word.order_at, word.op
