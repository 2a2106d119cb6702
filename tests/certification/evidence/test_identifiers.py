"""Patient identifiers are noticed in names, text and tables, and ordinary documents are left in peace."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.evidence.identifiers import (
    Suspicion,
    browser_patterns,
    merged,
    suspicions_in_table,
    suspicions_in_text,
)
from certify.core.rulebook.current import current


def kinds(text: str) -> list[str]:
    return [s.kind for s in suspicions_in_text(text, "the text")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SSN 123-45-6789", ["ssn"]),
        ("number 123-45-6789 given", ["ssn"]),
        ("social security number: 123456789", ["ssn"]),
        ("MRN: 00123456", ["mrn"]),
        ("mrn_1234567", ["mrn"]),
        ("chart MRN1234567", ["mrn"]),
        ("Medical record no. AB123456", ["mrn"]),
        ("Medical Record Number # 4456677", ["mrn"]),
        ("Patient ID = 5566778", ["mrn"]),
        ("DOB 3/14/1951", ["birth_date"]),
        ("DOB 05-Mar-1960", ["birth_date"]),
        ("DOB: 05MAR1960", ["birth_date"]),
        ("DOB: 5th March 1960", ["birth_date"]),
        ("born on the 5th", []),
        ("Date of birth 5th of March, 1960", ["birth_date"]),
        ("DOB March 5th, 1960", ["birth_date"]),
        ("DOB 5/Mar/60", ["birth_date"]),
        ("DOB 1960-Mar-05", ["birth_date"]),
        ("D.O.B.: 03-14-51", ["birth_date"]),
        ("date of birth: March 14, 1951", ["birth_date"]),
        ("born 14 Mar 1951", ["birth_date"]),
        ("birthdate 1951-03-14", ["birth_date"]),
        ("MRN 1234567 DOB 1/2/1950 SSN 123-45-6789", ["ssn", "mrn", "birth_date"]),
    ],
)
def test_what_looks_like_an_identifier_is_named_by_its_kind(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Policy CH-104, effective 3/14/2025, page 12 of 40",
        "Call 202-555-0143 or 1-800-555-0199 at any hour",
        "The MRN and the date of birth are checked at the bedside by two people.",
        "Confirm the patient's name and DOB before each dose.",
        "Invoice 2026-0004512, tax id 12-3456789",
        "ISBN 978-0-306-40615-7",
        "000-12-3456 is not a number anyone holds; nor 666-12-3456, 923-45-6789, 123-00-6789",
        "The practice saw 1234567 visits",
    ],
)
def test_policies_that_only_speak_of_identifiers_pass(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            [["Name", "MRN", "DOB"], ["A", "1234567", "1/2/1950"], ["B", "7654321", "03-Feb-1951"]],
            [("mrn", 2), ("birth_date", 2)],
        ),
        ([["Visits in May"], [], ["Patient ID", "Dose"], ["55512345", "20"]], [("mrn", 1)]),
        ([["SSN"], ["123456789"]], [("ssn", 1)]),
        ([["MRN", "DOB"], ["checked", "checked"]], []),
        ([["Month", "Charts"], ["1234567", "1/2/1950"]], []),
    ],
)
def test_a_column_counts_only_with_its_heading_and_fitting_cells(
    rows: list[list[str]], expected: list[tuple[str, int]]
) -> None:
    assert [(s.kind, s.count) for s in suspicions_in_table(rows, "the table")] == expected


@given(
    area=st.integers(1, 899).filter(lambda n: n != 666),
    group=st.integers(1, 99),
    serial=st.integers(1, 9999),
    lead=st.sampled_from(["", " ", "(", ":", "\n", "№ "]),
)
def test_every_possible_social_security_number_is_noticed(area: int, group: int, serial: int, lead: str) -> None:
    assert "ssn" in kinds(f"{lead}{area:03}-{group:02}-{serial:04}")


@given(
    number=st.integers(10_000, 10**12 - 1),
    label=st.sampled_from(["MRN", "mrn", "Mrn", "Medical record number", "medical_record", "Patient ID", "patient_id"]),
    between=st.sampled_from([" ", ": ", "_", "#", " = ", "-", ""]),
)
def test_every_labelled_record_number_is_noticed(number: int, label: str, between: str) -> None:
    assert "mrn" in kinds(f"see {label}{between}{number} there")


@given(
    on=st.dates(),
    form=st.sampled_from(["%m/%d/%Y", "%m-%d-%y", "%Y-%m-%d", "%B %d, %Y", "%d %b %Y"]),
    label=st.sampled_from(["DOB", "Date of birth", "born", "birth date"]),
)
def test_every_labelled_birth_date_is_noticed(on, form: str, label: str) -> None:  # type: ignore[no-untyped-def]
    if on.year >= 1000:
        assert "birth_date" in kinds(f"{label}: {on.strftime(form)}")


@given(st.text(max_size=2_000))
def test_any_text_is_looked_through_without_trouble_and_nothing_of_it_is_kept(text: str) -> None:
    for found in suspicions_in_text(text, "the text"):
        assert found.where == "the text"
        assert found.count >= 1


def test_a_long_hostile_text_is_looked_through_quickly() -> None:
    for hostile in ("MRN" + " " * 100_000, "DOB " * 30_000, "1" * 200_000, "med rec " * 30_000, "Jan " * 50_000):
        assert suspicions_in_text(hostile, "the text") == []


def test_the_same_place_is_told_once() -> None:
    assert merged([Suspicion("mrn", "page 1", 1), Suspicion("mrn", "page 1", 3), Suspicion("mrn", "page 2", 1)]) == [
        Suspicion("mrn", "page 1", 3),
        Suspicion("mrn", "page 2", 1),
    ]


def test_the_browser_gets_the_very_same_patterns() -> None:
    declared = current().identifiers
    told = browser_patterns()
    assert told == declared.as_json
    assert told["text"] == {k: [p.pattern for p in v] for k, v in declared.in_text.items()}
    assert told["columns"] == {k: [p.pattern for p in v] for k, v in declared.in_columns.items()}
    assert set(told["titles"]) == {"ssn", "mrn", "birth_date"}


def test_a_file_full_of_identifiers_is_read_as_fast_as_any_other() -> None:
    text = "123-45-6789 " * 330_000
    started = time.perf_counter()
    assert suspicions_in_text(text, "the text") == [Suspicion("ssn", "the text", 330_000)]
    assert time.perf_counter() - started < 60  # hours, were each compared with every other
