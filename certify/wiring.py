"""Who listens to which event and which function is which guard: read this to know what sets off what."""

from __future__ import annotations

from certify.certification.applications import queries as application_queries
from certify.certification.applications import review as application_review
from certify.certification.applications import rules as application_rules
from certify.certification.calibration import queries as calibration_queries
from certify.certification.cases import queries as case_queries
from certify.certification.cases import registry
from certify.certification.cases import rules as case_rules
from certify.certification.cases.events import CaseAdvanced
from certify.certification.certificates import operations as certificate_operations
from certify.certification.corrections import operations as correction_operations
from certify.certification.corrections import queries as correction_queries
from certify.certification.corrections import rules as correction_rules
from certify.certification.decisions import operations as decision_operations
from certify.certification.decisions import queries as decision_queries
from certify.certification.decisions import rules as decision_rules
from certify.certification.discussions import queries as discussion_queries
from certify.certification.discussions.events import MessageWritten
from certify.certification.evidence import operations as evidence_operations
from certify.certification.evidence import queries as evidence_queries
from certify.certification.fees import operations as fee_operations
from certify.certification.fees import queries as fee_queries
from certify.certification.fees import rules as fee_rules
from certify.certification.reports import issuing, reviewing
from certify.certification.reports import operations as report_operations
from certify.certification.reports import queries as report_queries
from certify.certification.reports import rules as report_rules
from certify.certification.reports.events import ObjectionAnswered, ObjectionMade, ReportIssued
from certify.certification.surveyors import operations as surveyor_operations
from certify.certification.surveyors import queries as surveyor_queries
from certify.certification.surveyors import rules as surveyor_rules
from certify.certification.surveyors.events import FurtherSurveyorProposed
from certify.certification.surveys import blindfold
from certify.certification.surveys import operations as survey_operations
from certify.certification.surveys import queries as survey_queries
from certify.certification.surveys import rules as survey_rules
from certify.core.foundation import events
from certify.outlets.reminders import asked, news
from certify.outlets.reminders import operations as reminder_operations


def wire() -> None:
    """Connect every room, afresh; called once by create_app."""
    events.forget_all()
    registry.forget_all()
    wire_cases()
    wire_applications()
    wire_fees()
    wire_evidence()
    wire_discussions()
    wire_surveyors()
    wire_surveys()
    wire_calibration()
    wire_reports()
    wire_corrections()
    wire_decisions()
    wire_reminders()


def guard_keys() -> frozenset[str]:
    """Return the keys of all guards there are, for the check of workflows/."""
    return frozenset(registry.guards)


def wire_cases() -> None:
    """The spine's own guards: what the clock decides."""
    registry.register_provider("cases", case_queries.facts_for)
    registry.register_guards(
        "cases",
        case_rules.pending_period_over,
        case_rules.answer_period_over,
        case_rules.payment_period_over,
        case_rules.edition_chosen,
    )


def wire_applications() -> None:
    """Step 1: the application is complete, checked, accepted or not; its documents are."""
    registry.register_provider("applications", application_queries.facts_for)
    registry.register_guards(
        "applications",
        application_rules.questionnaire_complete,
        application_rules.agreement_signed,
        application_rules.webinar_attended,
        application_rules.has_site,
        application_rules.survey_dates_offered,
        application_rules.attested,
        application_rules.questions_answered,
        application_rules.second_person_agrees,
        application_rules.practice_integrated,
        application_rules.documents_for_each_standard,
    )
    registry.register_prepare("ask_for_information", application_review.prepare_ask_for_information)
    registry.register_prepare("accept", application_review.prepare_accept)
    registry.register_prepare("mark_incomplete", application_review.prepare_mark_incomplete)
    registry.register_prepare("mark_complete", application_review.prepare_mark_complete)
    registry.register_counts(application_queries.counts_for)
    events.subscribe(CaseAdvanced, application_review.on_case_advanced)


def wire_fees() -> None:
    """An accepted application is invoiced, a payment confirmed, a withdrawal refunded."""
    registry.register_provider("fees", fee_queries.facts_for)
    registry.register_guards("fees", fee_rules.fee_paid, fee_rules.repeat_fee_paid, fee_rules.fees_settled)
    registry.register_prepare("confirm_payment", fee_operations.prepare_confirm_payment)
    registry.register_counts(fee_queries.counts_for)
    events.subscribe(CaseAdvanced, fee_operations.on_case_advanced)


def wire_evidence() -> None:
    """The library opens again when a report is issued."""
    registry.register_counts(evidence_queries.counts_for)
    events.subscribe(CaseAdvanced, evidence_operations.on_case_advanced)


def wire_discussions() -> None:
    """Unread messages are counted on their tab."""
    registry.register_counts(discussion_queries.counts_for)


