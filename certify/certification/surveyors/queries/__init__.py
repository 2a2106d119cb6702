"""Reads of surveyors: profiles with load, candidates for a case, proposals, and the questions that are open."""

from certify.certification.surveyors.queries.choice import (
    case_to_plan,
    facts_for,
    judged,
    limits,
    ranking_for,
    setting_of,
)
from certify.certification.surveyors.queries.people import (
    SurveyorRow,
    list_surveyors,
    people_without_profile,
    profile_of_person,
    surveyor_for,
    ties_of,
)
from certify.certification.surveyors.queries.proposals import (
    FURTHER_STATES,
    accepted_proposal,
    declarations_of,
    list_proposals,
    open_further,
    open_proposal,
    proposal_put_to,
)
from certify.certification.surveyors.queries.questions import (
    ConflictForm,
    ConflictQuestion,
    OpenQuestion,
    case_of_question,
    conflict_form,
    conflict_question_for,
    open_questions_for,
    side_about,
    side_of,
)

__all__ = [
    "FURTHER_STATES",
    "ConflictForm",
    "ConflictQuestion",
    "OpenQuestion",
    "SurveyorRow",
    "accepted_proposal",
    "case_of_question",
    "case_to_plan",
    "conflict_form",
    "conflict_question_for",
    "declarations_of",
    "facts_for",
    "judged",
    "limits",
    "list_proposals",
    "list_surveyors",
    "open_further",
    "open_proposal",
    "open_questions_for",
    "people_without_profile",
    "profile_of_person",
    "proposal_put_to",
    "ranking_for",
    "setting_of",
    "side_about",
    "side_of",
    "surveyor_for",
    "ties_of",
]
