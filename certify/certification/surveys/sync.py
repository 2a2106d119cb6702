"""Taking in what tablets and pages send, and telling them what others did (contract, section 6).

The journal `survey_op` keeps every op once; `survey_answer` keeps what stands (journal.py says how it is found);
`survey_progress` counts. One call holds the survey's row, numbers its ops, and leaves one event with their ids and
digest in the case's chain.

Settling a conflict is an op on the same site, element and field whose `base` is the newest seq of the conflict, or
any later seq the tablet has received: having seen all values, it overtakes them. A `base` the server never gave
(a restored backup, a mistake) counts as having seen nothing, so that it can only bring a conflict, never hide a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from certify.certification.cases.operations import record_on
from certify.certification.surveys.acks import acknowledged, final, repeated
from certify.certification.surveys.blindfold import blindfolded
from certify.certification.surveys.changes import change, changes_since, digest_of
from certify.certification.surveys.counters import COUNTERS
from certify.certification.surveys.journal import (
    NOTHING,
    Standing,
    Tally,
    Word,
    kept,
    order_at,
    restored,
    tally,
)
from certify.certification.surveys.models import Survey, SurveyAnswer, SurveyOp, SurveyProgress
from certify.certification.surveys.ops import (
    Envelope,
    Op,
    OtherPerson,
    Scope,
    op_id,
    read_envelope,
    read_op,
)
from certify.certification.surveys.queries import (
    AtWork,
    OpenSurvey,
    at_work,
    open_conflicts,
    scope_of,
    survey_at_work,
)
from certify.certification.surveys.values import Malformed
from certify.core.access.roles import Actor
from certify.core.catalogue.survey import NEEDS
from certify.core.rulebook.current import current

COUNTED = ("rating", *NEEDS)
OP, ANSWER, PROGRESS, SURVEY = (
    cast(sa.Table, model.__table__) for model in (SurveyOp, SurveyAnswer, SurveyProgress, Survey)
)
Key = tuple[int, str, str]
Author = tuple[str, int | None]

# Built once: a call that saves one answer spends more on building statements than on running them.
KNOWN = select(OP.c.op, OP.c.seq, OP.c.site_id, OP.c.element, OP.c.field, OP.c.value, OP.c.status).where(
    OP.c.survey_id == bindparam("survey"), OP.c.op.in_(bindparam("ids", expanding=True))
)
STANDS = select(ANSWER.c.id, ANSWER.c.site_id, ANSWER.c.element, ANSWER.c.field, ANSWER.c.seen, ANSWER.c.latest).where(
    ANSWER.c.survey_id == bindparam("survey"),
    ANSWER.c.site_id.in_(bindparam("sites", expanding=True)),
    ANSWER.c.element.in_(bindparam("elements", expanding=True)),
    ANSWER.c.field.in_(bindparam("fields", expanding=True)),
)
KEPT_FIELDS = ("value", "seq", "by_id", "by_name", "at", "seen", "clash", "latest")
ADD_OPS, ADD_ANSWERS = insert(OP), insert(ANSWER)
CHANGE_ANSWERS = update(ANSWER).where(ANSWER.c.id == bindparam("row")).values({f: bindparam(f) for f in KEPT_FIELDS})
MOVE_COUNTERS = (
    update(PROGRESS)
    .where(
        PROGRESS.c.survey_id == bindparam("survey"),
        PROGRESS.c.site_id == bindparam("site"),
        PROGRESS.c.domain == bindparam("dom"),
    )
    .values({name: PROGRESS.c[name] + bindparam(f"d_{name}") for name in COUNTERS})
)
MOVE_SURVEY = (
    update(SURVEY)
    .where(SURVEY.c.id == bindparam("survey"))
    .values(seq=bindparam("to_seq"), clashes=bindparam("to_clashes"))
)


@dataclass(slots=True)
class _Answer:
    """What stands for a key while a call is at work."""

    standing: Standing
    row_id: int | None = None
    clashed: bool = False  # before this call
    changed: bool = False


@dataclass(slots=True)
class _Work:
    """One call: the ops it stores, the acks it gives, the answers it touches."""

    survey: AtWork
    device: str
    actor: Actor
    at: datetime
    seq: int
    clashes: int
    acks: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[Key, _Answer] = field(default_factory=dict)
    own: dict[Key, list[tuple[int, datetime]]] = field(
        default_factory=dict
    )  # (seq, place) of this device's earlier ops
    counted: dict[tuple[int, str], Tally] = field(default_factory=dict)  # what touched elements counted as before
    authors: Mapping[str, Author] = field(default_factory=dict)  # of ops that someone else brings
    brought_by: int | None = None  # who brings them

    def author(self, op: Op) -> Author:
        """Return whose word an op is: name and number."""
        return self.authors.get(op.op) or (self.actor.name, self.actor.user_id)


def sync(session: Session, survey_id: int, body: Any, *, actor: Actor, at: datetime) -> dict[str, Any]:
    """Store the ops of a call and return acks, changes and open conflicts as the contract shapes them.

    Nothing is half-stored: what the answer acknowledges is in the transaction that the caller commits before answering.
    Raises: NotFound, NotAllowed, Invalid (the frame of the request is wrong; a wrong op is only rejected), OtherPerson.
    """
    envelope = read_envelope(body)
    if envelope.person is not None and envelope.person != actor.user_id:
        raise OtherPerson(
            "Someone else is signed in. These entries wait until the person who made them signs in again."
        )
    survey = survey_at_work(session, actor, survey_id)
    work = _Work(survey, envelope.device, actor, at, survey.seq, survey.clashes)
    before = work.seq
    if envelope.ops:
        _take_in(session, work, envelope, scope_of(session, survey))
    # Asked only when others' words would be told: the usual call, that saves one answer, brings back nothing but its own.
    if (envelope.since != before or work.clashes) and blindfolded(session, survey_id, actor):
        # What she sends is kept as ever; what others said reaches her with her next call after she has scored her part.
        return {"seq": min(envelope.since, work.seq), "acks": work.acks, "changes": [], "conflicts": []}
    changes, more = _changes_after(session, work, envelope, before)
    answer = {
        "seq": changes[-1]["seq"] if more else work.seq,  # where to go on: the seq of what was told last
        "acks": work.acks,
        "changes": changes,
        "conflicts": open_conflicts(session, survey_id) if work.clashes else [],
    }
    return answer | {"more": True} if more else answer


def take_in(
    session: Session, opened: OpenSurvey, device: str, ops: list[Any], authors: Mapping[str, Author], *, actor: Actor, at: datetime
) -> list[dict[str, Any]]:  # fmt: skip
    """Store what someone else brings of a tablet, each op as its author's word, and return the acks.

    Args:
        ops: as the tablet would send them; the caller holds the survey's row and has asked who may.
        authors: whose word each op is, by its id; the bringer's where nobody is named.
    """
    work = _work_on(opened, device, actor, at)
    work.authors, work.brought_by = authors, actor.user_id
    if ops:
        _take_in(session, work, Envelope(device, 0, ops), scope_of(session, work.survey))
    return work.acks


def accept_late(session: Session, opened: OpenSurvey, late: SurveyOp, *, actor: Actor, at: datetime, op: str) -> None:
    """Apply a late op as its author's word, over all that stands, as an op of its own (`op` is the new op's id)."""
    made = Op(op, late.site_id, late.element, late.field, late.value, opened.survey.seq, late.at)
    say(session, opened, made, late.device, by=late.by_name, by_id=late.by_id, actor=actor, at=at)


def say(
    session: Session, opened: OpenSurvey, op: Op, device: str, *, by: str, by_id: int | None, actor: Actor, at: datetime
) -> None:
    """Apply one op that the program itself makes; the caller holds the survey's row and records why."""
    work = _work_on(opened, device, actor, at)
    scope = scope_of(session, work.survey)
    _load_answers(session, work, [op], scope)
    _apply(work, op, by=by, by_id=by_id)
    _write(session, work, scope)


