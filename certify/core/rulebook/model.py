"""The rulebook: every machine, deadline, fee, questionnaire, agreement, edition, notice and setting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from certify.core.catalogue.deadlines import Deadline
from certify.core.catalogue.identifiers import Identifiers
from certify.core.catalogue.model import Agreement, FeeSchedule, MessageNotice, Notice, Questionnaire, Reminder
from certify.core.catalogue.standards import Edition
from certify.core.catalogue.survey import SurveyRules
from certify.core.workflow.machine import Machine


@dataclass(frozen=True)
class Rulebook:
    """All rules of one workflows folder."""

    machines: dict[str, Machine]
    deadlines: dict[str, Deadline]
    fees: FeeSchedule
    questionnaires: dict[str, Questionnaire]
    agreements: dict[str, Agreement]
    editions: dict[str, Edition]
    notices: tuple[Notice, ...]
    message_notices: tuple[MessageNotice, ...]
    reminders: tuple[Reminder, ...]
    settings: dict[str, int | bool]
    identifiers: Identifiers
    survey: SurveyRules

    def machine(self, key: str) -> Machine:
        """Return a machine by its key. Raises: KeyError."""
        return self.machines[key]

    def knows_state(self, state: str) -> bool:
        """Whether any machine has a state of this key."""
        return any(state in machine.states for machine in self.machines.values())

    def newest_questionnaire(self) -> Questionnaire:
        """Return the questionnaire new cases get."""
        return max(self.questionnaires.values(), key=lambda q: _rank(q.version))

    def newest_agreement(self) -> Agreement:
        """Return the agreement new cases get."""
        return max(self.agreements.values(), key=lambda a: _rank(a.version))

    def editions_open_on(self, on: date) -> list[Edition]:
        """Return the editions a practice may choose on a day, newest first.

        An edition stays open for the overlap after the next one comes into force (process.md, step 1).
        """
        in_force = sorted(
            (e for e in self.editions.values() if e.in_force_from and e.in_force_from <= on),
            key=lambda e: e.in_force_from or on,
        )
        if not in_force:
            return sorted(self.editions.values(), key=lambda e: e.edition, reverse=True)[:1]
        overlap = int(self.settings["edition_overlap_days"])
        open_ones = [in_force[-1]]
        for older, newer in zip(in_force[-2::-1], in_force[:0:-1], strict=False):
            begun = newer.in_force_from or on
            if (on - begun).days <= overlap and (older.in_force_to is None or on <= older.in_force_to):
                open_ones.append(older)
        return open_ones

    def newest_edition(self, on: date) -> Edition:
        """Return the edition new cases get on a day."""
        return self.editions_open_on(on)[0]


def _rank(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
