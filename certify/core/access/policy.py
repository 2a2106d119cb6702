"""The one place that says who may: permission, role, and how the person must stand to the object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from certify.core.access.roles import PRACTICE_ROLES, PROGRAM_ROLES, Actor, Role


class Relation(StrEnum):
    """How a person must stand to an object for a role's permission to hold."""

    ANY = "any"  # every object of the program
    PRACTICE = "practice"  # the role is held for the practice the object belongs to
    TEAM = "team"  # the person is on the case, in force today (surveyors)
    SELF = "self"  # the object is the person's own


class Permission(StrEnum):
    """Everything a route, call or command may ask for; named by what a user would say."""

    # people
    SIGNED_IN = "signed_in"  # any person, on matters of their own account
    MANAGE_PEOPLE = "manage_people"
    MANAGE_TEAM = "manage_team"
    MANAGE_SETTINGS = "manage_settings"
    # practices
    VIEW_PRACTICE = "view_practice"
    EDIT_PRACTICE = "edit_practice"
    CREATE_PRACTICE = "create_practice"
    # cases
    VIEW_CASE = "view_case"
    START_CASE = "start_case"
    ADVANCE_CASE = "advance_case"  # which trigger is open to whom is the machine's own word
    ASSIGN_CASE = "assign_case"
    EXTEND_DEADLINE = "extend_deadline"
    VIEW_HISTORY = "view_history"
    EXPORT_CASE = "export_case"
    # step 1
    VIEW_APPLICATION = "view_application"
    EDIT_APPLICATION = "edit_application"
    SIGN_AGREEMENT = "sign_agreement"
    RECORD_WEBINAR = "record_webinar"
    REVIEW_APPLICATION = "review_application"
    VIEW_FEES = "view_fees"
    RECORD_PAYMENT = "record_payment"
    # evidence
    VIEW_EVIDENCE = "view_evidence"
    ADD_EVIDENCE = "add_evidence"
    REVIEW_QUARANTINE = "review_quarantine"
    # messages
    READ_MESSAGES = "read_messages"
    WRITE_MESSAGE = "write_message"
    READ_INTERNAL_MESSAGES = "read_internal_messages"
    # step 2
    VIEW_SURVEY = "view_survey"
    ANSWER_CONFLICT = "answer_conflict"
    PLAN_SURVEY = "plan_survey"
    AGREE_DATE = "agree_date"
    CONDUCT_SURVEY = "conduct_survey"
    LEAD_SURVEY = "lead_survey"  # split the checklist, say who leads
    TAKE_BACKUP = "take_backup"  # a tablet's backup file, by the team or the program
    MANAGE_SURVEYORS = "manage_surveyors"
    VIEW_OWN_SURVEYS = "view_own_surveys"
    VIEW_CALIBRATION = "view_calibration"
    DRAW_CALIBRATION = "draw_calibration"
    SCORE_BLIND = "score_blind"
    # steps 3 and 4
    VIEW_REPORT = "view_report"  # once issued, also the practice
    VIEW_DRAFT_REPORT = "view_draft_report"
    WRITE_REPORT = "write_report"
    REVIEW_REPORT = "review_report"
    OBJECT_TO_REPORT = "object_to_report"
    ANSWER_OBJECTION = "answer_objection"
    VIEW_CORRECTIONS = "view_corrections"
    WRITE_PLAN = "write_plan"
    JUDGE_CORRECTIONS = "judge_corrections"
    VIEW_DECISION = "view_decision"
    DECIDE = "decide"
    # program
    VIEW_QUEUE = "view_queue"
    VIEW_MAIL = "view_mail"
    RESEND_MAIL = "resend_mail"
    VIEW_AUDIT = "view_audit"
    VIEW_METRICS = "view_metrics"


