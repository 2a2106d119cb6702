"""Guards of step 4: when the council may award or deny, and who may not decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from certify.core.foundation.errors import Unmet


@dataclass(frozen=True)
class StandardStanding:
    """Where one standard of the edition stands: its newest rating and its open requirements."""

    code: str
    title: str
    critical: bool
    rating: str  # met | not_met | not_applicable | not_assessed
    open_requirements: int = 0
    requirements: int = 0

    @property
    def met(self) -> bool:
        """Whether it counts as met: rated met or not applicable, or every requirement it led to is closed."""
        if self.open_requirements:
            return False
        return self.rating in ("met", "not_applicable") or (self.rating == "not_met" and self.requirements > 0)


@dataclass(frozen=True)
class DecisionFacts:
    """What the guards of the decision judge."""

    ref: str
    today: date
    report_issued: bool = False
    standards: tuple[StandardStanding, ...] = ()
    agreement_signed_on: date | None = None
    agreement_current: bool = False
    actor_id: int | None = None
    surveyor_ids: frozenset[int] = frozenset()
    reviewer_ids: frozenset[int] = frozenset()
    statement: str = ""  # none | conflict | empty
    reasons: Mapping[str, str] = field(default_factory=dict)  # standard -> why it stands against an award


def all_standards_met(facts: DecisionFacts) -> list[Unmet]:
    """Guard of `award`: every applicable standard is met at all sites, or its requirements are closed (invariant 1)."""
    if not facts.report_issued:
        return [Unmet("all_standards_met", "No survey report has been issued.", f"/cases/{facts.ref}/report")]
    return [_standing(facts, "all_standards_met", s) for s in facts.standards if not s.met]


def no_open_critical(facts: DecisionFacts) -> list[Unmet]:
    """Guard of `award`: no critical standard is unmet; this cannot be waived or deferred."""
    return [_standing(facts, "no_open_critical", s, "Critical: ") for s in facts.standards if s.critical and not s.met]


def agreement_valid(facts: DecisionFacts) -> list[Unmet]:
    """Guard of `award`: the participation agreement is signed, in the version of this case.

    By its own words it then runs until the application ends, so while the council decides it is valid.
    """
    if facts.agreement_current:
        return []
    why = "The participation agreement is not signed."
    return [Unmet("agreement_valid", why, f"/cases/{facts.ref}/agreement")]


def decider_uninvolved(facts: DecisionFacts) -> list[Unmet]:
    """Guard of `award` and `deny`: who decides neither surveyed nor reviewed, and stated to have no conflict."""
    key, link = "decider_uninvolved", f"/cases/{facts.ref}/decision#conflict"
    if facts.actor_id is not None and facts.actor_id in facts.surveyor_ids:
        return [Unmet(key, "You surveyed this practice, so another council member must decide.", link)]
    if facts.actor_id is not None and facts.actor_id in facts.reviewer_ids:
        return [Unmet(key, "You reviewed this case for the program, so another council member must decide.", link)]
    if facts.statement == "conflict":
        return [
            Unmet(
                key,
                "You declared a conflict of interest with this practice, so another council member must decide.",
                link,
            )
        ]
    if facts.statement != "none":
        return [Unmet(key, "Answer whether you have a conflict of interest with this practice.", link)]
    return []


def reasons_given(facts: DecisionFacts) -> list[Unmet]:
    """Guard of `deny`: a reason for each standard that is not met, at least one in all (process.md, transition 33)."""
    key, link = "reasons_given", f"/cases/{facts.ref}/decision"
    missing = [s for s in facts.standards if not s.met and not facts.reasons.get(s.code, "").strip()]
    unmet = [
        Unmet(key, f"Say why {s.code} {s.title} stands against an award.", f"{link}#reason-{s.code}") for s in missing
    ]
    if not unmet and not any(text.strip() for text in facts.reasons.values()):
        unmet.append(Unmet(key, "Give a reason for at least one standard.", f"{link}#reasons"))
    return unmet


def _standing(facts: DecisionFacts, key: str, standard: StandardStanding, before: str = "") -> Unmet:
    if standard.open_requirements:
        count = (
            "1 requirement is" if standard.open_requirements == 1 else f"{standard.open_requirements} requirements are"
        )
        why, link = f"{count} open", "corrections"
    else:
        why, link = ("it is not yet assessed" if standard.rating == "not_assessed" else "it is not met"), "report"
    return Unmet(key, f"{before}{standard.code} {standard.title}: {why}.", f"/cases/{facts.ref}/{link}")
