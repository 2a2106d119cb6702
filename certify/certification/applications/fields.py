"""Reading an answer by the kind of its field: what is stored, what is refused, how it is written out; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

EMAIL = re.compile(r"^[^@\s<>,;]{1,64}@[^@\s<>,;]+\.[^@\s<>,;.]{2,}$")
PHONE = re.compile(r"^[0-9+() .x/-]{7,40}$")
MAX_TEXT, MAX_LONG, MAX_ENTRIES, MAX_WINDOW_DAYS = 500, 20_000, 60, 60
CONTACT_PARTS = ("name", "role", "email", "phone")


class FieldLike(Protocol):
    """What this module needs to know of a field of the questionnaire."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def choices(self) -> Sequence[tuple[str, str]]: ...
    @property
    def max_length(self) -> int | None: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...


class WrongAnswer(ValueError):
    """What is wrong with an answer, as a sentence that says what would be right."""


def read_answer(field: FieldLike, raw: Any) -> Any:
    """Return the value to store for what was sent: trimmed, typed, None when it is empty.

    Raises: WrongAnswer, with a sentence for the person.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()) or raw == [] or raw == {}:
        return None
    reader = READERS.get(field.kind)
    if reader is None:
        raise WrongAnswer("This is not answered here; it is shown from the practice's record.")
    return reader(field, raw)


def read_posted(field: FieldLike, form: Callable[[str], Sequence[str]]) -> Any:
    """Return what a plain form carries for a field, ready for `read_answer`; `form` gives all values of a name."""
    values = form(field.key)
    if field.kind in ("multichoice", "date_list"):
        return [v for v in values if v.strip()]
    if field.kind in ("attestation", "boolean"):
        last = values[-1] if values else ""
        return {"yes": True, "no": False if field.kind == "boolean" else None}.get(last, last or None)
    if field.kind == "date_windows":
        pairs = zip(form(f"{field.key}-from"), form(f"{field.key}-to"), strict=False)
        return [{"from": a.strip(), "to": b.strip()} for a, b in pairs if a.strip() or b.strip()]
    if field.kind == "contacts":
        columns = [form(f"{field.key}-{part}") for part in CONTACT_PARTS]
        rows = [dict(zip(CONTACT_PARTS, (c.strip() for c in row), strict=True)) for row in zip(*columns, strict=False)]
        return [row for row in rows if any(row.values())]
    return values[-1] if values else ""


def written(field: FieldLike, value: Any) -> str:
    """Return an answer as words for a page, a conflict or the history."""
    if value is None or value == []:
        return ""
    if field.kind in ("boolean", "attestation"):
        return "Yes" if value else "No"
    titles = dict(field.choices or ())
    if field.kind == "choice":
        return titles.get(str(value), str(value))
    if field.kind == "multichoice":
        return ", ".join(titles.get(str(v), str(v)) for v in value)
    if field.kind == "date_windows":
        return "; ".join(f"{_day(v.get('from'))} to {_day(v.get('to'))}" for v in value)
    if field.kind == "date_list":
        return ", ".join(_day(v) for v in value)
    if field.kind == "date":
        return _day(value)
    if field.kind == "contacts":
        return "; ".join(", ".join(str(v[p]) for p in CONTACT_PARTS if v.get(p)) for v in value)
    return str(value)


def _text(field: FieldLike, raw: Any, limit: int = MAX_TEXT) -> str:
    if not isinstance(raw, str):
        raise WrongAnswer("Write this as text.")
    text = "".join(c for c in raw.replace("\r\n", "\n") if c in "\n\t" or c.isprintable()).strip()
    limit = field.max_length or limit
    if len(text) > limit:
        raise WrongAnswer(f"This has {len(text):,} characters; at most {limit:,} fit.")
    return text


def _line(field: FieldLike, raw: Any) -> str:
    text = _text(field, raw)
    if "\n" in text:
        raise WrongAnswer("Write this in one line.")
    return text


def _long(field: FieldLike, raw: Any) -> str:
    return _text(field, raw, MAX_LONG)


def _email(field: FieldLike, raw: Any) -> str:
    text = _line(field, raw)
    if len(text) > 254 or not EMAIL.match(text):
        raise WrongAnswer("Write an e-mail address like name@practice.org.")
    return text


def _phone(field: FieldLike, raw: Any) -> str:
    text = _line(field, raw)
    if not PHONE.match(text) or sum(c.isdigit() for c in text) < 7:
        raise WrongAnswer("Write a telephone number like 312-555-0100.")
    return text


def _number(field: FieldLike, raw: Any, like: str = "a number, for example 12 or 12.5") -> int | str:
    """A number with up to two decimals; whole ones as int, others as text that loses nothing."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise WrongAnswer("Write a number.")
    try:
        number = Decimal(str(raw).replace(",", "").strip())
    except InvalidOperation:
        raise WrongAnswer(f"Write {like}.") from None
    if not number.is_finite() or abs(number) >= 10**12:
        raise WrongAnswer("Write a number in the usual range.")
    if number != round(number, 2):
        raise WrongAnswer("Write at most two decimals.")
    _need_range(field, number)
    return int(number) if number == int(number) else f"{number.normalize():f}"


