"""Every room has the house's furniture, stands in the import rules, and says what it is for."""

from __future__ import annotations

import ast

from tests.architecture.house import PACKAGE, ROOT, WINGS, dotted, imported, layers_of, modules, rooms, shown, tree

NOT_WELCOME = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "base"}
# What a route or a form may use of another room.
OPEN_TO_OTHERS = {"queries", "operations", "events"}
PRIVATE = {"models", "rules", "forms", "routes", "jobs"}
# Rooms whose whole purpose is to serve the others' pages; their modules are doors, not furniture.
SERVICES = {"certify.platform.web", "certify.platform.storage"}


def test_every_room_stands_in_the_import_rules() -> None:
    missing = [shown(room) for room in rooms() if room.name not in layers_of(f"certify.{room.parent.name}")]
    assert missing == []


def test_the_import_rules_name_no_room_that_is_not_there() -> None:
    there = {(room.parent.name, room.name) for room in rooms()}
    gone = [f"{wing}/{name}" for wing in WINGS for name in layers_of(f"certify.{wing}") if (wing, name) not in there]
    assert gone == []


def test_every_module_says_in_a_sentence_what_belongs_in_it() -> None:
    silent = [shown(path) for path in modules() if not (ast.get_docstring(tree(path)) or "").strip()]
    assert silent == []


def test_the_first_file_of_a_room_says_what_the_room_is_for_and_does_nothing() -> None:
    busy = [
        shown(path)
        for path in modules()
        if path.name == "__init__.py"
        and 1
        <= len(path.relative_to(PACKAGE).parts[:-1])
        <= 2  # below, a noun split into a folder may gather its parts
        and len(tree(path).body) != 1
    ]
    assert busy == []


def test_no_drawer_for_odds_and_ends() -> None:
    drawers = [shown(path) for path in modules() if path.stem in NOT_WELCOME or path.parent.name in NOT_WELCOME]
    assert drawers == []


def test_routes_and_forms_use_only_the_open_doors_of_other_rooms() -> None:
    trespasses = []
    for path in modules():
        if path.stem not in {"routes", "forms"} and "routes" not in path.parts:
            continue
        own = ".".join(dotted(path).split(".")[:3])
        for name, line, _inside in imported(path):
            parts = name.split(".")
            room = ".".join(parts[:3])
            if parts[0] != "certify" or len(parts) < 4 or room == own or parts[1] not in WINGS or parts[1] == "core":
                continue
            if room not in SERVICES and parts[3] in PRIVATE:
                trespasses.append(f"{shown(path)}:{line}: {name}")
    assert trespasses == []


def test_nothing_is_imported_inside_a_function_to_dodge_a_cycle() -> None:
    """Heavy libraries may be imported late; our own rooms may not, except where a command starts the program."""
    late = [
        f"{shown(path)}:{line}: {name}"
        for path in modules()
        if "cli" not in path.parts
        for name, line, inside in imported(path)
        if inside and name.startswith("certify.")
    ]
    assert late == []


def test_only_the_spine_writes_the_state_of_a_case() -> None:
    writers = []
    for path in modules():
        if shown(path) == "certify/certification/cases/operations.py":
            continue
        for node in ast.walk(tree(path)):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AugAssign | ast.AnnAssign)
                else []
            )
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr == "state" and is_case(target.value):
                    writers.append(f"{shown(path)}:{node.lineno}")
            if isinstance(node, ast.Call) and sets_state_of_cases(node):
                writers.append(f"{shown(path)}:{node.lineno}")
    assert writers == []


def is_case(value: ast.expr) -> bool:
    """Whether an expression is, by its name, a case."""
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
    return name in {"case", "the_case", "locked"}


def sets_state_of_cases(call: ast.Call) -> bool:
    """Whether this is `update(Case)….values(state=…)`."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "values"):
        return False
    names = {keyword.arg for keyword in call.keywords}
    return "state" in names and "update(Case)" in ast.unparse(call.func.value).replace("sa.", "")


def test_relationships_lead_down_only_and_load_nothing_by_surprise() -> None:
    surprising = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "relationship"
        if any(k.arg in {"backref", "back_populates"} for k in node.keywords)
        or not any(k.arg == "lazy" and ast.unparse(k.value) == "'raise'" for k in node.keywords)
    ]
    assert surprising == []


def test_nothing_is_left_half_done() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X:")
    found = [
        f"{shown(path)}:{number}"
        for folder in (PACKAGE, ROOT / "tests", ROOT / "scripts", ROOT / "templates", ROOT / "workflows")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".html", ".txt", ".yaml"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if any(word in line for word in words)
    ]
    assert found == []


def test_no_refusal_is_swallowed() -> None:
    swallowed = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
    ]
    assert swallowed == []
