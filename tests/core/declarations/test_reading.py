"""YAML is read with the line of everything, and whatever is wrong is named instead of raised."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certify.core.declarations.reading import LARGEST, Broken, Map, Mistake, Reader, Seq, nearest, read_yaml


def read(folder: Path, content: str | bytes) -> tuple[Map, list[Mistake]]:
    path = folder / "rules" / "some.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    mistakes: list[Mistake] = []
    return read_yaml(path, folder / "rules", mistakes), mistakes


def test_every_key_and_entry_knows_its_line(tmp_path: Path) -> None:
    found, mistakes = read(tmp_path, "a: 1\n\nb:\n  c: x\n  d:\n    - one\n    - two\n")
    assert mistakes == []
    assert found.lines == {"a": 1, "b": 3}
    assert found["b"].lines == {"c": 4, "d": 5}
    assert isinstance(found["b"]["d"], Seq)
    assert found["b"]["d"].lines == [6, 7]


def test_text_is_text_and_only_plain_values_are_anything_else(tmp_path: Path) -> None:
    found, mistakes = read(tmp_path, 'a: "2021"\nb: 2021\nc: true\nd: 2026-03-05\ne: 1.5\nf: null\ng: 7.10 b\n')
    assert mistakes == []
    assert dict(found) == {
        "a": "2021",
        "b": 2021,
        "c": True,
        "d": date(2026, 3, 5),
        "e": 1.5,
        "f": None,
        "g": "7.10 b",
    }


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("", 1, "is empty"),
        ("# only words\n", 1, "is empty"),
        ("- a\n- b\n", 1, "must hold keys and values at its top"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands twice (first in line 1)"),
        ("a:\n  b: 1\n  b: 1\n", 3, "the key 'b' stands twice (first in line 2)"),
        ("a:\n\tb: 1\n", 2, "a tab indents this line"),
        ("a: [1, 2\nb: 3\n", 2, "is not valid YAML"),
        ("a: 'open\n", 2, "is not valid YAML"),
        ("a: 1\n---\nb: 1\n", 2, "is not valid YAML"),
        ("a: *nobody\n", 1, "is not valid YAML"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []\n", 2, "is not read here"),
        ("a: !thing {b: 1}\n", 1, "is not read here"),
        ("a: !thing b\n", 1, "is not read here"),
        ("a: 1\nb: 2026-13-45\n", 2, "put it in quotes"),
        ("? [a, b]\n: 1\n", 1, "a key must be a plain word"),
        ("a: &a [*a]\n", 1, "an alias holds itself"),
        ("a: " + "[" * 60 + "]" * 60 + "\n", 1, "nested"),
        ("a: " + "[" * 100_000 + "\n", 1, "nested"),
        ("- " * 5_000 + "x\n", 1, "nested"),
        (b"a: 1\nb: caf\xe9\n", 2, "is not UTF-8 text"),
        (b"a: 1\nb: x\x00y\n", 2, "control character"),
        ("a: x" + "y" * LARGEST, 1, "is too large"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, content: str | bytes, line: int, reason: str
) -> None:
    _found, mistakes = read(tmp_path, content)
    assert len(mistakes) == 1
    assert (mistakes[0].file, mistakes[0].line) == ("rules/some.yaml", line)
    assert reason in mistakes[0].reason


def test_aliases_that_multiply_are_stopped_at_once(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    found, mistakes = read(tmp_path, bomb)
    assert found == {}
    assert "counting each use of an alias" in mistakes[0].reason


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    mistakes: list[Mistake] = []
    read_yaml(tmp_path / "none.yaml", tmp_path, mistakes)
    (tmp_path / "folder.yaml").mkdir()
    read_yaml(tmp_path / "folder.yaml", tmp_path, mistakes)
    assert [m.file for m in mistakes] == [f"{tmp_path.name}/none.yaml", f"{tmp_path.name}/folder.yaml"]
    assert all(m.reason.startswith("cannot be read") for m in mistakes)


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    found, mistakes = read(tmp_path, b"\xef\xbb\xbfa: 1\n")
    assert (dict(found), mistakes) == ({"a": 1}, [])


@given(st.binary(max_size=300))
def test_any_bytes_at_all_give_a_mapping_or_a_mistake(tmp_path: Path, content: bytes) -> None:
    found, mistakes = read(tmp_path, content)
    assert isinstance(found, Map)
    assert found or mistakes or content.strip().startswith(b"{")


@given(st.text(alphabet="ab:-[]{}&*!?|>'\"#%@`,\n\t 019.~<=", max_size=60))
def test_any_signs_of_yaml_give_a_mapping_or_a_mistake(tmp_path: Path, content: str) -> None:
    found, _mistakes = read(tmp_path, content)
    assert isinstance(found, Map)


def reader(folder: Path, content: str) -> tuple[Reader, list[Mistake]]:
    found, mistakes = read(folder, content)
    assert mistakes == []
    return Reader(found, mistakes, "thing: "), mistakes


def test_all_mistakes_of_a_mapping_are_collected_not_only_the_first(tmp_path: Path) -> None:
    r, mistakes = reader(
        tmp_path, "label: 5\ndays: many\nopen: perhaps\nkind: other\non: someday\nlist: x\nlabbel: y\n"
    )
    r.text("label")
    r.integer("days")
    r.flag("open")
    r.choice("kind", ("one", "two"))
    r.day("on")
    r.texts("list")
    r.map("none", required=True)
    r.maps("nothing", required=True)
    r.done()
    assert [(m.line, m.reason) for m in mistakes] == [
        (1, "thing: 'label' must be text; put it in quotes"),
        (2, "thing: 'days' must be a whole number, not 'many'"),
        (3, "thing: 'open' must be true or false, not 'perhaps'"),
        (4, "thing: 'kind' must be one of one, two, not 'other'"),
        (5, "thing: 'on' must be a date like 2026-03-05, not 'someday'"),
        (6, "thing: 'list' must be a list"),
        (1, "thing: 'none' is missing"),
        (1, "thing: 'nothing' is missing"),
        (7, "thing: the key 'labbel' is not known here; did you mean label?"),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("n: 11\n", "must be from 1 to 10, not 11"),
        ("n: true\n", "must be a whole number, not True"),
        ("n: 1.5\n", "must be a whole number, not 1.5"),
        ("m: 1\n", "'n' is missing"),
    ],
)
def test_a_number_is_whole_and_within_bounds(tmp_path: Path, content: str, reason: str) -> None:
    r, mistakes = reader(tmp_path, content)
    r.integer("n", least=1, most=10)
    assert reason in mistakes[0].reason


def test_entries_of_the_wrong_kind_are_named_with_their_own_line(tmp_path: Path) -> None:
    r, mistakes = reader(tmp_path, "texts:\n  - a\n  - 5\nmaps:\n  - {x: 1}\n  - y\nnumbers: [1, b]\n")
    assert r.texts("texts") == ("a",)
    assert [dict(m) for m in r.maps("maps")] == [{"x": 1}]
    assert r.numbers("numbers") == ()
    assert [m.line for m in mistakes] == [3, 6, 7]


def test_an_empty_text_where_one_is_needed_is_a_mistake(tmp_path: Path) -> None:
    r, mistakes = reader(tmp_path, "a: '  '\nb: " + "x" * 50 + "\n")
    r.text("a")
    r.text("b", longest=10)
    assert [m.reason for m in mistakes] == ["thing: 'a' is empty", "thing: 'b' is longer than 10 characters"]


def test_mistakes_are_told_once_sorted_by_place() -> None:
    broken = Broken([Mistake("b", 1, "x"), Mistake("a", 2, "y"), Mistake("a", 1, "z"), Mistake("a", 1, "z")])
    assert str(broken) == "a:1: z\na:2: y\nb:1: x"


def test_a_hint_names_the_nearest_word_or_all_of_them() -> None:
    assert nearest("draf", ["draft", "denied"]) == "did you mean draft?"
    assert nearest("zzz", ["draft", "denied"]) == "there are: denied, draft"
    assert nearest("zzz", []) == "there are none"