_PRACTICE = {
    Role.PRACTICE_ADMIN: Relation.PRACTICE,
    Role.PHYSICIAN_LEAD: Relation.PRACTICE,
    Role.PRACTICE_STAFF: Relation.PRACTICE,
}
_PRACTICE_HEADS = {Role.PRACTICE_ADMIN: Relation.PRACTICE, Role.PHYSICIAN_LEAD: Relation.PRACTICE}
_SURVEYOR = {Role.SURVEYOR: Relation.TEAM}
_STAFF = {Role.PROGRAM_STAFF: Relation.ANY}
_COUNCIL = {Role.COUNCIL: Relation.ANY}
_FINANCE = {Role.FINANCE: Relation.ANY}
_AUDITOR = {Role.AUDITOR: Relation.ANY}
_ADMIN = {Role.ADMINISTRATOR: Relation.ANY}
_EVERYONE: dict[Role, Relation] = {role: Relation.SELF for role in Role if role is not Role.SYSTEM}

POLICY: dict[Permission, dict[Role, Relation]] = {
    Permission.SIGNED_IN: _EVERYONE,
    Permission.MANAGE_PEOPLE: _ADMIN,
    Permission.MANAGE_TEAM: {Role.PRACTICE_ADMIN: Relation.PRACTICE} | _ADMIN,
    Permission.MANAGE_SETTINGS: _ADMIN,
    Permission.VIEW_PRACTICE: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _FINANCE | _AUDITOR | _ADMIN,
    Permission.EDIT_PRACTICE: {Role.PRACTICE_ADMIN: Relation.PRACTICE} | _STAFF,
    Permission.CREATE_PRACTICE: _STAFF,
    Permission.VIEW_CASE: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _FINANCE | _AUDITOR,
    Permission.START_CASE: {Role.PRACTICE_ADMIN: Relation.PRACTICE} | _STAFF,
    Permission.ADVANCE_CASE: _PRACTICE_HEADS | _SURVEYOR | _STAFF | _COUNCIL | _FINANCE | {Role.SYSTEM: Relation.ANY},
    Permission.ASSIGN_CASE: _STAFF,
    Permission.EXTEND_DEADLINE: _STAFF,
    Permission.VIEW_HISTORY: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.EXPORT_CASE: {Role.PRACTICE_ADMIN: Relation.PRACTICE} | _STAFF | _AUDITOR,
    Permission.VIEW_APPLICATION: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.EDIT_APPLICATION: _PRACTICE,
    Permission.SIGN_AGREEMENT: _PRACTICE_HEADS,
    Permission.RECORD_WEBINAR: _PRACTICE | _STAFF,
    Permission.REVIEW_APPLICATION: _STAFF,
    Permission.VIEW_FEES: _PRACTICE_HEADS | _STAFF | _FINANCE | _AUDITOR,
    Permission.RECORD_PAYMENT: _FINANCE,
    Permission.VIEW_EVIDENCE: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.ADD_EVIDENCE: _PRACTICE,
    Permission.REVIEW_QUARANTINE: _STAFF,
    Permission.READ_MESSAGES: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.WRITE_MESSAGE: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL,
    Permission.READ_INTERNAL_MESSAGES: _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.VIEW_SURVEY: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    # The proposed surveyor answers before she is on the case: the surveyors room checks that the question is hers.
    Permission.ANSWER_CONFLICT: _PRACTICE_HEADS | {Role.SURVEYOR: Relation.SELF},
    Permission.PLAN_SURVEY: _STAFF,
    Permission.AGREE_DATE: _PRACTICE_HEADS | _SURVEYOR,
    Permission.CONDUCT_SURVEY: _SURVEYOR,
    # Of the team only the lead surveyor: the surveys room asks for the rest.
    Permission.LEAD_SURVEY: _STAFF | _SURVEYOR,
    Permission.TAKE_BACKUP: _STAFF | _SURVEYOR,
    Permission.MANAGE_SURVEYORS: _STAFF,
    Permission.VIEW_OWN_SURVEYS: {Role.SURVEYOR: Relation.SELF},
    # How surveyors differ is the program's to read, not theirs: who knows the first rating does not score blind.
    Permission.VIEW_CALIBRATION: _STAFF | _AUDITOR,
    Permission.DRAW_CALIBRATION: _STAFF,
    Permission.SCORE_BLIND: _SURVEYOR,
    Permission.VIEW_REPORT: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.VIEW_DRAFT_REPORT: _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.WRITE_REPORT: _SURVEYOR,
    Permission.REVIEW_REPORT: _STAFF | _COUNCIL,
    Permission.OBJECT_TO_REPORT: _PRACTICE_HEADS,
    Permission.ANSWER_OBJECTION: _STAFF,
    Permission.VIEW_CORRECTIONS: _PRACTICE | _SURVEYOR | _STAFF | _COUNCIL | _AUDITOR,
    Permission.WRITE_PLAN: _PRACTICE,
    Permission.JUDGE_CORRECTIONS: _STAFF | _SURVEYOR,
    Permission.VIEW_DECISION: _PRACTICE | _STAFF | _COUNCIL | _AUDITOR,
    Permission.DECIDE: _COUNCIL,
    Permission.VIEW_QUEUE: _STAFF | _COUNCIL | _FINANCE | _AUDITOR,
    Permission.VIEW_MAIL: _STAFF | _AUDITOR | _ADMIN,
    Permission.RESEND_MAIL: _STAFF,
    Permission.VIEW_AUDIT: _AUDITOR | _STAFF,
    Permission.VIEW_METRICS: _ADMIN,
}


