"""The clock beside a million deadlines and a million mails for later: an idle look, and claiming 200 that are due."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from bench.bulk import post_mails, set_deadlines
from bench.parts.part import Options, Part, Run
from bench.servers import ROOT
from bench.turns import table

WAITING, QUICK_WAITING = 1_000_000, 20_000
DUE = 1000
NOWHERE = "smtp://127.0.0.1:9"  # with a mail server set the outbox is looked at; nothing is due, so nobody calls there
HEAD = " job, nothing being due|statements|p50 ms|slowest ms|aim"
PLAN_HEAD = " job| statement|ms| plan"


def measure(run: Run) -> str:
    """Put deadlines and mails into a copy by SQL, then ask the jobs themselves."""
    data = run.data().copy("clock")
    waiting = QUICK_WAITING if run.given.quick else WAITING
    run.say(f"{run.kind}: {waiting:,} deadlines and mails")
    begun = time.perf_counter()
    post_mails(data, waiting, DUE)
    set_deadlines(data, waiting)
    took = time.perf_counter() - begun
    run.say(f"{run.kind}: the clock")
    done = subprocess.run(
        [sys.executable, "-m", "bench.clock"], capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **data.environment, "CERTIFY_SMTP_URL": NOWHERE},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    said = json.loads(done.stdout)
    run.figures["clock"] = said
    rows = [
        [job["job"], str(job["statements"]), f"{job['p50']:.2f}", f"{job['most']:.2f}", "≤ 1 ms" if job["job"] in ("cases", "reminders", "mail") else ""]
        for job in said["jobs"]
    ]  # fmt: skip
    plans = [
        [job["job"], f"`{one['statement'].replace('|', '∣')[:200]}`", f"{one['ms']:.2f}" if one["ms"] else "", "; ".join(one["plan"])[:300]]
        for job in said["jobs"]
        for one in job["plans"]
    ]  # fmt: skip
    claim = said["claim"]
    return (
        f"{waiting:,} deadlines and {waiting:,} mails wait for later ({took:.0f} s to add them by SQL).\n\n{table(HEAD, rows)}\n\n"
        f"- Claim 200 due mails among {claim['rows']:,}: {claim['ours']:.2f} ms, bare claim {claim['floor']:.2f} ms: {claim['ratio']:.1f} × (aim ≤ 5 ×), "
        f"none twice. Plan: {'; '.join(claim['plan'])[:300]}\n\n{table(PLAN_HEAD, plans)}"
    )


def seconds(given: Options) -> float:
    """Mostly the rows."""
    return 15 if given.quick else 90


PART = Part("clock", "The clock", seconds, measure)
