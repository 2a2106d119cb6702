"""What monitors ask: alive, ready, and figures."""

from __future__ import annotations

import ipaddress
import os
import time
from datetime import timedelta

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from certify.core.access.policy import Permission, allowed
from certify.core.foundation.clock import SystemClock
from certify.core.foundation.errors import NotAllowed, Refusal
from certify.db import db
from certify.platform.web.access import current_actor, public
from certify.platform.web.models import Heartbeat
from certify.schema import current_revision, head_revision

bp = Blueprint("health", __name__)

# The scheduler beats every few seconds; a minute without means that nobody sends mail or watches the clock.
OLDEST_BEAT = timedelta(seconds=60)

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

REQUESTS = Counter("certify_requests", "Requests answered", ["method", "endpoint", "status"])
SECONDS = Histogram(
    "certify_request_seconds",
    "Time to answer",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def install_health(app: Flask) -> None:
    """Hang in the three addresses and count every request."""
    app.register_blueprint(bp)
    app.before_request_funcs.setdefault(None, []).insert(0, _start)
    app.after_request(_count)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Alive: the process answers. Nothing else is asked, so that a slow database does not restart it."""
    return jsonify(status="alive")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Ready: database reachable, schema at head, and how long ago the scheduler was last seen at work."""
    report: dict[str, object] = {"database": False, "migrations": False, "scheduler_age_seconds": None}
    try:
        db.session.execute(text("SELECT 1"))
        report["database"] = True
        report["migrations"] = current_revision() == head_revision()
        beat = db.session.scalars(select(Heartbeat.at).where(Heartbeat.name == "scheduler")).one_or_none()
        if beat is not None:
            report["scheduler_age_seconds"] = round((SystemClock().now() - beat).total_seconds(), 1)
    except (SQLAlchemyError, Refusal) as trouble:
        current_app.logger.warning("not ready: %s", trouble)
    age = report["scheduler_age_seconds"]
    report["scheduler"] = isinstance(age, float) and age < OLDEST_BEAT.total_seconds()
    # Pages can be answered without the scheduler; its silence is for the alarm, not for the load balancer.
    ready = bool(report["database"] and report["migrations"])
    return jsonify(status="ready" if ready else "not ready", **report), 200 if ready else 503


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Figures for Prometheus: from this machine, or with the token of someone who may see them."""
    if not _from_here() and not allowed(current_actor(), Permission.VIEW_METRICS):
        raise NotAllowed("Figures are given to this machine, or with an operator's token.")
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry = REGISTRY
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _from_here() -> bool:
    """Whether the caller is this very machine, and not a proxy on it that speaks for someone else."""
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded"):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _start() -> None:
    g.started = time.perf_counter()


def _count(response: Response) -> Response:
    started = g.pop("started", None)
    endpoint = request.endpoint or "none"
    # The method is whatever the caller wrote: each new word would stay in memory as a line of its own.
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, endpoint, str(response.status_code)).inc()
    if started is not None:
        SECONDS.labels(endpoint).observe(time.perf_counter() - started)
    return response