@dataclass(frozen=True)
class Subject:
    """The object as far as access is concerned: whose practice, who is on its team, whose own it is."""

    practice_id: int | None = None
    team: frozenset[int] = frozenset()
    owner_id: int | None = None


@dataclass(frozen=True)
class Reach:
    """How far a permission goes in lists: everything, or these practices, or the cases this person is on."""

    everything: bool = False
    practice_ids: frozenset[int] = frozenset()
    team_member_id: int | None = None

    @property
    def nothing(self) -> bool:
        """Whether no object at all is within reach."""
        return not (self.everything or self.practice_ids or self.team_member_id is not None)


# Those that count for nothing in a practice of one's own.
JUDGING_ROLES = PROGRAM_ROLES - {Role.ADMINISTRATOR}


def allowed(actor: Actor, permission: Permission, subject: Subject | None = None) -> bool:
    """Whether the actor may do this to the object; without an object, whether to any object at all.

    In the practice of one's own only the roles held there count, and that of the administrator of accounts.
    """
    rules = POLICY[permission]
    own = subject is not None and subject.practice_id is not None and subject.practice_id in actor.practice_ids
    for grant in actor.grants:
        relation = rules.get(grant.role)
        if relation is None:
            continue
        if own and grant.role in JUDGING_ROLES and relation is not Relation.SELF:
            continue
        if (grant.role in PRACTICE_ROLES) != (grant.practice_id is not None):
            continue  # a practice role without a practice, or a program role within one, means nothing
        if subject is None or _stands(actor, grant.practice_id, relation, subject):
            return True
    return False


def reach(actor: Actor, permission: Permission) -> Reach:
    """Return what a list may show this actor; a query turns it into a predicate on indexed columns."""
    rules = POLICY[permission]
    relations = {(rules[g.role], g.practice_id) for g in actor.grants if g.role in rules}
    if any(relation is Relation.ANY for relation, _ in relations):
        return Reach(everything=True)
    practices = frozenset(p for relation, p in relations if relation is Relation.PRACTICE and p is not None)
    on_team = any(relation is Relation.TEAM for relation, _ in relations)
    return Reach(practice_ids=practices, team_member_id=actor.user_id if on_team else None)


def _stands(actor: Actor, practice_id: int | None, relation: Relation, subject: Subject) -> bool:
    if relation is Relation.ANY:
        return True
    if relation is Relation.PRACTICE:
        return practice_id is not None and practice_id == subject.practice_id
    if relation is Relation.TEAM:
        return actor.user_id is not None and actor.user_id in subject.team
    return actor.user_id is not None and actor.user_id == subject.owner_id
