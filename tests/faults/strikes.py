"""Making things go wrong in a cluster, and right again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

import redis.asyncio

from tests.faults import attacks
from tests.faults.client import Tab
from tests.faults.cluster import Cluster, WorkerProcess
from tests.faults.scenario import OF_A_WORKER, OF_REDIS, Strike, What


class Striker:
    """``tabs``: the clients, who show which worker writes an answer."""

    def __init__(self, cluster: Cluster, tabs: list[Tab]) -> None:
        self._cluster = cluster
        self._tabs = tabs

    async def strike(self, strike: Strike) -> None:
        """Do it and undo it."""
        if strike.what in OF_REDIS:
            doing = _REDIS[strike.what](self._cluster, strike.lasts_s)
            await asyncio.gather(doing, self._cut_later(strike.cut_after_s))
        else:
            await _DOING[strike.what](self, strike, self._answering())

    async def _cut_later(self, after_s: float) -> None:
        if after_s:
            await asyncio.sleep(after_s)
            for tab in self._tabs:
                tab.cut()

    def struck_by(self, strike: Strike) -> list[Tab]:
        """Return those who would be struck now: they wait for an answer, there or anywhere."""
        victim = self._answering() if strike.what in OF_A_WORKER else None
        waiting = (tab for tab in self._tabs if tab.view.waiting)
        return [tab for tab in waiting if victim is None or tab.address == victim.address]

    def _answering(self) -> WorkerProcess:
        """The worker at which most clients see an answer grow."""
        running = [w for w in self._cluster.workers if w.is_running and not w.is_frozen]
        return max(
            running,
            key=lambda worker: sum(
                tab.address == worker.address and bool(tab.view.draft_id) for tab in self._tabs
            ),
        )

    async def kill(self, strike: Strike, victim: WorkerProcess) -> None:
        victim.kill()
        await asyncio.sleep(strike.lasts_s)
        await self._cluster.start_worker()

    async def freeze(self, strike: Strike, victim: WorkerProcess) -> None:
        victim.freeze()
        try:
            await asyncio.sleep(strike.lasts_s)
        finally:
            victim.thaw()

    async def stop(self, strike: Strike, victim: WorkerProcess) -> None:
        """A balancer sends nobody to a worker that is told to stop; its successor is there."""
        await self._cluster.start_worker()
        victim.send_signal(signal.SIGTERM)
        code = await victim.ended()
        assert code == 0, f"{victim.name} ended with {code}"

    async def roll(self, strike: Strike, victim: WorkerProcess) -> None:
        for worker in [w for w in self._cluster.workers if w.is_running]:
            await self.stop(strike, worker)

    async def crash(self, strike: Strike, victim: WorkerProcess) -> None:
        """Replace the workers that were made to die as soon as they have."""
        dying = [worker for worker in self._cluster.workers if worker.dies]
        await asyncio.gather(*map(self._replace, dying))

    async def _replace(self, dying: WorkerProcess) -> None:
        await dying.ended(20)
        await self._cluster.start_worker()

    async def reconnect(self, strike: Strike, victim: WorkerProcess) -> None:
        for tab in self._tabs:
            tab.cut()

    async def model(self, strike: Strike, victim: WorkerProcess) -> None:
        self._cluster.assistant.faults.add(**strike.settings)

    async def slow(self, strike: Strike, victim: WorkerProcess) -> None:
        await attacks.never_read(self._cluster, victim, **strike.settings)

    async def flood(self, strike: Strike, victim: WorkerProcess) -> None:
        await attacks.flood(self._cluster, victim, **strike.settings)

    async def bombs(self, strike: Strike, victim: WorkerProcess) -> None:
        await attacks.throw_bombs(self._cluster, victim)


async def _redis_kill(cluster: Cluster, lasts_s: float) -> None:
    await asyncio.to_thread(cluster.redis.kill)
    await asyncio.sleep(lasts_s)
    await asyncio.to_thread(cluster.redis.start)


async def _redis_freeze(cluster: Cluster, lasts_s: float) -> None:
    cluster.redis.freeze()
    try:
        await asyncio.sleep(lasts_s)
    finally:
        cluster.redis.thaw()


async def _redis_start(cluster: Cluster, lasts_s: float) -> None:
    await asyncio.sleep(lasts_s)
    await asyncio.to_thread(cluster.redis.start)


def _redis_says(*commands: str) -> Callable[[Cluster, float], Awaitable[None]]:
    """Have Redis obey the first command, and the second one after a while."""

    async def strike(cluster: Cluster, lasts_s: float) -> None:
        first, last = commands
        async with redis.asyncio.Redis.from_url(cluster.redis.url) as client:
            await client.execute_command(*first.split())  # type: ignore[no-untyped-call]
            await asyncio.sleep(lasts_s)
            await client.execute_command(*last.split())  # type: ignore[no-untyped-call]

    return strike


_DOING: dict[What, Callable[[Striker, Strike, WorkerProcess], Awaitable[None]]] = {
    What.KILL: Striker.kill,
    What.FREEZE: Striker.freeze,
    What.TERM: Striker.stop,
    What.ROLL: Striker.roll,
    What.CRASH: Striker.crash,
    What.RECONNECT: Striker.reconnect,
    What.MODEL: Striker.model,
    What.SLOW: Striker.slow,
    What.FLOOD: Striker.flood,
    What.BOMBS: Striker.bombs,
}
_REDIS: dict[What, Callable[[Cluster, float], Awaitable[None]]] = {
    What.REDIS_KILL: _redis_kill,
    What.REDIS_FREEZE: _redis_freeze,
    What.REDIS_LATE: _redis_start,
    What.REDIS_FULL: _redis_says("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    What.REDIS_REPLICA: _redis_says("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    What.REDIS_ALONE: _redis_says(
        "CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0"
    ),
}
