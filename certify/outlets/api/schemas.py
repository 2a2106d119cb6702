"""The shapes of contract.md section 5, as marshmallow schemas."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

MOST = 200
INT32 = 2**31 - 1
_INSTANT = "Write an instant with its zone, like 2026-03-05T14:00:00Z; a + in an address is written %2B."
INSTANT_WORDS: dict[str, Any] = {"invalid": _INSTANT, "invalid_awareness": _INSTANT}
DAY_WORDS: dict[str, Any] = {"invalid": "Write a day, like 2026-03-05."}


class Strict(ma.Schema):
    """Refuses what it does not know, naming it."""

    class Meta:
        unknown = ma.RAISE


class ListArguments(Strict):
    """How much of a list, and from where."""

    limit = ma.fields.Integer(load_default=50, strict=False, validate=ma.validate.Range(1, MOST))
    cursor = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 400))


class Grant(ma.Schema):
    role = ma.fields.String(required=True)
    practice = ma.fields.Integer(allow_none=True, required=True)


class PracticeName(ma.Schema):
    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)


class Me(ma.Schema):
    id = ma.fields.Integer(required=True)
    email = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    roles = ma.fields.List(ma.fields.Nested(Grant), required=True)
    practices = ma.fields.List(ma.fields.Nested(PracticeName), required=True)


class Due(ma.Schema):
    key = ma.fields.String(required=True)
    on = ma.fields.Date(required=True)
    overdue = ma.fields.Boolean(required=True)


class Deadline(Due):
    label = ma.fields.String(required=True)
    days_left = ma.fields.Integer(required=True)


class Unmet(ma.Schema):
    guard = ma.fields.String(required=True)
    message = ma.fields.String(required=True)
    link = ma.fields.String(required=True)


class InputShape(ma.Schema):
    key = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    required = ma.fields.Boolean(required=True)


class Action(ma.Schema):
    trigger = ma.fields.String(required=True)
    label = ma.fields.String(required=True)
    explanation = ma.fields.String(required=True)
    allowed = ma.fields.Boolean(required=True)
    yours = ma.fields.Boolean(required=True, metadata={"description": "whether your role takes this step"})
    roles = ma.fields.List(ma.fields.String(), required=True)
    inputs = ma.fields.List(ma.fields.Nested(InputShape), required=True)
    unmet = ma.fields.List(ma.fields.Nested(Unmet), required=True)


class CaseItem(ma.Schema):
    ref = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    practice = ma.fields.Integer(required=True)
    practice_name = ma.fields.String(required=True)
    edition = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    step = ma.fields.Integer(required=True)
    version = ma.fields.Integer(required=True)
    waiting_for = ma.fields.String(required=True)
    due = ma.fields.Nested(Due, allow_none=True, required=True)


class CaseWhole(CaseItem):
    status = ma.fields.String(required=True)
    survey = ma.fields.Integer(allow_none=True, required=True, metadata={"description": "id of the newest survey"})
    actions = ma.fields.List(ma.fields.Nested(Action), required=True)
    deadlines = ma.fields.List(ma.fields.Nested(Deadline), required=True)


class CasePage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(CaseItem), required=True)
    next = ma.fields.String(allow_none=True, required=True)


class CaseArguments(ListArguments):
    step = ma.fields.Integer(load_default=None, validate=ma.validate.Range(1, 6))
    state = ma.fields.String(load_default="", validate=ma.validate.Length(max=40))
    practice = ma.fields.Integer(load_default=None, validate=ma.validate.Range(1, INT32))
    mine = ma.fields.Boolean(
        load_default=False,
        metadata={
            "description": "only those of your own practice, those whose survey team you are on, and those whose contact you are"
        },
    )
    due_before = ma.fields.Date(load_default=None, error_messages=DAY_WORDS)


class NewCase(Strict):
    practice = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, INT32))


class Transition(Strict):
    trigger = ma.fields.String(required=True, validate=ma.validate.Length(1, 60))
    version = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(0, INT32))
    data = ma.fields.Dict(keys=ma.fields.String(), load_default=dict)


class EventItem(ma.Schema):
    seq = ma.fields.Integer(required=True)
    at = ma.fields.AwareDateTime(required=True)
    who = ma.fields.String(required=True)
    what = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    # `from` is a word of the language, so the keys are given as data.
    from_ = ma.fields.String(data_key="from", allow_none=True, required=True)
    to = ma.fields.String(allow_none=True, required=True)
    reason = ma.fields.String(required=True)
    hash = ma.fields.String(required=True)


class EventPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(EventItem), required=True)
    next = ma.fields.String(allow_none=True, required=True)


class QuestionnaireAnswers(ma.Schema):
    version = ma.fields.String(required=True)
    answers = ma.fields.Dict(keys=ma.fields.String(), required=True)
    complete = ma.fields.Boolean(required=True)
    missing = ma.fields.List(ma.fields.Nested(Unmet), required=True)


class PutAnswers(Strict):
    answers = ma.fields.Dict(keys=ma.fields.String(validate=ma.validate.Length(1, 100)), required=True)


class SiteBody(Strict):
    """A site as it is sent."""

    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    address = ma.fields.String(load_default="", validate=ma.validate.Length(max=300))
    city = ma.fields.String(load_default="", validate=ma.validate.Length(max=100))
    state = ma.fields.String(load_default="", validate=ma.validate.Length(max=2))
    postal_code = ma.fields.String(load_default="", validate=ma.validate.Length(max=10))
    services = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 30)), load_default=list, validate=ma.validate.Length(max=20)
    )
    physician_fte = ma.fields.Float(load_default=0.0, validate=ma.validate.Range(0, 999))
    app_fte = ma.fields.Float(load_default=0.0, validate=ma.validate.Range(0, 999))
    nurse_fte = ma.fields.Float(load_default=0.0, validate=ma.validate.Range(0, 999))
    pharmacist_fte = ma.fields.Float(load_default=0.0, validate=ma.validate.Range(0, 999))
    infusion_chairs = ma.fields.Integer(load_default=0, strict=True, validate=ma.validate.Range(0, 500))


class SiteItem(ma.Schema):
    """A site as it is shown."""

    id = ma.fields.Integer(required=True)
    name = ma.fields.String(required=True)
    address = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    postal_code = ma.fields.String(required=True)
    services = ma.fields.List(ma.fields.String(), required=True)
    physician_fte = ma.fields.Float(required=True)
    app_fte = ma.fields.Float(required=True)
    nurse_fte = ma.fields.Float(required=True)
    pharmacist_fte = ma.fields.Float(required=True)
    infusion_chairs = ma.fields.Integer(required=True)
    closed_on = ma.fields.Date(allow_none=True, required=True)


class PracticeItem(ma.Schema):
    """A practice in a list."""

    id = ma.fields.Integer(required=True)
    legal_name = ma.fields.String(required=True)
    setting = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    sites = ma.fields.List(ma.fields.Nested(SiteItem), required=True)


class PracticePage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(PracticeItem), required=True)
    next = ma.fields.String(allow_none=True, required=True)


class PracticeArguments(ListArguments):
    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))


class PracticeFields(Strict):
    """What a practice is described by."""

    legal_name = ma.fields.String(validate=ma.validate.Length(1, 200))
    tax_ids = ma.fields.List(ma.fields.String(validate=ma.validate.Length(1, 20)), validate=ma.validate.Length(max=20))
    setting = ma.fields.String(validate=ma.validate.OneOf(["community", "hospital", "academic", "rural"]))
    ownership = ma.fields.String(validate=ma.validate.Length(max=60))
    address = ma.fields.String(validate=ma.validate.Length(max=300))
    city = ma.fields.String(validate=ma.validate.Length(max=100))
    state = ma.fields.String(validate=ma.validate.Length(max=2))
    postal_code = ma.fields.String(validate=ma.validate.Length(max=10))
    phone = ma.fields.String(validate=ma.validate.Length(max=40))
    time_zone = ma.fields.String(validate=ma.validate.Length(max=60))


class NewPractice(PracticeFields):
    legal_name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    sites = ma.fields.List(ma.fields.Nested(SiteBody), load_default=list, validate=ma.validate.Length(max=200))


class PatchPractice(PracticeFields):
    version = ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(0, INT32))


class PracticeWhole(ma.Schema):
    id = ma.fields.Integer(required=True)
    legal_name = ma.fields.String(required=True)
    tax_ids = ma.fields.List(ma.fields.String(), required=True)
    setting = ma.fields.String(required=True)
    ownership = ma.fields.String(required=True)
    address = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    postal_code = ma.fields.String(required=True)
    phone = ma.fields.String(required=True)
    time_zone = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    sites = ma.fields.List(ma.fields.Nested(SiteItem), required=True)


class EvidenceAdded(ma.Schema):
    id = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    sha256 = ma.fields.String(required=True)
    state = ma.fields.String(required=True, metadata={"description": "clear, or quarantined until someone has looked"})
    elements = ma.fields.List(ma.fields.String(), required=True)


class EvidenceFields(Strict):
    """The fields beside the file."""

    elements = ma.fields.List(
        ma.fields.String(validate=ma.validate.Length(1, 20)), required=True, validate=ma.validate.Length(1, 200)
    )
    site = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, INT32))
    title = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    page = ma.fields.String(load_default="", validate=ma.validate.Length(max=60))
    effective_from = ma.fields.Date(load_default=None, allow_none=True, error_messages=DAY_WORDS)
    effective_to = ma.fields.Date(load_default=None, allow_none=True, error_messages=DAY_WORDS)


class SyncAnswer(ma.Schema):
    seq = ma.fields.Integer(required=True)
    acks = ma.fields.List(ma.fields.Raw(), required=True)
    changes = ma.fields.List(ma.fields.Raw(), required=True)
    conflicts = ma.fields.List(ma.fields.Raw(), required=True)


class RegisterArguments(ListArguments):
    q = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    changed_since = ma.fields.AwareDateTime(load_default=None, error_messages=INSTANT_WORDS)


class RegisterSite(ma.Schema):
    name = ma.fields.String(required=True)
    city = ma.fields.String(required=True)
    state = ma.fields.String(required=True)


class RegisterItem(ma.Schema):
    certificate_no = ma.fields.String(required=True)
    practice = ma.fields.String(required=True)
    sites = ma.fields.List(ma.fields.Nested(RegisterSite), required=True)
    status = ma.fields.String(required=True)
    edition = ma.fields.String(required=True)
    awarded_on = ma.fields.Date(required=True)
    ends_on = ma.fields.Date(required=True)
    changed_at = ma.fields.AwareDateTime(required=True)


class RegisterPage(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(RegisterItem), required=True)
    next = ma.fields.String(allow_none=True, required=True)


class AgreementShown(ma.Schema):
    version = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    sha256 = ma.fields.String(required=True)
    signed_by = ma.fields.String(allow_none=True, required=True)


class Signature(Strict):
    name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    title = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    sha256 = ma.fields.String(
        required=True, validate=ma.validate.Length(64, 64), metadata={"description": "of the text you read"}
    )


class Attendance(Strict):
    person_name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    attended_on = ma.fields.Date(required=True, error_messages=DAY_WORDS)


class Declaration(Strict):
    signed_name = ma.fields.String(required=True, validate=ma.validate.Length(1, 200))
    signed_title = ma.fields.String(load_default="", validate=ma.validate.Length(max=200))
    answers = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Boolean(), required=True)
    detail = ma.fields.String(load_default="", validate=ma.validate.Length(max=4000))


class Done(ma.Schema):
    ref = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)


class RequirementItem(ma.Schema):
    id = ma.fields.Integer(required=True)
    number = ma.fields.String(required=True)
    standard = ma.fields.String(required=True)
    element = ma.fields.String(required=True)
    text = ma.fields.String(required=True)
    critical = ma.fields.Boolean(required=True)
    sites = ma.fields.List(ma.fields.String(), required=True)
    open = ma.fields.Boolean(required=True)
    due_on = ma.fields.Date(allow_none=True, required=True)


class RequirementList(ma.Schema):
    items = ma.fields.List(ma.fields.Nested(RequirementItem), required=True)
    next = ma.fields.String(allow_none=True, required=True)
