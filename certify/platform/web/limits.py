"""How much a request may bring; most pages take far less than those that take files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

View = TypeVar("View", bound=Callable[..., object])


def takes_up_to(size: int) -> Callable[[View], View]:
    """Let a route take requests of up to so many bytes; stands directly below the line that names the address."""

    def decorate(view: View) -> View:
        view.largest_request = size  # type: ignore[attr-defined]
        return view

    return decorate
