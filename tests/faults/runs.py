"""Several scenarios at once: most of the time of each is spent waiting."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster
from tests.faults.invariants import Violation, violations
from tests.faults.options import Options
from tests.faults.play import Play
from tests.faults.records import RunRecord
from tests.faults.scenario import Scenario

AT_ONCE = max(2, min(4, (os.cpu_count() or 2) + 1))
#: Five times the longest that was seen. One that hangs must not take the others' time.
LONGEST_S = 240


@dataclass(frozen=True, slots=True)
class Result:
    record: RunRecord
    found: list[Violation]
    logs: str


Enough = Callable[[list[Violation]], bool]


class Runs:
    """Begun in the order in which they will be asked for. ``close`` ends those that still run."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._places = asyncio.Semaphore(AT_ONCE)
        self._asked: set[str] = set()
        self._again: dict[str, Callable[[], asyncio.Task[Result]]] = {}
        self._tasks: dict[str, asyncio.Task[Result]] = {}
        self._idle: dict[Options, list[Cluster]] = {}

    def begin(
        self,
        name: str,
        scenario: Scenario,
        seeds: Sequence[int],
        enough: Enough,
        patches: tuple[str, ...] = (),
    ) -> None:
        """Play the scenario with one seed after the other until it is enough."""

        def begin() -> asyncio.Task[Result]:
            playing = self._play(scenario, seeds, enough, patches)
            return asyncio.create_task(playing, name=name)

        self._again[name] = begin
        self._tasks[name] = begin()

    async def result(self, name: str) -> Result:
        """Wait for it; asked for a second time, play it again.

        Raises:
            TimeoutError: it hung.
        """
        if name in self._asked:
            self._tasks[name].cancel()
            self._tasks[name] = self._again[name]()
        self._asked.add(name)
        return await self._tasks[name]

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for clusters in self._idle.values():
            for cluster in clusters:
                await cluster.__aexit__()

    async def _play(
        self, scenario: Scenario, seeds: Sequence[int], enough: Enough, patches: tuple[str, ...]
    ) -> Result:
        options = scenario.options(patches)
        async with self._places:
            for seed in seeds:
                async with self._cluster(options) as cluster:
                    record = await _played(cluster, scenario, seed)
                    result = Result(record, violations(record), cluster.logs())
                if enough(result.found):
                    break
            return result

    @asynccontextmanager
    async def _cluster(self, options: Options) -> AsyncIterator[Cluster]:
        """Lend a cluster: one that was used before where that is the same, to save its start."""
        idle = self._idle.setdefault(options, [])
        cluster = idle.pop() if idle else Cluster(self._database, options)
        try:
            if not cluster.workers:
                await cluster.__aenter__()
            yield cluster
        except BaseException:
            await cluster.__aexit__()
            raise
        if options.lasts and not options.patches and len(cluster.running) == options.workers:
            idle.append(cluster)
        else:
            await cluster.__aexit__()


async def _played(cluster: Cluster, scenario: Scenario, seed: int) -> RunRecord:
    try:
        async with asyncio.timeout(LONGEST_S):
            return await Play(cluster, scenario, seed).run()
    except TimeoutError as exc:
        raise TimeoutError(f"{scenario.name} hung\n{cluster.logs()}") from exc
