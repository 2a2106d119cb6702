"""create_app(): builds the application; the only module that imports every room's routes."""

from __future__ import annotations

from flask import Flask

from certify import models_index, resources, wiring  # noqa: F401 - models_index makes the metadata whole
from certify.certification.applications.routes import application, review
from certify.certification.calibration import routes as calibration
from certify.certification.cases import routes as cases
from certify.certification.certificates import routes as certificates
from certify.certification.corrections import routes as corrections
from certify.certification.decisions import routes as decisions
from certify.certification.discussions import routes as discussions
from certify.certification.evidence import routes as evidence
from certify.certification.fees import routes as fees
from certify.certification.reports import routes as reports
from certify.certification.surveyors import routes as surveyors
from certify.certification.surveys import routes as surveys
from certify.config import Settings, load_settings
from certify.core.foundation.clock import FixedClock, use_clock
from certify.core.rulebook.current import use as use_rulebook
from certify.core.rulebook.loading import load_rulebook
from certify.db import db, prepare_sqlite
from certify.outlets.api.install import init_api
from certify.outlets.calendar import routes as calendar
from certify.outlets.documents import routes as documents
from certify.outlets.documents.docx_writer.templates import use_own_templates
from certify.outlets.home import routes as home
from certify.outlets.home import styleguide
from certify.outlets.home.navigation import register_navigation
from certify.outlets.register import routes as register
from certify.outlets.tablet import routes as tablet
from certify.platform.identity import account_routes as account
from certify.platform.identity import people_routes as people
from certify.platform.identity import routes as identity
from certify.platform.identity.login import init_identity
from certify.platform.mail import routes as mail
from certify.platform.mail.setup import init_mail
from certify.platform.practices import routes as practices
from certify.platform.practices import team_routes as team
from certify.platform.storage.operations import use_folder
from certify.platform.web.install import init_web
from certify.schema import attach

# A room's pages are hung in here, in the commit that adds the room.
BLUEPRINTS = (
    identity.bp,
    account.bp,
    people.bp,
    mail.bp,
    practices.bp,
    team.bp,
    cases.bp,
    application.bp,
    review.bp,
    evidence.bp,
    fees.bp,
    discussions.bp,
    surveyors.bp,
    surveys.bp,
    calibration.bp,
    reports.bp,
    corrections.bp,
    decisions.bp,
    certificates.bp,
    documents.bp,
    register.bp,
    tablet.bp,
    calendar.bp,
    home.bp,
)

POOL = {"pool_size": 8, "max_overflow": 8, "pool_pre_ping": True}


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application from settings.

    Raises: WrongSetting for a setting, Broken for a mistake in workflows/; both say what would be right.
    """
    settings = load_settings() if settings is None else settings
    if settings.clock is not None:
        use_clock(FixedClock(settings.clock))
    app = Flask(
        "certify",
        template_folder=str(resources.TEMPLATES),
        static_folder=str(resources.STATIC),
        instance_path=str(settings.instance),
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS={} if settings.sqlite else POOL,
        TESTING=settings.testing,
    )
    app.extensions["certify_settings"] = settings
    app.config["SETTINGS"] = settings
    use_folder(settings.instance / "files")
    use_own_templates(settings.instance / "templates")
    wiring.wire()
    use_rulebook(load_rulebook(settings.workflows or resources.WORKFLOWS, guards=wiring.guard_keys()))
    db.init_app(app)
    if settings.sqlite:
        with app.app_context():
            # Tests share one connection that is rolled back; queueing writers by a file would only wait for itself.
            prepare_sqlite(db.engine, None if settings.testing else settings.instance / "write.lock")
    attach(app)
    install_rooms(app)
    return app


def install_rooms(app: Flask) -> None:
    """Hang every room's routes into the application."""
    init_web(app)
    init_identity(app)
    init_mail(app)
    register_navigation(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    init_api(app)
    if not app.config["SETTINGS"].production:
        app.register_blueprint(styleguide.bp)
