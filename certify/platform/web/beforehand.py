"""What takes long and needs no row, such as looking into files, is done before anything is claimed or locked."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import g

from certify.core.foundation.errors import Invalid
from certify.db import db

P = ParamSpec("P")
Answer = TypeVar("Answer")


def beforehand(look: Callable[[], Any]) -> Callable[[Callable[P, Answer]], Callable[P, Answer]]:
    """Above `commits`: call `look` while no transaction is open; the view asks `found_beforehand` for what it gave.

    A view must not end its own transaction for such work: the key that lets a request act once would go with it.
    """

    def decorate(view: Callable[P, Answer]) -> Callable[P, Answer]:
        @wraps(view)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> Answer:
            db.session.rollback()
            try:
                g.found_beforehand = look()
            except Invalid as invalid:
                g.found_beforehand = invalid
            return view(*args, **kwargs)

        return wrapped

    return decorate


def found_beforehand() -> Any:
    """Return what `look` gave. Raises: Invalid when it refused; only now, so that the page can show why."""
    if isinstance(g.found_beforehand, Invalid):
        raise g.found_beforehand
    return g.found_beforehand
