"""Runs the bench: starts the processes, measures each part, collects the rows."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from chat.management.exit_with_parent import ChildFailed
from devtools.bench import growth, machine, speed
from devtools.bench.plan import Plan
from devtools.bench.results import Row, Run
from devtools.bench.site import Site

#: Progress callback with the number of finished parts and the current measurement.
Tell = Callable[[int, str], None]
#: Parts, selectable with ``bench --only NAME``.
PARTS: dict[str, Callable[[Site], list[Row]]] = {
    "memory": growth.measure_memory,  # first: memory freed by earlier parts would be reused
    "stream": speed.measure_stream,
    "sockets": speed.measure_sockets,
    "post": speed.measure_post,
    "count": growth.measure_count,
    "length": growth.measure_length,
    "workers": speed.measure_workers,
}


def measure(plan: Plan, names: Sequence[str], *, tell: Tell, drivers: int = 1) -> Run:
    """Measure parts. A failed part is recorded in ``Run.broken``; the others continue.

    Raises:
        ChildFailed: a process is missing or did not start.
    """
    began, began_at = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    rows: list[Row] = []
    broken: dict[str, str] = {}
    done = 0
    tell(done, "starting")
    with ExitStack() as stack:
        site = Site(stack, plan, lambda what: tell(done, what), drivers=drivers)
        described = machine.described(site.redis.info("server")["redis_version"])
        site.warm()
        for done, name in enumerate(names):  # noqa: B007 - told by the site
            try:
                rows += PARTS[name](site)
            except (ChildFailed, OSError) as error:  # report what was measured before
                broken[name] = str(error)
        remarks = list(site.drivers.remarks())
    tell(len(names), "done")
    return Run(
        began_at=began_at,
        lasted_s=time.monotonic() - began,
        size=plan.name,
        machine=described,
        rows=rows,
        remarks=remarks,
        broken=broken,
    )


def profile(plan: Plan, *, tell: Tell) -> dict[str, float]:
    """Return the share of a streaming worker's CPU time by package.

    A separate run, since profiling slows the worker down.
    """
    once = replace(plan, rounds=1, levels=[plan.saturated], detailed=[])
    with ExitStack() as stack:
        site = Site(stack, once, lambda what: tell(0, f"profile, {what}"), profiled=True)
        site.warm()
        site.worker.process.send_signal(signal.SIGUSR1)
        speed.measure_stream(site, sides=("ours",))
        site.worker.end(politely=True, timeout_s=20)
        shares: dict[str, float] = json.loads(site.profile.read_text())
    return shares
