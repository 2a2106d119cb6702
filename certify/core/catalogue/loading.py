"""Reading questionnaires, agreements, fees, notices, reminders and settings."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from certify.core.access.roles import Role
from certify.core.catalogue.model import (
    Agreement,
    Clause,
    FeeBand,
    FeeSchedule,
    Field,
    MessageNotice,
    Notice,
    Questionnaire,
    RefundRule,
    Reminder,
    Section,
)
from certify.core.declarations.reading import Map, Mistake, Reader, nearest

FIELD_KINDS = (
    "text", "textarea", "number", "integer", "boolean", "choice", "multichoice", "date", "date_windows", "date_list", "email",
    "phone", "contacts", "attestation", "practice_record",
)  # fmt: skip
AUDIENCES = (*(r.value for r in Role if r is not Role.SYSTEM), "contact")
# Words that the addresses of a section's page, and the names in its form, use themselves; tests hold them against the routes.
SECTION_WORDS = frozenset({"answers", "changes", "edition", "rejection"})
FIELD_WORDS = frozenset({"add", "csrf_token", "form_key", "then", "version"})
_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
MESSAGE_AUDIENCES = ("practice_and_program", "program_only", "survey_team")


def read_questionnaire(source: Map, mistakes: list[Mistake]) -> Questionnaire:
    """Read one file of workflows/questionnaires/."""
    r = Reader(source, mistakes)
    seen: dict[str, int] = {}
    sections: list[Section] = []
    for body in r.maps("sections", required=True):
        s = Reader(body, mistakes, f"section {body.get('key', '?')!r}: ")
        fields = []
        for entry in s.maps("fields", required=True):
            field = _read_field(entry, mistakes)
            if field.key in seen:
                mistakes.append(
                    Mistake(
                        source.file, entry.line, f"field {field.key!r} stands twice (first in line {seen[field.key]})"
                    )
                )
            seen.setdefault(field.key, entry.line)
            fields.append(field)
        key = s.text("key")
        if key in {x.key for x in sections}:
            s.wrong("key", f"section {key!r} stands twice")
        _check_key(s, key, SECTION_WORDS, "the addresses of the application")
        sections.append(Section(key, s.text("title"), s.text("intro", ""), tuple(fields)))
        s.done()
    found = Questionnaire(r.text("key"), r.text("version"), r.text("title"), tuple(sections))
    r.done()
    return found


def _read_field(body: Map, mistakes: list[Mistake]) -> Field:
    r = Reader(body, mistakes, f"field {body.get('key', '?')!r}: ")
    kind = r.choice("kind", FIELD_KINDS)
    choices = tuple((str(k), str(v)) for k, v in r.map("choices").items())
    if kind in {"choice", "multichoice"} and not choices:
        r.wrong("choices", "needs 'choices'")
    least, most = _number(r, "minimum"), _number(r, "maximum")
    if least is not None and most is not None and least > most:
        r.wrong("minimum", "'minimum' is above 'maximum'")
    field = Field(
        key=r.text("key"),
        label=r.text("label"),
        kind=kind,
        required=r.flag("required", True),
        hint=r.text("hint", ""),
        choices=choices,
        minimum=least,
        maximum=most,
        max_length=r.integer("max_length", 0, least=0, most=100_000) or None,
        autocomplete=r.text("autocomplete", ""),
    )
    _check_key(r, field.key, FIELD_WORDS, "the form of every section")
    r.done()
    return field


def _check_key(r: Reader, key: str, taken: Collection[str], by: str) -> None:
    """A key stands in addresses and forms, so it is a plain word, and none that they use themselves."""
    if key and not _KEY.fullmatch(key):
        r.wrong("key", f"{key!r} must be lower-case letters, digits and underscores, beginning with a letter")
    elif key in taken:
        r.wrong("key", f"{key!r} is taken by {by}; not free: {', '.join(sorted(taken))}")


def _number(r: Reader, key: str) -> float | None:
    value: Any = r.raw(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        r.wrong(key, f"{key!r} must be a number, not {value!r}")
        return None
    return float(value)


def read_agreement(source: Map, mistakes: list[Mistake]) -> Agreement:
    """Read one file of workflows/agreements/."""
    r = Reader(source, mistakes)
    clauses = []
    for body in r.maps("sections", required=True):
        c = Reader(body, mistakes, f"clause {body.get('title', '?')!r}: ")
        clauses.append(Clause(c.text("title"), c.texts("paragraphs", None)))
        c.done()
    signers = r.texts("signers", None)
    _check_roles(r, "signers", signers)
    found = Agreement(r.text("key"), r.text("version"), r.text("title"), signers, tuple(clauses))
    r.done()
    return found


def read_fees(source: Map, mistakes: list[Mistake], states: Collection[str]) -> FeeSchedule:
    """Read fees.yaml."""
    r = Reader(source, mistakes)
    bands: list[FeeBand] = []
    for body in r.maps("bands", required=True):
        b = Reader(body, mistakes, f"band {body.get('label', '?')!r}: ")
        top = _number(b, "up_to_fte")
        limit = None if top is None else Decimal(str(top))
        if bands and (bands[-1].up_to_fte is None or (limit is not None and limit <= bands[-1].up_to_fte)):
            b.wrong("up_to_fte", "the bands must rise, and only the last has no upper end")
        bands.append(FeeBand(b.text("label"), limit, b.integer("cents", least=0)))
        b.done()
    if not bands or bands[-1].up_to_fte is not None:
        r.wrong("bands", "the last band must have no 'up_to_fte', so that every practice falls in one")
    refunds = []
    for body in r.maps("refunds"):
        f = Reader(body, mistakes, f"refund {body.get('key', '?')!r}: ")
        until = f.texts("until", None)
        for state in until:
            if state not in states:
                f.wrong("until", f"{state!r} is not a state; {nearest(state, states)}", entry=state)
        refunds.append(RefundRule(f.text("key"), until, f.integer("percent", least=0, most=100)))
        f.done()
    found = FeeSchedule(
        version=r.text("version"),
        currency=r.choice("currency", ("USD",)),
        payment_days=r.integer("payment_days", least=1, most=365),
        bands=tuple(bands),
        site_cents=r.integer("site_cents", least=0),
        repeat_survey_cents=r.integer("repeat_survey_cents", least=0),
        late_reschedule_cents=r.integer("late_reschedule_cents", least=0),
        annual_cents=r.integer("annual_cents", least=0),
        appeal_cents=r.integer("appeal_cents", least=0),
        refunds=tuple(refunds),
    )
    r.done()
    return found


def read_notices(
    source: Map, mistakes: list[Mistake], triggers: Collection[str]
) -> tuple[tuple[Notice, ...], tuple[MessageNotice, ...]]:
    """Read notices.yaml: the notices of steps, and those of messages."""
    r = Reader(source, mistakes)
    r.text("version", "")
    found = []
    for body in r.maps("notices", required=True):
        n = Reader(body, mistakes, f"notice {body.get('trigger', '?')!r}: ")
        trigger, to = n.text("trigger"), n.texts("to", None)
        if trigger not in triggers:
            n.wrong("trigger", f"{trigger!r} is not a trigger of any machine; {nearest(trigger, triggers)}")
        _check_roles(n, "to", to)
        found.append(
            Notice(
                trigger, n.text("template", "step"), to, n.text("subject"), n.choice("resend", ("repeat", "ask"), "ask")
            )
        )
        n.done()
    messages = _message_notices(r, mistakes)
    r.done()
    return tuple(found), messages


def _message_notices(r: Reader, mistakes: list[Mistake]) -> tuple[MessageNotice, ...]:
    found: list[MessageNotice] = []
    for body in r.maps("messages"):
        n = Reader(body, mistakes, f"message notice {body.get('audience', '?')!r}: ")
        audience, to = n.choice("audience", MESSAGE_AUDIENCES), n.texts("to", None)
        if audience in {x.audience for x in found}:
            n.wrong("audience", f"{audience!r} is declared twice; give one list of roles")
        _check_roles(n, "to", [role for role in to if role != "writers"])
        resend = n.choice("resend", ("repeat", "ask"), "repeat")
        found.append(MessageNotice(audience, n.text("template", "message"), to, n.text("subject"), resend))
        n.done()
    return tuple(found)


def read_reminders(source: Map, mistakes: list[Mistake], deadlines: Collection[str]) -> tuple[Reminder, ...]:
    """Read reminders.yaml."""
    r = Reader(source, mistakes)
    r.text("version", "")
    found: list[Reminder] = []
    for body in r.maps("reminders", required=True):
        n = Reader(body, mistakes, f"reminder {body.get('deadline', '?')!r}: ")
        key, to, late_to = n.text("deadline"), n.texts("to", None), n.texts("late_to")
        if key not in deadlines:
            n.wrong("deadline", f"{key!r} is not a deadline of deadlines.yaml; {nearest(key, deadlines)}")
        if key in {x.deadline for x in found}:
            n.wrong("deadline", f"reminders of {key!r} are declared twice; give one list of days")
        _check_roles(n, "to", to)
        _check_roles(n, "late_to", late_to)
        before, after = n.numbers("before"), n.numbers("after")
        if any(d < 0 for d in (*before, *after)):
            n.wrong("before", "days are counted without a sign: 'before' and 'after' say the direction")
        found.append(
            Reminder(key, before, after, n.choice("kind", ("calendar", "business"), "calendar"), to, late_to or to)
        )
        n.done()
    r.done()
    return tuple(found)


def read_settings(source: Map, mistakes: list[Mistake]) -> dict[str, int | bool]:
    """Read settings.yaml: whole numbers and switches that rules look up by name."""
    found: dict[str, int | bool] = {}
    for key, value in source.items():
        if key == "version":
            continue
        if isinstance(value, bool | int):
            found[key] = value
        else:
            mistakes.append(
                Mistake(source.file, source.lines[key], f"{key!r} must be a whole number, true or false, not {value!r}")
            )
    return found


def _check_roles(r: Reader, key: str, roles: Collection[str]) -> None:
    for role in roles:
        if role not in AUDIENCES:
            r.wrong(key, f"{role!r} is not a role; {nearest(role, AUDIENCES)}", entry=role)
