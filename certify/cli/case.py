"""`certify case`: list, show and move cases, and write out their documents; each act is done as a named person."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from certify.cli.edges import json_option, open_session, print_json, print_table

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from certify.certification.cases.models import Case
    from certify.core.access.roles import Actor

as_option = click.option("--as", "email", required=True, metavar="EMAIL", help="Who does it: a person with an account.")


@click.group("case")
def command() -> None:
    """Cases and their six steps."""


@command.command("list")
@click.option("--step", type=click.IntRange(1, 6))
@click.option("--state", default="")
@click.option("--practice", "practice_id", type=int)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
def list_(step: int | None, state: str, practice_id: int | None, limit: int, as_json: bool) -> None:
    """List cases, newest first."""
    from certify.certification.cases.queries import CaseFilter, list_cases

    with open_session() as session:
        narrowed = CaseFilter(step=step, state=state, practice_id=practice_id)
        rows = list_cases(session, _operator(), narrowed, limit=limit)
        items = [
            {
                "ref": r.case.ref, "practice": r.case.practice_id, "practice_name": r.practice_name, "edition": r.case.edition,
                "state": r.case.state, "step": r.case.step, "waiting_for": r.case.holder, "due_on": r.case.due_on,
            }
            for r in rows
        ]  # fmt: skip
    if as_json:
        print_json(items)
    else:
        print_table(
            ("Ref", "Practice", "Step", "State", "Waiting for", "Due"),
            [(i["ref"], i["practice_name"], i["step"], i["state"], i["waiting_for"], i["due_on"]) for i in items],
        )


@command.command("show")
@click.argument("ref")
@json_option
def show(ref: str, as_json: bool) -> None:
    """Show where a case stands, what may happen next, and what each step still lacks."""
    from certify.certification.cases.queries import case_for
    from certify.core.foundation.clock import now

    with open_session() as session:
        body = _whole(session, case_for(session, _operator(), ref), now())
    if as_json:
        print_json(body)
        return
    click.echo(f"{body['ref']}  {body['practice_name']}  step {body['step']}  {body['state_label']}")
    click.echo(f"Waiting for {body['waiting_for']}. {body['status']}")
    for deadline in body["deadlines"]:
        click.echo(f"  due {deadline['on']}: {deadline['label']}")
    for action in body["actions"]:
        click.echo(f"  {action['trigger']} ({', '.join(action['roles'])})" + ("" if action["unmet"] else ": ready"))
        for unmet in action["unmet"]:
            click.echo(f"    lacks: {unmet['message']}")


@command.command("open")
@click.option("--practice", "practice_id", type=int, required=True)
@as_option
@json_option
def open_(practice_id: int, email: str, as_json: bool) -> None:
    """Begin an application for a practice."""
    from certify.certification.cases.operations import open_case
    from certify.core.access.policy import Permission
    from certify.core.foundation.clock import now
    from certify.platform.practices.queries import practice_for

    with open_session(commit=True) as session:
        actor = _actor(session, email)
        practice = practice_for(session, actor, practice_id, Permission.START_CASE)
        case = open_case(session, practice.id, practice.legal_name, zone=practice.time_zone, actor=actor, at=now())
        _print_state(case, as_json)


@command.command("do")
@click.argument("ref")
@click.argument("trigger")
@click.option("--data", default="{}", help="The step's inputs as JSON, or @FILE.")
@as_option
@json_option
def do(ref: str, trigger: str, data: str, email: str, as_json: bool) -> None:
    """Take a step of a case."""
    from certify.certification.cases.operations import take
    from certify.certification.cases.queries import case_for
    from certify.core.foundation.clock import now

    with open_session(commit=True) as session:
        actor = _actor(session, email)
        case = case_for(session, actor, ref, lock=True)
        take(session, case, trigger, _json(data, "--data"), actor=actor, at=now())
        _print_state(case, as_json)


@command.command("answer")
@click.argument("ref")
@click.argument("answers")
@as_option
@json_option
def answer(ref: str, answers: str, email: str, as_json: bool) -> None:
    """Set questionnaire answers, given as JSON or @FILE; one mistake and nothing is saved."""
    from certify.certification.applications.operations import put_answers
    from certify.certification.cases.queries import case_for
    from certify.core.access.policy import Permission
    from certify.core.foundation.clock import now

    with open_session(commit=True) as session:
        actor = _actor(session, email)
        case = case_for(session, actor, ref, Permission.EDIT_APPLICATION, lock=True)
        put_answers(session, case, _json(answers, "ANSWERS"), actor=actor, at=now())
        _print_state(case, as_json)


@command.command("document")
@click.argument("ref")
@click.argument("kind", type=click.Choice(["survey-report", "decision-letter", "certificate", "case-file"]))
@click.option("--output", "output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def document(ref: str, kind: str, output: Path) -> None:
    """Write a document of a case; the file's ending says in which form (.docx, .pdf, .zip)."""
    from certify.core.foundation.clock import now
    from certify.outlets.documents.operations import render_document

    with open_session(commit=True) as session:
        content, _media_type, _name = render_document(
            session, ref, kind, output.suffix.lstrip("."), actor=_operator(), at=now()
        )
    try:
        output.write_bytes(content)
    except OSError as problem:
        raise click.ClickException(f"{output} cannot be written: {problem.strerror}.") from problem
    click.echo(f"{output}: {len(content):,} bytes", err=True)


def _whole(session: Session, case: Case, at: datetime) -> dict[str, Any]:
    from certify.certification.cases.queries import deadlines_of, header_for, openings_for

    actor = _operator()
    header = header_for(session, case, actor, at)
    due: date | None = case.due_on
    return {
        "ref": case.ref, "kind": case.kind, "practice": case.practice_id, "practice_name": header.practice_name,
        "edition": case.edition, "state": case.state, "state_label": header.state_label, "step": case.step,
        "version": case.version, "waiting_for": case.holder, "due_on": due, "status": header.status,
        "actions": [
            {
                "trigger": s.trigger, "label": s.label, "roles": sorted(r.value for r in s.opening.roles),
                "inputs": [{"key": i.key, "kind": i.kind, "required": i.required} for i in s.opening.inputs],
                "unmet": [{"guard": u.guard, "message": u.message, "link": u.link} for u in s.unmet],
            }
            for s in openings_for(session, case, actor, at)
        ],
        "deadlines": [{"key": d.key, "label": d.label, "on": d.on, "overdue": d.overdue} for d in deadlines_of(session, case, at)],
    }  # fmt: skip


def _print_state(case: Case, as_json: bool) -> None:
    body = {"ref": case.ref, "state": case.state, "step": case.step, "version": case.version}
    if as_json:
        print_json(body)
    else:
        click.echo(f"{case.ref}: {case.state} (step {case.step})")


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as problem:
        raise click.BadParameter(f"{text[1:]} cannot be read: {problem.strerror}.", param_hint=name) from problem
    except ValueError as wrong:
        raise click.BadParameter(f"not JSON: {wrong}.", param_hint=name) from wrong
    if not isinstance(value, dict):
        raise click.BadParameter('must be a JSON object, {"key": value}.', param_hint=name)
    return value


def _actor(session: Session, email: str) -> Actor:
    from certify.platform.identity.queries import actor_of

    return actor_of(session, email)


def _operator() -> Actor:
    """Whoever may run commands on this machine may read what an auditor may."""
    from certify.core.access.roles import Actor, Grant, Role

    return Actor(None, frozenset({Grant(Role.AUDITOR)}), name="Operator")