def wire_surveyors() -> None:
    """Step 2: a surveyor is proposed, both sides declare, the team follows."""
    registry.register_provider("surveyors", surveyor_queries.facts_for)
    registry.register_guards(
        "surveyors",
        surveyor_rules.surveyor_free_of_conflict,
        surveyor_rules.surveyor_within_load,
        surveyor_rules.refusals_left,
        surveyor_rules.both_declared_none,
    )
    registry.register_prepare("propose_surveyor", surveyor_operations.prepare_propose_surveyor)
    registry.register_prepare("start_repeat_survey", surveyor_operations.prepare_propose_surveyor)
    registry.register_prepare("declare_conflict", surveyor_operations.prepare_declare_conflict)
    events.subscribe(CaseAdvanced, surveyor_operations.on_case_advanced)


def wire_surveys() -> None:
    """Step 2: sites and date, check-in, finish; listens after the surveyors, whose team it needs."""
    registry.register_provider("surveys", survey_queries.facts_for)
    registry.register_guards(
        "surveys",
        survey_rules.date_far_enough,
        survey_rules.sites_sampled,
        survey_rules.reschedules_left,
        survey_rules.visit_date_reached,
        survey_rules.evidence_locked,
        survey_rules.all_sites_rated,
        survey_rules.repeat_scope_named,
    )
    registry.register_prepare("agree_date", survey_operations.prepare_agree_date)
    registry.register_prepare("check_in", survey_operations.prepare_check_in)
    registry.register_prepare("finish_survey", survey_operations.prepare_finish_survey)
    events.subscribe(CaseAdvanced, survey_operations.on_case_advanced)


def wire_calibration() -> None:
    """Whoever is to score a part of a survey blind does not see its answers before."""
    blindfold.ask(calibration_queries.scores_blind)


def wire_reports() -> None:
    """Step 3: the draft follows the survey, three people pass it on, issue freezes it."""
    registry.register_provider("reports", report_queries.facts_for)
    registry.register_guards(
        "reports",
        report_rules.each_not_met_has_requirement,
        report_rules.each_rating_has_note,
        report_rules.answers_unchanged,
        report_rules.reviewer_is_not_surveyor,
        report_rules.approver_is_third_person,
        report_rules.approver_free_of_conflict,
        report_rules.no_open_requirement,
        report_rules.has_open_requirement,
    )
    registry.register_prepare("submit_report", report_operations.prepare_submit)
    registry.register_prepare("approve_report", reviewing.prepare_conflict)
    registry.register_counts(report_queries.tab_counts)
    events.subscribe(CaseAdvanced, issuing.on_case_advanced)


def wire_corrections() -> None:
    """Steps 3 and 4: plan, evidence of correction, closing, repeat visits."""
    registry.register_provider("corrections", correction_queries.facts_for)
    registry.register_guards(
        "corrections",
        correction_rules.plan_complete,
        correction_rules.plan_rounds_left,
        correction_rules.an_item_returned,
        correction_rules.all_items_accepted,
        correction_rules.correction_evidence_for_each,
        correction_rules.inside_correction_deadline,
        correction_rules.a_correction_returned,
        correction_rules.all_requirements_closed,
    )
    registry.register_prepare("submit_plan", correction_operations.prepare_submit_plan)
    registry.register_prepare("return_plan", correction_operations.prepare_judge_plan)
    registry.register_prepare("approve_plan", correction_operations.prepare_judge_plan)
    registry.register_prepare("submit_corrections", correction_operations.prepare_submit_corrections)
    registry.register_prepare("return_corrections", correction_operations.prepare_judge_corrections)
    registry.register_prepare("close_requirements", correction_operations.prepare_judge_corrections)
    registry.register_prepare("require_visit", correction_operations.prepare_require_visit)
    events.subscribe(CaseAdvanced, correction_operations.on_case_advanced)


def wire_decisions() -> None:
    """Step 4: the council decides; an award makes the certificate in the same transaction."""
    registry.register_provider("decisions", decision_queries.facts_for)
    registry.register_guards(
        "decisions",
        decision_rules.all_standards_met,
        decision_rules.no_open_critical,
        decision_rules.agreement_valid,
        decision_rules.decider_uninvolved,
        decision_rules.reasons_given,
    )
    registry.register_prepare("award", decision_operations.prepare_award)
    registry.register_prepare("deny", decision_operations.prepare_deny)
    events.subscribe(CaseAdvanced, decision_operations.on_case_advanced)
    events.subscribe(CaseAdvanced, certificate_operations.on_case_advanced)


def wire_reminders() -> None:
    """Each step tells those whom the rules name, in its own transaction; last, when every room has done its part."""
    events.subscribe(CaseAdvanced, reminder_operations.tell)
    events.subscribe(ReportIssued, news.report_issued)
    events.subscribe(ObjectionMade, news.objection_made)
    events.subscribe(ObjectionAnswered, news.objection_answered)
    events.subscribe(MessageWritten, news.message_written)
    events.subscribe(FurtherSurveyorProposed, asked.further_surveyor_proposed)
