"""Pages of surveys: arranging the visit, the checklist, and the calls of the checklist's script."""

from certify.certification.surveys.routes import backups, calls, checklist, packs, planning, team
from certify.certification.surveys.routes.blueprint import bp

__all__ = ["backups", "bp", "calls", "checklist", "packs", "planning", "team"]
