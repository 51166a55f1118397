"""Driver processes, from the side that gives them jobs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from chat.bench.children import CannotRun, Child
from chat.bench.figures import percentile, shares
from chat.bench.machine import SATURATED

JOB_S = 600
#: Cores that other programs may use before figures suffer.
NOT_QUIET = 0.3


class Drivers:
    """One driver or several, which share the conversations of a job.

    ``busiest``: the largest share of a core that one of them used, of all jobs so far.
    ``strangers``: how many cores programs that are none of ours used, job by job.
    """

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self.busiest = 0.0
        self.strangers: list[float] = []

    def ask(
        self, job: dict[str, Any], meanwhile: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Have one driver do this; return its result.

        Raises:
            CannotRun: the job broke.
        """
        return self._gather([job], meanwhile)[0]

    def share(
        self, job: dict[str, Any], meanwhile: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Have all of them do their share of ``conversations``; return their results as one."""
        parts = shares(job["conversations"], len(self._children))
        jobs, first = [], 0
        for part in parts:
            cookies = job.get("cookies", [])[first : first + part]
            jobs.append({**job, "conversations": part, "cookies": cookies})
            first += part
        return merged(self._gather(jobs, meanwhile))

    def _gather(
        self, jobs: Sequence[dict[str, Any]], meanwhile: Callable[[], None] | None
    ) -> list[dict[str, Any]]:
        used = self._children[: len(jobs)]
        for child, job in zip(used, jobs, strict=True):
            child.input.write(json.dumps(job) + "\n")
            child.input.flush()
        if meanwhile is not None:
            meanwhile()
        results = [json.loads(child.line(JOB_S)) for child in used]
        for result in results:
            if "broken" in result:
                raise CannotRun(f"the driver: {result['broken']}")
            if "cpu" in result:
                self.busiest = max(self.busiest, result["cpu"]["driver"] / result["seconds"])
        self._look_around(results)
        return results

    def _look_around(self, results: Sequence[dict[str, Any]]) -> None:
        first = results[0]
        if first.get("cpu", {}).get("ours") is None:
            return
        drivers = sum(result["cpu"]["driver"] for result in results)
        ours = sum(used for name, used in first["cpu"].items() if name not in ("all", "driver"))
        self.strangers.append(max(0.0, first["cpu"]["all"] - ours - drivers) / first["seconds"])

    @property
    def warning(self) -> str:
        """That the machine was not quiet, or ""."""
        cores = percentile(self.strangers, 0.5) if self.strangers else 0.0
        if cores < NOT_QUIET:
            return ""
        return (
            f"Not a quiet machine: other programs used {cores:.1f} cores meanwhile, which no "
            "figure here is free of."
        )

    @property
    def remark(self) -> str:
        share = f"The driver used at most {self.busiest:.0%} of a core"
        if self.busiest < SATURATED:
            return f"{share}: it was not the bottleneck."
        return f"{share}: it may have been the bottleneck, run with more --drivers."


def merged(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Add up what several drivers saw in the same seconds."""
    first, *others = results
    total = dict(first)
    for other in others:
        for name, value in other.items():
            if name not in ("seconds", "cpu"):
                total[name] = total[name] + value
        total["cpu"] = {**total["cpu"], "driver": total["cpu"]["driver"] + other["cpu"]["driver"]}
    return total
