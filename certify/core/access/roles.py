"""The roles of contract.md section 4 and the person who acts in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Role(StrEnum):
    """What a person is to a practice or to the program."""

    PRACTICE_ADMIN = "practice_admin"
    PHYSICIAN_LEAD = "physician_lead"
    PRACTICE_STAFF = "practice_staff"
    SURVEYOR = "surveyor"
    PROGRAM_STAFF = "program_staff"
    FINANCE = "finance"
    COUNCIL = "council"
    APPEAL_PANEL = "appeal_panel"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


PRACTICE_ROLES = frozenset({Role.PRACTICE_ADMIN, Role.PHYSICIAN_LEAD, Role.PRACTICE_STAFF})
PROGRAM_ROLES = frozenset(set(Role) - PRACTICE_ROLES - {Role.SYSTEM})

ROLE_TITLES = {
    Role.PRACTICE_ADMIN: "Practice administrator",
    Role.PHYSICIAN_LEAD: "Physician lead",
    Role.PRACTICE_STAFF: "Practice staff",
    Role.SURVEYOR: "Site surveyor",
    Role.PROGRAM_STAFF: "Program staff",
    Role.FINANCE: "Finance",
    Role.COUNCIL: "Council member",
    Role.APPEAL_PANEL: "Appeal panel member",
    Role.AUDITOR: "Auditor",
    Role.ADMINISTRATOR: "Administrator",
    Role.SYSTEM: "The program's clock",
}


@dataclass(frozen=True)
class Grant:
    """A role held for one practice, or for the program (`practice_id` None)."""

    role: Role
    practice_id: int | None = None


@dataclass(frozen=True)
class Actor:
    """A person (or the system, `user_id` None) with all roles held."""

    user_id: int | None
    grants: frozenset[Grant] = frozenset()
    name: str = ""
    email: str = ""

    @cached_property
    def roles(self) -> frozenset[Role]:
        """Every role held, for whatever practice."""
        return frozenset(g.role for g in self.grants)

    @cached_property
    def practice_ids(self) -> frozenset[int]:
        """The practices in which any role is held."""
        return frozenset(g.practice_id for g in self.grants if g.practice_id is not None)

    def holds(self, role: Role, practice_id: int | None = None) -> bool:
        """Whether the role is held for that practice, or for the program."""
        return Grant(role, practice_id if role in PRACTICE_ROLES else None) in self.grants

    def roles_at(self, practice_id: int | None) -> frozenset[Role]:
        """The roles that count for a matter of this practice: those held there, else those held for the program.

        Nobody works for the program on the practice of their own: who holds a role there is of the practice, whatever
        else the person is to the program, and neither judges it nor reads what the program keeps to itself.
        """
        own = frozenset(g.role for g in self.grants if practice_id is not None and g.practice_id == practice_id)
        return own or frozenset(g.role for g in self.grants if g.practice_id is None)


SYSTEM = Actor(None, frozenset({Grant(Role.SYSTEM)}), name="The program's clock")
NOBODY = Actor(None)
