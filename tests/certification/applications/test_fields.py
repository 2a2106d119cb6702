"""What each kind of field takes, what it refuses with which words, and how it is written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.certification.applications.fields import READERS, WrongAnswer, read_answer, read_posted, written


@dataclass(frozen=True)
class F:
    kind: str
    key: str = "f"
    label: str = "Field"
    choices: Sequence[tuple[str, str]] = (("a", "Apple"), ("b", "Bean"))
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", "  Chart  ", "Chart"),
        ("text", " ", None),
        ("textarea", "a\r\nb", "a\nb"),
        ("email", "A.B@practice.org", "A.B@practice.org"),
        ("phone", "(312) 555-0100", "(312) 555-0100"),
        ("number", "12.50", "12.5"),
        ("number", "1,200", 1200),
        ("number", 0, 0),
        ("integer", "7", 7),
        ("boolean", False, False),
        ("attestation", True, True),
        ("attestation", False, None),
        ("choice", "a", "a"),
        ("multichoice", ["b", "a"], ["a", "b"]),
        ("date", "2027-03-02", "2027-03-02"),
        ("date_list", ["2027-03-02", "2027-01-02", "2027-03-02"], ["2027-01-02", "2027-03-02"]),
        ("date_windows", [{"from": "2027-03-02", "to": "2027-03-02"}], [{"from": "2027-03-02", "to": "2027-03-02"}]),
        (
            "contacts",
            [{"name": " Ann ", "email": "a@b.org"}],
            [{"name": "Ann", "role": "", "email": "a@b.org", "phone": ""}],
        ),
    ],
)
def test_good_answers_are_stored_in_one_form(kind: str, raw: Any, value: Any) -> None:
    assert read_answer(F(kind), raw) == value


@pytest.mark.parametrize(
    ("kind", "raw", "words"),
    [
        ("text", 5, "text"),
        ("text", "a\nb", "one line"),
        ("text", "x" * 501, "500"),
        ("email", "nobody", "name@practice.org"),
        ("phone", "call me", "312-555-0100"),
        ("number", "many", "number"),
        ("number", "1.234", "decimals"),
        ("number", "NaN", "range"),
        ("number", True, "number"),
        ("integer", "1.5", "whole"),
        ("integer", "many", "a whole number, for example 12."),
        ("boolean", "yes", "yes or no"),
        ("choice", "c", "answers given"),
        ("multichoice", ["c"], "answers given"),
        ("multichoice", "a", "answers given"),
        ("date", "03/02/2027", "2027-03-15"),
        ("date", "0001-01-01", "between"),
        ("date_windows", [{"from": "2027-03-02"}], "last day"),
        ("date_windows", [{"from": "2027-03-02", "to": "2027-03-01"}], "before it begins"),
        ("date_windows", [{"from": "2027-03-02", "to": "2027-09-01"}], "60 days"),
        ("date_windows", [{"from": "2027-03-02", "to": "2027-03-03"}] * 2, "the same"),
        ("contacts", [{"role": "lead"}], "name"),
        ("contacts", [{"name": "Ann", "email": "x"}], "Ann"),
        ("contacts", [{"name": "Ann", "fax": "1"}], "phone"),
        ("practice_record", "x", "practice's record"),
    ],
)
def test_wrong_answers_are_refused_with_what_would_be_right(kind: str, raw: Any, words: str) -> None:
    with pytest.raises(WrongAnswer, match=words):
        read_answer(F(kind), raw)


def test_a_number_keeps_to_its_range() -> None:
    with pytest.raises(WrongAnswer, match="at least 1"):
        read_answer(F("number", minimum=1), 0)
    with pytest.raises(WrongAnswer, match="at most 10"):
        read_answer(F("integer", maximum=10), 11)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["from", "to", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(kind=st.sampled_from(sorted(READERS)), raw=JSON)
def test_anything_sent_is_stored_or_refused_and_what_is_stored_reads_back_the_same(kind: str, raw: Any) -> None:
    try:
        value = read_answer(F(kind), raw)
    except WrongAnswer:
        return
    assert read_answer(F(kind), value) == value
    assert isinstance(written(F(kind), value), str)


@pytest.mark.parametrize(
    ("kind", "form", "raw"),
    [
        ("text", {"f": ["a"]}, "a"),
        ("multichoice", {"f": ["", "a", "b"]}, ["a", "b"]),
        ("boolean", {"f": ["no"]}, False),
        ("boolean", {}, None),
        ("attestation", {"f": ["yes"]}, True),
        ("attestation", {}, None),
        (
            "date_windows",
            {"f-from": ["2027-03-02", ""], "f-to": ["2027-03-04", ""]},
            [{"from": "2027-03-02", "to": "2027-03-04"}],
        ),
        (
            "contacts",
            {"f-name": ["Ann", ""], "f-role": ["", ""], "f-email": ["a@b.org", ""], "f-phone": ["", ""]},
            [{"name": "Ann", "role": "", "email": "a@b.org", "phone": ""}],
        ),
    ],
)
def test_a_plain_form_says_the_same_as_a_script(kind: str, form: dict[str, list[str]], raw: Any) -> None:
    assert read_posted(F(kind), lambda name: form.get(name, [])) == raw


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("boolean", False, "No"),
        ("multichoice", ["a", "b"], "Apple, Bean"),
        ("choice", "b", "Bean"),
        ("date_windows", [{"from": "2027-03-02", "to": "2027-03-04"}], "Tue 2 Mar 2027 to Thu 4 Mar 2027"),
        ("date_list", ["2027-03-02"], "Tue 2 Mar 2027"),
        ("contacts", [{"name": "Ann", "role": "Lead", "email": "", "phone": ""}], "Ann, Lead"),
        ("text", None, ""),
    ],
)
def test_answers_are_written_out_in_words(kind: str, value: Any, words: str) -> None:
    assert written(F(kind), value) == words
