"""`certify serve`: the production server with the scheduler."""

from __future__ import annotations

import errno
import gc
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from flask import Flask

from certify.core.foundation.errors import Refusal

EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - only compared with


class PortBusy(Refusal):
    """Another program listens where we are to listen."""


def check_port(host: str, port: int) -> None:
    """Raise PortBusy, with what to do, when the address is taken or cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            if taken.errno == errno.EADDRINUSE:
                raise PortBusy(
                    f"Port {port} on {host} is in use by another program. Choose another: PORT={port + 1} make run, "
                    f"or certify serve --port {port + 1}."
                ) from taken
            raise PortBusy(f"{host}:{port} cannot be listened on ({taken.strerror}); see --host and --port.") from taken


def memory_folder() -> str:
    """Return a folder in memory for the workers' heartbeat files, so that a slow disk never looks like a dead worker."""
    shared = Path("/dev/shm")  # noqa: S108 - only heartbeats lie there
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else tempfile.gettempdir()


def prepare_metrics() -> None:
    """Give the workers one empty folder for their counters, which /metrics adds up."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="certify-metrics-")
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.db"):
        old.unlink()


def run_server(build: Callable[[], Flask], *, host: str, port: int, workers: int, announce: Callable[[], None]) -> None:
    """Serve until told to stop.

    The app is built once and shared by the forked workers; what it holds is frozen out of the garbage collector, whose
    full collections would otherwise triple the slowest answers and unshare the memory. Each worker starts a scheduler;
    the schedulers agree among themselves which one acts.
    """
    from gunicorn.app.base import BaseApplication

    from certify import scheduler

    class Server(BaseApplication):
        """gunicorn, configured here and nowhere else."""

        def load_config(self) -> None:
            for key, value in options.items():
                self.cfg.set(key, value)

        def load(self) -> Flask:
            return build()

    running: dict[int, Any] = {}

    def before_fork(_server: Any, _worker: Any) -> None:
        gc.collect()
        gc.freeze()

    def after_fork(_server: Any, _worker: Any) -> None:
        gc.set_threshold(20_000, 20, 20)

    def worker_ready(worker: Any) -> None:
        running[os.getpid()] = scheduler.start(worker.wsgi)

    def worker_leaves(_server: Any, _worker: Any) -> None:
        own = running.pop(os.getpid(), None)
        if own is not None:
            own.shutdown(wait=True)

    def worker_gone(_server: Any, worker: Any) -> None:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]

    options: dict[str, Any] = {
        "bind": [f"[{host}]:{port}" if ":" in host else f"{host}:{port}"],
        "workers": workers,
        "worker_class": "gthread",
        "threads": 4,
        "preload_app": True,
        "timeout": 60,
        "graceful_timeout": 30,
        "max_requests": 2000,
        "max_requests_jitter": 200,
        "control_socket_disable": True,
        "worker_tmp_dir": memory_folder(),
        "loglevel": "warning",
        "when_ready": lambda _server: announce(),
        "pre_fork": before_fork,
        "post_fork": after_fork,
        "post_worker_init": worker_ready,
        "worker_exit": worker_leaves,
        "child_exit": worker_gone,
    }
    Server().run()


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes that answer.")
@click.option("--demo", is_flag=True, help="First create the database and load the demo program, if it is not there.")
def command(host: str, port: int, workers: int, demo: bool) -> None:
    """Serve the pages and the API, and run the scheduler, until stopped."""
    check_port(host, port)
    prepare_metrics()
    from certify.app import create_app
    from certify.db import db
    from certify.schema import require_current

    app = create_app()
    users: list[dict[str, Any]] = []
    with app.app_context():
        if demo:
            from certify.cli.demo import prepare_demo

            users = prepare_demo(app)
        require_current()
        # No connection may be shared with the workers that are forked from here.
        db.session.remove()
        db.engine.dispose()

    def announce() -> None:
        shown = "localhost" if host in EVERYWHERE else host
        if users:
            from certify.cli.demo import print_users

            print_users(users)
        click.echo(
            f"\ncertify is running at http://{f'[{shown}]' if ':' in shown else shown}:{port}  (Ctrl-C stops it)"
        )

    run_server(lambda: app, host=host, port=port, workers=workers, announce=announce)
