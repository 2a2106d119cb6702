"""How the journal of operations folds into the answers that stand: pure, and the same whatever order ops come in.

For one field of one element at one site (a *key*), let an op have *seen* every op of that key whose seq is not above
its `base`. An op is overtaken when some op has seen it, or when the same device has said something later. What is
not overtaken stands. If all that stands says the same, that is the answer; if not, it is a conflict, and every value
stands until an op that has seen them all settles it (contract, section 6, rule 3: settling is an op like any other,
its `base` the newest seq of the conflict or any later one).

Both relations depend on the set of ops alone, not on the order of arrival, which gives rule 4. "Later" on one device
is its own clock, except that what it had seen comes before whatever its clock says: a tablet whose clock is put back
must not lose its newest word. All that has to be kept per key is the newest seq that anything has seen and each
device's last word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Word:
    """An op as far as the fold is concerned."""

    device: str
    seq: int
    op: str
    value: Any
    at: datetime  # by the device's clock
    order_at: datetime  # its place among the words of its device
    by: str
    by_id: int | None = None


@dataclass(slots=True)
class Standing:
    """What stands for one key: the newest seq that any op had seen, and each device's last word."""

    seen: int = 0
    latest: dict[str, Word] = field(default_factory=dict)

    def add(self, word: Word, base: int | None) -> None:
        """Fold one more op in; the order of calls does not matter."""
        last = self.latest.get(word.device)
        if last is None or (word.order_at, word.op) > (last.order_at, last.op):
            self.latest[word.device] = word
        if base is not None and base > self.seen:
            self.seen = base

    @property
    def words(self) -> list[Word]:
        """What is not overtaken, first come first; never empty once an op was folded in."""
        return sorted((w for w in self.latest.values() if w.seq > self.seen), key=lambda w: w.seq)

    @property
    def clash(self) -> bool:
        """Whether two different values stand."""
        words = [w for w in self.latest.values() if w.seq > self.seen]
        return len(words) > 1 and len({canonical(w.value) for w in words}) > 1

    @property
    def stands(self) -> Word:
        """The word shown as the answer: in a conflict the one that came first, else who said it first by the clock."""
        words = self.words
        return words[0] if self.clash else min(words, key=lambda w: (w.order_at, w.op))

    @property
    def seq(self) -> int:
        """The seq to base a change on: of all who say the same the newest, so that a change that saw it saw them all."""
        return self.stands.seq if self.clash else max(word.seq for word in self.words)

    @property
    def text(self) -> str | None:
        """What is written here; in a conflict any of the texts, so that a count does not hang on which came first."""
        return next((w.value for w in sorted(self.words, key=lambda w: (w.order_at, w.op)) if filled(w.value)), None)


def order_at(at: datetime, base: int | None, own: Iterable[tuple[int, datetime]]) -> datetime:
    """Return the place of a new op among the words of its device: its clock's, but after whatever it had seen.

    Args:
        at: the op's time by the device's clock.
        base: the seq it was based on.
        own: (seq, order_at) of the earlier ops of the same device and key.
    """
    seen = [placed for seq, placed in own if base is not None and seq <= base]
    return max(at, max(seen) + TICK) if seen else at


def fold(ops: Iterable[tuple[Word, int | None]]) -> Standing:
    """Return what stands after a whole journal of one key, given as (word, base)."""
    standing = Standing()
    for word, base in ops:
        standing.add(word, base)
    return standing


def canonical(value: Any) -> str:
    """Return the same text for the same JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def kept(standing: Standing) -> dict[str, Any]:
    """Return the last words as JSON, to be stored with the answer."""
    return {
        w.device: {"seq": w.seq, "op": w.op, "value": w.value, "at": w.at.isoformat(), "order_at": w.order_at.isoformat(), "by": w.by, "by_id": w.by_id}
        for w in standing.latest.values()
    }  # fmt: skip


def restored(seen: int, latest: Mapping[str, Mapping[str, Any]]) -> Standing:
    """Return what `kept` and the stored `seen` came from."""
    words = {
        device: Word(
            device,
            w["seq"],
            w["op"],
            w["value"],
            datetime.fromisoformat(w["at"]),
            datetime.fromisoformat(w["order_at"]),
            w["by"],
            w["by_id"],
        )
        for device, w in latest.items()
    }
    return Standing(seen, words)


@dataclass(frozen=True, slots=True)
class Tally:
    """What one element adds to the counters of its site and domain."""

    met: int = 0
    not_met: int = 0
    not_applicable: int = 0
    conflicts: int = 0
    without_note: int = 0
    without_reason: int = 0

    def __sub__(self, other: Tally) -> Tally:
        return Tally(
            self.met - other.met, self.not_met - other.not_met, self.not_applicable - other.not_applicable,
            self.conflicts - other.conflicts, self.without_note - other.without_note, self.without_reason - other.without_reason,
        )  # fmt: skip

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.met + other.met, self.not_met + other.not_met, self.not_applicable + other.not_applicable,
            self.conflicts + other.conflicts, self.without_note + other.without_note, self.without_reason + other.without_reason,
        )  # fmt: skip


NOTHING = Tally()


COUNTS_AS = {"yes": "met", "no": "not_met", "na": "not_applicable"}
LACKS = {"note": "without_note", "na_reason": "without_reason"}


def tally(rating: Any, clash: bool, texts: Mapping[str, Any], needs: Mapping[str, str]) -> Tally:
    """Return what an element counts as: one without the text that its rating needs is still open.

    Args:
        texts: its note and its reason, by field.
        needs: the text each rating needs, as survey.yaml declares it.
    """
    if clash:
        return Tally(conflicts=1)
    if rating not in COUNTS_AS:
        return NOTHING
    counted = {COUNTS_AS[rating]: 1}
    needed = needs.get(rating)
    if needed is not None and not filled(texts.get(needed)):
        counted[LACKS[needed]] = 1
    return Tally(**counted)


def filled(text: Any) -> bool:
    """Whether a text says anything."""
    return isinstance(text, str) and bool(text.strip())
