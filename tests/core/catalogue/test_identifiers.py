"""What identifiers.yaml may declare."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from certify.core.rulebook.loading import check_files, load_rulebook
from certify.resources import WORKFLOWS


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the product's rules to spoil."""
    return Path(shutil.copytree(WORKFLOWS, tmp_path / "workflows"))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<gap><date>", "<gap><dte>", "<dte> is not a part; did you mean date?"),
        ("cell: '^", "cell: '(^", "is not a pattern that can be read"),
        ("heading: '^", "heading: '(?i)^", "uses what Python and JavaScript do not both read"),
        ("cell: '^", "cell: '|^", "fits every text, also an empty one"),
        ("- key: mrn", "- key: ssn", "'ssn' stands twice"),
        ("    title: a date of birth\n", "", "kind 'birth_date': 'title' is missing"),
        ("    heading: ", "    headings: ", "the key 'headings' is not known here"),
    ],
)
def test_a_mistake_is_named_with_its_reason(root: Path, old: str, new: str, reason: str) -> None:
    path = root / "identifiers.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    said = [str(m) for m in check_files(root, [path], guards=None)]
    assert any(reason in m and m.startswith("workflows/identifiers.yaml:") for m in said), said


def test_parts_stand_in_each_other() -> None:
    found = load_rulebook(WORKFLOWS, guards=None).identifiers
    assert not any("<month>" in p or "<gap>" in p for kind in found.kinds for p in kind.text)
    assert found.in_text["birth_date"][0].search("Born on Mar 14, 1951")
