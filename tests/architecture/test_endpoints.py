"""Every door has a lock or says that it is open, and reading changes nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from tests.architecture.house import modules, shown, tree

# Nobody has to sign in for these; each is here for a reason that its docstring gives.
PUBLIC_PREFIXES = ("static", "register.")


def own_rules(app: Flask) -> Iterator[Rule]:
    """Every address the program answers."""
    yield from sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def test_every_endpoint_says_who_may_enter(app: Flask) -> None:
    open_doors = [
        f"{rule.endpoint} {rule.rule}"
        for rule in own_rules(app)
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "required_permission")
    ]
    assert open_doors == []


def test_what_changes_something_commits_and_what_reads_does_not(app: Flask) -> None:
    wrong = []
    for rule in own_rules(app):
        view = app.view_functions[rule.endpoint]
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint == "static":
            continue
        if methods == {"GET"} and getattr(view, "commits", False) and not getattr(view, "records_reading", False):
            wrong.append(f"{rule.endpoint} is read and commits")
        if "GET" in methods and len(methods) > 1:
            wrong.append(f"{rule.endpoint} both reads and writes: make two views of it")
        if not methods & {"GET"} and not getattr(view, "commits", False) and not commits_itself(view):
            wrong.append(f"{rule.endpoint} writes and does not commit")
    assert wrong == []


def commits_itself(view: object) -> bool:
    """Whether a view says that it keeps its own transactions (several short ones, as when a password is hashed)."""
    return bool(getattr(view, "commits_itself", False))


def test_only_edges_commit() -> None:
    """Operations flush; who called decides whether to keep it."""
    committers = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        if path.stem in {"operations", "queries", "rules", "models", "events"}
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert committers == []
