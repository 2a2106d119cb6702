"""The fold of the journal: the same set of ops gives the same answer, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from certify.certification.surveys.journal import Standing, Tally, Word, kept, order_at, restored, tally

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
DEVICES = ("tablet-a", "tablet-b", "tablet-c")


@dataclass
class Server:
    """A journal of one key as the server keeps it, and the real order of what was seen."""

    standing: Standing
    journal: list[Word]

    @classmethod
    def empty(cls) -> Server:
        return cls(Standing(), [])

    def take(self, op: str, device: str, value: Any, minute: int, saw: str | None) -> None:
        """Fold an op whose `base` is the seq that the op named `saw` has on this server."""
        base = next((w.seq for w in self.journal if w.op == saw), None)
        at = NOON + timedelta(minutes=minute)
        own = [(w.seq, w.order_at) for w in self.journal if w.device == device]
        word = Word(device, len(self.journal) + 1, op, value, at, order_at(at, base, own), device)
        self.journal.append(word)
        self.standing.add(word, base)

    @property
    def told(self) -> tuple[bool, set[tuple[str, Any]]]:
        """Whether it is a conflict, and what stands."""
        return self.standing.clash, {(w.op, w.value) for w in self.standing.words}


def say(server: Server, *ops: tuple[str, str, Any, int, str | None]) -> Server:
    for op in ops:
        server.take(*op)
    return server


A_YES = ("1", "tablet-a", "yes", 0, None)
B_NO = ("2", "tablet-b", "no", 1, None)


def test_two_tablets_that_did_not_see_each_other_clash_and_both_values_stand():
    assert say(Server.empty(), A_YES, B_NO).told == (True, {("1", "yes"), ("2", "no")})


def test_the_same_value_from_two_tablets_is_no_conflict():
    assert not say(Server.empty(), A_YES, ("2", "tablet-b", "yes", 1, None)).standing.clash


def test_a_tablet_that_saw_the_other_value_overtakes_it():
    assert say(Server.empty(), A_YES, ("2", "tablet-b", "no", 1, "1")).told == (False, {("2", "no")})


def test_an_op_that_saw_the_newest_of_the_conflict_settles_it():
    server = say(Server.empty(), A_YES, B_NO, ("3", "tablet-c", "na", 2, "2"))
    assert server.told == (False, {("3", "na")})


def test_a_third_value_that_came_while_it_was_settled_stays_a_conflict():
    server = say(Server.empty(), A_YES, B_NO, ("3", "tablet-c", "na", 2, None), ("4", "tablet-a", "yes", 3, "2"))
    assert server.told == (True, {("3", "na"), ("4", "yes")})


def test_an_older_word_of_the_same_tablet_that_comes_late_changes_nothing():
    server = say(Server.empty(), ("2", "tablet-a", "no", 5, None), ("1", "tablet-a", "yes", 1, None))
    assert server.told == (False, {("2", "no")})


def test_a_lost_first_word_does_not_rise_again_after_another_tablet_went_on_from_the_second():
    server = say(
        Server.empty(),
        ("2", "tablet-a", "no", 5, None),
        ("3", "tablet-b", "na", 6, "2"),
        ("1", "tablet-a", "yes", 1, None),
    )
    assert server.told == (False, {("3", "na")})


def test_a_tablet_whose_clock_was_put_back_keeps_its_newest_word():
    server = say(Server.empty(), ("1", "tablet-a", "yes", 60, None), ("2", "tablet-a", "no", 0, "1"))
    assert server.told == (False, {("2", "no")})


def test_a_base_the_server_never_gave_hides_nothing():
    server = say(Server.empty(), A_YES, ("2", "tablet-b", "no", 1, "never heard of"))
    assert server.standing.clash


ops = st.lists(
    st.tuples(
        st.sampled_from(DEVICES),
        st.sampled_from(["yes", "no", "na", None]),
        st.integers(0, 9),
        st.one_of(st.none(), st.integers(0, 7)),
    ),
    min_size=1,
    max_size=9,
)


@given(ops, st.data())
def test_any_order_in_which_what_was_seen_comes_first_gives_the_same_answer(drawn, data):
    """What an op has seen was acknowledged before the op was made, so it is on the server first; all else may come in any order."""
    told = []
    for number, (device, value, minute, saw) in enumerate(drawn):
        told.append((str(number), device, value, minute, str(saw) if saw is not None and saw < number else None))
    # A base stands for everything up to it, so an order may mix only ops that were all seen or all unseen by the rest.
    prefix = max((int(saw) + 1 for *_, saw in told if saw is not None), default=0)
    rest = data.draw(st.permutations(told[prefix:]))
    one, other = say(Server.empty(), *told), say(Server.empty(), *told[:prefix], *rest)
    assert one.told == other.told
    if not one.standing.clash:
        assert one.standing.stands.op == other.standing.stands.op


@given(ops)
def test_something_always_stands_and_it_survives_storage(drawn):
    server = Server.empty()
    for number, (device, value, minute, saw) in enumerate(drawn):
        server.take(str(number), device, value, minute, str(saw) if saw is not None and saw < number else None)
        assert server.standing.words
        again = restored(server.standing.seen, kept(server.standing))
        assert again == server.standing


@given(ops)
def test_no_value_vanishes_unless_someone_saw_it_or_its_tablet_went_on(drawn):
    server = Server.empty()
    for number, (device, value, minute, saw) in enumerate(drawn):
        server.take(str(number), device, value, minute, str(saw) if saw is not None and saw < number else None)
    standing = {w.op for w in server.standing.words}
    for word in server.journal:
        later_of_device = any(
            o.device == word.device and (o.order_at, o.op) > (word.order_at, word.op) for o in server.journal
        )
        assert word.op in standing or word.seq <= server.standing.seen or later_of_device


def test_an_element_counts_once_and_one_without_what_its_rating_needs_is_open():
    needs = {"no": "note", "na": "na_reason"}
    assert tally("yes", False, {}, needs) == Tally(met=1)
    assert tally("no", False, {"note": "  "}, needs) == Tally(not_met=1, without_note=1)
    assert tally("no", False, {"note": "The kit was out of date."}, needs) == Tally(not_met=1)
    assert tally("na", False, {"na_reason": "No intrathecal therapy."}, needs) == Tally(not_applicable=1)
    assert tally("na", False, {"note": "a note is no reason"}, needs) == Tally(not_applicable=1, without_reason=1)
    assert tally("no", True, {}, needs) == Tally(conflicts=1)
    assert tally(None, False, {"note": "note"}, needs) == Tally()
    assert tally("yes", False, {}, {"yes": "note"}) == Tally(met=1, without_note=1)