def _work_on(opened: OpenSurvey, device: str, actor: Actor, at: datetime) -> _Work:
    survey = at_work(opened)
    return _Work(survey, device, actor, at, survey.seq, survey.clashes)


def _take_in(session: Session, work: _Work, envelope: Envelope, scope: Scope) -> None:
    ids = {found for raw in envelope.ops if (found := op_id(raw)) is not None}
    known = _known(session, work.survey.id, ids)
    good: dict[str, Op] = {}
    for raw in envelope.ops:
        stored_as = known.get(op_id(raw) or "")
        if stored_as is not None:
            work.acks.append(repeated(raw, stored_as))
            continue
        try:
            op = read_op(raw, scope)
        except Malformed as wrong:
            work.acks.append(acknowledged(raw, "rejected", None, str(wrong)))
            continue
        if op.op in good:
            work.acks.append({"again": op.op, "raw": raw})
        else:
            good[op.op] = op
            work.acks.append({"first": op.op, "raw": raw})
    late = work.survey.finished_at is not None or not work.survey.case.open
    if not late:
        _load_answers(session, work, list(good.values()), scope)
    stored = {
        op.op: _store_late(work, op) if late else _apply(work, op, by=work.author(op)[0], by_id=work.author(op)[1])
        for op in good.values()
    }
    work.acks = [final(ack, stored) for ack in work.acks]
    if stored:
        _write(session, work, scope)
        _leave_event(session, work, list(good.values()), late)


