"""A lower room talks up by publishing an event; who listens is written in wiring.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any, Any], object]

_handlers: dict[type, list[Handler]] = defaultdict(list)


def subscribe(event_type: type, handler: Handler) -> None:
    """Call `handler(session, event)` for each published event of that type; the same handler counts once."""
    if handler not in _handlers[event_type]:
        _handlers[event_type].append(handler)


def publish(session: Any, event: object) -> None:
    """Tell everyone who listens, inside the transaction of `session`; what a listener raises undoes the whole act."""
    for handler in tuple(_handlers[type(event)]):
        handler(session, event)


def forget_all() -> None:
    """Drop every subscription, so that wiring starts afresh."""
    _handlers.clear()
