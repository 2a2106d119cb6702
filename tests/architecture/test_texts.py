"""Templates hold no code of their own, every one is used, and no file speaks of the machine it was written on."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.house import ROOT, TEMPLATES, committed_texts, modules, shown, tree

PAGES = sorted(p for p in TEMPLATES.rglob("*.html"))
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style\b|\sstyle\s*=\s*[\"']|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE
)
# Mail programs know no stylesheets but those in the message; css-inline moves them into the elements.
MAY_STYLE = {"mail", "word"}
# Words of a machine or of a place where packages come from; written in two pieces so that this file is clean itself.
MACHINE = re.compile(
    r"(?<![\w.)}])(?:"
    + "|".join(("/wo" + "rk/", "/ro" + "ot/", r"/ho" + r"me/\w", "/Us" + "ers/", r"[A-Z]:\\Us" + "ers"))
    + ")"
)
HOSTS = re.compile("|".join(("files.python" + "hosted", "registry.npm" + "js", "pypi" + r"\.org/simple")))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(TEMPLATES).as_posix())
def test_a_page_brings_no_script_style_or_unescaped_text(path: object) -> None:
    page = TEMPLATES / str(path)
    if page.relative_to(TEMPLATES).parts[0] in MAY_STYLE:
        return
    text = re.sub(r"{#.*?#}", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\|\s*safe\b", text)
    assert "autoescape false" not in text
    assert [m.group() for m in INLINE.finditer(text)] == []


def test_every_template_is_rendered_or_used_by_another() -> None:
    named = {
        node.value
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "/" in node.value
    }
    patterns = [
        re.compile(
            "".join(
                ".+" if isinstance(part, ast.FormattedValue) else re.escape(str(part.value))
                for part in node.values
                if isinstance(part, ast.FormattedValue | ast.Constant)
            )
        )
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.JoinedStr)
        if any(
            isinstance(part, ast.Constant) and isinstance(part.value, str) and "/" in part.value for part in node.values
        )
        if ".html" in ast.unparse(node) or ".txt" in ast.unparse(node)
    ]
    texts = [p.read_text(encoding="utf-8") for p in sorted(TEMPLATES.rglob("*")) if p.suffix in {".html", ".txt"}]
    named |= {
        name for text in texts for name in re.findall(r"(?:extends|import|include|from)\s+[\"']([^\"']+)[\"']", text)
    }
    unused = [
        name
        for name in (
            p.relative_to(TEMPLATES).as_posix() for p in sorted(TEMPLATES.rglob("*")) if p.suffix in {".html", ".txt"}
        )
        if name not in named and not any(pattern.fullmatch(name) for pattern in patterns) and not mail(name)
    ]
    assert unused == []


def mail(name: str) -> bool:
    """Whether this is one of the two forms of a mail, named without its ending by code or by workflows/notices.yaml."""
    kind = name.removeprefix("mail/").rsplit(".", 1)[0]
    said = {
        node.value.removeprefix("mail/")
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    notices = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflows").glob("*.yaml")))
    return name.startswith("mail/") and (kind in said or re.search(rf"template: {kind}\b", notices) is not None)


def test_no_file_speaks_of_the_machine_it_was_written_on() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in committed_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE.search(line) or HOSTS.search(line)
    ]
    assert found == []


def test_every_python_file_parses_as_annotated_code() -> None:
    """Each function of the product says what it takes and gives."""
    bare = [
        f"{shown(path)}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and node.returns is None
    ]
    assert bare == []


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