def _known(session: Session, survey_id: int, ids: set[str]) -> dict[str, dict[str, Any]]:
    if not ids:
        return {}
    rows = session.connection().execute(KNOWN, {"survey": survey_id, "ids": list(ids)})
    return {row["op"]: dict(row) for row in rows.mappings()}


def _load_answers(session: Session, work: _Work, ops: Sequence[Op], scope: Scope) -> None:
    """Read what stands for the keys of these ops and, where an element's count hangs on it, for its other fields."""
    if not ops:
        return
    fields = {op.field for op in ops}
    if fields & set(COUNTED):
        fields |= set(COUNTED)
    asked = {
        "survey": work.survey.id, "sites": list({op.site for op in ops}), "elements": list({op.element for op in ops}), "fields": list(fields),
    }  # fmt: skip
    for row in session.connection().execute(STANDS, asked):
        key = (row.site_id, row.element, row.field)
        standing = restored(row.seen, row.latest)
        work.answers[key] = _Answer(standing, row.id, standing.clash)
        last = standing.latest.get(work.device)
        work.own[key] = [(last.seq, last.order_at)] if last else []
    work.counted = {op.key[:2]: _tally_of(work.answers, *op.key[:2]) for op in ops if op.field in COUNTED}
    # Only an op that comes behind a later one of its own device needs to know what else of that device it had seen.
    behind = [op for op in ops if _comes_behind(work, op)]
    if behind:
        journal = select(OP.c.site_id, OP.c.element, OP.c.field, OP.c.seq, OP.c.order_at).where(
            OP.c.survey_id == work.survey.id,
            OP.c.device == work.device,
            OP.c.site_id.in_({op.site for op in behind}),
            OP.c.element.in_({op.element for op in behind}),
            OP.c.field.in_({op.field for op in behind}),
            OP.c.verdict == "",
        )
        for site, element, name, seq, placed in session.execute(journal):
            work.own.setdefault((site, element, name), []).append((seq, placed))


def _comes_behind(work: _Work, op: Op) -> bool:
    answer = work.answers.get(op.key)
    last = answer.standing.latest.get(work.device) if answer else None
    return last is not None and op.base is not None and 0 < op.base < last.seq and op.at <= last.order_at


def _apply(work: _Work, op: Op, *, by: str, by_id: int | None) -> dict[str, Any]:
    """Fold one op into what stands and number it."""
    answer = work.answers.setdefault(op.key, _Answer(Standing()))
    known_base = op.base if op.base is not None and op.base <= work.survey.seq else None
    work.seq += 1
    placed = order_at(op.at, known_base, work.own.get(op.key, ()))
    word = Word(work.device, work.seq, op.op, op.value, op.at, placed, by, by_id)
    answer.standing.add(word, known_base)
    answer.changed = True
    stands = any(w.op == op.op for w in answer.standing.words)
    return _row(work, op, word, known_base, "conflict" if stands and answer.standing.clash else "applied", "")


def _store_late(work: _Work, op: Op) -> dict[str, Any]:
    work.seq += 1
    word = Word(work.device, work.seq, op.op, op.value, op.at, op.at, *work.author(op))
    return _row(work, op, word, op.base, "late", "waiting")


def _row(work: _Work, op: Op, word: Word, base: int | None, status: str, verdict: str) -> dict[str, Any]:
    row = {
        "survey_id": work.survey.id, "seq": word.seq, "op": op.op, "device": work.device, "site_id": op.site,
        "element": op.element, "field": op.field, "value": op.value, "base": base, "at": op.at, "order_at": word.order_at,
        "by_id": word.by_id, "by_name": word.by, "brought_by_id": work.brought_by, "received_at": work.at, "status": status, "verdict": verdict,
    }  # fmt: skip
    work.rows.append(row)
    return row


