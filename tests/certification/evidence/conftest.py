"""The rules the evidence room looks by, for tests that need no program around them."""

from __future__ import annotations

import pytest

from certify.core.rulebook.current import current, use
from certify.core.rulebook.loading import load_rulebook
from certify.resources import WORKFLOWS


@pytest.fixture(autouse=True)
def _rules() -> None:
    """Have a rulebook in force; an app that was made before has brought its own."""
    try:
        current()
    except RuntimeError:
        use(load_rulebook(WORKFLOWS, guards=None))
