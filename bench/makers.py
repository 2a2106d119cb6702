"""Requests as real roles make them, each checked: what it saves is looked for in the answer, and in the database later."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from bench.data import Dataset
from bench.floors import CASES, ITEMS
from bench.found import FIELD, Found
from bench.traffic import Maker, Request, WrongAnswer, as_json

JSON = "application/json"
APART = 7  # elements between two who work in the same survey


class Saves:
    """Answers that the program says it has saved: looked for again once it was stopped."""

    def __init__(self) -> None:
        self.ops: dict[str, str] = {}

    def missing(self, data: Dataset) -> int:
        """How many of them the database does not hold, with the value that was sent."""
        held: dict[str, Any] = {}
        keys = sorted(self.ops)
        for start in range(0, len(keys), 500):
            some = ", ".join(f"'{key}'" for key in keys[start : start + 500])
            for op, value in data.rows(f"select op, value from survey_op where op in ({some})"):  # noqa: S608
                held[str(op)] = json.loads(value) if data.kind == "sqlite" and isinstance(value, str) else value
        return sum(held.get(key) != value for key, value in self.ops.items())


def always(request: Request) -> Maker:
    """The same request from every client."""
    return lambda client, number: request


class Tablets:
    """The tablet of each client, and how much of its survey's journal it has seen."""

    def __init__(self) -> None:
        self.devices = [str(uuid.uuid4()) for _ in range(64)]
        self.seen: dict[int, int] = {}


def answers(found: Found, count: int, saves: Saves | None = None, tablets: Tablets | None = None) -> Maker:
    """Answers of a surveyor, each new; a client has a survey of its own while there are enough.

    As on a real tablet, each call says what it has seen so far, and learns where the journal stands. Those who share
    a survey are each at another standard.
    """
    own = tablets or Tablets()
    devices, seen = own.devices, own.seen
    turns = itertools.count()

    def make(client: int, number: int) -> Request:
        survey, _who, site = found.surveys[client % len(found.surveys)]
        since = seen.get(client, found.seqs[survey])
        at, start = datetime.now(UTC).isoformat(), next(turns)
        sent = [
            {
                "op": str(uuid.uuid4()), "site": site, "element": found.elements[(number * count + i + client * APART) % len(found.elements)],
                "field": "note", "value": f"Seen at visit {start}-{i} by tablet {client}", "base": since, "at": at,
            }
            for i in range(count)
        ]  # fmt: skip
        body = as_json({"device": devices[client], "since": since, "ops": sent})

        def learn(answer: bytes) -> None:
            given = json.loads(answer)
            seen[client] = given["seq"]
            if [ack["op"] for ack in given["acks"]] != [op["op"] for op in sent] or any(
                ack["status"] not in ("applied", "conflict") for ack in given["acks"]
            ):
                raise WrongAnswer(f"/surveys/{survey}/sync: {answer[:300]!r}")
            if saves is not None:
                saves.ops.update((str(op["op"]), str(op["value"])) for op in sent)

        return Request(f"/surveys/{survey}/sync", "POST", body, JSON, contains=b'"acks"', learn=learn)

    return make


def drafting(found: Found) -> Maker:
    """A practice saves one field of its questionnaire, again and again, each client in a case of its own."""
    revs = {ref: rev for ref, _who, rev in found.drafts}

    def make(client: int, number: int) -> Request:
        ref, _who, _rev = found.drafts[client % len(found.drafts)]
        value = f"Pathways {number}-{client}"

        def learn(answer: bytes) -> None:
            given = json.loads(answer)
            if given["value"] != value:
                raise WrongAnswer(f"{ref}: {answer[:300]!r}")
            revs[ref] = given["rev"]

        body = as_json({"field": FIELD, "value": value, "rev": revs[ref]})
        return Request(f"/cases/{ref}/application/answers", "POST", body, JSON, contains=b'"rev"', learn=learn)

    return make


def telephoning(found: Found) -> Maker:
    """Staff changes a practice's telephone number, each client that of another practice."""
    versions = dict(found.practices)

    def make(client: int, number: int) -> Request:
        key = found.practices[client % len(found.practices)][0]
        phone = f"555-01{client % 100:02d}-{number:06d}"

        def learn(answer: bytes) -> None:
            given = json.loads(answer)
            if given["phone"] != phone:
                raise WrongAnswer(f"practice {key}: {answer[:300]!r}")
            versions[key] = given["version"]

        body = as_json({"version": versions[key], "phone": phone})
        return Request(f"/api/v1/practices/{key}", "PATCH", body, JSON, contains=b'"version"', learn=learn)

    return make


def asking(cases: Iterator[tuple[str, int]], most: int) -> Maker:
    """Staff asks for information, each time of another case; a client at most that many."""

    def make(client: int, number: int) -> Request | None:
        taken = next(cases, None) if number < most else None
        return asked(*taken) if taken else None

    return make


def asked(ref: str, version: int) -> Request:
    """Staff asks a practice for information."""
    data = {
        "reason": "We need one more detail.",
        "questions": [{"field": "ownership_type", "question": "Please say more."}],
    }
    body = as_json({"trigger": "ask_for_information", "version": version, "data": data})
    return Request(f"/api/v1/cases/{ref}/transitions", "POST", body, JSON, contains=b'"returned"')


def paid(ref: str, version: int, owed: int) -> Request:
    """Finance confirms a payment."""
    data = {"amount": owed, "received_on": date.today().isoformat(), "payment_reference": f"ACH {ref}"}  # noqa: DTZ011
    body = as_json({"trigger": "confirm_payment", "version": version, "data": data})
    return Request(f"/api/v1/cases/{ref}/transitions", "POST", body, JSON, contains=b'"documents_open"')


def floor_answers(count: int) -> Maker:
    """The floor saves as many."""

    def make(client: int, number: int) -> Request:
        sent = [{"item": (number * count + i) % ITEMS, "value": f"Seen at visit {number}-{i}"} for i in range(count)]
        return Request(f"/answers/{client % 32}", "POST", as_json(sent), JSON, contains=b"saved")

    return make


def floor_list(client: int, number: int) -> Request:
    """Another page of the floor's list each time."""
    return Request(f"/cases?after={(number * 37 + client) % (CASES - 20)}", contains=b"FL-")