def _integer(field: FieldLike, raw: Any) -> int:
    number = _number(field, raw, like="a whole number, for example 12")
    if not isinstance(number, int):
        raise WrongAnswer("Write a whole number.")
    return number


def _need_range(field: FieldLike, number: Decimal) -> None:
    if field.minimum is not None and number < Decimal(str(field.minimum)):
        raise WrongAnswer(f"This must be at least {field.minimum:g}.")
    if field.maximum is not None and number > Decimal(str(field.maximum)):
        raise WrongAnswer(f"This must be at most {field.maximum:g}.")


def _boolean(_field: FieldLike, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    raise WrongAnswer("Choose yes or no.")


def _attestation(_field: FieldLike, raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw or None
    raise WrongAnswer("Tick the box, or leave it.")


def _choice(field: FieldLike, raw: Any) -> str:
    if not isinstance(raw, str) or raw not in dict(field.choices):
        raise WrongAnswer("Choose one of the answers given.")
    return raw


def _multichoice(field: FieldLike, raw: Any) -> list[str]:
    known = [key for key, _label in field.choices]
    if not isinstance(raw, list) or not all(isinstance(v, str) and v in known for v in raw):
        raise WrongAnswer("Choose among the answers given.")
    return [key for key in known if key in raw]


def _date(_field: FieldLike, raw: Any) -> str:
    return _iso(raw)


def _date_list(_field: FieldLike, raw: Any) -> list[str]:
    if not isinstance(raw, list) or len(raw) > MAX_ENTRIES:
        raise WrongAnswer(f"Give up to {MAX_ENTRIES} days.")
    return sorted({_iso(v) for v in raw})


def _windows(_field: FieldLike, raw: Any) -> list[dict[str, str]]:
    if not isinstance(raw, list) or len(raw) > MAX_ENTRIES or not all(isinstance(v, Mapping) for v in raw):
        raise WrongAnswer(f"Give up to {MAX_ENTRIES} windows, each with a first and a last day.")
    found = []
    for entry in raw:
        if not entry.get("from") or not entry.get("to"):
            raise WrongAnswer("Give each window a first and a last day.")
        start, end = _iso(entry["from"]), _iso(entry["to"])
        if end < start:
            raise WrongAnswer(f"A window ends before it begins: {_day(start)} to {_day(end)}.")
        if (date.fromisoformat(end) - date.fromisoformat(start)).days >= MAX_WINDOW_DAYS:
            raise WrongAnswer(f"A window is at most {MAX_WINDOW_DAYS} days long: {_day(start)} to {_day(end)}.")
        found.append({"from": start, "to": end})
    if len({(w["from"], w["to"]) for w in found}) < len(found):
        raise WrongAnswer("Two windows are the same. Offer different ones.")
    return found


def _contacts(field: FieldLike, raw: Any) -> list[dict[str, str]]:
    if not isinstance(raw, list) or len(raw) > MAX_ENTRIES or not all(isinstance(v, Mapping) for v in raw):
        raise WrongAnswer(f"Give up to {MAX_ENTRIES} contacts.")
    found = []
    for entry in raw:
        if set(entry) - set(CONTACT_PARTS):
            raise WrongAnswer(f"A contact has {', '.join(CONTACT_PARTS)}.")
        row = {part: _line(field, entry[part]) if entry.get(part) else "" for part in CONTACT_PARTS}
        if not row["name"]:
            raise WrongAnswer("Give each contact a name.")
        if row["email"] and not EMAIL.match(row["email"]):
            raise WrongAnswer(f"Write an e-mail address like name@practice.org for {row['name']}.")
        if row["phone"] and not PHONE.match(row["phone"]):
            raise WrongAnswer(f"Write a telephone number like 312-555-0100 for {row['name']}.")
        found.append(row)
    return found


def _iso(raw: Any) -> str:
    try:
        on = date.fromisoformat(str(raw).strip())
    except ValueError:
        raise WrongAnswer("Write a day like 2027-03-15.") from None
    if not 1990 <= on.year <= 2100:
        raise WrongAnswer("Write a day between 1990 and 2100.")
    return on.isoformat()


def _day(value: Any) -> str:
    try:
        on = date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return f"{on:%a} {on.day} {on:%b %Y}"


READERS: dict[str, Callable[[FieldLike, Any], Any]] = {
    "text": _line,
    "textarea": _long,
    "email": _email,
    "phone": _phone,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "attestation": _attestation,
    "choice": _choice,
    "multichoice": _multichoice,
    "date": _date,
    "date_list": _date_list,
    "date_windows": _windows,
    "contacts": _contacts,
}
