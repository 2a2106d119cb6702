"""The demo program: every state by the real operations, the same each time, and no dearer than it must be."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from certify.certification.cases.models import Case
from certify.demo.load import EARLY, FIRST, SECOND, load_demo
from certify.platform.audit.queries import verify_chain
from tests.support.statements import counting

# A practice of the large demo stands in one of the early states; this is what registering and walking it may ask for.
STATEMENTS_A_PRACTICE = 95


def test_the_demo_walks_into_every_state_and_its_chain_verifies(app: Flask, session: Session) -> None:
    """Slow because it walks a case into every state."""
    with app.app_context():
        said = load_demo(practices=len(FIRST) + len(SECOND), seed=1, progress=False)
    states = Counter(session.scalars(select(Case.state)))
    assert states == Counter(FIRST + SECOND)
    assert {key.removeprefix("state "): n for key, n in said.items() if key.startswith("state ")} == states
    assert verify_chain(session).sound


def test_a_practice_of_the_large_demo_costs_few_statements(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "certify.demo.load._targets", lambda practices: (EARLY[n % len(EARLY)] for n in range(practices))
    )
    practices = 2 * len(EARLY)
    with app.app_context(), counting(session) as sent:
        load_demo(practices=practices, seed=1, progress=False)
    assert len(sent) / practices < STATEMENTS_A_PRACTICE
