"""Client of the driver processes: distributes jobs and merges their results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from chat.management.exit_with_parent import Child, ChildFailed
from devtools.bench.machine import SATURATED, cores

Job = dict[str, Any]
JOB_S = 600
#: Cores that other programs may use before measurements are unreliable.
NOT_QUIET = 0.3
#: Maximum number of distinct failures that are reported.
MAX_TOLD = 5


class Drivers:
    """One or more drivers, which share the conversations of a job.

    Over all jobs so far: ``failures``: messages of failures. ``busiest``: largest share of a core
    used by a driver or the model. ``others``: cores used by unrelated programs.
    """

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children
        self.failures: list[str] = []
        self.busiest = {"driver": 0.0, "model": 0.0}
        self.others: list[float] = []

    def ask(self, job: Job) -> Job:
        """Run a job on one driver; return its result.

        Raises:
            ChildFailed: the job failed.
        """
        return self._gather([job])[0]

    def share(self, job: Job, meanwhile: Callable[[], None] | None = None) -> Job:
        """Run a job on all drivers, with ``conversations`` divided; return the merged result."""
        total, many = job["conversations"], len(self._children)
        jobs = [
            job | {"conversations": len(range(n, total, many)), "cookies": job["cookies"][n::many]}
            for n in range(min(many, total))
        ]
        return merged(self._gather(jobs, meanwhile))

    def _gather(
        self, jobs: Sequence[Job], meanwhile: Callable[[], None] | None = None
    ) -> list[Job]:
        used = self._children[: len(jobs)]
        for child, job in zip(used, jobs, strict=True):
            child.input.write(json.dumps(job) + "\n")
            child.input.flush()
        if meanwhile is not None:
            meanwhile()
        results = [json.loads(child.line(JOB_S)) for child in used]
        for result in results:
            if "broken" in result:
                raise ChildFailed(f"the driver: {result['broken']}")
            self.failures += result.get("failures", [])
        if "cpu" in results[0]:
            self._note_cpu(results)
        return results

    def _note_cpu(self, results: Sequence[Job]) -> None:
        cpu, seconds = results[0]["cpu"], results[0]["seconds"]
        drivers = [result["cpu"]["driver"] for result in results]
        for name, used in (("driver", max(drivers)), ("model", cpu.get("model", 0.0))):
            self.busiest[name] = max(self.busiest[name], used / seconds)
        ours = sum(used for name, used in cpu.items() if name not in ("all", "driver"))
        self.others.append(max(0.0, cpu["all"] - ours - sum(drivers)) / seconds)

    def remarks(self) -> Iterator[str]:
        """Yield warnings about the reliability of the measurements."""
        for name, hint in (("driver", ", run with more --drivers"), ("model", "")):
            share = f"The {name} used at most {self.busiest[name]:.0%} of a core"
            if self.busiest[name] < SATURATED:
                yield f"{share}: it was not the bottleneck."
            else:
                yield f"{share}: it may have been the bottleneck{hint}."
        if cores() < 4:
            yield (
                f"{cores()} cores: worker, relay, model, Redis and clients shared them, so nothing "
                "here says what several workers give."
            )
        others = median(self.others) if self.others else 0.0
        if others >= NOT_QUIET:
            yield (
                f"Not a quiet machine: other programs used {others:.1f} cores meanwhile, which no "
                "figure here is free of."
            )
        for reason, times in Counter(self.failures).most_common(MAX_TOLD):
            yield f"Failed {times} times: {reason}"


def merged(results: Sequence[Job]) -> Job:
    """Merge the results of several drivers over the same period."""
    first, *others = results
    total = dict(first)
    for other in others:
        for name, value in other.items():
            if name not in ("seconds", "cpu"):
                total[name] = total[name] + value
        total["cpu"] = {**total["cpu"], "driver": total["cpu"]["driver"] + other["cpu"]["driver"]}
    return total
