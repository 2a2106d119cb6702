"""Templates edited by staff: each mistake is named with its paragraph, and nothing in one can run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from docx.document import Document

from certify.core.foundation.errors import Conflict, NotFound
from certify.outlets.documents.docx_writer import templates
from certify.outlets.documents.docx_writer.letters import decision_letter_docx
from certify.outlets.documents.docx_writer.survey_report import survey_report_docx
from certify.outlets.documents.docx_writer.template_check import check_template
from certify.outlets.documents.docx_writer.templates import built_in, list_templates, use_own_templates
from tests.outlets.documents import examples


@pytest.fixture(autouse=True)
def _own_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "_own", None)


def edited(kind: str, change: Callable[[Document], None]) -> bytes:
    document = docx.Document(io.BytesIO(built_in(kind)))
    change(document)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def with_text(text: str, kind: str = "decision-letter") -> bytes:
    """Return the template with one paragraph more, at its very beginning."""
    return edited(kind, lambda document: document.paragraphs[0].insert_paragraph_before(text) and None)


@pytest.mark.parametrize("kind", ["decision-letter", "certificate", "survey-report"])
def test_the_built_in_templates_are_right(kind: str) -> None:
    assert check_template(built_in(kind), kind) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Dear {{ recipiant }},", "paragraph 1: unknown field “recipiant”. Did you mean “recipient”?"),
        ("{{ zzz }}", "paragraph 1: unknown field “zzz”. Known are: address, appeal_until,"),
        (
            "{%p for reason in reasons %}{{ reason.tittle }}{%p endfor %}",
            "unknown field “reason.tittle”. Did you mean “title”?",
        ),
        ("{%p for line in adress %}{%p endfor %}", "paragraph 1: unknown field “adress”. Did you mean “address”?"),
        ("{%p if outcome == 'award' %}", "paragraph 1: “if” is never closed; add “endif”."),
        ("{%p endfor %}", "paragraph 1: “endfor” closes nothing."),
        ("{{ recipient", "paragraph 1: “{{” has no counterpart in the same paragraph."),
        ("{{ 1 + }}", "paragraph 1: “1 +” is not understood"),
        ("{% include 'x' %}", "paragraph 1: “include” is not a step a template may take"),
        ("{{ program.name }}", "paragraph 1: “program” has no part “name”."),
        ("{%p for letter in program %}{%p endfor %}", "“program” is not a list"),
    ],
)
def test_each_mistake_is_named_with_its_paragraph(text: str, said: str) -> None:
    mistakes = [str(mistake) for mistake in check_template(with_text(text), "decision-letter")]
    assert any(said in mistake for mistake in mistakes), mistakes


def test_a_mistake_in_a_table_and_in_a_footer_is_found() -> None:
    def change(document: Document) -> None:
        document.tables[0].rows[1].cells[0].paragraphs[0].runs[0].text = "{{ fact.lable }}"
        document.sections[0].footer.is_linked_to_previous = False
        document.sections[0].footer.paragraphs[0].text = "{{ nobody }}"

    said = " ".join(map(str, check_template(edited("decision-letter", change), "decision-letter")))
    assert "“fact.lable”" in said
    assert "“nobody”" in said


def test_a_field_cut_into_runs_by_word_is_read_whole() -> None:
    def change(document: Document) -> None:
        paragraph = document.paragraphs[0].insert_paragraph_before("{{ reci")
        paragraph.add_run("pient }}").bold = True

    assert check_template(edited("decision-letter", change), "decision-letter") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a file", "This is not a Word document (.docx)."),
        (b"PK\x05\x06" + b"\0" * 18, "it has no text"),
    ],
)
def test_what_is_not_a_word_document_is_refused(content: bytes, said: str) -> None:
    assert said in str(check_template(content, "decision-letter")[0])


def test_macros_are_refused() -> None:
    stream = io.BytesIO(built_in("decision-letter"))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("word/vbaProject.bin", b"x")
    assert "macros" in str(check_template(stream.getvalue(), "decision-letter")[0])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(NotFound, match="There are: decision-letter, certificate, survey-report"):
        check_template(b"", "poem")


def test_a_style_the_report_needs_is_missed_by_name() -> None:
    def change(document: Document) -> None:
        style = document.styles["Requirement"]
        style.element.getparent().remove(style.element)

    assert [str(m) for m in check_template(edited("survey-report", change), "survey-report")] == [
        "The style “Requirement” is missing; the report is written in it."
    ]


def test_the_programs_own_template_is_used(tmp_path: Path) -> None:
    (tmp_path / "decision-letter.docx").write_bytes(with_text("Our own letter to {{ practice }}"))
    use_own_templates(tmp_path)
    assert [t.own for t in list_templates()] == [True, False, False]
    letter = docx.Document(io.BytesIO(decision_letter_docx(examples.decision_letter())))
    assert letter.paragraphs[0].text == "Our own letter to Lakeside Oncology"


@pytest.mark.parametrize(
    "attack",
    [
        "{{ cycler.__init__.__globals__.os.system('true') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ practice.__class__.__base__.__subclasses__() }}",
    ],
)
def test_nothing_of_python_is_within_a_templates_reach(attack: str, tmp_path: Path) -> None:
    (tmp_path / "decision-letter.docx").write_bytes(with_text(attack))
    use_own_templates(tmp_path)
    assert check_template(with_text(attack), "decision-letter") != []
    with pytest.raises(Conflict):
        decision_letter_docx(examples.decision_letter())


@pytest.mark.parametrize(
    ("kind", "write"),
    [
        ("decision-letter", lambda: decision_letter_docx(examples.decision_letter())),
        ("survey-report", lambda: survey_report_docx(examples.survey_report())),
    ],
)
def test_a_damaged_own_template_is_named(kind: str, write: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / f"{kind}.docx").write_bytes(b"not a file")
    use_own_templates(tmp_path)
    with pytest.raises(Conflict, match=f"The template {kind}.docx cannot be opened"):
        write()
