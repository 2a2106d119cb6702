"""Which function answers for which guard, facts and trigger; filled by wiring.py, read by the spine.

The spine stands below the rooms whose rules it enforces, so the rooms' functions are handed down to it here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from certify.certification.cases.memory import remembered
from certify.certification.cases.models import Case
from certify.core.access.roles import Actor
from certify.core.foundation.errors import Unmet


class Prepare(Protocol):
    """Writes what a trigger's inputs carry, before the guards are asked."""

    def __call__(self, session: Session, case: Case, inputs: dict[str, Any], *, actor: Actor, at: datetime) -> None: ...


Provider = Callable[[Session, Case, Actor, datetime], Any]
Counts = Callable[[Session, Case, Actor], dict[str, ColumnElement[int]]]


@dataclass(frozen=True)
class Guard:
    """A condition of the machine: its key, where its facts come from, and the pure rule that judges them."""

    key: str
    provider: str
    rule: Callable[[Any], Sequence[Unmet]]


guards: dict[str, Guard] = {}
providers: dict[str, Provider] = {}
prepares: dict[str, Prepare] = {}
counts: list[Counts] = []


def register_provider(name: str, provider: Provider) -> None:
    """Let a room's `facts_for` answer for the guards that name it."""
    providers[name] = provider


def register_guards(provider: str, *rules: Callable[[Any], Sequence[Unmet]]) -> None:
    """Register guards whose keys are the names of their functions."""
    for rule in rules:
        guards[rule.__name__] = Guard(rule.__name__, provider, rule)


def register_prepare(trigger: str, prepare: Prepare) -> None:
    """Run this before the guards of a trigger are asked."""
    prepares[trigger] = prepare


def register_counts(function: Counts) -> None:
    """Let a room put numbers on the tabs of a case: tab key to a scalar query; all rooms' are asked in one statement."""
    if function not in counts:
        counts.append(function)


def forget_all() -> None:
    """Empty the registry, so that wiring starts afresh."""
    guards.clear()
    providers.clear()
    prepares.clear()
    counts.clear()


class CaseFacts:
    """All facts of one case at one instant for one actor; each room is asked at most once."""

    def __init__(self, session: Session, case: Case, actor: Actor, at: datetime) -> None:
        self._ask = (session, case, actor, at)
        self._facts: dict[str, Any] = {}
        self._answers: dict[str, Sequence[Unmet]] = {}

    def of(self, provider: str) -> Any:
        """Return a room's facts."""
        if provider not in self._facts:
            session, case, actor, _at = self._ask
            self._facts[provider] = remembered(
                session, ("facts", provider, case.id, actor), lambda: providers[provider](*self._ask)
            )
        return self._facts[provider]

    def check(self, key: str) -> Sequence[Unmet]:
        """Ask one guard; empty when it holds."""
        if key not in self._answers:
            guard = guards[key]
            self._answers[key] = tuple(guard.rule(self.of(guard.provider)))
        return self._answers[key]
