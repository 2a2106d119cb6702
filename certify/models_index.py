"""Imports every room's tables, so that the metadata is whole for migrations and tests."""

import certify.certification.cases.models
import certify.platform.audit.models  # noqa: F401
