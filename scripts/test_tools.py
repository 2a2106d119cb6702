"""Make sure that the tests have a browser and a PostgreSQL; as root, Debian's packages are installed when missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support import browser, postgresql


def install(packages: list[str]) -> bool:
    """Install Debian packages when we may; returns whether that was possible."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"Installing {', '.join(packages)} for the tests…")
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)  # type: ignore[call-overload]
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return bool(subprocess.run(command, check=False, **quiet).returncode == 0)  # type: ignore[call-overload]


def has_postgresql() -> bool:
    """Whether a server can be started, tried by starting one."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, stop = postgresql.start_server(Path(folder))
        except postgresql.NoPostgres:
            return False
        stop()
        return True


def main() -> int:
    """Get what is missing; the exit code is 1 when something still is."""
    missing = []
    if browser.find_chromium() is None and not (install(["chromium"]) and browser.find_chromium()):
        missing.append(browser.HOW)
    if not has_postgresql() and not (install(["postgresql"]) and has_postgresql()):
        missing.append(postgresql.HOW)
    for line in missing:
        print(line, file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
