"""What a page offers is what the server allows: on random machines, for random people, with random guards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.access.roles import Role
from certify.core.foundation.errors import NotAllowed, NotOpen, RulesUnmet, Unmet
from certify.core.workflow.machine import JUDGES, Machine, State, StepInfo, Transition, next_state, openings

KEYS = ("a", "b", "c", "d")
TRIGGERS = ("go", "stop", "back", "turn")
GUARDS = ("paid", "signed", "rated", "named")


def transition(number: int, trigger: str, sources: Sequence[str], target: str, **more: object) -> Transition:
    fields = {"roles": frozenset({Role.PROGRAM_STAFF}), "label": trigger.title(), **more}
    return Transition(number=number, trigger=trigger, sources=tuple(sources), target=target, **fields)  # type: ignore[arg-type]


def machine(*transitions: Transition) -> Machine:
    states = {key: State(key, 1, f"State {key}", holder="program") for key in KEYS}
    return Machine("some", "Some", "1", "a", states, transitions, (StepInfo(1, "one", "One"),))


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    pairs = draw(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(TRIGGERS)), unique=True, max_size=10))
    found = []
    for number, (source, trigger) in enumerate(pairs, 1):
        found.append(
            transition(
                number,
                trigger,
                [source],
                draw(st.sampled_from(KEYS)),
                roles=draw(st.frozensets(st.sampled_from(list(Role)), min_size=1, max_size=3)),
                guards=tuple(draw(st.lists(st.sampled_from(GUARDS), unique=True, max_size=3))),
            )
        )
    return machine(*found)


def guarding(failing: frozenset[str]) -> Callable[[str], list[Unmet]]:
    return lambda guard: [Unmet(guard, f"{guard} does not hold", f"/{guard}")] if guard in failing else []


@given(
    machines(),
    st.sampled_from(KEYS),
    st.frozensets(st.sampled_from(list(Role))),
    st.frozensets(st.sampled_from(GUARDS)),
)
def test_a_step_succeeds_exactly_when_it_is_offered_as_allowed(
    made: Machine, state: str, roles: frozenset[Role], failing: frozenset[str]
) -> None:
    offered = {o.trigger: o for o in openings(made, state, roles=roles, check=guarding(failing))}
    for trigger in TRIGGERS:
        opening = offered.get(trigger)
        if opening is None:
            with pytest.raises(NotOpen):
                next_state(made, state, trigger, roles=roles, check=guarding(failing))
        elif opening.allowed:
            assert next_state(made, state, trigger, roles=roles, check=guarding(failing)) == opening.target
        elif not opening.role_allowed:
            with pytest.raises(NotAllowed):
                next_state(made, state, trigger, roles=roles, check=guarding(failing))
        else:
            with pytest.raises(RulesUnmet) as refusal:
                next_state(made, state, trigger, roles=roles, check=guarding(failing))
            assert refusal.value.unmet == opening.unmet


@given(machines(), st.sampled_from(KEYS), st.frozensets(st.sampled_from(GUARDS)))
def test_all_unmet_guards_are_listed_in_the_order_declared(made: Machine, state: str, failing: frozenset[str]) -> None:
    declared = {t.trigger: t for t in made.leaving(state)}
    for opening in openings(made, state, roles=[Role.COUNCIL], check=guarding(failing)):
        assert [u.guard for u in opening.unmet] == [g for g in declared[opening.trigger].guards if g in failing]


def test_each_guard_is_asked_when_first_needed_and_once_however_many_steps_share_it() -> None:
    made = machine(
        transition(1, "go", "a", "b", guards=("paid", "signed")),
        transition(2, "stop", "a", "c", guards=("signed", "paid")),
    )
    asked: Counter[str] = Counter()

    def check(guard: str) -> list[Unmet]:
        asked[guard] += 1
        return []

    found = openings(made, "a", roles=[Role.PROGRAM_STAFF], check=check)
    assert not asked
    assert all(opening.allowed for opening in found)
    assert asked == {"paid": 1, "signed": 1}


def test_a_step_asks_only_its_own_guards() -> None:
    made = machine(transition(1, "go", "a", "b", guards=("paid",)), transition(2, "stop", "a", "c", guards=("signed",)))
    asked: list[str] = []

    def check(guard: str) -> list[Unmet]:
        asked.append(guard)
        return []

    assert next_state(made, "a", "go", roles=[Role.PROGRAM_STAFF], check=check) == "b"
    assert asked == ["paid"]


def test_who_may_not_take_a_step_learns_nothing_of_its_guards() -> None:
    made = machine(transition(1, "go", "a", "b", guards=("paid",)))

    def check(guard: str) -> list[Unmet]:
        raise AssertionError(f"{guard} was asked")

    with pytest.raises(NotAllowed, match="“Go” is for: program_staff"):
        next_state(made, "a", "go", roles=[Role.AUDITOR], check=check)


def test_a_button_says_how_to_get_there_and_otherwise_what_it_does() -> None:
    made = machine(transition(1, "go", "a", "b", prepare="Get ready"), transition(2, "stop", "a", "c"))
    offered = openings(made, "a", roles=[], check=guarding(frozenset()))
    assert [(o.label, o.prepare) for o in offered] == [("Go", "Get ready"), ("Stop", "Stop")]


def test_a_step_may_lead_back_to_its_own_state() -> None:
    made = machine(transition(1, "turn", "a", "a"))
    assert next_state(made, "a", "turn", roles=[Role.PROGRAM_STAFF], check=guarding(frozenset())) == "a"


def test_a_guard_that_fails_with_an_exception_lets_nothing_pass() -> None:
    made = machine(transition(1, "go", "a", "b", guards=("paid",)))

    def check(_guard: str) -> list[Unmet]:
        raise LookupError("no facts")

    with pytest.raises(LookupError):
        next_state(made, "a", "go", roles=[Role.PROGRAM_STAFF], check=check)


def test_a_closed_step_says_where_the_case_stands() -> None:
    with pytest.raises(NotOpen, match="'go' is not open while the case is at “State d”"):
        next_state(machine(), "d", "go", roles=[Role.PROGRAM_STAFF], check=guarding(frozenset()))


@pytest.mark.parametrize("judge", sorted(JUDGES))
def test_a_practice_does_not_learn_what_its_judges_still_lack(judge: Role) -> None:
    made = machine(
        transition(1, "go", "a", "b", roles=frozenset({judge}), guards=("paid",)),
        transition(2, "stop", "a", "c", roles=frozenset({judge, Role.PHYSICIAN_LEAD}), guards=("paid",)),
        transition(3, "turn", "a", "a", roles=frozenset({Role.FINANCE}), guards=("paid",)),
    )
    lacking = guarding(frozenset({"paid"}))
    for roles in ([Role.PRACTICE_ADMIN], [Role.PRACTICE_STAFF, Role.PHYSICIAN_LEAD]):
        found = {o.trigger: len(o.unmet) for o in openings(made, "a", roles=roles, check=lacking)}
        assert found == {"go": 0, "stop": 1, "turn": 1}
        assert not any(o.allowed for o in openings(made, "a", roles=roles, check=lacking))
    for role in (judge, Role.AUDITOR):
        assert all(o.unmet for o in openings(made, "a", roles=[role], check=lacking))
