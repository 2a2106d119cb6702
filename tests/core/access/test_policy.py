"""Who may do what, by the one table."""

from __future__ import annotations

import pytest

from certify.core.access.policy import POLICY, Permission, Relation, Subject, allowed, reach
from certify.core.access.roles import PRACTICE_ROLES, Actor, Grant, Role

OURS, THEIRS = Subject(practice_id=1), Subject(practice_id=2)
WRITING = frozenset(Permission) - {
    p
    for p in Permission
    if p.value.startswith(("view_", "read_")) or p in {Permission.SIGNED_IN, Permission.EXPORT_CASE}
}


def holder(role: Role, practice_id: int | None = None) -> Actor:
    """Someone who holds the role."""
    return Actor(5, frozenset({Grant(role, practice_id if role in PRACTICE_ROLES else None)}))


@pytest.mark.parametrize("permission", sorted(Permission))
@pytest.mark.parametrize("role", sorted(PRACTICE_ROLES))
def test_a_practice_role_never_reaches_another_practice(role: Role, permission: Permission) -> None:
    assert not allowed(holder(role, 1), permission, THEIRS)
    assert not reach(holder(role, 1), permission).everything
    assert 2 not in reach(holder(role, 1), permission).practice_ids


@pytest.mark.parametrize("permission", sorted(Permission))
def test_every_permission_is_in_the_table(permission: Permission) -> None:
    assert POLICY[permission]


@pytest.mark.parametrize("permission", sorted(WRITING))
def test_the_auditor_changes_nothing(permission: Permission) -> None:
    assert Role.AUDITOR not in POLICY[permission]


@pytest.mark.parametrize(
    "permission", [Permission.DECIDE, Permission.REVIEW_REPORT, Permission.ADVANCE_CASE, Permission.VIEW_CASE]
)
def test_the_administrator_of_accounts_takes_no_part_in_cases(permission: Permission) -> None:
    assert Role.ADMINISTRATOR not in POLICY[permission]


def test_a_surveyor_reaches_a_case_only_while_on_its_team() -> None:
    surveyor = holder(Role.SURVEYOR)
    assert not allowed(surveyor, Permission.VIEW_CASE, OURS)
    assert allowed(surveyor, Permission.VIEW_CASE, Subject(practice_id=1, team=frozenset({5})))
    assert reach(surveyor, Permission.VIEW_CASE).team_member_id == 5


def test_a_practice_role_without_a_practice_means_nothing() -> None:
    assert not allowed(Actor(5, frozenset({Grant(Role.PRACTICE_ADMIN)})), Permission.VIEW_CASE, OURS)
    assert not allowed(Actor(5, frozenset({Grant(Role.PROGRAM_STAFF, 1)})), Permission.VIEW_CASE, OURS)


def test_nobody_may_nothing() -> None:
    assert not any(allowed(Actor(None), permission, OURS) for permission in Permission)
    assert reach(Actor(None), Permission.VIEW_CASE).nothing


@pytest.mark.parametrize("role", [Role.PROGRAM_STAFF, Role.COUNCIL, Role.SURVEYOR, Role.FINANCE, Role.AUDITOR])
def test_nobody_works_for_the_program_on_the_practice_of_their_own(role: Role) -> None:
    both = Actor(5, frozenset({Grant(role), Grant(Role.PRACTICE_STAFF, 1)}))
    ours, theirs = Subject(1, team=frozenset({5})), Subject(2, team=frozenset({5}))
    inside = {
        p
        for p in Permission
        if role in POLICY[p] and POLICY[p][role] is not Relation.SELF and Role.PRACTICE_STAFF not in POLICY[p]
    }
    assert inside
    assert not any(allowed(both, p, ours) for p in inside)
    assert all(allowed(both, p, theirs) for p in inside)
    assert both.roles_at(1) == {Role.PRACTICE_STAFF}
    assert both.roles_at(2) == {role}


def test_an_administrator_of_accounts_stays_one_in_the_practice_of_their_own() -> None:
    both = Actor(5, frozenset({Grant(Role.ADMINISTRATOR), Grant(Role.PRACTICE_STAFF, 1)}))
    assert allowed(both, Permission.MANAGE_TEAM, OURS)
