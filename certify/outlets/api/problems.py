"""How flask-smorest is bent to RFC 9457: one error shape, described as it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import marshmallow as ma
from flask import Request, request
from flask_smorest import Api, Blueprint
from webargs.core import is_json
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from certify.core.foundation.errors import FieldError, Invalid
from certify.platform.web.texts import unstorable

PROBLEM_TYPE = "application/problem+json"
UNREADABLE = "The body is not JSON that can be read. Send one JSON document in UTF-8."


class ProblemEntry(ma.Schema):
    """One mistake of a request, or one condition that does not hold."""

    pointer = ma.fields.String(metadata={"description": "JSON pointer of the field"})
    row = ma.fields.Integer(metadata={"description": "row of an imported file, from 1"})
    field = ma.fields.String(required=True)
    message = ma.fields.String(required=True)
    guard = ma.fields.String(metadata={"description": "key of a condition that does not hold"})
    link = ma.fields.String(metadata={"description": "page where it is mended"})


class Problem(ma.Schema):
    """RFC 9457."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    errors = ma.fields.List(ma.fields.Nested(ProblemEntry), required=True)


class ProblemApi(Api):
    """The API object whose errors are answered by the web room, like those of every page."""

    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        """The web room answers every refusal and every HTTP error already."""

    DEFAULT_RESPONSE_CONTENT_TYPE: str = "application/json"

    def _register_responses(self) -> None:
        before = self.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_TYPE
        try:
            super()._register_responses()
        finally:
            self.DEFAULT_RESPONSE_CONTENT_TYPE = before


class Parser(FlaskParser):
    """Reads arguments; a mistake becomes a refusal with every field named."""

    def handle_error(self, error: ma.ValidationError, *_args: Any, **_kwargs: Any) -> Any:
        raise Invalid(tuple(flat(error.messages)))

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        """Return the body; refuses what is no JSON, what is nested without end, and text that cannot be kept."""
        if req.content_length or req.headers.get("Transfer-Encoding"):
            require_json(req)
        try:
            found = super().load_json(req, schema)
        except (ValueError, RecursionError) as error:
            # A number of thousands of digits is a ValueError too.
            raise BadRequest(UNREADABLE) from error
        wrong = tuple(unstorable(found))
        if wrong:
            raise Invalid(wrong)
        return found

    def _handle_invalid_json_error(self, error: Any, req: Request, *args: Any, **kwargs: Any) -> Any:
        raise BadRequest(UNREADABLE) from error


class Doors(Blueprint):
    """A blueprint of API routes."""

    ARGUMENTS_PARSER = Parser()

    def arguments(self, schema: type[ma.Schema] | ma.Schema, **kwargs: Any) -> Any:
        """Describe and read what a call brings; the schema is made once, not anew by every call."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **kwargs)


def require_json(req: Request) -> None:
    """Refuse a body that does not say it is JSON, or its fields would seem to be missing."""
    if not is_json(req.mimetype):
        raise UnsupportedMediaType("Send the body as JSON, with the header Content-Type: application/json.")


def sent_json() -> Any:
    """Return the body of a request whose shape the room itself reads."""
    require_json(request)
    try:
        return request.get_json()
    except BadRequest as error:
        raise BadRequest(UNREADABLE) from error


@contextmanager
def within(*place: str) -> Iterator[None]:
    """Let every mistake found inside point to where in the body its field lies."""
    try:
        yield
    except Invalid as wrong:
        raise Invalid(replace(e, under=(*place, *e.under)) for e in wrong.errors) from wrong


def flat(messages: Any, path: str = "") -> Iterator[FieldError]:
    """Yield one FieldError for each of marshmallow's nested messages."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # The outermost key is where the value came from (json, query, files, headers), which says nothing to the caller.
            top = not path and key in {"json", "query", "files", "headers", "form", "json_or_form"}
            name = "" if key == "_schema" or top else str(key)
            yield from flat(inner, f"{path}.{name}" if path and name else path or name or ("" if top else path))
    elif isinstance(messages, list):
        for inner in messages:
            if isinstance(inner, dict | list):
                yield from flat(inner, path)
            else:
                yield FieldError(path, str(inner))
    else:
        yield FieldError(path, str(messages))
