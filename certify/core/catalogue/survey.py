"""What a surveyor may enter and what finishing demands, as survey.yaml declares it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from certify.core.declarations.reading import Map, Mistake, Reader, nearest

RATINGS = ("yes", "no", "na")  # what tablets send; their words and demands are the program's to declare
NEEDS = ("note", "na_reason")
GAPS = ("unrated", *NEEDS, "conflict", "agreement")
REVIEWED = ("never", "critical", "every")
SIGNERS = ("leader", "surveyor")
STATEMENTS = ("leadership", "prevention")  # what the plan of correction has a field for


@dataclass(frozen=True)
class Rating:
    """What an element can be given; `needs` is the text without which the survey cannot be finished."""

    key: str
    label: str
    meaning: str
    needs: str | None = None
    placed: bool = False  # asks for harm and scope
    second_reviewer: str = "never"  # never | critical | every: which standards set to this wait for a second person


@dataclass(frozen=True)
class GapWords:
    """How one kind of gap is said: beside an element, and counted at a site."""

    message: str
    one: str
    many: str

    def counted(self, count: int) -> str:
        """Say how many there are, without a full stop."""
        return self.one if count == 1 else self.many.replace("{count}", str(count))


@dataclass(frozen=True)
class Word:
    """A key with its words."""

    key: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class NoteKind(Word):
    """A kind of note that feeds several elements."""

    pseudonym: bool = False


@dataclass(frozen=True)
class Level:
    """What a place in the matrix means, and which statements the plan of correction must then hold."""

    key: str
    label: str
    demands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signer:
    """Who signs, and under which words."""

    key: str
    label: str
    statement: str


@dataclass(frozen=True)
class SurveyRules:
    """All of survey.yaml."""

    version: str
    ratings: tuple[Rating, ...]
    gaps: Mapping[str, GapWords]
    notes: tuple[NoteKind, ...]
    harm: tuple[Word, ...]  # from least to most, as are scope and levels
    scope: tuple[Word, ...]
    levels: tuple[Level, ...]
    matrix: Mapping[str, Mapping[str, str]]  # harm -> scope -> level
    statements: tuple[Word, ...]
    signatures: tuple[Signer, ...]

    @cached_property
    def needs(self) -> dict[str, str]:
        """Return the text each rating needs, of those that need one."""
        return {r.key: r.needs for r in self.ratings if r.needs}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Return the words of each rating."""
        return {r.key: r.label for r in self.ratings}

    @cached_property
    def placed(self) -> frozenset[str]:
        """Return the ratings that are placed by harm and scope."""
        return frozenset(r.key for r in self.ratings if r.placed)

    @cached_property
    def reviewed(self) -> str:
        """Return which standards wait for a second reviewer when they are set to not applicable."""
        return next((r.second_reviewer for r in self.ratings if r.key == "na"), "never")

    @cached_property
    def note_kinds(self) -> dict[str, NoteKind]:
        """Return the kinds of notes by key."""
        return {n.key: n for n in self.notes}

    def level(self, harm: str, scope: str) -> Level:
        """Return what a place in the matrix means. Raises: KeyError for a place there is not."""
        key = self.matrix[harm][scope]
        return next(level for level in self.levels if level.key == key)

    def is_place(self, harm: object, scope: object) -> bool:
        """Whether the matrix has this place."""
        return isinstance(harm, str) and isinstance(scope, str) and scope in self.matrix.get(harm, {})

    def demanded(self, harm: str, scope: str) -> tuple[Word, ...]:
        """Return the statements that the plan of correction must hold for a finding of this place; none where it has no place yet."""
        wanted = self.level(harm, scope).demands if self.is_place(harm, scope) else ()
        return tuple(s for s in self.statements if s.key in wanted)

    def worst(self, places: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
        """Return the worst harm and the widest scope of several places (harm, scope); None when there are none."""
        harms, scopes = [w.key for w in self.harm], [w.key for w in self.scope]
        found = list(places)
        if not found:
            return None
        worst = max(harms.index(harm) for harm, _ in found)
        widest = max(scopes.index(scope) for _, scope in found)
        return harms[worst], scopes[widest]

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON values, as the tablet gets it."""
        told = asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}


def read_survey_rules(source: Map, mistakes: list[Mistake]) -> SurveyRules:
    """Read survey.yaml."""
    r = Reader(source, mistakes)
    harm, scope = _words(r, "harm", mistakes), _words(r, "scope", mistakes)
    statements = _words(r, "statements", mistakes, STATEMENTS)
    levels = _levels(r, {s.key for s in statements}, mistakes)
    found = SurveyRules(
        version=r.text("version"),
        ratings=_ratings(r, mistakes),
        gaps=_gaps(r, mistakes),
        notes=_notes(r, mistakes),
        harm=harm,
        scope=scope,
        levels=levels,
        matrix=_matrix(r, [h.key for h in harm], [s.key for s in scope], {x.key for x in levels}, mistakes),
        statements=statements,
        signatures=_signatures(r, mistakes),
    )
    r.done()
    return found


def _ratings(r: Reader, mistakes: list[Mistake]) -> tuple[Rating, ...]:
    found: list[Rating] = []
    for body in r.maps("ratings", required=True):
        n = Reader(body, mistakes, f"rating {body.get('key', '?')!r}: ")
        key = n.choice("key", RATINGS)
        _once(n, key, found)
        needs = n.choice("needs", NEEDS) if n.has("needs") else None
        reviewed = n.choice("second_reviewer", REVIEWED, "never") if key == "na" else "never"
        found.append(Rating(key, n.text("label"), n.text("meaning"), needs, n.flag("placed"), reviewed))
        n.done()
    for key in RATINGS:
        if r.has("ratings") and key not in {x.key for x in found}:
            r.wrong("ratings", f"the rating {key!r} is missing; tablets send {', '.join(RATINGS)}")
    return tuple(found)


def _gaps(r: Reader, mistakes: list[Mistake]) -> dict[str, GapWords]:
    declared, found = r.map("gaps", required=True), {}
    g = Reader(declared, mistakes, "gaps: ")
    for kind in GAPS:
        n = Reader(g.map(kind, required=True), mistakes, f"gap {kind!r}: ")
        words = GapWords(n.text("message"), n.text("one"), n.text("many"))
        if words.many and "{count}" not in words.many:
            n.wrong("many", "'many' must hold {count}, for their number")
        found[kind] = words
        n.done()
    g.done()
    return found


def _words(r: Reader, key: str, mistakes: list[Mistake], known: tuple[str, ...] | None = None) -> tuple[Word, ...]:
    found: list[Word] = []
    for body in r.maps(key, required=True):
        n = Reader(body, mistakes, f"{key} {body.get('key', '?')!r}: ")
        word = n.choice("key", known) if known else n.text("key")
        _once(n, word, found)
        found.append(Word(word, n.text("label"), n.text("hint", "")))
        n.done()
    return tuple(found)


def _notes(r: Reader, mistakes: list[Mistake]) -> tuple[NoteKind, ...]:
    found: list[NoteKind] = []
    for body in r.maps("notes", required=True):
        n = Reader(body, mistakes, f"note {body.get('key', '?')!r}: ")
        _once(n, n.text("key"), found)
        found.append(NoteKind(n.text("key"), n.text("label"), n.text("hint", ""), n.flag("pseudonym")))
        n.done()
    return tuple(found)


def _levels(r: Reader, statements: Collection[str], mistakes: list[Mistake]) -> tuple[Level, ...]:
    found: list[Level] = []
    for body in r.maps("levels", required=True):
        n = Reader(body, mistakes, f"level {body.get('key', '?')!r}: ")
        _once(n, n.text("key"), found)
        demands = n.texts("demands")
        for statement in demands:
            if statement not in statements:
                n.wrong(
                    "demands", f"{statement!r} is not a statement; {nearest(statement, statements)}", entry=statement
                )
        found.append(Level(n.text("key"), n.text("label"), demands))
        n.done()
    return tuple(found)


def _matrix(
    r: Reader, harms: list[str], scopes: list[str], levels: Collection[str], mistakes: list[Mistake]
) -> dict[str, dict[str, str]]:
    """Read the level of each place; every harm has every scope and no other."""
    found: dict[str, dict[str, str]] = {}
    m = Reader(r.map("matrix", required=True), mistakes, "matrix: ")
    for harm in harms:
        row = Reader(m.map(harm, required=True), mistakes, f"matrix, {harm}: ")
        found[harm] = {scope: row.choice(scope, sorted(levels)) for scope in scopes}
        row.done()
    m.done()
    return found


def _signatures(r: Reader, mistakes: list[Mistake]) -> tuple[Signer, ...]:
    found: list[Signer] = []
    for body in r.maps("signatures", required=True):
        n = Reader(body, mistakes, f"signature {body.get('key', '?')!r}: ")
        key = n.choice("key", SIGNERS)
        _once(n, key, found)
        found.append(Signer(key, n.text("label"), n.text("statement")))
        n.done()
    return tuple(found)


def _once(n: Reader, key: str, before: Iterable[Any]) -> None:
    if key in {x.key for x in before}:
        n.wrong("key", f"{key!r} stands twice")
