"""`certify case`: list, show and move cases, and write out their documents; each act is done as a named person."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from certify.cli.edges import json_option, open_session, print_json, print_table, read_json, row_number

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from certify.certification.cases.models import Case
    from certify.core.access.roles import Actor

as_option = click.option("--as", "email", required=True, metavar="EMAIL", help="Who does it: a person with an account.")

_TEXT = ("docx", "pdf")
ENDINGS = {"survey-report": _TEXT, "decision-letter": _TEXT, "certificate": _TEXT, "case-file": ("zip",)}


@click.group("case")
def command() -> None:
    """Cases and their six steps."""


@command.command("list")
@click.option("--step", type=click.IntRange(1, 6))
@click.option("--state", default="")
@click.option("--practice", "practice_id", type=row_number)
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--brief", is_flag=True, help="Leave out what may happen next: quicker for thousands.")
@json_option
def list_(step: int | None, state: str, practice_id: int | None, limit: int, brief: bool, as_json: bool) -> None:
    """List cases, newest first, with what may happen next in each and what that still lacks."""
    from certify.certification.cases.queries import CaseFilter, case_for, list_cases
    from certify.certification.surveys.queries import newest_survey_ids
    from certify.core.foundation.clock import now
    from certify.core.rulebook.current import current
    from certify.outlets.api.cases import item_of

    with open_session() as session:
        if state and not current().knows_state(state):
            raise click.BadParameter(f"there is no state {state!r}.", param_hint="--state")
        narrowed = CaseFilter(step=step, state=state, practice_id=practice_id)
        rows, at = list_cases(session, _operator(), narrowed, limit=limit + 1), now()
        surveys = newest_survey_ids(session, [r.id for r in rows[:limit]])
        items = [
            {
                **item_of(row, at), "due_on": row.due_on, "survey": surveys.get(row.id),
                **({} if brief else {"actions": _actions(session, case_for(session, _operator(), row.ref), at)}),
            }
            for row in rows[:limit]
        ]  # fmt: skip
    if len(rows) > limit:
        click.echo(f"The newest {limit} are shown, there are more: see --limit.", err=True)
    if as_json:
        print_json(items)
    else:
        print_table(
            ("Ref", "Practice", "Step", "State", "Waiting for", "Due", "Next"),
            [
                (
                    i["ref"], i["practice_name"], i["step"], i["state"], i["waiting_for"], i["due_on"],
                    _next(i.get("actions", [])),
                )
                for i in items
            ],
        )  # fmt: skip


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
@click.option("--practice", "practice_id", type=row_number, required=True)
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


@command.command("sign")
@click.argument("ref")
@click.option("--name", required=True, help="The signer's full name.")
@click.option("--title", required=True, help="The signer's title in the practice.")
@click.option(
    "--sha256", help="Digest of the text that was read; without it the text in force is printed and nothing is signed."
)
@as_option
@json_option
def sign(ref: str, name: str, title: str, sha256: str | None, email: str, as_json: bool) -> None:
    """Read the participation agreement, and sign it by naming its digest."""
    from certify.certification.applications.operations import sign_agreement
    from certify.certification.applications.queries import agreement_of
    from certify.certification.cases.queries import case_for
    from certify.core.access.policy import Permission
    from certify.core.foundation.clock import now

    with open_session(commit=True) as session:
        actor = _actor(session, email)
        case = case_for(session, actor, ref, Permission.SIGN_AGREEMENT, lock=True)
        agreement = agreement_of(case)
        if sha256 is None:
            if as_json:
                print_json({"title": agreement.title, "text": agreement.text, "sha256": agreement.sha256})
            else:
                click.echo(agreement.text)
                click.echo(f"To sign it: --sha256 {agreement.sha256}")
            return
        sign_agreement(
            session,
            case,
            name=name,
            title=title,
            agreed=True,
            shown_sha256=sha256,
            address="command line",
            actor=actor,
            at=now(),
        )
        _print_state(case, as_json)


@command.command("webinar")
@click.argument("ref")
@click.option("--name", required=True, help="Who attended.")
@click.option("--on", "attended_on", type=click.DateTime(["%Y-%m-%d"]), required=True)
@as_option
@json_option
def webinar(ref: str, name: str, attended_on: datetime, email: str, as_json: bool) -> None:
    """Record who attended the standards webinar."""
    from certify.certification.applications.operations import record_webinar
    from certify.certification.cases.queries import case_for
    from certify.core.access.policy import Permission
    from certify.core.foundation.clock import now

    with open_session(commit=True) as session:
        actor = _actor(session, email)
        case = case_for(session, actor, ref, Permission.RECORD_WEBINAR)
        record_webinar(session, case, person_name=name, attended_on=attended_on.date(), actor=actor, at=now())
        _print_state(case, as_json)


@command.command("evidence")
@click.argument("ref")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--element",
    "elements",
    multiple=True,
    required=True,
    help="An id like 7.3.b, or 7.3 for all of it; may be repeated.",
)
@click.option("--title", default="")
@click.option("--site", "site_id", type=row_number, help="Only this site.")
@as_option
@json_option
def evidence(
    ref: str, file: Path, elements: tuple[str, ...], title: str, site_id: int | None, email: str, as_json: bool
) -> None:
    """Add a file as evidence for one or more elements."""
    from certify.certification.cases.queries import case_for
    from certify.certification.evidence.operations import add_file
    from certify.core.access.policy import Permission
    from certify.core.foundation.clock import now

    with open_session(commit=True) as session:
        actor = _actor(session, email)
        case = case_for(session, actor, ref, Permission.ADD_EVIDENCE, lock=True)
        added, version = add_file(
            session, case, file_name=file.name, content=file.read_bytes(), elements=list(elements), site_id=site_id, title=title,
            actor=actor, at=now(),
        )  # fmt: skip
        body = {"id": added.uuid, "version": version.number, "sha256": version.original_sha256, "state": version.state}
    if as_json:
        print_json(body)
    else:
        click.echo(f"{body['id']}, version {body['version']}: {body['state']}")


@command.command("declare")
@click.argument("ref")
@click.option("--name", required=True, help="The signer's full name.")
@click.option("--title", default="")
@click.option(
    "--conflict", "grounds", multiple=True, help="A question that applies, by its key; without one, none applies."
)
@click.option("--detail", default="", help="What applies, and why.")
@as_option
@json_option
def declare_(ref: str, name: str, title: str, grounds: tuple[str, ...], detail: str, email: str, as_json: bool) -> None:
    """Answer the conflict of interest question for the surveyor's or the practice's side."""
    from certify.certification.cases.queries import case_for
    from certify.certification.surveyors.operations import declare
    from certify.certification.surveyors.queries import case_of_question
    from certify.certification.surveyors.rules import QUESTIONS
    from certify.core.access.roles import PRACTICE_ROLES
    from certify.core.foundation.clock import now

    known = [key for key, _question in QUESTIONS]
    unknown = [g for g in grounds if g not in known]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is not one of {', '.join(known)}.", param_hint="--conflict")
    with open_session(commit=True) as session:
        actor = _actor(session, email)
        ours = actor.roles & PRACTICE_ROLES
        case = case_for(session, actor, ref, lock=True) if ours else case_of_question(session, actor, ref)
        answers = {key: key in grounds for key in known}
        declare(
            session, case, answers=answers, detail=detail, signed_name=name, signed_title=title, actor=actor, at=now()
        )
        _print_state(case, as_json)


@command.command("document")
@click.argument("ref")
@click.argument("kind", type=click.Choice(list(ENDINGS)))
@click.option("--output", "output", type=click.Path(dir_okay=False, path_type=Path), required=True)
def document(ref: str, kind: str, output: Path) -> None:
    """Write a document of a case; the file's ending says in which form (.docx, .pdf, .zip)."""
    from certify.core.foundation.clock import now
    from certify.outlets.documents.operations import give_out, plan_document
    from certify.outlets.documents.queries import Wanted
    from certify.platform.mail.addresses import configured_base

    ending = output.suffix.lstrip(".").lower()
    if ending not in ENDINGS[kind]:
        right = " or ".join(f".{e}" for e in ENDINGS[kind])
        raise click.BadParameter(f"a {kind} is written to a file that ends in {right}.", param_hint="--output")
    with open_session(commit=True) as session:
        wanted = Wanted(base_url=configured_base() or "")
        plan = plan_document(session, _operator(), ref, kind, ending, wanted, now())
        session.commit()  # no lock is held while pages are set, and others go on saving
        stream = give_out(session, plan, actor=_operator(), at=now())
    try:
        with stream, output.open("wb") as target:
            shutil.copyfileobj(stream, target)
            size = target.tell()
    except OSError as problem:
        raise click.ClickException(f"{output} cannot be written: {problem.strerror}.") from problem
    click.echo(f"{output}: {size:,} bytes", err=True)


