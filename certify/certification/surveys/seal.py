"""The digest that a signature is bound to, and whether the answers are still those that were signed: pure.

The tablet makes the same digest without a network (Tablet.seal); a test holds both against each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from certify.certification.surveys.journal import canonical
from certify.certification.surveys.values import SIGNATURE
from certify.core.catalogue.survey import SurveyRules


@dataclass(frozen=True, slots=True)
class Sealed:
    """What stands for one field, as far as the seal is concerned; `element` is "" for the site as a whole."""

    site: int
    element: str
    field: str
    value: Any
    conflict: bool = False
    seq: int = 0
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, and whether the answers are still those it was given for."""

    role: str  # leader | surveyor
    label: str
    statement: str
    site: int
    name: str
    title: str
    strokes: str
    digest: str
    by: str  # on whose tablet it was written
    at: datetime | None
    intact: bool
    changed: tuple[Sealed, ...] = ()  # what was said after it, when it is broken; the newest first


def digest(answers: Iterable[Sealed]) -> str:
    """Return the SHA-256, in hex, of the JSON list of [site, element, field, value] of all that stands but signatures.

    UTF-8, keys sorted, no spaces, other scripts as they are; sorted by site, element and field in the order of code
    points; a field in conflict has the value {"conflict": true}; what was taken back (null) is not part of it.
    """
    standing = (
        [a.site, a.element, a.field, {"conflict": True} if a.conflict else a.value]
        for a in answers
        if not a.field.startswith(SIGNATURE)
    )
    said = sorted((entry for entry in standing if entry[3] is not None), key=lambda entry: tuple(entry[:3]))
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def signatures(answers: Sequence[Sealed], rules: SurveyRules) -> list[Signature]:
    """Return the signatures that stand, as survey.yaml orders them, each intact or broken."""
    now = digest(answers)
    words = {signer.key: signer for signer in rules.signatures}
    order = list(words)
    found = []
    for a in answers:
        role = a.field.removeprefix(SIGNATURE)
        if not a.field.startswith(SIGNATURE) or role not in words or not isinstance(a.value, dict):
            continue
        intact = a.value.get("digest") == now
        after = [b for b in answers if b.seq > a.seq and not b.field.startswith(SIGNATURE)]
        found.append(
            Signature(
                role=role, label=words[role].label, statement=words[role].statement, site=a.site, name=str(a.value.get("name", "")),
                title=str(a.value.get("title", "")), strokes=str(a.value.get("strokes", "")), digest=str(a.value.get("digest", "")),
                by=a.by, at=a.at, intact=intact, changed=() if intact else tuple(sorted(after, key=lambda b: -b.seq)),
            )
        )  # fmt: skip
    return sorted(found, key=lambda s: (order.index(s.role), s.site))
