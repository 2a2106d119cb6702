"""Reading what a person gives with a trigger: each input of the machine checked by its kind, every mistake named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from certify.core.foundation.errors import FieldError, Invalid
from certify.core.workflow.machine import Input

MAX_TEXT = 20_000
MOST_MONEY = 10**9


def read_inputs(inputs: Iterable[Input], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs as typed values: text as str, dates as date, money as cents, lists as lists.

    Raises: Invalid with one FieldError for each input that is missing, of the wrong kind, or not asked for.
    """
    declared = {one.key: one for one in inputs}
    errors = [
        FieldError(key, f"{key!r} is not asked for here; what is asked for: {', '.join(declared) or 'nothing'}.")
        for key in data
        if key not in declared
    ]
    values: dict[str, Any] = {}
    for one in declared.values():
        raw = data.get(one.key)
        if _empty(raw):
            if one.required:
                errors.append(FieldError(one.key, f"{one.label}: this is needed."))
            continue
        try:
            values[one.key] = READERS[one.kind](one, raw)
        except ValueError as wrong:
            errors.append(FieldError(one.key, f"{one.label}: {wrong}"))
    if errors:
        raise Invalid(errors)
    return values


def _empty(raw: Any) -> bool:
    return raw is None or raw is False or (isinstance(raw, str) and not raw.strip()) or raw == [] or raw == {}


def _text(one: Input, raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValueError("write text.")
    text = raw.replace("\r\n", "\n").strip()
    limit = one.max_length or MAX_TEXT
    if len(text) > limit:
        raise ValueError(f"this is {len(text):,} characters; at most {limit:,} fit.")
    if any(ord(c) < 32 and c not in "\n\t" for c in text):
        raise ValueError("it holds control characters; type it again as plain text.")
    return text


def _choice(one: Input, raw: Any) -> str:
    keys = [str(key) for key, _ in one.choices]
    if str(raw) not in keys:
        raise ValueError(f"choose one of {', '.join(keys)}.")
    return str(raw)


def _date(_one: Input, raw: Any) -> date:
    try:
        return raw if isinstance(raw, date) else date.fromisoformat(str(raw).strip())
    except ValueError:
        raise ValueError("write a date like 2026-03-05.") from None


def _money(_one: Input, raw: Any) -> int:
    """Cents; text is read as dollars, a whole number as cents."""
    if isinstance(raw, bool):
        raise ValueError("write an amount like 9500.00.")
    if isinstance(raw, int):
        cents = raw
    else:
        try:
            amount = Decimal(str(raw).replace("$", "").replace(",", "").strip())
        except InvalidOperation:
            raise ValueError("write an amount like 9500.00.") from None
        # Looked at before it is counted out in cents: 1e999990 would keep the machine busy for minutes.
        if not amount.is_finite():
            raise ValueError("write an amount like 9500.00.")
        if not 0 <= amount <= MOST_MONEY:
            raise ValueError("the amount is out of range.")
        cents = int(amount * 100)
        if amount * 100 != cents:
            raise ValueError("an amount has at most two decimals.")
    if not 0 <= cents <= MOST_MONEY * 100:
        raise ValueError("the amount is out of range.")
    return cents


def _number(_one: Input, raw: Any) -> int:
    try:
        if isinstance(raw, bool):
            raise ValueError
        number = int(str(raw).strip())
    except ValueError:
        raise ValueError("write a whole number.") from None
    if not -(2**31) < number < 2**31:
        raise ValueError("the number is out of range.")
    return number


def _checkbox(_one: Input, raw: Any) -> bool:
    if raw in (True, "true", "on", "yes", "1", "y"):
        return True
    raise ValueError("tick the box to go on.")


def _list(one: Input, raw: Any) -> list[str]:
    if isinstance(raw, str):
        raw = [part for part in raw.replace(",", "\n").splitlines() if part.strip()]
    if not isinstance(raw, list) or not all(isinstance(x, str | int) and not isinstance(x, bool) for x in raw):
        raise ValueError("give a list.")
    if len(raw) > 500:
        raise ValueError("at most 500 entries fit.")
    return [_text(one, str(x)) for x in raw]


def _records(one: Input, raw: Any) -> list[dict[str, str]]:
    """A list of small records, such as questions with the field each is about."""
    if isinstance(raw, str):
        raw = [{"question": line} for line in raw.splitlines() if line.strip()]
    if not isinstance(raw, list) or not all(isinstance(x, dict) for x in raw):
        raise ValueError("give a list of records.")
    if len(raw) > 200:
        raise ValueError("at most 200 entries fit.")
    return [{str(k)[:60]: _value(one, k, v) for k, v in entry.items() if v is not None} for entry in raw]


def _value(one: Input, key: Any, raw: Any) -> str:
    if isinstance(raw, list | dict):
        raise ValueError(f"give “{str(key)[:60]}” as one text; several stand in it divided by commas.")
    return _text(one, str(raw))


READERS = {
    "text": _text,
    "longtext": _text,
    "choice": _choice,
    "date": _date,
    "money": _money,
    "number": _number,
    "person": _number,
    "checkbox": _checkbox,
    "standards": _list,
    "sites": _list,
    "questions": _records,
    "gaps": _records,
    "records": _records,
}