def _whole(session: Session, case: Case, at: datetime) -> dict[str, Any]:
    from certify.certification.cases.queries import deadlines_of, header_for

    header = header_for(session, case, _operator(), at)
    due: date | None = case.due_on
    return {
        "ref": case.ref, "kind": case.kind, "practice": case.practice_id, "practice_name": header.practice_name,
        "edition": case.edition, "state": case.state, "state_label": header.state_label, "step": case.step,
        "version": case.version, "waiting_for": case.holder, "due_on": due, "status": header.status,
        "actions": _actions(session, case, at),
        "deadlines": [{"key": d.key, "label": d.label, "on": d.on, "overdue": d.overdue} for d in deadlines_of(session, case, at)],
    }  # fmt: skip


def _actions(session: Session, case: Case, at: datetime) -> list[dict[str, Any]]:
    from certify.certification.cases.queries import openings_for

    return [
        {
            "trigger": s.trigger, "label": s.label, "roles": sorted(r.value for r in s.opening.roles),
            "inputs": [{"key": i.key, "kind": i.kind, "required": i.required} for i in s.opening.inputs],
            "unmet": [{"guard": u.guard, "message": u.message, "link": u.link} for u in s.unmet],
        }
        for s in openings_for(session, case, _operator(), at)
    ]  # fmt: skip


def _next(actions: list[dict[str, Any]]) -> str:
    """Return the steps that may follow, each with how many things it lacks."""
    return ", ".join(a["trigger"] + (f" (lacks {len(a['unmet'])})" if a["unmet"] else "") for a in actions)


def _print_state(case: Case, as_json: bool) -> None:
    body = {"ref": case.ref, "state": case.state, "step": case.step, "version": case.version}
    if as_json:
        print_json(body)
    else:
        click.echo(f"{case.ref}: {case.state} (step {case.step})")


def _json(text: str, name: str) -> dict[str, Any]:
    try:
        value = read_json(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
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
