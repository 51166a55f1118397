"""What workers hold: memory, files, sockets; before, at worst, and once everybody left."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.faults.cluster import Cluster, WorkerProcess, measured
from tests.faults.patience import done_within
from tests.faults.records import WorkerRecord

ALLOWED_MIB = 40
LOOK_S = 0.1
#: A worker lets go of a client that left without a word.
LEFT_S = 20


class Weights:
    """Measures from the moment it is made, until ``close``."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._records = [
            WorkerRecord(
                name=worker.name,
                before_mib=worker.memory_mib(),
                peak_mib=worker.memory_mib(),
                files_before=worker.open_files(),
                files_after=0,
                sockets_after=0,
                allowed_mib=ALLOWED_MIB,
            )
            for worker in cluster.running
        ]
        self._looking = asyncio.create_task(self._look(), name="weights")

    def close(self) -> None:
        self._looking.cancel()

    async def after(self) -> list[WorkerRecord]:
        """Return the records of the workers that lived; everybody has left by now."""
        alive = {worker.name: worker for worker in self._cluster.running}
        lived = [record for record in self._records if record.name in alive]
        for record in lived:
            record.sockets_after = await self._sockets_of(alive[record.name])
            record.files_after = alive[record.name].open_files()
        return lived

    async def _look(self) -> None:
        while True:
            alive = {worker.name: worker for worker in self._cluster.running}
            for record in self._records:
                with suppress(OSError, KeyError):  # it may die meanwhile
                    record.peak_mib = max(record.peak_mib, alive[record.name].memory_mib())
            await asyncio.sleep(LOOK_S)

    async def _sockets_of(self, worker: WorkerProcess) -> int:
        """Wait until the worker noticed that all have left; return how many it still counts."""
        await done_within(LEFT_S, self._left(worker))
        return int(await measured(self._cluster.web, worker.address, "chat_sockets_open"))

    async def _left(self, worker: WorkerProcess) -> None:
        while await measured(self._cluster.web, worker.address, "chat_sockets_open"):
            await asyncio.sleep(LOOK_S)
