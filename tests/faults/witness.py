"""Who asks every worker, all the time that Redis is away, how it does; and again afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp

from tests.faults.cluster import Cluster, WorkerProcess, measured
from tests.faults.patience import Stopwatch, done_within

#: Source: specification, section 9.
ANSWERED_S = 2.0
MERGED_S = 5.0
LOOK_S = 0.2
#: What each may say: never 500. A page may have to wait, also because one visitor asks for it five
#: times a second; readiness may be refused.
PATHS = {"/": (200, 429, 503), "/healthz": (200,), "/readyz": (200, 503)}


class Witness:
    """``cookies``: of a visitor who has a conversation. ``late``: what was not as promised."""

    def __init__(self, cluster: Cluster, cookies: Mapping[str, str], late: list[str]) -> None:
        self._cluster = cluster
        self._headers = {"Cookie": f"chat_session={cookies['chat_session']}"}
        self._late = late

    def note(self, what: str) -> None:
        """Note that something was not as promised."""
        self._late.append(what)

    async def watch(self, lasts_s: float) -> None:
        """Ask while Redis is away, for so long."""
        asking = [
            asyncio.create_task(self._ask_on(worker, path))
            for worker in self._cluster.running
            for path in PATHS
        ]
        await asyncio.wait(asking, timeout=lasts_s)
        for task in asking:
            task.cancel()
        ended = await asyncio.gather(*asking, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def see_it_back(self) -> None:
        """Wait until every worker merged what its memory kept; it has to be in time."""
        if not await done_within(MERGED_S, self._merged()):
            self._late.append(f"Redis is back, and not everything is in it after {MERGED_S} s")

    async def _merged(self) -> None:
        for worker in self._cluster.running:
            while await measured(self._cluster.web, worker.address, "chat_store_degraded"):
                await asyncio.sleep(LOOK_S / 4)

    async def _ask_on(self, worker: WorkerProcess, path: str) -> None:
        while True:
            watch = Stopwatch()
            try:
                await self._ask(worker, path)
            except (TimeoutError, OSError, aiohttp.ClientError) as error:
                if worker.is_running:
                    self._late.append(f"{worker.name}{path} did not answer: {error!r}")
            finally:
                if watch.s > ANSWERED_S:
                    self._late.append(f"{worker.name}{path} took {watch.s:.1f} s without Redis")
            await asyncio.sleep(LOOK_S)

    async def _ask(self, worker: WorkerProcess, path: str) -> None:
        url = f"http://{worker.address}{path}"
        async with self._cluster.web.get(url, headers=self._headers) as response:
            if response.status not in PATHS[path]:
                self._late.append(f"{worker.name}{path} answered {response.status}")
            text = await response.text()
        if path == "/readyz" and '"redis": "ok"' in text:
            self._late.append(f"{worker.name} says that Redis is there, and it is not")