def _write(session: Session, work: _Work, scope: Scope) -> None:
    """Store the journal's new rows, what stands, and the counters, each in one statement."""
    survey, connection = work.survey, session.connection()
    if work.rows:
        connection.execute(ADD_OPS, work.rows)
    new, old = [], []
    for key, answer in work.answers.items():
        if not answer.changed:
            continue
        word = answer.standing.stands
        work.clashes += answer.standing.clash - answer.clashed
        values = {
            "value": word.value, "seq": answer.standing.seq, "by_id": word.by_id, "by_name": word.by, "at": word.at,
            "seen": answer.standing.seen, "clash": answer.standing.clash, "latest": kept(answer.standing),
        }  # fmt: skip
        if answer.row_id is None:
            new.append({"survey_id": survey.id, "site_id": key[0], "element": key[1], "field": key[2], **values})
        else:
            old.append({"row": answer.row_id, **values})
    if new:
        connection.execute(ADD_ANSWERS, new)
    if old:
        connection.execute(CHANGE_ANSWERS, old)
    _move_counters(session, work, scope)
    connection.execute(MOVE_SURVEY, {"survey": survey.id, "to_seq": work.seq, "to_clashes": work.clashes})
    # Written past the object mapper: whoever has the survey open in this session sees it too.
    loaded = session.identity_map.get(identity_key(Survey, survey.id))
    if loaded is not None:
        set_committed_value(loaded, "seq", work.seq)
        set_committed_value(loaded, "clashes", work.clashes)


def _tally_of(answers: Mapping[Key, _Answer], site: int, element: str) -> Tally:
    def stands(name: str) -> Standing | None:
        found = answers.get((site, element, name))
        return found.standing if found and found.standing.latest else None

    rating = stands("rating")
    texts = {name: said.text for name in NEEDS if (said := stands(name)) is not None}
    needs = current().survey.needs
    return tally(rating.stands.value if rating else None, rating.clash if rating else False, texts, needs)


def _move_counters(session: Session, work: _Work, scope: Scope) -> None:
    moved: dict[tuple[int, int], Tally] = {}
    for about, before in work.counted.items():
        delta = _tally_of(work.answers, *about) - before
        if delta != NOTHING:
            place = (about[0], scope.elements[about[1]])
            moved[place] = moved.get(place, NOTHING) + delta
    if not moved:
        return
    survey = work.survey.id
    rows = [
        {"survey": survey, "site": site, "dom": domain} | {f"d_{n}": v for n, v in asdict(delta).items()}
        for (site, domain), delta in moved.items()
    ]
    session.connection().execute(MOVE_COUNTERS, rows)


def _leave_event(session: Session, work: _Work, ops: Sequence[Op], late: bool) -> None:
    """One event a call: which ops, and a digest of what they say, so that the journal itself cannot be changed unseen."""
    survey, case = work.survey, work.survey.case
    data = {
        "survey": survey.id,
        "device": work.device,
        "ops": [r["op"] for r in work.rows],
        "digest": digest_of(work.rows),
        "seq": work.seq,
    }
    what = f"{len(ops)} entries" if len(ops) != 1 else "1 entry"
    sites = len({op.site for op in ops})
    where = f" at {sites} sites" if sites > 1 else ""
    summary = (
        f"sent {what}{where} after the survey was finished"
        if late
        else f"recorded {what}{where} in the survey checklist"
    )
    record_on(
        session, case, "survey.late" if late else "survey.recorded", summary, actor=work.actor, at=work.at, subject=f"/surveys/{survey.id}", data=data
    )  # fmt: skip


def _changes_after(session: Session, work: _Work, envelope: Envelope, before: int) -> tuple[list[dict[str, Any]], bool]:
    if envelope.since == before:  # the usual case: nothing but what this very call brought
        standing = {
            seq
            for a in work.answers.values()
            if a.changed
            for seq in ([w.seq for w in a.standing.words] if a.standing.clash else [a.standing.seq])
        }
        return [change(row, row["seq"] in standing) for row in work.rows], False
    since = envelope.since if envelope.since < before else 0
    return changes_since(session, work.survey.id, since, envelope.most)
