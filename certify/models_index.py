"""Imports every room's tables, so that the metadata is whole for migrations and tests."""

import certify.certification.applications.models
import certify.certification.calibration.models
import certify.certification.cases.models
import certify.certification.certificates.models
import certify.certification.corrections.models
import certify.certification.decisions.models
import certify.certification.discussions.models
import certify.certification.evidence.models
import certify.certification.fees.models
import certify.certification.reports.models
import certify.certification.surveyors.models
import certify.certification.surveys.models
import certify.outlets.calendar.models
import certify.outlets.documents.models
import certify.platform.audit.models
import certify.platform.identity.models
import certify.platform.mail.models
import certify.platform.practices.models
import certify.platform.web.models  # noqa: F401
