"""The house as the architecture tests see it: its files, its rooms, its syntax trees."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "certify"
TEMPLATES = ROOT / "templates"
WINGS = ("outlets", "certification", "learning", "quality", "platform", "core")


@cache
def modules() -> tuple[Path, ...]:
    """Every module of the product, migrations aside."""
    return tuple(sorted(p for p in PACKAGE.rglob("*.py") if "migrations" not in p.parts))


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def dotted(path: Path) -> str:
    """The module's name: certify.certification.cases.rules."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def shown(path: Path) -> str:
    """The path as a person reads it."""
    return path.relative_to(ROOT).as_posix()


def rooms() -> Iterator[Path]:
    """Every room: a folder with code right under a wing."""
    for wing in WINGS:
        for room in sorted((PACKAGE / wing).iterdir()) if (PACKAGE / wing).is_dir() else ():
            if room.is_dir() and any(room.glob("*.py")):
                yield room


def layers_of(container: str) -> set[str]:
    """The rooms the import contracts place in a wing."""
    contracts: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    layers = [c["layers"] for c in contracts if c["type"] == "layers" and c["containers"] == [container]]
    return {room.strip(" ()") for layer in layers for line in layer for room in line.split("|")}


def imported(path: Path) -> Iterator[tuple[str, int, bool]]:
    """Every module or name a module imports, dotted, with its line and whether it happens inside a function."""
    inside = {
        id(child)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.walk(node)
    }
    # What only the type checker reads is no dependency.
    for_types = {
        id(child)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree(path)):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno, id(node) in inside) for alias in node.names)


@cache
def committed_texts() -> tuple[tuple[str, str], ...]:
    """Path and text of every file under version control, or about to be, that is text and our own."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    found = []
    for name in sorted(filter(None, listing.split("\0"))):
        if "/vendor/" in name or not (ROOT / name).is_file():
            continue
        try:
            found.append((name, (ROOT / name).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return tuple(found)
