"""One run, from the first process to the last row."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from chat.bench import machine
from chat.bench.children import CannotRun
from chat.bench.parts import PARTS
from chat.bench.parts.context import Context
from chat.bench.parts.stream import measure as measure_stream
from chat.bench.plan import Plan
from chat.bench.rows import Row, Run
from chat.bench.site import Site

#: Called with how many parts are done, and what is measured now.
Tell = Callable[[int, str], None]
#: Different failures that are told.
MAX_TOLD = 5


def run(plan: Plan, names: Sequence[str], *, tell: Tell, drivers: int = 1) -> Run:
    """Measure these parts. One that breaks is told in ``Run.broken``; the others go on.

    Raises:
        CannotRun: something is missing or did not start.
    """
    began, began_at = time.monotonic(), f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    rows: list[Row] = []
    broken: dict[str, str] = {}
    done = 0
    tell(done, "starting")
    with Site(drivers=drivers) as site:
        context = Context(plan, site, lambda what: tell(done, what))
        described = machine.described(site.redis.info("server")["redis_version"])
        context.warm()
        for name in names:
            try:
                rows += PARTS[name](context)
            except (CannotRun, OSError) as error:  # what was measured before is worth telling
                broken[name] = str(error)
            done += 1
        remarks = list(_remarks(context))
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
    """Return where a worker's CPU time goes while it streams, by package, in shares of one.

    A run of its own: whoever is asked all the time what it does is slower.
    """
    tell(0, "profile")
    once = replace(plan, rounds=1, levels=(plan.saturated,), detailed=())
    with Site(profiled=True) as site:
        context = Context(once, site, lambda what: tell(0, f"profile, {what}"))
        context.warm()
        site.worker.signal(signal.SIGUSR1)
        measure_stream(context, sides=("ours",))
        site.worker.end(politely=True)
        shares: dict[str, float] = json.loads(site.profile.read_text())
    return shares


def _remarks(context: Context) -> Iterator[str]:
    yield context.site.drivers.remark
    model = f"The model used at most {context.model_busiest:.0%} of a core"
    if context.model_busiest < machine.SATURATED:
        yield f"{model}: it was not the bottleneck."
    else:
        yield f"{model}: it may have been the bottleneck."
    cores = machine.cores()
    if cores < 4:
        yield (
            f"{cores} cores: worker, relay, model, Redis and clients shared them, so nothing here "
            "says what several workers give."
        )
    if warning := context.site.drivers.warning:
        yield warning
    for reason, times in Counter(context.failures).most_common(MAX_TOLD):
        yield f"Failed {times} times: {reason}"
