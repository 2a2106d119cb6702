"""Pages of surveys: arranging the visit, the checklist, and the calls of the checklist's script."""

from certify.certification.surveys.routes import calls, checklist, packs, planning
from certify.certification.surveys.routes.blueprint import bp

__all__ = ["bp", "calls", "checklist", "packs", "planning"]
