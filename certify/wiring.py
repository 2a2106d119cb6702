"""Who listens to which event and which function is which guard: read this to know what sets off what."""

from __future__ import annotations

from certify.certification.cases import queries as case_queries
from certify.certification.cases import registry
from certify.certification.cases import rules as case_rules
from certify.core.foundation import events


def wire() -> None:
    """Connect every room, afresh; called once by create_app."""
    events.forget_all()
    registry.forget_all()
    wire_cases()


def guard_keys() -> frozenset[str]:
    """Return the keys of all guards there are, for the check of workflows/."""
    return frozenset(registry.guards)


def wire_cases() -> None:
    """The spine's own guards: what the clock decides."""
    registry.register_provider("cases", case_queries.facts_for)
    registry.register_guards(
        "cases", case_rules.pending_period_over, case_rules.answer_period_over, case_rules.payment_period_over, case_rules.edition_chosen
    )
