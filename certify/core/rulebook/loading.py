"""Loading a workflows folder whole, and checking each part against the others."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

from certify.core.catalogue.deadlines import ANCHORS, Deadline, read_deadlines
from certify.core.catalogue.identifiers import read_identifiers
from certify.core.catalogue.loading import (
    read_agreement,
    read_fees,
    read_notices,
    read_questionnaire,
    read_reminders,
    read_settings,
)
from certify.core.catalogue.standards import read_edition
from certify.core.catalogue.survey import read_survey_rules
from certify.core.declarations.reading import Broken, Map, Mistake, nearest, read_yaml, shown_name
from certify.core.rulebook.model import Rulebook
from certify.core.workflow.loading import load_machine
from certify.core.workflow.machine import Machine

SETTINGS = (
    "webinar_valid_days", "survey_windows_needed", "edition_overlap_days", "sample_all_up_to_sites", "survey_min_notice_days",
    "reschedule_limit", "reschedule_free_days", "surveyor_refusals_limit", "surveyor_cooling_years", "surveyor_min_oncology_years",
    "surveyor_shadowed_surveys", "surveyor_training_days", "surveyor_member_days_after_decision", "surveyor_same_state_blocks",
    "surveyor_max_load", "evidence_lock_before_survey_days", "plan_rounds", "term_years",
)  # fmt: skip
SWITCHES = frozenset({"surveyor_same_state_blocks"})
# Deadlines that code looks up by name, beside those that states name.
NEEDED_DEADLINES = ("pending_days", "answer_days", "payment_days", "objection", "appeal_days")
Thing = TypeVar("Thing")


def load_rulebook(root: Path, *, guards: Collection[str] | None) -> Rulebook:
    """Load every rule of a workflows folder.

    Args:
        guards: keys of the guards the code knows; None leaves guard names unchecked.
    Raises: Broken, with file, line and reason of every mistake.
    """
    rulebook, mistakes = read_rulebook(root, guards=guards)
    if mistakes:
        raise Broken(mistakes)
    return rulebook


def read_rulebook(root: Path, *, guards: Collection[str] | None) -> tuple[Rulebook, list[Mistake]]:
    """Load every rule of a workflows folder, and give the mistakes along with what could be read."""
    root, mistakes = root.resolve(), list[Mistake]()

    def read(name: str) -> Map:
        return read_yaml(root / name, root, mistakes)

    deadlines = read_deadlines(read("deadlines.yaml"), mistakes)
    declared = read("settings.yaml")
    settings = read_settings(declared, mistakes)
    _check_settings(declared, settings, mistakes)
    for key in NEEDED_DEADLINES:
        if key not in deadlines:
            mistakes.append(Mistake(f"{root.name}/deadlines.yaml", 1, f"the deadline {key!r} is missing"))
    machines = _machines(root, mistakes, guards, deadlines)
    states = {state for m in machines.values() for state in m.states}
    triggers = {t for m in machines.values() for t in m.triggers}
    for deadline in deadlines.values():
        for field in ("ends_in", "runs_in"):
            for state in getattr(deadline, field):
                if state not in states:
                    reason = f"deadline {deadline.key!r}: {field!r} names {state!r}, which is not a state; {nearest(state, states)}"
                    mistakes.append(Mistake(deadline.file, deadline.line, reason))
    for machine in machines.values():
        for t in machine.transitions:
            for anchor in t.sets:
                if anchor not in ANCHORS:
                    reason = f"transition {t.trigger!r}: 'sets' names {anchor!r}, which no deadline counts from; {nearest(anchor, ANCHORS)}"
                    mistakes.append(Mistake(t.file, t.line, reason))
    _check_endings(root, mistakes)
    notices, message_notices = read_notices(read("notices.yaml"), mistakes, triggers)
    rulebook = Rulebook(
        machines=machines,
        deadlines=deadlines,
        fees=read_fees(read("fees.yaml"), mistakes, states),
        questionnaires=_folder(root, "questionnaires", read_questionnaire, lambda q: q.version, mistakes),
        agreements=_folder(root, "agreements", read_agreement, lambda a: a.version, mistakes),
        editions=_folder(root, "standards", read_edition, lambda e: e.edition, mistakes),
        notices=notices,
        message_notices=message_notices,
        reminders=read_reminders(read("reminders.yaml"), mistakes, deadlines),
        settings=settings,
        identifiers=read_identifiers(read("identifiers.yaml"), mistakes),
        survey=read_survey_rules(read("survey.yaml"), mistakes),
    )
    return rulebook, mistakes


def check_files(root: Path, files: Collection[Path], *, guards: Collection[str] | None) -> list[Mistake]:
    """Return the mistakes of a workflows folder, only those of the files named when any are."""
    _rulebook, mistakes = read_rulebook(root, guards=guards)
    found = sorted(set(mistakes))
    if not files:
        return found
    names = {shown_name(file.resolve(), root.resolve()) for file in files}
    return [m for m in found if m.file in names]


def _check_settings(source: Map, settings: dict[str, int | bool], mistakes: list[Mistake]) -> None:
    """Every number that rules look up is there, a number where one is meant and a switch where one is meant."""
    for key in SETTINGS:
        value = settings.get(key)
        if key not in source:
            reason = f"{key!r} is missing"
        elif value is None:
            continue  # reading it has said what is wrong
        elif key in SWITCHES and not isinstance(value, bool):
            reason = f"{key!r} must be true or false, not {value!r}"
        elif key not in SWITCHES and (isinstance(value, bool) or value < 0):
            reason = f"{key!r} must be a whole number from 0 on, not {value!r}"
        else:
            continue
        mistakes.append(Mistake(source.file, source.lines.get(key, 1), reason))


def _check_endings(root: Path, mistakes: list[Mistake]) -> None:
    """A file that looks like a declaration and would not be read is a mistake, not silence."""
    for path in sorted(root.rglob("*.yml")):
        mistakes.append(Mistake(shown_name(path, root), 1, "is not read: let its name end in .yaml"))


def _machines(
    root: Path, mistakes: list[Mistake], guards: Collection[str] | None, deadlines: dict[str, Deadline]
) -> dict[str, Machine]:
    """A folder of machines/ is one machine in several files; a file there is a machine of its own."""
    folder, found = root / "machines", {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path] if path.suffix == ".yaml" else []
        if files:
            found[path.stem] = load_machine(path.stem, files, root, mistakes, guards=guards, deadlines=deadlines)
    if not found:
        mistakes.append(Mistake(f"{root.name}/machines", 1, "holds no machine"))
    return found


def _folder(
    root: Path,
    name: str,
    read: Callable[[Map, list[Mistake]], Thing],
    key: Callable[[Any], str],
    mistakes: list[Mistake],
) -> dict[str, Thing]:
    found: dict[str, Thing] = {}
    files: dict[str, str] = {}
    for path in sorted((root / name).glob("*.yaml")):
        source = read_yaml(path, root, mistakes)
        if not source:
            continue
        thing = read(source, mistakes)
        if key(thing) in found:
            mistakes.append(Mistake(source.file, 1, f"says it is {key(thing)!r}, as {files[key(thing)]} does already"))
            continue
        found[key(thing)], files[key(thing)] = thing, source.file
    if not found:
        mistakes.append(Mistake(f"{root.name}/{name}", 1, "holds no readable file"))
    return found
