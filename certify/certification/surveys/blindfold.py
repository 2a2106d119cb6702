"""Who must not see a survey's answers yet; filled by wiring.py, because the room that knows stands above this one."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from certify.core.access.roles import Actor
from certify.core.foundation.errors import RulesUnmet, Unmet

Wears = Callable[[Session, int, Actor], bool]
_asked: list[Wears] = []


def ask(wears: Wears) -> None:
    """Let a room say who scores a part of a survey blind."""
    _asked[:] = [wears]


def blindfolded(session: Session, survey_id: int, actor: Actor) -> bool:
    """Whether the answers of a survey are closed to the actor until she has scored her part."""
    return actor.user_id is not None and any(wears(session, survey_id, actor) for wears in _asked)


def closed_until_scored(survey_id: int) -> RulesUnmet:
    """Return the refusal that leads to what is to be scored."""
    message = (
        "The program asks you to score a part of this survey blind. Its answers are open to you again when you have."
    )
    return RulesUnmet([Unmet("scored_blind", message, f"/surveys/{survey_id}/calibration/score")])
